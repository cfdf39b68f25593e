"""A report of an installed package over sealed runs, written to its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from evalsuite import plugins
from evalsuite.contracts import Rendered, Report, ReportedRun, ReportOptions
from evalsuite.entry_points import PluginBroken, blaming, described
from evalsuite.records import RunResult, SampleRecord
from evalsuite.store.files import write_atomic
from evalsuite.store.results import read_results, read_samples

MADE_BY = {
    "leaderboard": "evalsuite report",
    "gate": "evalsuite gate",
    "leaderboard_check": "evalsuite verify",
    "preference_figures": "evalsuite prefer report",
    "sweep_figures": "evalsuite sweep",
}
"""The reports that commands of evalsuite's own make, which are no `Report`, and those commands."""


def write_installed(report: Report, runs: Sequence[Path], output: Path, title: str) -> Path:
    """Write what `report` makes of the runs to `output`, and what stands beside it.

    Raises PluginBroken for the report's own fault, SpecMismatch, CorruptStore or SaveFailed.
    """
    with blaming(plugins.REPORTS, report.name, "render()"):
        found = report.render(tuple(map(_reported, runs)), ReportOptions(title=title))
    _check(report, found)
    for name, content in found.beside.items():
        write_atomic(output.parent / name, content)
    write_atomic(output, found.content)
    return output.resolve()


def _reported(run: Path) -> ReportedRun:
    result = read_results(run)
    return ReportedRun(result, partial(_shown_samples, run, result))


def _shown_samples(run: Path, result: RunResult) -> Iterator[SampleRecord]:
    hidden = {task.task for task in result.tasks if not task.show_in_report}
    return (record for record in read_samples(run) if record.task not in hidden)


def _check(report: Report, found: object) -> None:
    """Raise PluginBroken unless `found` is bytes, and files beside them that stay in the report's folder."""
    who = described(plugins.REPORTS, report.name)
    if not isinstance(found, Rendered) or not isinstance(found.content, bytes):
        raise PluginBroken(f"{who}: render() gave a {type(found).__name__}, not Rendered with bytes.")
    for name, content in found.beside.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.name or not isinstance(content, bytes):
            raise PluginBroken(f"{who}: {name!r} is no file of bytes in its own folder.")
