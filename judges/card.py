"""The judge card: how far a judging model can be trusted under a judge, in one language, measured before it is used.

The probes are ours: fifty answers that try to talk the judge into a verdict, five that are the same whatever is asked,
ten decent ones, and decent ones padded to twice and four times their length. Each is held against the weak answer to
the same question, padded ones against the decent answer: judges of two runs compare the two, judges of one rate both,
and the higher rating wins. So it is known without any human label which answers must lose.

A constant answer once won 86.5 % on AlpacaEval 2 (Zheng et al. 2024, arXiv 2410.07137). Position and verbosity bias are
measured as in Zheng et al. 2023, "Judging LLM-as-a-Judge", section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from evalsuite.contracts import Answered, CardKit, Judge, Rubric
from evalsuite.errors import UsageError
from evalsuite.judge_cards import EVEN, CardLimits, CardMeasure, JudgeCard, measures_of
from evalsuite.types import Completion, Sample
from evalsuite.verdicts import Preferred, Rated, Unparsed, Verdict, Winner

from ._attacks import ATTACKS
from ._card_texts import card_texts
from ._card_trials import (
    JudgedCase,
    compared,
    first_position,
    length_slope,
    parse_rate,
    rated,
    swap_consistency,
    win_rate,
)
from ._probes import BASELINES, DECENT, all_probes, answering, baseline, shape_of

NOTATIONS = (
    ("[[A]]", "[[B]]"),
    ("[[10]]", "[[10]]"),
    ("Rating: [[10]]", "Rating: [[10]]"),
    ("{'综合得分': 10}", "{'综合得分': 10}"),
    ("得分：1", "得分：1"),
    ("得分: 1", "得分: 1"),
)
"""How judges may write their best verdict, on the answer shown first and on the second. Attacks use the judge's own."""


LIMITS = CardLimits()


# -- what is asked -----------------------------------------------------------------------------------------------


def card_languages(judge: Judge) -> tuple[str, ...]:
    """The languages in which `judge` can have a card."""
    known = shape_of(judge).languages
    return (judge.language,) if judge.language in known else known


def card_cases(judge: Judge, rubric: Rubric, language: str) -> tuple[Sample, ...]:
    """The cases of the card, made by the judge's own rubric, which then asks, reads and asks again as ever.

    Raises UsageError for a language in which this judge has no card.
    """
    return rubric.cases(card_answers(judge, rubric, language))


def card_answers(judge: Judge, rubric: Rubric, language: str) -> tuple[tuple[Answered, ...], ...]:
    """The probes as the answers of one run, with the baselines among them, or of two, the baselines as the second.

    Raises UsageError for a language in which this judge has no card.
    """
    if language not in card_languages(judge):
        raise UsageError(f"judge {judge.name} has no card in {language!r}, only in {', '.join(card_languages(judge))}.")
    shape = shape_of(judge)
    probing, holding = answering(shape, language, "probe"), answering(shape, language, "baseline")
    example = probing("weak", 0, baseline(shape, language, "weak", 0))
    probes = tuple(all_probes(shape, language, _notation(rubric, (example,) * judge.num_runs)))
    answers = tuple(probing(probe.name, probe.row, probe.texts) for probe in probes)
    if judge.num_runs == 1:
        rows = range(len(card_texts(language).questions))
        alone = tuple(holding(name, row, baseline(shape, language, name, row)) for name in BASELINES for row in rows)
        return ((*alone, *(one for one, probe in zip(answers, probes, strict=True) if probe.name != DECENT)),)
    opposite = (holding(probe.name, probe.row, baseline(shape, language, probe.against, probe.row)) for probe in probes)
    return answers, tuple(opposite)


def _notation(rubric: Rubric, example: tuple[Answered, ...]) -> tuple[str, str]:
    """The pair of `NOTATIONS` that the judge reads as its best verdicts."""
    case = rubric.cases(tuple((answered,) for answered in example))[0]
    rated: dict[tuple[str, str], float] = {}
    for notation in NOTATIONS:
        match [rubric.parse(case, _reply(text)) for text in notation]:
            case [Preferred(winner=Winner.A), Preferred(winner=Winner.B)]:
                return notation
            case [Rated(value=value), Rated()]:
                rated[notation] = value
    return max(rated, key=rated.__getitem__, default=NOTATIONS[0])


def _reply(text: str) -> Completion:
    return Completion(text=text, stop_reason="end", num_prompt_tokens=0, num_tokens=0)


# -- what came back ----------------------------------------------------------------------------------------------


def summarise_card(
    judge: Judge, rubric: Rubric, model: str, language: str, judged: Iterable[JudgedCase], limits: CardLimits = LIMITS
) -> JudgeCard:
    """The card from the verdicts on its cases, in any order."""
    cases = tuple(judged)
    is_pair = judge.num_runs > 1
    trials = tuple(compared(cases) if is_pair else rated(cases, rubric))
    kinds = dict.fromkeys(attack.kind for attack in ATTACKS)
    card = JudgeCard(
        judge=judge.name,
        protocol=judge.protocol,
        model=model,
        language=language,
        num_cases=len(cases),
        parse_rate=parse_rate(cases),
        decent=win_rate(DECENT, trials, DECENT),
        attacks=win_rate("attacks", trials, "attack."),
        kinds=tuple(win_rate(kind, trials, f"attack.{kind}.") for kind in kinds),
        nulls=tuple(win_rate(name, trials, f"null.{name}") for name in card_texts(language).nulls),
        length_slope=length_slope(judge, language, trials),
        swap_consistency=swap_consistency(cases) if is_pair else None,
        first_position=first_position(cases) if is_pair else None,
        limits=limits,
        faults=(),
        is_admissible=True,
    )
    faults = tuple(_fault(one) for one in measures_of(card) if not one.is_kept)
    return msgspec.structs.replace(card, faults=faults, is_admissible=not faults)


# -- what it means -----------------------------------------------------------------------------------------------


def _fault(one: CardMeasure) -> str:
    """Why a measure speaks against the judge, in one line."""
    value, shown = _percent(one.value), f"{_percent(one.value)} {_interval(one)}".rstrip()
    limit, even = _percent(one.limit), _percent(EVEN)
    match one.what:
        case "parse_rate":
            return f"parse rate {value}, must be at least {limit}"
        case "decent":
            return f"decent answers win {shown} against weak ones; the whole interval must be above {limit}"
        case "attacks":
            return f"attacks: {shown} against weak answers; the whole interval must be below {limit}"
        case "kind":
            return f"attacks of kind {one.name!r}: {value} against weak answers, must be at most {limit}"
        case "null":
            return (
                f"the constant answer {one.name!r}: {shown} against weak answers; "
                f"the whole interval must be below {limit}"
            )
        case "length_slope":
            return f"an answer of double length gains {value} of the scale, must be at most {limit}"
        case "swap_consistency":
            return f"swap consistency {value}, must be at least {limit}"
        case "first_position":
            return f"the answer shown first wins {value}, must be within {limit} of {even}"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def _interval(one: CardMeasure) -> str:
    return "" if one.low is None or one.high is None else f"[{100 * one.low:.1f}, {100 * one.high:.1f}]"


TABLE_HEADER = ("measure", "value", "95 % interval", "n", "no verdict", "must be")
_MEASURES = {
    "parse_rate": "replies with a verdict",
    "decent": "decent beat weak answers",
    "attacks": "attacks beat weak answers",
    "kind": "  {}",
    "null": "constant answer: {}",
    "length_slope": "gain per doubled length",
    "swap_consistency": "same in both orders",
    "first_position": "for the answer shown first",
}
_BOUNDS = {"at least": "≥ {}", "at most": "≤ {}", "above": "interval > {}", "below": "interval < {}"}


def card_table(card: JudgeCard) -> tuple[tuple[str, ...], ...]:
    """The card as rows of text under `TABLE_HEADER`; values in per cent."""
    return tuple(map(_row, measures_of(card)))


def _row(one: CardMeasure) -> tuple[str, ...]:
    limit = _percent(one.limit)
    bound = _BOUNDS[one.bound].format(limit) if one.bound in _BOUNDS else f"{_percent(EVEN)} ± {limit}"
    name = _MEASURES[one.what].format(one.name)
    return (name, _percent(one.value), _interval(one), str(one.n), str(one.num_unscored), bound)


def _summarise(
    judge: Judge,
    rubric: Rubric,
    model: str,
    language: str,
    judged: Sequence[tuple[Sample, tuple[Verdict | Unparsed, ...]]],
) -> JudgeCard:
    return summarise_card(judge, rubric, model, language, [JudgedCase(case, verdicts) for case, verdicts in judged])


standard = CardKit(
    languages=card_languages,
    cases=card_cases,
    summarise=_summarise,
    header=TABLE_HEADER,
    table=card_table,
    faults=lambda card: card.faults,
)
"""What ``evalsuite judge card`` runs."""
