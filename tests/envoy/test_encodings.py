"""Content encodings (design 3.6): what we can decode is inspected, what we cannot follows fail_mode, and bombs are cut off."""

from __future__ import annotations

import gzip
import random
import zlib

import brotli
import policies
import pytest
import values
import zstandard
from harness.message import Request, Response, every
from test_verdicts import assert_block_reply, assert_request_blocked, assert_response_blocked, post, respond


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


def stored(body: bytes) -> bytes:
    return gzip.compress(body, 0)


def members(body: bytes) -> bytes:
    third = len(body) // 3
    return b"".join(gzip.compress(part) for part in (body[:third], body[third : 2 * third], body[2 * third :]))


def with_name(body: bytes) -> bytes:
    """A member with every optional field: extra, name, comment, header checksum."""
    plain = gzip.compress(body)
    head = plain[:3] + bytes([0x1E]) + plain[4:10] + b"\x04\x00ABCD" + b"name\0" + b"comment\0"
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + plain[10:]


# A zstd frame that decoders skip: a place for bytes that nobody scans.
SKIPPABLE = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"skip!"


def frames(body: bytes) -> bytes:
    half = len(body) // 2
    return zstandard.compress(body[:half]) + zstandard.compress(body[half:], 19)


CODINGS = [
    ("gzip", gzip.compress),
    ("gzip", stored),
    ("gzip", members),
    ("gzip", with_name),
    ("x-gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
    ("zstd", frames),
    ("identity", bytes),
]
NAMES = [f"{coding} {encode.__name__}" for coding, encode in CODINGS]


def decoded(message) -> bytes:
    """What a peer understands, by what the message says of itself."""
    coding = (message.header("content-encoding") or "identity").lower()
    if coding in ("gzip", "x-gzip"):
        return gzip.decompress(message.body)
    if coding == "deflate":
        try:
            return zlib.decompress(message.body)
        except zlib.error:
            return zlib.decompress(message.body, -15)
    if coding == "br":
        return brotli.decompress(message.body)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress(message.body)
    assert coding == "identity", coding
    return message.body


@pytest.mark.parametrize("coding, encode", CODINGS, ids=NAMES)
def test_an_encoded_body_is_redacted_and_says_truly_how_it_is_encoded(standard, coding, encode):
    body, masked = values.document(values.EMAIL, values.CARD, filler=5000)
    headers = [("content-encoding", coding)]
    answer = respond(standard, encode(body), headers=headers)
    assert (answer.status, answer.error) == (200, "")
    assert decoded(answer) == masked
    assert post(standard, encode(body), headers=headers).status == 200
    assert decoded(standard.upstream.last()) == masked


@pytest.mark.parametrize("coding, encode", CODINGS, ids=NAMES)
def test_an_encoded_body_is_blocked(standard, world, coding, encode):
    body, _ = values.document(values.AWS, filler=5000)
    headers = [("content-encoding", coding)]
    assert_response_blocked(world, respond(standard, encode(body), headers=headers), "body.dlp_block:aws_access_key")
    assert_request_blocked(world, standard, post(standard, encode(body), headers=headers), "body.dlp_block:aws_access_key")


@pytest.mark.parametrize("coding, encode", CODINGS, ids=NAMES)
def test_a_clean_encoded_body_means_the_same_afterwards(standard, world, coding, encode):
    encoded = encode(values.CLEAN)
    answer = respond(standard, encoded, headers=[("content-encoding", coding)])
    assert (answer.status, answer.error, decoded(answer)) == (200, "", values.CLEAN)
    if world == "held":
        assert (answer.body, answer.header("content-encoding")) == (encoded, coding)
    answer = respond(standard, encoded, "/block-only", headers=[("content-encoding", coding)])
    assert (answer.body, answer.header("content-encoding")) == (encoded, coding), "nothing there can change, in either world"


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_an_encoded_body_may_arrive_in_any_pieces(standard, size):
    body, masked = values.document(values.EMAIL, filler=200)
    standard.upstream.script(Response(pieces=every(members(body), size), headers=[("content-encoding", "gzip")], framing="none"))
    answer = standard.exchange(Request(path="/x"), "h2", "h2")
    assert decoded(answer) == masked


def _broken() -> list[tuple[str, str, bytes]]:
    body, _ = values.document(values.EMAIL, filler=2000)
    good = gzip.compress(body)
    flipped = good[:40] + bytes([good[40] ^ 0xFF]) + good[41:]
    return [
        ("cut off", "gzip", good[:-20]),
        ("wrong checksum", "gzip", good[:-8] + bytes(4) + good[-4:]),
        ("a flipped byte", "gzip", flipped),
        ("not gzip at all", "gzip", body),
        ("garbage behind the end", "gzip", good + b"<script>" + values.AWS.raw),
        ("br cut off", "br", brotli.compress(body)[:-20]),
        ("br with garbage behind the end", "br", brotli.compress(body) + values.AWS.raw),
        ("not br at all", "br", b"\xff" * 100),
        ("zstd cut off", "zstd", zstandard.compress(body)[:-20]),
        ("zstd with garbage behind the end", "zstd", zstandard.compress(body) + values.AWS.raw),
        ("zstd with a frame that is skipped", "zstd", zstandard.compress(body) + SKIPPABLE),
        ("zstd with a wrong checksum", "zstd", zstandard.ZstdCompressor(write_checksum=True).compress(body)[:-4] + bytes(4)),
        ("not zstd at all", "zstd", body),
        ("not deflate at all", "deflate", b"\xff" * 100),
    ]


def _unknown() -> list[tuple[str, str, bytes]]:
    packed = gzip.compress(values.document(values.EMAIL)[0])
    return [("compress", "compress", packed), ("two codings", "gzip, gzip", gzip.compress(packed)), ("nonsense", "x" * 300, packed)]


BAD = [(name, coding, body, 400) for name, coding, body in _broken()] + [(name, coding, body, 415) for name, coding, body in _unknown()]
BAD_NAMES = [name for name, *_ in BAD]


@pytest.mark.parametrize("name, coding, body, status", BAD, ids=BAD_NAMES)
def test_what_cannot_be_decoded_is_refused_when_failing_closed(standard, world, name, coding, body, status):
    headers = [("content-encoding", coding)]
    answer = respond(standard, body, headers=headers)
    if status == 415:
        assert_block_reply(answer, "body.undecodable", "response", 502)  # its head says it all, and is still ours in either world
    else:
        assert_response_blocked(world, answer, "body.undecodable", 502)
    assert_request_blocked(world, standard, post(standard, body, headers=headers), "body.undecodable", status)


@pytest.mark.parametrize("path", ["/fail-open", "/detect", "/shadow"])
@pytest.mark.parametrize("name, coding, body, status", BAD, ids=BAD_NAMES)
def test_what_cannot_be_decoded_passes_unchanged_and_counted_when_failing_open_or_observing(standard, path, name, coding, body, status):
    reason = "corrupt" if status == 400 else "content_encoding"
    before = standard.metric("bodyguard_uninspected_total", reason=reason)
    headers = [("content-encoding", coding)]
    answer = respond(standard, body, path, headers=headers)
    assert (answer.status, answer.error, answer.body) == (200, "", body)
    assert answer.header("content-encoding") == coding
    assert post(standard, body, path, headers=headers).status == 200
    received = standard.upstream.last()
    assert (received.body, received.header("content-encoding")) == (body, coding)
    assert standard.metric("bodyguard_uninspected_total", reason=reason) == before + 2


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_is_cut_off_at_the_cap(standard, world, coding):
    # 200 MB in 200 KB or far less; the cap is 8 MiB.
    zeros = bytes(200 << 20)
    bomb = {"gzip": lambda: gzip.compress(zeros, 1), "br": lambda: brotli.compress(zeros, quality=1), "zstd": lambda: zstandard.compress(zeros)}[coding]()
    del zeros
    headers = [("content-encoding", coding)]
    assert_response_blocked(world, respond(standard, bomb, headers=headers), "body.truncated", 502)
    assert_request_blocked(world, standard, post(standard, bomb, headers=headers), "body.truncated", 413)
    assert standard.metric("bodyguard_vm_memory_bytes") < 100 * policies.MIB


def test_random_bytes_called_gzip_harm_nobody(standard):
    chance = random.Random(7)
    for _ in range(30):
        body = b"\x1f\x8b\x08" + chance.randbytes(chance.randrange(400))
        answer = post(standard, body, headers=[("content-encoding", chance.choice(["gzip", "deflate"]))])
        assert answer.status in (200, 400, 403), answer.error


NARROWED = ["compress", "gzip, deflate, compress, exi", "compress;q=1.0, gzip;q=0.8, *;q=0.1", "exi, identity;q=0.5", "*"]


@pytest.mark.parametrize("offer", NARROWED)
def test_what_a_client_accepts_is_narrowed_to_what_we_can_decode(standard, offer):
    standard.upstream.script(Response(body=b"ok"))
    standard.exchange(Request(path="/x", headers=[("accept-encoding", offer)]))
    seen = standard.upstream.last().header("accept-encoding")
    known = {"gzip", "x-gzip", "deflate", "identity", "br", "zstd"}
    tokens = {token.split(";")[0].strip().lower(): token for token in (seen or "").split(",") if token.strip()}
    assert seen is not None, "without the header an upstream may choose any coding"
    for name, token in tokens.items():
        assert name in known or token.replace(" ", "").endswith((";q=0", ";q=0.0")), seen
    if "gzip" in offer:
        assert "gzip" in tokens


@pytest.mark.parametrize("path", ["/off", "/requests-only", "/healthz"])
def test_what_a_client_accepts_is_left_alone_where_responses_are_not_read(standard, path):
    standard.upstream.script(Response(body=b"ok"))
    standard.exchange(Request(path=path, headers=[("accept-encoding", "compress, exi")]))
    assert standard.upstream.last().header("accept-encoding") == "compress, exi"
