"""The in-process engine: transformers, log-likelihoods over prefix forests, generation by rows that come and go.

Weights load at the first `run`; planning needs the tokenizer only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from evalsuite.engines import memory, planner, rolling
from evalsuite.engines.base import Batch, Event, drained
from evalsuite.engines.encoded_requests import is_generation
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.in_process import InProcess
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.lookahead import prepared_ahead
from evalsuite.engines.row_memory import RowMemory
from evalsuite.engines.scores import NO_TOKENS, NONFINITE, OUT_OF_MEMORY
from evalsuite.types import (
    GenerateRequest,
    Item,
    Request,
    Response,
    Scalar,
)

if TYPE_CHECKING:
    from evalsuite.engines.packed_pass import PassPlan
    from evalsuite.engines.rows import Row

PLAIN_TOKENS = 4096
"""Tokens of padded rows that go through the model together where a forest cannot."""

AUTO_ROWS = {"cpu": 32, "cuda": 64, "mps": 16}
"""Rows under way at once in generation when no batch size is given."""

ROUNDS = {"cpu": 2, "cuda": 8}
"""How many times as many rows a batch holds: enough to go on while the last ones end, few enough to lose to a kill."""

KEY_VALUE_BYTES = {"cpu": 2**31, "cuda": 2**33, "mps": 2**31}
"""What the keys and values of rows under way in generation may take, by kind of device."""

MEMORY_BYTES = 2**30
"""What the keys and values of rows computed lately may take, for those that go on from them."""

_Way = Literal["rows", "continuous", "together"]
"""How a batch is answered: by rows that come and go, or all of it at once."""


class TransformersEngine(InProcess[LocalModel]):
    """Plans by length, answers batch by batch, and halves a batch that does not fit into memory."""

    name = "transformers"

    def __init__(self, model: LocalModel, batch_size: int | None = None, *, is_deterministic: bool = False) -> None:
        super().__init__(model, batch_size, is_deterministic=is_deterministic)
        self._earlier = self._present = RowMemory(0)
        self._events: list[Event] = []

    def identity(self) -> Mapping[str, Scalar]:
        """The model's, and what shapes its micro-batches."""
        return {**super().identity(), "token_budget": self.model.token_budget}

    def stack(self) -> Mapping[str, Scalar]:
        """Threads and device, and how log-likelihoods are computed."""
        verdict = self.model.verdict
        reasons = {"slower_because": "; ".join(verdict.reasons)} if verdict.reasons else {}
        untested = {"not_in_the_self_test": verdict.untested} if verdict.untested else {}
        generation = "continuous" if verdict.is_continuous else verdict.generation
        return {**self.model.stack(), "scoring": verdict.scoring, "generation": generation, **reasons, **untested}

    def memory_held(self) -> Mapping[str, int]:
        """What the model holds (see `LocalModel.memory_held`)."""
        return self.model.memory_held()

    def take_events(self) -> list[Event]:
        """What happened since the last call: weights loaded, micro-batches that did not fit into memory, attention that
        failed to compile.
        """
        given_up = self.model.flex.take_events() if self.model.flex else []
        return [*drained(self.model.events), *drained(self._events), *given_up]

    def afresh(self) -> TransformersEngine:
        """An engine over the same weights that remembers no row."""
        return TransformersEngine(self.model, self._batch_size, is_deterministic=self._is_deterministic)

    def close(self) -> None:
        """Let go of the weights, and of what was computed with them."""
        self._forget_rows()
        self.model.unload()

    def _forget_rows(self) -> None:
        self._earlier.clear()
        self._present.clear()

    # -- planning

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """Log-likelihoods by shared prefixes, then greedy generation, then sampled generation."""
        scored = [item for item in items if not isinstance(item.request, GenerateRequest)]
        self.requests.encode_all([item.request for item in scored])
        generated = [item for item in items if isinstance(item.request, GenerateRequest)]
        groups = [*self._scoring_groups(scored), *self._generation_groups(generated)]
        return tuple(
            Batch(index, tuple(group), self.count_tokens([item.request for item in group]))
            for index, group in enumerate(groups)
        )

    def _scoring_groups(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        """Micro-batches by shared prefixes; what is too long for the model, or for company, comes last, by itself."""
        items = sorted(items, key=lambda item: item.id)
        fitting = [item for item in items if not self._stands_alone(item.request)]
        pairs = [self.requests.pair(item.request) for item in fitting]
        rows = [self.requests.row(item.request) for item in fitting]
        first_reads = [len(pair.context) - 1 for pair in pairs]
        max_reads = memory.MAX_LOGITS // len(self.model.encoder.tokenizer)
        for group in planner.scoring_groups(rows, first_reads, self.model.token_budget, max_reads, self._batch_size):
            yield [fitting[place] for place in group]
        yield from ([item] for item in items if self._stands_alone(item.request))

    def _stands_alone(self, request: Request) -> bool:
        return bool(self.overflow(request)) or self.requests.is_windowed(request) or self._moves_others(request)

    def _generation_groups(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        """Greedy and sampled requests apart, since continuous batching takes the greedy ones only."""
        size = self._num_rows * ROUNDS.get(self.model.device_kind, 2)
        for is_sampled in (False, True):
            chosen = [
                item for item in items
                if _is_sampled(item.request) == is_sampled and not self._moves_others(item.request)
            ]  # fmt: skip
            requests = [item.request for item in chosen if isinstance(item.request, GenerateRequest)]
            lengths = [len(self.requests.prompt(request).ids) for request in requests]
            caps = [request.max_tokens for request in requests]
            for group in planner.generation_groups(lengths, caps, [item.id for item in chosen], size):
                yield [chosen[place] for place in group]
        yield from ([item] for item in items if self._moves_others(item.request))

    def _moves_others(self, request: Request) -> bool:
        """Whether in its company other rows would get other numbers than alone."""
        limit = self.model.rotation_limit
        return limit is not None and self.requests.num_tokens(request) > limit

    @property
    def _num_held_tokens(self) -> int:
        """Tokens whose keys and values may be held at once in generation."""
        return KEY_VALUE_BYTES.get(self.model.device_kind, 2**31) // self.model.key_value_bytes

    @property
    def _num_rows(self) -> int:
        """Rows under way at once in generation."""
        return self._batch_size or AUTO_ROWS.get(self.model.device_kind, 8)

    # -- answering

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """The response to every item, each batch by itself. What does not fit into memory is halved until it does."""
        self._earlier, self._present = self._present, RowMemory(0 if self._is_deterministic else MEMORY_BYTES)
        for batch, planned in self._with_plans(batches):
            self.requests.encode_all([item.request for item in batch.items])  # a worker has not planned them
            way = self._way(batch)
            if way == "together":
                yield from self._run_items(list(batch.items), planned)
            else:
                yield from self._generate(way, batch.items)

    def _with_plans(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, PassPlan | None]]:
        """Batches, and of those to be scored as forests the plan, made while the one before is computed.

        Not on a CPU: it would have to stop computing for that, and a run that is to stop ends one batch later.
        """
        for generates, group in groupby(batches, key=is_generation):
            if generates or self.model.device_kind == "cpu" or self.model.verdict.scoring != "forest":
                yield from ((batch, None) for batch in group)
            else:
                yield from prepared_ahead(group, self._plan_pass)

    def _plan_pass(self, batch: Batch) -> PassPlan | None:
        from evalsuite.engines import forest_scorer

        requests = [item.request for item in batch.items if not self.requests.is_windowed(item.request)]
        fitting = [self.requests.pair(request) for request in requests if not self.overflow(request)]
        pairs = [pair for pair in fitting if pair.continuation]
        return forest_scorer.plan(pairs) if pairs else None

    def _way(self, batch: Batch) -> _Way:
        if not is_generation(batch) or self._moves_others(batch.items[0].request):
            return "together"
        verdict = self.model.verdict
        if verdict.is_continuous and not any(_is_sampled(item.request) for item in batch.items):
            return "continuous"
        return "rows" if verdict.generation == "rows" else "together"

    def _generate(self, way: _Way, items: Iterable[Item]) -> Iterator[tuple[str, Response]]:
        """Generation by rows that come and go; what is too long for the model is answered at once."""
        from evalsuite.engines.rows import Row

        rows: list[Row] = []
        for item in items:
            assert isinstance(item.request, GenerateRequest)
            if answer := self.requests.without_model(item.request):
                yield item.id, answer
            else:
                rows.append(Row(item.id, item.request, self.requests.prompt(item.request)))
        yield from self._decoded(way, rows)

    def _decoded(self, way: _Way, rows: list[Row]) -> Iterator[tuple[str, Response]]:
        """The answers of `rows`.

        Ours go on from those of earlier waves, but of the present one only from those of their own batch: those a
        resumed run computes again.
        """
        from evalsuite.engines.continuous import ContinuousDecoder
        from evalsuite.engines.decoding import Decoder

        num_tokens = self._num_held_tokens
        if way == "continuous":
            yield from ContinuousDecoder(self.model, self._num_rows, num_tokens, self._events).run(rows)
            return
        own = RowMemory(MEMORY_BYTES)
        yield from Decoder(self.model, self._num_rows, num_tokens, (self._earlier, own), self._events).run(rows)
        self._present.take_over(own)

    def _run_items(self, items: list[Item], planned: PassPlan | None = None) -> Iterator[tuple[str, Response]]:
        fitting = []
        for item in items:
            if answer := self.requests.without_model(item.request):
                yield item.id, answer
            else:
                fitting.append(item)
        if not fitting:
            return
        answers = None
        with memory.shortage_ignored():
            answers = self._answer(fitting, planned)
        if answers is None:
            self._forget_rows()
            self.model.free_memory()
            self._events.append(Event("halved", {"items": len(fitting), "first": fitting[0].id}))
            yield from self._run_halves(fitting)
            return
        yield from zip((item.id for item in fitting), answers, strict=True)

    def _run_halves(self, items: list[Item]) -> Iterator[tuple[str, Response]]:
        if len(items) == 1:
            yield items[0].id, OUT_OF_MEMORY
            return
        middle = len(items) // 2
        yield from self._run_items(items[:middle])
        yield from self._run_items(items[middle:])

    def _answer(self, items: list[Item], planned: PassPlan | None) -> list[Response]:
        requests = [item.request for item in items]
        to_generate = [request for request in requests if isinstance(request, GenerateRequest)]
        if to_generate:
            return self._generate_together(to_generate)
        if self.requests.is_windowed(requests[0]):  # which is alone in its batch
            return [self._score_windows(request) for request in requests]
        return self._score([self.requests.pair(request) for request in requests], planned)

    def _generate_together(self, requests: Sequence[GenerateRequest]) -> list[Response]:
        """Completions by static batches; one at a time where the model's answers depend on what is beside them."""
        from evalsuite.engines.static_generation import generate

        prompts = [self.requests.prompt(request) for request in requests]
        sizes = [len(prompt.ids) + request.max_tokens for prompt, request in zip(prompts, requests, strict=True)]
        max_rows = self._num_rows if self.model.verdict.batches else 1
        found: dict[int, Response] = {}
        for places in planner.static_groups(sizes, max_rows, self._num_held_tokens):
            answers = generate(self.model, [requests[place] for place in places], [prompts[place] for place in places])
            found |= zip(places, answers, strict=True)
        return [found[place] for place in range(len(requests))]

    def _score_windows(self, request: Request) -> Response:
        """A text that is longer than the context: one window after another, none in another's company."""
        parts = [self._score([window], None)[0] for window in self.requests.windows(request)]
        return rolling.joined(self.requests.pair(request), parts)

    def _score(self, pairs: list[EncodedPair], planned: PassPlan | None) -> list[Response]:
        """Log-likelihoods; a continuation without tokens has none."""
        found = iter(self._score_tokens([pair for pair in pairs if pair.continuation], planned))
        return [next(found) if pair.continuation else NO_TOKENS for pair in pairs]

    def _score_tokens(self, pairs: list[EncodedPair], planned: PassPlan | None) -> list[Response]:
        """Log-likelihoods in the model's mode; plainly, in padded batches of like length.

        In a forest one row's NaN may reach its neighbours, so rows that are not finite are asked again by themselves.
        """
        if not pairs:
            return []
        from evalsuite.engines import forest_scorer
        from evalsuite.engines.self_test import SCORERS

        mode = self.model.verdict.scoring
        if mode != "plain":
            scores = forest_scorer.score(self.model, pairs, planned) if planned else SCORERS[mode](self.model, pairs)
            return [
                SCORERS[mode](self.model, [pair])[0] if score == NONFINITE else score
                for pair, score in zip(pairs, scores, strict=True)
            ]
        found: dict[int, Response] = {}
        for places in planner.padded_groups([pair.row for pair in pairs], PLAIN_TOKENS):
            found |= zip(places, SCORERS[mode](self.model, [pairs[place] for place in places]), strict=True)
        return [found[place] for place in range(len(pairs))]


def _is_sampled(request: Request) -> bool:
    return isinstance(request, GenerateRequest) and bool(request.temperature)
