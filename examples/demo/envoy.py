"""Runs an Envoy with a configuration of examples/envoy as it is, but on ports that are free, and stops it surely."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from envoy_process import CouldNotStart, EnvoyProcess  # noqa: E402

EXAMPLES = ROOT / "examples" / "envoy"
# Where dynamic.yaml looks for its policy.
POLICY = "examples/envoy/policy.yaml"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Envoy(EnvoyProcess):
    """One Envoy. With `usual_ports` it listens where its configuration says, if nobody else does; else anywhere."""

    def __init__(
        self,
        binary: Path,
        module: Path,
        upstream_port: int,
        folder: Path,
        usual_ports: bool = False,
        config: str = "envoy.yaml",
        policy: str | None = None,
    ):
        self.module, self.policy_path = module, folder / "policy.yaml"
        text = self._with_module((EXAMPLES / config).read_text())
        ports = {18080: upstream_port, 10000: 0, 9901: 0}
        for usual in (10000, 9901):
            if usual_ports and _is_free(usual):
                ports[usual] = usual
        for usual, port in ports.items():
            text = text.replace(f"port_value: {usual}}}", f"port_value: {port}}}")
        if POLICY in text:
            text = text.replace(POLICY, str(self.policy_path))
            self.set_policy(policy or (ROOT / POLICY).read_text())
        file = folder / "envoy.yaml"
        file.write_text(text)
        quiet = ["--concurrency", "1", "--log-level", "warning", "--component-log-level", "wasm:info"]
        try:
            super().__init__(binary, file, folder, *quiet, access_log="access.log")
        except CouldNotStart as refused:
            raise SystemExit(f"error: Envoy did not start; its log ends with\n{refused}") from None
        [self.port] = self.ports.values()

    def _with_module(self, text: str) -> str:
        return re.sub(r'filename: "?[^\s}"]+\.wasm"?', f"filename: {json.dumps(str(self.module.resolve()))}", text)

    def set_policy(self, text: str) -> None:
        """Moves another policy.yaml into place, where dynamic.yaml sees it."""
        fresh = self.policy_path.with_suffix(".new")
        fresh.write_text(self._with_module(text))
        os.replace(fresh, self.policy_path)

    def access(self, count: int) -> list[dict]:
        """The access log, once it has `count` entries (or after a while)."""
        deadline = time.monotonic() + 5
        while True:
            lines = self.access_path.read_text().splitlines()
            if len(lines) >= count or time.monotonic() > deadline:
                return [json.loads(line) for line in lines]
            time.sleep(0.02)

    def events(self) -> list[dict]:
        """The security events that bodyguard logged."""
        lines = [line for line in self.log().splitlines() if '{"' in line and '"verdict"' in line]
        return [json.loads(line[line.index('{"') :]) for line in lines]
