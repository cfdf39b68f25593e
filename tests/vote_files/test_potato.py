"""Potato's files: a user's state, exports of all users, older versions' files; systems are in the data files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import DataError
from evalsuite.verdicts import Comparison, Winner
from evalsuite.vote_files.formats import read_votes
from evalsuite.vote_files.reading import Imported

ITEMS: list[dict[str, Any]] = [
    {
        "id": "p1",
        "text": ["مسقط\u2028", "صلالة"],
        "model_a": "x",
        "model_b": "y",
        "language": "ar",
        "prompt_group": "g",
    },
    {"id": 2, "text": ["北京", "上海"], "system_left": "y", "system_right": "z", "language": "zh", "question_id": "q2"},
    {"id": "p3", "text": ["one", "two"], "model_left": "z", "model_right": "x"},
]


def lines(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """A data file in the manner of Potato's examples: lines of JSON, named .json."""
    return lines(tmp_path / "data" / "items.json", ITEMS)


def state(path: Path, user: str, **labels: Any) -> Path:
    """A user_state.json; its labels are pairs of a label and its value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "user_id": user,
        "instance_id_ordering": list(labels),
        "current_phase_and_page": ["annotation", "annotation"],
        "instance_id_to_label_to_value": labels,
        "instance_id_to_span_to_value": {},
    }
    path.write_text(json.dumps(kept, indent=2), encoding="utf-8")
    return path


def said(schema: str, name: str, value: Any) -> list[Any]:
    return [{"schema": schema, "name": name}, value]


def picked(value: Any, schema: str = "preference") -> list[Any]:
    return [said(schema, "selection", value)]


def export(instance: str, user: str, **labels: Any) -> dict[str, Any]:
    return {"instance_id": instance, "user_id": user, "labels": labels, "spans": {}, "links": {}}


def read(*paths: Path) -> Imported:
    return read_votes(paths, "potato")


def winners(found: Imported) -> list[Winner]:
    return [row.winner for row in found.comparisons]


def test_states_of_several_users(tmp_path: Path, items: Path) -> None:
    ann = state(tmp_path / "out" / "ann" / "user_state.json", "ann", p1=picked("A"), p3=picked("tie"))
    ben = state(tmp_path / "out" / "ben" / "user_state.json", "ben", **{"p1": picked("B"), "2": picked("B")})
    found = read(ann, items, ben)
    assert found.comparisons[0] == Comparison(
        item="p1", group="g", language="ar", system_a="x", system_b="y", winner=Winner.A, rater="ann", shown_first="x",
    )  # fmt: skip
    assert [(row.item, row.rater, row.system_a, row.system_b, row.winner) for row in found.comparisons[1:]] == [
        ("p3", "ann", "z", "x", Winner.TIE), ("p1", "ben", "x", "y", Winner.B), ("q2", "ben", "y", "z", Winner.B),
    ]  # fmt: skip
    assert found.dropped == {}


@pytest.mark.parametrize("value", ["-3", "0", "2", "1.5", -1, 0])
def test_scales_say_who_won(tmp_path: Path, items: Path, value: Any) -> None:
    votes = lines(tmp_path / "annotations.jsonl", [export("p1", "ann", preference_scale={"scale_value": value})])
    (found,) = read(items, votes).comparisons
    expected = Winner.A if float(value) < 0 else Winner.B if float(value) > 0 else Winner.TIE
    assert (found.winner, found.preference) == (expected, None)


def test_radios_tell_ties_and_other_questions_do_not_matter(tmp_path: Path, items: Path) -> None:
    rest = {"comment": {"text_box": "both bad"}, "clear": {"Yes": "true"}, "fluency": {"4": "4"}}
    rows = [
        export("p1", "ann", preference={"selection": "A"}, **rest),
        export("p1", "ben", preference={"selection": ""}, ties={"Both bad": "Both bad", "free_response": "A"}, **rest),
        export("p1", "eve", ties={"Tie": "true", "Both bad": False}, **rest),
        export("p3", "ann", ties={"Tie": 1}, preference={"selection": "B"}, **rest),
        export("p3", "ben", comment={"text_box": "?"}, mood="fine"),
    ]
    found = read(lines(tmp_path / "annotations.jsonl", rows), items)
    assert winners(found) == [Winner.A, Winner.BOTH_BAD, Winner.TIE]
    assert all(row.tells_ties for row in found.comparisons)
    assert found.dropped == {"contradicts itself": 1, "no choice made": 1}


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables_of_the_exporters(tmp_path: Path, items: Path, suffix: str) -> None:
    rows = [
        {"instance_id": "p1", "user_id": "ann", "preference.selection": "B", "ties.Both bad": "", "n._spans": "[]"},
        {"instance_id": "p3", "user_id": "ann", "preference.selection": "", "ties.Both bad": "true", "n._spans": ""},
    ]
    assert winners(read(items, table(tmp_path / f"annotations{suffix}", rows))) == [Winner.B, Winner.BOTH_BAD]


def test_a_question_with_a_dot_in_its_name(tmp_path: Path, items: Path) -> None:
    rows = [{"instance_id": "p1", "user_id": "ann", "v2.preference.scale_value": "-1"}]
    assert winners(read(items, table(tmp_path / "annotations.csv", rows))) == [Winner.A]


def test_files_of_older_versions(tmp_path: Path, items: Path) -> None:
    common = {"displayed_text": "…", "span_annotations": [], "behavioral_data": {}}
    all_users = lines(
        tmp_path / "annotated_instances.json",
        [{"user_id": "ann", "instance_id": "p1", "label_annotations": {"better": {"Left": "1"}}, **common}],
    )
    own = lines(
        tmp_path / "out" / "ben" / "annotated_instances.jsonl",
        [{"id": "p1", "label_annotations": {"better": {"Tie": "3"}}, **common}],
    )
    rows = [{"user": "eve", "instance_id": "p1", "displayed_text": "…", "better:::Right": "2", "better:::Tie": ""}]
    found = read(items, all_users, own, table(tmp_path / "annotated_instances.tsv", rows))
    assert [(row.rater, row.winner) for row in found.comparisons] == [
        ("ann", Winner.A), ("ben", Winner.TIE), ("eve", Winner.B),
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".json"])
def test_data_files_of_every_kind(tmp_path: Path, suffix: str) -> None:
    rows = [{"id": "p1", "model_a": "x", "model_b": "y", "language": "中文"}]
    path = tmp_path / f"items{suffix}"
    if suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        (table if suffix == ".csv" else lines)(path, rows)
    votes = lines(tmp_path / "annotations.jsonl", [export("p1", "ann", preference={"selection": "A"})])
    assert [row.language for row in read(path, votes).comparisons] == ["中文"]


def test_a_vote_that_is_there_twice_counts_once_as_the_later_file_has_it(tmp_path: Path, items: Path) -> None:
    first = state(tmp_path / "user_state.json", "ann", p1=picked("A"))
    votes = lines(tmp_path / "annotations.jsonl", [export("p1", "ann", preference={"selection": "B"})] * 2)
    found = read(items, first, votes)
    assert (winners(found), found.dropped) == ([Winner.B], {"voted again": 2})


def test_of_several_questions_the_overall_one_is_the_vote(tmp_path: Path, items: Path) -> None:
    answers = {"fluency": {"selection": "A"}, "overall": {"selection": "B"}}
    votes = lines(tmp_path / "annotations.jsonl", [export("p1", "ann", **answers)])
    assert winners(read(items, votes)) == [Winner.B]
    lines(votes, [export("p1", "ann", fluency={"selection": "A"}, depth={"selection": "A"})])
    with pytest.raises(DataError, match="depth and fluency each take a side"):
        read(items, votes)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in export("p1", "u", preference={"selection": "A"}).items() if name != key}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (export("p1", "u", preference={"selection": "C"}), "the winner is 'C'; expected one of a, b, tie"),
        (export("p1", "u", preference={"scale_value": "ثلاثة"}), "ثلاثة"),
        (export("p1", "u", preference={"scale_value": "nan"}), "the scale's value is 'nan'"),
        (export("p1", "u", better={"平局": "true"}), "the choice of 'better' is '平局'"),
        (export("p9", "u", preference={"selection": "A"}), "no data file has an item with the id 'p9'"),
        ({**export("p1", "u"), "labels": 3}, "the labels are 3"),
        ({**export("p1", "u"), "labels": [["preference", "A"]]}, "is no pair of a label and its value"),
        ({**export("p1", ""), "labels": {}}, "there is no 'user_id'"),
        ({**export("", "u"), "labels": {}}, "there is no 'instance_id'"),
        ({"text": "an item"}, "there is no 'id'"),
        ({**ITEMS[0], "model_a": "w"}, "another item has the id 'p1'"),
        ({"user_id": "u", "instance_id_to_label_to_value": []}, "instance_id_to_label_to_value is no object"),
        ({"instance_id_to_label_to_value": {}}, "there is no 'user_id'"),
        ({"user_id": "u", "instance_id_to_label_to_value": {"p1": [[{"name": "selection"}, "A"]]}},
         "instance 'p1': there is no 'schema'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_row(tmp_path: Path, items: Path, row: Any, text: str) -> None:
    path = lines(tmp_path / "v.jsonl", [export("p1", "ann", preference={"selection": "A"}), row])
    with pytest.raises(DataError, match=r"v\.jsonl, row 2") as caught:
        read(items, path)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"id": "p1", "text": ["a", "b"]}, "no field of the data says which system stood where"),
        ({"id": "p1", "model_a": "x"}, "there is no 'model_b'"),
        ({"id": "p1", "model_a": "x", "model_b": "x"}, "'x' stood on both sides"),
    ],
)
def test_items_have_to_name_their_systems(tmp_path: Path, item: dict[str, Any], text: str) -> None:
    votes = lines(tmp_path / "v.jsonl", [export("p1", "ann", preference={"selection": "A"})])
    with pytest.raises(DataError, match=r"v\.jsonl, row 1: ") as caught:
        read(lines(tmp_path / "items.jsonl", [item]), votes)
    assert text in str(caught.value)


def test_data_files_alone_are_no_votes(items: Path) -> None:
    with pytest.raises(DataError, match="there are no annotations"):
        read(items)


@pytest.mark.parametrize("text", ["{", "[1]", "1", "[{}, 2]", "\x00"])
def test_garbled_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "user_state.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"user_state\.json"):
        read(tmp_path / "user_state.json")
