"""How far scores lie from those of one request at a time: real requests of every task, in float32 and in bfloat16.

    python benchmarks/exactness.py --data_dir MIRROR               # 500 requests a task, about an hour on two cores

The reference is each request alone in float32. Beside our engine's bfloat16 stands bfloat16 one request at a time: the
error that the format makes by itself. `of the sum` is the sum of differences over the sum of log-likelihoods.

Exits 1 when in float32 one differs by more than 1e-3 nats, or all together by more than 1e-5 of their sum; or when our
mean error in bfloat16 is more than a tenth larger than that of one at a time.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import measuring
import slices

from evalsuite.engines import plain_scorer
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Item, Loglikelihood

MAX_NATS, MAX_SHARE = 1e-3, 1e-5
ALLOWED_EXCESS = 1.1
FEWEST_CHOICES = {"hellaswag": 4, "arc_challenge": 3, "mmlu_astronomy": 4, "truthfulqa": 4, "winogrande": 2}
"""How many requests a row asks at least."""

Scores = Sequence[Loglikelihood]


@dataclass(frozen=True)
class Error:
    """How far one way of scoring lies from the reference on one task."""

    task: str
    way: str
    num_requests: int
    mean_nats: float
    max_nats: float
    share: float
    num_flags: int
    """Greedy flags that differ."""


def alone(model: LocalModel, pairs: Sequence[EncodedPair]) -> Scores:
    """Each of `pairs` through the model by itself."""
    return slices.scores([plain_scorer.score(model, [pair])[0] for pair in pairs])


def together(model: LocalModel, items: Sequence[Item]) -> Scores:
    """All of `items` by our engine's own plan."""
    return slices.scores(slices.answers(slices.engine_of(model), items))


def error(task: str, way: str, found: Scores, reference: Scores) -> Error:
    """What `found` is wrong by."""
    gaps = [abs(a.sum_nats - b.sum_nats) for a, b in zip(found, reference, strict=True)]
    return Error(
        task=task,
        way=way,
        num_requests=len(gaps),
        mean_nats=fmean(gaps),
        max_nats=max(gaps),
        share=sum(gaps) / sum(abs(score.sum_nats) for score in reference),
        num_flags=sum(a.is_greedy != b.is_greedy for a, b in zip(found, reference, strict=True)),
    )


def errors(task: str, exact: LocalModel, coarse: LocalModel, options: argparse.Namespace) -> list[Error]:
    """The errors of our float32, our bfloat16, and bfloat16 one at a time."""
    rows = slices.first_rows(task, math.ceil(options.requests / FEWEST_CHOICES[task]))
    items = slices.items_of(slices.prepared(exact, rows, options.data_dir))[: options.requests]
    pairs = slices.pairs_of(slices.engine_of(exact), items)
    reference = alone(exact, pairs)
    ways = {
        "float32": together(exact, items), "bfloat16": together(coarse, items),
        "bfloat16 one at a time": alone(coarse, pairs),
    }  # fmt: skip
    return [error(task, way, found, reference) for way, found in ways.items()]


def faults(found: Sequence[Error]) -> list[str]:
    """What is worse than promised."""
    wrong = [
        f"{one.task}: {one.max_nats:.1e} nats, {one.share:.1e} of the sum"
        for one in found
        if one.way == "float32" and (one.max_nats > MAX_NATS or one.share > MAX_SHARE)
    ]
    means = {(one.task, one.way): one.mean_nats for one in found}
    for task in dict.fromkeys(one.task for one in found):
        ours, plain = means[task, "bfloat16"], means[task, "bfloat16 one at a time"]
        if ours > ALLOWED_EXCESS * plain:
            wrong.append(f"{task}: bfloat16 is {ours / plain:.2f} times as wrong as one at a time")
    return wrong


def row(one: Error) -> dict[str, object]:
    """One line of the table."""
    return {
        "task": one.task, "computed": one.way, "requests": one.num_requests, "mean error, nats": one.mean_nats,
        "largest": one.max_nats, "of the sum": one.share, "greedy flags that differ": one.num_flags,
    }  # fmt: skip


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = slices.parser(__doc__)
    parser.add_argument("--tasks", nargs="+", default=list(slices.DOCS), choices=list(slices.DOCS))
    parser.add_argument("--requests", type=int, default=500, help="of each task")
    return parser.parse_args(arguments)


def main() -> int:
    """Measure, print, and say by the exit code whether scores are as near as promised."""
    options = parse()
    logging.disable(logging.WARNING)
    machine = measuring.machine()
    exact, coarse = (slices.open_model(options.model, dtype) for dtype in ("float32", "bfloat16"))
    found: list[Error] = []
    for task in options.tasks:
        found += errors(task, exact, coarse, options)
        print(f"  {task} is done", file=sys.stderr)
    print(f"{measuring.machine_line(machine)}\n\n{measuring.table([row(one) for one in found])}")
    wrong = faults(found)
    print("\n".join(wrong) or "scores agree", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
