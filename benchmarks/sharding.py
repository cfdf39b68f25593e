"""SIMULATION of the Open LLM six on many GPUs: no GPU is used, and every second of one is an assumption.

    python benchmarks/sharding.py --data_dir MIRROR --json sharding.json
    python benchmarks/sharding.py --data_dir MIRROR --limit 40          # a minute, to see that it runs

Real are the requests (all six tasks in full, SmolLM2's tokenizer), the plan (of an 8-billion Llama on CUDA), how it is
cut and handed out (`evalsuite.engines.sharding`), and what this machine's CPU takes: preparing and planning, a worker's
encoding of its batches, the driver's journal, and Ray's hand-over where Ray is installed. Assumed is what a GPU takes
(`llama_prices`): a roofline of an H200. How far the results hang on it is shown.

Answers to GSM8K have the lengths of the gold answers, up to the cap, which is all that the planner knows.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean

import flops
import measuring
import slices
from sharding_model import Driver, Outcome, Prices, Size, simulate, size_of
from transformers import LlamaConfig

from evalsuite.answering import Committer, answer_batches
from evalsuite.config import RunConfig
from evalsuite.engines import forest_scorer
from evalsuite.engines.base import Batch
from evalsuite.engines.encoded_requests import EncodedRequests, is_generation
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.sharding import longest_first
from evalsuite.engines.transformers import KEY_VALUE_BYTES, TransformersEngine
from evalsuite.prepare import prepare
from evalsuite.run import Quiet
from evalsuite.store.journal import Journal, JournalWriter
from evalsuite.types import Item, Loglikelihood, Response

TASKS = ("arc_challenge", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")
SHOTS = {"arc_challenge": 25, "hellaswag": 10, "mmlu": 5, "winogrande": 5, "gsm8k": 5}
TOKENIZER = "smollm2-135m"
LLAMA_8B = LlamaConfig(
    hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8,
    vocab_size=128256, max_position_embeddings=8192, tie_word_embeddings=False,
)  # fmt: skip
WORKERS = (1, 8, 64, 512)
TARGETS = {64: 0.03, 512: 0.15}
START_S = 45.0
"""Assumed: from the beginning of a worker's process until its weights are there and its self-test is done."""


# -- the real plan


@dataclass(frozen=True)
class Work:
    """The requests of a run as an engine on CUDA plans them, and how many tokens each answer has."""

    engine: TransformersEngine
    plan: tuple[Batch, ...]
    lengths: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    prepare_s: float
    plan_s: float

    def sizes(self, batches: Iterable[Batch]) -> dict[int, Size]:
        """What each batch takes, by its index."""
        held = KEY_VALUE_BYTES["cuda"] // self.engine.model.key_value_bytes
        rows = self.engine._num_rows
        return {batch.index: size_of(batch, self.engine.requests, self.lengths, rows, held) for batch in batches}


def engine_for_cuda() -> TransformersEngine:
    """An engine that plans for an 8-billion Llama on CUDA, with SmolLM2's tokenizer. It cannot compute."""
    import torch

    settings = ModelSettings(TOKENIZER, None, "bfloat16", "cuda", LLAMA_8B.max_position_embeddings, None)
    model = LocalModel(settings)
    assert model.encoder
    model.__dict__.update(config=LLAMA_8B, dtype=torch.bfloat16)
    return TransformersEngine(model)


def real_work(mirror: Path, limit: int | None) -> Work:
    """The six tasks, prepared and planned."""
    started = time.perf_counter()
    run = prepare(
        RunConfig(
            model=TOKENIZER, tasks=TASKS, protocol="lm-eval-0.4", num_fewshot=SHOTS, limit=limit, device="cpu",
            data_dir=str(mirror),
        )
    )  # fmt: skip
    items = slices.items_of(run)
    prepared = time.perf_counter()
    engine = engine_for_cuda()
    plan = engine.plan(items)
    planned = time.perf_counter()
    tokenizer = engine.model.encoder.tokenizer
    gold = {sample.id: sample.target for entry in run.tasks for sample in entry.samples}
    generated = [item for batch in plan if is_generation(batch) for item in batch.items]
    lengths = {
        item.id: len(tokenizer(" " + gold[item.sample_id], add_special_tokens=False).input_ids) for item in generated
    }
    return Work(engine, plan, lengths, _counts(items), prepared - started, planned - prepared)


def _counts(items: Sequence[Item]) -> dict[str, dict[str, int]]:
    """Samples and requests by family."""
    found: dict[str, tuple[set[str], list[str]]] = {}
    for item in items:
        task = item.sample_id.partition(":")[0]
        family = "mmlu" if task.startswith("mmlu_") else task
        samples, requests = found.setdefault(family, (set(), []))
        samples.add(item.sample_id)
        requests.append(item.id)
    return {family: {"samples": len(a), "requests": len(b)} for family, (a, b) in found.items()}


# -- what this machine's CPU takes, measured


class Instant:
    """Answers at once, so that what is timed is the run's own part."""

    name = "instant"
    is_batch_atomic = True

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        answer = Loglikelihood(sum_nats=-123.456789, is_greedy=False, num_chars=80, num_bytes=80, num_tokens=20)
        yield from ((item.id, answer) for batch in batches for item in batch.items)

    def take_events(self) -> tuple[()]:
        return ()


def driver_seconds(batches: Sequence[Batch]) -> float:
    """Admitting, journaling (each batch synced to disk) and counting the answers to `batches`."""
    with tempfile.TemporaryDirectory() as folder:
        writer = JournalWriter(Path(folder), "run", 1, {})
        committer = Committer(Instant(), 1, writer, Journal(), Quiet(), lambda *_, **__: None, None)
        started = time.perf_counter()
        answer_batches(committer, batches, lambda: False)
        elapsed = time.perf_counter() - started
        writer.close()
    return elapsed


def measured_driver(coarse: Sequence[Batch], fine: Sequence[Batch]) -> Driver:
    """What an answer and a batch cost, from two plans of the same requests, at the best of three; and Ray's part."""
    few, many = (min(driver_seconds(batches) for _ in range(3)) for batches in (coarse, fine))
    commit = max(0.0, (many - few) / max(1, len(fine) - len(coarse)))
    items = sum(len(batch.items) for batch in coarse)
    return Driver(ray_seconds(fine), commit, max(0.0, few - commit * len(coarse)) / items)


class Echo:
    """A worker that answers at once."""

    def answer(self, batch: Batch) -> list[tuple[str, Response]]:
        return list(Instant().run([batch]))


def ray_seconds(batches: Sequence[Batch]) -> float:
    """Of the driver, for a batch sent to one of two workers and its answers brought back; 0 without Ray."""
    try:
        import ray
    except ImportError:
        return 0.0
    chosen = batches[:: max(1, len(batches) // 200)]
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        actors = [ray.remote(Echo).options(num_cpus=1).remote() for _ in range(2)]
        ray.get([actor.answer.remote(batches[-1]) for actor in actors])
        driver = time.process_time()
        for place in range(0, len(chosen), 2):
            ray.get([actor.answer.remote(one) for actor, one in zip(actors, chosen[place : place + 2], strict=False)])
        return (time.process_time() - driver) / len(chosen)
    finally:
        ray.shutdown()


def encoding_seconds(work: Work, batches: Sequence[Batch]) -> float:
    """A worker's CPU for each token of its rows, before the model computes: it is sent texts, one batch at a time."""
    scored = [batch for batch in batches if not is_generation(batch)]
    seconds = tokens = 0.0
    for batch in scored[:: max(1, len(scored) // 20)]:
        started = time.perf_counter()
        requests = EncodedRequests(work.engine.model)
        requests.encode_all([item.request for item in batch.items])
        pairs = [requests.pair(item.request) for item in batch.items]
        forest_scorer.plan(pairs)
        seconds += time.perf_counter() - started
        tokens += sum(len(pair.row) for pair in pairs)
    return seconds / tokens


# -- the simulation


@dataclass(frozen=True)
class Rule:
    """A way to use the workers: which batches there are, and in which order they go out."""

    name: str
    is_finer: bool
    is_longest_first: bool


AS_PLANNED = Rule("in plan order", is_finer=False, is_longest_first=False)
LONGEST = Rule("longest first", is_finer=False, is_longest_first=True)
FINER = Rule("finer, longest first", is_finer=True, is_longest_first=True)


@dataclass(frozen=True)
class Cut:
    """A plan for so many workers, in the order in which it is handed out, and what each batch takes."""

    num_workers: int
    rule: Rule
    batches: tuple[Batch, ...]
    sizes: tuple[Size, ...]

    def outcome(self, prices: Prices, driver: Driver) -> Outcome:
        found = [(size.seconds(prices), size.items) for size in self.sizes]
        return simulate(found, self.num_workers, driver)

    def repeated(self, whole: Cut) -> float:
        """Tokens that are read more than once because documents part, as a share of the whole plan's."""
        return sum(size.tokens for size in self.sizes) / sum(size.tokens for size in whole.sizes) - 1


def cut(work: Work, plan: Sequence[Batch], num_workers: int, rule: Rule) -> Cut:
    batches = work.engine.finer(plan, num_workers) if rule.is_finer else tuple(plan)
    sizes = work.sizes(batches)
    if rule.is_longest_first:
        batches = tuple(longest_first(batches, work.engine.work))
    return Cut(num_workers, rule, batches, tuple(sizes[batch.index] for batch in batches))


def llama_prices(token_s: float) -> Prices:
    """An H200 over the 8-billion Llama: the rates of products and of memory that one is taken to have, 85 % reached."""
    shape = flops.shape_of(LLAMA_8B)
    kv = 2 * LLAMA_8B.num_hidden_layers * LLAMA_8B.num_key_value_heads * 128 * 2
    return Prices(shape.body, shape.head, shape.pair_flops, 2 * (shape.body + shape.head), kv, token_s=token_s)


def line(found: Cut, whole: Cut, prices: Prices, driver: Driver) -> dict[str, object]:
    """A row: of the work alone, without start-up."""
    alone = whole.outcome(prices, Driver()).end
    outcome = found.outcome(prices, driver)
    return {
        "workers": found.num_workers,
        "rule": found.rule.name,
        "batches": len(found.batches),
        "repeated": f"{found.repeated(whole):.2%}",
        "busy, mean": f"{fmean(outcome.busy):.2f} s",
        "busy, most": f"{max(outcome.busy):.2f} s",
        "imbalance": f"{outcome.imbalance:.1%}",
        "end": f"{outcome.end:.2f} s",
        "efficiency": f"{alone / (found.num_workers * outcome.end):.0%}",
    }


def whole_run(found: Cut, whole: Cut, prices: Prices, driver: Driver, prepare_s: float) -> dict[str, object]:
    """A row: of the whole command, whose workers begin while it prepares; one process does one after the other."""
    end = found.outcome(prices, driver).end
    alone = whole.outcome(prices, Driver()).end
    before = max(prepare_s, START_S) if found.num_workers > 1 else prepare_s + START_S
    total = before + end
    return {
        "workers": found.num_workers,
        "preparing": f"{prepare_s:.0f} s",
        "start-up": f"{START_S:.0f} s",
        "computing": f"{end:.1f} s",
        "whole": f"{total:.0f} s",
        "share before the first batch": f"{1 - end / total:.0%}",
        "efficiency": f"{alone / (found.num_workers * total):.1%}",
    }


def sensitivity(work: Work, cuts: Mapping[int, Cut], whole: Cut, prices: Prices) -> list[dict[str, object]]:
    """Imbalance, end and efficiency when what is assumed is wrong, the plan being the same; no driver."""
    step = prices.weight_bytes / (prices.bandwidth * prices.efficiency)
    cases: dict[str, Prices] = {
        "as assumed": prices,
        "reading half as fast": replace(prices, flops=prices.flops / 2),
        "reading twice as fast": replace(prices, flops=prices.flops * 2),
        "memory half as fast": replace(prices, bandwidth=prices.bandwidth / 2),
        "no pass under 8 ms": replace(prices, forward_s=0.008),
        "no pass under 28 ms (launched one by one)": replace(prices, forward_s=0.028),
        "batches cost nothing besides": replace(prices, batch_s=0.0),
        "batches cost 50 ms besides": replace(prices, batch_s=0.05),
        "workers sent token ids": replace(prices, token_s=0.0),
    }
    rows = [
        _sensitive(f"{name}; a step of {step * 1e3:.1f} ms" if name == "as assumed" else name, case, cuts, whole)
        for name, case in cases.items()
    ]
    for name, lengths in {
        "every answer at its cap": dict.fromkeys(work.lengths, 10**6),
        "answers half as long": {key: max(1, value // 2) for key, value in work.lengths.items()},
    }.items():
        other = replace(work, lengths=lengths)
        again = {num: _resized(other, found) for num, found in cuts.items()}
        rows.append(_sensitive(name, prices, again, _resized(other, whole)))
    return rows


def _resized(work: Work, found: Cut) -> Cut:
    generated = work.sizes(batch for batch in found.batches if is_generation(batch))
    sizes = (
        generated.get(batch.index, size) if is_generation(batch) else size
        for batch, size in zip(found.batches, found.sizes, strict=True)
    )
    return replace(found, sizes=tuple(sizes))


def _sensitive(name: str, prices: Prices, cuts: Mapping[int, Cut], whole: Cut) -> dict[str, object]:
    row: dict[str, object] = {"assumed": name}
    alone = whole.outcome(prices, Driver()).end
    for num_workers, found in cuts.items():
        outcome = found.outcome(prices, Driver())
        row[f"imbalance, {num_workers}"] = f"{outcome.imbalance:.1%}"
        row[f"end, {num_workers}"] = f"{outcome.end:.2f} s"
        row[f"efficiency, {num_workers}"] = f"{alone / (num_workers * outcome.end):.0%}"
    return row


def main() -> None:
    parser = slices.parser(__doc__)
    parser.add_argument("--limit", type=int, help="samples a task family, to see that it runs")
    parser.add_argument("--json", type=Path, help="write all figures there too")
    options = parser.parse_args()
    work = real_work(options.data_dir, options.limit)
    scored = [batch for batch in work.plan if not is_generation(batch)]
    whole = cut(work, work.plan, 1, AS_PLANNED)
    cuts = {
        (num, rule): cut(work, work.plan, num, rule) for num in WORKERS[1:] for rule in (AS_PLANNED, LONGEST, FINER)
    }
    started = time.perf_counter()
    finest = work.engine.finer(work.plan, WORKERS[-1])
    cut_s = time.perf_counter() - started
    driver = measured_driver(scored, [batch for batch in finest if not is_generation(batch)])
    prices = llama_prices(encoding_seconds(work, finest))
    alone = line(whole, whole, prices, driver)
    scored_whole = cut(work, scored, 1, AS_PLANNED)
    tables = {
        "all six tasks": [alone, *(line(found, whole, prices, driver) for found in cuts.values())],
        "the same with a driver that takes no time": [
            line(found, whole, prices, Driver()) for (_, rule), found in cuts.items() if rule is FINER
        ],
        "the five log-likelihood tasks, no time of the driver": [
            line(cut(work, scored, num, rule), scored_whole, prices, Driver())
            for num in WORKERS[1:]
            for rule in (AS_PLANNED, FINER)
        ],
        "the whole command": [
            whole_run(found, whole, prices, driver, work.prepare_s + work.plan_s)
            for (_, rule), found in [((1, FINER), whole), *cuts.items()]
            if rule is FINER
        ],
        "if the assumptions are wrong": sensitivity(
            work, {num: cuts[num, FINER] for num in WORKERS[1:]}, whole, prices
        ),
    }
    facts = {
        "counts": work.counts, "prices": asdict(prices), "driver": asdict(driver), "start_s": START_S,
        "prepare_s": work.prepare_s, "plan_s": work.plan_s, "cut_s": cut_s, "machine": measuring.machine(),
    }  # fmt: skip
    print("SIMULATION: no GPU was used\n")
    for name, value in facts.items():
        print(f"{name}: {measuring.json_line(value) if isinstance(value, Mapping) else value}")
    for name, rows in tables.items():
        print(f"\nSIMULATED: {name}\n\n{measuring.table(rows)}")
    if options.json:
        options.json.write_text(json.dumps({"simulation": True, **facts, "tables": tables}, indent=1), encoding="utf-8")
    for num, most in TARGETS.items():
        found = cuts[num, FINER].outcome(prices, Driver()).imbalance
        verdict = "met" if found < most else "MISSED"
        print(f"\nSIMULATED imbalance at {num} workers {found:.1%}, asked for under {most:.0%}: {verdict}")


if __name__ == "__main__":
    main()
