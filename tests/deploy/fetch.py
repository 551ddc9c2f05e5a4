"""How Istio's agent and Envoy Gateway's controller read a Wasm image, rule by rule, against a real registry.

Written from what their sources do (pkg/wasm/imagefetcher.go and internal/wasm/imagefetcher.go), to the same end: what this refuses,
they refuse. Nothing of theirs runs here.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
import urllib.request
import zlib

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
MODULE_NAME = "plugin.wasm"
MAGIC = b"\0asm"


class Refused(Exception):
    """The image would not be loaded; why."""


def pull(url: str, sha256: str) -> bytes:
    """The module of `oci://registry/name@sha256:...`, whose manifest must have the digest `sha256`."""
    name, _, reference = url.removeprefix("oci://").partition("@")
    host, _, path = name.partition("/")
    if not reference.startswith("sha256:"):
        raise Refused(f"{url} is not pinned by digest")
    accept = ", ".join([DOCKER_MANIFEST, OCI_MANIFEST])
    manifest = _get(f"http://{host}/v2/{path}/manifests/{reference}", accept)
    actual = hashlib.sha256(manifest).hexdigest()
    if actual != sha256:
        raise Refused(f"the manifest's digest is {actual}, not {sha256}")
    return module_of(json.loads(manifest), lambda digest: _get(f"http://{host}/v2/{path}/blobs/{digest}"))


def module_of(manifest: dict, blob) -> bytes:
    """The module in an image; `blob(digest)` reads a layer."""
    layers = manifest.get("layers")
    if not layers:
        raise Refused("no layers: one manifest is wanted, not an index of several")
    if manifest.get("mediaType") == DOCKER_MANIFEST:
        module = _from_tar(layers[-1], DOCKER_LAYER, blob)
    else:
        try:
            module = _from_tar(layers[-1], OCI_LAYER, blob)
        except Refused as not_a_tar:
            module = _from_artifact(layers, blob, not_a_tar)
    if len(module) < 8 or not module.startswith(MAGIC):
        raise Refused("not WebAssembly")
    return module


def _from_tar(layer: dict, media_type: str, blob) -> bytes:
    if layer["mediaType"] != media_type:
        raise Refused(f"the last layer is {layer['mediaType']}, not {media_type}")
    # As Go's reader does: gzip or nothing.
    try:
        plain = zlib.decompress(blob(layer["digest"]), wbits=31)
    except zlib.error as error:
        raise Refused(f"the last layer is not gzip: {error}") from None
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        for entry in tar:
            if posixpath.basename(entry.name) == MODULE_NAME:
                return tar.extractfile(entry).read()
    raise Refused(f"no {MODULE_NAME} in the last layer")


def _from_artifact(layers: list[dict], blob, otherwise: Refused) -> bytes:
    if len(layers) != 2:
        raise Refused(f"{otherwise}, and the number of layers is {len(layers)}, not 2")
    for layer in layers:
        if layer["mediaType"] == WASM_LAYER:
            return blob(layer["digest"])
    raise Refused(f"{otherwise}, and no layer is {WASM_LAYER}")


def _get(url: str, accept: str = "*/*") -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"accept": accept}), timeout=20) as answer:
        return answer.read()
