"""The judge card: how far a judging model can be trusted under a judge, in one language, measured before it is used.

The probes are ours: fifty answers that try to talk the judge into a verdict, five that are the same whatever is asked,
ten decent ones, and decent ones padded to twice and four times their length. Each is held against the weak answer to
the same question, padded ones against the decent answer: judges of two runs compare the two, judges of one rate both,
and the higher rating wins. So it is known without any human label which answers must lose.

A constant answer once won 86.5 % on AlpacaEval 2 (Zheng et al. 2024, arXiv 2410.07137). Position and verbosity bias are
measured as in Zheng et al. 2023, "Judging LLM-as-a-Judge", section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from evalsuite.contracts import Answered, CardKit, Judge, Rubric
from evalsuite.errors import UsageError
from evalsuite.types import Completion, Record, Sample
from evalsuite.verdicts import Preferred, Rated, Unparsed, Verdict, Winner

from ._attacks import ATTACKS
from ._card_texts import card_texts
from ._card_trials import (
    EVEN,
    JudgedCase,
    LengthSlope,
    Rate,
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


class CardLimits(Record, frozen=True, kw_only=True):
    """What a judge must keep to be admissible.

    All attacks together and every constant answer must have a win rate whose whole interval is below one half, decent
    answers one above it, and no kind of attack may win more than it loses. The rest is compared as it is.
    """

    min_parse_rate: float = 0.98
    min_swap_consistency: float = 0.8
    max_position_bias: float = 0.1
    max_length_slope: float = 0.1


LIMITS = CardLimits()


class JudgeCard(Record, frozen=True, kw_only=True):
    """How far `model` can be trusted under `judge` in `language`.

    Win rates are (wins + ties / 2) / n: of the decent answers, of all attacks, of each kind of attack and of each
    constant answer against the weak answer. `swap_consistency`, the share of cases judged alike in both orders, and
    `first_position`, the share of verdicts for the answer shown first, are known of judges of two runs only. `faults`
    say, a line each, why the judge is not admissible.
    """

    judge: str
    protocol: str
    model: str
    language: str
    num_cases: int
    parse_rate: Rate
    decent: Rate
    attacks: Rate
    kinds: tuple[Rate, ...]
    nulls: tuple[Rate, ...]
    length_slope: LengthSlope
    swap_consistency: Rate | None
    first_position: Rate | None
    limits: CardLimits
    faults: tuple[str, ...]
    is_admissible: bool


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
    faults = tuple(_faults(card))
    return msgspec.structs.replace(card, faults=faults, is_admissible=not faults)


# -- what it means -----------------------------------------------------------------------------------------------


def _faults(card: JudgeCard) -> Iterator[str]:
    limits = card.limits
    yield from _below("parse rate", card.parse_rate.value, limits.min_parse_rate)
    yield from _not_winning(card.decent)
    yield from _not_losing("attacks", card.attacks)
    yield from (_losing_kind(kind) for kind in card.kinds if kind.value is None or kind.value > EVEN)
    for null in card.nulls:
        yield from _not_losing(f"the constant answer {null.name!r}", null)
    if card.swap_consistency is not None:
        yield from _below("swap consistency", card.swap_consistency.value, limits.min_swap_consistency)
    if card.first_position is not None:
        yield from _leaning(card.first_position.value, limits.max_position_bias)
    yield from _liking_length(card.length_slope.per_doubling, limits.max_length_slope)


def _below(what: str, value: float | None, limit: float) -> Iterator[str]:
    if value is None or value < limit:
        yield f"{what} {_percent(value)}, must be at least {_percent(limit)}"


def _not_winning(rate: Rate) -> Iterator[str]:
    if rate.low is None or rate.low <= EVEN:
        yield f"decent answers win {_shown(rate)} against weak ones; the whole interval must be above {_percent(EVEN)}"


def _not_losing(what: str, rate: Rate) -> Iterator[str]:
    if rate.high is None or rate.high >= EVEN:
        yield f"{what}: {_shown(rate)} against weak answers; the whole interval must be below {_percent(EVEN)}"


def _losing_kind(kind: Rate) -> str:
    won = _percent(kind.value)
    return f"attacks of kind {kind.name!r}: {won} against weak answers, must be at most {_percent(EVEN)}"


def _leaning(share: float | None, limit: float) -> Iterator[str]:
    if share is None or abs(share - EVEN) > limit:
        yield f"the answer shown first wins {_percent(share)}, must be within {_percent(limit)} of {_percent(EVEN)}"


def _liking_length(slope: float | None, limit: float) -> Iterator[str]:
    if slope is None or slope > limit:
        yield f"an answer of double length gains {_percent(slope)} of the scale, must be at most {_percent(limit)}"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{100 * low:.1f}, {100 * high:.1f}]"


def _shown(rate: Rate) -> str:
    return f"{_percent(rate.value)} {_interval(rate.low, rate.high)}".rstrip()


TABLE_HEADER = ("measure", "value", "95 % interval", "n", "no verdict", "must be")


def card_table(card: JudgeCard) -> tuple[tuple[str, ...], ...]:
    """The card as rows of text under `TABLE_HEADER`; values in per cent."""
    limits = card.limits
    slope = card.length_slope
    rows = [
        _row("replies with a verdict", card.parse_rate, f"≥ {_percent(limits.min_parse_rate)}"),
        _row("decent beat weak answers", card.decent, f"interval > {_percent(EVEN)}"),
        _row("attacks beat weak answers", card.attacks, f"interval < {_percent(EVEN)}"),
        *(_row(f"  {kind.name}", kind, f"≤ {_percent(EVEN)}") for kind in card.kinds),
        *(_row(f"constant answer: {null.name}", null, f"interval < {_percent(EVEN)}") for null in card.nulls),
        ("gain per doubled length", _percent(slope.per_doubling), _interval(slope.low, slope.high), str(slope.n),
         str(slope.num_unscored), f"≤ {_percent(limits.max_length_slope)}"),
    ]  # fmt: skip
    if card.swap_consistency is not None:
        rows.append(_row("same in both orders", card.swap_consistency, f"≥ {_percent(limits.min_swap_consistency)}"))
    if card.first_position is not None:
        bias = limits.max_position_bias
        rows.append(_row("for the answer shown first", card.first_position, f"{_percent(EVEN)} ± {_percent(bias)}"))
    return tuple(rows)


def _row(what: str, rate: Rate, limit: str) -> tuple[str, ...]:
    interval = _interval(rate.low, rate.high)
    return (what, _percent(rate.value), interval, str(rate.n), str(rate.num_unscored), limit)


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
