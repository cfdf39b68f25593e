"""The cache of answers: found by everything that can change one, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evalsuite.config import make_config
from evalsuite.engines.base import Batch
from evalsuite.engines.scripted import ScriptedEngine, completion
from evalsuite.prepare import prepare
from evalsuite.run import Finished, Quiet, execute
from evalsuite.store.response_cache import ResponseCache
from evalsuite.store.results import RESULTS
from evalsuite.types import (
    Cause,
    Encoding,
    Failure,
    GenerateRequest,
    Item,
    LoglikelihoodRequest,
    Message,
    Request,
    Response,
    Scalar,
)

IDENTITY: Mapping[str, Scalar] = {
    "weights": "a" * 64, "source": "hub@1", "dtype": "float32", "device": "cpu", "max_length": 2048,
    "max_length_from": "model", "chat_template_sha256": "b" * 64, "torch": "2.13.0", "transformers": "5.23.0",
    "tokenizers": "0.23.3", "generation": "rows", "mode": "forest", "adapter": "none", "bits": 0,
}  # fmt: skip
STACK: Mapping[str, Scalar] = {"threads": 2, "cpu": "EPYC", "gpu": "none"}
REQUEST = GenerateRequest(
    prompt=(Message(role="user", content="Hello"),), max_tokens=16, stop=("\n",), temperature=0.7, top_p=0.9, seed=3,
    num_alternatives=2, encoding=Encoding(),
)  # fmt: skip


class Known(ScriptedEngine):
    """An engine of some identity, that counts what it is asked."""

    def __init__(
        self,
        identity: Mapping[str, Scalar] = IDENTITY,
        stack: Mapping[str, Scalar] = STACK,
        *,
        name: str = "known",
        is_batch_atomic: bool = True,
        function: Callable[[Request], Response] | None = None,
    ) -> None:
        super().__init__(function or (lambda request: completion(f"{identity['weights']} {request.key}")))
        self.name = name
        self.is_cacheable = True
        self.is_batch_atomic = is_batch_atomic
        self._identity, self._stack = identity, stack
        self.num_asked = 0

    def identity(self) -> Mapping[str, Scalar]:
        return self._identity

    def stack(self) -> Mapping[str, Scalar]:
        return self._stack

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        for answered in super().run(batches):
            self.num_asked += 1
            yield answered


def batch_of(*requests: Request) -> Batch:
    items = tuple(Item(id=f"s#{n}", sample_id="s", wave=1, request=request) for n, request in enumerate(requests))
    return Batch(0, items, 1)


def changed(value: Any) -> Any:
    return value + 1 if isinstance(value, int | float) else f"{value}x"


REQUEST_CHANGES: dict[str, Any] = {
    "prompt": (Message(role="user", content="Hello "),), "max_tokens": 17, "stop": ("\n", "#"), "temperature": 0.8,
    "top_p": 0.8, "seed": 4, "num_alternatives": 3, "encoding": Encoding(bos="none"),
}  # fmt: skip


def variants() -> Iterator[tuple[str, Known, GenerateRequest, Batch]]:
    """One change each: what changed, and the engine and batch with it."""
    for key in IDENTITY:
        yield key, Known({**IDENTITY, key: changed(IDENTITY[key])}), REQUEST, batch_of(REQUEST)
    for key in STACK:
        yield key, Known(stack={**STACK, key: changed(STACK[key])}), REQUEST, batch_of(REQUEST)
    for key, value in REQUEST_CHANGES.items():
        request = msgspec.structs.replace(REQUEST, **{key: value})
        yield key, Known(), request, batch_of(request)
    for key in ("bos", "split", "overflow"):
        other = {"bos": "unless-present", "split": "lm-eval", "overflow": "left"}[key]
        request = msgspec.structs.replace(REQUEST, encoding=Encoding(**{key: other}))
        yield f"encoding.{key}", Known(), request, batch_of(request)
    request = msgspec.structs.replace(REQUEST, prompt=(Message(role="system", content="Hello"),))
    yield "role", Known(), request, batch_of(request)
    yield "plain prompt", Known(), REQUEST, batch_of(msgspec.structs.replace(REQUEST, prompt="Hello"))
    yield "engine", Known(name="other"), REQUEST, batch_of(REQUEST)
    yield "company", Known(), REQUEST, batch_of(REQUEST, msgspec.structs.replace(REQUEST, seed=9))


VARIANTS = list(variants())


def test_every_field_of_a_request_has_a_variant() -> None:
    assert set(REQUEST_CHANGES) == set(GenerateRequest.__struct_fields__)
    assert len(VARIANTS) >= 25


@pytest.mark.parametrize(("what", "engine", "request_", "batch"), VARIANTS, ids=[variant[0] for variant in VARIANTS])
def test_one_change_is_no_hit(
    tmp_path: Path, what: str, engine: Known, request_: GenerateRequest, batch: Batch
) -> None:
    cache = ResponseCache(tmp_path)
    cache.keep(Known(), batch_of(REQUEST), {"s#0": completion("kept")})
    assert cache.lookup(Known(), batch_of(REQUEST)) == (("s#0", completion("kept")),)
    assert cache.lookup(engine, batch) is None
    assert cache.num_damaged == 0


def test_hardware_and_company_do_not_matter_where_answers_do_not_depend_on_them(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path)
    apart = {"is_batch_atomic": False}
    cache.keep(Known(**apart), batch_of(REQUEST), {"s#0": completion("kept")})
    other = Known(stack={"threads": 64}, **apart)
    assert cache.lookup(other, batch_of(REQUEST)) == (("s#0", completion("kept")),)
    assert cache.lookup(other, batch_of(msgspec.structs.replace(REQUEST, seed=9), REQUEST)) is None


def test_failures_and_log_likelihoods_are_not_kept(tmp_path: Path) -> None:
    cache, engine = ResponseCache(tmp_path), Known()
    scored = batch_of(LoglikelihoodRequest(context="a", continuation=" b"))
    cache.keep(engine, batch_of(REQUEST), {"s#0": Failure(cause=Cause.TIMEOUT)})
    cache.keep(engine, scored, {"s#0": completion("never")})
    assert cache.lookup(engine, batch_of(REQUEST)) is None
    assert cache.lookup(engine, scored) is None
    assert not list(tmp_path.rglob("*.json"))


def test_a_file_under_the_right_name_with_another_preimage_is_no_hit(tmp_path: Path) -> None:
    """As though two keys had one hash."""
    cache, engine = ResponseCache(tmp_path), Known()
    cache.keep(engine, batch_of(REQUEST), {"s#0": completion("kept")})
    (path,) = tmp_path.rglob("*.json")
    stored = json.loads(path.read_bytes())
    stored["asked"]["identity"]["weights"] = "c" * 64
    path.write_text(json.dumps(stored), encoding="ascii")
    assert cache.lookup(engine, batch_of(REQUEST)) is None
    assert cache.num_damaged == 1


def test_every_flipped_bit_is_a_miss(tmp_path: Path) -> None:
    cache, engine = ResponseCache(tmp_path), Known()
    cache.keep(engine, batch_of(REQUEST), {"s#0": completion("kept for long")})
    (path,) = tmp_path.rglob("*.json")
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(damaged))
        found = cache.lookup(engine, batch_of(REQUEST))
        assert found in (
            None,
            (("s#0", completion("kept for long")),),
        )  # the latter: white space, or case of \u escapes
    for end in range(len(content)):
        path.write_bytes(content[:end])
        assert cache.lookup(engine, batch_of(REQUEST)) is None


# -- through a run


def run(path: Path, engine: ScriptedEngine, cache: ResponseCache | None) -> Finished:
    config = make_config({}, {"model": "scripted", "tasks": ("mini_chat_en", "mini_choice_en"), "limit": 4.0})
    return execute(replace(prepare(config), engine=engine), path, Quiet(), cache=cache)


def test_a_second_run_asks_only_what_is_not_kept_and_finds_the_same(tmp_path: Path) -> None:
    first, second, alone = (Known(is_batch_atomic=False, function=None) for _ in range(3))
    for engine in (first, second, alone):
        engine._function = _mixed
    cache = ResponseCache(tmp_path / "cache")
    before = run(tmp_path / "a", first, cache)
    after = run(tmp_path / "b", second, cache)
    plain = run(tmp_path / "c", alone, None)
    num_texts = 8
    assert (before.num_cached, after.num_cached, plain.num_cached) == (0, num_texts, 0)
    assert second.num_asked == first.num_asked - num_texts
    assert len({(folder / RESULTS).read_bytes() for folder in (before.path, after.path, plain.path)}) == 1


def test_two_models_share_a_cache_and_not_their_answers(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "cache")
    one = Known(is_batch_atomic=False, function=_mixed)
    other = Known({**IDENTITY, "weights": "d" * 64}, is_batch_atomic=False, function=lambda r: _mixed(r, "other"))
    run(tmp_path / "a", one, cache)
    finished = run(tmp_path / "b", other, cache)
    assert finished.num_cached == 0
    assert finished.result == run(tmp_path / "c", other, None).result


def test_failures_are_asked_again_by_the_next_run(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "cache")
    broken = Known(is_batch_atomic=False, function=lambda request: Failure(cause=Cause.TIMEOUT))
    assert run(tmp_path / "a", broken, cache).counts.scored == 0
    healthy = Known(is_batch_atomic=False, function=_mixed)
    finished = run(tmp_path / "b", healthy, cache)
    assert (finished.num_cached, finished.counts.unscored) == (0, 0)


def _mixed(request: Request, name: str = "one") -> Response:
    from evalsuite.engines.scripted import plausible

    return completion(f"{name} says {request.key[:6]}") if isinstance(request, GenerateRequest) else plausible(request)
