"""What ``--model external --model_args`` may say, checked, and the environment that a worker gets."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evalsuite.engines.base import EngineOptions
from evalsuite.errors import UsageError
from evalsuite.types import Scalar

METRICS = {"comet": "Unbabel/wmt22-comet-da", "metricx": "google/metricx-24-hybrid-large-v2p6"}
"""The metrics that we have a worker for, each with a model of its that an error names as an example."""

_SCRIPTS = Path(__file__).with_name("external_workers")
_ARGS = {"python", "metric", "script", "model", "name", "batch_size", "timeout"}
_EXTRA = "extra_"
_BATCH_SIZE = 16
_TIMEOUT_S = 1800.0

_SECRET = re.compile(r"(?:^|_)(?:APIKEY|KEYS?|TOKENS?|SECRETS?|PASSWORD|PASSWD|CREDENTIALS?)(?:_|$)", re.IGNORECASE)
_HUB_TOKENS = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}
"""Kept: the weights of some metrics are for those only who have accepted a licence."""


@dataclass(frozen=True)
class WorkerSettings:
    """A worker as a user asks for it: which Python runs which script, and what the script is told.

    `metric` is that of a script of ours, or empty; `extra` goes to the script as it is. `timeout_s` is how long it may
    be silent, before it is ready and before each answer.
    """

    python: str
    script: Path
    script_sha256: str
    metric: str
    model: str
    batch_size: int = _BATCH_SIZE
    timeout_s: float = _TIMEOUT_S
    extra: tuple[tuple[str, Scalar], ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """The command line: the script's one argument is a JSON object."""
        told = {**dict(self.extra), "model": self.model, "batch_size": self.batch_size}
        return (self.python, str(self.script), json.dumps(told, sort_keys=True))


def read_settings(options: EngineOptions) -> WorkerSettings:
    """The settings behind the arguments. Raises UsageError."""
    args = options.args
    for key in args:
        if key not in _ARGS and not key.startswith(_EXTRA):
            raise UsageError(
                f"--model_args: unknown {key!r}; external takes {', '.join(sorted(_ARGS))}, and {_EXTRA}NAME for what "
                "the worker is to be told besides."
            )
    if options.device:
        raise UsageError("--device: a worker takes the GPU it sees; choose with CUDA_VISIBLE_DEVICES, empty for none.")
    extra = tuple(sorted((key.removeprefix(_EXTRA), args[key]) for key in args if key.startswith(_EXTRA)))
    if reserved := {key for key, _ in extra} & _ARGS:
        raise UsageError(f"--model_args {_EXTRA}{min(reserved)}: give {min(reserved)}= itself.")
    metric, script = _script(args)
    model = str(args.get("model", ""))
    _check_named(args, metric, is_changed=bool(extra))
    return WorkerSettings(
        python=_python(args),
        script=script,
        script_sha256=_sha256(script),
        metric=metric,
        model=model,
        batch_size=_batch_size(options),
        timeout_s=_timeout_s(args),
        extra=extra,
    )


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` as a worker gets it: without what is named like a key, but for the hub's, and with output at once.

    Nor with what keeps a script from importing its neighbours, which our workers do.
    """
    kept = {name: value for name, value in environ.items() if name in _HUB_TOKENS or not _SECRET.search(name)}
    kept.pop("PYTHONSAFEPATH", None)
    return {**kept, "PYTHONUNBUFFERED": "1"}


def _script(args: Mapping[str, Scalar]) -> tuple[str, Path]:
    """The metric's name, empty for a script of the user's own, and the script."""
    if ("metric" in args) == ("script" in args):
        raise UsageError(
            f"--model external needs --model_args metric={' or '.join(METRICS)}, or script=FILE, a worker of your own."
        )
    if "script" in args:
        return "", Path(str(args["script"])).absolute()
    metric = str(args["metric"])
    if metric not in METRICS:
        raise UsageError(f"--model_args metric={metric}: expected {' or '.join(METRICS)}, or give script=FILE.")
    return metric, _SCRIPTS / f"{metric}_worker.py"


def _sha256(script: Path) -> str:
    """The hash of what runs: of a worker of ours with the loop that it shares with the others."""
    try:
        loop = _SCRIPTS / "worker_loop.py"
        shared = loop.read_bytes() if script.parent == _SCRIPTS else b""
        return hashlib.sha256(script.read_bytes() + shared).hexdigest()
    except OSError as error:
        raise UsageError(f"--model_args script={script} cannot be read: {error.strerror}.") from error


def _check_named(args: Mapping[str, Scalar], metric: str, *, is_changed: bool) -> None:
    """Raise UsageError where numbers of two metrics could stand under one name."""
    if metric and not args.get("model"):
        raise UsageError(f"--model_args metric={metric} needs model=NAME, for example {METRICS[metric]}.")
    if not args.get("name") and (is_changed or not args.get("model")):
        why = f"with {_EXTRA}NAME it is another metric" if is_changed else "a script is not known by name"
        raise UsageError(f"--model external: {why}; give --model_args name=NAME, what its numbers are shown under.")


def _python(args: Mapping[str, Scalar]) -> str:
    """The interpreter, not resolved: what a virtual environment holds is found by where its link stands."""
    if not args.get("python"):
        raise UsageError("--model external needs --model_args python=FILE, the Python that has the metric's packages.")
    found = shutil.which(str(args["python"]))
    if found is None:
        raise UsageError(f"--model_args python={args['python']}: there is no such program.")
    return str(Path(found).absolute())


def _batch_size(options: EngineOptions) -> int:
    size = options.args.get("batch_size", options.batch_size or _BATCH_SIZE)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise UsageError(f"--model_args batch_size={size}: expected a whole number, 1 or more.")
    return size


def _timeout_s(args: Mapping[str, Scalar]) -> float:
    seconds = args.get("timeout", _TIMEOUT_S)
    if isinstance(seconds, bool | str) or seconds <= 0:
        raise UsageError(f"--model_args timeout={seconds}: expected seconds, more than 0.")
    return float(seconds)
