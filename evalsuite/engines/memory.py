"""What computing takes of a device's memory, and noticing that it does not suffice.

Budgets follow from the model's configuration and the kind of device, never from what happens to be free, so that the
same command plans the same micro-batches everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ACTIVATION_BYTES = {"cpu": 2**31, "cuda": 2**33, "mps": 2**31}
"""What the activations of a micro-batch may take, by kind of device."""

MAX_TOKENS = {"cpu": 2**15, "cuda": 2**16, "mps": 2**14}
"""Tokens beyond which a larger micro-batch gains nothing: prefixes repeated in the next cost at most 2 % (MMLU)."""

MAX_LOGITS = 2**28
"""Logits computed together: 1 GiB in float32."""

_MIN_TOKENS = 2**10
_CPU_MESSAGE = "can't allocate memory"
"""How torch reports on a CPU what has a type of its own on a GPU."""


def token_budget(config: Any, item_bytes: int, device_kind: str) -> int:
    """Tokens a micro-batch may hold: a power of two, for a model of `config` whose numbers take `item_bytes`."""
    allowed = ACTIVATION_BYTES.get(device_kind, 2**31) // activation_bytes(config, item_bytes)
    power_of_two = 1 << max(0, allowed.bit_length() - 1)
    return min(MAX_TOKENS.get(device_kind, 2**14), max(_MIN_TOKENS, power_of_two))


def activation_bytes(config: Any, item_bytes: int) -> int:
    """Activations of one token within a layer: some six vectors of the hidden width and three of the inner one."""
    width = int(getattr(config, "hidden_size", 0) or getattr(config, "d_model", 0) or 1024)
    inner = getattr(config, "intermediate_size", None) or getattr(config, "ffn_dim", None) or 4 * width
    return item_bytes * (6 * width + 3 * int(inner if isinstance(inner, int) else max(inner)))


def key_value_bytes(config: Any, item_bytes: int) -> int:
    """What the keys and values of one token take in all layers, as attention reads them.

    A model that makes them of latents (DeepSeek's MLA) has keys of two parts; transformers' own cache keeps the latents
    only, ours what is made of them.
    """
    heads = int(getattr(config, "num_attention_heads", 0) or 16)
    shared = int(getattr(config, "num_key_value_heads", 0) or heads)
    parts = [int(getattr(config, name, 0) or 0) for name in ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")]
    if all(parts):
        width = sum(parts)
    else:
        width = 2 * int(getattr(config, "head_dim", 0) or (getattr(config, "hidden_size", 0) or 1024) // heads)
    return int(getattr(config, "num_hidden_layers", 0) or 32) * shared * width * item_bytes


@contextmanager
def shortage_ignored() -> Iterator[None]:
    """Leave the block quietly when memory does not suffice; the error and the tensors it holds are gone afterwards."""
    import torch

    try:
        yield
    except (torch.OutOfMemoryError, MemoryError):
        pass
    except RuntimeError as error:
        if _CPU_MESSAGE not in str(error):
            raise


_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"
"""What Linux takes for: the peak of the resident set is what it is now (proc(5), clear_refs)."""


def restart_peak() -> bool:
    """Let the process's peak memory begin anew, so that a run's is not that of what ran before it; False if refused."""
    try:
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def peak_resident_bytes() -> int | None:
    """The most memory the process has held since `restart_peak`, libraries included; None where no one counts."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", (_PROCESS / "status").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
