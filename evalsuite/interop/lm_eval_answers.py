"""lm-eval's requests answered by an engine of ours: what `lm_eval --model evalsuite` is made of, without lm-eval.

Its prompts are texts; a `Conversation` among them is asked as the messages it was made of. Answers are kept between
runs only in evalsuite's own cache, whose key is everything that can change an answer, the model before all: lm-eval's
own cache (``--use_cache``, its 0.4.13) finds answers by the prompt alone and gives one model those of another, so that
it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from evalsuite.asking import seeded
from evalsuite.canonical import content_hash
from evalsuite.config import ModelConfig
from evalsuite.engines.base import Batch, BatchFeed, Engine
from evalsuite.errors import EngineFailed, UsageError
from evalsuite.interop.lm_eval_requests_out import Conversation, conversation, request_of
from evalsuite.prepare import open_engine
from evalsuite.store.response_cache import ResponseCache
from evalsuite.types import Completion, Failure, GenerateRequest, Item, Loglikelihood, Response, Scalar

CACHE_REFUSED = (
    "--use_cache is refused with --model evalsuite: lm-eval's cache does not know which model answered, and gives one "
    "model the answers of another. Use evalsuite's own, --model_args use_cache=DIRECTORY."
)
_OWN = ("engine", "seed", "use_cache", "chat_template", "deterministic")
"""What ``--model_args`` may hold beside the arguments of ``evalsuite run --model_args``."""


class Answerer:
    """An engine, opened by lm-eval's ``--model_args``: what ``evalsuite run --model_args`` takes, and `_OWN`.

    `pretrained` (or `model`) is the model as ``evalsuite run --model`` names it, `engine` another engine than the one
    for it. Raises UsageError where there is no such model.
    """

    def __init__(self, arguments: Mapping[str, Scalar], device: str | None = None) -> None:
        rest = {key: value for key, value in arguments.items() if key not in _OWN}
        model = str(rest.get("pretrained") or rest.get("model") or "")
        engine = str(arguments.get("engine") or "")
        if not model and not engine:
            raise UsageError("--model_args names no model; for example pretrained=smollm2-135m.")
        if not engine:
            rest = {key: value for key, value in rest.items() if key not in ("pretrained", "model")}
        template = arguments.get("chat_template")
        opened = open_engine(
            ModelConfig(
                model=engine or model,
                model_args=rest,
                device=device,
                chat_template=str(template) if template else None,
                deterministic=bool(arguments.get("deterministic", False)),
            )
        )
        self.name = opened.model
        self.engine: Engine = opened.engine
        self.seed = int(arguments.get("seed", 1234))
        self._cache = ResponseCache(Path(str(arguments["use_cache"]))) if arguments.get("use_cache") else None

    @property
    def fingerprint(self) -> str:
        """The model and all that can change its answers or prompts, as a name: what lm-eval's request cache goes by."""
        return f"{self.name}-{content_hash(dict(self.engine.identity()))[:16]}"

    def render(self, history: Sequence[Mapping[str, str]], add_generation_prompt: bool = True) -> Conversation:
        """A chat history as the model reads it. Raises UsageError for a model without a chat template."""
        if not self.engine.has_chat_template:
            raise UsageError(f"--apply_chat_template: {self.name} has no chat template; give chat_template=FILE.")
        plain = conversation(history, add_generation_prompt)
        return Conversation(self.engine.render(GenerateRequest(prompt=plain.messages, max_tokens=1)), plain.messages)

    def answer(self, kind: str, asked: Sequence[tuple[str, tuple[object, ...]]]) -> list[Completion | Loglikelihood]:
        """The answers to requests, each a name of its own and lm-eval's arguments, in their order.

        Raises EngineFailed for the first that has none: lm-eval has no place for a failure.
        """
        items = [
            Item(
                id=f"{name}#1.{place}",
                sample_id=name,
                wave=1,
                request=seeded(request_of(kind, arguments), self.seed, f"{name}#1.{place}"),
            )
            for place, (name, arguments) in enumerate(asked)
        ]
        found = self._run(items)
        return [_told(item, found[item.id]) for item in items]

    def _run(self, items: Sequence[Item]) -> dict[str, Response]:
        found: dict[str, Response] = {}
        left: list[Batch] = []
        for batch in self.engine.plan(items) if items else ():
            cached = self._cache.lookup(self.engine, batch) if self._cache else None
            if cached is None:
                left.append(batch)
            else:
                found |= cached
        waiting = {batch.index: {item.id for item in batch.items} for batch in left}
        batches = {batch.index: batch for batch in left}
        owner = {item.id: batch.index for batch in left for item in batch.items}
        for item_id, response in self.engine.run(BatchFeed(left)):
            found[item_id] = response
            index = owner[item_id]
            waiting[index].discard(item_id)
            if self._cache and not waiting[index]:  # a whole batch, so that a killed run asks it no more
                self._cache.keep(self.engine, batches[index], found)
        return found


def _told(item: Item, response: Response) -> Completion | Loglikelihood:
    if isinstance(response, Failure):
        raise EngineFailed(f"{item.sample_id}: no answer: {response.cause}: {response.detail}")
    if isinstance(response, Loglikelihood) and not math.isfinite(response.sum_nats):
        raise EngineFailed(f"{item.sample_id}: the log-likelihood is {response.sum_nats}")
    return response
