"""The part of the preference view about those who vote: how far people agree, judges with them, and who stands out.

Annotators stand here by their id alone, and only those with a flag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.preference.agreement import SETUPS, Agreement, Alpha, Setup
from evalsuite.preference.attentiveness import AttentivenessScreen
from evalsuite.preference.prediction_powered import Admissibility
from evalsuite.preference.screens import AnnotatorScreen
from evalsuite.preference.summary import JudgeFindings, PreferenceSummary

from ._format import Cell, number, plural
from ._votes import (
    NO_INTERVAL,
    in_order,
    interval_text,
    language_detail,
    language_label,
    percent,
    points,
    points_text,
    shown,
)

_MOST_ANNOTATORS = 100
_KAPPAS = (
    ("kappa", "Cohen's, with the majority of people; ties are votes"),
    ("kappa", "Cohen's, comparisons with a tie left out"),
)
"""Heads of the columns of `SETUPS`."""


@dataclass(frozen=True)
class AgreementRow:
    """One language; None where nobody can say."""

    label: str
    detail: str
    with_ties: Cell | None
    decided: Cell | None
    beyond_chance: tuple[Cell | None, ...]


@dataclass(frozen=True)
class JudgeRow:
    """Whether a judge will do in one language, beside how often another person agrees on the same comparisons."""

    label: str
    verdict: str
    judge: str
    people: str
    difference: Cell
    counts: tuple[str, ...]


@dataclass(frozen=True)
class JudgeView:
    """One judge beside people. `rows` are of the comparisons that two people or more have judged too."""

    name: str
    verdicts: str
    heads: tuple[tuple[str, str], ...]
    agreement: tuple[AgreementRow, ...]
    rows: tuple[JudgeRow, ...]


@dataclass(frozen=True)
class AnnotatorRow:
    """An annotator with a flag, and what is known."""

    annotator: str
    flags: str
    votes: str
    agrees: str
    sides: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Raters:
    """`flags` are how many annotators each was raised for, of how many; `left_over` how many more were flagged.

    `has_others` says whether more is known of annotators than their votes.
    """

    people: tuple[AgreementRow, ...]
    judges: tuple[JudgeView, ...]
    flags: tuple[tuple[str, str], ...]
    flagged: tuple[AnnotatorRow, ...]
    left_over: int
    has_others: bool


def build_raters(summary: PreferenceSummary) -> Raters:
    """What `summary` says of those who voted."""
    attentive = {one.annotator: one for one in summary.attentiveness}
    rows = [
        _annotator(one, attentive.get(one.annotator))
        for one in summary.annotators
        if one.flags or (one.annotator in attentive and attentive[one.annotator].flags)
    ]
    return Raters(
        people=_agreement_rows(summary.agreement, summary.alphas, ("with-ties",)),
        judges=tuple(_judge(one) for one in summary.judges),
        flags=_flag_counts(summary),
        flagged=tuple(rows[:_MOST_ANNOTATORS]),
        left_over=max(0, len(rows) - _MOST_ANNOTATORS),
        has_others=any(row.others for row in rows),
    )


# -- agreement


def _agreement_rows(
    shares: Sequence[Agreement], chances: Sequence[Alpha], setups: Sequence[Setup]
) -> tuple[AgreementRow, ...]:
    """A row a language, with what is beyond chance in each of `setups`."""
    by_setup = {(one.language, one.setup): one for one in shares}
    beyond = {(one.language, one.setup): one for one in chances}
    return tuple(
        AgreementRow(
            label=language_label(code),
            detail=language_detail(code),
            with_ties=_share(by_setup.get((code, "with-ties"))),
            decided=_share(by_setup.get((code, "decided"))),
            beyond_chance=tuple(_alpha(beyond.get((code, setup))) for setup in setups),
        )
        for code in in_order({one.language for one in shares} | {one.language for one in chances})
    )


def _share(found: Agreement | None) -> Cell | None:
    if found is None:
        return None
    value = percent(found.value, found.low, found.high)
    n = f"{found.num_agree} of {found.num_pairs} pairs of votes"
    return Cell(value=value, interval=interval_text(found.low, found.high), n=n)


def _alpha(found: Alpha | None) -> Cell | None:
    if found is None:
        return None
    low, high = found.low, found.high
    bounds = NO_INTERVAL if low is None or high is None else f"{number(low, 3)} – {number(high, 3)}"
    return Cell(value=number(found.value, 3), interval=bounds, n=plural(found.num_units, "comparison"))


def _judge(found: JudgeFindings) -> JudgeView:
    return JudgeView(
        name=shown(found.judge),
        verdicts=plural(found.num_verdicts, "verdict"),
        heads=_KAPPAS,
        agreement=_agreement_rows(found.agreement, found.kappas, SETUPS),
        rows=tuple(_judge_row(one) for one in found.admissibility),
    )


def _judge_row(found: Admissibility) -> JudgeRow:
    value, bounds = points(found.difference, found.low, found.high), points_text(found.low, found.high)
    return JudgeRow(
        label=language_label(found.language),
        verdict=found.verdict,
        judge=percent(found.judge_agreement),
        people=percent(found.people_agreement),
        difference=Cell(value=value, interval=bounds),
        counts=(plural(found.num_units, "comparison"), plural(found.num_prompts, "source prompt")),
    )


# -- annotators


def _flag_counts(summary: PreferenceSummary) -> tuple[tuple[str, str], ...]:
    raised = Counter(flag for one in summary.annotators for flag in one.flags)
    raised.update(flag for one in summary.attentiveness for flag in one.flags)
    total = len({one.annotator for one in summary.annotators} | {one.annotator for one in summary.attentiveness})
    return tuple((flag, f"{count} of {total}") for flag, count in sorted(raised.items()))


def _annotator(found: AnnotatorScreen, attentive: AttentivenessScreen | None) -> AnnotatorRow:
    flags = (*found.flags, *(attentive.flags if attentive else ()))
    agrees = "" if found.agreement is None else f"{percent(found.agreement)} % of {found.num_compared}"
    sides = "" if found.left_share is None else f"{percent(found.left_share)} % left"
    return AnnotatorRow(
        annotator=shown(found.annotator),
        flags=", ".join(flags),
        votes=f"{found.num_votes}, {percent(found.tie_share)} % ties",
        agrees=agrees,
        sides=sides,
        others=attentive_texts(attentive) if attentive else (),
    )


def attentive_texts(found: AttentivenessScreen) -> tuple[str, ...]:
    """What only whole votes tell of an annotator, in words; what nobody knows is left out."""
    texts = []
    if found.gold:
        bounds = interval_text(found.gold.low, found.gold.high)
        texts.append(f"known answers {found.gold.num_right} of {found.gold.num_votes} right ({bounds} %)")
    if found.retest:
        kappa = "" if found.retest.kappa is None else f", kappa {number(found.retest.kappa, 2)}"
        texts.append(f"same again {percent(found.retest.agreement)} % of {found.retest.num_repeats}{kappa}")
    texts += [
        f"{language_label(pace.language)}: {pace.seconds_per_grapheme:.3f} s a character, limit {pace.limit:.3f} s"
        for pace in found.paces
        if pace.limit is not None and pace.is_fast
    ]
    texts.append(f"longest run {found.longest_run} of {found.num_votes}")
    return (*texts, *((f"{found.num_skipped} skipped",) if found.num_skipped else ()))
