"""``evalsuite sweep run``: plan, run what is left, say how it ended; with ``--dry_run`` what it would take."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.cli.forecasts import planned
from evalsuite.cli.output import print_json, print_table, say
from evalsuite.cli.stopping import graceful_stop
from evalsuite.cli.sweep_actions import new_action
from evalsuite.cli.sweep_tables import CellForecast, forecast_rows, known_sum, open_watcher, summary_line
from evalsuite.config import RunConfig
from evalsuite.engines.api.budget import Prices
from evalsuite.errors import EXIT_BUDGET, EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK, UnknownName, UsageError
from evalsuite.prepare import Prepared
from evalsuite.store.run_directory import locked
from evalsuite.sweeps.cells import Cell, SweepPlan
from evalsuite.sweeps.grid import Setup, setups_of
from evalsuite.sweeps.planning import cell_of, distinct, plan_of, prepared, settle
from evalsuite.sweeps.slurm import Cluster, check_slurm
from evalsuite.sweeps.standing import Standing, is_sealed, standings
from evalsuite.sweeps.supervising import Supervisor
from evalsuite.sweeps.sweep_file import SweepFile, read_sweep_file
from evalsuite.text.visible import visible_line


def add_action(actions: Any) -> None:
    """The options of ``sweep run``."""
    parser = new_action(actions, "run", "run all cells that have no result yet; the same command resumes", _execute)
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="YAML file with base, axes and exclude; docs/sweeps.md")
    add("--dry_run", action="store_true", help="print samples, requests, tokens, time, memory and cost of each cell; "
        "compute nothing")  # fmt: skip
    add("--price_in", type=float, metavar="PRICE", help="of a million tokens that are read, for --dry_run; by default "
        "the model_args prompt_price and completion_price of openai")  # fmt: skip
    add("--price_out", type=float, metavar="PRICE", help="of a million tokens that are generated")
    add("--extend", action="store_true", help="add the cells that are new in CONFIG; those that are there stay")
    add("--retry", nargs="+", metavar="CELL", help="run these cells alone, sealed incomplete ones too")
    add("--retries", type=int, default=1, metavar="N", help="how often a cell is tried again whose process died "
        "(default %(default)s)")  # fmt: skip
    add("--jobs", type=int, default=1, metavar="N", help="models at work at once, each in a process of its own "
        "(default %(default)s)")  # fmt: skip
    add("--executor", choices=("local", "slurm"), default="local", help="slurm: a job for each model, by the keys "
        "under slurm: in CONFIG (default %(default)s)")  # fmt: skip


def _execute(options: argparse.Namespace) -> int:
    """Exit code 0 when all cells are sealed complete, 3 when some are not, 4 for a spent budget, 130 interrupted."""
    _check(options)
    file = read_sweep_file(options.config)
    if options.executor == "slurm":
        check_slurm()
    setups = setups_of(file)
    if options.dry_run:
        return _dry_run(file, setups, options)
    wanted, notes = plan_of(file, setups)
    for note in notes:
        print(f"evalsuite: {visible_line(note, None)}", file=sys.stderr)
    with locked(file.output):
        plan = settle(file.output, wanted, extends=options.extend)
        _say_repeated(plan.cells)
        is_stopped = _run(file, plan, options)
    return _conclude(file, plan, is_stopped=is_stopped, as_json=options.json)


def _check(options: argparse.Namespace) -> None:
    for name, least in (("jobs", 1), ("retries", 0)):
        if getattr(options, name) < least:
            raise UsageError(f"--{name} {getattr(options, name)}: expected {least} or more.")
    if (options.price_in is None) != (options.price_out is None):
        raise UsageError("--price_in and --price_out belong together; give both.")
    if min(options.price_in or 0.0, options.price_out or 0.0) < 0:
        raise UsageError("--price_in and --price_out: expected 0 or more.")


def _say_repeated(cells: Sequence[Cell]) -> None:
    for members in distinct(cells).values():
        if len(members) > 1:
            names = ", ".join(cell.name for cell in members[1:])
            line = f"evalsuite: {members[0].name} is the same run as {names}; it is run once."
            print(visible_line(line, None), file=sys.stderr)


def _run(file: SweepFile, plan: SweepPlan, options: argparse.Namespace) -> bool:
    """Run what is to be run; whether the user stopped it."""
    firsts = [members[0] for members in distinct(plan.cells).values()]
    todo = _retried(plan.cells, options.retry) if options.retry else _unsealed(file.output, firsts)
    if not todo:
        return False
    with graceful_stop() as should_stop, open_watcher(standings(file.output, firsts)) as watcher:
        if options.executor == "slurm":
            Cluster(file.output, file.slurm, options.retries).run(todo, watcher, should_stop)
        else:
            supervisor = Supervisor(
                file.output, watcher, num_jobs=options.jobs, num_retries=options.retries, should_stop=should_stop
            )
            supervisor.run(todo)
        return should_stop()


def _unsealed(directory: Path, cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if not is_sealed(directory, cell)]


def _retried(cells: Sequence[Cell], names: Sequence[str]) -> list[Cell]:
    by_name = {cell.name: members[0] for members in distinct(cells).values() for cell in members}
    for name in names:
        if name not in by_name:
            raise UnknownName(
                "cell", name, by_name, "`evalsuite sweep status CONFIG` shows all.", "is not in this sweep"
            )
    return list({by_name[name].run_id: by_name[name] for name in names}.values())


def _conclude(file: SweepFile, plan: SweepPlan, *, is_stopped: bool, as_json: bool) -> int:
    """Say how the sweep stands, and return its exit code."""
    found = standings(file.output, plan.cells)
    for one in found:
        if one.state in ("failed", "incomplete"):
            line = f"evalsuite: {one.cell}: {one.state}: {one.cause}"
            print(visible_line(line, None), file=sys.stderr)
    code = _exit_code(found, is_stopped)
    if code != EXIT_OK:
        print(f"evalsuite: {_how_to_go_on(found)}", file=sys.stderr)
    say(f"{plan.name}: {summary_line(found)}; {file.output}")
    if as_json:
        cells = [msgspec.to_builtins(one) for one in found]
        print_json({"sweep": plan.name, "path": str(file.output), "exit_code": code, "cells": cells})
    return code


def _exit_code(found: Sequence[Standing], is_stopped: bool) -> int:
    if all(one.state == "sealed" for one in found):
        return EXIT_OK
    if is_stopped:
        return EXIT_INTERRUPTED
    return EXIT_BUDGET if any(one.exit_code == EXIT_BUDGET for one in found) else EXIT_INCOMPLETE


def _how_to_go_on(found: Sequence[Standing]) -> str:
    if any(one.state in ("waiting", "failed", "running") for one in found):
        return "the same command goes on where this one ended."
    return "incomplete cells are asked again by --retry CELL, where their samples may succeed now."


# -- what it would take


def _dry_run(file: SweepFile, setups: Sequence[Setup], options: argparse.Namespace) -> int:
    given = None if options.price_in is None else Prices(options.price_in, options.price_out)
    found = list(_forecasts(file, setups, given))
    print_table(forecast_rows(found))
    print("first waves only; generated tokens at their caps; time and memory as estimated for this machine; a loaded "
          "model's cells one after the other; cost by the prices given.")  # fmt: skip
    if options.json:
        cells = [msgspec.to_builtins(one) for one in found]
        total = {"seconds": known_sum([one.seconds for one in found]), "cost": known_sum([one.cost for one in found])}
        print_json({"sweep": file.name, "cells": cells, "total": total})
    return EXIT_OK


def _forecasts(file: SweepFile, setups: Sequence[Setup], given: Prices | None) -> Iterator[CellForecast]:
    known: dict[str, str] = {}
    for setup, ready in prepared(setups):
        cell = cell_of(setup, ready)
        if cell.run_id in known:
            line = f"evalsuite: {known[cell.run_id]} is the same run as {cell.name}."
            print(visible_line(line, None), file=sys.stderr)
            continue
        known[cell.run_id] = cell.name
        yield _forecast(cell, ready, given or _own_prices(setup.config), is_sealed=is_sealed(file.output, cell))


def _forecast(cell: Cell, ready: Prepared, prices: Prices | None, *, is_sealed: bool) -> CellForecast:
    rows = [planned(ready, entry) for entry in ready.tasks]
    num_naive = sum(row.num_tokens_naive for row in rows)
    num_generated = sum(row.num_tokens_generated for row in rows)
    return CellForecast(
        cell=cell.name,
        run_id=cell.run_id,
        is_sealed=is_sealed,
        num_samples=sum(row.num_samples for row in rows),
        num_requests=sum(row.num_requests for row in rows),
        num_tokens_naive=num_naive,
        num_tokens_planned=sum(row.num_tokens_planned for row in rows),
        seconds=known_sum([row.seconds for row in rows]),
        num_bytes=max((row.num_bytes for row in rows if row.num_bytes is not None), default=None),
        cost=prices.of(max(0, num_naive - num_generated), num_generated) if prices else None,
    )


def _own_prices(config: RunConfig) -> Prices | None:
    """What the model's own arguments say that tokens cost, as the engine `openai` takes them."""
    args: Mapping[str, Any] = config.model_args
    if config.model != "openai" or not {"prompt_price", "completion_price"} <= set(args):
        return None
    return Prices(float(args["prompt_price"]), float(args["completion_price"]))
