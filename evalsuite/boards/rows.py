"""Which runs share a row of a leaderboard: one model's, under the same settings, as long as no column is had twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from evalsuite.boards.columns import OF_LANGUAGE_ALONE, Key
from evalsuite.boards.loading import LoadedRun, Measure
from evalsuite.boards.records import Extreme, Row
from evalsuite.canonical import content_hash
from evalsuite.records import Estimate, Parity

Places = tuple[int, ...]


@dataclass(frozen=True)
class Held:
    """The number that a row has in a column, and the place of the run that it is of."""

    run: int
    measure: Measure


Values = Mapping[tuple[int, int], Held]
"""Numbers by the places of row and column."""


def rows_of(runs: Sequence[LoadedRun], keys: Sequence[Set[Key]]) -> tuple[Places, ...]:
    """The runs of each row, by place, answers before what judges say of them; rows in the order of their first run.
    `keys` are the columns that each run has.

    A judge run belongs to the answers that it judges. Answers share a row where the model, all that can change what it
    says, and whether the runs are partial are the same. Where two of those that would share one have a number in the
    same column, nothing says which of the two counts, and each stands for itself.
    """

    def is_one(places: Iterable[int]) -> bool:
        found = [key for place in places for key in keys[place]]
        return len(found) == len(set(found))

    places = {run.result.run_id: place for place, run in enumerate(runs)}
    judged = _split(((place,) for place in range(len(runs))), lambda unit: _answers(runs, unit[0], places), is_one)
    rows = sorted(_split(judged, lambda unit: _settings(runs, unit, places), is_one))
    return tuple(tuple(sorted(row, key=lambda place: runs[place].result.spec.judged is not None)) for row in rows)


def _split(
    units: Iterable[Places], kind: Callable[[Places], Hashable], is_one: Callable[[Places], bool]
) -> list[Places]:
    """Units of one kind together, but for those that cannot be one."""
    kinds: dict[Hashable, list[Places]] = {}
    for unit in units:
        kinds.setdefault(kind(unit), []).append(unit)
    found: list[Places] = []
    for alike in kinds.values():
        whole = tuple(sorted(place for unit in alike for place in unit))
        found += [whole] if is_one(whole) else alike
    return found


def _answers(runs: Sequence[LoadedRun], place: int, places: Mapping[str, int]) -> Hashable:
    """The run whose answers a run has or judges, by id; judges of a partial run, or of all but some, stand with it."""
    run = runs[place]
    judged = run.result.spec.judged
    if judged is None or not judged.runs:  # judgments of elsewhere are of answers that no run has
        return run.result.run_id
    answers = places.get(judged.runs[0])
    is_alike = answers is None or runs[answers].is_partial == run.is_partial
    return judged.runs[0] if is_alike else run.result.run_id


def _settings(runs: Sequence[LoadedRun], unit: Places, places: Mapping[str, int]) -> Hashable:
    """What runs must share to stand in one row; of judges whose answers are not known nothing can be said to be."""
    answers = next((place for place in unit if runs[place].result.spec.judged is None), None)
    if answers is None:
        return ("judged", unit)
    spec = runs[answers].result.spec
    return (
        runs[answers].is_partial,
        content_hash(
            [spec.model, spec.system_instruction, spec.multiturn_shots, spec.generation, spec.truncation, spec.seed]
        ),
    )


# -- what is said of a row


def row_of(runs: Sequence[LoadedRun], places: Places, sources: Sequence[int | None]) -> Row:
    """The record of a row: its runs, the samples that have a score, and its extremes over all of its runs."""
    ids = {runs[place].result.run_id for place in places}
    found = [runs[place].result for place in places]
    own = [one for one in found if one.spec.judged is None or ids.isdisjoint(one.spec.judged.runs[:1])]
    return Row(
        runs=places,
        sources=tuple(sources),
        num_scored=sum(one.counts.scored for one in own),
        worst_language=_lowest(extreme for one in found for extreme in _of_languages(one.estimates)),
        gap_to_english=_lowest(extreme for one in found for extreme in _gaps(one.parities)),
    )


def _lowest(found: Iterable[Extreme]) -> Extreme | None:
    return min(found, key=lambda one: (one.value, one.family, one.language), default=None)


def _of_languages(estimates: Iterable[Estimate]) -> list[Extreme]:
    """The headlines of families that are in several languages, on the scale from 0 to 1."""
    singles = [one for one in estimates if one.is_primary and _is_of_quality(one)]
    languages: dict[str, set[str]] = {}
    for one in singles:
        languages.setdefault(one.family, set()).add(one.language)
    return [_extreme(one, one.value) for one in singles if len(languages[one.family]) > 1]


def _gaps(parities: Iterable[Parity]) -> list[Extreme]:
    return [_extreme(one, one.gap) for one in parities if _is_of_quality(one)]


def _is_of_quality(one: Estimate | Parity) -> bool:
    return one.scale == 100.0 and one.higher_is_better and one.metric not in OF_LANGUAGE_ALONE


def _extreme(one: Estimate | Parity, value: float) -> Extreme:
    return Extreme(
        language=one.language, family=one.family, metric=one.metric, scale=one.scale, value=value, low=one.low,
        high=one.high, n=one.n, num_clusters=one.num_clusters,
    )  # fmt: skip
