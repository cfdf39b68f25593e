"""Operations as the benchmarks count them, against torch's own counter and against counting one by one."""

from __future__ import annotations

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from evalsuite.engines.encoding import EncodedPair

flops = pytest.importorskip("flops")

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "vocab_size": 64}  # fmt: skip
LENGTH = 7


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("name", ["Llama", "Qwen3", "GPTNeoX"])
def test_the_shape_of_a_model_is_what_torch_counts(name: str, tied: bool) -> None:
    """torch counts attention's whole square; we count the half below its diagonal, and the diagonal."""
    config = getattr(transformers, f"{name}Config")(**SIZES, tie_word_embeddings=tied)
    model = getattr(transformers, f"{name}ForCausalLM")(config).eval()
    model.set_attn_implementation("eager")  # torch's counter passes over its kernel for CPUs
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(input_ids=torch.zeros(1, LENGTH, dtype=torch.long), use_cache=False)
    shape = flops.shape_of(config)
    square = flops.Work(LENGTH, LENGTH**2, LENGTH)
    assert square.flops(shape) == counter.get_total_flops()


tokens = st.lists(st.integers(0, 2), min_size=1, max_size=6)


@given(st.lists(st.tuples(tokens, tokens), min_size=1, max_size=8))
def test_a_forest_computes_every_prefix_once(rows: list[tuple[list[int], list[int]]]) -> None:
    pairs = [EncodedPair(tuple(context), tuple(ending), "") for context, ending in rows]
    prefixes = {pair.row[: place + 1] for pair in pairs for place in range(len(pair.row))}
    read = {pair.row[: place + 1] for pair in pairs for place in range(len(pair.context) - 1, len(pair.row))}
    expected = flops.Work(len(prefixes), sum(map(len, prefixes)), len(read))
    assert flops.forest_work([pairs]) == expected
    assert flops.forest_work([[*pairs, EncodedPair((9, 9), (), "")]]) == expected


@given(st.lists(st.tuples(tokens, tokens), min_size=1, max_size=8), st.integers(1, 4))
def test_padded_rows_count_whole(rows: list[tuple[list[int], list[int]]], size: int) -> None:
    """Rows that read the same are one, neighbours in length share a batch, and padding is computed."""
    pairs = [EncodedPair(tuple(context), tuple(ending), "") for context, ending in rows]
    lengths = sorted((len(row) for row in {pair.row for pair in pairs}), reverse=True)
    work = flops.Work()
    for start in range(0, len(lengths), size):
        batch = lengths[start : start + size]
        work += flops.Work(batch[0] * len(batch), sum(range(1, batch[0] + 1)) * len(batch), batch[0] * len(batch))
    assert flops.lm_eval_work(pairs, size) == work
