"""examples/envoy: every configuration as it is shipped, but for ports and paths, in a real Envoy."""

from __future__ import annotations

import json
import re
import subprocess

import values
from conftest import ROOT
from harness.http1 import Client
from harness.message import Received, Request, Response, wait_until

EXAMPLES = ROOT / "examples" / "envoy"
KEY, EMAIL = values.document(values.AWS)[0], values.document(values.EMAIL)


def send(edge, request: Request, *answers: Response) -> Received:
    edge.upstream.script(*(answers or (Response(body=values.CLEAN),)))
    with Client(edge.port) as client:
        return client.exchange(request)


def get(edge, body: bytes, path: str = "/") -> Received:
    return send(edge, Request(path=path), Response(body=body))


def post(edge, body: bytes, path: str = "/", *headers: tuple[str, str]) -> Received:
    return send(edge, Request(method="POST", path=path, body=body, headers=list(headers)))


def stat(edge, name: str) -> int:
    """The sum of Envoy's statistics whose names end so."""
    lines = edge.admin(f"/stats?filter={re.escape(name)}$").splitlines()
    return sum(int(line.rpartition(": ")[2]) for line in lines if line)


def test_the_static_example_blocks_masks_shadows_and_logs_what_it_says(edge):
    edge = edge("envoy.yaml")
    assert get(edge, EMAIL[0]).body == EMAIL[1]
    blocked = post(edge, KEY, "/notes?token=1", ("x-request-id", "id-2"))
    assert (blocked.status, blocked.header("x-bodyguard-code")) == (403, "body.dlp_block:aws_access_key")
    assert get(edge, KEY, "/internal/x").body == KEY
    assert get(edge, KEY, "/healthz").body == KEY
    first, second, third, fourth = edge.access(4)
    assert (first["verdict"], first["findings"]) == ("redacted", "response:redact:email=1")
    assert (second["path"], second["status"], second["verdict"]) == ("/notes", 403, "blocked")
    assert (second["findings"], second["details"]) == ("request:block:aws_access_key=1", "bodyguard_blocked")
    assert (third["verdict"], third["findings"]) == ("would_block", "response:would_block:aws_access_key=1")
    assert (fourth["verdict"], fourth["findings"]) == (None, None)
    [event] = [event for event in edge.events() if event["path"] == "/notes"]
    assert event["request_id"] == second["request_id"]


def test_the_static_example_makes_every_label_a_label_and_sets_both_histograms_buckets(edge):
    edge = edge("envoy.yaml")
    post(edge, KEY)
    get(edge, EMAIL[0])
    wait_until(lambda: "bodyguard_body_bytes_bucket" in edge.admin("/stats/prometheus"), "Envoy to flush its histograms", 12)
    page = edge.admin("/stats/prometheus")
    for line in page.splitlines():
        assert "___" not in line.partition("{")[0], f"a tag was left in a name: {line}"
    text = (EXAMPLES / "envoy.yaml").read_text()
    for name in ("bodyguard_inspect_microseconds", "bodyguard_body_bytes"):
        shipped = re.search(rf"suffix: {name}}}\s+buckets: \[(.*)\]", text)[1]
        buckets = re.findall(rf'{name}_bucket{{direction="request",le="([^"]+)"', page)
        assert buckets == [*shipped.split(", "), "+Inf"]


def test_changing_the_policy_file_changes_what_happens_without_a_restart_and_a_bad_one_changes_nothing(edge):
    edge = edge("dynamic.yaml")
    text = edge.policy_path.read_text()
    pid = edge.process.pid
    assert get(edge, KEY).status == 403
    assert get(edge, EMAIL[0]).body == EMAIL[1]

    # As the example's first lines say.
    subprocess.run(["sed", "-i", "s/mode: block/mode: shadow/", str(edge.policy_path)], check=True)
    wait_until(lambda: get(edge, KEY).body == KEY, "shadow mode to be in force")
    edge.set_policy(text.replace("mode: block", "mode: blok"))
    wait_until(lambda: stat(edge, "bodyguard.update_rejected") == 1, "Envoy to count the refused policy")
    assert 'defaults.mode: found "blok", allowed: off, detect, shadow, block' in edge.log()
    wait_until(lambda: "bodyguard_policy_rejections_total{} 1" in edge.admin("/stats/prometheus"), "the filter to count it")
    assert get(edge, KEY).body == KEY, "the last good policy stays in force"

    edge.set_policy(text.replace("email, jwt]", "jwt]"))
    wait_until(lambda: get(edge, EMAIL[0]).body == EMAIL[0], "the third policy to be in force")
    assert get(edge, KEY).status == 403
    assert edge.process.pid == pid and edge.alive()


def test_both_examples_know_the_same_labels_and_log_the_same_fields():
    parts = [
        r"(  stats_tags:\n(?:  - .*\n)+)",
        r"(  histogram_bucket_settings:\n(?: .*\n)+)",
        r"(?s)json_format:\n(.*?)          http_filters:",
    ]
    texts = [(EXAMPLES / name).read_text() for name in ("envoy.yaml", "dynamic.yaml")]
    for part in parts:
        static, dynamic = ([line for line in re.search(part, text)[1].splitlines() if "# " not in line] for text in texts)
        assert static == dynamic


# Filter state and other filters.


def told(edge, path: str) -> str | None:
    """What the upstream was told about the last request."""
    return edge.upstream.last().header("x-bodyguard-verdict")


def test_other_filters_act_on_a_requests_verdict_where_its_headers_are_held(edge):
    edge = edge("filter-state.yaml")
    assert post(edge, KEY, "/own").status == 200
    assert told(edge, "/own") == "would_block"
    assert post(edge, EMAIL[0], "/partners").status == 200
    assert told(edge, "/partners") == "redacted"
    assert edge.upstream.last().body == EMAIL[1]
    refused = post(edge, KEY, "/partners")
    assert (refused.status, refused.body) == (403, b"RBAC: access denied")
    assert post(edge, values.CLEAN, "/partners").status == 200
    assert stat(edge, "rbac.denied") == 1
    assert stat(edge, "rbac.everywhere_.shadow_denied") == 2


def test_a_client_is_told_the_verdict_of_the_whole_exchange_and_the_upstream_that_of_the_request(edge):
    edge = edge("filter-state.yaml")
    answer = get(edge, KEY)
    assert (answer.status, answer.body, answer.header("x-bodyguard-verdict")) == (200, KEY, "would_block")
    assert told(edge, "/") is None, "a request without a body has no verdict"
    answer = send(edge, Request(method="POST", body=EMAIL[0]), Response(body=values.CLEAN))
    assert answer.header("x-bodyguard-verdict") == "redacted"


def test_an_access_log_can_be_filtered_by_filter_state(edge):
    edge = edge("filter-state.yaml")
    get(edge, values.CLEAN, "/clean")
    get(edge, EMAIL[0], "/masked")
    post(edge, KEY, "/watched")
    assert [(line["path"], line["verdict"]) for line in edge.access(2)] == [("/masked", "redacted"), ("/watched", "would_block")]


def test_a_requests_verdict_reaches_dynamic_metadata_by_way_of_a_header_that_no_client_can_forge(edge):
    edge = edge("filter-state.yaml")
    post(edge, EMAIL[0], "/masked", ("x-bodyguard-verdict", "clean"))
    assert told(edge, "/masked") == "redacted"
    send(edge, Request(headers=[("x-bodyguard-verdict", "forged")]), Response(body=EMAIL[0]))
    assert told(edge, "/") is None
    assert [(line["verdict"], line["metadata"]) for line in edge.access(2)] == [("redacted", "redacted"), ("redacted", None)]


def test_with_headers_released_other_filters_see_no_verdict_in_time_but_the_access_log_does(edge, monkeypatch):
    import envoy as example

    folder = example.EXAMPLES
    text = (folder / "filter-state.yaml").read_text().replace("stop_iteration: true", "stop_iteration: false")
    assert text.count("stop_iteration: false") == 2
    monkeypatch.setattr(example.Envoy, "_with_module", lambda self, _, real=example.Envoy._with_module: real(self, text))
    edge = edge("filter-state.yaml")
    assert post(edge, KEY, "/partners").status == 200, "RBAC looked before the body was there"
    assert told(edge, "/partners") is None
    assert get(edge, EMAIL[0]).header("x-bodyguard-verdict") is None
    assert [line["verdict"] for line in edge.access(2)] == ["would_block", "redacted"]
    assert json.dumps(edge.access(2)[1]["findings"]) == '"response:redact:email=1"'
