"""policies/llm-gateway.yaml in a real Envoy: its cases, which `bodyguard test` runs at the command line, and an answer as it flows."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from harness.config import Setup
from harness.message import Received, Request, Response

FOLDER = Path(__file__).parent.parent.parent / "policies"
NAME = "llm-gateway"
CASES = yaml.safe_load((FOLDER / "tests" / f"{NAME}.yaml").read_text())["cases"]
EVENT_STREAM = [("content-type", "text/event-stream")]


@pytest.fixture
def gateway(run, world):
    document = yaml.safe_load((FOLDER / f"{NAME}.yaml").read_text())
    document["spec"]["allow_on_headers_stop_iteration"] = world == "held"
    return run(Setup(document, hold=world == "held"))


def body_of(case: dict) -> bytes:
    return (FOLDER / "tests" / case["body_file"]).read_bytes() if "body_file" in case else case.get("body", "").encode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case_ends_in_envoy_as_at_the_command_line(gateway, world, case):
    asked, expect, body = case.get("request", {}), case["expect"], body_of(case)
    of_request = case.get("direction") == "request"
    headers = [(name.lower(), value) for name, value in asked.get("headers", {}).items()]
    content_type = [("content-type", case["content_type"])] if "content_type" in case else []
    request = Request(
        method=asked.get("method", "GET"),
        path=asked.get("path", "/"),
        authority=asked.get("host", "localhost"),
        headers=[*headers, *(content_type if of_request else [])],
        body=body if of_request else b"",
    )
    gateway.upstream.script(Response(body=b"fine" if of_request else body, headers=[] if of_request else content_type))
    answer = gateway.exchange(request)
    if expect["verdict"] == "blocked":
        assert (answer.status, answer.header("x-bodyguard-code")) == (403, expect["code"])
        return
    assert answer.status == 200 and answer.complete
    forwarded = gateway.upstream.last().body if of_request else answer.body
    assert forwarded == expect.get("output", body.decode()).encode()


def event(text: str) -> bytes:
    return b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % text.encode()


@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_an_answer_is_masked_while_the_model_still_writes(gateway, protocol):
    said = [event(text) for text in ("Ask bob@corp.org,", " or call +4930901820.", " Thank you.")]
    heard = [event(text) for text in ("Ask [REDACTED:email],", " or call [REDACTED:phone].", " Thank you.")]
    answer = Received()
    pieces: list = [said[0]]
    for number, piece in enumerate(said[1:], 1):
        # Every event, masked, is with the client before the model writes the next one.
        pieces += [lambda _, before=b"".join(heard[:number]): answer.body == before, piece]
    gateway.upstream.script(Response(pieces=pieces, headers=EVENT_STREAM, framing="none"))
    request = Request(method="POST", path="/v1/chat/completions", authority="api.openai.com", body=b'{"stream":true}')
    gateway.exchange(request, protocol, answer=answer)
    assert (answer.status, answer.error, answer.body) == (200, "", b"".join(heard))


def test_an_answer_ends_before_what_is_marked_internal(gateway):
    answer = Received()
    first = event("The offer reads:")
    gateway.upstream.script(
        Response(pieces=[first, lambda _: answer.body == first, event("STRICTLY CONFIDENTIAL")], headers=EVENT_STREAM, framing="none")
    )
    gateway.exchange(Request(method="POST", path="/v1/messages", authority="api.anthropic.com", body=b"{}"), answer=answer)
    assert not answer.complete and answer.body.startswith(first)
    assert b"CONFIDENTIAL" not in answer.body


def test_a_realtime_session_is_refused(gateway):
    headers = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "x"), ("sec-websocket-version", "13")]
    answer = gateway.exchange(Request(path="/v1/realtime", authority="api.openai.com", headers=headers))
    assert (answer.status, answer.header("x-bodyguard-code")) == (403, "body.upgrade_denied")
