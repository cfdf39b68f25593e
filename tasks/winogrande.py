"""Winogrande: which of two names fills the blank of a sentence.

Paper: Sakaguchi et al. 2019, "WinoGrande: An Adversarial Winograd Schema Challenge at Scale" (arXiv 1907.10641).
Data: ``allenai/winogrande``, winogrande_xl, at the pinned revision; CC BY. Scored: validation (1,267 rows); exemplars
from train (40,398). All protocols score partially (Trinh and Le 2018, arXiv 1806.02847): the rest of the sentence after
each option, so contexts differ and the continuation is one; five exemplars on the leaderboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.types import Encoding, LoglikelihoodRequest, Replies, Request, Sample, Shot

from . import _protocols
from ._choices import ACCURACY, score_accuracy
from ._prompts import lm_eval_prompt
from ._protocols import Protocol

LEADERBOARD_SHOTS = 5
_NAME = "winogrande"
_TITLE = "Winogrande: whom a sentence speaks of"
_LICENCE = "CC BY"
_REVISION = "01e74176c63542e6b0bcb004dcdea22d94fb67b5"
_FINGERPRINTS = {
    "validation": "a3baf19bfecbd6a5c0f55f539642fb4b12cee8a5f89420dc3403d315e96a52b6",
    "train": "3917a06711183b03802963c6479a29e2fd7d5b73a08480eb3f0a442e1f904d3e",
}


def build(name: str, options: TaskOptions) -> Task:
    """The task. Raises UnknownName for another protocol."""
    protocol = _protocols.choose(name, options)
    num_fewshot = _protocols.num_shots(name, protocol, options, LEADERBOARD_SHOTS)
    splits = ("validation", "train") if num_fewshot else ("validation",)
    return Task(
        name=name,
        family=_NAME,
        version=1,
        language="en",
        protocol=protocol.id,
        num_fewshot=num_fewshot,
        kind="multiple_choice",
        datasets=tuple(
            Dataset("allenai/winogrande", "winogrande_xl", split, _REVISION, _FINGERPRINTS[split]) for split in splits
        ),
        samples=partial(_samples, protocol, num_fewshot, options.seed),
        next_requests=partial(_next_requests, options, protocol.encoding),
        score=score_accuracy,
        metrics=(ACCURACY,),
        title=_TITLE,
        source="Sakaguchi et al. 2019, arXiv 1907.10641",
        licence=_LICENCE,
        is_sealed=protocol.is_sealed,
        is_seeded=_protocols.is_seeded(protocol, num_fewshot),
    )


def _samples(protocol: Protocol, num_fewshot: int, seed: int, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    validation = splits[0]
    train = [_shot(row) for row in splits[1]] if num_fewshot else []
    places = _protocols.draw(_NAME, protocol, seed, len(validation), len(train), num_fewshot, has_test=False)
    return tuple(
        _sample(place.row, validation[place.row], tuple(train[shot] for shot in place.shots)) for place in places
    )


def _sample(index: int, row: Mapping[str, Any], shots: tuple[Shot, ...]) -> Sample:
    gold = int(row["answer"]) - 1
    options = (row["option1"], row["option2"])
    return Sample(
        id=f"{_NAME}:validation:{index}",
        input=row["sentence"],
        language="en",
        target=options[gold],
        choices=options,
        gold=gold,
        shots=shots,
    )


def _shot(row: Mapping[str, Any]) -> Shot:
    start, rest = _parts(row["sentence"])
    return Shot(input=start + row[f"option{row['answer']}"], target=rest)


def _parts(sentence: str) -> tuple[str, str]:
    """What stands before the blank, and what follows it."""
    start, _, rest = sentence.partition("_")
    return start, rest.strip()


def _next_requests(options: TaskOptions, encoding: Encoding, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    start, rest = _parts(sample.input)
    delimiter = "" if options.chat else " "
    return tuple(
        LoglikelihoodRequest(
            context=lm_eval_prompt(start + choice, sample.shots, options),
            continuation=delimiter + rest,
            encoding=encoding,
        )
        for choice in sample.choices
    )


winogrande = Family(_NAME, (TaskInfo(_NAME, _NAME, "en", "multiple_choice", _TITLE, _LICENCE),), build, _protocols.IDS)
