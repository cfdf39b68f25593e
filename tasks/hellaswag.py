"""HellaSwag: which of four endings continues a description of everyday activity.

Paper: Zellers et al. 2019, "HellaSwag: Can a Machine Really Finish Your Sentence?" (arXiv 1905.07830).
Data: ``Rowan/hellaswag`` at the pinned revision; MIT. Scored: validation (10,042 rows); exemplars from train (39,905).
All protocols: ``{activity}: {first sentence} {start of the second}``, cleaned of WikiHow's brackets, each ending after
a space; ten exemplars on the leaderboard; their ``acc_norm`` is our ``acc_norm_char``.

Where the original train rows cannot be had, exemplars come from a file of the same rows that was cleaned by another
rule, which drops some full stops: such numbers carry ``+derived-shots`` in their protocol's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.types import Sample, Shot

from . import _protocols
from ._choices import ask_choices, choice_metrics, score_choices
from ._protocols import DERIVED, Protocol

LEADERBOARD_SHOTS = 10
_NAME = "hellaswag"
_TITLE = "HellaSwag: the likely ending of an everyday scene"
_LICENCE = "MIT"
_PATH = "Rowan/hellaswag"
_REVISION = "218ec52e09a7e7462a5400043bb9a69a41d06b76"
_VALIDATION = Dataset(
    _PATH, "default", "validation", _REVISION, "b7990f512b134f16fff852353b9a6b2e7c5d1b7af91e05857884f44dc42dd40b"
)
_TRAIN = Dataset(_PATH, "default", "train", _REVISION, num_rows=39905)
_DERIVED_TRAIN = Dataset(
    _PATH,
    "derived",
    "train_preprocessed",
    fingerprint="3d4f14341cd8e68f62d6af3fd60f3a41e9b60a45de5643436254a5197da0a0a4",
)
_BRACKETS = re.compile(r"\[.*?\]")


def build(name: str, options: TaskOptions) -> Task:
    """The task. Raises UnknownName for another protocol."""
    protocol = _protocols.choose(name, options, has_derived=True)
    num_fewshot = _protocols.num_shots(name, protocol, options, LEADERBOARD_SHOTS)
    is_derived = protocol.has_derived_shots
    exemplars = (_DERIVED_TRAIN if is_derived else _TRAIN,) if num_fewshot else ()
    return Task(
        name=name,
        family=_NAME,
        version=1,
        language="en",
        protocol=protocol.id,
        num_fewshot=num_fewshot,
        kind="multiple_choice",
        datasets=(_VALIDATION, *exemplars),
        samples=partial(_samples, protocol, num_fewshot, options.seed),
        next_requests=partial(ask_choices, options, protocol.encoding),
        score=score_choices,
        metrics=choice_metrics("acc_norm"),
        title=_TITLE,
        source="Zellers et al. 2019, arXiv 1905.07830",
        licence=_LICENCE,
        is_sealed=protocol.is_sealed,
        is_seeded=_protocols.is_seeded(protocol, num_fewshot),
        fallback="" if is_derived or not num_fewshot else protocol.id + DERIVED,
        fallback_reason="its train rows are not at hand; exemplars come from a cleaned copy that lacks some full stops",
    )


def _samples(protocol: Protocol, num_fewshot: int, seed: int, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    validation = splits[0]
    to_shot = _derived_shot if protocol.has_derived_shots else _shot
    train = [to_shot(row) for row in splits[1]] if num_fewshot else []
    places = _protocols.draw(_NAME, protocol, seed, len(validation), len(train), num_fewshot, has_test=False)
    return tuple(
        _sample(place.row, validation[place.row], tuple(train[shot] for shot in place.shots)) for place in places
    )


def _sample(index: int, row: Mapping[str, Any], shots: tuple[Shot, ...]) -> Sample:
    endings = tuple(clean(ending) for ending in row["endings"])
    gold = int(row["label"])
    return Sample(
        id=f"{_NAME}:validation:{index}",
        input=_scene(row),
        language="en",
        target=endings[gold],
        choices=endings,
        gold=gold,
        shots=shots,
        metadata={"source_id": row["source_id"], "split_type": row["split_type"]},
    )


def _shot(row: Mapping[str, Any]) -> Shot:
    return Shot(input=_scene(row), target=clean(row["endings"][int(row["label"])]))


def _derived_shot(row: Mapping[str, Any]) -> Shot:
    return Shot(input=row["query"], target=row["choices"][row["gold"]])


def _scene(row: Mapping[str, Any]) -> str:
    return clean(f"{row['activity_label']}: {row['ctx_a']} {row['ctx_b'].capitalize()}")


def clean(text: str) -> str:
    """`text` as lm-eval cleans it: one pass over double spaces, and whatever that leaves."""
    titled = text.strip().replace(" [title]", ". ")
    return _BRACKETS.sub("", titled).replace("  ", " ")


hellaswag = Family(
    _NAME,
    (TaskInfo(_NAME, _NAME, "en", "multiple_choice", _TITLE, _LICENCE),),
    build,
    (*_protocols.IDS, *(name + DERIVED for name in _protocols.IDS)),
)
