"""Runs an Envoy with examples/envoy/envoy.yaml, on ports that are free, and stops it surely."""

from __future__ import annotations

import json
import re
import socket
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from envoy_process import CouldNotStart, EnvoyProcess  # noqa: E402

CONFIG = ROOT / "examples" / "envoy" / "envoy.yaml"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Envoy(EnvoyProcess):
    """One Envoy. With `usual_ports` it listens where envoy.yaml says, if nobody else does; else anywhere."""

    def __init__(self, binary: Path, module: Path, upstream_port: int, folder: Path, usual_ports: bool):
        text = CONFIG.read_text()
        ports = {18080: upstream_port, 10000: 0, 9901: 0}
        for usual in (10000, 9901):
            if usual_ports and _is_free(usual):
                ports[usual] = usual
        for usual, port in ports.items():
            text = text.replace(f"port_value: {usual}}}", f"port_value: {port}}}")
        text = re.sub(r"filename: \S+\.wasm", f"filename: {json.dumps(str(module.resolve()))}", text)
        file = folder / "envoy.yaml"
        file.write_text(text)
        quiet = ["--concurrency", "1", "--log-level", "warning", "--component-log-level", "wasm:info"]
        try:
            super().__init__(binary, file, folder, *quiet, access_log="access.log")
        except CouldNotStart as refused:
            raise SystemExit(f"error: Envoy did not start; its log ends with\n{refused}") from None
        [self.port] = self.ports.values()

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
