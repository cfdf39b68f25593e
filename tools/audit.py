"""Known vulnerabilities of what is in requirements.lock, as pip-audit finds them.

``python tools/audit.py [SERVICE]`` asks the package index (``pypi``, the default) or ``osv``. Exit codes: 0 where all
were looked up and none has one, 1 where one has or could not be looked up, 2 where the service did not answer or does
not know even the first package, as a mirror that has files and no advisories: pip-audit calls that "no known
vulnerabilities".
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lockfile import locked, locked_hashes, public

SERVICES = ("pypi", "osv")
UNKNOWN = "not looked up"

_LONGEST = 300
"""Characters of what pip-audit says of a failure, which may be a whole exchange."""


class NotAudited(Exception):
    """The service did not answer, or knows no package; what pip-audit said."""


@dataclass(frozen=True)
class Audited:
    """How many packages were looked up, and a line for each that has a vulnerability or is not known to the service."""

    num_packages: int
    faults: tuple[str, ...]


def requirements_text() -> str:
    """The lock as pip-audit reads it: versions as they were published, since no service knows what a builder adds."""
    hashes = locked_hashes()
    return "".join(
        f"{name}=={public(version)} {' '.join(f'--hash=sha256:{one}' for one in hashes[name])}\n"
        for name, version in locked().items()
    )


def audit(text: str, service: str) -> Audited:
    """What `service` knows of the packages of a requirements file, of which it is asked for the first alone before.

    Raises NotAudited where it has no answer for that one.
    """
    check_known(_ask(text.splitlines(keepends=True)[0], service))
    return _ask(text, service)


def check_known(probed: Audited) -> None:
    """Raise NotAudited where a package was not looked up."""
    for line in probed.faults:
        if UNKNOWN in line:
            raise NotAudited(line)


def _ask(text: str, service: str) -> Audited:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(wanted), "--disable-pip", "--require-hashes"]
        options = ["--vulnerability-service", service, "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        return audited(json.loads(done.stdout))
    except (ValueError, KeyError) as error:  # its exit code is 1 for a vulnerability and for no answer alike
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotAudited(
            said[-1][:_LONGEST] if said else f"pip-audit ended with {done.returncode} and said nothing"
        ) from error


def audited(report: Mapping[str, Any]) -> Audited:
    """What pip-audit's JSON says. Raises KeyError for something else."""
    found = report["dependencies"]
    return Audited(len(found), tuple(line for one in found for line in _faults(one)))


def _faults(package: Mapping[str, Any]) -> list[str]:
    if "skip_reason" in package:
        return [f"{package['name']}: {UNKNOWN}: {package['skip_reason']}"]
    return [
        f"{package['name']} {package['version']}: {' '.join((one['id'], *one.get('aliases', ())))}, "
        f"fixed in {', '.join(one.get('fix_versions', ())) or 'no version'}"
        for one in package["vulns"]
    ]


def main(service: str) -> int:
    """Audit the lock, and say what was found."""
    try:
        found = audit(requirements_text(), service)
    except NotAudited as error:
        print(f"Nothing was audited: the vulnerability service {service} has no answer ({error}).", file=sys.stderr)
        return 2
    for line in found.faults:
        print(line)
    print(f"{found.num_packages} packages looked up in {service}, {len(found.faults)} faults", file=sys.stderr)
    return int(bool(found.faults))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("service", nargs="?", choices=SERVICES, default=SERVICES[0], help="whom to ask")
    sys.exit(main(parser.parse_args().service))
