"""Tables of what people prefer, under the names of the summary's own fields; shares from 0 to 1. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from evalsuite.boards.table_parts import EMPTY, NamedTable, named, plain_cell, value_cell
from evalsuite.preference.agreement import Agreement, Alpha
from evalsuite.preference.languages import OtherLanguages, WorstLanguage
from evalsuite.preference.measures import Bounds
from evalsuite.preference.prediction_powered import Admissibility
from evalsuite.preference.quality import Quality
from evalsuite.preference.quality_differences import QualityDifference
from evalsuite.preference.summary import LanguageVotes, Number, PoweredFinding, PreferenceSummary, Ranking
from evalsuite.preference.win_rates import WinRate
from evalsuite.tables import Cell, Shown
from evalsuite.text.number_texts import chance_text
from evalsuite.types import Record

Row = Mapping[str, Cell]
Part = tuple[str, int, tuple[str, ...], Iterable[Row]]
"""Name, how many of the heads are labels, the heads, and rows by head."""


def vote_tables(votes: PreferenceSummary, rates: Sequence[WinRate] | None = None) -> Iterator[NamedTable]:
    """All that the summary holds but what is about single people; of win rates only `rates`, where they are given."""
    found: list[Part] = [
        ("win_rates", 4, _RATES, map(_rate, (*votes.rates, *votes.rates_against_all) if rates is None else rates)),
        ("other_languages", 2, _OTHERS, map(_over_languages, votes.other_languages)),
        ("worst_languages", 3, _WORST, map(_worst, votes.worst_languages)),
        *(_ranking(votes.ranking) if votes.ranking else ()),
        *_quality(votes),
        ("agreement", 5, _AGREEMENT, _agreement(votes)),
        ("admissibility", 3, _ADMISSIBILITY, _admissibility(votes)),
        ("powered", 5, _POWERED, map(_powered, votes.powered)),
        ("languages", 1, _LANGUAGES, (_language(votes.ranking, one) for one in votes.languages)),
        ("flags", 1, ("flag", "num", "total"), _flags(votes)),
        ("dropped", 1, ("reason", "num", "of"), _dropped(votes)),
    ]
    for part, num_labels, heads, rows in found:
        cells = ([row.get(name, EMPTY) for name in heads] for row in rows)
        yield named("preference", part, f"Preference: {part.replace('_', ' ')}", heads, cells, num_labels=num_labels)


_RATES = (
    *("system_a", "system_b", "scope", "language", "win_half", "interval", "degrees", "design_effect", "by_vote"),
    *("win", "tie", "tie_good", "tie_bad", "loss", "win_decisive", "net"),
    *("num_votes", "num_prompts", "num_groups", "num_annotators", "num_languages", "p_value", "p_adjusted"),
)
_OTHERS = ("system_a", "system_b", "value", "tau", "i_squared", "num_languages")
_WORST = ("system_a", "system_b", "language", "value", "at_least", "num_languages")
_AGREEMENT = ("judge", "raters", "measure", "setup", "language", "value", "num_agree", "n")
_ADMISSIBILITY = (
    *("judge", "language", "verdict", "judge_agreement", "people_agreement", "difference"),
    *("num_units", "num_prompts"),
)
_POWERED = (
    *("judge", "verdict", "system_a", "system_b", "language", "value", "people_only", "judge_only", "weight"),
    *("stderr_ratio", "num_prompts_people", "num_prompts_judge", "num_votes", "num_verdicts"),
)
_LANGUAGES = ("language", "num_votes", "num_prompts", "num_annotators", "left_share", "left_worth", "tie_weight")


# -- fields

_CHANCES = ("p_value", "p_adjusted")


def _fields(record: Record) -> dict[str, Cell]:
    """A record's texts and numbers by field; what holds more than one value is left out."""
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    chances = {
        name: Shown(chance_text(values[name]), values[name]) for name in _CHANCES if values.get(name) is not None
    }
    return {**{name: plain_cell(value) for name, value in values.items()}, **chances}


def _with_interval(record: Record, field: str = "value", *, is_signed: bool = False) -> Row:
    """`field` with the record's own ``low`` and ``high``."""
    return {**_fields(record), field: _interval(record, field, is_signed=is_signed)}


def _interval(record: Record, field: str, *, is_signed: bool = False) -> Cell:
    found = (getattr(record, name) for name in (field, "low", "high"))
    return value_cell(*found, is_signed=is_signed)


def _bounded(record: Record, intervals: Mapping[str, Bounds]) -> dict[str, Cell]:
    """The numbers whose bounds a record keeps under their names."""
    return {name: value_cell(getattr(record, name), one.low, one.high) for name, one in intervals.items()}


def _number(found: Number | None) -> Cell:
    return EMPTY if found is None else value_cell(found.value, found.low, found.high)


# -- the tables


def _rate(one: WinRate) -> Row:
    return {**_with_interval(one, "win_half"), **_bounded(one, one.intervals)}


def _over_languages(one: OtherLanguages) -> Row:
    return {**_with_interval(one), "num_languages": len(one.languages)}


def _worst(one: WorstLanguage) -> Row:
    """`at_least` bounds what it is in any language: no interval, which has two ends."""
    return {**_fields(one), "at_least": value_cell(one.low), "num_languages": len(one.languages)}


def _ranking(ranking: Ranking) -> Iterator[Part]:
    ways = (f"rank_{name}" for name in ranking.systems[0].ranks)
    yield (
        "strengths",
        1,
        ("system", "strength", "rank_low", "rank_high", *ways, "num_votes"),
        (
            {**_with_interval(row, "strength"), **{f"rank_{name}": rank for name, rank in row.ranks.items()}}
            for row in ranking.systems
        ),
    )
    style = (
        {"feature": name, "value": _number(one), "num_votes": one.num_votes} for name, one in ranking.style.items()
    )
    yield "style", 1, ("feature", "value", "num_votes"), style
    gaps = (_behind(ranking, name, one) for name, one in ranking.controlled.items())
    yield "behind_leader", 2, ("system", "leader", "plain", "controlled", "num_votes"), gaps


def _behind(ranking: Ranking, system: str, controlled: Number) -> Row:
    return {
        "system": system,
        "leader": ranking.leader,
        "plain": _number(ranking.plain.get(system)),
        "controlled": _number(controlled),
        "num_votes": controlled.num_votes,
    }


def _quality(votes: PreferenceSummary) -> Iterator[Part]:
    if votes.quality is None:
        return
    counts = ("num_ratings", "num_prompts", "num_groups", "num_annotators")
    yield (
        "quality",
        3,
        ("system", "scope", "language", "share_acceptable", *votes.quality.scale.levels, *counts),
        (_rated(one) for one in votes.quality.qualities),
    )
    yield (
        "quality_differences",
        4,
        (
            *("system_a", "system_b", "scope", "language", "share_a", "share_b", "difference"),
            *(*counts, "p_value", "p_adjusted"),
        ),
        (
            {**_with_interval(one, "difference", is_signed=True), "language": _scope_language(one)}
            for one in votes.quality.differences
        ),
    )


def _rated(one: Quality) -> Row:
    levels: dict[str, Cell] = {}
    for level, share in one.levels.items():
        ends = one.intervals.get(level)
        levels[level] = value_cell(share, ends.low, ends.high) if ends else value_cell(share)
    return {**levels, **_with_interval(one, "share_acceptable"), "language": _scope_language(one)}


def _scope_language(one: Quality | QualityDifference) -> str:
    return one.languages[0] if one.scope == "language" else ""


def _agreement(votes: PreferenceSummary) -> Iterator[Row]:
    """Of people, whose rows name no judge, and of each judge with people: as votes, and beyond chance."""
    judges = ((one.judge, one.agreement, one.kappas) for one in votes.judges)
    for judge, shares, beyond in (("", votes.agreement, votes.alphas), *judges):
        yield from (_agreed(judge, one, "share", one.num_pairs) for one in shares)
        yield from (_agreed(judge, one, one.measure, one.num_units) for one in beyond)


def _agreed(judge: str, one: Agreement | Alpha, measure: str, n: int) -> Row:
    return {**_with_interval(one), "judge": judge, "measure": measure, "n": n}


def _admissibility(votes: PreferenceSummary) -> Iterator[Row]:
    for judge in votes.judges:
        yield from (_admitted(judge.judge, one) for one in judge.admissibility)


def _admitted(judge: str, one: Admissibility) -> Row:
    return {**_with_interval(one, "difference", is_signed=True), "judge": judge}


def _powered(one: PoweredFinding) -> Row:
    verdict = one.admission.verdict if one.admission else ""
    return {**_with_interval(one.rate), "judge": one.judge, "verdict": verdict}


def _language(ranking: Ranking | None, one: LanguageVotes) -> Row:
    worth = ranking.left.get(one.language) if ranking else None
    ties = ranking.tie_weights.get(one.language) if ranking else None
    numbers = {"left_share": one.left_share, "left_worth": worth, "tie_weight": ties}
    return {**_fields(one), **{name: _number(found) for name, found in numbers.items()}}


def _flags(votes: PreferenceSummary) -> Iterator[Row]:
    """How many of all people raised each flag; who they are is nobody's business here."""
    people = {*(one.annotator for one in votes.annotators), *(one.annotator for one in votes.attentiveness)}
    flags = [flag for screens in (votes.annotators, votes.attentiveness) for one in screens for flag in one.flags]
    for flag in sorted(set(flags)):
        yield {"flag": flag, "num": flags.count(flag), "total": len(people)}


def _dropped(votes: PreferenceSummary) -> Iterator[Row]:
    for reason, num in votes.counts.dropped.items():
        yield {"reason": reason, "num": num, "of": votes.counts.num_rows}
