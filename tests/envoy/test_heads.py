"""Header values and queries in a real Envoy: HTTP/1.1 and HTTP/2, both worlds, routing, access log."""

from __future__ import annotations

import pytest
import policies
import values
from harness.config import Setup
from harness.envoy import Envoy
from harness.message import Request, Response
from test_verdicts import assert_block_reply

LISTS = {"block": ["aws_access_key"], "redact": ["email", "credit_card", "jwt"]}
EMAIL, CARD, AWS, JWT = values.EMAIL, values.CARD_SPACED, values.AWS, values.JWT
QUERY_EMAIL = "%5BREDACTED:email%5D"


def policy(hold: bool, bodies: bool = True) -> dict:
    checks = {"headers": {"dlp": LISTS}, "query": {"dlp": LISTS}}
    if bodies:
        checks["body"] = {"dlp": {"direction": "both", **LISTS}}
    defaults = {"mode": "block", "checks": checks, "inspect_request_body": bodies, "inspect_response_body": bodies}
    defaults["max_response_body_bytes"] = policies.MIB
    few = {"dlp": {"block": ["email", "aws_access_key"], "redact": ["email"], "min_findings": {"email": 2}}}
    routes = {"/few": {"checks": {"headers": few, "query": few}}, "/shadow": {"mode": "shadow"}, "/only": {"checks": {"headers": {"dlp": {**LISTS, "only": ["x-a"]}}}}}
    return policies.policy(hold, routes, defaults)


@pytest.fixture
def envoy(run, world) -> Envoy:
    return run(Setup(policy(world == "held"), hold=world == "held"))


@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_values_are_masked_on_their_way_in_both_directions(envoy, protocol):
    envoy.upstream.script(Response(body=b"{}", headers=[("x-owner", EMAIL.value), ("x-t", "one"), ("x-t", EMAIL.value), ("x-kept", "k")]))
    headers = [("x-note", f"of {EMAIL.value}, {CARD.value}"), ("x-t", "one"), ("x-t", EMAIL.value), ("x-t", "three")]
    headers += [("authorization", f"Bearer {JWT.value}"), ("cookie", f"sid={JWT.value}"), ("referer", f"https://x.example/?m={EMAIL.value}")]
    path = f"/x/{protocol}?m={EMAIL.value.replace('@', '%40')}&card={CARD.value.replace(' ', '+')}&q=kept"
    answer = envoy.exchange(Request(path=path, headers=headers), protocol, protocol)
    assert (answer.status, answer.body) == (200, b"{}")
    seen = envoy.upstream.last()
    assert seen.path == f"/x/{protocol}?m={QUERY_EMAIL}&card={CARD.masked.replace(' ', '+')}&q=kept"
    assert seen.header("x-note") == f"of {EMAIL.masked}, {CARD.masked}"
    assert seen.header("x-t").replace(", ", ",") == f"one,{EMAIL.masked},three"
    assert seen.header("authorization") == f"Bearer {JWT.value}" and seen.header("cookie") == f"sid={JWT.value}"
    assert seen.header("referer") == f"https://x.example/?m={QUERY_EMAIL}"
    assert answer.header("x-owner") == EMAIL.masked
    assert answer.header("x-t").replace(", ", ",") == f"one,{EMAIL.masked}" and answer.header("x-kept") == "k"


@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_from_the_threshold_on_a_head_blocks(envoy, protocol):
    one, two = EMAIL.value, f"{EMAIL.value},b.{EMAIL.value}"
    answer = envoy.exchange(Request(path=f"/few?m={one}", headers=[("x-note", one)]), protocol, protocol)
    assert answer.status == 200
    seen = envoy.upstream.last()
    assert (seen.path, seen.header("x-note")) == (f"/few?m={QUERY_EMAIL}", EMAIL.masked)
    for path, headers, part in [("/few", [("x-note", two)], "headers"), (f"/few?m={two}", [], "query")]:
        answer = envoy.exchange(Request(path=path, headers=headers), protocol, protocol)
        assert (answer.status, answer.header("x-bodyguard-code")) == (403, f"{part}.dlp_block:email")
    envoy.upstream.script(Response(body=b"{}", headers=[("x-a", EMAIL.value), ("x-b", EMAIL.value)]))
    assert envoy.exchange(Request(path="/few"), protocol, protocol).status == 403


def test_access_logs_show_the_masked_path(envoy):
    envoy.exchange(Request(path=f"/x/refused?m={EMAIL.value}&key={AWS.value}"))
    line = envoy.access_line(f"/x/refused?m={QUERY_EMAIL}&key=%5BREDACTED:aws_access_key%5D")
    assert "verdict=blocked" in line
    envoy.exchange(Request(path=f"/x/logged?m={EMAIL.value}"))
    line = envoy.access_line(f"/x/logged?m={QUERY_EMAIL}")
    assert "findings=request:redact:email=1" in line and "verdict=redacted" in line


@pytest.mark.parametrize("protocol", ["h1", "h2"])
@pytest.mark.parametrize("body", [b"", b"{}"], ids=["no body", "body"])
def test_a_head_that_blocks_is_answered_before_the_upstream_sees_anything(envoy, protocol, body):
    for request, code in [
        (Request(headers=[("x-key", AWS.value)]), "headers.dlp_block:aws_access_key"),
        (Request(path=f"/x?key={AWS.value}"), "query.dlp_block:aws_access_key"),
    ]:
        envoy.upstream.script(Response(body=b"ok"))
        request.method, request.body = ("POST", body) if body else ("GET", b"")
        answer = envoy.exchange(request, protocol, protocol)
        assert_block_reply(answer, code, "request")
        assert envoy.upstream.received == []
    envoy.upstream.script(Response(body=body, headers=[("x-key", AWS.value)]))
    answer = envoy.exchange(Request(), protocol, protocol)
    assert_block_reply(answer, "headers.dlp_block:aws_access_key", "response")


def test_a_message_has_one_verdict_and_one_event_for_head_and_body(envoy):
    before = envoy.metric("bodyguard_messages_total", direction="request")
    mark = envoy.log_mark()
    body, masked = values.document(values.CARD)
    answer = envoy.exchange(Request(method="POST", path="/x", headers=[("x-note", EMAIL.value)], body=body))
    assert answer.status == 200 and envoy.upstream.last().body == masked
    [event] = envoy.events(mark)
    assert (event["verdict"], event["findings"]) == ("redacted", {"credit_card": 1, "email": 1})
    assert envoy.metric("bodyguard_messages_total", direction="request") == before + 1
    mark = envoy.log_mark()
    # Not in the query: what is not masked there stands in the access log.
    envoy.exchange(Request(path="/shadow", headers=[("x-note", EMAIL.value), ("x-key", AWS.value)]))
    assert envoy.upstream.last().header("x-key") == AWS.value and envoy.upstream.last().header("x-note") == EMAIL.masked
    [event] = envoy.events(mark)
    assert (event["verdict"], event["code"], event["mode"]) == ("would_block", "headers.dlp_block:aws_access_key", "shadow")


def test_headers_of_any_bytes_survive(envoy):
    raw = b"GET /x HTTP/1.1\r\nhost: api.example.com\r\nx-raw: \xff\xfe " + EMAIL.raw + b" \x80\r\nx-odd: \xc3\x28\r\nconnection: close\r\n\r\n"
    import socket

    with socket.create_connection(("127.0.0.1", envoy.ports["guarded-h1"]), timeout=5) as sock:
        sock.sendall(raw)
        answer = b""
        while data := sock.recv(65536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 200")
    seen = envoy.upstream.last()
    assert seen.header("x-raw").encode("latin-1") == b"\xff\xfe " + EMAIL.masked.encode() + b" \x80"
    assert seen.header("x-odd").encode("latin-1") == b"\xc3\x28"


def test_heads_alone_can_be_inspected(run, world):
    envoy = run(Setup(policy(world == "held", bodies=False), hold=world == "held"))
    body, _ = values.document(values.EMAIL)
    envoy.upstream.script(Response(body=body, headers=[("x-owner", EMAIL.value)]))
    answer = envoy.exchange(Request(method="POST", path="/x", headers=[("x-a", EMAIL.value)], body=body))
    assert (answer.body, answer.header("x-owner")) == (body, EMAIL.masked)
    assert (envoy.upstream.last().body, envoy.upstream.last().header("x-a")) == (body, EMAIL.masked)
    assert answer.header("content-length") == str(len(body)), "who reads no body changes none of its headers"
    envoy.exchange(Request(path="/only", headers=[("x-a", EMAIL.value), ("x-b", EMAIL.value)]))
    assert (envoy.upstream.last().header("x-a"), envoy.upstream.last().header("x-b")) == (EMAIL.masked, EMAIL.value)


def test_grpc_is_refused_as_grpc(envoy):
    headers = [("content-type", "application/grpc"), ("te", "trailers"), ("x-key", AWS.value)]
    answer = envoy.exchange(Request(method="POST", path="/pkg.Service/Call", headers=headers, body=b"\0\0\0\0\0"), "h2", "h2")
    assert (answer.status, answer.header("grpc-status")) == (200, "7")
    assert answer.header("grpc-message") == "blocked: headers.dlp_block:aws_access_key"


@pytest.mark.parametrize("excluded", [False, True])
def test_envoy_routes_by_what_it_sees_after_the_mask(run, excluded):
    """It chooses the route again when a header has changed: by a masked value no more, by the path as ever."""
    by_header = {"match": {"prefix": "/", "headers": [{"name": "x-user", "string_match": {"exact": EMAIL.value}}]}}
    by_path = {"match": {"path": "/x/routed"}, "direct_response": {"status": 202}}
    document = policy(False)
    if excluded:
        document["spec"]["defaults"]["checks"]["headers"]["dlp"] = {**LISTS, "exclude": ["x-user"]}
    envoy = run(Setup(document, hold=False, routes=[{**by_header, "direct_response": {"status": 201}}, by_path]))
    answer = envoy.exchange(Request(path="/y", headers=[("x-user", EMAIL.value)]))
    assert answer.status == (201 if excluded else 200)
    assert envoy.exchange(Request(path=f"/x/routed?m={EMAIL.value}")).status == 202


def test_no_value_of_a_head_is_ever_logged(run, world):
    hold = world == "held"
    document = policy(hold)
    kinds = [*policies.REDACT, *policies.BLOCK]
    document["spec"]["defaults"]["checks"]["headers"]["dlp"] = {"redact": kinds}
    document["spec"]["defaults"]["checks"]["query"]["dlp"] = {"redact": kinds}
    envoy = run.fresh(Setup(document, hold=hold))
    mark = envoy.log_mark()
    for planted in [*values.REDACTED, values.AWS, values.GOOGLE, values.SLACK, values.GITHUB]:
        envoy.upstream.script(Response(body=b"{}", headers=[("x-v", planted.value)]))
        answer = envoy.exchange(Request(path=f"/x?v={planted.value.replace(' ', '%20')}", headers=[("x-v", planted.value)]))
        assert answer.header("x-v") == envoy.upstream.last().header("x-v") == planted.masked
    assert len(envoy.events(mark)) == 20
    log = envoy.log_path.read_bytes()
    for value in values.never_logged():
        assert value not in log
