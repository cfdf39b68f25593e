"""What a model takes of memory, as forecast, against what it does take; and how much goes through it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_architectures import saved

from evalsuite.engines import cached_scorer, memory
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.packed_pass import plan_pass, run_pass

LATENT = {
    "kv_lora_rank": 8, "q_lora_rank": 8, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 12,
    "num_key_value_heads": 4, "first_k_dense_replace": 2, "head_dim": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Llama", {"num_key_value_heads": 2}),
        ("Llama", {"num_key_value_heads": 1, "head_dim": 24}),
        ("GPTNeoX", {"num_key_value_heads": 4}),
        ("DeepseekV3", LATENT),
    ],
)
def test_keys_and_values_take_what_is_forecast(tmp_path: Path, name: str, settings: dict[str, Any]) -> None:
    model = saved(tmp_path, name, settings)
    plan = plan_pass([np.arange(4, 11, dtype=np.int32)], [np.array([6])])
    kept = run_pass(model, plan, keeps=True).layout.kept
    taken = sum(tensor.nbytes for layer in kept.values() for tensor in layer)
    assert model.key_value_bytes == taken / 7


def test_weights_are_counted_as_they_were_loaded(tmp_path: Path) -> None:
    model = saved(tmp_path, "Llama", {})
    model.unload()
    assert model.memory_held() == {}
    distinct = {
        tensor.data_ptr(): tensor.nbytes for tensor in (*model.model.state_dict().values(), *model.model.buffers())
    }
    assert model.memory_held() == {"weights_bytes": sum(distinct.values())}


@pytest.mark.skipif(not memory.restart_peak(), reason="this system does not let a process's peak begin anew")
def test_a_peak_is_that_since_it_began_anew() -> None:
    memory.restart_peak()
    before = memory.peak_resident_bytes()
    block = np.ones(2**26, dtype=np.uint8)
    during = memory.peak_resident_bytes()
    del block
    kept = memory.peak_resident_bytes()
    memory.restart_peak()
    after = memory.peak_resident_bytes()
    assert before is not None
    assert during is not None
    assert after is not None
    assert during - before > 2**25
    assert kept is not None
    assert abs(kept - during) < 2**22  # Linux counts pages in batches
    assert during - after > 2**25


def pairs_of(*sizes: int, context: int = 5) -> list[EncodedPair]:
    """Continuations of so many tokens to one context."""
    return [EncodedPair(tuple(range(context)), (1,) * size, "") for size in sizes]


@pytest.mark.parametrize(
    ("sizes", "max_reads", "expected"),
    [
        ([3, 3, 3, 3], 12, [4]),
        ([3, 3, 3, 3], 11, [3, 1]),
        ([1, 1, 9, 1], 10, [2, 1, 1]),
        ([20, 1, 20], 10, [1, 1, 1]),
        ([1] * 150, 10**9, [64, 64, 22]),
    ],
)
def test_continuations_that_go_on_together_are_bounded(sizes: list[int], max_reads: int, expected: list[int]) -> None:
    groups = list(cached_scorer._groups(pairs_of(*sizes), max_reads))
    assert [len(group) for group in groups] == expected
    assert sorted(place for group in groups for place in group) == list(range(len(sizes)))


def test_two_contexts_share_a_group_only_while_both_fit() -> None:
    pairs = [*pairs_of(2, 2), *(EncodedPair((9, 9, 9, 9, 9), (1,) * 4, "") for _ in range(2))]
    assert [len(group) for group in cached_scorer._groups(pairs, 16)] == [4]
    assert [len(group) for group in cached_scorer._groups(pairs, 15)] == [2, 2]
