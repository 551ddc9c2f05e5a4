"""`streamed` (design section 5): bytes leave as soon as they can no longer be part of a finding, and no cap applies."""

from __future__ import annotations

import gzip
import random

import pytest
import values
from harness.message import Received, Request, Response, cut, every
from test_encodings import decoded
from test_protocol import SHAPES, TEXT
from test_verdicts import MATRIX, post, respond

PATH = "/streamed"
BODY, MASKED = values.document(*values.REDACTED, filler=60)


# Trailers that are announced: what is held when they come can be given back only if the filter expects them.
ANNOUNCED = [*TEXT, ("trailer", "x-sum, x-odd"), ("te", "trailers")]
AT_THE_END = b"write to " + values.EMAIL.raw, b"write to " + values.EMAIL.masked.encode()


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_message_is_masked_as_it_flows(standard, protocol, upstream, shape):
    headers = ANNOUNCED if "trailers" in shape else TEXT
    for body, masked in ((BODY, MASKED), (values.CLEAN, values.CLEAN), (b"x", b"x"), (b"", b""), AT_THE_END):
        pieces = every(body, 97)
        standard.upstream.script(Response(pieces=pieces, headers=headers, **shape))
        request = Request(method="POST", path=PATH, pieces=pieces, headers=headers, **shape)
        with standard.connect(protocol, upstream) as client:
            for _ in range(2):
                answer = client.exchange(request)
                assert (answer.status, answer.error, answer.body) == (200, "", masked)
                received = standard.upstream.last()
                assert (received.complete, received.error, received.body) == (True, "", masked)


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_message_whose_trailers_nobody_announced_is_whole_or_refused_but_never_shortened(standard, protocol, upstream):
    for body, masked in ((b"x", b"x"), AT_THE_END):
        shape = {"framing": "none", "trailers": [("x-sum", "1")], "headers": TEXT}
        standard.upstream.script(Response(body=body, **shape))
        answer = standard.exchange(Request(path=PATH), protocol, upstream)
        assert values.EMAIL.raw not in answer.body
        assert not answer.complete or answer.status == 502 or answer.body == masked
        standard.upstream.script(Response(body=b"stored"))
        answer = standard.exchange(Request(method="POST", path=PATH, body=body, **shape), protocol, upstream)
        assert answer.status in (200, 413)
        for received in standard.upstream.received:
            assert values.EMAIL.raw not in received.body
            assert not received.complete or received.body == masked


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_every_cut_gives_the_bytes_that_buffering_gives(standard, protocol, upstream):
    chance = random.Random(f"streamed {protocol} {upstream}")
    json = [("content-type", "application/json")]
    with standard.connect(protocol, upstream) as client:
        for _ in range(40):
            cuts = [[chance.randrange(1, len(BODY)) for _ in range(chance.choice([1, 2, 5, 60]))] for _ in range(2)]
            pause = 0.001 if max(map(len, cuts)) < 9 else 0.0
            standard.upstream.script(Response(pieces=cut(BODY, *cuts[0]), headers=json, framing="none", pause=pause))
            request = Request(method="POST", path=PATH, pieces=cut(BODY, *cuts[1]), headers=json, framing="none", pause=pause)
            answer = client.exchange(request)
            assert (answer.status, answer.error, answer.body) == (200, "", MASKED), f"response cut at {cuts[0]}"
            assert standard.upstream.last().body == MASKED, f"request cut at {cuts[1]}"


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_clean_text_is_not_held(standard, protocol, upstream):
    answer = Received()
    lines = [b"a line of clean text, number %d\n" % number for number in range(4)]
    pieces = []
    for number, line in enumerate(lines, 1):
        pieces += [line, lambda _, until=b"".join(lines[:number]): answer.body == until]
    standard.upstream.script(Response(pieces=pieces, headers=TEXT, framing="none", end_on_last=False))
    standard.exchange(Request(path=PATH), protocol, upstream, answer=answer)
    assert (answer.status, answer.error, answer.body) == (200, "", b"".join(lines))


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_blocked_stream_is_cut_before_the_first_byte_of_its_finding(standard, protocol, upstream):
    body = b"clean text first, and enough of it to be let go. " * 20 + values.AWS.raw + b" and more behind" * 100
    for size in (7, 64, 1000):
        standard.upstream.script(Response(pieces=every(body, size), headers=TEXT, framing="none"))
        answer = standard.exchange(Request(path=PATH), protocol, upstream)
        assert b"AKIA" not in answer.body and b"behind" not in answer.body
        assert not answer.complete or answer.status == 403
        request = Request(method="POST", path=PATH, pieces=every(body, size), headers=TEXT, framing="none")
        standard.upstream.script(Response(body=b"stored"))
        answer = standard.exchange(request, protocol, upstream)
        assert answer.status == 403 or not answer.complete
        assert all(b"AKIA" not in received.body and not received.complete for received in standard.upstream.received)


def test_a_short_message_is_refused_like_a_buffered_one(held):
    """Nothing has been sent yet, so the reply is the clean one."""
    body, _ = values.document(values.AWS)
    answer = respond(held, body, PATH)
    assert (answer.status, answer.header("x-bodyguard-code")) == (403, "body.dlp_block:aws_access_key")
    answer = post(held, body, PATH)
    assert (answer.status, answer.header("x-bodyguard-code")) == (403, "body.dlp_block:aws_access_key")


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_length_does_not_matter(standard, protocol, upstream):
    """12 MB: over the policy's cap of 8 MiB and over Envoy's buffer, in both directions."""
    body = (b"lorem ipsum dolor sit amet " * 40 + values.EMAIL.raw + b"\n") * 11_000
    masked = body.replace(values.EMAIL.raw, values.EMAIL.masked.encode())
    standard.upstream.script(Response(pieces=every(body, 60_000), framing="none", headers=TEXT))
    request = Request(method="POST", path=PATH, pieces=every(body, 60_000), framing="none", headers=TEXT)
    answer = standard.exchange(request, protocol, upstream)
    assert (answer.status, answer.error, len(answer.body)) == (200, "", len(masked))
    assert answer.body == masked and standard.upstream.last().body == masked
    assert standard.metric("bodyguard_inflight_body_bytes") == 0


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_an_encoded_stream_is_masked_and_says_truly_how_it_is_encoded(standard, size):
    packed = gzip.compress(BODY)
    headers = [*TEXT, ("content-encoding", "gzip")]
    standard.upstream.script(Response(pieces=every(packed, size), headers=headers, framing="none"))
    answer = standard.exchange(Request(path=PATH), "h2", "h2")
    assert (answer.status, answer.error, decoded(answer)) == (200, "", MASKED)
    request = Request(method="POST", path=PATH, pieces=every(packed, size), headers=headers, framing="none")
    assert standard.exchange(request, "h2", "h2").status == 200
    assert decoded(standard.upstream.last()) == MASKED


def test_an_encoded_stream_that_breaks_does_not_end_well(standard):
    packed = gzip.compress(BODY * 50)
    headers = [*TEXT, ("content-encoding", "gzip")]
    for bad in (packed[:-20], packed[: len(packed) // 2] + b"\xff" * 300):
        standard.upstream.script(Response(pieces=every(bad, 100), headers=headers, framing="none"))
        answer = standard.exchange(Request(path=PATH), "h2", "h2")
        assert not answer.complete or answer.status == 502


def test_findings_of_a_stream_are_counted_like_those_of_a_buffer(standard):
    counts = {}
    for path in ("/x", PATH):
        before = {kind: standard.metric("bodyguard_findings_total", kind=kind, action="redact") for kind in ("email", "credit_card", "ssn", "jwt")}
        mark = standard.log_mark()
        respond(standard, BODY, path)
        counts[path] = {kind: standard.metric("bodyguard_findings_total", kind=kind, action="redact") - old for kind, old in before.items()}
        [event] = standard.events(mark)
        assert (event["verdict"], event["path"]) == ("redacted", path)
    assert counts["/x"] == counts[PATH] and counts[PATH]["credit_card"] == 3
