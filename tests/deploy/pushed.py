"""`make push`, to a registry of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import ROOT, run


def push(layout: Path, image: str) -> dict[str, str]:
    """What it says is to be pinned: url and sha256."""
    said = run(ROOT / "scripts" / "push-image", layout, image, "--dest-tls-verify=false")
    return dict(re.findall(r"^  (url|sha256): (\S+)$", said, re.M))
