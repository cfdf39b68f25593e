"""A report in the forms that continuous integration reads, one file each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from evalsuite import plugins
from evalsuite.canonical import canonical_json
from evalsuite.comparing.pairing import Pairing
from evalsuite.gates.junit import junit_text
from evalsuite.gates.markdown import comment_text
from evalsuite.gates.open_metrics import metrics_json, open_metrics
from evalsuite.gates.records import GateReport
from evalsuite.store.files import write_atomic


def _json(report: GateReport, pairing: Pairing) -> str:
    return json.dumps(json.loads(canonical_json(report)), indent=1, sort_keys=True) + "\n"


def _page(report: GateReport, pairing: Pairing) -> str:
    text: str = plugins.load(plugins.REPORTS, "gate")(report, pairing)
    return text


FORMS: dict[str, Callable[[GateReport, Pairing], str]] = {
    "gate.json": _json,
    "junit.xml": lambda report, pairing: junit_text(report),
    "gate.md": lambda report, pairing: comment_text(report),
    "gate.html": _page,
    "metrics.json": lambda report, pairing: metrics_json(report),
    "metrics.txt": lambda report, pairing: open_metrics(report),
}
"""Every file by its name."""


def write_outputs(report: GateReport, pairing: Pairing, directory: Path) -> list[Path]:
    """Write every form into `directory`. Raises SaveFailed. The same report gives the same bytes."""
    for name in FORMS:  # what an earlier command left must not stand beside what this one says
        (directory / name).unlink(missing_ok=True)
    written = []
    for name, form in FORMS.items():
        write_atomic(directory / name, form(report, pairing).encode("utf-8", "replace"))
        written.append(directory / name)
    return written
