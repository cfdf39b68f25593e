"""``evalsuite report``: a leaderboard page from stored runs."""

from __future__ import annotations

import argparse
from pathlib import Path

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
    parser.add_argument("--title", default="evalsuite leaderboard", help="heading of the page")


def execute(options: argparse.Namespace) -> int:
    """Write the page and print where it is."""
    if Path(options.output).is_dir():
        raise UsageError(f"--output {options.output} is a folder; give a file, for example site/index.html.")
    runs = find_runs([Path(run) for run in options.runs])
    page = write_report(runs, Path(options.output), options.title)
    print(f"{len(runs)} run{'s' if len(runs) != 1 else ''} in {page}")
    if options.json:
        print_json({"path": str(page), "runs": [str(run) for run in runs]})
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


def write_report(runs: list[Path], output: Path, title: str) -> Path:
    """Render the leaderboard of `runs` to `output`. Raises SaveFailed."""
    render = plugins.load(plugins.REPORTS, "leaderboard")
    write_atomic(output, render(runs, title).encode("utf-8", "replace"))
    return output.resolve()
