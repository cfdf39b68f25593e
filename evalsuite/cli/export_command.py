"""``evalsuite export``: sealed runs in other tools' files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from evalsuite.cli.output import print_json, say
from evalsuite.cli.report_command import find_runs
from evalsuite.errors import EXIT_OK, UsageError
from evalsuite.interop.dvc_metrics import dvc_files
from evalsuite.interop.every_eval_ever import every_eval_ever_files
from evalsuite.interop.exporting import ExportOptions, Files, Relationship, placed, write_export
from evalsuite.interop.hub_results import hub_result_files
from evalsuite.interop.lm_eval_export import lm_eval_files
from evalsuite.interop.sealed_runs import SealedRun, read_sealed

FORMATS: Mapping[str, Callable[[Sequence[SealedRun], ExportOptions], Files]] = {
    "lm-eval": lm_eval_files,
    "hub": hub_result_files,
    "eee": every_eval_ever_files,
    "dvc": dvc_files,
}
_ONLY_FOR = {"task_id": ("hub",), "url": ("hub", "eee"), "organization": ("eee",), "relationship": ("eee",)}
"""Options that only some formats have a place for."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``export``."""
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="run directories, or folders of them; a run that was changed is refused")
    add("--to", required=True, type=_format, choices=tuple(FORMATS), metavar="FORMAT", help="lm-eval: results and "
        "samples as lm-eval 0.4.13 writes them; hub: .eval_results of a model's repository; eee: records of Every "
        "Eval Ever; dvc: metrics.json and plots.csv")  # fmt: skip
    add("--output", "-o", required=True, type=Path, metavar="DIR|FILE", help="a folder; or the file itself, where only "
        "one of the export's ends like it")  # fmt: skip
    add("--force", action="store_true", help="overwrite files that say something else")
    add("--incomplete", action="store_true", help="export runs with samples without a score too, marked; never to the "
        "hub")  # fmt: skip
    add("--name", metavar="MODEL", help="what the model is called elsewhere, as ORG/MODEL on the hub (default: as in "
        "the run)")  # fmt: skip
    add("--date", type=_date, metavar="ISO", help="when it was evaluated, as 2026-11-22T13:00:00Z (default: as the run "
        "says)")  # fmt: skip
    add("--task_id", action="append", metavar="NAME=ID", help="hub: a task or family to export, and the id it has in "
        "its benchmark's eval.yaml; may be given again")  # fmt: skip
    add("--url", metavar="URL", help="hub, eee: where the evaluation can be read in full")
    add("--organization", metavar="NAME", help="eee: who evaluated")
    add("--relationship", choices=get_args(Relationship), help="eee: what those are to the model's makers (default "
        "other)")  # fmt: skip


def _format(text: str) -> str:
    """A format's name in either spelling."""
    return text.replace("_", "-")


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; expected one like 2026-11-22T13:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def execute(options: argparse.Namespace) -> int:
    """Read and check the runs, write the files, and say which."""
    for flag, formats in _ONLY_FOR.items():
        if getattr(options, flag) is not None and options.to not in formats:
            raise UsageError(f"--{flag} is for --to {' and '.join(formats)}; leave it out.")
    runs = [read_sealed(path) for path in find_runs([Path(run) for run in options.runs])]
    if options.date is not None:
        runs = [replace(run, began=options.date) for run in runs]
    files = placed(FORMATS[options.to](runs, _wanted(options)), options.output)
    written = write_export(files, is_forced=options.force)
    for path in files:
        say(f"{path}{'' if path in written else ' (there already)'}")
    if options.json:
        paths = {"files": [str(path) for path in files], "written": [str(path) for path in written]}
        print_json({"format": options.to, "runs": [run.result.run_id for run in runs], **paths})
    return EXIT_OK


def _wanted(options: argparse.Namespace) -> ExportOptions:
    return ExportOptions(
        name=options.name or "",
        is_incomplete_wanted=options.incomplete,
        task_ids=dict(_task_id(text) for text in options.task_id or ()),
        source_url=options.url or "",
        organization=options.organization or "",
        relationship=options.relationship or "other",
    )


def _task_id(text: str) -> tuple[str, str]:
    name, equals, task_id = text.partition("=")
    if not (name and equals and task_id):
        raise UsageError(f"--task_id {text}: expected NAME=ID, as gsm8k=gsm8k.")
    return name, task_id
