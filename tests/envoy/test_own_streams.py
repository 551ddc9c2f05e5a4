"""A policy's own kinds in bodies that flow, thresholds in their middle, and places in JSON, whole and as it flows."""

from __future__ import annotations

import json

import policies
import pytest
from harness.config import Setup
from harness.message import Received, Request, Response, every
from test_verdicts import MATRIX, assert_cut, post, respond

DETECTORS = {
    "part_number": {"regex": "PN-[0-9]{6}"},
    "case": {"regex": "K[0-9]{4}", "near": {"words": ["secret"], "within": 40}},
    "patient": {"regex": "MRN[0-9]{8}", "mask": {"keep_last": 2}},
    "member": {"regex": "MEM-[0-9]{4}", "paths": ["$.user", "rows[*].id"], "except_paths": ["public"]},
    "grades": {"json_keys": ["grade", "gpa"]},
    "mass_export": {"large_array": {"min_items": 5}},
    "email": {"except_regex": [r"@example\.com$"]},
}
DLP = {
    "direction": "both",
    "block": ["part_number", "case", "patient", "mass_export"],
    "redact": ["patient", "member", "grades", "email"],
    "min_findings": {"patient": 3},
}
STREAMED = {"request_body_mode": "streamed", "response_body_mode": "streamed"}
HOOK = {"checks": {"body": {"detect_sensitive_data": True}}}
ROUTES = {"/streamed": STREAMED, "/hook": HOOK, "/hook-streamed": {**HOOK, **STREAMED}}
DEFAULTS = {**policies.DEFAULTS, "checks": {"body": {"dlp": DLP}}}
TEXT = [("content-type", "text/plain")]
LINES = [b"line %d of nothing of interest\n" % number for number in range(3)]


@pytest.fixture
def flowing(run, world):
    hold = world == "held"
    return run(Setup(policies.policy(hold, ROUTES, DEFAULTS, detectors=DETECTORS), hold=hold))


def watched(answer: Received, *pieces: bytes, seen: list[bytes]) -> list:
    """The pieces, none of which is sent before the client has what is `seen` by then."""
    return [part for number, piece in enumerate(pieces) for part in (lambda _, n=number: answer.body == b"".join(seen[:n]), piece)]


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_an_own_kind_that_blocks_cuts_a_stream_before_its_first_byte(flowing, protocol, upstream):
    value = b"part PN-123456 and more"
    for at in (6, 8, 13):
        answer = Received()
        pieces = watched(answer, LINES[0], LINES[1], value[:at], seen=LINES)[:5] + [value[:at], value[at:], LINES[2]]
        flowing.upstream.script(Response(pieces=pieces, headers=TEXT, framing="none", pause=0.01))
        flowing.exchange(Request(path="/streamed"), protocol, upstream, answer=answer)
        assert not answer.complete, at
        assert (b"".join(LINES[:2]) + b"part ").startswith(answer.body) and answer.body.startswith(b"".join(LINES[:2])), at


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_what_only_a_word_behind_it_makes_a_finding_waits_for_it(flowing, protocol, upstream):
    for behind, blocked in ((b" is no such thing, whatever may follow it here, secret or not\n", False), (b" is a secret\n", True)):
        answer = Received()
        pieces = watched(answer, LINES[0], b"K1234", seen=LINES) + [behind[:6], behind[6:], LINES[1]]
        flowing.upstream.script(Response(pieces=pieces, headers=TEXT, framing="none", pause=0.01))
        flowing.exchange(Request(path="/streamed"), protocol, upstream, answer=answer)
        assert answer.complete != blocked
        if blocked:
            assert answer.body == LINES[0]
        else:
            assert answer.body == LINES[0] + b"K1234" + behind + LINES[1]


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_own_kinds_are_masked_as_they_flow_in_any_cut(flowing, protocol, upstream):
    body = json.dumps({"user": {"id": "MEM-0001"}, "note": "MRN12345678", "to": "bob@" + "corp.org", "x": "y" * 50}).encode()
    masked = body.replace(b"MEM-0001", b"[REDACTED:member]").replace(b"MRN12345678", b"*********78")
    masked = masked.replace(b"bob@" + b"corp.org", b"[REDACTED:email]")
    headers = [("content-type", "application/json")]
    with flowing.connect(protocol, upstream) as client:
        for size in (1, 3, 7, 20, 1000):
            pieces = every(body, size)
            flowing.upstream.script(Response(pieces=pieces, headers=headers, framing="none", pause=0.0005))
            request = Request(method="POST", path="/streamed", pieces=pieces, headers=headers, framing="none", pause=0.0005)
            answer = client.exchange(request)
            assert (answer.status, answer.error, answer.body) == (200, "", masked), size
            assert flowing.upstream.last().body == masked, size


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_threshold_that_is_reached_in_the_middle_of_a_stream_cuts_it_there(flowing, protocol, upstream):
    lines = [b"patient MRN1000000%d\n" % number for number in range(1, 5)]
    seen = [b"patient *********0%d\n" % number for number in range(1, 5)]
    answer = Received()
    flowing.upstream.script(Response(pieces=watched(answer, *lines[:3], seen=seen), headers=TEXT, framing="none", end_on_last=False))
    flowing.exchange(Request(path="/streamed"), protocol, upstream, answer=answer)
    assert not answer.complete
    # The first two have left, masked; of the third, nothing of its value.
    assert answer.body in (b"".join(seen[:2]), b"".join(seen[:2]) + b"patient ")
    detected = {"kind": "patient", "direction": "response"}
    before = {action: flowing.metric("bodyguard_findings_total", action=action, **detected) for action in ("redact", "block")}
    flowing.upstream.script(Response(pieces=lines[:2], headers=TEXT, framing="none", pause=0.01))
    answer = flowing.exchange(Request(path="/streamed"), protocol, upstream)
    assert (answer.complete, answer.body) == (True, b"".join(seen[:2]))
    after = {action: flowing.metric("bodyguard_findings_total", action=action, **detected) for action in before}
    assert (after["redact"], after["block"]) == (before["redact"] + 2, before["block"])


def documents(*parts: tuple[str, dict | list]) -> bytes:
    return b"".join(before.encode() + json.dumps(part).encode() for before, part in parts)


# Media type, a body and what leaves of it; None: it is blocked.
ROW = {"rows": [{"id": "MEM-0001", "note": "MEM-0002"}, {"id": {"public": "MEM-0003"}}], "user": ["MEM-0004"]}
MASKED_ROW = {"rows": [{"id": "[REDACTED:member]", "note": "MEM-0002"}, {"id": {"public": "MEM-0003"}}], "user": ["[REDACTED:member]"]}
GRADE = {"name": "MEM-0005", "terms": [{"gpa": 3.5}, {"grade": {"math": "B+", "art": None}}]}
LABEL = "[REDACTED:grades]"
MASKED_GRADE = {"name": "MEM-0005", "terms": [{"gpa": LABEL}, {"grade": {"math": LABEL, "art": None}}]}
PLACES: dict[str, tuple[str, bytes, bytes | None]] = {
    "paths": ("application/json", documents(("", ROW)), documents(("", MASKED_ROW))),
    "json_keys": ("application/problem+json", documents(("", GRADE)), documents(("", MASKED_GRADE))),
    "a-short-array": ("application/json", documents(("", {"a": [1, 2, 3, 4]})), documents(("", {"a": [1, 2, 3, 4]}))),
    "large_array": ("application/json", documents(("", {"a": [{}, {}, {}, {}, {}, {}]})), None),
    "ndjson": (
        "application/x-ndjson",
        documents(("", ROW), ("\n", GRADE), ("\nMEM-0006 is no JSON\n", ROW)),
        documents(("", MASKED_ROW), ("\n", MASKED_GRADE), ("\n[REDACTED:member] is no JSON\n", MASKED_ROW)),
    ),
    "ndjson-large_array": ("application/x-ndjson", documents(("", [1, 2, 3, 4]), ("\n", [1, 2, 3, 4, 5])), None),
    "events": (
        "text/event-stream",
        documents(("event: row\ndata: ", ROW), ("\n\nid: 2\ndata: ", GRADE)) + b"\n\ndata: [DONE]\n\n",
        documents(("event: row\ndata: ", MASKED_ROW), ("\n\nid: 2\ndata: ", MASKED_GRADE)) + b"\n\ndata: [DONE]\n\n",
    ),
    "events-large_array": ("text/event-stream", documents(("data: ", [1, 2, 3, 4]), ("\n\ndata: ", [1, 2, 3, 4, 5])) + b"\n\n", None),
    "no-json": ("application/json", b"it is said: MEM-0007, \"grade\": \"A\"", b"it is said: [REDACTED:member], \"grade\": \"A\""),
    "text": ("text/plain", b"it is said: MEM-0008", b"it is said: [REDACTED:member]"),
}


@pytest.mark.parametrize("path", ["/x", "/streamed"])
@pytest.mark.parametrize("content_type, body, left", PLACES.values(), ids=PLACES)
def test_places_in_json_count_whole_and_as_it_flows(flowing, content_type, body, left, path):
    for protocol, size in [("h1", len(body)), ("h2", len(body)), ("h1", 5), ("h2", 1)]:
        way = {"pieces": every(body, size), "headers": [("content-type", content_type)], "framing": "none", "pause": 0.0003}
        flowing.upstream.script(Response(**way))
        answer = flowing.exchange(Request(path=path), protocol, protocol)
        if left is None:
            assert not answer.complete or answer.header("x-bodyguard-code") == "body.dlp_block:mass_export"
            assert not answer.complete or answer.status == 403
        else:
            assert (answer.status, answer.error, answer.body) == (200, "", left), (protocol, size)
        flowing.upstream.script()
        answer = flowing.exchange(Request(method="POST", path=path, **way), protocol, protocol)
        if left is None:
            assert answer.status == 403 or not answer.complete
            assert all(not received.complete for received in flowing.upstream.received)
        else:
            assert answer.status == 200 and flowing.upstream.last().body == left, (protocol, size)


@pytest.mark.parametrize("path", ["/hook", "/hook-streamed"])
def test_what_the_policy_excepts_of_a_kind_is_none_for_the_hook_either(flowing, path):
    mine, other = b"ada@" + b"example.com", b"bob@" + b"corp.org"
    for body, blocked in ((mine, False), (b"PN-123456", False), (mine + b" " + other, True)):
        answer = respond(flowing, body, path, "text/plain")
        if blocked and answer.status != 403:
            assert_cut(answer)
        else:
            assert (answer.status, blocked) == (403 if blocked else 200, blocked), body
        assert (post(flowing, body, path, "text/plain").status == 403) == blocked, body
