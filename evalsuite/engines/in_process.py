"""What the engines share that hold the tokenizer: requests as token ids, counted, measured and rendered."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from evalsuite.engines import sharding
from evalsuite.engines.base import Batch, Cost
from evalsuite.engines.encoded_requests import EncodedRequests
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Request, Scalar

if TYPE_CHECKING:
    from evalsuite.engines.forecast import Rates


ModelT = TypeVar("ModelT", bound=LocalModel)


class InProcess(ABC, Generic[ModelT]):
    """The part of an engine over a model on this machine that does not depend on who computes."""

    is_batch_atomic = True
    is_cacheable = True

    def __init__(self, model: ModelT, batch_size: int | None = None, *, is_deterministic: bool = False) -> None:
        self.model = model
        self.requests = EncodedRequests(model)
        self._batch_size = batch_size
        self._is_deterministic = is_deterministic

    @property
    def has_chat_template(self) -> bool:
        """Whether conversations can be rendered."""
        return self.model.encoder.template is not None

    def identity(self) -> Mapping[str, Scalar]:
        """The model's, and what shapes its batches."""
        found: dict[str, Scalar] = {**self.model.identity(), "batch_size": self._batch_size or "auto"}
        return {**found, "deterministic": True} if self._is_deterministic else found

    @property
    @abstractmethod
    def _num_rows(self) -> int:
        """Rows under way at once in generation."""

    @property
    def _num_held_tokens(self) -> int:
        """Tokens whose keys and values may be held at once in generation: as many as it likes, where that is not known
        here."""
        return sys.maxsize

    def count_tokens(self, requests: Sequence[Request]) -> int:
        """Prompt tokens and, for generation, the cap; every distinct prefix of scored rows counts once."""
        return self.requests.count(requests)

    def count_naive_tokens(self, requests: Sequence[Request]) -> int:
        """Tokens of one row a request."""
        return self.requests.count_naive(requests)

    def overflow(self, request: Request) -> int:
        """By how many tokens `request` exceeds the model's context."""
        return self.requests.overflow(request)

    def render(self, request: Request) -> str:
        """The text exactly as the tokenizer reads it."""
        return self.requests.render(request)

    def finer(self, batches: Sequence[Batch], num_workers: int) -> tuple[Batch, ...]:
        """`batches` of this engine's plan, cut for so many workers; up to 8 as they are (see `sharding.finer`)."""
        return sharding.finer(batches, num_workers, self.requests, self._yardstick)

    def work(self, batch: Batch) -> int:
        """What `batch` takes, in tokens read: by it the longest are handed out first."""
        return self._yardstick.work(batch, self.requests)

    @property
    def _yardstick(self) -> sharding.Yardstick:
        return sharding.Yardstick.on(self.model.device_kind, self._num_rows, self._num_held_tokens)

    def cost(self, batches: Sequence[Batch]) -> Cost:
        """By the model's size and this device's rates; prompts count by what is computed, answers at their caps."""
        from evalsuite.engines import forecast

        return forecast.cost_of(self.model, self.requests.work(batches, self._num_rows), self._rates)

    @cached_property
    def _rates(self) -> Rates:
        from evalsuite.engines import forecast

        return forecast.measure(self.model.settings.device, self.model.dtype)
