"""``evalsuite export``: sealed runs in other tools' files, and in trackers of experiments."""

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
from evalsuite.interop.exporting import ExportOptions, Files, Relationship, check_complete, placed, write_export
from evalsuite.interop.hub_results import hub_result_files
from evalsuite.interop.lm_eval_export import lm_eval_files
from evalsuite.interop.sealed_runs import SealedRun, read_sealed
from evalsuite.interop.trackers import PROJECT, TRACKERS, place_of, send

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
    "project": TRACKERS,
    "uri": ("wandb", "mlflow"),
    "files": TRACKERS,
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
        "export's ends like it; for trackers a folder of theirs, and no network is asked (default for these: as the "
        "tracker's own environment says)")  # fmt: skip
    add("--force", action="store_true", help="overwrite files that say something else; send again what a tracker has")
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
    add("--project", metavar="NAME", help="trackers: the project, in MLflow the experiment; for wandb TEAM/PROJECT too "
        f"(default {PROJECT})")  # fmt: skip
    add("--uri", metavar="URI", help="wandb: the address of a server; mlflow: the tracking URI")
    add("--files", action="store_true", default=None, help="trackers: keep the sealed files with the run, texts of "
        "samples among them")  # fmt: skip


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
    return _send(options) if options.to in TRACKERS else _write(options)


def _send(options: argparse.Namespace) -> int:
    """Into a tracker, one run after another, once all are read and checked."""
    project = PROJECT if options.project is None else options.project
    place = place_of(
        options.to, project=project, folder=options.output, uri=options.uri or "", is_forced=options.force
    )  # fmt: skip
    runs, wanted = _runs(options), _wanted(options)
    for run in runs:
        check_complete(run, wanted)
    sent = []
    for run in runs:
        logged = send(run, options.to, place, wanted, has_files=bool(options.files))
        say(f"{logged.place}{'' if logged.is_new else ' (there already)'}")
        sent.append({"run": run.result.run_id, "place": logged.place, "is_new": logged.is_new})
    if options.json:
        print_json({"format": options.to, "runs": [one["run"] for one in sent], "sent": sent})
    return EXIT_OK


def _runs(options: argparse.Namespace) -> list[SealedRun]:
    runs = [read_sealed(path) for path in find_runs([Path(run) for run in options.runs])]
    return runs if options.date is None else [replace(run, began=options.date) for run in runs]


def _write(options: argparse.Namespace) -> int:
    """As files of another tool."""
    if options.output is None:
        raise UsageError(f"--to {options.to} needs --output: a folder, or the file itself.")
    runs = _runs(options)
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
