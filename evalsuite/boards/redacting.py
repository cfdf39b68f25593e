"""What a leaderboard does not tell: parts of samples' texts, replaced by a mark of one length. Counts never change.

A redacted page can still be held against its runs: what a text says between its marks must stand in the run's own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from evalsuite.boards.records import Board
from evalsuite.boards.sample_records import Answer, Reply, SampleFacts, TaskSamples

MARK = "▇▇▇"
"""Stands for what was left out, whatever its length."""

_MARKS = re.compile(f"{MARK[0]}{{{len(MARK)},}}")
"""A mark, with what the text itself has of its sign beside it: the two cannot be told apart."""

Expressions = Sequence[re.Pattern[str]]
Samples = tuple[TaskSamples, ...]


def redacted(samples: Samples, expressions: Expressions) -> tuple[Samples, int]:
    """`samples` with the matches of `expressions` replaced in all texts, and how many marks then stand in them.

    No mark is counted where nothing was replaced.
    """
    change = cache(lambda text: redacted_text(text, expressions))
    found = tuple(_with_texts(one, change) for one in samples)
    return (found, num_marks(found)) if found != samples else (samples, 0)


def redacted_text(text: str, expressions: Expressions) -> str:
    """`text` with a mark for each stretch that any expression matches; those that touch are one.

    All are looked for in the text as it was, so that their order does not matter and none uncovers what another hides.
    """
    spans = sorted(match.span() for one in expressions for match in one.finditer(text) if match.end() > match.start())
    parts: list[str] = []
    done = 0
    for start, end in spans:
        if start > done or not parts:
            parts += [text[done:start], MARK]
        done = max(done, end)
    return "".join([*parts, text[done:]])


def num_marks(samples: Samples) -> int:
    """How many marks stand in the texts of `samples`."""
    found = 0

    def counted(text: str) -> str:
        nonlocal found
        found += len(_MARKS.findall(text))
        return text

    for one in samples:
        _with_texts(one, counted)
    return found


# -- which texts there are


def _with_texts(found: TaskSamples, change: Callable[[str], str]) -> TaskSamples:
    """`found` with every text that a benchmark, a model or a judge wrote changed; names, causes and settings stay."""
    return msgspec.structs.replace(
        found,
        prompts=tuple(
            change(prompt) if isinstance(prompt, str) else tuple((role, change(text)) for role, text in prompt)
            for prompt in found.prompts
        ),
        samples=tuple(_facts(one, change) for one in found.samples),
        answers=tuple(tuple(one and _answer(one, change) for one in row) for row in found.answers),
    )


def _facts(facts: SampleFacts, change: Callable[[str], str]) -> SampleFacts:
    return msgspec.structs.replace(
        facts,
        input=change(facts.input),
        target=change(facts.target),
        choices=tuple(map(change, facts.choices)),
        metadata={name: change(text) for name, text in facts.metadata.items()},
    )


def _answer(answer: Answer, change: Callable[[str], str]) -> Answer:
    return msgspec.structs.replace(
        answer,
        answer=change(answer.answer),
        explanation=change(answer.explanation),
        detail=change(answer.detail),
        replies=tuple(_reply(one, change) for one in answer.replies),
    )


def _reply(reply: Reply, change: Callable[[str], str]) -> Reply:
    return msgspec.structs.replace(
        reply,
        text=change(reply.text),
        detail=change(reply.detail),
        choices=tuple(map(change, reply.choices)),
        stop=tuple(map(change, reply.stop)),
    )


# -- held against what was redacted


def as_redacted(stated: Any, found: Any) -> Any:
    """`found`, of mappings, lists and texts, with those texts as `stated` has them that these may be redactions of."""
    if isinstance(stated, Mapping) and isinstance(found, Mapping):
        return {key: as_redacted(stated.get(key), one) for key, one in found.items()}
    if isinstance(stated, list | tuple) and isinstance(found, list | tuple) and len(stated) == len(found):
        return [as_redacted(before, one) for before, one in zip(stated, found, strict=True)]
    if isinstance(stated, str) and isinstance(found, str) and is_redaction(stated, found):
        return stated
    return found


def is_redaction(stated: str, found: str) -> bool:
    """Whether `stated` is `found` with parts of it replaced by marks."""
    first, *others = _MARKS.split(stated)
    if not others or not found.startswith(first):
        return False
    place = len(first)
    for part in others[:-1]:
        at = found.find(part, place)
        if at < 0:
            return False
        place = at + len(part)
    return len(found) - place >= len(others[-1]) and found.endswith(others[-1])


# -- what is not redacted


def matches_left(board: Board, samples: Samples, expressions: Expressions) -> dict[str, int]:
    """How often `expressions` match in what is not redacted, by field of the board: names, settings, figures' labels.

    ``samples`` are the ids, languages and categories of samples.
    """
    found: Counter[str] = Counter()
    names = [(one.id, one.language, one.category, one.cluster) for each in samples for one in each.samples]
    for field, value in {**msgspec.to_builtins(board, str_keys=True), "samples": names}.items():
        for text in _texts(value):
            found[field] += sum(1 for one in expressions for match in one.finditer(text) if match[0])
    return {field: count for field, count in found.items() if count}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
