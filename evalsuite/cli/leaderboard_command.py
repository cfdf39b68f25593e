"""``evalsuite leaderboard``: the append-only ledger of a published leaderboard."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from evalsuite.cards import CARD_FILE
from evalsuite.cli.leaderboard_tables import change_lines, entry_json, entry_rows
from evalsuite.cli.output import print_json, print_table, say
from evalsuite.cli.report_command import find_runs
from evalsuite.cli.verify_command import lines_of, surroundings
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, CorruptStore, UsageError
from evalsuite.judge_cards import CardVerdict, measures_of, verdict_on
from evalsuite.proofs.agreement import agreement_of
from evalsuite.proofs.card_files import read_cards
from evalsuite.proofs.ledger import Entry, Ledger, append, read_ledger, repair, whole
from evalsuite.proofs.manifest import is_proven, manifest_of_run, read_proof, stored_manifest, write_manifest
from evalsuite.proofs.rebuilt import Surroundings
from evalsuite.proofs.red_flags import red_flags
from evalsuite.proofs.rows import CheckedRun, additions, changes, row_entry, withdrawal
from evalsuite.proofs.trust import trust_of
from evalsuite.proofs.verifying import verify_run
from evalsuite.store.results import read_results, read_samples


def add_options(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of ``leaderboard``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="verify runs and add a row for each, or a correction of one")
    add.add_argument("ledger", metavar="LEDGER", type=Path, help="made where there is none; ledger.jsonl, say")
    add.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="runs' directories, or folders of them")
    add.add_argument("--reason", metavar="TEXT", default="", help="why a row that stands is corrected")
    add.add_argument("--rerun", metavar="RUN", type=Path, help="an independent second run of the one RUN")
    add.add_argument("--by", metavar="TEXT", default="", help="who ran --rerun, where its stack does not show that it "
        "is another's")  # fmt: skip
    add.add_argument("--cards", metavar="FILE", type=Path, nargs="+", default=[], help="for judge runs: the "
        f"runs of `evalsuite judge card`, or their {CARD_FILE}")  # fmt: skip
    add.add_argument("--judge_prompt", metavar="FILE", type=Path, help="the prompt that a judge run was given")
    add.add_argument("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")
    gone = actions.add_parser("withdraw", help="take a row away, with a reason; its entries stay")
    gone.add_argument("ledger", metavar="LEDGER", type=Path)
    gone.add_argument("row", metavar="ROW", help="the id of the row's run")
    gone.add_argument("--reason", metavar="TEXT", required=True, help="why")
    shown = actions.add_parser("show", help="the rows that stand, with headlines, trust and red flags")
    shown.add_argument("ledger", metavar="LEDGER", type=Path)
    differs = actions.add_parser("diff", help="which rows and numbers came, went and changed, and why")
    differs.add_argument("old", metavar="OLD", type=Path, help="an earlier state of the ledger")
    differs.add_argument("new", metavar="NEW", type=Path, help="a later state, which must go on from it")
    checked = actions.add_parser("verify", help="that no entry was changed; with RUNs, that they are what stands there")
    checked.add_argument("ledger", metavar="LEDGER", type=Path)
    checked.add_argument("runs", metavar="RUN", type=Path, nargs="*", help="runs' directories, or folders of them")
    checked.add_argument("--head", metavar="HASH", help="what the last entry must hash to, as published")
    checked.add_argument("--proof", metavar="FILE", type=Path, help="of `evalsuite verify RUN --prove SAMPLE`: which "
        "row the sample belongs to")  # fmt: skip
    checked.add_argument("--repair", action="store_true", help="set a torn last line aside")
    for action in (add, gone, shown, differs, checked):
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="end with a line of JSON")


def execute(options: argparse.Namespace) -> int:
    """Carry out one action."""
    actions = {"add": _add, "withdraw": _withdraw, "show": _show, "diff": _diff, "verify": _verify}
    return actions[options.action](options)


# -- rows


def _add(options: argparse.Namespace) -> int:
    paths = find_runs(options.runs)
    if options.rerun and len(paths) != 1:
        raise UsageError(f"--rerun is of one run, not of {len(paths)}; add them one by one.")
    if options.by and not options.rerun:
        raise UsageError("--by says who ran --rerun; give that too.")
    around = surroundings([*paths, *filter(None, [options.rerun])], options.data_dir, options.judge_prompt)
    cards = tuple(verdict_on(card, measures_of(card)) for card in read_cards(options.cards))
    entries = [row_entry(_checked(path, options, around, cards), options.reason) for path in paths]
    new: list[Entry] = []

    def draft(ledger: Ledger) -> list[Entry]:
        new.extend(additions(ledger, entries))
        return new

    for path in paths:
        if stored_manifest(path) is None:
            write_manifest(path, manifest_of_run(path))
    ledger = append(options.ledger, draft)
    rows = {entry.row for entry in new}
    for entry in entries:
        level = entry.trust.level if entry.trust else ""
        say(f"row {entry.row}  {entry.model}: {'added' if entry.row in rows else 'stands there already'}, {level}")
    return _end(options, ledger, {"added": [entry_json(entry) for entry in ledger.entries if entry.row in rows]})


def _checked(
    path: Path, options: argparse.Namespace, around: Surroundings, cards: tuple[CardVerdict, ...]
) -> CheckedRun:
    """The run, verified. Raises CorruptStore where it, or its second run, is not what it says."""
    found = verify_run(path, around)
    for line in lines_of(path, found):
        say(line)
    agreement = None
    if options.rerun:
        again = verify_run(options.rerun, around)
        for line in lines_of(options.rerun, again):
            say(line)
        if not again.is_equal:
            raise CorruptStore(f"{options.rerun} is not what it says; nothing is added.")
        agreement = agreement_of(path, options.rerun, options.by)
    if not found.is_equal:
        raise CorruptStore(f"{path} is not what it says; nothing is added.")
    result = read_results(path)
    flags = red_flags(result, read_samples(path), cards)
    return CheckedRun(result, manifest_of_run(path), trust_of(found, agreement), flags)


def _withdraw(options: argparse.Namespace) -> int:
    ledger = append(options.ledger, lambda before: [withdrawal(before, options.row, options.reason)])
    say(f"row {options.row} is withdrawn")
    return _end(options, ledger, {"withdrawn": options.row})


def _end(options: argparse.Namespace, ledger: Ledger, more: dict[str, object]) -> int:
    say(f"{ledger.path}: {len(ledger.entries)} entries, head {ledger.head}")
    if options.json:
        print_json({"path": str(ledger.path), "num_entries": len(ledger.entries), "head": ledger.head, **more})
    return EXIT_OK


def _show(options: argparse.Namespace) -> int:
    ledger = whole(read_ledger(options.ledger))
    rows = list(ledger.rows.values())
    if rows:
        print_table(entry_rows(rows))
    return _end(options, ledger, {"rows": [entry_json(entry) for entry in rows]})


def _diff(options: argparse.Namespace) -> int:
    found = changes(read_ledger(options.old), read_ledger(options.new))
    for line in change_lines(found):
        say(line)
    if not found:
        say("nothing came, went or changed.")
    if options.json:
        print_json({"changes": msgspec.to_builtins(found)})
    return EXIT_OK


# -- checks


def _verify(options: argparse.Namespace) -> int:
    aside = repair(options.ledger) if options.repair else None
    if aside:
        say(f"{options.ledger}: a torn last line was set aside in {aside}")
    ledger = whole(read_ledger(options.ledger))
    if options.head and options.head != ledger.head:
        head = ledger.head or "none"
        raise CorruptStore(
            f"{options.ledger}: its head is {head}, not {options.head}; it was rewritten, cut or goes on."
        )
    proven = _proven(ledger, options.proof) if options.proof else None
    others = [line for path in find_runs(options.runs) for line in _other(ledger, path)]
    for line in others:
        say(line)
    code = _end(options, ledger, {"rows": list(ledger.rows), "differing": others, "proven": proven})
    return EXIT_INCOMPLETE if others else code


def _proven(ledger: Ledger, file: Path) -> str:
    """The row that a sample belongs to. Raises CorruptStore where it belongs to none."""
    proof = read_proof(file)
    for entry in ledger.rows.values():
        if is_proven(proof, entry.samples_root):
            say(f"{proof.sample_id} is one of the samples of row {entry.row} ({entry.model}), entry {entry.seq}")
            return entry.row
    raise CorruptStore(f"{file}: {proof.sample_id} is not shown to belong to any row of {ledger.path}.")


def _other(ledger: Ledger, path: Path) -> list[str]:
    """Whether the run is what its row says; a line where it is not."""
    manifest = manifest_of_run(path)
    entry = ledger.rows.get(manifest.run_id)
    if entry is None:
        return [f"{path}: run {manifest.run_id} has no row"]
    if entry.manifest_sha256 != manifest.hash:
        return [f"{path}: its files are not those of row {entry.row}, entry {entry.seq}; `evalsuite verify` says where"]
    return []
