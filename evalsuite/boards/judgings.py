"""Who judged what, for a leaderboard: one entry for each judge of a task, never two judges in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.boards.cells import Rate
from evalsuite.boards.judge_leanings import length_slope_of, self_preferences_of
from evalsuite.boards.judge_records import BoardCard, JudgedRun, Judging, Unfit
from evalsuite.boards.judged_tasks import JudgedTask
from evalsuite.boards.loading import LoadedRun
from evalsuite.boards.task_records import Task
from evalsuite.canonical import content_hash
from evalsuite.comparability import data_hash
from evalsuite.judge_cards import is_about
from evalsuite.metrics import mean
from evalsuite.preference.prediction_powered import Admission
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.records import IMPORTED, JudgedSpec, ModelSpec
from evalsuite.stats import intervals
from evalsuite.types import Cause, Scored, Unscored

_HOW_IT_RAN = frozenset(
    [
        *("batch_size", "token_budget", "device", "torch", "transformers", "tokenizers"),
        *("answers_sha256", "num_answers", "runs", "planned_for_workers"),
    ]
)
"""Of what a model is, that which makes no other judge of it: how it was run, and which verdicts were recorded."""


@dataclass(frozen=True)
class Key:
    """What must be equal for judged runs to stand in one table."""

    task: str
    protocol: str
    version: str
    data: str
    judge: str
    model: str
    setup: str


def judgings_of(
    runs: Sequence[LoadedRun],
    tasks: Sequence[Task],
    cards: Sequence[BoardCard],
    preference: PreferenceSummary | None,
) -> tuple[Judging, ...]:
    """All that judges did in `runs`, in the order of `tasks`. Runs of judge cards judge nobody's answers."""
    groups: dict[Key, list[JudgedTask]] = {}
    for place, run in enumerate(runs):
        judged = run.result.spec.judged
        if judged is not None and _is_of_answers(run, judged):
            for task in run.summaries:
                groups.setdefault(_key(run, task, judged), []).append(JudgedTask(place, run, task, judged))
    places = {task.name: place for place, task in enumerate(tasks)}
    ordered = sorted(groups, key=lambda key: (places[key.task], key.judge, key.model, key.protocol, repr(key)))
    found = Found(cards, _by_people(preference))
    return tuple(_judging(key, tasks, places[key.task], groups, found) for key in ordered)


def _is_of_answers(run: LoadedRun, judged: JudgedSpec) -> bool:
    """Not so for judge cards; what another tool judged names no run of ours."""
    return bool(judged.runs) or run.result.spec.model.engine == IMPORTED


def _key(run: LoadedRun, task: str, judged: JudgedSpec) -> Key:
    spec = run.specs[task]
    return Key(
        task=task,
        protocol=spec.protocol,
        version=str(spec.version),
        data=data_hash([spec]),
        judge=judged.judge,
        model=run.result.spec.model.name,
        setup=_setup(run.result.spec.model),
    )


def _setup(model: ModelSpec) -> str:
    """Eight digits for what judges, beyond its name."""
    facts = {name: value for name, value in model.identity.items() if name not in _HOW_IT_RAN}
    return content_hash([model.engine, facts])[:8]


@dataclass(frozen=True)
class Found:
    """What is known of judges from elsewhere: their cards, and by rater and language how they agree with people."""

    cards: Sequence[BoardCard]
    people: Mapping[tuple[str, str], Admission]


def _by_people(preference: PreferenceSummary | None) -> Mapping[tuple[str, str], Admission]:
    judges = preference.judges if preference else ()
    return {(one.judge, part.language): part.verdict for one in judges for part in one.admissibility}


def _judging(
    key: Key, tasks: Sequence[Task], place: int, groups: Mapping[Key, Sequence[JudgedTask]], found: Found
) -> Judging:
    parts = groups[key]
    rival = parts[0].judged.models[1] if parts[0].is_pair else ""
    language = tasks[place].language
    others = [group for other, group in groups.items() if _is_same_rubric(other, key) and other.model != key.model]
    return Judging(
        task=place,
        protocol=key.protocol,
        version=key.version,
        data=key.data,
        judge=key.judge,
        model=key.model,
        setup=key.setup,
        rival=rival,
        runs=tuple(map(_judged_run, parts)),
        card=_card_of(key, language, rival, found.cards),
        people=found.people.get((f"{key.judge}@{key.model}", language)),
        length_slope=length_slope_of(parts),
        self_preferences=self_preferences_of(parts, others),
    )


def _is_same_rubric(one: Key, other: Key) -> bool:
    return (one.task, one.judge, one.version, one.data) == (other.task, other.judge, other.version, other.data)


def _card_of(key: Key, language: str, rival: str, cards: Sequence[BoardCard]) -> int | None:
    """The card of the same rules and model: a protocol ends with the judge's rules, who judges and against whom."""
    for place, card in enumerate(cards):
        is_same = (card.judge, card.model, card.language) == (key.judge, key.model, language)
        if is_same and is_about(card, key.protocol, rival):
            return place
    return None


def _judged_run(part: JudgedTask) -> JudgedRun:
    parsed: list[tuple[str, tuple[float, float]]] = []
    for record in part.records:
        outcome = record.outcome
        is_unparsed = isinstance(outcome, Unscored) and outcome.cause == Cause.JUDGE_UNPARSED
        if is_unparsed or isinstance(outcome, Scored):
            parsed.append((record.sample.cluster_id, (float(is_unparsed), 1.0)))
    return JudgedRun(run=part.place, unparsed=_rate(parsed), num_missing=len(part.records) - len(parsed))


def _rate(rows: Sequence[tuple[str, tuple[float, float]]]) -> Rate:
    """Wilson's interval, in which the cases of one question are worth what they vary like."""
    count, n = int(sum(hit for _, (hit, _) in rows)), len(rows)
    if not n:
        return Rate(count=0, n=0, low=None, high=None)
    names, totals = intervals.cluster_totals([counts for _, counts in rows], [cluster for cluster, _ in rows])
    stderr = intervals.jackknife_stderr(intervals.jackknife_deltas(totals, mean, count / n))
    low, high = intervals.wilson(count / n, intervals.num_effective(count / n, stderr, n, len(names)))
    return Rate(count=count, n=n, low=low, high=high)


# -- who is not fit


def unfit_of(
    judgings: Sequence[Judging], tasks: Sequence[Task], cards: Sequence[BoardCard]
) -> Mapping[int, tuple[Unfit, ...]]:
    """By the places of runs in which languages their judge is not admissible, each once."""
    found: dict[int, dict[Unfit, None]] = {}
    for one in judgings:
        unfit = tuple(_unfit(one, tasks[one.task].language, cards))
        for part in one.runs:
            found.setdefault(part.run, {}).update(dict.fromkeys(unfit))
    return {place: tuple(unfit) for place, unfit in found.items()}


def _unfit(one: Judging, language: str, cards: Sequence[BoardCard]) -> Iterator[Unfit]:
    if one.card is not None and not cards[one.card].is_admissible:
        yield Unfit(language=language, source="card")
    if one.people == "not admissible":
        yield Unfit(language=language, source="people")
