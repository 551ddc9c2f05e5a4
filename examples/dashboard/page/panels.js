// What is drawn, and from which queries: data only. $by is the policy that is chosen, $rate and $range are times; docs/metrics.md says
// what the metrics mean. The same panels, for Grafana: examples/grafana/build.py.

import { bytes, bytesPerSecond, count, microseconds, percent } from "./format.js";

const MESSAGES = "bodyguard_messages_total{$by}";
const FINDINGS = 'bodyguard_findings_total{kind!="none",$by}';
const UNINSPECTED = "bodyguard_uninspected_total{$by}";
const BODIES = `(sum(rate(${UNINSPECTED}[$rate])) + sum(rate(${MESSAGES}[$rate])))`;
const BUCKETS = "bodyguard_inspect_microseconds_bucket";

/** One number each. `warn` and `bad`: from where on it is shown so. */
export const TILES = [
  { title: "Messages inspected", query: `sum(rate(${MESSAGES}[$rate]))`, unit: count, per: "a second" },
  { title: "Findings", query: `sum(rate(${FINDINGS}[$rate])) * 60`, unit: count, per: "a minute" },
  { title: "Blocked", query: `sum(rate(bodyguard_messages_total{verdict=~"blocked|failed_closed",$by}[$rate])) / sum(rate(${MESSAGES}[$rate]))`, unit: percent, warn: 0.02, bad: 0.05 },
  { title: "Would have been blocked", query: `sum(rate(bodyguard_messages_total{verdict="would_block",$by}[$rate])) * 60`, unit: count, per: "a minute", warn: 0.01 },
  { title: "Passed unread", query: `sum(rate(${UNINSPECTED}[$rate])) / ${BODIES}`, unit: percent, warn: 0.05, bad: 0.1 },
  { title: "Inspection, 99th percentile", query: `histogram_quantile(0.99, sum by (le) (rate(${BUCKETS}[$rate])))`, unit: microseconds, warn: 1e4, bad: 1e5 },
];

export const GROUPS = [
  { title: "What is found", panels: [
    { title: "Findings, by kind", about: "Values found, a minute.", width: 7, draw: "bars", query: `sum by (kind) (rate(${FINDINGS}[$rate])) * 60`, label: "kind", unit: count, empty: "Nothing was found." },
    { title: "Findings, by what was done", about: "A minute; would_… is what detect and shadow do not do.", width: 5, draw: "bars", query: `sum by (action) (rate(${FINDINGS}[$rate])) * 60`, label: "action", unit: count, empty: "Nothing was found." },
    { title: "Findings over time, by kind", about: "The stronger the colour, the more findings a minute.", width: 7, draw: "heatmap", query: `sum by (kind) (rate(${FINDINGS}[$rate])) * 60`, label: "kind", unit: count, what: "findings a minute", empty: "Nothing was found." },
    { title: "Findings, by direction", about: "A minute: what comes in, and what goes out.", width: 5, draw: "lines", query: `sum by (direction) (rate(${FINDINGS}[$rate])) * 60`, label: "direction", unit: count, empty: "Nothing was found." },
  ] },
  { title: "What is done about it", panels: [
    { title: "Messages, by verdict", about: "Inspected messages a second, and what became of them.", width: 7, draw: "areas", query: `sum by (verdict) (rate(${MESSAGES}[$rate]))`, label: "verdict", unit: count, empty: "No message was inspected." },
    { title: "Top policies", about: "Findings in the time shown.", width: 5, draw: "ranking", query: `topk(8, sum by (policy) (increase(${FINDINGS}[$range])))`, label: "policy", unit: count, empty: "Nothing was found." },
    { title: "Would be blocked, while shadowing", about: "Findings a minute that mode block would have blocked.", width: 7, draw: "bars", query: `sum by (kind) (rate(bodyguard_findings_total{action="would_block",kind!="none",$by}[$rate])) * 60`, label: "kind", unit: count, empty: "No rule only watches, or none saw anything to block." },
    { title: "Bodies rewritten", about: "Messages a minute that left otherwise than they came.", width: 5, draw: "lines", query: "sum by (direction) (rate(bodyguard_body_mutations_total{$by}[$rate])) * 60", label: "direction", unit: count, empty: "Nothing was masked." },
  ] },
  { title: "What is not seen", panels: [
    { title: "Bodies that pass unread, by reason", about: "Share of all bodies that a policy was to inspect. The alert is at 10 %.", width: 7, draw: "areas", query: `sum by (reason) (rate(${UNINSPECTED}[$rate])) / on () group_left () ${BODIES}`, label: "reason", unit: percent, limit: 0.1, empty: "Every body was read." },
    { title: "Bytes inspected", about: "After decoding.", width: 5, draw: "lines", query: "sum by (direction) (rate(bodyguard_inspected_bytes_total{$by}[$rate]))", label: "direction", unit: bytesPerSecond, binary: true, empty: "No message was inspected." },
  ] },
  { title: "What it costs", panels: [
    { title: "Inspection time", about: "How many bodies cost how much, over time. All policies.", width: 7, draw: "buckets", query: `sum by (le) (increase(${BUCKETS}[$rate]))`, unit: microseconds, what: "bodies", empty: "No body was inspected." },
    { title: "Inspection time, in the time shown", about: "Bodies by what each cost. All policies.", width: 5, draw: "histogram", query: `sum by (le) (increase(${BUCKETS}[$range]))`, unit: microseconds, empty: "No body was inspected." },
    { title: "VM memory", about: "Of the worker that reported last. A VM may have 1 GiB; the alert is at 80 %.", width: 4, draw: "lines", query: "max by (pod, instance) (bodyguard_vm_memory_bytes)", label: "pod", unit: bytes, binary: true, empty: "No Envoy with bodyguard is scraped." },
    { title: "Bodies in flight", about: "Bytes held now, in all workers.", width: 4, draw: "lines", query: "sum by (pod, instance) (bodyguard_inflight_body_bytes)", label: "pod", unit: bytes, binary: true, empty: "No Envoy with bodyguard is scraped." },
    { title: "Body length", about: "Quantiles, after decoding. All policies.", width: 4, draw: "lines", queries: { median: "histogram_quantile(0.5, sum by (le) (rate(bodyguard_body_bytes_bucket[$rate])))", "99th percentile": "histogram_quantile(0.99, sum by (le) (rate(bodyguard_body_bytes_bucket[$rate])))" }, unit: bytes, binary: true, empty: "No body was inspected." },
  ] },
  { title: "What is in force", panels: [
    { title: "Policies", about: "Which version each Envoy has, and how many of its rules block or only watch.", width: 7, draw: "policies", empty: "No Envoy with bodyguard is scraped." },
    { title: "Trouble", about: "Errors by reason, refused policies, lost events, VMs made anew. All should be 0.", width: 5, draw: "bars", queries: { "policy refused": "sum(increase(bodyguard_policy_rejections_total[$rate])) > 0", "event lost": 'sum(increase(bodyguard_events_total{outcome!="exported"}[$rate])) > 0', "VM made anew": "sum(increase(envoy_wasm_bodyguard_vm_reload_success[$rate])) > 0" }, query: "sum by (reason) (increase(bodyguard_errors_total[$rate])) > 0", label: "reason", unit: count, empty: "None. Good." },
  ] },
];
