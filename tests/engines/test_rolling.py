"""Texts longer than the context: the windows of lm-eval, token for token, and its numbers by its own code."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import characters, save_llama

from evalsuite.engines.base import EngineOptions
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.rolling import joined, windows
from evalsuite.engines.scores import NO_TOKENS
from evalsuite.plugins import ENGINES, load
from evalsuite.types import Item, Loglikelihood, Response, RollingRequest

TEXTS = ["abc " * count + "the end" for count in (1, 3, 4, 5, 8, 13, 40)] + [""]


@given(st.integers(2, 40), st.integers(1, 200))
def test_windows_are_those_of_lm_eval(max_length: int, num_tokens: int) -> None:
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    tokens = list(range(1, num_tokens + 1))
    theirs = [
        make_disjoint_window(window)
        for window in get_rolling_token_windows(tokens, prefix_token=0, max_seq_len=max_length, context_len=1)
    ]
    pair = EncodedPair((0,), tuple(tokens), "a text")
    ours = [(list(one.context), list(one.continuation)) for one in windows(pair, max_length)]
    assert ours == theirs
    assert all(len(one.row) <= max_length for one in windows(pair, max_length))


def test_a_window_without_an_answer_is_the_answer() -> None:
    pair = EncodedPair((0,), (1, 2, 3), "abc")
    part = Loglikelihood(sum_nats=-1.0, num_tokens=2, num_chars=2, num_bytes=2, is_greedy=True)
    assert joined(pair, [part, NO_TOKENS]) == NO_TOKENS
    whole = joined(pair, [part, part])
    assert isinstance(whole, Loglikelihood)
    assert (whole.sum_nats, whole.num_tokens, whole.num_chars, whole.is_greedy) == (-2.0, 3, 3, True)


@pytest.mark.filterwarnings("ignore")
def test_long_texts_have_lm_evals_own_log_likelihoods(tmp_path: Path) -> None:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    save_llama(tmp_path, characters())
    max_length = 24
    theirs = HFLM(pretrained=str(tmp_path), dtype="float32", device="cpu", max_length=max_length, batch_size=1)
    asked = [Instance("loglikelihood_rolling", {}, (text,), number) for number, text in enumerate(TEXTS)]
    expected = theirs.loglikelihood_rolling(asked, disable_tqdm=True)
    engine = load(ENGINES, "transformers")(
        EngineOptions(model=str(tmp_path), args={"dtype": "float32", "max_length": max_length}, device="cpu")
    )
    items = [
        Item(id=f"t:test:{number}#1.0", sample_id=f"t:test:{number}", wave=1, request=RollingRequest(text=text))
        for number, text in enumerate(TEXTS)
    ]
    assert [engine.overflow(item.request) for item in items] == [0] * len(items)
    found: dict[str, Response] = dict(engine.run(engine.plan(items)))
    for item, wanted in zip(items, expected, strict=True):
        answer = found[item.id]
        assert isinstance(answer, Loglikelihood)
        assert math.isclose(answer.sum_nats, wanted, rel_tol=1e-5, abs_tol=1e-4)
    engine.close()
