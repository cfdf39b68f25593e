"""Runs in Weights & Biases: settings as config, numbers as the run's first step and summary, files beside them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from evalsuite.trackers.facts import Facts, Logged, Place

SETTINGS = ("entity", "group", "job_type")
"""What ``wandb.init`` is given under the same name."""


def log(facts: Facts, place: Place) -> Logged:
    """Write the run; with a folder offline, for ``wandb sync``. Our run id is its id, so that one run is one there."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    if place.folder is not None:
        found = sorted(place.folder.glob(f"wandb/*run-*-{facts.run_id}"))
        if found and not place.is_forced:
            return Logged(str(found[-1]), is_new=False)
        place.folder.mkdir(parents=True, exist_ok=True)
    with wandb.init(
        project=place.project,
        id=facts.run_id,
        name=facts.name,
        config=dict(facts.settings),
        dir=place.folder,
        mode="offline" if place.folder else None,
        resume=None if place.folder else "allow",
        settings=_quiet(wandb),
        **place.settings,
    ) as run:
        run.log(dict(facts.numbers))
        for path in facts.files:
            shutil.copyfile(path, Path(run.dir) / path.name)
            run.save(Path(run.dir) / path.name, base_path=run.dir, policy="now")
        return Logged(str(Path(run.dir).parent if place.folder else run.url or run.dir))


def _quiet(wandb: Any) -> Any:
    """Nothing is printed, and nothing is told of this machine, its programs and its code."""
    return wandb.Settings(
        silent=True,
        console="off",
        disable_code=True,
        disable_git=True,
        save_code=False,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )
