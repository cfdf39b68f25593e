"""Where ``evalsuite import`` makes sealed runs: of lm-eval's results, and of judgments where that is asked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from evalsuite.cli.output import print_json, run_json, say
from evalsuite.cli.run_command import finish
from evalsuite.interop.json_files import sha256_of
from evalsuite.interop.judged import Judged
from evalsuite.interop.judged_runs import seal_judged
from evalsuite.interop.lm_eval_files import find_results, read_lm_eval
from evalsuite.interop.lm_eval_import import import_lm_eval
from evalsuite.outcomes import Sealed
from evalsuite.run import Finished, store_sealed
from evalsuite.store.run_directory import directory_name


def import_results(paths: Sequence[Path], options: argparse.Namespace) -> int:
    """Store a run for each results file at `paths`, and print it as ``run`` does. All are read before one is stored."""
    found = [read_lm_eval(path) for folder in paths for path in find_results(folder)]
    imported = [import_lm_eval(one, options.name or "") for one in found]
    for note in dict.fromkeys(note for one in imported for note in one.notes):
        say(f"evalsuite: {note}.", file=sys.stderr)
    return finish_all([store(one.sealed, options.output_path) for one in imported], as_json=options.json)


def store_judged(found: Sequence[Judged], options: argparse.Namespace) -> list[Finished]:
    """A judge run for each model and judge, where ``--output_path`` says where."""
    if options.output_path is None:
        return []
    digest = sha256_of([Path(file) for file in options.files])
    return [store(seal_judged(one, options.format, digest), options.output_path) for one in found]


def store(sealed: Sealed, output: str | None) -> Finished:
    """The run stored below `output`, by default ``runs``. Raises SaveFailed."""
    path = Path(output or "runs") / directory_name(sealed.result.spec)
    store_sealed(sealed, path)
    return Finished(path, sealed.result.run_id, sealed.result.counts, sealed.result)


def finish_all(runs: Sequence[Finished], *, as_json: bool) -> int:
    """Print how each run ended, and return the first exit code that is not 0. JSON of several is one line."""
    codes = [finish(run, as_json and len(runs) == 1) for run in runs]
    if as_json and len(runs) > 1:
        print_json({"runs": [run_json(run) for run in runs]})
    return next(filter(None, codes), 0)
