"""Bodies that flow (design section 5): the same bytes as buffered ones, at once, without a cap; and what must not leave in pieces."""

from __future__ import annotations

import gzip
import hashlib
import random
import time
import zlib

import brotli
import policies
import pytest
import values
import zstandard
from harness.config import Setup
from harness.message import Received, Request, Response, cut, every
from test_verdicts import MATRIX, assert_block_reply

STREAMED = {"request_body_mode": "streamed", "response_body_mode": "streamed"}
BUFFERED = {"request_body_mode": "buffered", "response_body_mode": "buffered"}
ROUTES = {
    "/streamed": STREAMED,
    "/buffered": BUFFERED,
    "/uncapped": {**STREAMED, "max_request_body_bytes": 0, "max_response_body_bytes": 0},
    "/same-length": {**STREAMED, "checks": {"body": {"dlp": {**policies.DLP, "mask": "same_length"}}}},
    "/by-kind": {"checks": {"body": {"dlp": {**policies.DLP, "mask": {"email": "same_length"}}}}},
    "/ranges-allowed": {"ranges": "allow", "fail_mode": "fail_open"},
    "/no-upgrades": {"upgrades": "deny"},
    "/no-upgrades-shadow": {"upgrades": "deny", "mode": "shadow"},
}
JSON = [("content-type", "application/json")]
TEXT = [("content-type", "text/plain")]
BODY, MASKED = values.document(*values.REDACTED, filler=60)
# Near misses: what looks like the beginning of a finding and is none.
MISSES = b"ada@ 4111 1111 1111 1112 eyJ0 -----BEGIN xoxb- 078-05 AKIA ghp_ 1732226400000 "


@pytest.fixture
def flowing(run, world):
    return run(Setup(policies.policy(world == "held", ROUTES), hold=world == "held"))


@pytest.mark.parametrize("protocol, upstream", [("h1", "h1"), ("h2", "h2")])
def test_a_thousand_cuts_give_the_bytes_of_a_buffered_body(flowing, protocol, upstream):
    chance = random.Random(f"{protocol} {upstream}")
    cuts_made = 0
    with flowing.connect(protocol, upstream) as client:
        for number in range(130):
            parts = [BODY, MISSES, b"\n", MISSES[: chance.randrange(len(MISSES))]]
            chance.shuffle(parts)
            body = b"".join(parts)
            content_type = chance.choice([JSON, TEXT, []])
            flowing.upstream.script(Response(body=body, headers=content_type))
            expected = client.exchange(Request(path="/buffered")).body
            packed, coding = chance.choice([(body, []), (body, []), (gzip.compress(body, 1), [("content-encoding", "gzip")])])
            cuts = [chance.randrange(1, len(packed)) for _ in range(chance.choice([1, 2, 3, 8, 40]))]
            cuts_made += len(cuts)
            # In HTTP/1.1 pieces that come at once are one piece for Envoy: keep some apart.
            way = {"headers": [*content_type, *coding], "framing": chance.choice(["length", "none"]), "pause": chance.choice([0, 0.0005])}
            flowing.upstream.script(Response(pieces=cut(packed, *cuts), end_on_last=chance.random() < 0.5, **way))
            answer = client.exchange(Request(method="POST", path="/streamed", pieces=cut(packed, *cuts), **way))
            assert (answer.status, answer.error) == (200, "")
            assert answer.body == expected, f"response {number} cut at {cuts}"
            assert flowing.upstream.last().body == expected, f"request {number} cut at {cuts}"
    assert cuts_made >= 1000


def live(flowing, events: list[bytes], content_type: str, protocol: str, upstream: str, path: str = "/x", headers=(), expected=None):
    """Sends each event once the client has all of those before, as they are expected; the answer, and the delays in seconds."""
    expected = expected or events
    answer, delays = Received(), []

    def arrived(number: int, sent: list[float]):
        def check(_) -> bool:
            if answer.body != b"".join(expected[: number + 1]):
                return False
            delays.append(time.monotonic() - sent[0])
            return True

        def started(_) -> bool:
            sent[0] = sent[0] or time.monotonic()
            return True

        return started, check

    pieces = []
    for number, event in enumerate(events):
        started, check = arrived(number, [0.0])
        pieces += [started, event, check]
    flowing.upstream.script(Response(pieces=pieces, headers=[("content-type", content_type), *headers], framing="none"))
    flowing.exchange(Request(path=path), protocol, upstream, answer=answer)
    return answer, delays


LIVE = {
    "text/event-stream": [b'data: {"created":%d,"text":"to"}\n\n', b"data: %d\n\n", b'event: a\ndata: {"t":%d}\n\n'],
    "application/x-ndjson": [b'{"t":%d}\n', b"[%d]\n", b'{"by":"ada@ex","at":%d}\r\n'],
    "multipart/x-mixed-replace; boundary=x": [b"--x\r\nContent-Type: text/plain\r\n\r\n%d\r\n"],
}


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("content_type", LIVE)
def test_each_event_is_there_before_the_next_one_is_sent(flowing, protocol, upstream, content_type):
    """Events that end in a number of 13 digits, as times do: it could be the beginning of a card number, but for the line end."""
    shapes = LIVE[content_type]
    events = [shapes[number % len(shapes)] % (1732226400000 + number) for number in range(12)]
    answer, delays = live(flowing, events, content_type, protocol, upstream)
    assert (answer.status, answer.error, answer.body) == (200, "", b"".join(events))
    assert sorted(delays)[6] < 0.05, delays


@pytest.mark.parametrize("protocol, upstream", [("h1", "h1"), ("h2", "h2")])
def test_a_masked_event_is_there_at_once_too(flowing, protocol, upstream):
    events = [b'data: {"mail":"%s"}\n\n' % values.EMAIL.raw, b"data: %s\n\n" % values.SSN.raw, b"data: %s\n\n" % values.CARD.raw]
    expected = [b'data: {"mail":"%s"}\n\n' % values.EMAIL.masked.encode(), b"data: %s\n\n" % values.SSN.masked.encode(),
                b"data: %s\n\n" % values.CARD.masked.encode()]  # fmt: skip
    answer, delays = live(flowing, events, "text/event-stream", protocol, upstream, expected=expected)
    assert (answer.error, answer.body) == ("", b"".join(expected))
    assert sorted(delays)[1] < 0.05, delays


def flushed(coding: str, events: list[bytes]) -> list[bytes]:
    """The events under a coding, flushed behind each; the last piece ends the body."""
    if coding == "br":
        packer = brotli.Compressor()
        pieces = [packer.process(event) + packer.flush() for event in events]
        return [*pieces[:-1], pieces[-1] + packer.finish()]
    if coding == "zstd":
        packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
        pieces = [packer.compress(event) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for event in events]
        return [*pieces[:-1], pieces[-1] + packer.flush()]
    packer = zlib.compressobj(6, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    pieces = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in events]
    return [*pieces[:-1], pieces[-1] + packer.flush(zlib.Z_FINISH)]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("protocol, upstream", [("h1", "h1"), ("h2", "h2")])
def test_an_encoded_stream_is_decoded_as_it_flows(flowing, protocol, upstream, coding):
    events = [b"data: token %d\n\n" % number for number in range(6)] + [b"data: %s\n\n" % values.EMAIL.raw]
    expected = [*events[:-1], b"data: %s\n\n" % values.EMAIL.masked.encode()]
    packed = flushed(coding, events)
    answer, _ = live(flowing, packed, "text/event-stream", protocol, upstream, headers=[("content-encoding", coding)], expected=expected)
    assert (answer.status, answer.error, answer.body) == (200, "", b"".join(expected))
    assert answer.header("content-encoding") is None


@pytest.mark.parametrize("coding, broken", [("gzip", lambda packed: packed[:-12]), ("br", lambda packed: packed[:-4]), ("zstd", lambda packed: packed[:-4])])
def test_a_corrupt_stream_is_cut(flowing, coding, broken):
    packed = b"".join(flushed(coding, [b"line %d\n" % number for number in range(300)]))
    flowing.upstream.script(Response(pieces=every(broken(packed), 200), headers=[*TEXT, ("content-encoding", coding)], framing="none"))
    answer = flowing.exchange(Request(path="/streamed"), "h2", "h2")
    assert not answer.complete and answer.error


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_body_of_any_length_flows_in_little_memory(flowing, protocol, upstream):
    block = (b"lorem ipsum dolor sit amet, consectetur adipiscing elit %d\n" % 7) * 300
    pieces = [block] * 400
    assert sum(map(len, pieces)) > 6_000_000
    flowing.upstream.script(Response(pieces=[block], headers=TEXT, framing="none"))
    flowing.exchange(Request(path="/uncapped"))
    before = flowing.metric("bodyguard_vm_memory_bytes")
    flowing.upstream.script(Response(pieces=pieces, headers=TEXT, framing="none"))
    answer = flowing.exchange(Request(path="/uncapped"), protocol, upstream)
    assert (answer.status, answer.error) == (200, "")
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(b"".join(pieces)).digest()
    # Envoy may hand over a megabyte at once.
    assert flowing.metric("bodyguard_vm_memory_bytes") - before < 8 << 20
    assert flowing.metric("bodyguard_inflight_body_bytes") == 0


def test_a_block_is_a_reply_while_nothing_has_left_and_a_cut_after_that(flowing, world):
    line = b"a line without anything\n"
    flowing.upstream.script(Response(pieces=[values.AWS.raw + b"\n", line], headers=TEXT, framing="none"))
    answer = flowing.exchange(Request(path="/streamed"), "h2", "h2")
    if world == "held":
        assert_block_reply(answer, "body.dlp_block:aws_access_key", "response")
    else:
        assert not answer.complete and answer.body == b""
    watched = Received()
    flowing.upstream.script(
        Response(pieces=[line, lambda _: watched.body == line, values.AWS.raw[:9], values.AWS.raw[9:], b"\n"], headers=TEXT, framing="none")
    )
    flowing.exchange(Request(path="/streamed"), "h2", "h2", answer=watched)
    assert not watched.complete and watched.body == line
    flowing.upstream.script(Response(body=b"stored"))
    request = Request(method="POST", path="/streamed", pieces=[line, values.AWS.raw + b"\n"], headers=TEXT, framing="none", pause=0.05)
    assert_block_reply(flowing.exchange(request, "h2", "h2"), "body.dlp_block:aws_access_key", "request")


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_what_is_held_when_announced_trailers_come_is_given_back(flowing, protocol, upstream):
    pieces = [b"first line\n", b"write to " + values.EMAIL.raw[:9], values.EMAIL.raw[9:]]
    headers = [*TEXT, ("trailer", "x-sum")]
    flowing.upstream.script(Response(pieces=pieces, headers=headers, framing="none", trailers=[("x-sum", "1")], pause=0.02))
    answer = flowing.exchange(Request(path="/streamed", headers=[("te", "trailers")]), protocol, upstream)
    assert (answer.status, answer.error, answer.body) == (200, "", b"first line\nwrite to " + values.EMAIL.masked.encode())
    assert ("x-sum", "1") in answer.trailers


def test_masks_keep_the_length_where_the_policy_or_the_body_wants_it(flowing):
    body = b"to " + values.EMAIL.raw + b" of " + values.SSN.raw
    hidden = b"to ****.***@*******.*** of ***-**-****"
    by_kind = b"to ****.***@*******.*** of " + values.SSN.masked.encode()
    rows = [
        ("/same-length", "text/plain", hidden), ("/by-kind", "text/plain", by_kind), ("/x", "application/octet-stream", hidden),
        ("/streamed", "application/x-protobuf", hidden), ("/buffered", "application/msgpack", hidden),
    ]  # fmt: skip
    for path, content_type, expected in rows:
        flowing.upstream.script(Response(body=body, headers=[("content-type", content_type), ("etag", '"1"')]))
        answer = flowing.exchange(Request(path=path))
        assert (answer.body, answer.error) == (expected, ""), path
        assert answer.header("etag") is None
        if path != "/by-kind":
            assert answer.header("content-length") == str(len(body)), path


def test_ranges_are_stripped_and_parts_are_not_inspected(flowing, world):
    part = [("content-range", "bytes 0-9/99"), *TEXT]
    asked = [("range", "bytes=0-9"), ("if-range", '"1"')]
    flowing.upstream.script(Response(body=values.EMAIL.raw, status=206, headers=part))
    assert_block_reply(flowing.exchange(Request(path="/x", headers=asked)), "body.undecodable", "response", 502)
    seen = flowing.upstream.last()
    assert (seen.header("range"), seen.header("if-range")) == (None, None)
    before = flowing.metric("bodyguard_uninspected_total", reason="content_type")
    flowing.upstream.script(Response(body=values.EMAIL.raw, status=206, headers=part))
    answer = flowing.exchange(Request(path="/ranges-allowed", headers=asked))
    assert (answer.status, answer.body) == (206, values.EMAIL.raw)
    assert flowing.upstream.last().header("range") == "bytes=0-9"
    assert flowing.metric("bodyguard_uninspected_total", reason="content_type") == before + 1


def test_an_upgrade_is_refused_where_the_policy_denies_it(flowing):
    headers = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "x"), ("sec-websocket-version", "13")]
    switching = Response(status=101, headers=headers[:2], pieces=[b"frame"], early=True)
    flowing.upstream.script(switching)
    assert_block_reply(flowing.exchange(Request(path="/no-upgrades", headers=headers)), "body.upgrade_denied", "request")
    assert flowing.upstream.received == []
    flowing.upstream.script(switching)
    before = flowing.metric("bodyguard_messages_total", direction="request", verdict="would_block")
    answer = flowing.exchange(Request(path="/no-upgrades-shadow", headers=headers, pieces=[b"x"], framing="close"))
    assert (answer.status, answer.body) == (101, b"frame")
    assert flowing.metric("bodyguard_messages_total", direction="request", verdict="would_block") == before + 1


def test_an_observed_stream_is_never_cut(run):
    routes = {"/": {**STREAMED, "mode": "shadow"}}
    shadow = run(Setup(policies.policy(False, routes), hold=False))
    body = b"first\n" + values.AWS.raw + b"\n" + values.EMAIL.raw + b"\n"
    shadow.upstream.script(Response(pieces=every(body, 5), headers=TEXT, framing="none"))
    answer = shadow.exchange(Request(path="/x"), "h2", "h2")
    assert (answer.status, answer.error, answer.body) == (200, "", body.replace(values.EMAIL.raw, values.EMAIL.masked.encode()))
