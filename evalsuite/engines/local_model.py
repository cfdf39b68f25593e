"""A language model on this machine: where it is, what it is, and its parts, each loaded when first needed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from evalsuite import models
from evalsuite.canonical import content_hash
from evalsuite.engines import compiling, loading, memory
from evalsuite.engines.base import Event
from evalsuite.engines.encoding import Encoder
from evalsuite.engines.flex_kernel import FlexKernel
from evalsuite.errors import ModelUnreadable, UsageError
from evalsuite.types import Scalar

if TYPE_CHECKING:
    import torch

    from evalsuite.engines.self_test import Verdict

GenerationChoice = Literal["auto", "rows", "continuous", "static"]
GENERATION_CHOICES: tuple[GenerationChoice, ...] = get_args(GenerationChoice)
"""`auto`: continuous batching on CUDA where it is the faster, else rows; each falls back to a way that proves right."""

_NO_LIMIT = 10**12
"""Tokenizers without a limit of their own name a number beyond this one."""


@dataclass(frozen=True)
class ModelSettings:
    """What was asked for: a model's name, and how it is to be loaded and to generate.

    `adapter` is a folder or hub name whose weights are merged in, `bits` what bitsandbytes quantises weights to.
    """

    name: str
    revision: str | None
    dtype: str
    device: str
    max_length: int | None
    template_file: str | None
    generation: GenerationChoice = "auto"
    adapter: str | None = None
    bits: loading.Bits | None = None
    is_compiled: bool = False


@dataclass
class LocalModel:
    """The model that `settings` ask for. Raises ModelUnreadable from whichever part cannot be loaded."""

    settings: ModelSettings
    why_not_compiled: str = field(default="", init=False)
    """Known once weights are loaded; empty where they are compiled, or not to be."""
    events: list[Event] = field(default_factory=list, init=False)
    """That weights were loaded, and in how many seconds; whoever notes it takes it out."""

    @cached_property
    def folder(self) -> models.ModelFolder:
        """Where the weights are."""
        return models.locate(self.settings.name, self.settings.revision)

    @cached_property
    def adapter(self) -> models.ModelFolder | None:
        """Where the weights are that are to be merged in, if any."""
        return models.locate_adapter(self.settings.adapter) if self.settings.adapter else None

    @cached_property
    def encoder(self) -> Encoder:
        """The tokenizer with the chat template in force."""
        from transformers import AutoTokenizer

        folder = self.folder
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder.path, trust_remote_code=False)
        except Exception as error:  # a broken tokenizer file raises whatever its parser raises
            raise self._unreadable("the tokenizer cannot be loaded", error) from error
        return Encoder(tokenizer, self._template(tokenizer), is_encoder_decoder=self.is_encoder_decoder)

    def _template(self, tokenizer: Any) -> str | None:
        if self.settings.template_file is None:
            template = tokenizer.chat_template
            return template if isinstance(template, str) else None
        try:
            return Path(self.settings.template_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--chat_template {self.settings.template_file} cannot be read: {error}") from error

    def identity(self) -> Mapping[str, Scalar]:
        """Weights, template, precision, and the libraries that compute."""
        import tokenizers
        import torch
        import transformers

        return {
            "weights": self.folder.digest,
            "source": self.folder.source,
            "dtype": str(self.dtype).removeprefix("torch."),
            "device": self.device_kind,
            "max_length": self.max_length,
            "max_length_from": "user" if self.settings.max_length else "model",
            "chat_template_sha256": content_hash(self.encoder.template or ""),
            "torch": str(torch.__version__),
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
            **self._what_was_added(),
        }

    def _what_was_added(self) -> Mapping[str, Scalar]:
        """The part of the identity that only some runs have."""
        settings = self.settings
        found: dict[str, Scalar] = {}
        if settings.generation != "auto":
            found |= {"generation": settings.generation}
        if self.adapter:
            peft = loading.required_version("peft", "peft", "peft")
            found |= {"adapter": self.adapter.digest, "adapter_source": self.adapter.source, "peft": peft}
        if settings.is_compiled:
            found |= {"compile": True}
        if settings.bits:
            bitsandbytes = loading.required_version("bitsandbytes", f"load_in_{settings.bits}bit", "quantised")
            found |= {"bits": settings.bits, "bitsandbytes": bitsandbytes}
        return found

    def stack(self) -> Mapping[str, Scalar]:
        """Threads and device, which move the last bits and nothing else."""
        import torch

        device = (
            torch.cuda.get_device_name(self.settings.device)
            if self.device_kind == "cuda"
            else torch.backends.cpu.get_cpu_capability()
        )
        fault = {"not_compiled_because": self.why_not_compiled} if self.why_not_compiled else {}
        return {"device": device, "threads": torch.get_num_threads(), **fault}

    @property
    def device_kind(self) -> str:
        """cpu, cuda or mps."""
        return self.settings.device.partition(":")[0]

    @cached_property
    def config(self) -> Any:
        """The model's configuration."""
        from transformers import AutoConfig

        folder = self.folder
        try:
            return AutoConfig.from_pretrained(folder.path, trust_remote_code=False)
        except Exception as error:  # a broken or unknown config raises from many families
            raise self._unreadable("config.json cannot be used", error) from error

    @cached_property
    def max_length(self) -> int:
        """Tokens the model can take: --model_args max_length, else its configuration's, its tokenizer's, or 2048."""
        if self.settings.max_length:
            return self.settings.max_length
        names = ("n_positions", "max_position_embeddings", "n_ctx")
        for config in (self.config.get_text_config(), self.config):  # of a model that sees, too, what counts is inside
            for name in names:
                if isinstance(length := getattr(config, name, None), int):
                    return length
        length = self.encoder.tokenizer.model_max_length
        return length if isinstance(length, int) and length < _NO_LIMIT else 2048

    @cached_property
    def rotation_limit(self) -> int | None:
        """Tokens beyond which transformers rotates a whole pass by its longest row (longrope, dynamic NTK), if any."""
        config = self.config.get_text_config()
        parameters = getattr(config, "rope_parameters", None) or {}
        by_layers = [part for part in parameters.values() if isinstance(part, dict)] or [parameters]
        limits = [
            part.get("original_max_position_embeddings") or config.max_position_embeddings
            for part in by_layers
            if "dynamic" in (kind := str(part.get("rope_type", ""))) or kind == "longrope"
        ]
        return min(limits, default=None)

    @cached_property
    def is_encoder_decoder(self) -> bool:
        """Whether contexts are read by an encoder and answers written by a decoder (T5)."""
        return bool(getattr(self.config, "is_encoder_decoder", False))

    @cached_property
    def dtype(self) -> torch.dtype:
        """The precision asked for; by `auto` bfloat16 on a CPU that computes in it, elsewhere the checkpoint's own."""
        import torch

        if self.settings.dtype != "auto":
            return cast("torch.dtype", getattr(torch, self.settings.dtype))
        if self.device_kind == "cpu":
            return torch.bfloat16 if _has_fast_bfloat16() else torch.float32
        own = getattr(self.config, "dtype", None)
        return own if isinstance(own, torch.dtype) else torch.float32

    @cached_property
    def keeps_rows_apart(self) -> bool:
        """Whether rows may leave the cache between two calls of transformers' `generate`."""
        takes_cache = "past_key_values" in signature(self.model.forward).parameters
        return takes_cache and self.verdict.scoring in ("forest", "cached")

    @cached_property
    def num_parameters(self) -> int:
        """Numbers in the weights, by the headers of their files."""
        return models.count_parameters(self.folder)

    @property
    def key_value_bytes(self) -> int:
        """What the keys and values of one token take."""
        return memory.key_value_bytes(self.config.get_text_config(), self.dtype.itemsize)

    @property
    def token_budget(self) -> int:
        """Tokens a micro-batch may hold; a batch size bounds its rows as well."""
        return memory.token_budget(self.config.get_text_config(), self.dtype.itemsize, self.device_kind)

    @cached_property
    def model(self) -> Any:
        """The weights, loaded. Tensors that no file holds are refused: transformers would draw them at random."""
        from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        adapter, quantised = self.adapter, self._quantised_arguments()
        begun = time.monotonic()
        try:
            auto = AutoModelForSeq2SeqLM if self.is_encoder_decoder else AutoModelForCausalLM
            model, loaded = auto.from_pretrained(
                self.folder.path,
                dtype=self.dtype,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **quantised,
            )
            # quantised weights are where they belong since they were read
            model = (model if quantised else model.to(self.settings.device)).eval()
        except Exception as error:  # safetensors, torch and transformers raise from families of their own
            raise self._unreadable("the weights cannot be loaded", error) from error
        if missing := sorted(loaded["missing_keys"]):
            raise ModelUnreadable(f"{self.settings.name}: {len(missing)} tensors are missing, the first {missing[0]}.")
        model = self._merged(model, adapter) if adapter else model
        # `generate` fills what we leave open from the model's own settings (a repetition penalty, say)
        own = model.generation_config
        model.generation_config = GenerationConfig(
            eos_token_id=own.eos_token_id, decoder_start_token_id=own.decoder_start_token_id
        )
        if self.settings.is_compiled:
            self.why_not_compiled = compiling.compile_parts(model, self.settings.device)
        self.events.append(Event("loaded", {"seconds": round(time.monotonic() - begun, 3)}))
        return model

    def _quantised_arguments(self) -> Mapping[str, Any]:
        """What loading quantised weights takes, nothing for others. An adapter is not merged into them: both would be
        rounded once more."""
        if not loading.is_quantised(self.config, self.settings.bits):
            return {}
        if self.settings.adapter:
            raise ModelUnreadable(
                f"{self.settings.name} is quantised: the adapter {self.settings.adapter} cannot be merged into it "
                "exactly; take weights that are not quantised."
            )
        return loading.quantised_arguments(self.settings.bits, self.dtype, self.settings.device)

    def _merged(self, model: Any, adapter: models.ModelFolder) -> Any:
        try:
            return loading.merged(model, adapter, self.settings.device)
        except Exception as error:  # peft raises from as many families
            raise self._unreadable(f"the adapter {self.settings.adapter} cannot be merged", error) from error

    @cached_property
    def end_tokens(self) -> list[int]:
        """Tokens that end a text: the tokenizer's and the generation config's."""
        named = [self.encoder.tokenizer.eos_token_id, self.model.generation_config.eos_token_id]
        flat = [token for entry in named for token in (entry if isinstance(entry, list) else [entry])]
        return sorted({token for token in flat if token is not None})

    @cached_property
    def flex(self) -> FlexKernel | None:
        """The fused attention of packed forests, on CUDA devices; without it attention goes block by block."""
        return FlexKernel() if self.device_kind == "cuda" else None

    @cached_property
    def verdict(self) -> Verdict:
        """How this model scores and generates, by its self-test."""
        from evalsuite.engines.self_test import examine

        return examine(self)

    def free_memory(self) -> None:
        """Give back what the device's allocator holds without need."""
        import torch

        if self.device_kind == "cuda":
            torch.cuda.empty_cache()

    def memory_held(self) -> Mapping[str, int]:
        """Bytes of the weights as they were loaded and, on a GPU, the most its allocator has held since; empty before.

        A GPU's peak begins anew, so that the next wave has its own.
        """
        import torch

        if "model" not in self.__dict__:
            return {}
        found = {"weights_bytes": int(self.model.get_memory_footprint())}
        if torch.device(self.settings.device).type == "cuda":
            found["peak_device_bytes"] = int(torch.cuda.max_memory_allocated(self.settings.device))
            torch.cuda.reset_peak_memory_stats(self.settings.device)
        return found

    def unload(self) -> None:
        """Let go of the weights."""
        self.__dict__.pop("model", None)

    def _unreadable(self, what: str, error: Exception) -> ModelUnreadable:
        lines = str(error).strip().splitlines() or [""]
        return ModelUnreadable(f"{self.settings.name}: {what}: {type(error).__name__}: {lines[0][:300]}")


def _has_fast_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16 products (AVX512-BF16 or AMX)."""
    import torch

    probes = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(probe is not None and probe() for probe in probes)
