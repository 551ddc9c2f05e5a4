"""Bodies that trailers end (docs/streaming.md): each row of its table, in both worlds, over every pair of protocols, up and down."""

from __future__ import annotations

from pathlib import Path

import policies
import pytest
import values
from harness.config import Setup
from harness.message import Request, Response, every
from test_verdicts import MATRIX

PAGE = Path(__file__).parents[2] / "docs" / "streaming.md"
STREAMED = {"request_body_mode": "streamed", "response_body_mode": "streamed"}
BUFFERED = {"request_body_mode": "buffered", "response_body_mode": "buffered"}
TEXT = [("content-type", "text/plain")]
ANNOUNCED = [*TEXT, ("trailer", "x-sum")]
LINE = b"a line of clean text, of which there are some more behind it\n"
MAIL = b"write to " + values.EMAIL.raw
MASKED = b"write to " + values.EMAIL.masked.encode()


def row(path: str, lines: int, end: bytes = b"", headers: list = TEXT, framing: str = "none") -> tuple:
    """A route, a body and what must become of it, its headers and its framing."""
    clean = LINE * lines
    return path, clean + MAIL + end, clean + MASKED + end, headers, framing


# By the beginning of a row of the page. 60 lines are under 4 KiB, 700 over 32 KiB.
ROWS = {
    "buffered, of any length that Envoy buffers, with a `trailer` header": row("/buffered", 700, headers=ANNOUNCED),
    "buffered, with a `content-length`": row("/buffered", 700, framing="length"),
    "buffered, neither, up to 16 KiB": row("/buffered", 60),
    "buffered, neither, longer": row("/buffered", 700),
    "streamed, nothing held at its end": row("/streamed", 60, b"\n"),
    "streamed, something held, with a `trailer` header": row("/streamed", 60, headers=ANNOUNCED),
    "streamed, something held, without": row("/streamed", 60),
}


def told(world: str) -> dict[str, str]:
    """What the page says: rows to outcomes."""
    table = PAGE.read_text().partition("| body | headers held | headers released |\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]
    return {cells[0]: cells[1 if world == "held" else 2] for cells in rows}


@pytest.fixture
def ended(run, world):
    document = policies.policy(world == "held", {"/streamed": STREAMED, "/buffered": BUFFERED})
    return run(Setup(document, hold=world == "held"))


def test_the_page_and_the_rows_are_the_same():
    for world in ("held", "released"):
        assert all(any(text.startswith(name) for name in ROWS) for text in told(world))
        assert len(told(world)) == len(ROWS)


@pytest.mark.parametrize("protocol, upstream", MATRIX)
@pytest.mark.parametrize("name", ROWS)
def test_a_body_that_trailers_end_is_as_whole_as_the_page_says(ended, world, protocol, upstream, name):
    if "content-length" in name and "h1" in (protocol, upstream):
        pytest.skip("HTTP/1.1 has a length or trailers")
    outcome = next(outcome for text, outcome in told(world).items() if text.startswith(name))
    path, body, expected, headers, framing = ROWS[name]
    message = {"pieces": every(body, 3000), "headers": headers, "framing": framing, "trailers": [("x-sum", "1")], "pause": 0.001}

    before = ended.metric("bodyguard_errors_total", reason="trailers")
    ended.upstream.script(Response(**message))
    answer = ended.exchange(Request(path=path, headers=[("te", "trailers")]), protocol, upstream)
    whole = (answer.status, answer.error, answer.body) == (200, "", expected) and ("x-sum", "1") in answer.trailers
    refused = not answer.complete or answer.status == 502
    assert (whole, refused) == (outcome == "whole", outcome == "cut"), answer

    ended.upstream.script(Response(body=b"stored"))
    answer = ended.exchange(Request(method="POST", path=path, **message), protocol, upstream)
    received = [received for received in ended.upstream.received if received.complete]
    whole = answer.status == 200 and [message.body for message in received] == [expected]
    assert (whole, answer.status != 200 and not received) == (outcome == "whole", outcome == "cut"), answer

    counted = ended.metric("bodyguard_errors_total", reason="trailers") - before
    assert counted == (2 if outcome == "cut" else 0)
