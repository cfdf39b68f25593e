"""The rules of the Open LLM leaderboard and of lm-eval as data, and the exemplars each of them draws.

``openllm-v1``: lm-eval at b281b0921b636bc36ad05c0b0b0763bd6dd43463, which made the published leaderboard's numbers.
``lm-eval-0.4``: lm-eval 0.4.13. ``openllm-fixed``: ours, for regression gates: the leaderboard's prompts with one set
of exemplars for all rows, tokens and extraction without the old harness's defects; it compares with itself only.
A suffix ``+derived-shots`` marks exemplars from a file that differs from the original rows.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evalsuite.contracts import LM_EVAL_PROTOCOL, TaskOptions
from evalsuite.errors import UnknownName, UsageError
from evalsuite.records import AggregateKind
from evalsuite.types import Encoding

DERIVED = "+derived-shots"


@dataclass(frozen=True)
class Protocol:
    """What a protocol decides for every task alike; what it decides for one stands in that task's module.

    `order`: rows as the dataset has them, or shuffled by the generator that then draws. `draw`: exemplars for each row
    by one generator in order of evaluation, or one set for all. `seed` None is the run's own. `num_fewshot` None leaves
    the number of exemplars to the user, "leaderboard" is the leaderboard's. `means` averages MMLU's subjects.
    `true_answers` are TruthfulQA's for mc2. `draws_spare`: see `draw`. `has_derived_shots`: exemplars come from a
    derived file.
    """

    id: str
    order: Literal["dataset", "shuffled"]
    draw: Literal["each row", "fixed"]
    seed: int | None
    num_fewshot: Literal["leaderboard"] | None
    encoding: Encoding
    means: tuple[AggregateKind, ...]
    true_answers: Literal["labelled", "before the first false"] = "labelled"
    draws_spare: bool = False
    has_derived_shots: bool = False

    @property
    def is_sealed(self) -> bool:
        """Whether nothing about the prompts can be changed under this name."""
        return self.num_fewshot is not None


LM_EVAL = Protocol(
    id=LM_EVAL_PROTOCOL,
    order="dataset",
    draw="each row",
    seed=None,
    num_fewshot=None,
    encoding=Encoding(bos="unless-present", split="lm-eval", overflow="left"),
    means=("micro", "macro"),
    draws_spare=True,
)
OPENLLM_V1 = Protocol(
    id="openllm-v1",
    order="shuffled",
    draw="each row",
    seed=42,
    num_fewshot="leaderboard",
    encoding=Encoding(bos="none", split="lm-eval", overflow="left-and-answer"),
    means=("macro", "micro"),
    true_answers="before the first false",
)
OPENLLM_FIXED = Protocol(
    id="openllm-fixed",
    order="dataset",
    draw="fixed",
    seed=None,
    num_fewshot="leaderboard",
    encoding=Encoding(),
    means=("macro", "micro"),
)
PROTOCOLS = (LM_EVAL, OPENLLM_V1, OPENLLM_FIXED)
IDS = tuple(protocol.id for protocol in PROTOCOLS)


def choose(task: str, options: TaskOptions, *, has_derived: bool = False) -> Protocol:
    """The protocol that `options` name, by default lm-eval's.

    Raises UnknownName when `task` has no such rules, UsageError when `options` would change the prompts of sealed ones.
    """
    known = {protocol.id: protocol for protocol in PROTOCOLS}
    if has_derived:
        known |= {protocol.id + DERIVED: _derived(protocol) for protocol in PROTOCOLS}
    wanted = options.protocol or LM_EVAL.id
    if wanted not in known:
        raise UnknownName("protocol", wanted, known, f"{task} has: {', '.join(known)}.")
    protocol = known[wanted]
    changed = {"apply_chat_template": options.chat, "system_instruction": bool(options.system_instruction)}
    for flag, is_changed in changed.items():
        if is_changed and protocol.is_sealed:
            raise UsageError(f"--{flag}: the protocol {protocol.id} of {task} fixes it: plain text; leave it out.")
    return protocol


def _derived(protocol: Protocol) -> Protocol:
    return replace(protocol, id=protocol.id + DERIVED, has_derived_shots=True)


def num_shots(task: str, protocol: Protocol, options: TaskOptions, leaderboard: int, default: int = 0) -> int:
    """How many exemplars stand before a question. Raises UsageError for another number than a sealed protocol's."""
    if protocol.num_fewshot == "leaderboard":
        if options.num_fewshot not in (None, leaderboard):
            raise UsageError(
                f"--num_fewshot: the protocol {protocol.id} of {task} fixes it: {leaderboard}; leave it out."
            )
        return leaderboard
    return default if options.num_fewshot is None else options.num_fewshot


@dataclass(frozen=True)
class Place:
    """A row in its turn: its index in the dataset and the indices of its exemplars."""

    row: int
    shots: tuple[int, ...]


def draw(
    task: str,
    protocol: Protocol,
    seed: int,
    num_rows: int,
    num_exemplars: int,
    num_fewshot: int,
    *,
    has_test: bool = True,
) -> list[Place]:
    """All rows in order of evaluation, with exemplars drawn for the whole task before anything is left out.

    So prompts depend on neither limit, batch, order nor number of processes. For tasks without a test split
    (`has_test` False) lm-eval draws one exemplar more than it keeps, in case the row itself is among them. Raises
    UsageError when there are too few.
    """
    num_drawn = num_fewshot + (1 if num_fewshot and protocol.draws_spare and not has_test else 0)
    if num_drawn > num_exemplars:
        spare = f", and {num_drawn} are drawn: one is spare" if num_drawn > num_fewshot else ""
        raise UsageError(f"--num_fewshot {num_fewshot}: {task} has {num_exemplars} exemplars{spare}.")
    order, generator = _order(protocol, seed, num_rows)
    if protocol.draw == "fixed":
        shots = _fixed(task, num_exemplars, num_fewshot)
        return [Place(row, shots) for row in order]
    pool = range(num_exemplars)
    return [Place(row, tuple(generator.sample(pool, num_drawn)[:num_fewshot])) for row in order]


def evaluation_order(protocol: Protocol, seed: int, num_rows: int) -> list[int]:
    """Row indices in order of evaluation, for tasks whose exemplars are not drawn."""
    return _order(protocol, seed, num_rows)[0]


def _order(protocol: Protocol, seed: int, num_rows: int) -> tuple[list[int], random.Random]:
    """Row indices in order of evaluation, and the generator in the state in which it goes on to draw."""
    generator = random.Random(seed if protocol.seed is None else protocol.seed)
    order = list(range(num_rows))
    if protocol.order == "shuffled":
        generator.shuffle(order)
    return order, generator


def is_seeded(protocol: Protocol, num_fewshot: int) -> bool:
    """Whether the run's seed draws the exemplars."""
    return bool(num_fewshot) and protocol.draw == "each row" and protocol.seed is None


def _fixed(task: str, num_exemplars: int, num_fewshot: int) -> tuple[int, ...]:
    """The rows whose hashes are smallest: a draw that no library's generator can change."""
    ranked: Sequence[int] = sorted(
        range(num_exemplars), key=lambda row: hashlib.sha256(f"openllm-fixed:{task}:{row}".encode()).digest()
    )
    return tuple(ranked[:num_fewshot])
