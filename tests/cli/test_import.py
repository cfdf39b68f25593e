"""``evalsuite import``: what it prints, the JSON that programs read, exit codes, refusals that leave nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE

Files = Callable[[], dict[str, bytes]]


def rating(question: int, turn: int, score: Any, model: str = "m", **changes: Any) -> dict[str, Any]:
    name = ("single-math-v1" if 101 <= question <= 130 else "single-v1") + ("-multi-turn" if turn == 2 else "")
    row = {"question_id": question, "model": model, "judge": ["gpt-4", name], "judgment": "…", "score": score}
    return {**row, "turn": turn, "tstamp": 1.0, **changes}


def match(question: int, first: str, second: str, model_1: str = "a", model_2: str = "b") -> dict[str, Any]:
    row = {"question_id": question, "model_1": model_1, "model_2": model_2, "g1_winner": first, "g2_winner": second}
    return {**row, "judge": ["gpt-4", "pair-v2"], "turn": 1}


def preferred(number: int, preference: float | None) -> dict[str, Any]:
    row = {"instruction": f"I{number}", "output_1": "x", "generator_1": "base", "output_2": "y", "generator_2": "m"}
    return {**row, "annotator": "judge", "preference": preference}


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_fastchats_numbers(command: Any, workplace: Path) -> None:
    rows = [rating(81, 1, 9), rating(82, 1, 6), rating(81, 2, 3), rating(82, 2, -1), rating(81, 1, 9)]
    path = lines(workplace / "j.jsonl", [*rows, rating(81, 1, 10, "n")])
    ran = command("import", "mt-bench", path, "--rule", "fastchat", "--json")
    assert (ran.code, ran.err) == (EXIT_OK, "")
    assert ran.json["results"] == [
        {
            "model": "n",
            "judges": [["gpt-4", "single-v1"]],
            "mt_bench_turn1": 10.0,
            "mt_bench_turn2": None,
            "mt_bench_total": 10.0,
            "n": 1,
            "dropped": 0,
            "duplicates": 0,
        },
        {
            "model": "m",
            "judges": [["gpt-4", "single-v1"], ["gpt-4", "single-v1-multi-turn"]],
            "mt_bench_turn1": 8.0,
            "mt_bench_turn2": 3.0,
            "mt_bench_total": 6.75,
            "n": 4,
            "dropped": 1,
            "duplicates": 1,
        },
    ]
    assert {key: ran.json[key] for key in ("format", "kind", "rule", "files")} == {
        "format": "mt-bench", "kind": "single judgments", "rule": "fastchat", "files": [str(path)],
    }  # fmt: skip
    assert "m, judges: gpt-4 single-v1, gpt-4 single-v1-multi-turn" in ran.out


def test_our_numbers(command: Any, workplace: Path) -> None:
    rows = [rating(81, 1, 9), rating(82, 1, 3), rating(81, 2, 3), rating(82, 2, -1), rating(81, 1, 9, tstamp=2.0)]
    ran = command("import", "mt_bench", lines(workplace / "j.jsonl", rows), "--json")
    assert ran.code == EXIT_INCOMPLETE
    assert ran.err == "evalsuite: judgments without a verdict, unscored (judge_unparsed): 1.\n"
    (result,) = ran.json["results"]
    assert (result["mt_bench_total"], result["mt_bench_turn1"], result["mt_bench_turn2"]) == (5.0, 6.0, 3.0)
    assert (result["n"], result["num_unscored"], result["num_merged"]) == (3, 1, 1)
    assert result["unscored"] == {"judge_unparsed": 1}
    assert result["coverage"]["n"] == 3
    assert result["coverage"]["expected"] == 160
    assert result["coverage"]["missing"]["turn1"] == list(range(83, 161))
    headline = result["estimates"][0]
    assert headline["metric"] == "mt_bench_total"
    assert headline["low"] <= headline["value"] <= headline["high"]
    assert headline["num_clusters"] == 2
    assert "m, mt_bench_single-v1@gpt-4: 3 of 160 judged." in ran.out
    assert "not in the files, turn2: 78 questions, 83, 84, 85, 86, 87, 88, 89, 90 and 70 more" in ran.out
    assert "rows that stand there again, counted once: 1" in ran.out


def test_a_whole_file_ends_well(command: Any, workplace: Path) -> None:
    rows = [rating(question, turn, 7) for question in range(81, 161) for turn in (1, 2)]
    ran = command("import", "mt-bench", lines(workplace / "j.jsonl", rows), "--json")
    assert (ran.code, ran.err) == (EXIT_OK, "")
    assert "not in the files" not in ran.out
    assert ran.json["results"][0]["coverage"] == {"n": 160, "expected": 160, "missing": {"turn1": [], "turn2": []}}


def test_pairs(command: Any, workplace: Path) -> None:
    rows = [match(81, "model_1", "model_1"), match(82, "model_1", "tie"), match(83, "error", "tie")]
    path = lines(workplace / "p.jsonl", [*rows, match(81, "model_2", "model_2", "b", "c")])
    ran = command("import", "mt-bench", path, "--rule", "fastchat", "--baseline", "b", "--json")
    assert ran.code == EXIT_OK
    found = {row["model"]: (row["win"], row["loss"], row["tie"], row["dropped"]) for row in ran.json["results"]}
    assert found == {"a": (1, 0, 1, 1), "c": (1, 0, 0, 0)}
    assert [row["win_rate_adjusted"] for row in ran.json["results"]] == [1.0, 0.75]
    ours = command("import", "mt-bench", path, "--baseline", "b", "--json")
    assert ours.code == EXIT_INCOMPLETE
    assert {(row["model"], row["against"]): row["win_rate_adjusted"] for row in ours.json["results"]} == {
        ("a", "b"): 0.75, ("c", "b"): 1.0,
    }  # fmt: skip
    assert "a against b" in ours.out


def test_alpaca_eval(command: Any, workplace: Path) -> None:
    path = workplace / "annotations.json"
    path.write_text(json.dumps([preferred(*pair) for pair in enumerate([2, 1, 2, 1.5, None])]), encoding="utf-8")
    theirs = command("import", "alpaca-eval", path, "--rule", "alpaca_eval", "--json")
    assert theirs.code == EXIT_OK
    (row,) = theirs.json["results"]
    assert (row["model"], row["baselines"], row["annotators"]) == ("m", ["base"], ["judge"])
    assert (row["win_rate"], row["n_total"], row["n_wins"], row["n_draws"], row["dropped"]) == (62.5, 4, 2, 1, 1)
    assert row["standard_error"] == pytest.approx(23.935677693908453)
    ours = command("import", "alpaca_eval", path, "--json")
    assert ours.code == EXIT_INCOMPLETE
    (row,) = ours.json["results"]
    assert (row["win_rate"], row["coverage"]["n"], row["coverage"]["expected"]) == (0.625, 4, 805)
    assert "m against base, alpaca_eval@judge: 4 of 805 judged." in ours.out


def test_alpaca_eval_outputs(command: Any, workplace: Path) -> None:
    rows = [
        {"instruction": "a", "output": "12345", "generator": "m"},
        {"instruction": "b", "output": "", "generator": "m"},
    ]
    ran = command("import", "alpaca_eval", lines(workplace / "o.json", rows), "--json")
    assert ran.code == EXIT_OK
    assert ran.json["results"] == [
        {"model": "m", "n": 2, "expected": 805, "num_empty": 1, "avg_length": 2, "datasets": {"": 2}}
    ]


@pytest.mark.parametrize(
    ("format_", "row"), [("mt-bench", rating(81, 1, -1)), ("alpaca_eval", preferred(0, None))], ids=["mt", "alpaca"]
)
def test_nothing_counted_is_no_success(command: Any, workplace: Path, format_: str, row: dict[str, Any]) -> None:
    path = lines(workplace / "f", [row])
    rule = "fastchat" if format_ == "mt-bench" else format_
    ran = command("import", format_, path, "--rule", rule, "--json")
    assert ran.code == EXIT_INCOMPLETE
    assert ran.err == "evalsuite: nothing could be counted for m.\n"
    assert command("import", format_, path).code == EXIT_INCOMPLETE


def test_names_from_files_are_no_markup_and_no_control_characters(command: Any, workplace: Path) -> None:
    name = "[red]x[/] \x1b[2J\n\u202eevil"
    path = lines(workplace / "j.jsonl", [rating(81, 1, 5, name)])
    for arguments in (("--rule", "fastchat"), ()):
        ran = command("import", "mt-bench", path, *arguments)
        assert ran.code == EXIT_OK
        assert "[red]x[/]" in ran.out
        assert not {"\x1b", "\u202e"} & set(ran.out)
    assert command("import", "mt-bench", path, "--rule", "fastchat", "--json").json["results"][0]["model"] == name


@pytest.mark.data
def test_answers_become_a_run(command: Any, workplace: Path) -> None:
    rows = [
        {"question_id": question, "answer_id": "x", "model_id": "org/m", "choices": [{"index": 0, "turns": ["a", "b"]}]}
        for question in range(81, 161)
    ]
    rows[3]["choices"] = [{"index": 0, "turns": ["a", "$ERROR$"]}]
    path = lines(workplace / "answers.jsonl", [*rows[:79], rows[0]])
    ran = command("import", "mt-bench", path, "--output_path", "out", "--json")
    assert ran.code == EXIT_INCOMPLETE
    assert "evalsuite: turns that are FastChat's word for no answer, taken as failures: 1.\n" in ran.err
    assert "evalsuite: questions without a row: 1 (160).\n" in ran.err
    assert "evalsuite: rows that stand in the files again, counted once: 1.\n" in ran.err
    assert ran.json["counts"]["unscored_by_cause"] == {"missing_response": 2}
    assert ran.json["path"] == f"out/m-{ran.json['run']}"
    assert (workplace / ran.json["path"] / "results.json").is_file()
    assert command("import", "mt-bench", path, "-o", "out", "--json").json["run"] == ran.json["run"]
    named = command("import", "mt-bench", path, "-o", "out", "--name", "other", "--json")
    assert named.json["path"].startswith("out/other-")


# -- refusals

RATING, PAIR, ALPACA = rating(81, 1, 5), match(81, "tie", "tie"), preferred(0, 1)
ANSWER = {"question_id": 81, "model_id": "m", "choices": [{"index": 0, "turns": ["a", "b"]}]}
OUTPUT = {"instruction": "a", "output": "b"}


@pytest.mark.parametrize(
    ("format_", "rows", "flags", "expected"),
    [
        ("mt-bench", [RATING], ("--rule", "alpaca_eval"), "--rule alpaca_eval: the rule of mt-bench is fastchat."),
        ("alpaca_eval", [ALPACA], ("--rule", "fastchat"), "--rule fastchat: the rule of alpaca_eval is alpaca_eval."),
        ("mt-bench", [RATING], ("--baseline", "m"), "--baseline: f holds single judgments, which it says nothing"),
        ("mt-bench", [RATING], ("--name", "x"), "--name: f holds single judgments, which it says nothing"),
        ("mt-bench", [PAIR], ("--rule", "fastchat", "-o", "x"), "--output_path: f holds pair judgments for --rule"),
        ("mt-bench", [PAIR], ("--baseline", "c"), "--baseline: no judgment is of 'c'; they are of a, b."),
        ("mt-bench", [ANSWER], ("--rule", "fastchat"), "--rule: f holds model answers, which it says nothing about"),
        ("alpaca_eval", [OUTPUT], ("--rule", "alpaca_eval"), "--rule: f holds model outputs, which it says nothing"),
        ("alpaca_eval", [ALPACA], ("--name", "x"), "--name: f holds annotations, which it says nothing about"),
        ("mt-bench", [RATING, PAIR], (), "f, line 2: this is one of pair judgments, but f, line 1 is one of single"),
        ("mt-bench", [ALPACA], (), "f, line 1: no FastChat row"),
        ("alpaca_eval", [RATING], (), "f, line 1: no AlpacaEval row"),
        ("mt-bench", [RATING, rating(81, 1, 6)], (), "f, line 2: differs from f, line 1"),
        ("mt-bench", [RATING, rating(82, 1, 11)], (), "f, line 2: 'score' is 11, outside MT-Bench's scale"),
        ("mt-bench", [RATING, [1]], (), "f, line 2: expected an object, found [1]."),
        ("alpaca_eval", [ALPACA, ALPACA], (), "f, line 2: the same instruction for m as in f, line 1"),
    ],
)  # fmt: skip
def test_refusals(
    command: Any, workplace: Path, files: Files, format_: str, rows: list[Any], flags: tuple[str, ...], expected: str
) -> None:
    lines(workplace / "f", rows)
    before = files()
    ran = command("import", format_, "f", *flags, "--json")
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    (line,) = ran.err.splitlines()
    assert line.startswith(f"evalsuite: {expected}")
    assert files() == before


@pytest.mark.data
@pytest.mark.parametrize(
    "rows",
    [
        [ANSWER, {**ANSWER, "question_id": 999}],
        [ANSWER, {**ANSWER, "choices": [{"turns": ["other", "b"]}]}],
        [ANSWER, {**ANSWER, "question_id": 82, "model_id": "n"}],
        [ANSWER, {**ANSWER, "question_id": 82, "choices": []}],
    ],
)
def test_refused_answers_leave_nothing(command: Any, workplace: Path, files: Files, rows: list[Any]) -> None:
    lines(workplace / "f", rows)
    before = files()
    ran = command("import", "mt-bench", "f")
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    (line,) = ran.err.splitlines()
    assert line.startswith("evalsuite: f, line 2: ")
    assert files() == before


def test_unknown_formats_and_missing_files(command: Any) -> None:
    ran = command("import", "helm", "f")
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    assert all(part in ran.err for part in ("FORMAT", "'helm'", "lm-eval", "mt-bench", "alpaca_eval"))
    ran = command("import", "mt-bench", "none")
    assert (ran.code, ran.err) == (EXIT_USAGE, "evalsuite: none cannot be read: No such file or directory.\n")
