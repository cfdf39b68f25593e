"""What every benchmark needs: interleaved timing, medians with their spread, the machine in words, tables and JSON.

Sides are timed in turn (A B A B ...), so that whatever else slows the machine slows both; the first turn of each warms
up caches and allocators and is not counted. Seconds are wall-clock seconds.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")

PACKAGES = ("evalsuite", "torch", "transformers", "tokenizers", "lm_eval", "numpy")
"""Packages whose versions can move a figure."""


@dataclass(frozen=True)
class Times:
    """The seconds of one side's counted turns, in order."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds of the middle turn."""
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """How far apart the slowest and the quickest turn are, as a share of the median; 0 for one turn."""
        return (max(self.seconds) - min(self.seconds)) / self.median

    def __str__(self) -> str:
        return f"{self.median:.2f} s ±{self.spread / 2:.0%}"


@dataclass(frozen=True)
class Measured:
    """What was measured of one side, and what its last turn returned."""

    times: Times
    result: Any


def timed(function: Callable[[], T]) -> tuple[float, T]:
    """Seconds that `function` takes, and what it returns. Garbage of what ran before is collected first."""
    gc.collect()
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def interleaved(sides: Mapping[str, Callable[[], Any]], rounds: int, *, warm_up: bool = True) -> dict[str, Measured]:
    """Every side in turn, `rounds` times, after one turn each that is not counted unless `warm_up` is false."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    results: dict[str, Any] = {}
    for turn in range(rounds + warm_up):
        for name, side in sides.items():
            taken, results[name] = timed(side)
            if turn >= warm_up:
                seconds[name].append(taken)
    return {name: Measured(Times(tuple(seconds[name])), results[name]) for name in sides}


def machine() -> dict[str, Any]:
    """Processor, cores, threads and versions, and how busy the machine is: 0 to 1 before a benchmark is quiet."""
    import torch

    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "torch_threads": torch.get_num_threads(),
        "load_average_1_minute": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: found for name in PACKAGES if (found := installed_version(name))},
    }


def installed_version(name: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def machine_line(found: Mapping[str, Any]) -> str:
    """The machine as one line of text."""
    return "; ".join(f"{key} {value}" for key, value in found.items())


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows with the same keys as a Markdown table; floats with three significant digits."""
    if not rows:
        return ""
    heads = list(rows[0])
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines.extend(f"| {' | '.join(_shown(row[head]) for head in heads)} |" for row in rows)
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def json_line(value: Mapping[str, object]) -> str:
    """`value` as one line of JSON, floats with six significant digits."""
    return json.dumps(_rounded(value), allow_nan=False)


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.6g}")
        case Mapping():
            return {key: _rounded(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_rounded(entry) for entry in value]
        case _:
            return value
