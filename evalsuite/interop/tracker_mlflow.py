"""Runs in MLflow: settings as params, numbers as metrics, files as artefacts.

With a folder they are in its ``mlflow.db`` (SQLite) and ``artifacts``; a URI names any other store. MLflow gives runs
ids of its own; a tag holds ours.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from evalsuite.errors import SaveFailed
from evalsuite.interop.tracker_facts import MANIFEST_HASH, Facts, Logged, Place, files_of, is_there

TITLE = "MLflow"
PLAIN = r"A-Za-z0-9_\-"
"""MLflow takes dots and spaces too, but no name that is a way out of a folder."""
SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "file", "http", "https", "databricks")

_RUN_ID, _STATUS = "evalsuite.run_id", "evalsuite.status"
_MANIFEST = f"evalsuite.{MANIFEST_HASH}"
"""Tags. That of the manifest is set last, so that it stands for a whole run."""

_PARAMS, _METRICS = 100, 900
"""What MLflow takes at once: 100 params, 1000 metrics, 1 MB."""

_FEW_RETRIES = "2"
"""Of a server that does not answer; seven, MLflow's own number, take four minutes."""


def environment(place: Place) -> dict[str, str | None]:
    """What its process runs under: no telemetry unless the user's own environment says so."""
    found: dict[str, str | None] = {
        "MLFLOW_DISABLE_TELEMETRY": os.environ.get("MLFLOW_DISABLE_TELEMETRY", "true"),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES", _FEW_RETRIES),
    }
    if urlsplit(place.uri).scheme == "file":
        found["MLFLOW_ALLOW_FILE_STORE"] = "true"  # who names such a store wants it, old as it is
    return found


def send(facts: Facts, place: Place) -> Logged:
    """Write the run into the experiment that is called as the project. Raises UsageError, or what MLflow raises."""
    import mlflow

    database = Path(place.folder) / "mlflow.db"
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{database}" if place.folder else place.uri or None)
    experiment = _experiment(client, place)
    earlier = client.search_runs([experiment], f"tags.`{_RUN_ID}` = '{facts.run_id}'")
    whole = [run for run in earlier if run.info.status == "FINISHED" and _MANIFEST in run.data.tags]
    if is_there(facts, [run.data.tags[_MANIFEST] for run in whole], place):
        return Logged(place=_address(client, experiment, whole[0].info.run_id), is_new=False)
    run_id = _written(client, experiment, facts)
    for run in earlier:  # broken off, or overwritten: params cannot change, and MLflow can restore what it deleted
        client.delete_run(run.info.run_id)
    return Logged(place=_address(client, experiment, run_id))


def _experiment(client: Any, place: Place) -> str:
    """The id of the project's experiment, made where there is none."""
    found = client.get_experiment_by_name(place.project)
    if found is not None:
        return str(found.experiment_id)
    artefacts = (Path(place.folder) / "artifacts").as_uri() if place.folder else None
    return str(client.create_experiment(place.project, artifact_location=artefacts))


def _written(client: Any, experiment: str, facts: Facts) -> str:
    """The id of a new run that holds everything; one that cannot be written is marked as failed."""
    at = int(1000 * (time.time() if facts.began is None else facts.began))
    tags = {_RUN_ID: facts.run_id, _STATUS: str(facts.settings["status"])}
    run_id = str(client.create_run(experiment, start_time=at, run_name=facts.name, tags=tags).info.run_id)
    try:
        _fill(client, run_id, facts, at)
    except BaseException:
        with suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise
    client.set_tag(run_id, _MANIFEST, facts.manifest_hash)
    client.set_terminated(run_id)
    return run_id


def _fill(client: Any, run_id: str, facts: Facts, at: int) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(key, str(value)) for key, value in facts.settings.items()]
    metrics = [Metric(key, number, at, 0) for key, number in facts.numbers.items()]
    for some in _in_parts(params, _PARAMS):
        client.log_batch(run_id, params=some)
    for some in _in_parts(metrics, _METRICS):
        client.log_batch(run_id, metrics=some)
    for path, name in files_of(facts):
        folder = PurePosixPath(name).parent.as_posix()
        client.log_artifact(run_id, str(path), None if folder == "." else folder)
    if client.get_run(run_id).data.metrics != dict(facts.numbers):
        raise SaveFailed(f"it does not hold the numbers that it was given for run {facts.run_id}.")


def _in_parts(whole: Sequence[Any], size: int) -> list[list[Any]]:
    rest = iter(whole)
    return list(iter(lambda: list(islice(rest, size)), []))


def _address(client: Any, experiment: str, run_id: str) -> str:
    """Store, experiment and run in one line; ``#/experiments/...`` is the run's page below a server's address."""
    return f"{client.tracking_uri}#/experiments/{experiment}/runs/{run_id}"
