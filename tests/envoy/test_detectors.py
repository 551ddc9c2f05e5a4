"""A policy's own kinds: blocked, masked, kept apart by their conditions, in whole bodies and in streams."""

from __future__ import annotations

import hashlib
import hmac
import json

import policies
import pytest
from harness.config import Setup
from harness.message import Request, Response

KEY = "a key of the tests, thirty-two b"
DETECTORS = {
    "part_number": {"regex": "PN-[0-9]{6}", "except": ["PN-000000"]},
    "account": {"regex": r"\b[0-9]{10}\b", "near": {"words": ["account", "acct"], "within": 40}, "validate": "luhn"},
    "secret_words": {"words": ["password_hash", "top secret"], "ignore_case": True},
    "patient": {"regex": "MRN[0-9]{8}", "except_regex": ["^MRN0+$"], "mask": {"keep_last": 2}},
    "customer": {"regex": "CUST-[0-9]{4}", "mask": {"hash": {"key": KEY}}},
    "email": {"except_regex": [r"@example\.com$"]},
}
DLP = {
    "direction": "both",
    "block": ["part_number", "patient"],
    "redact": ["account", "secret_words", "patient", "customer", "email"],
    "min_findings": {"patient": 3},
}
DEFAULTS = {**policies.DEFAULTS, "checks": {"body": {"dlp": DLP}}}
ROUTES = {"/streamed": {"request_body_mode": "streamed", "response_body_mode": "streamed"}}


@pytest.fixture
def envoy(fleet):
    return fleet.get(Setup(policies.policy(True, ROUTES, DEFAULTS, detectors=DETECTORS), hold=True))


def respond(envoy, body: bytes, path: str = "/x", content_type: str = "application/json"):
    envoy.upstream.script(Response(body=body, headers=[("content-type", content_type)]))
    return envoy.exchange(Request(path=path))


def hashed(value: str) -> str:
    return hmac.new(KEY.encode(), value.encode(), hashlib.sha256).hexdigest()[:16]


MASKED = [
    ({"id": "MRN12345678"}, {"id": "*********78"}),
    ({"id": "MRN00000000"}, {"id": "MRN00000000"}),
    ({"acct": "1234567897"}, {"acct": "[REDACTED:account]"}),
    ({"acct": 1234567897}, {"acct": "[REDACTED:account]"}),
    ({"acct": "1234567890"}, {"acct": "1234567890"}),
    ({"order": "1234567897"}, {"order": "1234567897"}),
    ({"a": "x\nTop Secret", "b": "password_hashes"}, {"a": "x\n[REDACTED:secret_words]", "b": "password_hashes"}),
    ({"c": "CUST-0042"}, {"c": f"[REDACTED:customer:{hashed('CUST-0042')}]"}),
    ({"mail": "ada@example.com bob@corp.org"}, {"mail": "ada@example.com [REDACTED:email]"}),
    ({"p": "PN-000000"}, {"p": "PN-000000"}),
]


@pytest.mark.parametrize("path", ["/x", "/streamed"])
@pytest.mark.parametrize("body, masked", MASKED, ids=lambda value: json.dumps(value)[:30])
def test_own_kinds_are_masked_as_the_policy_says(envoy, body, masked, path):
    answer = respond(envoy, json.dumps(body).encode(), path)
    assert (answer.status, json.loads(answer.body)) == (200, masked)


def test_an_own_kind_blocks_by_its_name(envoy):
    answer = respond(envoy, b'{"part": "PN-123456"}')
    assert (answer.status, answer.header("x-bodyguard-code")) == (403, "body.dlp_block:part_number")
    assert b"123456" not in answer.body


def test_an_escaped_value_of_an_own_kind_is_found(envoy):
    answer = respond(envoy, b'{"part": "PN-12345\\u0036"}')
    assert answer.header("x-bodyguard-code") == "body.dlp_block:part_number"


def test_from_the_threshold_on_a_kind_blocks(envoy):
    two = b'["MRN10000001", "MRN10000002"]'
    assert respond(envoy, two).body == b'["*********01", "*********02"]'
    answer = respond(envoy, b'["MRN10000001", "MRN10000002", "MRN10000003"]')
    assert (answer.status, answer.header("x-bodyguard-code")) == (403, "body.dlp_block:patient")
