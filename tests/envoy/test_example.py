"""examples/envoy/envoy.yaml and the demo that plays with it: what `make demo` shows is checked here with every Envoy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parent.parent.parent / "examples" / "demo" / "demo.py"
PATIENCE = 60


def test_the_demo_ends_well_and_without_colours_where_there_is_no_terminal(binary, request: pytest.FixtureRequest):
    module = request.config.getoption("module")
    command = [sys.executable, "-B", str(DEMO), "--envoy", str(binary), "--module", str(module)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, "COLUMNS": "120"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as expected." in done.stdout and "\033" not in done.stdout
