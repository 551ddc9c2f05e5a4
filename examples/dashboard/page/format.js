// Numbers as people read them. A unit is a function from a number to text.

const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });

/** 1.2K */
export const count = (value) => (value > 0 && value < 0.01 ? "<0.01" : short.format(value));
/** 12.3 % */
export const percent = (value) => `${value > 0 && value < 0.0001 ? "<0.01" : (value * 100).toLocaleString("en", { maximumSignificantDigits: 3 })} %`;
/** 3.4 MiB */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${value.toLocaleString("en", { maximumSignificantDigits: 3 })} ${units[unit]}`;
}
export const bytesPerSecond = (value) => `${bytes(value)}/s`;
/** Microseconds as µs, ms or s. */
export function microseconds(value) {
  const [scaled, unit] = value >= 1e6 ? [value / 1e6, "s"] : value >= 1e3 ? [value / 1e3, "ms"] : [value, "µs"];
  return `${scaled.toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit}`;
}

/** The time of day of a point, with seconds where the points are that close, and with the day where they are that far. */
export function clock(seconds, range) {
  const date = new Date(seconds * 1000);
  const time = date.toLocaleTimeString("en-GB", range <= 900 ? {} : { hour: "2-digit", minute: "2-digit" });
  return range > 43200 ? `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}` : time;
}

/** Text from Prometheus, for HTML. */
export const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
