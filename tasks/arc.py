"""ARC, the AI2 Reasoning Challenge: four-choice grade-school science, the Challenge and the Easy set.

Paper: Clark et al. 2018, "Think you have Solved Question Answering? Try ARC" (arXiv 1803.05457).
Data: ``allenai/ai2_arc`` at the pinned revision; CC BY-SA 4.0. Scored: test (1,172 and 2,376 rows).
All protocols: ``Question: ...\\nAnswer:``, each choice's text after a space, exemplars from train (25 on the
leaderboard); their ``acc_norm`` is our ``acc_norm_char``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.types import Sample, Shot

from . import _protocols
from ._choices import ask_choices, choice_metrics, score_choices
from ._protocols import Protocol

LEADERBOARD_SHOTS = 25
_REVISION = "210d026faf9955653af8916fad021475a3f00453"
_LICENCE = "CC BY-SA 4.0"
_SOURCE = "Clark et al. 2018, arXiv 1803.05457"
_CONFIGS = {"arc_challenge": "ARC-Challenge", "arc_easy": "ARC-Easy"}
_FINGERPRINTS = {
    ("ARC-Challenge", "test"): "2648ff32e752e0befa70ae77ea2a60c301c576cf28cd2762ab75af935d0d8cb1",
    ("ARC-Challenge", "train"): "2c1ea2e417b4346abc3e7b42abeef8d39ac120f319d1bb0662d419c4489c1f7e",
    ("ARC-Challenge", "validation"): "e1adf46173578d1cb209e4bd12a161f7830b2addd1fd6d873971a53e09dd0e23",
    ("ARC-Easy", "test"): "805358fda566f8cf2ae0409b7e7693cf40039532aab4ca86253477cadbee3ce8",
    ("ARC-Easy", "train"): "567cd2a49e2a7c6e017a1a0bad246e72be082005e77b6f119f7b14b7ac769d17",
}


def dataset(config: str, split: str) -> Dataset:
    """The rows of a config's test or train split, or of the Challenge's validation split."""
    return Dataset("allenai/ai2_arc", config, split, _REVISION, _FINGERPRINTS[config, split])


def build(name: str, options: TaskOptions) -> Task:
    """The task `name`, one of `arc_challenge` and `arc_easy`. Raises UnknownName for another protocol."""
    protocol = _protocols.choose(name, options)
    config = _CONFIGS[name]
    num_fewshot = _protocols.num_shots(name, protocol, options, LEADERBOARD_SHOTS)
    splits = ("test", "train") if num_fewshot else ("test",)
    return Task(
        name=name,
        family=name,
        version=1,
        language="en",
        protocol=protocol.id,
        num_fewshot=num_fewshot,
        kind="multiple_choice",
        datasets=tuple(dataset(config, split) for split in splits),
        samples=partial(_samples, name, protocol, num_fewshot, options.seed),
        next_requests=partial(ask_choices, options, protocol.encoding),
        score=score_choices,
        metrics=choice_metrics("acc_norm"),
        title=_title(name),
        source=_SOURCE,
        licence=_LICENCE,
        is_sealed=protocol.is_sealed,
        is_seeded=_protocols.is_seeded(protocol, num_fewshot),
    )


def _samples(
    name: str, protocol: Protocol, num_fewshot: int, seed: int, splits: tuple[Rows, ...]
) -> tuple[Sample, ...]:
    test = splits[0]
    train = [_shot(row) for row in splits[1]] if num_fewshot else []
    places = _protocols.draw(name, protocol, seed, len(test), len(train), num_fewshot)
    return tuple(
        _sample(f"{name}:test:{place.row}", test[place.row], tuple(train[shot] for shot in place.shots))
        for place in places
    )


def _sample(sample_id: str, row: Mapping[str, Any], shots: tuple[Shot, ...]) -> Sample:
    return Sample(
        id=sample_id,
        input=_question(row),
        language="en",
        target=row["choices"]["text"][_gold(row)],
        choices=tuple(row["choices"]["text"]),
        gold=_gold(row),
        shots=shots,
        metadata={"source_id": row["id"]},
    )


def _shot(row: Mapping[str, Any]) -> Shot:
    return Shot(input=_question(row), target=row["choices"]["text"][_gold(row)])


def _question(row: Mapping[str, Any]) -> str:
    return f"Question: {row['question']}\nAnswer:"


def _gold(row: Mapping[str, Any]) -> int:
    labels: list[str] = row["choices"]["label"]
    return labels.index(row["answerKey"])


def _title(name: str) -> str:
    return f"ARC {'Challenge' if name == 'arc_challenge' else 'Easy'}: grade-school science questions"


def _family(name: str) -> Family:
    info = TaskInfo(name, name, "en", "multiple_choice", _title(name), _LICENCE)
    return Family(name, (info,), build, _protocols.IDS)


arc_challenge = _family("arc_challenge")
arc_easy = _family("arc_easy")
