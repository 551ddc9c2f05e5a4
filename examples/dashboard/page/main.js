// The page: what is chosen, what is asked again and again, and what is said about Prometheus itself.

import { sparkline } from "./charts.js";
import { escaped } from "./format.js";
import { Panel } from "./panel.js";
import { GROUPS, TILES } from "./panels.js";
import { alerts, now, over, scrapeInterval } from "./prometheus.js";
import { dark } from "./theme.js";

const POINTS = 60;
// A rate needs some scrapes in its window.
const SCRAPES_IN_A_WINDOW = 4;
const MOST_ALERTS = 6;

const by = (id) => document.getElementById(id);
const chosen = new URLSearchParams(location.search);
for (const id of ["range", "refresh"]) {
  if ([...by(id).options].some(({ value }) => value === chosen.get(id))) by(id).value = chosen.get(id);
}

const tiles = TILES.map((spec) => {
  const element = document.createElement("article");
  element.className = "tile";
  element.innerHTML = `<h2>${escaped(spec.title)}</h2><p class="value">–</p><div class="spark"></div>`;
  by("tiles").append(element);
  return { spec, element };
});
const panels = GROUPS.flatMap(({ title, panels }) => {
  const group = document.createElement("section");
  group.className = "group";
  group.innerHTML = `<h2>${escaped(title)}</h2><div class="grid"></div>`;
  by("panels").append(group);
  return panels.map((spec) => new Panel(spec, group.querySelector(".grid")));
});

let interval = null;

/** The points in time that are drawn, and what stands for the variables of a query. */
function window() {
  const range = Number(by("range").value);
  const step = Math.max(Math.ceil(range / POINTS), Math.ceil(interval));
  const end = Math.floor(Date.now() / 1000 / step) * step;
  const times = Array.from({ length: Math.floor(range / step) }, (_, place) => end - step * (Math.floor(range / step) - 1 - place));
  const rate = Math.max(step, Math.ceil(SCRAPES_IN_A_WINDOW * interval));
  const policy = by("policy").value;
  const selector = policy ? `policy=${JSON.stringify(policy)}` : 'policy=~".*"';
  const fill = (query) => query.replaceAll("$rate", `${rate}s`).replaceAll("$range", `${range}s`).replaceAll("$by", selector);
  return { span: { range, step, times }, fill };
}

async function refreshTile({ spec, element }, { span, fill }) {
  const [{ values } = { values: [] }] = await over(fill(spec.query), span);
  const value = values.findLast((one) => one !== null) ?? null;
  const level = value === null ? "" : value >= spec.bad ? "bad" : value >= spec.warn ? "warn" : "";
  element.className = `tile ${level}`;
  element.querySelector(".value").innerHTML = value === null ? "–" : `${escaped(spec.unit(value))}${spec.per ? `<small>${spec.per}</small>` : ""}`;
  const colour = getComputedStyle(document.documentElement).getPropertyValue(level ? `--${level}` : "--accent");
  element.querySelector(".spark").innerHTML = value === null ? "" : sparkline(values, colour);
}

async function refreshPolicies() {
  const found = await now("count by (policy) (bodyguard_policy_info)");
  const names = ["", ...found.map(({ labels }) => labels.policy).sort()];
  const select = by("policy");
  if (names.join("\n") === [...select.options].map(({ value }) => value).join("\n")) return;
  const before = select.value;
  select.replaceChildren(...names.map((name) => new Option(name || "all", name, false, name === before)));
}

async function refreshAlerts() {
  const gravity = { critical: 0, warning: 1, info: 2 };
  const firing = (await alerts()).filter(({ state, labels }) => state === "firing" && labels.alertname.startsWith("Bodyguard"));
  firing.sort((a, b) => (gravity[a.labels.severity] ?? 3) - (gravity[b.labels.severity] ?? 3));
  const items = firing.slice(0, MOST_ALERTS).map(({ labels, annotations }) => `<li class="${escaped(labels.severity)}"><b>${escaped(annotations.summary)}</b><small>${escaped(labels.severity)} · ${escaped(labels.alertname)} · ${escaped(annotations.runbook_url)}</small></li>`);
  if (firing.length > MOST_ALERTS) items.push(`<li class="info">and ${firing.length - MOST_ALERTS} more</li>`);
  by("alerts").innerHTML = items.join("");
  by("alerts").hidden = !items.length;
}

function tell(state, text, trouble = "") {
  by("state").className = `state ${state}`;
  by("state-text").textContent = text;
  by("trouble").textContent = trouble;
  by("trouble").hidden = !trouble;
}

let running = null;
let again = false;

/** Asks for everything once; never twice at a time. */
async function refresh() {
  if (running) { again = true; return running; }
  running = (async () => {
    try {
      interval ??= await scrapeInterval();
      const at = window();
      await Promise.all([refreshPolicies(), refreshAlerts(), ...tiles.map((tile) => refreshTile(tile, at)), ...panels.map((panel) => panel.refresh(at.span, at.fill))]);
      tell("live", `as of ${new Date().toLocaleTimeString("en-GB")}`);
    } catch (error) {
      const reason = error.name === "TimeoutError" ? "no answer within eight seconds" : error.message;
      tell("lost", "Prometheus cannot be reached", `Prometheus cannot be reached (${reason}). What is shown is old; trying again.`);
      for (const panel of panels) if (!panel.data) panel.say("No answer from Prometheus yet.");
    }
  })();
  await running;
  running = null;
  document.body.dataset.refreshed = Number(document.body.dataset.refreshed ?? 0) + 1;
  if (again) { again = false; refresh(); }
}

let timer = null;
function schedule() {
  clearInterval(timer);
  const seconds = Number(by("refresh").value);
  if (seconds) timer = setInterval(() => { if (!document.hidden) refresh(); }, seconds * 1000);
}

by("controls").addEventListener("submit", (event) => event.preventDefault());
by("range").addEventListener("change", refresh);
by("policy").addEventListener("change", refresh);
by("refresh").addEventListener("change", schedule);
document.addEventListener("visibilitychange", () => { if (!document.hidden && Number(by("refresh").value)) refresh(); });
dark.addEventListener("change", () => { for (const panel of panels) panel.draw(); refresh(); });
refresh().then(schedule);
