"""What `make dashboard` runs: it says where the page is, the page is there, and Ctrl-C ends all of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from conftest import ROOT, tool
from harness.message import wait_until

SCRIPT = ROOT / "examples" / "dashboard" / "dashboard.py"
PATIENCE = 40


def children(pid: int) -> list[int]:
    """The processes that `pid` started, as far as they still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def test_the_dashboard_says_where_it_is_and_ctrl_c_ends_all_of_it(binary, module, tmp_path: Path):
    tool("prometheus", "prometheus")
    output = tmp_path / "output"
    command = [sys.executable, "-B", str(SCRIPT), "--envoy", str(binary), "--module", str(module)]
    with open(output, "wb") as out:
        # What runs the tests in the background may ignore Ctrl-C, and what it starts would inherit that.
        heeds = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        running = subprocess.Popen(
            command, stdout=out, stderr=out, start_new_session=True, env={**os.environ, "CI": "1"}, preexec_fn=heeds
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(r"live page +(http://\S+/)", output.read_text())):
            assert running.poll() is None and time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        url = found[1]
        assert b"<title>bodyguard</title>" in urllib.request.urlopen(url, timeout=5).read()

        def policies() -> set[str]:
            with urllib.request.urlopen(f"{url}api/v1/query?query=bodyguard_policy_info", timeout=5) as answer:
                return {sample["metric"]["policy"] for sample in json.load(answer)["data"]["result"]}

        wait_until(lambda: policies() == {"public-api", "internal-tools"}, "both Envoys in Prometheus", 20)
        started = children(running.pid)
        assert len(started) == 3, "two Envoys and a Prometheus"
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0, output.read_text()
        assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    finally:
        for pid in [*children(running.pid), running.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        running.wait(5)
