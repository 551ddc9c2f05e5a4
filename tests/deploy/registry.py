"""A registry of the Distribution project, Debian's package docker-registry, in a folder of its own and on a port that is free."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.request
from pathlib import Path

from harness.message import wait_until

START_PATIENCE = 15


class Registry:
    def __init__(self, binary: str, folder: Path):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        config = {
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
            "http": {"addr": self.address},
        }
        # JSON is YAML.
        (folder / "config.yml").write_text(json.dumps(config))
        with open(folder / "registry.log", "wb") as log:
            self.process = subprocess.Popen([binary, "serve", str(folder / "config.yml")], stdout=log, stderr=log, start_new_session=True)
        wait_until(self._ready, "the registry to answer", START_PATIENCE)

    def _ready(self) -> bool:
        assert self.process.poll() is None, "the registry has ended"
        try:
            return urllib.request.urlopen(f"http://{self.address}/v2/", timeout=2).status == 200
        except OSError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
