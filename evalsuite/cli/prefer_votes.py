"""Files of votes as ``evalsuite prefer`` reads them: people apart from judges, in the languages asked for."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import msgspec
import numpy as np

from evalsuite.cli.output import say
from evalsuite.errors import DataError, NothingSelected, UsageError
from evalsuite.preference.style import at, features_of
from evalsuite.preference.summarising import Gathered
from evalsuite.preference.summary import VoteFile
from evalsuite.preference.table import table_of
from evalsuite.verdicts import Comparison
from evalsuite.vote_files.formats import read_votes
from evalsuite.vote_files.reading import Imported


def gather(options: argparse.Namespace) -> Gathered:
    """People's votes and judges', under the same names. Raises NothingSelected where people cast none."""
    if not options.files:
        raise UsageError(f"prefer {options.action} needs files of votes.")
    imported = read_votes(options.files, options.format)
    for reason, count in sorted(imported.dropped.items()):
        say(f"evalsuite: {count} of {imported.num_rows} rows are left out: {reason}.", file=sys.stderr)
    wanted = _languages(options, imported)
    verdicts = _verdicts(options, imported)
    forms = imported.forms or (None,) * len(imported.comparisons)
    rows = [*zip(imported.comparisons, forms, strict=True), *((verdict, None) for verdict in verdicts)]
    rows = [(row, form) for row, form in rows if row.language in wanted]
    try:
        table = table_of(row for row, _ in rows)
    except ValueError as error:
        raise UsageError(f"{', '.join(map(str, options.files))}: {error}.") from error
    judges = [name for name in (options.judge or "").split(",") if name]
    if unknown := sorted(set(judges) - set(table.raters)):
        raise UsageError(f"--judge {options.judge}: no rater is called {', '.join(unknown)}.")
    judges += sorted({row.rater for row in verdicts})
    is_judge = np.isin([table.raters[place] for place in table.rater], judges)
    if is_judge.all():
        raise NothingSelected("there are no votes of people.")
    return Gathered(
        people=table.where(~is_judge),
        judges=table.where(is_judge),
        features=at(features_of([form for _, form in rows]), ~is_judge),
        ratings=tuple(row for row in imported.ratings if row.language in wanted and row.rater not in judges),
        scale=imported.scale,
        votes=tuple(vote for vote in imported.votes if vote.language in wanted and vote.rater not in judges),
        dropped=_dropped(imported, wanted),
        num_rows=imported.num_rows,
        files=tuple(map(_file, options.files)),
    )


def _verdicts(options: argparse.Namespace, imported: Imported) -> list[Comparison]:
    """The verdicts of ``--judge_run``, their systems called as the votes call them. Raises UsageError for others."""
    if not options.judge_run:
        return []
    found = read_votes(options.judge_run, "run")
    for reason, count in sorted(found.dropped.items()):
        say(f"evalsuite: {count} of {found.num_rows} verdicts are left out: {reason}.", file=sys.stderr)
    names = dict(part.split("=", 1) for part in options.rename.split(",") if "=" in part)
    known = {name for row in imported.comparisons for name in (row.system_a, row.system_b)}
    renamed = [
        msgspec.structs.replace(
            row, system_a=names.get(row.system_a, row.system_a), system_b=names.get(row.system_b, row.system_b)
        )
        for row in found.comparisons
    ]
    if unknown := sorted({name for row in renamed for name in (row.system_a, row.system_b)} - known):
        raise UsageError(f"--judge_run: no votes are on {', '.join(unknown)}, only on {', '.join(sorted(known))}; "
                         f"--rename {unknown[0]}=NAME says which of these it is.")  # fmt: skip
    return renamed


def _languages(options: argparse.Namespace, imported: Imported) -> set[str]:
    """Those of ``--lang``, or all."""
    there_are = {row.language for row in imported.comparisons}
    if not options.lang:
        return there_are | {vote.language for vote in imported.votes}
    wanted = set(options.lang.split(","))
    if unknown := sorted(wanted - there_are):
        raise UsageError(f"--lang {options.lang}: there are no votes in {', '.join(unknown)}; there are in "
                         f"{', '.join(sorted(there_are))}.")  # fmt: skip
    return wanted


def _dropped(imported: Imported, wanted: set[str]) -> dict[str, int]:
    """Rows by the reason that they are left out for, other languages than the wanted among these."""
    others = sum(row.language not in wanted for row in imported.comparisons)
    return {**imported.dropped, **({"in another language": others} if others else {})}


def _file(path: Path) -> VoteFile:
    if path.is_dir():
        return VoteFile(name=path.resolve().name, sha256="")
    try:
        return VoteFile(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
