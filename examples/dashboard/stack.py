"""Two Envoys with bodyguard, each with a policy of its own, traffic through both, and a Prometheus that scrapes them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "demo"))

from envoy import POLICY, ROOT, Envoy  # noqa: E402
from prometheus import Prometheus  # noqa: E402
from traffic import Traffic, Upstream  # noqa: E402

POLICIES = {"edge": "public-api", "inner": "internal-tools"}
# Where the policy begins in examples/envoy/policy.yaml.
VALUE = "        value:\n"


def as_resource(policy: str) -> str:
    """A policy document, as the ECDS resource that dynamic.yaml reads."""
    head = (ROOT / POLICY).read_text().partition(VALUE)[0]
    return head + VALUE + textwrap.indent(policy, " " * 10)


class Stack:
    """All of it, running in `folder`."""

    def __init__(self, binary: Path, module: Path, folder: Path, interval: str = "2s", rate: float = 40.0):
        self.parts: list = []
        try:
            self.upstream = self._add(Upstream())
            self.envoys: dict[str, Envoy] = {}
            for pod, policy in POLICIES.items():
                (folder / pod).mkdir(parents=True)
                text = as_resource((HERE / "policies" / f"{policy}.yaml").read_text())
                envoy = Envoy(binary, module, self.upstream.server_port, folder / pod, config="dynamic.yaml", policy=text)
                self.envoys[pod] = self._add(envoy)
            self.traffic = Traffic([envoy.port for envoy in self.envoys.values()], rate)
            targets = {pod: envoy.admin_url.removeprefix("http://") for pod, envoy in self.envoys.items()}
            self.prometheus = self._add(Prometheus(folder / "prometheus", targets, interval))
            self.traffic.every_case_once()
            self.traffic.start()
            self._add(self.traffic)
        except BaseException:
            self.stop()
            raise

    def _add(self, part):
        self.parts.append(part)
        return part

    def log(self) -> str:
        """The ends of all logs."""
        texts = [envoy.log() for envoy in self.envoys.values()] + [self.prometheus.log_path.read_text()]
        return "\n".join(text[-600:] for text in texts)

    def stop(self) -> None:
        while self.parts:
            self.parts.pop().stop()
