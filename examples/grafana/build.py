"""Writes bodyguard.json, the Grafana dashboard (schema of Grafana 10 and later): python3 examples/grafana/build.py

What is drawn is said here once, row by row; docs/metrics.md says what the metrics mean.
"""

from __future__ import annotations

import json
from pathlib import Path

from parts import CALM, COLOURS, COLUMNS, SOURCE, fixed_colours, heatmap, now, panel, query, row, series, stat, steps

OUTPUT = Path(__file__).with_name("bodyguard.json")
POLICY = 'policy=~"$policy"'
FINDINGS = f'bodyguard_findings_total{{{POLICY},kind!="none"}}'
MESSAGES = f"bodyguard_messages_total{{{POLICY}}}"
BLOCKED = f'bodyguard_messages_total{{{POLICY},verdict=~"blocked|failed_closed"}}'
UNINSPECTED = f"bodyguard_uninspected_total{{{POLICY}}}"
RATE = "[$__rate_interval]"
SEEN = f"(sum(rate({UNINSPECTED}{RATE})) + sum(rate({MESSAGES}{RATE})))"
LATENCY = f"bodyguard_inspect_microseconds_bucket{RATE}"

PANELS = [
    stat("Messages", "Bodies inspected, a second.", f"sum(rate({MESSAGES}{RATE}))", "reqps", steps((None, CALM)), 1),
    stat(
        "Findings",
        "Values found, a minute, whatever was done about them.",
        f"sum(rate({FINDINGS}{RATE})) * 60",
        "short",
        steps((None, CALM)),
        1,
    ),
    stat(
        "Blocked",
        "Share of the inspected messages that were blocked. The alert is at 5 %.",
        f"sum(rate({BLOCKED}{RATE})) / sum(rate({MESSAGES}{RATE}))",
        "percentunit",
        steps((None, CALM), (0.02, "orange"), (0.05, "red")),
        2,
    ),
    stat(
        "Would have been blocked",
        "Messages a minute that passed only because a rule is in mode detect or shadow.",
        f'sum(rate(bodyguard_messages_total{{{POLICY},verdict="would_block"}}{RATE})) * 60',
        "short",
        steps((None, CALM), (0.001, "orange")),
        1,
    ),
    stat(
        "Passed unread",
        "Share of all bodies that were not read to their end. The alert is at 10 %.",
        f"sum(rate({UNINSPECTED}{RATE})) / {SEEN}",
        "percentunit",
        steps((None, CALM), (0.05, "orange"), (0.1, "red")),
        2,
    ),
    stat(
        "Inspection, 99th percentile",
        "Time that one body costs. All policies.",
        f"histogram_quantile(0.99, sum by (le) (rate({LATENCY})))",
        "µs",
        steps((None, CALM), (10_000, "orange"), (100_000, "red")),
    ),
    row("What is found"),
    series(
        "Findings a minute, by kind",
        "Each value counts.",
        12,
        [query(f"sum by (kind) (rate({FINDINGS}{RATE})) * 60 > 0", "{{kind}}")],
        bars=True,
    ),
    heatmap(
        "Findings over time, by kind",
        "The darker, the more findings a minute.",
        12,
        query(f"sum by (kind) (rate({FINDINGS}{RATE})) * 60", "{{kind}}"),
        {"axisPlacement": "left", "reverse": False},
        "short",
    ),
    series(
        "Findings a minute, by action",
        "would_block and would_redact: what detect and shadow do not do.",
        8,
        [query(f"sum by (action) (rate({FINDINGS}{RATE})) * 60 > 0", "{{action}}")],
        bars=True,
        overrides=fixed_colours(COLOURS),
    ),
    series(
        "Findings a minute, by direction",
        "What comes in, and what goes out.",
        8,
        [query(f"sum by (direction) (rate({FINDINGS}{RATE})) * 60", "{{direction}}")],
    ),
    panel(
        "bargauge",
        "Top policies",
        "Findings in the time that is shown.",
        8,
        [now(f"topk(10, sum by (policy) (increase({FINDINGS}[$__range])))", "{{policy}}")],
        defaults={"decimals": 0, "color": {"mode": "fixed", "fixedColor": CALM}},
        options={"orientation": "horizontal", "displayMode": "basic", "reduceOptions": {"calcs": ["lastNotNull"]}},
    ),
    row("What is done about it"),
    series(
        "Messages by verdict",
        "Inspected messages a second, and what became of them.",
        12,
        [query(f"sum by (verdict) (rate({MESSAGES}{RATE}))", "{{verdict}}")],
        "reqps",
        stacked=True,
        overrides=fixed_colours(COLOURS),
    ),
    series(
        "Bodies rewritten",
        "Messages a minute that left otherwise than they came.",
        6,
        [query(f"sum by (direction) (rate(bodyguard_body_mutations_total{{{POLICY}}}{RATE})) * 60", "{{direction}}")],
    ),
    series(
        "Would be blocked, while shadowing",
        "Findings a minute that mode block would have blocked: look here before you turn it on.",
        6,
        [
            query(
                f'sum by (policy, kind) (rate(bodyguard_findings_total{{{POLICY},action="would_block"}}{RATE})) * 60 > 0',
                "{{policy}} {{kind}}",
            )
        ],
        bars=True,
    ),
    row("What is not seen"),
    series(
        "Share of bodies that pass unread, by reason",
        "Of all bodies that a policy was to inspect.",
        12,
        [query(f"sum by (reason) (rate({UNINSPECTED}{RATE})) / on () group_left () {SEEN}", "{{reason}}")],
        "percentunit",
        stacked=True,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        defaults={"thresholds": steps((None, "transparent"), (0.1, "red"))},
    ),
    series(
        "Bytes inspected",
        "After decoding.",
        6,
        [query(f"sum by (direction) (rate(bodyguard_inspected_bytes_total{{{POLICY}}}{RATE}))", "{{direction}}")],
        "Bps",
    ),
    series(
        "Bodies that could not be read, a minute",
        "body_size: over a cap or the budget. body_decode: no known or no sound content coding.",
        6,
        [
            query(
                f'sum by (engine, action) (rate(bodyguard_findings_total{{{POLICY},kind="none"}}{RATE})) * 60 > 0', "{{engine}} {{action}}"
            )
        ],
        bars=True,
    ),
    row("What it costs"),
    heatmap(
        "Inspection time",
        "Bodies by the time that each cost. All policies.",
        12,
        query(f"sum by (le) (increase({LATENCY}))", "{{le}}", format="heatmap"),
        {"unit": "µs", "axisPlacement": "left"},
        "short",
    ),
    panel(
        "bargauge",
        "Inspection time, in the time that is shown",
        "How many bodies cost at most so many microseconds, and more than the bar before. All policies.",
        6,
        [{**now("sum by (le) (increase(bodyguard_inspect_microseconds_bucket[$__range]))", "{{le}}"), "format": "heatmap"}],
        defaults={"decimals": 0, "color": {"mode": "fixed", "fixedColor": CALM}},
        options={"orientation": "horizontal", "displayMode": "basic", "reduceOptions": {"calcs": ["lastNotNull"]}, "valueMode": "text"},
    ),
    series(
        "Inspection time, quantiles",
        "All policies.",
        6,
        [
            query(f"histogram_quantile({quantile}, sum by (le) (rate({LATENCY})))", f"p{round(quantile * 100)}")
            for quantile in (0.5, 0.9, 0.99)
        ],
        "µs",
    ),
    series(
        "VM memory",
        "Of the worker that reported last. A VM may have 1 GiB; the alert is at 80 %. Memory never shrinks: this is the largest moment.",
        8,
        [query("bodyguard_vm_memory_bytes", "{{pod}} {{instance}}")],
        "bytes",
        custom={"thresholdsStyle": {"mode": "dashed"}, "axisSoftMax": 64 * 1024 * 1024},
        defaults={"thresholds": steps((None, "transparent"), (0.8 * 2**30, "red"))},
    ),
    series(
        "Bodies in flight", "Bytes held now, in all workers.", 8, [query("bodyguard_inflight_body_bytes", "{{pod}} {{instance}}")], "bytes"
    ),
    series(
        "Body length, quantiles",
        "After decoding.",
        8,
        [
            query(f"histogram_quantile({quantile}, sum by (le) (rate(bodyguard_body_bytes_bucket{RATE})))", f"p{round(quantile * 100)}")
            for quantile in (0.5, 0.99)
        ],
        "bytes",
    ),
    row("What is in force"),
    panel(
        "table",
        "Policies",
        "Which version each Envoy has, and how many of its rules block or only watch.",
        16,
        [
            {**now(f"bodyguard_policy_info{{{POLICY}}} == 1"), "format": "table"},
            {**now(f"sum by (policy, instance) (bodyguard_policy_rules_blocking{{{POLICY}}})"), "format": "table"},
            {**now(f"sum by (policy, instance) (bodyguard_policy_rules_observing{{{POLICY}}})"), "format": "table"},
        ],
        transformations=[
            {"id": "merge", "options": {}},
            {
                "id": "filterByValue",
                "options": {
                    "type": "include",
                    "match": "all",
                    "filters": [{"fieldName": "hash", "config": {"id": "isNotNull", "options": {}}}],
                },
            },
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True, "__name__": True, "Value #A": True, "job": True},
                    "renameByName": {"Value #B": "rules that block", "Value #C": "rules that only watch"},
                    "indexByName": {"policy": 0, "hash": 1, "Value #B": 2, "Value #C": 3, "namespace": 4, "pod": 5, "instance": 6},
                },
            },
        ],
        defaults={"decimals": 0},
        options={"showHeader": True, "cellHeight": "sm"},
    ),
    series(
        "Trouble",
        "Errors of the filter by reason, refused policies, events that did not reach their collector, VMs that Envoy had to make anew: in five minutes. All should be 0.",
        8,
        [
            query("sum by (reason) (increase(bodyguard_errors_total[5m]))", "error {{reason}}"),
            query("sum(increase(bodyguard_policy_rejections_total[5m]))", "policy refused"),
            query('sum by (outcome) (increase(bodyguard_events_total{outcome!="exported"}[5m]))', "event {{outcome}}"),
            query("sum(increase(envoy_wasm_bodyguard_vm_reload_success[5m]))", "VM reloaded"),
        ],
        bars=True,
    ),
]


def placed(panels: list[dict]) -> list[dict]:
    """Each panel beside the one before, or below where it does not fit."""
    x = y = height = 0
    for number, item in enumerate(panels, 1):
        place = item["gridPos"]
        if x + place["w"] > COLUMNS:
            x, y, height = 0, y + height, 0
        place.update(x=x, y=y)
        x, height = x + place["w"], max(height, place["h"])
        item["id"] = number
    return panels


def dashboard() -> dict:
    policy = {
        "name": "policy",
        "label": "Policy",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": "label_values(bodyguard_policy_info, policy)", "refId": "policy"},
        "definition": "label_values(bodyguard_policy_info, policy)",
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }
    return {
        "uid": "bodyguard",
        "title": "bodyguard",
        "description": "Secrets and personal data in HTTP bodies: what is found, what is done about it, what it costs.",
        "tags": ["envoy", "istio", "security", "dlp"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "templating": {
            "list": [{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}, policy]
        },
        "annotations": {
            "list": [
                {
                    "name": "Policy changed",
                    "datasource": SOURCE,
                    "enable": True,
                    "iconColor": CALM,
                    "expr": f"bodyguard_policy_info{{{POLICY}}} == 1 unless (bodyguard_policy_info{{{POLICY}}} offset 1m == 1)",
                    "titleFormat": "{{policy}}",
                    "textFormat": "{{hash}}",
                }
            ]
        },
        "links": [],
        "panels": placed(PANELS),
    }


if __name__ == "__main__":
    OUTPUT.write_text(json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n")
