"""A report in the forms that continuous integration reads, one file each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from evalsuite.canonical import canonical_json
from evalsuite.comparing.pairing import Pairing
from evalsuite.gates.records import GateReport
from evalsuite.store.files import write_atomic

_FORMS: dict[str, Callable[[GateReport, Pairing], str]] = {
    "gate.json": lambda report, pairing: (
        json.dumps(json.loads(canonical_json(report)), indent=1, sort_keys=True) + "\n"
    ),
}


def write_outputs(report: GateReport, pairing: Pairing, directory: Path) -> list[Path]:
    """Write every form into `directory`. Raises SaveFailed. The same report gives the same bytes."""
    written = []
    for name, form in _FORMS.items():
        write_atomic(directory / name, form(report, pairing).encode("utf-8", "replace"))
        written.append(directory / name)
    return written
