"""The vLLM engine: our token ids, vLLM's schedule.

Weights load when a run's stack is first asked for, in processes of vLLM's own; planning needs the tokenizer only. Rows
to score are planned in lexicographic order, requests to generate by their caps and then likewise, so that what they
share is cached when it is wanted again. What is under way together influences the last bits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec

from evalsuite.engines import loading, rolling, vllm_asking
from evalsuite.engines.base import Batch, EngineOptions
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.in_process import InProcess
from evalsuite.engines.local_model import ModelSettings
from evalsuite.engines.vllm_model import Placement, VllmModel
from evalsuite.errors import UsageError
from evalsuite.types import GenerateRequest, Item, Request, Response, Scalar

_DTYPES = ("auto", "float32", "bfloat16", "float16")
_ARGS = {
    "pretrained", "revision", "dtype", "max_length", "gpu_memory_utilization", "tensor_parallel_size", "enforce_eager",
}  # fmt: skip

_ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",  # by the one position that is counted but never read
}
"""What vLLM reads from the environment, where the user has not said otherwise."""

BATCH_ROWS = {"cpu": 64, "cuda": 2048}
"""Requests of a batch: enough to keep vLLM busy while its last ones end, few enough to lose to a kill."""

BATCH_TOKENS = {"cpu": 2**15, "cuda": 2**20}
"""Tokens of a batch's rows to score: scored with its prompt, each token leaves some 250 bytes until the batch ends."""

_LEAST_TEMPERATURE = 0.01
"""vLLM raises what is above 0 and below this to it."""

_USUAL_ROWS = 256
"""Requests that vLLM has under way at once when no batch size is given, for the forecast."""


class VllmEngine(InProcess[VllmModel]):
    """Plans by shared beginnings, and hands vLLM batch after batch."""

    name = "vllm"

    def stack(self) -> Mapping[str, Scalar]:
        """Device, and how log-likelihoods are computed: known only once weights are loaded, it moves last bits."""
        return self.model.stack()

    def take_events(self) -> tuple[()]:
        """Nothing happens here that belongs to no answer."""
        return ()

    def close(self) -> None:
        """End vLLM's processes."""
        self.model.unload()

    # -- planning

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """Log-likelihoods by shared prefixes, then generation, the longest answers first. Raises UsageError."""
        scored = [item for item in items if not isinstance(item.request, GenerateRequest)]
        self.requests.encode_all([item.request for item in scored])
        scored.sort(key=lambda item: (self.requests.pair(item.request).row, item.id))
        generated = sorted((item for item in items if isinstance(item.request, GenerateRequest)), key=self._rank)
        _check_temperatures([item.request for item in generated])
        kind = self.model.device_kind
        groups = [*self._groups(scored, BATCH_TOKENS.get(kind, 2**15)), *self._groups(generated, None)]
        return tuple(
            Batch(index, tuple(group), self.count_tokens([item.request for item in group]))
            for index, group in enumerate(groups)
        )

    def _rank(self, item: Item) -> tuple[int, tuple[int, ...], str]:
        assert isinstance(item.request, GenerateRequest)
        return -item.request.max_tokens, self.requests.prompt(item.request).ids, item.id

    def _groups(self, items: Sequence[Item], max_tokens: int | None) -> Iterator[list[Item]]:
        """The items in order, in groups of so many requests and tokens at most, or of one."""
        max_rows = BATCH_ROWS.get(self.model.device_kind, 64)
        group: list[Item] = []
        num_tokens = 0
        for item in items:
            more = self.requests.num_tokens(item.request)
            is_full = len(group) == max_rows or (max_tokens is not None and num_tokens + more > max_tokens)
            if group and is_full:
                yield group
                group, num_tokens = [], 0
            group.append(item)
            num_tokens += more
        if group:
            yield group

    @property
    def _num_rows(self) -> int:
        """Requests that vLLM has under way at once; it itself takes what memory it may."""
        return self._batch_size or _USUAL_ROWS

    # -- answering

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """The response to every item, each batch by itself. Raises EngineFailed when vLLM breaks off."""
        for batch in batches:
            yield from self._run_items(batch.items)

    def _run_items(self, items: Sequence[Item]) -> Iterator[tuple[str, Response]]:
        generated: dict[str, GenerateRequest] = {}
        scored: dict[str, Request] = {}
        for item in items:
            if answer := self.requests.without_model(item.request):
                yield item.id, answer
            elif isinstance(item.request, GenerateRequest):
                generated[item.id] = item.request
            elif self.requests.is_windowed(item.request):
                parts = self._scores(self.requests.windows(item.request))
                yield item.id, rolling.joined(self.requests.pair(item.request), parts)
            else:
                scored[item.id] = item.request
        if scored:
            answers = self._scores([self.requests.pair(request) for request in scored.values()])
            yield from zip(scored, answers, strict=True)
        if generated:
            prompts = [self.requests.prompt(request) for request in generated.values()]
            yield from zip(generated, vllm_asking.generate(self.model, list(generated.values()), prompts), strict=True)

    def _scores(self, pairs: Sequence[EncodedPair]) -> list[Response]:
        return vllm_asking.score(self.model.llm, pairs, replays=self.model.can_replay)


def _check_temperatures(requests: Sequence[Request]) -> None:
    """Raises UsageError for what vLLM would sample at another temperature than asked, and only say so in its log."""
    for request in requests:
        if isinstance(request, GenerateRequest) and 0 < request.temperature < _LEAST_TEMPERATURE:
            raise UsageError(
                f"temperature {request.temperature:g}: vLLM samples at {_LEAST_TEMPERATURE:g} or above; 0 is greedy."
            )


def open_engine(options: EngineOptions) -> VllmEngine:
    """The engine of ``--model vllm``. Raises UsageError for arguments it does not take, or without vLLM."""
    args = options.args
    if unknown := sorted(set(args) - _ARGS):
        raise UsageError(f"--model_args: unknown {unknown[0]!r}; vllm takes {', '.join(sorted(_ARGS))}.")
    if "pretrained" not in args:
        raise UsageError("--model vllm needs --model_args pretrained=NAME.")
    dtype = str(args.get("dtype", "auto"))
    if dtype not in _DTYPES:
        raise UsageError(f"--model_args dtype={dtype}: expected one of {', '.join(_DTYPES)}.")
    max_length = _whole_number(args, "max_length")
    placement = Placement(
        memory_share=_memory_share(args),
        num_devices=_whole_number(args, "tensor_parallel_size") or 1,
        max_rows=options.batch_size,
        is_eager=loading.is_true(args, "enforce_eager"),
    )
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    settings = ModelSettings(
        name=str(args["pretrained"]),
        revision=str(args["revision"]) if "revision" in args else None,
        dtype=dtype,
        device=_device(options.device),
        max_length=max_length,
        template_file=options.chat_template,
    )
    if options.is_deterministic:
        _be_deterministic(settings.device)
    model = VllmModel(settings, placement)
    return VllmEngine(model, options.batch_size, is_deterministic=options.is_deterministic)


def _whole_number(args: Mapping[str, Scalar], name: str) -> int | None:
    value = args.get(name)
    if value is not None and (type(value) is not int or value < 1):
        raise UsageError(f"--model_args {name}={value}: expected a whole number, 1 or more.")
    return value


def _memory_share(args: Mapping[str, Scalar]) -> float | None:
    value = args.get("gpu_memory_utilization")
    if value is None:
        return None
    if isinstance(value, str | bool) or not 0 < value <= 1:
        raise UsageError(f"--model_args gpu_memory_utilization={value}: expected a share above 0, 1 at most.")
    return float(value)


def _device(wanted: str | None) -> str:
    """The kind of device that vLLM was built for. Raises UsageError without vLLM, or when another one is wanted."""
    if find_spec("vllm") is None:
        raise UsageError("--model vllm: vLLM is not installed; `pip install 'evalsuite[vllm]'` brings it.")
    from vllm.platforms import current_platform

    kind = str(current_platform.device_type)
    if wanted not in (None, kind):
        raise UsageError(
            f"--device {wanted}: the vLLM installed here computes on {kind}; CUDA_VISIBLE_DEVICES chooses among many."
        )
    return kind


def _be_deterministic(device: str) -> None:
    """Ask for kernels whose sums do not depend on company. Raises UsageError where vLLM has none."""
    if device != "cuda":
        raise UsageError(
            f"--deterministic: on {device} vLLM's sums depend on what it computes together; take --model hf."
        )
    os.environ["VLLM_BATCH_INVARIANT"] = "1"
