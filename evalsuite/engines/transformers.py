"""The in-process engine in its plain form: transformers, one row a request, batches sorted by length.

Log-likelihoods: joint tokenisation, float32 log-softmax over the continuation's positions only, requests that share a
context and ask one token share a row. Generation: left-padded static batches, each row stopped by our own stop strings.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite import models
from evalsuite.engines.base import Batch, EngineOptions, TokenCount
from evalsuite.engines.encoding import EncodedPair, Encoder
from evalsuite.errors import ModelUnreadable, UsageError
from evalsuite.types import (
    Cause,
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Request,
    Response,
    RollingRequest,
    Scalar,
    content_hash,
)

if TYPE_CHECKING:
    import torch

AUTO_TOKENS = {"cpu": 4096, "cuda": 65536, "mps": 8192}
"""Tokens a batch may hold when no batch size is given, by device: fixed, so that results do not depend on free memory."""

AUTO_ROWS = {"cpu": 8, "cuda": 64, "mps": 16}
"""Rows a generation batch may hold when no batch size is given."""

_DTYPES = ("float32", "bfloat16", "float16")
_ARGS = {"pretrained", "revision", "dtype", "max_length"}


@dataclass(frozen=True)
class _Settings:
    name: str
    revision: str | None
    dtype: str
    device: str
    batch_size: int | None
    max_length: int | None
    template_file: str | None


@dataclass
class TransformersEngine:
    """A causal language model and its tokenizer. The tokenizer loads when first needed, the weights at the first run."""

    settings: _Settings
    name: str = "transformers"
    is_batch_atomic: bool = True
    _pairs: dict[str, EncodedPair] = field(default_factory=dict)

    # -- what it is

    @cached_property
    def folder(self) -> models.ModelFolder:
        """Where the weights are."""
        return models.locate(self.settings.name, self.settings.revision)

    @cached_property
    def encoder(self) -> Encoder:
        """The tokenizer with the chat template in force."""
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.folder.path, trust_remote_code=False)
        except Exception as error:  # a broken tokenizer file raises whatever its parser raises
            raise ModelUnreadable(f"{self.settings.name}: the tokenizer cannot be loaded: {_one_line(error)}") from error
        return Encoder(tokenizer, self._template(tokenizer))

    def _template(self, tokenizer: Any) -> str | None:
        if self.settings.template_file is None:
            template = tokenizer.chat_template
            return template if isinstance(template, str) else None
        try:
            return Path(self.settings.template_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--chat_template {self.settings.template_file} cannot be read: {error}") from error

    @property
    def has_chat_template(self) -> bool:
        """Whether conversations can be rendered."""
        return self.encoder.template is not None

    def identity(self) -> Mapping[str, Scalar]:
        """Weights, template, precision and batch policy."""
        import torch
        import transformers

        return {
            "weights": self.folder.digest,
            "source": self.folder.source,
            "dtype": self.settings.dtype,
            "device": self._device_kind,
            "batch_size": self.settings.batch_size or "auto",
            "max_length": self.max_length,
            "chat_template_sha256": content_hash(self.encoder.template or ""),
            "torch": str(torch.__version__),
            "transformers": transformers.__version__,
        }

    def stack(self) -> Mapping[str, Scalar]:
        """Threads and device, which move the last bits and nothing else."""
        import torch

        device = torch.cuda.get_device_name() if self._device_kind == "cuda" else torch.backends.cpu.get_cpu_capability()
        return {"device": device, "threads": torch.get_num_threads()}

    @property
    def _device_kind(self) -> str:
        return self.settings.device.partition(":")[0]

    @cached_property
    def config(self) -> Any:
        """The model's configuration."""
        from transformers import AutoConfig

        try:
            return AutoConfig.from_pretrained(self.folder.path, trust_remote_code=False)
        except Exception as error:  # a broken or unknown config raises from many families
            raise ModelUnreadable(f"{self.settings.name}: config.json cannot be used: {_one_line(error)}") from error

    @cached_property
    def max_length(self) -> int:
        """Tokens the model can take: --model_args max_length, else what its configuration says, else 2048."""
        if self.settings.max_length:
            return self.settings.max_length
        for name in ("n_positions", "max_position_embeddings", "n_ctx"):
            if isinstance(length := getattr(self.config, name, None), int):
                return length
        return 2048

    @cached_property
    def model(self) -> Any:
        """The weights, loaded."""
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            model = AutoModelForCausalLM.from_pretrained(
                self.folder.path,
                dtype=getattr(torch, self.settings.dtype),
                use_safetensors=True,
                trust_remote_code=False,
            )
            return model.to(self.settings.device).eval()
        except Exception as error:  # safetensors, torch and transformers raise from families of their own
            raise ModelUnreadable(f"{self.settings.name}: the weights cannot be loaded: {_one_line(error)}") from error

    # -- planning

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """Log-likelihoods longest first, then greedy generation, then sampled generation one at a time."""
        scored = [item for item in items if isinstance(item.request, LoglikelihoodRequest | RollingRequest)]
        greedy = [item for item in items if isinstance(item.request, GenerateRequest) and not item.request.temperature]
        sampled = [item for item in items if isinstance(item.request, GenerateRequest) and item.request.temperature]
        groups = [*self._scoring_groups(scored), *self._generation_groups(greedy), *([item] for item in sampled)]
        return tuple(
            Batch(index, tuple(group), self.count_tokens([item.request for item in group]).planned)
            for index, group in enumerate(groups)
        )

    def _scoring_groups(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        def order(item: Item) -> tuple[int, tuple[int, ...], str]:
            pair = self._pair(item.request)
            return -len(pair.context) - len(pair.continuation), pair.context, item.id

        group: list[Item] = []
        rows: set[tuple[int, ...]] = set()
        longest = 0
        for item in sorted(items, key=order):
            row = _row(self._pair(item.request))
            longest = longest or len(row)
            if group and row not in rows and not self._fits(len(rows) + 1, longest, self.settings.batch_size):
                yield group
                group, rows, longest = [], set(), len(row)
            group.append(item)
            rows.add(row)
        if group:
            yield group

    def _generation_groups(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        def order(item: Item) -> tuple[int, int, str]:
            assert isinstance(item.request, GenerateRequest)
            return -item.request.max_tokens, -len(self.encoder.encode_prompt(item.request)), item.id

        size = self.settings.batch_size or AUTO_ROWS.get(self._device_kind, 8)
        ordered = sorted(items, key=order)
        for start in range(0, len(ordered), size):
            yield ordered[start : start + size]

    def _fits(self, num_rows: int, longest: int, batch_size: int | None) -> bool:
        if batch_size is not None:
            return num_rows <= batch_size
        return num_rows * longest <= AUTO_TOKENS.get(self._device_kind, 4096)

    def count_tokens(self, requests: Sequence[Request]) -> TokenCount:
        """Prompt tokens and, for generation, the cap; rows that one-token grouping shares are planned once."""
        naive = 0
        rows: set[tuple[int, ...]] = set()
        generated = 0
        for request in requests:
            if isinstance(request, GenerateRequest):
                generated += len(self.encoder.encode_prompt(request)) + request.max_tokens
            else:
                row = _row(self._pair(request))
                naive += len(row)
                rows.add(row)
        return TokenCount(naive=naive + generated, planned=sum(map(len, rows)) + generated)

    def _pair(self, request: Request) -> EncodedPair:
        key = request.key
        if key not in self._pairs:
            self._pairs[key] = self._encode_pair(request)
        return self._pairs[key]

    def _encode_pair(self, request: Request) -> EncodedPair:
        match request:
            case LoglikelihoodRequest():
                return self.encoder.encode_pair(request)
            case RollingRequest():
                return self.encoder.encode_pair(LoglikelihoodRequest(context="", continuation=request.text))
            case GenerateRequest():
                raise TypeError("a request to generate has no continuation")

    def render(self, request: Request) -> str:
        """The text exactly as the tokenizer reads it."""
        match request:
            case GenerateRequest():
                return self.encoder.render(request.prompt)
            case LoglikelihoodRequest():
                return self.encoder.render(request.context) + request.continuation
            case RollingRequest():
                return request.text

    # -- answering

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """The response to every item. A batch that does not fit into memory is halved until it does."""
        for batch in batches:
            yield from self._run_items(list(batch.items))

    def _run_items(self, items: list[Item]) -> Iterator[tuple[str, Response]]:
        import torch

        fitting = [item for item in items if not (failure := self._too_long(item.request))]
        for item in items:
            if failure := self._too_long(item.request):
                yield item.id, failure
        if not fitting:
            return
        try:
            answers = self._answer(fitting)
        except (torch.OutOfMemoryError, MemoryError):
            yield from self._run_halves(fitting)
            return
        yield from zip((item.id for item in fitting), answers, strict=True)

    def _run_halves(self, items: list[Item]) -> Iterator[tuple[str, Response]]:
        if len(items) == 1:
            yield items[0].id, Failure(cause=Cause.OUT_OF_MEMORY, detail="alone in its batch")
            return
        middle = len(items) // 2
        yield from self._run_items(items[:middle])
        yield from self._run_items(items[middle:])

    def _too_long(self, request: Request) -> Failure | None:
        if isinstance(request, GenerateRequest):
            num_tokens = len(self.encoder.encode_prompt(request)) + request.max_tokens
            what = f"prompt and {request.max_tokens} new tokens"
        else:
            num_tokens, what = len(_row(self._pair(request))), "prompt"
        if num_tokens <= self.max_length:
            return None
        return Failure(
            cause=Cause.CONTEXT_TOO_LONG, detail=f"{what}: {num_tokens} tokens; the model takes {self.max_length}"
        )

    def _answer(self, items: list[Item]) -> list[Response]:
        if isinstance(items[0].request, GenerateRequest):
            return self._generate([item.request for item in items if isinstance(item.request, GenerateRequest)])
        return self._score([item.request for item in items])

    def _score(self, requests: list[Request]) -> list[Response]:
        import torch

        pairs = [self._pair(request) for request in requests]
        rows = list(dict.fromkeys(_row(pair) for pair in pairs))
        longest = max(map(len, rows))
        keep = 1 + longest - min(len(pair.context) for pair in pairs)
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=self.settings.device)
        lengths = torch.tensor([len(row) for row in rows], device=self.settings.device)
        mask = (torch.arange(longest, device=self.settings.device)[None, :] < lengths[:, None]).long()
        with torch.inference_mode():
            logits = self.model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=keep).logits
            places = {row: index for index, row in enumerate(rows)}
            offset = longest - logits.shape[1]
            return [
                _loglikelihood(logits[places[_row(pair)]], pair, offset, request)
                for pair, request in zip(pairs, requests, strict=True)
            ]

    def _generate(self, requests: list[GenerateRequest]) -> list[Response]:
        import torch
        from transformers import StoppingCriteriaList

        prompts = [self.encoder.encode_prompt(request) for request in requests]
        longest = max(map(len, prompts))
        pad = self.encoder.tokenizer.pad_token_id
        pad = self.encoder.start_token if pad is None else pad
        device = self.settings.device
        ids = torch.tensor([[*[pad] * (longest - len(prompt)), *prompt] for prompt in prompts], device=device)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        mask = (torch.arange(longest, device=device)[None, :] >= longest - lengths[:, None]).long()
        stopper = _RowStopper(self.encoder.tokenizer, requests, longest)
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(requests[0].seed)
            output = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max(request.max_tokens for request in requests),
                pad_token_id=pad,
                stopping_criteria=StoppingCriteriaList([stopper]),
                generation_config=self._generation_config(requests[0]),
            )
        texts = output[:, longest:].tolist()
        return [
            self._completion(request, len(prompt), tokens)
            for request, prompt, tokens in zip(requests, prompts, texts, strict=True)
        ]

    def _generation_config(self, request: GenerateRequest) -> Any:
        """Greedy, or sampled as asked: nothing of what the model's own generation_config.json would add but its ends."""
        from transformers import GenerationConfig

        ends = self._end_tokens
        if not request.temperature:
            return GenerationConfig(do_sample=False, eos_token_id=ends)
        return GenerationConfig(
            do_sample=True, temperature=request.temperature, top_p=request.top_p, top_k=0, eos_token_id=ends
        )

    @cached_property
    def _end_tokens(self) -> list[int]:
        named = [self.encoder.tokenizer.eos_token_id, self.model.generation_config.eos_token_id]
        flat = [token for entry in named for token in (entry if isinstance(entry, list) else [entry])]
        return sorted({token for token in flat if token is not None})

    def _completion(self, request: GenerateRequest, num_prompt_tokens: int, tokens: list[int]) -> Response:
        tokens = tokens[: request.max_tokens]
        end = next((index for index, token in enumerate(tokens) if token in self._end_tokens), None)
        kept = tokens if end is None else tokens[:end]
        text = self.encoder.tokenizer.decode(kept, skip_special_tokens=True)
        cut = first_stop(text, request.stop)
        if cut is not None:
            return Completion(
                text=text[:cut], stop_reason="stop", num_prompt_tokens=num_prompt_tokens, num_tokens=len(kept)
            )
        return Completion(
            text=text,
            stop_reason="length" if end is None else "end",
            num_prompt_tokens=num_prompt_tokens,
            num_tokens=len(kept),
        )

    def close(self) -> None:
        """Let go of the weights."""
        self.__dict__.pop("model", None)


class _RowStopper:
    """Marks each row done once its own stop string appears or its own cap is reached; the others go on."""

    def __init__(self, tokenizer: Any, requests: list[GenerateRequest], prompt_length: int) -> None:
        self._tokenizer = tokenizer
        self._requests = requests
        self._prompt_length = prompt_length

    def __call__(self, ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        import torch

        rows = ids[:, self._prompt_length :].tolist()
        done = [self._is_done(request, row) for request, row in zip(self._requests, rows, strict=True)]
        return torch.tensor(done, device=ids.device)

    def _is_done(self, request: GenerateRequest, row: list[int]) -> bool:
        if len(row) >= request.max_tokens:
            return True
        if not request.stop:
            return False
        window = max(map(len, request.stop)) + 8
        text = self._tokenizer.decode(row[-window:], skip_special_tokens=True)
        return first_stop(text, request.stop) is not None


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the earliest stop string begins in `text`, or None."""
    places = [place for place in (text.find(string) for string in stop if string) if place >= 0]
    return min(places, default=None)


def _row(pair: EncodedPair) -> tuple[int, ...]:
    """What the model reads: all but the last token, whose successor nobody asks for."""
    return (*pair.context, *pair.continuation[:-1])


def _loglikelihood(logits: torch.Tensor, pair: EncodedPair, offset: int, request: Request) -> Response:
    """Score `pair` from its row's logits, of which the first `offset` positions were not computed."""
    import torch

    first = len(pair.context) - 1 - offset
    rows = logits[first : first + len(pair.continuation)].float()
    targets = torch.tensor(pair.continuation, device=logits.device)
    picked = torch.log_softmax(rows, dim=-1).gather(1, targets[:, None])[:, 0]
    total = float(picked.double().sum())
    if not math.isfinite(total) or not bool(torch.isfinite(rows).any(dim=-1).all()):
        return Failure(cause=Cause.NONFINITE_LOGITS, detail="the model's logits are NaN or infinite")
    text = request.continuation if isinstance(request, LoglikelihoodRequest) else request.text  # type: ignore[union-attr]
    return Loglikelihood(
        sum_nats=total,
        num_tokens=len(pair.continuation),
        num_chars=len(text),
        num_bytes=len(text.encode("utf-8", "replace")),
        is_greedy=bool((rows.argmax(dim=-1) == targets).all()),
    )


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{type(error).__name__}: {lines[0][:300]}"


def open_engine(options: EngineOptions) -> TransformersEngine:
    """The engine of ``--model hf`` or of a model's name. Raises UsageError for arguments it does not take."""
    args = dict(options.args)
    if unknown := set(args) - _ARGS:
        raise UsageError(f"--model_args: unknown {sorted(unknown)[0]!r}; transformers takes {', '.join(sorted(_ARGS))}.")
    dtype = str(args.get("dtype", "float32"))
    if dtype not in _DTYPES:
        raise UsageError(f"--model_args dtype={dtype}: expected one of {', '.join(_DTYPES)}.")
    name = str(args.get("pretrained", options.model))
    if name in ("hf", "transformers"):
        raise UsageError(f"--model {name} needs --model_args pretrained=NAME.")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return TransformersEngine(
        _Settings(
            name=name,
            revision=str(args["revision"]) if "revision" in args else None,
            dtype=dtype,
            device=options.device or _default_device(),
            batch_size=options.batch_size,
            max_length=int(args["max_length"]) if "max_length" in args else None,
            template_file=options.chat_template,
        )
    )


def _default_device() -> str:
    try:
        import torch
    except ImportError as error:
        raise ModelUnreadable(
            "torch is not installed; `pip install 'evalsuite[transformers]'` brings what local models need."
        ) from error
    return "cuda" if torch.cuda.is_available() else "cpu"
