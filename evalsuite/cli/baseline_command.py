"""``evalsuite baseline``: what gates hold a run against, as a file in git."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from evalsuite.cli.difference_tables import difference_rows, refusal_lines
from evalsuite.cli.output import print_json, print_table, say
from evalsuite.comparing.baselines import baseline_of, read_baseline, updated, write_baseline
from evalsuite.comparing.comparison import compare
from evalsuite.comparing.opening import find_metric, open_side
from evalsuite.comparing.pairing import pair
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, NothingSelected, UsageError
from evalsuite.gates.measuring import floor_name
from evalsuite.gates.noise import noise_floor
from evalsuite.text.number_texts import interval_text, number
from evalsuite.text.visible import visible_line

_USUAL = Path("baselines/ci.json")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of ``baseline``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = actions.add_parser("set", help="make a run the baseline")
    made.add_argument("run", metavar="RUN", type=Path, help="a complete run's directory")
    made.add_argument("--reason", metavar="TEXT", required=True, help="why this run is what others are held against")
    made.add_argument("--output", "-o", metavar="FILE", type=Path, default=_USUAL, help="(default %(default)s)")
    made.add_argument("--noise", metavar="RUN", type=Path, help="a second run of the same model, by another seed or on "
        "another day: gates then refuse margins that it could cross by itself")  # fmt: skip
    shown = actions.add_parser("show", help="what a baseline holds")
    shown.add_argument("file", metavar="FILE", type=Path, nargs="?", default=_USUAL, help="(default %(default)s)")
    differs = actions.add_parser("diff", help="how a run, or another baseline, differs from a baseline")
    differs.add_argument("file", metavar="FILE", type=Path, help="the baseline")
    differs.add_argument("other", metavar="RUN", type=Path, help="a run's directory or a baseline")
    update = actions.add_parser("update", help="take some tasks of a run into a baseline")
    update.add_argument("file", metavar="FILE", type=Path, help="the baseline, which is rewritten")
    update.add_argument(
        "--from", dest="run", metavar="RUN", type=Path, required=True, help="a complete run's directory"
    )
    update.add_argument("--only", metavar="TASK", nargs="+", required=True, help="tasks or families, as globs")
    update.add_argument("--reason", metavar="TEXT", required=True, help="why")
    for action in (made, shown, differs, update):
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="end with a line of JSON")


def execute(options: argparse.Namespace) -> int:
    """Carry out one action."""
    actions = {"set": _set, "show": _show, "diff": _diff, "update": _update}
    return actions[options.action](options)


def _set(options: argparse.Namespace) -> int:
    _check_reason(options.reason)
    side = open_side(options.run)
    _check_overwritten(options.output)
    noise = None
    if options.noise:
        again = open_side(options.noise)
        if again.run_id == side.run_id:
            raise UsageError(f"--noise {options.noise}: that is the same run, of which no noise can be seen.")
        noise = noise_floor(pair(side, again, find_metric))
    write_baseline(options.output, baseline_of(side, options.reason, noise))
    num_items = sum(len(task.is_unscored) for task in side.tasks.values())
    size = options.output.stat().st_size
    say(f"{options.output}: run {side.run_id}, {len(side.tasks)} tasks, {num_items:,} samples, {size:,} bytes")
    if options.json:
        print_json({"path": str(options.output), "run": side.run_id, "num_samples": num_items, "num_bytes": size})
    return EXIT_OK


def _check_overwritten(path: Path) -> None:
    """A baseline may be written anew; another file may not. Raises DataError or CorruptStore."""
    if path.exists():
        read_baseline(path)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise UsageError("--reason is empty; say why others are held against this run.")


def _show(options: argparse.Namespace) -> int:
    baseline = read_baseline(options.file)
    say(f"{options.file}: {baseline.label}, run {baseline.run_id}, written by {baseline.written_by}")
    say(f"reason: {visible_line(baseline.reason)}")
    floors = baseline.noise.floors if baseline.noise else {}
    rows = [("task", "metric", "n", "value", "95 % interval", "rows", "noise", "from")]
    for name, task in baseline.tasks.items():
        spec = next(spec for spec in baseline.spec.tasks if spec.name == name)
        for metric in task.metrics.values():
            one = metric.estimate
            if one.is_primary:
                floor = floors.get(floor_name(one.metric, [name]))
                origin = baseline.origins.get(name)
                rows.append((
                    name, one.metric, str(one.n), number(one.value * one.scale, 1),
                    interval_text(one.low, one.high, one.scale, decimals=1),
                    ", ".join(pin.fingerprint[:8] for pin in spec.datasets),
                    "" if floor is None else number(floor * one.scale, 1), origin.run_id if origin else "",
                ))  # fmt: skip
    print_table(rows)
    for name, origin in baseline.origins.items():
        say(f"{name} was updated: {visible_line(origin.reason)}")
    if options.json:
        print_json(msgspec.to_builtins(baseline))
    return EXIT_OK


def _diff(options: argparse.Namespace) -> int:
    found = compare(pair(open_side(options.file), open_side(options.other), find_metric))
    if found.differences:
        print_table(difference_rows(found.differences))
    for line in refusal_lines(found):
        say(line)
    if options.json:
        print_json(msgspec.to_builtins(found))
    return EXIT_INCOMPLETE if found.refused or found.missing or not found.differences else EXIT_OK


def _update(options: argparse.Namespace) -> int:
    _check_reason(options.reason)
    baseline, side = read_baseline(options.file), open_side(options.run)
    names = [
        name
        for name, task in side.tasks.items()
        if any(fnmatchcase(one, pattern) for one in (name, task.spec.family) for pattern in options.only)
    ]
    if not names:
        raise NothingSelected(f"--only {' '.join(options.only)}: run {side.run_id} has no such task.")
    write_baseline(options.file, updated(baseline, side, names, options.reason))
    say(f"{options.file}: {', '.join(names)} now of run {side.run_id}")
    if options.json:
        print_json({"path": str(options.file), "run": side.run_id, "tasks": names})
    return EXIT_OK
