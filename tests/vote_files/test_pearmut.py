"""Pearmut's logs of scores: pairs of systems that one annotator scored on one segment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import DataError
from evalsuite.verdicts import Comparison, Winner
from evalsuite.vote_files.formats import read_votes
from evalsuite.vote_files.reading import Imported


def segment(item: str, *systems: str, **more: Any) -> dict[str, Any]:
    return {"item_id": item, "src": "Good morning!", "tgt": {name: f"早上好 {name}" for name in systems}, **more}


def scores(**by_system: Any) -> dict[str, Any]:
    return {name: {"score": score, "error_spans": [], "textfield": None} for name, score in by_system.items()}


def entry(user: str, item_i: Any, *pairs: tuple[dict[str, Any], Any], **more: Any) -> dict[str, Any]:
    """A document: segments, each with what its outputs were given."""
    segments, annotation = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    actions = [{"time": 1771311126.056, "action": "load"}]
    return {"annotation": annotation, "actions": actions, "item": segments, "user_id": user, "item_i": item_i, **more}


def of(item: str = "s1", user: str = "ann", item_i: Any = 0, **by_system: Any) -> dict[str, Any]:
    return entry(user, item_i, (segment(item, *by_system, language="zh"), scores(**by_system)))


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def log(path: Path, *entries: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in entries), encoding="utf-8")
    return path


def read(*paths: Path) -> Imported:
    return read_votes(paths, "pearmut")


def outcomes(found: Imported) -> list[tuple[str, str, str, Winner]]:
    return [(row.rater, row.system_a, row.system_b, row.winner) for row in found.comparisons]


def test_scores_of_one_document_become_preferences(tmp_path: Path) -> None:
    document = entry(
        "ann",
        0,
        (segment("d1-1", "y", "x", "z", language="zh", prompt_group="g1"), scores(y=70, x=95, z=70)),
        (segment("d1-2", "y", "x", "z", language="zh"), scores(y=100, x=0, z=50)),
    )
    found = read(write(tmp_path / "annotations.json", {"campaign": [document]}))
    assert found.comparisons[0] == Comparison(
        item="d1-1", group="g1", language="zh", system_a="x", system_b="y", winner=Winner.A, rater="ann",
        shown_first="y",
    )  # fmt: skip
    assert outcomes(found) == [
        ("ann", "x", "y", Winner.A), ("ann", "x", "z", Winner.A), ("ann", "y", "z", Winner.TIE),
        ("ann", "x", "y", Winner.B), ("ann", "x", "z", Winner.B), ("ann", "y", "z", Winner.A),
    ]  # fmt: skip
    assert [row.shown_first for row in found.comparisons[:3]] == ["y", "x", "y"]
    assert {row.group for row in found.comparisons[3:]} == {"d1-1"}
    assert not any(row.tells_ties for row in found.comparisons)
    assert found.dropped == {}


def test_all_annotators_of_a_segment_count(tmp_path: Path) -> None:
    path = log(tmp_path / "c.jsonl", of(x=10, y=20), of(user="ben", x=30, y=20))
    assert outcomes(read(path)) == [("ann", "x", "y", Winner.B), ("ben", "x", "y", Winner.A)]


def test_texts_may_hold_line_separators(tmp_path: Path) -> None:
    row = of(x=1, y=2)
    row["item"][0]["src"] = "سطر\u2028سطر\x85"
    assert len(read(log(tmp_path / "c.jsonl", row)).comparisons) == 1


def test_scored_again_the_later_score_stays(tmp_path: Path) -> None:
    found = read(log(tmp_path / "c.jsonl", of(x=10, y=20), of(x=90, y=20), of(user="ben", x=1, y=2)))
    assert outcomes(found) == [("ann", "x", "y", Winner.A), ("ben", "x", "y", Winner.B)]
    assert found.dropped == {"scored again": 2}


def test_systems_scored_on_different_screens_are_compared_but_none_stood_first(tmp_path: Path) -> None:
    path = log(tmp_path / "c.jsonl", of(x=10), of(item_i=4, y=20), of("s2", x=50), of("s2", "ben", y=40))
    found = read(path)
    assert [(row.item, row.winner, row.shown_first) for row in found.comparisons] == [("s1", Winner.B, "")]
    assert found.dropped == {"nothing to compare with": 2}


def test_a_reset_voids_what_its_user_said_of_the_document(tmp_path: Path) -> None:
    reset = {"user_id": "ann", "item_i": 0, "annotation": "__RESET__"}
    path = log(tmp_path / "c.jsonl", of(x=10, y=20), of("s2", item_i=1, x=1, y=2), of(user="ben", x=3, y=4), reset)
    found = read(path)
    assert [(row.rater, row.item) for row in found.comparisons] == [("ann", "s2"), ("ben", "s1")]
    assert found.dropped == {"reset": 2}
    again = read(log(path, of(x=10, y=20), reset, of(x=30, y=20)))
    assert (outcomes(again), again.dropped) == ([("ann", "x", "y", Winner.A)], {"reset": 2})


def test_what_is_no_score_of_a_system_is_counted_by_reason(tmp_path: Path) -> None:
    form = entry("ann", "welcome_0", ({"text": "Mother tongue?", "form": "string"}, "العربية"))
    check = segment("c", "x", "y", validation={"x": {"score": [0, 20]}})
    sliders: dict[str, Any] = {"score": None, "sliders": {"Fluency": 4}, "error_spans": []}
    path = log(
        tmp_path / "c.jsonl",
        form,
        of("t", item_i="welcome_1", x=80, y=20),
        of("r", item_i="random_3", x=80, y=20),
        entry("ann", 0, (check, scores(x=10, y=90)), (segment("s1", "x", "y"), scores(x=50, y=60))),
        entry("ann", 1, (segment("s2", "x", "y", skippable=True), None)),
        entry("ann", 2, (segment("s3", "x", "y"), {"x": sliders, "y": sliders})),
    )
    found = read(path)
    assert [row.item for row in found.comparisons] == ["c/s1"]
    assert found.dropped == {"tutorial, form or check": 7, "no score": 4}


def test_campaigns_without_a_language_are_kept_apart(tmp_path: Path) -> None:
    plain = entry("ann", 0, (segment("s1", "x", "y"), scores(x=1, y=2)))
    other = entry("ann", 0, (segment("s1", "x", "y"), scores(x=3, y=2)))
    found = read(write(tmp_path / "annotations.json", {"en-cs": [plain], "en-ar": [other]}))
    assert [(row.item, row.group, row.language, row.winner) for row in found.comparisons] == [
        ("en-cs/s1", "en-cs/s1", "und", Winner.B), ("en-ar/s1", "en-ar/s1", "und", Winner.A),
    ]  # fmt: skip


@pytest.mark.parametrize("is_authored", [True, False])
def test_the_campaigns_own_file_may_say_more(tmp_path: Path, is_authored: bool) -> None:
    plain = entry("ann", 0, (segment("s1", "x", "y"), scores(x=1, y=2)))
    documents = [[segment("s1", "x", "y", prompt_group="greeting")]]
    campaign = {
        "info": {"assignment": "task-based", "protocol": "ESA", "language": "العربية"},
        "campaign_id": "c#1",
        "data": [documents] if is_authored else {"ann": documents},
    }
    (row,) = read(log(tmp_path / "c#1.jsonl", plain), write(tmp_path / "campaign.json", campaign)).comparisons
    assert (row.item, row.group, row.language) == ("s1", "greeting", "العربية")


def test_a_segment_without_an_id_is_known_by_what_is_not_output(tmp_path: Path) -> None:
    def unnamed(*systems: str, **more: Any) -> dict[str, Any]:
        return {key: value for key, value in segment("", *systems, **more).items() if key != "item_id"}

    path = log(
        tmp_path / "c.jsonl",
        entry("ann", 0, (unnamed("x", instructions="Read."), scores(x=5))),
        entry("ann", 1, (unnamed("y"), scores(y=7))),
        entry("ann", 2, ({**unnamed("y"), "src": "مرحبا"}, scores(y=9))),
    )
    found = read(path)
    assert outcomes(found) == [("ann", "x", "y", Winner.B)]
    assert found.dropped == {"nothing to compare with": 1}


def test_older_logs_have_the_id_as_doc_id(tmp_path: Path) -> None:
    old = {"doc_id": "d_#_0", "src": "Hi", "tgt": {"x": "a", "y": "b"}, "language": "cs"}
    assert [
        row.item for row in read(log(tmp_path / "c.jsonl", entry("u", 0, (old, scores(x=1, y=2))))).comparisons
    ] == ["d_#_0"]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in of(x=1, y=2).items() if name != key}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        *((without(key), f"there is no {key!r}") for key in ("user_id", "item_i", "item", "annotation")),
        (entry("ann", 0, ({"item_id": "s1", "src": "Hi"}, scores(x=1))), "there is no 'tgt'"),
        (entry("ann", 0, (segment("s1", "x"), {"x": {"error_spans": []}})), "there is no 'score'"),
        (entry("ann", 0, (segment("s1", "x"), scores(w=1))), "'w' is scored, but the segment has no output of it"),
        (of(x=101, y=2), "the score of 'x' is 101; expected a number from 0 to 100"),
        (of(x=-1, y=2), "expected a number"),
        (of(x=True, y=2), "the score of 'x' is True; expected a number"),
        (of(x="90", y=2), "the score of 'x' is '90'; expected a number"),
        (of(x=float("nan"), y=2), "expected a number"),
        (of(x=10**400, y=2), "expected a number"),
        ({**of(x=1), "annotation": {"x": 1}}, "annotation is {'x': 1}; expected a list"),
        ({**of(x=1), "annotation": []}, "1 segments have 0 annotations"),
        ({**of(x=1), "annotation": [["x"]]}, "found ['x']; expected an object"),
        ({**of(x=1), "annotation": [{"x": 7}]}, "found 7; expected an object"),
        ({**of(x=1), "item": ["s1"]}, "found 's1'; expected an object"),
        (entry("ann", 0, *[(segment("s", "x"), scores(x=1))] * 2), "two segments of the document have the same"),
        ({"annotation": "__RESET__", "item_i": 0}, "there is no 'user_id'"),
        (3, "found 3; expected an object"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_row(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(DataError, match=r"c\.jsonl, row 2: ") as caught:
        read(log(tmp_path / "c.jsonl", of(x=1, y=2), row))
    assert said in str(caught.value)
    with pytest.raises(DataError, match=r"annotations\.json, campaign 'المغرب', row 1: "):
        read(write(tmp_path / "annotations.json", {"المغرب": [row]}))


@pytest.mark.parametrize("content", [{"c": {"ann": {"progress": []}}}, 3, "x", {"c": 1}])
def test_other_files_are_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(DataError, match="expected Pearmut's annotations"):
        read(write(tmp_path / "progress.json", content))


def test_a_campaign_alone_is_no_vote(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no annotations"):
        read(write(tmp_path / "campaign.json", {"campaign_id": "c", "info": {}, "data": []}))


@pytest.mark.parametrize("name", ["c.json", "c.jsonl"])
def test_garbled_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"c": [', encoding="utf-8")
    with pytest.raises(DataError, match=r"c\.jsonl? cannot be read"):
        read(tmp_path / name)
