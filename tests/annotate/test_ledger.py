"""The study on disk: made whole or not at all, votes only added, other people's files refused."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from studies import Made, made_from, make_study, write_lines, write_study

from evalsuite.annotate import creating
from evalsuite.annotate import ledger as ledgers
from evalsuite.annotate.assigning import next_assignment
from evalsuite.annotate.ledger import Ledger, connect
from evalsuite.annotate.study_file import Rater
from evalsuite.annotate.voting import Ballot, Cast, cast
from evalsuite.errors import CorruptStore, SaveFailed, UsageError
from evalsuite.votes import Choice

BALLOT = Ballot(choice=Choice.LEFT, quality_left="good", quality_right="good")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_study(tmp_path)


def test_votes_are_only_ever_added(made: Made) -> None:
    rater = made.rater("Ana")
    assignment = next_assignment(made.ledger, rater)
    assert assignment
    assert cast(made.ledger, rater, assignment, 1, BALLOT) is Cast.SAVED
    for statement in ("UPDATE vote SET choice = 'right'", "DELETE FROM vote"):
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"), made.ledger.transaction() as write:
            write.execute(statement)


def test_every_commit_is_on_disk(made: Made) -> None:
    assert made.ledger.rows("PRAGMA synchronous")[0][0] == 2
    assert made.ledger.rows("PRAGMA journal_mode")[0][0] == "wal"


def vote_on_all(path: Path, name: str) -> int:
    """All of one rater's pairs, in a process of its own, with a log that is begun anew all the time."""
    with Ledger(path) as ledger:
        ledger.rows("PRAGMA wal_autocheckpoint = 1")
        rater, count = ledger.rater_named(name), 0
        while assignment := next_assignment(ledger, rater):
            count += cast(ledger, rater, assignment, 1, BALLOT) is Cast.SAVED
    return count


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    raters = [{"name": f"rater {number}", "languages": ["en"]} for number in range(4)]
    made = make_study(tmp_path, num_prompts=60, overlap=4, raters=raters)
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
        counts = list(processes.map(vote_on_all, [made.path] * 4, [rater["name"] for rater in raters]))
    assert counts == [60] * 4
    assert made.ledger.rows("SELECT count(*) FROM vote")[0][0] == 240
    assert {row[0] for row in made.ledger.rows("SELECT taken FROM pair")} == {4}
    assert made.ledger.rows("PRAGMA integrity_check")[0][0] == "ok"


def test_copies_are_whole_also_while_somebody_votes(made: Made, tmp_path: Path) -> None:
    with Ledger(made.path) as other, other.transaction() as write:
        write.execute("UPDATE rater SET name = 'half way'")
        made.ledger.back_up(tmp_path / "copies" / "study.sqlite")
        write.execute("UPDATE rater SET name = 'Ana'")
    with Ledger(tmp_path / "copies") as copy:
        assert [rater.name for rater in copy.raters()] == ["Ana"]
        assert len(copy.rows("SELECT 1 FROM pair")) == 4
    with pytest.raises(UsageError, match="never overwrites"):
        made.ledger.back_up(tmp_path / "copies" / "study.sqlite")


def test_a_change_that_breaks_off_is_not_made(made: Made) -> None:
    def break_off() -> None:
        with made.ledger.transaction() as write:
            write.execute("UPDATE rater SET name = 'Else'")
            write.execute("INSERT INTO session VALUES ('x', 99, 'now')")

    with pytest.raises(sqlite3.IntegrityError):
        break_off()
    assert made.rater("Ana").name == "Ana"
    with made.ledger.transaction() as write:
        write.execute("UPDATE rater SET name = 'Else'")
    assert made.rater("Else").name == "Else"


def test_writers_of_two_processes_wait_for_one_another(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "_WAIT_SECONDS", 0.2)
    with Ledger(made.path) as other:
        with other.transaction(), pytest.raises(SaveFailed, match="locked"):
            made.ledger.close_study()
        other.close_study()
    assert made.ledger.is_closed


def test_a_study_is_never_overwritten(made: Made) -> None:
    before = (made.path / "study.sqlite").read_bytes()
    with pytest.raises(UsageError, match="already"):
        creating.create(made.path, made.ledger.file, ())
    assert (made.path / "study.sqlite").read_bytes() == before


def test_a_study_that_cannot_be_written_leaves_none(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(creating, "_fill", full)
    with pytest.raises(SaveFailed, match="full"):
        creating.create(tmp_path / "other", made.ledger.file, ())
    with pytest.raises(UsageError, match="no study"):
        Ledger(tmp_path / "other")
    assert not list((tmp_path / "other").iterdir())


def test_two_who_make_the_same_study_at_once_leave_the_first(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill = creating._fill

    def slowly(*arguments: object) -> None:
        monkeypatch.setattr(creating, "_fill", fill)
        links.update(creating.create(tmp_path / "other", made.ledger.file, ()))
        fill(*arguments)  # type: ignore[arg-type]

    links: dict[str, str] = {}
    monkeypatch.setattr(creating, "_fill", slowly)
    with pytest.raises(UsageError, match="never overwritten"):
        creating.create(tmp_path / "other", made.ledger.file, ())
    with Ledger(tmp_path / "other") as first:
        assert first.rater_by_link(links["Ana"])


def test_its_folder_is_the_coordinators_alone(made: Made) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\x00" + b"\x00" * 500])
def test_what_is_no_study_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.sqlite").write_bytes(content)
    with pytest.raises(CorruptStore, match="study"):
        Ledger(tmp_path)


def test_a_newer_study_is_refused_by_name(made: Made) -> None:
    connect(made.path / "study.sqlite").execute("UPDATE study SET value = '9' WHERE key = 'version'")
    with pytest.raises(CorruptStore, match="version 9"):
        Ledger(made.path)


def test_raters_are_added_later_but_not_twice(made: Made) -> None:
    token = made.ledger.add_rater(Rater(name="Zoë", languages=("en",), interface="fr"))
    found = made.ledger.rater_by_link(token)
    assert found
    assert (found.name, found.interface) == ("Zoë", "fr")
    with pytest.raises(UsageError, match="already"):
        made.ledger.add_rater(Rater(name="zoë", languages=("en",)))
    for wrong, says in (
        (Rater(name=" ana ", languages=("en",)), "already"),
        (Rater(name="Li", languages=()), "no languages"),
        (Rater(name="Li", languages=("en", " fr")), "no languages, or an empty one"),
        (Rater(name="Li", languages=("en",), interface="de"), "no pages in 'de'"),
    ):
        with pytest.raises(UsageError, match=says):
            made.ledger.add_rater(wrong)
    with pytest.raises(UsageError, match="Ana, Zoë"):
        made.ledger.rater_named("nobody")


def test_a_study_on_a_disk_that_is_read_only_is_read(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.ledger.close()
    (made.path / "writing.lock").unlink()
    monkeypatch.setattr(ledgers.os, "access", lambda *_: False)
    with Ledger(made.path) as ledger:
        assert [rater.name for rater in ledger.raters()] == ["Ana"]
        with pytest.raises(SaveFailed, match="readonly"):
            ledger.close_study()
    assert [path.name for path in made.path.iterdir()] == ["study.sqlite"]


def test_a_prompt_that_is_called_like_a_known_answer_is_another(tmp_path: Path) -> None:
    answers = {name: {item: f"{name} says {item} " * 5 for item in ("en-0", "gold en-0")} for name in ("one", "two")}
    path = write_study(tmp_path, answers=answers, num_prompts=1, gold={"each": 2})
    rows = [{"item": item, "language": "en", "prompt": f"{item}?"} for item in ("en-0", "gold en-0")]
    write_lines(tmp_path / "prompts.jsonl", rows)
    found = made_from(path).ledger.rows("SELECT name, turns FROM item ORDER BY name, turns")
    assert [tuple(row) for row in found] == [
        ("en-0", '["en-0?"]'), ("gold en-0", '["en-0?"]'), ("gold en-0", '["gold en-0?"]'),
        ("gold gold en-0", '["gold en-0?"]')]  # fmt: skip
