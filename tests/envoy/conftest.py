"""Fixtures: the module in a real Envoy, of every version given with --envoy, and what holds for every test alike."""

from __future__ import annotations

import re
import sys
from collections import OrderedDict
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

sys.path.insert(0, str(Path(__file__).parent))

import policies  # noqa: E402
import values  # noqa: E402
from harness.config import Setup  # noqa: E402
from harness.envoy import FATAL, Envoy  # noqa: E402
from harness.message import wait_until  # noqa: E402

# Envoys that are kept running for the tests to come; an idle one costs memory and no more.
MOST_RUNNING = 8


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--envoy", action="append", default=[], type=Path, help="an Envoy binary; once for each version")
    parser.addoption("--module", type=Path, help="bodyguard.wasm")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "binary" in metafunc.fixturenames:
        binaries = metafunc.config.getoption("envoy")
        params = [pytest.param(path, id=path.parent.name) for path in binaries]
        metafunc.parametrize("binary", params, scope="session", indirect=True)


class OneWorkerAVersion(LoadScopeScheduling):
    """Each version of Envoy has a worker of its own, so that no Envoy is started twice: a start compiles the module."""

    def _split_scope(self, nodeid: str) -> str:
        version = re.search(r"envoy-[0-9.]+[0-9]", nodeid)
        return version[0] if version else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneWorkerAVersion:
    return OneWorkerAVersion(config, log)


@pytest.fixture(scope="session")
def binary(request: pytest.FixtureRequest) -> Path:
    """The Envoy binary under test; every test runs once with each."""
    return request.param


def stop(envoy: Envoy) -> list[str]:
    """Stops Envoy; what it must not have done, in words. No message flows any more, so none may be held."""
    wrong = []
    if envoy.alive():
        try:
            wait_until(lambda: envoy.metric("bodyguard_inflight_body_bytes") == 0, "every held byte to be given back", 3)
        except (AssertionError, OSError) as error:
            wrong.append(str(error))
    return wrong + envoy.end()


class Fleet:
    """The Envoys that run: one for each setup, the least recently used one makes room."""

    def __init__(self, binary: Path, module: Path, folder: Path):
        self.binary, self.module, self.folder = binary, module, folder
        self.running: OrderedDict[str, Envoy] = OrderedDict()
        self.started = 0
        self.wrong: list[str] = []

    def start(self, setup: Setup, level: str | None = None) -> Envoy:
        self.started += 1
        folder = self.folder / f"envoy-{self.started}"
        return Envoy(self.binary, self.module, setup, folder, *([level] if level else []))

    def get(self, setup: Setup) -> Envoy:
        key = setup.key()
        if key not in self.running:
            while len(self.running) >= MOST_RUNNING:
                self.wrong += stop(self.running.popitem(last=False)[1])
            self.running[key] = self.start(setup)
        self.running.move_to_end(key)
        return self.running[key]

    def drop(self, envoy: Envoy) -> None:
        self.running = OrderedDict((key, running) for key, running in self.running.items() if running is not envoy)
        envoy.kill()

    def close(self) -> list[str]:
        for envoy in self.running.values():
            self.wrong += stop(envoy)
        return self.wrong


@pytest.fixture(scope="session")
def fleet(binary: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest):
    fleet = Fleet(binary, request.config.getoption("module").resolve(), tmp_path_factory.mktemp(binary.parent.name))
    yield fleet
    wrong = fleet.close()
    assert not wrong, "\n".join(wrong)


class Watched:
    """Envoys as one test uses them. At its end none may have died, trapped, or logged a planted value."""

    def __init__(self, fleet: Fleet):
        self.fleet = fleet
        self.marks: dict[Envoy, int] = {}
        self.own: list[Envoy] = []

    def __call__(self, setup: Setup) -> Envoy:
        """An Envoy of this setup, perhaps one that served other tests before."""
        return self._watch(self.fleet.get(setup))

    def fresh(self, setup: Setup, level: str | None = None) -> Envoy:
        """An Envoy for this test alone."""
        envoy = self.fleet.start(setup, level)
        self.own.append(envoy)
        return self._watch(envoy)

    def _watch(self, envoy: Envoy) -> Envoy:
        self.marks.setdefault(envoy, envoy.log_mark())
        envoy.upstream.script()
        return envoy

    def verify(self) -> list[str]:
        wrong = []
        for envoy, mark in self.marks.items():
            if envoy in self.own:
                wrong += stop(envoy)
            elif not envoy.alive():
                wrong.append(f"the test killed Envoy, exit code {envoy.process.returncode}")
                self.fleet.drop(envoy)
            log = envoy.log_since(mark)
            wrong += [f"in Envoy's log: {line[:300]}" for line in log.splitlines() if FATAL.search(line)][:5]
            wrong += [f"a planted value in Envoy's log: {value[:8]!r}..." for value in values.never_logged() if value.decode() in log]
        return wrong


@pytest.fixture
def run(fleet: Fleet):
    """`run(Setup(...))`: a running Envoy; watched."""
    watched = Watched(fleet)
    yield watched
    wrong = watched.verify()
    assert not wrong, "\n".join(wrong)


@pytest.fixture(params=["held", "released"])
def world(request: pytest.FixtureRequest) -> str:
    """Both worlds of design section 5: who has the message's headers when its body is judged."""
    return request.param


@pytest.fixture
def standard(run: Watched, world: str) -> Envoy:
    """The shared policy, in either world."""
    return run(Setup(policies.standard(hold=world == "held"), hold=world == "held"))


@pytest.fixture
def released(run: Watched) -> Envoy:
    return run(Setup(policies.standard(hold=False), hold=False))


@pytest.fixture
def held(run: Watched) -> Envoy:
    return run(Setup(policies.standard(hold=True), hold=True))
