"""What a scripted peer sends, and what it received. The same words for HTTP/1.1 and HTTP/2, for clients and upstreams."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable, Union

# Longest that any peer waits for anything. Longer than Envoy's own timeouts here, so that Envoy's answer is seen first.
PATIENCE = 12.0

Header = tuple[str, str]
# Bytes are one write: a chunk, a DATA frame, a send(). A callable is a pause: it gets what the peer received so far on the
# same exchange, and the next piece is not sent before it returns something true.
Piece = Union[bytes, Callable[["Received"], bool]]


@dataclass
class Message:
    """A message to send. `pieces` says how the body is cut; without it the body is one piece."""

    body: bytes = b""
    headers: list[Header] = field(default_factory=list)
    pieces: list[Piece] | None = None
    # length: content-length. none: chunked in HTTP/1.1, nothing in HTTP/2. close: until the connection ends (HTTP/1.1 responses).
    framing: str = "length"
    trailers: list[Header] | None = None
    # HTTP/2: END_STREAM stands on the last DATA frame, or on an empty one behind it.
    end_on_last: bool = True
    # Seconds between two pieces.
    pause: float = 0.0
    # Leave without an end, after all pieces (a reset in HTTP/2, a closed connection in HTTP/1.1).
    abort: bool = False

    def parts(self) -> list[Piece]:
        if self.pieces is not None:
            return self.pieces
        return [self.body] if self.body else []

    def length(self) -> int:
        return sum(len(part) for part in self.parts() if isinstance(part, bytes))


@dataclass
class Request(Message):
    method: str = "GET"
    path: str = "/"
    authority: str = "api.example.com"


@dataclass
class Response(Message):
    status: int = 200
    # 1xx heads before the real one.
    interim: list[tuple[int, list[Header]]] = field(default_factory=list)
    # Answer when the request's head is there, without waiting for its end.
    early: bool = False
    # Exactly these bytes on an HTTP/1.1 connection, instead of all of the above.
    raw: bytes | None = None


@dataclass
class Received:
    """A message as a peer saw it; grows while it arrives. Header names are lower case, values latin-1, in order."""

    method: str = ""
    path: str = ""
    status: int = 0
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""
    trailers: list[Header] = field(default_factory=list)
    interim: list[int] = field(default_factory=list)
    # The message came to its proper end.
    complete: bool = False
    # How it ended, if not properly: what the reader met.
    error: str = ""
    # Number of the connection it came on, for keep-alive tests.
    connection: int = 0
    # Seconds, on the monotonic clock, when the head and the first byte of the body were there.
    head_at: float = 0.0
    body_at: float = 0.0

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    def add_body(self, data: bytes) -> None:
        if data and not self.body_at:
            self.body_at = time.monotonic()
        self.body += data


def cut(body: bytes, *at: int) -> list[Piece]:
    """`body` in pieces, cut at these offsets; empty pieces are left out."""
    edges = [0, *sorted(at), len(body)]
    return [body[start:end] for start, end in zip(edges, edges[1:]) if end > start]


def every(body: bytes, size: int) -> list[Piece]:
    """`body` in pieces of `size` bytes."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Waits until `condition` holds; fails with `what` after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.01)


def send_parts(message: Message, peer: Received, send: Callable[[bytes, bool], None]) -> None:
    """Sends the pieces one by one; `send` gets each with whether it is the last."""
    parts = message.parts()
    last = max((index for index, part in enumerate(parts) if isinstance(part, bytes)), default=-1)
    for index, part in enumerate(parts):
        if callable(part):
            wait_until(lambda part=part: part(peer), "what a script waits for")
            continue
        if index and message.pause:
            time.sleep(message.pause)
        send(part, index == last)
