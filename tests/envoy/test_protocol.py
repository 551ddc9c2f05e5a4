"""The shapes that HTTP gives a message, on both sides of Envoy: framing, trailers, ends, keep-alive, and broken ones."""

from __future__ import annotations

import threading
import time

import policies
import pytest
import values
from harness.config import Setup
from harness.message import Received, Request, Response, cut, every, wait_until
from test_verdicts import MATRIX, assert_cut, respond

TEXT = [("content-type", "text/plain")]
TRAILERS = [("x-sum", "42"), ("x-odd", "a\xffb")]
# How a body comes and ends: framing, trailers, END_STREAM on the last piece.
SHAPES = {
    "length": dict(framing="length"),
    "length, end apart": dict(framing="length", end_on_last=False),
    "no length": dict(framing="none"),
    "no length, end apart": dict(framing="none", end_on_last=False),
    "trailers": dict(framing="none", trailers=TRAILERS),
}


def bodies() -> dict[str, tuple[bytes, bytes]]:
    redacted = values.document(values.EMAIL, values.CARD, filler=400)
    return {"redacted": redacted, "clean": (values.CLEAN, values.CLEAN), "one byte": (b"x", b"x"), "empty": (b"", b"")}


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("sort", bodies())
def test_every_shape_of_message_is_redacted_and_stays_whole(standard, protocol, upstream, shape, sort):
    body, masked = bodies()[sort]
    pieces = every(body, 97)
    standard.upstream.script(Response(pieces=pieces, headers=TEXT, **shape))
    request = Request(method="POST", path="/x", pieces=pieces, headers=TEXT, **shape)
    # The same twice on one connection: the second would show what the first left behind.
    with standard.connect(protocol, upstream) as client:
        for _ in range(2):
            answer = client.exchange(request)
            assert (answer.status, answer.error, answer.body) == (200, "", masked)
            received = standard.upstream.last()
            assert (received.complete, received.error, received.body) == (True, "", masked)
            if "trailers" in shape and (protocol, upstream) in (("h1", "h1"), ("h2", "h2")):
                assert answer.trailers == TRAILERS and received.trailers == TRAILERS
            for message in (answer, received):
                length = message.header("content-length")
                assert length is None or int(length) == len(masked)


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_message_is_blocked(standard, world, protocol, upstream, shape):
    body, _ = values.document(values.EMAIL, values.AWS, filler=400)
    pieces = every(body, 97)
    standard.upstream.script(Response(pieces=pieces, headers=TEXT, **shape))
    answer = standard.exchange(Request(path="/x"), protocol, upstream)
    if world == "held":
        assert (answer.status, answer.complete) == (403, True)
    else:
        assert_cut(answer)
    standard.upstream.script(Response(body=b"stored"))
    answer = standard.exchange(Request(method="POST", path="/x", pieces=pieces, headers=TEXT, **shape), protocol, upstream)
    assert (answer.status, answer.complete) == (403, True)
    assert all(not received.complete and received.body == b"" for received in standard.upstream.received)


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_messages_without_a_body_pass_as_they_came(standard, protocol, upstream):
    kept = [("content-type", "text/plain"), ("etag", '"v1"')]
    cases = [
        ("HEAD", Response(status=200, headers=[*kept, ("content-length", "5000")])),
        ("GET", Response(status=204, headers=kept)),
        ("GET", Response(status=304, headers=kept)),
        ("GET", Response(status=200, headers=[*kept, ("content-length", "0")])),
        ("HEAD", Response(status=404, headers=kept)),
    ]
    with standard.connect(protocol, upstream) as guarded, standard.connect(protocol, upstream, bare=True) as bare:
        for method, response in cases:
            standard.upstream.script(response)
            answers = [client.exchange(Request(method=method, path="/x")) for client in (bare, guarded)]
            assert all(answer.complete and answer.body == b"" for answer in answers)
            seen = [[header for header in answer.headers if header[0] != "date"] for answer in answers]
            assert answers[0].status == response.status and seen[0] == seen[1]


def test_a_response_that_ends_with_its_connection_is_redacted(standard):
    body, masked = values.document(values.EMAIL, filler=3000)
    standard.upstream.script(Response(pieces=every(body, 500), framing="close", headers=TEXT))
    answer = standard.exchange(Request(path="/x"))
    assert (answer.complete, answer.body) == (True, masked)


@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_interim_responses_do_not_confuse_the_filter(standard, protocol):
    body, masked = values.document(values.EMAIL)
    interim = [(103, [("link", "</a.css>; rel=preload")])]
    standard.upstream.script(Response(body=body, headers=TEXT, interim=interim))
    headers = [*TEXT, ("expect", "100-continue")]
    answer = standard.exchange(Request(method="POST", path="/x", body=body, headers=headers), protocol)
    assert (answer.status, answer.error, answer.body) == (200, "", masked)
    assert standard.upstream.last().body == masked


def test_many_messages_on_one_connection_stay_apart(standard):
    """A wrong content-length would show at once: both readers are strict, and both connections are kept."""
    redacted, masked = values.document(values.EMAIL, values.SSN, filler=100)
    grows = b"[" + values.EMAIL_TINY.raw + b"]"
    grown = grows.replace(values.EMAIL_TINY.raw, values.EMAIL_TINY.masked.encode())
    shrinks = b"<" + values.JWT.raw + b">"
    shrunk = shrinks.replace(values.JWT.raw, values.JWT.masked.encode())
    turns = [(redacted, masked), (values.CLEAN, values.CLEAN), (grows, grown), (shrinks, shrunk), (b"", b""), (b"end", b"end")] * 3
    with standard.connect("h1", "h1") as client:
        for body, expected in turns:
            standard.upstream.script(Response(body=body, headers=TEXT))
            answer = client.exchange(Request(method="POST", path="/x", body=body, headers=TEXT))
            assert (answer.status, answer.error, answer.body) == (200, "", expected)
            received = standard.upstream.last()
            assert (received.method, received.error, received.body) == ("POST", "", expected)
        assert client.reader.buffer == b""


def test_many_streams_on_one_connection_do_not_mix(standard):
    failures = []

    def answer(request: Received) -> Response:
        mark = request.path.rpartition("/")[2].encode()
        return Response(pieces=every(b"<" + mark + b"> " + values.EMAIL.raw + b" " * 500, 50), headers=TEXT, framing="none")

    standard.upstream.script(answer)
    with standard.connect("h2", "h2") as client:

        def one(number: int) -> None:
            body = b"<%d> " % number + values.CARD.raw + b"." * 700
            got = client.exchange(Request(method="POST", path=f"/x/{number}", pieces=every(body, 60), headers=TEXT))
            expected = b"<%d> " % number + values.EMAIL.masked.encode() + b" " * 500
            if (got.status, got.body) != (200, expected):
                failures.append((number, got.status, got.error, got.body[:80]))

        threads = [threading.Thread(target=one, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert failures == []
    for received in standard.upstream.received:
        mark = received.path.rpartition("/")[2]
        assert received.body == f"<{mark}> {values.CARD.masked}".encode() + b"." * 700


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_client_that_goes_away_while_its_request_is_held_leaves_nothing_behind(standard, protocol, upstream):
    body, _ = values.document(values.EMAIL, filler=20_000)
    for _ in range(5):
        pieces = cut(body, 10_000)
        standard.upstream.script(Response(body=b"stored"))
        standard.exchange(Request(method="POST", path="/x", pieces=pieces, framing="none", abort=True), protocol, upstream)
        assert all(not received.complete and values.EMAIL.raw not in received.body for received in standard.upstream.received)
    wait_until(lambda: standard.metric("bodyguard_inflight_body_bytes") == 0, "held bytes to be given back")
    assert respond(standard, body, "/x", "text/plain").status == 200


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_client_that_goes_away_while_its_response_is_held_leaves_nothing_behind(standard, protocol, upstream):
    body, _ = values.document(values.EMAIL, filler=20_000)
    gone = threading.Event()
    sent = threading.Event()
    pieces = [body[:10_000], lambda _: sent.set() or gone.wait(5), body[10_000:]]
    standard.upstream.script(Response(pieces=pieces, headers=TEXT, framing="none"))
    client = standard.connect(protocol, upstream)
    thread = threading.Thread(target=client.exchange, args=(Request(path="/x"),), daemon=True)
    thread.start()
    assert sent.wait(5)
    time.sleep(0.05)
    client.close()
    time.sleep(0.05)
    gone.set()
    thread.join(10)
    wait_until(lambda: standard.metric("bodyguard_inflight_body_bytes") == 0, "held bytes to be given back")
    assert respond(standard, body, "/x", "text/plain").status == 200


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("framing", ["length", "none"])
def test_an_upstream_that_breaks_off_does_not_get_its_bytes_through_unread(standard, protocol, upstream, framing):
    body, _ = values.document(values.EMAIL, filler=20_000)
    headers = [*TEXT, ("content-length", str(len(body) + 100))] if framing == "length" else TEXT
    standard.upstream.script(Response(pieces=every(body, 5000), headers=headers, framing="none", abort=True))
    answer = standard.exchange(Request(path="/x"), protocol, upstream)
    assert values.EMAIL.raw not in answer.body
    assert not answer.complete or answer.status >= 500


def test_an_answer_before_the_end_of_the_request_does_no_harm(standard):
    body, masked = values.document(values.EMAIL, filler=500)
    standard.upstream.script(Response(body=body, headers=TEXT, early=True))
    pieces = [b"start ", lambda _: True, b"x" * 50_000, b" " + values.EMAIL.raw]
    for protocol, upstream in MATRIX:
        answer = standard.exchange(Request(method="POST", path="/requests-only", pieces=pieces, framing="none"), protocol, upstream)
        assert not answer.complete or answer.body == body
        answer = standard.exchange(Request(method="POST", path="/x", pieces=pieces, framing="none"), protocol, upstream)
        assert not answer.complete or answer.body == masked
    assert all(values.EMAIL.raw not in received.body for received in standard.upstream.received)


def test_a_request_that_envoy_tries_again_is_the_masked_one(run, world):
    hold = world == "held"
    again = {"retry_policy": {"retry_on": "5xx", "num_retries": 2}}
    envoy = run(Setup(policies.standard(hold), hold=hold, route=again))
    body, masked = values.document(values.EMAIL, filler=400)
    envoy.upstream.script(Response(status=503, body=b"not yet"), Response(body=body, headers=TEXT))
    answer = envoy.exchange(Request(method="POST", path="/x", body=body, headers=TEXT))
    assert (answer.status, answer.body) == (200, masked)
    assert [received.body for received in envoy.upstream.received] == [masked, masked]


def test_memory_does_not_grow_with_traffic(standard):
    """The VM's memory never shrinks; after a while it must not grow either."""
    body, masked = values.document(values.EMAIL, values.CARD, filler=100_000)
    seen = []
    with standard.connect() as client:
        for _ in range(3):
            for _ in range(60):
                standard.upstream.script(Response(body=body, headers=TEXT))
                answer = client.exchange(Request(method="POST", path="/x", body=body, headers=TEXT))
                assert answer.body == masked
            seen.append(standard.metric("bodyguard_vm_memory_bytes"))
    assert seen[0] == seen[2] < (128 << 20), seen
