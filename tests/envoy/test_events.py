"""Security events at an OTLP receiver: through a real Envoy, to a real collector and to a scripted one that is checked by protobuf."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import time
from pathlib import Path

import policies
import pytest
import values
from google.protobuf import json_format
from harness.config import Setup
from harness.envoy import Envoy
from harness.message import Received, Request, Response, wait_until
from harness.upstream import Upstream
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from test_verdicts import post, respond

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TOKEN = "Bearer " + "of-the-exporter"
TWO = values.document(values.EMAIL, values.CARD)[0]
KEY = values.document(values.AWS)[0]


def policy(**otlp) -> dict:
    document = policies.standard(hold=False)
    document["spec"]["events"] = {"otlp": {"cluster": "otel", "interval": "200ms", **otlp}}
    return document


@pytest.fixture
def receiver():
    receiver = Upstream()
    receiver.script(Response(body=b"{}", headers=[("content-type", "application/json")]))
    yield receiver
    receiver.close()


def free_port() -> int:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def start(run, port: int | None, concurrency: int = 1, **otlp) -> Envoy:
    return run.fresh(Setup(policy(**otlp), hold=False, clusters={"otel": port}, concurrency=concurrency))


def parse(export: Received) -> ExportLogsServiceRequest:
    """By protobuf, which refuses what the schema does not know; OTLP's JSON differs from protobuf's in the ids alone."""
    document = json.loads(export.body)
    for resource in document["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                for name in {"traceId", "spanId"} & record.keys():
                    record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    return json_format.Parse(json.dumps(document), ExportLogsServiceRequest())


def plain(value: AnyValue) -> str | int:
    return getattr(value, value.WhichOneof("value"))


def attributes(record) -> dict[str, str | int]:
    return {pair.key: plain(pair.value) for pair in record.attributes}


def records(receiver: Upstream) -> list[LogRecord]:
    return [
        record
        for export in list(receiver.received)
        if export.complete
        for resource in parse(export).resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def outcomes(envoy: Envoy) -> dict[str, float]:
    return {outcome: envoy.metric("bodyguard_events_total", outcome=outcome) for outcome in ("exported", "dropped", "failed")}


def wait_for(envoy: Envoy, **wanted: float) -> None:
    wait_until(lambda: wanted.items() <= outcomes(envoy).items(), f"{wanted}, and not {outcomes(envoy)}", 20)


def test_blocked_and_redacted_messages_arrive_with_all_they_have(run, receiver):
    envoy = start(run, receiver.ports["h1"], headers={"authorization": TOKEN}, resource_attributes={"service.namespace": "edge"})
    mark = envoy.log_mark()
    before = time.time_ns()
    respond(envoy, TWO, "/x/masked?q=1")
    post(envoy, KEY, "/x/refused", headers=[("traceparent", f"00-{TRACE}-{SPAN}-01"), ("x-request-id", "id-7")])
    wait_for(envoy, exported=2)
    export = receiver.received[0]
    assert (export.method, export.path, export.header("content-type")) == ("POST", "/v1/logs", "application/json")
    assert (export.header("host"), export.header("authorization")) == ("otel", TOKEN)
    [resource] = parse(export).resource_logs
    assert attributes(resource.resource) == {"service.name": "bodyguard", "service.namespace": "edge"}
    assert resource.scope_logs[0].scope.name == "bodyguard" and resource.scope_logs[0].scope.version
    masked, refused = records(receiver)
    assert (masked.severity_number, masked.severity_text, plain(masked.body)) == (9, "INFO", "redacted response: credit_card=1,email=1")
    assert (refused.severity_number, refused.severity_text) == (13, "WARN")
    assert plain(refused.body) == "blocked request: body.dlp_block:aws_access_key"
    assert (refused.trace_id.hex(), refused.span_id.hex(), refused.flags) == (TRACE, SPAN, 1)
    assert masked.trace_id == b"" and masked.event_name == refused.event_name == "bodyguard.message"
    for record in (masked, refused):
        assert before < record.time_unix_nano == record.observed_time_unix_nano < time.time_ns()
    # The same as in the log, whose lines have tests of their own.
    for line, record in zip(envoy.events(mark), (masked, refused), strict=True):
        names = {"host": "server.address", "method": "http.request.method", "path": "url.path"}
        told = {names.get(name, f"bodyguard.{name}"): value for name, value in line.items() if isinstance(value, str)}
        told |= {f"bodyguard.findings.{kind}": count for kind, count in line["findings"].items()}
        told |= {f"bodyguard.actions.{action.replace(':', '.')}": count for action, count in line["actions"].items()}
        del told["bodyguard.time"], told["bodyguard._level"]
        assert attributes(record) == told
    assert attributes(refused)["bodyguard.request_id"] == "id-7"
    assert TOKEN not in envoy.log()


def test_events_go_in_batches_and_clean_messages_send_nothing(run, receiver):
    envoy = start(run, receiver.ports["h1"], interval="1s")
    with envoy.connect() as client:
        for _ in range(40):
            envoy.upstream.script(Response(body=TWO))
            assert client.exchange(Request(path="/x")).status == 200
    wait_for(envoy, exported=40)
    assert len(records(receiver)) == 40
    assert len(receiver.received) <= 10, "far fewer exports than events"
    exports = len(receiver.received)
    for _ in range(5):
        respond(envoy, values.CLEAN)
    respond(envoy, TWO)
    wait_for(envoy, exported=41)
    assert len(receiver.received) == exports + 1 and len(records(receiver)) == 41


def test_each_worker_exports_its_own_and_none_twice(run, receiver):
    envoy = start(run, receiver.ports["h1"], concurrency=3)
    for number in range(60):
        respond(envoy, TWO, f"/x/{number}")
    wait_for(envoy, exported=60)
    paths = [attributes(record)["url.path"] for record in records(receiver)]
    assert sorted(paths) == sorted(f"/x/{number}" for number in range(60))


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_receiver_gets_the_same_events_later(run, receiver, status):
    envoy = start(run, receiver.ports["h1"])
    receiver.script(Response(status=status), Response(status=status), Response(body=b"{}"))
    mark = envoy.log_mark()
    respond(envoy, TWO)
    wait_for(envoy, exported=1)
    assert len(receiver.received) == 3
    assert len({export.body for export in receiver.received}) == 1
    log = envoy.log_since(mark)
    assert len(re.findall("does not take security events", log)) == 1 and f"status is {status}" in log
    assert len(re.findall("takes security events again", log)) == 1


def test_a_receiver_that_refuses_for_good_is_not_asked_again(run, receiver):
    envoy = start(run, receiver.ports["h1"])
    receiver.script(Response(status=400, body=b"no"))
    respond(envoy, TWO)
    wait_for(envoy, failed=1)
    receiver.script(Response(body=b'{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}'))
    respond(envoy, TWO)
    wait_for(envoy, failed=2)
    assert len(receiver.received) == 1
    assert outcomes(envoy) == {"exported": 0, "dropped": 0, "failed": 2}


@pytest.mark.parametrize("missing", ["listener", "endpoint", "cluster"])
def test_a_receiver_that_is_not_there_delays_no_message_and_every_event_is_counted(run, missing):
    cluster = "unknown" if missing == "cluster" else "otel"
    envoy = start(run, None if missing == "endpoint" else free_port(), cluster=cluster, max_queue=5)
    with envoy.connect() as client:
        for _ in range(12):
            envoy.upstream.script(Response(body=TWO))
            began = time.monotonic()
            assert client.exchange(Request(path="/x")).status == 200
            assert time.monotonic() - began < 2
    wait_for(envoy, dropped=7, exported=0, failed=0)
    wait_until(lambda: "does not take security events" in envoy.log(), "a word in the log")
    time.sleep(2)
    respond(envoy, TWO)
    assert len(re.findall("does not take security events", envoy.log())) == 1
    assert f'cluster "{cluster}"' in envoy.log()
    wait_for(envoy, dropped=8)


def test_a_receiver_that_comes_back_gets_what_waited(run):
    port = free_port()
    envoy = start(run, port)
    respond(envoy, TWO)
    wait_until(lambda: "does not take security events" in envoy.log(), "a failure")
    again = Upstream(port)
    again.script(Response(body=b"{}"))
    wait_for(envoy, exported=1)
    assert len(records(again)) == 1
    again.close()


def test_a_slow_receiver_delays_no_message(run, receiver):
    envoy = start(run, receiver.ports["h1"], timeout="500ms", max_queue=3)
    answered = []
    receiver.script(Response(pieces=[lambda _: bool(answered), b"{}"], framing="none"))
    with envoy.connect() as client:
        for _ in range(6):
            envoy.upstream.script(Response(body=TWO))
            began = time.monotonic()
            assert client.exchange(Request(path="/x")).status == 200
            assert time.monotonic() - began < 0.4
    wait_for(envoy, dropped=3)
    wait_until(lambda: len(receiver.received) >= 2, "the export to be tried again after its timeout")
    answered.append(True)
    receiver.script(Response(body=b"{}"))
    wait_for(envoy, exported=3, dropped=3, failed=0)


def test_an_update_of_the_policy_loses_no_event(run, receiver):
    """The old configuration has events on their way and in its queue when the new one comes."""
    setup = Setup(policy(), hold=False, clusters={"otel": receiver.ports["h1"]}, ecds=True)
    envoy = run.fresh(setup)
    answered = []
    receiver.script(lambda _: Response(pieces=[lambda _: bool(answered), b"{}"], framing="none"))
    respond(envoy, TWO, "/x/on-its-way")
    wait_until(lambda: len(receiver.received) == 1, "an export")
    respond(envoy, TWO, "/x/waits")
    update = policy(interval="300ms")
    update["metadata"]["name"] = "updated"
    envoy.update(update)
    wait_until(lambda: envoy.metric("bodyguard_policy_info", policy="updated") == 1, "the update to be taken")
    answered.append(True)
    wait_until(lambda: sum(outcomes(envoy).values()) >= 2, "both events to find their fate")
    paths = {attributes(record)["url.path"] for record in records(receiver)}
    assert paths == {"/x/on-its-way", "/x/waits"}
    assert outcomes(envoy) == {"exported": 2, "dropped": 0, "failed": 0}
    respond(envoy, TWO, "/x/new")
    wait_for(envoy, exported=3)
    by_policy = {attributes(record)["url.path"]: attributes(record)["bodyguard.policy"] for record in records(receiver)}
    assert by_policy == {"/x/on-its-way": policies.NAME, "/x/waits": policies.NAME, "/x/new": "updated"}


def test_no_found_value_is_ever_exported(run, receiver):
    envoy = start(run, receiver.ports["h1"], headers={"authorization": TOKEN})
    sent = 0
    for planted in values.ALL:
        body, _ = values.document(planted)
        line = planted.value.split("\n")[0]
        for path in ("/x", "/detect", "/observe", "/hook"):
            respond(envoy, body, path, headers=[("x-note", line)])
            # Not in the path: the access log of these tests shows that.
            post(envoy, body, path, headers=[("x-request-id", line), ("traceparent", f"00-{TRACE}-{SPAN}-01")])
            sent += 2
    wait_until(lambda: sum(outcomes(envoy).values()) > sent * 0.7, "events")
    wait_until(lambda: len(records(receiver)) == sum(outcomes(envoy).values()), "all of them")
    exported = b"".join(export.body for export in receiver.received)
    for value in [*values.never_logged(), TOKEN.encode()]:
        assert value not in exported
    assert TOKEN.encode() not in envoy.log_path.read_bytes()


class Collector:
    """Rotel, a collector of its own make: receives OTLP, and tells on its standard output what it has understood."""

    def __init__(self, folder: Path):
        import rotel

        binary = Path(rotel.__file__).parent / "rotel-agent"
        self.port, other = free_port(), free_port()
        self.output = folder / "rotel.log"
        options = ["--otlp-http-endpoint", f"127.0.0.1:{self.port}", "--otlp-grpc-endpoint", f"127.0.0.1:{other}"]
        options += ["--exporter", "blackhole", "--debug-log", "logs", "--debug-log-verbosity", "detailed"]
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([str(binary), "start", *options], stdout=output, stderr=output)

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)


def test_a_collector_understands_them(run, tmp_path):
    pytest.importorskip("rotel", reason="its wheels are for Linux on x86-64")
    collector = Collector(tmp_path)
    try:
        wait_until(lambda: "Starting Rotel" in collector.text(), "the collector")
        envoy = start(run, collector.port, authority="collector.example:4318")
        respond(envoy, TWO, "/x/masked")
        post(envoy, KEY, "/x/refused", headers=[("traceparent", f"00-{TRACE}-{SPAN}-01")])
        wait_for(envoy, exported=2)
        wait_until(lambda: collector.text().count("LogRecord #") == 2, "both records")
    finally:
        collector.close()
    for line in [
        "-> service.name: Str(bodyguard)",
        "SeverityNumber: SEVERITY_NUMBER_WARN(13)",
        "SeverityNumber: SEVERITY_NUMBER_INFO(9)",
        "EventName: bodyguard.message",
        "Body: Str(blocked request: body.dlp_block:aws_access_key)",
        "-> bodyguard.verdict: Str(redacted)",
        "-> bodyguard.findings.credit_card: Int(1)",
        "-> url.path: Str(/x/refused)",
    ]:
        assert line in collector.text(), line
    assert re.search(rf"Trace ID\s+: {TRACE}\s+Span ID\s+: {SPAN}", collector.text())
