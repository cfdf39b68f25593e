"""Compiled parts score as the plain ones do; where they cannot be compiled, the model stays as it is and says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_architectures as architectures
import torch
from tiny_models import byte_level_with_bos, save_llama

from evalsuite.engines.base import EngineOptions
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.model_arguments import open_engine
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.errors import UsageError
from evalsuite.types import Item, Loglikelihood, LoglikelihoodRequest, Response

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("model"), byte_level_with_bos())


def engine_of(folder: Path, *, is_compiled: bool) -> TransformersEngine:
    settings = ModelSettings(str(folder), None, "float32", "cpu", None, None, is_compiled=is_compiled)
    return TransformersEngine(LocalModel(settings))


def scores(engine: TransformersEngine) -> list[Response]:
    items = [
        Item(id=f"{place}", sample_id="", wave=1, request=LoglikelihoodRequest(context="the cat", continuation=text))
        for place, text in enumerate((" sat", " sat on the mat", " the the"))
    ]
    found = dict(engine.run(engine.plan(items)))
    return [found[item.id] for item in items]


def compiled_parts(engine: TransformersEngine) -> list[str]:
    modules = engine.model.model.modules()
    return [type(part).__name__ for part in modules if part._compiled_call_impl is not None]


def test_compiled_parts_score_the_same(folder: Path) -> None:
    plain, compiled = (engine_of(folder, is_compiled=flag) for flag in (False, True))
    for found, expected in zip(scores(compiled), scores(plain), strict=True):
        assert isinstance(found, Loglikelihood)
        assert isinstance(expected, Loglikelihood)
        assert found.sum_nats == pytest.approx(expected.sum_nats, abs=1e-4)
    assert set(compiled_parts(compiled)) == {"LlamaMLP", "LlamaRMSNorm"}
    assert not compiled_parts(plain)
    assert compiled.identity() == {**plain.identity(), "compile": True}
    assert "not_compiled_because" not in compiled.stack()


def test_what_cannot_be_compiled_stays_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*_: object, **__: object) -> None:
        raise RuntimeError("no C++ compiler")

    def compile_to_nothing(part: torch.nn.Module, **_: object) -> None:
        part._compiled_call_impl = no_compiler  # type: ignore[assignment]

    monkeypatch.setattr(torch.nn.Module, "compile", compile_to_nothing)
    engine = engine_of(folder, is_compiled=True)
    assert scores(engine) == scores(engine_of(folder, is_compiled=False))
    assert engine.stack()["not_compiled_because"] == "RuntimeError: no C++ compiler"
    assert not compiled_parts(engine)


def test_encoders_with_decoders_are_left_alone(tmp_path: Path) -> None:
    saved = architectures.saved(tmp_path, "T5", architectures.ENCODER_DECODER["T5"])
    engine = engine_of(Path(saved.settings.name), is_compiled=True)
    assert isinstance(scores(engine)[0], Loglikelihood)
    assert "encoder" in str(engine.stack()["not_compiled_because"])


def test_only_true_and_false_are_taken(folder: Path) -> None:
    with pytest.raises(UsageError, match="compile=reduce-overhead: expected true or false"):
        open_engine(EngineOptions(str(folder), {"compile": "reduce-overhead"}))
