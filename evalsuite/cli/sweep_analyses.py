"""``evalsuite sweep table|scaling|quantisation|spread|pareto``: what a sweep shows, as tables, figures and JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evalsuite import plugins
from evalsuite.charts import Chart
from evalsuite.cli.analysis_tables import scaling_table, spread_table, sweep_table
from evalsuite.cli.cost_tables import pareto_table, quantisation_table
from evalsuite.cli.output import print_json, say
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, UsageError
from evalsuite.store.files import write_atomic
from evalsuite.sweeps import chart_values
from evalsuite.sweeps.frames import MEASURED, csv_of, frame_of, tidy_rows
from evalsuite.sweeps.pareto import pareto_of
from evalsuite.sweeps.published import Published, published_table, read_published
from evalsuite.sweeps.quantisation import quantisation_of
from evalsuite.sweeps.reading import Headline, Sweep, headlines_of, read_sweep, summary_headlines
from evalsuite.sweeps.scaling import Scaling, published_scaling, scaling_of
from evalsuite.sweeps.spread import spread_of
from evalsuite.tables import Format, Table, rendered
from evalsuite.types import Record

_FORMATS: tuple[Format, ...] = ("text", "csv", "latex", "markdown")
"""JSON is for `--json`, which has all that was found and not the table's part of it."""
_FIGURES = (".svg", ".png")

_SUMMARIES = {
    "table": "every cell's numbers with their intervals; as csv one row a cell and number, with all settings",
    "scaling": "numbers over a numeric setting, data size or shots: curves, slopes and trend tests; also of a CSV of "
    "published numbers",
    "quantisation": "each value of a setting against a reference, item by item: differences, flips, memory, speed",
    "spread": "how far shots, seeds or prompts move numbers, what of it is the luck of items, and whether ranks change",
    "pareto": "quality against time, memory or a setting: the front, and what cannot be told from it",
}


def add_subcommands(subparsers: Any) -> None:
    """One parser an analysis; `subparsers` is what ``ArgumentParser.add_subparsers`` gives."""
    for name, (add_options, act) in _ACTIONS.items():
        summary = _SUMMARIES[name]
        parser = subparsers.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", formatter_class=_formatter()
        )
        add_options(parser)
        _add_output(parser)
        parser.set_defaults(act=act, parser=parser)


def _formatter() -> type[argparse.HelpFormatter]:
    from rich_argparse import RichHelpFormatter

    return RichHelpFormatter


def _add_output(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--format", choices=_FORMATS, default="text", help="of the table (default %(default)s)")
    add("--output", "-o", type=Path, metavar="FILE", help="the table into a file, in place of standard output")
    add("--figure", type=_figure, metavar="FILE", help="a figure beside the table, .svg or .png")
    add("--json", action="store_true", default=argparse.SUPPRESS, help="end standard output with one line of JSON, "
        "for programs")  # fmt: skip


def _figure(text: str) -> Path:
    path = Path(text)
    if path.suffix not in _FIGURES:
        raise argparse.ArgumentTypeError(f"{text!r} ends in neither {' nor '.join(_FIGURES)}")
    return path


def _add_headlines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", "-t", nargs="+", metavar="NAME", help="only these tasks and means; all_tasks for "
                        "every task, also those that are in a mean")  # fmt: skip


def _add_columns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--columns", nargs="+", default=[], metavar="NAME", help="of a CSV: only these columns")


# -- the analyses


def _table_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="DIR|CSV", help="a sweep's folder, or published numbers")
    _add_headlines(parser)
    _add_columns(parser)


def _table(options: argparse.Namespace) -> int:
    if options.source.is_file():
        published = read_published(options.source)
        table = published_table(published, tuple(options.columns))
        found = {"source": published.source, "columns": list(table.heads), "rows": [list(row) for row in table.rows]}
        _finish(options, table, found, lambda: chart_values.of_published(published, table))
        return EXIT_OK
    sweep = read_sweep(options.source)
    headlines = _headlines(sweep, options.tasks)
    found = {"name": sweep.name, "rows": msgspec.to_builtins(tidy_rows(sweep, headlines))}
    table = sweep_table(sweep, headlines)
    _finish(options, table, found, lambda: chart_values.of_sweep(sweep, headlines),
            lambda: csv_of(frame_of(sweep, headlines)))  # fmt: skip
    return _code(sweep)


def _scaling_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="DIR|CSV", help="a sweep's folder, or published numbers")
    parser.add_argument("--x", metavar="KEY", help="the setting, or of a CSV the column (its first), that holds the "
                        "size; 2M and 7B are understood")  # fmt: skip
    parser.add_argument("--x_from", metavar="REGEX", help="of a CSV: what finds the size in the column, as "
                        r"'\(([\d.]+M)\)'; rows alike but for it are one curve")  # fmt: skip
    parser.add_argument("--axis", choices=("auto", "log", "linear"), default="auto", help="log: slopes are per tenfold "
                        "size; auto takes it where sizes spread fourfold or more (default %(default)s)")  # fmt: skip
    _add_headlines(parser)
    _add_columns(parser)


def _scaling(options: argparse.Namespace) -> int:
    is_log = {"auto": None, "log": True, "linear": False}[options.axis]
    if options.source.is_file():
        published: Published = read_published(options.source)
        column = options.x or published.columns[0]
        found = published_scaling(published, column, options.x_from, options.columns, is_log=is_log)
        _finish(options, scaling_table(found), found, lambda: chart_values.of_scaling(found))
        return _code(is_compared=_has_curve(found))
    if options.x is None:
        raise UsageError("sweep scaling needs --x KEY: which setting of the sweep is the size.")
    if options.x_from is not None:
        raise UsageError("--x_from is for published numbers; a sweep's setting is given whole by --x.")
    sweep = read_sweep(options.source)
    result = scaling_of(sweep, options.x, _headlines(sweep, options.tasks), is_log=is_log)
    _finish(options, scaling_table(result), result, lambda: chart_values.of_scaling(result))
    return _code(sweep, is_compared=_has_curve(result))


def _has_curve(found: Scaling) -> bool:
    """Whether any number has two points to compare."""
    return any(len({point.x for point in one.points}) > 1 for one in found.curves)


def _quantisation_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="DIR", help="a sweep's folder")
    parser.add_argument("--reference", required=True, metavar="K=V", help="what the others are held against, as "
                        "model_args.dtype=float32")  # fmt: skip


def _quantisation(options: argparse.Namespace) -> int:
    sweep = read_sweep(options.source)
    found = quantisation_of(sweep, options.reference)
    _finish(options, quantisation_table(found), found, lambda: chart_values.of_quantisation(found))
    return _code(sweep, is_compared=all(one.is_whole for one in found.pairs))


def _spread_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="DIR", help="a sweep's folder")
    parser.add_argument("--over", required=True, metavar="KEY", help="the setting that should not matter, as "
                        "num_fewshot or seed")  # fmt: skip
    _add_headlines(parser)


def _spread(options: argparse.Namespace) -> int:
    sweep = read_sweep(options.source)
    found = spread_of(sweep, options.over, _headlines(sweep, options.tasks))
    _finish(options, spread_table(found), found, lambda: chart_values.of_spread(found))
    return _code(sweep, is_compared=any(one.spread for one in found.spreads))


def _pareto_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="DIR", help="a sweep's folder")
    parser.add_argument("--against", required=True, metavar="NAME", help=f"what it takes: {', '.join(MEASURED)}, or a "
                        "numeric setting; less is better but of tokens_per_second")  # fmt: skip
    _add_headlines(parser)


def _pareto(options: argparse.Namespace) -> int:
    sweep = read_sweep(options.source)
    found = pareto_of(sweep, options.against, _headlines(sweep, options.tasks))
    _finish(options, pareto_table(found), found, lambda: chart_values.of_pareto(found))
    return _code(sweep)


_ACTIONS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]] = {
    "table": (_table_options, _table),
    "scaling": (_scaling_options, _scaling),
    "quantisation": (_quantisation_options, _quantisation),
    "spread": (_spread_options, _spread),
    "pareto": (_pareto_options, _pareto),
}


# -- what they share


def _headlines(sweep: Sweep, wanted: Sequence[str] | None) -> tuple[Headline, ...]:
    """The headlines asked for: means and tasks that are in none, unless named. Raises UsageError."""
    every = headlines_of(sweep.cells)
    if not wanted:
        return summary_headlines(sweep.cells)
    if "all_tasks" in wanted:
        return every
    names = {name for one in every for name in (one.name, one.label)}
    for name in wanted:
        if name not in names:
            raise UsageError(
                f"--tasks {name}: the sweep has no such number; it has {', '.join(h.name for h in every)}."
            )
    return tuple(one for one in every if {one.name, one.label} & set(wanted))


def _code(sweep: Sweep | None = None, *, is_compared: bool = True) -> int:
    """Exit code 3 where what was asked could not be compared, or a cell is not complete."""
    is_whole = sweep is None or not any(one.is_marked for one in sweep.cells)
    return EXIT_OK if is_whole and is_compared else EXIT_INCOMPLETE


def _finish(
    options: argparse.Namespace,
    table: Table,
    found: Record | dict[str, Any],
    chart: Callable[[], Chart],
    csv: Callable[[], str] | None = None,
) -> None:
    """Write or print the table, draw the figure, end with JSON where asked for. Raises SaveFailed."""
    text = csv() if csv is not None and options.format == "csv" else rendered(table, options.format)
    if options.output is None:
        say(text, end="")
    else:
        write_atomic(options.output, text.encode("utf-8", "replace"))
        say(f"{options.output}")
    if options.figure is not None:
        draw = plugins.load(plugins.REPORTS, "sweep_figures")
        write_atomic(options.figure, draw(chart(), options.figure.suffix.removeprefix(".")))
        say(f"{options.figure}")
    if options.json:
        print_json(found if isinstance(found, dict) else msgspec.to_builtins(found))
