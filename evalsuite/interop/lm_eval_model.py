"""``lm_eval --model evalsuite``: an engine of ours as one of lm-eval's models.

lm-eval 0.4.13 looks for no plugins, so that `run_lm_eval` registers the model and hands over to lm-eval's own command
line; later versions find it by the entry point ``lm_eval.models``. The class is made when it is asked for: it inherits
from lm-eval's, which takes a second to import.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.interop.lm_eval_answers import CACHE_REFUSED, Answerer
from evalsuite.interop.lm_eval_index import lm_eval_version
from evalsuite.types import Completion, Loglikelihood

NAME = "evalsuite"
_DEFAULT_DEVICE = "cuda:0"


def __getattr__(name: str) -> Any:
    """`EvalsuiteLM`, made on demand."""
    if name == "EvalsuiteLM":
        return _model_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _model_class() -> Any:
    from lm_eval.api.model import LM

    class EvalsuiteLM(LM):  # type: ignore[misc]
        """One of lm-eval's models: see `Answerer` for its arguments. lm-eval's batch sizes change nothing here."""

        def __init__(
            self, batch_size: Any = None, max_batch_size: Any = None, device: str | None = None, **arguments: Any
        ) -> None:
            super().__init__()
            # its command line says this device where the user says none; our engines then take the best there is
            self._answerer = Answerer(arguments, None if device == _DEFAULT_DEVICE else device)

        def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> list[tuple[float, bool]]:
            """Sums in nats, and whether greedy decoding gives the continuation."""
            return [(one.sum_nats, one.is_greedy) for one in self._scored("loglikelihood", requests)]

        def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> list[float]:
            """Sums in nats of whole texts."""
            return [one.sum_nats for one in self._scored("loglikelihood_rolling", requests)]

        def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
            """Texts, cut at the first stop string."""
            return [one.text for one in self._answers("generate_until", requests) if isinstance(one, Completion)]

        def _scored(self, kind: str, requests: Any) -> list[Loglikelihood]:
            return [one for one in self._answers(kind, requests) if isinstance(one, Loglikelihood)]

        def _answers(self, kind: str, requests: Any) -> list[Completion | Loglikelihood]:
            return self._answerer.answer(kind, [(_name(one), one.args) for one in requests])

        def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
            """The text as the model reads it, which still knows its messages."""
            return self._answerer.render(chat_history, add_generation_prompt)

        @property
        def tokenizer_name(self) -> str:
            """Model, template and all else that shapes prompts: lm-eval's cache of requests goes by it."""
            return self._answerer.fingerprint

        def set_cache_hook(self, cache_hook: Any) -> None:
            """Refuse lm-eval's cache of answers. Raises UsageError."""
            raise UsageError(CACHE_REFUSED)

        def get_model_info(self) -> dict[str, Any]:
            """What lm-eval writes beside its results: all that can change an answer."""
            engine = self._answerer.engine
            return {"model_name": self._answerer.name, "evalsuite": dict(engine.identity()), "engine": engine.name}

    EvalsuiteLM.__module__, EvalsuiteLM.__qualname__ = __name__, "EvalsuiteLM"
    return EvalsuiteLM


def _name(instance: Any) -> str:
    return f"{instance.task_name}:{instance.doc_id}:{instance.idx}"


def register() -> None:
    """Make the model known to lm-eval in this process; once is as good as twice."""
    lm_eval_version()
    import lm_eval.models  # noqa: F401 (first, since lm-eval registers its own models only while there is none)
    from lm_eval.api.registry import model_registry

    if NAME not in model_registry:
        model_registry.register(NAME, target=f"{__name__}:EvalsuiteLM")


def run_lm_eval(arguments: Sequence[str]) -> int:
    """lm-eval's own command line over `arguments`, with our model registered; its exit code."""
    register()
    from lm_eval.__main__ import cli_evaluate

    before, sys.argv = sys.argv, ["lm-eval", *arguments]
    try:
        cli_evaluate()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = before
    return 0
