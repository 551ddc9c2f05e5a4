"""Envoy with bodyguard, traffic, Prometheus and the live page, until Ctrl-C. Run it with `make dashboard`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import webbrowser
from pathlib import Path

from server import PageServer
from stack import POLICIES, Stack


def show(stack: Stack, page: PageServer) -> None:
    print(f"\n    the live page        {page.url}?range=300")
    print(f"    Prometheus           {stack.prometheus.url}")
    for pod, envoy in stack.envoys.items():
        print(f"    Envoy {pod:<14} http://127.0.0.1:{envoy.port}  metrics {envoy.admin_url}/stats/prometheus")
        print(f"      {POLICIES[pod]:<18} {envoy.policy_path}")
    print("\n    The policies can be changed while it runs: sed -i 's/mode: shadow/mode: block/' on one of them, and look.")
    print("    Ctrl-C ends all of it.\n", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envoy", type=Path, required=True, help="the Envoy binary")
    parser.add_argument("--module", type=Path, required=True, help="bodyguard.wasm")
    parser.add_argument("--port", type=int, default=0, help="of the page; any that is free where it is not given")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bodyguard-") as folder:
        parts = []
        try:
            print("starting two Envoys and Prometheus ...", flush=True)
            parts.append(stack := Stack(options.envoy, options.module, Path(folder)))
            parts.append(page := PageServer(stack.prometheus.url, options.port))
            show(stack, page)
            if sys.stdout.isatty() and not os.environ.get("CI"):
                webbrowser.open(f"{page.url}?range=300")
            while all(envoy.alive() for envoy in stack.envoys.values()) and stack.prometheus.alive():
                time.sleep(1)
            raise SystemExit("error: something ended by itself; see the end of\n" + stack.log()[-2000:])
        except KeyboardInterrupt:
            print()
            return 0
        finally:
            while parts:
                parts.pop().stop()


if __name__ == "__main__":
    sys.exit(main())
