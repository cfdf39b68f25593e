"""``evalsuite annotate``: collecting blind votes, from the study's file to the file of votes."""

from __future__ import annotations

import argparse
import sys
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.annotate.ledger import Ledger, now
from evalsuite.annotate.standing import Standing, standing
from evalsuite.annotate.study_file import Rater
from evalsuite.annotate.wording import INTERFACES
from evalsuite.cli.annotate_new import address_links, new_study
from evalsuite.cli.output import print_json, print_table, say
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, DataError, NothingSelected, UsageError
from evalsuite.text.visible import printable

URL = "http://127.0.0.1:8765"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``annotate``."""
    add = parser.add_argument
    add("action", choices=tuple(_ACTIONS), help="example: print a STUDY.yaml; new: make the study that one describes; "
        "serve it; backup: a copy, also while it is served; link: a rater's new link, or a new rater; packets: offline "
        "files, one a rater; import what they answered; status; close and reopen; export the votes")  # fmt: skip
    add("paths", nargs="*", type=Path, metavar="PATH", help="STUDY.yaml for new, else the study's folder; for import "
        "the files of answers after it")  # fmt: skip
    add("--output", "-o", type=Path, metavar="PATH", help="new: the folder (default studies/NAME); backup: the file; "
        "packets: the folder (default packets in the study's); export: .jsonl or .csv (votes.jsonl)")  # fmt: skip
    add("--dry_run", action="store_true", help="new: say what the study would be and make nothing")
    add("--url", metavar="URL", default="", help=f"the address at which raters reach it (default {URL})")
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="serve: listen there (default %(default)s, this machine "
        "alone)")  # fmt: skip
    add("--port", type=int, default=8765, metavar="N", help="serve (default %(default)s)")
    add("--votes_per_minute", type=int, default=60, metavar="N", help="serve: of one rater, at most (default "
        "%(default)s)")  # fmt: skip
    add("--rater", metavar="NAMES", help="link: whose; packets: for whom, as Ana,Li (default all)")
    add("--lang", metavar="CODES", help="link: languages of a new rater")
    add("--interface", choices=INTERFACES, help="link: language of a new rater's pages")
    add("--withdraw", action="store_true", help="packets: show what was not answered of them online again")
    add("--count", type=int, default=50, metavar="N", help="packets: pairs in each, at most (default %(default)s)")


def execute(options: argparse.Namespace) -> int:
    """Do it. Exit code 0, 2 for what is wrong, 3 where some answers were left out, 6 where nothing is to be done."""
    code: int = _ACTIONS[options.action](options)
    return code


def _folder(options: argparse.Namespace) -> Path:
    if not options.paths:
        raise UsageError(f"annotate {options.action} needs the study's folder.")
    if len(options.paths) > 1 and options.action != "import":
        raise UsageError(f"annotate {options.action} takes one folder, not {len(options.paths)}.")
    found: Path = options.paths[0]
    return found


def _need_pages() -> None:
    missing = [name for name in ("starlette", "uvicorn", "markdown_it", "regex") if find_spec(name) is None]
    if missing:
        raise UsageError(f"{missing[0]} is not installed; `pip install 'evalsuite[annotate]'` brings what pages need.")


# -- what there is to do


def _example(options: argparse.Namespace) -> int:
    del options
    print(resources.files("evalsuite.annotate").joinpath("templates", "study.yaml").read_text(encoding="utf-8"), end="")
    return EXIT_OK


def _new(options: argparse.Namespace) -> int:
    return new_study(options, _folder(options), options.url or URL)


# -- while it runs


def _serve(options: argparse.Namespace) -> int:
    _need_pages()
    from evalsuite.annotate.app import Rules
    from evalsuite.annotate.serving import rules_for, serve

    folder = _folder(options)
    if options.votes_per_minute < 1:
        raise UsageError(f"--votes_per_minute {options.votes_per_minute}: expected 1 or more.")
    rules = rules_for(options.url, Rules(votes_per_minute=options.votes_per_minute, host=options.host))
    address = f"http://{options.host}:{options.port}"

    def is_ready() -> None:
        address_links(folder, options.url or address)
        print(
            f"evalsuite: {folder} is served at {address}; Ctrl-C ends it and loses nothing.",
            file=sys.stderr,
            flush=True,
        )

    serve(folder, options.port, rules, is_ready)
    return EXIT_OK


def _backup(options: argparse.Namespace) -> int:
    folder = _folder(options)
    path: Path = options.output or folder / "copies" / f"{now().replace(':', '')[:17]}.sqlite"
    with Ledger(folder) as ledger:
        ledger.back_up(path)
    say(f"{path}: a whole copy, checked")
    return EXIT_OK


def _link(options: argparse.Namespace) -> int:
    if not options.rater:
        raise UsageError("annotate link needs --rater NAME.")
    with Ledger(_folder(options)) as ledger:
        if options.lang:
            rater = Rater(
                name=options.rater, languages=tuple(options.lang.split(",")), interface=options.interface or ""
            )
            token = ledger.add_rater(rater)
        else:
            token = ledger.renew_link(ledger.rater_named(options.rater), options.interface)
    link = f"{(options.url or URL).rstrip('/')}/join/{token}"
    say(f"{options.rater}: {link}")
    say("this is shown once; a link that the rater had before is no longer valid")
    if options.json:
        print_json({"rater": options.rater, "link": link})
    return EXIT_OK


def _packets(options: argparse.Namespace) -> int:
    _need_pages()
    from evalsuite.annotate.packets import Packet, withdraw_packets, write_packet

    if options.withdraw and not options.rater:
        raise UsageError("packets --withdraw needs --rater NAMES.")
    if options.count < 1:
        raise UsageError(f"--count {options.count}: expected 1 or more.")
    folder = _folder(options)
    made: list[Packet] = []
    with Ledger(folder) as ledger:
        wanted = [ledger.rater_named(name) for name in options.rater.split(",")] if options.rater else ledger.raters()
        if options.withdraw:
            for rater in wanted:
                say(f"{rater.name}: {withdraw_packets(ledger, rater)} pairs of packets are shown online again")
            return EXIT_OK
        for rater in wanted:
            try:
                made.append(write_packet(ledger, rater, options.output or folder / "packets", options.count))
            except NothingSelected as error:
                say(f"evalsuite: {error}")
    if not made:
        raise NothingSelected("no packet was made.")
    print_table([("rater", "pairs", "file"), *((one.rater, str(one.num_pairs), one.path) for one in made)])
    if options.json:
        print_json({"packets": [msgspec.to_builtins(one) for one in made]})
    return EXIT_OK


def _import(options: argparse.Namespace) -> int:
    _need_pages()
    from evalsuite.annotate.packets import import_answers

    folder, files = _folder(options), options.paths[1:]
    if not files:
        raise UsageError("annotate import needs the files of answers after the study's folder.")
    with Ledger(folder) as ledger:
        found, refused = [], []
        for path in files:
            try:
                found.append((path, import_answers(ledger, path)))
            except DataError as error:
                refused.append(error)
    if refused and not found:
        raise refused[0]
    for each in refused:
        print("evalsuite:", printable(str(each)), file=sys.stderr)
    rows = [(str(path), one.rater, str(one.saved), str(one.known), _counted(one.left_out)) for path, one in found]
    print_table([("file", "rater", "saved", "known", "left out"), *rows])
    if options.json:
        print_json({"files": [{"file": str(path), **msgspec.to_builtins(one)} for path, one in found]})
    return EXIT_INCOMPLETE if refused or any(one.left_out for _, one in found) else EXIT_OK


def _counted(causes: Any) -> str:
    return ", ".join(f"{count} {cause}" for cause, count in sorted(causes.items()))


def _status(options: argparse.Namespace) -> int:
    with Ledger(_folder(options)) as ledger:
        found = standing(ledger)
    _print_standing(found)
    if options.json:
        print_json(msgspec.to_builtins(found))
    return EXIT_OK


def _print_standing(found: Standing) -> None:
    say(f"{found.study}{', closed' if found.is_closed else ''}: {found.overlap} votes are wanted on each pair\n")
    print_table([
        ("language", "prompts", "pairs", "complete", "votes", "skips", "open"),
        *((one.language, str(one.prompts), str(one.pairs), str(one.complete), str(one.votes), str(one.skips),
           str(one.open)) for one in found.languages),
    ])  # fmt: skip
    say()
    print_table([
        ("rater", "name", "languages", "votes", "skips", "open", "known answers", "median s", "last vote"),
        *((one.rater, one.name, " ".join(one.languages), str(one.votes), str(one.skips), str(one.open),
           f"{one.gold_right} of {one.gold}" if one.gold else "",
           "" if one.median_seconds is None else f"{one.median_seconds:.0f}",
           one.last_vote_at[:16] or ("begun" if one.has_begun else "not begun")) for one in found.raters),
    ])  # fmt: skip


def _close(options: argparse.Namespace) -> int:
    with Ledger(_folder(options)) as ledger:
        ledger.close_study()
    say("closed: no more votes are taken, from pages or packets")
    return EXIT_OK


def _reopen(options: argparse.Namespace) -> int:
    with Ledger(_folder(options)) as ledger:
        ledger.reopen_study()
    say("open again")
    return EXIT_OK


def _export(options: argparse.Namespace) -> int:
    _need_pages()
    from evalsuite.annotate.exporting import write_votes

    folder = _folder(options)
    path: Path = options.output or folder / "votes.jsonl"
    with Ledger(folder) as ledger:
        count = write_votes(ledger, path)
        is_closed = ledger.is_closed
    say(f"{path}: {count} votes and changes of votes, with the systems' names")
    if not is_closed:
        say("the study is still open: whoever votes should not see this file")
    if path.suffix.lower() != ".csv":
        say(f"next: evalsuite prefer win-rates {path} --format votes")
    if options.json:
        print_json({"path": str(path), "votes": count})
    return EXIT_OK


_ACTIONS = {
    "example": _example,
    "new": _new,
    "serve": _serve,
    "backup": _backup,
    "link": _link,
    "packets": _packets,
    "import": _import,
    "status": _status,
    "close": _close,
    "reopen": _reopen,
    "export": _export,
}
