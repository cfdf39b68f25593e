"""The wheel, built so that whoever builds the same commit gets the same bytes.

``python tools/build_wheel.py FOLDER`` builds it twice under circumstances that differ (folder, time zone, language,
order of sets, age of the files), and writes it only where both are equal to the last byte and the tree is a commit's.
Times inside
are those of the commit, or of ``SOURCE_DATE_EPOCH``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
CIRCUMSTANCES: tuple[Mapping[str, str], ...] = (
    {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {"TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
)
_MODE, _UMASK = 0o644, 0o022
"""Permissions of the copies, and the build's mask: they go into the wheel, and a checkout's are its owner's."""


def tracked() -> list[str]:
    """The paths of all files that git tracks or would, relative to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def changes() -> list[str]:
    """What of the tree is not as in the commit, untracked files among it, as git tells it."""
    asked = ["git", "status", "--porcelain"]
    return subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def commit_time() -> str:
    """When the commit was made that is checked out, or ``SOURCE_DATE_EPOCH``: seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return given
    asked = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def build_wheel(folder: Path, variables: Mapping[str, str] | None = None) -> Path:
    """The wheel in `folder`, built from a copy of the files that git tracks or would.

    The build sees `variables` beside those of this process. Raises CalledProcessError, with what the build said.
    """
    copy = folder / "source"
    for name in tracked():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod(_MODE)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    subprocess.run(
        command, check=True, capture_output=True, text=True, umask=_UMASK, env={**os.environ, **(variables or {})}
    )
    return next(folder.glob("*.whl"))


def built_twice(folder: Path) -> tuple[Path, Path]:
    """The wheel built in two folders below `folder`, under the two circumstances."""
    epoch = {"SOURCE_DATE_EPOCH": commit_time()}
    first, second = (
        build_wheel(folder / str(place), {**epoch, **variables}) for place, variables in enumerate(CIRCUMSTANCES)
    )
    return first, second


def write(output: Path) -> int:
    """Write the wheel into `output` and print its hash; exit code 1 where two builds differ."""
    if changed := changes():
        print(f"the tree is not a commit's ({changed[0]}, {len(changed)} in all): commit first", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        try:
            first, second = built_twice(Path(folder))
        except subprocess.CalledProcessError as error:
            print(f"{error.stdout}{error.stderr}\nthe wheel could not be built", file=sys.stderr)
            return 1
        hashes = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (first, second)]
        if hashes[0] != hashes[1]:
            print(f"built twice, and not equal: {hashes[0]} and {hashes[1]}", file=sys.stderr)
            return 1
        output.mkdir(parents=True, exist_ok=True)
        (output / first.name).write_bytes(first.read_bytes())
    print(f"{output / first.name}: built twice, equal\nsha256 {hashes[0]}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path, help="the folder for the wheel")
    sys.exit(write(parser.parse_args().output))
