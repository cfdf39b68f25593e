"""Attention over a packed prefix forest in one fused kernel: torch's FlexAttention, for CUDA devices.

A key is seen from itself to the end of its subtree, so one number a key says all there is to know of a forest. The
kernel passes over tiles of queries and keys of which no pair is seen, and asks for single pairs only in tiles of which
some are. Which tiles those are is computed here from the subtree ends: torch's own `create_block_mask` looks at every
pair, which takes gigabytes at 65,536 tokens unless it is compiled too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

from evalsuite.engines.attention import Rules
from evalsuite.engines.base import Event, drained

if TYPE_CHECKING:
    import torch
    from torch.nn.attention.flex_attention import BlockMask

TILE = 128
"""Queries, and keys, of a tile: what the compiled kernel's own blocks divide."""

FEWEST_QUERIES = TILE + 1
"""Fewer are left to the caller: torch has another kernel for them, and there is no tile to pass over."""

MaskOfWindow = Callable[[int | None], "BlockMask"]


@dataclass
class FlexKernel:
    """The kernel of one model. It fails once: `fault` then says why, and whoever asks computes otherwise for good."""

    fewest_queries: int = FEWEST_QUERIES
    fault: str = ""
    _events: list[Event] = field(default_factory=list)

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask_of: MaskOfWindow, rules: Rules
    ) -> torch.Tensor | None:
        """Attention of `query`, shapes as in `attention.Layout`, under ``mask_of(window)``; None where it is not done.

        Raises what torch raises when memory does not suffice: a smaller micro-batch may fit.
        """
        import torch

        if self.fault or query.shape[2] < self.fewest_queries:
            return None
        if rules.sinks is not None and not _returns_norms():
            return None
        try:
            with _floats_constant():
                return _attend(query, key, value, mask_of(rules.window), rules)
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:  # compilers, and the driver's, raise from many families
            self.give_up(f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}")
            return None

    def give_up(self, fault: str) -> None:
        """Do nothing from now on, because of `fault`."""
        self.fault = fault
        self._events.append(Event("attention_by_blocks", {"because": fault}))

    def take_events(self) -> list[Event]:
        """That it was given up, once."""
        return drained(self._events)


def forest_mask(
    positions: torch.Tensor, subtree_ends: torch.Tensor, num_past: int, window: int | None = None
) -> BlockMask:
    """What the queries after the first `num_past` keys see; `positions` and `subtree_ends` are by key, shape (keys,).

    With a `window`, only keys less than so many logical positions before the query.
    """
    import torch
    from torch.nn.attention.flex_attention import BlockMask

    num_keys = len(positions)
    places = torch.arange(num_past, num_keys, device=positions.device, dtype=torch.int32)
    positions, ends = positions.to(torch.int32), subtree_ends.to(torch.int32)
    earliest = None if window is None else positions[num_past:] - (window - 1)
    some, every = _tiles(places, ends, positions, earliest)
    return BlockMask.from_kv_blocks(
        *_listed(some & ~every),
        *_listed(every),
        BLOCK_SIZE=TILE,
        mask_mod=_seen(places, ends) if earliest is None else _seen_in_window(places, ends, positions, earliest),
        seq_lengths=(len(places), num_keys),
    )


def _tiles(
    places: torch.Tensor, ends: torch.Tensor, positions: torch.Tensor, earliest: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tiles in which some pair may be seen, and those in which every pair is, shapes (query tiles, key tiles).

    A tile beyond the last query or key is never whole: the kernel masks what is not there only in tiles that are not.
    """
    import torch

    first = places[::TILE, None]
    last = first + (TILE - 1)
    keys = torch.arange(len(ends), device=ends.device, dtype=torch.int32)
    some = (keys <= last) & (ends > first)
    every = (keys <= first) & (ends > last)
    if earliest is not None:
        most = torch.iinfo(torch.int32).max
        some &= positions >= _by_tile(earliest, most).amin(dim=1, keepdim=True)
        every &= positions >= _by_tile(earliest, -most).amax(dim=1, keepdim=True)
    return _by_tile(some, False).any(dim=-1), _by_tile(every, False).all(dim=-1)


def _by_tile(tensor: torch.Tensor, filler: int | bool) -> torch.Tensor:
    """The last dimension in two, (tiles, TILE), filled up with `filler`."""
    import torch

    missing = -tensor.shape[-1] % TILE
    return torch.nn.functional.pad(tensor, (0, missing), value=filler).unflatten(-1, (-1, TILE))


def _listed(tiles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """By row of `tiles` how many are true, and the columns with the true ones first, as `BlockMask` takes them."""
    import torch

    order = torch.argsort(tiles.to(torch.int32), dim=-1, descending=True, stable=True)
    return tiles.sum(dim=-1, dtype=torch.int32)[None, None], order.to(torch.int32)[None, None]


# Tensors only: a number that a mask closes over is a case of its own for the compiler.


def _seen(places: torch.Tensor, ends: torch.Tensor) -> Callable[..., Any]:
    def seen(batch: Any, head: Any, query: Any, key: Any) -> Any:
        return (key <= places[query]) & (places[query] < ends[key])

    return seen


def _seen_in_window(
    places: torch.Tensor, ends: torch.Tensor, positions: torch.Tensor, earliest: torch.Tensor
) -> Callable[..., Any]:
    def seen(batch: Any, head: Any, query: Any, key: Any) -> Any:
        return (key <= places[query]) & (places[query] < ends[key]) & (positions[key] >= earliest[query])

    return seen


def _capped(softcap: float) -> Callable[..., Any]:
    import torch

    def capped(score: Any, batch: Any, head: Any, query: Any, key: Any) -> Any:
        return torch.tanh(score / softcap) * softcap

    return capped


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: BlockMask, rules: Rules) -> torch.Tensor:
    import torch
    from torch.nn.attention import flex_attention

    kernel = _compiled() if query.is_cuda else flex_attention.flex_attention
    has_sinks = rules.sinks is not None
    found = kernel(
        query, key, value, block_mask=mask, scale=rules.scaling, enable_gqa=key.shape[1] != query.shape[1],
        score_mod=None if rules.softcap is None else _capped(rules.softcap),
        **({"return_aux": flex_attention.AuxRequest(lse=True)} if has_sinks else {}),
    )  # fmt: skip
    if rules.sinks is None:
        return found
    out, norms = found[0], found[1].lse
    # a sink is one more summand of the softmax's denominator: what the others have left of it
    left = torch.sigmoid(norms - rules.sinks.reshape(1, -1, 1).to(norms.dtype))
    return (out * left[..., None]).to(query.dtype)


@cache
def _compiled() -> Callable[..., Any]:
    """FlexAttention compiled for any number of tokens. It has to be whole: uncompiled it makes the matrix of scores."""
    import torch
    from torch.nn.attention.flex_attention import flex_attention

    compiled: Callable[..., Any] = torch.compile(flex_attention, dynamic=True, fullgraph=True)
    return compiled


@cache
def _returns_norms() -> bool:
    """Whether this torch returns the logarithm of the softmax's denominator in the form used here."""
    from torch.nn.attention import flex_attention

    return "return_aux" in signature(flex_attention.flex_attention).parameters and hasattr(flex_attention, "AuxRequest")


def _floats_constant() -> AbstractContextManager[None]:
    """Scales and score caps are constants of the kernel. Where sizes are inputs they would be too, and not compile."""
    import torch._dynamo

    config = torch._dynamo.config
    if not hasattr(config, "specialize_float"):
        return nullcontext()
    patched: AbstractContextManager[None] = config.patch(specialize_float=True)
    return patched
