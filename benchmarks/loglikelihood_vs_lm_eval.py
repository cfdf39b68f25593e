"""Scoring speed against lm-eval's `hf` backend: same model object, same token requests, same results.

    python benchmarks/loglikelihood_vs_lm_eval.py --data_dir MIRROR            # all five tasks, about 20 minutes
    python benchmarks/loglikelihood_vs_lm_eval.py --data_dir MIRROR --quick    # within a minute; one JSON line

Engine time: lm-eval's `_loglikelihood_tokens` at the best of some batch sizes and with ``softmax_dtype=float32``,
against our plan and run, both on requests that are token ids already, in turn (A B A B ...), medians. End to end,
apart from it: from the names of tasks to scores, rendering and tokenising included. Reading datasets is counted on
neither side, and nor is lm-eval's search for its task definitions; both are shown.

`ratio` is lm-eval's seconds over ours, `flop_ratio` the operations of lm-eval's own rows over ours. Useful tokens are
those of one row a request, whatever was computed. With ``--dtype bfloat16`` ours computes in it against lm-eval in
float32, and the errors of both ways of computing in bfloat16 against float32 are shown.

Exits 1 when, in float32, a log-likelihood differs by more than 1e-3 nats, or by more than 1e-5 of itself and 2e-5 nats
a token, or a greedy flag where the two likeliest tokens are not nearly tied; in bfloat16, when our errors are larger
than those of one request at a time.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any
from unittest import mock

import lm_eval_side
import measuring
import slices
from flops import Shape, Work, forest_work, lm_eval_work, naive_tokens, shape_of
from lm_eval.models.huggingface import HFLM
from measuring import Measured

from evalsuite.data import load_rows
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.plain_scorer import score as score_plainly
from evalsuite.types import Item, LoglikelihoodRequest

TOLERANCE_NATS = 1e-3
TOLERANCE_SHARE = 1e-5
ROUNDING_NATS = 2e-5
"""A token's error in torch's float32 `log_softmax` over a large vocabulary, which lm-eval uses: about 1e-5 nats, and
mostly of one sign. Ours (log-sum-exp) is nearer to float64; see exactness.py."""

BATCH_SIZES = (1, 2, 4, 8, 16)
QUICK_BATCH_SIZE = 4
"""lm-eval's with ``--quick``, without a sweep: between 1 and 16 its time on a CPU differs by a few per cent."""

SWEPT_TOKENS = 6000
"""Tokens of lm-eval's rows on which its batch sizes are tried."""

Score = tuple[float, bool]
"""Sum of log-probabilities in nats, and whether greedy decoding would have given the continuation."""


@dataclass(frozen=True)
class Models:
    """The model in our precision and in lm-eval's: one object where they are the same, and lm-eval's shape of it."""

    ours: LocalModel
    theirs: LocalModel
    shape: Shape

    @property
    def is_exact(self) -> bool:
        """Whether both compute in the same precision, so that results must agree."""
        return self.ours is self.theirs

    def lm(self, batch_size: int) -> HFLM:
        """lm-eval's model over the weights that are loaded."""
        tokenizer = self.theirs.encoder.tokenizer
        return HFLM(pretrained=self.theirs.model, tokenizer=tokenizer, batch_size=batch_size, softmax_dtype="float32")


@dataclass(frozen=True)
class Difference:
    """How far scores of ours are from lm-eval's.

    `share` is relative to the score, or to 1 nat where it is less; `excess` likewise, but of what rounding leaves over.
    `num_ties` greedy flags differ where the two likeliest tokens are nearly tied, `num_wrong` elsewhere.
    """

    nats: float
    mean_nats: float
    share: float
    excess: float
    num_ties: int = 0
    num_wrong: int = 0

    @property
    def is_small(self) -> bool:
        """Whether it is what float32 may differ by."""
        return self.nats <= TOLERANCE_NATS and self.excess <= TOLERANCE_SHARE and not self.num_wrong


@dataclass(frozen=True)
class EngineTime:
    """One task: token requests to scores, both sides."""

    task: str
    num_docs: int
    num_requests: int
    useful_tokens: int
    batch_size: int
    ours: Measured
    theirs: Measured
    our_work: Work
    their_work: Work
    difference: Difference
    errors: Mapping[str, Difference]

    @property
    def ratio(self) -> float:
        """lm-eval's seconds over ours."""
        return self.theirs.times.median / self.ours.times.median

    def flop_ratio(self, shape: Shape) -> float:
        """Operations of lm-eval's own rows over ours."""
        return self.their_work.flops(shape) / self.our_work.flops(shape)

    @property
    def is_right(self) -> bool:
        """Whether the results are what they must be, so that the times mean something."""
        if not self.errors:
            return self.difference.is_small
        return self.errors["ours"].mean_nats <= 1.1 * self.errors["one at a time"].mean_nats


@dataclass(frozen=True)
class EndToEnd:
    """One task from its name to scores, in seconds by part, `reading` of datasets apart."""

    task: str
    ours: Mapping[str, float]
    theirs: Mapping[str, float]
    difference: Difference

    @property
    def ratio(self) -> float:
        """lm-eval's seconds over ours, without reading datasets and without finding tasks."""
        return sum(self.theirs.values()) / sum(value for part, value in self.ours.items() if part != "reading")


# -- engine time


def engine_time(models: Models, items: Sequence[Item], task: str, rounds: int, sizes: Sequence[int]) -> EngineTime:
    """Time both sides on the token requests of `items`, `rounds` times, with no warm-up for a single round."""
    engine = slices.engine_of(models.ours)
    pairs = slices.pairs_of(engine, items)
    requests = slices.token_requests(pairs)
    size = _best_batch_size(models, requests, sizes)
    lm = models.lm(size)
    found = measuring.interleaved(
        {
            "theirs": lambda: lm._loglikelihood_tokens(requests, disable_tqdm=True),
            "ours": lambda: _scores(engine, items),
        },
        rounds,
        warm_up=rounds > 1,
    )
    batches = [[engine.requests.pair(item.request) for item in batch.items] for batch in engine.plan(items)]
    expected = found["theirs"].result
    return EngineTime(
        task=task,
        num_docs=len({item.sample_id for item in items}),
        num_requests=len(items),
        useful_tokens=naive_tokens(pairs),
        batch_size=size,
        ours=found["ours"],
        theirs=found["theirs"],
        our_work=forest_work(batches),
        their_work=lm_eval_work(pairs, size),
        difference=_difference(found["ours"].result, expected, models, pairs),
        errors={} if models.is_exact else _errors(models, pairs, found["ours"].result, expected),
    )


def _scores(engine: Any, items: Sequence[Item]) -> list[Score]:
    return [(score.sum_nats, score.is_greedy) for score in slices.scores(slices.answers(engine, items))]


def _best_batch_size(models: Models, requests: Sequence[Any], sizes: Sequence[int]) -> int:
    """The batch size at which lm-eval takes least time for the first of its rows, each size tried once, warm."""
    if len(sizes) == 1:
        return sizes[0]
    part: list[Any] = []
    for request in sorted(requests, key=lambda request: -len(request[1])):
        num_rows = len({(*context, *rest[:-1]) for _, context, rest in part})
        if num_rows * len(request[1]) > SWEPT_TOKENS:
            break
        part.append(request)
    seconds: dict[int, float] = {}
    for size in (sizes[0], *sizes):
        seconds[size], _ = measuring.timed(partial(models.lm(size)._loglikelihood_tokens, part, disable_tqdm=True))
    print("  lm-eval by batch size: " + ", ".join(f"{k}: {v:.2f} s" for k, v in seconds.items()), file=sys.stderr)
    return min(seconds, key=lambda size: seconds[size])


def _difference(
    ours: Sequence[Score], theirs: Sequence[Score], models: Models | None, pairs: Sequence[EncodedPair]
) -> Difference:
    gaps = [abs(a[0] - b[0]) for a, b in zip(ours, theirs, strict=True)]
    sizes = [max(1.0, abs(score[0])) for score in theirs]
    rounding = [ROUNDING_NATS * len(pair.continuation) for pair in pairs]
    share = max(gap / size for gap, size in zip(gaps, sizes, strict=True))
    excess = max(max(0.0, gap - by) / size for gap, size, by in zip(gaps, sizes, rounding, strict=True))
    flags = [place for place in range(len(gaps)) if ours[place][1] != theirs[place][1]]
    ties = [place for place in flags if models and is_nearly_tied(models.theirs, pairs[place])]
    return Difference(max(gaps), mean(gaps), share, excess, len(ties), len(flags) - len(ties))


def is_nearly_tied(model: LocalModel, pair: EncodedPair) -> bool:
    """Whether somewhere in the continuation the likeliest two tokens are within the tolerance of each other."""
    import torch

    ids = torch.tensor([pair.row], device=model.settings.device)
    with torch.inference_mode():
        logits = model.model(input_ids=ids, logits_to_keep=len(pair.continuation)).logits[0].float()
    best = logits.topk(2, dim=-1).values
    return bool((best[:, 0] - best[:, 1]).min() <= TOLERANCE_NATS)


def _errors(
    models: Models, pairs: Sequence[EncodedPair], ours: Sequence[Score], expected: Sequence[Score]
) -> dict[str, Difference]:
    """Errors of our precision against lm-eval's float32: of our engine, and of the same weights one row at a time."""
    alone = slices.scores([score_plainly(models.ours, [pair])[0] for pair in pairs])
    alone_scores = [(score.sum_nats, score.is_greedy) for score in alone]
    return {
        "ours": _difference(ours, expected, None, pairs),
        "one at a time": _difference(alone_scores, expected, None, pairs),
    }


# -- end to end


def end_to_end(models: Models, task: str, num_docs: int, mirror: Path, size: int, tasks: Mapping[str, Any]) -> EndToEnd:
    """Time both sides once on the first documents of `task`; `tasks` are lm-eval's, loaded."""
    their_parts, expected = _their_end_to_end(models.lm(size), task, num_docs, tasks)
    our_parts, found = _our_end_to_end(models, task, num_docs, mirror)
    if set(found) != set(expected):
        raise RuntimeError(f"{task}: the two harnesses ask different questions")
    ours = [found[key] for key in expected]
    engine = slices.engine_of(models.theirs)
    pairs = [engine.requests.pair(LoglikelihoodRequest(context=key[0], continuation=key[1])) for key in expected]
    checked = models if models.is_exact else None
    return EndToEnd(task, our_parts, their_parts, _difference(ours, list(expected.values()), checked, pairs))


def _their_end_to_end(
    lm: HFLM, task: str, num_docs: int, tasks: Mapping[str, Any]
) -> tuple[dict[str, float], dict[tuple[str, str], Score]]:
    names = slices.TRUTHFULQA if task == "truthfulqa" else (task,)
    rendering, requests = measuring.timed(
        lambda: [request for name in names for request in lm_eval_side.requests(tasks[name], num_docs)]
    )
    scoring, found = measuring.timed(lambda: lm.loglikelihood(requests, disable_tqdm=True))
    return (
        {"rendering": rendering, "tokenising and scoring": scoring},
        {request.args: score for request, score in zip(requests, found, strict=True)},
    )


def _our_end_to_end(
    models: Models, task: str, num_docs: int, mirror: Path
) -> tuple[dict[str, float], dict[tuple[str, str], Score]]:
    reading: list[float] = []

    def read(*args: Any) -> Any:
        taken, rows = measuring.timed(lambda: load_rows(*args))
        reading.append(taken)
        return rows

    with mock.patch("evalsuite.building.load_rows", read):
        preparing, run = measuring.timed(
            lambda: slices.prepared(models.ours, slices.first_rows(task, num_docs), mirror)
        )
    rendering, items = measuring.timed(lambda: slices.items_of(run))
    tokenising, batches = measuring.timed(lambda: run.engine.plan(items))
    scoring, found = measuring.timed(lambda: dict(run.engine.run(batches)))
    answers = slices.scores([found[item.id] for item in items])
    parts = {
        "reading": sum(reading), "preparing the whole task": preparing - sum(reading), "rendering": rendering,
        "tokenising and planning": tokenising, "scoring": scoring,
    }  # fmt: skip
    requests = [item.request for item in items]
    return parts, {
        (str(request.context), request.continuation): (score.sum_nats, score.is_greedy)
        for request, score in zip(requests, answers, strict=True)
        if isinstance(request, LoglikelihoodRequest)
    }


# -- output


def engine_row(found: EngineTime, shape: Shape) -> dict[str, object]:
    """One line of the table of engine times."""
    return {
        "task": found.task,
        "documents": found.num_docs,
        "requests": found.num_requests,
        "ours": str(found.ours.times),
        "lm-eval": str(found.theirs.times),
        "its batch size": found.batch_size,
        "ratio": found.ratio,
        "flop_ratio": found.flop_ratio(shape),
        "ratio / flop_ratio": found.ratio / found.flop_ratio(shape),
        "useful tokens/s, ours": found.useful_tokens / found.ours.times.median,
        "lm-eval's": found.useful_tokens / found.theirs.times.median,
        "GFLOP/s, ours": found.our_work.flops(shape) / found.ours.times.median / 1e9,
        "of lm-eval": found.their_work.flops(shape) / found.theirs.times.median / 1e9,
        "largest difference, nats": found.difference.nats,
        "of itself": found.difference.share,
        "greedy flags tied, wrong": f"{found.difference.num_ties}, {found.difference.num_wrong}",
    }


def error_rows(found: EngineTime) -> list[dict[str, object]]:
    """Lines of the table of errors in a coarser precision."""
    return [
        {
            "task": found.task, "computed": way, "mean error, nats": error.mean_nats, "largest": error.nats,
            "greedy flags that differ": error.num_wrong,
        }
        for way, error in found.errors.items()
    ]  # fmt: skip


def end_to_end_row(found: EndToEnd) -> dict[str, object]:
    """One line of the table of end-to-end times."""
    return {
        "task": found.task,
        "ours": ", ".join(f"{part} {seconds:.2f} s" for part, seconds in found.ours.items()),
        "lm-eval": ", ".join(f"{part} {seconds:.2f} s" for part, seconds in found.theirs.items()),
        "ratio": found.ratio,
        "largest difference, nats": found.difference.nats,
    }


def as_json(
    engine: Sequence[EngineTime], ends: Sequence[EndToEnd], models: Models, machine: Mapping[str, object]
) -> str:
    """All figures as one line."""
    by_task: dict[str, dict[str, object]] = {
        row.task: {
            "ratio": row.ratio,
            "flop_ratio": row.flop_ratio(models.shape),
            "seconds": row.ours.times.seconds,
            "their_seconds": row.theirs.times.seconds,
            "their_batch_size": row.batch_size,
            "useful_tokens_per_second": row.useful_tokens / row.ours.times.median,
            "max_abs_diff_nats": row.difference.nats,
            "max_relative_diff": row.difference.share,
            "errors": {way: [error.mean_nats, error.nats] for way, error in row.errors.items()},
        }
        for row in engine
    }
    for end in ends:
        by_task[end.task] |= {"end_to_end_ratio": end.ratio, "end_to_end": [dict(end.ours), dict(end.theirs)]}
    ours, theirs = (sum(getattr(row, side).times.median for row in engine) for side in ("ours", "theirs"))
    return measuring.json_line(
        {
            "ratio": {row.task: row.ratio for row in engine},
            "flop_ratio": {row.task: row.flop_ratio(models.shape) for row in engine},
            "max_abs_diff_nats": max(row.difference.nats for row in engine),
            "ratio_of_sums": theirs / ours,
            "dtype": str(models.ours.dtype),
            "compile": models.ours.settings.is_compiled,
            "tasks": by_task,
            "machine": machine,
        }
    )


# -- the command


def compare(options: argparse.Namespace, models: Models) -> tuple[list[EngineTime], list[EndToEnd]]:
    """Time every task that is asked for."""
    sizes = tuple(options.their_batch_sizes)
    docs = {task: options.docs or (slices.QUICK_DOCS if options.quick else slices.DOCS)[task] for task in options.tasks}
    engine = []
    for task, num in docs.items():
        run = slices.prepared(models.ours, slices.first_rows(task, num), options.data_dir)
        engine.append(engine_time(models, slices.items_of(run), task, options.rounds, sizes))
        print(f"  {engine_row(engine[-1], models.shape)}", file=sys.stderr)
    if not options.end_to_end:
        return engine, []
    names = [name for task in docs for name in (slices.TRUTHFULQA if task == "truthfulqa" else (task,))]
    with lm_eval_side.reading(options.data_dir):
        loading, tasks = measuring.timed(lambda: lm_eval_side.load(names))
        print(f"  lm-eval finds and loads its tasks: {loading:.1f} s", file=sys.stderr)
        sizes_by_task = {row.task: row.batch_size for row in engine}
        ends = [
            end_to_end(models, task, num, options.data_dir, sizes_by_task[task], tasks) for task, num in docs.items()
        ]
    return engine, ends


def open_models(name: str, dtype: str, *, is_compiled: bool) -> Models:
    """lm-eval's weights in float32, and ours in `dtype`, their norms and feed-forward layers fused where asked."""
    theirs = slices.open_model(name, "float32")
    is_same = dtype == "float32" and not is_compiled
    ours = theirs if is_same else slices.open_model(name, dtype, is_compiled=is_compiled)
    return Models(ours, theirs, shape_of(theirs.config))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = slices.parser(__doc__)
    parser.add_argument("--tasks", nargs="+", default=list(slices.DOCS), choices=list(slices.DOCS))
    parser.add_argument("--docs", type=int, help="documents of each task, instead of its own number")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"], help="ours")
    parser.add_argument("--compile", action="store_true", help="ours with --model_args compile=true")
    parser.add_argument("--rounds", type=int, help="counted turns of each side: 3, or 1 without warm-up when quick")
    parser.add_argument("--their_batch_sizes", type=int, nargs="+", help="lm-eval's to try; one is taken as it is")
    parser.add_argument("--end_to_end", action=argparse.BooleanOptionalAction, help="time rendering and tokenising too")
    parser.add_argument("--quick", action="store_true", help="within a minute on two quiet cores, one line of JSON")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.end_to_end = not options.quick if options.end_to_end is None else options.end_to_end
    options.their_batch_sizes = options.their_batch_sizes or ([QUICK_BATCH_SIZE] if options.quick else BATCH_SIZES)
    return options


def main() -> int:
    """Measure, print, and say by the exit code whether results agree."""
    options = parse()
    logging.disable(logging.WARNING)
    machine = measuring.machine()
    models = open_models(options.model, options.dtype, is_compiled=options.compile)
    if models.ours.verdict.scoring != "forest":
        print(f"this model scores in the mode {models.ours.verdict.scoring}; our work is counted as a forest's")
    score_plainly(models.theirs, [EncodedPair((1,) * 256, (1,), "")])  # allocators and threads, where no round warms up
    engine, ends = compare(options, models)
    if not options.quick:
        print(
            f"{measuring.machine_line(machine)}\n\n{measuring.table([engine_row(row, models.shape) for row in engine])}"
        )
        for rows in ([line for row in engine for line in error_rows(row)], [end_to_end_row(row) for row in ends]):
            print(f"\n{measuring.table(rows)}" if rows else "", end="\n" if rows else "")
    print(as_json(engine, ends, models, machine))
    wrong = [row.task for row in engine if not row.is_right]
    wrong += [end.task for end in ends if models.is_exact and not end.difference.is_small]
    print(f"results differ: {', '.join(wrong)}" if wrong else "results agree", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
