"""``evalsuite prefer``: what it prints and its JSON, and what it refuses."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import EXIT_OK, EXIT_USAGE
from evalsuite.store.results import read_samples

KEYS = {
    "system_a", "system_b", "language", "win_half", "win_decisive", "net", "tie_good", "tie_bad", "low", "high",
    "num_votes", "num_prompts", "num_annotators",
}  # fmt: skip
WINNERS = ("model_a", "model_b", "tie", "tie (bothbad)", "model_a", "model_a", "model_b", "model_a")


@pytest.fixture
def votes(workplace: Path) -> Path:
    """Eight prompts in Arabic and Hindi, two people and a judge on each."""
    rows = [
        {"model_a": "أ", "model_b": "हिन्दी", "winner": WINNERS[(n + shift) % 8], "language": language, "question_id": n,
         "judge": rater}
        for language in ("ar", "hi")
        for n in range(8)
        for shift, rater in enumerate((f"{language}-1", f"{language}-2", "machine"))
    ]  # fmt: skip
    path = workplace / "votes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_win_rates(command: Any, votes: Path) -> None:
    ran = command("prefer", "win-rates", votes, "--judge", "machine", "--json")
    assert ran.code == EXIT_OK
    results = ran.json["results"]
    assert [result["language"] or result["scope"] for result in results] == ["ar", "hi", "macro", "pooled"]
    assert all(result.keys() >= KEYS for result in results)
    assert [result["num_votes"] for result in results] == [16, 16, 32, 32]
    assert [result["num_groups"] for result in results] == [8, 8, 8, 8]
    assert results[0]["tie_bad"] == pytest.approx(1 / 8)
    assert ran.json["worst_languages"][0]["languages"] == ["ar", "hi"]
    assert "over prompts and annotators" in ran.out


def test_every_system_against_all(command: Any, votes: Path) -> None:
    ran = command("prefer", "win-rates", votes, "--against", "all", "--lang", "hi", "--json")
    assert [(row["system_a"], row["system_b"], row["language"]) for row in ran.json["results"]] == [
        ("أ", "", "hi"), ("हिन्दी", "", "hi"),
    ]  # fmt: skip


def test_ranks(command: Any, votes: Path) -> None:
    ran = command("prefer", "rank", votes, "--draws", "50", "--json")
    assert ran.code == EXIT_OK
    first, second = ran.json["results"]
    assert (first["system"], first["rank_low"], second["rank_high"]) == ("أ", 1, 2)
    assert set(first["ranks"]) == {"half", "dropped", "davidson"}
    assert set(ran.json["left"]) == {"ar", "hi"}


def test_agreement(command: Any, votes: Path) -> None:
    ran = command("prefer", "agree", votes, "--judge", "machine", "--json")
    assert ran.code == EXIT_OK
    assert {row["raters"] for row in ran.json["agreement"]} == {"people", "judge and people"}
    assert {row["language"] for row in ran.json["admissibility"]} == {"ar", "hi"}


def test_a_plan(command: Any) -> None:
    ran = command("prefer", "plan", "--prompts", 22, "--votes", 10, "--json")
    assert ran.code == EXIT_OK
    assert ran.json["plan"]["detectable"] == pytest.approx(0.12, abs=0.003)
    assert ran.json["prompts_needed"]["0.05"] == 132


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("win-rates",), "prefer win-rates needs files of votes"),
        (("win-rates", "none.jsonl"), "none.jsonl cannot be read"),
        (("win-rates", "votes.jsonl", "--lang", "fr"), "there are no votes in fr; there are in ar, hi"),
        (("agree", "votes.jsonl", "--judge", "gpt"), "no rater is called gpt"),
        (("plan", "votes.jsonl"), "plan reads no votes"),
        (("rank", "votes.jsonl", "--draws", "-1"), "--draws -1: expected 0 or more"),
        (("win-rates", "votes.jsonl", "--seed", "-1"), "--seed -1: expected 0 or more"),
        (("plan", "--ties", "1.5"), "ties is 1.5"),
        (("plan", "--prompts", "0"), "at least one prompt"),
        (("win-rates", "self.jsonl"), "compared with itself"),
    ],
)
@pytest.mark.usefixtures("votes")
def test_what_makes_no_sense_is_refused(command: Any, arguments: tuple[str, ...], said: str) -> None:
    row = {"model_a": "x", "model_b": "x", "winner": "tie"}
    Path("self.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    ran = command("prefer", *arguments)
    assert ran.code != EXIT_OK
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_systems_that_never_met_are_not_ranked(command: Any, workplace: Path) -> None:
    rows = [{"model_a": "x", "model_b": "y", "winner": "model_a"}]
    (workplace / "v.jsonl").write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    ran = command("prefer", "rank", "v.jsonl")
    assert "cannot be ranked with the others" in ran.err
    assert ran.code != EXIT_OK


def test_only_judges_leave_no_people(command: Any, votes: Path) -> None:
    ran = command("prefer", "win-rates", votes, "--judge", "machine,ar-1,ar-2,hi-1,hi-2")
    assert "no votes of people" in ran.err
    assert ran.code not in (EXIT_OK, EXIT_USAGE)


@pytest.mark.data
def test_mt_benchs_votes(command: Any, mirror: Path) -> None:
    folder = mirror / "judgelab__mt_bench_votes"
    files = folder / "human.jsonl", folder / "gpt4_pair.jsonl"
    ran = command("prefer", "agree", *files, "--format", "mt_bench", "--judge", "gpt4_pair", "--json")
    found = {(row["raters"], row["setup"]): (row["num_agree"], row["num_pairs"]) for row in ran.json["agreement"]}
    assert found["judge and people", "with-ties"] == (1125 + 1095, 1689 + 1666)
    assert found["people", "decided"] == (633 + 649, 772 + 778)
    assert ran.json["admissibility"][0]["verdict"] == "admissible"


JUDGE = """
from evalsuite.engines.scripted import completion


def answer(request):
    text = request.prompt[0].content
    good, bad = text.find("GOOD"), text.find("BAD")
    if good < 0 or bad < 0:
        return completion("I cannot say.")
    return completion("[[A]]" if good < bad else "[[B]]")
"""


@pytest.fixture
def judged(command: Any, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A judge's run over two models' answers to twelve chats: better ones win, and of two chats it cannot say."""
    (workplace / "umpire.py").write_text(JUDGE, encoding="utf-8")
    monkeypatch.syspath_prepend(workplace)
    paths = []
    for name, word in (("x", "GOOD"), ("y", "BAD")):
        plan = command("run", "--model", "scripted", "--tasks", "mini_chat_hi", "--limit", 12, "-o", "plan", "--json")
        chats = [record.sample for record in read_samples(Path(plan.json["path"]))]
        texts = [word if number > 1 else "कुछ नहीं" for number in range(len(chats))]
        answers = workplace / f"{name}.jsonl"
        lines = [
            json.dumps({"sample_id": chat.id, "texts": [text] * max(1, len(chat.turns))})
            for chat, text in zip(chats, texts, strict=True)
        ]
        answers.write_text("\n".join(lines) + "\n", encoding="utf-8")
        ran = command("run", "--model", "recorded", "--model_args", f"path={answers},name={name}", "--tasks",
                      "mini_chat_hi", "--limit", 12, "--json")  # fmt: skip
        paths.append(ran.json["path"])
    ran = command("score", *paths, "--judge", "pairwise", "--model", "scripted", "--model_args",
                  "function=umpire:answer", "--json")  # fmt: skip
    return Path(ran.json["path"])


def test_a_judges_run_votes(command: Any, judged: Path) -> None:
    ran = command("prefer", "win-rates", judged, "--format", "run", "--json")
    assert ran.code == EXIT_OK
    (rate,) = ran.json["results"]
    assert (rate["system_a"], rate["system_b"], rate["language"]) == ("x", "y", "hi")
    assert (rate["win_half"], rate["num_votes"], rate["interval"]) == (1.0, 10, "wilson")
    assert "2 of 12 rows are left out: judge_unparsed" in ran.err


def human_votes(judged: Path, folder: Path, num_items: int) -> Path:
    """Two people on the first of the judge's items, under other names of the systems; both prefer y."""
    items = [record.sample for record in read_samples(judged)][:num_items]
    rows = [
        {"model_a": "first", "model_b": "second", "winner": "model_b", "language": "hi", "judge": person,
         "question_id": item.id.removesuffix("/pair"), "prompt_group": item.cluster_id}
        for item in items for person in ("p1", "p2")
    ]  # fmt: skip
    path = folder / "people.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_judges_run_stands_beside_peoples_votes(command: Any, judged: Path, workplace: Path) -> None:
    people = human_votes(judged, workplace, 9)
    ran = command("prefer", "agree", people, "--judge_run", judged, "--rename", "x=first,y=second", "--json")
    assert ran.code == EXIT_OK
    shares = ran.json["agreement"]
    with_judge = [one for one in shares if one["raters"] == "judge and people" and one["setup"] == "with-ties"]
    assert [(one["num_agree"], one["num_pairs"]) for one in with_judge] == [(0, 14)], "seven of nine have a verdict"
    refused = command("prefer", "agree", people, "--judge_run", judged)
    assert refused.code == EXIT_USAGE
    assert "no votes are on x, y, only on first, second; --rename x=NAME" in refused.err


def test_people_and_a_judge_together(command: Any, workplace: Path) -> None:
    """Twenty prompts with people's votes and a hundred with a judge's alone, whose bias people correct."""
    draw = random.Random(1)
    rows = []
    for n in range(120):
        true = "model_a" if draw.random() < 0.7 else "model_b"
        rows.append({"judge": "robot", "winner": "model_a" if draw.random() < 0.3 else true, "question_id": f"q{n}"})
        if n < 20:
            rows += [{"judge": person, "winner": true, "question_id": f"q{n}"} for person in ("p1", "p2")]
    path = workplace / "both.jsonl"
    path.write_text("".join(json.dumps({"model_a": "x", "model_b": "y", **row}) + "\n" for row in rows))
    ran = command("prefer", "win-rates", path, "--judge", "robot", "--json")
    (found,) = ran.json["powered"]
    assert found["judge"] == "robot"
    rate = found["rate"]
    assert (rate["num_prompts_people"], rate["num_prompts_judge"]) == (20, 100)
    assert rate["low"] < rate["value"] < rate["high"]
    assert rate["stderr_ratio"] < 1
    assert "20 + 100" in ran.out


def test_a_run_that_judges_no_two_is_refused(command: Any, workplace: Path) -> None:
    ran = command("run", "--model", "scripted", "--tasks", "mini_choice_en", "--limit", 3, "--json")
    refused = command("prefer", "win-rates", ran.json["path"], "--format", "run")
    assert "is no judge run of two models" in refused.err
    missing = command("prefer", "win-rates", workplace / "none", "--format", "run")
    assert missing.code != EXIT_OK
    assert "Traceback" not in missing.err


ODD = [
    '{"model_a": "x", "model_b": "y", "winner": "tie", "judge": "\\ud800"}\n',
    '{"model_a": "\\u001b[31mx", "model_b": "<script>", "winner": "model_a"}\n'
    '{"model_a": "<script>", "model_b": "\\u001b[31mx", "winner": "model_a"}\n',
]


@pytest.mark.parametrize("action", ["win-rates", "rank", "agree"])
@pytest.mark.parametrize("text", ODD)
def test_few_and_hostile_votes_are_counted(command: Any, workplace: Path, action: str, text: str) -> None:
    (workplace / "odd.jsonl").write_text(text, encoding="utf-8")
    ran = command("prefer", action, "odd.jsonl", "--json")
    assert ran.code == EXIT_OK, ran.err
    assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize(("name", "text"), [("e.jsonl", ""), ("e.json", "[]"), ("e.csv", "model_a,model_b,winner\n")])
def test_no_votes_are_said_to_be_none(command: Any, workplace: Path, name: str, text: str) -> None:
    (workplace / name).write_text(text, encoding="utf-8")
    assert "there are no votes of people" in command("prefer", "rank", name).err
