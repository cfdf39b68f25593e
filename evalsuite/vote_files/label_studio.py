"""Label Studio's annotations: the side that a ``Pairwise`` tag holds, or what a ``Choices`` tag says of both answers.

The JSON export is a list of tasks, each with its ``data`` and with ``annotations`` of many people, skipped ones among
them (HumanSignal/label-studio at 5eb2a6c, label_studio/data_export/serializers.py; what the tag holds: at e1e0c4e,
web/libs/editor/src/tags/control/Pairwise.js). JSON-MIN, CSV and TSV have a row for each annotation that was not
skipped, with the fields of its task beside its tags (HumanSignal/label-studio-sdk at 97fcff1, converter/converter.py,
exports/csv2.py and utils.py under src/label_studio_sdk); they do not say which column is a tag, so that here a column
of choices is one that mostly says left, right or a kind of tie.

None of them knows systems: fields of the data name them (`SIDES`) and may give ``language``, ``question_id`` or
``item`` (else every task is an item of its own) and ``prompt_group``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.verdicts import Comparison, Winner

from .answered_forms import SIDES, Answer, at, compared, meaning, questions_of_vote, telling_ties, winner_of_answers
from .reading import Dropped, Imported, Row, given, json_value, named, read_rows, winner_of

_OWN_COLUMNS = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "history"}
    | {"language", "prompt_group", "question_id", "item"}
    | {name for pair in SIDES for name in pair}
)
"""Columns of a row that are no tags."""

_PAIRWISE = {"left": Winner.A, "right": Winner.B}


# -- Label Studio


@dataclass(frozen=True)
class _Ballot:
    """One annotation of one task, with the place that an error names."""

    place: str
    task: Row
    annotation: Row


def read_label_studio(paths: Sequence[Path]) -> Imported:
    """The annotations of a project's exports, each once, as it was last updated. Raises DataError."""
    dropped: Counter[str] = Counter()
    ballots = [ballot for path in paths for ballot in _ballots(path, dropped)]
    last = _last_updated(ballots)
    with at(", ".join(map(str, paths))):
        vote = questions_of_vote(answer for ballot in ballots for answer in _answers(ballot))
    comparisons: list[Comparison] = []
    for number, ballot in enumerate(ballots):
        if last.get(_identity(ballot), number) != number:
            dropped["same annotation again"] += 1
            continue
        try:
            with at(ballot.place):
                comparisons.append(_comparison(ballot, vote))
        except Dropped as reason:
            dropped[str(reason)] += 1
    return Imported(telling_ties(comparisons), dict(dropped))


def _ballots(path: Path, dropped: Counter[str]) -> Iterator[_Ballot]:
    for place, task in _tasks(path):
        with at(place):
            annotations = _objects(task, "annotations")
            if not isinstance(task["data"], Mapping):
                raise ValueError("data is no object")
        dropped.update(() if annotations else ("no annotation",))
        yield from (_Ballot(place, task, annotation) for annotation in annotations)


def _tasks(path: Path) -> Iterator[tuple[str, Row]]:
    rows = read_rows(path)
    has_tasks = any("annotations" in row or isinstance(row.get("data"), Mapping) for row in rows)
    columns = frozenset() if has_tasks else _columns_of_choices(rows)
    for number, row in enumerate(rows, 1):
        place = f"{path}, row {number}"
        with at(place):
            yield place, row if has_tasks else _as_task(row, columns)


def _objects(row: Row, key: str) -> list[Row]:
    found = row[key]
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise ValueError(f"{key} is no list of objects")
    return found


def _comparison(ballot: _Ballot, vote: Collection[str]) -> Comparison:
    if _is_cancelled(ballot.annotation):
        raise Dropped("cancelled")
    task = ballot.task
    item = given(task["data"], "question_id", "item") or f"task {named(task, 'id')}"
    winner = winner_of_answers(_answers(ballot), vote)
    return compared(task["data"], item, _rater(ballot.annotation.get("completed_by")), winner)


def _is_cancelled(annotation: Row) -> bool:
    found = annotation.get("was_cancelled") or False
    if not isinstance(found, bool):
        raise ValueError(f"was_cancelled is {found!r}; expected true or false")
    return found


def _answers(ballot: _Ballot) -> list[Answer]:
    """What the Pairwise and Choices tags of an annotation hold; nothing of one that was skipped."""
    with at(ballot.place):
        if _is_cancelled(ballot.annotation):
            return []
        return [answer for result in _objects(ballot.annotation, "result") for answer in _answers_of(result)]


def _answers_of(result: Row) -> Iterator[Answer]:
    match result.get("type"):
        case "pairwise":
            side = winner_of(result["value"]["selected"], _PAIRWISE)
            yield Answer(named(result, "from_name"), "left" if side is Winner.A else "right", takes_side=True)
        case "choices":
            words = result["value"]["choices"]
            if not isinstance(words, list):
                raise ValueError(f"the choices are {words!r}; expected a list")
            yield from (Answer(named(result, "from_name"), str(word)) for word in words)


def _rater(completed_by: object) -> str:
    """An annotator's id; the address only of one without. Empty for one whom the export hides."""
    match completed_by:
        case None:
            return ""
        case str() | int() if not isinstance(completed_by, bool):
            return str(completed_by)
        case Mapping():
            return given(completed_by, "id", "email")
    raise ValueError(f"completed_by is {completed_by!r}; expected an id, or an object with one")


def _identity(ballot: _Ballot) -> tuple[str, str] | None:
    """What an annotation is known by in every export: ids are one server's, so that the time of its birth is added."""
    found = given(ballot.annotation, "id")
    return (found, given(ballot.annotation, "created_at")) if found else None


def _last_updated(ballots: Sequence[_Ballot]) -> dict[tuple[str, str] | None, int]:
    last: dict[tuple[str, str] | None, tuple[str, int]] = {}
    for number, ballot in enumerate(ballots):
        if (identity := _identity(ballot)) is not None:
            version = given(ballot.annotation, "updated_at"), number
            last[identity] = max(last.get(identity, version), version)
    return {identity: number for identity, (_, number) in last.items()}


# -- rows of JSON-MIN, CSV and TSV, as tasks with one annotation


def _as_task(row: Row, columns: Collection[str]) -> Row:
    results = [result for column in row for result in _results(column, row[column], columns)]
    is_annotated = any(given(row, key) for key in ("annotation_id", "annotator"))
    if is_annotated and not results:
        raise ValueError(
            "no column holds a Pairwise tag's side, or a choice where most say left, right or tie; "
            "of annotations without either only the JSON export can tell"
        )
    annotation = {
        "id": row.get("annotation_id"),
        "completed_by": given(row, "annotator") or None,
        "created_at": row.get("created_at"),
        "updated_at": row.get("updated_at"),
        "result": results,
    }
    return {"id": row.get("id"), "data": row, "annotations": [annotation] if is_annotated or results else []}


def _results(column: str, cell: object, columns: Collection[str]) -> Iterator[Row]:
    if column in _OWN_COLUMNS:
        return
    sides = [entry["selected"] for entry in _entries(cell) if "selected" in entry]
    yield from ({"type": "pairwise", "from_name": column, "value": {"selected": side}} for side in sides)
    if column in columns and (words := _words(cell)):
        yield {"type": "choices", "from_name": column, "value": {"choices": words}}


def _columns_of_choices(rows: Sequence[Row]) -> frozenset[str]:
    """Columns that mostly say a side or a tie, as a comment now and then may too.

    A letter does not show it: "A" may be the text of an answer.
    """
    known: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for row in rows:
        for column in row.keys() - _OWN_COLUMNS:
            for word in _words(row[column]):
                (known if len(word) > 1 and meaning(word) is not None else others)[column] += 1
    return frozenset(column for column, count in known.items() if count >= others[column])


def _words(cell: object) -> list[str]:
    """What a cell of a Choices tag holds: one choice as it is, several as an object with a list."""
    several = [word for entry in _entries(cell) if isinstance(entry.get("choices"), list) for word in entry["choices"]]
    if several:
        return [str(word) for word in several]
    return [cell] if isinstance(cell, str) and cell.strip() else []


def _entries(cell: object) -> list[Row]:
    """The objects that a cell holds, which CSV has as JSON text."""
    if isinstance(cell, str) and cell[:1] in ("[", "{"):
        try:
            cell = json_value(cell)
        except ValueError:
            return []
    found = cell if isinstance(cell, list) else [cell]
    return [entry for entry in found if isinstance(entry, Mapping)]
