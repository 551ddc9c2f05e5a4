"""What Envoy and policy say of each other (design section 5), and what each world sees of a blocked message."""

from __future__ import annotations

import time

import policies
import pytest
import values
from harness.config import Setup
from harness.message import Request, Response, every
from test_verdicts import MATRIX, assert_block_reply, assert_cut, post, respond

SETTING = "allow_on_headers_stop_iteration"


def test_held_the_upstream_sees_nothing_of_a_blocked_request(held):
    body, _ = values.document(values.AWS, filler=50_000)
    for protocol, upstream in MATRIX:
        held.upstream.script(Response(body=b"stored"))
        request = Request(method="POST", path="/x", pieces=every(body, 5000), framing="none")
        answer = held.exchange(request, protocol, upstream)
        assert_block_reply(answer, "body.dlp_block:aws_access_key", "request")
        assert held.upstream.received == []


def test_released_the_upstream_sees_headers_and_an_aborted_body(released):
    body, _ = values.document(values.AWS, filler=50_000)
    for protocol, upstream in MATRIX:
        released.upstream.script(Response(body=b"stored"))
        # The pause lets the headers reach the upstream before the body can be judged.
        pieces = [body[:1000], lambda _: bool(released.upstream.received), body[1000:]]
        answer = released.exchange(Request(method="POST", path="/x", pieces=pieces, framing="none"), protocol, upstream)
        assert_block_reply(answer, "body.dlp_block:aws_access_key", "request")
        received = released.upstream.last()
        assert not received.complete and received.body == b""


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_held_a_blocked_response_is_a_clean_reply_and_the_connection_lives(held, protocol, upstream):
    body, _ = values.document(values.PRIVATE_KEY, filler=50_000)
    with held.connect(protocol, upstream) as client:
        for _ in range(3):
            held.upstream.script(Response(pieces=every(body, 5000), headers=[("etag", '"1"'), ("content-type", "text/plain")]))
            answer = client.exchange(Request(path="/x"))
            assert_block_reply(answer, "body.dlp_block:private_key", "response")
            assert answer.header("etag") is None


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_released_a_blocked_response_is_cut_before_its_first_byte(released, protocol, upstream):
    body, _ = values.document(values.PRIVATE_KEY, filler=50_000)
    released.upstream.script(Response(pieces=every(body, 5000), pause=0.005, headers=[("content-type", "text/plain")]))
    assert_cut(released.exchange(Request(path="/x"), protocol, upstream))


def test_released_one_cut_stream_leaves_its_neighbours_alone(released):
    good, masked = values.document(values.EMAIL)
    bad, _ = values.document(values.AWS)
    released.upstream.script(lambda request: Response(body=bad if request.path == "/x/bad" else good))
    with released.connect("h2", "h2") as client:
        for _ in range(3):
            assert_cut(client.exchange(Request(path="/x/bad")))
            assert client.exchange(Request(path="/x/good")).body == masked


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_policy_that_claims_a_setting_which_envoy_lacks_hangs_nothing_and_says_so(run, protocol, upstream):
    envoy = run(Setup(policies.standard(hold=True), hold=False))
    body, masked = values.document(values.EMAIL, filler=300)
    started = time.monotonic()
    for framing in ("length", "none"):
        headers = [("content-type", "application/json")]
        envoy.upstream.script(Response(pieces=every(body, 100), framing=framing, headers=headers))
        request = Request(method="POST", path="/x", pieces=every(body, 100), framing=framing, headers=headers)
        answer = envoy.exchange(request, protocol, upstream)
        assert (answer.status, answer.error, answer.body) == (200, "", masked)
        assert envoy.upstream.last().body == masked
    assert time.monotonic() - started < 5
    secret, _ = values.document(values.AWS)
    assert post(envoy, secret, protocol=protocol, upstream=upstream).status == 403
    assert_cut(respond(envoy, secret, protocol=protocol, upstream=upstream))
    complaints = [line for line in envoy.log().splitlines() if SETTING in line and "[error]" in line]
    assert complaints, "the error names the setting"
    assert envoy.metric("bodyguard_errors_total") > 0


def test_the_complaint_about_the_setting_comes_once_and_not_for_each_request(run):
    envoy = run.fresh(Setup(policies.standard(hold=True), hold=False))
    body, masked = values.document(values.EMAIL)
    for _ in range(5):
        assert respond(envoy, body).body == masked
    complaints = [line for line in envoy.log().splitlines() if SETTING in line and "[error]" in line]
    assert len(complaints) == 1
    started = time.monotonic()
    assert respond(envoy, body).body == masked
    assert time.monotonic() - started < 0.1, "once it is known, nobody waits for the watchdog any more"


@pytest.mark.parametrize("protocol, upstream", MATRIX)
def test_a_policy_that_does_not_use_the_setting_works_as_released(run, protocol, upstream):
    envoy = run(Setup(policies.standard(hold=False), hold=True))
    body, masked = values.document(values.EMAIL, filler=300)
    assert respond(envoy, body, protocol=protocol, upstream=upstream).body == masked
    assert post(envoy, body, protocol=protocol, upstream=upstream).status == 200
    assert envoy.upstream.last().body == masked
    secret, _ = values.document(values.AWS)
    assert post(envoy, secret, protocol=protocol, upstream=upstream).status == 403
    answer = respond(envoy, secret, protocol=protocol, upstream=upstream)
    assert answer.status == 403 or not answer.complete
    assert values.AWS.raw not in answer.body


def test_without_any_setting_released_is_the_default(run):
    document = policies.standard(hold=False)
    del document["spec"]["allow_on_headers_stop_iteration"]
    envoy = run(Setup(document))
    body, masked = values.document(values.EMAIL)
    assert respond(envoy, body).body == masked
    assert_cut(respond(envoy, values.document(values.AWS)[0]))
