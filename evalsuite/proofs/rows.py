"""Rows of a leaderboard: what a verified run becomes in a ledger, and what came, went and changed between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.alarms import RedFlag
from evalsuite.errors import CorruptStore, UnknownName, UsageError
from evalsuite.proofs.findings import as_read
from evalsuite.proofs.ledger import LEDGER_SCHEMA, Entry, Headline, Ledger, standing, whole
from evalsuite.proofs.manifest import Manifest
from evalsuite.proofs.trust import Trust
from evalsuite.records import Aggregate, Estimate, RunResult
from evalsuite.types import Record


@dataclass(frozen=True)
class CheckedRun:
    """A run as it goes into a ledger: result, manifest, how far it was checked, and what must be known of it."""

    result: RunResult
    manifest: Manifest
    trust: Trust
    red_flags: tuple[RedFlag, ...]


def row_entry(run: CheckedRun, reason: str = "") -> Entry:
    """The entry of a run, before it has a place in a ledger."""
    entry = Entry(
        schema=LEDGER_SCHEMA,
        seq=0,
        previous="",
        kind="row",
        row=run.result.run_id,
        model=run.result.spec.subject,
        reason=reason,
        engine=run.result.spec.model.engine,
        status=run.result.status,
        manifest_sha256=run.manifest.hash,
        results_sha256=run.manifest.results_sha256,
        samples_root=run.manifest.samples_root,
        headlines=headlines_of(run.result),
        trust=run.trust,
        red_flags=run.red_flags,
    )
    return as_read(entry)


def headlines_of(result: RunResult) -> tuple[Headline, ...]:
    """The headline of every mean and of every task."""
    means = (_headline(mean.name, mean.kind, mean) for mean in result.aggregates if mean.is_primary)
    tasks = (_headline(one.task, "task", one) for one in result.estimates if one.is_primary)
    return (*means, *tasks)


def _headline(name: str, kind: Literal["task", "macro", "micro", "suite"], number: Estimate | Aggregate) -> Headline:
    return Headline(
        name=name,
        kind=kind,
        metric=number.metric,
        protocol=number.protocol,
        signature=number.signature,
        value=number.value,
        low=number.low,
        high=number.high,
        n=number.n,
        num_unscored=number.num_unscored,
        scale=number.scale,
        higher_is_better=number.higher_is_better,
    )


# -- what may be added


def additions(ledger: Ledger, entries: Sequence[Entry]) -> list[Entry]:
    """Those of `entries` that say something new. Raises UsageError for a correction without a reason."""
    last = {entry.row: entry for entry in ledger.entries}
    new: list[Entry] = []
    for entry in entries:
        if any(other.row == entry.row for other in new):
            raise UsageError(f"two of the runs have the id {entry.row}; add one, with the other as --rerun.")
        before = last.get(entry.row)
        if before is not None and _says_the_same(before, entry):
            continue
        if before is not None and not entry.reason.strip():
            raise UsageError(
                f"row {entry.row} ({before.model}) stands in {ledger.path} as entry {before.seq}, with other numbers, "
                "files or checks; a correction needs --reason."
            )
        new.append(entry)
    return new


def _says_the_same(before: Entry, entry: Entry) -> bool:
    fields = ("kind", "manifest_sha256", "headlines", "trust", "red_flags")
    return all(getattr(before, name) == getattr(entry, name) for name in fields)


def withdrawal(ledger: Ledger, row: str, reason: str) -> Entry:
    """The entry that takes a row away. Raises UnknownName where it does not stand, UsageError without a reason."""
    rows = ledger.rows
    if row not in rows:
        hint = f"It has {', '.join(rows) or 'none'}."
        raise UnknownName("row", row, rows, hint, f"does not stand in {ledger.path}")
    if not reason.strip():
        raise UsageError("--reason is empty; say why the row is withdrawn.")
    return Entry(
        schema=LEDGER_SCHEMA, seq=0, previous="", kind="withdrawn", row=row, model=rows[row].model, reason=reason
    )


# -- what became of it


class NumberChange(Record, frozen=True, kw_only=True):
    """A headline that came (no `before`), went (no `after`) or changed."""

    name: str
    metric: str
    before: Headline | None
    after: Headline | None


class RowChange(Record, frozen=True, kw_only=True):
    """What became of a row: its numbers that differ, its level of trust then and now, and the reasons given."""

    row: str
    model: str
    kind: Literal["came", "went", "changed"]
    numbers: tuple[NumberChange, ...]
    trust_before: str
    trust_after: str
    flags_before: tuple[str, ...]
    flags_after: tuple[str, ...]
    reasons: tuple[str, ...]


def changes(old: Ledger, new: Ledger) -> tuple[RowChange, ...]:
    """What came, went and changed from `old` to `new`. Raises CorruptStore where `new` does not go on from `old`."""
    check_history(whole(old), whole(new))
    before, after = standing(old.entries), standing(new.entries)
    later = new.entries[len(old.entries) :]
    found = []
    for row in dict.fromkeys((*before, *after)):
        was, now = before.get(row), after.get(row)
        reasons = tuple(entry.reason for entry in later if entry.row == row and entry.reason)
        if was != now:
            found.append(_change(row, was, now, reasons))
    return tuple(found)


def check_history(old: Ledger, new: Ledger) -> None:
    """Raises CorruptStore naming the first entry of `old` that `new` does not hold."""
    for seq, entry in enumerate(old.entries):
        where = f"entry {seq}, row {entry.row} ({entry.model})"
        if seq >= len(new.hashes):
            raise CorruptStore(f"{new.path} ends before {where} of {old.path}: history was cut.")
        if new.hashes[seq] != old.hashes[seq]:
            raise CorruptStore(
                f"{new.path}: {where} of {old.path} is another one there, of row {new.entries[seq].row}: "
                "history was rewritten."
            )


def _change(row: str, was: Entry | None, now: Entry | None, reasons: tuple[str, ...]) -> RowChange:
    known = now or was
    assert known is not None
    return RowChange(
        row=row,
        model=known.model,
        kind="changed" if was and now else ("came" if now else "went"),
        numbers=tuple(_number_changes(_by_name(was), _by_name(now))),
        trust_before=_level(was),
        trust_after=_level(now),
        flags_before=_flags(was),
        flags_after=_flags(now),
        reasons=reasons,
    )


def _level(entry: Entry | None) -> str:
    return str(entry.trust.level) if entry and entry.trust else ""


def _flags(entry: Entry | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(flag.kind) for flag in entry.red_flags)) if entry else ()


def _by_name(entry: Entry | None) -> Mapping[tuple[str, str], Headline]:
    return {(one.name, one.metric): one for one in entry.headlines} if entry else {}


def _number_changes(
    before: Mapping[tuple[str, str], Headline], after: Mapping[tuple[str, str], Headline]
) -> Iterator[NumberChange]:
    for name, metric in dict.fromkeys((*before, *after)):
        was, now = before.get((name, metric)), after.get((name, metric))
        if was != now:
            yield NumberChange(name=name, metric=metric, before=was, after=now)
