"""The image: packed twice alike, pushed to a real registry, pulled by digest under Istio's rules, and run in a real Envoy."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import image
import pytest
import values
from conftest import ROOT, run
from control_plane import code, string_value
from fetch import DOCKER_LAYER, DOCKER_MANIFEST, OCI_LAYER, OCI_MANIFEST, WASM_LAYER, Refused, module_of, pull
from harness.config import WASM
from pushed import push
from traffic import enforcing, expect_enforced

TITLE = "org.opencontainers.image.title"
# What `image.annotations_of` reads from the environment.
SET = {"SOURCE_DATE_EPOCH": "1750000000", "IMAGE_REVISION": "0123abc", "IMAGE_SOURCE": "https://example.com/bodyguard"}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def pack_in(folder: Path, module: Path) -> Path:
    """Runs the packer from a copy of this source in `folder`, as `make image` does; the layout."""
    for name in ("Cargo.toml", "Cargo.lock", "sbom.cdx.json", "scripts/image.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    # What Cargo.toml names must be there for cargo to read it.
    for name in ("src/lib.rs", "src/bin/bodyguard/main.rs", "scripts/quality/scan.rs"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    run("python3", "-B", "scripts/image.py", "--module", module, "--out", folder / "image", cwd=folder)
    return folder / "image"


@pytest.fixture(scope="session")
def layout(module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SET.items():
            patch.setenv(name, value)
        return pack_in(tmp_path_factory.mktemp("layout"), module)


def test_the_module_says_nothing_about_where_it_was_built(module):
    # A folder of a home, of a build or of a Cargo registry; the standard library's own, /rustc/..., is the same everywhere.
    paths = rb"/(?:home|root|Users|tmp|build|builds|work|workspace|github)/[\w.~-]+/|\.cargo|\.rustup|index\.crates|registry/src"
    found = re.findall(paths, module.read_bytes())
    assert not found, "build it with make build: another build leaves paths in it"
    assert str(Path.home()).encode() + b"/" not in module.read_bytes()
    assert str(ROOT).encode() not in module.read_bytes()


def test_packing_in_two_folders_gives_the_same_bytes(module, layout, tmp_path, monkeypatch):
    for name, value in SET.items():
        monkeypatch.setenv(name, value)
    other = pack_in(tmp_path / "a" / "longer" / "path", module)
    assert files(layout) == files(other)
    assert layout.with_name("image.cdx.json").read_bytes() == other.with_name("image.cdx.json").read_bytes()


def test_the_image_says_what_it_is(layout):
    [described] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads((layout / "blobs" / described["digest"].replace(":", "/")).read_text())
    said = {name.removeprefix("org.opencontainers.image."): value for name, value in manifest["annotations"].items()}
    assert said.pop("description")
    assert said == {
        "title": "bodyguard",
        "version": image.annotations_of(ROOT)["org.opencontainers.image.version"],
        "licenses": "Apache-2.0",
        "created": "2025-06-15T15:06:40Z",
        "revision": "0123abc",
        "source": "https://example.com/bodyguard",
    }
    config = json.loads((layout / "blobs" / manifest["config"]["digest"].replace(":", "/")).read_text())
    assert config["config"]["Labels"] == manifest["annotations"]


def test_its_last_layer_is_the_module_and_nothing_else(layout, module):
    [described] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads((layout / "blobs" / described["digest"].replace(":", "/")).read_text())
    with tarfile.open(layout / "blobs" / manifest["layers"][-1]["digest"].replace(":", "/")) as tar:
        [entry] = tar.getmembers()
        assert (entry.name, entry.mtime, entry.uid, entry.gid, entry.mode) == ("plugin.wasm", 0, 0, 0, 0o644)
        assert tar.extractfile(entry).read() == module.read_bytes()


def test_what_is_pushed_is_pulled_by_digest_and_runs_in_envoy(layout, module, registry, skopeo, start, tmp_path):
    pinned = push(layout, f"{registry.address}/team/bodyguard:0.1.0")
    assert pinned["url"] == f"oci://{registry.address}/team/bodyguard@sha256:{pinned['sha256']}"
    pulled = pull(pinned["url"], pinned["sha256"])
    assert pulled == module.read_bytes(), "skopeo leaves the bytes alone"
    (tmp_path / "pulled.wasm").write_bytes(pulled)
    config = {
        "name": "bodyguard",
        "root_id": "bodyguard",
        "configuration": string_value(enforcing(hold=False)),
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": code(tmp_path / "pulled.wasm")},
    }
    expect_enforced(start({"name": "bodyguard", "typed_config": {"@type": WASM, "config": config}}), hold=False)


def test_the_image_can_be_looked_at_with_skopeo(layout, registry, skopeo):
    name = f"{registry.address}/looked/at:1"
    push(layout, name)
    said = json.loads(run(skopeo, "inspect", "--tls-verify=false", f"docker://{name}"))
    assert said["Labels"][TITLE] == "bodyguard" and len(said["Layers"]) == 1


def test_an_image_of_another_digest_is_refused(layout, registry, skopeo):
    pinned = push(layout, f"{registry.address}/team/other:1")
    with pytest.raises(Refused, match="digest"):
        pull(pinned["url"], "0" * 64)
    with pytest.raises(Refused, match="pinned"):
        pull(f"oci://{registry.address}/team/other:1", pinned["sha256"])


@pytest.mark.parametrize("name", ["", "registry.example.com/bodyguard@sha256:0000"])
def test_a_push_without_a_tag_to_push_to_is_refused(layout, skopeo, name):
    done = subprocess.run([ROOT / "scripts" / "push-image", layout, name], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "allowed: registry/name:tag" in done.stderr


# The rules themselves: what they accept and refuse, so that passing them means something.

MODULE = b"\0asm\1\0\0\0 and more"


@dataclass
class Image:
    """One made up of layers: media type -> bytes."""

    layers: list[tuple[str, bytes]]
    media_type: str = OCI_MANIFEST
    blobs: dict[str, bytes] = field(default_factory=dict)

    def read(self) -> bytes:
        self.blobs = {f"sha256:{hashlib.sha256(blob).hexdigest()}": blob for _, blob in self.layers}
        layers = [{"mediaType": kind, "digest": digest} for (kind, _), digest in zip(self.layers, self.blobs)]
        return module_of({"mediaType": self.media_type, "layers": layers}, self.blobs.__getitem__)


def tar_of(name: str, content: bytes = MODULE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def gzip(data: bytes) -> bytes:
    return zlib.compress(data, wbits=31)


ACCEPTED = {
    "as docker build makes it": Image([(DOCKER_LAYER, gzip(tar_of("plugin.wasm")))], DOCKER_MANIFEST),
    "as OCI, in a folder": Image([(OCI_LAYER, gzip(tar_of("./deep/plugin.wasm")))]),
    "the last of several layers": Image([(OCI_LAYER, gzip(tar_of("base"))), (OCI_LAYER, gzip(tar_of("plugin.wasm")))]),
    "the two layers of an artifact": Image([("application/vnd.module.wasm.config.v1+json", b"{}"), (WASM_LAYER, MODULE)]),
}
REFUSED = {
    "a layer that is not compressed": (Image([("application/vnd.oci.image.layer.v1.tar", tar_of("plugin.wasm"))]), "not 2"),
    "a zstd layer": (Image([("application/vnd.oci.image.layer.v1.tar+zstd", b"")]), "not 2"),
    "OCI layers under a Docker manifest": (Image([(OCI_LAYER, gzip(tar_of("plugin.wasm")))], DOCKER_MANIFEST), "the last layer is"),
    "the module in a layer before the last": (Image([(OCI_LAYER, gzip(tar_of("plugin.wasm"))), (OCI_LAYER, gzip(tar_of("top")))]), "no layer"),
    "another name": (Image([(OCI_LAYER, gzip(tar_of("bodyguard.wasm")))]), "no plugin.wasm"),
    "one raw module": (Image([("application/wasm", MODULE)]), "not 2"),
    "something else than WebAssembly": (Image([(OCI_LAYER, gzip(tar_of("plugin.wasm", b"#!/bin/sh\n")))]), "not WebAssembly"),
    "no layers, as an index has none": (Image([]), "not an index"),
}


@pytest.mark.parametrize("packed", ACCEPTED.values(), ids=ACCEPTED)
def test_the_rules_accept(packed):
    assert packed.read() == MODULE


@pytest.mark.parametrize("packed, why", REFUSED.values(), ids=REFUSED)
def test_the_rules_refuse(packed, why):
    with pytest.raises(Refused, match=why):
        packed.read()


def test_the_list_of_what_is_in_the_module_is_fresh():
    """Equal to what cargo says the module is made of; `make sbom` writes it anew."""
    bom = json.loads((ROOT / "sbom.cdx.json").read_text())
    command = ["cargo", "tree", "--offline", "--locked", "--target", "wasm32-wasip1", "--edges", "normal,no-proc-macro", "--prefix", "none"]
    listed = {tuple(line.split()[:2]) for line in run(*command, cwd=ROOT).splitlines() if line}
    crates = [bom["metadata"]["component"], *bom["components"]]
    assert {(item["name"], f"v{item['version']}") for item in crates} == listed, "run make sbom"
    locked = (ROOT / "Cargo.lock").read_text()
    for item in bom["components"]:
        entry = f'name = "{item["name"]}"\nversion = "{item["version"]}"\nsource = '
        [checksum] = [hashed["content"] for hashed in item["hashes"] if hashed["alg"] == "SHA-256"]
        assert entry in locked and f'checksum = "{checksum}"' in locked.split(entry)[1].split("[[package]]")[0], "run make sbom"
    for item in bom["dependencies"]:
        assert {item["ref"], *item["dependsOn"]} <= {crate["bom-ref"] for crate in crates}


def test_the_list_beside_the_image_is_about_this_module(layout, module):
    bom = json.loads(layout.with_name("image.cdx.json").read_text())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
    assert bom["metadata"]["timestamp"] == "2025-06-15T15:06:40Z"
    digest = hashlib.sha256(module.read_bytes()).hexdigest()
    assert bom["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]


# What the module must know to leave it alone where a policy says `except_test_values`.
PUBLISHED = {b"AKIAIOSFODNN7EXAMPLE", b"4111111111111111"}


def test_no_planted_value_is_in_the_module(module):
    content = module.read_bytes()
    assert not [value for value in values.never_logged() if value in content and value not in PUBLISHED]
