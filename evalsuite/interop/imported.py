"""Other tools' results as sealed runs: without plan and journal, since nothing was asked here.

Values, errors and intervals are computed from the samples, as everywhere. What a file does not say is left empty, and
never made up: rows' revision, counts of tokens. Prompts are hashed as they stand there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from evalsuite.building import PreparedTask
from evalsuite.canonical import content_hash
from evalsuite.contracts import Metric, Task
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.outcomes import Sealed, seal
from evalsuite.prepare import Prepared, scoring_packages
from evalsuite.records import IMPORTED, AggregateKind, DatasetPin, JudgedSpec, ModelSpec, RunSpec, TaskSpec
from evalsuite.types import SCHEMA_VERSION, Item, Response, Sample, Scalar, Scored, Unscored


@dataclass(frozen=True)
class ImportedTask:
    """A task as another tool asked and scored it: `outcomes` of `samples`, in their order.

    `items` and `responses` are by sample, where the files hold them. `seed` drew the exemplars, where that is known.
    """

    name: str
    family: str
    protocol: str
    metrics: tuple[Metric, ...]
    samples: tuple[Sample, ...]
    outcomes: tuple[Scored | Unscored, ...]
    num_available: int
    language: str
    datasets: tuple[DatasetPin, ...] = ()
    version: int = 0
    num_fewshot: int = 0
    is_chat: bool = False
    seed: int | None = None
    means: tuple[AggregateKind, ...] = ()
    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    responses: Mapping[str, tuple[Response, ...]] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class ImportedSettings:
    """What holds for a whole run; `model` is what answered, or the judge where `judged` names the judged."""

    model: str
    identity: Mapping[str, Scalar]
    limit: float | None = None
    seed: int = 0
    system_instruction: str = ""
    multiturn_shots: bool | None = None
    generation: Mapping[str, Scalar] = field(default_factory=dict)
    judged: JudgedSpec | None = None


def seal_imported(settings: ImportedSettings, tasks: Sequence[ImportedTask]) -> Sealed:
    """The run as it is stored, shown, compared and exported like those made here."""
    spec = RunSpec(
        schema=SCHEMA_VERSION,
        model=ModelSpec(name=settings.model, engine=IMPORTED, identity=settings.identity),
        asked=tuple(task.name for task in tasks),
        tasks=tuple(map(_spec, tasks)),
        limit=settings.limit,
        limit_mode="first",
        rows={},
        seed=settings.seed,
        system_instruction=settings.system_instruction,
        multiturn_shots=settings.multiturn_shots,
        generation=settings.generation,
        judged=settings.judged,
    )
    spec = msgspec.convert(msgspec.to_builtins(spec), RunSpec)  # as it is read back from disk
    prepared = Prepared(spec, tuple(map(_prepared, tasks)), ScriptedEngine(plausible), num_asked=_families(tasks))
    sealed = seal(prepared, {}, scoring_packages(), ())
    items = {key: value for task in tasks for key, value in task.items.items()}
    responses = {key: value for task in tasks for key, value in task.responses.items()}
    records = tuple(
        msgspec.structs.replace(
            record, items=items.get(record.sample.id, ()), responses=responses.get(record.sample.id, ())
        )
        for record in sealed.records
    )
    return Sealed(sealed.result, records)


def _families(tasks: Sequence[ImportedTask]) -> dict[str, int]:
    families = [task.family for task in tasks]
    return {family: families.count(family) for family in families}


def _spec(task: ImportedTask) -> TaskSpec:
    return TaskSpec(
        name=task.name,
        family=task.family,
        version=task.version,
        protocol=task.protocol,
        num_fewshot=task.num_fewshot,
        chat=task.is_chat,
        datasets=task.datasets,
        sample_ids_hash=content_hash([sample.id for sample in task.samples]),
        prompts_hash=content_hash([item.request.key for sample in task.samples for item in _first_asked(task, sample)]),
        num_samples=len(task.samples),
        num_available=task.num_available,
        seed=task.seed,
    )


def _first_asked(task: ImportedTask, sample: Sample) -> Iterator[Item]:
    return (item for item in task.items.get(sample.id, ()) if item.wave == 1)


def _prepared(task: ImportedTask) -> PreparedTask:
    outcomes = {sample.id: outcome for sample, outcome in zip(task.samples, task.outcomes, strict=True)}
    built = Task(
        name=task.name,
        family=task.family,
        version=task.version,
        language=task.language,
        protocol=task.protocol,
        num_fewshot=task.num_fewshot,
        kind=IMPORTED,
        datasets=(),
        samples=lambda _: task.samples,
        next_requests=lambda sample, replies: (),
        score=lambda sample, replies: outcomes[sample.id],
        metrics=task.metrics,
        source=task.source,
        language_provenance="",
        means=task.means,
    )
    return PreparedTask(built, task.samples, task.num_available, task.datasets, is_chat=task.is_chat)
