"""``evalsuite judge card``: how far a judge can be trusted, measured before it is used."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

from evalsuite.cards import CARD_FILE, card_kit, prepare_card, read_cards
from evalsuite.cli.output import print_json, print_table, run_json
from evalsuite.cli.run_command import exit_code, run_in
from evalsuite.cli.score_command import add_judge_options, asked_from
from evalsuite.judging import open_bench
from evalsuite.store.files import write_atomic


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``judge``."""
    add = parser.add_argument
    add("action", choices=("card",), help="card: attacks, constant answers, padding and order, as rates with intervals")
    add_judge_options(parser)
    add("--lang", metavar="CODES", help="languages of the card, as en,hi (default: all that the judge has one in)")
    add("--output_path", "-o", metavar="DIR", default="runs/cards", help="where the run goes (default %(default)s)")
    add("--use_cache", metavar="DIR", help="answers kept across runs")
    add("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")


def execute(options: argparse.Namespace) -> int:
    """Ask, print the card of each language, and say what speaks against the judge. Exit codes as for ``run``.

    Replies without a verdict are what the card measures, and do not make its run incomplete.
    """
    bench, kit = open_bench(asked_from(options, None, 1234)), card_kit()
    languages = [code for code in (options.lang or "").split(",") if code]
    finished = run_in(prepare_card(bench, kit, languages), Path(options.output_path), options.use_cache)
    if finished.result is None:
        return exit_code(finished)
    cards = read_cards(finished.path, bench, kit)
    for language, card in cards.items():
        print(f"\n{bench.judge.name} by {bench.model}, {language}")
        print_table([kit.header, *kit.table(card)], indent="  ")
        for fault in kit.faults(card):
            print(f"  against it: {fault}")
        print("  not admissible" if kit.faults(card) else "  admissible")
    found = {language: msgspec.to_builtins(card) for language, card in cards.items()}
    write_atomic(finished.path / CARD_FILE, (json.dumps(found, indent=1, sort_keys=True) + "\n").encode("ascii"))
    print(f"\nrun {finished.run_id}: {finished.path}")
    if options.json:
        print_json({**run_json(finished), "cards": found})
    others = {cause for cause in finished.counts.unscored_by_cause if cause != "judge_unparsed"}
    return exit_code(finished) if others else 0
