"""A leaderboard from sealed runs, votes and published figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import msgspec

from evalsuite import __version__
from evalsuite.boards.columns import Key, cell_of, column_of, empty_cell, in_order, is_asked_alike, key_of
from evalsuite.boards.commands import command_note, repeat_command
from evalsuite.boards.families import families_of
from evalsuite.boards.judge_files import board_cards, verdict_of
from evalsuite.boards.judgings import judgings_of, unfit_of
from evalsuite.boards.loading import LoadedRun, Measure, headlines
from evalsuite.boards.ranking import in_rank, ranking_of
from evalsuite.boards.records import (
    BOARD_VERSION,
    Board,
    BoardCard,
    Cell,
    Column,
    Compared,
    Extreme,
    LedgerHead,
    PublishedTable,
    Ranking,
    Run,
    SamplesKept,
    Unfit,
)  # fmt: skip
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
from evalsuite.records import Estimate

MAX_PAIRS = 66
"""Of twelve runs every two are compared; of more only each with the first in rank."""

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
    """The leaderboard of `runs`, which are in the order of its rows. Raises SpecMismatch or CorruptStore."""
    ledger = options.ledger
    given = Given(
        title=options.title,
        preference=anonymous(options.preference) if options.preference and options.is_anonymous else options.preference,
        published=options.published,
        cards=board_cards(options.cards),
        samples_kept=options.samples,
        ledger=None if ledger is None else LedgerHead(num_entries=len(ledger.entries), head=ledger.head),
        trust=trust_by_run(runs, ledger),
    )
    return built(runs, given)


@dataclass(frozen=True)
class Given:
    """What of a leaderboard does not follow from its runs; `trust` by run id."""

    title: str
    preference: PreferenceSummary | None
    published: tuple[PublishedTable, ...]
    cards: tuple[BoardCard, ...]
    samples_kept: SamplesKept
    ledger: LedgerHead | None
    trust: Mapping[str, Trust]


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
    columns, values = _columns(runs)
    ranking = ranking_of(runs, columns, values) if len(runs) > 1 else None
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
        columns=tuple(columns),
        cells=tuple(
            tuple(_cell(run, place, at, column, values) for at, column in enumerate(columns))
            for place, run in enumerate(runs)
        ),
        ranking=ranking,
        families=families_of(runs, places_of(tasks)),
        tasks=tasks,
        comparisons=tuple(_comparisons(runs, ranking)),
        preference=given.preference,
        published=given.published,
        samples_kept=given.samples_kept,
        judgings=judgings,
        cards=given.cards,
        ledger=given.ledger,
    )
    return as_read(board)  # so that what is read back from a page is this very record


def _columns(runs: Sequence[LoadedRun]) -> tuple[list[Column], Mapping[tuple[int, int], Measure]]:
    """The columns of all headlines in order, and the measures by places of run and column."""
    found = [{key_of(run, measure): measure for measure in headlines(run.result)} for run in runs]
    summaries = {task.task: task for run in runs for task in run.result.tasks}
    keys: list[Key] = in_order({key for row in found for key in row}, summaries)
    columns = [column_of(key, [row[key] for row in found if key in row], summaries[key.tasks[0]]) for key in keys]
    values = {(place, at): row[key] for place, row in enumerate(found) for at, key in enumerate(keys) if key in row}
    return columns, values


def _cell(
    run: LoadedRun, place: int, at: int, column: Column, values: Mapping[tuple[int, int], Measure]
) -> Cell | None:
    measure = values.get((place, at))
    if measure is not None:
        return cell_of(run, measure)
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
        worst_language=_worst_language(run),
        gap_to_english=_widest_gap(run),
        manifest_sha256=run.hashes.manifest,
        samples_root=run.hashes.samples_root,
        unfit=unfit,
        trust=given.trust.get(run.result.run_id),
    )


def _worst_language(run: LoadedRun) -> Extreme | None:
    """The lowest headline of any language of a family that is in several, on the scale from 0 to 1."""
    singles = [one for one in run.result.estimates if one.is_primary and one.scale == 100.0 and one.higher_is_better]
    languages: dict[str, set[str]] = {}
    for one in singles:
        languages.setdefault(one.family, set()).add(one.language)
    found = [one for one in singles if len(languages[one.family]) > 1]
    worst = min(found, key=lambda one: (one.value, one.family, one.language), default=None)
    return None if worst is None else _extreme(worst)


def _extreme(one: Estimate) -> Extreme:
    return Extreme(
        language=one.language, family=one.family, metric=one.metric, scale=one.scale, value=one.value, low=one.low,
        high=one.high, n=one.n, num_clusters=one.num_clusters,
    )  # fmt: skip


def _widest_gap(run: LoadedRun) -> Extreme | None:
    found = [one for one in run.result.parities if one.scale == 100.0 and one.higher_is_better]
    widest = min(found, key=lambda one: (one.gap, one.family, one.language), default=None)
    if widest is None:
        return None
    return Extreme(
        language=widest.language, family=widest.family, metric=widest.metric, scale=widest.scale, value=widest.gap,
        low=widest.low, high=widest.high, n=widest.n, num_clusters=widest.num_clusters,
    )  # fmt: skip


def _comparisons(runs: Sequence[LoadedRun], ranking: Ranking | None) -> Iterator[Compared]:
    """Every two runs of the same kind, the earlier row as baseline; of many runs each with the first in rank."""
    pairs = list(combinations(range(len(runs)), 2))
    if len(pairs) > MAX_PAIRS:
        first = ranking.standings[0].run if ranking else 0
        pairs = [(first, other) for other in in_rank(len(runs), ranking) if other != first]
    num_tasks = max((len(run.result.tasks) for run in runs), default=1)
    pairs = pairs[: max(1, MAX_DIFFERENCES // num_tasks)]
    for baseline, candidate in pairs:
        found = compare(pair(runs[baseline].side, runs[candidate].side, find_metric), by_segments=False)
        if found.differences or found.refused:
            bare = msgspec.structs.replace(found, flips=())  # the samples themselves tell them
            yield Compared(baseline=baseline, candidate=candidate, comparison=bare)
