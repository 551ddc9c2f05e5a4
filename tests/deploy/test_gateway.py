"""examples/envoy-gateway: what Envoy Gateway makes of it does in a real Envoy what it says.

No package has Envoy Gateway's CRDs: the fields are compared with a list of those that its API documents.
"""

from __future__ import annotations

import json

import yaml
from conftest import ROOT
from control_plane import of_gateway_extension
from harness.config import LABELS
from traffic import enforcing, expect_enforced, expect_watched

FOLDER = ROOT / "examples" / "envoy-gateway"
EXTENSION = yaml.safe_load((FOLDER / "extension-policy.yaml").read_text())
PROXY = yaml.safe_load((FOLDER / "envoy-proxy.yaml").read_text())
STATS = yaml.safe_load(PROXY["spec"]["bootstrap"]["value"])["stats_config"]


def test_it_uses_the_fields_that_envoy_gateway_documents():
    assert (EXTENSION["apiVersion"], EXTENSION["kind"]) == ("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy")
    assert set(EXTENSION["spec"]) == {"targetRefs", "wasm"}
    [wasm] = EXTENSION["spec"]["wasm"]
    assert set(wasm) == {"name", "rootID", "code", "config", "failOpen"}
    assert set(wasm["code"]) == {"type", "image"} and wasm["code"]["type"] == "Image"
    assert set(wasm["code"]["image"]) == {"url", "sha256"}
    assert (PROXY["apiVersion"], PROXY["kind"]) == ("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy")
    assert set(PROXY["spec"]["bootstrap"]) == {"type", "value"} and PROXY["spec"]["bootstrap"]["type"] == "Merge"


def test_it_only_watches_as_it_stands_and_counts_with_labels(module, start):
    assert sorted(tag["tag_name"] for tag in STATS["stats_tags"]) == sorted(LABELS)
    expect_watched(start(of_gateway_extension(EXTENSION, module), stats=STATS), policy="gateway")


def test_it_enforces_with_a_policy_that_does(module, start):
    resource = json.loads(json.dumps(EXTENSION))
    resource["spec"]["wasm"][0]["config"] = enforcing(hold=False)
    expect_enforced(start(of_gateway_extension(resource, module)), hold=False)


def test_nobody_is_told_to_fail_open():
    assert EXTENSION["spec"]["wasm"][0]["failOpen"] is False


