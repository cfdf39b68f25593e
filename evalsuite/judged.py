"""What is judged: the answers of sealed runs, as judges see them, and which of them a judge is to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from evalsuite.contracts import Answered, Judge
from evalsuite.errors import NothingSelected, UsageError
from evalsuite.records import RunResult, SampleRecord
from evalsuite.selection import take_stratified
from evalsuite.store.results import read_results, read_samples
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, GenerateRequest


@dataclass(frozen=True)
class JudgedRun:
    """A sealed run whose answers are judged."""

    result: RunResult
    records: tuple[SampleRecord, ...]

    @property
    def model(self) -> str:
        """The name of the model that answered."""
        return self.result.spec.subject


def read_run(path: Path) -> JudgedRun:
    """The sealed run at `path`. Raises SpecMismatch or CorruptStore."""
    return JudgedRun(read_results(path), tuple(read_samples(path)))


def answers_of(run: JudgedRun) -> dict[str, list[Answered]]:
    """The answers of a run by task, in plan order."""
    protocols = {task.name: task.protocol for task in run.result.spec.tasks}
    found: dict[str, list[Answered]] = {}
    for record in run.records:
        if not any(isinstance(item.request, GenerateRequest) for item in record.items):
            continue  # what has no texts is not for judges
        texts = _texts_of(record)
        is_whole = all(isinstance(reply, Completion) for reply in record.responses)
        found.setdefault(record.task, []).append(
            Answered(
                model=run.model,
                family=record.family,
                task=record.task,
                protocol=protocols[record.task],
                sample=record.sample,
                texts=texts,
                missing="" if is_whole else _why_missing(record),
            )
        )
    return found


def _texts_of(record: SampleRecord) -> tuple[str, ...]:
    """What a judge sees of a sample's answers, one a turn, up to the first turn that failed.

    A request that was repeated (an empty answer) counts by its last reply, and thinking is not part of an answer.
    """
    replies = list(takewhile(lambda reply: isinstance(reply, Completion), record.responses))
    texts = [without_thinking(reply.text) for reply in replies if isinstance(reply, Completion)]
    num_turns = max(1, len(record.sample.turns))
    return tuple(texts[-num_turns:] if len(replies) == len(record.responses) else texts[:num_turns])


def _why_missing(record: SampleRecord) -> str:
    outcome = record.outcome
    return str(getattr(outcome, "cause", "") or getattr(outcome, "reason", "") or "no text")


def chosen(
    judge: Judge, sides: Sequence[dict[str, list[Answered]]], limit: float | None, seed: int
) -> list[dict[str, tuple[Answered, ...]]]:
    """What is judged of each run: the tasks that the judge can judge, and of their samples as many as asked.

    A sample that only one of two runs has is taken all the same: that the other lacks it is part of the result. Raises
    NothingSelected, or UsageError for two runs that were asked under different protocols.
    """
    every: dict[str, dict[str, Answered]] = {}
    for side in sides:
        for name, rows in side.items():
            if not judge.families or rows[0].family in judge.families:
                every.setdefault(name, {}).update({row.sample.id: row for row in reversed(rows)})
    if not any(row.texts for rows in every.values() for row in rows.values()):
        families = ", ".join(judge.families) or "tasks whose answers are texts"
        raise NothingSelected(f"--judge {judge.name} judges {families}; the run has no answers to such.")
    for name in every:
        protocols = {row.protocol for side in sides for row in side.get(name, ())}
        if len(protocols) > 1:
            both = " and ".join(sorted(protocols))
            raise UsageError(f"the runs answered {name} under {both}; answers are compared under one protocol only.")
    wanted = {sample_id for rows in every.values() for sample_id in rows}
    if limit is not None:
        pools = {name: [row.sample for _, row in sorted(rows.items())] for name, rows in every.items()}
        wanted = {sample.id for taken in take_stratified(pools, limit, seed) for sample in taken}
    names = [name for name, rows in every.items() if wanted & rows.keys()]
    return [
        {name: tuple(row for row in side.get(name, ()) if row.sample.id in wanted) for name in names} for side in sides
    ]


def by_id(side: Mapping[str, Sequence[Answered]]) -> dict[str, Answered]:
    """All answers of a run by their sample's id."""
    return {row.sample.id: row for rows in side.values() for row in rows}
