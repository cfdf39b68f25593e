"""Log-likelihoods with each context computed once, for models whose attention or state is their own affair.

ALiBi, state-space and hybrid models cannot read a packed forest, but all of them keep a cache while they generate. The
context fills it; the continuations go on from copies of it, padded on the right, where padding comes after all that is
read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from evalsuite.engines import memory
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.scores import score_row
from evalsuite.types import Response

if TYPE_CHECKING:
    import torch

CONTEXT_TOKENS = 4096
"""Tokens of contexts of one length that go through the model together."""

_MAX_ROWS = 64
"""Continuations that go on together."""


def score(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    """The log-likelihood of each pair's continuation, in order. Raises ValueError for a model that keeps no cache."""
    found: dict[int, Response] = {}
    for places in _groups(pairs, memory.MAX_LOGITS // len(model.encoder.tokenizer)):
        found |= zip(places, _score_group(model, [pairs[place] for place in places]), strict=True)
    return [found[place] for place in range(len(pairs))]


def _groups(pairs: Sequence[EncodedPair], max_reads: int) -> Iterator[list[int]]:
    """Places of pairs whose contexts have one length, whole contexts together as far as the limits allow.

    Continuations padded to the longest have at most `max_reads` tokens, unless one alone has more.
    """

    def by_context(place: int) -> tuple[int, tuple[int, ...]]:
        return len(pairs[place].context), pairs[place].context

    group: list[int] = []
    contexts = 0
    length = 0
    for (size, _), places in groupby(sorted(range(len(pairs)), key=by_context), key=by_context):
        for part in _parts(pairs, list(places), max_reads):
            is_full = (contexts + 1) * size > CONTEXT_TOKENS or not _fit(pairs, [*group, *part], max_reads)
            if group and (size != length or is_full):
                yield group
                group, contexts = [], 0
            group, contexts, length = group + part, contexts + 1, size
    if group:
        yield group


def _parts(pairs: Sequence[EncodedPair], places: Sequence[int], max_reads: int) -> Iterator[list[int]]:
    """The continuations of one context, in their order, as many together as may be."""
    part: list[int] = []
    for place in places:
        if part and not _fit(pairs, [*part, place], max_reads):
            yield part
            part = []
        part.append(place)
    yield part


def _fit(pairs: Sequence[EncodedPair], places: Sequence[int], max_reads: int) -> bool:
    """Whether continuations may go on together."""
    longest = max(len(pairs[place].continuation) for place in places)
    return len(places) <= _MAX_ROWS and len(places) * longest <= max_reads


def _score_group(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    """Score pairs whose contexts are equally long."""
    import torch

    contexts = list(dict.fromkeys(pair.context for pair in pairs))
    place_of = {context: place for place, context in enumerate(contexts)}
    owners = torch.tensor([place_of[pair.context] for pair in pairs], device=model.settings.device)
    with torch.inference_mode():
        ids = torch.tensor(contexts, device=owners.device)
        output = model.model(input_ids=ids, use_cache=True, logits_to_keep=1)
        first = output.logits[:, -1:].index_select(0, owners)
        logits = torch.cat([first, _following(model, pairs, owners, output)], dim=1)
        return [score_row(row, pair) for row, pair in zip(logits, pairs, strict=True)]


def _following(model: LocalModel, pairs: Sequence[EncodedPair], owners: torch.Tensor, output: Any) -> torch.Tensor:
    """Logits after each of the continuations' tokens but their last, shape (pairs, tokens, vocabulary)."""
    import torch

    longest = max(max(len(pair.continuation) for pair in pairs), 1) - 1
    if not longest:
        return output.logits.new_zeros(len(pairs), 0, output.logits.shape[-1])
    name = "past_key_values" if getattr(output, "past_key_values", None) is not None else "cache_params"
    cache = getattr(output, name, None)
    if cache is None:
        raise ValueError("this model keeps no cache")
    cache.reorder_cache(owners)
    size, device = len(pairs[0].context), owners.device
    rows = [[*pair.continuation[:-1]] for pair in pairs]
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([size + len(row) for row in rows], device=device)
    mask = (torch.arange(size + longest, device=device)[None, :] < lengths[:, None]).long()
    extra = {} if name == "cache_params" else {"attention_mask": mask}
    logits: torch.Tensor = model.model(input_ids=ids, use_cache=True, **{name: cache}, **extra).logits
    return logits
