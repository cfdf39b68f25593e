"""lm-eval's results and samples as a sealed run of ours: the same numbers, with intervals.

Their protocol is ``lm-eval@<version>``, so that they never share a column with numbers of evalsuite's own prompts. A
document is a sample, its filters are metrics of it, ``exact_match,strict-match``. Tasks of a group are a family where
the group's number follows from theirs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.canonical import canonical_json, content_hash
from evalsuite.errors import DataError
from evalsuite.interop.imported import ImportedSettings, ImportedTask, seal_imported
from evalsuite.interop.lm_eval_files import LmEvalLine, LmEvalRun, LmEvalTask
from evalsuite.interop.lm_eval_metrics import TakenMetric, taken_metrics
from evalsuite.interop.lm_eval_names import IMPORTED_PROTOCOL
from evalsuite.interop.lm_eval_requests import exchange_of
from evalsuite.interop.sealed_runs import EVALUATED_AT
from evalsuite.outcomes import Sealed
from evalsuite.records import IMPORT_FORMAT, AggregateKind, DatasetPin
from evalsuite.text.language_names import UNDETERMINED
from evalsuite.types import Flag, Loglikelihood, Sample, Scalar, Score, Scored

LM_EVAL = "lm-eval"
NOT_SAID = (
    "left empty, since lm-eval's files do not say it: the rows' revision, languages, counts of tokens, why an answer "
    "ended"
)
_MUTUAL = "acc_mutual_info"
_NO_MATCH = "[invalid]"
"""What lm-eval's filters make of an answer in which they find nothing, unless a task says otherwise."""


@dataclass(frozen=True)
class ImportedResults:
    """A sealed run, and lines on what of the file it does not hold."""

    sealed: Sealed
    notes: tuple[str, ...]


def import_lm_eval(run: LmEvalRun, name: str = "") -> ImportedResults:
    """The run of a results file, its model called `name` or as in the file.

    Raises DataError for values that are not those of the samples, and for a file that has nothing to take over.
    """
    taken = {task.name: taken_metrics(task) for task in run.tasks}
    tasks = [task for task in run.tasks if taken[task.name][0]]
    if not tasks:
        raise DataError(f"{run.path}: it has no metric that can be taken over; {_first_note(taken)}")
    families, group_notes = _families(run, tasks)
    imported = [_task(run, task, taken[task.name][0], *families[task.name]) for task in tasks]
    notes = (*(note for _, left in taken.values() for note in left), *group_notes, NOT_SAID)
    return ImportedResults(seal_imported(_settings(run, name), imported), notes)


def _first_note(taken: Mapping[str, tuple[Sequence[TakenMetric], Sequence[str]]]) -> str:
    return next((note for _, left in taken.values() for note in left), "its tasks have none.")


# -- the run


def _settings(run: LmEvalRun, name: str) -> ImportedSettings:
    settings = run.settings
    config = _object(settings.get("config"))
    limit = config.get("limit")
    return ImportedSettings(
        model=name or str(settings.get("model_name") or config.get("model") or LM_EVAL),
        identity=dict(_identity(run, config)),
        limit=float(limit) if isinstance(limit, int | float) and limit > 0 else None,
        seed=_seed(config) or 0,
        system_instruction=str(settings.get("system_instruction") or ""),
        multiturn_shots=_boolean(settings.get("fewshot_as_multiturn")),
        generation=_scalars(_object(config.get("gen_kwargs"))),
    )


def _identity(run: LmEvalRun, config: Mapping[str, Any]) -> Iterator[tuple[str, Scalar]]:
    """What the file says of how the model was loaded, and what the files hash to."""
    yield IMPORT_FORMAT, LM_EVAL
    yield "results_sha256", run.results_sha256
    yield "samples_sha256", run.samples_sha256
    told = {"lm_eval_version": run.version, "chat_template_sha256": run.settings.get("chat_template_sha"),
            "transformers": run.settings.get("transformers_version")}  # fmt: skip
    told |= {key: config.get(key) for key in ("model", "model_args", "model_revision", "model_sha", "model_dtype")}
    told |= {key: config.get(key) for key in ("device", "batch_size")}
    for key, value in told.items():
        if value not in (None, "", {}):
            yield key, value if isinstance(value, str | int | float | bool) else canonical_json(value)
    date = run.settings.get("date")
    if isinstance(date, int | float) and 0 < date < 1e11:
        yield EVALUATED_AT, float(date)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _scalars(values: Mapping[str, Any]) -> dict[str, Scalar]:
    return {
        key: value if isinstance(value, str | int | float | bool) else canonical_json(value)
        for key, value in values.items()
        if value is not None
    }


def _seed(config: Mapping[str, Any]) -> int | None:
    seed = config.get("fewshot_seed")
    return seed if type(seed) is int else None


# -- groups


Family = tuple[str, tuple[AggregateKind, ...]]


def _families(run: LmEvalRun, tasks: Sequence[LmEvalTask]) -> tuple[dict[str, Family], list[str]]:
    """The family of each task with its kinds of mean, and lines on groups whose numbers are not taken over."""
    found: dict[str, Family] = {task.name: (task.name, ()) for task in tasks}
    notes = []
    inner = {name for group in run.groups for name in run.members.get(group, ())}
    for group in (group for group in run.groups if group not in inner):
        members = [task for task in tasks if task.name in _leaves(run, group, set())]
        kind = _kind_of_mean(run.groups[group], members)
        if kind is None:
            notes.append(f"not taken over: the group {group}, whose number is not the mean of its tasks")
        else:
            means: tuple[AggregateKind, ...] = ("micro", "macro") if kind == "micro" else ("macro", "micro")
            found |= {task.name: (group, means) for task in members}
    notes += [f"not taken over: the group {group}, a part of another" for group in run.groups if group in inner]
    return found, notes


def _leaves(run: LmEvalRun, group: str, seen: set[str]) -> set[str]:
    """The tasks below a group, through groups within it."""
    seen.add(group)
    members = set(run.members.get(group, ()))
    return members.union(*(_leaves(run, name, seen) for name in members if name in run.members and name not in seen))


def _kind_of_mean(numbers: Mapping[str, float], members: Sequence[LmEvalTask]) -> AggregateKind | None:
    """Whether all numbers of a group weigh its tasks' samples alike, or its tasks; None where neither."""
    sizes = [len({line.doc_id for line in task.lines}) for task in members]
    weights: dict[AggregateKind, list[float]] = {
        "micro": [float(size) for size in sizes],
        "macro": [1.0 for _ in sizes],
    }
    for kind, weight in weights.items():
        if members and numbers and all(_is_mean(value, key, members, weight) for key, value in numbers.items()):
            return kind
    return None


def _is_mean(value: float, key: str, members: Sequence[LmEvalTask], weights: Sequence[float]) -> bool:
    if any(key not in task.values for task in members):
        return False
    total = math.fsum(weight * task.values[key] for weight, task in zip(weights, members, strict=True))
    return math.isclose(value, total / math.fsum(weights), rel_tol=1e-9, abs_tol=1e-9)


# -- tasks


def _task(
    run: LmEvalRun, task: LmEvalTask, taken: Sequence[TakenMetric], family: str, means: tuple[AggregateKind, ...]
) -> ImportedTask:
    documents: dict[int, list[LmEvalLine]] = {}
    for line in task.lines:
        documents.setdefault(line.doc_id, []).append(line)
    pin = _pin(task, [lines[0].doc for lines in documents.values()])
    ids = {doc_id: f"{task.name}:{pin.split or 'rows'}:{doc_id}" for doc_id in documents}
    exchanges = {ids[doc_id]: exchange_of(ids[doc_id], lines[0]) for doc_id, lines in documents.items()}
    samples = {doc_id: _sample(task, ids[doc_id], lines[0]) for doc_id, lines in documents.items()}
    return ImportedTask(
        name=task.name,
        family=family,
        protocol=f"{IMPORTED_PROTOCOL}{run.version or 'unknown'}",
        metrics=tuple(one.metric for one in taken),
        samples=tuple(samples.values()),
        outcomes=tuple(
            _outcome(samples[doc_id], lines, exchanges[ids[doc_id]].responses, taken)
            for doc_id, lines in documents.items()
        ),
        num_available=max(task.num_available or 0, len(documents)),
        language=UNDETERMINED,
        datasets=(pin,),
        version=int(task.version) if isinstance(task.version, int | float) and task.version == int(task.version) else 0,
        num_fewshot=task.num_fewshot,
        is_chat=bool(run.settings.get("chat_template")),
        seed=_seed(_object(run.settings.get("config"))) if task.num_fewshot else None,
        means=means,
        items={key: exchange.items for key, exchange in exchanges.items()},
        responses={key: exchange.responses for key, exchange in exchanges.items()},
    )  # fmt: skip


def _pin(task: LmEvalTask, rows: Sequence[Mapping[str, Any]]) -> DatasetPin:
    """The rows by their names, and the hash of those that were evaluated; the files do not say which revision."""
    config = task.config
    split = next(
        (str(config[key]) for key in ("test_split", "validation_split", "training_split") if config.get(key)), ""
    )
    return DatasetPin(
        path=str(config.get("dataset_path") or ""),
        config=str(config.get("dataset_name") or ""),
        split=split,
        revision="",
        fingerprint=content_hash([json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]),
        num_rows=max(task.num_available or 0, len({line.doc_id for line in task.lines})),
    )


def _sample(task: LmEvalTask, sample_id: str, line: LmEvalLine) -> Sample:
    choices = _choices(task, line)
    gold = int(line.target) if line.target.isdecimal() and int(line.target) < len(choices) else None
    return Sample(
        id=sample_id,
        input=str(line.arguments[0][0]),
        language=UNDETERMINED,
        target=line.target if gold is None else choices[gold],
        choices=choices,
        gold=gold,
        metadata={"doc": json.dumps(line.doc, ensure_ascii=False, sort_keys=True)},
    )


def _choices(task: LmEvalTask, line: LmEvalLine) -> tuple[str, ...]:
    """The continuations without the delimiter before them, where these are what is chosen among."""
    if task.config.get("output_type") != "multiple_choice" or any(len(one) < 2 for one in line.arguments):
        return ()
    delimiter = str(task.config.get("target_delimiter", " "))
    # for this metric every choice is asked once more, without the question
    num_choices = len(line.arguments) // 2 if _MUTUAL in line.values else len(line.arguments)
    texts = tuple(str(one[1]).removeprefix(delimiter) for one in line.arguments[:num_choices])
    return texts if len(set(texts)) > 1 else ()


def _outcome(
    sample: Sample, lines: Sequence[LmEvalLine], responses: Sequence[object], taken: Sequence[TakenMetric]
) -> Scored:
    doc_id = lines[0].doc_id
    scores = tuple(
        Score(name=one.metric.name, counts=one.counts[doc_id]) for one in taken if doc_id in one.counts
    )  # fmt: skip
    if not sample.choices:
        filtered = lines[0].filtered[0] if lines[0].filtered else ""
        answer = str(filtered[0] if isinstance(filtered, list) and filtered else filtered)
        return Scored(scores=scores, answer=answer, flags=(Flag.UNPARSED,) if answer == _NO_MATCH else ())
    levels = [reply.sum_nats for reply in responses if isinstance(reply, Loglikelihood)][: len(sample.choices)]
    if len(levels) < len(sample.choices):
        return Scored(scores=scores)
    leaders = {choice for choice, level in zip(sample.choices, levels, strict=True) if level == max(levels)}
    flags = (Flag.TIED,) if len(leaders) > 1 else ()
    return Scored(scores=scores, answer=sample.choices[levels.index(max(levels))], flags=flags)
