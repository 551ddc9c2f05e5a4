"""One Envoy process: started on ports that are free, waited for, asked, and stopped surely. For the tests, the demo and the bench.

Standard library only. Knows nothing of filters, policies or traffic.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

START_PATIENCE = 30.0
STOP_PATIENCE = 10.0
# How much of its log stands in the error of an Envoy that does not start.
LOG_TAIL = 8000


class CouldNotStart(Exception):
    """Envoy refused its configuration; the text is the end of its log."""


class EnvoyProcess:
    """A running Envoy. Its log, and its access log if that goes to stdout, stand in `folder`."""

    def __init__(self, binary: Path, config: Path, folder: Path, *options: str, access_log: str = "envoy.log"):
        self.folder = folder
        self.log_path, self.access_path = folder / "envoy.log", folder / access_log
        self._admin_file = folder / "admin"
        always = ["--disable-hot-restart", "--file-flush-interval-msec", "20", "--admin-address-path", str(self._admin_file)]
        with open(self.log_path, "ab") as log, open(self.access_path, "ab") as access:
            command = [str(binary), "-c", str(config), *always, *options]
            self.process = subprocess.Popen(command, stdout=access, stderr=log, start_new_session=True)
        try:
            # Listener name -> port.
            self.ports = self._wait_ready()
        except BaseException:
            self.kill()
            raise

    def _wait_ready(self) -> dict[str, int]:
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline and self.alive():
            try:
                self.admin_url = f"http://{self._admin_file.read_text().strip()}"
                if self.admin("/ready").strip() == "LIVE":
                    listeners = json.loads(self.admin("/listeners?format=json")).get("listener_statuses", [])
                    return {item["name"]: item["local_address"]["socket_address"]["port_value"] for item in listeners}
            except (OSError, ValueError):
                pass
            time.sleep(0.03)
        raise CouldNotStart(self.log()[-LOG_TAIL:])

    def admin(self, path: str) -> str:
        """A page of the admin interface."""
        with urllib.request.urlopen(self.admin_url + path, timeout=5) as answer:
            return answer.read().decode()

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        if self.alive():
            self.process.kill()
        self.process.wait(STOP_PATIENCE)

    def stop(self) -> int | None:
        """Ends Envoy as its operator would; its exit code, or `None` where it had to be killed."""
        code = self.process.poll()
        if code is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                code = self.process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        return code
