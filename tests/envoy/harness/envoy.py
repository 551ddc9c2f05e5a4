"""One running Envoy: started on free ports, asked for its metrics, stopped surely, and its log checked on the way out."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from . import config, http1, http2
from .config import Setup
from .message import Received, Request, wait_until
from .upstream import Upstream

START_PATIENCE = 30.0
# Lines that no Envoy may ever log here: the module trapped, or Envoy itself went down.
FATAL = re.compile(r"panicked at|Proxy-Wasm failed|RuntimeError|Caught \w+ fault|assert failure|wasm trap|\[critical\]\[(?!main|wasm)", re.I)
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="([^"]*)"')


class CouldNotStart(Exception):
    """Envoy refused its configuration; the text is its log."""


@dataclass(frozen=True)
class Sample:
    """One line of /stats/prometheus."""

    name: str
    labels: frozenset[tuple[str, str]]
    value: float


class Envoy:
    """An Envoy with bodyguard in it, and its upstream."""

    def __init__(self, binary: Path, module: Path, setup: Setup, folder: Path, level: str = "warning,wasm:trace"):
        folder.mkdir(parents=True)
        self.setup, self.folder, self.module = setup, folder, module
        self.log_path = folder / "envoy.log"
        self.upstream = Upstream()
        self.updates = 0
        if setup.ecds:
            self._write_ecds(setup.policy)
        file = folder / "envoy.json"
        file.write_text(json.dumps(config.bootstrap(setup, str(module), self.upstream.ports, str(folder))))
        general, _, components = level.partition(",")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [
                    str(binary), "-c", str(file), "--disable-hot-restart", "--concurrency", str(setup.concurrency),
                    "--log-level", general, *(["--component-log-level", components] if components else []),
                    "--admin-address-path", str(folder / "admin"), "--file-flush-interval-msec", "20",
                    "--service-node", "test", "--service-cluster", "test",
                ],
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            self.ports = self._wait_ready()
        except BaseException:
            self.kill()
            raise

    def _wait_ready(self) -> dict[str, int]:
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise CouldNotStart(self.log()[-8000:])
            try:
                self.admin_address = (self.folder / "admin").read_text().strip()
                if self.admin_address and self.admin("/ready").strip() == "LIVE":
                    listeners = json.loads(self.admin("/listeners?format=json")).get("listener_statuses", [])
                    return {item["name"]: item["local_address"]["socket_address"]["port_value"] for item in listeners}
            except OSError:
                pass
            time.sleep(0.03)
        raise CouldNotStart(f"not ready after {START_PATIENCE:.0f} s\n{self.log()[-3000:]}")

    def admin(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.admin_address}{path}", timeout=5) as answer:
            return answer.read().decode()

    # Traffic.

    def connect(self, protocol: str = "h1", upstream: str = "h1", bare: bool = False) -> http1.Client | http2.Client:
        """A client connection; `upstream` chooses what Envoy speaks behind; `bare` goes past the filter."""
        port = self.ports[f"{'bare' if bare else 'guarded'}-{upstream}"]
        return {"h1": http1.Client, "h2": http2.Client}[protocol](port)

    def exchange(
        self, request: Request, protocol: str = "h1", upstream: str = "h1", bare: bool = False, answer: Received | None = None
    ) -> Received:
        """One message on a connection of its own."""
        with self.connect(protocol, upstream, bare) as client:
            return client.exchange(request, answer)

    # What Envoy says about itself.

    def samples(self) -> list[Sample]:
        """Every sample of bodyguard's metrics."""
        samples = []
        for line in self.admin("/stats/prometheus").splitlines():
            match = SAMPLE.match(line)
            if match and match[1].startswith("bodyguard_"):
                samples.append(Sample(match[1], frozenset(LABEL.findall(match[2] or "")), float(match[3])))
        return samples

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of `name` that carry all of `labels`."""
        wanted = set(labels.items())
        return sum(sample.value for sample in self.samples() if sample.name == name and wanted <= sample.labels)

    def stat(self, name: str) -> int:
        """One of Envoy's own counters."""
        for line in self.admin(f"/stats?filter={re.escape(name)}").splitlines():
            key, _, value = line.rpartition(": ")
            if key.endswith(name):
                return int(value)
        return 0

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def log_mark(self) -> int:
        return self.log_path.stat().st_size

    def log_since(self, mark: int) -> str:
        with open(self.log_path, "rb") as log:
            log.seek(mark)
            return log.read().decode(errors="replace")

    def events(self, mark: int) -> list[dict]:
        """The filter's security events since `mark`, each with its log level as `_level`."""
        events = []
        for line in self.log_since(mark).splitlines():
            start = line.find("{")
            if "wasm log" not in line or start < 0:
                continue
            try:
                event = json.loads(line[start:])
            except ValueError:
                continue
            if isinstance(event, dict) and "verdict" in event:
                events.append({**event, "_level": re.search(r"\[(\w+)\]\[wasm\]", line)[1]})
        return events

    def access_line(self, path: str) -> str:
        """The access log's line for `path`, which must be of this test alone: Envoy writes the log some time later."""
        lines = lambda: [line for line in self.log().splitlines() if line.startswith(f"ACCESS {path} ")]
        wait_until(lambda: bool(lines()), f"an access log line for {path}")
        return lines()[-1]

    # Updates and the end.

    def _write_ecds(self, policy: dict | str) -> None:
        # Envoy sees a file that is moved into place, not one that is written to.
        self.updates += 1
        fresh = self.folder / "ecds.new"
        fresh.write_text(json.dumps(config.ecds(self.setup, str(self.module), policy, self.updates)))
        os.replace(fresh, self.folder / "ecds.json")

    def update(self, policy: dict | str) -> None:
        """Hands Envoy another policy through ECDS; does not wait for what becomes of it."""
        self._write_ecds(policy)

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        if self.alive():
            self.process.kill()
        self.process.wait(10)
        self.upstream.close()

    def stop(self) -> list[str]:
        """Stops Envoy; what it must not have done meanwhile, in words, for a test to fail with."""
        wrong = []
        if not self.alive():
            wrong.append(f"Envoy was gone before its end, exit code {self.process.returncode}")
        else:
            self.process.send_signal(signal.SIGTERM)
            try:
                code = self.process.wait(10)
                if code != 0:
                    wrong.append(f"Envoy ended with exit code {code}")
            except subprocess.TimeoutExpired:
                wrong.append("Envoy did not end within 10 s of SIGTERM")
        self.kill()
        wrong += [f"in Envoy's log: {line[:300]}" for line in self.log().splitlines() if FATAL.search(line)][:5]
        return wrong
