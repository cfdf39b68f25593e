"""Rows and changes of a leaderboard's ledger as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from evalsuite.proofs.ledger import Entry, Headline
from evalsuite.proofs.rows import NumberChange, RowChange
from evalsuite.text.number_texts import with_interval
from evalsuite.text.visible import visible_line


def entry_json(entry: Entry) -> dict[str, Any]:
    """One row for programs."""
    found: dict[str, Any] = msgspec.to_builtins(entry)
    return found


def entry_rows(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """A table of rows, one line a headline; what holds for the whole row stands in its first."""
    rows: list[tuple[str, ...]] = [("row", "model", "trust", "headline", "value, 95 % interval", "n", "red flags")]
    for entry in entries:
        trust = str(entry.trust.level) if entry.trust else ""
        flags = ", ".join(dict.fromkeys(str(flag.kind) for flag in entry.red_flags))
        whole = (entry.row, visible_line(entry.model), trust)
        for index, one in enumerate(entry.headlines):
            first = index == 0
            rows.append((*(whole if first else ("", "", "")), *_number(one), flags if first else ""))
        if not entry.headlines:
            rows.append((*whole, "", "", "", flags))
    return rows


def _number(one: Headline) -> tuple[str, str, str]:
    return _name(one), with_interval(one.value, one.low, one.high, one.scale), str(one.n)


def change_lines(found: Sequence[RowChange]) -> Iterator[str]:
    """What became of each row, a line for each number that differs."""
    for change in found:
        yield f"{change.kind}: row {change.row}  {visible_line(change.model)}"
        for reason in change.reasons:
            yield f"  reason: {visible_line(reason)}"
        if change.kind == "changed":
            for number in change.numbers:
                yield f"  {_number_change(number)}"
            if change.trust_before != change.trust_after:
                yield f"  trust: {change.trust_before or 'none'}, now {change.trust_after or 'none'}"
            if change.flags_before != change.flags_after:
                before, after = (", ".join(flags) or "none" for flags in (change.flags_before, change.flags_after))
                yield f"  red flags: {before}, now {after}"
        else:
            for number in change.numbers:
                yield f"  {_described(number.after or number.before)}"


def _number_change(change: NumberChange) -> str:
    if change.before and change.after:
        return f"{_described(change.before)}, now {_amount(change.after)}"
    return f"{_described(change.after or change.before)}, {'new' if change.after else 'gone'}"


def _described(one: Headline | None) -> str:
    return "" if one is None else f"{_name(one)} {_amount(one)}"


def _name(one: Headline) -> str:
    """What the number is of; means have their metric in their name."""
    return visible_line(f"{one.name} {one.metric}" if one.kind == "task" else one.name)


def _amount(one: Headline) -> str:
    return f"{with_interval(one.value, one.low, one.high, one.scale)}, n {one.n}"
