"""The lock: every package that ``make test`` runs with, its version and the hash of the very file that was installed.

``python tools/lockfile.py write`` writes it from the environment that this runs in, ``check`` holds the environment
against it. ``constraints.txt`` is what a person chooses; the lock is what came of it, with nothing left open. The
hashes are pip's own, of the files that it would install here for these versions: a lock is of one platform.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name
from tested_set import ROOT, tested

LOCK = ROOT / "requirements.lock"
CONSTRAINTS = ROOT / "constraints.txt"

_HEAD = """\
# Written by `make lock`, checked by `make lock-check`: what `make test` ran with, on {platform}.
# python -m pip install --require-hashes --no-deps --requirement requirements.lock
"""
_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def locked(path: Path = LOCK) -> dict[str, str]:
    """Versions by normalised names, as a lock has them. Raises ValueError for an entry without a hash."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, str] = {canonicalize_name(name): version for name, version, _ in _ENTRY.findall(text)}
    starts = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    if len(starts) != len(found):
        raise ValueError(f"{path.name} has {len(starts)} entries, of which {len(found)} are NAME==VERSION with hashes.")
    return found


def locked_hashes(path: Path = LOCK) -> dict[str, tuple[str, ...]]:
    """The SHA-256 of the files that may be installed, in hexadecimal digits, by normalised names."""
    entries = _ENTRY.findall(path.read_text(encoding="utf-8"))
    return {canonicalize_name(name): tuple(re.findall(r"sha256:(\w+)", hashes)) for name, _, hashes in entries}


def public(version: str) -> str:
    """A version without what a builder adds to it: that of ``2.13.0+cpu`` is ``2.13.0``."""
    return version.partition("+")[0]


def pinned(path: Path = CONSTRAINTS) -> dict[str, str]:
    """Versions by normalised names, as constraints have them."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in lines if line}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """A line for each package that is not the same in a lock and in an environment."""
    return [
        f"{name}: locked {before.get(name, 'not at all')}, installed {now.get(name, 'not at all')}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


# -- writing


def hashes_of(versions: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of the file that pip would install here for each, by normalised names. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        subprocess.run([*command, "--report", str(report), "--requirement", str(wanted)], check=True)
        items = json.loads(report.read_bytes())["install"]
    return {canonicalize_name(one["metadata"]["name"]): _hash_of(one["download_info"]) for one in items}


def _hash_of(download: Mapping[str, Any]) -> str:
    """What the index said, or, of a file that lies in a folder, what it is."""
    stated = download["archive_info"].get("hashes", {}).get("sha256")
    if stated is not None:
        return str(stated)
    with Path(unquote(urlsplit(download["url"]).path)).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock_text(versions: Mapping[str, str], hashes: Mapping[str, str]) -> str:
    """The lock's text: no address of any index, since the same files come from any."""
    python = f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}"
    here = f"{platform.system()} {platform.machine()}, {python}"
    entries = (f"{name}=={version} \\\n    --hash=sha256:{hashes[name]}\n" for name, version in versions.items())
    return _HEAD.format(platform=here) + "".join(entries)


# -- commands


def write() -> int:
    """Write the lock from this environment."""
    versions = tested()
    LOCK.write_text(lock_text(versions, hashes_of(versions)), encoding="utf-8")
    print(f"{LOCK.name}: {len(versions)} packages")
    return 0


def check() -> int:
    """Exit code 1, and a line for each difference, where this environment is not the lock's."""
    found = differences(locked(), tested())
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print(
            f"{len(found)} packages differ from {LOCK.name}. If this environment is the one to be locked, and its "
            "tests pass: `make lock`. Else install the lock's (docs/supply-chain.md).",
            file=sys.stderr,
        )
        return 1
    print(f"{len(locked())} packages, as in {LOCK.name}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=("write", "check"))
    sys.exit({"write": write, "check": check}[parser.parse_args().command]())
