"""FastChat's MT-Bench files as records: model answers, judgments of single answers, judgments of pairs.

Each holds one JSON object a line, and which of the three it is shows in its keys. Source of the formats:
``fastchat/llm_judge`` of lm-sys/FastChat at 0e6d3e4b (``gen_model_answer.py``, ``gen_api_answer.py``, ``common.py``).
"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from evalsuite.errors import DataError, UsageError, nearest
from evalsuite.interop.json_files import Row, shown
from evalsuite.verdicts import Winner

FAILURES = ("$ERROR$", "ERROR")
"""What FastChat writes where there is no answer: when an API gave up, and after a local model's RuntimeError."""
NO_RATING = -1
"""FastChat's score of a judgment in which no rating was found."""
TURNS = (1, 2)
_WINNERS = {"model_1": Winner.A, "model_2": Winner.B, "tie": Winner.TIE, "error": None}
_CLOCK = {"tstamp", "answer_id"}
"""Keys that differ between two copies of one thing."""


class Kind(enum.StrEnum):
    """What a file holds."""

    MODEL_ANSWERS = "model answers"
    SINGLE_JUDGMENTS = "single judgments"
    PAIR_JUDGMENTS = "pair judgments"


_MARK = {"choices": Kind.MODEL_ANSWERS, "g1_winner": Kind.PAIR_JUDGMENTS, "score": Kind.SINGLE_JUDGMENTS}
"""The key that only rows of a kind have."""


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answered to one question, turn by turn; None where FastChat wrote that there is no answer.

    Only the first choice counts, as in FastChat's judging; `num_other_choices` are left.
    """

    question: str
    model: str
    turns: tuple[str | None, ...]
    num_other_choices: int
    content: Mapping[str, Any]
    where: str

    @property
    def key(self) -> Hashable:
        """What may stand once."""
        return self.question, self.model

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        return f"question {self.question}, answered by {self.model}"


@dataclass(frozen=True)
class SingleJudgment:
    """A judge's rating of a model's answer to one turn; None where none was found in the judge's text."""

    question: str
    turn: int
    model: str
    judge: str
    template: str
    rating: float | None
    content: Mapping[str, Any]
    where: str

    @property
    def key(self) -> Hashable:
        """What may stand once: a second template is no second judge."""
        return self.question, self.turn, self.model, self.judge

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        return f"question {self.question}, turn {self.turn}, of {self.model} judged by {self.judge}"


@dataclass(frozen=True)
class PairJudgment:
    """A judge's verdicts on two models' answers to one turn, shown in either order; A is `model_1`, None no verdict.

    In the variant that rates the two answers one by one, both verdicts are the comparison of the two ratings, and
    `is_by_rating`; `is_rated` is False when a rating was not found, which FastChat compares all the same.
    """

    question: str
    turn: int
    model_1: str
    model_2: str
    games: tuple[Winner | None, Winner | None]
    judge: str
    template: str
    is_by_rating: bool
    is_rated: bool
    content: Mapping[str, Any]
    where: str

    @property
    def winner(self) -> Winner | None:
        """FastChat's verdict over both orders: a tie unless they agree on one model; None without both."""
        first, second = self.games
        if first is None or second is None:
            return None
        return first if first == second else Winner.TIE

    def seen_by(self, model: str) -> Winner | None:
        """The verdict over both orders with `model` as A."""
        winner = self.winner
        return winner.swapped if winner is not None and model == self.model_2 else winner

    @property
    def key(self) -> Hashable:
        """What may stand once, whichever of the two is called `model_1`."""
        return self.question, self.turn, frozenset((self.model_1, self.model_2)), self.judge

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        pair = f"{self.model_1} against {self.model_2}"
        return f"question {self.question}, turn {self.turn}, of {pair} judged by {self.judge}"


class _Keyed(Protocol):
    """A record that may stand once."""

    @property
    def key(self) -> Hashable: ...

    @property
    def subject(self) -> str: ...

    @property
    def content(self) -> Mapping[str, Any]: ...

    @property
    def where(self) -> str: ...


Record = TypeVar("Record", bound=_Keyed)


def kind_of(rows: Sequence[Row]) -> Kind:
    """What all `rows` are. Raises DataError for rows of no known kind, or of two."""
    kind = _kind(rows[0])
    for row in rows:
        if _kind(row) != kind:
            row.refuse(f"this is one of {_kind(row)}, but {rows[0].where} is one of {kind}; import one kind at a time.")
    return kind


def _kind(row: Row) -> Kind:
    for mark, kind in _MARK.items():
        if mark in row.fields:
            return kind
    found = ", ".join(map(shown, list(row.fields)[:8])) or "nothing"
    return row.refuse(f"no FastChat row: none of the keys {', '.join(_MARK)}, only {found}.")


def model_answers(rows: Sequence[Row]) -> tuple[ModelAnswer, ...]:
    """The rows of a file of model answers. Raises DataError."""
    return tuple(map(_model_answer, rows))


def single_judgments(rows: Sequence[Row]) -> tuple[SingleJudgment, ...]:
    """The rows of a file of single judgments; of whatever scale. Raises DataError."""
    return tuple(map(_single_judgment, rows))


def pair_judgments(rows: Sequence[Row]) -> tuple[PairJudgment, ...]:
    """The rows of a file of pair judgments. Raises DataError."""
    return tuple(map(_pair_judgment, rows))


def with_baseline(judgments: Sequence[PairJudgment], baseline: str) -> Sequence[PairJudgment]:
    """The comparisons with the baseline; all of them when it is empty. Raises UsageError when no row has it."""
    if not baseline:
        return judgments
    kept = [one for one in judgments if baseline in (one.model_1, one.model_2)]
    if not kept:
        known = sorted({model for one in judgments for model in (one.model_1, one.model_2)})
        near = nearest(baseline, known)
        guess = f"did you mean {near!r}?" if near else f"they are of {', '.join(known[:8])}."
        raise UsageError(f"--baseline: no judgment is of {baseline!r}; {guess}")
    return kept


def merge_equal(records: Sequence[Record]) -> tuple[Record, ...]:
    """The first record of each key. Raises DataError for a later one that says something else, naming both places."""
    kept: dict[Hashable, Record] = {}
    for record in records:
        first = kept.setdefault(record.key, record)
        if first.content != record.content:
            same = f"which is about the same, {record.subject}"
            raise DataError(f"{record.where}: differs from {first.where}, {same}; keep one of them.")
    return tuple(kept.values())


def count_repeated(records: Sequence[Record]) -> int:
    """How many records have the key of an earlier one."""
    return len(records) - len({record.key for record in records})


def _model_answer(row: Row) -> ModelAnswer:
    choices = row.value("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        row.refuse(f"'choices' is {shown(choices)}; expected a list of objects with 'turns'.")
    turns = choices[0].get("turns")
    if not isinstance(turns, list) or not turns or not all(turn is None or isinstance(turn, str) for turn in turns):
        row.refuse(f"the 'turns' of its first choice are {shown(turns)}; expected a list of strings.")
    return ModelAnswer(
        question=_question(row),
        model=row.name("model_id"),
        turns=tuple(None if turn is None or turn.strip() in FAILURES else turn for turn in turns),
        num_other_choices=len(choices) - 1,
        content=_content(row),
        where=row.where,
    )


def _single_judgment(row: Row) -> SingleJudgment:
    judge, template = _judge(row)
    score = row.number("score")
    return SingleJudgment(
        question=_question(row),
        turn=row.whole("turn", TURNS),
        model=row.name("model"),
        judge=judge,
        template=template,
        rating=None if score == NO_RATING else score,
        content=_content(row),
        where=row.where,
    )


def _pair_judgment(row: Row) -> PairJudgment:
    judge, template = _judge(row)
    model_1, model_2 = row.name("model_1"), row.name("model_2")
    if model_1 == model_2:
        row.refuse(f"'model_1' and 'model_2' are both {shown(model_1)}.")
    ratings = [row.number(key) for key in ("m1_score", "m2_score") if key in row.fields]
    return PairJudgment(
        question=_question(row),
        turn=row.whole("turn", TURNS) if "turn" in row.fields else 1,  # comparisons of ratings are of the first turn
        model_1=model_1,
        model_2=model_2,
        games=(_game(row, "g1_winner"), _game(row, "g2_winner")),
        judge=judge,
        template=template,
        is_by_rating=bool(ratings),
        is_rated=NO_RATING not in ratings,
        content=_content(row),
        where=row.where,
    )


def _question(row: Row) -> str:
    """The question's id as text: a number in MT-Bench, a text in benchmarks that took over its format."""
    value = row.value("question_id")
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        row.refuse(f"'question_id' is {shown(value)}; expected a whole number or a string.")
    return str(value)


def _judge(row: Row) -> tuple[str, str]:
    """The judging model and its prompt template."""
    match row.value("judge"):
        case [str(judge), str(template)] if judge.strip() and template.strip():
            return judge, template
        case other:
            return row.refuse(f"'judge' is {shown(other)}; expected the judging model and its template.")


def _game(row: Row, key: str) -> Winner | None:
    name = row.text(key)
    if name not in _WINNERS:
        row.refuse(f"{key!r} is {shown(name)}; expected one of {', '.join(_WINNERS)}.")
    return _WINNERS[name]


def _content(row: Row) -> Mapping[str, Any]:
    return {key: value for key, value in row.fields.items() if key not in _CLOCK}
