#!/usr/bin/env python3
"""Packs the module as a container image: an OCI layout in a folder, the same bytes for the same module and annotations.

The image is the one that Istio and Envoy Gateway both read: one manifest (no index of platforms), and in its last layer, a gzipped
tar, a file named plugin.wasm. Its config names linux/amd64 as `docker build` of the same on most machines would; neither of the two
looks at it, and the module runs on any. Standard library only; knows no registry.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX = "application/vnd.oci.image.index.v1+json"
# What both hosts look for in the last layer.
MODULE_NAME = "plugin.wasm"


def layer_of(module: bytes) -> tuple[bytes, str]:
    """The gzipped tar, and the digest of the tar as it was before."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        # A TarInfo as it comes belongs to root and is of 1970.
        entry = tarfile.TarInfo(MODULE_NAME)
        entry.size, entry.mode = len(module), 0o644
        archive.addfile(entry, io.BytesIO(module))
    # Gzip as zlib writes it, without a time or a name; Python's gzip module does it in two ways, by its version.
    gzip = zlib.compressobj(level=9, wbits=31)
    return gzip.compress(tar.getvalue()) + gzip.flush(), digest(tar.getvalue())


def digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def pack(module: bytes, annotations: dict[str, str], folder: Path) -> str:
    """Writes the layout into `folder`, in place of what was there; the digest of its manifest."""
    blobs: dict[str, bytes] = {}

    def add(media_type: str, blob: bytes) -> dict:
        blobs[digest(blob)] = blob
        return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}

    created = annotations["org.opencontainers.image.created"]
    layer, diff_id = layer_of(module)
    config = {
        "created": created,
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": annotations},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": f"COPY {MODULE_NAME} /"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": add(CONFIG, as_json(config)),
        "layers": [add(LAYER, layer)],
        "annotations": annotations,
    }
    described = add(MANIFEST, as_json(manifest))
    named = {**described, "annotations": {"org.opencontainers.image.ref.name": annotations["org.opencontainers.image.version"]}}
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "blobs" / "sha256").mkdir(parents=True)
    for name, blob in blobs.items():
        (folder / "blobs" / name.replace(":", "/")).write_bytes(blob)
    (folder / "index.json").write_bytes(as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}))
    (folder / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))
    return described["digest"]


def as_json(value: dict) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def annotations_of(root: Path) -> dict[str, str]:
    """What the image says about itself: from Cargo.toml and the last commit, or from SOURCE_DATE_EPOCH, IMAGE_REVISION, IMAGE_SOURCE."""
    listed = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"], cwd=root, check=True, capture_output=True, text=True
    )
    [package] = json.loads(listed.stdout)["packages"]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or git(root, "log", "-1", "--format=%ct") or 0)
    revision = os.environ.get("IMAGE_REVISION") or git(root, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
    known = {
        "title": package["name"],
        "description": package["description"],
        "version": package["version"],
        "licenses": package["license"],
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
        "revision": revision,
        "source": os.environ.get("IMAGE_SOURCE") or package["repository"],
    }
    return {f"org.opencontainers.image.{name}": value for name, value in known.items() if value}


def git(root: Path, *arguments: str) -> str:
    """What git says; nothing where there is no git, or no repository."""
    try:
        said = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


def stamp(sbom: dict, module: bytes, annotations: dict[str, str]) -> dict:
    """The list of what is in the module, now about these very bytes of it."""
    metadata = sbom["metadata"]
    component = {**metadata["component"], "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(module).hexdigest()}]}
    created = annotations["org.opencontainers.image.created"]
    return {**sbom, "metadata": {**metadata, "timestamp": created, "component": component}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", type=Path, required=True, help="bodyguard.wasm")
    parser.add_argument("--sbom", type=Path, default=ROOT / "sbom.cdx.json", help="CycloneDX list of what is in it")
    parser.add_argument("--out", type=Path, required=True, help="folder for the layout; OUT.cdx.json is written beside it")
    options = parser.parse_args()
    module, annotations = options.module.read_bytes(), annotations_of(ROOT)
    name = pack(module, annotations, options.out)
    bom = stamp(json.loads(options.sbom.read_text()), module, annotations)
    options.out.with_name(options.out.name + ".cdx.json").write_text(json.dumps(bom, indent=2) + "\n")
    print(f"{options.out} {annotations['org.opencontainers.image.version']} {name}")


if __name__ == "__main__":
    main()
