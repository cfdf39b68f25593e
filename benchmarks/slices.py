"""Real requests of the five log-likelihood tasks and GSM8K, small enough for two cores, as both harnesses take them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lm_eval_side

from evalsuite.asking import first_requests, settings_of
from evalsuite.config import RunConfig
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.model_arguments import open_engine
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.prepare import Opened, Prepared, prepare
from evalsuite.types import Failure, Item, Loglikelihood, Response

DOCS = {"hellaswag": 7, "arc_challenge": 7, "mmlu_astronomy": 20, "truthfulqa": 20, "winogrande": 40}
"""Documents of each log-likelihood task: lm-eval takes between 5 and 60 s for each on two cores with 135 M weights."""

QUICK_DOCS = {"hellaswag": 1, "arc_challenge": 1, "mmlu_astronomy": 3, "truthfulqa": 1, "winogrande": 4}
"""As few as show the sharing of each task."""

TRUTHFULQA = ("truthfulqa_mc1", "truthfulqa_mc2")
"""lm-eval's two tasks that are one of ours."""


def parser(description: str | None) -> argparse.ArgumentParser:
    """Options of every benchmark on real requests: the model, and the folder of datasets (``$EVALSUITE_DATA``)."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--model", default="smollm2-135m", help="a built-in name, a folder or a .gguf file")
    data_dir = os.environ.get("EVALSUITE_DATA")
    found.add_argument("--data_dir", type=Path, default=data_dir, required=not data_dir)
    return found


def open_model(name: str, dtype: str, *, is_compiled: bool = False) -> LocalModel:
    """A model's name, folder or .gguf file, with weights loaded and its ways of computing chosen."""
    model = open_engine(EngineOptions(model=name, args={"dtype": dtype, "compile": is_compiled})).model
    assert model.verdict
    return model


def engine_of(model: LocalModel) -> TransformersEngine:
    """An engine that has seen nothing yet, over weights that are loaded."""
    return TransformersEngine(model)


def prepared(
    model: LocalModel,
    rows: Mapping[str, Sequence[int]],
    mirror: Path,
    *,
    num_fewshot: Mapping[str, int] | None = None,
    gen_kwargs: Mapping[str, int] | None = None,
) -> Prepared:
    """A run over dataset `rows` by task, under the protocol of lm-eval, on a `model` that is loaded already."""
    shots = {name: lm_eval_side.num_fewshot(name) for name in rows if name != "truthfulqa"}
    config = RunConfig(
        model=model.settings.name,
        model_args={"dtype": model.settings.dtype},
        tasks=tuple(rows),
        num_fewshot={**shots, **(num_fewshot or {})},
        samples={name: tuple(wanted) for name, wanted in rows.items()},
        gen_kwargs=dict(gen_kwargs or {}),
        data_dir=str(mirror),
    )
    return prepare(config, Opened("transformers", config.model, engine_of(model)))


def items_of(run: Prepared) -> list[Item]:
    """Every request of the first wave, in order."""
    settings = settings_of(run.spec)
    return [
        Item(id=f"{sample.id}/{place}", sample_id=sample.id, wave=1, request=request)
        for entry in run.tasks
        for sample in entry.samples
        for place, request in enumerate(first_requests(entry.task, sample, settings))
    ]


def first_rows(name: str, num_docs: int) -> dict[str, tuple[int, ...]]:
    """The first documents of a task."""
    return {name: tuple(range(num_docs))}


def pairs_of(engine: TransformersEngine, items: Sequence[Item]) -> list[EncodedPair]:
    """Token ids of each item's context and continuation, as the engine encodes them."""
    engine.requests.encode_all([item.request for item in items])
    return [engine.requests.pair(item.request) for item in items]


def answers(engine: TransformersEngine, items: Sequence[Item]) -> list[Response]:
    """Plan and answer `items`; the responses in their order."""
    found = dict(engine.run(engine.plan(items)))
    return [found[item.id] for item in items]


def scores(responses: Sequence[Response]) -> list[Loglikelihood]:
    """Log-likelihoods; a failure ends the benchmark, since its time would mean nothing."""
    failed = [response for response in responses if isinstance(response, Failure)]
    if failed:
        raise RuntimeError(f"{len(failed)} requests failed, the first: {failed[0]}")
    return [response for response in responses if isinstance(response, Loglikelihood)]


def token_requests(pairs: Sequence[EncodedPair]) -> list[tuple[Any, list[int], list[int]]]:
    """What lm-eval's `_loglikelihood_tokens` takes; without texts it caches nothing."""
    return [(None, list(pair.context), list(pair.continuation)) for pair in pairs]
