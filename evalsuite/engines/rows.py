"""Requests to generate as rows of tokens, and the queue in which they wait for a place."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from evalsuite.engines.encoding import EncodedPrompt
from evalsuite.types import GenerateRequest


@dataclass(frozen=True)
class Row:
    """A request to generate, with its prompt's tokens."""

    id: str
    request: GenerateRequest
    prompt: EncodedPrompt

    @property
    def num_tokens(self) -> int:
        """Its prompt's tokens and its answer's at the cap."""
        return len(self.prompt.ids) + self.request.max_tokens


class WaitingRows:
    """Rows to come, those put back first. No row is drawn from their source before it is looked at."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._next: deque[Row] = deque()

    def has_more(self) -> bool:
        """Whether there is a row to take."""
        if not self._next:
            self._next.extend(islice(self._rows, 1))
        return bool(self._next)

    def peek(self) -> Row:
        """The row that `take` would give, after `has_more`."""
        return self._next[0]

    def take(self) -> Row:
        """The next row, after `has_more`."""
        return self._next.popleft()

    def put_back(self, rows: Sequence[Row]) -> None:
        """Have `rows` come next, in their order."""
        self._next.extendleft(reversed(rows))
