"""The vLLM engine with vLLM: the same answers as our own engine gives. ``make test-vllm`` runs these."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_smollm2 import choice_items

from evalsuite import models
from evalsuite.config import RunConfig
from evalsuite.engines import model_arguments, vllm_asking
from evalsuite.engines.base import Batch, EngineOptions
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.scores import NO_TOKENS, NONFINITE
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.engines.vllm import VllmEngine, open_engine
from evalsuite.errors import EngineFailed, ModelUnreadable, UsageError
from evalsuite.prepare import prepare
from evalsuite.run import Quiet, execute
from evalsuite.types import (
    Cause,
    Completion,
    Encoding,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Message,
    Request,
    Response,
    RollingRequest,
)

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.model,
    pytest.mark.skipif(find_spec("vllm") is None, reason="needs vLLM: make test-vllm"),
    pytest.mark.filterwarnings("ignore"),  # vLLM's imports have many
]

MODEL = "smollm2-135m"
MAX_LENGTH = 512
ARGS = {"dtype": "float32", "max_length": MAX_LENGTH}
VLLM_ARGS = {"pretrained": MODEL, **ARGS, "enforce_eager": True}
"""Without compiling, which takes longer here than all of these tests."""
MAX_DIFFERENCE_NATS = 1e-3
INTERPRETED = Path(__file__).parent / "interpreted_triton"


@pytest.fixture(scope="module")
def engine() -> Iterator[VllmEngine]:
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    engine = open_engine(EngineOptions("vllm", VLLM_ARGS))
    yield engine
    engine.close()


def scoring(context: str, *continuations: str, overflow: str = "error") -> list[Request]:
    encoding = Encoding(overflow=overflow)  # type: ignore[arg-type]
    return [LoglikelihoodRequest(context=context, continuation=one, encoding=encoding) for one in continuations]


def answers(engine: VllmEngine | TransformersEngine, requests: Sequence[Request]) -> list[Response]:
    """The engine's answers in the order of `requests`."""
    names = [f"{place:03}" for place in range(len(requests))]
    items = [Item(id=name, sample_id=name, wave=1, request=one) for name, one in zip(names, requests, strict=True)]
    found = dict(engine.run(engine.plan(items)))
    return [found[name] for name in names]


@cache
def ours() -> TransformersEngine:
    return model_arguments.open_engine(EngineOptions(MODEL, ARGS, device="cpu"))


def score(engine: VllmEngine, pairs: Sequence[EncodedPair]) -> list[Loglikelihood]:
    """The scores of token pairs, in the way that the engine takes here."""
    found = vllm_asking.score(engine.model.llm, pairs, replays=engine.model.can_replay)
    scores = [one for one in found if isinstance(one, Loglikelihood)]
    assert len(scores) == len(pairs)
    return scores


def assert_same_scores(found: Sequence[Response], expected: Sequence[Response]) -> None:
    for one, reference in zip(found, expected, strict=True):
        assert isinstance(one, Loglikelihood)
        assert isinstance(reference, Loglikelihood)
        assert abs(one.sum_nats - reference.sum_nats) <= MAX_DIFFERENCE_NATS
        facts = ("num_tokens", "num_chars", "num_bytes", "is_greedy", "num_truncated")
        assert [getattr(one, name) for name in facts] == [getattr(reference, name) for name in facts]


def test_scores_are_those_of_our_own_engine(engine: VllmEngine) -> None:
    """Choices in six languages, several of one context, an empty context, spaces at the join, whole texts."""
    requests = [one.request for one in choice_items()]
    requests += scoring("Question: What is 2 + 2?\nA. 3\nB. 4\nC. 5\nD. 22\nAnswer:", " A", " B", " C", " D")
    requests += scoring("", "Hello there")
    requests += scoring("Water boils at   ", "100 degrees")
    requests += [RollingRequest(text="The moon goes round the earth.")]
    pairs = [engine.requests.pair(request) for request in requests]
    assert len(requests) > 50
    assert 4 < sum(len(pair.continuation) == 1 for pair in pairs) < len(pairs) - 40
    assert_same_scores(answers(engine, requests), answers(ours(), requests))


def test_a_continuation_scores_as_its_tokens_one_by_one(engine: VllmEngine) -> None:
    """The way of single tokens against that of several: the chain rule."""
    pairs = [engine.requests.pair(request) for request in scoring("The capital of France is", " Paris, of course.")]
    context, rest = pairs[0].context, pairs[0].continuation
    assert len(rest) == 5
    steps = [EncodedPair((*context, *rest[:place]), (token,), "") for place, token in enumerate(rest)]
    whole, *parts = score(engine, [*pairs, *steps])
    assert whole.sum_nats == pytest.approx(sum(part.sum_nats for part in parts), abs=MAX_DIFFERENCE_NATS)
    assert whole.is_greedy == all(part.is_greedy for part in parts)
    assert {part.is_greedy for part in parts} == {True, False}


def test_more_tokens_of_one_context_than_a_request_can_name(engine: VllmEngine) -> None:
    """300 of them, whose probabilities are those of the same tokens asked in another company."""
    context = engine.requests.pair(scoring("The sky is", " blue")[0]).context
    pairs = [EncodedPair(context, (token,), "") for token in range(1000, 1300)]
    together = score(engine, pairs)
    assert [found.sum_nats for found in together[::50]] == pytest.approx(
        [score(engine, [pair])[0].sum_nats for pair in pairs[::50]], abs=MAX_DIFFERENCE_NATS
    )
    assert len({found.sum_nats for found in together}) > 290


def test_greedy_is_what_it_would_have_generated(engine: VllmEngine) -> None:
    prompt = "The first three planets from the sun are"
    (generated,) = answers(engine, [GenerateRequest(prompt=prompt, max_tokens=6)])
    assert isinstance(generated, Completion)
    found = answers(engine, scoring(prompt, generated.text, generated.text.rpartition(" ")[0], " zebra", " so"))
    assert [one.is_greedy for one in found if isinstance(one, Loglikelihood)] == [True, True, False, False]


def test_a_continuation_without_tokens_has_no_score(engine: VllmEngine) -> None:
    assert vllm_asking.score(engine.model.llm, [EncodedPair((1, 2), (), "")], replays=False) == [NO_TOKENS]


def test_rows_as_long_as_the_context_are_scored(engine: VllmEngine) -> None:
    """The last position that the model reads is its last: 512 tokens, and one more that is only foretold."""
    text = "In the beginning " + "there was a word and " * 200
    for continuation in (" light", " light and it was good"):
        requests = scoring(text, continuation, overflow="left")
        assert len(engine.requests.pair(requests[0]).row) == MAX_LENGTH
        assert_same_scores(answers(engine, requests), answers(ours(), requests))
    too_long, fits = answers(engine, [*scoring(text, " light"), GenerateRequest(
        prompt=text, max_tokens=12, encoding=Encoding(overflow="left")
    )])  # fmt: skip
    assert isinstance(too_long, Failure)
    assert too_long.cause is Cause.CONTEXT_TOO_LONG
    assert isinstance(fits, Completion)
    assert (fits.num_prompt_tokens, fits.num_tokens) == (MAX_LENGTH - 12, 12)


def test_greedy_texts_are_those_of_our_own_engine(engine: VllmEngine) -> None:
    requests: list[Request] = [
        GenerateRequest(prompt="The capital of France is", max_tokens=24),
        GenerateRequest(prompt="1, 2, 3, 4,", max_tokens=24, stop=(" 8",)),
        GenerateRequest(prompt="def add(a, b):\n", max_tokens=40, stop=("\n\n", "return")),
        GenerateRequest(prompt="太阳系有", max_tokens=24),
        GenerateRequest(prompt=(Message(role="user", content="What is the capital of France?"),), max_tokens=24),
        GenerateRequest(prompt=(Message(role="user", content="Say hello."),), max_tokens=2),
    ]
    found = answers(engine, requests)
    assert found == answers(ours(), requests)
    reasons = [one.stop_reason for one in found if isinstance(one, Completion)]
    assert reasons == ["length", "stop", "stop", "length", "end", "length"]


def test_stop_strings_across_tokens_are_cut_from_the_text(engine: VllmEngine) -> None:
    whole = "1, 2, 3, 4, 5, 6, 7, 8"
    prompt = f"{whole}\n{whole}\n{whole}\n1, 2, 3,"
    (free,) = answers(engine, [GenerateRequest(prompt=prompt, max_tokens=12)])
    assert isinstance(free, Completion)
    assert free.text.startswith(" 4, 5, 6, 7")
    for stop in (", 6, 7", "6", "5, 6", " "):
        (found,) = answers(engine, [GenerateRequest(prompt=prompt, max_tokens=12, stop=(stop, "\n\n\n", ""))])
        assert isinstance(found, Completion)
        assert found.text == free.text[: free.text.index(stop)]
        assert found.stop_reason == "stop"
        assert found.num_tokens <= free.num_tokens


def test_a_stop_that_our_own_text_does_not_hold_ends_nothing(engine: VllmEngine) -> None:
    """Our text without spaces before commas, vLLM's with them: its stop is taken back."""
    request = GenerateRequest(prompt="a , b , c , d , e , f ,", max_tokens=10, stop=(" , i",))
    assert isinstance(before := answers(engine, [request])[0], Completion)
    assert before.stop_reason == "stop"
    tokenizer = engine.model.encoder.tokenizer
    decode = tokenizer.decode
    tokenizer.decode = lambda ids, **options: decode(ids, **options).replace(" ,", ",")
    try:
        (found,) = answers(engine, [request])
    finally:
        del tokenizer.decode
    assert isinstance(found, Completion)
    assert found.text.startswith(" g, h, i, j")
    assert (found.stop_reason, found.num_tokens) == ("length", 10)


def test_sampled_texts_depend_on_nothing_but_their_seed(engine: VllmEngine) -> None:
    requests = [
        GenerateRequest(prompt="Once upon a time", max_tokens=12, temperature=0.8, top_p=0.9, seed=seed)
        for seed in (1, 2, 1)
    ]
    first, other, again = answers(engine, requests)
    assert first == again
    assert first != other
    assert answers(engine, requests[1:2]) == [other]


def test_alternatives_are_the_likeliest_tokens_with_their_log_probabilities(engine: VllmEngine) -> None:
    prompt = "The capital of France is"
    plain, found = answers(
        engine, [GenerateRequest(prompt=prompt, max_tokens=5, num_alternatives=wanted) for wanted in (0, 3)]
    )
    assert isinstance(found, Completion)
    assert isinstance(plain, Completion)
    assert plain.text == found.text == "".join(found.tokens)
    assert (plain.tokens, plain.logprobs_nats, plain.alternatives) == ((), None, ())
    assert found.logprobs_nats
    assert len(found.tokens) == len(found.logprobs_nats) == len(found.alternatives) == 5
    for token, logprob, listed in zip(found.tokens, found.logprobs_nats, found.alternatives, strict=True):
        assert listed[0] == (token, logprob)  # greedy
        assert len(listed) == 3
        assert [value for _, value in listed] == sorted((value for _, value in listed), reverse=True)
    first = [text for text, _ in found.alternatives[0]]
    scores = [one.sum_nats for one in answers(ours(), scoring(prompt, *first)) if isinstance(one, Loglikelihood)]
    assert [value for _, value in found.alternatives[0]] == pytest.approx(scores, abs=MAX_DIFFERENCE_NATS)


def test_a_request_that_vllm_refuses_fails_alone(engine: VllmEngine) -> None:
    requests = [GenerateRequest(prompt="Hi", max_tokens=2, temperature=heat) for heat in (0.0, 3.0)]
    fine, refused = answers(engine, requests)
    assert isinstance(fine, Completion)
    assert isinstance(refused, Failure)
    assert refused.cause is Cause.REJECTED
    assert refused.detail.startswith("vLLM: temperature must be in [0, 2]")


def test_replaying_is_refused_where_vllm_cannot(engine: VllmEngine) -> None:
    assert not engine.model.can_replay
    with pytest.raises(EngineFailed, match=r"^vLLM broke off: .*trace"):
        vllm_asking.score(engine.model.llm, [EncodedPair((1, 2), (3, 4), "x")], replays=True)
    assert isinstance(answers(engine, scoring("Still", " here"))[0], Loglikelihood)


@pytest.mark.skipif(find_spec("triton") is None, reason="needs Triton, to interpret kernels")
def test_replayed_continuations_score_as_with_our_own_engine(engine: VllmEngine, tmp_path: Path) -> None:
    """In a process in which vLLM has its newer model runner: the one that replays, as on a GPU."""
    requests = [one.request for one in choice_items()]
    requests += scoring("1, 2, 3, 4, 5,", " 6, 7, 8, 9", " 6, 7, 8, 8", " 7")
    requests.sort(key=lambda request: len(engine.requests.pair(request).continuation))
    requests = requests[:38]  # a token takes a third of a second where kernels are interpreted
    pairs = [engine.requests.pair(request) for request in requests]
    assert sum(len(pair.continuation) > 1 for pair in pairs) >= 30
    asked = [(pair.context, pair.continuation) for pair in pairs]
    content = {"args": VLLM_ARGS, "replay": asked, "prompt": asked[-2:]}
    (tmp_path / "pairs.json").write_text(json.dumps(content), encoding="utf-8")
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(INTERPRETED)}
    command = [sys.executable, INTERPRETED / "score_both_ways.py", tmp_path / "pairs.json", tmp_path / "scores.json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert found["scoring"] == "replay"
    reference = [one for one in answers(ours(), requests) if isinstance(one, Loglikelihood)]
    for way, expected in (("replay", reference), ("prompt", reference[-2:])):
        sums, flags = zip(*found[way], strict=True)
        assert sums == pytest.approx([one.sum_nats for one in expected], abs=MAX_DIFFERENCE_NATS)
        assert list(flags) == [one.is_greedy for one in expected]
    assert {one.is_greedy for one in reference if one.num_tokens > 1} == {True, False}


def test_a_token_that_was_not_asked_for_has_no_score(engine: VllmEngine) -> None:
    (output,) = vllm_asking._ask(engine.model.llm, [(1, 2)], [vllm_asking._greedy(1, logprob_token_ids=[5])])
    nats, is_greedy = vllm_asking._next_token(output, 5)
    assert (nats < -1, is_greedy) == (True, False)
    with pytest.raises(EngineFailed, match="was asked for a token's log-probability and gave none"):
        vllm_asking._next_token(output, 6)


def test_a_model_whose_logits_are_no_numbers_fails(engine: VllmEngine, tmp_path: Path) -> None:
    """All of it: scores in both ways, and texts, which would else be some token over and over."""
    broken = open_engine(EngineOptions("vllm", {**VLLM_ARGS, "pretrained": str(with_nan(tmp_path))}))
    try:
        requests = [*scoring("One", " two", " two and three"), GenerateRequest(prompt="One", max_tokens=3)]
        assert answers(broken, requests) == [NONFINITE] * 3
    finally:
        broken.close()


def with_nan(folder: Path) -> Path:
    """The model with a last norm of NaN."""
    import torch
    from safetensors.torch import load_file, save_file

    source = models.locate(MODEL).path
    for file in source.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, folder)
    weights = load_file(source / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], float("nan"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_what_vllm_cannot_load_is_said_in_one_line(tmp_path: Path) -> None:
    with_nan(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": ["Mlp"]}), encoding="utf-8")
    broken = open_engine(EngineOptions("vllm", {**VLLM_ARGS, "pretrained": str(tmp_path)}))
    with pytest.raises(ModelUnreadable, match=r": vLLM cannot load it: .*\['Mlp'\] are not supported") as refusal:
        broken.stack()
    assert "\n" not in str(refusal.value)


def test_a_run_with_vllm_ends_as_one_with_our_own_engine(tmp_path: Path) -> None:
    """Found by its name, planned, journaled and scored; two waves of a conversation among it."""
    found = {}
    for model, args in (("vllm", VLLM_ARGS), ("hf", {"pretrained": MODEL, **ARGS})):
        config = RunConfig(
            model=model, model_args=args, tasks=("mini_choice_en", "mini_chat_en"), limit=3, device="cpu",
            gen_kwargs={"max_tokens": 12},
        )  # fmt: skip
        finished = execute(prepare(config), tmp_path / model, Quiet())
        assert finished.result is not None
        assert finished.counts.scored == finished.counts.requested == 6
        found[model] = [(one.task, one.metric, one.value) for one in finished.result.estimates]
        (stack,) = finished.result.stacks
        assert stack["scoring"] == {"vllm": "prompt", "hf": "forest"}[model]
    assert found["vllm"] == found["hf"]


def test_its_identity_and_stack(engine: VllmEngine) -> None:
    identity, reference = dict(engine.identity()), ours().identity()
    shared = {"weights", "source", "dtype", "max_length", "max_length_from", "chat_template_sha256", "batch_size"}
    assert {key: identity[key] for key in shared} == {key: reference[key] for key in shared}
    import vllm as installed

    assert identity["vllm"] == installed.__version__
    assert (identity["tensor_parallel_size"], identity["enforce_eager"]) == (1, True)
    assert engine.stack()["scoring"] == ("replay" if engine.model.can_replay else "prompt")


def test_devices_and_promises_that_it_does_not_have_are_refused() -> None:
    with pytest.raises(UsageError, match="--device mps: the vLLM installed here computes on cpu"):
        open_engine(EngineOptions("vllm", {"pretrained": MODEL}, device="mps"))
    with pytest.raises(UsageError, match="--deterministic: on cpu vLLM's sums depend on"):
        open_engine(EngineOptions("vllm", {"pretrained": MODEL}, is_deterministic=True))


# -- several workers


def test_two_workers_answer_as_one_process_also_when_one_is_killed(
    engine: VllmEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    from evalsuite.engines import ray_workers
    from evalsuite.engines.ray_cluster import Crew
    from evalsuite.engines.workers import spread

    class Mortal(ray_workers.Worker):
        """A worker that is killed over its second batch before the answer is out, once."""

        def answer(self, batch: Batch) -> ray_workers.Answers:
            found = super().answer(batch)
            if batch.index == 1 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return found

    mark = tmp_path / "killed"
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(ray_workers, "Worker", Mortal)
    requests: list[Request] = [one for count in range(1, 13) for one in scoring("One, two, " * count, "three", " four")]
    requests += [GenerateRequest(prompt="One, two, " * count, max_tokens=8) for count in range(1, 5)]
    options = EngineOptions("vllm", VLLM_ARGS, batch_size=4)
    workers = spread(open_engine(options), open_engine, options, Crew(2))
    names = [f"{place:03}" for place in range(len(requests))]
    items = [Item(id=name, sample_id=name, wave=1, request=one) for name, one in zip(names, requests, strict=True)]
    try:
        assert workers.stack() == engine.stack()
        found = dict(workers.run(workers.plan(items)))
        died = [event.facts["batch"] for event in workers.take_events() if event.name == "worker_died"]
    finally:
        workers.close()
    assert died == [1]
    for name, ours in zip(names, answers(engine, requests), strict=True):
        check_alike(ours, found[name])


def check_alike(ours: Response, theirs: Response) -> None:
    if isinstance(ours, Completion) and isinstance(theirs, Completion):
        assert theirs.text == ours.text
        return
    assert isinstance(ours, Loglikelihood)
    assert isinstance(theirs, Loglikelihood)
    assert theirs.sum_nats == pytest.approx(ours.sum_nats, abs=MAX_DIFFERENCE_NATS)
