"""What an Envoy pays: CPU per response for a router alone, for filters that do less, for Lua, and for bodyguard.

Every variant is an Envoy of its own in front of the same upstream (an Envoy too, with fixed answers); the variants take turns
within each round, and the figure is the median over the rounds of CPU relative to the router alone in the same round. Turns are
short and many: what else the machine does then hits all variants alike.
CPU is what the kernel charged the Envoy process (its CPU clock, in nanoseconds), not wall time. Run it with `make bench-envoy`.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from envoy_process import EnvoyProcess  # noqa: E402

SEED = 20261121
SIZES = {"1 KB": 1 << 10, "16 KB": 1 << 14, "256 KB": 1 << 18, "1 MB": 1 << 20}
# Seconds of traffic for one variant in one round.
SLICE = 0.05
ROUNDS = 100
BUFFER = 16 << 20

TYPES = "type.googleapis.com/"
HTTP = "envoy.extensions.filters.http."
LUA = """
function envoy_on_response(handle)
  local body = handle:body()
  if body == nil then return end
  local text = body:getBytes(0, body:length())
  text = text:gsub("%d%d%d%d[ -]?%d%d%d%d[ -]?%d%d%d%d[ -]?%d%d%d%d", "****")
  text = text:gsub("%d%d%d%-%d%d%-%d%d%d%d", "[REDACTED:ssn]")
  text = text:gsub("[%w._+-]+@[%w-]+%.[%w.-]+", "[REDACTED:email]")
  text = text:gsub("AKIA[A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7][A-Z2-7]", "[REDACTED:aws]")
  body:setBytes(text)
end
"""


def policy(hold: bool, mode: str = "auto") -> dict:
    kinds = {
        "direction": "both",
        "block": ["private_key", "aws_access_key", "google_api_key", "slack_token", "github_token"],
        "redact": ["credit_card", "ssn", "email", "jwt"],
    }
    inspect = {"inspect_response_body": True, "max_response_body_bytes": 8 << 20, "response_body_mode": mode}
    rule = {**inspect, "checks": {"body": {"dlp": kinds}}}
    return {"allow_on_headers_stop_iteration": hold, "defaults": rule, "domains": [{"hosts": ["*"], "routes": [{"match": {}}]}]}


def wasm(module: Path, configuration: str, hold: bool) -> dict:
    config = {
        "name": "bench",
        "root_id": "bodyguard",
        "allow_on_headers_stop_iteration": hold,
        "configuration": {"@type": TYPES + "google.protobuf.StringValue", "value": configuration},
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(module.resolve())}}},
    }
    return {"name": "wasm", "typed_config": {"@type": TYPES + HTTP + "wasm.v3.Wasm", "config": config}}


def variants(module: Path, floors: Path) -> dict[str, list[dict]]:
    lua = {"@type": TYPES + HTTP + "lua.v3.Lua", "default_source_code": {"inline_string": LUA}}
    return {
        "router alone": [],
        "do-nothing Wasm": [wasm(floors, "nothing", False)],
        "pause and read": [wasm(floors, "read", False)],
        "bodyguard held": [wasm(module, json.dumps(policy(True)), True)],
        "bodyguard released": [wasm(module, json.dumps(policy(False)), False)],
        "bodyguard streamed": [wasm(module, json.dumps(policy(True, "streamed")), True)],
        "Lua gsub, 4 patterns": [{"name": "lua", "typed_config": lua}],
    }


def records(size: int) -> bytes:
    """An API's benign data, the same bytes on every run."""
    chance = random.Random(SEED)
    words = "amber basil cedar delta ember fjord grove haven inlet jetty knoll lemon maple north ocean pearl quartz river stone tulip".split()
    rows, length = [], 0
    while length < size:
        row = {
            "id": chance.randrange(10**6),
            "uuid": "%08x-%04x" % (chance.getrandbits(32), chance.getrandbits(16)),
            "name": " ".join(chance.choices(words, k=3)),
            "price": round(chance.uniform(1, 900), 2),
            "active": chance.random() < 0.5,
            "updated": f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}T{chance.randrange(24):02}:00:00Z",
            "tags": chance.choices(words, k=2),
        }
        rows.append(row)
        length += len(json.dumps(row)) + 2
    return json.dumps(rows).encode()[:size]


class Envoy(EnvoyProcess):
    def __init__(self, binary: Path, folder: Path, filters: list[dict], routes: list[dict], clusters: list[dict]):
        folder.mkdir()
        manager = {
            "@type": TYPES + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "bench",
            "route_config": {
                "max_direct_response_body_size_bytes": BUFFER,
                "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
            },
            "http_filters": [*filters, {"name": "router", "typed_config": {"@type": TYPES + HTTP + "router.v3.Router"}}],
        }
        address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
        chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        listener = {"name": "edge", "address": address, "per_connection_buffer_limit_bytes": BUFFER, "filter_chains": [chain]}
        config = {"admin": {"address": address}, "static_resources": {"listeners": [listener], "clusters": clusters}}
        (folder / "envoy.json").write_text(json.dumps(config))
        super().__init__(binary, folder / "envoy.json", folder, "--concurrency", "1", "--log-level", "error")
        [self.port] = self.ports.values()

    def cpu(self) -> float:
        """Seconds of CPU that the process has used."""
        # Linux numbers the CPU clock of a process so (clock_getcpuclockid).
        return time.clock_gettime((~self.process.pid << 3) | 2)


class Load:
    """One keep-alive connection that asks for the same page again and again."""

    def __init__(self, port: int, path: str, body: bytes):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = f"GET {path} HTTP/1.1\r\nhost: bench.example.com\r\n\r\n".encode()
        self.body = body
        self.space = bytearray(1 << 21)

    def one(self, check: bool = False) -> None:
        self.sock.sendall(self.request)
        got = self._some(0)
        while (end := self.space.find(b"\r\n\r\n", 0, got)) < 0:
            got = self._some(got)
        head = bytes(self.space[:end]).lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"error: {head[:200]!r}")
        if b"content-length:" in head:
            while got < end + 4 + len(self.body):
                got = self._some(got)
        else:
            while self.space[max(end, got - 5) : got] != b"0\r\n\r\n":
                got = self._some(got)
        if check and b"content-length:" in head and self.space[end + 4 : got] != self.body:
            raise SystemExit("error: the body was changed")

    def _some(self, got: int) -> int:
        more = self.sock.recv_into(memoryview(self.space)[got:])
        if not more:
            raise SystemExit("error: Envoy closed the connection")
        return got + more

    def run(self, seconds: float) -> int:
        count, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            for _ in range(5):
                self.one()
            count += 5
        return count


def bench(envoys: dict[str, Envoy], pages: dict[str, bytes], rounds: int, seconds: float) -> None:
    base = next(iter(envoys))
    print(f"CPU per request relative to {base}, median of {rounds} rounds; in brackets microseconds per request\n")
    print("".join(["".ljust(24), *(name.rjust(20) for name in pages)]))
    cells: dict[str, list[str]] = {name: [] for name in envoys}
    for page, body in pages.items():
        loads = {name: Load(envoy.port, "/" + page.replace(" ", ""), body) for name, envoy in envoys.items()}
        costs: dict[str, list[float]] = {name: [] for name in envoys}
        for load in loads.values():
            load.one(check=True)
            load.run(0.2)
        for _ in range(rounds):
            for name, load in loads.items():
                before = envoys[name].cpu()
                count = load.run(seconds)
                costs[name].append((envoys[name].cpu() - before) / count)
        for name in envoys:
            ratio = statistics.median(cost / alone for cost, alone in zip(costs[name], costs[base]))
            cells[name].append(f"{ratio:.2f} ({statistics.median(costs[name]) * 1e6:.0f})")
            print(f"envoy={name.replace(' ', '_')} size={page.replace(' ', '')} relative={ratio:.3f}", file=sys.stderr)
    for name, row in cells.items():
        print("".join([name.ljust(24), *(cell.rjust(20) for cell in row)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envoy", type=Path, required=True, help="the Envoy binary")
    parser.add_argument("--module", type=Path, required=True, help="bodyguard.wasm")
    parser.add_argument("--floors", type=Path, required=True, help="the module with the two floors")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SLICE, help="traffic for one variant in one round")
    parser.add_argument("--only", help="comma-separated variants beside the router alone")
    options = parser.parse_args()
    pages = {name: records(size) for name, size in SIZES.items()}
    chosen = variants(options.module, options.floors)
    if options.only:
        chosen = {name: filters for name, filters in chosen.items() if not filters or name in options.only.split(",")}
    running: list[Envoy] = []
    with tempfile.TemporaryDirectory(prefix="bodyguard-bench-") as name:
        folder = Path(name)
        try:
            answers = []
            for page, body in pages.items():
                (folder / page).write_bytes(body)
                answers.append(
                    {
                        "match": {"path": "/" + page.replace(" ", "")},
                        "direct_response": {"status": 200, "body": {"filename": str(folder / page)}},
                        "response_headers_to_add": [
                            {"header": {"key": "content-type", "value": "application/json"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                        ],
                    }
                )
            running.append(Envoy(options.envoy, folder / "upstream", [], answers, []))
            endpoint = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": running[0].port}}}}
            cluster = {
                "name": "upstream",
                "type": "STATIC",
                "per_connection_buffer_limit_bytes": BUFFER,
                "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [endpoint]}]},
            }
            route = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
            envoys = {}
            for number, (name, filters) in enumerate(chosen.items()):
                envoys[name] = Envoy(options.envoy, folder / f"variant-{number}", filters, route, [cluster])
                running.append(envoys[name])
            bench(envoys, pages, options.rounds, options.seconds)
        finally:
            for envoy in running:
                envoy.kill()


if __name__ == "__main__":
    main()
