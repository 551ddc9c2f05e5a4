"""The upstream of one Envoy: an HTTP/1.1 and an HTTP/2 server that answer by script and remember exactly what they got."""

from __future__ import annotations

import socket
import threading
from typing import Callable, Union

from . import http1, http2
from .message import Received, Response, wait_until

# What the upstream answers: a response, or what makes one from the request's head.
Answer = Union[Response, Callable[[Received], Response]]


class Upstream:
    """Serves until closed. `script` sets what the next requests are answered with; the last answer is repeated."""

    def __init__(self, port: int = 0) -> None:
        """`port`: where to listen for HTTP/1.1; any that is free unless given."""
        self.lock = threading.Lock()
        self.answers: list[Answer] = []
        self.received: list[Received] = []
        self.connections = 0
        self.closed = False
        self.peers: list = []
        # Where connections to the HTTP/2 port are handed on to, if anywhere.
        self.relayed: int | None = None
        self.ports = {"h1": self._listen(self._serve_http1, port), "h2": self._listen(self._serve_http2)}

    def _listen(self, serve: Callable[[socket.socket, int], None], port: int = 0) -> int:
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.peers.append(listener)

        def accept() -> None:
            while not self.closed:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self.lock:
                    self.connections += 1
                    number = self.connections
                threading.Thread(target=serve, args=(sock, number), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    def _serve_http1(self, sock: socket.socket, number: int) -> None:
        with sock:
            http1.serve(sock, number, self._next, self._record)
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _serve_http2(self, sock: socket.socket, number: int) -> None:
        if self.relayed is not None:
            self._relay(sock, self.relayed)
            return
        self.peers.append(http2.serve(sock, number, self._next, self._record))

    def _relay(self, sock: socket.socket, port: int) -> None:
        def copy(source: socket.socket, target: socket.socket) -> None:
            try:
                while data := source.recv(1 << 16):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        with socket.create_connection(("127.0.0.1", port)) as other, sock:
            other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peers += [sock, other]
            back = threading.Thread(target=copy, args=(other, sock), daemon=True)
            back.start()
            copy(sock, other)
            back.join()

    def relay_to(self, port: int) -> None:
        """Hands HTTP/2 connections on to another port of this machine, from the next one on."""
        self.relayed = port

    def _record(self, request: Received) -> None:
        with self.lock:
            self.received.append(request)

    def _next(self, request: Received) -> Response:
        with self.lock:
            answer = self.answers.pop(0) if len(self.answers) > 1 else (self.answers or [Response(body=b"ok\n")])[0]
        return answer(request) if callable(answer) else answer

    def script(self, *answers: Answer) -> None:
        """Answers the next requests with these, and forgets what was received."""
        with self.lock:
            self.answers = list(answers)
            self.received = []

    def last(self) -> Received:
        """The newest request, once it has come to an end of some sort."""
        wait_until(lambda: bool(self.received), "a request at the upstream")
        request = self.received[-1]
        wait_until(lambda: request.complete or bool(request.error), "the end of a request at the upstream")
        return request

    def close(self) -> None:
        self.closed = True
        for peer in self.peers:
            peer.close()
