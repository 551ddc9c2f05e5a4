"""Messages without an end in sight: event streams, gRPC, upgrades. None may hang (design section 5)."""

from __future__ import annotations

import gzip
import time

import pytest
import values
from harness.message import Received, Request, Response
from test_verdicts import MATRIX

EVENTS = [f"data: {number} of a live stream\n\n".encode() for number in range(4)]


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream; charset=utf-8"])
def test_an_event_stream_arrives_while_it_is_still_being_sent(standard, protocol, upstream, content_type):
    answer = Received()
    pieces = [EVENTS[0]]
    for number, event in enumerate(EVENTS[1:], 1):
        # The next event is not sent before the client has the one before it.
        pieces += [lambda _, before=b"".join(EVENTS[:number]): answer.body == before, event]
    standard.upstream.script(Response(pieces=pieces, headers=[("content-type", content_type)], framing="none"))
    standard.exchange(Request(path="/x"), protocol, upstream, answer=answer)
    assert (answer.status, answer.error, answer.body) == (200, "", b"".join(EVENTS))


def grpc(payload: bytes) -> bytes:
    return b"\0" + len(payload).to_bytes(4, "big") + payload


GRPC_HEADERS = [("content-type", "application/grpc"), ("te", "trailers")]


def test_a_grpc_conversation_goes_back_and_forth(standard):
    answer = Received()
    asks = [grpc(b"\n\x05ask-%d" % number) for number in range(3)]
    replies = [grpc(b"\n\x07reply-%d" % number) for number in range(3)]
    response_pieces, request_pieces = [], []
    for number in range(3):
        request_pieces.append(asks[number])
        request_pieces.append(lambda _, until=b"".join(replies[: number + 1]): answer.body == until)
        response_pieces.append(lambda received, until=b"".join(asks[: number + 1]): received.body == until)
        response_pieces.append(replies[number])
    response = Response(
        pieces=response_pieces, headers=GRPC_HEADERS[:1], framing="none", early=True, trailers=[("grpc-status", "0")]
    )
    standard.upstream.script(response)
    request = Request(method="POST", path="/x/Chat", pieces=request_pieces, headers=GRPC_HEADERS, framing="none", end_on_last=False)
    standard.exchange(request, "h2", "h2", answer=answer)
    assert (answer.status, answer.error, answer.body) == (200, "", b"".join(replies))
    assert dict(answer.trailers) == {"grpc-status": "0"}
    assert standard.upstream.last().body == b"".join(asks)


def test_a_unary_grpc_call_and_a_trailers_only_answer_pass(standard):
    standard.upstream.script(
        Response(body=grpc(b"fine"), headers=GRPC_HEADERS[:1], framing="none", trailers=[("grpc-status", "0")]),
        Response(headers=[*GRPC_HEADERS[:1], ("grpc-status", "5")], framing="none"),
    )
    request = Request(method="POST", path="/x/Get", body=grpc(b"please"), headers=GRPC_HEADERS, framing="none")
    answer = standard.exchange(request, "h2", "h2")
    assert (answer.status, answer.body, dict(answer.trailers)) == (200, grpc(b"fine"), {"grpc-status": "0"})
    assert standard.upstream.last().body == grpc(b"please")
    assert dict(standard.exchange(request, "h2", "h2").headers)["grpc-status"] == "5"


def test_an_upgrade_passes_and_is_counted_as_uninspected(standard):
    before = standard.metric("bodyguard_uninspected_total", reason="upgrade")
    answer = Received()
    pieces = [lambda received: received.body == b"hello", b"frame one ", lambda received: received.body.endswith(b"bye"), b"frame two"]
    headers = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", "x")]
    standard.upstream.script(Response(status=101, headers=headers, pieces=pieces, early=True))
    client_pieces = [lambda _: answer.status == 101, b"hello", lambda _: b"frame one " in answer.body, values.EMAIL.raw + b"bye"]
    request = Request(
        path="/x", pieces=client_pieces, framing="close",
        headers=[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "x"), ("sec-websocket-version", "13")],
    )  # fmt: skip
    standard.exchange(request, answer=answer)
    assert (answer.status, answer.body) == (101, b"frame one frame two")
    assert standard.upstream.last().body == b"hello" + values.EMAIL.raw + b"bye", "frames pass byte for byte"
    assert standard.metric("bodyguard_uninspected_total", reason="upgrade") > before


def test_a_slow_upload_is_not_given_up(standard):
    body, masked = values.document(values.EMAIL)
    standard.upstream.script(Response(body=b"stored"))
    pieces = [body[:30], lambda _, until=time.monotonic() + 1.5: time.monotonic() > until, body[30:]]
    for protocol in ("h1", "h2"):
        answer = standard.exchange(Request(method="POST", path="/x", pieces=pieces, framing="none"), protocol)
        assert answer.status == 200
        assert standard.upstream.last().body == masked


def test_an_encoded_event_stream_does_not_hang(standard):
    packed = gzip.compress(b"".join(EVENTS))
    headers = [("content-type", "text/event-stream"), ("content-encoding", "gzip")]
    standard.upstream.script(Response(pieces=[packed[:20], packed[20:]], headers=headers, framing="none", pause=0.05))
    answer = standard.exchange(Request(path="/x"))
    assert answer.status == 200 and answer.complete
    assert gzip.decompress(answer.body) == b"".join(EVENTS) if answer.header("content-encoding") else answer.body == b"".join(EVENTS)
