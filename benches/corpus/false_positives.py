#!/usr/bin/env python3
"""Counts what lidless takes for secrets in ten well-known trees of source code.

    cargo build --release -p lidless-cli
    benches/corpus/false_positives.py            the table
    benches/corpus/false_positives.py --list     and each finding, redacted as always

The trees come from the public package registries through pip, npm and cargo, at the versions
below, and are kept in target/corpus. They are published code: what is found in them is a false
alarm, or a key that was published for testing, which the list lets a reader tell apart.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "target" / "corpus"
TREES = [
    ("pip", "django", "5.1.4"),
    ("pip", "ansible-core", "2.18.1"),
    ("pip", "celery", "5.4.0"),
    ("pip", "twisted", "24.11.0"),
    ("pip", "botocore", "1.35.80"),
    ("npm", "typescript", "5.7.2"),
    ("npm", "next", "15.1.0"),
    ("npm", "webpack", "5.97.1"),
    ("cargo", "tokio", "1.42.0"),
    ("cargo", "rustls", "0.23.20"),
]
LEVELS = ["high", "medium", "low"]


def unpack(archive, folder):
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")


def fetch(source, name, version):
    folder = CORPUS / f"{name}-{version}"
    if folder.is_dir():
        return folder
    CORPUS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CORPUS) as scratch:
        scratch = pathlib.Path(scratch)
        made = scratch / "tree"
        made.mkdir()
        if source == "pip":
            run = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", f"{name}=={version}"]
            subprocess.run([sys.executable, "-m", "pip", *run], cwd=scratch, check=True)
            unpack(next(scratch.glob("*.tar.gz")), made)
        elif source == "npm":
            subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=scratch, check=True,
                           stdout=subprocess.DEVNULL)
            unpack(next(scratch.glob("*.tgz")), made)
        else:
            (scratch / "src").mkdir()
            (scratch / "src" / "lib.rs").touch()
            (scratch / "Cargo.toml").write_text(
                '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n'
                f'[dependencies]\n{name} = {{ version = "={version}", default-features = false }}\n')
            subprocess.run(["cargo", "vendor", "--quiet", "--versioned-dirs", "vendored"],
                           cwd=scratch, check=True, stdout=subprocess.DEVNULL)
            (scratch / "vendored" / f"{name}-{version}").rename(made / name)
        made.rename(folder)
    return folder


def lines_of(folder):
    lines = 0
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if b"\0" not in content[:8192]:
                lines += content.count(b"\n")
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--lidless", default=ROOT / "target" / "release" / "lidless")
    arguments.add_argument("--list", action="store_true", help="each finding, too")
    options = arguments.parse_args()
    total = collections.Counter()
    rows, listed = [], []
    for source, name, version in TREES:
        folder = fetch(source, name, version)
        done = subprocess.run(
            [options.lidless, "scan", folder, "--format", "json", "--fail-on", "never", "--quiet"],
            capture_output=True, text=True)
        if done.returncode not in (0, 3):
            sys.exit(f"{name}: lidless exited with {done.returncode}: {done.stderr}")
        report = json.loads(done.stdout)
        count = collections.Counter(lines=lines_of(folder))
        for finding in report["findings"]:
            if finding["category"] in ("secret", "credential-file"):
                count[finding["confidence"]] += 1
                place = finding["location"].split(f"{name}-{version}/", 1)[-1]
                listed.append((finding["confidence"], finding["rule"], name, place, finding["line"],
                               finding["title"], finding["evidence"]))
        rows.append((f"{name} {version}", count))
        total += count
    print("| tree | lines | high | medium | low | medium and up per 100,000 lines |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for title, count in [*rows, ("all", total)]:
        sure = 100_000 * (count["high"] + count["medium"]) / max(count["lines"], 1)
        numbers = " | ".join(str(count[level]) for level in LEVELS)
        print(f"| {title} | {count['lines']:,} | {numbers} | {sure:.1f} |")
    if options.list:
        for row in sorted(listed, key=lambda row: (LEVELS.index(row[0]), row[1:4], row[4] or 0)):
            print("\t".join(str(cell) for cell in row))


main()
