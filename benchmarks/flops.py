"""Floating-point operations that scoring takes: for lm-eval's `hf` rows, for one row a request, and for our forest.

Counted are the products that grow with the model: ``2 * body parameters * tokens``, attention's
``4 * layers * heads * head width`` for each query and key that meet (exactly causal), and ``2 * head parameters`` for
each position whose logits are computed. Norms, softmax and look-ups are not, neither for us nor for lm-eval;
sliding windows are counted as if they were none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.forest import Forest, build_forest


@dataclass(frozen=True)
class Shape:
    """A model as its costs see it. `body` are the parameters of all layers' matrices, `head` those of the logits."""

    body: int
    head: int
    pair_flops: int
    """Operations of attention for one query and one key, all layers and heads together."""


@dataclass(frozen=True)
class Work:
    """What goes through a model: tokens, pairs of query and key in attention, positions whose logits are computed."""

    tokens: int = 0
    pairs: int = 0
    logit_rows: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.tokens + other.tokens, self.pairs + other.pairs, self.logit_rows + other.logit_rows)

    def flops(self, shape: Shape) -> int:
        """Operations on a model of `shape`."""
        return 2 * shape.body * self.tokens + shape.pair_flops * self.pairs + 2 * shape.head * self.logit_rows


def shape_of(config: Any) -> Shape:
    """The shape that a transformers `config` describes, without weights. For dense models: experts all count."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    head = model.get_output_embeddings().weight
    tables = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    matrices = {id(part): part.numel() for part in model.parameters() if part.dim() > 1}
    body = sum(size for name, size in matrices.items() if name not in tables and name != id(head))
    text = config.get_text_config()
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return Shape(body, head.numel(), 4 * text.num_hidden_layers * text.num_attention_heads * width)


def row_work(length: int, num_rows: int = 1) -> Work:
    """`num_rows` rows of `length` tokens with logits everywhere, as lm-eval computes them, padding included."""
    return Work(num_rows * length, num_rows * _causal_pairs(0, length), num_rows * length)


def _causal_pairs(start: int, end: int) -> int:
    """Pairs of query and key of the tokens at positions ``[start, end)``: each sees all before it, and itself."""
    return (end * (end + 1) - start * (start + 1)) // 2


def lm_eval_rows(pairs: Iterable[EncodedPair]) -> list[int]:
    """Lengths of the rows lm-eval's `hf` computes, longest first: one for requests that read the same tokens.

    That is its only sharing: it serves answers of one token each after one context.
    """
    return sorted((len(row) for row in {pair.row for pair in pairs}), reverse=True)


def lm_eval_work(pairs: Iterable[EncodedPair], batch_size: int) -> Work:
    """What lm-eval's `hf` computes: neighbours in length go together, padded on the right, logits everywhere."""
    lengths = lm_eval_rows(pairs)
    batches = (lengths[start : start + batch_size] for start in range(0, len(lengths), batch_size))
    return sum((row_work(batch[0], len(batch)) for batch in batches), Work())


def naive_tokens(pairs: Iterable[EncodedPair]) -> int:
    """Tokens of one row a request: the work that its answers stand for, however they were computed."""
    return sum(len(pair.row) for pair in pairs)


def forest_work(batches: Iterable[Sequence[EncodedPair]]) -> Work:
    """What scoring micro-batches as prefix forests takes: every distinct prefix once, logits where they are read."""
    return sum((_forest_work(pairs) for pairs in batches), Work())


def distinct_work(rows: Iterable[Sequence[int]], num_logits: int) -> Work:
    """Every distinct prefix of `rows` once, and logits at so many places."""
    return _work_of(_forest_of(rows), num_logits)


def _forest_of(rows: Iterable[Sequence[int]]) -> Forest:
    return build_forest([np.array(row, dtype=np.int32) for row in rows])


def _work_of(forest: Forest, num_logits: int) -> Work:
    seen = sum(_causal_pairs(segment.start, segment.end) for segment in forest.segments)
    return Work(forest.num_tokens, seen, num_logits)


def _forest_work(pairs: Sequence[EncodedPair]) -> Work:
    pairs = [pair for pair in pairs if pair.continuation]
    forest = _forest_of(pair.row for pair in pairs)
    read = {place for pair, last in zip(pairs, forest.last_segment, strict=True) for place in _read(forest, last, pair)}
    return _work_of(forest, len(read))


def _read(forest: Forest, last: int, pair: EncodedPair) -> Iterator[tuple[int, int]]:
    """Segment and position of every token whose logits score `pair`, whose row ends in the segment `last`."""
    first, end = len(pair.context) - 1, len(pair.row)
    for index in forest.path(last):
        segment = forest.segments[index]
        yield from ((index, place) for place in range(max(first, segment.start), min(end, segment.end)))
