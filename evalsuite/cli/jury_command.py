"""``evalsuite jury``: several judge runs over the same answers as one, with how far the judges agree."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalsuite.cli.run_command import finish
from evalsuite.judged import read_run
from evalsuite.jury import seal_jury
from evalsuite.run import Finished, store_sealed
from evalsuite.store.run_directory import directory_name


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``jury``."""
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="judge runs made by `evalsuite score` over the same answers")
    add("--rule", choices=("mean", "majority"), default="mean", help="how verdicts become one (default %(default)s)")
    add("--output_path", "-o", metavar="DIR", help="where the jury's run goes (default: beside the first judge run)")
    add("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")


def execute(options: argparse.Namespace) -> int:
    """Combine, store and print. Exit codes as for ``run``."""
    paths = [Path(run) for run in options.runs]
    sealed = seal_jury([read_run(path) for path in paths], options.rule, options.data_dir)
    output = Path(options.output_path) if options.output_path else paths[0].resolve().parent
    path = output / directory_name(sealed.result.spec)
    store_sealed(sealed, path)
    result = sealed.result
    return finish(Finished(path, result.run_id, result.counts, result), options.json)
