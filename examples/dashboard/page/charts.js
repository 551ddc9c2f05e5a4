// Options for ECharts: how a panel's data is drawn. Knows nothing of Prometheus.

import { clock, count, escaped } from "./format.js";
import { theme } from "./theme.js";

const FONT = 'system-ui, "Segoe UI", Roboto, sans-serif';
const MOST_ROWS_IN_A_TIP = 10;

function common() {
  const { text, line, card } = theme();
  return {
    animation: false,
    textStyle: { fontFamily: FONT, color: text },
    grid: { left: 4, right: 12, top: 12, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: { confine: true, backgroundColor: card, borderColor: line, textStyle: { color: text, fontFamily: FONT }, transitionDuration: 0 },
  };
}

function valueAxis(unit, more = {}) {
  const { dim, line } = theme();
  return { type: "value", min: 0, splitNumber: 4, axisLabel: { color: dim, fontSize: 11, formatter: unit }, splitLine: { lineStyle: { color: line } }, ...more };
}

/** Bytes are counted in powers of two: so are the ticks. */
function binaryTicks(series) {
  const most = Math.max(1024, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const interval = 2 ** Math.ceil(Math.log2(most / 5));
  return { interval, max: Math.ceil(most / interval) * interval };
}

function categories(names, more = {}) {
  const { dim, axis } = theme();
  return { type: "category", data: names, axisLine: { lineStyle: { color: axis } }, axisTick: { show: false }, axisLabel: { color: dim, fontSize: 11, ...more.axisLabel }, ...more };
}

const timeAxis = ({ times, range }) => categories(times.map((time) => clock(time, range)), { axisLabel: { hideOverlap: true, showMinLabel: false, showMaxLabel: true, alignMaxLabel: "right", color: theme().dim, fontSize: 11 } });

const tip = (heading, rows) => `<div class="tip"><b>${escaped(heading)}</b><table>${rows.map(([colour, name, value]) => `<tr><td><i style="background:${colour}"></i>${escaped(name)}</td><td>${escaped(value)}</td></tr>`).join("")}</table></div>`;

/** `lines` beside each other, `areas` and `bars` on top of each other. `series`: `[{name, values, colour}]`. */
export function overTime(kind, series, { span, unit, limit, binary }) {
  const stacked = kind !== "lines";
  const { alarm, axis } = theme();
  const tooltip = {
    ...common().tooltip,
    trigger: "axis",
    axisPointer: { type: kind === "bars" ? "shadow" : "line", lineStyle: { color: axis }, shadowStyle: { color: axis, opacity: 0.15 } },
    formatter: (points) => {
      const rows = points.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value).slice(0, MOST_ROWS_IN_A_TIP);
      return tip(points[0].axisValue, rows.length ? rows.map(({ color, seriesName, value }) => [color, seriesName, unit(value)]) : [["transparent", "nothing", ""]]);
    },
  };
  const mark = limit && { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: alarm, type: "dashed" }, data: [{ yAxis: limit }] };
  return {
    ...common(),
    tooltip,
    xAxis: { ...timeAxis(span), boundaryGap: kind === "bars" },
    yAxis: valueAxis(unit, binary ? binaryTicks(series) : limit ? { max: ({ max }) => Math.max(max, limit * 1.15) } : {}),
    series: series.map(({ name, values, colour }, place) => ({
      name,
      type: kind === "bars" ? "bar" : "line",
      stack: stacked ? "all" : undefined,
      data: stacked ? values.map((value) => value ?? 0) : values,
      itemStyle: { color: colour },
      lineStyle: { width: stacked ? 0.8 : 2, color: colour },
      areaStyle: kind === "areas" ? { opacity: 0.85, color: colour } : undefined,
      barCategoryGap: "12%",
      symbol: "none",
      emphasis: { disabled: true },
      markLine: place === 0 && limit ? mark : undefined,
    })),
  };
}

/** Rows by time; a cell is the stronger the larger its value. `rows`: `[{name, values}]`, the first one lowest. */
export function heatmap(rows, { span, unit, what }) {
  const { heat, card } = theme();
  const data = rows.flatMap(({ values }, row) => values.map((value, column) => [column, row, value ?? 0])).filter(([, , value]) => value > 0);
  const most = Math.max(...data.map(([, , value]) => value), 0);
  const times = span.times.map((time) => clock(time, span.range));
  return {
    ...common(),
    tooltip: { ...common().tooltip, formatter: ({ value: [column, row, value] }) => tip(times[column], [[heat[3], rows[row].name, `${count(value)} ${what}`]]) },
    xAxis: timeAxis(span),
    yAxis: categories(rows.map(({ name }) => name), { axisLine: { show: false }, splitArea: { show: false } }),
    // Roots, so that one burst does not make all the rest look empty.
    visualMap: { show: false, type: "continuous", min: 0, max: Math.sqrt(most), dimension: 3, inRange: { color: heat.slice(1) } },
    series: [{ type: "heatmap", data: data.map(([column, row, value]) => [column, row, value, Math.sqrt(value)]), itemStyle: { borderColor: card, borderWidth: 1, borderRadius: 2 }, emphasis: { itemStyle: { borderColor: theme().text } } }],
    most: unit(most),
  };
}

/** One bar for each bucket. `bars`: `[{name, value}]`. */
export function histogram(bars, colour) {
  const all = bars.reduce((sum, { value }) => sum + value, 0);
  const share = (value) => `${((100 * value) / all).toLocaleString("en", { maximumFractionDigits: 1 })} %`;
  return {
    ...common(),
    tooltip: { ...common().tooltip, formatter: ({ name, value }) => tip(name, [[colour, "bodies", `${count(value)}, ${share(value)}`]]) },
    xAxis: categories(bars.map(({ name }) => name), { axisLabel: { hideOverlap: true, color: theme().dim, fontSize: 11 } }),
    yAxis: valueAxis(count),
    series: [{ type: "bar", data: bars.map(({ value }) => value), barCategoryGap: "8%", itemStyle: { color: colour, borderRadius: [3, 3, 0, 0] }, emphasis: { disabled: true } }],
  };
}

/** Bars to the right, the longest on top. `bars`: `[{name, value, colour}]`. */
export function ranking(bars, unit) {
  const { text } = theme();
  const upwards = [...bars].sort((a, b) => a.value - b.value);
  return {
    ...common(),
    grid: { ...common().grid, right: 60 },
    tooltip: { ...common().tooltip, formatter: ({ name, value, color }) => tip(name, [[color, "findings", unit(value)]]) },
    xAxis: valueAxis(unit, { axisLabel: { show: false }, splitLine: { show: false } }),
    yAxis: categories(upwards.map(({ name }) => name), { axisLine: { show: false }, axisLabel: { color: text, fontSize: 12, width: 130, overflow: "truncate" } }),
    series: [{ type: "bar", data: upwards.map(({ value, colour }) => ({ value, itemStyle: { color: colour, borderRadius: 3 } })), barMaxWidth: 26, label: { show: true, position: "right", color: text, formatter: ({ value }) => unit(value) }, emphasis: { disabled: true } }],
  };
}

/** A line without anything around it, as SVG. */
export function sparkline(values, colour) {
  const known = values.map((value) => value ?? 0);
  const most = Math.max(...known) || 1;
  const points = known.map((value, place) => `${(100 * place) / Math.max(known.length - 1, 1)},${(30 - (26 * value) / most).toFixed(2)}`);
  return `<svg viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true"><polygon points="0,32 ${points.join(" ")} 100,32" fill="${colour}" opacity=".14"/><polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.5" vector-effect="non-scaling-stroke"/></svg>`;
}
