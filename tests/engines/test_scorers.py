"""Every way of scoring against one row at a time: made-up rows of all shapes, and real requests of every task."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import byte_level_with_bos, save_llama

from evalsuite.config import RunConfig
from evalsuite.engines import plain_scorer, self_test
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.prepare import first_items, prepare
from evalsuite.types import Item, Loglikelihood, LoglikelihoodRequest, Response

pytestmark = pytest.mark.usefixtures("one_thread")

CONTEXT = 96
SHOTS = {"arc_challenge": 3, "hellaswag": 1, "mmlu_astronomy": 2, "truthfulqa": None, "winogrande": 5}
NUM_REQUESTS = 50
MAX_NATS, MAX_RELATIVE = 1e-3, 1e-5


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = save_llama(tmp_path_factory.mktemp("model"), byte_level_with_bos(), max_length=CONTEXT)
    return LocalModel(ModelSettings(str(folder), None, "float32", "cpu", None, None))


def assert_near(found: Response, expected: Response) -> None:
    assert isinstance(found, Loglikelihood), found
    assert isinstance(expected, Loglikelihood), expected
    allowed = max(MAX_NATS * 1e-1, MAX_RELATIVE * abs(expected.sum_nats))
    assert abs(found.sum_nats - expected.sum_nats) <= allowed
    assert found.num_tokens == expected.num_tokens


tokens = st.lists(st.integers(4, 7), min_size=1, max_size=12)


@st.composite
def pair_sets(draw: st.DrawFn) -> list[EncodedPair]:
    """Rows of four tokens only, so that they share beginnings by chance, with some that begin as others on purpose."""
    contexts = draw(st.lists(tokens, min_size=1, max_size=4))
    contexts += [list(part) for part in accumulate(contexts) if len(part) < CONTEXT - 12]
    found = []
    for _ in range(draw(st.integers(1, 12))):
        context = draw(st.sampled_from(contexts))
        ending = draw(tokens | st.just([5]) | st.just([4] * (CONTEXT + 1 - len(context))))
        found.append(EncodedPair(tuple(context), tuple(ending), ""))
    return found


@settings(max_examples=60, deadline=None)
@given(pairs=pair_sets())
@pytest.mark.parametrize("mode", ["forest", "cached"])
def test_any_set_of_rows_scores_as_each_alone(
    model: LocalModel, mode: self_test.ScoringMode, pairs: list[EncodedPair]
) -> None:
    """Shared beginnings, equal rows, rows that begin others, one token and very many, rows as long as the context."""
    for pair, found in zip(pairs, self_test.SCORERS[mode](model, pairs), strict=True):
        assert_near(found, plain_scorer.score(model, [pair])[0])


texts = st.text("ab \nह好", max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    requests=st.lists(st.tuples(texts, texts.filter(str.strip)), min_size=1, max_size=10), budget=st.integers(1, 200)
)
def test_any_plan_scores_as_one_request_alone(model: LocalModel, requests: list[tuple[str, str]], budget: int) -> None:
    """Empty contexts among them, whatever micro-batches hold."""
    items = [
        Item(id=f"s{place}#1.0", sample_id=f"s{place}", wave=1, request=LoglikelihoodRequest(context=a, continuation=b))
        for place, (a, b) in enumerate(requests)
    ]
    engine = TransformersEngine(model)
    whole = dict(engine.run(engine.plan(items)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalModel, "token_budget", budget)
        batches = engine.plan(items)
    parts = dict(engine.run(batches))
    for item in items:
        assert isinstance(item.request, LoglikelihoodRequest)
        expected = plain_scorer.score(model, [model.encoder.encode_pair(item.request)])[0]
        assert_near(whole[item.id], expected)
        assert_near(parts[item.id], expected)


@pytest.mark.model
@pytest.mark.data
@pytest.mark.parametrize("task", SHOTS)
def test_real_requests_score_as_each_alone(mirror: Path, task: str) -> None:
    """Fifty requests of each task's first documents, SmolLM2 in float32."""
    config = RunConfig(
        model="smollm2-135m",
        model_args={"dtype": "float32"},
        tasks=(task,),
        num_fewshot=SHOTS[task],
        limit=float(NUM_REQUESTS),
        limit_mode="first",
        data_dir=str(mirror),
    )
    prepared = prepare(config)
    engine = prepared.engine
    assert isinstance(engine, TransformersEngine)
    items = first_items(prepared, prepared.tasks[0])[:NUM_REQUESTS]
    found = dict(engine.run(engine.plan(items)))
    assert engine.model.verdict.scoring == "forest"
    sum_difference = sum_nats = 0.0
    for item in items:
        pair = engine.requests.pair(item.request)
        response, expected = found[item.id], plain_scorer.score(engine.model, [pair])[0]
        assert isinstance(response, Loglikelihood)
        assert isinstance(expected, Loglikelihood)
        difference = abs(response.sum_nats - expected.sum_nats)
        assert difference <= MAX_NATS
        assert response.is_greedy == expected.is_greedy
        sum_difference += difference
        sum_nats += abs(expected.sum_nats)
    assert sum_difference <= MAX_RELATIVE * sum_nats  # a sure answer has too few nats for that
