"""Runs in Trackio: settings as config, numbers as the run's one step, files as an artefact."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.trackers.facts import Facts, Logged, Place

SETTINGS = ("group", "space_id", "server_url")
"""What ``trackio.init`` is given under the same name; without the last two runs are kept on this machine."""

_REMOTE = {"space_id": "TRACKIO_SPACE_ID", "server_url": "TRACKIO_SERVER_URL"}
"""Settings that name another machine, and Trackio's variables for them."""


def log(facts: Facts, place: Place) -> Logged:
    """Write the run; with a folder into that, which ``TRACKIO_DIR`` names for ``trackio show``."""
    trackio = _at(place)
    folder = Path(trackio.utils.TRACKIO_DIR)
    remote = [place.settings.get(name) or os.environ.get(variable) for name, variable in _REMOTE.items()]
    is_local = place.folder is not None or not any(remote)
    if is_local and (earlier := _found(trackio, facts, place)):
        if not place.is_forced:
            return Logged(f"{folder} project {place.project}", is_new=False)
        for run in earlier:
            run.delete()
    trackio.init(
        project=place.project,
        name=facts.name,
        config=dict(facts.settings),
        resume="never" if is_local else "allow",
        embed=False,
        auto_log_gpu=False,
        auto_log_cpu=False,
        **place.settings,
    )
    try:
        trackio.log(dict(facts.numbers), step=0)
        artefact = trackio.Artifact(f"run-{facts.run_id}", type="evaluation")
        for path in facts.files:
            artefact.add_file(str(path), name=path.name)
        trackio.log_artifact(artefact)
    finally:
        trackio.finish()
    return Logged(f"{folder if is_local else next(filter(None, remote))} project {place.project}")


def _at(place: Place) -> Any:
    """Trackio over the place's folder, which it takes from its environment once, when it is imported."""
    if place.folder is not None:
        if both := [name for name in _REMOTE if name in place.settings]:
            raise UsageError(f"--output and {both[0]} both name a place of Trackio; give one of them.")
        os.environ["TRACKIO_DIR"] = str(place.folder.resolve())
        for variable in _REMOTE.values():
            os.environ.pop(variable, None)
    import trackio

    if place.folder is not None and Path(trackio.utils.TRACKIO_DIR) != place.folder.resolve():
        raise UsageError(
            f"Trackio was imported with the folder {trackio.utils.TRACKIO_DIR}, which it keeps until this program "
            "ends; use another process for another one."
        )
    return trackio


def _found(trackio: Any, facts: Facts, place: Place) -> list[Any]:
    """The runs that earlier exports left on this machine: names end in our id."""
    try:
        return [run for run in trackio.Api().runs(place.project) if run.name == facts.name]
    except ValueError:  # no such project yet
        return []
