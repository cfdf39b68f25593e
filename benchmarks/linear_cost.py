"""Whether cost grows with the work and no faster: planning and scoring at 1, 4 and 16 times the documents.

    python benchmarks/linear_cost.py --data_dir MIRROR

Planning is from requests to micro-batches (tokenising, sorting, packing), of HellaSwag with 10 exemplars; scoring is
the forward passes alone, of ARC with 25. Both are told per token that is planned, sizes in turn, medians.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import measuring
import slices

from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Item

FACTORS = (1, 4, 16)


@dataclass(frozen=True)
class Cost:
    """What so many documents cost."""

    what: str
    num_docs: int
    num_requests: int
    num_tokens: int
    times: measuring.Times

    @property
    def microseconds_per_token(self) -> float:
        """Of tokens that are planned: every distinct prefix of a micro-batch once."""
        return 1e6 * self.times.median / self.num_tokens


def plan(model: LocalModel, items: Sequence[Item]) -> Any:
    """Micro-batches by an engine that has seen nothing yet."""
    return slices.engine_of(model).plan(items)


def costs(
    what: str, model: LocalModel, wanted: Sequence[list[Item]], side: Callable[[list[Item]], Any], rounds: int
) -> list[Cost]:
    """Time `side` on every one of `wanted`."""
    found = measuring.interleaved(
        {str(len(items)): partial(side, items) for items in wanted}, rounds, warm_up=rounds > 1
    )
    return [
        Cost(
            what,
            len({item.sample_id for item in items}),
            len(items),
            sum(batch.num_tokens for batch in plan(model, items)),
            found[str(len(items))].times,
        )
        for items in wanted
    ]


def row(cost: Cost) -> dict[str, object]:
    """One line of the table."""
    return {
        "what": cost.what, "documents": cost.num_docs, "requests": cost.num_requests, "planned tokens": cost.num_tokens,
        "time": str(cost.times), "microseconds a token": cost.microseconds_per_token,
    }  # fmt: skip


def sizes(model: LocalModel, task: str, least: int, data_dir: Path) -> list[list[Item]]:
    """The requests of `least` documents, and of 4 and 16 times as many."""
    return [
        slices.items_of(slices.prepared(model, slices.first_rows(task, least * factor), data_dir)) for factor in FACTORS
    ]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = slices.parser(__doc__)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--planned_docs", type=int, default=600, help="the least to plan")
    parser.add_argument("--scored_docs", type=int, default=2, help="the least to score")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args(arguments)


def main() -> int:
    """Measure and print."""
    options = parse()
    logging.disable(logging.WARNING)
    machine = measuring.machine()
    model = slices.open_model(options.model, options.dtype)
    to_plan = sizes(model, "hellaswag", options.planned_docs, options.data_dir)
    found = costs("planning", model, to_plan, partial(plan, model), options.rounds)
    to_score = sizes(model, "arc_challenge", options.scored_docs, options.data_dir)
    found += costs("scoring", model, to_score, partial(slices.answers, slices.engine_of(model)), options.rounds)
    print(f"{measuring.machine_line(machine)}\n\n{measuring.table([row(cost) for cost in found])}\n")
    per_token = {f"{cost.what} {cost.num_docs}": cost.microseconds_per_token for cost in found}
    print(measuring.json_line({"microseconds_per_token": per_token, "machine": machine}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
