"""A leaderboard from sealed runs, votes and published figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import msgspec

from evalsuite import __version__
from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.columns import Key, cell_of, column_of, empty_cell, in_order, is_asked_alike, key_of, told_apart
from evalsuite.boards.commands import command_note, repeat_command
from evalsuite.boards.families import families_of
from evalsuite.boards.judge_files import board_cards, verdict_of
from evalsuite.boards.judge_records import BoardCard, Unfit
from evalsuite.boards.judgings import judgings_of, unfit_of
from evalsuite.boards.loading import LoadedRun, headlines
from evalsuite.boards.published_records import PublishedTable
from evalsuite.boards.ranking import ranking_of, runs_in_rank
from evalsuite.boards.records import BOARD_VERSION, Board, Compared, LedgerHead, Ranking, Run, SamplesKept
from evalsuite.boards.rows import Held, Places, Values, row_of, rows_of
from evalsuite.boards.task_pages import places_of, tasks_of
from evalsuite.comparing.comparison import compare
from evalsuite.comparing.opening import find_metric
from evalsuite.comparing.pairing import pair
from evalsuite.judge_cards import JudgeCard
from evalsuite.preference.anonymising import anonymous
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.proofs.findings import as_read
from evalsuite.proofs.ledger import Ledger
from evalsuite.proofs.red_flags import red_flags
from evalsuite.proofs.trust import Trust

MAX_PAIRS = 66
"""Where more pairs of runs asked the same, each is only compared with those of the row that is first in rank."""

MAX_DIFFERENCES = 10_000
"""Of runs with so many columns fewer are compared, the first in rank."""


@dataclass(frozen=True)
class BoardOptions:
    """What a leaderboard holds besides its runs, and how much of their texts.

    What the expressions of `redact` match is left out of samples' texts (see `redacting`); `is_anonymous` numbers the
    people who voted.
    """

    title: str = "evalsuite leaderboard"
    preference: PreferenceSummary | None = None
    published: tuple[PublishedTable, ...] = ()
    cards: tuple[JudgeCard, ...] = ()
    samples: SamplesKept = "all"
    ledger: Ledger | None = None
    redact: tuple[re.Pattern[str], ...] = ()
    is_anonymous: bool = False


def board_of(runs: Sequence[LoadedRun], options: BoardOptions) -> Board:
    """The leaderboard of `runs`, which are in order (see `loading.in_order`). Raises SpecMismatch or CorruptStore."""
    ledger = options.ledger
    given = Given(
        title=options.title,
        preference=anonymous(options.preference) if options.preference and options.is_anonymous else options.preference,
        published=options.published,
        cards=board_cards(options.cards),
        samples_kept=options.samples,
        ledger=None if ledger is None else LedgerHead(num_entries=len(ledger.entries), head=ledger.head),
        trust=trust_by_run(runs, ledger),
        withdrawn={} if ledger is None else ledger.withdrawn,
    )
    return built(runs, given)


@dataclass(frozen=True)
class Given:
    """What of a leaderboard does not follow from its runs; `trust`, and why it was `withdrawn`, by run id."""

    title: str
    preference: PreferenceSummary | None
    published: tuple[PublishedTable, ...]
    cards: tuple[BoardCard, ...]
    samples_kept: SamplesKept
    ledger: LedgerHead | None
    trust: Mapping[str, Trust]
    withdrawn: Mapping[str, str]


def trust_by_run(runs: Sequence[LoadedRun], ledger: Ledger | None) -> Mapping[str, Trust]:
    """How far the ledger says that each run was checked: of those whose files are those of its row."""
    rows = ledger.rows if ledger is not None else {}
    return {
        run.result.run_id: entry.trust
        for run in runs
        if (entry := rows.get(run.result.run_id)) is not None
        and entry.trust is not None
        and entry.manifest_sha256 == run.hashes.manifest
    }


def built(runs: Sequence[LoadedRun], given: Given) -> Board:
    """The leaderboard of `runs` and what was given beside them."""
    rows, columns, values = _headlines(runs)
    cells = [
        [_cell(runs, places, column, values.get((row, at))) for at, column in enumerate(columns)]
        for row, places in enumerate(rows)
    ]
    ranking = ranking_of(runs, rows, columns, values) if len(rows) > 1 else None
    averaged = set(ranking.columns) if ranking else set()
    columns = [msgspec.structs.replace(one, is_averaged=at in averaged) for at, one in enumerate(columns)]
    tasks = tasks_of(runs)
    judgings = judgings_of(runs, tasks, given.cards, given.preference)
    unfit = unfit_of(judgings, tasks, given.cards)
    board = Board(
        version=BOARD_VERSION,
        title=given.title,
        evalsuite=__version__,
        runs=tuple(_run(run, unfit.get(place, ()), given) for place, run in enumerate(runs)),
        rows=tuple(
            row_of(runs, places, [run for run, _ in of_row]) for places, of_row in zip(rows, cells, strict=True)
        ),
        columns=tuple(columns),
        cells=tuple(tuple(cell for _, cell in of_row) for of_row in cells),
        ranking=ranking,
        families=families_of(runs, places_of(tasks)),
        tasks=tasks,
        comparisons=tuple(_comparisons(runs, rows, ranking)),
        preference=given.preference,
        published=given.published,
        samples_kept=given.samples_kept,
        judgings=judgings,
        cards=given.cards,
        ledger=given.ledger,
    )
    return as_read(board)  # so that what is read back from a page is this very record


def _headlines(runs: Sequence[LoadedRun]) -> tuple[tuple[Places, ...], list[Column], Values]:
    """The rows, the columns of all headlines in order, and the numbers by places of row and column."""
    found = [{key_of(run, measure): measure for measure in headlines(run.result)} for run in runs]
    summaries = {task.task: task for run in runs for task in run.result.tasks}
    keys: list[Key] = in_order({key for of_run in found for key in of_run}, summaries)
    columns = [
        column_of(key, [of_run[key] for of_run in found if key in of_run], summaries[key.tasks[0]]) for key in keys
    ]
    columns = told_apart(columns)
    rows = rows_of(runs, [set(of_run) for of_run in found])
    values = {
        (row, at): Held(place, found[place][key])
        for row, places in enumerate(rows)
        for place in places
        for at, key in enumerate(keys)
        if key in found[place]
    }
    return rows, columns, values


def _cell(
    runs: Sequence[LoadedRun], places: Places, column: Column, held: Held | None
) -> tuple[int | None, Cell | None]:
    """A row's number in a column and the run it is of; without one, a cell that says why, where a run asked for it."""
    if held is not None:
        return held.run, cell_of(runs[held.run], held.measure)
    holes = ((place, cell) for place in places if (cell := _hole(runs[place], column)) is not None)
    return next(holes, (None, None))


def _hole(run: LoadedRun, column: Column) -> Cell | None:
    if column.kind:
        return _empty_mean(run, column)
    return empty_cell(run, column.tasks[0]) if _is_same_task(run, column) else None


def _empty_mean(run: LoadedRun, column: Column) -> Cell | None:
    """None where the tasks behind a mean were not run by its rules; else a cell that says why there is no number."""
    specs = [run.specs[task] for task in column.tasks if task in run.specs]
    if len(specs) < len(column.tasks) or not is_asked_alike(specs, column):
        return None
    unscored = sum(run.summaries[task].counts.unscored for task in column.tasks)
    if not unscored:
        return None
    causes = sorted({cause for task in column.tasks for cause in run.summaries[task].counts.unscored_by_cause})
    return Cell(value=None, low=None, high=None, n=0, num_clusters=0, num_unscored=unscored, notes=tuple(causes))


def _is_same_task(run: LoadedRun, column: Column) -> bool:
    """Whether a run asked just this column's task under its rules, and so has a hole there rather than nothing."""
    spec = run.specs.get(column.tasks[0])
    if spec is None or len(column.tasks) > 1:
        return False
    has_number = any(part.task == spec.name and part.is_primary for part in run.result.estimates)
    return not has_number and is_asked_alike([spec], column)


def _run(run: LoadedRun, unfit: tuple[Unfit, ...], given: Given) -> Run:
    spec = run.result.spec
    return Run(
        id=run.result.run_id,
        name=run.name,
        model=spec.model,
        status=run.result.status,
        is_partial=run.is_partial,
        limit=spec.limit,
        limit_mode=spec.limit_mode,
        num_chosen_rows=sum(map(len, spec.rows.values())),
        seed=spec.seed,
        system_instruction=spec.system_instruction,
        multiturn_shots=spec.multiturn_shots,
        generation=spec.generation,
        truncation=spec.truncation,
        judged=spec.judged,
        counts=run.result.counts,
        red_flags=red_flags(run.result, run.records, tuple(map(verdict_of, given.cards))),
        packages=run.result.packages,
        stacks=run.result.stacks,
        measured=run.measured,
        started=run.started,
        command=repeat_command(spec),
        command_note=command_note(spec),
        manifest_sha256=run.hashes.manifest,
        samples_root=run.hashes.samples_root,
        unfit=unfit,
        trust=given.trust.get(run.result.run_id),
        withdrawn=given.withdrawn.get(run.result.run_id, ""),
    )


def _comparisons(runs: Sequence[LoadedRun], rows: Sequence[Places], ranking: Ranking | None) -> Iterator[Compared]:
    """Every two runs that asked the same, the earlier one as baseline; of many runs each with the first row's."""
    pairs = [(one, other) for one, other in combinations(range(len(runs)), 2) if _is_asked_by_both(runs, one, other)]
    if len(pairs) > MAX_PAIRS:
        order = runs_in_rank(rows, ranking)
        first = rows[ranking.standings[0].row if ranking else 0]
        of_first = [(one, other) for one in first for other in order if other not in first]
        pairs = [(one, other) for one, other in of_first if _is_asked_by_both(runs, one, other)]
    num_tasks = max((len(run.result.tasks) for run in runs), default=1)
    pairs = pairs[: max(1, MAX_DIFFERENCES // num_tasks)]
    for baseline, candidate in pairs:
        found = compare(pair(runs[baseline].side, runs[candidate].side, find_metric), by_segments=False)
        if found.differences or found.refused:
            bare = msgspec.structs.replace(found, flips=())  # the samples themselves tell them
            yield Compared(baseline=baseline, candidate=candidate, comparison=bare)


def _is_asked_by_both(runs: Sequence[LoadedRun], one: int, other: int) -> bool:
    """Whether two runs have tasks in common, and both have answers or both what judges say of them."""
    is_judged = [runs[place].result.spec.judged is not None for place in (one, other)]
    return is_judged[0] == is_judged[1] and not runs[one].specs.keys().isdisjoint(runs[other].specs)
