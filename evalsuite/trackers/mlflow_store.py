"""Runs in MLflow: settings as params, numbers as metrics, files as artefacts.

With a folder they are in its ``mlflow.db`` (SQLite) and ``artifacts``; a ``tracking_uri`` names any other store.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.trackers.facts import Facts, Logged, Place

SETTINGS = ("tracking_uri",)

_TAG = "evalsuite.run"
"""Finds a run again by our id."""

_BATCH = 100
"""Params that MLflow takes at once."""


def log(facts: Facts, place: Place) -> Logged:
    """Write the run into the experiment that is named as the project."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if place.settings.get("tracking_uri", "").startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # who names such a store wants it, old as it is
    import mlflow

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    client = mlflow.MlflowClient(tracking_uri=_uri(place))
    experiment = _experiment(client, place)
    found = _found(client, experiment, facts)
    if found is not None and found.info.status == "FINISHED" and not place.is_forced:
        return Logged(_address(client, found), is_new=False)
    begins = int((facts.began.timestamp() if facts.began else time.time()) * 1000)
    run = found or client.create_run(experiment, start_time=begins, run_name=facts.name, tags={_TAG: facts.run_id})
    _write(client, run.info.run_id, facts, begins)
    return Logged(_address(client, run))


def _uri(place: Place) -> str | None:
    """None for what MLflow's own environment says."""
    if place.folder is None:
        return place.settings.get("tracking_uri")
    if "tracking_uri" in place.settings:
        raise UsageError("--output and tracking_uri both name a store of MLflow; give one of them.")
    place.folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{place.folder.resolve() / 'mlflow.db'}"


def _experiment(client: Any, place: Place) -> str:
    """The id of the project's experiment, made where there is none."""
    found = client.get_experiment_by_name(place.project)
    if found is not None:
        return str(found.experiment_id)
    artefacts = (place.folder.resolve() / "artifacts").as_uri() if place.folder else None
    return str(client.create_experiment(place.project, artifact_location=artefacts))


def _found(client: Any, experiment: str, facts: Facts) -> Any:
    """The run as an earlier export left it, whole or not; None where there is none."""
    return next(iter(client.search_runs([experiment], f"tags.`{_TAG}` = '{facts.run_id}'", max_results=1)), None)


def _write(client: Any, run_id: str, facts: Facts, begins: int) -> None:
    """Written again, all stays as it is: params cannot change, and metrics have the time at which the run began."""
    from mlflow.entities import Metric, Param

    params = [Param(key, str(value)) for key, value in facts.settings.items()]
    for first in range(0, len(params), _BATCH):
        client.log_batch(run_id, params=params[first : first + _BATCH])
    client.log_batch(run_id, metrics=[Metric(key, number, begins, 0) for key, number in facts.numbers.items()])
    for path in facts.files:
        client.log_artifact(run_id, str(path))
    client.set_terminated(run_id, end_time=begins + int(1000 * (facts.seconds or 0)))


def _address(client: Any, run: Any) -> str:
    """Store, experiment and run in one line; ``#/experiments/...`` is the run's page below a server's address."""
    return f"{client.tracking_uri}#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
