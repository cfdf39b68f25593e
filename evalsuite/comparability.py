"""What must be equal in two runs for their numbers to be compared: rules, data, prompts, metric, and who judges. Pure.

Two numbers under different rules, over other rows or by another version of a metric differ for reasons that have
nothing to do with the models; to say how far they lie apart would be silently wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evalsuite.canonical import content_hash
from evalsuite.records import DatasetPin, JudgedSpec, RunSpec, TaskSpec
from evalsuite.types import Scalar

_SHOWN = 12


def task_disagreements(baseline: TaskSpec, candidate: TaskSpec) -> tuple[str, ...]:
    """In what two specs of one task differ that keeps their numbers apart, each as ``what: baseline's, candidate's``.

    Prompts are compared by `pairing`, sample by sample where two runs took different samples.
    """
    return tuple(_of_task(baseline, candidate))


def _of_task(baseline: TaskSpec, candidate: TaskSpec) -> Iterator[str]:
    for what, before, after in (
        ("protocol", baseline.protocol, candidate.protocol),
        ("task version", baseline.version, candidate.version),
        ("exemplars", baseline.num_fewshot, candidate.num_fewshot),
        ("exemplars drawn by seed", baseline.seed, candidate.seed),
        ("prompts sent", _form(baseline), _form(candidate)),
        ("times asked", baseline.repeats, candidate.repeats),
    ):
        if before != after:
            yield f"{what}: {before}, {after}"
    if len(baseline.datasets) != len(candidate.datasets):
        yield f"datasets: {len(baseline.datasets)}, {len(candidate.datasets)}"
    for before_pin, after_pin in zip(baseline.datasets, candidate.datasets, strict=False):
        if not (before_pin.fingerprint and after_pin.fingerprint):
            yield f"rows of {_name(after_pin)}: not known of {_unknown(before_pin.fingerprint, after_pin.fingerprint)}"
        elif _data(before_pin) != _data(after_pin):
            yield f"rows of {_name(after_pin)}: {before_pin.fingerprint[:_SHOWN]}, {after_pin.fingerprint[:_SHOWN]}"


def _unknown(before: str, after: str) -> str:
    return "one side" if before or after else "either side"


def _form(spec: TaskSpec) -> str:
    return "as a conversation" if spec.chat else "as plain text"


def _name(pin: DatasetPin) -> str:
    return " ".join(part for part in (pin.path, pin.config, pin.split) if part)


def _data(pin: DatasetPin) -> tuple[str, str]:
    return pin.split, pin.fingerprint


def data_hash(specs: Iterable[TaskSpec]) -> str:
    """Eight digits for the rows that tasks used: numbers over other rows are other numbers."""
    return content_hash(sorted((spec.name, *_data(pin)) for spec in specs for pin in spec.datasets))[:8]


def judge_disagreements(baseline: RunSpec, candidate: RunSpec) -> tuple[str, ...]:
    """In what two runs differ as judge runs: whether they are, which judge, its version, options and model."""
    before, after = baseline.judged, candidate.judged
    if before is None or after is None:
        return () if before is after else (f"judged: {_judge(before)}, {_judge(after)}",)
    return tuple(_of_judges(baseline, candidate, before, after))


def _of_judges(baseline: RunSpec, candidate: RunSpec, before: JudgedSpec, after: JudgedSpec) -> Iterator[str]:
    if (before.judge, before.version) != (after.judge, after.version):
        yield f"judge: {_judge(before)}, {_judge(after)}"
    if dict(before.options) != dict(after.options):
        yield f"judge's options: {dict(before.options) or 'none'}, {dict(after.options) or 'none'}"
    if baseline.model != candidate.model:
        yield f"judging model: {_model(baseline)}, {_model(candidate)}"
    if before.models[1:] != after.models[1:]:
        yield f"compared with: {', '.join(before.models[1:])}, {', '.join(after.models[1:])}"


def _judge(judged: JudgedSpec | None) -> str:
    return "no judge" if judged is None else f"{judged.judge} version {judged.version}"


def _model(spec: RunSpec) -> str:
    return f"{spec.model.name} ({content_hash(spec.model)[:_SHOWN]})"


def circumstances(baseline: RunSpec, candidate: RunSpec) -> tuple[str, ...]:
    """What may move numbers though they are compared: another engine, number format or device. For a warning."""
    found = []
    if baseline.model.engine != candidate.model.engine:
        found.append(_moved("engine", baseline.model.engine, candidate.model.engine))
    for key in ("dtype", "device", "generation", "deterministic", "is_deterministic"):
        before, after = baseline.model.identity.get(key), candidate.model.identity.get(key)
        if before != after:
            found.append(_moved(key, before, after))
    return tuple(found)


def _moved(what: str, before: Scalar | None, after: Scalar | None) -> str:
    first, second = ("not stated" if value is None else str(value) for value in (before, after))
    return f"{what}: {first} in the baseline, {second} in the candidate"
