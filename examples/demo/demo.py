"""bodyguard at work: real requests through a real Envoy, and what became of each.

Run it with `make demo`, or `make run` to keep Envoy running. Exit code 0 only if every outcome is the expected one.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import re
import signal
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

import upstream
from envoy import Envoy
from terminal import WIDTH, heading, mark, shorten, style, table
from upstream import AWS_KEY, CARD, EMAIL, GITHUB_TOKEN, JWT, PAGES, PRIVATE_KEY, SSN, Upstream

MASK = re.compile(r"\[REDACTED:\w+\]|[*]{4}[* -]*\d{4}")
COLOUR = {"clean": "green", "redacted": "yellow", "would_block": "cyan", "blocked": "red"}


@dataclass
class Case:
    """One request, and what must come of it."""

    title: str
    path: str
    verdict: str
    status: int = 200
    post: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    # What must have become of the text that was sent: parts that must be gone, and parts that must be there.
    gone: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)


MASKED = ["**** **** **** 1111", "[REDACTED:email]", "[REDACTED:jwt]"]
CASES = [
    Case("A product list, with nothing to hide", "/products", "clean", there=['"mug"']),
    Case("A customer record: card, e-mail address, session token", "/customers/42", "redacted", gone=[CARD, EMAIL, JWT], there=MASKED),
    Case("The same record, gzip", "/customers/42", "redacted", headers={"accept-encoding": "gzip, br"}, gone=[CARD, EMAIL, JWT], there=MASKED),
    Case("A sign-up whose form holds a social security number", "/signup", "redacted", post=f'{{"name": "Jane", "ssn": "{SSN}"}}', gone=[SSN], there=["[REDACTED:ssn]"]),
    Case("A note into which somebody pasted an AWS key", "/notes", "blocked", 403, post=f'{{"note": "key is {AWS_KEY}"}}', gone=[AWS_KEY]),
    Case("A private key that should never have been served", "/backup/id_rsa", "blocked", 403, gone=PRIVATE_KEY.split("\n")[:3]),
    Case("A build log with a GitHub token, on a route in shadow mode", "/internal/build.log", "would_block", gone=[EMAIL], there=[GITHUB_TOKEN]),
]  # fmt: skip


def send(port: int, case: Case) -> tuple[int, str, dict[str, str]]:
    """Sends the request; status, text and headers of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    method = "GET" if case.post is None else "POST"
    connection.request(method, case.path, case.post, {"content-type": "application/json", **case.headers})
    answer = connection.getresponse()
    body, headers = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return answer.status, body.decode(errors="replace"), headers


def show(label: str, text: str) -> None:
    found = {secret: shorten(secret, 44) for secret in upstream.SECRETS if secret in text}
    for secret, short in found.items():
        text = text.replace(secret, short)
    line = mark(shorten(text, max(WIDTH - 22, 60)), list(found.values()), "red")
    print(f"     {style(label.ljust(15), 'dim')} {MASK.sub(lambda found: style(found[0], 'green'), line)}")


def play(number: int, case: Case, envoy: Envoy, behind: Upstream) -> bool:
    """Sends one request and shows what became of it; is it as expected?"""
    stored = len(behind.received)
    status, text, headers = send(envoy.port, case)
    entry = envoy.access(number)[-1]
    arrived = behind.received[stored][1] if len(behind.received) > stored else None
    verdict = str(entry.get("verdict") or "clean")
    heading(f"{number:2}. {case.title}")
    if case.post is None:
        show("upstream sent", PAGES[case.path][1])
        show("client got", f"{status} {text}")
    else:
        show("client sent", case.post)
        show("upstream got", "nothing" if arrived is None else arrived)
        show("client got", f"{status} {text}")
    result = text if case.post is None else (arrived or "")
    # The access log names a direction where both could be meant.
    seen = case.verdict if case.verdict in verdict else verdict
    problems = [f"status {status}, expected {case.status}"] if status != case.status else []
    problems += [f"verdict {verdict}, expected {case.verdict}"] if seen != case.verdict else []
    problems += ["a value that must be gone is still there"] if any(part in result or part in text for part in case.gone) else []
    problems += ["what must be there is not"] if any(part not in result for part in case.there) else []
    if case.status == 403:
        problems += ["the upstream got it all the same"] if arrived is not None else []
        problems += ["no x-bodyguard-code"] if "x-bodyguard-code" not in headers else []
    findings = entry.get("findings") or ""
    print(f"     {style('verdict'.ljust(15), 'dim')} {style(seen, COLOUR.get(seen, 'red'), 'bold')} {style(findings, 'dim')}")
    for problem in problems:
        print(f"     {style('UNEXPECTED'.ljust(15), 'red', 'bold')} {problem}")
    return not problems


def counters(envoy: Envoy) -> list[tuple[str, ...]]:
    """bodyguard's counters that are not zero, as rows of name, labels, value."""
    rows = []
    for line in envoy.admin("/stats/prometheus").splitlines():
        found = re.match(r"(bodyguard_\w+)\{(.*)\} (\d+)$", line)
        if found and found[1].endswith("_total") and found[3] != "0":
            labels = [f"{name}={value}" for name, value in re.findall(r'(\w+)="([^"]*)"', found[2]) if name != "policy"]
            rows.append((found[1], " ".join(labels), found[3]))
    return rows


def demo(envoy: Envoy, behind: Upstream) -> bool:
    good = [play(number, case, envoy, behind) for number, case in enumerate(CASES, 1)]
    rows = counters(envoy)
    heading("Counted, in Prometheus under /stats/prometheus")
    table(rows or [("nothing", "", "")])
    events = envoy.events()
    heading("Told in the log: one line of JSON a message, never a value")
    rows_of_events = [("direction", "verdict", "code", "path", "findings")]
    for event in events:
        counts = ", ".join(f"{kind} {count}" for kind, count in event.get("findings", {}).items())
        rows_of_events.append((event["direction"], event["verdict"], event.get("code") or "-", event["path"], counts))
    table(rows_of_events)
    if events:
        print(f"\n    in full: {textwrap.fill(json.dumps(events[-1]), WIDTH - 4, subsequent_indent='    ')}")
    if not rows or len(events) < sum(case.verdict != "clean" for case in CASES):
        good.append(False)
    log = envoy.log() + envoy.access_path.read_text()
    if any(line in log for secret in upstream.SECRETS for line in secret.split("\n") if "-----" not in line):
        print(style("UNEXPECTED: a found value stands in a log", "red", "bold"))
        good.append(False)
    heading(style("All as expected.", "green") if all(good) else style("Not all as expected: see above.", "red"))
    return all(good)


PLAY = [
    ("a clean page", "curl {edge}/products"),
    ("a record, masked", "curl {edge}/customers/42"),
    ("the same, gzip", "curl --compressed {edge}/customers/42"),
    ("a private key, blocked", "curl -i {edge}/backup/id_rsa"),
    ("a secret going in, blocked", "curl -i {edge}/notes -d '{{\"key\": \"" + AWS_KEY + "\"}}'"),
    ("a form, masked on its way in", "curl {edge}/signup -d 'ssn=" + SSN + "'"),
    ("shadow mode", "curl {edge}/internal/build.log"),
    ("excluded", "curl {edge}/healthz"),
    ("the metrics", "curl -s {admin}/stats/prometheus | grep ^bodyguard"),
]


def keep_running(envoy: Envoy) -> None:
    """Lists what to try, then shows the access log until interrupted."""
    places = {"edge": f"http://127.0.0.1:{envoy.port}", "admin": envoy.admin_url}
    heading("Envoy with bodyguard is running. Try, in another terminal:")
    table([(f"# {about}", command.format(**places)) for about, command in PLAY])
    print(f"\n    events: {envoy.log_path}\n    stop with Ctrl-C; requests show up here:\n")
    shown = 0
    while envoy.process.poll() is None:
        for entry in envoy.access(0)[shown:]:
            shown += 1
            verdict = str(entry.get("verdict") or "clean")
            colour = next((colour for name, colour in COLOUR.items() if name in verdict), "red")
            print(f"    {entry['status']} {entry['method']} {entry['path']}  {style(verdict, colour)} {entry.get('findings') or ''}", flush=True)
        time.sleep(0.2)
    raise SystemExit(f"error: Envoy ended; its log ends with\n{envoy.log()[-2000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envoy", type=Path, required=True, help="the Envoy binary")
    parser.add_argument("--module", type=Path, required=True, help="bodyguard.wasm")
    parser.add_argument("--keep-running", action="store_true", help="start, list what to try, and wait for Ctrl-C")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bodyguard-") as folder:
        behind = Upstream()
        envoy = None
        try:
            envoy = Envoy(options.envoy, options.module, behind.server_port, Path(folder), usual_ports=options.keep_running)
            if options.keep_running:
                keep_running(envoy)
            return 0 if demo(envoy, behind) else 1
        except KeyboardInterrupt:
            print()
            return 0
        finally:
            if envoy is not None:
                envoy.stop()
            behind.stop()


if __name__ == "__main__":
    sys.exit(main())
