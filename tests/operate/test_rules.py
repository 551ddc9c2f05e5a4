"""examples/prometheus: alerts that fire when they should, that say what to do, and that are the same for Prometheus and its operator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
import time
from pathlib import Path

import pytest
import trap
from conftest import ROOT, Edge, tool
from harness.message import Request, Response, wait_until
from test_envoy_examples import KEY, get, send

FOLDER = ROOT / "examples" / "prometheus"
RULES = (FOLDER / "rules.yaml").read_text()
TESTS = sorted(FOLDER.glob("*.test.yaml"))
ALERTS = re.findall(r"- alert: (\w+)", RULES)
HEAD = """\
# The rules of rules.yaml, for the Prometheus operator. Written by `make operate-test UPDATE=1`; do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: bodyguard
  labels: {app.kubernetes.io/name: bodyguard}
spec:
"""


def promtool(*arguments: str, given: str = "") -> str:
    done = subprocess.run([tool("promtool", "prometheus"), *arguments], input=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_well_formed():
    promtool("check", "rules", str(FOLDER / "rules.yaml"))


def test_every_alert_fires_when_it_should_and_not_otherwise():
    promtool("test", "rules", *map(str, TESTS))
    text = "".join(path.read_text() for path in TESTS)
    for alert in ALERTS:
        expected = re.findall(rf"alertname: {alert}[,\n]\s*exp_alerts:(.*)", text)
        assert [] in [json.loads(found.strip(" }")) for found in expected if "[" in found], f"{alert} is never seen silent"
        assert [found for found in expected if "[" not in found], f"{alert} is never seen firing"


def test_the_operators_resource_has_the_same_rules():
    groups = RULES[RULES.index("groups:") :]
    resource = HEAD + textwrap.indent(groups, "  ")
    path = FOLDER / "prometheusrule.yaml"
    if os.environ.get("UPDATE"):
        path.write_text(resource)
    assert path.read_text() == resource


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, as GitHub does it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_alert_has_a_section_in_the_runbook_and_every_section_an_alert():
    links = re.findall(r"- alert: (\w+)(?s:.*?)severity: (\w+)(?s:.*?)runbook_url: (\S+)", RULES)
    assert [alert for alert, _, _ in links] == ALERTS
    runbook = ROOT / "docs" / "runbook.md"
    sections = {text.partition("\n")[0]: text for text in runbook.read_text().split("\n## ")[1:]}
    for alert, severity, link in links:
        page, _, anchor = link.partition("#")
        assert ROOT / page == runbook
        [section] = [text for heading, text in sections.items() if heading.lower().replace(" ", "-") == anchor]
        assert f"`{alert}`, {severity}" in section, f"{anchor} does not name {alert}"
    assert len(sections) == len(links)


@pytest.mark.parametrize("name", ["runbook.md", "metrics.md"])
def test_the_links_of_the_pages_for_operators_lead_somewhere(name):
    page = ROOT / "docs" / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


# What the rules stand on, in a real Envoy.


def prometheus_page(edge: Edge) -> dict[str, float]:
    samples = re.findall(r"^(\w+)\{\S*\} (\S+)$", edge.admin("/stats/prometheus"), re.M)
    return {name: float(value) for name, value in samples}


def test_a_trap_moves_the_metrics_that_the_alert_reads_and_the_runbooks_words_hold(edge, tmp_path: Path):
    module = tmp_path / "trap.wasm"
    module.write_bytes(trap.module())
    edge = edge("envoy.yaml", module)
    name = "envoy_wasm_bodyguard_vm_reload_"
    assert [prometheus_page(edge)[name + result] for result in ("success", "failure", "backoff")] == [0, 0, 0]
    assert [get(edge, KEY).status for _ in range(3)] == [503, 503, 503]
    assert prometheus_page(edge)[name + "backoff"] > 0
    assert edge.access(3)[0]["details"] == "wasm_fail_stream"
    deadline = time.monotonic() + 10
    while prometheus_page(edge)[name + "success"] == 0:
        assert time.monotonic() < deadline, "Envoy did not make a fresh VM"
        get(edge, KEY)
        time.sleep(0.1)
    assert re.search(r"Proxy-Wasm failed|RuntimeError", edge.log())


def test_a_refused_policy_moves_the_metrics_that_the_alert_reads(edge):
    edge = edge("dynamic.yaml")
    names = ["bodyguard_policy_rejections_total", "envoy_extension_config_discovery_http_filter_bodyguard_config_fail"]
    assert [prometheus_page(edge)[name] for name in names] == [0, 0]
    good = edge.policy_path.read_text()
    for count, word in enumerate(["blok", "observ"], 1):
        edge.set_policy(good.replace("mode: block", f"mode: {word}"))
        wait_until(lambda: [prometheus_page(edge)[name] for name in names] == [count, count], "both to count the refused policy")
        assert "the policy is refused: $.spec.defaults.mode" in edge.log()
    edge.set_policy(good.replace("name: dynamic", "name: next"))
    wait_until(lambda: 'policy="next"' in edge.admin("/stats/prometheus"), "a good policy behind the bad ones to be taken")
    assert send(edge, Request(), Response(body=KEY)).status == 403
    assert [prometheus_page(edge)[name] for name in names] == [2, 2], "counts survive a good policy"
