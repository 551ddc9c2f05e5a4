"""Serves the page, and passes its questions on to Prometheus: one origin for both. Listens on this machine only."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).parent / "page"
API = "/api/v1/"
# Nothing else of Prometheus can be reached through this server.
QUESTIONS = {"query", "query_range", "alerts", "targets"}
PATIENCE = 10.0


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript", "": "text/plain"}

    def __init__(self, *arguments, prometheus: str, **named):
        self.prometheus = prometheus
        super().__init__(*arguments, directory=str(PAGE), **named)

    def do_GET(self) -> None:  # noqa: N802 (the name is the library's)
        if self.path.startswith(API):
            self._pass_on()
        else:
            super().do_GET()

    def _pass_on(self) -> None:
        if self.path.removeprefix(API).partition("?")[0] not in QUESTIONS:
            self.send_error(404)
            return
        try:
            with urllib.request.urlopen(self.prometheus + self.path, timeout=PATIENCE) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, body = refused.code, refused.read()
        except OSError as error:
            status, body = 502, b'{"status": "error", "error": "%s"}' % type(error).__name__.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            # The page was closed, or asks anew.
            self.close_connection = True

    def end_headers(self) -> None:
        self.send_header("cache-control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


class PageServer(ThreadingHTTPServer):
    """The page at `url`, drawn from the Prometheus at `prometheus`, until `stop`."""

    daemon_threads = True

    def __init__(self, prometheus: str, port: int = 0):
        super().__init__(("127.0.0.1", port), partial(_Handler, prometheus=prometheus))
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
