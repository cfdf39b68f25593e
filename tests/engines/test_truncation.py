"""Prompts at the edge of a model's context: what is kept, what is counted, what is said, under every policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import BOS, CHARACTERS, EOS, PAD, SPECIAL, byte_level_with_bos, characters, save_llama

from evalsuite import plugins
from evalsuite.alarms import alarms
from evalsuite.asking import Settings, adjust, first_requests
from evalsuite.building import PreparedTask, drop_shots
from evalsuite.config import RunConfig, Truncation
from evalsuite.contracts import Family, Task, TaskInfo
from evalsuite.engines.base import Engine, prompt_text
from evalsuite.engines.encoding import EncodedPair, Encoder
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.packed_attention import PackedLayout
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.metrics import accuracy, right
from evalsuite.prepare import Prepared, prepare
from evalsuite.records import Counts, ModelSpec, RunResult, RunSpec, SampleRecord, TaskSpec, TaskSummary
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import (
    SCHEMA_VERSION,
    Cause,
    Completion,
    Encoding,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Message,
    Replies,
    Request,
    Response,
    RollingRequest,
    Sample,
    Scored,
    Shot,
    Unscored,
)

pytestmark = pytest.mark.usefixtures("one_thread")

WINDOW = 24
"""What the model can take: from its config.json, as any model's."""

NUM_TOKENS = (WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW)
VISIBLE = [letter for letter in CHARACTERS if not letter.isspace()]

Overflow: TypeAlias = Literal["error", "left", "left-and-answer"]
Policy: TypeAlias = Truncation | Literal["protocol: left", "protocol: left-and-answer"]
REFUSING: tuple[Policy, ...] = ("error", "drop_shots")
CUTTING: tuple[Policy, ...] = ("truncate_left", "protocol: left", "protocol: left-and-answer")

at_the_edge = pytest.mark.parametrize("num_tokens", NUM_TOKENS)
every_policy = pytest.mark.parametrize("policy", [*REFUSING, *CUTTING])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads and writes characters, a window of them at most."""
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    tokenizer = characters(chat_template=template)
    return save_llama(tmp_path_factory.mktemp("truncation") / "model", tokenizer, max_length=WINDOW)


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    return LocalModel(ModelSettings(str(folder), None, "float32", "cpu", None, None))


def text_of(num_tokens: int, skip: int = 0) -> str:
    """`num_tokens` different characters, each one token, none a space; `skip` gives others."""
    assert num_tokens <= len(VISIBLE)
    return "".join(VISIBLE[7 * (place + skip) % len(VISIBLE)] for place in range(num_tokens))


def ids_of(text: str) -> list[int]:
    return [len(SPECIAL) + CHARACTERS.index(letter) for letter in text]


def text_from(ids: Sequence[int]) -> str:
    return "".join(CHARACTERS[token - len(SPECIAL)] for token in ids)


def under(policy: Policy, request: Request) -> Request:
    """`request` as a run asks it: by ``--truncation`` whatever its protocol says, or by its protocol."""
    if policy in get_args(Truncation):
        return adjust(overflowing(request, "left-and-answer"), Settings(truncation=policy))
    return adjust(overflowing(request, policy.removeprefix("protocol: ")), Settings())


def overflowing(request: Request, overflow: str) -> Request:
    assert not isinstance(request, RollingRequest)
    encoding = msgspec.convert({**msgspec.to_builtins(request.encoding), "overflow": overflow}, Encoding)
    return msgspec.structs.replace(request, encoding=encoding)


def answers_to(model: LocalModel, *requests: Request) -> list[Response]:
    items = [Item(id=str(place), sample_id="", wave=1, request=request) for place, request in enumerate(requests)]
    engine = TransformersEngine(model, 8)
    found = dict(engine.run(engine.plan(items)))
    return [found[item.id] for item in items]


@contextmanager
def watched(model: LocalModel) -> Iterator[list[list[int]]]:
    """The rows that the model reads, batch by batch, without what fills them up; of generation each step's."""
    rows: list[list[int]] = []

    def note(_: Any, __: Any, inputs: dict[str, Any]) -> None:
        ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        if layout := inputs.get("layout"):
            rows.extend(unpacked(ids[0], layout, inputs) if isinstance(layout, PackedLayout) else ids.tolist())
            return
        mask = torch.ones_like(ids) if mask is None else mask[:, -ids.shape[1] :]
        rows.extend(row[kept.bool()].tolist() for row, kept in zip(ids, mask, strict=True))

    assert model.verdict.scoring == "forest"  # its passes through the model are not the test's
    hook = model.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield rows
    finally:
        hook.remove()


def unpacked(ids: torch.Tensor, layout: PackedLayout, inputs: Mapping[str, Any]) -> list[list[int]]:
    """The rows of a packed forest, each whole: prompts end where logits are read, others where nothing follows."""
    places = torch.arange(len(ids))
    leaves = [place for place in range(len(ids)) if layout.subtree_ends[place] == place + 1]
    ends = inputs["logits_to_keep"].tolist() if layout.keeps else leaves
    return [ids[(places <= end) & (layout.subtree_ends > end)].tolist() for end in ends]


def assert_too_long(response: Response, detail: str) -> None:
    assert isinstance(response, Failure)
    assert response.cause is Cause.CONTEXT_TOO_LONG
    assert response.detail == f"{detail} tokens; the model takes {WINDOW}"


def test_the_window_is_the_models(model: LocalModel) -> None:
    assert model.max_length == WINDOW
    assert len(set(text_of(2 * WINDOW))) == 2 * WINDOW
    assert model.encoder.tokenizer(text_of(2 * WINDOW)).input_ids == ids_of(text_of(2 * WINDOW))


# -- whose word counts


@pytest.mark.parametrize("own", get_args(Overflow))
@pytest.mark.parametrize(
    ("truncation", "expected"), [("error", "error"), ("drop_shots", "error"), ("truncate_left", "left"), ("", None)]
)
def test_the_users_policy_stands_before_the_protocols(own: Overflow, truncation: str, expected: str | None) -> None:
    encoding = Encoding(bos="none", split="lm-eval", overflow=own)
    for request in (
        LoglikelihoodRequest(context="a", continuation="b", encoding=encoding),
        GenerateRequest(prompt="a", max_tokens=1, encoding=encoding),
    ):
        adjusted = adjust(request, Settings(truncation=truncation))
        assert adjusted == overflowing(request, expected or own)


# -- log-likelihoods


def scoring(num_tokens: int, num_scored: int) -> LoglikelihoodRequest:
    """Of context and continuation, whose last token is not read, the model reads `num_tokens`."""
    num_context = num_tokens + 1 - num_scored
    whole = text_of(num_tokens + 1)
    return LoglikelihoodRequest(context=whole[:num_context], continuation=whole[num_context:])


def whole_of(request: LoglikelihoodRequest) -> list[int]:
    assert isinstance(request.context, str)
    return ids_of(request.context + request.continuation)


@at_the_edge
@every_policy
@pytest.mark.parametrize("num_scored", [1, 5, WINDOW - 1])
def test_what_is_read_and_counted_of_a_context(
    model: LocalModel, num_tokens: int, policy: Policy, num_scored: int
) -> None:
    request = scoring(num_tokens, num_scored)
    with watched(model) as rows:
        (found,) = answers_to(model, under(policy, request))
    if policy in REFUSING and num_tokens > WINDOW:
        assert_too_long(found, f"prompt: {num_tokens}")
        assert rows == []
        return
    assert rows == [whole_of(request)[:-1][-WINDOW:]]
    assert isinstance(found, Loglikelihood)
    assert found.num_truncated == max(0, num_tokens - WINDOW)
    assert (found.num_tokens, found.num_chars, found.num_bytes) == (num_scored, num_scored, num_scored)


@at_the_edge
@pytest.mark.parametrize("policy", CUTTING)
@pytest.mark.parametrize("num_scored", [1, 5, WINDOW - 1])
def test_the_score_is_that_of_the_shortened_text(
    model: LocalModel, num_tokens: int, policy: Policy, num_scored: int
) -> None:
    request = scoring(num_tokens, num_scored)
    num_truncated = max(0, num_tokens - WINDOW)
    shortened = msgspec.structs.replace(request, context=request.context[num_truncated:])
    (found,) = answers_to(model, under(policy, request))
    (expected,) = answers_to(model, shortened)
    assert isinstance(expected, Loglikelihood)
    assert expected.num_truncated == 0
    assert found == msgspec.structs.replace(expected, num_truncated=num_truncated)


def test_a_shortened_context_has_another_score(model: LocalModel) -> None:
    """Or the tests above would say nothing: one token less in front moves the score."""
    request = scoring(WINDOW, 5)
    shorter = msgspec.structs.replace(request, context=request.context[1:])
    whole, less = answers_to(model, request, shorter)
    assert isinstance(whole, Loglikelihood)
    assert isinstance(less, Loglikelihood)
    assert abs(whole.sum_nats - less.sum_nats) > 1e-3


@pytest.mark.parametrize("policy", CUTTING)
def test_cut_rows_keep_their_scores_in_company(model: LocalModel, policy: Policy) -> None:
    """In one batch, where two requests of one row may differ in how much of theirs was cut."""
    requests = [under(policy, scoring(num_tokens, num_scored)) for num_tokens in NUM_TOKENS for num_scored in (1, 5)]
    long = scoring(WINDOW + 9, 1)
    for context in (long.context, long.context[3:], long.context[9:]):
        requests.append(under(policy, msgspec.structs.replace(long, context=context)))
    together = answers_to(model, *requests)
    for request, found in zip(requests, together, strict=True):
        (alone,) = answers_to(model, request)
        assert isinstance(alone, Loglikelihood)
        assert isinstance(found, Loglikelihood)
        assert found == msgspec.structs.replace(alone, sum_nats=found.sum_nats)
        assert found.sum_nats == pytest.approx(alone.sum_nats, abs=1e-4)
    cut = [found for found in together[-3:] if isinstance(found, Loglikelihood)]
    assert [found.num_truncated for found in cut] == [9, 6, 0]
    assert len({found.sum_nats for found in cut}) == 1


@every_policy
@pytest.mark.parametrize("num_context", [0, 1, 2 * WINDOW])
def test_a_continuation_of_the_whole_window_keeps_one_token_before_it(
    model: LocalModel, policy: Policy, num_context: int
) -> None:
    context, continuation = text_of(num_context), text_of(WINDOW, skip=num_context)
    request = LoglikelihoodRequest(context=context, continuation=continuation)
    with watched(model) as rows:
        (found,) = answers_to(model, under(policy, request))
    if policy in REFUSING and num_context > 1:
        assert_too_long(found, f"prompt: {num_context + WINDOW - 1}")
        return
    assert rows == [[*(ids_of(context[-1:]) or [BOS]), *ids_of(continuation[:-1])]]
    assert isinstance(found, Loglikelihood)
    assert (found.num_truncated, found.num_tokens) == (max(0, num_context - 1), WINDOW)


@every_policy
@pytest.mark.parametrize("num_context", [0, 1, WINDOW])
@pytest.mark.parametrize("num_more", [1, WINDOW])
def test_a_continuation_longer_than_the_window_has_no_score(
    model: LocalModel, policy: Policy, num_context: int, num_more: int
) -> None:
    """Whatever is dropped before it."""
    continuation = text_of(WINDOW + num_more)
    request = LoglikelihoodRequest(context=text_of(num_context, skip=3), continuation=continuation)
    with watched(model) as rows:
        (found,) = answers_to(model, under(policy, request))
    assert_too_long(found, f"prompt: {max(1, num_context) + WINDOW + num_more - 1}")
    assert rows == []


token_ids = st.lists(st.integers(4, 99), min_size=1, max_size=20).map(tuple)


@given(token_ids, token_ids, st.integers(1, 24))
def test_a_fitted_pair_is_what_lm_eval_feeds(
    context: tuple[int, ...], continuation: tuple[int, ...], max_length: int
) -> None:
    """``(context + continuation)[-(max_length + 1):][:-1]``, where a token is left before the continuation."""
    whole = EncodedPair(context, continuation, "")
    fitted = whole.fitted(max_length)
    if len(continuation) > max_length:
        assert fitted == whole
        return
    assert fitted.row == (*context, *continuation)[-(max_length + 1) :][:-1]
    assert fitted.continuation == continuation
    assert fitted.num_truncated == len(context) - len(fitted.context)


@pytest.mark.parametrize("length", [WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW + 2])
def test_a_text_of_its_own_is_never_cut(model: LocalModel, length: int) -> None:
    """One that is longer than the context is scored in windows."""
    (found,) = answers_to(model, RollingRequest(text=text_of(length)))
    assert isinstance(found, Loglikelihood)
    assert (found.num_tokens, found.num_truncated) == (length, 0)


# -- generation

MAX_TOKENS = 6
ROOM = WINDOW - MAX_TOKENS


def plainly_generated(model: LocalModel, ids: Sequence[int], max_tokens: int) -> list[int]:
    """Greedy tokens by transformers' own loop."""
    greedy = {"do_sample": False, "max_new_tokens": max_tokens, "eos_token_id": EOS, "pad_token_id": PAD}
    output = model.model.generate(input_ids=torch.tensor([ids]), **greedy)
    return list(output[0, len(ids) :].tolist())


def end_of_prompt(model: LocalModel, length: int, max_tokens: int) -> tuple[str, str]:
    """`length` characters with which a prompt may end, and what the model goes on with: `max_tokens` characters."""
    for skip in range(len(VISIBLE)):
        text = text_of(length, skip)
        tokens = plainly_generated(model, ids_of(text), max_tokens)
        if len(tokens) == max_tokens and min(tokens) >= len(SPECIAL):
            return text, text_from(tokens)
    raise AssertionError("the model always writes special tokens")


def generating(prompt: str, max_tokens: int = MAX_TOKENS, stop: tuple[str, ...] = ()) -> GenerateRequest:
    return GenerateRequest(prompt=prompt, max_tokens=max_tokens, stop=stop)


@at_the_edge
@every_policy
def test_what_is_read_and_counted_of_a_prompt(model: LocalModel, num_tokens: int, policy: Policy) -> None:
    """Together with what it may generate it has `num_tokens`."""
    end, answer = end_of_prompt(model, min(num_tokens, WINDOW) - MAX_TOKENS, MAX_TOKENS)
    num_truncated = max(0, num_tokens - WINDOW)
    prompt = text_of(num_truncated) + end
    with watched(model) as rows:
        (found,) = answers_to(model, under(policy, generating(prompt)))
    if policy in REFUSING and num_tokens > WINDOW:
        assert_too_long(found, f"prompt and {MAX_TOKENS} new tokens: {num_tokens}")
        assert rows == []
        return
    assert rows[0] == ids_of(end) == ids_of(prompt)[-ROOM:]
    assert found == Completion(
        text=answer[num_truncated:] if policy == "protocol: left-and-answer" else answer,
        stop_reason="length",
        num_prompt_tokens=len(end),
        num_tokens=MAX_TOKENS,
        num_truncated=num_truncated,
    )


@at_the_edge
@pytest.mark.parametrize("policy", CUTTING)
def test_a_prompt_alone_may_be_longer_than_the_window(model: LocalModel, num_tokens: int, policy: Policy) -> None:
    (found,) = answers_to(model, under(policy, generating(text_of(num_tokens))))
    assert isinstance(found, Completion)
    assert (found.num_prompt_tokens, found.num_truncated) == (ROOM, num_tokens - ROOM)


@pytest.mark.parametrize("num_truncated", [0, 1, 2, 11, 12, 13, 30])
def test_what_is_lost_of_the_answer_is_what_is_lost_of_the_prompt(model: LocalModel, num_truncated: int) -> None:
    """The leaderboard's harness cut its answers where the uncut prompt would have ended."""
    end, answer = end_of_prompt(model, 12, 12)
    prompt = text_of(num_truncated) + end
    left, shorter = answers_to(
        model,
        under("protocol: left", generating(prompt, 12)),
        under("protocol: left-and-answer", generating(prompt, 12)),
    )
    assert isinstance(left, Completion)
    assert (left.text, left.num_tokens, left.num_truncated) == (answer, 12, num_truncated)
    assert shorter == msgspec.structs.replace(left, text=left.text[num_truncated:])


@pytest.mark.parametrize("place", [0, 2, 3, 4, 9])
def test_a_stop_string_ends_an_answer_though_it_is_lost(model: LocalModel, place: int) -> None:
    """As in the leaderboard's harness, which looked for stop strings in all that was generated."""
    end, answer = end_of_prompt(model, 12, 12)
    stop = answer[place : place + 2]
    assert answer.find(stop) == place
    (found,) = answers_to(model, under("protocol: left-and-answer", generating(text_of(3) + end, 12, (stop,))))
    assert isinstance(found, Completion)
    assert found.num_tokens == place + 2
    assert found.text == (answer[3:place] if place >= 3 else answer[3 : place + 2])


@pytest.mark.parametrize("policy", CUTTING)
def test_cut_prompts_keep_their_answers_in_company(model: LocalModel, policy: Policy) -> None:
    prompts = [text_of(num_tokens, skip) for skip, num_tokens in enumerate((3, ROOM, ROOM + 1, ROOM + 3, 2 * WINDOW))]
    requests = [under(policy, generating(prompt)) for prompt in prompts]
    assert answers_to(model, *requests) == [answers_to(model, request)[0] for request in requests]


@pytest.mark.parametrize("policy", CUTTING)
@pytest.mark.parametrize(("max_tokens", "num_kept"), [(WINDOW - 2, 2), (WINDOW - 1, 1), (WINDOW, 0), (WINDOW + 1, 0)])
def test_an_answer_as_long_as_the_window_leaves_no_prompt(
    model: LocalModel, policy: Policy, max_tokens: int, num_kept: int
) -> None:
    (found,) = answers_to(model, under(policy, generating(text_of(5), max_tokens)))
    if not num_kept:
        assert_too_long(found, f"prompt and {max_tokens} new tokens: {5 + max_tokens}")
        return
    assert isinstance(found, Completion)
    assert (found.num_prompt_tokens, found.num_truncated) == (num_kept, 5 - num_kept)


@pytest.mark.parametrize("policy", CUTTING)
def test_conversations_are_cut_as_rendered(model: LocalModel, policy: Policy) -> None:
    turns = (Message(role="system", content=text_of(9)), Message(role="user", content=text_of(ROOM - 4, skip=9)))
    rendered = ids_of(text_of(9 + ROOM - 4))
    request = under(policy, GenerateRequest(prompt=turns, max_tokens=MAX_TOKENS))
    with watched(model) as rows:
        (generated,) = answers_to(model, request)
    assert rows[0] == rendered[5:]
    request = under(policy, LoglikelihoodRequest(context=turns, continuation=text_of(WINDOW - ROOM + 2, skip=40)))
    with watched(model) as rows:
        (scored,) = answers_to(model, request)
    assert rows == [(rendered + ids_of(text_of(WINDOW - ROOM + 2, skip=40)))[:-1][-WINDOW:]]
    assert isinstance(generated, Completion)
    assert isinstance(scored, Loglikelihood)
    assert (generated.num_truncated, scored.num_truncated) == (5, 6)


def test_the_token_that_starts_a_text_is_the_oldest() -> None:
    """As in lm-eval: what was cut does not begin with a BOS again."""
    encoder = Encoder(byte_level_with_bos(), None)
    encoding = Encoding(overflow="left")
    whole = encoder.encode_prompt(GenerateRequest(prompt="xQxQxQ", max_tokens=1, encoding=encoding), 8)
    cut = encoder.encode_prompt(GenerateRequest(prompt="xQxQxQ", max_tokens=1, encoding=encoding), 7)
    assert (len(whole.ids), whole.ids[0], whole.num_truncated) == (7, BOS, 0)
    assert (cut.ids, cut.num_truncated) == (whole.ids[1:], 1)
    pair = encoder.encode_pair(LoglikelihoodRequest(context="xQxQ", continuation="xQ"))
    assert (pair.fitted(6), pair.fitted(5).context, pair.fitted(5).num_truncated) == (pair, pair.context[1:], 1)


# -- planning


@every_policy
@at_the_edge
def test_a_plan_counts_what_is_read(model: LocalModel, policy: Policy, num_tokens: int) -> None:
    engine = TransformersEngine(model)
    requests = under(policy, scoring(num_tokens, 2)), under(policy, generating(text_of(num_tokens - MAX_TOKENS)))
    expected = num_tokens if policy in REFUSING else min(num_tokens, WINDOW)
    for request in requests:
        assert engine.count_tokens([request]) == expected
        assert engine.overflow(request) == expected - min(num_tokens, WINDOW)


# -- exemplars dropped

NUM_SCORED = 5
"""Characters of the longest choice."""

CHOICES = ("yes", "maybe")


@dataclass(frozen=True)
class Asks:
    """A task that puts a sample's exemplars before its input, and asks for each choice's score or for a text."""

    name: str
    encoding: Encoding
    generates: bool = False

    def requests(self, sample: Sample, replies: Replies) -> tuple[Request, ...]:
        if replies:
            return ()
        prompt = prompt_of(sample)
        if self.generates:
            return (GenerateRequest(prompt=prompt, max_tokens=MAX_TOKENS, encoding=self.encoding),)
        choices = (LoglikelihoodRequest(context=prompt, continuation=c, encoding=self.encoding) for c in sample.choices)
        return tuple(choices)

    @property
    def num_reserved(self) -> int:
        """What must fit into the window beside the prompt."""
        return MAX_TOKENS if self.generates else NUM_SCORED - 1

    def task(self, samples: tuple[Sample, ...]) -> Task:
        metric = accuracy("acc")
        return Task(
            name=self.name,
            family=self.name.partition("_")[0],
            version=1,
            language="en",
            protocol="lengths-v1",
            num_fewshot=9,
            kind="generate" if self.generates else "multiple_choice",
            datasets=(),
            samples=lambda _: samples,
            next_requests=self.requests,
            score=lambda _, __: Scored(scores=(right(metric.name, True),)),
            metrics=(metric,),
        )


def prompt_of(sample: Sample) -> str:
    return "".join(shot.input + shot.target for shot in sample.shots) + sample.input


def sample_of(*num_characters: int, choices: tuple[str, ...] = CHOICES, row: int = 0, name: str = "lengths") -> Sample:
    """Exemplars of those numbers of characters, and an input of the last number."""
    text = iter(text_of(sum(num_characters)))
    *shots, asked = ["".join(islice(text, length)) for length in num_characters]
    return Sample(
        id=f"{name}:test:{row}",
        input=asked,
        language="en",
        choices=choices,
        gold=0,
        shots=tuple(Shot(input=shot[:1], target=shot[1:]) for shot in shots),
        category="edge",
        cluster=f"cluster {row}",
        metadata={"row": row},
    )


def shots_before(context: str, shots: Sequence[Shot], choices: Sequence[str], room: int) -> tuple[Shot, ...]:
    """The most of the last exemplars with which every choice fits into `room` characters, or none."""
    for start in range(len(shots) + 1):
        kept = tuple(shots[start:])
        num_characters = sum(len(shot.input + shot.target) for shot in kept) + len(context)
        if all(num_characters + len(choice) <= room for choice in choices):
            return kept
    return ()


class CountsCharacters(ScriptedEngine):
    """A window of so many characters, of prompt and answer together."""

    def __init__(self) -> None:
        super().__init__(plausible)
        self.asked: list[GenerateRequest] = []

    def overflow(self, request: Request) -> int:
        if not isinstance(request, GenerateRequest):
            return max(0, len(prompt_text(request)) - WINDOW)
        self.asked.append(request)
        return max(0, len(prompt_text(request)) + request.max_tokens - WINDOW)


def prepared_of(*samples: Sample, generates: bool = False) -> PreparedTask:
    asks = Asks("lengths", Encoding(overflow="left"), generates=generates)
    return PreparedTask(asks.task(samples), samples, len(samples) + 7, (), is_chat=False, note="kept")


DROP = Settings(truncation="drop_shots")


@pytest.mark.parametrize(
    ("num_characters", "num_kept"),
    [
        ((4, 4, 4, 7), 3),
        ((4, 4, 4, 8), 2),
        ((4, 4, 4, 11), 2),
        ((4, 4, 4, 12), 1),
        ((1, 10, 3, 12), 1),
        ((10, 1, 3, 12), 2),
        ((1, 1, 1, 1, 1, 19), 0),
        ((1, 1, 1, 1, 1, 20), 0),
        ((1, 1, 30), 0),
    ],
)
def test_the_first_exemplars_go_first_and_no_more_than_must(num_characters: tuple[int, ...], num_kept: int) -> None:
    """Though a single one further back might have done."""
    sample = sample_of(*num_characters)
    dropped = drop_shots(prepared_of(sample), DROP, CountsCharacters())
    kept = sample.shots[len(sample.shots) - num_kept :]
    assert dropped.samples == (msgspec.structs.replace(sample, shots=kept),)
    assert dropped.num_shortened == int(num_kept < len(sample.shots))


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(1, 8), max_size=6),
            st.integers(1, 28),
            st.lists(st.integers(1, 9).map(text_of), min_size=1, max_size=3),
        ),
        max_size=4,
    )
)
def test_every_sample_keeps_all_it_can(rows: list[tuple[list[int], int, list[str]]]) -> None:
    samples = [
        sample_of(*shots, length, choices=tuple(choices), row=row) for row, (shots, length, choices) in enumerate(rows)
    ]
    before = prepared_of(*samples)
    after = drop_shots(before, DROP, CountsCharacters())
    expected = [
        msgspec.structs.replace(sample, shots=shots_before(sample.input, sample.shots, sample.choices, WINDOW))
        for sample in samples
    ]
    num_shortened = sum(sample.shots != whole.shots for sample, whole in zip(expected, samples, strict=True))
    assert after == replace(before, samples=tuple(expected), num_shortened=num_shortened)


def test_exemplars_go_until_the_longest_answer_fits() -> None:
    """As many tokens as the run asks for, not the task: ``--gen_kwargs`` may ask for more."""
    prepared = prepared_of(sample_of(4, 4, 4, 6), generates=True)
    for max_tokens, num_kept in ((6, 3), (7, 2), (10, 2), (11, 1), (18, 0), (24, 0)):
        settings = Settings({"max_tokens": max_tokens}, "drop_shots")
        engine = CountsCharacters()
        (sample,) = drop_shots(prepared, settings, engine).samples
        assert len(sample.shots) == num_kept
        assert {request.max_tokens for request in engine.asked} == {max_tokens}


def test_what_is_dropped_is_decided_on_whole_prompts(model: LocalModel) -> None:
    """A protocol that cuts prompts at the left would make everything fit."""
    sample = sample_of(9, 9, 9)
    prepared = prepared_of(sample)
    engine = TransformersEngine(model)
    assert not any(engine.overflow(request) for request in first_requests(prepared.task, sample, Settings()))
    (dropped,) = drop_shots(prepared, DROP, cast(Engine, engine)).samples
    assert dropped.shots == sample.shots[1:]


# -- whole runs


@dataclass(frozen=True)
class Ran:
    """A run of two tasks over the same lengths under a policy, and what the model read."""

    policy: Policy
    prepared: Prepared
    result: RunResult
    records: tuple[SampleRecord, ...]
    rows: tuple[tuple[int, ...], ...]


LENGTHS = (*NUM_TOKENS, WINDOW + 10)
"""Of what each sample asks at once. The last has too long an input and one exemplar, the others short ones."""

NUM_TOO_LONG = 3


def edge_samples(asks: Asks) -> tuple[Sample, ...]:
    """Exemplars of four characters at most, as many as it takes."""
    samples = []
    for row, num_tokens in enumerate(LENGTHS):
        num_input = 8 if num_tokens in NUM_TOKENS else WINDOW
        num_before = num_tokens - asks.num_reserved - num_input
        shots = [length for length in (num_before % 4, *[4] * (num_before // 4)) if length]
        samples.append(sample_of(*shots, num_input, row=row, name=asks.name))
    return tuple(samples)


def family_of(name: str, members: Sequence[Asks], samples_of: Callable[[Asks], tuple[Sample, ...]]) -> Family:
    infos = tuple(TaskInfo(asks.name, name, "en", "generate", "Lengths", "none") for asks in members)
    tasks = {asks.name: asks.task(samples_of(asks)) for asks in members}
    return Family(name, infos, lambda task, _: tasks[task], ("lengths-v1",))


def offer(patch: pytest.MonkeyPatch, families: Sequence[Family]) -> None:
    """`families` as if they were installed beside the others."""
    offered = {family.name: family for family in families}
    names, load = plugins.names, plugins.load
    patch.setattr(plugins, "names", lambda group: (*names(group), *(offered if group == plugins.TASKS else ())))
    patch.setattr(plugins, "load", lambda group, name: offered.get(name) or load(group, name))


@pytest.fixture(scope="module", params=[*REFUSING, *CUTTING])
def ran(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    policy: Policy = request.param
    by_user = policy in get_args(Truncation)
    own = "left-and-answer" if by_user else policy.removeprefix("protocol: ")
    encoding = msgspec.convert({"overflow": own}, Encoding)
    members = (Asks("lengths_scored", encoding), Asks("lengths_written", encoding, generates=True))
    short = Asks("short", encoding)
    with pytest.MonkeyPatch.context() as patch:
        offer(
            patch,
            [
                family_of("lengths", members, edge_samples),
                family_of("short", [short], lambda _: (sample_of(3, 3, name="short"),)),
            ],
        )
        config = RunConfig(
            model="hf",
            model_args={"pretrained": str(folder)},
            tasks=("lengths", "short"),
            device="cpu",
            batch_size=4,
            truncation=msgspec.convert(policy, Truncation) if by_user else None,
        )
        prepared = prepare(config)
    assert isinstance(prepared.engine, TransformersEngine)
    path = tmp_path_factory.mktemp("runs") / "run"
    with watched(prepared.engine.model) as rows:
        finished = execute(prepared, path, Quiet())
    assert finished.result is not None
    return Ran(policy, prepared, finished.result, tuple(read_samples(path)), tuple(map(tuple, rows)))


def records_of(ran: Ran, name: str) -> list[SampleRecord]:
    return [record for record in ran.records if record.task == name]


both_tasks = pytest.mark.parametrize(
    "asks", [Asks("lengths_scored", Encoding()), Asks("lengths_written", Encoding(), generates=True)]
)


@both_tasks
def test_how_many_were_cut_shortened_or_refused(ran: Ran, asks: Asks) -> None:
    (summary,) = (task for task in ran.result.tasks if task.task == asks.name)
    (spec,) = (task for task in ran.result.spec.tasks if task.name == asks.name)
    num_refused = {"error": NUM_TOO_LONG, "drop_shots": 1}.get(ran.policy, 0)
    assert summary.num_truncated == (NUM_TOO_LONG if ran.policy in CUTTING else 0)
    assert spec.num_shortened == (NUM_TOO_LONG if ran.policy == "drop_shots" else 0)
    assert (summary.counts.requested, summary.counts.unscored) == (len(LENGTHS), num_refused)
    assert summary.counts.unscored_by_cause == ({"context_too_long": num_refused} if num_refused else {})


@both_tasks
def test_each_sample_ends_as_its_length_says(ran: Ran, asks: Asks) -> None:
    for record, num_tokens in zip(records_of(ran, asks.name), LENGTHS, strict=True):
        excess = max(0, num_tokens - WINDOW)
        is_refused = excess and (ran.policy == "error" or (ran.policy == "drop_shots" and num_tokens not in NUM_TOKENS))
        assert isinstance(record.outcome, Unscored if is_refused else Scored)
        if isinstance(record.outcome, Unscored):
            assert record.outcome.cause is Cause.CONTEXT_TOO_LONG
        cut = [reply.num_truncated for reply in record.responses if not isinstance(reply, Failure)]
        # the longest choice is the last; the others have that much more room
        longest = max(map(len, CHOICES))
        expected = [excess] if asks.generates else [max(0, excess - (longest - len(choice))) for choice in CHOICES]
        if not is_refused:
            assert cut == (expected if ran.policy in CUTTING else [0] * len(expected))


@both_tasks
def test_each_sample_is_asked_as_its_policy_says(ran: Ran, asks: Asks) -> None:
    overflow = {"truncate_left": "left", **dict.fromkeys(REFUSING, "error")}
    whole = edge_samples(asks)
    for record, before in zip(records_of(ran, asks.name), whole, strict=True):
        kept = before.shots
        if ran.policy == "drop_shots":
            room = WINDOW - asks.num_reserved
            kept = shots_before(before.input, before.shots, ("",), room)
        assert record.sample == msgspec.structs.replace(before, shots=kept)
        asked = [overflowing(request, "error") for request in asks.requests(record.sample, ())]
        for item, request in zip(record.items, asked, strict=True):
            assert item.request == overflowing(request, overflow.get(ran.policy, ran.policy.removeprefix("protocol: ")))


def test_what_the_model_read(ran: Ran) -> None:
    """Of every context that was scored, the end that fits; nothing longer than the window ever."""
    assert max(map(len, ran.rows)) == WINDOW
    num_checked = 0
    for record in records_of(ran, "lengths_scored"):
        for item, response in zip(record.items, record.responses, strict=True):
            assert isinstance(item.request, LoglikelihoodRequest)
            row = tuple(whole_of(item.request)[:-1][-WINDOW:])
            assert (row in ran.rows) == isinstance(response, Loglikelihood)
            num_checked += 1
    for record in records_of(ran, "lengths_written"):
        if isinstance(record.outcome, Scored):
            assert tuple(ids_of(prompt_of(record.sample))[-ROOM:]) in ran.rows
            num_checked += 1
    assert num_checked >= 2 * len(LENGTHS)


def test_answers_lose_what_the_protocol_says(ran: Ran, model: LocalModel) -> None:
    for record in records_of(ran, "lengths_written"):
        (answer,) = record.responses
        if isinstance(answer, Failure):
            continue
        assert isinstance(answer, Completion)
        kept = ids_of(prompt_of(record.sample))[-ROOM:]
        tokens = plainly_generated(model, kept, MAX_TOKENS)[: answer.num_tokens]
        lost = answer.num_truncated if ran.policy == "protocol: left-and-answer" else 0
        assert answer.text == model.encoder.tokenizer.decode(tokens[lost:], skip_special_tokens=True)


def test_the_alarms_say_what_was_done_to_prompts(ran: Ran) -> None:
    """Of the family, its tasks taken together; a family in which all fits has nothing to say."""
    num, of = 2 * NUM_TOO_LONG, 2 * len(LENGTHS)
    expected = {
        "drop_shots": f"{num} of {of} samples with fewer exemplars: their prompts were longer than the context in use"
    }
    expected |= dict.fromkeys(CUTTING, f"{num} of {of} samples with a truncated prompt: longer than the context in use")
    found = alarms(ran.result)
    assert found == ({} if ran.policy == "error" else {"lengths": (expected[ran.policy],)})


def test_the_user_is_told_before_the_run(ran: Ran) -> None:
    said = [
        f"{name}: exemplars dropped from {NUM_TOO_LONG} of {len(LENGTHS)} samples."
        for name in ("lengths_scored", "lengths_written")
    ]
    assert list(ran.prepared.notes) == (said if ran.policy == "drop_shots" else [])


def synthetic(numbers: Mapping[str, tuple[int, int]]) -> RunResult:
    """A result in which each task asked ten samples, so many of them cut and so many shortened."""
    specs = [
        TaskSpec(
            name=name,
            family=name.partition("_")[0],
            version=1,
            protocol="lengths-v1",
            num_fewshot=9,
            chat=False,
            datasets=(),
            sample_ids_hash="",
            prompts_hash="",
            num_samples=10,
            num_available=10,
            num_shortened=num_shortened,
        )
        for name, (_, num_shortened) in numbers.items()
    ]
    counts = Counts(requested=10, scored=7, unscored=3)
    summaries = [
        TaskSummary(
            task=spec.name,
            family=spec.family,
            language="en",
            protocol=spec.protocol,
            counts=counts,
            flags={},
            num_prompt_tokens=0,
            num_generated_tokens=0,
            num_truncated=numbers[spec.name][0],
        )
        for spec in specs
    ]
    spec = RunSpec(
        schema=SCHEMA_VERSION,
        model=ModelSpec(name="m", engine="scripted", identity={}),
        tasks=tuple(specs),
        limit=None,
        limit_mode="first",
        rows={},
        seed=0,
        system_instruction="",
        multiturn_shots=False,
        generation={},
    )
    return RunResult(
        schema=SCHEMA_VERSION,
        run_id=spec.run_id,
        spec=spec,
        status="incomplete",
        counts=counts,
        estimates=(),
        aggregates=(),
        tasks=tuple(summaries),
        packages={},
    )


def test_alarms_of_both_kinds_stand_together() -> None:
    """Where a run that dropped exemplars was scored by a protocol that cuts; each family's numbers are its own."""
    result = synthetic({"a_1": (1, 2), "a_2": (3, 0), "b_1": (0, 4), "c_1": (0, 0)})
    assert alarms(result) == {
        "a": (
            "4 of 20 samples with a truncated prompt: longer than the context in use",
            "2 of 20 samples with fewer exemplars: their prompts were longer than the context in use",
        ),
        "b": ("4 of 10 samples with fewer exemplars: their prompts were longer than the context in use",),
    }
