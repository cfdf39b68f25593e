"""evalsuite from Python: `evaluate` a model on tasks, `score` its answers by a judge, and read the numbers.

Both are the commands ``evalsuite run`` and ``evalsuite score`` without printing: the same runs in the same directories,
so that the same call resumes, and finds what a command has computed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import msgspec

from evalsuite.config import ModelConfig, check_entry, make_config
from evalsuite.contracts import JudgeOptions
from evalsuite.engines.base import Engine, missing_parts
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import EngineFailed, UsageError
from evalsuite.judged import read_run
from evalsuite.judging import Asked, open_bench, prepare_judging
from evalsuite.prepare import Opened, Prepared, prepare
from evalsuite.records import Estimate, RunResult
from evalsuite.run import Quiet, execute
from evalsuite.store.response_cache import ResponseCache
from evalsuite.store.run_directory import directory_name
from evalsuite.tables import Table, rendered
from evalsuite.text.number_texts import interval_text, number
from evalsuite.types import Request, Response

Model: TypeAlias = str | Engine | Callable[[Request], Response]
"""What answers: a name as ``--model`` takes it, an engine, or a function, which is for trying things out and for tests.

A function is known by its name and source, and a run is found again by what is known. One that holds values of its
surroundings (a closure), or whose source cannot be read, is never taken for the same again.
"""


@dataclass(frozen=True)
class Evaluation:
    """A finished run: its directory, all it found, and lines that a user should read. Printed, it is a table."""

    path: Path
    result: RunResult
    notes: tuple[str, ...] = ()

    @property
    def headlines(self) -> tuple[Estimate, ...]:
        """The first metric of each task, in the order of the tasks; a task in which nothing is scored has none."""
        return tuple(estimate for estimate in self.result.estimates if estimate.is_primary)

    def estimate(self, task: str, metric: str | None = None) -> Estimate:
        """One number with its interval: a task's metric, or its first. Raises UsageError for one that has none."""
        of_task = [one for one in self.result.estimates if one.task == task]
        found = [one for one in of_task if (one.is_primary if metric is None else one.metric == metric)]
        if not found:
            known = ", ".join([one.metric for one in of_task] or dict.fromkeys(one.task for one in self.headlines))
            place = f"{task} has no {metric or 'headline'}, only" if of_task else f"{task} has no score here, but"
            raise UsageError(f"{place} {known or 'nothing'}.")
        return found[0]

    def __str__(self) -> str:
        rows = tuple(
            (one.task, one.metric, number(one.value * one.scale, _decimals(one)),
             interval_text(one.low, one.high, one.scale, decimals=_decimals(one)), str(one.n), str(one.num_unscored))
            for one in self.result.estimates
        )  # fmt: skip
        heads = ("task", "metric", "value", "95 % interval", "n", "unscored")
        return rendered(Table(heads, rows, num_labels=len(heads)), "text").rstrip("\n")


def evaluate(
    model: Model,
    tasks: str | Sequence[str],
    *,
    limit: float | None = None,
    output_path: str | Path = "runs",
    **settings: Any,
) -> Evaluation:
    """`model` on `tasks`, at most `limit` samples of each family, in a directory below `output_path`.

    `tasks` are names as ``--tasks`` takes them, one or several. `settings` are further keys of a configuration file:
    ``num_fewshot=5``, ``model_args={"dtype": "float32"}``, ``seed=7``, ``use_cache="answers"`` and so on. An engine of
    your own is not closed, so that you can use it again. The same call resumes a run that was stopped.

    Raises UsageError (UnknownName, ConfigError), DataError, NothingSelected or PluginBroken before anything is asked;
    then RunStopped where a server or a budget ends the run, EngineFailed, RunLocked or SaveFailed. What was answered
    before is safe. Samples without a score raise nothing: ``result.status`` is then ``incomplete``.
    """
    opened = _opened(model, settings)
    given = {
        **settings, "tasks": [tasks] if isinstance(tasks, str) else list(tasks), "limit": limit,
        "output_path": str(output_path), "model": opened.name if opened else model,
    }  # fmt: skip
    checked = dict(check_entry(key, value, "evaluate()") for key, value in given.items() if value is not None)
    config = make_config(checked, {})
    return _executed(prepare(config, opened), config.output_path, config.use_cache, keeps_engine=opened is not None)


def score(
    runs: str | Path | Sequence[str | Path],
    judge: str,
    model: Model,
    *,
    limit: float | None = None,
    output_path: str | Path | None = None,
    options: JudgeOptions | None = None,
    **settings: Any,
) -> Evaluation:
    """What a judge finds in the answers of a sealed run, or of two: `model` reads them under the rules of `judge`.

    `runs` are run directories, `output_path` where the judge's own run goes, by default beside the first of them, and
    `settings` what a configuration file says of a model by name: ``model_args={"base_url": ...}``, ``batch_size=8``.
    Raises UnknownName, UsageError, SpecMismatch, CorruptStore and what `evaluate` raises.
    """
    paths = [Path(run) for run in ([runs] if isinstance(runs, str | Path) else runs)]
    if not paths:
        raise UsageError("score(): no run is given; give the directory of one, or of two.")
    opened = _opened(model, settings)
    given = {**settings, "model": opened.name if opened else model}
    checked = dict(check_entry(key, value, "score()") for key, value in given.items())
    if others := sorted(checked.keys() - set(ModelConfig.__struct_fields__)):
        raise UsageError(f"score(): {', '.join(others)} is nothing that a judge's model takes.")
    asked = Asked(judge, msgspec.convert(checked, ModelConfig), options or JudgeOptions(), limit)
    prepared = prepare_judging(open_bench(asked, opened), [read_run(path) for path in paths])
    output = str(output_path or paths[0].resolve().parent)
    return _executed(prepared, output, None, keeps_engine=opened is not None)


def _opened(model: Model, settings: Mapping[str, Any]) -> Opened | None:
    """An engine or a function of the caller's own as an engine; None for a name. Raises UsageError."""
    if isinstance(model, str):
        return None
    if useless := sorted(settings.keys() & set(ModelConfig.__struct_fields__)):
        raise UsageError(f"{', '.join(useless)} is for models by name; the engine given here is open.")
    if not missing_parts(model):
        engine: Any = model
        return Opened(engine.name, engine.name, engine)
    if callable(model):
        label = _label(model)
        return Opened("scripted", label, ScriptedEngine(model, label=label))
    missing = ", ".join(missing_parts(model))
    raise UsageError(f"model: a {type(model).__name__} is no name, engine or function; an engine has {missing}.")


def _label(function: Callable[..., Any]) -> str:
    """What a function is known by; no two calls have the same for one whose source does not say all that it does."""
    label = f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', type(function).__name__)}"
    try:
        is_all_said = inspect.isfunction(function) and not function.__closure__ and bool(inspect.getsource(function))
    except (OSError, TypeError):
        is_all_said = False
    return label if is_all_said else f"{label}#{uuid4().hex[:8]}"


def _executed(prepared: Prepared, output: str, cache_folder: str | None, *, keeps_engine: bool) -> Evaluation:
    """Run `prepared` in its own directory below `output`. Raises what stopped it."""
    cache = ResponseCache(Path(cache_folder)) if cache_folder else None
    path = Path(output) / directory_name(prepared.spec)
    finished = execute(prepared, path, Quiet(), cache=cache, keeps_engine=keeps_engine)
    if finished.result is None:
        raise finished.trouble or EngineFailed(f"{path}: the run was stopped; the same call resumes.")
    return Evaluation(finished.path, finished.result, (*prepared.notes, *finished.warnings))


def _decimals(estimate: Estimate) -> int:
    """Of percentages one decimal, of all else two."""
    return 1 if estimate.scale != 1 else 2
