"""Forward passes in their plain form: log-likelihoods of rows, and static batches of generation.

Log-likelihoods: right-padded rows, float32 log-softmax over the continuation's positions only, one row for requests
that share all the model reads. Generation: left-padded, each row stopped by its own stop strings and cap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from evalsuite.engines.encoding import EncodedPair, EncodedPrompt
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Loglikelihood, Response

if TYPE_CHECKING:
    import torch

_MAX_TOKENS_A_CHARACTER = 4
NONFINITE = Failure(cause=Cause.NONFINITE_LOGITS, detail="the model's logits are NaN or infinite")
NO_TOKENS = Failure(cause=Cause.ENGINE_ERROR, detail="the continuation has no token to score")


def score(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    """The log-likelihood of each pair's continuation, in order; all pairs go through the model together."""
    import torch

    rows = list(dict.fromkeys(pair.row for pair in pairs))
    longest = max(map(len, rows))
    keep = 1 + longest - min(len(pair.context) for pair in pairs)
    device = model.settings.device
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    mask = (torch.arange(longest, device=device)[None, :] < lengths[:, None]).long()
    with torch.inference_mode():
        logits = model.model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=keep).logits
        places = {row: index for index, row in enumerate(rows)}
        offset = longest - logits.shape[1]
        return [_loglikelihood(logits[places[pair.row]], pair, offset) for pair in pairs]


def _loglikelihood(logits: torch.Tensor, pair: EncodedPair, offset: int) -> Response:
    """Score `pair` from its row's logits, of which the first `offset` positions were not computed."""
    import torch

    if not pair.continuation:
        return NO_TOKENS
    first = len(pair.context) - 1 - offset
    rows = logits[first : first + len(pair.continuation)].float()
    targets = torch.tensor(pair.continuation, device=logits.device)
    picked = torch.log_softmax(rows, dim=-1).gather(1, targets[:, None])[:, 0]
    total = float(picked.double().sum())
    if not math.isfinite(total):
        return NONFINITE
    return Loglikelihood(
        sum_nats=total,
        num_tokens=len(pair.continuation),
        num_chars=len(pair.text),
        num_bytes=len(pair.text.encode("utf-8", "replace")),
        is_greedy=bool((rows.argmax(dim=-1) == targets).all()),
        num_truncated=pair.num_truncated,
    )


def generate(
    model: LocalModel, requests: Sequence[GenerateRequest], prompts: Sequence[EncodedPrompt]
) -> list[Response]:
    """The completion of each request after its prompt, in order. Sampling settings and seed are the first request's."""
    import torch
    from transformers import LogitsProcessorList, StoppingCriteriaList

    longest = max(len(prompt.ids) for prompt in prompts)
    pad = model.encoder.pad_token
    device = model.settings.device
    ids = torch.tensor([[*[pad] * (longest - len(prompt.ids)), *prompt.ids] for prompt in prompts], device=device)
    lengths = torch.tensor([len(prompt.ids) for prompt in prompts], device=device)
    mask = (torch.arange(longest, device=device)[None, :] >= longest - lengths[:, None]).long()
    watch = _FiniteWatch(len(requests), device)
    stopper = _RowStopper(model.encoder.tokenizer, requests, longest, watch)
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(requests[0].seed)
        output = model.model.generate(
            input_ids=ids,
            attention_mask=mask,
            logits_processor=LogitsProcessorList([watch]),
            stopping_criteria=StoppingCriteriaList([stopper]),
            generation_config=_generation_config(model, requests, pad),
        )
    texts = [row[:length] for row, length in zip(output[:, longest:].tolist(), stopper.lengths, strict=True)]
    return [
        NONFINITE if is_broken else _completion(model, request, prompt, tokens)
        for request, prompt, tokens, is_broken in zip(requests, prompts, texts, watch.is_broken.tolist(), strict=True)
    ]


def _generation_config(model: LocalModel, requests: Sequence[GenerateRequest], pad: int) -> Any:
    """Greedy, or sampled as asked; of the model's own generation_config.json only its end tokens count."""
    from transformers import GenerationConfig

    first = requests[0]
    always = {
        "max_new_tokens": max(request.max_tokens for request in requests),
        "eos_token_id": model.end_tokens,
        "pad_token_id": pad,
    }
    if not first.temperature:
        return GenerationConfig(do_sample=False, **always)
    return GenerationConfig(do_sample=True, temperature=first.temperature, top_p=first.top_p, top_k=0, **always)


def _completion(model: LocalModel, request: GenerateRequest, prompt: EncodedPrompt, tokens: list[int]) -> Completion:
    end = next((index for index, token in enumerate(tokens) if token in model.end_tokens), None)
    kept = tokens if end is None else tokens[:end]
    decode = partial(model.encoder.tokenizer.decode, skip_special_tokens=True)
    has_stopped = first_stop(decode(kept), request.stop) is not None
    text = decode(kept[prompt.num_lost :])
    if end is None:
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")  # the cap may fall inside a character of several tokens
    stop = first_stop(text, request.stop)
    return Completion(
        text=text if stop is None else text[:stop],
        stop_reason="stop" if has_stopped else "length" if end is None else "end",
        num_prompt_tokens=len(prompt.ids),
        num_tokens=len(kept),
        num_truncated=prompt.num_truncated,
    )


class _FiniteWatch:
    """Notes the rows whose logits turn NaN or infinite: whatever is picked from those means nothing."""

    def __init__(self, num_rows: int, device: str) -> None:
        import torch

        self.is_broken = torch.zeros(num_rows, dtype=torch.bool, device=device)

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        broken = ~scores.amax(dim=-1).isfinite()
        self.is_broken |= broken
        return scores.masked_fill(broken[:, None], 0.0)


class _RowStopper:
    """Marks each row done once its own stop string appears or its own cap is reached; the others go on.

    `lengths` are the rows' own numbers of tokens: what follows only fills the batch up.
    """

    def __init__(
        self, tokenizer: Any, requests: Sequence[GenerateRequest], prompt_length: int, watch: _FiniteWatch
    ) -> None:
        self._tokenizer = tokenizer
        self._requests = requests
        self._prompt_length = prompt_length
        self._watch = watch
        self.lengths: list[int | None] = [None] * len(requests)

    def __call__(self, ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        import torch

        rows = ids[:, self._prompt_length :].tolist()
        for index, (request, row) in enumerate(zip(self._requests, rows, strict=True)):
            if self.lengths[index] is None and self._is_done(request, row):
                self.lengths[index] = len(row)
        done = torch.tensor([length is not None for length in self.lengths], device=ids.device)
        return done | self._watch.is_broken

    def _is_done(self, request: GenerateRequest, row: list[int]) -> bool:
        if len(row) >= request.max_tokens:
            return True
        if not request.stop:
            return False
        window = _MAX_TOKENS_A_CHARACTER * max(map(len, request.stop)) + 8
        text = self._tokenizer.decode(row[-window:], skip_special_tokens=True)
        return first_stop(text, request.stop) is not None


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the earliest stop string begins in `text`, or None."""
    places = [place for place in (text.find(string) for string in stop if string) if place >= 0]
    return min(places, default=None)
