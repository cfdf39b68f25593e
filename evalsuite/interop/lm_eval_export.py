"""A sealed run as the files that lm-eval 0.4.13 writes: ``<model>/results_<time>.json`` and a file of samples a task.

Source: ``EvaluationTracker`` in ``loggers/evaluation_tracker.py`` and ``EvalAcc`` in ``evaluator_utils.py`` of lm_eval.
Its form has no place for intervals, unscored samples and protocols; they stand beside it under `evalsuite`, which its
readers pass over. Nothing here names a version of lm-eval or of its tasks, which computed none of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.interop.exporting import ExportOptions, Files, check_complete, json_bytes, told
from evalsuite.interop.lm_eval_names import LmEvalName, departures, folder_name, names_of, safe_name
from evalsuite.interop.lm_eval_samples import Line, sample_lines, task_hash
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.records import Aggregate, DatasetPin, Estimate, TaskSpec
from evalsuite.types import GenerateRequest, RollingRequest

_NOTE = (
    "Written by evalsuite, not by lm-eval. Tasks named TASK@PROTOCOL were asked or scored by other rules than "
    "lm-eval's. Standard errors are evalsuite's, which are 0 nowhere."
)


def lm_eval_files(runs: Sequence[SealedRun], options: ExportOptions) -> Files:
    """The files of all `runs`. Raises UsageError for an incomplete run, and for two that would be one file."""
    files: dict[PurePosixPath, bytes] = {}
    for run in runs:
        check_complete(run, options)
        found = _files(run, options)
        if taken := files.keys() & found.keys():
            raise UsageError(f"{run.path}: another run has {min(taken)} too; export them to two folders.")
        files |= found
    return files


@dataclass(frozen=True)
class _Part:
    """One of lm-eval's tasks, `name`: our task, and the names of those of its metrics that stand there."""

    run: SealedRun
    spec: TaskSpec
    name: str
    names: Mapping[str, LmEvalName]

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The metrics in question."""
        return tuple(one for one in self.run.estimates_of(self.spec.name) if one.metric in self.names)

    @property
    def is_theirs(self) -> bool:
        """Whether it is lm-eval's own task by its own rules, whose version we do not know."""
        return not departures(self.run, self.spec)

    @property
    def num_scored(self) -> int:
        """Samples with something to count in any of the metrics: the length that lm-eval shows."""
        return max(one.n for one in self.estimates)

    def lines(self) -> list[Line]:
        """The lines of its file of samples."""
        return sample_lines(self.run.records[self.spec.name], self.names, self.estimates)


def _parts(run: SealedRun) -> Iterator[_Part]:
    for spec in run.result.spec.tasks:
        names = names_of(run, spec)
        for task in dict.fromkeys(name.task for name in names.values()):
            yield _Part(run, spec, task, {ours: name for ours, name in names.items() if name.task == task})


def _files(run: SealedRun, options: ExportOptions) -> dict[PurePosixPath, bytes]:
    model = options.name or run.model
    folder = PurePosixPath(folder_name(model))
    when = run.began.strftime("%Y-%m-%dT%H-%M-%S.%f") if run.began else run.result.run_id
    parts = list(_parts(run))
    samples = {part.name: part.lines() for part in parts}
    files = {
        folder / f"samples_{name}_{when}.jsonl": b"".join(json_bytes(line, indent=None) for line in lines)
        for name, lines in samples.items()
    }
    hashes = {name: task_hash(lines) for name, lines in samples.items()}
    return {folder / f"results_{when}.json": json_bytes(_results(run, model, parts, hashes)), **files}


def _results(run: SealedRun, model: str, parts: Sequence[_Part], hashes: Mapping[str, str]) -> dict[str, Any]:
    """The object of ``results_<time>.json``, its keys in lm-eval's order."""
    groups = {
        _group_name(run, mean): mean for mean in run.result.aggregates if mean.is_primary and mean.kind != "suite"
    }
    members = {name: _members(mean, parts) for name, mean in groups.items()}
    tasks = {part.name: _task_numbers(part) for part in parts}
    group_numbers = {name: _group_numbers(run, name, mean) for name, mean in groups.items()}
    began = {"date": run.began.timestamp()} if run.began else {}
    spec, ordered = run.result.spec, sorted(parts, key=lambda part: part.name)
    return {
        "results": {**tasks, **group_numbers},
        **({"groups": group_numbers} if groups else {}),
        "group_subtasks": members,
        "configs": {part.name: _config(part) for part in ordered},
        "versions": {part.name: part.spec.version for part in ordered if not part.is_theirs},
        "n-shot": {part.name: part.spec.num_fewshot for part in ordered} | _shots_of_groups(run, groups),
        "higher_is_better": {part.name: _directions(part) for part in ordered}
        | {name: {_name_of(run, mean).metric: mean.higher_is_better} for name, mean in groups.items()},
        "n-samples": {
            part.name: {"original": part.spec.num_available, "effective": part.num_scored} for part in parts
        },
        "config": _model_config(run, model),
        "git_hash": None,
        **began,
        "evalsuite": _beside(run, parts, groups),
        "task_hashes": dict(hashes),
        "model_source": spec.model.engine,
        "model_name": model,
        "model_name_sanitized": safe_name(model),
        "system_instruction": spec.system_instruction or None,
        "system_instruction_sha": _sha256(spec.system_instruction) if spec.system_instruction else None,
        "fewshot_as_multiturn": spec.multiturn_shots,
    }  # fmt: skip


# -- numbers


def _task_numbers(part: _Part) -> dict[str, Any]:
    numbers: dict[str, Any] = {"name": part.name, "alias": part.name, "sample_len": part.num_scored}
    for one in part.estimates:
        numbers |= _pair(part.names[one.metric], one)
    return numbers


def _pair(name: LmEvalName, measure: Estimate | Aggregate) -> dict[str, Any]:
    """A number and its standard error, which lm-eval too writes as a word where there is none."""
    return {name.key: measure.value, name.stderr_key: "N/A" if measure.stderr is None else measure.stderr}


def _group_name(run: SealedRun, mean: Aggregate) -> str:
    """A family's name, with its protocol where a task of it has that."""
    specs = [run.spec_of(task) for task in mean.members]
    is_theirs = not any(departures(run, spec) for spec in specs)
    family = mean.name.partition(f" {mean.kind} ")[0]
    return safe_name(family if is_theirs else f"{family}@{mean.protocol}")


def _name_of(run: SealedRun, mean: Aggregate) -> LmEvalName:
    """What its tasks call the metric that is averaged."""
    return names_of(run, run.spec_of(mean.members[0]))[mean.metric]


def _group_numbers(run: SealedRun, name: str, mean: Aggregate) -> dict[str, Any]:
    return {"name": name, "alias": name, "sample_len": mean.n, **_pair(_name_of(run, mean), mean)}


def _shots_of_groups(run: SealedRun, groups: Mapping[str, Aggregate]) -> dict[str, int]:
    """The number of exemplars of groups whose tasks all have the same."""
    shots = {name: {run.spec_of(task).num_fewshot for task in mean.members} for name, mean in groups.items()}
    return {name: found.pop() for name, found in shots.items() if len(found) == 1}


def _members(mean: Aggregate, parts: Sequence[_Part]) -> list[str]:
    return [part.name for part in parts if part.spec.name in mean.members and mean.metric in part.names]


def _directions(part: _Part) -> dict[str, bool]:
    return {part.names[one.metric].metric: one.higher_is_better for one in part.estimates}


# -- settings


def _config(part: _Part) -> dict[str, Any]:
    """As much of a task's configuration in lm-eval as a sealed run holds."""
    spec = part.spec
    filters = list(dict.fromkeys(name.filter for name in part.names.values()))
    return {
        "task": part.name,
        **_dataset(spec.datasets[0] if spec.datasets else None),
        "num_fewshot": spec.num_fewshot,
        "metric_list": [
            {"metric": part.names[one.metric].metric, "aggregation": one.formula or one.signature,
             "higher_is_better": one.higher_is_better}
            for one in part.estimates
        ],
        "output_type": _output_type(part),
        **({"filter_list": [{"name": name} for name in filters]} if len(filters) > 1 else {}),
        "repeats": spec.repeats,
        **({} if part.is_theirs else {"metadata": {"version": spec.version}}),
    }  # fmt: skip


def _dataset(pin: DatasetPin | None) -> dict[str, Any]:
    if pin is None:
        return {}
    return {"dataset_path": pin.path, "dataset_name": pin.config or None, "test_split": pin.split}


def _output_type(part: _Part) -> str:
    records = part.run.records[part.spec.name]
    first = next((item.request for record in records for item in record.items), None)
    match first:
        case GenerateRequest():
            return "generate_until"
        case RollingRequest():
            return "loglikelihood_rolling"
    return "multiple_choice"


def _model_config(run: SealedRun, model: str) -> dict[str, Any]:
    spec = run.result.spec
    return {
        "model": spec.model.engine,
        "model_args": {"pretrained": model, **spec.model.identity},
        "batch_size": str(spec.model.identity.get("batch_size", "")) or None,
        "batch_sizes": [],
        "device": spec.model.identity.get("device"),
        "use_cache": None,
        "limit": spec.limit,
        "bootstrap_iters": 0,
        "gen_kwargs": dict(spec.generation) or None,
        "random_seed": spec.seed,
        "fewshot_seed": spec.seed,
    }  # fmt: skip


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


# -- what lm-eval's form cannot hold


def _beside(run: SealedRun, parts: Sequence[_Part], groups: Mapping[str, Aggregate]) -> dict[str, Any]:
    result = run.result
    return {
        "note": _NOTE,
        "run_id": result.run_id,
        "status": result.status,
        "packages": dict(result.packages),
        "limit_mode": result.spec.limit_mode if result.spec.limit is not None else None,
        "tasks": {part.name: _told(part) for part in parts},
        "groups": {name: told(mean) for name, mean in groups.items()},
    }


def _told(part: _Part) -> dict[str, Any]:
    """Rules, data and every number with its interval."""
    spec = part.spec
    return {
        "task": spec.name,
        "version": spec.version,
        "protocol": spec.protocol,
        "differs_from_lm_eval": list(departures(part.run, spec)),
        "num_samples": spec.num_samples,
        "num_available": spec.num_available,
        "is_chat": spec.chat,
        "prompts_hash": spec.prompts_hash,
        "datasets": [told(pin) for pin in spec.datasets],
        "estimates": {part.names[one.metric].key: told(one) for one in part.estimates},
    }
