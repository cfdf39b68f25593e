"""A new study: whole in its folder, or not there at all."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from evalsuite.canonical import canonical_json
from evalsuite.errors import SaveFailed, UsageError
from evalsuite.store.files import sync_directory

from .ledger import FILE_NAME, STUDY_VERSION, connect, insert_rater, new_token, now, plain_name
from .pairs import Pair, drawn
from .study_file import StudyFile


def create(path: Path, study: StudyFile, pairs: Sequence[Pair]) -> dict[str, str]:
    """Make the study in the new folder `path` and give every rater's link, which is kept nowhere.

    Raises UsageError where `path` holds a study already, SaveFailed where it cannot be written.
    """
    file, unfinished = path / FILE_NAME, path / f".{FILE_NAME}.{secrets.token_hex(4)}"
    if file.exists():
        raise UsageError(f"{path} holds a study already; a study is never overwritten.")
    links = {rater.name: new_token() for rater in study.raters}
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = connect(unfinished)
        try:
            _fill(connection, study, pairs, links)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing may stay beside the file that is renamed
        finally:
            connection.close()
        os.link(unfinished, file)  # unlike a rename this never replaces a study that somebody made meanwhile
        sync_directory(path)
    except FileExistsError as error:
        raise UsageError(f"{path} holds a study already; a study is never overwritten.") from error
    except (OSError, sqlite3.OperationalError) as error:
        raise SaveFailed(f"cannot make a study in {path}: {error}.") from error
    finally:
        for left in path.glob(f"{unfinished.name}*"):
            left.unlink()
    return links


def _fill(connection: sqlite3.Connection, study: StudyFile, pairs: Sequence[Pair], links: dict[str, str]) -> None:
    connection.executescript(resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8"))
    connection.execute("BEGIN IMMEDIATE")
    entries = {
        "version": str(STUDY_VERSION),
        "file": canonical_json(study),
        "secret": secrets.token_hex(32),
        "made_at": now(),
    }
    connection.executemany("INSERT INTO study VALUES (?, ?)", entries.items())
    items: dict[tuple[bool, str], int] = {}
    for pair in pairs:
        key = pair.is_gold, pair.item.id
        if key not in items:
            items[key] = _add_item(connection, pair)
        connection.execute(
            "INSERT INTO pair (item, system_a, system_b, answer_a, answer_b, is_gold, place)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                items[key],
                pair.system_a,
                pair.system_b,
                canonical_json(pair.answer_a),
                canonical_json(pair.answer_b),
                int(pair.is_gold),
                drawn(study.seed, "place", pair.item.id, pair.system_a, pair.system_b),
            ),
        )
    for rater in study.raters:
        insert_rater(connection, rater, study, links[rater.name])
    connection.execute("COMMIT")


def _add_item(connection: sqlite3.Connection, pair: Pair) -> int:
    item = pair.item
    name = f"gold {item.id}" if pair.is_gold else item.id
    found = connection.execute(
        "INSERT INTO item (name, prompt_group, language, turns, category, translator) VALUES (?, ?, ?, ?, ?, ?)",
        (name, item.group, item.language, canonical_json(item.turns), item.category, plain_name(item.translator)),
    )
    assert found.lastrowid is not None
    return found.lastrowid
