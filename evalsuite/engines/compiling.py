"""Fusing the parts of a model that are many small operations: norms and feed-forward layers, by torch's compiler.

Attention has kernels of its own. Compiling takes half a minute and moves the last bits, so it is asked for and not a
default: it pays for runs of many minutes.
"""

from __future__ import annotations

from typing import Any

_PARTS = ("MLP", "Norm")
"""What names of such layers end with."""


def compile_parts(model: Any, device: str) -> str:
    """Have the parts of a transformers `model` compiled for any number of tokens; why that was not done, or nothing."""
    import torch

    if model.config.is_encoder_decoder:
        return "it has an encoder and a decoder"
    parts = [module for module in model.modules() if type(module).__name__.endswith(_PARTS)]
    if not parts:
        return "it has no layer that is known to gain"
    for part in parts:
        part.compile(dynamic=True)
    try:
        with torch.inference_mode():
            for length in (8, 9):  # sizes count as any number from the second one on
                model(input_ids=torch.zeros((1, length), dtype=torch.long, device=device), use_cache=False)
    except Exception as error:  # no compiler, or one that fails: from many families
        for part in parts:
            part._compiled_call_impl = None
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    return ""
