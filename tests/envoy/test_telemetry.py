"""Metrics, events, filter state (design section 6), and that none of them holds a found value."""

from __future__ import annotations

import gzip
import re

import policies
import pytest
import values
from harness.config import Setup
from harness.envoy import Envoy
from harness.message import Request, Response
from test_verdicts import post, respond

FINDINGS, MESSAGES = "bodyguard_findings_total", "bodyguard_messages_total"
LABELS = {
    FINDINGS: {"engine", "kind", "direction", "action", "policy"},
    MESSAGES: {"direction", "verdict", "policy"},
    "bodyguard_body_mutations_total": {"direction", "policy"},
    "bodyguard_inspected_bytes_total": {"direction", "policy"},
    "bodyguard_uninspected_total": {"direction", "reason", "policy"},
    "bodyguard_errors_total": {"reason"},
    "bodyguard_vm_memory_bytes": set(),
    "bodyguard_inflight_body_bytes": set(),
    "bodyguard_policy_info": {"policy", "hash"},
    "bodyguard_policy_rules_blocking": {"policy"},
    "bodyguard_policy_rules_observing": {"policy"},
    "bodyguard_policy_rejections_total": set(),
}


class Deltas:
    """What the counters gain between two looks."""

    def __init__(self, envoy: Envoy):
        self.envoy = envoy
        self.before = self._look()

    def _look(self) -> dict:
        wanted = (FINDINGS, MESSAGES, "bodyguard_body_mutations_total", "bodyguard_uninspected_total")
        return {(s.name, s.labels): s.value for s in self.envoy.samples() if s.name in wanted}

    def gained(self, name: str) -> dict[frozenset, float]:
        now = self._look()
        gains = {key[1]: value - self.before.get(key, 0) for key, value in now.items() if key[0] == name}
        return {labels: gain for labels, gain in gains.items() if gain}


def labels(**pairs: str) -> frozenset:
    return frozenset({**pairs, "policy": policies.NAME}.items())


def finding(kind: str, direction: str, action: str, engine: str = "dlp") -> frozenset:
    return labels(engine=engine, kind=kind, direction=direction, action=action)


def message(direction: str, verdict: str) -> frozenset:
    return labels(direction=direction, verdict=verdict)


UNKNOWN = [("content-encoding", "compress")]
THREE = values.document(values.EMAIL, values.EMAIL, values.EMAIL, values.CARD)[0]
KEY = values.document(values.AWS)[0]
CARD_STRIPE = values.document(values.STRIPE)[0]
LONG = b"y" * (policies.SMALL + 1)

# path, body, headers -> findings by (engine, kind, action), verdict, reason if uninspected.
COUNTED = [
    ("/x", values.CLEAN, [], {}, "clean", None),
    ("/x", THREE, [], {("dlp", "email", "redact"): 3, ("dlp", "credit_card", "redact"): 1}, "redacted", None),
    ("/x", KEY, [], {("dlp", "aws_access_key", "block"): 1}, "blocked", None),
    ("/detect", KEY, [], {("dlp", "aws_access_key", "would_block"): 1}, "would_block", None),
    ("/shadow", KEY, [], {("dlp", "aws_access_key", "would_block"): 1}, "would_block", None),
    ("/observe", THREE, [], {("dlp", "email", "would_redact"): 3, ("dlp", "credit_card", "would_redact"): 1}, None, None),
    ("/hook", CARD_STRIPE, [], {("sensitive_data", "stripe_key", "block"): 1}, "blocked", None),
    ("/hook-shadow", CARD_STRIPE, [], {("sensitive_data", "stripe_key", "would_block"): 1}, "would_block", None),
    ("/small", LONG, [], {("body_size", "none", "block"): 1}, "blocked", None),
    ("/small-detect", LONG, [], {("body_size", "none", "would_block"): 1}, "would_block", "too_large"),
    ("/x", b"?", UNKNOWN, {("body_decode", "none", "block"): 1}, "failed_closed", None),
    ("/fail-open", b"?", UNKNOWN, None, "failed_open", "content_encoding"),
    ("/detect", b"?", UNKNOWN, {("body_decode", "none", "would_block"): 1}, "would_block", "content_encoding"),
    ("/x", gzip.compress(THREE), [("content-encoding", "gzip")], {("dlp", "email", "redact"): 3, ("dlp", "credit_card", "redact"): 1}, "redacted", None),
]  # fmt: skip
COUNTED_NAMES = [f"{path} {verdict}" for path, _, _, _, verdict, _ in COUNTED]


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("path, body, headers, found, verdict, reason", COUNTED, ids=COUNTED_NAMES)
def test_counters_count_what_happened_and_nothing_else(standard, direction, path, body, headers, found, verdict, reason):
    deltas = Deltas(standard)
    if direction == "request":
        # No body in the response, so that only one message is counted.
        standard.upstream.script(Response(status=204))
        standard.exchange(Request(method="POST", path=path, body=body, headers=headers))
    else:
        respond(standard, body, path, headers=headers)
    if found is not None:
        expected = {finding(kind, direction, action, engine): count for (engine, kind, action), count in found.items()}
        assert deltas.gained(FINDINGS) == expected
    if verdict is not None:
        inspected = {key: gain for key, gain in deltas.gained(MESSAGES).items()}
        assert inspected == {message(direction, verdict): 1}
    mutated = {labels(direction=direction): 1} if verdict == "redacted" else {}
    assert deltas.gained("bodyguard_body_mutations_total") == mutated
    uninspected = {labels(direction=direction, reason=reason): 1} if reason else {}
    assert deltas.gained("bodyguard_uninspected_total") == uninspected


def test_a_message_that_is_not_inspected_is_not_counted_as_clean(standard):
    deltas = Deltas(standard)
    respond(standard, KEY, "/off")
    respond(standard, KEY, "/healthz")
    assert deltas.gained(FINDINGS) == {}
    assert all(dict(key)["verdict"] != "blocked" for key in deltas.gained(MESSAGES))


def test_skipped_types_are_counted_as_uninspected(standard):
    deltas = Deltas(standard)
    respond(standard, KEY, "/skip-images", "image/png")
    assert deltas.gained("bodyguard_uninspected_total") == {labels(direction="response", reason="content_type"): 1}


def test_inspected_bytes_are_counted(standard):
    before = standard.metric("bodyguard_inspected_bytes_total", direction="response", policy=policies.NAME)
    respond(standard, values.CLEAN)
    assert standard.metric("bodyguard_inspected_bytes_total", direction="response") == before + len(values.CLEAN)


def test_every_metric_has_exactly_its_labels(standard):
    respond(standard, THREE)
    seen = {}
    for sample in standard.samples():
        name = re.sub(r"_(bucket|sum|count)$", "", sample.name)
        keys = {key for key, _ in sample.labels} - ({"le"} if name != sample.name else set())
        seen.setdefault(name, set()).add(frozenset(keys))
    for name, keys in LABELS.items():
        assert seen.get(name) == {frozenset(keys)}, name
    for name in ("bodyguard_inspect_microseconds", "bodyguard_body_bytes"):
        assert seen.get(name) == {frozenset({"direction"})}, name
    assert set(seen) == {*LABELS, "bodyguard_inspect_microseconds", "bodyguard_body_bytes"}


def test_the_policy_in_force_can_be_seen(standard):
    [info] = [sample for sample in standard.samples() if sample.name == "bodyguard_policy_info" and sample.value == 1]
    assert dict(info.labels)["policy"] == policies.NAME
    assert re.fullmatch(r"[0-9a-f]{12}", dict(info.labels)["hash"])
    assert 0 < standard.metric("bodyguard_vm_memory_bytes") < (1 << 30)
    assert standard.metric("bodyguard_inflight_body_bytes") == 0


def test_every_message_that_is_not_clean_makes_one_event(standard, world):
    [info] = [sample for sample in standard.samples() if sample.name == "bodyguard_policy_info" and sample.value == 1]
    cases = [
        ("/x?token=1", THREE, "redacted", None, "info", {"email": 3, "credit_card": 1}, "block"),
        ("/x", KEY, "blocked", "body.dlp_block:aws_access_key", "warning", {"aws_access_key": 1}, "block"),
        ("/detect/a?b=c", KEY, "would_block", "body.dlp_block:aws_access_key", "warning", {"aws_access_key": 1}, "detect"),
        ("/shadow", KEY, "would_block", "body.dlp_block:aws_access_key", "warning", {"aws_access_key": 1}, "shadow"),
        ("/small", LONG, "blocked", "body.truncated", "warning", {}, "block"),
        ("/x", values.CLEAN, None, None, None, None, None),
    ]
    for direction in ("request", "response"):
        for path, body, verdict, code, level, kinds, mode in cases:
            mark = standard.log_mark()
            if direction == "request":
                standard.upstream.script(Response(status=204))
                standard.exchange(Request(method="POST", path=path, body=body))
            else:
                respond(standard, body, path)
            events = standard.events(mark)
            if verdict is None:
                assert events == []
                continue
            [event] = events
            assert (event["verdict"], event["direction"], event["mode"]) == (verdict, direction, mode)
            assert event["_level"] == level
            assert (event["policy"], event["host"]) == (policies.NAME, "api.example.com")
            assert event["path"] == path.partition("?")[0]
            assert event.get("code") == code
            assert dict(info.labels)["hash"] in event.values()
            assert any(isinstance(part, dict) and {k: part.get(k) for k in kinds} == kinds for part in event.values()), event
            assert any("time" in key for key in event) and any("request_id" in key for key in event)


def test_access_logs_can_tell_the_verdict(standard):
    respond(standard, THREE, "/x/masked")
    line = standard.access_line("/x/masked")
    assert re.search(r"verdict=\S*redacted", line), line
    assert re.search(r"findings=response:redact:credit_card=1,email=3$", line), line
    post(standard, KEY, "/x/refused")
    line = standard.access_line("/x/refused")
    assert re.search(r"verdict=\S*blocked", line) and "request:block:aws_access_key=1" in line, line


def test_no_found_value_is_ever_logged_at_any_level(run, world):
    """Wasm at trace, everything else at info: all kinds, both directions, every verdict, whole and in pieces, plain and gzip."""
    hold = world == "held"
    envoy = run.fresh(Setup(policies.standard(hold), hold=hold))
    for planted in values.ALL:
        body, _ = values.document(planted)
        for path in ("/x", "/detect", "/shadow", "/observe", "/hook", "/fail-open", "/small", "/small-detect"):
            respond(envoy, body, path)
            post(envoy, body, path)
            packed = gzip.compress(body)
            respond(envoy, packed[:-9], path, headers=[("content-encoding", "gzip")])
            post(envoy, packed, path, headers=[("content-encoding", "gzip")])
        envoy.upstream.script(Response(pieces=[body[:60], body[60:70], body[70:]], framing="none"))
        envoy.exchange(Request(path="/x"), "h2", "h2")
    assert len(envoy.log()) > 100_000, "trace is on"
    assert len(envoy.events(0)) > 100, "the filter did tell of what it found"
    metrics = envoy.admin("/stats/prometheus") + envoy.admin("/stats")
    for value in values.never_logged():
        assert value not in envoy.log_path.read_bytes()
        assert value.decode() not in metrics
