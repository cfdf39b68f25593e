"""What a plan will take of time and memory: from the model's size and what this machine multiplies in a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.engines import memory
from evalsuite.engines.base import Cost
from evalsuite.engines.local_model import LocalModel

if TYPE_CHECKING:
    import torch

_EFFICIENCY = 0.6
"""Of the rate of large products, what a whole model reaches: norms, rotations and attention take the rest."""

_PROBE_SECONDS = 0.2


@dataclass(frozen=True)
class Work:
    """Tokens computed together (prompts and scored rows), tokens generated at most, and how long a row is on average.

    `largest` is the largest micro-batch in tokens, `num_rows` how many rows generate at once.
    """

    num_read: int
    num_generated: int
    mean_length: float
    largest: int
    num_rows: int


@dataclass(frozen=True)
class Rates:
    """What the device does: floating-point operations a second in large products, bytes read a second."""

    flops: float
    bandwidth: float


def cost_of(model: LocalModel, work: Work, rates: Rates) -> Cost:
    """Seconds and bytes for `work`; answers at their caps, so that the time is more often too long than too short."""
    config = model.config.get_text_config()
    layers = int(getattr(config, "num_hidden_layers", 0) or 32)
    width = int(getattr(config, "hidden_size", 0) or getattr(config, "d_model", 0) or 1024)
    a_token = 2 * model.num_parameters + 4 * layers * width * work.mean_length / 2
    reading = work.num_read * a_token / (rates.flops * _EFFICIENCY)
    num_steps = work.num_generated / max(1, work.num_rows)
    weights = model.num_parameters * model.dtype.itemsize
    a_step = max(weights / rates.bandwidth, work.num_rows * a_token / (rates.flops * _EFFICIENCY))
    held = work.num_rows * work.mean_length * model.key_value_bytes if work.num_generated else 0
    activations = work.largest * memory.activation_bytes(config, model.dtype.itemsize)
    return Cost(seconds=reading + num_steps * a_step, num_bytes=int(weights + activations + held))


def measure(device: str, dtype: torch.dtype) -> Rates:
    """The device's rates, in some tenths of a second."""
    import torch

    size = 1024
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    block = torch.zeros(2**26, dtype=torch.uint8, device=device)
    products = _rate(lambda: a @ b, device)
    copies = _rate(block.clone, device)
    return Rates(flops=products * 2 * size**3, bandwidth=copies * block.numel() * 2)


def _rate(work: Callable[[], object], device: str) -> float:
    """How often `work` is done in a second."""
    import torch

    work()
    started, times = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < _PROBE_SECONDS or not times:
        work()
        times += 1
        if device.startswith("cuda"):
            torch.cuda.synchronize()
    return times / elapsed


def mean(lengths: Sequence[int]) -> float:
    """The mean, 0 of none."""
    return sum(lengths) / len(lengths) if lengths else 0.0
