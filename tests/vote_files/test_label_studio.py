"""Label Studio's exports: JSON, JSON-MIN, CSV and TSV of the same annotations say the same."""

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

DATA = {"prompt": "ما عاصمة عُمان؟", "answer1": "مسقط", "answer2": "صلالة", "model_left": "x", "model_right": "y"}


def side(selected: Any, name: str = "pw") -> dict[str, Any]:
    value = {"selected": selected}
    return {"id": "Dx1", "type": "pairwise", "from_name": name, "to_name": name, "origin": "manual", "value": value}


def choice(*words: Any, name: str = "verdict") -> dict[str, Any]:
    value = {"choices": list(words)}
    return {"id": "Dx2", "type": "choices", "from_name": name, "to_name": "txt", "origin": "manual", "value": value}


def annotation(*result: dict[str, Any], by: Any = 3, number: int | None = None, **more: Any) -> dict[str, Any]:
    born = {"id": number, "created_at": f"2026-03-01T10:00:{number:02}Z"} if number is not None else {}
    return {"completed_by": by, "was_cancelled": False, "ground_truth": False, "result": list(result), **born, **more}


def task(*annotations: dict[str, Any], number: Any = 7, **more: Any) -> dict[str, Any]:
    return {"id": number, "data": {**DATA, **more}, "annotations": list(annotations), "predictions": [], "drafts": []}


def write(path: Path, rows: Any) -> Path:
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = sorted({column for row in rows for column in row})
    with path.open("w", encoding="utf-8", newline="") as file:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        writer = csv.DictWriter(file, columns, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(*paths: Path) -> Imported:
    return read_votes(paths, "label_studio")


def winners(found: Imported) -> list[Winner]:
    return [row.winner for row in found.comparisons]


def test_annotations_of_one_task_are_votes_of_its_annotators(tmp_path: Path) -> None:
    described: dict[str, Any] = {"question_id": "q-1", "prompt_group": "capitals", "language": "ar"}
    person = {"id": 4, "email": "ben@example.org", "first_name": "", "last_name": ""}
    rows = [task(annotation(side("left"), by=3), annotation(side("right"), by=person), **described)]
    first, second = read(write(tmp_path / "export.json", rows)).comparisons
    assert first == Comparison(
        item="q-1", group="capitals", language="ar", system_a="x", system_b="y", winner=Winner.A, rater="3",
        shown_first="x",
    )  # fmt: skip
    assert (second.winner, second.rater) == (Winner.B, "4")


@pytest.mark.parametrize(
    "pair", [("system_left", "system_right"), ("model_a", "model_b"), ("model_left", "model_right")]
)
def test_systems_are_what_the_data_says(tmp_path: Path, pair: tuple[str, str]) -> None:
    row = task(annotation(side("right")), number=12)
    row["data"] = {"text1": "左", "text2": "右", pair[0]: "模型甲", pair[1]: "模型乙"}
    (found,) = read(write(tmp_path / "e.json", [row])).comparisons
    assert (found.system_a, found.system_b, found.shown_first, found.winner) == ("模型甲", "模型乙", "模型甲", Winner.B)
    assert (found.item, found.group, found.language) == ("task 12", "task 12", "und")


def test_the_side_is_named_by_left_and_right_rather_than_a_and_b(tmp_path: Path) -> None:
    rows = [task(annotation(side("left")), model_a="y", model_b="x")]
    (found,) = read(write(tmp_path / "e.json", rows)).comparisons
    assert found.system_a == "x"


def test_choices_tell_ties_and_other_questions_do_not_matter(tmp_path: Path) -> None:
    other = choice("Yes", name="is_clear")
    rows = [
        task(annotation(side("left"), other), number=1),
        task(annotation(choice("Tie"), other), number=2),
        task(annotation(other, choice("Both bad")), number=3),
        task(annotation({"type": "rating", "from_name": "r", "value": {"rating": 3}}, side("right")), number=4),
    ]
    found = read(write(tmp_path / "e.json", rows))
    assert winners(found) == [Winner.A, Winner.TIE, Winner.BOTH_BAD, Winner.B]
    assert all(row.tells_ties for row in found.comparisons)


def test_without_both_bad_ties_are_of_either_kind(tmp_path: Path) -> None:
    found = read(write(tmp_path / "e.json", [task(annotation(side("left")), annotation(choice("equal")))]))
    assert [row.tells_ties for row in found.comparisons] == [False, False]


@pytest.mark.parametrize(
    ("word", "winner"),
    [
        ("Left is better", Winner.A), ("response_b", Winner.B), ("A is much better", Winner.A),
        ("TIE_GOOD", Winner.TIE), ("No  preference", Winner.TIE), ("tie (bothbad)", Winner.BOTH_BAD),
        ("both-bad", Winner.BOTH_BAD),
    ],
)  # fmt: skip
def test_choices_may_take_sides_themselves(tmp_path: Path, word: str, winner: Winner) -> None:
    assert winners(read(write(tmp_path / "e.json", [task(annotation(choice(word)))]))) == [winner]


def test_what_is_no_vote_is_counted_by_reason(tmp_path: Path) -> None:
    rows = [
        task(annotation(side("left"), was_cancelled=True), annotation(side("left")), annotation(), number=1),
        task(number=2),
        task(annotation(side("left"), choice("Tie")), annotation(choice("Tie", "Both bad")), number=3),
        task(annotation(choice("Unsure")), number=4),
    ]
    found = read(write(tmp_path / "e.json", rows))
    assert winners(found) == [Winner.A]
    assert found.dropped == {
        "cancelled": 1, "no choice made": 1, "no annotation": 1, "contradicts itself": 2, "no preference": 1,
    }  # fmt: skip
    assert found.num_rows == 7


def test_skipped_tasks_need_no_systems(tmp_path: Path) -> None:
    row = task(annotation(was_cancelled=True))
    row["data"] = {"text": "…"}
    assert read(write(tmp_path / "e.json", [row])).dropped == {"cancelled": 1}


def test_an_annotation_in_two_exports_counts_once_as_last_updated(tmp_path: Path) -> None:
    old = task(annotation(side("left"), number=5, updated_at="2026-03-01"), annotation(side("left"), number=6))
    new = task(annotation(side("right"), number=5, updated_at="2026-03-02"), annotation(side("left"), by=9, number=8))
    paths = [write(tmp_path / "new.json", [new]), write(tmp_path / "old.json", [old])]
    found = read(*paths)
    assert winners(found) == [Winner.B, Winner.A, Winner.A]
    assert found.dropped == {"same annotation again": 1}


def test_ids_of_different_servers_are_different_annotations(tmp_path: Path) -> None:
    one, other = (annotation(side("left"), id=5, created_at=born) for born in ("2026-03-01", "2026-04-01"))
    found = read(write(tmp_path / "a.json", [task(one)]), write(tmp_path / "b.json", [task(other)]))
    assert (len(found.comparisons), found.dropped) == (2, {})


@pytest.mark.parametrize(
    ("by", "rater"),
    [
        (0, "0"),
        ("ann-1", "ann-1"),
        ({"email": "a@b.org"}, "a@b.org"),
        ({"id": 2, "email": "a@b.org"}, "2"),
        (None, ""),
        ({}, ""),
    ],
)
def test_an_annotator_is_known_by_id(tmp_path: Path, by: Any, rater: str) -> None:
    (found,) = read(write(tmp_path / "e.json", [task(annotation(side("left"), by=by))])).comparisons
    assert found.rater == rater


def flat(number: int, **more: Any) -> dict[str, Any]:
    own = {
        "id": number,
        "annotator": 3,
        "annotation_id": number,
        "created_at": "2026-03-01",
        "updated_at": "2026-03-01",
    }
    return {**DATA, "language": "ar", **own, "lead_time": 4.2, **more}


def test_json_min(tmp_path: Path) -> None:
    rows = [
        flat(1, pw=[{"selected": "right"}]),
        flat(2, verdict="Tie", is_clear="Yes"),
        flat(3, verdict={"choices": ["Tie", "Both bad"]}),
        flat(4, verdict="Both bad"),
        flat(5, annotator=None, annotation_id=None),
    ]
    found = read(write(tmp_path / "min.json", rows))
    assert winners(found) == [Winner.B, Winner.TIE, Winner.BOTH_BAD]
    assert found.dropped == {"contradicts itself": 1, "no annotation": 1}
    assert {(row.rater, row.language, row.system_a) for row in found.comparisons} == {("3", "ar", "x")}


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables(tmp_path: Path, suffix: str) -> None:
    rows = [
        flat(1, pw='[{"selected": "left"}]', answer1="A", answer2='["not", "a", "tag"', annotator="7"),
        flat(2, verdict="Both bad", answer1="B", annotator="ann@example.org", why="both bad"),
        flat(3, verdict='{"choices": ["Tie"]}', answer1="C", why="nothing in either,\nreally"),
        flat(4, pw='[{"selected": "right"}]', answer1="D", why="كلاهما"),
    ]
    found = read(table(tmp_path / f"export{suffix}", rows))
    assert winners(found) == [Winner.A, Winner.BOTH_BAD, Winner.TIE, Winner.B]
    assert [row.rater for row in found.comparisons] == ["7", "ann@example.org", "3", "3"]
    assert [row.item for row in found.comparisons] == ["task 1", "task 2", "task 3", "task 4"]


def test_a_tie_in_words_that_nobody_knows_is_never_left_out_of_a_table(tmp_path: Path) -> None:
    rows = [flat(1, pw='[{"selected": "left"}]'), flat(2, verdict="平局")]
    with pytest.raises(DataError, match=r"export\.csv, row 2: no column holds a Pairwise tag's side"):
        read(table(tmp_path / "export.csv", rows))


def test_a_choice_among_known_ones_is_refused_in_a_table(tmp_path: Path) -> None:
    rows = [flat(1, verdict="Left"), flat(2, verdict="Tie"), flat(3, verdict="平局")]
    with pytest.raises(DataError, match=r"export\.csv, row 3: the choice of 'verdict' is '平局'"):
        read(table(tmp_path / "export.csv", rows))


def test_of_several_questions_the_overall_one_is_the_vote(tmp_path: Path) -> None:
    answers = [side("left", "fluency"), side("right", "overall_quality")]
    assert winners(read(write(tmp_path / "e.json", [task(annotation(*answers))]))) == [Winner.B]
    only_fluency = annotation(answers[0])
    tie = annotation(answers[0], choice("Tie", name="overall_tie"))
    found = read(write(tmp_path / "e.json", [task(annotation(*answers), only_fluency, tie)]))
    assert (winners(found), found.dropped) == ([Winner.B, Winner.TIE], {"no choice made": 1})


@pytest.mark.parametrize(
    "answers",
    [
        [side("left", "fluency"), side("left", "depth")],
        [side("left", "overall"), side("left", "preference")],
        [side("left", "overall"), side("left", "fluency"), choice("Tie", name="tie")],
    ],
)
def test_questions_of_which_none_is_clearly_the_vote(tmp_path: Path, answers: list[dict[str, Any]]) -> None:
    with pytest.raises(DataError, match=r"e\.json: .* each take a side or tell ties"):
        read(write(tmp_path / "e.json", [task(annotation(*answers))]))


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def undescribed(*keys: str) -> dict[str, Any]:
    row = task(annotation(side("left")))
    return {**row, "data": {name: value for name, value in row["data"].items() if name not in keys}}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (without(task(annotation(side("left"))), "data"), "there is no 'data'"),
        (without(task(annotation(side("left"))), "annotations"), "there is no 'annotations'"),
        (without(task(annotation(side("left"))), "id"), "there is no 'id'"),
        (task(without(annotation(), "result")), "there is no 'result'"),
        (task(annotation({**side("left"), "value": {}})), "there is no 'selected'"),
        (task(annotation(without(side("left"), "from_name"))), "there is no 'from_name'"),
        (undescribed("model_right"), "there is no 'model_right'"),
        (undescribed("model_left", "model_right"), "expected model_left and model_right, or system_left"),
        (task(annotation(side("left")), model_right="x"), "'x' stood on both sides"),
        (task(annotation(side("left")), model_right=["y"]), "model_left and model_right are not both names"),
        ({**task(), "data": "x"}, "data is no object"),
        ({**task(), "annotations": [1]}, "annotations is no list of objects"),
        (task(annotation(side("middle"))), "the winner is 'middle'"),
        (task(annotation(side(["left"]))), "expected one of left, right"),
        (task(annotation(choice("أفضل"))), "the choice of 'verdict' is 'أفضل'; expected one of left, right, tie"),
        (task(annotation(choice(["Tie"]))), "the choice of 'verdict' is \"['Tie']\""),
        (task(annotation({**choice(), "value": {"choices": "Tie"}})), "the choices are 'Tie'; expected a list"),
        (task(annotation({**choice(), "value": None})), "NoneType"),
        (task(annotation(side("left"), by=True)), "completed_by is True"),
        (task(annotation(side("left"), by=[3])), "completed_by is [3]"),
        (task(annotation(side("left"), was_cancelled="no")), "was_cancelled is 'no'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_row(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    path = write(tmp_path / "e.json", [task(annotation(side("left"))), row])
    with pytest.raises(DataError, match=r"e\.json, row 2: ") as caught:
        read(path)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ['{"id": 1}', "[{]", "[1, 2]", '"x"', "\x00"])
def test_garbled_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"e\.json"):
        read(tmp_path / "e.json")


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "e.json").write_bytes("[]".encode("utf-16"))
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "e.json")
