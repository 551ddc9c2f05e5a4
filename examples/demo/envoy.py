"""Runs an Envoy with examples/envoy/envoy.yaml, on ports that are free, and stops it surely."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

CONFIG = Path(__file__).parent.parent / "envoy" / "envoy.yaml"
START_PATIENCE = 30.0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Envoy:
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
        self.admin_file = folder / "admin"
        self.log_file, self.access_file = folder / "envoy.log", folder / "access.log"
        with open(self.log_file, "wb") as log, open(self.access_file, "wb") as access:
            # fmt: off
            self.process = subprocess.Popen(
                [str(binary), "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning",
                 "--component-log-level", "wasm:info", "--file-flush-interval-msec", "20",
                 "--admin-address-path", str(self.admin_file)],
                stdout=access, stderr=log, start_new_session=True,
            )
            # fmt: on
        try:
            self.port = self._wait_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_ready(self) -> int:
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                self.admin = f"http://{self.admin_file.read_text().strip()}"
                if self.ask("/ready").strip() == "LIVE":
                    [listener] = json.loads(self.ask("/listeners?format=json"))["listener_statuses"]
                    return listener["local_address"]["socket_address"]["port_value"]
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        raise SystemExit(f"error: Envoy did not start; its log ends with\n{self.log_file.read_text()[-2000:]}")

    def ask(self, path: str) -> str:
        """A page of the admin interface."""
        with urllib.request.urlopen(self.admin + path, timeout=5) as answer:
            return answer.read().decode()

    def access(self, count: int) -> list[dict]:
        """The access log, once it has `count` entries (or after a while)."""
        deadline = time.monotonic() + 5
        while True:
            lines = self.access_file.read_text().splitlines()
            if len(lines) >= count or time.monotonic() > deadline:
                return [json.loads(line) for line in lines]
            time.sleep(0.02)

    def events(self) -> list[dict]:
        """The security events that bodyguard logged."""
        lines = [line for line in self.log_file.read_text().splitlines() if '{"' in line and '"verdict"' in line]
        return [json.loads(line[line.index('{"') :]) for line in lines]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
