"""A language model whose weights vLLM loads; tokenizer, template and identity are those of any local model."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from evalsuite.engines.local_model import LocalModel
from evalsuite.errors import ModelUnreadable
from evalsuite.types import Scalar

CPU_CACHE_BYTES = 2**32
"""What keys and values may take on a CPU, where vLLM would take nearly all memory."""


@dataclass(frozen=True)
class Placement:
    """How vLLM is to hold the model; what is None it decides itself.

    `max_rows` requests are under way at once, `is_eager` leaves compiling and CUDA graphs out.
    """

    memory_share: float | None = None
    num_devices: int = 1
    max_rows: int | None = None
    is_eager: bool = False


@dataclass
class VllmModel(LocalModel):
    """The model that `settings` ask for. Raises ModelUnreadable from whichever part cannot be loaded."""

    placement: Placement = Placement()

    def identity(self) -> Mapping[str, Scalar]:
        """Weights, template, precision, and the libraries that compute."""
        import vllm

        return {
            **super().identity(),
            "vllm": str(vllm.__version__),
            "tensor_parallel_size": self.placement.num_devices,
            "enforce_eager": self.placement.is_eager,
        }

    def stack(self) -> Mapping[str, Scalar]:
        """The device, and how continuations of several tokens are scored: from the cache, or with their prompts."""
        scoring = "replay" if self.can_replay else "prompt"
        from vllm.platforms import current_platform

        return {"device": str(current_platform.get_device_name()), "scoring": scoring}

    @property
    def llm(self) -> Any:
        """vLLM with the weights loaded, in processes of its own."""
        return self._loaded[0]

    @property
    def can_replay(self) -> bool:
        """Whether vLLM follows given tokens as if it had generated them; that is known once weights are loaded."""
        return self._loaded[1]

    @cached_property
    def _loaded(self) -> tuple[Any, bool]:
        self._check_kind()
        try:
            return self._opened()
        except Exception as error:  # from many families; what its processes met they say themselves
            raise self._unreadable("vLLM cannot load it", _in_its_own_words(error)) from error

    def _check_kind(self) -> None:
        """Refuse what vLLM cannot compute, or not as it is defined.

        Rotations that depend on a row's length (longrope, dynamic NTK) vLLM chooses once, by the longest row it takes.
        """
        name, limit = self.settings.name, self.rotation_limit
        if self.is_encoder_decoder:
            raise ModelUnreadable(f"{name} is an encoder-decoder model; take --model hf for it.")
        if limit is not None and self.max_length >= limit:
            raise ModelUnreadable(
                f"{name}: rows of {limit} tokens and more are rotated otherwise than shorter ones, which vLLM cannot; "
                f"give --model_args max_length={limit - 1}, or take --model hf."
            )

    def _opened(self) -> tuple[Any, bool]:
        from vllm import LLM

        arguments = self._arguments()
        if knows_replay():
            with suppress(ValueError):  # the older of its two model runners (on CPUs) refuses before it loads anything
                return LLM(**arguments, enable_trace_replay=True), True
        return LLM(**arguments), False

    def _arguments(self) -> dict[str, Any]:
        """What `vllm.LLM` takes: nothing is left to the model's own settings for sampling."""
        place = self.placement
        found: dict[str, Any] = {
            "model": str(self.folder.path),
            "load_format": "safetensors",
            "use_tqdm_on_load": False,
            "dtype": str(self.dtype).removeprefix("torch."),
            # a prompt as long as the context is refused, though the token that comes after it is never read
            "max_model_len": self.max_length + 1,
            "tensor_parallel_size": place.num_devices,
            "enforce_eager": place.is_eager,
            "generation_config": "vllm",
            "logprobs_mode": "raw_logprobs",
            "max_logprobs": -1,
            "seed": 0,
        }
        if place.max_rows is not None:
            found["max_num_seqs"] = place.max_rows
        if place.memory_share is not None:
            found["gpu_memory_utilization"] = place.memory_share
        elif self.device_kind == "cpu":
            found["kv_cache_memory_bytes"] = CPU_CACHE_BYTES
        return found

    @cached_property
    def end_tokens(self) -> list[int]:
        """Tokens that end a text: the tokenizer's and the generation config's, read without the weights."""
        from transformers import GenerationConfig

        try:
            generation = GenerationConfig.from_pretrained(self.folder.path)
        except OSError:  # the folder has none
            generation = GenerationConfig.from_model_config(self.config)
        named = [self.encoder.tokenizer.eos_token_id, generation.eos_token_id]
        flat = [token for entry in named for token in (entry if isinstance(entry, list) else [entry])]
        return sorted({token for token in flat if token is not None})

    def unload(self) -> None:
        """End vLLM's processes."""
        loaded = self.__dict__.pop("_loaded", None)
        if loaded is not None:
            loaded[0].llm_engine.engine_core.shutdown()


def knows_replay() -> bool:
    """Whether the installed vLLM can follow given tokens, if its model runner can."""
    from vllm import EngineArgs, SamplingParams

    has_switch = "enable_trace_replay" in {entry.name for entry in fields(EngineArgs)}
    return has_switch and "trace_decode_token_ids" in SamplingParams.__struct_fields__


def _in_its_own_words(error: Exception) -> Exception:
    """What is wrong with a configuration: the first line of pydantic's errors only counts them."""
    from pydantic import ValidationError

    found = error.errors() if isinstance(error, ValidationError) else []
    return ValueError(found[0]["msg"]) if found else error
