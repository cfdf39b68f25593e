"""Requests to attempts: which path, which body, and how the body that comes back becomes a response."""

from __future__ import annotations

import math
import queue
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import msgspec

from evalsuite.engines.api import wire
from evalsuite.engines.api.client import Answer, Client, told
from evalsuite.engines.api.policy import Action, Fault
from evalsuite.engines.api.pool import Used
from evalsuite.engines.api.settings import ApiSettings
from evalsuite.engines.api.wire import EchoedToken
from evalsuite.engines.encoded_requests import EncodedRequests
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.scores import response_of
from evalsuite.types import (
    Cause,
    Failure,
    GenerateRequest,
    LoglikelihoodRequest,
    Request,
    Response,
    Scalar,
)

Scores: TypeAlias = list[tuple[float, float]]
"""Of each token its log-probability and that of the likeliest token in its place, in nats."""


@dataclass
class Learnt:
    """What is known of an endpoint by now: the kinds of requests it has answered, whether it says what they used, and
    the versions of itself that it named.
    """

    kinds: set[str] = field(default_factory=set)
    gives_usage: bool = False
    fingerprints: set[str] = field(default_factory=set)
    news: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def name_fingerprint(self, name: str) -> None:
        """Note a version of itself that the server names, if it is a new one."""
        if name and name not in self.fingerprints:
            self.fingerprints.add(name)
            self.news.put(name)


@dataclass
class Asker:
    """Makes attempts for one endpoint.

    With `encoded` requests, prompts of the completions endpoint are sent as the token ids a local engine would read.
    """

    settings: ApiSettings
    client: Client
    learnt: Learnt
    encoded: EncodedRequests | None = None

    async def attempt(self, request: Request) -> Used[Response] | Fault:
        """Ask once. What went wrong is told on one line, without the key, which servers like to repeat."""
        outcome = await self._attempt(request)
        if isinstance(outcome, Used):
            return outcome
        return replace(outcome, detail=told(outcome.detail, self.settings.api_key))

    async def _attempt(self, request: Request) -> Used[Response] | Fault:
        failure = self.encoded.without_model(request) if self.encoded is not None else None
        if isinstance(failure, Failure):
            return Fault(failure.cause, failure.detail, Action.FAIL)
        if isinstance(request, GenerateRequest):
            return await self._generate(request)
        if isinstance(request, LoglikelihoodRequest):
            return await self._score(request)
        return Fault(Cause.ENGINE_ERROR, "rolling log-likelihoods are not asked of servers", Action.FAIL)

    async def _generate(self, request: GenerateRequest) -> Used[Response] | Fault:
        num_truncated = 0
        if self.is_chat(request):
            path, payload = wire.CHAT, wire.chat_payload(self.settings.model, request, self._extra())
        else:
            prompt, num_truncated, num_lost = self._prompt(request)
            if num_lost:
                detail = "its protocol loses tokens of the answer, which no server does"
                return Fault(Cause.ENGINE_ERROR, detail, Action.FAIL)
            path = wire.COMPLETIONS
            payload = wire.completion_payload(self.settings.model, prompt, request, self._extra())
        payload = {(self.settings.cap_name if key == "max_tokens" else key): payload[key] for key in payload}
        body = await self._body(path, payload, request.key)
        if isinstance(body, Fault):
            return body
        read = wire.chat_completion if path == wire.CHAT else wire.text_completion
        completion = read(body, request)
        if isinstance(completion, Fault):
            return completion
        completion = msgspec.structs.replace(completion, num_truncated=num_truncated)
        return Used[Response](completion, body.num_prompt_tokens, body.num_tokens)

    async def _score(self, request: LoglikelihoodRequest) -> Used[Response] | Fault:
        """The log-likelihood of a continuation, from the log-probabilities of the whole text."""
        prompt, pair = self._pair(request)
        payload = wire.echo_payload(self.settings.model, prompt, self._extra())
        body = await self._body(wire.COMPLETIONS, payload, request.key)
        if isinstance(body, Fault):
            return body
        tokens = wire.echoed_tokens(body)
        if isinstance(tokens, Fault):
            return tokens
        scored = tokens_of_pair(tokens, pair) if pair else tokens_after(tokens, request)
        if isinstance(scored, Fault):
            return scored
        pair = pair or EncodedPair((), (0,) * len(scored), request.continuation)
        is_greedy = all(nats >= best for nats, best in scored)
        response = response_of(pair, math.fsum(nats for nats, _ in scored), is_greedy)
        return Used[Response](response, body.num_prompt_tokens, body.num_tokens)

    async def _body(self, path: str, payload: Mapping[str, Any], key: str) -> wire.Body | Fault:
        answer = await self.client.post(path, payload, key)
        if not isinstance(answer, Answer):
            return answer
        body = wire.read_body(answer.content, answer.content_type, needs_usage=self.learnt.gives_usage)
        if isinstance(body, wire.Body):
            self.learnt.gives_usage |= None not in (body.num_prompt_tokens, body.num_tokens)
            self.learnt.name_fingerprint(body.fingerprint)
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
            return not isinstance(request.prompt, str) and self.encoded is None
        return self.settings.endpoint == "chat"

    def _prompt(self, request: GenerateRequest) -> tuple[str | tuple[int, ...], int, int]:
        """What is sent of a prompt, how many tokens of it were dropped, and of the answer are to be."""
        if self.encoded is not None:
            prompt = self.encoded.prompt(request)
            return prompt.ids, prompt.num_truncated, prompt.num_lost
        assert isinstance(request.prompt, str), "a conversation goes to the chat endpoint where there is no template"
        return request.prompt, 0, 0

    def _pair(self, request: LoglikelihoodRequest) -> tuple[str | tuple[int, ...], EncodedPair | None]:
        """What is sent of a pair: the token ids of a local engine, or its text."""
        if self.encoded is None:
            assert isinstance(request.context, str), "the engine refuses conversations without a tokenizer"
            return request.context + request.continuation, None
        pair = self.encoded.pair(request)
        return (*pair.context, *pair.continuation), pair

    def _extra(self) -> Mapping[str, Scalar]:
        return dict(self.settings.extra)


def tokens_of_pair(tokens: Sequence[EchoedToken], pair: EncodedPair) -> Scores | Fault:
    """The continuation's part of an echoed pair of token ids, after which a generated token may stand."""
    num_sent = len(pair.context) + len(pair.continuation)
    if len(tokens) not in (num_sent, num_sent + 1):
        return _bad(f"log-probabilities of {len(tokens)} tokens, not of the {num_sent} that were sent")
    return _scores(tokens[len(pair.context) : num_sent])


_MAX_ADDED = 4
"""How many tokens a server may put before a text (a BOS or two)."""


def tokens_after(tokens: Sequence[EchoedToken], request: LoglikelihoodRequest) -> Scores | Fault:
    """The tokens of an echoed text that reach into its continuation; spaces before that belong to it, as elsewhere.

    The tokens must spell the text that was sent, but for some that the server puts before it and what it generates
    after it; offsets that servers give are not trusted, since some count those in and some do not.
    """
    context = str(request.context)
    text, start = context + request.continuation, len(context.rstrip())
    for num_added in range(min(_MAX_ADDED, len(tokens)) + 1):
        spelt, end, scored = tokens[num_added:], 0, []
        if not "".join(token.text for token in spelt).startswith(text):
            continue
        for token in spelt:
            if end >= len(text):
                break
            end += len(token.text)
            if end > start:
                scored.append(token)
        return _scores(scored)
    detail = "the server's tokens do not spell the text that was sent; give tokenizer=NAME"
    return Fault(Cause.ENGINE_ERROR, detail, Action.FAIL)


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
