"""What the official judges' replies say, read by the rules of their benchmarks.

Each parser takes the raw reply and returns a verdict inside the scale or `Unparsed`, and never a number that the reply
does not mark as one. Time is linear in the reply's length. `is_cut` tells that the reply ended at its token limit: a
number at its very end may then be the beginning of another (``1`` of ``10``) and is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from evalsuite.text.fastchat import fastchat_rating, fastchat_winner, rating_span
from evalsuite.verdicts import Preferred, Rated, Unparsed, Winner

MT_BENCH_SCALE = (1.0, 10.0)
ALIGNBENCH_SCALE = (1.0, 10.0)
BELLE_SCALE = (0.0, 1.0)
OVERALL = "综合得分"
"""AlignBench's name for the rating that counts."""

_MAX_QUOTED = 24
_WINNERS = {"A": Winner.A, "B": Winner.B, "tie": Winner.TIE}


# -- MT-Bench ----------------------------------------------------------------------------------------------------


def mt_bench_rating(text: str) -> Rated | Unparsed:
    """FastChat's rating, 1 to 10: the first ``[[n]]``, else the first ``[n]``.

    One difference from FastChat: a rating that is off the scale is no rating; FastChat lets ``[[85]]`` into the mean.
    """
    span = rating_span(text)
    if span is None:
        return Unparsed(reason="no rating in brackets")
    return _on_scale(fastchat_rating(text), text[slice(*span)], MT_BENCH_SCALE)


def mt_bench_winner(text: str) -> Preferred | Unparsed:
    """FastChat's verdict between two answers, ``[[A]]`` before ``[[B]]`` before ``[[C]]`` (a tie)."""
    winner = _WINNERS.get(fastchat_winner(text))
    return Unparsed(reason="none of [[A]], [[B]] and [[C]]") if winner is None else Preferred(winner=winner)


def _on_scale(value: float, written: str, scale: tuple[float, float]) -> Rated | Unparsed:
    low, high = scale
    if low <= value <= high:
        return Rated(value=value)
    return Unparsed(reason=f"{_quoted(written)} is not on the scale of {low:g} to {high:g}")


def _quoted(written: str) -> str:
    return repr(written if len(written) <= _MAX_QUOTED else written[: _MAX_QUOTED - 1] + "…")


# -- AlignBench --------------------------------------------------------------------------------------------------

_KEY_END = re.compile(r"': (\d++)")
_OVERALL_ALONE = re.compile(rf"'{OVERALL}': (\d++(?:\.\d{{1,2}})?)")


def alignbench_rating(text: str, dimensions: Sequence[str], *, is_cut: bool = False) -> Rated | Unparsed:
    """The overall rating, 1 to 10, and as its parts those of `dimensions`, by AlignBench's own rule.

    From the dictionary that ends the reply (`alignbench_ratings`); without an overall rating there, the first
    ``'综合得分': n`` anywhere, with up to two decimals. Source: THUDM/AlignBench at 5b79d4a, ``judge.py``. Differences:
    a number off the scale is no rating, and one cut off by the token limit neither.
    """
    ratings = alignbench_ratings(text)
    low, high = ALIGNBENCH_SCALE
    written = ratings.get(OVERALL)
    if written is None:
        alone = _OVERALL_ALONE.search(text)
        if alone is None:
            return Unparsed(reason=f"no '{OVERALL}': n in single quotes")
        if is_cut and alone.end() == len(text):
            return Unparsed(reason="cut off inside the rating")
        written = alone[1]
    verdict = _on_scale(float(written), written, ALIGNBENCH_SCALE)
    if isinstance(verdict, Unparsed):
        return verdict
    known = ((name, float(ratings[name])) for name in dimensions if name in ratings)
    return Rated(value=verdict.value, parts=tuple((name, value) for name, value in known if low <= value <= high))


def alignbench_ratings(text: str) -> Mapping[str, str]:
    """The digits after each ``'name': `` of the reply's last dictionary, by name; the last of equal names counts.

    That dictionary ends at the first ``}`` after the last ``{``, and begins at the first ``{`` of the same line. Digits
    after a point are not seen: ``7.5`` is 7.
    """
    last_open = text.rfind("{")
    line_end = text.find("\n", last_open)
    close = text.find("}", last_open, line_end if line_end >= 0 else len(text))
    if last_open < 0 or close < 0:
        return {}
    line_start = text.rfind("\n", 0, last_open) + 1
    return _quoted_pairs(text[text.find("{", line_start) + 1 : close])


def _quoted_pairs(inside: str) -> Mapping[str, str]:
    """Names and digits; a name runs from a quote to the next ``': `` that digits follow, other quotes included."""
    pairs: dict[str, str] = {}
    quote = inside.find("'")
    while quote >= 0 and (match := _KEY_END.search(inside, quote + 1)):
        pairs[inside[quote + 1 : match.start()]] = match[1]
        quote = inside.find("'", match.end())
    return pairs


# -- BELLE -------------------------------------------------------------------------------------------------------

_SPACE = "[ \t\u00a0\u3000]"
_DRESS = "[ \t\u00a0\u3000*_`\"'“”‘’「」『』【】\\[\\]<>]"
"""Spaces, emphasis, quotes and brackets, which may stand around the marker's colon."""
_MARKED_SCORE = re.compile(
    rf"得分(?>(?:{_DRESS}*+[(（][^()（）\n]{{0,20}}+[)）])?){_DRESS}*+[:：](?>(?:{_DRESS}|[(（])*)"
    r"([-−－+＋]?+)([0-9０-９]++(?>(?:[.．][0-9０-９]++)?))"
)
_OUT_OF = re.compile(rf"{_DRESS}*+[/／]{_SPACE}*+([0-9０-９][0-9０-９.．]*+)")
_GOES_ON = re.compile(
    rf"[.．,]?[0-9０-９]|[A-Za-z]|{_SPACE}*+(?:[%％‰]|[-−－–—~～至到或和、+＋×=＝]{_SPACE}*+[-−－+＋]?[0-9０-９])"
)
_MAY_BE_CUT = re.compile(rf"[.．,]?{_SPACE}*+[/／]?{_SPACE}*+")


def belle_score(text: str, *, is_cut: bool = False) -> Rated | Unparsed:
    """The score, 0 to 1, after ``得分:``. The rule is ours, since BELLE publishes none.

    The marker is 得分 and a colon of either width, both perhaps in quotes, brackets or emphasis, a short parenthesis
    between them (``得分（0到1）：``). The number follows on the same line, in ASCII or full-width digits, and may be
    ``n分`` or ``n/1``. Nothing is read from fractions of anything but 1, percentages, ranges, sums, or numbers that go
    on with letters. Where the marker stands more than once with a number, all must say the same: a reply that quotes
    another score than its own decides nothing.
    """
    value: float | None = None
    for match in _MARKED_SCORE.finditer(text):
        found = _score_out_of_one(match, is_cut)
        if found is None:
            written = text[match.start(1) : match.end() + _MAX_QUOTED].partition("\n")[0]
            return Unparsed(reason=f"{_quoted(written)} is not a score out of 1")
        if value is not None and found != value:
            return Unparsed(reason=f"says both {value:g} and {found:g}")
        value = found
    return Unparsed(reason="no number after 得分:") if value is None else Rated(value=value)


def _score_out_of_one(match: re.Match[str], is_cut: bool) -> float | None:
    """The marked number where it is a score from 0 to 1 and nothing behind it makes it another; else None."""
    text, end = match.string, match.end()
    whole = _OUT_OF.match(text, end)
    if _GOES_ON.match(text, end) or (whole and _number(whole[1]) != 1.0):
        return None
    if is_cut and _MAY_BE_CUT.fullmatch(text, end):
        return None
    value = _number(match[2])
    is_negative = match[1] not in ("", "+", "＋")
    low, high = BELLE_SCALE
    return value if value is not None and not is_negative and low <= value <= high else None


def _number(written: str) -> float | None:
    """The number in ASCII or full-width digits, or None when it is not one (``1.2.3``)."""
    try:
        return float(written.replace("．", "."))
    except ValueError:
        return None
