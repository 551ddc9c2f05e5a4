"""istio/chart: what helm renders is what kustomize builds from the same values."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import crds
import pytest
import yaml
from conftest import ROOT, run
from istio import OVERLAYS, SOME_IMAGE, build, copy_to

CHART = ROOT / "istio" / "chart"

INGRESS = {"istio": "ingressgateway"}
# Overlay -> its namespace, and the values that say the same to the chart.
VALUES = {
    "gateway": ("istio-ingress", {"selector": INGRESS}),
    "sidecar": ("shop", {"selector": {"app": "checkout"}, "match": [{"mode": "SERVER"}]}),
    "waypoint": ("shop", {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}]}),
    "gateway-traffic-extension": ("istio-ingress", {"resource": "TrafficExtension", "selector": INGRESS}),
    "gateway-headers-held": ("istio-ingress", {"resource": "EnvoyFilter", "selector": INGRESS}),
    "sidecar-headers-held": ("shop", {"resource": "EnvoyFilter", "selector": {"app": "checkout"}, "context": "SIDECAR_INBOUND"}),
}


def values_file(folder: Path, values: dict) -> Path:
    file = folder / "values.json"
    file.write_text(json.dumps({"image": SOME_IMAGE, **values}))
    return file


def render(helm: str, file: Path, namespace: str) -> list[dict]:
    return list(yaml.safe_load_all(run(helm, "template", "bodyguard", CHART, "--namespace", namespace, "--values", file)))


def test_the_chart_knows_every_overlay():
    assert sorted(VALUES) == OVERLAYS


@pytest.mark.parametrize("overlay", VALUES)
def test_it_renders_what_kustomize_builds(helm, kubectl, tmp_path, overlay):
    namespace, values = VALUES[overlay]
    rendered = render(helm, values_file(tmp_path, values), namespace)
    assert rendered == build(kubectl, copy_to(tmp_path, SOME_IMAGE) / "overlays" / overlay)


def test_every_value_reaches_the_resource(helm, tmp_path):
    values = {
        "image": {**SOME_IMAGE, "pullPolicy": "Always", "pullSecret": "login"},
        "selector": INGRESS,
        "phase": "AUTHZ",
        "priority": -5,
        "failStrategy": "FAIL_CLOSE",
        "match": [{"ports": [{"number": 8080}]}],
        "policy": {"metadata": {"name": "mine"}, "spec": {"exclude": ["/x"]}},
    }
    [plugin] = render(helm, values_file(tmp_path, values), "edge")
    crds.validate(plugin)
    spec = plugin["spec"]
    assert (spec["phase"], spec["priority"], spec["failStrategy"], spec["match"]) == ("AUTHZ", -5, "FAIL_CLOSE", values["match"])
    assert (spec["imagePullPolicy"], spec["imagePullSecret"]) == ("Always", "login")
    whole = {"exclude": ["/x"], "allow_on_headers_stop_iteration": False}
    assert spec["pluginConfig"] == {"metadata": {"name": "mine"}, "spec": whole}, "nothing of another policy is merged into it"
    [filter] = render(helm, values_file(tmp_path, {**values, "resource": "EnvoyFilter"}), "edge")
    crds.validate(filter)
    assert filter["spec"]["configPatches"][0]["patch"]["value"]["typed_config"]["config"]["failure_policy"] == "FAIL_CLOSED"


def test_it_leaves_whole_numbers_whole(helm, tmp_path):
    # Helm holds numbers as floats, and writes some of them so.
    text = run(helm, "template", "bodyguard", CHART, "--values", values_file(tmp_path, {"selector": INGRESS}))
    assert "max_response_body_bytes: 1048576\n" in text


def test_its_policy_is_the_one_of_the_overlays():
    assert (CHART / "policy.yaml").read_text() == (ROOT / "istio" / "policy" / "policy.yaml").read_text()


def test_helm_finds_no_fault_with_it(helm, tmp_path):
    run(helm, "lint", "--strict", CHART, "--values", values_file(tmp_path, {"selector": INGRESS}))


WRONG = {
    "an image that is not pinned": {"image": {"url": "oci://registry.example.com/bodyguard:latest", "sha256": ""}, "selector": INGRESS},
    "no target": {},
    "two ways to say the target": {"selector": INGRESS, "targetRefs": [{"kind": "Gateway", "name": "g"}]},
    "an unknown resource": {"resource": "Deployment", "selector": INGRESS},
    "a misspelt value": {"selecter": INGRESS, "selector": INGRESS},
    "no phase of Istio's": {"phase": "LAST", "selector": INGRESS},
}


@pytest.mark.parametrize("values", WRONG.values(), ids=WRONG)
def test_it_refuses(helm, tmp_path, values):
    command = [helm, "template", "bodyguard", CHART, "--values", values_file(tmp_path, values)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "values don't meet the specifications" in done.stderr


def test_its_version_is_that_of_the_crate():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    [version] = [line.split('"')[1] for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version = ")]
    assert chart["version"] == chart["appVersion"] == version
