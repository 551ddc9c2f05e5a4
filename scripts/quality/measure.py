#!/usr/bin/env python3
"""How many findings there are in ordinary web bodies: the quality measurement of docs/quality.md.

Fetches the packages of packages.txt with npm into a folder outside the repository (once), scans every file of them, and prints
findings per kind and per 10 MB. It prints no value. `--contexts KIND` shows the surroundings of that kind's findings, for the
eyes of the person who judges them, on the terminal only.

    scripts/quality/measure.py [--folder DIR] [--scanner COMMAND] [--contexts KIND]

Needs npm and cargo. The scanner is a command that takes file names and prints one JSON object a finding (file, kind, start,
end); by default scripts/quality/scan.rs, built here.
Not part of `make test`: it downloads some hundred megabytes.
"""

import argparse
import collections
import json
import pathlib
import shlex
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BATCH = 500
CONTEXT = 48


def main():
    options = arguments()
    folder = options.folder
    packages = [line for line in (HERE / "packages.txt").read_text().split("\n") if line and not line.startswith("#")]
    for package in packages:
        fetch(package, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tgz")
    size = sum(path.stat().st_size for path in files)
    findings = list(scan(shlex.split(options.scanner) or build(), files))
    if options.contexts:
        contexts(findings, options.contexts)
    report(findings, len(packages), len(files), size)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "bodyguard-quality")
    parser.add_argument("--scanner", default="")
    parser.add_argument("--contexts", metavar="KIND", help="show what stands around the findings of this kind")
    return parser.parse_args()


def fetch(package, folder):
    """Unpacks one package, unless that was done before."""
    target = folder / package.replace("/", "+")
    if target.exists():
        return
    target.mkdir(parents=True)
    packed = subprocess.run(["npm", "pack", "--silent", package], cwd=target, capture_output=True, text=True, timeout=300)
    if packed.returncode != 0:
        target.rmdir()
        sys.exit(f"npm pack {package}: {packed.stderr.strip()}")
    for archive in target.glob("*.tgz"):
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")
        archive.unlink()


def build():
    """The scanner of this repository, as a command."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "quality"], cwd=ROOT, check=True)
    return [str(ROOT / "target/release/examples/quality")]


def scan(command, files):
    """All findings of all files; a finding is a dictionary with file, kind, start and end."""
    for at in range(0, len(files), BATCH):
        run = subprocess.run([*command, *map(str, files[at:at + BATCH])], capture_output=True, text=True)
        if not run.stdout and run.returncode != 0:
            sys.exit(f"{shlex.join(command)}: {run.stderr.strip()}")
        for line in run.stdout.splitlines():
            yield json.loads(line)


def contexts(findings, kind):
    """Distinct findings of a kind with what stands beside them, most frequent first."""
    seen = collections.defaultdict(list)
    for finding in findings:
        if finding["kind"] == kind:
            body = pathlib.Path(finding["file"]).read_bytes()
            value = body[finding["start"]:finding["end"]]
            seen[value].append((finding, body[max(0, finding["start"] - CONTEXT):finding["end"] + CONTEXT]))
    for value, places in sorted(seen.items(), key=lambda item: -len(item[1])):
        print(f"{len(places)} x {value[:80]!r}\n    {places[0][0]['file']}\n    {places[0][1][:300]!r}")


def report(findings, packages, files, size):
    print(f"{packages} packages, {files} files, {size / 1e6:.1f} MB")
    print(f"{'kind':20} {'findings':>9} {'distinct':>9} {'per 10 MB':>10}")
    kinds = collections.Counter(finding["kind"] for finding in findings)
    values = collections.defaultdict(set)
    for finding in findings:
        with open(finding["file"], "rb") as file:
            file.seek(finding["start"])
            values[finding["kind"]].add(hash(file.read(finding["end"] - finding["start"])))
    for kind, count in kinds.most_common():
        print(f"{kind:20} {count:9} {len(values[kind]):9} {count / size * 1e7:10.2f}")


if __name__ == "__main__":
    main()
