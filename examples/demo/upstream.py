"""A small service that leaks: what stands behind Envoy in the demo. Remembers what it received."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Put together at run time, so that this file holds no secret for another scanner to trip over. None of them is real.
CARD = "4111 1111 " + "1111 1111"
EMAIL = "jane.doe" + "@" + "example.com"
SSN = "536-90-" + "4399"
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB_TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


JWT = ".".join(
    [_base64url(b'{"alg":"HS256","typ":"JWT"}'), _base64url(b'{"sub":"42","name":"Jane"}'), _base64url(hashlib.sha256(b"demo").digest())]
)
_MATERIAL = base64.b64encode(b"".join(hashlib.sha256(b"demo %d" % n).digest() for n in range(24))).decode()
PRIVATE_KEY = "\n".join(
    ["-----BEGIN " + "RSA PRIVATE KEY-----", *(_MATERIAL[n : n + 64] for n in range(0, 768, 64)), "-----END " + "RSA PRIVATE KEY-----"]
)
SECRETS = [CARD, EMAIL, SSN, AWS_KEY, GITHUB_TOKEN, JWT, PRIVATE_KEY]

PAGES = {
    "/products": ("application/json", json.dumps({"products": [{"id": 1, "name": "tea", "price": 4.5}, {"id": 2, "name": "mug", "price": 9}]})),
    "/customers/42": ("application/json", json.dumps({"email": EMAIL, "card": CARD, "session": JWT})),
    "/backup/id_rsa": ("text/plain", PRIVATE_KEY + "\n"),
    "/internal/build.log": ("text/plain", f"cloning with token {GITHUB_TOKEN} for {EMAIL}\n"),
    "/healthz": ("text/plain", "fine\n"),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 (the name is the library's)
        content_type, text = PAGES.get(self.path.partition("?")[0], ("text/plain", "try " + " ".join(PAGES) + "\n"))
        body = text.encode()
        headers = {"content-type": content_type}
        if "gzip" in self.headers.get("accept-encoding", ""):
            body, headers["content-encoding"] = gzip.compress(body), "gzip"
        self._answer(body, headers)

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["content-length"])) if "content-length" in self.headers else self._chunks()
        with self.server.lock:
            self.server.received.append((self.path, body.decode(errors="replace")))
        self._answer(b'{"stored": %d}\n' % len(body), {"content-type": "application/json"})

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _answer(self, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Upstream(ThreadingHTTPServer):
    """Serves on a free port of this machine until `stop`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        # Path and body of every POST that got here.
        self.received: list[tuple[str, str]] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
