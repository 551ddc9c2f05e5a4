"""A day at the office, hurried: requests through the Envoys of the dashboard, most of them clean, some of them leaking.

`CASES` has at least one exchange for everything that bodyguard can make of a message. The upstream answers what the case says.
"""

from __future__ import annotations

import gzip
import http.client
import json
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from upstream import AWS_KEY, CARD, EMAIL, GITHUB_TOKEN, JWT, PRIVATE_KEY, SSN

# Put together at run time, like those of the demo. None of them is real.
GOOGLE_KEY = "AIza" + "SyD9tQ2x7nVb4mK8wLpR3hJ6cF1gZ5aE0uT"
SLACK_TOKEN = "xoxb" + "-263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1"
STRIPE_KEY = "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
HEADER = "x-case"
# Where bodyguard's events come in, by OTLP.
COLLECTOR = "/v1/logs"
PATIENCE = 5.0
WORDS = "the invoice of your order was sent and will arrive within three working days thank you for asking".split()


@dataclass
class Body:
    """What one side sends."""

    text: str = ""
    content_type: str = "application/json"
    # Content-Encoding, and what makes of the text what is sent.
    coding: str = ""
    encode: Callable[[bytes], bytes] = bytes
    # Filled up with clean text to about so many bytes.
    size: int = 600

    def sent(self, chance: random.Random) -> bytes:
        # Sizes of real bodies differ by orders of magnitude.
        size = min(self.size * math.exp(chance.gauss(0, 1)), 4 * self.size)
        filler = " ".join(chance.choices(WORDS, k=max(int(size) // 6, 1)))
        text = json.dumps({"note": filler, "value": self.text}) if "json" in self.content_type else f"{filler}\n{self.text}\n"
        return self.encode(text.encode())

    def headers(self) -> dict[str, str]:
        return {"content-type": self.content_type, **({"content-encoding": self.coding} if self.coding else {})}


@dataclass
class Case:
    """One kind of exchange; `weight` says how often it happens."""

    weight: float
    path: str
    answer: Body = field(default_factory=Body)
    request: Body | None = None
    headers: dict[str, str] = field(default_factory=dict)


def broken(data: bytes) -> bytes:
    return gzip.compress(data)[:-9]


CASES = [
    Case(40, "/products"),
    Case(12, "/catalogue", Body(size=20_000)),
    Case(4, "/reports", Body(size=40_000)),
    Case(12, "/orders", request=Body(size=900)),
    Case(6, "/customers/42", Body(f"{EMAIL} {CARD}")),
    Case(5, "/customers", Body(" ".join(f"{name}.{EMAIL}" for name in ("ann", "bob", "cy", "di")), size=4_000)),
    Case(3, "/session", Body(JWT, coding="gzip", encode=gzip.compress)),
    Case(2, "/signup", request=Body(f"{SSN} {EMAIL}")),
    Case(1, "/archive/2019", Body(f"{CARD} {EMAIL} {SSN} {JWT}")),
    Case(0.6, "/notes", request=Body(f"deploy with {AWS_KEY} and mail {EMAIL}")),
    Case(0.3, "/backup/id_rsa", Body(PRIVATE_KEY, "text/plain")),
    Case(0.5, "/build.log", Body(f"cloning with {GITHUB_TOKEN}", "text/plain")),
    Case(0.3, "/maps", Body(f"key={GOOGLE_KEY}", "text/html")),
    Case(0.3, "/hooks", request=Body(SLACK_TOKEN)),
    Case(0.3, "/payments", Body(STRIPE_KEY)),
    Case(0.3, "/payments", request=Body(f"{STRIPE_KEY} {CARD}")),
    Case(0.5, "/uploads", request=Body(size=300_000)),
    Case(0.5, "/export", Body(size=60_000)),
    Case(2, "/logo.png", Body(content_type="image/png")),
    Case(0.3, "/legacy", Body(coding="compress")),
    Case(0.3, "/legacy", Body(coding="gzip", encode=broken)),
    Case(0.3, "/old", Body(coding="compress")),
    Case(0.2, "/old", request=Body(coding="compress")),
    Case(0.3, "/chat", headers={"connection": "upgrade", "upgrade": "websocket"}),
]
# The cases that leak a secret, of which there are many more for a while every now and then.
LEAKS = [number for number, case in enumerate(CASES) if case.path in ("/build.log", "/notes", "/customers")]
INCIDENT_EVERY, INCIDENT_LASTS = 180.0, 20.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == COLLECTOR:
            self._send({"content-type": "application/json"}, b"{}")
            return
        case = CASES[int(self.headers.get(HEADER, 0))]
        if "upgrade" in self.headers:
            self.send_response(101)
            self.send_header("connection", "upgrade")
            self.send_header("upgrade", "websocket")
            self.end_headers()
            self.close_connection = True
            return
        body = case.answer.sent(random.Random())
        self._send(case.answer.headers(), body)

    def _send(self, headers: dict[str, str], body: bytes) -> None:
        self.send_response(200)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 (the names are the library's)

    def log_message(self, *_: object) -> None:
        pass


class Upstream(ThreadingHTTPServer):
    """Answers what the case of a request says."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


def send(port: int, number: int, chance: random.Random) -> int:
    """One exchange of this case; its status, or 0 where it was cut."""
    case = CASES[number]
    headers = {HEADER: str(number), "accept-encoding": "gzip", **case.headers, **(case.request.headers() if case.request else {})}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        body = case.request.sent(chance) if case.request else None
        connection.request("POST" if body else "GET", case.path, body, headers)
        answer = connection.getresponse()
        if answer.status != 101:
            answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Traffic(threading.Thread):
    """Sends to `ports` in turn, about `rate` exchanges a second, until `stop`."""

    def __init__(self, ports: list[int], rate: float = 40.0, seed: int = 1):
        super().__init__(daemon=True)
        self.ports, self.rate, self.chance = ports, rate, random.Random(seed)
        self.ended = threading.Event()
        self.sent = 0

    def every_case_once(self) -> None:
        """Each case through each Envoy, so that there is something to see of everything from the start."""
        for port in self.ports:
            for number in range(len(CASES)):
                send(port, number, self.chance)

    def run(self) -> None:
        began = time.monotonic()
        while not self.ended.is_set():
            now = time.monotonic() - began
            weights = [case.weight for case in CASES]
            if now % INCIDENT_EVERY > INCIDENT_EVERY - INCIDENT_LASTS:
                for number in LEAKS:
                    weights[number] *= 8
            [number] = self.chance.choices(range(len(CASES)), weights)
            send(self.ports[self.sent % len(self.ports)], number, self.chance)
            self.sent += 1
            # The hours of the day pass in five minutes.
            pace = self.rate * (1 + 0.4 * math.sin(now / 48))
            self.ended.wait(self.chance.expovariate(pace))

    def stop(self) -> None:
        self.ended.set()
        self.join(PATIENCE * 2)
