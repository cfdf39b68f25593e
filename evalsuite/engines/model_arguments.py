"""The in-process engine that a command line asks for: model arguments checked, a device found."""

from __future__ import annotations

import os

from evalsuite.engines import loading
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.local_model import GENERATION_CHOICES, LocalModel, ModelSettings
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.errors import ModelUnreadable, UsageError

_DTYPES = ("auto", "float32", "bfloat16", "float16")
_ARGS = {
    "pretrained", "revision", "dtype", "max_length", "generation", "peft", "load_in_8bit", "load_in_4bit", "compile",
}  # fmt: skip


_ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    # torch returns large blocks to Linux and faults them in again at every operation: a third of the time of large
    # micro-batches where pages have 4 KiB; with pages of 2 MiB, where the kernel gives them, far less
    "THP_MEM_ALLOC_ENABLE": "1",
}
"""What the libraries read from the environment when they are first used, where the user has not said otherwise."""


def open_engine(options: EngineOptions) -> TransformersEngine:
    """The engine of ``--model hf`` or of a model's name. Raises UsageError for arguments it does not take."""
    args = dict(options.args)
    if unknown := set(args) - _ARGS:
        raise UsageError(
            f"--model_args: unknown {sorted(unknown)[0]!r}; transformers takes {', '.join(sorted(_ARGS))}."
        )
    dtype = str(args.get("dtype", "auto"))
    if dtype not in _DTYPES:
        raise UsageError(f"--model_args dtype={dtype}: expected one of {', '.join(_DTYPES)}.")
    name = str(args.get("pretrained", options.model))
    if name in ("hf", "transformers"):
        raise UsageError(f"--model {name} needs --model_args pretrained=NAME.")
    generation = next((choice for choice in GENERATION_CHOICES if choice == args.get("generation", "auto")), None)
    if generation is None:
        raise UsageError(
            f"--model_args generation={args['generation']}: expected rows (rows that come and go), continuous "
            "(transformers' continuous batching; sampled answers by rows), static (fixed batches), or auto, which is "
            "continuous on CUDA with FlashAttention and rows elsewhere."
        )
    max_length = args.get("max_length")
    if max_length is not None and (type(max_length) is not int or max_length < 1):
        raise UsageError(f"--model_args max_length={max_length}: expected a whole number of tokens.")
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    settings = ModelSettings(
        name=name,
        revision=str(args["revision"]) if "revision" in args else None,
        dtype=dtype,
        device=_device(options.device),
        max_length=max_length,
        template_file=options.chat_template,
        generation=generation,
        adapter=loading.asked_adapter(args),
        bits=loading.asked_bits(args),
        is_compiled=loading.is_true(args, "compile"),
    )
    if options.is_deterministic:
        _be_deterministic()
    return TransformersEngine(LocalModel(settings), options.batch_size, is_deterministic=options.is_deterministic)


def _be_deterministic() -> None:
    """Ask the libraries for the algorithms whose sums have one order; CUDA's read their variable when they load."""
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)


def _device(wanted: str | None) -> str:
    """The device to compute on. Raises ModelUnreadable without torch, UsageError for a device that is not here."""
    try:
        import torch
    except ImportError as error:
        raise ModelUnreadable(
            "torch is not installed; `pip install 'evalsuite[transformers]'` brings what local models need."
        ) from error
    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:  # an unknown name, or a torch built without it
        raise UsageError(f"--device {wanted}: {str(error).splitlines()[0]}") from error
    return wanted
