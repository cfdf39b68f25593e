"""Whether a page's numbers are those of its own counts: results counted again, and the board built again of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from evalsuite.boards.evidence import PageData, board_again, rows_of, runs_again
from evalsuite.boards.loading import LoadedRun
from evalsuite.boards.records import Board
from evalsuite.boards.redacting import num_marks
from evalsuite.boards.sample_records import Answer
from evalsuite.errors import CorruptStore
from evalsuite.judge_cards import is_kept
from evalsuite.metrics import MEAN
from evalsuite.proofs.findings import Finding, differences, num_numbers
from evalsuite.proofs.recounting import Recheck, recheck
from evalsuite.sweeps.published import number_in

BOARD = "board"
SAMPLES = "samples"
RESULTS = "results"
"""Where a finding is: in what the page shows, in its samples, in the results of its runs."""

_WHOLES = ("version", "title", "evalsuite", "columns", "ranking", "preference", "published", "samples_kept", "judgings",
           "cards", "ledger")  # fmt: skip
"""Fields of a board that are compared as they are; the others have names for their parts."""


@dataclass(frozen=True)
class BoardCheck:
    """Where a page's numbers differ from its counts; how many there are; and what could only be taken as stated."""

    findings: tuple[Finding, ...]
    num_samples: int
    num_numbers: int
    stated: tuple[str, ...]


def check_board(data: PageData) -> BoardCheck:
    """Make every number of a page again from the counts that are in it."""
    try:
        return _checked(data, runs_again(data))
    except (CorruptStore, ValueError, LookupError, ArithmeticError) as error:  # numbers that no run has
        return BoardCheck((Finding(file=BOARD, stored=f"its numbers cannot be made again: {error!r}"),), 0, 0, ())


def require_sealed(data: PageData) -> None:
    """Raise CorruptStore where the numbers of a run do not follow from its samples' counts, before they are shown."""
    runs = runs_again(data)
    for run, found in zip(runs, _recounted(data, runs), strict=True):
        if found.findings:
            first = found.findings[0]
            raise CorruptStore(
                f"the run {run.result.run_id} of {run.name} was changed after it was sealed: {len(found.findings)} of "
                f"its numbers do not follow from its samples, the first {first.task} {first.field}, which is "
                f"{first.stored} and should be {first.recomputed}. `evalsuite verify` of the run shows all."
            )


def _recounted(data: PageData, runs: Sequence[LoadedRun]) -> list[Recheck]:
    return [
        recheck(run.result, rows, found.wholes, RESULTS)
        for run, rows, found in zip(runs, rows_of(runs), data.evidence.runs, strict=True)
    ]


def _checked(data: PageData, runs: Sequence[LoadedRun]) -> BoardCheck:
    counted = _recounted(data, runs)
    findings = [
        *(finding for one in counted for finding in one.findings),
        *_of_samples(data),
        *_of_redactions(data),
        *_of_cards(data.board),
        *_of_published(data.board),
        *board_findings(data.board, runs),
    ]
    return BoardCheck(
        findings=tuple(findings),
        num_samples=sum(run.result.counts.requested for run in runs),
        num_numbers=num_numbers(data.board) + sum(num_numbers(run.result.estimates) for run in runs),
        stated=tuple(_stated(data.board, sorted({why for one in counted for each in one.unknown.values()
                                                 for why in each}))),
    )  # fmt: skip


_CHANCE = "the level of chance of "


def _stated(board: Board, unknown: Sequence[str]) -> Iterator[str]:
    yield from (why for why in unknown if not why.startswith(_CHANCE))
    if any(why.startswith(_CHANCE) for why in unknown):
        yield "levels of chance"
    if any(family.gaps for family in board.families):
        yield "gaps to English"
    if board.ledger is not None or any(run.trust is not None for run in board.runs):
        yield "how far a ledger says that rows were checked (hold it against the ledger: evalsuite leaderboard verify)"
    if board.preference is not None:
        yield "what people prefer, whose votes are not in the page"
    if board.cards:
        yield "the figures of judge cards"
    if board.published:
        yield "published figures"


# -- the board


def board_findings(stated: Board, runs: Sequence[LoadedRun]) -> Iterator[Finding]:
    """In what a board differs from the one that is made of `runs`."""
    again = board_again(stated, runs)
    for field in _WHOLES:
        yield from _found("", getattr(stated, field), getattr(again, field), field)
    names = [run.name for run in stated.runs]
    yield from _listed("runs", names, stated.runs, again.runs)
    of_rows = [names[row.runs[0]] for row in again.rows]
    yield from _listed("rows", of_rows, stated.rows, again.rows)
    yield from _listed("cells", of_rows, stated.cells, again.cells)
    yield from _listed("families", [one.name for one in stated.families], stated.families, again.families)
    yield from _listed("tasks", [one.name for one in stated.tasks], stated.tasks, again.tasks)
    yield from _listed("comparisons", [], stated.comparisons, again.comparisons)


def _listed(field: str, names: Sequence[str], stated: Sequence[Any], again: Sequence[Any]) -> Iterator[Finding]:
    for place, (before, after) in enumerate(zip_longest(stated, again)):
        yield from _found(names[place] if place < len(names) else "", before, after, f"{field}[{place}]")


def _found(name: str, stated: Any, again: Any, field: str) -> Iterator[Finding]:
    for place, was, now in differences(stated, again, field):
        yield Finding(file=BOARD, task=name, field=place, stored=was, recomputed=now)


# -- what stands beside


def _of_samples(data: PageData) -> Iterator[Finding]:
    for found in data.samples:
        for run, answers in zip(found.runs, found.answers, strict=True):
            estimates = [one for one in data.evidence.runs[run].result.estimates if one.task == found.task]
            headline = next((one.metric for one in estimates if one.is_primary), found.headline)
            ranges = {one.metric: one.bounds for one in estimates if one.bounds is not None and one.formula == MEAN}
            for facts, answer in zip(found.samples, answers, strict=True):
                for field, stated, should in _of_answer(answer, headline, ranges) if answer else ():
                    yield Finding(
                        file=SAMPLES, task=found.task, sample=facts.id, field=field, stored=stated, recomputed=should
                    )


def _of_answer(
    answer: Answer, headline: str, ranges: Mapping[str, tuple[float, float]]
) -> Iterator[tuple[str, str, str]]:
    """What is called right or wrong must be that by the headline, and no sample counts more than there is to have.

    A mean beyond its range would be taken for its end, and so the count that put it there would not be seen.
    """
    if answer.status in ("right", "wrong"):
        counts = answer.counts.get(headline, ())
        verdicts: dict[tuple[float, ...], str] = {(1.0, 1.0): "right", (0.0, 1.0): "wrong"}
        should = verdicts.get(counts, "answered")
        if should != answer.status:
            yield "status", answer.status, should
    for metric, (low, high) in ranges.items():
        counts = answer.counts.get(metric, ())
        for value, weight in zip(counts[0::2], counts[1::2], strict=False):
            if not low * weight <= value <= high * weight:
                yield f"counts.{metric}", f"{value!r} of {weight!r}", f"within {low:g} and {high:g}"


def _of_redactions(data: PageData) -> Iterator[Finding]:
    """A page that says it is redacted has as many marks as it says; one that does not may hold texts that have them."""
    stated = data.board.redactions
    if stated and (found := num_marks(data.samples)) != stated:
        yield Finding(file=BOARD, field="redactions", stored=str(stated), recomputed=str(found))


def _of_cards(board: Board) -> Iterator[Finding]:
    for place, card in enumerate(board.cards):
        who = f"{card.model} in {card.language}"
        for at, one in enumerate(card.measures):
            kept = is_kept(one.value, one.low, one.high, one.bound, one.limit)
            yield from _found(who, one.is_kept, kept, f"cards[{place}].measures[{at}].is_kept")
        is_admissible = all(one.is_kept for one in card.measures)
        yield from _found(who, card.is_admissible, is_admissible, f"cards[{place}].is_admissible")


def _of_published(board: Board) -> Iterator[Finding]:
    for place, table in enumerate(board.published):
        for row, cells in enumerate(table.cells):
            for column, cell in enumerate(cells):
                if cell is not None:
                    field = f"published[{place}].cells[{row}][{column}].number"
                    yield from _found(table.title, cell.number, number_in(cell.text), field)
