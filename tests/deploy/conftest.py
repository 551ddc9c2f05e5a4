"""Fixtures: the tools that operators use, a registry, and a real Envoy that is given what a control plane would give it.

A tool that is missing skips the tests that need it, with a word why; where CI is set they fail instead, so that nothing is left out
unseen. The scripted peers are those of tests/envoy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "envoy"), str(ROOT / "scripts")]

from proxy import Proxy  # noqa: E402
from registry import Registry  # noqa: E402

PATIENCE = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--envoy", type=Path, help="an Envoy binary")
    parser.addoption("--module", type=Path, help="bodyguard.wasm")
    parser.addoption("--tools", type=Path, help="the folder of kubectl and helm")
    parser.addoption("--editor", type=Path, help="the folder of yaml-language-server")


def need(name: str, folder: Path | None = None) -> str:
    """The path of a tool; without it the test is skipped, or fails where CI is set."""
    found = shutil.which(name, path=str(folder.resolve())) if folder else shutil.which(name)
    if found is None:
        give_up(f"{name} is missing: make deploy-test says how to get it")
    return found


def give_up(why: str) -> NoReturn:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


def run(*command: str | Path, **options) -> str:
    """The output of a command that must end well."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def module(request: pytest.FixtureRequest) -> Path:
    return request.config.getoption("module").resolve()


@pytest.fixture(scope="session")
def kubectl(request: pytest.FixtureRequest) -> str:
    return need("kubectl", request.config.getoption("tools"))


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest) -> str:
    return need("helm", request.config.getoption("tools"))


@pytest.fixture(scope="session")
def skopeo() -> str:
    return need("skopeo")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory):
    """A real registry, empty at first."""
    registry = Registry(need("docker-registry"), tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture
def start(request: pytest.FixtureRequest, tmp_path: Path):
    """`start(entry, resource, ...)`: a running Envoy with these filters; none may trap, or log a planted value."""
    running: list[Proxy] = []

    def start(*arguments, **options) -> Proxy:
        running.append(Proxy(request.config.getoption("envoy"), tmp_path / f"envoy-{len(running)}", *arguments, **options))
        return running[-1]

    yield start
    wrong = [line for proxy in running for line in proxy.end()]
    assert not wrong, "\n".join(wrong)
