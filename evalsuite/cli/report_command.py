"""``evalsuite report``: a leaderboard page from stored runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from evalsuite import plugins
from evalsuite.cli.output import print_json
from evalsuite.errors import SpecMismatch, UsageError
from evalsuite.store.files import write_atomic
from evalsuite.store.results import RESULTS


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``report``."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directories, or folders of them")
    parser.add_argument(
        "--output", "-o", default="site/index.html", metavar="FILE", help="the page (default %(default)s)"
    )
    parser.add_argument(
        "--votes", type=Path, metavar="FILE", help="what people prefer as a view of its own: preference.json of "
        "`evalsuite prefer report`",
    )  # fmt: skip
    parser.add_argument("--title", default="evalsuite leaderboard", help="heading of the page")


def execute(options: argparse.Namespace) -> int:
    """Write the page and print where it is."""
    if Path(options.output).is_dir():
        raise UsageError(f"--output {options.output} is a folder; give a file, for example site/index.html.")
    runs = find_runs([Path(run) for run in options.runs])
    page = write_report(runs, Path(options.output), options.title, options.votes)
    votes = f" and the votes of {options.votes}" if options.votes else ""
    print(f"{len(runs)} run{'s' if len(runs) != 1 else ''}{votes} in {page}")
    if options.json:
        votes_json = {"votes": str(options.votes)} if options.votes else {}
        print_json({"path": str(page), "runs": [str(run) for run in runs], **votes_json})
    return 0


def find_runs(paths: list[Path]) -> list[Path]:
    """The sealed runs at or directly below `paths`. Raises SpecMismatch when a path holds none."""
    found: list[Path] = []
    for path in paths:
        below = [path] if (path / RESULTS).exists() else sorted(entry.parent for entry in path.glob(f"*/{RESULTS}"))
        if not below:
            raise SpecMismatch(f"{path} holds no finished run (no {RESULTS}); finish one with `evalsuite run`.")
        found += [run for run in below if run not in found]
    return found


def write_report(runs: list[Path], output: Path, title: str, votes: Path | None = None) -> Path:
    """Render the leaderboard of `runs`, and what `votes` say, to `output`. Raises SaveFailed, DataError for votes."""
    render = plugins.load(plugins.REPORTS, "leaderboard")
    page = render(runs, title, **_preference(votes)) if votes else render(runs, title)
    write_atomic(output, page.encode("utf-8", "replace"))
    return output.resolve()


def _preference(votes: Path) -> dict[str, Any]:
    from evalsuite.cli.prefer_report import read

    return {"preference": read(votes)}
