"""docs/metrics.md, held against a Prometheus that scrapes Envoys under traffic."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict

import pytest
from conftest import ROOT
from harness.message import wait_until

PAGE = (ROOT / "docs" / "metrics.md").read_text()
OWN = '{__name__=~"bodyguard_.+"}'
# Labels that the scrape adds, and a histogram's own.
OF_SCRAPE = {"__name__", "job", "instance", "pod", "le"}
ROWS = re.findall(r"^\| `(bodyguard_\w+)` \| (\w+) \| ([\w, ]*) \| (\d+).*\|$", PAGE, re.M)
METRICS = {name: (kind, set(filter(None, labels.split(", "))), int(most)) for name, kind, labels, most in ROWS}
# Label, or label and the metric that has a set of its own -> the values; of those that may be anything, none.
VALUES = {
    (label, of): set(re.findall(r"`(\w+)`", values)) if not values.startswith("any") else None
    for label, of, values in re.findall(r"^\| `(\w+)`(?: of `(\w+)`)? \| ((?:`|any).*) \|$", PAGE, re.M)
    if not label.startswith("bodyguard_")
}
QUERIES = [line for block in re.findall(r"```promql\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


def base(name: str) -> str:
    """The metric of a series: histograms have three sorts of them."""
    return re.sub(r"_(bucket|sum|count)$", "", name)


@pytest.fixture(scope="module")
def series(stack) -> list[dict[str, str]]:
    return stack.prometheus.ask("series", **{"match[]": OWN})


def test_every_metric_arrives_with_its_type_and_no_other_does(stack, series):
    assert {base(labels["__name__"]) for labels in series} == set(METRICS)
    metadata = stack.prometheus.ask("metadata")
    for name, (kind, _, _) in METRICS.items():
        assert {entry["type"] for entry in metadata[name]} == {kind}, name


def test_every_series_has_exactly_the_labels_of_its_metric(series):
    for labels in series:
        assert set(labels) - OF_SCRAPE == METRICS[base(labels["__name__"])][1], labels


def test_labels_have_the_values_that_stand_there_all_of_them_and_no_other(series):
    seen = defaultdict(set)
    for labels in series:
        for label, value in labels.items():
            if label not in OF_SCRAPE:
                own = (label, base(labels["__name__"]))
                seen[own if own in VALUES else (label, "")].add(value)
    assert set(seen) == set(VALUES)
    for key, values in VALUES.items():
        # Kinds are many: the traffic brings those that its policies name, and no other word is a kind.
        every = key == ("kind", "")
        assert values is None or (seen[key] <= values and len(seen[key]) > 3 if every else seen[key] == values), key


def test_no_metric_has_more_series_than_stands_there(stack):
    counted = defaultdict(int)
    for sample in stack.prometheus.query(f"count by (__name__, pod) ({OWN})"):
        counted[base(sample["metric"]["__name__"]), sample["metric"]["pod"]] += int(sample["value"][1])
    assert {name for name, _ in counted} == set(METRICS)
    for (name, _), of_one_envoy in counted.items():
        assert of_one_envoy <= METRICS[name][2], name


@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_of_the_page_return_data(stack, query):
    shortened = re.sub(r"\[1h:1m\]", "[15s:1s]", re.sub(r"\[\d+[mhd]\]", "[15s]", query))
    samples = stack.prometheus.query(shortened)
    assert samples and any(sample["value"][1] != "NaN" for sample in samples), shortened


def test_every_metric_has_an_example():
    assert {name for name in METRICS if not any(name in query for query in QUERIES)} == set()


def test_promtool_has_nothing_to_say_against_the_names_but_what_is_known(stack):
    """Envoy writes no help texts. Microseconds are the unit because Envoy's histograms are of integers."""
    pages = [envoy.admin("/stats/prometheus") for envoy in stack.envoys.values()]
    own = "\n".join(line for line in pages[0].splitlines() if re.match(r"(# TYPE )?bodyguard_", line)) + "\n"
    done = subprocess.run(["promtool", "check", "metrics"], input=own, capture_output=True, text=True, timeout=30)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line and "no help text" not in line]
    assert said == ['bodyguard_inspect_microseconds use base unit "seconds" instead of "microseconds"'], said


def test_prometheus_evaluates_all_shipped_rules_without_an_error(stack):
    groups = stack.prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 15
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] == "err"] == []


def test_every_recorded_series_is_there_with_the_labels_that_the_alerts_read(stack):
    groups = stack.prometheus.ask("rules")["groups"]
    for rule in [rule for group in groups for rule in group["rules"] if rule["type"] == "recording"]:
        assert stack.prometheus.query(rule["name"]), rule["name"]
    reloads = {(sample["metric"]["plugin"], sample["metric"]["result"]) for sample in stack.prometheus.query("bodyguard:vm_reloads")}
    assert reloads == {("bodyguard", result) for result in ("success", "failure", "backoff")}
    assert {sample["metric"]["filter"] for sample in stack.prometheus.query("bodyguard:config_failures")} == {"bodyguard"}


def test_a_policy_that_passes_unread_bodies_by_fail_open_fires_its_alert(stack):
    def firing() -> set[str]:
        alerts = [alert for alert in stack.prometheus.ask("alerts")["alerts"] if alert["state"] == "firing"]
        return {alert["labels"]["policy"] for alert in alerts if alert["labels"]["alertname"] == "BodyguardFailOpen"}

    wait_until(lambda: firing() == {"public-api"}, "the alert to fire", 20)
