"""A ledger goes on and never back: no entry is changed, cut or moved unseen, and a torn line loses nothing else."""

from __future__ import annotations

import json
import random
import re
import resource
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest
from hostile import spoiled

from evalsuite.alarms import Doubt, RedFlag
from evalsuite.errors import CorruptStore, DataError, SaveFailed, SpecMismatch, UnknownName, UsageError
from evalsuite.proofs.ledger import LEDGER_SCHEMA, Entry, Headline, Ledger, append, read_ledger, repair, whole
from evalsuite.proofs.rows import additions, changes, withdrawal
from evalsuite.proofs.trust import Trust, TrustLevel
from evalsuite.store.frames import frame

RE_SCORED = Trust(level=TrustLevel.RE_SCORED, reasons=("no second run was given",))


def headline(value: float, name: str = "quiz_en") -> Headline:
    return Headline(
        name=name, kind="task", metric="acc", protocol="p1", signature="v1", value=value, low=value - 0.1,
        high=value + 0.1, n=40, num_unscored=0, scale=100.0,
    )  # fmt: skip


def row(name: str, value: float = 0.5, reason: str = "", **changes: object) -> Entry:
    entry = Entry(
        schema=LEDGER_SCHEMA, seq=0, previous="", kind="row", row=name, model=f"model {name}", reason=reason,
        engine="transformers", status="complete", manifest_sha256=f"{value}", results_sha256="1" * 64,
        samples_root="2" * 64, headlines=(headline(value),), trust=RE_SCORED,
        red_flags=(RedFlag(kind=Doubt.PARTIAL, text="a partial run", count=4, total=9),),
    )  # fmt: skip
    return msgspec.structs.replace(entry, **changes)


def add(path: Path, *entries: Entry) -> Ledger:
    return append(path, lambda ledger: additions(ledger, entries))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of five rows, one of them corrected."""
    file = tmp_path / "ledger.jsonl"
    for name in "abcd":
        add(file, row(name))
    add(file, row("b", 0.75, "its template was wrong"))
    return file


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


# -- going on


def test_entries_stand_in_order_and_each_names_the_one_before(path: Path) -> None:
    ledger = read_ledger(path)
    assert [entry.row for entry in ledger.entries] == list("abcdb")
    assert [entry.seq for entry in ledger.entries] == [0, 1, 2, 3, 4]
    assert [entry.previous for entry in ledger.entries] == ["", *ledger.hashes[:-1]]
    assert len(set(ledger.hashes)) == 5
    assert ledger.head == ledger.hashes[-1]
    assert {name: entry.headlines[0].value for name, entry in ledger.rows.items()} == {
        "a": 0.5, "b": 0.75, "c": 0.5, "d": 0.5
    }  # fmt: skip
    assert ledger.rows["b"].reason == "its template was wrong"


def test_what_was_written_is_never_touched_again(path: Path) -> None:
    before = path.read_bytes()
    add(path, row("e"), row("f"))
    assert path.read_bytes().startswith(before)
    assert len(lines(path)) == 7
    add(path, row("e"))
    assert len(lines(path)) == 7, "the same row said again is nothing new"


def test_a_correction_needs_a_reason(path: Path) -> None:
    before = path.read_bytes()
    for changed in (row("a", 0.25), row("a", trust=None), row("a", red_flags=()), row("a", 0.25, "  ")):
        with pytest.raises(UsageError, match=r"row a .* stands in .* as entry 0, .* needs --reason"):
            add(path, changed)
    with pytest.raises(UsageError, match="two of the runs have the id z"):
        add(path, row("z"), row("z"))
    assert path.read_bytes() == before


def test_a_row_is_withdrawn_with_a_reason_and_comes_back_with_one(path: Path) -> None:
    for name, reason, error in (("z", "why", UnknownName), ("a", " ", UsageError)):
        with pytest.raises(error):
            append(path, lambda ledger, name=name, reason=reason: [withdrawal(ledger, name, reason)])
    ledger = append(path, lambda ledger: [withdrawal(ledger, "a", "its weights were others")])
    assert list(ledger.rows) == ["b", "c", "d"]
    with pytest.raises(UsageError, match="--reason"):
        add(path, row("a"))
    assert list(add(path, row("a", reason="the right weights")).rows) == ["b", "c", "d", "a"]


def add_row(arguments: tuple[Path, str]) -> None:
    add(arguments[0], row(arguments[1]))


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    names = [f"row {number}" for number in range(24)]
    with ProcessPoolExecutor(6, mp_context=get_context("fork")) as pool:
        list(pool.map(add_row, [(file, name) for name in names]))
    ledger = read_ledger(file)
    assert sorted(entry.row for entry in ledger.entries) == sorted(names)
    assert ledger.torn is None


def test_an_addition_that_comes_to_nothing_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "ledger.jsonl"
    with pytest.raises(UsageError):
        add(file, row("a"), row("a"))
    assert not file.exists()
    with pytest.raises(DataError, match="`evalsuite leaderboard add` makes one"):
        read_ledger(file)


# -- what was changed


def refused(path: Path) -> str:
    with pytest.raises(CorruptStore) as caught:
        whole(read_ledger(path))
    with pytest.raises(CorruptStore):
        add(path, row("new"))
    return str(caught.value)


@pytest.mark.parametrize("seed", range(120))
def test_no_changed_digit_is_silent(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    place = chance.choice([match.start() for match in re.finditer(rb"[0-9]", content)])
    content[place] = chance.choice([digit for digit in b"0123456789" if digit != content[place]])
    path.write_bytes(content)
    number = bytes(content[:place]).count(b"\n")
    assert f"entry {number} (byte " in refused(path)


def forge(line: bytes, change: Callable[[dict], object]) -> bytes:
    """The line with something else in it, its checksum made to fit."""
    value = json.loads(line[9:])
    change(value)
    return frame(value)


@pytest.mark.parametrize("number", range(4))
def test_a_forged_entry_breaks_the_chain_at_the_next(path: Path, number: int) -> None:
    all_lines = lines(path)
    all_lines[number] = forge(all_lines[number], lambda value: value["headlines"][0].update(value=0.99))
    path.write_bytes(b"".join(all_lines))
    said = refused(path)
    assert f"entry {number + 1} (byte " in said
    assert "history was rewritten" in said


def test_a_forged_last_entry_has_another_head(path: Path) -> None:
    head = read_ledger(path).head
    all_lines = lines(path)
    all_lines[-1] = forge(all_lines[-1], lambda value: value["headlines"][0].update(value=0.99))
    path.write_bytes(b"".join(all_lines))
    assert read_ledger(path).head != head


@pytest.mark.parametrize("number", range(4))
def test_no_entry_is_lost_or_moved_unseen(path: Path, number: int) -> None:
    all_lines = lines(path)
    path.write_bytes(b"".join(all_lines[:number] + all_lines[number + 1 :]))
    assert f"entry {number} (byte " in refused(path)
    all_lines[number], all_lines[number + 1] = all_lines[number + 1], all_lines[number]
    path.write_bytes(b"".join(all_lines))
    assert f"entry {number} (byte " in refused(path)


def test_another_spelling_of_an_entry_is_refused(path: Path) -> None:
    body = lines(path)[0][9:-1].replace(b'"engine":', b'"engine" :')
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(body), body))
    assert "not in the form in which entries are written" in refused(path)
    path.write_bytes(frame({"schema": 1, "novel": 2}))
    assert "is no entry" in refused(path)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_in_a_ledger_ends_in_a_traceback(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    all_lines = lines(path)
    number = chance.randrange(len(all_lines))
    body = spoiled(all_lines[number][9:-1], chance)
    all_lines[number] = b"%08x %s\n" % (zlib.crc32(body), body)
    before = path.read_bytes()
    path.write_bytes(b"".join(all_lines))
    with suppress(CorruptStore, SpecMismatch):
        read_ledger(path)
        assert number == 4 or path.read_bytes() == before, "only the head tells of the last entry"


def test_a_newer_ledger_is_refused_by_name(path: Path) -> None:
    path.write_bytes(forge(lines(path)[0], lambda value: value.update(schema=LEDGER_SCHEMA + 1, novel=1)))
    with pytest.raises(SpecMismatch, match=f"has schema {LEDGER_SCHEMA + 1}; this evalsuite reads"):
        read_ledger(path)


# -- torn


def test_a_line_torn_anywhere_is_told_kept_aside_and_gone_on_from(path: Path) -> None:
    content, last = path.read_bytes(), lines(path)[-1]
    start = len(content) - len(last)
    for cut in range(1, len(last), 37):
        path.write_bytes(content[: start + cut])
        torn = read_ledger(path).torn
        assert torn is not None
        assert torn.offset == start
        said = refused(path)
        assert f"torn at byte {start}" in said
        assert "the 4 entries before it are whole" in said
        assert f"leaderboard verify {path} --repair" in said
        aside = repair(path)
        assert aside is not None
        assert aside.read_bytes() == last[:cut]
        assert path.read_bytes() == content[:start]
    assert repair(path) is None
    add(path, row("b", 0.75, "its template was wrong"))
    assert path.read_bytes() == content


def test_a_changed_line_is_not_repaired(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-3] + b"0}\n")
    before = path.read_bytes()
    with pytest.raises(CorruptStore, match=r"entry 4 \(byte .* was changed"):
        repair(path)
    assert path.read_bytes() == before


@contextmanager
def no_file_longer_than(num_bytes: int) -> Iterator[None]:
    """Writes past `num_bytes` fail, as on a full disk. Python ignores SIGXFSZ."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 300, 900])
def test_a_full_disk_leaves_the_ledger_as_it_was(path: Path, room: int) -> None:
    before = path.read_bytes()
    with no_file_longer_than(len(before) + room), pytest.raises(SaveFailed, match=r"ledger\.jsonl"):
        add(path, row("e"), row("f"))
    assert path.read_bytes() == before
    add(path, row("e"), row("f"))
    assert len(read_ledger(path).entries) == 7


# -- between two states


def test_what_came_went_and_changed_is_told_with_reasons(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_bytes(b"".join(lines(path)[:3]))
    append(path, lambda ledger: [withdrawal(ledger, "a", "its weights were others")])
    again = Trust(level=TrustLevel.RE_RUN)
    add(
        path,
        row("c", 0.5, "run again", trust=again, headlines=(headline(0.5), headline(0.25, "quiz_fr")), red_flags=()),
    )
    found = {change.row: change for change in changes(read_ledger(old), read_ledger(path))}
    assert {name: change.kind for name, change in found.items()} == {
        "a": "went", "b": "changed", "c": "changed", "d": "came"
    }  # fmt: skip
    (number,) = found["b"].numbers
    assert number.before is not None
    assert number.after is not None
    assert (number.before.value, number.after.value) == (0.5, 0.75)
    assert found["b"].reasons == ("its template was wrong",)
    assert found["a"].reasons == ("its weights were others",)
    (number,) = found["c"].numbers
    assert (number.before, number.name) == (None, "quiz_fr")
    assert (found["c"].trust_before, found["c"].trust_after) == ("re-scored", "re-run")
    assert (found["c"].flags_before, found["c"].flags_after) == (("partial",), ())
    assert changes(read_ledger(path), read_ledger(path)) == ()


def test_a_rewritten_history_is_an_error_that_names_the_entry(path: Path, tmp_path: Path) -> None:
    old = read_ledger(path)
    rewritten = tmp_path / "rewritten.jsonl"
    for name, value in (("a", 0.5), ("b", 0.5), ("c", 0.6), ("d", 0.5), ("e", 0.5), ("f", 0.5)):
        add(rewritten, row(name, value))
    with pytest.raises(CorruptStore, match=r"entry 2, row c \(model c\) .* history was rewritten"):
        changes(old, read_ledger(rewritten))
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines(path)[:3]))
    with pytest.raises(CorruptStore, match=r"ends before entry 3, row d .* history was cut"):
        changes(old, read_ledger(cut))
    cut.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CorruptStore, match="torn"):
        changes(old, read_ledger(cut))
