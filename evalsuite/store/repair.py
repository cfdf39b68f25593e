"""Setting damaged journal files aside while keeping every record in them that is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evalsuite.store.files import write_atomic
from evalsuite.store.frames import Fault, frame, read_frames


@dataclass(frozen=True)
class Repaired:
    """A journal file that was set aside: its copy, records kept, and records lost (their batches run again)."""

    original: Path
    num_kept: int
    num_lost: int


def repair_journal(run_path: Path) -> list[Repaired]:
    """Rewrite the damaged journal files of a run from their whole records. The originals go to ``quarantine/``."""
    repaired = []
    for path in sorted((run_path / "journal").glob("*.jsonl")):
        values = list(read_frames(path.read_bytes()))
        kept = [value for value in values if not isinstance(value, Fault)]
        if len(kept) == len(values) and all(value.get("seq") == place for place, value in enumerate(kept)):
            continue
        copy = run_path / "quarantine" / path.name
        write_atomic(copy, path.read_bytes())
        opened = [value for value in kept if value.get("type") == "opened"]
        committed = [value for value in kept if value.get("type") == "committed"] if opened else []
        records = [{**value, "seq": place} for place, value in enumerate([*opened[:1], *committed])]
        write_atomic(path, b"".join(frame(record) for record in records))
        repaired.append(Repaired(copy, len(records), len(values) - len(records)))
    return repaired
