"""Offline packets: what is in the file, and what becomes of the answers that come back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from forms import Forms
from studies import Made, joined, make_study

from evalsuite.annotate.packets import Packet, import_answers, withdraw_packets, write_packet
from evalsuite.errors import DataError, NothingSelected, SaveFailed, UsageError

RATERS = [{"name": "Ana", "languages": ["en"]}, {"name": "Zoë & co/../x", "languages": ["en"]}]
ANSWER = {"choice": "left", "quality_left": "good", "quality_right": "flawed", "reason": "", "seconds": "3.2",
          "seen_left": "1", "seen_right": "0", "layout": "columns", "number": 1}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_study(tmp_path, num_prompts=12, raters=RATERS, overlap=2, repeats=0.2)


def packet_of(made: Made, name: str = "Ana", count: int = 50) -> tuple[Packet, str, list[str]]:
    """A packet, its key and its assignments."""
    packet = write_packet(made.ledger, made.rater(name), made.path / "packets", count)
    html = Path(packet.path).read_text(encoding="utf-8")
    key = html.partition('data-packet="')[2].partition('"')[0]
    return packet, key, [part.partition('"')[0] for part in html.split('data-assignment="')[1:]]


def came_back(made: Made, key: str, answers: Mapping[str, Mapping[str, Any]], **keys: Any) -> Path:
    path = made.path / "answers.json"
    rows = [
        {"assignment": name, "cast_at": "2026-11-22T10:00:00.000Z", **ANSWER, **each} for name, each in answers.items()
    ]
    path.write_text(json.dumps({"evalsuite_packet": 1, "packet": key, "saved_at": "x", "answers": rows, **keys}))
    return path


def votes(made: Made) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in made.ledger.rows("SELECT choice, revision, cast_at, layout FROM vote ORDER BY id")]


def test_a_packet_is_one_file_with_all_its_pairs(made: Made) -> None:
    packet, _, assignments = packet_of(made)
    assert packet.num_pairs == len(assignments) == 12 + 2
    html = Path(packet.path).read_text(encoding="utf-8")
    assert "http:" not in html
    assert "https:" not in html
    assert "src=" not in html
    assert Path(packet.path).parent == made.path / "packets"


def test_a_raters_name_is_no_path(made: Made) -> None:
    packet, *_ = packet_of(made, "Zoë & co/../x")
    assert Path(packet.path).parent == made.path / "packets"
    assert Path(packet.path).name.startswith("packet-002-zo-co-x-")


def test_repeats_stand_later_with_sides_exchanged(made: Made) -> None:
    packet_of(made)
    rows = made.ledger.rows("SELECT * FROM assignment")
    again = [row for row in rows if row["repeat_of"]]
    assert len(again) == 2
    first = {row["id"]: row for row in rows}
    for row in again:
        assert row["place"] - first[row["repeat_of"]]["place"] >= 5
        assert row["left_is_a"] != first[row["repeat_of"]]["left_is_a"]


def test_pairs_of_a_packet_are_taken_and_not_shown_online(made: Made) -> None:
    _, _, assignments = packet_of(made, count=5)
    client = joined(made, "Ana")
    assert Forms(client.get("/").text).goes_to("/vote/").removeprefix("/vote/") not in assignments
    assert made.ledger.rows("SELECT sum(taken) FROM pair")[0][0] == 5 + 1


def test_answers_come_back_once(made: Made) -> None:
    _, key, names = packet_of(made)
    path = came_back(made, key, {names[0]: {}, names[1]: {"choice": "skip", "quality_left": "", "quality_right": ""}})
    first = import_answers(made.ledger, path)
    assert (first.saved, first.known, first.left_out) == (2, 0, {})
    again = import_answers(made.ledger, path)
    assert (again.saved, again.known, again.left_out) == (0, 2, {})
    assert votes(made) == [("left", 1, "2026-11-22T10:00:00.000+00:00", "columns"),
                           ("skip", 1, "2026-11-22T10:00:00.000+00:00", "columns")]  # fmt: skip


def test_later_answers_revise_and_earlier_ones_do_not(made: Made) -> None:
    _, key, names = packet_of(made)
    import_answers(made.ledger, came_back(made, key, {names[0]: {}}))
    late = {"choice": "right", "number": 4, "cast_at": "2026-11-22T05:00:00.000+01:00"}  # its clock was set back
    assert import_answers(made.ledger, came_back(made, key, {names[0]: late})).saved == 1
    early = {"choice": "tie_bad", "number": 2}
    found = import_answers(made.ledger, came_back(made, key, {names[0]: early}))
    assert (found.saved, found.left_out) == (0, {"changed since, or elsewhere": 1})
    assert [(row[0], row[1]) for row in votes(made)] == [("left", 1), ("right", 4)]


def test_a_packet_that_is_lost_is_shown_online_and_taken_all_the_same(made: Made) -> None:
    _, key, names = packet_of(made)
    import_answers(made.ledger, came_back(made, key, {names[0]: {}}))
    assert withdraw_packets(made.ledger, made.rater("Ana")) == 13
    client = joined(made, "Ana")
    assert Forms(client.get("/").text).goes_to("/vote/").removeprefix("/vote/") == names[1]
    assert import_answers(made.ledger, came_back(made, key, {names[1]: {}, names[0]: {}})).saved == 1
    assert Forms(client.get("/").text).goes_to("/vote/").removeprefix("/vote/") == names[2]


def test_what_is_incomplete_or_of_another_is_left_out_and_counted(made: Made) -> None:
    _, key, names = packet_of(made)
    _, _, others = packet_of(made, "Zoë & co/../x")
    wrong = {
        names[0]: {"quality_left": "superb"},
        names[1]: {"cast_at": "yesterday"},
        names[2]: {"quality_right": ""},
        names[4]: {"choice": "best"},
        others[0]: {},
        "x' OR 1=1": {},
        names[3]: {},
    }
    found = import_answers(made.ledger, came_back(made, key, wrong))
    assert (found.saved, found.left_out) == (1, {"incomplete": 4, "not of this packet": 2})


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff\xfe", b'{"evalsuite_packet": 2, "packet": "x", "answers": []}', b"[" * 100_000,
     b'{"evalsuite_packet": 1, "packet": "x"}', b'{"evalsuite_packet": 1, "packet": 3, "answers": []}',
     b'{"evalsuite_packet": 1, "packet": "x", "answers": [{"assignment": "a", "choice": "left", "cast_at": "x"}]}',
     b'{"evalsuite_packet": 1, "packet": "x", "answers": [{"assignment": "a", "choice": 3, "number": 1}]}'],
)  # fmt: skip
def test_files_that_are_no_answers_are_refused(made: Made, content: bytes) -> None:
    path = made.path / "answers.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="packet"):
        import_answers(made.ledger, path)


def test_answers_of_another_study_are_refused(made: Made) -> None:
    packet_of(made)
    with pytest.raises(DataError, match="no packet of this study"):
        import_answers(made.ledger, came_back(made, "forged", {}))
    with pytest.raises(DataError, match="cannot be read"):
        import_answers(made.ledger, made.path / "nothing.json")


def test_a_closed_study_gives_and_takes_no_packets(made: Made) -> None:
    _, key, names = packet_of(made)
    made.ledger.close_study()
    with pytest.raises(UsageError, match="closed"):
        write_packet(made.ledger, made.rater("Ana"), made.path, 5)
    with pytest.raises(UsageError, match="closed"):
        import_answers(made.ledger, came_back(made, key, {names[0]: {}}))


def test_nothing_left_is_no_packet(made: Made) -> None:
    packet_of(made)
    with pytest.raises(NothingSelected, match="nothing is left to compare for Ana"):
        packet_of(made)
    assert len(list((made.path / "packets").iterdir())) == 1


def test_a_packet_that_cannot_be_written_takes_nothing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _: bytes) -> None:
        raise SaveFailed(f"cannot write {path}")

    monkeypatch.setattr("evalsuite.annotate.packets.write_atomic", full)
    with pytest.raises(SaveFailed):
        packet_of(made)
    assert not made.ledger.rows("SELECT 1 FROM assignment")
    assert not made.ledger.rows("SELECT 1 FROM packet")
    assert made.ledger.rows("SELECT sum(taken) FROM pair")[0][0] == 0
