"""``evalsuite export``: sealed runs in other tools' files and in experiment trackers."""

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
from evalsuite.trackers.log_run import PROJECT, TRACKERS, check_tracker, log_run

FORMATS: Mapping[str, Callable[[Sequence[SealedRun], ExportOptions], Files]] = {
    "lm-eval": lm_eval_files,
    "hub": hub_result_files,
    "eee": every_eval_ever_files,
    "dvc": dvc_files,
}
_ONLY_FOR = {
    "task_id": ("hub",),
    "url": ("hub", "eee"),
    "organization": ("eee",),
    "relationship": ("eee",),
    "project": tuple(TRACKERS),
    "page": tuple(TRACKERS),
    "tracker_args": tuple(TRACKERS),
}
"""Options that only some have a place for."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``export``."""
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="run directories, or folders of them; a run that was changed is refused")
    add("--to", required=True, type=_format, choices=(*FORMATS, *TRACKERS), metavar="FORMAT", help="lm-eval: results "
        "and samples as lm-eval 0.4.13 writes them; hub: .eval_results of a model's repository; eee: records of Every "
        "Eval Ever; dvc: metrics.json and plots.csv; wandb, mlflow, trackio: a run of that tracker")  # fmt: skip
    add("--output", "-o", type=Path, metavar="DIR|FILE", help="a folder; or the file itself, where only one of the "
        "export's ends like it; of trackers a folder of their own without any network (default: as the tracker's own "
        "environment says)")  # fmt: skip
    add("--force", action="store_true", help="overwrite files that say something else; write a run again that the "
        "tracker has")  # fmt: skip
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
    add("--project", metavar="NAME", help=f"trackers: the project, in MLflow the experiment (default {PROJECT})")
    add("--page", type=Path, metavar="FILE", help="trackers: a page of `evalsuite report` to keep with the run")
    settings = "; ".join(f"{name}: {', '.join(tracker.settings)}" for name, tracker in TRACKERS.items())
    add("--tracker_args", metavar="K=V,...", help=f"the tracker's own settings; {settings}")


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
    """Read and check the runs, write the files or into the tracker, and say where."""
    for flag, formats in _ONLY_FOR.items():
        if getattr(options, flag) is not None and options.to not in formats:
            raise UsageError(f"--{flag} is for --to {' and '.join(formats)}; leave it out.")
    return _log(options) if options.to in TRACKERS else _write(options)


def _log(options: argparse.Namespace) -> int:
    """Into a tracker, one run after another."""
    settings = dict(_pair("--tracker_args", text) for text in (options.tracker_args or "").split(",") if text)
    check_tracker(options.to, settings)
    found = {}
    for path in find_runs([Path(run) for run in options.runs]):
        logged = found[path] = log_run(
            path,
            options.to,
            project=options.project or PROJECT,
            folder=options.output,
            page=options.page,
            name=options.name or "",
            began=options.date,
            is_incomplete_wanted=options.incomplete,
            is_forced=options.force,
            **settings,
        )
        say(f"{logged.place}{'' if logged.is_new else ' (there already)'}")
    if options.json:
        runs = [{"path": str(path), "place": one.place, "is_new": one.is_new} for path, one in found.items()]
        print_json({"format": options.to, "runs": runs})
    return EXIT_OK


def _write(options: argparse.Namespace) -> int:
    """As files of another tool."""
    if options.output is None:
        raise UsageError(f"--to {options.to} needs --output: a folder, or the file itself.")
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
        task_ids=dict(_pair("--task_id", text) for text in options.task_id or ()),
        source_url=options.url or "",
        organization=options.organization or "",
        relationship=options.relationship or "other",
    )


def _pair(flag: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise UsageError(f"{flag} {text}: expected {_EXPECTED[flag]}.")
    return key, value


_EXPECTED = {"--task_id": "NAME=ID, as gsm8k=gsm8k", "--tracker_args": "K=V,..., as group=nightly"}
