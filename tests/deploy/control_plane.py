"""What a control plane makes of a resource for Envoy: Istio's istiod and agent, and Envoy Gateway's controller.

Written from what their sources do; nothing of theirs runs here. The module of an image is a file by then.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

from harness.config import TYPES, WASM

# The field failStrategy, and Envoy's failure_policy.
FAILURE_POLICY = {"FAIL_CLOSE": "FAIL_CLOSED", "FAIL_OPEN": "FAIL_OPEN", "FAIL_RELOAD": "FAIL_RELOAD"}


def code(module: Path) -> dict:
    return {"local": {"filename": str(module)}}


def of_extension(resource: dict, module: Path) -> dict:
    """The filter that istiod makes of a WasmPlugin or TrafficExtension, and the agent of that."""
    wasm = resource["spec"].get("wasm", resource["spec"])
    name = f"{resource['metadata']['namespace']}.{resource['metadata']['name']}"
    config = {
        "name": name,
        "root_id": wasm["pluginName"],
        "failure_policy": FAILURE_POLICY[wasm["failStrategy"]],
        "configuration": string_value(wasm["pluginConfig"]),
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": code(module)},
    }
    return {"name": name, "typed_config": {"@type": WASM, "config": config}}


def of_envoy_filter(resource: dict, module: Path) -> tuple[dict, dict]:
    """The filter that an EnvoyFilter inserts, and the extension config that goes with it, as the agent hands it on."""
    patches = resource["spec"]["configPatches"]
    [entry] = [patch["patch"]["value"] for patch in patches if patch["applyTo"] == "HTTP_FILTER"]
    [extension] = [patch["patch"]["value"] for patch in patches if patch["applyTo"] == "EXTENSION_CONFIG"]
    assert entry["name"] == extension["name"], "a filter discovers the extension config of its own name"
    extension = copy.deepcopy(extension)
    # The agent fetches what is remote, and takes the secret and the pull policy out of the environment.
    vm_config = extension["typed_config"]["config"]["vm_config"]
    vm_config["code"] = code(module)
    environment = vm_config["environment_variables"]["key_values"]
    vm_config["environment_variables"]["key_values"] = {
        key: value for key, value in environment.items() if not key.startswith("ISTIO_META")
    }
    return entry, extension


def of_gateway_extension(resource: dict, module: Path) -> dict:
    """The filter that Envoy Gateway makes of the Wasm part of an EnvoyExtensionPolicy."""
    [wasm] = resource["spec"]["wasm"]
    config = {
        "name": wasm["name"],
        "root_id": wasm["rootID"],
        "fail_open": wasm["failOpen"],
        "configuration": string_value(wasm["config"]),
        "vm_config": {"vm_id": wasm["name"], "runtime": "envoy.wasm.runtime.v8", "code": code(module)},
    }
    return {"name": "envoy.filters.http.wasm", "typed_config": {"@type": WASM, "config": config}}


def string_value(document: dict) -> dict:
    return {"@type": TYPES + "google.protobuf.StringValue", "value": json.dumps(document)}
