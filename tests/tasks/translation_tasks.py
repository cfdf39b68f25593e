"""The translation benchmarks' samples on the mirror, damaged references as answers, and sacrebleu's own command."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from evalsuite.contracts import Metric, Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.metrics import ALL_REFERENCES, corpus_score
from evalsuite.plugins import choose_tasks, family
from evalsuite.types import Completion, Message, Replies, Sample, Scored, StopReason

WMT = tuple(info.name for year in ("wmt21", "wmt22", "wmt23", "wmt24") for info in family(year).members)
FLORES = tuple(info.name for info in family("flores").members)
WIDTH = 10
"""Digits after the point that sacrebleu's command is told to print."""


@cache
def task(name: str, **options: Any) -> Task:
    (choice,) = choose_tasks([name])
    return choice.family.build(name, TaskOptions(**options))


@cache
def samples(mirror: Path, name: str, **options: Any) -> tuple[Sample, ...]:
    """All samples of a task in order of evaluation."""
    built, source = task(name, **options), DataSource(mirror=mirror, hub=False)
    return built.samples(tuple(load_rows(dataset, source)[0] for dataset in built.datasets))


def prompt(name: str, sample: Sample, **options: Any) -> str | tuple[Message, ...]:
    """What the task asks of a sample, once."""
    (request,) = task(name, **options).next_requests(sample, ())
    found = request.prompt  # type: ignore[union-attr]
    assert isinstance(found, str | tuple)
    return found


def replies(text: str, stop_reason: StopReason = "end") -> Replies:
    """One answer."""
    return ((Completion(text=text, stop_reason=stop_reason, num_prompt_tokens=1, num_tokens=1),),)


def scored(built: Task, sample: Sample, text: str, stop_reason: StopReason = "end") -> Scored:
    outcome = built.score(sample, replies(text, stop_reason))
    assert isinstance(outcome, Scored)
    return outcome


# -- scores


def columns(taken: Sequence[Sample]) -> list[list[str]]:
    """The references of samples, a list for A, one for the next, and so on."""
    letters = sorted(key for key in taken[0].metadata if key.startswith("reference_"))
    return [[one.target for one in taken], *([str(one.metadata[letter]) for one in taken] for letter in letters)]


def corpus_value(
    built: Task, metric: str, taken: Sequence[Sample], texts: Sequence[str], wanted: Sequence[Sequence[str]]
) -> float:
    """The metric's value of `texts`, rows counted one by one and summed, against the columns of references `wanted`."""
    language = built.language
    counted = [
        corpus_score(metric, language, text, [column[row] for column in wanted]).counts
        for row, text in enumerate(texts[: len(taken)])
    ]
    found = metric_of(built, metric).reduce(tuple(sum(counts) for counts in zip(*counted, strict=True)))
    assert found is not None
    return found


def metric_of(built: Task, name: str) -> Metric:
    """The metric of that name."""
    return next(metric for metric in built.metrics if metric.name == name)


def damaged(texts: Iterable[str], language: str, seed: int) -> list[str]:
    """`texts` with words left out and two neighbours swapped, in Chinese characters; one in forty is empty."""
    draw = random.Random(seed)
    return ["" if draw.random() < 0.025 else _damaged(text, language, draw) for text in texts]


def _damaged(text: str, language: str, draw: random.Random) -> str:
    parts = [part for part in (text if language == "zh" else text.split()) if draw.random() > 0.12]
    if len(parts) > 1:
        place = draw.randrange(len(parts) - 1)
        parts[place], parts[place + 1] = parts[place + 1], parts[place]
    return ("" if language == "zh" else " ").join(parts).strip()


def by_command(
    folder: Path, language: str, metrics: Sequence[str], texts: Sequence[str], wanted: Sequence[Sequence[str]]
) -> dict[str, tuple[float, str]]:
    """Score and signature by metric, as sacrebleu's command prints them for files of `texts` and references."""
    answers = written(folder / "answers.txt", texts)
    references = [written(folder / f"reference-{number}.txt", column) for number, column in enumerate(wanted)]
    names = [metric.removesuffix(ALL_REFERENCES) for metric in metrics]
    flags = ["-tok", "zh" if language == "zh" else "13a"] if "bleu" in names else []
    flags += ["--chrf-word-order", "2"] if "chrf++" in names else []
    flags += ["--ter-asian-support", "--ter-normalized"] if "ter" in names and language == "zh" else []
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "sacrebleu", *references, "-i", answers, *flags, "-f", "json", "-w", str(WIDTH)),
            *("-m", *(name.removesuffix("++") for name in names)),
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    printed = json.loads(ran.stdout)
    entries = printed if isinstance(printed, list) else [printed]
    return {metric: (entry["score"], entry["signature"]) for metric, entry in zip(metrics, entries, strict=True)}


def written(path: Path, lines: Sequence[str]) -> str:
    """A file with one text a line."""
    assert not any("\n" in line for line in lines)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))
    return str(path)
