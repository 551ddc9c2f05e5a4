"""istio/: every overlay is built by kubectl, valid under Istio's CRDs, and does in a real Envoy what it says.

Between the two stands what istiod and Istio's agent do (control_plane.py): no cluster runs here.
"""

from __future__ import annotations

import copy
import json
import subprocess

import crds
import pytest
import values
import yaml
from conftest import ROOT
from control_plane import of_envoy_filter, of_extension
from fetch import pull
from harness.config import LABELS
from harness.message import wait_until
from istio import OVERLAYS, SOME_IMAGE, build, copy_to, set_policy
from pydantic import ValidationError
from pushed import push
from test_image import layout  # noqa: F401  (a fixture)
from traffic import enforcing, expect_enforced, expect_watched, respond

ISTIO = ROOT / "istio"
HELD = [name for name in OVERLAYS if name.endswith("headers-held")]
RELEASED = [name for name in OVERLAYS if name not in HELD]
STARTING_POLICY = yaml.safe_load((ISTIO / "policy" / "policy.yaml").read_text())


@pytest.fixture
def pinned(tmp_path):
    return copy_to(tmp_path, SOME_IMAGE)


def spec_of(resource: dict) -> dict:
    return resource["spec"].get("wasm", resource["spec"])


def extension_of(envoy_filter: dict) -> dict:
    return envoy_filter["spec"]["configPatches"][0]["patch"]["value"]["typed_config"]["config"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_builds_one_resource_that_istio_takes(kubectl, pinned, overlay):
    [resource] = build(kubectl, pinned / "overlays" / overlay)
    crds.validate(resource)
    assert "unpinned" not in json.dumps(resource)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_holds_the_image_and_the_policy_it_was_given(kubectl, pinned, overlay):
    [resource] = build(kubectl, pinned / "overlays" / overlay)
    if overlay in HELD:
        config = extension_of(resource)
        remote = config["vm_config"]["code"]["remote"]
        image = {"url": remote["http_uri"]["uri"], "sha256": remote["sha256"]}
        policy = config["configuration"]["value"]
        assert config["allow_on_headers_stop_iteration"] is True
    else:
        image = {name: spec_of(resource)[name] for name in ("url", "sha256")}
        policy = spec_of(resource)["pluginConfig"]
    assert image == SOME_IMAGE
    expected = {**STARTING_POLICY["spec"], "allow_on_headers_stop_iteration": overlay in HELD}
    assert policy == {"metadata": {"name": "mesh"}, "spec": expected}


@pytest.mark.parametrize("overlay", RELEASED)
def test_the_api_server_refuses_what_was_not_pinned(kubectl, overlay):
    [resource] = build(kubectl, ISTIO / "overlays" / overlay)
    with pytest.raises(ValidationError, match="sha256"):
        crds.validate(resource)


def changed(resource: dict, change) -> dict:
    resource = copy.deepcopy(resource)
    change(resource)
    return resource


WRONG = {
    "an unknown field": lambda resource: spec_of(resource).update(allow_on_headers_stop_iteration=True),
    "an unknown phase": lambda resource: resource["spec"].update(phase="LAST"),
    "an unknown strategy": lambda resource: spec_of(resource).update(failStrategy="FAIL_CLOSED"),
    "a priority in words": lambda resource: resource["spec"].update(priority="high"),
    "no image": lambda resource: spec_of(resource).pop("url"),
    "too many targets": lambda resource: resource["spec"].update(targetRefs=[{"kind": "Gateway", "name": "g"}] * 17),
}


@pytest.mark.parametrize("overlay", ["gateway", "gateway-traffic-extension"])
@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_the_crds_refuse(kubectl, pinned, overlay, change):
    """Being valid means something."""
    [resource] = build(kubectl, pinned / "overlays" / overlay)
    with pytest.raises(ValidationError):
        crds.validate(changed(resource, change))


@pytest.mark.parametrize("overlay", RELEASED)
def test_a_plugin_does_in_envoy_what_its_policy_says(kubectl, module, tmp_path, start, overlay):
    copied = copy_to(tmp_path, SOME_IMAGE)
    set_policy(copied / "overlays" / overlay, enforcing(hold=False))
    [resource] = build(kubectl, copied / "overlays" / overlay)
    expect_enforced(start(of_extension(resource, module)), hold=False)


@pytest.mark.parametrize("overlay", HELD)
def test_an_envoy_filter_is_discovered_by_envoy_and_changes_with_its_policy(
    kubectl, registry, skopeo, layout, tmp_path, start, overlay  # noqa: F811
):
    """From `make push` to a blocked response: the image pinned, pulled as the agent does, discovered, and the policy changed."""
    image = push(layout, f"{registry.address}/bodyguard:{overlay}")
    copied = copy_to(tmp_path, image)
    [watching] = build(kubectl, copied / "overlays" / overlay)
    remote = extension_of(watching)["vm_config"]["code"]["remote"]
    module = tmp_path / "plugin.wasm"
    module.write_bytes(pull(remote["http_uri"]["uri"], remote["sha256"]))
    entry, extension = of_envoy_filter(watching, module)
    proxy = start(entry, extension)
    expect_watched(proxy, policy="mesh")

    set_policy(copied / "overlays" / overlay, enforcing(hold=True))
    [enforced] = build(kubectl, copied / "overlays" / overlay)
    unchanged, extension = of_envoy_filter(enforced, module)
    assert unchanged == entry, "another policy changes the discovered part alone: no listener is drained"
    proxy.update(extension)
    body, masked = values.document(values.EMAIL)
    wait_until(lambda: respond(proxy, body).body == masked, "the new policy to be in force")
    expect_enforced(proxy, hold=True)


@pytest.mark.parametrize("overlay", HELD)
def test_an_envoy_filter_has_what_istio_needs_to_fetch_it(kubectl, pinned, overlay):
    [resource] = build(kubectl, pinned / "overlays" / overlay)
    extension, http_filter = resource["spec"]["configPatches"]
    assert (extension["applyTo"], extension["patch"]["operation"]) == ("EXTENSION_CONFIG", "ADD")
    assert (http_filter["applyTo"], http_filter["patch"]["operation"]) == ("HTTP_FILTER", "INSERT_BEFORE")
    context = "GATEWAY" if overlay.startswith("gateway") else "SIDECAR_INBOUND"
    assert [patch["match"]["context"] for patch in (extension, http_filter)] == [context, context]
    discovery = http_filter["patch"]["value"]["config_discovery"]
    assert discovery["config_source"] == {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    # The second is what the agent puts there when it cannot fetch the first.
    assert [name.rsplit(".", 1)[1] for name in discovery["type_urls"]] == ["Wasm", "RBAC"]
    config = extension["patch"]["value"]["typed_config"]["config"]
    assert "" not in config["vm_config"]["environment_variables"]["key_values"].values(), "an empty secret is a failed fetch"


@pytest.mark.parametrize("overlay", RELEASED)
def test_a_plugin_stands_behind_authorization_and_before_the_rest(kubectl, pinned, overlay):
    [resource] = build(kubectl, pinned / "overlays" / overlay)
    assert (resource["spec"]["phase"], resource["spec"]["priority"]) == ("STATS", 1000)
    assert (spec_of(resource)["failStrategy"], spec_of(resource)["imagePullPolicy"]) == ("FAIL_RELOAD", "IfNotPresent")
    targets = [name for name in ("selector", "targetRefs") if name in resource["spec"]]
    assert len(targets) == 1, "one of the two, and never neither: that would be the whole namespace"


def test_the_starting_policy_is_one_that_only_watches():
    dlp = STARTING_POLICY["spec"]["defaults"]["checks"]["body"]["dlp"]
    assert (STARTING_POLICY["spec"]["defaults"]["mode"], dlp["redact_in_observe_modes"]) == ("detect", False)
    done = subprocess.run(["git", "-C", str(ROOT), "check-ignore", "istio"], capture_output=True)
    assert done.returncode != 0


# Metrics and access logs.

VALUES = yaml.safe_load((ISTIO / "mesh" / "istiod-values.yaml").read_text())["meshConfig"]
ANNOTATIONS = yaml.safe_load((ISTIO / "mesh" / "workload-annotations.yaml").read_text())["spec"]["template"]["metadata"]["annotations"]
# Istio's own inclusion list has this prefix, for every proxy.
ISTIO_INCLUDES = ["wasm"]


def stats_config(tags: list[str], prefixes: list[str]) -> dict:
    """The bootstrap's part that Istio makes of them."""
    buckets = json.loads(ANNOTATIONS["sidecar.istio.io/statsHistogramBuckets"])
    return {
        "stats_tags": [{"tag_name": tag, "regex": rf"({tag}=\.=(.*?);\.;)"} for tag in tags],
        "stats_matcher": {"inclusion_list": {"patterns": [{"prefix": prefix} for prefix in [*ISTIO_INCLUDES, *prefixes]]}},
        "histogram_bucket_settings": [{"match": {"prefix": prefix}, "buckets": bounds} for prefix, bounds in buckets.items()],
    }


def test_metrics_keep_their_labels_and_buckets_under_istios_bootstrap(kubectl, pinned, module, start):
    [resource] = build(kubectl, pinned / "overlays" / "gateway")
    config = VALUES["defaultConfig"]
    stats = stats_config(config["extraStatTags"], config["proxyStatsMatcher"]["inclusionPrefixes"])
    proxy = start(of_extension(resource, module), stats=stats)
    expect_watched(proxy, policy="mesh")
    assert proxy.metric("bodyguard_policy_info", policy="mesh") == 1
    wait_until(lambda: proxy.metric("bodyguard_inspect_microseconds_count", direction="response") == 3, "histograms")
    bounds = stats["histogram_bucket_settings"][0]["buckets"]
    for histogram in ("bodyguard_inspect_microseconds", "bodyguard_body_bytes"):
        samples = [dict(sample.labels) for sample in proxy.samples() if sample.name == f"{histogram}_bucket"]
        assert {float(labels["le"]) for labels in samples} == {*map(float, bounds), float("inf")}
    leftover = [sample.name for sample in proxy.samples() if "=" in sample.name or "___" in sample.name]
    assert not leftover


def test_every_way_to_set_the_labels_names_the_same_ones():
    example = yaml.safe_load((ROOT / "examples" / "envoy" / "envoy.yaml").read_text())
    labels = sorted(tag["tag_name"] for tag in example["stats_config"]["stats_tags"])
    assert labels == sorted(LABELS)
    assert labels == sorted(VALUES["defaultConfig"]["extraStatTags"])
    assert labels == sorted(ANNOTATIONS["sidecar.istio.io/extraStatTags"].split(","))


def test_the_access_log_of_the_mesh_is_the_provider_that_is_defined(kubectl):
    [telemetry] = build(kubectl, ISTIO / "mesh")
    crds.validate(telemetry)
    [provider] = VALUES["extensionProviders"]
    assert telemetry["spec"]["accessLogging"] == [{"providers": [{"name": provider["name"]}]}]
    labels = provider["envoyFileAccessLog"]["logFormat"]["labels"]
    assert labels["verdict"] == "%FILTER_STATE(wasm.bodyguard.verdict:PLAIN)%"
    assert labels["findings"] == "%FILTER_STATE(wasm.bodyguard.findings:PLAIN)%"
