"""Forms that ask of two answers which is better, in whatever words a project chose: what was answered, as a winner.

None of the tools whose forms these are knows systems: fields of the data that was shown name them (`SIDES`) and may
give ``language``, ``question_id`` or ``item`` and ``prompt_group``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from evalsuite.errors import DataError
from evalsuite.verdicts import Comparison, Winner

from .reading import Dropped, Row, given, named

SIDES = (("model_left", "model_right"), ("system_left", "system_right"), ("model_a", "model_b"))
"""Fields that may name the two systems. The second of a pair stood on the right."""

_SIDE = re.compile(
    r"(?:(?:answer|model|option|output|response|system|translation) )?"
    r"(?:(left|a)|(right|b))(?:(?: is)?(?: much| slightly)? better)?"
)
_TIES = {
    "tie": Winner.TIE,
    "equal": Winner.TIE,
    "equally good": Winner.TIE,
    "no preference": Winner.TIE,
    "both good": Winner.TIE,
    "both are good": Winner.TIE,
    "tie good": Winner.TIE,
    "tie (both good)": Winner.TIE,
    "both bad": Winner.BOTH_BAD,
    "bothbad": Winner.BOTH_BAD,
    "both are bad": Winner.BOTH_BAD,
    "equally bad": Winner.BOTH_BAD,
    "tie bad": Winner.BOTH_BAD,
    "tie (bothbad)": Winner.BOTH_BAD,
    "tie (both bad)": Winner.BOTH_BAD,
}
_NO_PREFERENCE = frozenset(
    {"skip", "skipped", "unsure", "not sure", "can't tell", "cannot tell", "can't judge", "cannot judge"}
)
_OVERALL = ("overall", "preference")
"""Of several questions that take a side, the one so named is the vote."""


@dataclass(frozen=True)
class Answer:
    """What one question of a form was answered. `takes_side` where the question itself is which of two is better."""

    question: str
    word: str
    takes_side: bool = False


@contextmanager
def at(place: str) -> Iterator[None]:
    """Whatever makes no sense inside is a DataError that names `place`."""
    try:
        yield
    except KeyError as error:
        raise DataError(f"{place}: there is no {error.args[0]!r}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{place}: {error}") from error


def meaning(word: object) -> Winner | None:
    """What a choice says of two answers; None for one that is neither a side nor a kind of tie."""
    text = _plain(word)
    if found := _SIDE.fullmatch(text):
        return Winner.A if found[1] else Winner.B
    return _TIES.get(text)


def _plain(word: object) -> str:
    return " ".join(re.sub(r"[_-]", " ", str(word)).split()).casefold()


def questions_of_vote(answers: Iterable[Answer]) -> frozenset[str]:
    """The questions that make up the vote: the one that takes sides, and those that tell ties.

    Where several take sides, the one called overall or preference. Raises ValueError where there is none or two such,
    or a question that tells ties is called otherwise.
    """
    sided: set[str] = set()
    tying: set[str] = set()
    for answer in answers:
        winner = meaning(answer.word)
        if answer.takes_side or winner in (Winner.A, Winner.B):
            sided.add(answer.question)
        elif winner is not None:
            tying.add(answer.question)
    tying -= sided
    if len(sided) <= 1:
        return frozenset(sided | tying)
    vote = {question for question in sided | tying if any(word in question.casefold() for word in _OVERALL)}
    if len(vote & sided) != 1 or tying - vote:
        asked = " and ".join(sorted(sided | tying))
        raise ValueError(f"{asked} each take a side or tell ties; name what belongs to the vote overall")
    return frozenset(vote)


def winner_of_answers(answers: Sequence[Answer], vote: Collection[str]) -> Winner:
    """What one form says. Raises Dropped where it says nothing or two things, ValueError for words nobody knows.

    Such words count elsewhere too where none of the `vote` was answered: they may be a tie, which must not be lost.
    """
    asked = [answer for answer in answers if answer.question in vote]
    unknown = [answer for answer in answers if not answer.takes_side and meaning(answer.word) is None]
    winners = {_winner(answer) for answer in asked or unknown}
    if not winners:
        raise Dropped("no choice made")
    if len(winners) > 1:
        raise Dropped("contradicts itself")
    return winners.pop()


def _winner(answer: Answer) -> Winner:
    if (found := meaning(answer.word)) is not None:
        return found
    if _plain(answer.word) in _NO_PREFERENCE:
        raise Dropped("no preference")
    known = ", ".join(("left", "right", *_TIES))
    raise ValueError(f"the choice of {answer.question!r} is {answer.word!r:.60}; expected one of {known}")


def compared(data: Row, item: str, rater: str, winner: Winner) -> Comparison:
    """A vote on what `data` says was shown. Raises ValueError or KeyError where it names no two systems."""
    left, right = _systems(data)
    item = given(data, "question_id", "item") or item
    return Comparison(
        item=item,
        group=given(data, "prompt_group") or item,
        language=given(data, "language") or "und",
        system_a=left,
        system_b=right,
        winner=winner,
        rater=rater,
        shown_first=left,
    )


def _systems(data: Row) -> tuple[str, str]:
    for pair in SIDES:
        if any(isinstance(data.get(name), list | dict) for name in pair):
            raise ValueError(f"{' and '.join(pair)} are not both names")
        if any(given(data, name) for name in pair):
            left, right = (named(data, name) for name in pair)
            if left == right:
                raise ValueError(f"{left!r} stood on both sides")
            return left, right
    pairs = ", or ".join(" and ".join(pair) for pair in SIDES)
    raise ValueError(f"no field of the data says which system stood where; expected {pairs}")


def telling_ties(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """The same votes; where any calls both answers bad, all could have."""
    found = tuple(comparisons)
    tells = any(row.winner is Winner.BOTH_BAD for row in found)
    return tuple(msgspec.structs.replace(row, tells_ties=tells) for row in found)
