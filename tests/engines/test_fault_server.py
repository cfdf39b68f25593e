"""The fault server itself, seen through plain sockets: every mode on the wire, healthy answers, and what it records."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from fault_modes import gzip_bomb
from fault_server import FAULTS, FaultServer, Mode, Settings, at_rate
from hypothesis import given
from hypothesis import strategies as st
from toy_answers import WORDS, answer, likeliest, logprob, tokenise

PROMPT = "ছয় নদী, one lamp?"
KEY = "sk-canary-7f3a"
ECHO_SERVER = Path(__file__).parents[2] / "benchmarks" / "echo_server.py"


@dataclass(frozen=True)
class Got:
    """A response, names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def choices(self) -> Any:
        return self.json["choices"]


def chat(text: str = PROMPT, **rest: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
    return {"model": "toy", "messages": messages, **rest}


def exchange(connection: HTTPConnection, body: object, path: str = "/v1/chat/completions") -> Got:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    return Got(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def ask(port: int, body: object, path: str = "/v1/chat/completions") -> Got:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        return exchange(connection, body, path)
    finally:
        connection.close()


def complete(port: int, **body: Any) -> Got:
    return ask(port, {"model": "toy", **body}, "/v1/completions")


def met(mode: Mode, body: object = None, **settings: Any) -> Got:
    """What a request meets in `mode`."""
    with always(mode, **settings) as server:
        return ask(server.port, body or chat())


def always(mode: Mode, **settings: Any) -> FaultServer:
    return FaultServer(at_rate(mode, 1.0, None), settings=Settings(**settings))


def raw_request(body: object) -> bytes:
    content = json.dumps(body).encode()
    return b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)


def opened(port: int, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(sent)
    return connection


def read_to_end(connection: socket.socket) -> tuple[bytes, bool]:
    """All that comes, and whether a reset ended it."""
    read = b""
    try:
        while piece := connection.recv(2**16):
            read += piece
    except ConnectionResetError:
        return read, True
    return read, False


@pytest.fixture(scope="module")
def sound() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


# -- healthy answers -------------------------------------------------------------------------------------------


def test_a_chat_is_answered_in_openais_format(sound: FaultServer) -> None:
    from openai.types.chat import ChatCompletion

    got = ask(sound.port, chat(logprobs=True, top_logprobs=2))
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    parsed = ChatCompletion.model_validate(got.json)
    [choice] = parsed.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert choice.message.content == answer(PROMPT)
    assert choice.message.refusal is None
    assert parsed.object == "chat.completion"
    num_tokens = len(tokenise(answer(PROMPT)))
    assert parsed.usage
    assert parsed.usage.prompt_tokens == len(["Be", " brief", "."]) + len(tokenise(PROMPT))
    assert parsed.usage.completion_tokens == num_tokens
    assert parsed.usage.total_tokens == parsed.usage.prompt_tokens + num_tokens
    assert choice.logprobs
    scores = choice.logprobs.content
    assert scores
    assert "".join(score.token for score in scores) == answer(PROMPT)
    assert [score.logprob for score in scores] == [logprob(score.token) for score in scores]
    assert b"".join(bytes(score.bytes or ()) for score in scores) == answer(PROMPT).encode()
    assert [one.token for one in scores[0].top_logprobs] == list(likeliest()[:2])


def test_no_log_probabilities_unless_asked(sound: FaultServer) -> None:
    assert ask(sound.port, chat()).choices[0]["logprobs"] is None
    assert complete(sound.port, prompt=PROMPT).choices[0]["logprobs"] is None


def test_answers_are_sent_as_raw_utf8(sound: FaultServer) -> None:
    prompt = next(text for text in map(str, range(1000)) if "🌊" in answer(text) and "ё" in answer(text))
    body = ask(sound.port, chat(prompt)).body
    assert "🌊".encode() in body
    assert b"\\u" not in body


def test_the_last_user_message_is_the_prompt(sound: FaultServer) -> None:
    turns = [("user", "first"), ("assistant", "well"), ("user", [{"type": "text", "text": "la"}, {"text": "st"}])]
    messages = [{"role": role, "content": content} for role, content in turns]
    got = ask(sound.port, {"model": "toy", "messages": messages})
    assert got.choices[0]["message"]["content"] == answer("last")
    assert sound.requests_with("last")[0].body["messages"] == messages


def test_answers_differ_by_prompt_choice_and_seed_and_are_8_to_24_known_words() -> None:
    texts = [answer(f"p{number}") for number in range(500)]
    assert len(set(texts)) == 500
    lengths = {len(text.split(" ")) for text in texts}
    assert lengths == set(range(8, 25))
    assert {word for text in texts for word in text.split(" ")} == set(WORDS)
    assert len({answer("p"), answer("p", choice=1), answer("p", seed=1), answer("q")}) == 4
    with FaultServer(seed=1) as server:
        assert ask(server.port, chat()).choices[0]["message"]["content"] == answer(PROMPT, seed=1)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_chat_is_cut_at_its_cap(sound: FaultServer, name: str) -> None:
    tokens = tokenise(answer(PROMPT))
    cut = ask(sound.port, chat() | {name: 3})
    assert cut.choices[0]["message"]["content"] == "".join(tokens[:3])
    assert cut.choices[0]["finish_reason"] == "length"
    assert cut.json["usage"]["completion_tokens"] == 3
    whole = ask(sound.port, chat() | {name: len(tokens)})
    assert whole.choices[0]["message"]["content"] == answer(PROMPT)
    assert whole.choices[0]["finish_reason"] == "stop"


def test_a_completion_has_16_tokens_unless_told_otherwise(sound: FaultServer) -> None:
    from openai.types import Completion

    prompt = next(text for text in map(str, range(1000)) if len(tokenise(answer(text))) > 16)
    tokens = tokenise(answer(prompt))
    default = Completion.model_validate(complete(sound.port, prompt=prompt).json)
    assert default.object == "text_completion"
    assert (default.choices[0].text, default.choices[0].finish_reason) == ("".join(tokens[:16]), "length")
    longer = complete(sound.port, prompt=prompt, max_tokens=500).choices[0]
    assert (longer["text"], longer["finish_reason"]) == (answer(prompt), "stop")


def test_the_text_ends_before_the_earliest_stop_string(sound: FaultServer) -> None:
    words = answer(PROMPT).split(" ")
    choice = ask(sound.port, chat(stop=[f" {words[4]}", f" {words[2]}", "never said"])).choices[0]
    assert choice["message"]["content"] == " ".join(words[:2])
    assert choice["finish_reason"] == "stop"


def test_several_prompts_and_choices_are_numbered_prompt_by_prompt(sound: FaultServer) -> None:
    got = complete(sound.port, prompt=["one", "two"], n=2, max_tokens=100)
    assert [choice["index"] for choice in got.choices] == [0, 1, 2, 3]
    assert [choice["text"] for choice in got.choices] == [
        answer("one"),
        answer("one", choice=1),
        answer("two"),
        answer("two", choice=1),
    ]
    assert got.json["usage"]["prompt_tokens"] == 2
    assert got.json["usage"]["completion_tokens"] == sum(len(tokenise(choice["text"])) for choice in got.choices)


def test_the_models_are_listed() -> None:
    from openai.types import Model

    with FaultServer(at_rate(Mode.SERVER_ERROR, 1.0), settings=Settings(models=("a", "b"))) as server:
        got = ask(server.port, None, "/v1/models")
        assert [Model.model_validate(one).id for one in got.json["data"]] == ["a", "b"]
        assert [(one.method, one.mode) for one in server.requests] == [("GET", None)]
    with FaultServer(settings=Settings(models_mode=Mode.UNAUTHORISED)) as server:
        assert ask(server.port, None, "/v1/models").status == 401
        assert server.requests[0].mode is Mode.UNAUTHORISED


# -- log-probabilities of prompts ------------------------------------------------------------------------------


def test_tokens_carry_the_whitespace_before_them() -> None:
    assert tokenise("The cat,  sat. \n") == ["The", " cat", ",", "  sat", ".", " \n"]
    assert tokenise("") == []
    assert tokenise("ab" + "cd") == ["abcd"]


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokenise(text)) == text


@given(st.text())
def test_no_token_is_likelier_than_the_greedy_one(token: str) -> None:
    assert -9 < logprob(token) <= logprob(likeliest()[0]) <= -1


def test_exactly_one_token_is_the_likeliest_and_it_can_be_met() -> None:
    first, second = likeliest()[:2]
    assert logprob(first) > logprob(second)
    assert tokenise(f"so{first} it") == ["so", first, " it"]


def test_an_echoed_prompt_is_scored_token_by_token(sound: FaultServer) -> None:
    greedy = likeliest()[0]
    prompt = f"The cat,{greedy}."
    tokens = ["The", " cat", ",", greedy, "."]
    [choice] = complete(sound.port, prompt=prompt, echo=True, logprobs=1, max_tokens=0).choices
    assert (choice["text"], choice["finish_reason"]) == (prompt, "length")
    scores = choice["logprobs"]
    assert scores["tokens"] == tokens
    assert scores["text_offset"] == [0, 3, 7, 8, 8 + len(greedy)]
    assert scores["token_logprobs"] == [None, *(logprob(token) for token in tokens[1:])]
    best = logprob(greedy)
    assert scores["top_logprobs"] == [
        None,
        {" cat": logprob(" cat"), greedy: best},
        {",": logprob(","), greedy: best},
        {greedy: best},
        {".": logprob("."), greedy: best},
    ]


def test_one_generated_token_follows_the_echo(sound: FaultServer) -> None:
    [choice] = complete(sound.port, prompt=PROMPT, echo=True, logprobs=0, max_tokens=1).choices
    first = tokenise(answer(PROMPT))[0]
    assert choice["text"] == PROMPT + first
    assert choice["logprobs"]["tokens"] == [*tokenise(PROMPT), first]
    assert choice["logprobs"]["top_logprobs"][-1] == {first: logprob(first)}
    assert choice["logprobs"]["text_offset"][-1] == len(PROMPT)


def test_without_echo_all_generated_tokens_have_a_score(sound: FaultServer) -> None:
    [choice] = complete(sound.port, prompt=PROMPT, logprobs=2, max_tokens=2).choices
    assert choice["logprobs"]["token_logprobs"] == [logprob(token) for token in tokenise(answer(PROMPT))[:2]]


def test_a_server_may_ignore_echo() -> None:
    with FaultServer(settings=Settings(ignores_echo=True)) as server:
        [choice] = complete(server.port, prompt=PROMPT, echo=True, logprobs=1, max_tokens=1).choices
        assert choice["text"] == tokenise(answer(PROMPT))[0]
        assert len(choice["logprobs"]["tokens"]) == 1
        assert server.requests[0].body["echo"] is True


def test_lone_surrogates_come_back_as_they_went(sound: FaultServer) -> None:
    prompt = "a\ud800b 🌊"
    [choice] = complete(sound.port, prompt=prompt, echo=True, logprobs=0, max_tokens=0).choices
    assert choice["text"] == prompt
    assert answer("\ud800") != answer("?")


# -- modes that are a status -----------------------------------------------------------------------------------

STATUSES = [
    (Mode.THROTTLED, 429, "rate_limit_exceeded"),
    (Mode.THROTTLED_SECONDS, 429, "rate_limit_exceeded"),
    (Mode.THROTTLED_MILLISECONDS, 429, "rate_limit_exceeded"),
    (Mode.THROTTLED_DATE, 429, "rate_limit_exceeded"),
    (Mode.THROTTLED_HUGE, 429, "rate_limit_exceeded"),
    (Mode.THROTTLED_NEGATIVE, 429, "rate_limit_exceeded"),
    (Mode.SERVER_ERROR, 500, None),
    (Mode.ERROR_IN_200, 200, 502),
    (Mode.UNAUTHORISED, 401, "invalid_api_key"),
    (Mode.KEY_ECHOED, 401, "invalid_api_key"),
    (Mode.UNPAID, 402, 402),
    (Mode.FORBIDDEN, 403, "forbidden"),
    (Mode.NO_SUCH_MODEL, 404, "model_not_found"),
    (Mode.CONTEXT_TOO_LONG, 400, "context_length_exceeded"),
    (Mode.CONTENT_FILTER, 400, "content_filter"),
    (Mode.OUT_OF_QUOTA, 429, "insufficient_quota"),
    (Mode.OVERLOADED, 503, None),
]


@pytest.mark.parametrize(("mode", "status", "code"), STATUSES)
def test_a_status_has_its_error_object(mode: Mode, status: int, code: str | int | None) -> None:
    got = met(mode)
    assert got.status == status
    assert set(got.json) == {"error"}
    assert got.json["error"]["code"] == code
    assert got.headers["content-type"] == "application/json"
    assert (KEY in got.json["error"]["message"]) == (mode is Mode.KEY_ECHOED)


WAITS = {
    Mode.THROTTLED: {},
    Mode.THROTTLED_SECONDS: {"retry-after": "7"},
    Mode.THROTTLED_MILLISECONDS: {"retry-after-ms": "250"},
    Mode.THROTTLED_HUGE: {"retry-after": "9999"},
    Mode.THROTTLED_NEGATIVE: {"retry-after": "-3"},
    Mode.OUT_OF_QUOTA: {},
    Mode.OVERLOADED: {},
}


@pytest.mark.parametrize("mode", WAITS)
def test_throttling_says_when_to_come_back(mode: Mode) -> None:
    told = {"retry_after_s": 7, "retry_after_ms": 250, "retry_after_huge_s": 9999, "retry_after_negative_s": -3}
    got = met(mode, **told)
    assert {name: value for name, value in got.headers.items() if name.startswith("retry")} == WAITS[mode]


def test_throttling_may_name_a_date() -> None:
    earliest = int(time.time()) + 90
    date = parsedate_to_datetime(met(Mode.THROTTLED_DATE, retry_after_s=90).headers["retry-after"])
    assert earliest <= date.timestamp() <= time.time() + 90


def test_a_bad_gateway_is_html() -> None:
    got = met(Mode.BAD_GATEWAY)
    assert (got.status, got.headers["content-type"]) == (502, "text/html")
    assert got.body.startswith(b"<html>")


def test_an_unprocessable_request_gets_details_without_an_error_object() -> None:
    got = met(Mode.UNPROCESSABLE)
    assert got.status == 422
    assert got.json["detail"][0]["loc"] == ["body", "seed"]


# -- modes that spoil the answer -------------------------------------------------------------------------------


def healthy_body(**rest: Any) -> bytes:
    with FaultServer() as server:
        return ask(server.port, chat(**rest)).body


def test_truncated_json_is_a_whole_response() -> None:
    whole = healthy_body()
    got = met(Mode.TRUNCATED_JSON)
    assert got.status == 200
    assert got.headers["content-length"] == str(len(whole) // 2)
    assert got.body == whole[: len(whole) // 2]


def test_choices_are_empty_and_nothing_else_changes() -> None:
    assert met(Mode.EMPTY_CHOICES).json == {**json.loads(healthy_body()), "choices": []}


def test_content_is_null() -> None:
    [choice] = met(Mode.NULL_CONTENT).choices
    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "stop")
    with always(Mode.NULL_CONTENT) as server:
        assert complete(server.port, prompt="x").choices[0]["text"] is None


def test_usage_is_missing_and_nothing_else_changes() -> None:
    whole = json.loads(healthy_body())
    del whole["usage"]
    assert met(Mode.MISSING_USAGE).json == whole


def test_a_healthy_body_is_called_html() -> None:
    got = met(Mode.WRONG_CONTENT_TYPE)
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert got.body == healthy_body()


def test_the_big_body_is_json_with_that_much_more_text() -> None:
    got = met(Mode.BIG_BODY, big_body_bytes=200_001)
    assert got.choices[0]["message"]["content"] == answer(PROMPT) + "a" * 200_001
    assert Settings().big_body_bytes == 50_000_000


def test_invalid_utf8_ends_the_text() -> None:
    got = met(Mode.INVALID_UTF8)
    with pytest.raises(UnicodeDecodeError):
        got.body.decode()
    assert got.headers["content-length"] == str(len(healthy_body()) + 3)
    text = json.loads(got.body.decode(errors="replace"))["choices"][0]["message"]["content"]
    assert text == answer(PROMPT) + "\ufffd\ufffd("


def contents(got: Got) -> list[tuple[int, str]]:
    return [(choice["index"], choice["message"]["content"]) for choice in got.choices]


def test_indices_are_duplicate_and_out_of_order() -> None:
    texts = [answer(PROMPT, choice=choice) for choice in range(3)]
    assert contents(met(Mode.DUPLICATE_INDEX, chat(n=3))) == [(2, texts[2]), (1, texts[1]), (1, texts[0])]
    assert contents(met(Mode.DUPLICATE_INDEX)) == [(1, texts[1])]


def test_the_number_of_choices_is_wrong() -> None:
    texts = [answer(PROMPT, choice=choice) for choice in range(3)]
    assert contents(met(Mode.WRONG_NUMBER, chat(n=3))) == [(0, texts[1]), (1, texts[2])]
    assert contents(met(Mode.WRONG_NUMBER)) == [(0, texts[1]), (1, texts[0])]


def test_a_refusal_is_no_content() -> None:
    [choice] = met(Mode.REFUSAL).choices
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": "I will not say that."}
    assert choice["finish_reason"] == "stop"
    with always(Mode.REFUSAL) as server:
        [choice] = complete(server.port, prompt="x").choices
        assert (choice["text"], choice["finish_reason"]) == ("", "content_filter")


def test_an_empty_text_may_have_used_all_its_tokens() -> None:
    got = met(Mode.EMPTY_AT_LENGTH, chat(max_tokens=40))
    [choice] = got.choices
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")
    assert got.json["usage"]["completion_tokens"] == 40


def test_the_gzip_bomb_is_sound_and_small() -> None:
    got = met(Mode.GZIP_BOMB, bomb_bytes=3 * 2**20)
    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(got.body) == b'{"filling": "' + b"a" * 3 * 2**20 + b'"}'
    assert gzip_bomb(2**20 + 1)[-4:] == (2 * 2**20 + 15).to_bytes(4, "little")
    packed = gzip_bomb(2**26)
    assert len(packed) * 900 < 2**26
    some = zlib.decompressobj(31).decompress(packed, 5000)
    assert some == b'{"filling": "' + b"a" * 4987
    assert Settings().bomb_bytes == 2**30


# -- modes that are a matter of connections --------------------------------------------------------------------


def test_a_hang_says_nothing_until_its_time_is_over() -> None:
    with always(Mode.HANG) as server, opened(server.port, raw_request(chat())) as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert [request.mode for request in server.requests] == [Mode.HANG]
    with always(Mode.HANG, hang_s=0.05) as server, opened(server.port, raw_request(chat())) as connection:
        assert read_to_end(connection) == (b"", False)


def test_a_dropped_connection_closes_without_a_byte() -> None:
    with always(Mode.DROP) as server, opened(server.port, raw_request(chat())) as connection:
        assert read_to_end(connection) == (b"", False)


def test_a_reset_comes_in_the_middle_of_the_body() -> None:
    whole = healthy_body()
    with always(Mode.RESET) as server, opened(server.port, raw_request(chat())) as connection:
        read, is_reset = read_to_end(connection)
    assert is_reset
    head, _, body = read.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in head
    assert body == whole[: len(whole) // 2]


def test_a_drip_is_a_healthy_answer_byte_by_byte() -> None:
    whole = healthy_body(max_tokens=1)
    started = time.monotonic()
    got = met(Mode.SLOW_DRIP, chat(max_tokens=1), drip_interval_s=0.0005)
    assert got.body == whole
    assert time.monotonic() - started >= 0.0005 * len(whole)
    with always(Mode.SLOW_DRIP, drip_interval_s=30.0) as server, opened(server.port, raw_request(chat())) as connection:
        read = b""
        while not read.endswith(b"\r\n\r\n{"):
            read += connection.recv(2**16)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_redirect_leads_to_another_origin_that_notes_who_came() -> None:
    with always(Mode.REDIRECT) as server:
        got = ask(server.port, chat())
        assert (got.status, got.body) == (307, b"")
        assert got.headers["location"] == f"http://127.0.0.1:{server.other_port}/v1/chat/completions"
        assert server.other_port != server.port
        assert list(server.other_requests) == []
        followed = ask(server.other_port, chat())
        assert followed.choices[0]["message"]["content"] not in ("", answer(PROMPT))
        [visit] = server.other_requests
        assert visit.headers["authorization"] == f"Bearer {KEY}"
        assert len(server.requests) == 1
    assert met(Mode.REDIRECT, redirect_status=302).status == 302


def test_every_fault_is_one_of_the_24() -> None:
    assert len(FAULTS) == 24
    assert (FAULTS[0], FAULTS[-1]) == (Mode.THROTTLED, Mode.GZIP_BOMB)
    assert len(Mode) == 36


# -- scripts and records ---------------------------------------------------------------------------------------


def test_a_rate_is_the_share_of_prompts_and_grows_by_inclusion() -> None:
    prompts = [f"सवाल {number}" for number in range(2000)]

    def hit(mode: Mode, rate: float) -> set[str]:
        return {prompt for prompt in prompts if at_rate(mode, rate)(prompt, 1)}

    few, many = hit(Mode.HANG, 0.05), hit(Mode.HANG, 0.3)
    assert len(few) == pytest.approx(100, abs=40)
    assert len(many) == pytest.approx(600, abs=90)
    assert few < many
    assert len(many & hit(Mode.DROP, 0.3)) == pytest.approx(180, abs=60)
    assert hit(Mode.HANG, 0.0) == set()
    assert hit(Mode.HANG, 1.0) == set(prompts)


def test_a_rate_holds_for_the_first_attempts() -> None:
    assert [at_rate(Mode.DROP, 1.0)("p", attempt) for attempt in (1, 2)] == [Mode.DROP, None]
    assert [at_rate(Mode.DROP, 1.0, 2)("p", attempt) for attempt in (2, 3)] == [Mode.DROP, None]
    assert at_rate(Mode.DROP, 1.0, None)("p", 1000) is Mode.DROP


def test_attempts_are_counted_by_body_and_recorded() -> None:
    with FaultServer(at_rate(Mode.OVERLOADED, 1.0, 2)) as server:
        before = time.monotonic()
        assert [ask(server.port, chat()).status for _ in range(3)] == [503, 503, 200]
        assert ask(server.port, chat(seed=1)).status == 503
        assert complete(server.port, prompt="other").status == 503
        first, second, third, seeded, other = server.requests
        assert [one.attempt for one in server.requests] == [1, 2, 3, 1, 1]
        assert [one.mode for one in server.requests] == [Mode.OVERLOADED] * 2 + [None] + [Mode.OVERLOADED] * 2
        assert server.requests_with(PROMPT) == (first, second, third, seeded)
        assert first.body == chat()
        assert (first.method, first.path) == ("POST", "/v1/chat/completions")
        assert first.headers["authorization"] == f"Bearer {KEY}"
        assert (other.path, other.prompt) == ("/v1/completions", "other")
        times = [one.at_s for one in server.requests]
        assert before <= times[0]
        assert times == sorted(times)


def test_a_connection_serves_many_requests() -> None:
    with FaultServer(at_rate(Mode.TRUNCATED_JSON, 1.0)) as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        whole = healthy_body()
        assert [exchange(connection, chat()).body for _ in range(2)] == [whole[: len(whole) // 2], whole]
        connection.close()
        ask(server.port, chat())
        assert [one.connection for one in server.requests] == [1, 1, 2]


def test_a_client_may_ask_for_the_connection_to_be_closed(sound: FaultServer) -> None:
    closing = raw_request(chat()).replace(b"Host: x", b"Connection: close")
    with opened(sound.port, closing) as connection:
        read, is_reset = read_to_end(connection)
    assert not is_reset
    assert b"\r\nConnection: close\r\n" in read
    assert read.endswith(healthy_body())


def test_the_peak_of_requests_in_flight_is_seen() -> None:
    with FaultServer(settings=Settings(delay_s=0.3)) as server, ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda number: ask(server.port, chat(str(number))), range(5)))
        ask(server.port, chat())
        assert server.peak_in_flight == 5


BAD_REQUESTS = [
    ({"model": "toy", "messages": []}, "/v1/chat/completions", 400),
    ({"model": "toy", "prompt": [1, 2]}, "/v1/completions", 400),
    ({"prompt": "x"}, "/v1/completions", 400),
    ({"model": "toy", "prompt": "x", "stream": True}, "/v1/completions", 400),
    ([1], "/v1/completions", 400),
    ({"model": "toy"}, "/v1/embeddings", 404),
    (None, "/v1/completions", 404),
]


@pytest.mark.parametrize(("body", "path", "status"), BAD_REQUESTS)
def test_what_is_not_understood_is_refused_and_recorded(body: object, path: str, status: int) -> None:
    with always(Mode.SERVER_ERROR) as server:
        assert ask(server.port, body, path).status == status
        assert [(one.path, one.mode, one.prompt) for one in server.requests] == [(path, None, "")]


def test_a_body_in_chunks_is_refused(sound: FaultServer) -> None:
    request = b"POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with opened(sound.port, request) as connection:
        assert read_to_end(connection)[0].startswith(b"HTTP/1.1 411 ")


# -- its own end -----------------------------------------------------------------------------------------------


def test_it_stops_at_once_with_connections_open() -> None:
    modes = {"hang": Mode.HANG, "drip": Mode.SLOW_DRIP, "big": Mode.BIG_BODY}
    threads = threading.active_count()
    with FaultServer(lambda prompt, attempt: modes[prompt], settings=Settings(drip_interval_s=30.0)) as server:
        connections = [opened(server.port, raw_request(chat(prompt))) for prompt in modes for _ in range(5)]
        connections.append(opened(server.port, b"POST /v1/chat"))
        while len(server.requests) < 15:
            time.sleep(0.005)
        started = time.monotonic()
    assert time.monotonic() - started < 2
    assert threading.active_count() == threads
    for connection in connections:
        connection.close()


def test_a_mistake_in_the_script_is_raised_and_is_no_fault() -> None:
    def mistaken(prompt: str, attempt: int) -> Mode | None:
        raise KeyError(prompt)

    with (
        pytest.raises(RuntimeError, match="its script failed") as raised,
        FaultServer(mistaken) as server,
        opened(server.port, raw_request(chat())) as connection,
    ):
        assert read_to_end(connection) == (b"", False)
    assert isinstance(raised.value.__cause__, KeyError)


# -- the quick server of the benchmark -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def echo_port() -> Iterator[int]:
    command = [sys.executable, str(ECHO_SERVER), "--port", "0", "--delay_ms", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.terminate()


def test_the_echo_server_answers_64_words_after_its_delay(echo_port: int) -> None:
    from openai.types import Completion
    from openai.types.chat import ChatCompletion

    connection = HTTPConnection("127.0.0.1", echo_port, timeout=20)
    started = time.monotonic()
    chatted = ChatCompletion.model_validate(exchange(connection, chat()).json)
    assert time.monotonic() - started >= 0.2
    assert len((chatted.choices[0].message.content or "").split(" ")) == 64
    assert chatted.usage
    assert chatted.usage.completion_tokens == 64
    completed = exchange(connection, {"model": "toy", "prompt": "x"}, "/v1/completions")
    assert Completion.model_validate(completed.json).choices[0].text == chatted.choices[0].message.content
    assert exchange(connection, None, "/v1/models").json["data"][0]["id"] == "echo"
    assert exchange(connection, chat(), "/v1/embeddings").status == 404
    connection.close()


def test_the_echo_server_answers_many_at_a_time(echo_port: int) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: ask(echo_port, chat()).status, range(12)))
    assert statuses == [200] * 12
    assert time.monotonic() - started < 12 * 0.2


def test_the_echo_server_reads_requests_however_they_are_cut(echo_port: int) -> None:
    request = raw_request(chat())
    with opened(echo_port, request[:30]) as connection:
        time.sleep(0.02)
        connection.sendall(request[30:-5])
        time.sleep(0.02)
        connection.sendall(request[-5:] + request + request[:20])
        read = b""
        while read.count(b'"finish_reason"') < 2:
            read += connection.recv(2**16)
        connection.settimeout(0.4)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert read.count(b"HTTP/1.1 200 OK") == 2
