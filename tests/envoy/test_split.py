"""Split invariance (design section 9): however a body is cut, the peer gets the same bytes."""

from __future__ import annotations

import random

import pytest
import values
from harness.message import Request, Response, cut
from test_verdicts import MATRIX

BODY, MASKED = values.document(*values.REDACTED, filler=60)
# A body with a finding that blocks, and what must never be seen of it.
BLOCKED, _ = values.document(values.EMAIL, values.PRIVATE_KEY, filler=60)
CUTS_EACH = 60
JSON = [("content-type", "application/json")]


def random_cuts(chance: random.Random, length: int) -> list[int]:
    return [chance.randrange(1, length) for _ in range(chance.choice([1, 1, 2, 3, 8, 40]))]


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_every_cut_gives_the_same_bytes(standard, protocol, upstream):
    chance = random.Random(f"{protocol} {upstream}")
    with standard.connect(protocol, upstream) as client:
        for _ in range(CUTS_EACH):
            cuts = random_cuts(chance, len(BODY)), random_cuts(chance, len(BODY))
            framing = chance.choice(["length", "none"])
            # In HTTP/1.1 pieces that come at once are one piece for Envoy: keep them apart.
            apart = {"pause": 0.001 if len(cuts[0]) < 9 else 0.0, "framing": framing, "headers": JSON}
            standard.upstream.script(Response(pieces=cut(BODY, *cuts[0]), end_on_last=chance.random() < 0.5, **apart))
            answer = client.exchange(Request(method="POST", path="/x", pieces=cut(BODY, *cuts[1]), **apart))
            assert (answer.status, answer.error, answer.body) == (200, "", MASKED), f"response cut at {cuts[0]}"
            assert standard.upstream.last().body == MASKED, f"request cut at {cuts[1]}"


@pytest.mark.parametrize("protocol, upstream", [("h2", "h2"), ("h1", "h1")])
def test_a_cut_through_every_byte_of_a_value_gives_the_same_bytes(standard, protocol, upstream):
    with standard.connect(protocol, upstream) as client:
        for planted in (values.EMAIL, values.CARD_SPACED, values.SSN):
            body = b"see " + planted.raw + b" there"
            expected = b"see " + planted.masked.encode() + b" there"
            for at in range(1, len(body)):
                standard.upstream.script(Response(pieces=cut(body, at), framing="none", pause=0.001))
                answer = client.exchange(Request(path="/x"))
                assert answer.body == expected, f"{planted.kind} cut at {at}"


def test_no_cut_lets_a_block_finding_through(standard, world):
    chance = random.Random(3)
    for _ in range(40):
        cuts = random_cuts(chance, len(BLOCKED))
        standard.upstream.script(Response(pieces=cut(BLOCKED, *cuts), framing="none"))
        answer = standard.exchange(Request(path="/x"), "h2", "h2")
        if world == "held":
            assert answer.status == 403, f"cut at {cuts}"
        else:
            assert not answer.complete and answer.body == b"", f"cut at {cuts}"
