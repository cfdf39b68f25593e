"""What workers by Ray cost and gain: the quick suite in this process, by one worker, by two, and by two being killed.

    python benchmarks/workers.py

Each side is `evalsuite run` as a process of its own with one thread a worker, in turn (A B C A B C ...), medians. The
last side is run once: one of its workers is killed every `--kill_every` seconds, three times. Exits 1 when any side's
sealed files differ from the first's, or one worker takes more than 1.05 times as long as no Ray at all.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import measuring
import psutil

TARGET = 1.05
SEALED = ("results.json", "samples.parquet")
KILLS = 3


def main() -> int:
    """Run all sides, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--config", default="configs/openllm-v1-quick.yaml")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--limit", help="in place of the file's")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kill_every", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = partial(ran, Path(folder), options)
        sides = {"no workers": run, "1 worker": partial(run, "1"), "2 workers": partial(run, "2")}
        found = measuring.interleaved(sides, options.rounds, warm_up=False)
        killed = measuring.timed(partial(run, "2", is_hunted=True))
    times = {name: side.times.median for name, side in found.items()} | {"2 workers, three killed": killed[0]}
    sealed = {name: side.result for name, side in found.items()} | {"2 workers, three killed": killed[1]}
    first = times["no workers"]
    for name, seconds in times.items():
        is_same = "same bytes" if sealed[name] == sealed["no workers"] else "OTHER BYTES"
        print(f"{name:26} {seconds:8.1f} s  {seconds / first:5.3f} of no workers  {is_same}")
    is_same = all(one == sealed["no workers"] for one in sealed.values())
    return int(not is_same or times["1 worker"] > TARGET * first)


def ran(folder: Path, options: argparse.Namespace, workers: str = "", *, is_hunted: bool = False) -> tuple[bytes, ...]:
    """The sealed files of one run."""
    place = Path(tempfile.mkdtemp(dir=folder))
    words = [sys.executable, "-m", "evalsuite.cli.main", "run", options.config, "--model", options.model]
    words += ["--device", "cpu", "-o", str(place), *(["--limit", options.limit] if options.limit else [])]
    words += ["--workers", workers, "--cluster", "local"] if workers else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    if is_hunted:
        threading.Thread(target=hunt, args=(process.pid, options.kill_every), daemon=True).start()
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    (sealed,) = place.glob("*/results.json")
    return tuple((sealed.parent / name).read_bytes() for name in SEALED)


def hunt(pid: int, every: float) -> None:
    """Kill a worker of the run `pid`, three times."""
    for _ in range(KILLS):
        time.sleep(every)
        workers = [
            one for one in psutil.Process(pid).children(recursive=True) if "ray::Worker" in " ".join(one.cmdline())
        ]
        if workers:
            print(f"killed {workers[0].pid} after {every:.0f} s", flush=True)
            workers[0].kill()


if __name__ == "__main__":
    raise SystemExit(main())
