"""docs/install.md and docs/signing.md: commands that can run here print what the pages say; what the others name is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import crds
import pytest
import yaml
from conftest import ROOT

INSTALL = (ROOT / "docs" / "install.md").read_text()
SIGNING = (ROOT / "docs" / "signing.md").read_text()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)


def steps(page: str) -> list[tuple[str, str]]:
    """The commands of the console blocks, each with what it prints."""
    found = []
    for block in blocks(page, "console"):
        for step in ("\n" + block).split("\n$ ")[1:]:
            command, _, printed = step.partition("\n")
            found.append((command, printed.strip("\n")))
    return found


def test_the_commands_of_install_print_what_it_says(kubectl, helm, tmp_path):
    for name in ("istio", "policies"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = os.pathsep.join([str(Path(kubectl).parent), str(Path(helm).parent), os.environ["PATH"]])
    commands = steps(INSTALL)
    assert len(commands) >= 6, "the page has lost its commands"
    for command, printed in commands:
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=30)
        assert (done.stdout + done.stderr).strip("\n") == printed, command


@pytest.mark.parametrize("page", [INSTALL, SIGNING], ids=["install", "signing"])
def test_what_their_other_commands_name_is_there(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    used = set(re.findall(r"\bmake ([a-z][a-z-]+)", page))
    assert used and used <= targets, used - targets
    for command in "\n".join(blocks(page, "sh")).split():
        if re.match(r"(istio|examples|policies)/[\w./-]+$", command) and not command.startswith(("istio/istiod", "istio/overlays/edge")):
            assert (ROOT / command).exists(), command


def test_the_overlays_that_install_lists_are_those_that_there_are():
    listed = re.findall(r"^\| `([a-z-]+)` \|", INSTALL, re.M)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "istio" / "overlays").iterdir())


def test_the_cluster_policy_is_one_that_kyverno_takes_and_finds_the_image_of_a_plugin():
    [block] = blocks(SIGNING, "yaml")
    policy = yaml.safe_load(block)
    crds.validate(policy)
    [rule] = policy["spec"]["rules"]
    base = ROOT / "istio" / "base"
    for kind, [extractor] in rule["imageExtractors"].items():
        resource = yaml.safe_load((base / kind.lower() / f"{kind.lower()}.yaml").read_text())
        assert f"{resource['apiVersion']}/{kind}" in rule["match"]["any"][0]["resources"]["kinds"]
        for name in extractor["path"].strip("/").split("/"):
            resource = resource[name]
        assert isinstance(resource, str)
