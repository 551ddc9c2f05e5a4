"""What a policy that enforces must do to traffic, and what one that watches must not."""

from __future__ import annotations

import json

import policies
import values
from harness.message import Request, Response

PLANTED = values.EMAIL, values.CARD


def enforcing(hold: bool) -> dict:
    """A policy that blocks secrets and masks personal data, in both directions."""
    return policies.policy(hold)


def respond(proxy, body: bytes):
    """The upstream answers with `body`; what the client gets."""
    proxy.upstream.script(Response(body=body, headers=[("content-type", "application/json")]))
    return proxy.exchange(Request(path="/x"))


def expect_enforced(proxy, hold: bool) -> None:
    body, masked = values.document(*PLANTED)
    answer = respond(proxy, body)
    assert (answer.status, answer.body, answer.error) == (200, masked, "")
    secret, _ = values.document(values.AWS)
    answer = respond(proxy, secret)
    if hold:
        assert answer.status == 403 and json.loads(answer.body)["code"] == "body.dlp_block:aws_access_key"
    else:
        assert answer.body == b"" and answer.error, "the stream is cut before the first byte of the body"
    proxy.upstream.script(Response(body=b"stored\n"))
    answer = proxy.exchange(Request(method="POST", path="/x", body=secret, headers=[("content-type", "application/json")]))
    assert answer.status == 403 and answer.header("x-bodyguard-code") == "body.dlp_block:aws_access_key"


def expect_watched(proxy, policy: str) -> None:
    """Nothing is changed, and everything is counted."""
    for planted in (*PLANTED, values.AWS):
        body, _ = values.document(planted)
        answer = respond(proxy, body)
        assert (answer.status, answer.body, answer.error) == (200, body, "")
    found = {"direction": "response", "policy": policy}
    assert proxy.metric("bodyguard_findings_total", kind="aws_access_key", action="would_block", **found) == 1
    assert proxy.metric("bodyguard_findings_total", kind="email", action="would_redact", **found) == 1
    assert proxy.metric("bodyguard_findings_total", action="block", **found) == 0
