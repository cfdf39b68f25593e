"""How long gates take: 60 gates over 30,000 samples against a baseline in a file, and a suite whose answers are cached.

    python benchmarks/gate.py

The first run is made of the store's own records, with texts as long as real ones, so that reading them is not made
easy. The second is `evalsuite run` on the built-in tasks, gated again with every answer known.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evalsuite.canonical import content_hash
from evalsuite.cli.main import main as evalsuite
from evalsuite.contracts import Task
from evalsuite.metrics import accuracy, right
from evalsuite.records import Counts, ModelSpec, RunResult, RunSpec, SampleRecord, TaskSpec, TaskSummary
from evalsuite.stats.estimates import measure
from evalsuite.store.results import write_results, write_samples
from evalsuite.types import Item, Loglikelihood, LoglikelihoodRequest, Sample, Scored

_ACC = accuracy("acc")
_WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "it",
    "rains",
    "on",
    "the",
    "plain",
]


def make_run(folder: Path, num_tasks: int, num_samples: int, lost: float, seed: int) -> Path:
    """A sealed run of right/wrong tasks; another `seed` and `lost` make a run that differs in some samples."""
    tasks, summaries, estimates, records = [], [], [], []
    for index in range(num_tasks):
        found = _task(f"task_{index:02}", num_samples, lost, seed)
        tasks.append(found[0])
        summaries.append(found[1])
        estimates += found[2]
        records += found[3]
    spec = RunSpec(
        schema=1, model=ModelSpec(name=f"model-{seed}", engine="transformers", identity={"seed": seed}),
        tasks=tuple(tasks), limit=None, limit_mode="stratified", rows={}, seed=1234, system_instruction="",
        multiturn_shots=None, generation={},
    )  # fmt: skip
    total = num_tasks * num_samples
    result = RunResult(
        schema=1, run_id=spec.run_id, spec=spec, status="complete", counts=Counts(requested=total, scored=total),
        estimates=tuple(estimates), aggregates=(), tasks=tuple(summaries), packages={},
    )  # fmt: skip
    path = folder / spec.run_id
    path.mkdir(parents=True)
    write_results(path, result)
    write_samples(path, records)
    return path


def _task(name: str, num_samples: int, lost: float, seed: int) -> tuple[TaskSpec, TaskSummary, list, list]:
    same, other = np.random.default_rng(abs(hash_of(name))), np.random.default_rng(abs(hash_of(f"{name}{seed}")))
    is_right = same.random(num_samples) < 0.6
    flips = other.random(num_samples)
    is_right = np.where(flips < 0.05 + lost, False, np.where(flips > 0.95, True, is_right))
    samples = [
        Sample(id=f"{name}:test:{row}", input=_text(row, 120), language="en", choices=("a", "b", "c", "d"), gold=0)
        for row in range(num_samples)
    ]
    rows = [(sample, Scored(scores=(right("acc", bool(ok)),), answer="a" if ok else "b"))
            for sample, ok in zip(samples, is_right, strict=True)]  # fmt: skip
    task = Task(
        name=name, family=name, version=1, language="en", protocol="p", num_fewshot=0, kind="choice", datasets=(),
        samples=lambda _: (), next_requests=lambda sample, replies: (), score=lambda sample, replies: rows[0][1],
        metrics=(_ACC,),
    )  # fmt: skip
    measured = measure(task, f"model-{seed}", _ACC, rows)
    assert measured is not None
    spec = TaskSpec(
        name=name, family=name, version=1, protocol="p", num_fewshot=0, chat=False, datasets=(),
        sample_ids_hash=content_hash([sample.id for sample in samples]), prompts_hash="same",
        num_samples=num_samples, num_available=num_samples,
    )  # fmt: skip
    summary = TaskSummary(
        task=name, family=name, language="en", protocol="p", flags={}, num_prompt_tokens=0, num_generated_tokens=0,
        counts=Counts(requested=num_samples, scored=num_samples),
    )  # fmt: skip
    records = [SampleRecord(sample=sample, task=name, family=name, items=_items(sample), responses=_replies(),
                            outcome=outcome) for sample, outcome in rows]  # fmt: skip
    return spec, summary, [measured.estimate], records


def hash_of(text: str) -> int:
    return int(content_hash(text)[:12], 16)


def _text(row: int, num_words: int) -> str:
    return " ".join(_WORDS[(row * 7 + index) % len(_WORDS)] for index in range(num_words))


def _items(sample: Sample) -> tuple[Item, ...]:
    requests = [LoglikelihoodRequest(context=sample.input, continuation=f" {choice}") for choice in sample.choices]
    return tuple(Item(id=f"{sample.id}#1.{index}", sample_id=sample.id, wave=1, request=request)
                 for index, request in enumerate(requests))  # fmt: skip


def _replies() -> tuple[Loglikelihood, ...]:
    return (Loglikelihood(sum_nats=-3.0, num_tokens=1, num_chars=2, num_bytes=2, is_greedy=False),) * 4


def timed(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """The medians of so many calls, in seconds by the clock and of this process, which other jobs hardly lengthen."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter(), time.process_time()
        call()
        taken.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    clock, process = (round(statistics.median(column), 2) for column in zip(*taken, strict=True))
    return {"seconds": clock, "cpu_seconds": process}


def quietly(*arguments: object) -> int:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return evalsuite([str(argument) for argument in arguments])


def large(folder: Path, num_tasks: int, num_samples: int, repeats: int) -> dict[str, object]:
    """60 gates over 30,000 samples, baseline in a file."""
    before = make_run(folder / "runs", num_tasks, num_samples, 0.0, 1)
    after = make_run(folder / "runs", num_tasks, num_samples, 0.0, 2)
    baseline, config = folder / "ci.json", folder / "gate.yaml"
    config.write_text("defaults: {max_drop: 2.0pp}\ngates: [{task: '*'}]\n", encoding="utf-8")
    assert quietly("baseline", "set", before, "--reason", "benchmark", "--output", baseline) == 0
    gate = ("gate", config, "--baseline", baseline, "--run", after, "--output", folder / "report")
    assert quietly(*gate) in (0, 1)
    report = json.loads((folder / "report" / "gate.json").read_text())
    packed = json.loads(baseline.read_text())["tasks"].values()
    return {
        "gates": len(report["gates"]),
        "samples": num_tasks * num_samples,
        **timed(lambda: quietly(*gate), repeats),
        "baseline_bytes": baseline.stat().st_size,
        "outcome_characters": sum(len(task["metrics"]["acc"]["counts"]["data"]) for task in packed),
    }


def cached(folder: Path, repeats: int) -> dict[str, object]:
    """A suite on the built-in tasks whose every answer is known, run and gated again."""
    suite, config = folder / "suite.yaml", folder / "gate.yaml"
    suite.write_text(
        f"model: scripted\ntasks: [mini_choice, mini_math]\noutput_path: {folder}/runs\n", encoding="utf-8"
    )
    quietly("run", suite)
    (run,) = (folder / "runs").iterdir()
    config.write_text(
        f"suite: {suite}\nbaseline: {run}\ndefaults: {{max_drop: 5pp}}\ngates: [{{task: '*'}}]\n", encoding="utf-8"
    )
    gate = ("gate", config, "--output", folder / "report")
    assert quietly(*gate) == 0
    report = json.loads((folder / "report" / "gate.json").read_text())
    return {"gates": len(report["gates"]), "samples": 480, **timed(lambda: quietly(*gate), repeats)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for name, measure_it in (("large", lambda at: large(at, 60, 500, options.repeats)),
                             ("cached", lambda at: cached(at, options.repeats))):  # fmt: skip
        with TemporaryDirectory() as folder:
            sys.stdout.write(json.dumps({"case": name, **measure_it(Path(folder))}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
