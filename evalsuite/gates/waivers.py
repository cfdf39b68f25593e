"""Failures that somebody answers for until a day: a file in git, so that who waived what is reviewed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from evalsuite.errors import ConfigError
from evalsuite.gates.records import Waiver
from evalsuite.types import Record
from evalsuite.yaml_files import record_of


class _Row(Record, frozen=True, kw_only=True):
    gate: str
    reason: str
    by: str
    expires: Any  # YAML reads a day as a date, quoted as text


class _File(Record, frozen=True, kw_only=True):
    waivers: tuple[_Row, ...]


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a file ``waivers: [{gate, reason, by, expires}]``. Raises ConfigError."""
    return tuple(_waiver(row, path) for row in record_of(_File, path).waivers)


def _waiver(row: _Row, path: Path) -> Waiver:
    try:
        expires = date.fromisoformat(str(row.expires))
    except ValueError as error:
        raise ConfigError(
            f"{path}: the waiver of {row.gate} expires on {row.expires!r}; expected YYYY-MM-DD."
        ) from error
    for key in ("gate", "reason", "by"):
        if not getattr(row, key).strip():
            raise ConfigError(f"{path}: a waiver without a {key}.")
    return Waiver(gate=row.gate, reason=row.reason, by=row.by, expires=expires.isoformat())
