// Colours, for light and for dark. A word has the same colour on every panel, whatever else is shown.

export const dark = matchMedia("(prefers-color-scheme: dark)");

const LIGHT = { text: "#18202b", dim: "#566272", line: "#e3e8ee", axis: "#b9c2cd", card: "#ffffff", alarm: "#b3162a", heat: ["#edf2f9", "#a9cbf3", "#4c8fe0", "#1c4f9c", "#0a2455"] };
const DARK = { text: "#e6ebf2", dim: "#97a5b7", line: "#222c39", axis: "#3d4a5b", card: "#161d27", alarm: "#ff7b86", heat: ["#1a2330", "#1d4a86", "#2f80dd", "#86bdff", "#eaf4ff"] };
export const theme = () => (dark.matches ? DARK : LIGHT);

// In an order in which neighbours differ in lightness too, so that they are told apart without seeing red and green.
const KINDS = {
  email: "#3b76d6", credit_card: "#f2a900", jwt: "#66c2e0", ssn: "#9a5fd0", aws_access_key: "#e4572e",
  private_key: "#c2255c", google_api_key: "#2aa876", slack_token: "#e58fc2", github_token: "#7d8da1", stripe_key: "#8c6d31",
};
const WORDS = {
  clean: "#8ab4f0", redacted: "#2f6fdb", redact: "#2f6fdb", would_redact: "#a98be0", would_block: "#f2a900", block: "#c4203a", blocked: "#c4203a",
  failed_closed: "#9a4dcc", failed_open: "#e6d04a", detect: "#8a97a8",
  request: "#f2a900", response: "#2f6fdb",
  too_large: "#e4572e", content_encoding: "#9a5fd0", corrupt: "#c2255c", content_type: "#66b2d6", upgrade: "#7d8da1",
};
const OTHERS = ["#2f6fdb", "#f2a900", "#2aa876", "#e4572e", "#9a5fd0", "#66c2e0", "#c2255c", "#8c6d31", "#e58fc2", "#7d8da1"];

/** The colour of a series; `place` counts for names that are not known. */
export const colourOf = (name, place) => KINDS[name] ?? WORDS[name] ?? OTHERS[place % OTHERS.length];
/** The order in which known names are stacked and listed. */
export const rank = (name) => { const at = [...Object.keys(KINDS), ...Object.keys(WORDS)].indexOf(name); return at < 0 ? 1e6 : at; };
