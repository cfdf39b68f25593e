"""``evalsuite report``: a leaderboard page from stored runs, votes and published figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite import plugins
from evalsuite.cli.output import print_json
from evalsuite.errors import SpecMismatch, UsageError
from evalsuite.store.files import write_atomic
from evalsuite.store.results import RESULTS

if TYPE_CHECKING:
    from evalsuite.boards.building import BoardOptions

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
_MEGABYTE = 1_000_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``report``."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run directories, or folders of them")
    parser.add_argument(
        "--output", "-o", default="site/index.html", metavar="FILE", help="the page (default %(default)s)"
    )
    parser.add_argument("--title", default="evalsuite leaderboard", help="heading of the page")
    parser.add_argument(
        "--votes", type=Path, metavar="FILE", help="what people prefer as a view of its own: preference.json of "
        "`evalsuite prefer report`",
    )  # fmt: skip
    parser.add_argument(
        "--published", nargs="+", type=Path, default=[], metavar="FILE", help="figures that others published, apart "
        "from the runs: CSV files, or descriptions of them (see configs/published)",
    )  # fmt: skip
    parser.add_argument(
        "--published_dir", type=Path, metavar="FOLDER", help="where the files that descriptions name lie"
    )
    parser.add_argument(
        "--cards", nargs="+", type=Path, default=[], metavar="FILE", help="how far judges can be trusted: "
        "judge_card.json of `evalsuite judge card`, or its run's directory; runs of a judge that is not admissible are "
        "marked",
    )  # fmt: skip
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="ledger of `evalsuite leaderboard`: shows how far each row was "
        "checked, and the hash of its last entry",
    )  # fmt: skip
    parser.add_argument(
        "--samples", choices=("all", "failures", "none"), default="all", help="whose texts the page holds: all "
        "samples', those that are not right, or nobody's; counts are always there (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--lang", choices=LANGUAGES, default="", help="language of the page (default: the reader's)")
    parser.add_argument(
        "--base_url", default="", metavar="URL", help="where the page will stand: adds what link previews show, and "
        "their picture card.png",
    )  # fmt: skip
    parser.add_argument("--index", action="store_true", help="let search engines list the page (default: asked not to)")
    parser.add_argument(
        "--max_mb", type=float, default=25.0, metavar="N", help="a larger page becomes a folder, with samples in files "
        "of their own (default %(default)s)",
    )  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Write the page and print where it is."""
    _check(options)
    runs = find_runs([Path(run) for run in options.runs])
    board = _board_options(options)
    page = write_report(runs, Path(options.output), board, _page_options(options))
    named = [
        f"{len(runs)} run{'s' if len(runs) != 1 else ''}",
        *([f"the votes of {options.votes}"] if options.votes else []),
        *([f"{len(options.published)} published table{'s' if len(options.published) != 1 else ''}"]
          if options.published else []),
        *([f"{len(board.cards)} judge card{'s' if len(board.cards) != 1 else ''}"] if options.cards else []),
    ]  # fmt: skip
    print(f"{' and '.join(named)} in {page}")
    if options.json:
        votes = {"votes": str(options.votes)} if options.votes else {}
        published = {"published": [str(path) for path in options.published]} if options.published else {}
        cards = {"cards": [str(path) for path in options.cards]} if options.cards else {}
        print_json({"path": str(page), "runs": [str(run) for run in runs], **votes, **published, **cards})
    return 0


def _check(options: argparse.Namespace) -> None:
    if Path(options.output).is_dir():
        raise UsageError(f"--output {options.output} is a folder; give a file, for example site/index.html.")
    if not (options.runs or options.votes or options.published or options.cards):
        raise UsageError("nothing to show: give run directories, --votes, --published or --cards.")
    if not options.max_mb > 0:
        raise UsageError(f"--max_mb {options.max_mb:g}: expected megabytes above 0.")
    if options.base_url and not options.base_url.startswith(("https://", "http://")):
        raise UsageError(f"--base_url {options.base_url}: expected an address that begins with https:// or http://.")


def _board_options(options: argparse.Namespace) -> BoardOptions:
    from evalsuite.boards.building import BoardOptions
    from evalsuite.boards.judge_files import read_cards
    from evalsuite.boards.published import published_table
    from evalsuite.cli.prefer_report import read
    from evalsuite.proofs.ledger import read_ledger

    return BoardOptions(
        title=options.title,
        preference=read(options.votes) if options.votes else None,
        published=tuple(published_table(path, options.published_dir) for path in options.published),
        cards=read_cards(options.cards),
        samples=options.samples,
        ledger=read_ledger(options.ledger) if options.ledger else None,
    )


def _page_options(options: argparse.Namespace) -> dict[str, Any]:
    url = options.base_url
    return {
        "language": options.lang,
        "base_url": url if not url or url.endswith("/") else url + "/",
        "is_indexed": options.index,
        "max_bytes": int(options.max_mb * _MEGABYTE),
    }


def find_runs(paths: list[Path]) -> list[Path]:
    """The sealed runs at or directly below `paths`. Raises SpecMismatch when a path holds none."""
    found: list[Path] = []
    for path in paths:
        below = [path] if (path / RESULTS).exists() else sorted(entry.parent for entry in path.glob(f"*/{RESULTS}"))
        if not below:
            raise SpecMismatch(f"{path} holds no finished run (no {RESULTS}); finish one with `evalsuite run`.")
        found += [run for run in below if run not in found]
    return found


def write_report(runs: list[Path], output: Path, board: BoardOptions, page: dict[str, Any] | None = None) -> Path:
    """Write the page over `runs` and what `board` adds to `output`, with the files that stand beside it.

    Raises SpecMismatch, CorruptStore or SaveFailed.
    """
    render = plugins.load(plugins.REPORTS, "leaderboard")
    found = render(runs, board, **(page or {}))
    for name, content in found.beside.items():
        write_atomic(output.parent / name, content)
    write_atomic(output, found.html.encode("utf-8", "replace"))
    return output.resolve()
