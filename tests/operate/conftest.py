"""Fixtures: what is shipped for operators (examples, dashboards, rules), as it stands in the repository, with the real tools.

The harness is that of the Envoy tests; the Envoy is the newest only, for nothing here depends on the proxy's version.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[2]
sys.path[:0] = [
    str(ROOT / "tests" / "envoy"),
    str(ROOT / "examples" / "demo"),
    str(ROOT / "examples" / "dashboard"),
    str(Path(__file__).parent),
]

from envoy import Envoy  # noqa: E402
from harness.envoy import FATAL  # noqa: E402
from harness.message import wait_until  # noqa: E402
from harness.upstream import Upstream  # noqa: E402
from stack import Stack  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--envoy", type=Path, help="an Envoy binary")
    parser.addoption("--module", type=Path, help="bodyguard.wasm")


def tool(command: str, package: str) -> str:
    """The path of a tool; without it the test is skipped, and fails where CI is set, so that nothing is left out unseen."""
    path = shutil.which(command)
    if path is None:
        reason = f"{command} is not installed (Debian, Ubuntu: apt-get install {package})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def binary(request: pytest.FixtureRequest) -> Path:
    return request.config.getoption("envoy").resolve()


@pytest.fixture(scope="session")
def module(request: pytest.FixtureRequest) -> Path:
    return request.config.getoption("module").resolve()


class Edge(Envoy):
    """An Envoy with a configuration of examples/envoy, and an upstream whose answers a test scripts."""

    def __init__(self, binary: Path, module: Path, folder: Path, config: str):
        folder.mkdir(parents=True)
        self.upstream = Upstream()
        super().__init__(binary, module, self.upstream.ports["h1"], folder, config=config)

    def kill(self) -> None:
        super().kill()
        self.upstream.close()


@pytest.fixture
def edge(binary: Path, module: Path, tmp_path: Path):
    """`edge("envoy.yaml")`: that example, running. At the end it must have ended well."""
    running: list[Edge] = []

    def start(config: str, of: Path = module) -> Edge:
        running.append(Edge(binary, of, tmp_path / f"envoy-{len(running)}", config))
        return running[-1]

    yield start
    codes = [envoy.stop() for envoy in running]
    for envoy in running:
        envoy.kill()
    assert all(code == 0 for code in codes), codes
    logs = [envoy.log() for envoy in running if envoy.module == module]
    assert not [line for log in logs for line in log.splitlines() if FATAL.search(line)]


# Two Envoys, traffic and Prometheus, as `make dashboard` runs them, for the tests of these files: one worker runs them all, so that
# there is one of it.
ON_THE_STACK = {"test_metrics.py", "test_grafana.py", "test_dashboard.py"}
SCRAPES = 14


class OneStack(LoadScopeScheduling):
    """The tests on the stack on one worker, everything else wherever there is time."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if Path(nodeid.partition("::")[0]).name in ON_THE_STACK else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneStack:
    return OneStack(config, log)


@pytest.fixture(scope="session")
def stack(binary: Path, module: Path, tmp_path_factory: pytest.TempPathFactory):
    tool("prometheus", "prometheus")
    stack = Stack(binary, module, tmp_path_factory.mktemp("stack"), interval="1s")
    try:
        ask = stack.prometheus.query
        scrapes = lambda: min([float(sample["value"][1]) for sample in ask("count_over_time(up[1m])")], default=0)
        wait_until(lambda: scrapes() >= 3, "the first scrapes", 20)
        stack.traffic.every_case_once()
        wait_until(lambda: scrapes() >= SCRAPES, "some scrapes more", 40)
        wait_until(lambda: len(ask("rate(bodyguard_inspect_microseconds_count[10s]) > 0")) == 4, "the histograms", 20)
        yield stack
        assert all(envoy.alive() for envoy in stack.envoys.values())
    finally:
        stack.stop()
