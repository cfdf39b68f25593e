"""Generation with rows that come and go: packed prompts, then one token of every row a step.

A row leaves when its own answer is done and the next one takes its slot, so that no step is computed for an answer that
has ended. Prompts are computed as a prefix forest; what a row shares with one computed before (a first turn, fixed
exemplars) is not computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from evalsuite.engines.attention import installed
from evalsuite.engines.base import Event
from evalsuite.engines.completion import completion_of, is_done
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.memory import shortage_ignored
from evalsuite.engines.packed_pass import plan_pass, run_pass
from evalsuite.engines.row_memory import RowMemory, longest_shared
from evalsuite.engines.rows import Row, WaitingRows
from evalsuite.engines.sampling import Sampler
from evalsuite.engines.scores import NONFINITE, OUT_OF_MEMORY, score_row
from evalsuite.engines.slots import KeptRow, Slots
from evalsuite.types import Response

if TYPE_CHECKING:
    import torch

_PROMPT_TOKENS = 8192
"""Prompt tokens that go through the model together."""


@dataclass
class _Active:
    row: Row
    sampler: Sampler
    tokens: list[int] = field(default_factory=list)


@dataclass
class Decoder:
    """Generates with at most `num_rows` rows at a time, whose slots hold at most `num_tokens` tokens or one row.

    Prompts go on from rows in any of `memories`; the last of them remembers the rows that end here. When the device's
    memory does not suffice, `num_rows` is halved for the rest of these rows, and those under way begin again.
    """

    model: LocalModel
    num_rows: int
    num_tokens: int
    memories: Sequence[RowMemory]
    events: list[Event] = field(default_factory=list)
    _slots: Slots = field(default_factory=lambda: Slots(0, 0))
    _active: list[_Active] = field(default_factory=list)
    _done: dict[str, Response] = field(default_factory=dict)

    def run(self, rows: Iterable[Row]) -> Iterator[tuple[str, Response]]:
        """The completion of every row, as each is done. New rows are taken when there is room for an eighth of all."""
        waiting = WaitingRows(rows)
        while self._active or waiting.has_more():
            joining: list[Row] = []
            is_whole = False
            with shortage_ignored():
                self._turn(waiting, joining)
                is_whole = True
            if not is_whole:
                self._begin_again(joining, waiting)
            yield from self._done.items()
            self._done.clear()

    def _turn(self, waiting: WaitingRows, joining: list[Row]) -> None:
        """Rows that join, noted in `joining`, or else one step of all."""
        longest = max((entry.row.num_tokens for entry in self._active), default=0)
        capacity = self._capacity(longest)
        if waiting.has_more() and (not self._active or capacity - len(self._active) >= max(1, capacity // 8)):
            while waiting.has_more():
                longest = max(longest, waiting.peek().num_tokens)
                if len(self._active) + len(joining) >= self._capacity(longest):
                    break
                joining.append(waiting.take())
            if joining:
                self._make_room(joining)
                for group in self._groups(joining):
                    self._join(*group)
                return
        self._take(_step(self.model, self._slots, [entry.tokens[-1] for entry in self._active]), 0)

    def _capacity(self, longest: int) -> int:
        """Rows that may be under way when the longest has so many tokens."""
        return min(self.num_rows, max(1, self.num_tokens // max(1, longest)))

    def _make_room(self, joining: Sequence[Row]) -> None:
        """Have slots for `joining` beside the rows under way, and for as many more like them as may come."""
        rows = [*(entry.row for entry in self._active), *joining]
        longest = max(row.num_tokens for row in rows)
        if len(rows) > self._slots.num_slots or longest > self._slots.num_tokens:
            self._slots.resize(max(len(rows), self._capacity(longest)), longest)

    def _begin_again(self, joining: Sequence[Row], waiting: WaitingRows) -> None:
        """Let go of everything, and ask for it again with half the rows; one that has no company has failed."""
        rows = (*(entry.row for entry in self._active), *joining)
        under_way = {row.id: row for row in rows if row.id not in self._done}
        self._active.clear()
        for memory in self.memories:
            memory.clear()
        self._slots = Slots(0, 0)
        self.model.free_memory()
        if not under_way:
            return
        self.events.append(Event("halved", {"items": len(under_way), "first": min(under_way)}))
        if self.num_rows == 1:
            self._done.update(dict.fromkeys(under_way, OUT_OF_MEMORY))
            return
        self.num_rows = max(1, len(under_way) // 2)
        waiting.put_back(list(under_way.values()))

    def _join(self, kept: KeptRow | None, num_shared: int, group: Sequence[Row]) -> None:
        """Compute the prompts of `group`, which go on after `num_shared` tokens of `kept`, and their first tokens."""
        prompts = [np.array(row.prompt.ids[num_shared:], dtype=np.int32) for row in group]
        last = [np.array([len(prompt) - 1]) for prompt in prompts]
        past = kept.past(num_shared) if kept else None
        plan = plan_pass(prompts, last, num_shared)
        done = run_pass(self.model, plan, past, keeps=True)
        logits = done.logits[np.concatenate(plan.where)]
        is_broken = not bool(logits.amax(dim=-1).isfinite().all())
        if is_broken and len(group) > 1:  # one row's NaN may have reached its neighbours
            for row in group:
                self._join(kept, num_shared, [row])
            return
        self._slots.admit([row.prompt.ids for row in group], done.layout, plan.spans)
        first = len(self._active)
        self._active.extend(_Active(row, Sampler(row.request)) for row in group)
        self._take(logits, first)

    def _groups(self, rows: Sequence[Row]) -> Iterator[tuple[KeptRow | None, int, list[Row]]]:
        """Rows that go through the model together: those that go on after the same known beginning."""
        found: dict[tuple[tuple[int, ...], int], tuple[KeptRow | None, list[Row]]] = {}
        for row in rows:
            kept, size = longest_shared(self.memories, row.prompt.ids)
            found.setdefault((kept.tokens if kept else (), size), (kept, []))[1].append(row)
        for (_, size), (kept, members) in found.items():
            group: list[Row] = []
            used = 0
            for row in members:
                if group and used + len(row.prompt.ids) - size > _PROMPT_TOKENS:
                    yield kept, size, group
                    group, used = [], 0
                group.append(row)
                used += len(row.prompt.ids) - size
            yield kept, size, group

    def _take(self, logits: torch.Tensor, first: int) -> None:
        """Pick the next token of the rows from `first` on, and let go of those that are done."""
        finite = logits.amax(dim=-1).isfinite().tolist()
        likeliest = logits.argmax(dim=-1).tolist()
        for index in range(len(self._active) - 1, first - 1, -1):
            entry, place = self._active[index], index - first
            if not finite[place]:
                self._slots.wipe(index)
                self._end(index, NONFINITE)
                continue
            entry.tokens.append(entry.sampler.pick(logits[place], likeliest[place]))
            if is_done(self.model, entry.row.request, entry.tokens):
                with shortage_ignored():  # it is remembered where there is room for it
                    self.memories[-1].keep(self._slots.kept(index))
                self._end(index, completion_of(self.model, entry.row.request, entry.row.prompt, entry.tokens))

    def _end(self, index: int, response: Response) -> None:
        self._done[self._active[index].row.id] = response
        self._release(index)

    def _release(self, index: int) -> None:
        self._slots.release(index)
        self._active[index] = self._active[-1]
        self._active.pop()


def _step(model: LocalModel, slots: Slots, tokens: Sequence[int]) -> torch.Tensor:
    """Give every row in `slots` one of `tokens`; the logits after it, shape (rows, vocabulary)."""
    import torch

    device = model.settings.device
    layout = slots.step(device)
    with torch.inference_mode(), installed(model.model):
        logits: torch.Tensor = model.model(
            input_ids=torch.tensor(tokens, device=device)[:, None],
            position_ids=layout.positions[:, None],
            use_cache=False,
            logits_to_keep=1,
            layout=layout,
        ).logits[:, -1]
    for held, token in zip(slots.tokens, tokens, strict=True):
        held.append(token)
    return logits


def score_by_steps(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    """Log-likelihoods as generation computes them, token by token: what the self-test compares."""
    import torch

    slots = Slots(len(pairs), 0)
    contexts = [np.array(pair.context, dtype=np.int32) for pair in pairs]
    plan = plan_pass(contexts, [np.array([len(context) - 1]) for context in contexts])
    done = run_pass(model, plan, keeps=True)
    slots.admit([pair.context for pair in pairs], done.layout, plan.spans)
    logits = [done.logits[np.concatenate(plan.where)]]
    for place in range(max(len(pair.continuation) for pair in pairs) - 1):
        logits.append(
            _step(model, slots, [pair.continuation[min(place, len(pair.continuation) - 1)] for pair in pairs])
        )
    return [score_row(row, pair) for row, pair in zip(torch.stack(logits, dim=1), pairs, strict=True)]
