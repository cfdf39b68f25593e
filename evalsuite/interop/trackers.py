"""One function for every tracker of experiments: a sealed run goes out with the numbers it holds, or not at all.

A tracker works in a process of its own, with variables of its own, so that it leaves nothing behind in this one: no
setting, no thread, no word on standard output.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from evalsuite.errors import SaveFailed, UnknownName, UsageError
from evalsuite.interop.exporting import ExportOptions, check_complete
from evalsuite.interop.sealed_runs import SealedRun, read_sealed
from evalsuite.interop.tracker_facts import Facts, Logged, Place, facts_of
from evalsuite.types import Record

TRACKERS = ("wandb", "mlflow", "trackio")
"""Their names, which are those of their packages and of our extras; each has a module ``tracker_NAME``."""

PROJECT = "evalsuite"
"""The project, in MLflow the experiment, that runs go to unless one is named."""


class Tracker(Protocol):
    """What a module ``tracker_NAME`` has.

    Its name for people; the characters that its names may hold; the schemes of URIs that it takes; the variables that
    its process runs under, None for what it must not see; and what writes a run.
    """

    TITLE: str
    PLAIN: str
    SCHEMES: tuple[str, ...]

    def environment(self, place: Place) -> Mapping[str, str | None]:  # noqa: D102
        ...

    def send(self, facts: Facts, place: Place) -> Logged:  # noqa: D102
        ...


class Sending(Record, frozen=True, kw_only=True):
    """What a tracker's process is asked."""

    tracker: str
    facts: Facts
    place: Place


class Sent(Record, frozen=True, kw_only=True):
    """What it answers: where the run is, or why it is not, with `is_usage` where that is the user's to mend."""

    logged: Logged | None = None
    error: str = ""
    is_usage: bool = False


def log_run(
    run: str | Path,
    to: str,
    *,
    project: str = PROJECT,
    folder: str | Path | None = None,
    uri: str = "",
    name: str = "",
    has_files: bool = False,
    is_incomplete_wanted: bool = False,
    is_forced: bool = False,
) -> Logged:
    """Write the sealed run in the directory `run` into the tracker `to`: ``wandb``, ``mlflow`` or ``trackio``.

    With a `folder` everything stays in it and no network is asked; a `uri` names W&B's server or MLflow's store;
    without either the tracker does as its own environment says. `name` is what the model is called elsewhere.
    With `has_files` the sealed files go too, texts of samples among them. A run that is there is left as it is, unless
    `is_forced`.

    Raises UnknownName for another tracker; UsageError where its package is not installed, for a URI or project that it
    does not take, for a run that it has with other numbers unless `is_forced`, and for an incomplete run unless
    `is_incomplete_wanted`; SpecMismatch or CorruptStore for a run that is none or was changed; SaveFailed for what the
    tracker itself refuses. What was sealed is never touched.
    """
    place = place_of(to, project=project, folder=folder, uri=uri, is_forced=is_forced)
    options = ExportOptions(name=name, is_incomplete_wanted=is_incomplete_wanted)
    return send(read_sealed(Path(run)), to, place, options, has_files=has_files)


def place_of(
    to: str, *, project: str = PROJECT, folder: str | Path | None = None, uri: str = "", is_forced: bool = False
) -> Place:
    """Where runs would go. Raises UnknownName or UsageError for what `send` could not carry out; nothing is written."""
    tracker = _tracker(to)
    spec = find_spec(to)
    if spec is None or spec.origin is None:  # without an origin it is a mere folder of that name, as wandb makes one
        raise UsageError(f"{to} is not installed; `pip install 'evalsuite[{to}]'` brings it.")
    if not project.strip():
        raise UsageError("--project is empty; leave it out, or name one.")
    if folder is not None and uri:
        raise UsageError("--output and --uri both name a place; give one of them.")
    if uri and urlsplit(uri).scheme.partition("+")[0] not in tracker.SCHEMES:
        raise UsageError(f"--uri {without_secrets(uri)}: {_uris_of(tracker)}")
    place = Place(
        project=project, folder="" if folder is None else str(Path(folder).resolve()), uri=uri, is_forced=is_forced
    )
    tracker.environment(place)
    return place


def send(
    run: SealedRun, to: str, place: Place, options: ExportOptions | None = None, *, has_files: bool = False
) -> Logged:
    """Write a run that was read into a place of `place_of`. Raises UsageError, CorruptStore or SaveFailed."""
    options = options or ExportOptions()
    check_complete(run, options)
    tracker = _tracker(to)
    facts = facts_of(run, tracker.PLAIN, name=options.name, has_files=has_files)
    if place.folder:
        try:
            Path(place.folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SaveFailed(f"{tracker.TITLE} did not take {run.path}: {error}") from error
    sent = _answer(Sending(tracker=to, facts=facts, place=place), tracker.environment(place))
    if sent.logged is not None:
        return msgspec.structs.replace(sent.logged, place=without_secrets(sent.logged.place))
    reason = sent.error.replace(place.uri, without_secrets(place.uri)) if place.uri else sent.error
    if sent.is_usage:
        raise UsageError(reason)
    raise SaveFailed(f"{tracker.TITLE} did not take {run.path}: {reason}")


def without_secrets(uri: str) -> str:
    """`uri` without the name and password that may stand before its host, and without its query."""
    return re.sub(r"\?[^#]*", "", re.sub(r"://[^/?#]*@", "://", uri))


def _tracker(to: str) -> Tracker:
    if to not in TRACKERS:
        raise UnknownName("tracker", to, TRACKERS, f"There are: {', '.join(TRACKERS)}.")
    found: Tracker = importlib.import_module(f"evalsuite.interop.tracker_{to}")
    return found


def _uris_of(tracker: Tracker) -> str:
    if not tracker.SCHEMES:
        return f"{tracker.TITLE} has a local store only; give --output DIR, or leave both out for its own folder."
    return f"{tracker.TITLE} takes a URI that begins with one of: {', '.join(f'{one}:' for one in tracker.SCHEMES)}."


def _answer(sending: Sending, environment: Mapping[str, str | None]) -> Sent:
    """What the tracker's process says; where it ends without a word, the last that it had to say."""
    done = subprocess.run(
        [sys.executable, "-m", "evalsuite.interop.tracker_process"],
        input=msgspec.json.encode(sending),
        capture_output=True,
        env={name: value for name, value in {**os.environ, **environment}.items() if value is not None},
        check=False,
    )
    try:
        return msgspec.json.decode(done.stdout, type=Sent)
    except msgspec.MsgspecError:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return Sent(error=said[-1] if said else f"its process ended with {done.returncode}")
