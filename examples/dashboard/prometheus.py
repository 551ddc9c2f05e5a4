"""A real Prometheus: started on a free port with the rules of examples/prometheus, asked, and stopped surely."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

RULES = Path(__file__).parents[1] / "prometheus" / "rules.yaml"
START_PATIENCE = 20.0
STOP_PATIENCE = 5.0
ANSWER_PATIENCE = 10.0


class QueryFailed(Exception):
    """Prometheus refused a query; the text says why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """A running Prometheus that scrapes `targets`, which are `host:port` of Envoys' admin pages by the name of their pod."""

    def __init__(self, folder: Path, targets: dict[str, str], interval: str = "2s", rules: Path = RULES):
        command = shutil.which("prometheus")
        if command is None:
            raise SystemExit("error: prometheus is not installed (Debian, Ubuntu: apt-get install prometheus)")
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": [str(rules)] if rules.exists() else [],
            "scrape_configs": [
                {
                    "job_name": "envoy",
                    "metrics_path": "/stats/prometheus",
                    "static_configs": [{"targets": [target], "labels": {"pod": pod}} for pod, target in targets.items()],
                }
            ],
        }
        # JSON is YAML.
        (folder / "prometheus.yml").write_text(json.dumps(config, indent=2))
        self.log_path = folder / "prometheus.log"
        self.url = f"http://127.0.0.1:{free_port()}"
        options = [
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            "--storage.tsdb.retention.time=6h",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--log.level=warn",
        ]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([command, *options], stdout=log, stderr=log, start_new_session=True)
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + "/-/ready", timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"error: Prometheus did not start; its log ends with\n{self.log_path.read_text()[-2000:]}")

    def ask(self, path: str, **parameters: str) -> object:
        """`data` of an answer of the HTTP API."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise QueryFailed(json.load(error).get("error", str(error))) from None

    def query(self, expression: str) -> list[dict]:
        """The samples of an instant vector."""
        return self.ask("query", query=expression)["result"]

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait(STOP_PATIENCE)
