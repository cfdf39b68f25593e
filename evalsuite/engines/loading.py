"""Weights that are not plain: quantised when they are loaded or before, and those an adapter is merged into."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.errors import ModelUnreadable, UsageError
from evalsuite.models import ModelFolder
from evalsuite.types import Scalar

if TYPE_CHECKING:
    import torch

Bits = Literal[4, 8]


def asked_adapter(args: Mapping[str, Scalar]) -> str | None:
    """The adapter that model arguments name. Raises ModelUnreadable without the package that reads it."""
    if "peft" not in args:
        return None
    required_version("peft", "peft", "peft")
    return str(args["peft"])


def asked_bits(args: Mapping[str, Scalar]) -> Bits | None:
    """What weights are to be quantised to. Raises ModelUnreadable without bitsandbytes, else UsageError."""
    widths: tuple[Bits, ...] = (4, 8)
    asked = [bits for bits in widths if is_true(args, f"load_in_{bits}bit")]
    if not asked:
        return None
    if len(asked) > 1:
        raise UsageError("--model_args load_in_4bit and load_in_8bit: expected at most one of them.")
    if "peft" in args:
        raise UsageError(f"--model_args peft cannot be merged exactly into weights of {asked[0]} bits; leave one out.")
    required_version("bitsandbytes", f"load_in_{asked[0]}bit", "quantised")
    return asked[0]


def is_true(args: Mapping[str, Scalar], name: str) -> bool:
    """A model argument that is off unless given. Raises UsageError for what is neither true nor false."""
    value = args.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"--model_args {name}={value}: expected true or false.")
    return value


def required_version(distribution: str, argument: str, extra: str) -> str:
    """The version of what `argument` needs. Raises ModelUnreadable where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError as error:
        raise ModelUnreadable(
            f"--model_args {argument}: {distribution} is not installed; `pip install 'evalsuite[{extra}]'` brings it."
        ) from error


def is_quantised(config: Any, bits: Bits | None) -> bool:
    """Whether weights are or will be quantised: by `bits` asked for, or in the files themselves (GPTQ, AWQ)."""
    return bits is not None or getattr(config, "quantization_config", None) is not None


def quantised_arguments(bits: Bits | None, dtype: torch.dtype, device: str) -> Mapping[str, Any]:
    """What `from_pretrained` takes beside the usual: quantised weights are laid out on the device as they are read."""
    if bits is None:
        return {"device_map": {"": device}}
    from transformers import BitsAndBytesConfig

    asked = {"load_in_4bit": True, "bnb_4bit_compute_dtype": dtype} if bits == 4 else {"load_in_8bit": True}
    return {"device_map": {"": device}, "quantization_config": BitsAndBytesConfig(**asked)}


def merged(model: Any, adapter: ModelFolder, device: str) -> Any:
    """`model` with the adapter's weights added to its own, in its own precision: as fast and exact as a plain model.

    Raises ValueError where the adapter's tensors are not those its configuration asks for on this model, or cannot be
    merged (soft prompts).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what peft still uses of transformers is between those two
        return _merged(model, adapter, device)


def _merged(model: Any, adapter: ModelFolder, device: str) -> Any:
    from peft import PeftConfig, get_peft_model

    adapted = get_peft_model(model, PeftConfig.from_pretrained(str(adapter.path)))
    if not hasattr(adapted.base_model, "merge_and_unload"):
        raise ValueError(f"an adapter of type {adapted.peft_config['default'].peft_type.value} cannot be merged")
    loaded = adapted.load_adapter(str(adapter.path), "default", torch_device=device)
    for what, keys in (("missing", loaded.missing_keys), ("no place in this model", loaded.unexpected_keys)):
        if keys:
            raise ValueError(f"{len(keys)} of the adapter's tensors: {what}, the first {sorted(keys)[0]}")
    return adapted.merge_and_unload(safe_merge=True).eval()
