// One panel: its place in the page, its data, and its chart. Every panel fails and recovers for itself.

import { init } from "./vendor/echarts.js";
import { heatmap, histogram, overTime, ranking } from "./charts.js";
import { count, escaped } from "./format.js";
import { now, over, Refused } from "./prometheus.js";
import { colourOf, rank, theme } from "./theme.js";

const ACCENT = "#2f6fdb";

export class Panel {
  constructor(spec, parent) {
    this.spec = spec;
    this.hidden = new Set();
    this.element = document.createElement("figure");
    this.element.className = `w${spec.width}`;
    this.element.innerHTML = `<figcaption><h3>${escaped(spec.title)}</h3><p>${escaped(spec.about)}</p></figcaption>
      <div class="${spec.draw === "policies" ? "table" : "chart"}"><div class="canvas"></div></div><div class="below"></div>`;
    parent.append(this.element);
    this.place = this.element.querySelector(".chart, .table");
    this.canvas = this.element.querySelector(".canvas");
    this.below = this.element.querySelector(".below");
    if (spec.draw !== "policies") new ResizeObserver(() => this.chart?.resize()).observe(this.canvas);
  }

  /** Asks, and draws what comes. Throws where Prometheus cannot be reached; what it refuses is shown in the panel. */
  async refresh(span, fill) {
    try {
      this.data = await this.ask(span, fill);
      this.span = span;
      this.draw();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.say(`Prometheus refused the query: ${error.message}`);
    }
  }

  async ask(span, fill) {
    const { draw, query, queries = {}, label } = this.spec;
    if (draw === "policies") return policies(fill);
    if (draw === "ranking" || draw === "histogram") return now(fill(query));
    const named = ({ labels, values }) => ({ name: labels[label] ?? labels.pod ?? labels.instance ?? "all", labels, values });
    const asked = [...(query ? [over(fill(query), span).then((found) => found.map(named))] : []), ...Object.entries(queries).map(async ([name, one]) => (await over(fill(one), span)).map(({ values }) => ({ name, values })))];
    return (await Promise.all(asked)).flat();
  }

  /** Draws what is known, again where only the colours changed. */
  draw() {
    if (!this.data) return;
    const drawn = { policies: drawPolicies, ranking: drawRanking, histogram: drawHistogram, buckets: drawBuckets, heatmap: drawHeatmap }[this.spec.draw] ?? drawOverTime;
    if (!drawn(this)) this.say(this.spec.empty);
  }

  show(option, summary) {
    this.element.querySelector(".empty")?.remove();
    this.canvas.hidden = false;
    this.chart ??= init(this.canvas, null, { renderer: "svg" });
    this.chart.setOption(option, { notMerge: true });
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${this.spec.title}: ${summary}`);
    this.element.dataset.drawn = "chart";
    return true;
  }

  say(text) {
    this.canvas.hidden = true;
    this.below.replaceChildren();
    this.element.querySelector(".empty")?.remove();
    this.place.insertAdjacentHTML("beforeend", `<p class="empty" role="note">${escaped(text)}</p>`);
    this.element.dataset.drawn = "empty";
  }

  legend(series) {
    const { unit } = this.spec;
    const items = series.map(({ name, colour, values }) => {
      const last = values.findLast((value) => value !== null);
      return `<li><button type="button" aria-pressed="${!this.hidden.has(name)}" data-name="${escaped(name)}"><i style="background:${colour}"></i>${escaped(name)} <span>${last === undefined ? "" : escaped(unit(last))}</span></button></li>`;
    });
    const focused = this.below.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    this.below.innerHTML = `<ul class="legend">${items.join("")}</ul>`;
    for (const button of this.below.querySelectorAll("button")) {
      button.onclick = () => { this.hidden.delete(button.dataset.name) || this.hidden.add(button.dataset.name); this.draw(); };
      if (button.dataset.name === focused) button.focus();
    }
  }
}

const sorted = (series) => [...series].sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
const ever = ({ values }) => values.some((value) => value > 0);

function drawOverTime(panel) {
  const { draw, unit, limit, binary } = panel.spec;
  const gauge = draw === "lines";
  const series = sorted(panel.data.filter((one) => ever(one) || (gauge && one.values.some((value) => value !== null))))
    .map((one, place) => ({ ...one, colour: colourOf(one.name, place) }));
  if (!series.length) return false;
  const option = overTime(draw, series.filter(({ name }) => !panel.hidden.has(name)), { span: panel.span, unit, limit, binary });
  panel.show(option, series.map(({ name, values }) => `${name} ${unit(values.findLast((value) => value !== null) ?? 0)}`).join(", "));
  panel.legend(series);
  return true;
}

function scale(panel, most) {
  const { heat } = theme();
  panel.below.innerHTML = `<p class="scale">few <i style="background:linear-gradient(90deg, ${heat.slice(1).join(", ")})"></i> at most ${escaped(most)} ${escaped(panel.spec.what)}</p>`;
}

function drawHeatmap(panel) {
  if (!panel.data.some(ever)) return false;
  const rows = sorted(panel.data).reverse();
  const { most, ...option } = heatmap(rows, { ...panel.spec, span: panel.span });
  panel.show(option, `rows ${rows.map(({ name }) => name).join(", ")}; at most ${most} ${panel.spec.what}`);
  scale(panel, most);
  return true;
}

/** Prometheus counts in each bucket what is in the smaller ones too; `read` finds the counts in a series. */
function apart(series, read) {
  const upwards = [...series].sort((a, b) => edge(a) - edge(b));
  return upwards.map((one, place) => ({ edge: edge(one), below: place ? edge(upwards[place - 1]) : 0, values: read(one).map((value, at) => (value === null ? null : Math.max(value - (place ? read(upwards[place - 1])[at] ?? 0 : 0), 0))) }));
}
const edge = ({ labels }) => (labels.le === "+Inf" ? Infinity : Number(labels.le));
const bucketName = (unit) => ({ edge: upper, below }) => (upper === Infinity ? `> ${unit(below)}` : `≤ ${unit(upper)}`);

/** Without the empty ones at both ends. */
function trimmed(buckets) {
  const used = buckets.map(ever);
  return buckets.slice(used.indexOf(true), used.lastIndexOf(true) + 1);
}

function drawBuckets(panel) {
  const buckets = trimmed(apart(panel.data, ({ values }) => values));
  if (!buckets.length) return false;
  const name = bucketName(panel.spec.unit);
  const rows = buckets.map((bucket) => ({ name: name(bucket), values: bucket.values }));
  const { most, ...option } = heatmap(rows, { span: panel.span, unit: count, what: panel.spec.what });
  panel.show(option, `rows ${rows.map((row) => row.name).join(", ")}; at most ${most} ${panel.spec.what}`);
  scale(panel, most);
  return true;
}

function drawHistogram(panel) {
  const buckets = trimmed(apart(panel.data, ({ value }) => [value]));
  if (!buckets.length) return false;
  const name = bucketName(panel.spec.unit);
  const bars = buckets.map((bucket) => ({ name: name(bucket), value: bucket.values[0] }));
  return panel.show(histogram(bars, ACCENT), bars.map((bar) => `${bar.name} ${count(bar.value)}`).join(", "));
}

function drawRanking(panel) {
  const bars = panel.data.filter(({ value }) => value > 0).map(({ labels, value }) => ({ name: labels[panel.spec.label] ?? "?", value, colour: ACCENT }));
  if (!bars.length) return false;
  return panel.show(ranking(bars, panel.spec.unit), bars.map(({ name, value }) => `${name} ${panel.spec.unit(value)}`).join(", "));
}

async function policies(fill) {
  const queries = ["bodyguard_policy_info{$by} == 1", "bodyguard_policy_rules_blocking{$by}", "bodyguard_policy_rules_observing{$by}"];
  const [infos, blocking, observing] = await Promise.all(queries.map((query) => now(fill(query))));
  const of = (found, { policy, instance }) => found.find(({ labels }) => labels.policy === policy && labels.instance === instance)?.value ?? 0;
  return infos.map(({ labels }) => ({ ...labels, blocking: of(blocking, labels), observing: of(observing, labels) }));
}

function drawPolicies(panel) {
  if (!panel.data.length) return false;
  panel.element.querySelector(".empty")?.remove();
  panel.canvas.hidden = false;
  const rows = [...panel.data].sort((a, b) => a.policy.localeCompare(b.policy)).map(({ policy, hash, pod, instance, blocking, observing }) =>
    `<tr><td>${escaped(policy)}</td><td><code>${escaped(hash)}</code></td><td>${escaped(pod ?? instance)}</td><td class="number">${blocking}</td><td class="number">${observing}</td></tr>`);
  panel.canvas.innerHTML = `<table><thead><tr><th scope="col">Policy</th><th scope="col">Version</th><th scope="col">Envoy</th><th scope="col" class="number">Rules that block</th><th scope="col" class="number">that only watch</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
  panel.element.dataset.drawn = "table";
  return true;
}
