"""The API engine against real servers: the same texts and scores as the engine in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from transformers_server import MODEL, transformers_server
from vllm_server import vllm_python, vllm_server

from evalsuite.config import ModelConfig, RunConfig, make_config
from evalsuite.engines.api.engine import OpenAIEngine, open_engine
from evalsuite.engines.base import Engine, EngineOptions
from evalsuite.engines.model_arguments import open_engine as open_local
from evalsuite.errors import UsageError
from evalsuite.judged import read_run
from evalsuite.judging import Asked, open_bench, prepare_judging
from evalsuite.prepare import prepare
from evalsuite.run import Quiet, execute
from evalsuite.types import (
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Message,
    Request,
    Response,
)

pytestmark = pytest.mark.model
GREETINGS = ("Count to four.", "Dis bonjour.", "ما عاصمة مصر؟", "天空是什么颜色？", "नमस्ते!")


def asked(engine: Engine, requests: list[Request]) -> list[Response]:
    items = [Item(id=f"s{n}#1.0", sample_id=f"s{n}", wave=1, request=request) for n, request in enumerate(requests)]
    found = dict(engine.run(engine.plan(items)))
    return [found[item.id] for item in items]


def texts(responses: list[Response]) -> list[str]:
    assert all(isinstance(response, Completion) for response in responses), responses
    return [response.text for response in responses if isinstance(response, Completion)]


@pytest.fixture(scope="module")
def local() -> Engine:
    return open_local(EngineOptions(MODEL, {"dtype": "float32"}, device="cpu", batch_size=1))


def chats() -> list[Request]:
    return [
        GenerateRequest(prompt=(Message(role="user", content=text),), max_tokens=12, stop=("\n",)) for text in GREETINGS
    ]


def openings() -> list[Request]:
    return [GenerateRequest(prompt=text, max_tokens=10) for text in ("One, two, three,", "The capital of France is")]


def choices() -> list[Request]:
    """Every choice of some of the built-in questions, in six languages."""
    prepared = prepare(RunConfig(model="scripted", tasks=("mini_choice",), limit=6))
    return [
        request
        for entry in prepared.tasks
        for sample in entry.samples
        for request in entry.task.next_requests(sample, ())
    ]


# -- transformers serve


@pytest.fixture(scope="module")
def served() -> Iterator[OpenAIEngine]:
    with transformers_server() as (base_url, model):
        yield open_engine(EngineOptions("openai", {"model": model, "base_url": base_url, "concurrency": 2}))


def test_transformers_serves_the_texts_of_this_process(served: OpenAIEngine, local: Engine) -> None:
    assert texts(asked(served, chats())) == texts(asked(local, chats()))
    assert texts(asked(served, openings())) == texts(asked(local, openings()))


def test_a_server_without_log_probabilities_is_refused_in_one_sentence(served: OpenAIEngine) -> None:
    request = LoglikelihoodRequest(context="One, two,", continuation=" three")
    with pytest.raises(UsageError, match="need a completions endpoint with echo") as caught:
        asked(served, [request])
    assert "\n" not in str(caught.value)


def test_answers_are_judged_by_a_server(served: OpenAIEngine, tmp_path: Path) -> None:
    config = make_config({}, {"model": "scripted", "tasks": ("mini_chat_en",), "limit": 2.0})
    execute(prepare(config), tmp_path / "answers", Quiet())
    settings = served.settings
    model = ModelConfig(model="openai", model_args={"model": settings.model, "base_url": settings.base_url})
    bench = open_bench(Asked("rating", model))
    bench = replace(bench, asked=replace(bench.asked, options=replace(bench.asked.options, max_tokens=24)))
    bench = replace(bench, rubric=bench.judge.build((), bench.asked.options))
    finished = execute(prepare_judging(bench, [read_run(tmp_path / "answers")]), tmp_path / "judged", Quiet())
    counts = finished.counts
    assert counts.scored + counts.unscored_by_cause.get("judge_unparsed", 0) == counts.requested == 2


# -- vLLM's server, where an environment with vLLM is named


@pytest.fixture(scope="module")
def vllm() -> Iterator[dict[str, OpenAIEngine]]:
    with vllm_server(vllm_python()) as server:
        args = {"model": server.model, "base_url": server.base_url, "concurrency": 8}
        yield {
            "by ids": open_engine(EngineOptions("openai", {**args, "tokenizer": MODEL})),
            "by text": open_engine(EngineOptions("openai", args)),
        }


def check_equal(ours: Response, theirs: Response) -> None:
    assert isinstance(ours, Loglikelihood)
    assert isinstance(theirs, Loglikelihood)
    assert theirs.sum_nats == pytest.approx(ours.sum_nats, abs=1e-3)
    assert (theirs.num_tokens, theirs.is_greedy) == (ours.num_tokens, ours.is_greedy)


@pytest.mark.vllm
def test_vllm_s_server_scores_as_this_process(vllm: dict[str, OpenAIEngine], local: Engine) -> None:
    requests = choices()
    assert len(requests) >= 20
    for ours, theirs in zip(asked(local, requests), asked(vllm["by ids"], requests), strict=True):
        check_equal(ours, theirs)


@pytest.mark.vllm
def test_one_of_two_servers_is_killed_and_nothing_is_lost(local: Engine) -> None:
    requests = [*choices(), *chats()]
    items = [Item(id=f"s{n:03}", sample_id=f"s{n:03}", wave=1, request=one) for n, one in enumerate(requests)]
    with vllm_server(vllm_python()) as first, vllm_server(vllm_python()) as second:
        args = {"model": MODEL, "base_url": f"{first.base_url};{second.base_url}", "concurrency": 4, "tokenizer": MODEL}
        engine = open_engine(EngineOptions("openai", args))
        found: dict[str, Response] = {}
        for name, response in engine.run(engine.plan(items)):
            found[name] = response
            if len(found) == len(items) // 3:
                second.kill()
        (rest,) = [event for event in engine.take_events() if event.name == "server_rests"]
    assert rest.facts["server"] == second.base_url
    for ours, item in zip(asked(local, requests), items, strict=True):
        theirs = found[item.id]
        if isinstance(ours, Completion):
            assert isinstance(theirs, Completion)
            assert theirs.text == ours.text
        else:
            check_equal(ours, theirs)


@pytest.mark.vllm
def test_scores_by_text_are_equal_or_refused(vllm: dict[str, OpenAIEngine], local: Engine) -> None:
    """Tokens that are parts of characters do not spell a text; then there is no score, and a hint."""
    requests = choices()
    found = list(zip(asked(local, requests), asked(vllm["by text"], requests), strict=True))
    refused = [theirs for _, theirs in found if isinstance(theirs, Failure)]
    assert all("give tokenizer=NAME" in failure.detail for failure in refused)
    assert 8 <= len(found) - len(refused) < len(found)
    for ours, theirs in found:
        if not isinstance(theirs, Failure):
            check_equal(ours, theirs)


@pytest.mark.vllm
def test_vllm_s_server_generates_as_this_process(vllm: dict[str, OpenAIEngine], local: Engine) -> None:
    for requests in (chats(), openings()):
        expected = texts(asked(local, requests))
        assert texts(asked(vllm["by text"], requests)) == expected
        assert texts(asked(vllm["by ids"], requests)) == expected


@pytest.mark.vllm
def test_vllm_s_server_gives_alternatives(vllm: dict[str, OpenAIEngine]) -> None:
    prompt = (Message(role="user", content="Count to four."),)
    request = GenerateRequest(prompt=prompt, max_tokens=4, num_alternatives=5)
    (answer,) = asked(vllm["by text"], [request])
    assert isinstance(answer, Completion)
    assert answer.logprobs_nats is not None
    assert len(answer.tokens) == len(answer.alternatives) == len(answer.logprobs_nats) == 4
    for token, nats, others in zip(answer.tokens, answer.logprobs_nats, answer.alternatives, strict=True):
        assert len(others) >= 5
        assert others[0][0] == token
        assert others[0][1] == pytest.approx(nats)
