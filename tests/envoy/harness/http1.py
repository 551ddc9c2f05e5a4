"""HTTP/1.1 over a plain socket, with every byte in our hands. Strict when it reads: a length that lies shows up as an error."""

from __future__ import annotations

import socket
import threading
import time

from .message import PATIENCE, Header, Message, Received, Request, Response, send_parts


class Lost(Exception):
    """The connection ended, or spoke no HTTP; the text says how."""


class Reader:
    """Reads messages from a socket."""

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.buffer = b""

    def _more(self) -> None:
        try:
            data = self.sock.recv(1 << 18)
        except TimeoutError:
            raise Lost("timeout") from None
        except OSError as error:
            raise Lost(f"reset: {error.__class__.__name__}") from None
        if not data:
            raise Lost("closed")
        self.buffer += data

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def headers(self) -> list[Header]:
        headers = []
        while line := self.line():
            name, colon, value = line.partition(b":")
            if not colon:
                raise Lost(f"no header line: {line[:60]!r}")
            headers.append((name.decode("latin-1").lower(), value.strip().decode("latin-1")))
        return headers

    def _take(self, length: int, message: Received) -> None:
        while length:
            if not self.buffer:
                self._more()
            data, self.buffer = self.buffer[:length], self.buffer[length:]
            message.add_body(data)
            length -= len(data)

    def body(self, message: Received, until_close: bool) -> None:
        """Reads the body that the headers of `message` announce."""
        codings = message.header("transfer-encoding")
        length = message.header("content-length")
        if codings is not None and length is not None:
            raise Lost("both transfer-encoding and content-length")
        if codings is not None:
            if codings.lower() != "chunked":
                raise Lost(f"transfer-encoding: {codings}")
            while size := int(self.line().split(b";")[0], 16):
                self._take(size, message)
                if self.line():
                    raise Lost("no line end behind a chunk")
            message.trailers = self.headers()
        elif length is not None:
            self._take(int(length), message)
        elif until_close:
            self.tunnel(message)

    def tunnel(self, message: Received) -> None:
        """Reads whatever comes, until the connection ends."""
        try:
            while True:
                self._take(1 << 62, message)
        except Lost as lost:
            if str(lost) != "closed":
                raise


def _head(first: str, headers: list[Header]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _framing(message: Message, bodiless: bool) -> list[Header]:
    names = {name.lower() for name, _ in message.headers}
    if bodiless or names & {"content-length", "transfer-encoding"}:
        return []
    if message.framing == "length" and message.trailers is None:
        return [("content-length", str(message.length()))]
    return [] if message.framing == "close" else [("transfer-encoding", "chunked")]


def _send(sock: socket.socket, first: str, headers: list[Header], message: Message, peer: Received, bodiless: bool) -> None:
    framing = _framing(message, bodiless)
    chunked = ("transfer-encoding", "chunked") in framing
    head = _head(first, [*headers, *framing])
    end = b""
    if chunked:
        end = b"0\r\n" + _head("", message.trailers or [])[2:]

    def send(data: bytes, last: bool) -> None:
        nonlocal head
        if chunked:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        if last and message.end_on_last and not message.abort:
            data += end
        sock.sendall(head + data)
        head = b""

    # A head goes out with the first piece, unless something must be waited for first.
    parts = [] if bodiless else message.parts()
    if not parts or callable(parts[0]) or message.pause:
        sock.sendall(head)
        head = b""
    if not bodiless:
        send_parts(message, peer, send)
        if chunked and not message.abort and not (message.end_on_last and message.length()):
            sock.sendall(end)
    if message.abort:
        # No more may be sent, and whoever reads on this socket is told at once.
        sock.shutdown(socket.SHUT_WR if isinstance(message, Response) else socket.SHUT_RDWR)


class Client:
    """One HTTP/1.1 connection to Envoy."""

    protocol = "h1"

    def __init__(self, port: int):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def exchange(self, request: Request, answer: Received | None = None) -> Received:
        """Sends `request` and reads its answer, at the same time; `answer` can be watched while it grows."""
        answer = answer or Received()
        sender = threading.Thread(target=self._send, args=(request, answer), daemon=True)
        sender.start()
        self._receive(request.method, answer)
        sender.join(PATIENCE)
        if answer.complete:
            answer.error = ""
        return answer

    def _send(self, request: Request, answer: Received) -> None:
        headers = [("host", request.authority), *request.headers]
        bodiless = request.pieces is None and not request.body and request.framing == "length" and request.trailers is None
        try:
            _send(self.sock, f"{request.method} {request.path} HTTP/1.1", headers, request, answer, bodiless)
        except (OSError, AssertionError) as error:
            answer.error = answer.error or f"could not send: {error}"

    def _receive(self, method: str, answer: Received) -> None:
        try:
            while True:
                version, status, *_ = self.reader.line().split(b" ", 2)
                if not version.startswith(b"HTTP/1."):
                    raise Lost(f"no status line: {version[:60]!r}")
                headers = self.reader.headers()
                if int(status) // 100 != 1 or int(status) == 101:
                    break
                answer.interim.append(int(status))
            answer.status, answer.headers, answer.head_at = int(status), headers, time.monotonic()
            if answer.status == 101 or method == "CONNECT" and answer.status == 200:
                self.reader.tunnel(answer)
            elif method != "HEAD" and answer.status not in (204, 304):
                self.reader.body(answer, until_close=True)
            answer.complete = True
        except (Lost, ValueError) as lost:
            answer.error = str(lost)


def serve(sock: socket.socket, number: int, next_response, record) -> None:
    """Answers the requests on one upstream connection, until it ends. `record` gets every request as soon as its head is there."""
    reader = Reader(sock)
    while True:
        request = Received(connection=number)
        try:
            line = reader.line()
            parts = line.split(b" ")
            if len(parts) != 3 or parts[2] != b"HTTP/1.1" or not parts[0].isalpha():
                request.error = f"no request line: {line[:60]!r}"
                record(request)
                return
            request.method, request.path = parts[0].decode(), parts[1].decode("latin-1")
            request.headers = reader.headers()
        except Lost:
            return
        request.head_at = time.monotonic()
        record(request)
        response = next_response(request)
        responder = threading.Thread(target=_respond, args=(sock, response, request), daemon=True)
        if response.early:
            responder.start()
        try:
            if _is_tunnel(request):
                reader.tunnel(request)
            else:
                reader.body(request, until_close=False)
            request.complete = True
        except (Lost, ValueError) as lost:
            request.error = str(lost)
        if not response.early and request.complete:
            responder.start()
        if responder.ident is not None:
            responder.join(2 * PATIENCE)
        if not request.complete or response.framing == "close" or response.abort:
            return


def _is_tunnel(request: Received) -> bool:
    return request.method == "CONNECT" or request.header("upgrade") is not None


def _respond(sock: socket.socket, response: Response, request: Received) -> None:
    try:
        if response.raw is not None:
            sock.sendall(response.raw)
            return
        for status, headers in response.interim:
            sock.sendall(_head(f"HTTP/1.1 {status} Interim", headers))
        bodiless = request.method == "HEAD" or response.status in (101, 204, 304)
        if _is_tunnel(request):
            sock.sendall(_head(f"HTTP/1.1 {response.status} Tunnel", response.headers))
            send_parts(response, request, lambda data, last: sock.sendall(data))
            sock.shutdown(socket.SHUT_WR)
            return
        _send(sock, f"HTTP/1.1 {response.status} Scripted", response.headers, response, request, bodiless)
    except (OSError, AssertionError) as error:
        request.error = request.error or f"could not answer: {error}"
