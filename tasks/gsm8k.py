"""GSM8K: grade-school arithmetic in words, answered by working it out.

Paper: Cobbe et al. 2021, "Training Verifiers to Solve Math Word Problems" (arXiv 2110.14168).
Data: ``openai/gsm8k`` at the pinned revision; MIT. Scored: test (1,319 rows); exemplars from train (7,473), whose
answers keep their calculator marks and end in ``#### <number>``. Greedy, at most 256 tokens, five exemplars.
`exact_match_strict` reads the number after the first ``####``, `exact_match_flexible` the last number of the answer.

The protocols differ in where the answer stops and how numbers are compared; see `RULES`. ``openllm-v1`` stops at any
colon and takes ``18.`` for wrong, which is part of the published numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.metrics import accuracy, right
from evalsuite.types import Encoding, Flag, GenerateRequest, Replies, Request, Sample, Scored, Shot

from . import _protocols
from ._answers import FIDELITY, answer_flags, completions, fidelity_of
from ._prompts import lm_eval_prompt
from ._protocols import LM_EVAL, OPENLLM_FIXED, OPENLLM_V1, Protocol

LEADERBOARD_SHOTS = 5
MAX_TOKENS = 256
_NAME = "gsm8k"
_TITLE = "GSM8K: grade-school arithmetic in words"
_LICENCE = "MIT"
_REVISION = "740312add88f781978c0658806c59bc2815b9866"
_FINGERPRINTS = {
    "test": "13ee343c128dbc3cee820f744d547416974a23f2ea356a454d4aa3376a35bd37",
    "train": "d7258301a8643789aed45c15bbe328bb4ec398fa60c7eb290ba40ccff26cba9c",
}
_MARKED = re.compile(r"#### (-?[0-9.,]+)")
_NUMBER = re.compile(r"-?[$0-9.,]{2,}|-?[0-9]+")
_NOT_COMPARED = (re.compile(","), re.compile(r"\$"), re.compile(r".*#### ", re.DOTALL), re.compile(r"\.$"))


@dataclass(frozen=True)
class Rules:
    """Where an answer ends, and whether comparing forgives case, dollar signs and a full stop at the end.

    Commas between digits are forgiven in any case.
    """

    stop: tuple[str, ...]
    forgives_form: bool


RULES = {
    LM_EVAL.id: Rules(stop=("Question:", "</s>", "<|im_end|>"), forgives_form=True),
    OPENLLM_V1.id: Rules(stop=(":", "Question:", "Question"), forgives_form=False),
    OPENLLM_FIXED.id: Rules(stop=("Question:", "</s>", "<|im_end|>"), forgives_form=True),
}
_STRICT = accuracy("exact_match_strict", lambda _: 0.0)
_FLEXIBLE = accuracy("exact_match_flexible", lambda _: 0.0)
_ALIASES = {
    LM_EVAL.id: ("exact_match,strict-match", "exact_match,flexible-extract"),
    OPENLLM_V1.id: ("acc", ""),
    OPENLLM_FIXED.id: ("", ""),
}


def build(name: str, options: TaskOptions) -> Task:
    """The task. Raises UnknownName for another protocol."""
    protocol = _protocols.choose(name, options)
    rules = RULES[protocol.id]
    num_fewshot = _protocols.num_shots(name, protocol, options, LEADERBOARD_SHOTS, default=LEADERBOARD_SHOTS)
    splits = ("test", "train") if num_fewshot else ("test",)
    strict_alias, flexible_alias = _ALIASES[protocol.id]
    return Task(
        name=name,
        family=_NAME,
        version=1,
        language="en",
        protocol=protocol.id,
        num_fewshot=num_fewshot,
        kind="generate",
        datasets=tuple(Dataset("openai/gsm8k", "main", split, _REVISION, _FINGERPRINTS[split]) for split in splits),
        samples=partial(_samples, protocol, num_fewshot, options.seed),
        next_requests=partial(_next_requests, options, protocol.encoding, rules),
        score=partial(_score, rules),
        metrics=(replace(_STRICT, alias=strict_alias), replace(_FLEXIBLE, alias=flexible_alias), *FIDELITY),
        title=_TITLE,
        source="Cobbe et al. 2021, arXiv 2110.14168",
        licence=_LICENCE,
        is_sealed=protocol.is_sealed,
        is_seeded=_protocols.is_seeded(protocol, num_fewshot),
    )


def _samples(protocol: Protocol, num_fewshot: int, seed: int, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    test = splits[0]
    train = [_shot(row) for row in splits[1]] if num_fewshot else []
    places = _protocols.draw(_NAME, protocol, seed, len(test), len(train), num_fewshot)
    return tuple(
        Sample(
            id=f"{_NAME}:test:{place.row}",
            input=_question(test[place.row]),
            language="en",
            target=test[place.row]["answer"],
            shots=tuple(train[shot] for shot in place.shots),
        )
        for place in places
    )


def _shot(row: Mapping[str, Any]) -> Shot:
    return Shot(input=_question(row), target=row["answer"])


def _question(row: Mapping[str, Any]) -> str:
    return f"Question: {row['question']}\nAnswer:"


def _next_requests(
    options: TaskOptions, encoding: Encoding, rules: Rules, sample: Sample, replies: Replies
) -> tuple[Request, ...]:
    if replies:
        return ()
    prompt = lm_eval_prompt(sample.input, sample.shots, options)
    return (GenerateRequest(prompt=prompt, max_tokens=MAX_TOKENS, stop=rules.stop, encoding=encoding),)


def _score(rules: Rules, sample: Sample, replies: Replies) -> Scored:
    answers = completions(replies)
    text = answers[0].text
    strict, flexible = marked_number(text), last_number(text)
    fidelity = fidelity_of(answers, sample.language)
    unparsed = (Flag.UNPARSED,) if strict is None else ()
    return Scored(
        scores=(
            right(_STRICT.name, is_equal(strict, sample.target, rules)),
            right(_FLEXIBLE.name, is_equal(flexible, sample.target, rules)),
            *fidelity.scores,
        ),
        answer=strict if strict is not None else flexible or "",
        flags=(*unparsed, *answer_flags(answers, fidelity)),
    )


def marked_number(text: str) -> str | None:
    """What looks like a number after the first ``#### ``, or None."""
    match = _MARKED.search(text)
    return match[1] if match else None


def last_number(text: str) -> str | None:
    """The last part of `text` that looks like a number, or None; lone commas and dots in pairs do, as in lm-eval."""
    found = _NUMBER.findall(text)
    return found[-1] if found else None


def is_equal(found: str | None, target: str, rules: Rules) -> bool:
    """Whether an extracted number is that of the worked answer `target`."""
    if found is None:
        return False
    if rules.forgives_form:
        return _normal(found) == _normal(target)
    return found.replace(",", "") == (marked_number(target) or "").replace(",", "")


def _normal(text: str) -> str:
    for pattern in _NOT_COMPARED:
        text = pattern.sub("", text)
    return text.lower()


gsm8k = Family(_NAME, (TaskInfo(_NAME, _NAME, "en", "generate", _TITLE, _LICENCE),), build, _protocols.IDS)
