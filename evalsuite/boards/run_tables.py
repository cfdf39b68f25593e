"""Tables of runs: every two that are compared, and where each comes from. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalsuite.boards.commands import scalar_text
from evalsuite.boards.records import Board, Compared, Run
from evalsuite.boards.table_parts import RUN_HEADS, NamedTable, named, plain_cell, run_cells, scale_cell, value_cell
from evalsuite.boards.task_records import TaskRun
from evalsuite.stats.differences import Difference
from evalsuite.tables import Cell as TableCell
from evalsuite.tables import Shown
from evalsuite.text.number_texts import chance_text
from evalsuite.types import Scalar

_SIDES = tuple(f"{side}_{part}" for side in ("baseline", "candidate") for part in RUN_HEADS)


def compare_tables(board: Board) -> Iterator[NamedTable]:
    """The paired differences, candidate less baseline, and what could not be compared."""
    yield named(
        "compare",
        "",
        f"{board.title}: differences, candidate less baseline",
        (
            *(*_SIDES, "name", "kind", "metric", "protocol", "scale", "baseline", "candidate"),
            *("difference", "n", "clusters", "left_out", "p_value", "p_adjusted", "test", "gained", "lost"),
        ),
        (
            (*_sides(board, pair), *_difference(one))
            for pair in board.comparisons
            for one in pair.comparison.differences
        ),
        num_labels=10,
    )
    yield named(
        "compare",
        "refused",
        f"{board.title}: what cannot be compared",
        (*_SIDES, "task", "metric", "reasons"),
        (
            (*_sides(board, pair), one.task, one.metric, "; ".join(one.reasons))
            for pair in board.comparisons
            for one in pair.comparison.refused
        ),
        num_labels=9,
    )


def _sides(board: Board, pair: Compared) -> tuple[str, ...]:
    return *run_cells(board, pair.baseline), *run_cells(board, pair.candidate)


def _difference(one: Difference) -> tuple[TableCell, ...]:
    return (
        *(one.name, one.kind, one.metric, one.protocol, scale_cell(one.scale)),
        *(value_cell(value, scale=one.scale) for value in (one.baseline, one.candidate)),
        value_cell(one.difference, one.low, one.high, one.scale, is_signed=True),
        *(one.n, one.num_clusters, one.num_left_out),
        *(_chance(chance) for chance in (one.p_value, one.p_adjusted)),
        one.test,
        *(plain_cell(count) for count in (one.num_gained, one.num_lost)),
    )


def _chance(value: float | None) -> TableCell:
    return plain_cell(value) if value is None else Shown(chance_text(value), value)


# -- where a run comes from


def provenance_tables(board: Board) -> Iterator[NamedTable]:
    """What is known of every run but its numbers, a fact a row."""
    yield named(
        "provenance",
        "",
        f"{board.title}: provenance",
        (*RUN_HEADS, "kind", "task", "fact", "value"),
        ((*run_cells(board, at), *fact) for at, run in enumerate(board.runs) for fact in _facts(board, at, run)),
        num_labels=7,
    )


Fact = tuple[str, str, str, str]
"""Kind, task where it is of one, name and value."""


def _facts(board: Board, at: int, run: Run) -> Iterator[Fact]:
    yield from _kind("run", _of_run(run))
    yield from _kind("model", run.model.identity)
    yield from _kind("generation", run.generation)
    yield from _kind("package", run.packages)
    for stack in run.stacks:
        yield from _kind("stack", stack)
    for task in board.tasks:
        for one in task.runs:
            if one.run == at:
                yield from _of_task(task.name, one)


def _of_run(run: Run) -> Mapping[str, Scalar]:
    facts: dict[str, Scalar | None] = {
        "status": run.status,
        "samples": f"{run.counts.scored} of {run.counts.requested} scored",
        "engine": run.model.engine,
        "limit": run.limit,
        "seed": run.seed,
        "truncation": run.truncation,
        "system_instruction": run.system_instruction,
        "manifest_sha256": run.manifest_sha256,
        "samples_root": run.samples_root,
        "trust": run.trust.level if run.trust else None,
        "withdrawn": run.withdrawn,
        "red_flags": "; ".join(flag.text for flag in run.red_flags),
        "command": run.command,
        "command_note": run.command_note,
    }
    if run.judged is not None:
        facts |= {"judge": f"{run.judged.judge} {run.judged.version}", "judging_model": run.model.name}
    return {name: value for name, value in facts.items() if value is not None and value != ""}


def _of_task(task: str, one: TaskRun) -> Iterator[Fact]:
    spec = one.spec
    names = ("protocol", "num_fewshot", "version", "chat", "prompts_hash")
    yield from _kind("task", {name: getattr(spec, name) for name in names}, task)
    if spec.seed is not None:
        yield from _kind("task", {"seed": spec.seed}, task)
    for pin in spec.datasets:
        words = (pin.path, pin.config, pin.split, f"@{pin.revision}" if pin.revision else "", pin.fingerprint)
        yield from _kind("task", {"rows": " ".join(filter(None, words))}, task)


def _kind(kind: str, facts: Mapping[str, Scalar], task: str = "") -> Iterator[Fact]:
    """Each as the page writes it: true, and 1 for 1.0."""
    for name, value in facts.items():
        yield kind, task, name, f"{value:.15g}" if isinstance(value, float) else scalar_text(value)
