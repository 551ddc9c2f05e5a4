"""Istio's manifests as an operator handles them: a copy of istio/, the image pinned, perhaps another policy, and kustomize."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml
from conftest import ROOT, run

OVERLAYS = sorted(path.name for path in (ROOT / "istio" / "overlays").iterdir())
# An image that nobody pulls.
SOME_IMAGE = {"url": f"oci://registry.example.com/bodyguard@sha256:{'0a' * 32}", "sha256": "0a" * 32}


def copy_to(folder: Path, image: dict[str, str]) -> Path:
    """A copy of istio/ with this image in it, as docs/install.md has it done."""
    copied = shutil.copytree(ROOT / "istio", folder / "istio")
    file = copied / "components" / "image" / "image.yaml"
    text = file.read_text()
    for name, value in image.items():
        [line] = [line for line in text.splitlines() if line.startswith(f"  {name}: ")]
        text = text.replace(line, f"  {name}: {value}")
    file.write_text(text)
    return copied


def set_policy(overlay: Path, document: dict) -> None:
    """Gives the overlay a policy of its own, in place of the shared one."""
    # JSON is YAML. What the overlay sets is left to it.
    document["spec"].pop("allow_on_headers_stop_iteration", None)
    (overlay / "policy.yaml").write_text(json.dumps(document))
    file = overlay / "kustomization.yaml"
    assert file.read_text().count("- ../../policy ") == 1
    file.write_text(file.read_text().replace("- ../../policy ", "- policy.yaml "))


def build(kubectl: str, folder: Path) -> list[dict]:
    """What would be applied."""
    return list(yaml.safe_load_all(run(kubectl, "kustomize", folder)))
