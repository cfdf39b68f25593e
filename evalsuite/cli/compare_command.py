"""``evalsuite compare``: two runs sample by sample, where their numbers may be compared."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from evalsuite.cli.difference_tables import difference_rows, flip_lines, refusal_lines
from evalsuite.cli.output import print_json, print_table, say
from evalsuite.comparing.comparison import compare
from evalsuite.comparing.opening import find_metric, open_side
from evalsuite.comparing.pairing import pair
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, UsageError

_FLIPS = 5
_LEGEND = """
Difference is candidate less baseline, with its 95 % interval. p is the chance of one as large without a change, for
right and wrong by McNemar's exact test; p adj. allows for all that is compared (Holm)."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``compare``."""
    add = parser.add_argument
    add("baseline", metavar="BASELINE", type=Path, help="a run directory, or a file of `evalsuite baseline set`")
    add("candidate", metavar="CANDIDATE", type=Path, help="the run directory held against it")
    add("--all_metrics", action="store_true", help="every metric, not the headlines alone")
    add("--flips", metavar="N", type=int, default=_FLIPS, help="samples to list that are right on one side alone, of "
        "each task and way (default %(default)s)")  # fmt: skip
    add("--show", action="store_true", help="the listed samples with their question and both answers")


def execute(options: argparse.Namespace) -> int:
    """Print the comparison. Exit code 3 where something could not be compared."""
    if options.flips < 0:
        raise UsageError(f"--flips is {options.flips}; expected how many samples to list, 0 or more.")
    pairing = pair(open_side(options.baseline), open_side(options.candidate), find_metric)
    found = compare(pairing, every_metric=options.all_metrics)
    before, after = found.baseline, found.candidate
    say(f"baseline   {before.label}  run {before.run_id}")
    say(f"candidate  {after.label}  run {after.run_id}\n")
    if found.differences:
        print_table(difference_rows(found.differences))
        say(_LEGEND)
    for line in (*flip_lines(found, pairing, options.flips, is_shown=options.show), *refusal_lines(found)):
        say(line)
    if options.json:
        print_json(msgspec.to_builtins(found))
    return EXIT_INCOMPLETE if found.refused or found.missing or not found.differences else EXIT_OK
