"""Files of votes: what every format says becomes comparisons, what is no comparison is counted, the rest is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import DataError, UnknownName
from evalsuite.verdicts import Comparison, Winner
from evalsuite.vote_files.formats import FORMATS, read_votes
from evalsuite.vote_files.reading import Imported

ESA = ["rater1", "", "1", "TGT", "eng", "hin", "", "doc1", "False", "[]", "1.0", "2.0"]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


def read(path: Path, name: str) -> Imported:
    return read_votes([path], name)


def battle(winner: str, **more: Any) -> dict[str, Any]:
    return {"model_a": "x", "model_b": "y", "winner": winner, **more}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json"])
def test_arena_votes(tmp_path: Path, suffix: str) -> None:
    rows = [
        battle("model_a", language="हिन्दी", question_id="7", judge="p, \"q\""),
        battle("tie (bothbad)", language="ar", question_id="8", judge="r"),
        battle("Model_B ", language="ar", question_id="8", judge="r"),
    ]  # fmt: skip
    found = read(write(tmp_path / f"votes{suffix}", rows), "arena").comparisons
    assert found[0] == Comparison(
        item="7", group="7", language="हिन्दी", system_a="x", system_b="y", winner=Winner.A, rater='p, "q"',
        shown_first="x", tells_ties=True,
    )  # fmt: skip
    assert [row.winner for row in found] == [Winner.A, Winner.BOTH_BAD, Winner.B]


def test_without_both_bad_in_the_file_ties_are_of_either_kind(tmp_path: Path) -> None:
    (row,) = read(write(tmp_path / "v.jsonl", [battle("tie")]), "arena").comparisons
    assert (row.winner, row.tells_ties, row.item, row.language) == (Winner.TIE, False, "row 1", "und")


def test_every_row_without_a_question_is_a_prompt_of_its_own(tmp_path: Path) -> None:
    found = read(write(tmp_path / "v.jsonl", [battle("tie")] * 3), "arena").comparisons
    assert len({row.group for row in found}) == 3


def test_turns_are_items_of_one_prompt(tmp_path: Path) -> None:
    rows = [battle("model_a", question_id=81, turn=turn, judge="expert_1") for turn in (1, 2)]
    for name in ("arena", "mt_bench"):
        found = read(write(tmp_path / "v.jsonl", rows), name).comparisons
        assert [(row.item, row.group) for row in found] == [("81/1", "81"), ("81/2", "81")]


def test_a_judge_of_both_orders_saw_none_first(tmp_path: Path) -> None:
    rows = [battle("tie (inconsistent)", question_id=81, turn=1, judge=judge) for judge in ("gpt4_pair", "expert_1")]
    judge, person = read(write(tmp_path / "v.jsonl", rows), "mt_bench").comparisons
    assert (judge.winner, judge.shown_first, person.shown_first) == (Winner.TIE, "", "x")


@pytest.mark.parametrize(
    ("preference", "share", "winner"),
    [(1, 1.0, Winner.A), (2.0, 0.0, Winner.B), (1.5, 0.5, Winner.TIE), (0, 0.5, Winner.TIE), (1.25, 0.75, Winner.A)],
)
def test_alpacaevals_preferences(tmp_path: Path, preference: float, share: float, winner: Winner) -> None:
    row = {"instruction": "Do.", "generator_1": "x", "generator_2": "y", "annotator": "j", "preference": preference}
    found = read(write(tmp_path / "a.json", [row, {**row, "preference": None}]), "alpaca_eval")
    (kept,) = found.comparisons
    assert (kept.share_a, kept.winner) == (share, winner)
    assert found.dropped == {"no preference": 1}
    assert found.num_rows == 2


def test_a_preference_off_the_scale_is_refused(tmp_path: Path) -> None:
    row = {"instruction": "Do.", "generator_1": "x", "generator_2": "y", "preference": 2.5}
    with pytest.raises(DataError, match=r"row 1: the preference is 2\.5"):
        read(write(tmp_path / "a.json", [row]), "alpaca_eval")


def scored(system: str, score: float, **more: str) -> list[str]:
    named = dict(zip(("rater", "", "item", "kind", "", "", "", "document"), ESA, strict=False)) | more
    return [named["rater"], system, named["item"], named["kind"], "eng", "hin", str(score), named["document"], *ESA[8:]]


def esa(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_scores_of_one_segment_become_preferences(tmp_path: Path) -> None:
    first = [scored("x", 80), scored("y", 70), scored("z", 70), scored("w", 3, item="2")]
    later = [scored("y", 90, rater="rater2"), scored("x", 0, kind="BAD"), scored("x", 0, document="d#dup")]
    paths = [esa(tmp_path / "1.csv", first), esa(tmp_path / "2.csv", later)]
    found = read_votes(paths, "esa")
    assert [(row.system_a, row.system_b, row.winner) for row in found.comparisons] == [
        ("x", "y", Winner.B), ("x", "z", Winner.A), ("y", "z", Winner.A),
    ]  # fmt: skip
    assert {row.group for row in found.comparisons} == {"doc1"}
    assert found.dropped == {"scored again": 1, "check of the annotator": 2}


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ('{"model_a": "x", "model_b": "y", "winner": "left"}\n', "arena", "row 1: the winner is 'left'"),
        ('{"model_a": "x", "winner": "tie"}\n', "arena", "row 1: there is no 'model_b'"),
        ('{"model_a": "x"\n', "arena", "cannot be read"),
        ("[1]\n", "arena", "expected a list of objects"),
        ('{"model_a": "x", "model_b": "y", "winner": "tie"}\n', "mt_bench", "row 1: there is no 'question_id'"),
        ('{"prompt": 1, "left": "x", "right": "y", "winner": "model_a"}\n', "llmfao", "the winner is 'model_a'"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, name: str, said: str) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"v\.jsonl") as caught:
        read(path, name)
    assert said in str(caught.value)


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("name", ["arena", "label_studio", "pearmut", "potato"])
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"v{suffix}"
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(DataError, match=rf"v\{suffix} cannot be read: it is nested too deeply$"):
        read(path, name)


def test_what_spreadsheets_and_scripts_write_is_read(tmp_path: Path) -> None:
    """A byte order mark, a rating that is not there, no row at all: refused in files of published numbers."""
    path = tmp_path / "v.jsonl"
    path.write_text(json.dumps({**battle("tie"), "rating": float("nan")}) + "\n", encoding="utf-8-sig")
    assert len(read(path, "arena").comparisons) == 1
    path.write_bytes(b"")
    assert read(path, "arena").num_rows == 0


def test_rows_of_other_widths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("model_a,model_b,winner\nx,y\n", encoding="utf-8")
    with pytest.raises(DataError, match="row 1 has another number of cells"):
        read(tmp_path / "v.csv", "arena")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "run"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "none.csv", name)


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="arena, mt_bench"):
        read(tmp_path / "v.csv", "arenas")


@pytest.mark.data
def test_the_mirrors_votes_are_read_whole(mirror: Path) -> None:
    human = read(mirror / "judgelab__mt_bench_votes" / "human.jsonl", "mt_bench")
    crowd = read(mirror / "dustalov__llmfao" / "crowd-comparisons.csv", "llmfao")
    assert (len(human.comparisons), human.dropped) == (3355, {})
    assert (len(crowd.comparisons), crowd.dropped) == (8931, {})
    assert len({row.rater for row in crowd.comparisons}) == 124
