"""Masks that make a body longer than what Envoy may buffer (host facts 5.9): nothing that a peer sends may take the proxy down."""

from __future__ import annotations

import policies
import pytest
from harness.config import Setup
from harness.message import Request, Response, every

# What Envoy's own advice for edge proxies says.
SMALLEST_LIMIT = 32 * 1024
FRAME = 16 * 1024
# The shortest of addresses: each grows to more than twice its length.
GROWING = b"a@b." + b"co "


@pytest.fixture(params=[SMALLEST_LIMIT, 2 * SMALLEST_LIMIT])
def narrow(run, request):
    """Headers released, and a listener with a small buffer."""
    return run(Setup(policies.standard(hold=False), hold=False, buffer_limit=request.param))


def still_well(envoy):
    envoy.upstream.script(Response(body=b"fine"))
    answer = envoy.exchange(Request(path="/x"))
    assert (answer.status, answer.body) == (200, b"fine")


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("upstream", ["h1", "h2"])
@pytest.mark.parametrize("content_type", ["text/plain", "text/event-stream"])
def test_a_growing_body_is_survived_and_masked(narrow, frames, upstream, content_type):
    body = (GROWING * (frames * FRAME // len(GROWING))).ljust(frames * FRAME)
    headers = [("content-type", content_type)]
    narrow.upstream.script(Response(pieces=every(body, FRAME), framing="none", headers=headers))
    answer = narrow.exchange(Request(path="/x"), "h1", upstream)
    assert (answer.status, answer.error) == (200, "")
    assert GROWING.strip() not in answer.body and len(answer.body) >= len(body)
    still_well(narrow)


@pytest.mark.parametrize("kilobytes", [20, 40, 100, 900])
def test_a_grpc_message_longer_than_envoys_buffer_passes(narrow, kilobytes):
    body = b"\0" + (kilobytes * 1000).to_bytes(4, "big") + b"x" * (kilobytes * 1000)
    headers = [("content-type", "application/grpc")]
    narrow.upstream.script(Response(pieces=every(body, FRAME), headers=headers, framing="none", trailers=[("grpc-status", "0")]))
    request = Request(method="POST", path="/x/Get", body=bytes(5), headers=[*headers, ("te", "trailers")], framing="none")
    answer = narrow.exchange(request, "h2", "h2")
    assert (answer.status, answer.error, answer.body == body) == (200, "", True)
    still_well(narrow)
