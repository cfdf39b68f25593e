"""What figures and plain tables of votes share: names that are safe to show, and which pairs of many stand there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.boards.columns import language_rank
from evalsuite.preference.languages import OtherLanguages
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.preference.win_rates import WinRate
from evalsuite.text.number_texts import number
from evalsuite.text.visible import visible_line

MOST_SYSTEMS = 12
"""Of more systems only the strongest stand in tables and figures of pairs."""

NO_INTERVAL = "too few prompts"

_LONGEST_NAME, _TAIL = 30, 10
_LIKELY_UNKNOWN = "und"
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Pair:
    """All that is known of two systems, seen from the first: by language, then over all of them."""

    system_a: str
    system_b: str
    rates: tuple[WinRate, ...]
    others: OtherLanguages | None


@dataclass(frozen=True)
class Chosen:
    """The pairs to show, those of the `reference` first, and in words which of how many these are."""

    reference: str
    pairs: tuple[Pair, ...]
    note: str


def shown(name: str) -> str:
    """A name from a file of votes in one line, with whatever cannot be seen spelt out."""
    return visible_line(name, None)


def labels(names: Iterable[str]) -> dict[str, str]:
    """For figures: long names without their middle, and two that then look alike told apart by a number."""
    found: dict[str, str] = {}
    for name in names:
        label = plain = _shortened(shown(name))
        number_of_same = 1
        while label in found.values():
            number_of_same += 1
            label = f"{plain} ({number_of_same})"
        found[name] = label
    return found


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_NAME:
        return text
    end = _LONGEST_NAME - _TAIL - 1
    start = len(text) - _TAIL
    while end > 1 and _continues(text[end]):
        end -= 1
    while start < len(text) - 1 and _continues(text[start]):
        start += 1
    return f"{text[:end]}…{text[start:]}"


def _continues(char: str) -> bool:
    """Whether a character belongs to the one before it."""
    return unicodedata.category(char).startswith("M") or char in _JOINERS


def language_label(code: str) -> str:
    """``hi``; votes without a language say so."""
    return "language not given" if code == _LIKELY_UNKNOWN else shown(code)


def in_order(codes: Iterable[str]) -> list[str]:
    """Languages as they stand everywhere."""
    return sorted(codes, key=language_rank)


def decimals_of(low: float | None, high: float | None) -> int:
    """Of a share in percent: one, or two where the interval is narrower than a point."""
    return 1 if low is None or high is None or high - low >= 0.01 else 2


def percent(share: float, low: float | None = None, high: float | None = None) -> str:
    """A share in percent, with as many decimals as its interval asks for."""
    return _with_minus(number(100 * share, decimals_of(low, high)))


def signed(value: float) -> str:
    """A log-odds, with its sign."""
    return _with_minus(number(value, 2, is_signed=True))


def _with_minus(text: str) -> str:
    """As matplotlib writes numbers along axes."""
    return text.replace("-", "\N{MINUS SIGN}")


def interval_text(low: float | None, high: float | None) -> str:
    """``48.1 – 60.9``, or that there is none."""
    if low is None or high is None:
        return NO_INTERVAL
    return f"{percent(low, low, high)} – {percent(high, low, high)}"


def pairs_by_names(summary: PreferenceSummary) -> Mapping[tuple[str, str], Pair]:
    """Every pair that was compared, in the summary's order."""
    rates: dict[tuple[str, str], list[WinRate]] = {}
    for rate in summary.rates:
        rates.setdefault((rate.system_a, rate.system_b), []).append(rate)
    others = {(one.system_a, one.system_b): one for one in summary.other_languages}
    return {names: Pair(*names, _ordered(found), others.get(names)) for names, found in rates.items()}


def _ordered(rates: Sequence[WinRate]) -> tuple[WinRate, ...]:
    scopes = ("language", "macro", "pooled")
    return tuple(sorted(rates, key=lambda rate: (scopes.index(rate.scope), language_rank(rate.language))))


def headline(pair: Pair) -> WinRate:
    """The macro mean, or of one language its own rate."""
    return next((rate for rate in pair.rates if rate.scope == "macro"), pair.rates[0])


def headlines(summary: PreferenceSummary) -> dict[tuple[str, str], WinRate]:
    """The headline of every pair."""
    return {names: headline(pair) for names, pair in pairs_by_names(summary).items()}


def reference_of(summary: PreferenceSummary) -> str:
    """The strongest of the systems that stand in most languages: one that met others in a single one says little."""
    languages: dict[str, set[str]] = {}
    for rate in summary.rates:
        if rate.scope == "language":
            for system in (rate.system_a, rate.system_b):
                languages.setdefault(system, set()).add(rate.language)
    most = max(map(len, languages.values()))
    return next(system for system in summary.systems if len(languages.get(system, ())) == most)


def chosen_pairs(summary: PreferenceSummary, most_pairs: int) -> Chosen:
    """At most `most_pairs` pairs among the strongest systems, those of the reference first."""
    every = pairs_by_names(summary)
    reference = reference_of(summary)
    top = {reference, *summary.systems[:MOST_SYSTEMS]}
    among = [pair for names, pair in every.items() if top.issuperset(names)]
    ordered = sorted(among, key=lambda pair: reference not in (pair.system_a, pair.system_b))
    kept = tuple(ordered[:most_pairs])
    return Chosen(reference, kept, _note(summary, len(every), kept, reference))


def _note(summary: PreferenceSummary, num_pairs: int, kept: Sequence[Pair], reference: str) -> str:
    if len(kept) == num_pairs:
        return ""
    if all(reference in (pair.system_a, pair.system_b) for pair in kept):
        which = f"all with {labels([reference])[reference]}"
    else:
        which = f"among the {min(MOST_SYSTEMS, len(summary.systems))} systems that stand first"
    return f"{len(kept)} of {num_pairs} pairs, {which}; preference.json has the others."


_WORST, _MIDDLE, _BEST = (0xF6, 0xD5, 0x6A), (0x93, 0xA6, 0xA0), (0x0B, 0x4F, 0x8A)


def level_colours(num_levels: int) -> tuple[str, ...]:
    """Of levels of quality from the worst to the best: from pale to dark, so that they are told apart in grey too."""
    if num_levels == 1:
        return (_hex(_BEST),)
    return tuple(_hex(_mixed(place / (num_levels - 1))) for place in range(num_levels))


def _mixed(share: float) -> tuple[int, ...]:
    start, end, way = (_WORST, _MIDDLE, 2 * share) if share < 0.5 else (_MIDDLE, _BEST, 2 * share - 1)
    return tuple(round(a + way * (b - a)) for a, b in zip(start, end, strict=True))


def _hex(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
