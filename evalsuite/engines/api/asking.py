"""Requests to attempts: which path, which body, and how the body that comes back becomes a response."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from evalsuite.engines.api import wire
from evalsuite.engines.api.client import Answer, Client
from evalsuite.engines.api.policy import Action, Fault
from evalsuite.engines.api.pool import Used
from evalsuite.engines.api.settings import ApiSettings
from evalsuite.engines.api.wire import EchoedToken
from evalsuite.engines.encoding import EncodedPair, Encoder
from evalsuite.engines.scores import response_of
from evalsuite.types import (
    Cause,
    GenerateRequest,
    LoglikelihoodRequest,
    Request,
    Response,
    Scalar,
)

_NO_LIMIT = 1 << 30

Scores: TypeAlias = list[tuple[float, float]]
"""Of each token its log-probability and that of the likeliest token in its place, in nats."""


@dataclass
class Learnt:
    """What is known of an endpoint by now: the kinds of requests it has answered, whether it says what they used, and
    the versions of itself that it named.
    """

    kinds: set[str] = field(default_factory=set)
    gives_usage: bool = False
    fingerprints: list[str] = field(default_factory=list)


@dataclass
class Asker:
    """Makes attempts for one endpoint.

    With an `encoder` prompts of the completions endpoint are sent as the token ids that a local engine would read.
    """

    settings: ApiSettings
    client: Client
    learnt: Learnt
    encoder: Encoder | None = None

    async def attempt(self, request: Request) -> Used[Response] | Fault:
        """Ask once."""
        if isinstance(request, GenerateRequest):
            return await self._generate(request)
        if isinstance(request, LoglikelihoodRequest):
            return await self._score(request)
        return Fault(Cause.ENGINE_ERROR, "rolling log-likelihoods are not asked of servers", Action.FAIL)

    async def _generate(self, request: GenerateRequest) -> Used[Response] | Fault:
        if self.is_chat(request):
            path, payload = wire.CHAT, wire.chat_payload(self.settings.model, request, self._extra())
        else:
            path = wire.COMPLETIONS
            payload = wire.completion_payload(self.settings.model, self._prompt(request), request, self._extra())
        payload = {(self.settings.cap_name if key == "max_tokens" else key): payload[key] for key in payload}
        body = await self._body(path, payload, request.key)
        if isinstance(body, Fault):
            return body
        read = wire.chat_completion if path == wire.CHAT else wire.text_completion
        completion = read(body, request)
        if isinstance(completion, Fault):
            return completion
        return Used[Response](completion, body.num_prompt_tokens, body.num_tokens)

    async def _score(self, request: LoglikelihoodRequest) -> Used[Response] | Fault:
        """The log-likelihood of a continuation, from the log-probabilities of the whole text."""
        prompt, pair = self._pair(request)
        body = await self._body(
            wire.COMPLETIONS, wire.echo_payload(self.settings.model, prompt, self._extra()), request.key
        )
        if isinstance(body, Fault):
            return body
        tokens = wire.echoed_tokens(body)
        if isinstance(tokens, Fault):
            return tokens
        scored = tokens_of_pair(tokens, pair) if pair else tokens_after(tokens, prompt_cut(request))
        if isinstance(scored, Fault):
            return scored
        pair = pair or EncodedPair((), (0,) * len(scored), request.continuation)
        response = response_of(pair, math.fsum(nats for nats, _ in scored), all(nats >= best for nats, best in scored))
        return Used(response, body.num_prompt_tokens, body.num_tokens)

    async def _body(self, path: str, payload: Mapping[str, Any], key: str) -> wire.Body | Fault:
        answer = await self.client.post(path, payload, key)
        if not isinstance(answer, Answer):
            return answer
        body = wire.read_body(answer.content, answer.content_type, needs_usage=self.learnt.gives_usage)
        if isinstance(body, wire.Body):
            self.learnt.gives_usage |= None not in (body.num_prompt_tokens, body.num_tokens)
            if body.fingerprint and body.fingerprint not in self.learnt.fingerprints:
                self.learnt.fingerprints.append(body.fingerprint)
        return body

    # -- what is sent

    def kind_of(self, request: Request) -> str:
        """Which of a server's abilities a request needs."""
        if not isinstance(request, GenerateRequest):
            return "log-likelihoods"
        return "chat" if self.is_chat(request) else "completions"

    def is_chat(self, request: GenerateRequest) -> bool:
        """Whether a request goes to the chat endpoint: conversations do, plain text only where it is asked for."""
        if self.settings.endpoint == "auto":
            return not isinstance(request.prompt, str) and self.encoder is None
        return self.settings.endpoint == "chat"

    def _prompt(self, request: GenerateRequest) -> str | tuple[int, ...]:
        if self.encoder is not None:
            return self.encoder.encode_prompt(request, self.settings.max_length or _NO_LIMIT).ids
        assert isinstance(request.prompt, str), "a conversation goes to the chat endpoint where there is no template"
        return request.prompt

    def _pair(self, request: LoglikelihoodRequest) -> tuple[str | tuple[int, ...], EncodedPair | None]:
        """What is sent of a pair: the token ids of a local engine, or its text."""
        if self.encoder is None:
            assert isinstance(request.context, str), "the engine refuses conversations without a tokenizer"
            return request.context + request.continuation, None
        pair = self.encoder.encode_pair(request)
        return (*pair.context, *pair.continuation), pair

    def _extra(self) -> Mapping[str, Scalar]:
        return dict(self.settings.extra)


def tokens_of_pair(tokens: Sequence[EchoedToken], pair: EncodedPair) -> Scores | Fault:
    """The continuation's part of an echoed pair of token ids, after which a generated token may stand."""
    num_sent = len(pair.context) + len(pair.continuation)
    if len(tokens) not in (num_sent, num_sent + 1):
        return _bad(f"log-probabilities of {len(tokens)} tokens, not of the {num_sent} that were sent")
    return _scores(tokens[len(pair.context) : num_sent])


def tokens_after(tokens: Sequence[EchoedToken], span: tuple[int, int]) -> Scores | Fault:
    """The tokens of an echoed text that reach beyond the place where the continuation begins, up to its end."""
    start, end = span
    offsets = [token.offset for token in tokens]
    if None in offsets:
        return _bad("no text offsets; without tokenizer=NAME they are needed to find the continuation")
    ends = [*offsets[1:], end]
    return _scores(
        [
            token
            for token, begin, stop in zip(tokens, offsets, ends, strict=True)
            if begin is not None and stop is not None and begin < end and stop > start
        ]
    )


def prompt_cut(request: LoglikelihoodRequest) -> tuple[int, int]:
    """Where the continuation begins and ends in the text; spaces at the context's end belong to it, as elsewhere."""
    context = str(request.context)
    return len(context.rstrip()), len(context) + len(request.continuation)


def _scores(tokens: Sequence[EchoedToken]) -> Scores | Fault:
    """Each token's log-probability and the best one's at its place."""
    if any(token.nats is None for token in tokens):
        detail = "the server gives no probability for a text's first token; give tokenizer=NAME"
        return Fault(Cause.ENGINE_ERROR, detail, Action.FAIL)
    return [
        (_lifted(token.nats), token.best_nats if token.best_nats is not None else math.inf)
        for token in tokens
        if token.nats is not None
    ]


def _lifted(nats: float) -> float:
    """vLLM writes a probability of 0 as a large number, JSON having no infinity."""
    return -math.inf if nats <= wire.LEAST_NATS else nats


def _bad(detail: str) -> Fault:
    return Fault(Cause.BAD_RESPONSE, detail, Action.RETRY, 200)
