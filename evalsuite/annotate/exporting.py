"""Votes out of a study, with the systems that wrote the answers: the moment at which they are revealed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.store.files import write_atomic
from evalsuite.votes import VOTES_VERSION, Choice, Form, Vote, VoteHeader

from .ledger import Ledger, now, texts
from .markdown import form_of

_VOTES = (
    "SELECT vote.*, item.name AS item, prompt_group, language, category, system_a, system_b, answer_a, answer_b,"
    " is_gold, pair.id AS pair, left_is_a, repeat_of, shown_at, assignment.place, rater"
    " FROM vote JOIN assignment ON assignment.id = vote.assignment JOIN pair ON pair.id = assignment.pair"
    " JOIN item ON item.id = pair.item ORDER BY vote.id"
)


def votes_of(ledger: Ledger) -> tuple[Vote, ...]:
    """Every revision of every vote, in the order in which they were cast. Raters have numbers, not names."""
    forms: dict[int, tuple[Form, Form]] = {}
    return tuple(_vote(ledger.file.study, row, forms) for row in ledger.rows(_VOTES))


def _vote(study: str, row: Any, forms: dict[int, tuple[Form, Form]]) -> Vote:
    if row["pair"] not in forms:
        forms[row["pair"]] = form_of(texts(row["answer_a"])), form_of(texts(row["answer_b"]))
    sides = [(row["system_a"], forms[row["pair"]][0]), (row["system_b"], forms[row["pair"]][1])]
    left, right = sides if row["left_is_a"] else reversed(sides)
    return Vote(
        study=study,
        assignment=row["assignment"],
        revision=row["revision"],
        item=row["item"],
        group=row["prompt_group"],
        language=row["language"],
        system_left=left[0],
        system_right=right[0],
        choice=Choice(row["choice"]),
        rater=f"rater-{row['rater']}",
        shown_at=row["shown_at"],
        cast_at=row["cast_at"],
        place=row["place"],
        category=row["category"],
        withdrawn=bool(row["withdrawn"]),
        quality_left=row["quality_left"],
        quality_right=row["quality_right"],
        reason=row["reason"],
        repeat_of=row["repeat_of"] or "",
        is_gold=bool(row["is_gold"]),
        expected=(Choice.LEFT if row["left_is_a"] else Choice.RIGHT) if row["is_gold"] else None,
        seconds=row["seconds"],
        seen_left=_flag(row["seen_left"]),
        seen_right=_flag(row["seen_right"]),
        layout=row["layout"],
        ui_language=row["ui_language"],
        form_left=left[1],
        form_right=right[1],
    )


def _flag(stored: int | None) -> bool | None:
    return None if stored is None else bool(stored)


def write_votes(ledger: Ledger, path: Path) -> int:
    """Write all votes to `path`, as JSON lines or, where it ends so, as .csv; how many. Raises SaveFailed."""
    votes = votes_of(ledger)
    write_atomic(path, _csv(votes) if path.suffix.lower() == ".csv" else _json_lines(ledger, votes))
    return len(votes)


def _json_lines(ledger: Ledger, votes: tuple[Vote, ...]) -> bytes:
    body = "".join(f"{canonical_json(vote)}\n" for vote in votes).encode("ascii")
    header = VoteHeader(
        evalsuite_votes=VOTES_VERSION,
        study=ledger.file.study,
        exported_at=now(),
        num_votes=len(votes),
        scale=ledger.file.scale,
        sha256=hashlib.sha256(body).hexdigest(),
    )
    return f"{canonical_json(header)}\n".encode("ascii") + body


def _csv(votes: tuple[Vote, ...]) -> bytes:
    rows = [_flat(vote) for vote in votes]
    columns = list(_flat(_EMPTY))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8", "replace")


_EMPTY = Vote(
    study="", assignment="", revision=0, item="", group="", language="", system_left="", system_right="",
    choice=Choice.SKIP, rater="", shown_at="", cast_at="", form_left=Form(num_graphemes=0),
    form_right=Form(num_graphemes=0),
)  # fmt: skip


def _flat(vote: Vote) -> dict[str, Any]:
    """The vote's fields by name, those of forms as ``form_left.num_graphemes``."""
    found: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(vote).items():
        found |= (
            {f"{name}.{part}": each for part, each in value.items()} if isinstance(value, Mapping) else {name: value}
        )
    return found


def _cell(value: Any) -> Any:
    """`value` for a spreadsheet, which must not take a text for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
