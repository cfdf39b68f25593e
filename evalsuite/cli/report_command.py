"""``evalsuite report``: a leaderboard page from stored runs, votes and published figures, its data, and its tables."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from evalsuite import plugins
from evalsuite.cli.output import print_json, say
from evalsuite.cli.report_tables import add_table_options, check_table_options, write_tables
from evalsuite.errors import SpecMismatch, UsageError
from evalsuite.store.files import write_atomic
from evalsuite.store.results import RESULTS

if TYPE_CHECKING:
    from evalsuite.boards.building import BoardOptions
    from evalsuite.boards.evidence import PageData

LEADERBOARD = "leaderboard"
PAGE = "site/index.html"
TITLE = "evalsuite leaderboard"
LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
_MEGABYTE = 1_000_000


class Page(Protocol):
    """What the page's plugin makes: the page, files beside it by path, and the data of both."""

    html: str
    beside: dict[str, bytes]
    data: PageData


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``report``."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run directories, or folders of them")
    parser.add_argument(
        "--report", default=LEADERBOARD, metavar="NAME", help="what to make of the runs: the leaderboard page, or a "
        "report of an installed package, which takes runs, --output and --title (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--output", "-o", metavar="FILE", help=f"the page (default {PAGE}; of another report site/NAME and its suffix)"
    )
    parser.add_argument("--title", help=f"heading of the page (default {TITLE})")
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
    parser.add_argument(
        "--redact", action="append", default=[], metavar="REGEX", help="leave out of all texts of samples what this "
        "regular expression matches, ▇▇▇ in its place; may be given several times; implies --anonymous",
    )  # fmt: skip
    parser.add_argument(
        "--anonymous", action="store_true", help="the people who voted as rater-1, rater-2 …, without their ids"
    )
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
    add_table_options(parser)


def execute(options: argparse.Namespace) -> int:
    """Write the page, its data and its tables, and print where they are."""
    from evalsuite.boards.board_file import file_beside
    from evalsuite.boards.checking import require_sealed

    if options.report != LEADERBOARD:
        return _execute_installed(options)
    options.output = options.output or PAGE
    _check(options)
    runs = find_runs([Path(run) for run in options.runs])
    board = _board_options(options)
    made = _made(runs, board, _page_options(options))
    require_sealed(made.data)
    page = _written(made, Path(options.output))
    print(f"{_named(options, len(made.data.board.runs))} in {page}")
    _warn_of_matches(made.data, board.redact)
    tables = write_tables(options, made.data)
    if options.json:
        print_json(
            {
                "path": str(page),
                "data": str(file_beside(page)),
                "runs": [str(run) for run in runs],
                **({"votes": str(options.votes)} if options.votes else {}),
                **({"published": [str(path) for path in options.published]} if options.published else {}),
                **({"cards": [str(path) for path in options.cards]} if options.cards else {}),
                **({"tables": [str(path) for path in tables]} if options.tables else {}),
            }
        )
    return 0


def _named(options: argparse.Namespace, num_runs: int) -> str:
    """``3 runs and 1 published table``."""
    counts = {"run": num_runs, "published table": len(options.published), "judge card": len(options.cards)}
    runs, *others = [f"{count} {noun}{'s' if count != 1 else ''}" if count else "" for noun, count in counts.items()]
    votes = f"the votes of {options.votes}" if options.votes else ""
    return " and ".join(filter(None, (runs or "0 runs", votes, *others)))


def _execute_installed(options: argparse.Namespace) -> int:
    """Write what an installed report makes of the runs, and print where it is."""
    from evalsuite.cli.installed_report import MADE_BY, write_installed

    if options.report in MADE_BY:
        raise UsageError(f"--report {options.report}: `{MADE_BY[options.report]}` makes it.")
    usual = {name: options.parser.get_default(name) for name in vars(options).keys() - _SHARED}
    if others := [f"--{name}" for name in vars(options) if name in usual and getattr(options, name) != usual[name]]:
        raise UsageError(f"{', '.join(others)}: of the leaderboard page only; leave it out with --report.")
    if not options.runs:
        raise UsageError("nothing to show: give run directories.")
    report = plugins.report(options.report)
    output = Path(options.output or f"site/{report.name}{report.suffix}")
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; give a file, for example {output / report.name}.")
    runs = find_runs([Path(run) for run in options.runs])
    path = write_installed(report, runs, output, options.title or report.title)
    print(f"{len(runs)} run{'s' if len(runs) != 1 else ''} in {path}")
    if options.json:
        print_json({"path": str(path), "runs": [str(run) for run in runs]})
    return 0


_SHARED = {"command", "execute", "parser", "json", "runs", "report", "output", "title"}
"""What every report takes, and what is no option; all others are the leaderboard page's."""


def _check(options: argparse.Namespace) -> None:
    if Path(options.output).is_dir():
        raise UsageError(f"--output {options.output} is a folder; give a file, for example site/index.html.")
    if not (options.runs or options.votes or options.published or options.cards):
        raise UsageError("nothing to show: give run directories, --votes, --published or --cards.")
    check_table_options(options)
    if not options.max_mb > 0:
        raise UsageError(f"--max_mb {options.max_mb:g}: expected megabytes above 0.")
    if options.base_url and not options.base_url.startswith(("https://", "http://")):
        raise UsageError(f"--base_url {options.base_url}: expected an address that begins with https:// or http://.")


def _expression(text: str) -> re.Pattern[str]:
    try:
        found = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"--redact {text!r} is no regular expression: {error}.") from error
    if not text:
        raise UsageError("--redact '' matches nothing; give a regular expression.")
    return found


def _warn_of_matches(data: PageData, expressions: Sequence[re.Pattern[str]]) -> None:
    """What is looked for may also stand in names and settings, which are not redacted."""
    from evalsuite.boards.redacting import matches_left

    for field, count in matches_left(data.board, data.samples, expressions).items():
        say(f"evalsuite: --redact matches {count} times in {field}, which is not redacted: see docs/leaderboards.md.",
            file=sys.stderr)  # fmt: skip


def _board_options(options: argparse.Namespace) -> BoardOptions:
    from evalsuite.boards.building import BoardOptions
    from evalsuite.boards.published import published_table
    from evalsuite.cli.prefer_report import read
    from evalsuite.proofs.card_files import read_cards
    from evalsuite.proofs.ledger import read_ledger

    return BoardOptions(
        title=options.title or TITLE,
        preference=read(options.votes) if options.votes else None,
        published=tuple(published_table(path, options.published_dir) for path in options.published),
        cards=read_cards(options.cards),
        samples=options.samples,
        redact=tuple(map(_expression, options.redact)),
        is_anonymous=options.anonymous or bool(options.redact),
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
    """The sealed runs at or directly below `paths`. Raises UsageError or SpecMismatch for one that holds none."""
    found: list[Path] = []
    for path in paths:
        below = [path] if (path / RESULTS).exists() else sorted(entry.parent for entry in path.glob(f"*/{RESULTS}"))
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder.")
        if not below:
            raise SpecMismatch(f"{path} holds no finished run (no {RESULTS}); finish one with `evalsuite run`.")
        found += [run for run in below if run not in found]
    return found


def write_report(runs: list[Path], output: Path, board: BoardOptions) -> Path:
    """Write the page over `runs`, just made here, and what `board` adds to `output`, with the files beside it.

    Raises SpecMismatch, CorruptStore or SaveFailed.
    """
    return _written(_made(runs, board, {}), output)


def _made(runs: list[Path], board: BoardOptions, page: dict[str, Any]) -> Page:
    found: Page = plugins.load(plugins.REPORTS, "leaderboard")(runs, board, **page)
    return found


def _old_parts(output: Path) -> list[Path]:
    """The files with data that the page which stands at `output` has beside it; none where there is no such page."""
    html = output.read_text(encoding="utf-8", errors="replace") if output.is_file() else ""
    has_files = 'id="data-seal"' in html and 'id="data-samples-0"' not in html
    return sorted((output.parent / "data").glob("samples-*.js")) if has_files else []


def _written(page: Page, output: Path) -> Path:
    from evalsuite.boards.board_file import board_json, file_beside

    old = _old_parts(output)
    for name, content in page.beside.items():
        write_atomic(output.parent / name, content)
    write_atomic(file_beside(output), board_json(page.data.board).encode("ascii"))
    write_atomic(output, page.html.encode("utf-8", "replace"))
    for file in old:  # now that no page has them: texts that this one leaves out would stay beside it
        if file.relative_to(output.parent).as_posix() not in page.beside:
            file.unlink(missing_ok=True)
    return output.resolve()
