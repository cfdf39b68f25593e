"""``evalsuite prefer report`` and what other commands say of our own files of votes: files, JSON, refusals."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import study_file

from evalsuite.canonical import canonical_json
from evalsuite.errors import EXIT_OK
from evalsuite.preference.summary import SUMMARY_VERSION, read_summary
from evalsuite.votes import ACCEPTABILITY

FILES = {
    *("preference.json", "preference.html", "win-rates.svg", "win-rates.png"),
    *("quality.svg", "quality.png", "ranks.svg", "ranks.png"),
}


@pytest.fixture
def votes(workplace: Path) -> Path:
    return study_file.write(workplace / "study.jsonl")


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def board_of(page: str) -> Any:
    """What a page shows, from its compressed data."""
    packed = re.search(r'id="data-board">([^<]*)<', page)
    assert packed
    return json.loads(gzip.decompress(base64.b64decode(packed[1])))


def test_a_report_is_a_page_figures_and_a_file(command: Any, votes: Path, workplace: Path) -> None:
    ran = command("prefer", "report", votes, "--format", "votes", "-o", "out", "--title", "Mine & yours", "--json")
    assert ran.code == EXIT_OK, ran.err
    files = written(workplace / "out")
    assert set(files) == FILES
    page = files["preference.html"].decode()
    assert '<h1 id="page-title"><bdi>Mine &amp; yours</bdi></h1>' in page
    assert ran.json["page"] == str(workplace / "out" / "preference.html")
    assert {Path(path).name for path in ran.json["figures"]} == FILES - {"preference.json", "preference.html"}
    stored = json.loads(files["preference.json"])
    assert ran.json["results"] == stored
    assert board_of(page)["preference"] == stored
    assert board_of(page)["runs"] == []
    assert files["preference.json"] == (canonical_json(read_summary(stored)) + "\n").encode()
    assert str(workplace / "out" / "preference.html") in ran.out
    assert stored["files"][0]["name"] == "study.jsonl"
    assert stored["counts"]["dropped"] == {
        "changed later": 6, "shown again": 6, "skipped": 6, "with a known answer": 24,
    }  # fmt: skip
    assert stored["counts"]["num_votes"] == 72
    assert stored["quality"]["scale"]["name"] == ACCEPTABILITY.name
    assert [one["annotator"] for one in stored["attentiveness"] if one["flags"]] == ["ar-2", "hi-2"]


def test_the_same_votes_give_the_same_bytes(command: Any, votes: Path, workplace: Path) -> None:
    for name in ("first", "second"):
        assert command("prefer", "report", votes, "--format", "votes", "-o", name).code == EXIT_OK
    assert written(workplace / "first") == written(workplace / "second")


def test_figures_of_other_votes_are_named(command: Any, votes: Path, workplace: Path) -> None:
    command("prefer", "report", votes, "--format", "votes", "-o", "out")
    row = {"model_a": "x", "model_b": "y", "winner": "model_a"}
    (workplace / "one.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    ran = command("prefer", "report", "one.jsonl", "-o", "out")
    assert ran.code == EXIT_OK
    assert "not of these votes: quality.png, quality.svg, ranks.png, ranks.svg" in ran.err
    assert "no ranking: 1 of 2 systems cannot be ranked" in ran.out
    assert json.loads((workplace / "out" / "preference.json").read_text())["ranking"] is None


def test_a_language_alone(command: Any, votes: Path) -> None:
    ran = command("prefer", "report", votes, "--format", "votes", "--lang", "hi", "--json")
    found = ran.json["results"]
    assert [one["language"] for one in found["languages"]] == ["hi"]
    assert found["counts"]["dropped"]["in another language"] == 36
    assert found["counts"]["num_rows"] == 72 + 42
    assert {one["annotator"] for one in found["attentiveness"]} == {"hi-0", "hi-1", "hi-2"}
    assert {one["languages"][0] for one in found["quality"]["qualities"]} == {"hi"}


def test_systems_of_other_languages_keep_nobody_from_a_rank(command: Any, workplace: Path) -> None:
    rows = [
        {"model_a": "x", "model_b": b, "winner": ("model_a", "model_b", "tie")[n % 3], "language": language,
         "question_id": n}
        for language, b in (("ar", "y"), ("hi", "only-hindi"))
        for n in range(9)
    ]  # fmt: skip
    (workplace / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = command("prefer", "rank", "v.jsonl", "--lang", "ar", "--json")
    assert ran.code == EXIT_OK, ran.err
    assert {row["system"] for row in ran.json["results"]} == {"x", "y"}


def test_without_sides_nothing_is_said_of_the_left(command: Any, workplace: Path) -> None:
    rows = [
        {"prompt": n, "left": "x", "right": "y", "winner": ("left", "right", "tie")[n % 3], "worker": n % 4}
        for n in range(9)
    ]  # fmt: skip
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (workplace / "sides.jsonl").write_text(text, encoding="utf-8")
    ran = command("prefer", "rank", "sides.jsonl", "--format", "llmfao", "--json")
    assert set(ran.json["left"]) == {"en"}
    rows = [{"instruction": str(n), "generator_1": "x", "generator_2": "y", "preference": 1 + n % 2} for n in range(9)]
    (workplace / "blind.json").write_text(json.dumps(rows), encoding="utf-8")
    ran = command("prefer", "rank", "blind.json", "--format", "alpaca_eval", "--json")
    assert (ran.json["left"], ran.json["tie_weights"], ran.json["davidson_nu"]) == ({}, {}, None)
    assert "being on the left" not in ran.out


def test_win_rates_say_how_good_answers_are(command: Any, votes: Path) -> None:
    ran = command("prefer", "win-rates", votes, "--format", "votes", "--json")
    found = ran.json["quality"]
    shares = {(one["system"], one["scope"]): one["share_acceptable"] for one in found["qualities"]}
    assert shares[study_file.SYSTEMS[0], "macro"] == pytest.approx(0.75)
    assert shares[study_file.SYSTEMS[1], "macro"] == pytest.approx(0.25)
    assert "quality on the scale acceptability-4; acceptable is acceptable or better" in ran.out
    assert "share acceptable, a less b, in points" in ran.out
    assert command("prefer", "win-rates", votes, "--format", "votes", "--lang", "ar", "--json").json["quality"] != found


def test_agree_says_who_attends(command: Any, votes: Path) -> None:
    ran = command("prefer", "agree", votes, "--format", "votes", "--json")
    assert ran.code == EXIT_OK, ran.err
    screened = {one["annotator"]: one for one in ran.json["attentiveness"]}
    assert screened["ar-2"]["flags"] == ["fails known answers"]
    assert (screened["ar-0"]["gold"]["num_right"], screened["ar-2"]["gold"]["num_right"]) == (4, 0)
    assert screened["ar-0"]["retest"]["num_repeats"] == 1
    assert screened["hi-1"]["paces"][0]["num_votes"] == 17
    assert "fails known answers" in ran.out
    assert "0 of 4" in ran.out


def test_a_repeat_that_shows_others_is_refused(command: Any, workplace: Path) -> None:
    rows = list(study_file.votes())
    rows = [msgspec.structs.replace(row, system_left="z") if row.repeat_of else row for row in rows]
    study_file.write(workplace / "odd.jsonl", rows)
    for action in ("agree", "report"):
        ran = command("prefer", action, "odd.jsonl", "--format", "votes")
        assert ran.code != EXIT_OK
        assert "shows other systems" in ran.err
        assert "Traceback" not in ran.err


def test_a_leaderboard_with_votes(command: Any, votes: Path, workplace: Path) -> None:
    command("prefer", "report", votes, "--format", "votes", "-o", "out")
    command("run", "--model", "scripted", "--tasks", "mini_choice_hi", "--limit", 3, "-o", "runs")
    for given in ("out/preference.json", "out"):
        ran = command("report", "runs", "--votes", given, "-o", "board.html", "--json")
        assert ran.code == EXIT_OK, ran.err
        assert ran.json["votes"] == given
        page = (workplace / "board.html").read_text(encoding="utf-8")
        board = board_of(page)
        assert board["preference"] == json.loads((workplace / "out" / "preference.json").read_text())
        assert len(board["runs"]) == 1
        assert "72 votes" in page
    assert board_of(_page_without_votes(command, workplace))["preference"] is None


def _page_without_votes(command: Any, workplace: Path) -> str:
    assert "votes" not in command("report", "runs", "-o", "plain.html", "--json").json
    return (workplace / "plain.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "holds no summary of votes"),
        ("[]", "holds no summary of votes"),
        (json.dumps({"version": SUMMARY_VERSION + 1}), f"its version is {SUMMARY_VERSION + 1}"),
        (json.dumps({"version": SUMMARY_VERSION}), "holds no summary of votes"),
        ("\ud800", "holds no summary of votes"),
    ],
)
def test_a_file_that_is_no_summary_is_refused(command: Any, workplace: Path, content: str | None, said: str) -> None:
    command("run", "--model", "scripted", "--tasks", "mini_choice_hi", "--limit", 1, "-o", "runs")
    if content is not None:
        (workplace / "votes.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    ran = command("report", "runs", "--votes", "votes.json", "-o", "board.html")
    assert ran.code != EXIT_OK
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert not (workplace / "board.html").exists()


def test_a_file_is_no_folder(command: Any, votes: Path) -> None:
    ran = command("prefer", "report", votes, "--format", "votes", "-o", votes)
    assert "is a file; give a folder" in ran.err
    assert ran.code != EXIT_OK


def test_hostile_names_come_through_every_file(command: Any, workplace: Path) -> None:
    rows = [
        {"model_a": "\x1b[31m$\\frac{$", "model_b": "<script>\ud800", "winner": ("model_a", "model_b")[n % 2],
         "question_id": n, "judge": "\u202e"}
        for n in range(8)
    ]  # fmt: skip
    (workplace / "odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = command("prefer", "report", "odd.jsonl", "-o", "out")
    assert ran.code == EXIT_OK, ran.err
    assert "\x1b" not in ran.out + ran.err
    for name, content in written(workplace / "out").items():
        if not name.endswith(".png"):
            assert "\x1b" not in content.decode("utf-8"), name
            assert "\u202e" not in content.decode("utf-8"), name


# -- real votes


@pytest.mark.data
def test_mt_benchs_report(command: Any, mirror: Path, workplace: Path) -> None:
    folder = mirror / "judgelab__mt_bench_votes"
    files = folder / "human.jsonl", folder / "gpt4_pair.jsonl"
    ran = command("prefer", "report", *files, "--format", "mt_bench", "--judge", "gpt4_pair", "--json", "--draws", 50)
    assert ran.code == EXIT_OK, ran.err
    found = ran.json["results"]
    assert (found["counts"]["num_votes"], found["counts"]["num_verdicts"]) == (3355, 2400)
    assert found["systems"][:2] == ["gpt-4", "claude-v1"]
    page = (workplace / "preference" / "preference.html").read_text(encoding="utf-8")
    for said in ("<td>2220</td><td>3355</td>", "<td>1823</td><td>2129</td>", "<td>0.485 [", "<td>0.505 ["):
        assert said in page, said
    assert board_of(page)["preference"]["judges"][0]["admissibility"][0]["verdict"] == "admissible"
    assert (workplace / "preference" / "matrix.png").stat().st_size > 20_000


@pytest.mark.data
def test_llmfaos_report(command: Any, mirror: Path, workplace: Path) -> None:
    folder = mirror / "dustalov__llmfao"
    names = [f"{name}-comparisons" for name in ("crowd", "gpt3-crowd", "gpt4-crowd")]
    files = [folder / f"{name}.csv" for name in names]
    ran = command("prefer", "report", *files, "--format", "llmfao", "--judge", ",".join(names[1:]), "--json",
                  "--draws", 20)  # fmt: skip
    assert ran.code == EXIT_OK, ran.err
    found = ran.json["results"]
    assert (len(found["systems"]), found["counts"]["num_annotators"], found["counts"]["num_groups"]) == (59, 124, 13)
    assert found["languages"][0]["left_share"]["value"] == pytest.approx(0.520, abs=0.001)
    assert found["alphas"][0]["value"] == pytest.approx(0.29, abs=0.005)
    assert {one["judge"]: one["admissibility"][0]["verdict"] for one in found["judges"]} == {
        "gpt3-crowd-comparisons": "not admissible", "gpt4-crowd-comparisons": "undecided",
    }  # fmt: skip
    assert sum("prefers a side" in one["flags"] for one in found["annotators"]) == 5
    page = (workplace / "preference" / "preference.html").read_text(encoding="utf-8")
    assert "of 927 pairs, among the 12 systems that stand first" in page
