"""Runs in Weights & Biases: settings as config, numbers as the run's one step and its summary, files as an artefact.

Our run id is its run id. With a folder nothing is sent: ``wandb sync`` does that when somebody asks for it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from evalsuite.errors import SaveFailed, UsageError
from evalsuite.interop.tracker_facts import MANIFEST_HASH, Facts, Logged, Place, files_of, is_there

TITLE = "Weights & Biases"
PLAIN = "A-Za-z0-9_"
"""What its names may hold: docs.wandb.ai, "metric naming constraints"; ``/`` parts its sections."""
SCHEMES = ("http", "https")

_SENT = "evalsuite-manifest"
"""A file of an offline run, written when all of it was: the hash of the manifest that was sent, and the project."""

_INIT_TIMEOUT_S = "30"
"""For which a server may stay silent; W&B's own number is 90."""


def environment(place: Place) -> dict[str, str | None]:
    """What its process runs under: no reports of errors to its makers, and with a folder nothing outside of that.

    Raises UsageError for a project that cannot be one.
    """
    team, _, _ = place.project.rpartition("/")
    if team and not re.fullmatch(r"[\w-]+", team):
        raise UsageError(f"--project {place.project}: expected PROJECT or TEAM/PROJECT.")
    found: dict[str, str | None] = {
        "WANDB_ERROR_REPORTING": os.environ.get("WANDB_ERROR_REPORTING", "false"),
        "WANDB_SILENT": "true",
    }
    if place.uri:
        found["WANDB_BASE_URL"] = place.uri
    if place.folder:
        inside = Path(place.folder) / "wandb"
        found |= {"WANDB_MODE": "offline", "WANDB_DIR": place.folder, "WANDB_DATA_DIR": str(inside / "data")}
        found |= {"WANDB_CACHE_DIR": str(inside / "cache"), "WANDB_CONFIG_DIR": str(inside / "config")}
    return found


def send(facts: Facts, place: Place) -> Logged:
    """Write the run. Raises UsageError, SaveFailed, or what wandb itself raises."""
    import wandb

    try:
        settings = wandb.setup(settings=_quiet(wandb)).settings
        if settings.mode == "offline":
            return _offline(wandb, facts, place, Path(settings.wandb_dir))
        return _online(wandb, facts, place)
    except (wandb.errors.UsageError, ValueError) as error:
        hint = " With --output nothing is sent, and no key is needed." if "API key" in str(error) else ""
        raise UsageError(f"{TITLE}: {_line(error)}{hint}") from error


def _offline(wandb: Any, facts: Facts, place: Place, folder: Path) -> Logged:
    """A second sending of the same makes nothing; a forced one a second folder, of which the newer one counts."""
    earlier = [
        (path.parent, manifest)
        for path in sorted(folder.glob(f"offline-run-*-{facts.run_id}/{_SENT}"), reverse=True)
        for manifest, _, project in (path.read_text(encoding="utf-8").partition("\n"),)
        if project == place.project
    ]
    if is_there(facts, [manifest for _, manifest in earlier[:1]], place):
        return Logged(place=str(earlier[0][0]), is_new=False)
    run = _opened(wandb, facts, place)
    where = Path(run.dir).parent
    if place.folder and Path(place.folder).resolve() not in where.resolve().parents:
        run.finish(exit_code=1)
        raise SaveFailed(f"it cannot write to {place.folder}, and would have written to {where}.")
    _write(wandb, run, facts)
    (where / _SENT).write_text(f"{facts.manifest_hash}\n{place.project}", encoding="utf-8")
    return Logged(place=str(where))


def _online(wandb: Any, facts: Facts, place: Place) -> Logged:
    """The server knows the run by its id, and its config says with which manifest it was sent."""
    run = _opened(wandb, facts, place, resume="allow")
    url = str(run.url)
    earlier = run.config.get(MANIFEST_HASH) if run.resumed else None
    try:
        if is_there(facts, [str(earlier)] if earlier else [], place):
            run.finish()
            return Logged(place=url, is_new=False)
    except UsageError:
        run.finish()
        raise
    _write(wandb, run, facts)
    return Logged(place=url)


def _opened(wandb: Any, facts: Facts, place: Place, **options: Any) -> Any:
    """``TEAM/PROJECT`` names an entity too."""
    entity, _, project = place.project.rpartition("/")
    run = wandb.init(
        entity=entity or None, project=project, id=facts.run_id, name=facts.name, settings=_quiet(wandb), **options
    )
    if run.disabled:
        raise UsageError(f"{TITLE} is switched off by its own settings (WANDB_MODE, WANDB_DISABLED); nothing was sent.")
    return run


def _write(wandb: Any, run: Any, facts: Facts) -> None:
    """The manifest hash is in what is written last, so that it stands for a whole run."""
    run.log(dict(facts.numbers))
    if facts.files:
        artefact = wandb.Artifact(f"evalsuite-{facts.run_id}", type="evalsuite-run")
        for path, name in files_of(facts):
            artefact.add_file(str(path), name=name)
        run.log_artifact(artefact)
    run.config.update(dict(facts.settings), allow_val_change=True)
    run.finish()


def _quiet(wandb: Any) -> Any:
    """Nothing is printed, and nothing is told of this machine, its programs and its code."""
    return wandb.Settings(
        silent=True,
        host="",
        console="off",
        disable_code=True,
        disable_git=True,
        save_code=False,
        init_timeout=float(os.environ.get("WANDB_INIT_TIMEOUT", _INIT_TIMEOUT_S)),
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
