"""Files to begin with: written whole, and never over others."""

from __future__ import annotations

from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.store.files import write_atomic


def write_new(folder: Path, texts: dict[str, str]) -> list[str]:
    """Write those of `texts` below `folder` that are not there yet, and return their paths; all of them, or none.

    What another system's files share with these is there already and stays. Raises UsageError where something else
    stands in the way, SaveFailed.
    """
    for parent in {parent for path in texts for parent in (folder / path).parents}:
        if _is_there(parent) and not parent.is_dir():
            raise UsageError(f"{parent} is no folder; the files would go below it.")
    missing = [path for path in texts if not _is_there(folder / path)]
    other = [path for path in texts if path not in missing and not _holds(folder / path, texts[path])]
    if other:
        names = ", ".join(str(folder / path) for path in other)
        verb = "is there already and differs" if len(other) == 1 else "are there already and differ"
        raise UsageError(f"{names} {verb}; without --output the files are printed, to merge by hand.")
    for path in missing:
        write_atomic(folder / path, texts[path].encode("utf-8"))
    return missing


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _holds(path: Path, text: str) -> bool:
    """Whether a plain file has just this text."""
    try:
        return not path.is_symlink() and path.read_bytes() == text.encode("utf-8")
    except OSError:
        return False
