"""Bodies that are too long, budgets that are spent, buffers that are small (design 3.5; host facts 5.4, 5.9, 5.10)."""

from __future__ import annotations

import threading

import policies
import pytest
import values
from harness.config import Setup
from harness.message import Request, Response, every, wait_until
from test_verdicts import assert_block_reply, assert_request_blocked, assert_response_blocked, post, respond

MIB = policies.MIB


def test_a_body_of_exactly_the_cap_is_inspected(standard):
    body = values.EMAIL.raw + b" " + b"x" * (policies.SMALL - 1 - len(values.EMAIL.raw))
    assert len(body) == policies.SMALL
    assert values.EMAIL.raw not in respond(standard, body, "/small", "text/plain").body
    assert post(standard, body, "/small", "text/plain").status == 200
    assert values.EMAIL.raw not in standard.upstream.last().body


@pytest.mark.parametrize("framing", ["length", "none"])
@pytest.mark.parametrize("excess", [1, 500, 50_000])
def test_a_body_over_the_cap_is_blocked_as_truncated(standard, world, framing, excess):
    body = b"y" * (policies.SMALL + excess)
    standard.upstream.script(Response(pieces=every(body, 900), framing=framing))
    answer = standard.exchange(Request(path="/small"))
    if framing == "length":
        assert_block_reply(answer, "body.truncated", "response", 502)  # its head says it all, and is still ours in either world
    else:
        assert_response_blocked(world, answer, "body.truncated", 502)
    standard.upstream.script(Response(body=b"stored"))
    answer = standard.exchange(Request(method="POST", path="/small", pieces=every(body, 900), framing=framing))
    assert_request_blocked(world, standard, answer, "body.truncated", 413)


@pytest.mark.parametrize("framing", ["length", "none"])
def test_a_body_over_the_cap_passes_whole_when_only_observed(standard, framing):
    before = standard.metric("bodyguard_uninspected_total", reason="too_large")
    body = values.EMAIL.raw + b"y" * (20 * policies.SMALL)
    standard.upstream.script(Response(pieces=every(body, 900), framing=framing))
    request = Request(method="POST", path="/small-detect", pieces=every(body, 900), framing=framing)
    answer = standard.exchange(request)
    assert (answer.status, answer.error, answer.body) == (200, "", body)
    assert standard.upstream.last().body == body
    assert standard.metric("bodyguard_uninspected_total", reason="too_large") == before + 2


# (client, upstream, framing): a body of 5 MB through listeners with Envoy's default limit of 1 MiB.
ROUTES = [("h1", "h1", "length"), ("h1", "h1", "none"), ("h2", "h2", "length"), ("h2", "h2", "none"), ("h1", "h2", "none"), ("h2", "h1", "length")]


@pytest.mark.parametrize("protocol, upstream, framing", ROUTES)
def test_the_policy_cap_and_not_the_listeners_limit_counts_when_headers_are_released(released, protocol, upstream, framing):
    filler = b"lorem ipsum dolor sit amet " * (5_000_000 // 27)
    body = values.EMAIL.raw + b" " + filler + values.EMAIL.raw + b"\n"
    masked = body.replace(values.EMAIL.raw, values.EMAIL.masked.encode())
    text = [("content-type", "text/plain")]
    released.upstream.script(Response(pieces=every(body, 60_000), framing=framing, headers=text))
    request = Request(method="POST", path="/x", pieces=every(body, 60_000), framing=framing, headers=text)
    answer = released.exchange(request, protocol, upstream)
    assert (answer.status, answer.error, len(answer.body)) == (200, "", len(masked))
    assert answer.body == masked
    assert released.upstream.last().body == masked


@pytest.mark.parametrize("protocol, upstream, framing", ROUTES)
def test_a_finding_in_the_last_bytes_of_a_long_body_still_blocks_it(released, protocol, upstream, framing):
    body = b"lorem ipsum dolor sit amet " * (3_000_000 // 27) + values.AWS.raw
    released.upstream.script(Response(pieces=every(body, 60_000), framing=framing))
    answer = released.exchange(Request(path="/x"), protocol, upstream)
    assert not answer.complete and answer.body == b""
    request = Request(method="POST", path="/x", pieces=every(body, 60_000), framing=framing)
    assert released.exchange(request, protocol, upstream).status == 403
    assert all(not received.complete and received.body == b"" for received in released.upstream.received[1:])


@pytest.mark.parametrize("buffer_limit, size", [(None, 900_000), (1 << 16, 60_000)])
@pytest.mark.parametrize("protocol, upstream", [("h1", "h1"), ("h2", "h2")])
def test_redaction_that_would_outgrow_envoys_buffer_masks_in_place_and_envoy_survives(run, world, buffer_limit, size, protocol, upstream):
    hold = world == "held"
    envoy = run(Setup(policies.standard(hold), hold=hold, buffer_limit=buffer_limit))
    row = values.EMAIL_TINY.raw + b"\n"
    body = row * (size // len(row))
    assert len(row) < len(values.EMAIL_TINY.masked)
    text = [("content-type", "text/plain")]
    envoy.upstream.script(Response(pieces=every(body, 16_384), headers=text))
    answer = envoy.exchange(Request(path="/x"), protocol, upstream)
    assert envoy.alive(), "Envoy went down with the rewritten response"
    assert (answer.status, answer.error) == (200, "")
    assert values.EMAIL_TINY.raw not in answer.body and answer.body.count(b"\n") == body.count(b"\n")
    request = Request(method="POST", path="/x", pieces=every(body, 16_384), headers=text)
    assert envoy.exchange(request, protocol, upstream).status == 200
    assert envoy.alive(), "Envoy went down with the rewritten request"
    received = envoy.upstream.last()
    assert received.complete and values.EMAIL_TINY.raw not in received.body
    assert received.body.count(b"\n") == body.count(b"\n")


def test_a_body_beyond_a_small_listener_limit_is_never_passed_unread(run, world):
    hold = world == "held"
    envoy = run(Setup(policies.standard(hold), hold=hold, buffer_limit=1 << 16))
    body = b"z" * 200_000 + b" " + values.AWS.raw
    envoy.upstream.script(Response(pieces=every(body, 16_384)))
    answer = envoy.exchange(Request(path="/x"))
    assert values.AWS.raw not in answer.body and b"zzzz" not in answer.body
    assert not answer.complete or answer.status == 403 or answer.status >= 500
    answer = envoy.exchange(Request(method="POST", path="/x", pieces=every(body, 16_384)))
    assert answer.status in (403, 413)
    assert all(values.AWS.raw not in request.body and not request.complete for request in envoy.upstream.received[1:])


BUDGET = 100_000


def test_bodies_that_do_not_fit_the_budget_together_are_refused_and_the_budget_is_given_back(run):
    envoy = run(Setup(policies.policy(False, max_inflight_body_bytes=BUDGET, defaults={**policies.DEFAULTS, "max_request_body_bytes": BUDGET, "max_response_body_bytes": BUDGET}), hold=False))
    body = b"w" * 60_000
    for _ in range(3):
        envoy.upstream.script(Response(body=b"stored"))
        go_on = threading.Event()
        first = []
        half = [body[:59_000], lambda _: go_on.is_set(), body[59_000:]]
        slow = threading.Thread(target=lambda: first.append(envoy.exchange(Request(method="POST", pieces=half))))
        slow.start()
        wait_until(lambda: envoy.metric("bodyguard_inflight_body_bytes") >= 59_000, "the gauge to show the held body")
        second = envoy.exchange(Request(method="POST", body=body))
        go_on.set()
        slow.join(10)
        assert (second.status, second.header("x-bodyguard-code")) == (413, "body.truncated")
        assert first and first[0].status == 200
        wait_until(lambda: envoy.metric("bodyguard_inflight_body_bytes") == 0, "the gauge to fall to 0")
    assert envoy.exchange(Request(method="POST", body=body)).status == 200
