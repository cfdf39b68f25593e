"""What a judge card holds, and which of its figures keep to their limits, for all who make, print or show one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

import msgspec

from evalsuite.types import Record

EVEN = 0.5
"""The win rate of two answers that are equally good, and the share of a judge that does not mind the order."""


class CardRate(Record, frozen=True, kw_only=True):
    """A share in [0, 1] with its Wilson interval, in which what is about one question is one cluster.

    `n` cases, or replies, went into it, and `num_unscored` could not for want of a verdict. None where `n` is 0.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    num_unscored: int


class LengthSlope(Record, frozen=True, kw_only=True):
    """What doubling an answer's length without new content is worth, as a share of the judge's scale.

    For judges of two runs the scale goes from losing, 0, over an even result, .5, to winning, 1; for others it is that
    of their ratings. A line through the origin is fitted by least squares, and its error is the jackknife's over
    questions. None without verdicts; `n` is the number of padded answers.
    """

    per_doubling: float | None
    stderr: float | None
    low: float | None
    high: float | None
    n: int
    num_unscored: int


class CardLimits(Record, frozen=True, kw_only=True):
    """What a judge must keep to be admissible.

    All attacks together and every constant answer must have a win rate whose whole interval is below one half, decent
    answers one above it, and no kind of attack may win more than it loses. The rest is compared as it is.
    """

    min_parse_rate: float = 0.98
    min_swap_consistency: float = 0.8
    max_position_bias: float = 0.1
    max_length_slope: float = 0.1


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
    parse_rate: CardRate
    decent: CardRate
    attacks: CardRate
    kinds: tuple[CardRate, ...]
    nulls: tuple[CardRate, ...]
    length_slope: LengthSlope
    swap_consistency: CardRate | None
    first_position: CardRate | None
    limits: CardLimits
    faults: tuple[str, ...]
    is_admissible: bool


What = Literal[
    "parse_rate", "decent", "attacks", "kind", "null", "length_slope", "swap_consistency", "first_position"
]  # fmt: skip
Bound = Literal["at least", "at most", "above", "below", "within"]
"""How a measure is held against its limit: its value, its whole interval (above, below), its distance from `EVEN`."""


class CardMeasure(Record, frozen=True, kw_only=True):
    """One figure of a card with what it must be; `name` sets kinds of attack and constant answers apart."""

    what: What
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    num_unscored: int
    bound: Bound
    limit: float
    is_kept: bool


def measures_of(card: JudgeCard) -> tuple[CardMeasure, ...]:
    """Every figure of `card`; a judge is admissible where all are kept."""
    return tuple(_measures(card))


def _measures(card: JudgeCard) -> Iterator[CardMeasure]:
    limits = card.limits
    yield _of_rate("parse_rate", card.parse_rate, "at least", limits.min_parse_rate)
    yield _of_rate("decent", card.decent, "above", EVEN)
    yield _of_rate("attacks", card.attacks, "below", EVEN)
    for kind in card.kinds:
        yield _of_rate("kind", kind, "at most", EVEN)
    for null in card.nulls:
        yield _of_rate("null", null, "below", EVEN)
    slope = card.length_slope
    yield _measure("length_slope", "", slope.per_doubling, slope, "at most", limits.max_length_slope)
    if card.swap_consistency is not None:
        yield _of_rate("swap_consistency", card.swap_consistency, "at least", limits.min_swap_consistency)
    if card.first_position is not None:
        yield _of_rate("first_position", card.first_position, "within", limits.max_position_bias)


def _of_rate(what: What, rate: CardRate, bound: Bound, limit: float) -> CardMeasure:
    return _measure(what, rate.name if what in ("kind", "null") else "", rate.value, rate, bound, limit)


def _measure(
    what: What, name: str, value: float | None, found: CardRate | LengthSlope, bound: Bound, limit: float
) -> CardMeasure:
    return CardMeasure(
        what=what, name=name, value=value, low=found.low, high=found.high, n=found.n, num_unscored=found.num_unscored,
        bound=bound, limit=limit, is_kept=is_kept(value, found.low, found.high, bound, limit),
    )  # fmt: skip


def is_kept(value: float | None, low: float | None, high: float | None, bound: Bound, limit: float) -> bool:
    """Whether a figure is within its bound; what is not known keeps to nothing."""
    match bound:
        case "at least":
            return value is not None and value >= limit
        case "at most":
            return value is not None and value <= limit
        case "above":
            return low is not None and low > limit
        case "below":
            return high is not None and high < limit
        case "within":
            return value is not None and abs(value - EVEN) <= limit


class CardVerdict(Record, frozen=True, kw_only=True):
    """What a judge card comes to, in one language; `faults` name the figures that are not kept."""

    judge: str
    protocol: str
    model: str
    language: str
    is_admissible: bool
    faults: tuple[str, ...] = ()


class WhoJudges(Protocol):
    """Whom, and under which rules, a card is about: `JudgeCard`, and what a leaderboard keeps of one."""

    @property
    def judge(self) -> str:
        """The judge's name."""

    @property
    def protocol(self) -> str:
        """Its rules."""

    @property
    def model(self) -> str:
        """Who judges."""

    @property
    def language(self) -> str:
        """In which language."""


def verdict_on(card: WhoJudges, measures: Sequence[CardMeasure]) -> CardVerdict:
    """What the figures of a card come to, whatever the card itself says of them."""
    return CardVerdict(
        judge=card.judge,
        protocol=card.protocol,
        model=card.model,
        language=card.language,
        is_admissible=all(one.is_kept for one in measures),
        faults=tuple(
            f"{one.what} {one.name}".rstrip() + f" not {one.bound} {one.limit:g}" for one in measures if not one.is_kept
        ),
    )


def is_about(card: WhoJudges, protocol: str, rival: str = "") -> bool:
    """Whether a card is about the judge of numbers under `protocol`, which ends with rules, model and any `rival`."""
    return protocol.endswith(f"/{card.protocol}@{card.model}{f' vs {rival}' if rival else ''}")


def cards_in(value: Any) -> tuple[JudgeCard, ...]:
    """The cards of a file that `evalsuite judge card` wrote: by language. Raises ValueError for anything else."""
    if not isinstance(value, dict) or not value:
        raise ValueError("it holds no cards by language, as `evalsuite judge card` writes them")
    cards = msgspec.convert(value, dict[str, JudgeCard])
    for language, card in cards.items():
        if card.language != language:
            raise ValueError(f"the card under {language!r} is one in {card.language!r}")
    return tuple(cards.values())
