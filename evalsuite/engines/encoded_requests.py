"""Requests as token ids, each encoded once: what they cost, and whether they fit into the model's context."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalsuite.engines import planner, rolling
from evalsuite.engines.base import Batch
from evalsuite.engines.batch_encoding import encode_pairs
from evalsuite.engines.encoding import EncodedPair, EncodedPrompt
from evalsuite.engines.forecast import Work, mean
from evalsuite.engines.forest import Tokens
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import (
    Cause,
    Failure,
    GenerateRequest,
    Loglikelihood,
    LoglikelihoodRequest,
    Request,
    Response,
    RollingRequest,
)  # fmt: skip


class EncodedRequests:
    """The requests of a run as `model` reads them."""

    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self._pairs: dict[Request, EncodedPair] = {}
        self._prompts: dict[GenerateRequest, EncodedPrompt] = {}
        self._contexts: dict[tuple[int, ...], Tokens] = {}

    def prompt(self, request: GenerateRequest) -> EncodedPrompt:
        """The prompt of a request to generate, cut where its encoding says so."""
        if request not in self._prompts:
            self._prompts[request] = self._model.encoder.encode_prompt(request, self._model.max_length)
        return self._prompts[request]

    def pair(self, request: Request) -> EncodedPair:
        """Context and continuation of a request to score. Raises TypeError for one to generate."""
        if request not in self._pairs:
            self._pairs[request] = self._encode(request)
        return self._pairs[request]

    def row(self, request: Request) -> Tokens:
        """What the model reads of a request to score; each distinct context becomes an array once."""
        pair = self.pair(request)
        context = self._contexts.get(pair.context)
        if context is None:
            context = self._contexts[pair.context] = np.array(pair.context, dtype=np.int32)
        return np.concatenate((context, np.array(pair.continuation[:-1], dtype=np.int32)))

    def encode_all(self, requests: Sequence[Request]) -> None:
        """Encode many requests to score at once, which is much quicker than one by one."""
        wanted = [r for r in requests if isinstance(r, LoglikelihoodRequest) and r not in self._pairs]
        for request, pair in zip(wanted, encode_pairs(self._model.encoder, wanted), strict=True):
            self._pairs[request] = self._fitted(request, pair)

    def _encode(self, request: Request) -> EncodedPair:
        match request:
            case LoglikelihoodRequest():
                return self._fitted(request, self._model.encoder.encode_pair(request))
            case RollingRequest():
                return self._model.encoder.encode_pair(LoglikelihoodRequest(context="", continuation=request.text))
            case GenerateRequest():
                raise TypeError("a request to generate has no continuation")

    def _fitted(self, request: LoglikelihoodRequest, pair: EncodedPair) -> EncodedPair:
        if request.encoding.overflow == "error":
            return pair
        return pair.fitted(self._model.max_length, is_apart=self._model.is_encoder_decoder)

    def num_tokens(self, request: Request) -> int:
        """What must fit into the model's context at once; an encoder and a decoder have one each."""
        if isinstance(request, GenerateRequest):
            parts = len(self.prompt(request).ids), request.max_tokens
        else:
            pair = self.pair(request)
            parts = len(pair.context), max(0, len(pair.continuation) - (not self._model.is_encoder_decoder))
        return max(parts) if self._model.is_encoder_decoder else sum(parts)

    def overflow(self, request: Request) -> int:
        """By how many tokens `request` exceeds the model's context; a text that is scored in windows never does."""
        return 0 if self.is_windowed(request) else self._excess(request)

    def _excess(self, request: Request) -> int:
        return max(0, self.num_tokens(request) - self._model.max_length)

    def is_windowed(self, request: Request) -> bool:
        """Whether `request` asks for a text that is longer than the model's context: see `rolling`."""
        is_rolling = isinstance(request, RollingRequest) and not self._model.is_encoder_decoder
        return is_rolling and self._excess(request) > 0

    def windows(self, request: Request) -> list[EncodedPair]:
        """The parts of a windowed request, each of which fits."""
        return list(rolling.windows(self.pair(request), self._model.max_length))

    def without_model(self, request: Request) -> Response | None:
        """The answer where no model is needed: why `request` cannot be answered, or that a text is empty.

        The log-likelihood of no token is 0, as in lm-eval; only a choice without tokens cannot be weighed.
        """
        if isinstance(request, RollingRequest) and not self.pair(request).continuation:
            return Loglikelihood(
                sum_nats=0.0, num_tokens=0, num_chars=len(request.text),
                num_bytes=len(request.text.encode("utf-8", "replace")), is_greedy=True,
            )  # fmt: skip
        return self._too_long(request)

    def _too_long(self, request: Request) -> Failure | None:
        if not self.overflow(request):
            return None
        what = f"prompt and {request.max_tokens} new tokens" if isinstance(request, GenerateRequest) else "prompt"
        detail = f"{what}: {self.num_tokens(request)} tokens; the model takes {self._model.max_length}"
        return Failure(cause=Cause.CONTEXT_TOO_LONG, detail=detail)

    def count(self, requests: Sequence[Request]) -> int:
        """Prompt tokens and, for generation, the cap; every distinct prefix of scored rows counts once."""
        rows = [self.row(request) for request in self._scored(requests)]
        return planner.num_forest_tokens(rows) + self._num_generated(requests)

    def count_naive(self, requests: Sequence[Request]) -> int:
        """Tokens of one row a request."""
        pairs = [self.pair(request) for request in self._scored(requests)]
        return sum(pair.num_read for pair in pairs) + self._num_generated(requests)

    def _scored(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Those to score, encoded."""
        scored = [request for request in requests if not isinstance(request, GenerateRequest)]
        self.encode_all(scored)
        return scored

    def _num_generated(self, requests: Sequence[Request]) -> int:
        return sum(
            len(self.prompt(request).ids) + request.max_tokens
            for request in requests
            if isinstance(request, GenerateRequest)
        )

    def work(self, batches: Sequence[Batch], num_rows: int) -> Work:
        """What `batches` are to compute, when at most `num_rows` answers are under way at once."""
        requests = [item.request for batch in batches for item in batch.items]
        generated = [request for request in requests if isinstance(request, GenerateRequest)]
        scoring = [batch.num_tokens for batch in batches if not is_generation(batch)]
        return Work(
            num_read=sum(scoring) + sum(len(self.prompt(request).ids) for request in generated),
            num_generated=sum(request.max_tokens for request in generated),
            mean_length=mean([self.num_tokens(request) for request in requests]),
            largest=max(scoring, default=self._model.token_budget),
            num_rows=min(num_rows, max(1, len(generated))),
        )

    def render(self, request: Request) -> str:
        """The text exactly as the tokenizer reads it."""
        match request:
            case GenerateRequest():
                return self._model.encoder.render(request.prompt)
            case LoglikelihoodRequest():
                return self._model.encoder.render(request.context) + request.continuation
            case RollingRequest():
                return request.text


def is_generation(batch: Batch) -> bool:
    """Whether `batch` generates; no plan puts requests to score beside those."""
    return isinstance(batch.items[0].request, GenerateRequest)
