"""The bill of materials: what ``make test`` runs with, in CycloneDX's form, made by cyclonedx-bom.

``python tools/bill.py PYTHON FILE`` asks the environment of the interpreter PYTHON, which has to be the one that
requirements.lock was written from: licences and what needs what are that environment's, hashes are the lock's. What the
lock does not have stays out. It has no date and no number of its own: the same lock gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lockfile import differences, locked, locked_hashes
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FORM = "1.6"


class NotTheLock(Exception):
    """The environment has other packages than the lock; a line for each."""


def of_environment(python: Path) -> dict[str, Any]:
    """What cyclonedx-bom says of an environment. Raises CalledProcessError."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", str(python), "--pyproject", "pyproject.toml"]
    options = ["--output-reproducible", "--spec-version", FORM, "--output-format", "JSON", "--output-file", "-"]
    done = subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def only_locked(
    bill: Mapping[str, Any], versions: Mapping[str, str], hashes: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """A bill with the lock's components alone, and their hashes. Raises NotTheLock where one is missing or another."""
    kept = [one for one in bill["components"] if canonicalize_name(one["name"]) in versions]
    found: dict[str, str] = {canonicalize_name(one["name"]): one["version"] for one in kept}
    if differ := differences(versions, found):
        raise NotTheLock("\n".join(differ))
    for one in kept:
        one["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in hashes[canonicalize_name(one["name"])]]
    root = bill["metadata"]["component"]["bom-ref"]
    refs = {one["bom-ref"] for one in kept} | {root}
    needs = [
        {**one, **({"dependsOn": [ref for ref in one["dependsOn"] if ref in refs]} if "dependsOn" in one else {})}
        for one in bill["dependencies"]
        if one["ref"] in refs
    ]
    return {**bill, "components": kept, "dependencies": needs}


def check_form(text: str) -> None:
    """Raise ValueError for a bill that is not in CycloneDX's form."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    fault = JsonStrictValidator(SchemaVersion.from_version(FORM)).validate_str(text)
    if fault is not None:
        raise ValueError(f"not in the form of CycloneDX {FORM}: {fault}")


def main(python: Path, output: Path) -> int:
    """Write the bill of materials; exit code 1 where the environment is not the lock's."""
    try:
        bill = only_locked(of_environment(python), locked(), locked_hashes())
    except NotTheLock as error:
        print(f"{error}\nThis environment is not that of requirements.lock (`make lock-check`).", file=sys.stderr)
        return 1
    text = json.dumps(bill, indent=2, ensure_ascii=False) + "\n"
    check_form(text)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    print(f"{output}: CycloneDX {FORM}, {len(bill['components'])} components, as in requirements.lock")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("python", type=Path, help="the interpreter of the environment")
    parser.add_argument("output", type=Path, help="the file, as NAME.cdx.json")
    asked = parser.parse_args()
    sys.exit(main(asked.python, asked.output))
