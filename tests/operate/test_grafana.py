"""examples/grafana: every query of the dashboard is run against a Prometheus that scrapes Envoys under traffic."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT

FOLDER = ROOT / "examples" / "grafana"
DASHBOARD = json.loads((FOLDER / "bodyguard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}") for panel in PANELS for target in panel["targets"]]
# Counters with the label `policy`.
OF_A_POLICY = "findings|messages|uninspected|body_mutations|inspected_bytes"
VARIABLES = {"$__rate_interval": "15s", "$__range": "30s", "$policy": ".*"}


def filled_in(expression: str) -> str:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    expression = re.sub(r"\[5m\]", "[15s]", expression)
    assert "$" not in expression, "a variable that Grafana does not know here"
    return expression


@pytest.mark.parametrize("expression", TARGETS)
def test_every_panel_has_data(stack, expression):
    samples = stack.prometheus.query(filled_in(expression))
    assert samples and any(sample["value"][1] != "NaN" for sample in samples)


def test_the_variable_offers_the_policies_and_the_annotation_is_a_query(stack):
    [policy] = [variable for variable in DASHBOARD["templating"]["list"] if variable["name"] == "policy"]
    assert policy["definition"] == "label_values(bodyguard_policy_info, policy)"
    values = stack.prometheus.ask("label/policy/values", **{"match[]": "bodyguard_policy_info"})
    assert values == ["internal-tools", "public-api"]
    for annotation in DASHBOARD["annotations"]["list"]:
        stack.prometheus.query(filled_in(annotation["expr"]))


def test_the_dashboard_is_what_its_code_says():
    before = (FOLDER / "bodyguard.json").read_text()
    script = "import build, json; print(json.dumps(build.dashboard(), indent=2, ensure_ascii=False))"
    done = subprocess.run([sys.executable, "-B", "-c", script], cwd=FOLDER, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == before, "python3 examples/grafana/build.py"


def test_every_panel_says_what_it_shows_in_which_unit_and_of_which_policy():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in panel["targets"]:
            selectors = re.findall(rf"bodyguard_(?:{OF_A_POLICY})_total(\{{[^}}]*\}})?", target["expr"])
            assert all("$policy" in selector for selector in selectors), target["expr"]


def test_no_two_panels_lie_over_each_other():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not taken & cells, panel["title"]
        taken |= cells
