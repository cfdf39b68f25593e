"""One function for every tracker: a sealed run goes out with the numbers it holds, or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from evalsuite.errors import EvalsuiteError, SaveFailed, UnknownName, UsageError, nearest
from evalsuite.interop.exporting import ExportOptions, check_complete
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.trackers import mlflow_store, trackio_store, weights_and_biases
from evalsuite.trackers.facts import Facts, Logged, Place, facts_of


@dataclass(frozen=True)
class Tracker:
    """A tracker: its name for people, the settings it takes beside those of all, and what writes a run into it.

    It is the name of its package and of our extra, too.
    """

    title: str
    settings: tuple[str, ...]
    log: Callable[[Facts, Place], Logged]


TRACKERS: Mapping[str, Tracker] = {
    "wandb": Tracker("Weights & Biases", weights_and_biases.SETTINGS, weights_and_biases.log),
    "mlflow": Tracker("MLflow", mlflow_store.SETTINGS, mlflow_store.log),
    "trackio": Tracker("Trackio", trackio_store.SETTINGS, trackio_store.log),
}

PROJECT = "evalsuite"
"""The project, in MLflow the experiment, that runs go to unless one is named."""


def log_run(
    run_path: Path,
    tracker: str,
    *,
    project: str = PROJECT,
    folder: Path | None = None,
    page: Path | None = None,
    name: str = "",
    began: datetime | None = None,
    is_incomplete_wanted: bool = False,
    is_forced: bool = False,
    **settings: str,
) -> Logged:
    """Write the sealed run at `run_path` into a tracker: headlines with n, interval and unscored samples, what was run,
    ``results.json`` and, if given, a `page`. Texts of samples go nowhere but in that page.

    With a `folder` everything stays in it and no network is asked. `name` is what the model is called elsewhere,
    `began` when it was evaluated if the run does not say. `settings` are the tracker's own (`Tracker.settings`).
    A run that is there is left as it is, unless `is_forced`.

    Raises UnknownName for another tracker; UsageError for a setting that it has not, where its package is not installed
    and for an incomplete run unless `is_incomplete_wanted`; SpecMismatch or CorruptStore for a run that is none or was
    changed; SaveFailed for what the tracker itself refuses.
    """
    check_tracker(tracker, settings)
    run = read_sealed(run_path)
    check_complete(run, ExportOptions(is_incomplete_wanted=is_incomplete_wanted))
    facts = facts_of(replace(run, began=began or run.began), name, page)
    place = Place(project=project, folder=folder, settings=settings, is_forced=is_forced)
    try:
        with redirect_stdout(io.StringIO()):  # what a tracker has to say is not our output
            return TRACKERS[tracker].log(facts, place)
    except EvalsuiteError:
        raise
    except Exception as error:  # another's library: of any class, and none says more than its text
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SaveFailed(f"{TRACKERS[tracker].title} did not take {run_path}: {reason}") from error


def check_tracker(tracker: str, settings: Mapping[str, str]) -> None:
    """Raise UnknownName or UsageError for what `log_run` could not carry out; no run is read."""
    if tracker not in TRACKERS:
        raise UnknownName("tracker", tracker, TRACKERS, f"There are: {', '.join(TRACKERS)}.")
    known = TRACKERS[tracker].settings
    for setting in settings:
        if setting not in known:
            near = nearest(setting, known)
            guess = f"; did you mean {near!r}?" if near else "."
            raise UsageError(f"{tracker} has no setting {setting!r}{guess} It takes: {', '.join(known)}.")
    found = find_spec(tracker)
    if found is None or found.origin is None:  # without an origin it is a mere folder of that name, as wandb makes one
        raise UsageError(f"{tracker} is not installed; `pip install 'evalsuite[{tracker}]'` brings it.")
