"""The engine of ``--model openai``: any number of requests at once to a server that speaks OpenAI's language."""

from __future__ import annotations

import asyncio
import logging
import queue
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from evalsuite.engines.api.asking import Asker, Learnt
from evalsuite.engines.api.budget import Ledger
from evalsuite.engines.api.client import Client, OpenAIClient, told
from evalsuite.engines.api.crew import Crew, Ended
from evalsuite.engines.api.limits import Clock
from evalsuite.engines.api.pool import Pool, Size
from evalsuite.engines.api.servers import Rests, Servers
from evalsuite.engines.api.settings import ApiSettings, read_settings
from evalsuite.engines.base import (
    Batch,
    BatchFeed,
    EngineOptions,
    Event,
    drained,
    one_by_one,
    prompt_text,
)
from evalsuite.engines.encoded_requests import EncodedRequests
from evalsuite.errors import BudgetExhausted, ModelUnreadable, UsageError
from evalsuite.types import (
    GenerateRequest,
    Item,
    LoglikelihoodRequest,
    Request,
    Response,
    Scalar,
    Spent,
)

_BYTES_A_TOKEN = 3
"""About what languages have; a guess for plans and rates, where no tokenizer is given."""

_TOKENS_A_TURN = 16
"""More than templates put round a turn, for the worst case; a text itself has no more tokens than bytes."""


_GRACE_S = 5.0
"""How long requests under way may still take when the run is being stopped."""

_POLL_S = 0.25

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """Time and chance, handed in so that tests can let hours pass."""

    clock: Clock = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = field(default_factory=lambda: random.Random().random)


class OpenAIEngine:
    """Asks a server. An answer depends on nothing but its own request, as far as a client can tell."""

    name = "openai"
    is_batch_atomic = False

    def __init__(
        self,
        settings: ApiSettings,
        *,
        encoded: EncodedRequests | None = None,
        connect: Callable[[ApiSettings], Client] | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.settings = settings
        self.is_cacheable = bool(settings.revision)  # a name and an address do not say which weights stand behind them
        self.has_chat_template = settings.endpoint != "completions" or encoded is not None
        self._encoded = encoded
        self._connect = connect or self._connected
        self._around = surroundings or Surroundings()
        self._ledger = Ledger(settings.caps, settings.prices, self._around.clock)
        self._learnt = Learnt()
        self._pool = self._make_pool()
        self._events: list[Event] = []
        self._rests = Rests(clock=self._around.clock, rest_s=settings.policy.probe_every_s, tell=self._note_rest)

    def identity(self) -> Mapping[str, Scalar]:
        """The server, its name for the model, and what stands in every request."""
        settings = self.settings
        return {
            "model": settings.model,
            "base_url": settings.base_url,
            "endpoint": settings.endpoint,
            "tokenizer": settings.tokenizer,
            "cap_name": settings.cap_name,
            **({"revision": settings.revision} if settings.revision else {}),
            **({} if settings.max_length is None else {"max_length": settings.max_length}),
            **{f"extra_{key}": value for key, value in settings.extra},
        }

    def stack(self) -> Mapping[str, Scalar]:
        """The client's version."""
        from importlib.metadata import version

        return {"openai": version("openai")}

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """Every item a batch of its own. Raises UsageError for what this endpoint cannot be asked."""
        for item in items:
            self._check(item.request)
        return one_by_one(items, self._num_tokens)

    def _check(self, request: Request) -> None:
        is_talk = isinstance(request, LoglikelihoodRequest) and not isinstance(request.context, str)
        if is_talk and self._encoded is None:
            raise UsageError(
                "log-likelihoods after a conversation need the server's chat template; give --model_args "
                "tokenizer=NAME, the model whose tokenizer the server uses."
            )
        is_chat = isinstance(request, GenerateRequest) and not isinstance(request.prompt, str)
        if is_chat and not self.has_chat_template:
            raise UsageError(
                "endpoint=completions takes plain text; leave --apply_chat_template out, or give tokenizer=NAME."
            )

    def count_tokens(self, requests: Sequence[Request]) -> int:
        """What the requests are guessed to cost, answers at their caps."""
        return sum(self._num_tokens(request) for request in requests)

    def count_naive_tokens(self, requests: Sequence[Request]) -> int:
        """The same: nothing is shared here."""
        return self.count_tokens(requests)

    def _num_tokens(self, request: Request) -> int:
        return self._size(request).usual

    def _size(self, request: Request) -> Size:
        """How large a request is: exactly, where the server's tokenizer is known."""
        num_generated = request.max_tokens if isinstance(request, GenerateRequest) else 1
        if self._encoded is not None:
            num_prompt = self._encoded.num_tokens(request) - num_generated
            return Size(num_prompt, num_generated, num_prompt + num_generated)
        text = prompt_text(request)
        num_bytes = len(text.encode("utf-8", "surrogatepass"))
        most = num_bytes + _TOKENS_A_TURN * (1 + text.count("\n"))
        return Size(most, num_generated, num_bytes // _BYTES_A_TOKEN + num_generated)

    def overflow(self, request: Request) -> int:
        """By how many tokens a prompt is too long, where the server's tokenizer is known."""
        return self._encoded.overflow(request) if self._encoded is not None else 0

    def render(self, request: Request) -> str:
        """The request as plain text, by the server's template where its tokenizer is known."""
        return self._encoded.render(request) if self._encoded is not None else prompt_text(request)

    def cost(self, batches: Sequence[Batch]) -> None:
        """Nothing is computed here."""

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """Every item's response, in the order in which they come.

        Raises UsageError when the server refuses the key, the model or the first request; RunStopped when it is down
        or a budget is spent, after what was under way has been answered.
        """
        feed = batches if isinstance(batches, BatchFeed) else BatchFeed(batches)
        line: queue.Queue[Ended] = queue.Queue()
        self._pool.open()
        asker = Asker(self.settings, self._connect(self.settings), self._learnt, self._encoded)
        crew = Crew(asker, self._pool, self._size, line)
        crew.start()
        try:
            yield from self._answers(feed, crew, line)
        finally:
            crew.stop()

    def _answers(self, feed: BatchFeed, crew: Crew, line: queue.Queue[Ended]) -> Iterator[tuple[str, Response]]:
        """Keep the crew busy and take what it brings, until all is answered or no more may be asked."""
        under_way, is_fed = 0, False
        trouble: Exception | None = None
        deadline: float | None = None
        while True:
            while not is_fed and trouble is None and under_way < 2 * self.settings.concurrency:
                batch = next(feed, None)
                is_fed = batch is None
                for item in batch.items if batch else ():
                    crew.take(item)
                    under_way += 1
            if not under_way:
                break
            if deadline is None and (trouble is not None or feed.is_stopping()):
                deadline = time.monotonic() + self._grace_s(trouble)
            if deadline is not None and time.monotonic() > deadline:
                break
            try:
                message = line.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            under_way -= 1
            if isinstance(message.outcome, Exception):
                trouble = trouble or message.outcome
                continue
            if message.outcome.retries:
                self._note_retries(message.item, message.outcome.retries)
            yield message.item.id, message.outcome.answer
        if trouble is not None:
            raise trouble

    def _grace_s(self, trouble: Exception | None) -> float:
        """How long what is under way may still take: what is paid for is waited for, a user or a dead server is not."""
        return self.settings.policy.attempt_s if isinstance(trouble, BudgetExhausted) else _GRACE_S

    def _note_retries(self, item: Item, causes: Sequence[str]) -> None:
        self._events.append(Event("retried", {"item": item.id, "causes": ",".join(causes)}))

    def _make_pool(self) -> Pool:
        settings = self.settings
        return Pool(
            settings.policy,
            self._ledger,
            concurrency=settings.concurrency,
            requests_per_minute=settings.requests_per_minute,
            tokens_per_minute=settings.tokens_per_minute,
            clock=self._around.clock,
            sleep=self._around.sleep,
            draw=self._around.draw,
        )

    def _connected(self, settings: ApiSettings) -> Client:
        """One client for all servers."""
        clients = {url: _connect(url, settings) for url in settings.base_urls}
        if len(clients) == 1:
            return next(iter(clients.values()))
        return Servers(clients, self._rests)

    def _note_rest(self, address: str, why: str) -> None:
        _LOG.warning("evalsuite: %s does not answer (%s); the other servers are asked.", address, why)
        self._events.append(Event("server_rests", {"server": address, "why": why}))

    def carry(self, spent: Spent) -> None:
        """Count what earlier processes of this run spent."""
        self._ledger.carry(spent)

    def take_spent(self) -> Spent:
        """What was spent since the last call."""
        return self._ledger.take()

    def take_events(self) -> Sequence[Event]:
        """Requests that were tried more than once, and servers that went to rest."""
        return drained(self._events)

    def take_versions(self) -> tuple[str, ...]:
        """Names (system_fingerprint) that the server gave its own version of the model since the last call."""
        return tuple(self._learnt.news.get() for _ in range(self._learnt.news.qsize()))

    def close(self) -> None:
        """Nothing is held between runs."""


def _connect(url: str, settings: ApiSettings) -> Client:
    """The client of a server. Raises UsageError where the environment's proxy cannot be used."""
    try:
        return OpenAIClient(url, settings.api_key, settings.policy, settings.concurrency)
    except (ValueError, ImportError) as error:
        raise UsageError(f"no client for {url}: {told(str(error), settings.api_key)}") from error


def open_engine(options: EngineOptions) -> OpenAIEngine:
    """The engine that a command line asks for. Raises UsageError or ModelUnreadable."""
    settings = read_settings(options.args)
    if options.chat_template and not settings.tokenizer:
        raise UsageError("--chat_template: the server has its own template; give --model_args tokenizer=NAME too.")
    return OpenAIEngine(settings, encoded=_encoded(settings, options.chat_template))


def _encoded(settings: ApiSettings, template: str | None) -> EncodedRequests | None:
    """Requests by the tokenizer of a local model, which is the server's too."""
    if not settings.tokenizer:
        return None
    try:
        from evalsuite.engines.local_model import LocalModel, ModelSettings
    except ImportError as error:
        raise ModelUnreadable("tokenizer= needs `pip install 'evalsuite[transformers]'`.") from error
    return EncodedRequests(
        LocalModel(
            ModelSettings(
                name=settings.tokenizer,
                revision=None,
                dtype="auto",
                device="cpu",
                max_length=settings.max_length,
                template_file=template,
            )
        )
    )
