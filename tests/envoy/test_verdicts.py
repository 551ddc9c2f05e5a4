"""What becomes of a message, by policy (design section 3). Every test runs in both worlds: headers held and headers released."""

from __future__ import annotations

import json

import policies
import pytest
import values
from harness.message import Request, Response


def respond(envoy, body: bytes, path: str = "/x", content_type: str = "application/json", headers=(), **client):
    """The upstream answers with `body`; what the client gets."""
    envoy.upstream.script(Response(body=body, headers=[("content-type", content_type), *headers]))
    return envoy.exchange(Request(path=path), **client)


def post(envoy, body: bytes, path: str = "/x", content_type: str = "application/json", headers=(), **client):
    """The client posts `body`; what it gets back."""
    envoy.upstream.script(Response(body=b"stored\n"))
    request = Request(method="POST", path=path, body=body, headers=[("content-type", content_type), *headers])
    return envoy.exchange(request, **client)


def assert_block_reply(answer, code: str, direction: str, status: int = 403) -> None:
    assert (answer.status, answer.complete, answer.error) == (status, True, "")
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-bodyguard-code") == code
    expected = {"error": "blocked", "code": code, "direction": direction, "policy": policies.NAME}
    assert json.loads(answer.body) == expected
    assert answer.header("content-length") in (None, str(len(answer.body)))


def assert_cut(answer) -> None:
    """The stream was reset; no byte of the body, and no proper end, reached the peer."""
    assert not answer.complete and answer.error
    assert answer.body == b""


def assert_response_blocked(world: str, answer, code: str, status: int = 403) -> None:
    if world == "held":
        assert_block_reply(answer, code, "response", status)
    else:
        assert_cut(answer)


def assert_request_blocked(world: str, envoy, answer, code: str, status: int = 403) -> None:
    assert_block_reply(answer, code, "request", status)
    if world == "held":
        assert envoy.upstream.received == [], "the upstream must not see a request whose headers were held"
    for request in envoy.upstream.received:
        assert not request.complete and request.body == b""


@pytest.mark.parametrize("planted", values.REDACTED, ids=lambda planted: planted.kind)
def test_a_redact_kind_is_masked_in_a_response(standard, planted):
    body, masked = values.document(planted)
    answer = respond(standard, body)
    assert (answer.status, answer.body, answer.error) == (200, masked, "")


@pytest.mark.parametrize("planted", values.REDACTED, ids=lambda planted: planted.kind)
def test_a_redact_kind_is_masked_in_a_request(standard, planted):
    body, masked = values.document(planted)
    answer = post(standard, body)
    assert (answer.status, answer.body) == (200, b"stored\n")
    assert standard.upstream.last().body == masked


@pytest.mark.parametrize("planted", values.BLOCKED, ids=lambda planted: planted.kind)
def test_a_block_kind_blocks_a_response(standard, world, planted):
    body, _ = values.document(planted)
    assert_response_blocked(world, respond(standard, body), f"body.dlp_block:{planted.kind}")


@pytest.mark.parametrize("planted", values.BLOCKED, ids=lambda planted: planted.kind)
def test_a_block_kind_blocks_a_request(standard, world, planted):
    body, _ = values.document(planted)
    assert_request_blocked(world, standard, post(standard, body), f"body.dlp_block:{planted.kind}")


def test_block_wins_over_redact(standard, world):
    body, _ = values.document(values.EMAIL, values.AWS, values.SSN)
    assert_response_blocked(world, respond(standard, body), "body.dlp_block:aws_access_key")
    assert_request_blocked(world, standard, post(standard, body), "body.dlp_block:aws_access_key")


@pytest.mark.parametrize("mode", ["/detect", "/shadow"])
def test_observing_modes_block_nothing_and_still_redact(standard, mode):
    body, _ = values.document(values.EMAIL, values.AWS, values.CARD)
    expected = body.replace(values.EMAIL.raw, values.EMAIL.masked.encode()).replace(values.CARD.raw, values.CARD.masked.encode())
    answer = respond(standard, body, mode)
    assert (answer.status, answer.body) == (200, expected)
    assert post(standard, body, mode).status == 200
    assert standard.upstream.last().body == expected


def test_redact_in_observe_modes_false_changes_nothing(standard):
    body, _ = values.document(values.EMAIL, values.AWS)
    assert respond(standard, body, "/observe").body == body
    assert post(standard, body, "/observe").status == 200
    assert standard.upstream.last().body == body


UNREAD = [
    ("mode off", {"path": "/off"}),
    ("an excluded path", {"path": "/healthz"}),
    ("an excluded path with a query", {"path": "/healthz?full=1"}),
    ("a domain that reads nothing", {"path": "/x", "authority": "unread.example.com"}),
]


@pytest.mark.parametrize("request_head", [head for _, head in UNREAD], ids=[name for name, _ in UNREAD])
def test_an_unread_message_passes_as_it_came(standard, request_head):
    body, _ = values.document(values.AWS, values.EMAIL)
    standard.upstream.script(Response(body=body, headers=[("content-type", "application/json")]))
    answer = standard.exchange(Request(method="POST", body=body, **request_head))
    assert (answer.status, answer.body, answer.header("content-length")) == (200, body, str(len(body)))
    assert standard.upstream.last().body == body
    assert standard.upstream.last().header("content-length") == str(len(body))


def test_a_path_cannot_slip_past_its_route(standard):
    body, _ = values.document(values.AWS, values.EMAIL)
    # Written so that a naive comparison finds /off and the upstream gets /x.
    for path in ["/off/../x", "/off/%2e%2e/x", "//x", "/./x", "/offx"]:
        answer = post(standard, body, path)
        assert answer.status == 403, path


def test_one_direction_can_be_left_alone(standard):
    body, masked = values.document(values.EMAIL)
    assert respond(standard, body, "/requests-only").body == body
    assert post(standard, body, "/requests-only").status == 200
    assert standard.upstream.last().body == masked
    assert respond(standard, body, "/responses-only").body == masked
    assert post(standard, body, "/responses-only").status == 200
    assert standard.upstream.last().body == body


@pytest.mark.parametrize("planted", [values.STRIPE, values.AWS, values.EMAIL, values.CARD], ids=lambda planted: planted.kind)
def test_the_sensitive_data_hook_blocks_on_any_kind(standard, world, planted):
    body, _ = values.document(planted)
    assert_response_blocked(world, respond(standard, body, "/hook"), f"body.sensitive_data:{planted.kind}")
    assert_request_blocked(world, standard, post(standard, body, "/hook"), f"body.sensitive_data:{planted.kind}")


def test_the_sensitive_data_hook_in_shadow_changes_nothing(standard):
    body, _ = values.document(values.STRIPE, values.EMAIL)
    assert respond(standard, body, "/hook-shadow").body == body


def test_a_block_response_override_replaces_the_reply_and_is_not_inspected_itself(standard, world):
    body, _ = values.document(values.AWS)
    override = policies.OVERRIDE
    answers = [post(standard, body, "/override")]
    if world == "held":
        answers.append(respond(standard, body, "/override"))
    for answer in answers:
        assert (answer.status, answer.header("content-type")) == (override["status"], override["content_type"])
        assert answer.body.decode() == override["body"], "the reply is sent as the policy has it, its e-mail address too"
        assert answer.header("x-bodyguard-code") == "body.dlp_block:aws_access_key"


def test_a_grpc_request_is_refused_as_permission_denied(standard):
    message = b"\0" + (22).to_bytes(4, "big") + b"\n\x14" + values.AWS.raw
    headers = [("te", "trailers")]
    answer = post(standard, message, "/buffered", "application/grpc", headers, protocol="h2", upstream="h2")
    status = dict([*answer.headers, *answer.trailers])
    assert (answer.status, status.get("grpc-status")) == (200, "7")
    assert not any(request.complete for request in standard.upstream.received)


def test_content_types_that_are_skipped_pass_unread(standard):
    body, masked = values.document(values.EMAIL)
    assert respond(standard, body, "/skip-images", "image/svg+xml").body == body
    assert respond(standard, body, "/skip-images", "IMAGE/PNG; q=1").body == body
    assert respond(standard, body, "/skip-images", "text/plain").body == masked
    assert respond(standard, body, "/x", "image/svg+xml").body == masked, "no type is skipped unless the policy says so"


def test_json_stays_json_when_a_bare_number_is_masked(standard):
    body = b'{"n":1,"card":' + values.CARD.raw + b',"list":[' + values.CARD.raw + b"]}"
    answer = respond(standard, body)
    assert json.loads(answer.body) == {"n": 1, "card": values.CARD.masked, "list": [values.CARD.masked]}


HASHES = [
    ("etag", '"abc123"'),
    ("content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
    ("digest", "sha-256=abc"),
    ("content-digest", "sha-256=:abc:"),
    ("repr-digest", "sha-256=:abc:"),
]


def test_a_rewritten_message_does_not_claim_to_be_the_old_one(standard):
    body, masked = values.document(values.EMAIL)
    answer = respond(standard, body, headers=HASHES)
    assert answer.body == masked
    assert [name for name, _ in HASHES if answer.header(name) is not None] == []
    post(standard, body, headers=HASHES[1:])
    request = standard.upstream.last()
    assert request.body == masked
    assert [name for name, _ in HASHES if request.header(name) is not None] == []


MATRIX = [(protocol, upstream) for protocol in ("h1", "h2") for upstream in ("h1", "h2")]


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("path", ["/x", "/detect", "/hook", "/block-only"])
def test_a_clean_message_leaves_byte_for_byte_as_it_came(standard, world, path, protocol, upstream):
    body = bytes(range(256)) * 40 + values.CLEAN
    headers = [("content-type", "application/json"), ("X-Odd", "  Spaces  kept "), ("x-odd", "twice"), *HASHES]
    seen = []
    for bare in (True, False):
        standard.upstream.script(Response(body=body, headers=headers))
        answer = standard.exchange(Request(method="POST", path=path, body=body, headers=headers), protocol, upstream, bare)
        assert (answer.status, answer.error) == (200, "")
        request = standard.upstream.last()
        assert request.complete and request.error == ""
        seen.append((_lasting(answer.headers), answer.body, _lasting(request.headers), request.body))
    if world == "released" and path != "/block-only" and path != "/hook":
        # Whether a body will change is not known when its headers leave: its length and hashes may be gone.
        may_go = {"content-length", "transfer-encoding", *(name for name, _ in HASHES)}
        seen = [tuple([h for h in part if h[0] not in may_go] if isinstance(part, list) else part for part in one) for one in seen]
    assert seen[0] == seen[1]


def _lasting(headers):
    """Headers without those that differ from one request to the next."""
    return [(name, value) for name, value in headers if name not in ("date", "x-request-id")]
