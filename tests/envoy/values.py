"""Planted values: what must never come out of the filter, and what must come out instead.

Every value is put together at run time, so that this file itself holds no secret for another scanner to trip over.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    kind: str
    value: str
    # What stands in its place when it is redacted.
    masked: str

    @property
    def raw(self) -> bytes:
        return self.value.encode()


def _label(kind: str, value: str) -> Planted:
    return Planted(kind, value, f"[REDACTED:{kind}]")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _jwt() -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "iat": 1516239022}]
    return ".".join([*(_base64url(json.dumps(part).encode()) for part in parts), _base64url(hashlib.sha256(b"planted").digest())])


def _private_key(lines: int = 12) -> str:
    material = base64.b64encode(b"".join(hashlib.sha256(b"planted %d" % n).digest() for n in range(2 * lines))).decode()
    rows = [material[start : start + 64] for start in range(0, 64 * lines, 64)]
    return "\n".join(["-----BEGIN " + "RSA PRIVATE KEY-----", *rows, "-----END " + "RSA PRIVATE KEY-----"])


CARD = Planted("credit_card", "4111" + "111111111111", "************1111")
CARD_SPACED = Planted("credit_card", "5500 0055" + " 5555 5559", "**** **** **** 5559")
CARD_DASHED = Planted("credit_card", "3782-822463" + "-10005", "****-******-*0005")
SSN = _label("ssn", "536-90-" + "4399")
EMAIL = _label("email", "jane.doe" + "@" + "example.com")
EMAIL_TINY = _label("email", "a@" + "b.co")
JWT = _label("jwt", _jwt())
AWS = _label("aws_access_key", "AKIA" + "IOSFODNN7EXAMPLE")
PRIVATE_KEY = _label("private_key", _private_key())
GOOGLE = _label("google_api_key", "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY")
SLACK = _label("slack_token", "xoxb-" + "263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1")
GITHUB = _label("github_token", "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a")
STRIPE = _label("stripe_key", "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc")

BLOCKED = [PRIVATE_KEY, AWS, GOOGLE, SLACK, GITHUB]
REDACTED = [CARD, CARD_SPACED, CARD_DASHED, SSN, EMAIL, JWT]
ALL = [*BLOCKED, *REDACTED, STRIPE]


def never_logged() -> list[bytes]:
    """What must not stand in any log: every planted value, and the tell-tale part of those of many lines."""
    return [line.encode() for planted in ALL for line in planted.value.split("\n") if "-----" not in line]


def document(*planted: Planted, filler: int = 0) -> tuple[bytes, bytes]:
    """A JSON document that holds the values, and the same document with all of them masked."""

    def build(text) -> bytes:
        rows = [{"id": number, "note": f"row {number}", "value": text(item)} for number, item in enumerate(planted)]
        return json.dumps({"rows": rows, "filler": "lorem ipsum dolor " * (filler // 18)}).encode()

    return build(lambda item: item.value), build(lambda item: item.masked)


CLEAN, _ = document(filler=300)
