"""The Open LLM six on one CUDA device, beside lm-eval's `hf` on the same weights: an 8-billion Llama drawn at random.

    python benchmarks/gpu_suite.py --data_dir MIRROR --json gpu.json
    python benchmarks/gpu_suite.py --data_dir MIRROR --model tiny --device cpu     # a minute, to see that it runs

Token ids are those of the built-in SmolLM2's tokenizer on the real tasks, made before any clock starts. The five
log-likelihood tasks give both sides the same ids: ours plans and scores them, lm-eval's `_loglikelihood_tokens` takes
them with ``softmax_dtype=float32``. GSM8K gives both the same prompts; every answer has the length of its gold answer
and no token ends it. A batch of lm-eval's goes on until the longest of its answers is whole, as its real runs do.

lm-eval's batch size is the usual one, and the best of a sweep. Sides are timed in turn (A B A B) after a part of the
work that is not counted. The weights mean nothing, so scores are compared with one another and not with any label.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

import flops
import lm_eval_side
import msgspec
import numpy as np
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, LlamaConfig

from evalsuite.config import RunConfig
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.plugins import family
from evalsuite.prepare import prepare
from evalsuite.types import Completion, GenerateRequest, Item, Loglikelihood, Request, Response, Sample

TOKENIZER = "smollm2-135m"
GENERATION = "gsm8k"
MMLU_SUBJECTS = tuple(info.name for info in family("mmlu").members[::10])
"""Every tenth subject, six in all: of short questions and of long."""

OURS = "evalsuite"
MAX_LENGTH = 8192


@dataclass(frozen=True)
class Scale:
    """A size of the benchmark: the model, documents by task, and the batch sizes that lm-eval is tried with.

    Documents of MMLU are those of each subject; None stands for all.
    """

    config: Mapping[str, int]
    docs: Mapping[str, int | None]
    usual_batch: int
    batches: tuple[int, ...]
    generation_batches: tuple[int, ...]


SCALES = {
    "llama-8b": Scale(
        {
            "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
            "num_key_value_heads": 8, "vocab_size": 128256,
        },
        {
            "hellaswag": 300, "mmlu": None, "arc_challenge": 150, "truthfulqa": None, "winogrande": None, "gsm8k": 128,
        },
        usual_batch=64,
        batches=(4, 8, 16, 32, 64),
        generation_batches=(16, 32, 64, 128),
    ),
    "tiny": Scale(
        {
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "vocab_size": 49152,
        },
        {"hellaswag": 2, "mmlu": 1, "arc_challenge": 2, "truthfulqa": 2, "winogrande": 4, "gsm8k": 4},
        usual_batch=4,
        batches=(2, 4),
        generation_batches=(2, 4),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """One timed turn: seconds, tokens that went through the model with padding, peak of device memory, and answers.

    An answer is the sum of log-probabilities and whether all was greedy; of generation the number of tokens, and True.
    """

    seconds: float
    model_tokens: int
    peak_bytes: int
    answers: list[tuple[float, bool]]


@dataclass(frozen=True)
class Job:
    """A task's slice. `naive_tokens` are those of one row a request, `flops` the least that can give the answers."""

    task: str
    num_docs: int
    items: tuple[Item, ...]
    part: tuple[Item, ...]
    """What the sweep and the first, uncounted turn are made with."""
    naive_tokens: int
    flops: int


@dataclass
class Line:
    """A row of the table: one side on one task."""

    task: str
    side: str
    docs: int
    requests: int
    seconds: float | None
    spread: float = 0.0
    turns: list[float] = field(default_factory=list)
    useful_tokens_per_s: float = 0.0
    model_tokens_per_s: float = 0.0
    flop_utilisation: float = 0.0
    times_ours: float = 1.0
    max_nats: float = 0.0
    mean_nats: float = 0.0
    same_greedy: float = 1.0
    peak_gib: float = 0.0


# -- the model


def open_model(scale: Scale, device: str, *, with_flex: bool) -> LocalModel:
    """The built-in model's tokenizer over weights drawn on `device`: bfloat16 on CUDA, float32 elsewhere."""
    config = LlamaConfig(
        **scale.config, max_position_embeddings=MAX_LENGTH, rope_theta=500000.0, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    torch.manual_seed(0)
    with torch.device(device):
        weights = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    model = LocalModel(ModelSettings(TOKENIZER, None, "auto", device, MAX_LENGTH, None))
    assert model.encoder
    model.__dict__.update(config=config, dtype=dtype, model=weights, end_tokens=[])
    if not with_flex:
        model.flex = None
    return model


def measured_peak(device: str, dtype: torch.dtype) -> float:
    """Operations a second of the best of some products of large square matrices."""
    size, repeats = (8192, 20) if device.startswith("cuda") else (1024, 3)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(4):
        synchronise()
        started = time.perf_counter()
        for _ in range(repeats):
            a @ b
        synchronise()
        best = min(best, (time.perf_counter() - started) / repeats)
    return float(2 * size**3 / best)


def synchronise() -> None:
    """Wait for the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


# -- the work


def make_job(task: str, num_docs: int | None, model: LocalModel, mirror: Path) -> Job:
    """The first `num_docs` documents of `task`; all where None."""
    engine = TransformersEngine(model)
    asked = list(_asked(task, num_docs, mirror))
    items = [
        Item(id=f"{place:06}", sample_id=sample.id, wave=1, request=_forced(model, sample, request))
        for place, (sample, request) in enumerate(asked)
    ]
    documents = list(dict.fromkeys(sample.id for sample, _ in asked))
    first = set(documents[: max(1, len(documents) // 8)])
    part = items if task == GENERATION else [item for item in items if item.sample_id in first]
    naive = engine.count_naive_tokens([item.request for item in items])
    flops = least_flops(model, engine, items)
    return Job(task, len(documents), tuple(items), tuple(part), naive, flops)


def _asked(task: str, num_docs: int | None, mirror: Path) -> Iterator[tuple[Sample, Request]]:
    names = MMLU_SUBJECTS if task == "mmlu" else (task,)
    shots = {} if task == "truthfulqa" else {task: lm_eval_side.num_fewshot(task)}
    config = RunConfig(
        model=TOKENIZER, tasks=names, protocol="lm-eval-0.4", limit=num_docs, limit_mode="first", device="cpu",
        num_fewshot={name: number for name in names for number in shots.values()}, data_dir=str(mirror),
    )  # fmt: skip
    for entry in prepare(config).tasks:
        for sample in entry.samples:
            yield from ((sample, request) for request in entry.task.next_requests(sample, ()))


def _forced(model: LocalModel, sample: Sample, request: Request) -> Request:
    """A request to generate as many tokens as its gold answer has; others as they are."""
    if not isinstance(request, GenerateRequest):
        return request
    num_tokens = len(model.encoder.tokenizer(" " + sample.target, add_special_tokens=False).input_ids)
    return msgspec.structs.replace(request, max_tokens=num_tokens)


def least_flops(model: LocalModel, engine: TransformersEngine, items: Sequence[Item]) -> int:
    """Operations of the matrix products that the answers need: every distinct prefix once, logits where they are read.

    ``2 * body * tokens + 4 * layers * width * (query, key) pairs + 2 * head * rows of logits``; generated tokens count
    as tokens, each with its logits.
    """
    return flops_of(model, *_rows(engine, items))


def flops_of(model: LocalModel, rows: Sequence[Sequence[int]], num_logits: int) -> int:
    """Operations of the distinct prefixes of `rows` on `model`, and of the logits at `num_logits` places."""
    return flops.distinct_work(rows, num_logits).flops(flops.shape_of(model.config))


def _rows(engine: TransformersEngine, items: Sequence[Item]) -> tuple[list[Sequence[int]], int]:
    """Token rows that answer `items`, and how many different places of them logits are read at.

    Of a generated row nobody knows the tokens before; all that matters is that they are no other row's.
    """
    rows: list[Sequence[int]] = []
    read: set[bytes] = set()
    for place, item in enumerate(items):
        if isinstance(item.request, GenerateRequest):
            prompt = engine.requests.prompt(item.request).ids
            rows.append((*prompt, *[-1 - place] * (item.request.max_tokens - 1)))
            start = len(prompt) - 1
        else:
            pair = engine.requests.pair(item.request)
            rows.append(pair.row)
            start = len(pair.context) - 1
        tokens = np.array(rows[-1], dtype=np.int32)
        read.update(tokens[: end + 1].tobytes() for end in range(start, len(tokens)))
    return rows, len(read)


# -- the sides


def our_side(model: LocalModel, job: Job, items: Sequence[Item]) -> Callable[[], list[tuple[float, bool]]]:
    """Planning and answering `items`; log-likelihoods with their tokens known, generation from text as lm-eval's."""
    known = TransformersEngine(model)
    known.count_tokens([item.request for item in items])

    def answer() -> list[tuple[float, bool]]:
        engine = TransformersEngine(model) if job.task == GENERATION else known
        found = dict(engine.run(engine.plan(items)))
        return [_answer(found[item.id], item.request) for item in items]

    return answer


def _answer(response: Response, request: Request) -> tuple[float, bool]:
    """Raises RuntimeError for a failure and for an answer that ended early: the time would mean nothing."""
    match response, request:
        case Loglikelihood(), _:
            return response.sum_nats, response.is_greedy
        case Completion(), GenerateRequest() if response.num_tokens == request.max_tokens:
            return response.num_tokens, True
    raise RuntimeError(f"{response} to {request}")


def their_side(
    model: LocalModel, job: Job, items: Sequence[Item], batch_size: int
) -> Callable[[], list[tuple[float, bool]]]:
    """lm-eval's `hf` on the same weights with `batch_size` rows at a time."""
    lm = HFLM(
        pretrained=model.model, tokenizer=model.encoder.tokenizer, batch_size=batch_size,
        softmax_dtype="float32", max_length=MAX_LENGTH,
    )  # fmt: skip
    engine = TransformersEngine(model)
    if job.task == GENERATION:
        chunks = list(_generation_chunks(engine, items, batch_size))
        return lambda: [(len(text), True) for chunk in chunks for text in lm.generate_until(chunk, disable_tqdm=True)]
    engine.count_tokens([item.request for item in items])
    pairs: list[EncodedPair] = [engine.requests.pair(item.request) for item in items]
    requests: list[Any] = [(("", ""), list(pair.context), list(pair.continuation)) for pair in pairs]
    return lambda: list(lm._loglikelihood_tokens(requests, disable_tqdm=True))


def _generation_chunks(engine: TransformersEngine, items: Sequence[Item], batch_size: int) -> Iterator[list[Instance]]:
    """lm-eval's own batches, the longest prompts first; all rows of one go on for as long as the longest answer."""
    requests = [item.request for item in items if isinstance(item.request, GenerateRequest)]
    requests.sort(key=lambda request: (-len(engine.requests.prompt(request).ids), str(request.prompt)))
    for start in range(0, len(requests), batch_size):
        chunk = requests[start : start + batch_size]
        longest = max(request.max_tokens for request in chunk)
        settings = {"until": list(chunk[0].stop), "max_gen_toks": longest, "do_sample": False, "temperature": 0.0}
        yield [
            Instance(request_type="generate_until", doc={}, arguments=(request.prompt, settings), idx=0)
            for request in chunk
        ]


# -- the clock


def timed(model: LocalModel, side: Callable[[], list[tuple[float, bool]]]) -> Turn | None:
    """One turn of `side`, with the device's memory emptied before; None where it does not suffice."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    with tokens_counted(model) as tokens:
        synchronise()
        started = time.perf_counter()
        try:
            answers = side()
        except torch.OutOfMemoryError:
            return None
        synchronise()
        seconds = time.perf_counter() - started
    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    return Turn(seconds, sum(tokens), peak, answers)


@contextmanager
def tokens_counted(model: LocalModel) -> Iterator[list[int]]:
    """The tokens of every call of the model, padding included."""
    tokens: list[int] = []

    def note(_: Any, args: tuple[Any, ...], inputs: dict[str, Any]) -> None:
        tokens.append(inputs["input_ids"].numel() if "input_ids" in inputs else args[0].numel())

    hook = model.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield tokens
    finally:
        hook.remove()


def best_batch(model: LocalModel, job: Job, sizes: Sequence[int]) -> int | None:
    """The batch size with which lm-eval is quickest on a part of the work, those left out that do not fit."""
    found: dict[int, float] = {}
    for size in sizes:
        if turn := timed(model, their_side(model, job, job.part, size)):
            found[size] = turn.seconds
        say(f"{job.task}: lm-eval with {size}: {f'{found[size]:.2f} s' if size in found else 'out of memory'}")
    return min(found, key=lambda size: found[size]) if found else None


def interleaved(
    model: LocalModel, sides: Mapping[str, Callable[[], list[tuple[float, bool]]]], rounds: int
) -> dict[str, list[Turn]]:
    """Every side in turn, `rounds` times; a side that does not fit into memory has no turn."""
    turns: dict[str, list[Turn]] = {name: [] for name in sides}
    too_large: set[str] = set()
    for _ in range(rounds):
        for name, side in sides.items():
            if name in too_large:
                continue
            if turn := timed(model, side):
                turns[name].append(turn)
            else:
                too_large.add(name)
    return {name: [] if name in too_large else done for name, done in turns.items()}


# -- the report


def measure(model: LocalModel, job: Job, scale: Scale, rounds: int, peak: float) -> list[Line]:
    """The table's rows of one task."""
    sizes = scale.generation_batches if job.task == GENERATION else scale.batches
    best = best_batch(model, job, sizes)
    if timed(model, our_side(model, job, job.part)) is None:
        raise RuntimeError(f"{job.task}: evalsuite ran out of memory on a part of the work")
    sides = {OURS: our_side(model, job, job.items)}
    wanted = dict.fromkeys(size for size in (scale.usual_batch, best) if size is not None)
    sides |= {_their_name(size, best): their_side(model, job, job.items, size) for size in wanted}
    turns = interleaved(model, sides, rounds)
    return [_line(job, name, done, turns[OURS], peak) for name, done in turns.items()]


def _their_name(size: int, best: int | None) -> str:
    return f"lm-eval, {size}{' (best)' if size == best else ''}"


def _line(job: Job, side: str, turns: Sequence[Turn], ours: Sequence[Turn], peak: float) -> Line:
    if not turns:
        return Line(job.task, side, job.num_docs, len(job.items), None)
    seconds = median(turn.seconds for turn in turns)
    differences = [abs(a[0] - b[0]) for a, b in zip(turns[-1].answers, ours[-1].answers, strict=True)]
    same = [a[1] == b[1] for a, b in zip(turns[-1].answers, ours[-1].answers, strict=True)]
    is_scored = job.task != GENERATION
    return Line(
        job.task, side, job.num_docs, len(job.items), seconds,
        spread=(max(turn.seconds for turn in turns) - min(turn.seconds for turn in turns)) / seconds,
        turns=[turn.seconds for turn in turns],
        useful_tokens_per_s=job.naive_tokens / seconds,
        model_tokens_per_s=turns[-1].model_tokens / seconds,
        flop_utilisation=job.flops / seconds / peak,
        times_ours=seconds / median(turn.seconds for turn in ours) if ours else float("nan"),
        max_nats=max(differences) if is_scored else 0.0,
        mean_nats=fmean(differences) if is_scored else 0.0,
        same_greedy=fmean(same),
        peak_gib=max(turn.peak_bytes for turn in turns) / 2**30,
    )  # fmt: skip


def as_table(lines: Sequence[Line]) -> str:
    """Markdown: a row by task and side. Differences are to ours; `x` is how many times our seconds a side takes."""
    heads = ("task", "documents", "requests", "side", "seconds", "spread", "x", "useful tokens/s", "model tokens/s",
             "FLOP use", "largest, mean difference, nats", "greedy flag equal", "peak GiB")  # fmt: skip
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*rows, *map(_row, lines)])


def _row(line: Line) -> str:
    start = f"| {line.task} | {line.docs} | {line.requests} | {line.side} "
    if line.seconds is None:
        return start + "| out of memory" + " |" * 9
    is_compared = line.side != OURS and line.task != GENERATION
    agreement = f"{line.max_nats:.1e}, {line.mean_nats:.1e} | {line.same_greedy:.2%}" if is_compared else "|"
    return start + (
        f"| {line.seconds:.2f} | {line.spread:.0%} | {line.times_ours:.2f} | {line.useful_tokens_per_s:,.0f} "
        f"| {line.model_tokens_per_s:,.0f} | {line.flop_utilisation:.1%} | {agreement} | {line.peak_gib:.1f} |"
    )


def sums(lines: Sequence[Line]) -> str:
    """Seconds of all tasks together: ours, and lm-eval's at its usual size and at its best of each task."""
    ours = sum(line.seconds or 0.0 for line in lines if line.side == OURS)
    best = [line for line in lines if line.side.endswith("(best)")]
    usual = [line for task in {line.task for line in lines} for line in _theirs(lines, task)[:1]]
    parts = [f"evalsuite {ours:.1f} s"]
    for name, group in (("lm-eval at its usual batch size", usual), ("at its best", best)):
        if group and all(line.seconds is not None for line in group):
            seconds = sum(line.seconds or 0.0 for line in group)
            parts.append(f"{name} {seconds:.1f} s ({seconds / ours:.2f} x)")
    return "All tasks: " + ", ".join(parts) + "."


def _theirs(lines: Sequence[Line], task: str) -> list[Line]:
    return [line for line in lines if line.task == task and line.side != OURS]


def heading(model: LocalModel, options: argparse.Namespace, peak: float) -> dict[str, Any]:
    """What the figures are of."""
    verdict = model.verdict
    return {
        "model": options.model,
        "device": torch.cuda.get_device_name() if options.device.startswith("cuda") else "cpu",
        "dtype": str(model.dtype).removeprefix("torch."),
        "torch": str(torch.__version__),
        "peak_tflops": round(peak / 1e12, 3),
        "scoring": verdict.scoring,
        "generation": verdict.generation,
        "attention": "flex" if model.flex and not model.flex.fault else "blocks",
        "slower_because": list(verdict.reasons),
        "token_budget": model.token_budget,
        "rounds": options.rounds,
    }


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def parsed() -> argparse.Namespace:
    """The command line, checked: a large model without a CUDA device is refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, default=os.environ.get("EVALSUITE_DATA"), help="the datasets' mirror")
    parser.add_argument("--model", choices=tuple(SCALES), default="llama-8b")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tasks", nargs="+", choices=tuple(SCALES["tiny"].docs), default=list(SCALES["tiny"].docs))
    parser.add_argument("--docs", type=int, help="documents of every task, of MMLU of every subject")
    parser.add_argument("--rounds", type=int, default=2, help="turns of every side that are counted")
    parser.add_argument("--attention", choices=("auto", "blocks"), default="auto", help="blocks: no fused kernel")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    options = parser.parse_args()
    if options.data_dir is None:
        parser.error("--data_dir MIRROR is needed where EVALSUITE_DATA does not name it")
    if options.device == "cpu" and options.model != "tiny":
        parser.error(f"--device cpu: {options.model} is too large for it; --model tiny runs there")
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("no CUDA device is here; to see that the script runs: --model tiny --device cpu")
    return options


def main() -> None:
    """Measure task by task, and print the table."""
    options = parsed()
    logging.disable(logging.WARNING)
    scale = SCALES[options.model]
    model = open_model(scale, options.device, with_flex=options.attention == "auto")
    peak = measured_peak(options.device, model.dtype)
    started = time.monotonic()
    found = heading(model, options, peak)
    say(f"self-test and compiling: {time.monotonic() - started:.1f} s; {found}")
    lines: list[Line] = []
    for task in options.tasks:
        job = make_job(task, options.docs or scale.docs[task], model, options.data_dir)
        measured = measure(model, job, scale, options.rounds, peak)
        say("\n".join(map(_row, measured)))
        lines += measured
    # as it ended: a kernel may have been given up on the way
    found["attention"] = "flex" if model.flex and not model.flex.fault else "blocks"
    found["attention_fault"] = model.flex.fault if model.flex else ""
    print("; ".join(f"{key} {value}" for key, value in found.items() if value not in ([], "")))
    print(f"\n{as_table(lines)}\n\n{sums(lines)}")
    if options.json:
        options.json.write_text(json.dumps({**found, "lines": [asdict(line) for line in lines]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
