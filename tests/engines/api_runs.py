"""Whole runs against the fault server: with short waits, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fault_server import FaultServer, Mode, Script

from evalsuite.config import make_config
from evalsuite.engines.api.engine import OpenAIEngine
from evalsuite.engines.api.policy import Policy
from evalsuite.prepare import Prepared, prepare
from evalsuite.run import Finished, Quiet, execute
from evalsuite.store.response_cache import ResponseCache

TASKS = ("mini_chat_en", "mini_chat_zh", "mini_chat_ar")
LIMIT = 24
TRIAL = "Count to four."
"""What is asked before work begins."""

PATIENT = Policy(
    max_attempts=5, first_backoff_s=0.01, max_backoff_s=0.05, connect_s=10.0, read_s=10.0, attempt_s=15.0,
    breaker_share=1.01, max_retry_share=100.0, max_body_bytes=1_000_000, give_up_s=5.0,
)  # fmt: skip
"""Short waits, and a breaker that never opens: for rates of faults at which the usual limits would stop."""

HASTY = replace(PATIENT, read_s=0.5, attempt_s=0.8)
"""For servers that hang or drip. A busy machine may be as slow without a fault."""


class Moods:
    """A script that a test changes while the server runs. The trial request is always well, unless told otherwise."""

    def __init__(self, script: Script | None = None, *, spares_trial: bool = True) -> None:
        self.script = script
        self.spares_trial = spares_trial

    def __call__(self, prompt: str, attempt: int) -> Mode | None:
        if self.script is None or (self.spares_trial and prompt == TRIAL):
            return None
        return self.script(prompt, attempt)


def prepared(server: FaultServer, policy: Policy = PATIENT, **args: str | int | float) -> Prepared:
    """Two waves over some chats in three languages, asked of `server`."""
    model_args = {"model": "toy", "base_url": server.base_url, "concurrency": 16, **args}
    asked = {"model": "openai", "model_args": model_args, "tasks": TASKS, "limit": float(LIMIT)}
    found = prepare(make_config({}, asked))
    assert isinstance(found.engine, OpenAIEngine)
    return replace(found, engine=OpenAIEngine(replace(found.engine.settings, policy=policy)))


def run(path: Path, what: Prepared, cache: ResponseCache | None = None) -> Finished:
    """Run or resume in `path`."""
    return execute(what, path, Quiet(), cache=cache)


def turns(what: Prepared) -> Mapping[str, tuple[str, ...]]:
    """What each sample's user says, turn by turn: the prompts that the server's script sees."""
    return {sample.id: sample.turns for entry in what.tasks for sample in entry.samples}
