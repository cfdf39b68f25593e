"""Tables of families and tasks: metrics by task and language, gaps to English, categories, endings, flags. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.records import Board
from evalsuite.boards.table_parts import (
    EMPTY,
    NUMBER_HEADS,
    RUN_HEADS,
    NamedTable,
    named,
    number_cells,
    rules_text,
    run_cells,
    runs_in_order,
    scale_cell,
    slug,
    value_cell,
    wide_table,
)
from evalsuite.boards.task_records import Family, Table, Task, TaskRun
from evalsuite.tables import Cell as TableCell

_FLAG_HEADS = ("task", "flag", *RUN_HEADS, "count", "n", "share")


def language_tables(board: Board) -> Iterator[NamedTable]:
    """Of families that are not only judged: a table for each metric as it is read, all numbers, gaps and flags."""
    families = [one for one in board.families if is_in_languages(one)]
    yield from (table for family in families for table in _wide(board, family, "languages"))
    yield named(
        "languages",
        "numbers",
        f"{board.title}: metrics by task and language",
        (
            *("family", "metric", "headline", "kind", "column", "language", "provenance", "protocol", "shots"),
            *RUN_HEADS,
            "scale",
            *NUMBER_HEADS,
        ),
        (line for family in families for table in family.tables for line in _numbers(board, family, table)),
        num_labels=12,
    )
    yield _gaps(board, families)
    yield named(
        "languages",
        "flags",
        f"{board.title}: flags",
        _FLAG_HEADS,
        (line for family in families for at in family.tasks for line in _flags(board, board.tasks[at])),
        num_labels=5,
    )


def family_tables(board: Board) -> Iterator[NamedTable]:
    """A table for each metric of each family, as it is read."""
    for family in board.families:
        yield from _wide(board, family, "languages" if is_in_languages(family) else "judges")


def is_in_languages(family: Family) -> bool:
    """Whether the languages' view shows it: a judge's metrics of one benchmark stand in the judges' view."""
    return not (family.is_judged and len(family.tasks) == 1)


# -- families


def _wide(board: Board, family: Family, view: str) -> Iterator[NamedTable]:
    """Means and single tasks of one metric by one set of rules side by side, headlines first."""
    groups: dict[tuple[str, ...], list[Table]] = {}
    for table in sorted(family.tables, key=lambda one: not one.is_primary):
        key = (table.metric, table.protocol, table.shots, table.seed, table.version)
        groups.setdefault(key, []).append(table)
    for tables in groups.values():
        runs = [run for run in runs_in_order(board) if any(run in one.rows for one in tables)]
        likes = [column for one in tables for column in one.columns]
        arrow = "↑" if likes[0].higher_is_better else "↓"
        yield wide_table(
            view,
            "-".join(filter(None, (slug(family.name), slug(tables[0].metric)))),
            f"{family.name}: {tables[0].metric} {arrow} ({rules_text(tables[0])})",
            (RUN_HEADS, [run_cells(board, run) for run in runs]),
            [
                (_label(column, likes), _column(table, at, runs), column.scale)
                for table in tables
                for at, column in enumerate(table.columns)
            ],
        )


def _column(table: Table, at: int, runs: Sequence[int]) -> list[Cell | None]:
    cells = dict(zip(table.rows, table.cells, strict=True))
    return [cells[run][at] if run in cells else None for run in runs]


def _label(column: Column, likes: Sequence[Column]) -> str:
    """What a column is called within its family, with what sets it apart from another of that name."""
    found = column.label or column.title
    same = [one for one in likes if (one.label or one.title) == found]
    more = [f"data {column.data}"] if len({one.data for one in same}) > 1 else []
    more += [column.own_signature] if len({one.own_signature for one in same}) > 1 and column.own_signature else []
    more += [f"mean of {column.num_tasks} tasks"] if column.kind in ("macro", "micro") else []
    more += [f"over {', '.join(column.own_parts)}"] if column.own_parts else []
    return f"{found} ({', '.join(more)})" if more else found


def _numbers(board: Board, family: Family, table: Table) -> Iterator[tuple[TableCell, ...]]:
    for run, cells in zip(table.rows, table.cells, strict=True):
        for column, cell in zip(table.columns, cells, strict=True):
            if cell is not None:
                yield (
                    family.name,
                    table.metric,
                    "yes" if column.is_primary else "no",
                    column.kind or "task",
                    column.title,
                    column.language,
                    column.provenance,
                    column.protocol,
                    column.shots,
                    *run_cells(board, run),
                    scale_cell(column.scale),
                    *number_cells(cell, column.scale),
                )


def _gaps(board: Board, families: Iterable[Family]) -> NamedTable:
    heads = ("family", "metric", "protocol", "rules", "language", "data", *RUN_HEADS, "scale", "gap", "n", "clusters")
    return named(
        "languages",
        "gaps",
        f"{board.title}: gaps to English, on the items both languages have",
        (*heads, "same_answer", "answered"),
        (
            (
                *(family.name, table.metric, table.protocol, table.rules, gap.language, gap.data),
                *run_cells(board, gap.run),
                scale_cell(table.scale),
                value_cell(gap.value, gap.low, gap.high, table.scale, is_signed=True),
                *(gap.n, gap.num_clusters),
                value_cell(gap.same, gap.same_low, gap.same_high),
                gap.num_answered,
            )
            for family in families
            for table in family.gaps
            for gap in table.gaps
        ),
        num_labels=9,
    )


# -- tasks


def task_tables(board: Board) -> Iterator[NamedTable]:
    """Of all tasks: results, scores by category, how samples ended, flags."""
    numbers = ("metric", "protocol", "shots", "signature", "scale", *NUMBER_HEADS)
    front = ("task", *RUN_HEADS)
    yield named("task", "results", f"{board.title}: tasks", (*front, *numbers), _results(board), num_labels=8)
    yield named(
        "task",
        "categories",
        f"{board.title}: headlines by category",
        (*front, "category", "metric", "scale", *NUMBER_HEADS),
        (line for task in board.tasks for line in _categories(board, task)),
        num_labels=6,
    )
    yield named(
        "task",
        "endings",
        f"{board.title}: how samples ended",
        (*front, *_ENDINGS),
        ((task.name, *run_cells(board, one.run), *_endings(one)) for task in board.tasks for one in task.runs),
        num_labels=4,
    )
    flags = (line for task in board.tasks for line in _flags(board, task))
    yield named("task", "flags", f"{board.title}: flags", _FLAG_HEADS, flags, num_labels=5)


def _results(board: Board) -> Iterator[tuple[TableCell, ...]]:
    """Of every task each metric, headline first, in each run."""
    by_column = {
        column.id: [(run, row[at]) for run, row in zip(table.rows, table.cells, strict=True)]
        for family in board.families
        for table in family.tables
        for at, column in enumerate(table.columns)
    }
    for task in board.tasks:
        for column in _metrics(task):
            for run, cell in by_column.get(column.id, ()):
                if cell is not None:
                    rules = (column.metric, column.protocol, column.shots, column.signature, scale_cell(column.scale))
                    yield (task.name, *run_cells(board, run), *rules, *number_cells(cell, column.scale))


def _metrics(task: Task) -> list[Column]:
    return sorted(task.metrics, key=lambda one: not one.is_primary)


def _categories(board: Board, task: Task) -> Iterator[tuple[TableCell, ...]]:
    columns = {column.id: column for column in task.metrics}
    for one in task.categories:
        headline = columns[one.column]
        front = (task.name, *run_cells(board, one.run), one.category, headline.metric, scale_cell(headline.scale))
        yield (*front, *number_cells(one.cell, headline.scale))


_ENDINGS = (
    *("requested", "scored", "unscored", "cancelled", "not_run", "truncated"),
    *("prompt_tokens", "generated_tokens"),
)


def _endings(one: TaskRun) -> tuple[int, ...]:
    counts = one.counts
    return (
        *(counts.requested, counts.scored, counts.unscored, counts.cancelled, counts.not_run, one.num_truncated),
        *(one.num_prompt_tokens, one.num_generated_tokens),
    )


def _flags(board: Board, task: Task) -> Iterator[tuple[TableCell, ...]]:
    """The flags that were raised, as shares of the scored samples."""
    for one in task.runs:
        for flag, rate in one.flags.items():
            share = value_cell(rate.count / rate.n, rate.low, rate.high) if rate.n else EMPTY
            yield (task.name, flag, *run_cells(board, one.run), rate.count, rate.n, share)
