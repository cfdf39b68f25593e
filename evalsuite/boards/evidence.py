"""What a page holds so that its numbers can be made again without any directory: results, and what every sample counts.

From these come the runs of the board again, without texts: `board_again` builds the board of them by the very functions
that built it, and what does not follow from counts is taken from the board as it is stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from evalsuite.alarms import Doubt
from evalsuite.boards.building import BoardOptions, Given, board_of, built
from evalsuite.boards.loading import Hashes, LoadedRun, load_runs
from evalsuite.boards.records import Board, Run
from evalsuite.boards.redacting import redacted
from evalsuite.boards.sample_records import Answer, SampleFacts, TaskSamples
from evalsuite.boards.sample_views import samples_of
from evalsuite.canonical import canonical_json
from evalsuite.comparing.sides import Texts, side_of
from evalsuite.errors import CorruptStore
from evalsuite.proofs.recounting import Rows, wholes_of
from evalsuite.records import RunResult, SampleRecord, TaskSpec
from evalsuite.types import (
    Cancelled,
    Cause,
    Completion,
    Flag,
    NotRun,
    Outcome,
    Record,
    Sample,
    Score,
    Scored,
    Unscored,
)

_ANSWERS = {1: ("answer_1",), 2: ("a_1", "b_1")}
"""Under which names of a case's metadata the answers stand whose lengths are known, by how many there are."""


class RunEvidence(Record, frozen=True, kw_only=True):
    """A run's result, and its metrics, by task and name, that are about all samples of their task."""

    result: RunResult
    wholes: tuple[tuple[str, str], ...]


class Evidence(Record, frozen=True, kw_only=True):
    """What a page holds of a board's runs, in its order."""

    runs: tuple[RunEvidence, ...]


@dataclass(frozen=True)
class PageData:
    """All that a page holds of its board."""

    board: Board
    samples: tuple[TaskSamples, ...]
    evidence: Evidence


def page_data(paths: Sequence[Path], options: BoardOptions) -> PageData:
    """The board over the sealed runs at `paths`, its samples and its runs' results.

    Raises SpecMismatch for a directory without results, CorruptStore for one that was changed.
    """
    runs = load_runs(paths)
    board = board_of(runs, options)
    samples, num_marks = redacted(
        tuple(samples_of(runs, one.name, kept=board.samples_kept, is_shown=one.is_shown) for one in board.tasks),
        options.redact,
    )
    return PageData(msgspec.structs.replace(board, redactions=num_marks), samples, evidence_of(runs))


def evidence_of(runs: Sequence[LoadedRun]) -> Evidence:
    """What is kept of `runs`, which are in the order of a board's rows."""
    found = zip(runs, rows_of(runs), strict=True)
    return Evidence(
        runs=tuple(RunEvidence(result=run.result, wholes=wholes_of(run.result, rows)) for run, rows in found)
    )


def rows_of(runs: Sequence[LoadedRun]) -> Iterator[Rows]:
    """By run, samples and outcomes by task in plan order."""
    for run in runs:
        rows: dict[str, list[tuple[Sample, Outcome]]] = {task.name: [] for task in run.result.spec.tasks}
        for record in run.records:
            rows[record.task].append((record.sample, record.outcome))
        yield rows


def runs_again(data: PageData) -> tuple[LoadedRun, ...]:
    """The runs of a page, their samples without texts. Raises CorruptStore where these are not those of its results."""
    if len(data.evidence.runs) != len(data.board.runs):
        raise CorruptStore(f"there are {len(data.evidence.runs)} results of {len(data.board.runs)} runs.")
    by_task = {found.task: found for found in data.samples}
    return tuple(
        _run_again(place, run, found.result, by_task)
        for place, (run, found) in enumerate(zip(data.board.runs, data.evidence.runs, strict=True))
    )


def _run_again(place: int, run: Run, result: RunResult, by_task: Mapping[str, TaskSamples]) -> LoadedRun:
    where = f"run {result.run_id}"
    texts = {task.name: _texts(where, place, task, by_task.get(task.name)) for task in result.spec.tasks}
    rates = {name: value for name, value in run.measured.items() if name == "tokens_per_second"}
    return LoadedRun(
        result=result,
        side=side_of(where, result, texts, rates),
        hashes=Hashes(run.manifest_sha256, run.samples_root),
        measured=run.measured,
        started=run.started,
    )


def _texts(where: str, place: int, task: TaskSpec, found: TaskSamples | None) -> Texts:
    if found is None or place not in found.runs:
        raise CorruptStore(f"{where}: there are no counts of {task.name}.")
    answers = found.answers[found.runs.index(place)]
    order = found.orders.get(place, range(len(found.samples)))
    pairs = [(found.samples[at], answers[at]) for at in order]
    records = tuple(
        canonical_json(_record(where, task, facts, answer)) for facts, answer in pairs if answer is not None
    )
    asked = found.asked.get(place)
    if asked is not None and len(asked) != len(records):
        raise CorruptStore(f"{where}: {len(records)} samples of {task.name}, and {len(asked)} hashes of prompts.")
    return Texts(records, asked)


def _record(where: str, task: TaskSpec, facts: SampleFacts, answer: Answer) -> SampleRecord:
    tokens = answer.tokens or tuple(reply.num_tokens for reply in answer.replies if reply.kind == "generate")
    try:
        return SampleRecord(
            sample=Sample(
                id=facts.sample_id, input="", language=facts.language, category=facts.category, cluster=facts.cluster,
                metadata={name: "x" * n for name, n in zip(_ANSWERS.get(len(answer.chars), ()), answer.chars)},  # noqa: B905  one name a length
            ),
            task=task.name,
            family=task.family,
            items=(),
            responses=tuple(
                Completion(text="", stop_reason="stop", num_prompt_tokens=0, num_tokens=n) for n in tokens
            ),
            outcome=_outcome(answer),
        )  # fmt: skip
    except ValueError as error:
        raise CorruptStore(f"{where}: {facts.id} was changed: {error}") from error


def _outcome(answer: Answer) -> Outcome:
    """Raises ValueError for a cause or flag that there is not."""
    scores = tuple(Score(name=name, counts=counts) for name, counts in answer.counts.items())
    match answer.status:
        case "unscored":
            return Unscored(cause=Cause(answer.cause), scores=scores)
        case "cancelled":
            return Cancelled(reason=answer.cause)
        case "not run":
            return NotRun(reason=answer.cause)
    return Scored(scores=scores, answer=answer.answer, flags=tuple(map(Flag, answer.flags)))


# -- the board of them


def board_again(board: Board, runs: Sequence[LoadedRun]) -> Board:
    """The board of `runs`, with what only `board` itself says: votes, published figures, cards, trust, versions.

    How often its texts are redacted is counted elsewhere (`checking`).
    """
    given = Given(
        title=board.title,
        preference=board.preference,
        published=board.published,
        cards=board.cards,
        samples_kept=board.samples_kept,
        ledger=board.ledger,
        trust={run.id: run.trust for run in board.runs if run.trust is not None},
        withdrawn={run.id: run.withdrawn for run in board.runs},
    )
    again = built(runs, given)
    return msgspec.structs.replace(
        again,
        version=board.version,
        evalsuite=board.evalsuite,
        redactions=board.redactions,
        runs=tuple(
            one if _knows_requests(loaded) else _with_stated(one, stated)
            for one, stated, loaded in zip(again.runs, board.runs, runs, strict=True)
        ),
    )


def _knows_requests(run: LoadedRun) -> bool:
    return any(record.items for record in run.records)


def _with_stated(run: Run, stated: Run) -> Run:
    """Whether answers were sampled stands in requests, which are not kept."""
    flags = {flag.kind: flag for flag in stated.red_flags if flag.kind == Doubt.SAMPLED}
    found = [flag for flag in run.red_flags if flag.kind != Doubt.SAMPLED]
    if flags:
        found.insert(stated.red_flags.index(flags[Doubt.SAMPLED]), flags[Doubt.SAMPLED])
    return msgspec.structs.replace(run, red_flags=tuple(found))
