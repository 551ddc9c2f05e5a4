"""policies/schema.json in an editor: it underlines what is wrong, offers what is allowed, and leaves the shipped policies alone."""

from __future__ import annotations

import pytest
from conftest import ROOT, give_up, need
from language_server import LanguageServer

FOLDER = ROOT / "policies"
PROGRAM = "node_modules/yaml-language-server/bin/yaml-language-server"
# One server for all.
pytestmark = pytest.mark.xdist_group("editor")


@pytest.fixture(scope="module")
def editor(request: pytest.FixtureRequest):
    folder = request.config.getoption("editor")
    if folder is None or not (folder / PROGRAM).exists():
        give_up("yaml-language-server is missing: make deploy-test gets it with npm")
    editor = LanguageServer(need("node"), (folder / PROGRAM).resolve(), FOLDER)
    yield editor
    editor.stop()


def test_it_underlines_what_is_wrong_and_offers_what_is_allowed(editor):
    lines = [
        "# yaml-language-server: $schema=schema.json",
        "metadata: {name: x}",
        "spec:",
        "  defaults:",
        "    mode: blok",
        "    colour: red",
        "    max_request_body_bytes: 134217729",
        "    fail_mode: ",
        "    checks: {body: {dlp: {redact: [e-mail]}}}",
        "    ",
        "  domains:",
        '  - hosts: ["a.com:80"]',
        "    routes:",
        "    - match: {methods: [FETCH]}",
    ]
    complaints = editor.complaints("new.yaml", "\n".join(lines))
    assert {line for line, _ in complaints} == {4, 5, 6, 7, 8, 11, 13}, complaints
    assert '"shadow"' in dict(complaints)[4] and "colour" in dict(complaints)[5]
    assert editor.completions("new.yaml", 7, len(lines[7])) == ["fail_open", "fail_close"]
    offered = editor.completions("new.yaml", 9, 4)
    assert {"inspect_response_body", "max_response_body_bytes", "skip_content_types"} <= set(offered)


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.yaml")))
def test_it_leaves_a_shipped_policy_alone(editor, name):
    assert editor.complaints(name, (FOLDER / name).read_text()) == []
