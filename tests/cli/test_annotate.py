"""``evalsuite annotate`` as a coordinator types it: what it says, makes and refuses."""

from __future__ import annotations

import importlib.util
import json
import socket
import stat
from pathlib import Path

import pytest
import yaml
from commands import Run

from evalsuite.annotate.ledger import Ledger
from evalsuite.annotate.study_file import read_study_file
from evalsuite.cli.annotate_new import address_links


def write(folder: Path, **keys: object) -> Path:
    prompts = [{"item": f"q{n}", "language": "en", "prompt": f"Question {n}?"} for n in range(8)]
    lines(folder / "prompts.jsonl", prompts)
    for name in ("one", "two"):
        lines(folder / f"{name}.jsonl", [{"sample_id": f"q{n}", "text": f"{name} says {n}"} for n in range(8)])
    study = {"study": "trial", "systems": {"alpha-7b": "one.jsonl", "beta-7b": "two.jsonl"}, "prompts": "prompts.jsonl",
             "raters": [{"name": "Ana", "languages": ["en"]}, {"name": "Li", "languages": ["en"], "interface": "zh"}],
             **keys}  # fmt: skip
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    return path


def lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def made(command: Run, workplace: Path) -> Path:
    write(workplace)
    assert command("annotate", "new", "study.yaml").code == 0
    return workplace / "studies" / "trial"


def test_the_example_is_a_study(command: Run, workplace: Path) -> None:
    ran = command("annotate", "example")
    (workplace / "example.yaml").write_text(ran.out)
    assert read_study_file(workplace / "example.yaml").raters[1].shown_in == "ar"


def test_a_study_is_described_and_made(command: Run, workplace: Path) -> None:
    write(workplace)
    ran = command("annotate", "new", "study.yaml", "--json")
    assert ran.code == 0
    assert "en        8        8      24            2" in ran.out
    assert "in en there are 2 raters for 3 votes on each pair" in ran.out
    assert ran.json == {"study": "studies/trial", "pairs": 8, "gold": 0, "left_out": {}}
    links = workplace / "studies" / "trial" / "links.tsv"
    assert stat.S_IMODE(links.stat().st_mode) == 0o600
    assert [line.split("\t")[0] for line in links.read_text().splitlines()] == ["Ana", "Li"]


def test_a_dry_run_makes_nothing(command: Run, workplace: Path) -> None:
    write(workplace)
    ran = command("annotate", "new", "study.yaml", "--dry_run")
    assert ran.code == 0
    assert "nothing was made" in ran.out
    assert not (workplace / "studies").exists()


def test_answers_that_name_a_system_are_counted(command: Run, workplace: Path) -> None:
    write(workplace, aliases={"alpha-7b": ["says 3"]})
    ran = command("annotate", "new", "study.yaml", "--dry_run")
    assert "1 answers of alpha-7b name a system: shown as they are; mask_names: true hides the names" in ran.out


def test_a_study_is_not_made_twice(command: Run, made: Path) -> None:
    before = (made / "study.sqlite").read_bytes()
    ran = command("annotate", "new", "study.yaml")
    assert ran.code == 2
    assert "never overwritten" in ran.err
    assert (made / "study.sqlite").read_bytes() == before


def test_titles_that_name_a_system_are_refused(command: Run, workplace: Path) -> None:
    write(workplace, title={"en": "alpha-7b against the rest"})
    ran = command("annotate", "new", "study.yaml")
    assert ran.code == 2
    assert "'alpha-7b'" in ran.err


def test_links_are_renewed_and_raters_added(command: Run, made: Path) -> None:
    ran = command("annotate", "link", made, "--rater", "ana", "--url", "https://vote.example/", "--json")
    assert ran.json["link"].startswith("https://vote.example/join/")
    ran = command("annotate", "link", made, "--rater", "Zoë", "--lang", "en,fr", "--interface", "fr")
    assert ran.code == 0
    status = command("annotate", "status", made, "--json").json
    assert [rater["name"] for rater in status["raters"]] == ["Ana", "Li", "Zoë"]
    assert command("annotate", "link", made, "--rater", "nobody").code == 2
    assert command("annotate", "link", made).code == 2


def test_packets_come_and_nothing_is_left(command: Run, made: Path) -> None:
    ran = command("annotate", "packets", made, "--json")
    assert [packet["num_pairs"] for packet in ran.json["packets"]] == [8, 8]
    ran = command("annotate", "packets", made)
    assert ran.code == 6
    assert "nothing is left to compare for Ana" in ran.out


def test_closing_exporting_and_counting(command: Run, made: Path) -> None:
    ran = command("annotate", "export", made)
    assert ran.code == 0
    assert "still open" in ran.out
    assert command("annotate", "close", made).code == 0
    assert "trial, closed" in command("annotate", "status", made).out
    assert "still open" not in command("annotate", "export", made).out
    ran = command("prefer", "win-rates", made / "votes.jsonl", "--format", "votes")
    assert ran.code == 6, "there are no votes yet"
    assert command("annotate", "reopen", made).code == 0
    assert "closed" not in command("annotate", "status", made).out


@pytest.mark.parametrize("action", ["serve", "packets", "import", "export"])
def test_what_is_not_installed_is_said(command: Run, made: Path, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "evalsuite.cli.annotate_command.find_spec", lambda name: None if name == "starlette" else find(name)
    )
    ran = command("annotate", action, made)
    assert ran.code == 2
    assert "pip install 'evalsuite[annotate]'" in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("new",), "needs the study's folder"),
        (("status", "nowhere"), "nowhere holds no study"),
        (("status", "a", "b"), "takes one folder, not 2"),
        (("new", "nowhere.yaml"), "nowhere.yaml cannot be read"),
        (("import", "studies/trial"), "needs the files of answers"),
        (("packets", "studies/trial", "--count", "0"), "--count 0"),
        (("serve", "studies/trial", "--url", "vote.example"), "--url vote.example: expected http"),
        (("serve", "studies/trial", "--votes_per_minute", "0"), "--votes_per_minute 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(command: Run, made: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = command("annotate", *arguments)
    assert ran.code == 2
    assert says in ran.err


def test_links_follow_the_address_that_is_served(command: Run, made: Path) -> None:
    before = (made / "links.tsv").read_text()
    address_links(made, "https://vote.example/")
    after = (made / "links.tsv").read_text()
    assert after == before.replace("http://127.0.0.1:8765", "https://vote.example")
    (made / "links.tsv").unlink()
    address_links(made, "https://vote.example/")
    assert not (made / "links.tsv").exists()


def test_pages_of_a_rater_change_their_language(command: Run, made: Path) -> None:
    assert command("annotate", "link", made, "--rater", "Ana", "--interface", "fr").code == 0
    with Ledger(made) as ledger:
        assert [rater.interface for rater in ledger.raters()] == ["fr", "zh"]


def test_an_address_that_is_taken_is_said(command: Run, made: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = command("annotate", "serve", made, "--port", taken.getsockname()[1])
    assert ran.code == 2
    assert "cannot listen at 127.0.0.1" in ran.err
    assert "is served at" not in ran.err
    assert command("annotate", "serve", made, "--port", 99999).code == 2
    ran = command("annotate", "serve", made / "nothing")
    assert ran.code == 2
    assert "holds no study" in ran.err


def test_a_served_study_is_served_once(command: Run, made: Path) -> None:
    from evalsuite.annotate.serving import _alone

    with _alone(made):
        ran = command("annotate", "serve", made)
    assert ran.code == 2
    assert "served by another process" in ran.err
