"""HTTP/2 with prior knowledge, on the `h2` library: a client and an upstream that choose every DATA frame."""

from __future__ import annotations

import socket
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from .message import PATIENCE, Header, Message, Received, Request, Response, send_parts, wait_until
# What sending meets when the other side has gone: KeyError is the library's word for a stream that it has forgotten.
SEND_ERRORS = (OSError, AssertionError, KeyError, h2.exceptions.ProtocolError)


class Peer:
    """One HTTP/2 connection, either side. A thread reads; anybody may send."""

    def __init__(self, sock: socket.socket, client: bool, number: int = 0, on_request=None):
        self.sock = sock
        self.number = number
        self.on_request = on_request
        self.lock = threading.Condition()
        self.streams: dict[int, Received] = {}
        self.ended: set[int] = set()
        self.closed = False
        config = h2.config.H2Configuration(
            client_side=client, header_encoding=None, validate_inbound_headers=False,
            validate_outbound_headers=False, normalize_outbound_headers=False,
        )
        self.h2 = h2.connection.H2Connection(config)
        with self.lock:
            self.h2.initiate_connection()
            self._flush()
        threading.Thread(target=self._read, daemon=True).start()

    def _flush(self) -> None:
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def close(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def _read(self) -> None:
        end = "closed"
        try:
            while data := self.sock.recv(1 << 18):
                with self.lock:
                    for event in self.h2.receive_data(data):
                        self._event(event)
                    self._flush()
                    self.lock.notify_all()
        except h2.exceptions.ProtocolError as error:
            end = f"protocol error: {error}"
        except OSError as error:
            end = f"reset: {error.__class__.__name__}"
        with self.lock:
            self.closed = True
            for number, message in self.streams.items():
                if number not in self.ended:
                    message.error = message.error or end
                    self.ended.add(number)
            self.lock.notify_all()

    def _event(self, event: h2.events.Event) -> None:
        number = getattr(event, "stream_id", None)
        message = self.streams.get(number)
        if isinstance(event, h2.events.RequestReceived):
            message = self.streams[number] = Received(connection=self.number)
            self._head(message, event.headers)
            threading.Thread(target=self.on_request, args=(self, number, message), daemon=True).start()
        elif message is None:
            return
        elif isinstance(event, h2.events.ResponseReceived):
            self._head(message, event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            message.interim.append(int(dict(event.headers)[b":status"]))
        elif isinstance(event, h2.events.DataReceived):
            message.add_body(event.data)
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, number)
        elif isinstance(event, h2.events.TrailersReceived):
            message.trailers = _decode(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            message.complete = True
            self.ended.add(number)
        elif isinstance(event, h2.events.StreamReset):
            # A reset that follows a whole message (NO_ERROR, "send no more") does not undo it.
            if not message.complete:
                message.error = f"stream reset: {int(event.error_code)}"
            self.ended.add(number)

    def _head(self, message: Received, raw: list) -> None:
        headers = _decode(raw)
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        message.headers = [(name, value) for name, value in headers if not name.startswith(":")]
        message.status = int(pseudo.get(":status", 0))
        message.method, message.path = pseudo.get(":method", ""), pseudo.get(":path", "")
        if ":authority" in pseudo:
            message.headers.insert(0, ("host", pseudo[":authority"]))
        message.head_at = time.monotonic()

    def wait_end(self, number: int, patience: float = PATIENCE) -> None:
        with self.lock:
            if not self.lock.wait_for(lambda: number in self.ended, patience):
                self.streams[number].error = "timeout"

    def send_head(self, number: int, pseudo: list[Header], message: Message, bodiless: bool) -> None:
        headers = [*pseudo, *((name.lower(), value) for name, value in message.headers)]
        names = {name for name, _ in headers}
        if message.framing == "length" and not bodiless and "content-length" not in names:
            headers.append(("content-length", str(message.length())))
        self.send_headers(number, headers, end=bodiless)

    def send_body(self, number: int, message: Message, peer: Received) -> None:
        ends = message.trailers is None and message.end_on_last and not message.abort
        send_parts(message, peer, lambda data, last: self._data(number, data, end=last and ends))
        if message.abort:
            with self.lock:
                self.h2.reset_stream(number, 8)
                self._flush()
        elif message.trailers is not None:
            self.send_headers(number, message.trailers, end=True)
        elif not (ends and message.length()):
            self._data(number, b"", end=True)

    def send_headers(self, number: int, headers: list[Header], end: bool) -> None:
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        with self.lock:
            self.h2.send_headers(number, raw, end_stream=end)
            self._flush()

    def _gone(self, number: int) -> bool:
        return self.closed or bool(self.streams[number].error)

    def _data(self, number: int, data: bytes, end: bool) -> None:
        while True:
            with self.lock:
                if data and not self.lock.wait_for(lambda: self._gone(number) or self.h2.local_flow_control_window(number), PATIENCE):
                    raise OSError("no flow control window")
                if self._gone(number):
                    raise OSError("the stream is gone")
                room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size) if data else 0
                now, data = data[:room], data[room:]
                self.h2.send_data(number, now, end_stream=end and not data)
                self._flush()
                if not data:
                    return


def _decode(raw: list) -> list[Header]:
    return [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in raw]


class Client:
    """One HTTP/2 connection to Envoy."""

    protocol = "h2"

    def __init__(self, port: int):
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(None)
        self.peer = Peer(sock, client=True)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.peer.close()

    def exchange(self, request: Request, answer: Received | None = None) -> Received:
        """Sends `request` and reads its answer, at the same time; `answer` can be watched. Many threads may call it at once."""
        answer = answer or Received()
        pseudo = [(":method", request.method), (":scheme", "http"), (":authority", request.authority), (":path", request.path)]
        bodiless = request.pieces is None and not request.body and request.framing == "length" and request.trailers is None
        with self.peer.lock:
            number = self.peer.h2.get_next_available_stream_id()
            self.peer.streams[number] = answer
            self.peer.send_head(number, pseudo, request, bodiless)
        sender = threading.Thread(target=self._send_body, args=(number, request, answer), daemon=True)
        if not bodiless:
            sender.start()
        self.peer.wait_end(number)
        if not bodiless:
            sender.join(PATIENCE)
        if answer.complete:
            answer.error = ""
        return answer

    def _send_body(self, number: int, request: Request, answer: Received) -> None:
        try:
            self.peer.send_body(number, request, answer)
        except SEND_ERRORS as error:
            answer.error = answer.error or f"could not send: {error}"
        if request.abort:
            with self.peer.lock:
                self.peer.ended.add(number)
                self.peer.lock.notify_all()


def serve(sock: socket.socket, number: int, next_response, record) -> Peer:
    """Answers the requests on one upstream connection, in threads of their own."""

    def on_request(peer: Peer, stream: int, request: Received) -> None:
        record(request)
        response: Response = next_response(request)
        try:
            if not response.early:
                wait_until(lambda: stream in peer.ended, "the end of a request", 2 * PATIENCE)
                if not request.complete:
                    return
            for status, headers in response.interim:
                peer.send_headers(stream, [(":status", str(status)), *headers], end=False)
            bodiless = request.method == "HEAD" or response.status in (204, 304)
            peer.send_head(stream, [(":status", str(response.status))], response, bodiless)
            if not bodiless:
                peer.send_body(stream, response, request)
        except SEND_ERRORS as error:
            request.error = request.error or f"could not answer: {error}"

    return Peer(sock, client=False, number=number, on_request=on_request)
