"""A real Envoy that holds the HTTP filters it is given, as Istio's or Envoy Gateway's control plane would put them there.

A filter that is to be discovered (ECDS) is read from a file instead of from a control plane, and can be changed while it runs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import values
from harness import config
from harness.config import TYPES, Setup
from harness.envoy import FATAL, Envoy
from harness.upstream import Upstream
from envoy_process import EnvoyProcess


class Proxy(Envoy):
    def __init__(self, binary: Path, folder: Path, entry: dict, resource: dict | None = None, stats: dict | None = None):
        """`entry` stands in http_filters before the router, `resource` is what it discovers, `stats` is the bootstrap's stats_config."""
        folder.mkdir(parents=True)
        self.setup, self.folder = Setup(policy={}), folder
        self.upstream = Upstream()
        self.updates = 0
        entry = json.loads(json.dumps(entry))
        if resource is not None:
            self.update(resource)
            place = {"path_config_source": {"path": str(folder / "ecds.json")}, "resource_api_version": "V3"}
            entry["config_discovery"]["config_source"] = place
        bootstrap = config.bootstrap(self.setup, "none", self.upstream.ports, str(folder))
        [listener] = [listener for listener in bootstrap["static_resources"]["listeners"] if listener["name"] == "guarded-h1"]
        filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
        filters[0] = entry
        bootstrap["static_resources"]["listeners"] = [listener]
        if stats is not None:
            bootstrap["stats_config"] = stats
        file = folder / "envoy.json"
        file.write_text(json.dumps(bootstrap))
        node = ["--service-node", "test", "--service-cluster", "test"]
        levels = ["--log-level", "warning", "--component-log-level", "wasm:trace"]
        try:
            EnvoyProcess.__init__(self, binary, file, folder, "--concurrency", "1", *levels, *node)
        except BaseException:
            self.upstream.close()
            raise

    def update(self, resource: dict) -> None:
        """Hands Envoy another TypedExtensionConfig; does not wait for what becomes of it."""
        self.updates += 1
        typed = {"@type": TYPES + "envoy.config.core.v3.TypedExtensionConfig", **resource}
        fresh = self.folder / "ecds.new"
        fresh.write_text(json.dumps({"version_info": str(self.updates), "resources": [typed]}))
        os.replace(fresh, self.folder / "ecds.json")

    def end(self) -> list[str]:
        """Stops Envoy; what must not have been, in words."""
        log = self.log()
        wrong = [f"a planted value in Envoy's log: {value[:8]!r}..." for value in values.never_logged() if value.decode() in log]
        wrong += [f"in Envoy's log: {line[:300]}" for line in log.splitlines() if FATAL.search(line)][:5]
        return wrong + super().end()
