"""Potato's annotations, with the project's data files: a ``pairwise`` question, or ``radio`` questions about ties.

Read are every user's user_state.json, and annotations.jsonl, .csv and .tsv of its exporters (davidjurgens/potato at
f5ed5d4, potato/user_state_management.py, potato/export/cli.py and tabular_exporter.py); of older versions
annotated_instances.jsonl, .json, .csv and .tsv (at b47c619, potato/flask_server.py). A pairwise question in binary
mode holds A, B or tie, in scale mode a number, below nought for A (potato/server_utils/schemas/pairwise.py); the
scale's ends are in the project's configuration only, so that such a vote says who won, not by how much. A slider that
nobody touched may be stored as nought (potato/static/annotation.js). Modes of several dimensions are not read.

Of an instance these files hold its id; its data has to be among the files (.json, .jsonl, .csv or .tsv, each row with
an ``id``), and names the systems: A, the first item, stood left. The fields are those of
`answered_forms`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.verdicts import Comparison, Winner

from .answered_forms import Answer, at, compared, meaning, questions_of_vote, telling_ties, winner_of_answers
from .reading import Dropped, Imported, Row, given, json_lines, json_value, named, read_rows, read_text, winner_of

_STATE = "instance_id_to_label_to_value"
_BINARY = {"a": Winner.A, "b": Winner.B, "tie": Winner.TIE}
_WORDS = {Winner.A: "a", Winner.B: "b", Winner.TIE: "tie"}
_FREE_TEXT = "free_response"


@dataclass(frozen=True)
class _Ballot:
    """One person's answers about one instance, with the place that an error names."""

    place: str
    instance: str
    rater: str
    answers: tuple[Answer, ...]


def read_potato(paths: Sequence[Path]) -> Imported:
    """The votes of a project's annotations; where one person voted on an instance twice, the later stays.

    Raises DataError.
    """
    items: dict[str, Row] = {}
    ballots: list[_Ballot] = []
    for path in paths:
        for number, row in enumerate(_rows(path), 1):
            place = f"{path}, row {number}"
            with at(place):
                if _is_item(row):
                    _add(items, row)
                else:
                    ballots.extend(_ballots(path, place, row))
    if not ballots:
        raise DataError(f"{', '.join(map(str, paths))}: there are no annotations.")
    with at(", ".join(map(str, paths))):
        vote = questions_of_vote(answer for ballot in ballots for answer in ballot.answers)
    return _imported(ballots, items, vote)


def _imported(ballots: Sequence[_Ballot], items: Mapping[str, Row], vote: Collection[str]) -> Imported:
    last = {(ballot.rater, ballot.instance): number for number, ballot in enumerate(ballots)}
    comparisons: list[Comparison] = []
    dropped: Counter[str] = Counter()
    for number, ballot in enumerate(ballots):
        if last[ballot.rater, ballot.instance] != number:
            dropped["voted again"] += 1
            continue
        try:
            with at(ballot.place):
                comparisons.append(_comparison(ballot, items, vote))
        except Dropped as reason:
            dropped[str(reason)] += 1
    return Imported(telling_ties(comparisons), dict(dropped))


def _comparison(ballot: _Ballot, items: Mapping[str, Row], vote: Collection[str]) -> Comparison:
    winner = winner_of_answers(ballot.answers, vote)
    if ballot.instance not in items:
        raise ValueError(f"no data file has an item with the id {ballot.instance!r}, which would name its systems")
    return compared(items[ballot.instance], ballot.instance, ballot.rater, winner)


# -- files


def _rows(path: Path) -> list[Row]:
    """The rows of a file. Potato's .json is a list, one object, or has one on each line."""
    if path.suffix.lower() not in (".json", ".jsonl"):
        return read_rows(path)
    text = read_text(path)
    try:
        try:
            found = json_value(text)
        except ValueError:
            found = json_lines(text)
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    rows = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: expected objects.")
    return rows


def _is_item(row: Row) -> bool:
    is_line = "instance_id" in row and ("user_id" in row or "user" in row)
    return not is_line and _STATE not in row and "label_annotations" not in row


def _add(items: dict[str, Row], row: Row) -> None:
    found = named(row, "id", "instance_id")
    if items.setdefault(found, row) != row:
        raise ValueError(f"another item has the id {found!r}")


def _ballots(path: Path, place: str, row: Row) -> Iterator[_Ballot]:
    if _STATE in row:
        rater, state = named(row, "user_id"), row[_STATE]
        if not isinstance(state, Mapping):
            raise ValueError(f"{_STATE} is no object")
        for instance, labels in state.items():
            yield _ballot(f"{place}, instance {instance!r}", instance, rater, labels)
        return
    # a user's own file of older versions has the name on its folder only
    rater = given(row, "user_id", "user") or (path.resolve().parent.name if "id" in row else named(row, "user_id"))
    labels = row.get("labels", row.get("label_annotations"))
    yield _ballot(place, named(row, "instance_id", "id"), rater, _columns(row) if labels is None else labels)


def _ballot(place: str, instance: str, rater: str, labels: object) -> _Ballot:
    with at(place):
        return _Ballot(place, instance, rater, tuple(_answers(labels)))


def _columns(row: Row) -> dict[str, dict[str, object]]:
    """The labels of a table's row, whose columns are ``question.label``, or ``question:::label`` in older versions."""
    found: dict[str, dict[str, object]] = {}
    for column, cell in row.items():
        question, is_label, label = column.partition(":::")
        if not is_label:
            split = column.rpartition if column.endswith((".selection", ".scale_value")) else column.partition
            question, is_label, label = split(".")
        if is_label:
            found.setdefault(question, {})[label] = cell
    return found


# -- answers


def _answers(labels: object) -> Iterator[Answer]:
    for question, label, value in _labels(labels):
        if value is None or value == "":
            continue
        if label == "selection":
            yield Answer(question, _WORDS[winner_of(value, _BINARY)], takes_side=True)
        elif label == "scale_value":
            yield Answer(question, _WORDS[_of_scale(value)], takes_side=True)
        elif label != _FREE_TEXT and _is_chosen(label, value):
            yield Answer(question, label)


def _labels(labels: object) -> Iterator[tuple[str, str, object]]:
    """Question, label and value of each: a state has them as a list of pairs, other files by question."""
    if isinstance(labels, list):
        for pair in labels:
            match pair:
                case [Mapping() as label, value]:
                    yield named(label, "schema"), named(label, "name"), value
                case _:
                    raise ValueError(f"{pair!r:.60} is no pair of a label and its value")
        return
    if not isinstance(labels, Mapping):
        raise ValueError(f"the labels are {labels!r:.60}; expected an object or a list of pairs")
    for question, answers in labels.items():
        # an answer without labels is a text or a number, and no choice
        for label, value in answers.items() if isinstance(answers, Mapping) else ():
            yield question, label, value


def _of_scale(value: object) -> Winner:
    number = float(str(value))
    if not math.isfinite(number):
        raise ValueError(f"the scale's value is {value!r}; expected a number")
    return Winner.A if number < 0 else Winner.B if number > 0 else Winner.TIE


def _is_chosen(label: str, value: object) -> bool:
    """Whether a radio button is on: its value is true, its label or, in older versions, the key that picks it.

    With any value at all only where the label is one of a vote: a text box has a label and a value as well.
    """
    if value in (False, 0) or str(value).casefold() == "false":
        return False
    return value is True or str(value).casefold() in ("true", "1", label.casefold()) or meaning(label) is not None
