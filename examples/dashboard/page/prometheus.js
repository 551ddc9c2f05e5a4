// Prometheus's HTTP API, as far as the page needs it. Same origin, or the one that ?prometheus= names.

const base = new URLSearchParams(location.search).get("prometheus")?.replace(/\/+$/, "") ?? "";
const PATIENCE_MILLISECONDS = 8000;

/** Prometheus is there, and does not like the question. */
export class Refused extends Error {}

async function ask(path, parameters = {}) {
  const url = `${base}/api/v1/${path}?${new URLSearchParams(parameters)}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
  const text = await answer.text();
  let body;
  try { body = JSON.parse(text); } catch { throw new Error(`status ${answer.status}`); }
  if (body.status === "success") return body.data;
  throw new (answer.status >= 500 ? Error : Refused)(body.error ?? `status ${answer.status}`);
}

/** The samples now: `[{labels, value}]`. */
export async function now(query) {
  const { result } = await ask("query", { query });
  return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

/** Series over time, every one with a value (or null) at each of `times`: `[{labels, values}]`. */
export async function over(query, { times, step }) {
  const { result } = await ask("query_range", { query, start: times[0], end: times.at(-1), step });
  return result.map(({ metric, values }) => {
    const found = new Map(values.map(([time, value]) => [Math.round(time), Number(value)]));
    const at = times.map((time) => found.get(time) ?? null);
    return { labels: metric, values: at.map((value) => (Number.isFinite(value) ? value : null)) };
  });
}

export const alerts = async () => (await ask("alerts")).alerts;

/** Seconds between two scrapes of an Envoy; a guess where Prometheus does not tell. */
export async function scrapeInterval() {
  try {
    const { activeTargets } = await ask("targets", { state: "active" });
    const seconds = activeTargets.map(({ scrapeInterval }) => duration(scrapeInterval)).filter(Boolean);
    return seconds.length ? Math.min(...seconds) : 15;
  } catch (error) {
    if (error instanceof Refused) return 15;
    throw error;
  }
}

/** "1m30s" -> 90 */
function duration(text) {
  const units = { ms: 0.001, s: 1, m: 60, h: 3600 };
  return [...(text ?? "").matchAll(/(\d+)(ms|[smh])/g)].reduce((sum, [, number, unit]) => sum + number * units[unit], 0);
}
