"""`evalsuite score`, `jury` and `judge card` from the command line: what is printed, stored and refused."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE


@pytest.fixture
def answered(command: Any, tmp_path: Path) -> Path:
    """A sealed run of three chats."""
    ran = command("run", "--model", "scripted", "--tasks", "mini_chat_en", "--limit", "3", "--output_path",
                  str(tmp_path / "runs"), "--json")  # fmt: skip
    assert ran.code == EXIT_OK
    return Path(ran.json["path"])


def case_ids(run: Path) -> list[str]:
    from evalsuite.store.results import read_samples

    return [record.sample.id for record in read_samples(run)]


def rest_of(page: Path) -> Any:
    """What a page holds of a board beyond its leaderboard."""
    (packed,) = re.findall(r'id="data-rest"[^>]*>([^<]*)<', page.read_text(encoding="utf-8"))
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def recorded(folder: Path, texts: dict[str, str]) -> Path:
    path = folder / "verdicts.jsonl"
    path.write_text("".join(json.dumps({"sample_id": key, "text": text}) + "\n" for key, text in texts.items()))
    return path


def test_recorded_verdicts_judge_a_run(command: Any, answered: Path, tmp_path: Path) -> None:
    first = command("score", str(answered), "--judge", "rating", "--model", "scripted", "--json")
    assert first.code == EXIT_INCOMPLETE, "a toy that repeats its prompt gives no verdicts"
    judged = Path(first.json["path"])
    assert judged.parent == answered.parent
    assert judged.name.startswith("scripted-rating-")

    ids = case_ids(judged)
    verdicts = recorded(tmp_path, dict(zip(ids, ("[[4]]", "[[6]]", "[[8]]"), strict=True)))
    ran = command("score", str(answered), "--judge", "rating", "--model", "recorded", "--model_args",
                  f"path={verdicts},name=reader", "--json")  # fmt: skip
    assert ran.code == EXIT_OK
    (headline,) = [row for row in ran.json["results"] if row["metric"] == "rating"]
    assert (headline["value"], headline["n"], headline["protocol"]) == (6.0, 3, "mini-v1/rating-v1@reader")

    page = tmp_path / "page.html"
    assert command("report", str(answered), str(ran.json["path"]), "--output", str(page)).code == EXIT_OK
    (judging,) = rest_of(page)["judgings"]
    assert (judging["judge"], judging["model"]) == ("rating", "reader")
    assert judging["runs"][0]["unparsed"][:2] == [0, 3]


def test_what_is_wrong_is_said_in_one_line(command: Any, answered: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text(" \n")
    for arguments, said in (
        ((str(tmp_path), "--judge", "rating", "--model", "scripted"), "no sealed results"),
        ((str(answered), "--judge", "ratings", "--model", "scripted"), "did you mean 'rating'"),
        ((str(answered), "--judge", "pairwise", "--model", "scripted"), "two runs, not of 1"),
        ((str(answered), "--judge", "mt_bench_single", "--model", "scripted"), "mt_bench"),
        ((str(answered), "--judge", "rating", "--model", "scripted", "--judge_prompt", "nowhere"), "cannot be read"),
        ((str(answered), "--judge", "rating", "--model", "scripted", "--judge_prompt", str(empty)), "is empty"),
    ):
        ran = command("score", *arguments)
        assert ran.code != EXIT_OK
        assert said in ran.err
        assert ran.err.count("\n") == 1, ran.err


def test_a_card_is_printed_and_stored(command: Any, tmp_path: Path) -> None:
    ran = command("judge", "card", "--judge", "rating", "--model", "scripted", "--lang", "es", "--output_path",
                  str(tmp_path), "--json")  # fmt: skip
    assert ran.code == EXIT_OK, "replies without a verdict are what the card measures"
    assert "not admissible" in ran.out
    stored = json.loads((Path(ran.json["path"]) / "judge_card.json").read_bytes())
    assert stored == ran.json["cards"]
    assert stored["es"]["is_admissible"] is False
    assert command("judge", "card", "--judge", "rating", "--model", "scripted", "--lang", "tlh").code == EXIT_USAGE

    page = tmp_path / "page.html"
    told = command("report", "--cards", str(ran.json["path"]), "--output", str(page), "--json")
    assert told.code == EXIT_OK
    assert told.out.startswith("0 runs and 1 judge card in ")
    assert told.json["cards"] == [ran.json["path"]]
    (card,) = rest_of(page)["cards"]
    assert (card["model"], card["language"], card["is_admissible"]) == ("scripted", "es", False)
    nothing = command("report", "--cards", str(tmp_path / "nowhere.json"))
    assert nothing.code == EXIT_USAGE
    assert "nowhere.json cannot be read" in nothing.err
