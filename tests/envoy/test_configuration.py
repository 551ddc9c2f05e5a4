"""How a policy reaches the filter, and what becomes of a bad one (design section 2, host facts 4)."""

from __future__ import annotations

import copy

import policies
import pytest
import values
from envoy_process import CouldNotStart
from harness.config import Setup
from harness.message import Request, Response, wait_until
from test_verdicts import post, respond


@pytest.mark.parametrize("handed_as", ["StringValue", "BytesValue", "Struct"])
def test_a_policy_may_come_as_text_bytes_or_struct(run, world, handed_as):
    hold = world == "held"
    envoy = run(Setup(policies.standard(hold), hold=hold, handed_as=handed_as))
    body, masked = values.document(values.EMAIL, filler=3000)
    assert respond(envoy, body).body == masked
    assert post(envoy, values.document(values.AWS)[0]).status == 403
    assert post(envoy, b"y" * (policies.SMALL + 1), "/small").status == 413, "numbers survive"
    assert respond(envoy, body, "/skip-images", "image/png").body == body, "lists survive"


def test_a_policy_without_its_wrapper_is_called_default(run):
    envoy = run(Setup(policies.standard(False)["spec"], hold=False))
    respond(envoy, values.document(values.EMAIL)[0])
    assert envoy.metric("bodyguard_messages_total", verdict="redacted", policy="default") == 1


def test_the_same_policy_has_the_same_hash_and_another_one_another(run):
    hashes = []
    for change in ({}, {}, {"exclude": ["/other"]}):
        document = policies.standard(False)
        document["spec"].update(change)
        envoy = run.fresh(Setup(document, hold=False))
        [info] = [sample for sample in envoy.samples() if sample.name == "bodyguard_policy_info" and sample.value == 1]
        hashes.append(dict(info.labels)["hash"])
    assert hashes[0] == hashes[1] != hashes[2]


def broken(change) -> dict:
    document = policies.standard(False)
    change(document["spec"])
    return document


def first_route(spec: dict) -> dict:
    return spec["domains"][0]["routes"][0]["policy"]


# What is wrong -> what the log must name.
BAD = {
    "an unknown field": (broken(lambda spec: first_route(spec).update(modus="block")), ["domains[0].routes[0].policy", "modus"]),
    "an unknown mode": (broken(lambda spec: first_route(spec).update(mode="loud")), ["domains[0].routes[0].policy.mode", "shadow"]),
    "a wrong type": (broken(lambda spec: spec.update(max_inflight_body_bytes="lots")), ["max_inflight_body_bytes"]),
    "stripe_key in a list": (
        broken(lambda spec: spec["defaults"]["checks"]["body"]["dlp"]["block"].append("stripe_key")),
        ["defaults.checks.body.dlp.block[5]", "detect_sensitive_data"],
    ),
    "not JSON": ("{ mode: block", []),
    "empty": ("", []),
}


@pytest.mark.parametrize("document, named", BAD.values(), ids=BAD)
def test_a_bad_policy_at_the_start_is_refused_and_the_log_says_where(run, document, named):
    with pytest.raises(CouldNotStart) as refused:
        run.fresh(Setup(document, hold=False))
    log = str(refused.value)
    assert "panicked" not in log and "not ready" not in log
    for part in named:
        assert part in log, f"{part} not in the log"
    for line in log.splitlines():
        if "wasm log" in line:
            assert len(line) < 2000


def other_policy() -> dict:
    document = policies.standard(False)
    document["metadata"]["name"] = "updated"
    document["spec"]["defaults"]["checks"]["body"]["dlp"]["redact"].remove("email")
    return document


REJECTED = "extension_config_discovery.http_filter.bodyguard.update_rejected"
FAILED = "extension_config_discovery.http_filter.bodyguard.config_fail"
RELOADED = "extension_config_discovery.http_filter.bodyguard.config_reload"


def rejections(envoy) -> int:
    """Every listener subscribes for itself; each counts."""
    total = 0
    for line in envoy.admin("/stats?filter=extension_config_discovery").splitlines():
        key, _, value = line.rpartition(": ")
        if key.endswith(("update_rejected", "config_fail")):
            total += int(value)
    return total


@pytest.mark.parametrize("document, named", [pytest.param(*case, id=name) for name, case in BAD.items() if case[0] != ""])
def test_a_bad_update_is_rejected_counted_and_the_old_policy_stays(run, document, named):
    envoy = run.fresh(Setup(policies.standard(False), hold=False, ecds=True))
    body, masked = values.document(values.EMAIL)
    assert respond(envoy, body).body == masked
    envoy.update(document)
    wait_until(lambda: rejections(envoy) > 0, "the update to be rejected")
    for part in named:
        assert part in envoy.log()
    for _ in range(3):
        assert respond(envoy, body).body == masked
        assert post(envoy, values.document(values.AWS)[0]).status == 403
    envoy.update(other_policy())
    wait_until(lambda: respond(envoy, body).body == body, "a good update behind the bad one to be taken")


def test_a_good_update_is_taken_while_messages_are_in_flight(run):
    envoy = run.fresh(Setup(policies.standard(False), hold=False, ecds=True))
    body, masked = values.document(values.EMAIL)
    taken = []

    def update_now(_) -> bool:
        # The upstream is in the middle of its answer: this stream must end as it began.
        if not taken:
            taken.append(True)
            envoy.update(other_policy())
            wait_until(lambda: envoy.metric("bodyguard_policy_info", policy="updated") == 1, "the update to be taken")
        return True

    envoy.upstream.script(Response(pieces=[body[:20], update_now, body[20:]], framing="none"), Response(body=body))
    answer = envoy.exchange(Request(path="/x"))
    assert (answer.status, answer.error, answer.body) == (200, "", masked)
    answer = envoy.exchange(Request(path="/x"))
    assert answer.body == body, "the new policy leaves e-mail addresses alone"
    assert envoy.metric("bodyguard_messages_total", policy="updated") > 0
    live = [sample for sample in envoy.samples() if sample.name == "bodyguard_policy_info" and sample.value == 1]
    assert [dict(sample.labels)["policy"] for sample in live] == ["updated"], "the old policy's gauge is 0 again"


def test_two_workers_enforce_the_same_policy(run):
    envoy = run.fresh(Setup(policies.standard(False), hold=False, concurrency=2))
    body, masked = values.document(values.EMAIL)
    for _ in range(20):
        assert respond(envoy, body).body == masked
    assert envoy.metric("bodyguard_messages_total", verdict="redacted", direction="response") == 20


def test_the_wrapper_may_carry_labels_and_shields_harmless_fields_with_a_warning(run):
    document = copy.deepcopy(policies.standard(False))
    document["metadata"]["labels"] = {"team": "edge"}
    document["spec"]["defaults"]["timeout"] = "5s"
    envoy = run.fresh(Setup(document, hold=False))
    assert "timeout" in envoy.log()
    assert any("[warning]" in line and "timeout" in line for line in envoy.log().splitlines())
