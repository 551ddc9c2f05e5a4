"""Input that somebody chose to do harm (design section 9, host facts 0.1, 0.2): nobody may take the VM or the proxy down."""

from __future__ import annotations

import random

import pytest
import values
from harness.message import Request, Response, every
from test_verdicts import MATRIX, post, respond

ODD_VALUES = ["\xff\xfe", "\x80", "a\xc3(b", "\xed\xa0\x80", "%00%ff", "\t", "", "x" * 20_000]
READ_HEADERS = ["content-type", "content-encoding", "accept-encoding", "user-agent", "etag", "digest", "x-t", "te", "x-request-id"]


def still_well(envoy) -> None:
    """The worker's VM is alive: the next message is still inspected."""
    body, masked = values.document(values.EMAIL)
    answer = respond(envoy, body)
    assert (answer.status, answer.body) == (200, masked)


@pytest.mark.parametrize("name", READ_HEADERS)
@pytest.mark.parametrize("value", ODD_VALUES, ids=[f"odd-{n}" for n in range(len(ODD_VALUES))])
def test_header_values_of_any_bytes_are_survived(standard, name, value):
    body, _ = values.document(values.EMAIL)
    answer = post(standard, body, headers=[(name, value)], content_type="application/json")
    assert answer.status in (200, 400, 415), (answer.status, answer.error)
    respond(standard, body, headers=[(name, value)])
    still_well(standard)


@pytest.mark.parametrize("path", ["/\xff\xfe", "/%ff%fe", "/%", "/%2", "/a%zz", "/" + "../" * 500, "/" + "%2e%2e%2f" * 500, "//" * 2000, "/?" + "q" * 8000, "/#a", "/x;a=b"])
def test_paths_of_any_bytes_are_survived(standard, path):
    body, masked = values.document(values.EMAIL)
    standard.upstream.script(Response(body=b"stored"))
    answer = standard.exchange(Request(method="POST", path=path, body=body))
    assert answer.status in (200, 400), (answer.status, answer.error)
    if answer.status == 200:
        assert standard.upstream.last().body == masked
    still_well(standard)


@pytest.mark.parametrize("authority", ["\xff", "a:b:c", "[::1]:80", "user@unread.example.com", "UNREAD.example.com.", "unread.example.com:443", "." * 200, "*", "xn--\xff"])
def test_hosts_of_any_bytes_are_survived(standard, authority):
    body, _ = values.document(values.EMAIL)
    standard.exchange(Request(method="POST", path="/x", body=body, authority=authority))
    still_well(standard)


def test_bodies_of_any_bytes_pass_unchanged(standard):
    chance = random.Random(1)
    for protocol, upstream in MATRIX:
        with standard.connect(protocol, upstream) as client:
            for _ in range(15):
                body = chance.randbytes(chance.randrange(1, 30_000))
                pieces = every(body, chance.randrange(1, 9000))
                for content_type in ("application/json", "application/octet-stream"):
                    headers = [("content-type", content_type)]
                    standard.upstream.script(Response(pieces=pieces, headers=headers, framing="none"))
                    answer = client.exchange(Request(method="POST", path="/x", pieces=pieces, headers=headers, framing="none"))
                    assert (answer.status, answer.error, answer.body) == (200, "", body)
                    assert standard.upstream.last().body == body


STUBBORN = {
    "digits": b"4" * 300_000,
    "at signs": b"@" * 300_000,
    "pem headers": (b"-----BEGIN " + b"PRIVATE KEY-----\n") * 10_000,
    "jwt starts": b"eyJ" * 100_000,
    "dots behind an at sign": b"a@" + b"." * 300_000,
    "open brackets": b"[" * 300_000,
    "open quotes": b'"' * 300_001,
    "backslashes": b'"' + b"\\" * 300_000,
    "zeros": bytes(300_000),
}


@pytest.mark.parametrize("body", STUBBORN.values(), ids=STUBBORN)
def test_stubborn_bodies_are_read_in_good_time(standard, body):
    answer = respond(standard, body)
    assert (answer.status, answer.error, answer.body) == (200, "", body)
    assert answer.body_at - answer.head_at < 5
    still_well(standard)


def test_a_body_full_of_findings_is_masked_to_the_last(standard):
    row = values.CARD_SPACED.raw + b"\n"
    body = row * 10_000
    answer = respond(standard, body, content_type="text/plain")
    assert answer.body == (values.CARD_SPACED.masked.encode() + b"\n") * 10_000
