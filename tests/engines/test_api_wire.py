"""OpenAI's wire format: what is sent, and that no body whatever breaks the reading of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.canonical import canonical_json
from evalsuite.engines.api.policy import Fault
from evalsuite.engines.api.wire import (
    Body,
    chat_completion,
    chat_payload,
    completion_payload,
    echo_payload,
    echoed_tokens,
    read_body,
    text_completion,
)
from evalsuite.types import Completion, GenerateRequest, Message

REQUEST = GenerateRequest(
    prompt=(Message(role="system", content="Be brief."), Message(role="user", content="Hi")),
    max_tokens=9,
    stop=("\n", "#", "$", "%", "&"),
    temperature=0.5,
    top_p=0.9,
    seed=4,
    num_alternatives=2,
)
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["choices", "message", "content", "refusal", "finish_reason", "index", "usage", "prompt_tokens", "logprobs",
         "completion_tokens", "text", "tokens", "token_logprobs", "top_logprobs", "token", "logprob", "error"]
    ), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


def body(choice: dict[str, Any], **rest: Any) -> bytes:
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    return json.dumps({"choices": [{"index": 0, "finish_reason": "stop", **choice}], "usage": usage, **rest}).encode()


def read(content: bytes) -> Body:
    found = read_body(content, "application/json; charset=utf-8", needs_usage=True)
    assert isinstance(found, Body), found
    return found


def test_payloads() -> None:
    assert chat_payload("m", REQUEST, {"top_k": 3}) == {
        "model": "m", "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 4, "stop": ["\n", "#", "$", "%"],
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], "top_k": 3,
        "logprobs": True, "top_logprobs": 2,
    }  # fmt: skip
    greedy = GenerateRequest(prompt="a\ud800b", max_tokens=1)
    sent = completion_payload("m", "a\ud800b", greedy, {})
    assert (sent["max_tokens"], sent["temperature"]) == (1, 0.0)
    assert sent["prompt"].encode("utf-8").decode("utf-8") == sent["prompt"], "a lone surrogate is no text to a server"
    assert completion_payload("m", (1, 2), greedy, {})["prompt"] == [1, 2]
    assert echo_payload("m", (1, 2), {})["echo"] is True


def test_answers() -> None:
    found = chat_completion(read(body({"message": {"content": "Hello # there"}})), REQUEST)
    assert isinstance(found, Completion)
    assert (found.text, found.stop_reason, found.num_prompt_tokens, found.num_tokens) == ("Hello ", "stop", 7, 3)
    refused = chat_completion(read(body({"message": {"content": None, "refusal": "No."}})), REQUEST)
    assert isinstance(refused, Completion)
    assert (refused.text, refused.stop_reason) == ("No.", "refusal")
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    joined = chat_completion(read(body({"message": {"content": parts}})), REQUEST)
    assert isinstance(joined, Completion)
    assert joined.text == "ab"
    cut = text_completion(read(body({"text": "one", "finish_reason": "length"})), REQUEST)
    assert isinstance(cut, Completion)
    assert cut.stop_reason == "length"


def test_alternatives_in_both_forms() -> None:
    place = {"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -2.0},
                                                            {"token": "a", "logprob": -0.5}]}  # fmt: skip
    chat = chat_completion(read(body({"message": {"content": "a"}, "logprobs": {"content": [place]}})), REQUEST)
    older = {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"b": -2.0, "a": -0.5}]}
    text = text_completion(read(body({"text": "a", "logprobs": older})), REQUEST)
    for found in (chat, text):
        assert isinstance(found, Completion)
        assert (found.tokens, found.logprobs_nats) == (("a",), (-0.5,))
        assert found.alternatives == ((("a", -0.5), ("b", -2.0)),)


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {"token_logprobs": [], "tokens": []},
        {"token_logprobs": [None, float("nan")], "tokens": ["a", "b"]},
        {"token_logprobs": [None, 3.0], "tokens": ["a", "b"]},
        {"token_logprobs": [None, -1.0], "tokens": ["a"]},
        {"token_logprobs": [None, "x"], "tokens": ["a", "b"]},
        {"token_logprobs": [None, -1.0], "tokens": ["a", "b"], "top_logprobs": [None]},
    ],
)
def test_log_probabilities_that_are_none_are_refused(logprobs: Any) -> None:
    assert isinstance(echoed_tokens(Body({"logprobs": logprobs}, 1, 1, "")), Fault)


def test_a_probability_of_nothing_stays_a_number() -> None:
    given = {"token_logprobs": [None, float("-inf")], "tokens": ["a", "b"], "top_logprobs": [None, {"c": -0.1}]}
    tokens = echoed_tokens(Body({"logprobs": given}, 1, 1, ""))
    assert not isinstance(tokens, Fault)
    assert (tokens[1].nats, tokens[1].best_nats) == (-9999.0, -0.1)


@given(JSON, st.booleans())
def test_no_body_breaks_the_reading(value: Any, needs_usage: bool) -> None:
    for content in (json.dumps(value).encode(), json.dumps({"choices": [value], "usage": value}).encode()):
        found = read_body(content, "application/json", needs_usage=needs_usage)
        if isinstance(found, Fault):
            continue
        for answer in (chat_completion(found, REQUEST), text_completion(found, REQUEST)):
            assert isinstance(answer, Completion | Fault)
            if isinstance(answer, Completion):
                canonical_json(answer)
        assert isinstance(echoed_tokens(found), tuple | Fault)


@given(st.binary(max_size=60), st.text(max_size=20))
def test_no_bytes_break_the_reading(content: bytes, content_type: str) -> None:
    assert isinstance(read_body(content, content_type, needs_usage=False), Body | Fault)
    assert isinstance(read_body(b"[" * 100_000, "application/json", needs_usage=False), Fault)
