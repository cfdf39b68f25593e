"""``evalsuite prefer report``: all that votes say, as a file for programs, figures, and a page."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from evalsuite import plugins
from evalsuite.boards.building import BoardOptions
from evalsuite.canonical import canonical_json
from evalsuite.cli.output import say
from evalsuite.cli.prefer_tables import print_headlines
from evalsuite.cli.prefer_votes import gather
from evalsuite.errors import DataError, UsageError
from evalsuite.preference.summarising import summary_of
from evalsuite.preference.summary import PreferenceSummary, read_summary
from evalsuite.store.files import write_atomic

SUMMARY = "preference.json"
PAGE = "preference.html"


def write(options: argparse.Namespace) -> dict[str, Any]:
    """Write the summary, the figures and the page into a folder, and print where they are. Raises SaveFailed."""
    folder: Path = options.output
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output {folder} is a file; give a folder.")
    summary = _summary(options)
    render = plugins.load(plugins.REPORTS, "leaderboard")
    figures: dict[str, bytes] = plugins.load(plugins.REPORTS, "preference_figures")(summary)
    page = render((), BoardOptions(title=options.title, preference=summary)).html
    contents = {
        SUMMARY: (canonical_json(summary) + "\n").encode("ascii"),
        **figures,
        PAGE: page.encode("utf-8", "replace"),
    }
    for name, content in contents.items():
        write_atomic(folder / name, content)
    _warn_of_others(folder, set(contents))
    print_headlines(summary)
    say(f"\n{folder.resolve() / PAGE}")
    return {
        "path": str(folder.resolve()),
        "page": str(folder.resolve() / PAGE),
        "summary": str(folder.resolve() / SUMMARY),
        "figures": [str(folder.resolve() / name) for name in figures],
        "results": msgspec.to_builtins(summary),
    }


def _summary(options: argparse.Namespace) -> PreferenceSummary:
    try:
        return summary_of(gather(options), seed=options.seed, num_draws=options.draws, correction=options.correction)
    except ValueError as error:
        raise UsageError(f"{', '.join(map(str, options.files))}: {error}.") from error


def _warn_of_others(folder: Path, written: set[str]) -> None:
    """Figures that other votes left in the folder are not taken for these votes' own."""
    others = sorted(path.name for path in folder.iterdir() if path.suffix in (".svg", ".png"))
    if left := [name for name in others if name not in written]:
        say(f"evalsuite: {folder} also holds figures that are not of these votes: {', '.join(left)}.", file=sys.stderr)


def read(path: Path) -> PreferenceSummary:
    """The summary in a file that `write` wrote, or in its folder. Raises DataError."""
    file = path / SUMMARY if path.is_dir() else path
    try:
        return read_summary(json.loads(file.read_bytes()))
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise DataError(f"{file} holds no summary of votes: {error}.") from error
