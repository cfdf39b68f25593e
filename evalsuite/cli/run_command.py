"""``evalsuite run``: evaluate, resume, or with ``--dry_run`` say what would be done."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from evalsuite.cli.forecasts import DISCORDANCE, drop_text, planned, time_text
from evalsuite.cli.output import print_json, print_result, run_json
from evalsuite.cli.progress import open_progress
from evalsuite.cli.run_options import add_run_options, config_from
from evalsuite.cli.stopping import graceful_stop
from evalsuite.config import RunConfig
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK
from evalsuite.prepare import Prepared, prepare
from evalsuite.run import Finished
from evalsuite.run import execute as execute_run
from evalsuite.store.response_cache import ResponseCache
from evalsuite.store.run_directory import directory_name
from evalsuite.text.number_texts import bytes_text
from evalsuite.types import Cause

_WHY_NOT_KEPT = (
    "nothing says that the same model gives them; for a server give --model_args revision=, a name of your own for "
    "what it serves."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``run``."""
    add_run_options(parser)
    parser.add_argument("--dry_run", action="store_true", help="print samples, requests and tokens; compute nothing")


def execute(options: argparse.Namespace) -> int:
    """Run and print. Exit code 0 complete, 3 incomplete, 130 interrupted."""
    config = config_from(options)
    prepared = prepare(config, is_to_begin=not options.dry_run)
    for note in prepared.notes:
        print(f"evalsuite: {note}", file=sys.stderr)
    if options.dry_run:
        return _dry_run(prepared, options.json)
    return finish(run_prepared(prepared, config), options.json)


def finish(finished: Finished, as_json: bool) -> int:
    """Print how a run ended, and return its exit code."""
    if finished.result is not None:
        print_result(finished.result)
    for warning in finished.warnings:
        print(f"evalsuite: {warning}", file=sys.stderr)
    if finished.num_cached:
        print(f"evalsuite: {finished.num_cached} answers were taken from the cache.", file=sys.stderr)
    print(f"\nrun {finished.run_id}: {finished.path}")
    if as_json:
        print_json(run_json(finished))
    return exit_code(finished)


def run_prepared(prepared: Prepared, config: RunConfig) -> Finished:
    """Execute in the run's own directory under ``--output_path``, stopping cleanly on Ctrl-C and SIGTERM."""
    return run_in(prepared, Path(config.output_path), config.use_cache)


def run_in(prepared: Prepared, output: Path, cache_folder: str | None) -> Finished:
    """Execute in the run's own directory below `output`, answers kept in `cache_folder` across runs."""
    cache = ResponseCache(Path(cache_folder)) if cache_folder else None
    if cache and not prepared.engine.is_cacheable:
        print(f"evalsuite: answers of the engine {prepared.engine.name} are not kept: {_WHY_NOT_KEPT}", file=sys.stderr)
    with graceful_stop() as should_stop:
        return execute_run(prepared, output / run_directory_name(prepared), open_progress(), should_stop, cache)


def exit_code(finished: Finished) -> int:
    """The exit code of a run, with a line saying why when it is not 0."""
    counts = finished.counts
    if finished.result is None:
        why = f"{finished.trouble} Stopped" if finished.trouble else "stopped"
        print(
            f"evalsuite: {why} with {counts.not_run} of {counts.requested} samples left; "
            "run the same command to go on.",
            file=sys.stderr,
        )
        return finished.trouble.exit_code if finished.trouble else EXIT_INTERRUPTED
    if finished.result.status == "complete":
        return EXIT_OK
    causes = ", ".join(f"{cause}: {number}" for cause, number in counts.unscored_by_cause.items())
    again = any(Cause(cause).is_transient for cause in counts.unscored_by_cause)
    hint = "; the same command asks again what may succeed now" if again else ""
    print(
        f"evalsuite: {counts.unscored} of {counts.requested} samples are unscored ({causes}); the run is "
        f"incomplete{hint}.",
        file=sys.stderr,
    )
    return EXIT_INCOMPLETE


def run_directory_name(prepared: Prepared) -> str:
    """The name of a run's directory."""
    return directory_name(prepared.spec)


def _dry_run(prepared: Prepared, as_json: bool) -> int:
    """Plan every task's first wave by itself and say what it takes; nothing is computed."""
    rows = [planned(prepared, entry) for entry in prepared.tasks]
    print(
        f"{'task':32} {'samples':>8} {'requests':>9} {'tokens, naive':>14} {'planned':>12} {'time':>9} {'memory':>8} "
        f"{'sees':>5}"
    )
    for row in rows:
        print(
            f"{row.task:32} {row.num_samples:8} {row.num_requests:9} {row.num_tokens_naive:14} "
            f"{row.num_tokens_planned:12} {time_text(row.seconds):>9} {bytes_text(row.num_bytes):>8} "
            f"{drop_text(row.least_drop):>5}"
        )
    print("first wave only; generated tokens at their caps; time and memory as estimated for this machine.")
    print(
        "sees: the smallest drop in points that a comparison over these samples finds (80 % power), where two models "
        f"differ on {DISCORDANCE:.0%} of them."
    )
    if as_json:
        print_json({"run": prepared.spec.run_id, "tasks": [msgspec.to_builtins(row) for row in rows]})
    return EXIT_OK
