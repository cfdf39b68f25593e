"""Runs in Trackio's store on this machine: settings as config, numbers as the run's one step, files as an artefact.

Its Spaces and servers are not written to: ``trackio sync`` and ``trackio show`` bring a local project there.
"""

from __future__ import annotations

import os
from typing import Any

from evalsuite.errors import SaveFailed, UsageError
from evalsuite.interop.tracker_facts import MANIFEST_HASH, Facts, Logged, Place, files_of, is_there

TITLE = "Trackio"
PLAIN = r"A-Za-z0-9_\-"
SCHEMES = ()

_REMOTE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")
_ITS_OWN = {"timestamp", "step"}
"""What Trackio adds to the numbers of a step."""


def environment(place: Place) -> dict[str, str | None]:
    """What its process runs under, None for what it must not see: nothing is asked of a hub.

    Raises UsageError where a Space or server is set, and no folder given.
    """
    if not place.folder and (there := next((name for name in _REMOTE if os.environ.get(name)), None)):
        raise UsageError(f"{there} is set, but runs are written to Trackio's local store only; give --output DIR.")
    found: dict[str, str | None] = dict.fromkeys(_REMOTE)
    for name, off in (("HF_HUB_DISABLE_TELEMETRY", "1"), ("GRADIO_ANALYTICS_ENABLED", "False")):
        found[name] = os.environ.get(name, off)
    return found | ({"TRACKIO_DIR": place.folder} if place.folder else {})


def send(facts: Facts, place: Place) -> Logged:
    """Write the run, and read it again. Raises UsageError, SaveFailed, or what Trackio itself raises."""
    import trackio
    from trackio.sqlite_storage import SQLiteStorage

    where = f"{trackio.utils.TRACKIO_DIR} project {place.project}"
    try:
        SQLiteStorage.validate_project_name(place.project)
    except ValueError as error:
        raise UsageError(f"--project {place.project}: {error}") from error
    earlier = _earlier(trackio, facts, place)
    whole = [run for run in earlier if SQLiteStorage.get_logs(place.project, run.name, run_id=run.id)]
    if is_there(facts, [str((run.config or {}).get(MANIFEST_HASH)) for run in whole], place):
        return Logged(place=where, is_new=False)
    run_id = _write(trackio, facts, place)
    steps = SQLiteStorage.get_logs(place.project, facts.name, run_id=run_id)
    found = [{key: number for key, number in step.items() if key not in _ITS_OWN} for step in steps]
    if found != [dict(facts.numbers)]:  # what goes wrong there is only warned of
        raise SaveFailed(f"it does not hold the numbers that it was given for run {facts.run_id}.")
    for run in earlier:  # broken off, or overwritten
        run.delete()
    return Logged(place=where)


def _earlier(trackio: Any, facts: Facts, place: Place) -> list[Any]:
    """What earlier exports left of this run: the id ends the names of runs."""
    try:
        return [run for run in trackio.Api().runs(place.project) if run.name.endswith(f" {facts.run_id}")]
    except ValueError:  # no such project yet
        return []


def _write(trackio: Any, facts: Facts, place: Place) -> str:
    run = trackio.init(
        project=place.project,
        name=facts.name,
        config=dict(facts.settings),
        resume="never",
        embed=False,
        auto_log_gpu=False,
        auto_log_cpu=False,
    )
    try:
        trackio.log(dict(facts.numbers), step=0)
        if facts.files:
            artefact = trackio.Artifact(f"evalsuite-{facts.run_id}", type="evalsuite-run")
            for path, name in files_of(facts):
                artefact.add_file(str(path), name=name)
            trackio.log_artifact(artefact)
    finally:
        trackio.finish()
    return str(run.id)
