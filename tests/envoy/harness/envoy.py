"""One running Envoy: started on free ports, asked for its metrics, stopped surely, and its log checked on the way out."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))

from envoy_process import EnvoyProcess  # noqa: E402

from . import config, http1, http2  # noqa: E402
from .config import Setup  # noqa: E402
from .message import Received, Request, wait_until  # noqa: E402
from .upstream import Upstream  # noqa: E402

# Lines that no Envoy may ever log here: the module trapped, or Envoy itself went down.
FATAL = re.compile(r"panicked at|Proxy-Wasm failed|RuntimeError|Caught \w+ fault|assert failure|wasm trap|\[critical\]\[(?!main|wasm)", re.I)
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="([^"]*)"')

CLIENTS = {"h1": http1.Client, "h2": http2.Client}


@dataclass(frozen=True)
class Sample:
    """One line of /stats/prometheus."""

    name: str
    labels: frozenset[tuple[str, str]]
    value: float


class Envoy(EnvoyProcess):
    """An Envoy with bodyguard in it, and its upstream."""

    def __init__(self, binary: Path, module: Path, setup: Setup, folder: Path, level: str = "warning,wasm:trace"):
        folder.mkdir(parents=True)
        self.setup, self.folder, self.module = setup, folder, module
        self.upstream = Upstream()
        self.updates = 0
        if setup.ecds:
            self.update(setup.policy)
        file = folder / "envoy.json"
        file.write_text(json.dumps(config.bootstrap(setup, str(module), self.upstream.ports, str(folder))))
        general, _, components = level.partition(",")
        levels = ["--log-level", general, *(["--component-log-level", components] if components else [])]
        # File-based updates need a node.
        node = ["--service-node", "test", "--service-cluster", "test"]
        super().__init__(binary, file, folder, "--concurrency", str(setup.concurrency), *levels, *node)

    # Traffic.

    def port(self, upstream: str = "h1", bare: bool = False) -> int:
        """The listener; `upstream` chooses what Envoy speaks behind; `bare` goes past the filter."""
        return self.ports[f"{'bare' if bare else 'guarded'}-{upstream}"]

    def connect(self, protocol: str = "h1", upstream: str = "h1", bare: bool = False) -> http1.Client | http2.Client:
        """A client connection; the rest as of `port`."""
        return CLIENTS[protocol](self.port(upstream, bare))

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

    def update(self, policy: dict | str) -> None:
        """Hands Envoy another policy through ECDS; does not wait for what becomes of it."""
        # Envoy sees a file that is moved into place, not one that is written to.
        self.updates += 1
        fresh = self.folder / "ecds.new"
        fresh.write_text(json.dumps(config.ecds(self.setup, str(self.module), policy, self.updates)))
        os.replace(fresh, self.folder / "ecds.json")

    def kill(self) -> None:
        super().kill()
        self.upstream.close()

    def end(self) -> list[str]:
        """Stops Envoy; what it must not have done meanwhile, in words, for a test to fail with."""
        wrong = []
        if not self.alive():
            wrong.append(f"Envoy was gone before its end, exit code {self.process.returncode}")
        elif (code := self.stop()) != 0:
            wrong.append(f"Envoy ended with exit code {code}")
        self.kill()
        wrong += [f"in Envoy's log: {line[:300]}" for line in self.log().splitlines() if FATAL.search(line)][:5]
        return wrong
