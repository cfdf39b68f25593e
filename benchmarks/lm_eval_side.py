"""lm-eval's own tasks on the rows of a local mirror: what parity is measured against.

lm-eval reads its data through `datasets.load_dataset`, which here reads the mirror's files; nothing of lm-eval itself
is changed. The mirror has HellaSwag's train rows only as cleaned text, so `as_raw_row` makes rows from it that
lm-eval's own cleaning turns back into that very text: its exemplars are then those of our ``+derived-shots``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import datasets
import lm_eval.api.task
from lm_eval.tasks import TaskManager

SHOTS = {
    "arc_challenge": 25, "hellaswag": 10, "mmlu": 5, "truthfulqa_mc1": 0, "truthfulqa_mc2": 0, "winogrande": 5,
    "gsm8k": 5,
}  # fmt: skip
"""The numbers of exemplars of lm-eval's group ``openllm``, which as a group loads one MMLU subject only (0.4.13)."""


@contextmanager
def reading(mirror: Path) -> Iterator[None]:
    """lm-eval's data comes from `mirror` as long as this lasts."""

    def load_dataset(path: str, name: str | None = None, **_: Any) -> datasets.DatasetDict:
        folder = mirror / path.replace("/", "__") / (name or "default")
        splits = {file.stem: _rows(file) for file in sorted(folder.glob("*.jsonl"))}
        if path == "Rowan/hellaswag":
            derived = mirror / "Rowan__hellaswag" / "derived" / "train_preprocessed.parquet"
            splits["train"] = [as_raw_row(row) for row in datasets.Dataset.from_parquet(str(derived))]
        return datasets.DatasetDict({split: datasets.Dataset.from_list(rows) for split, rows in splits.items()})

    datasets.disable_progress_bars()
    with mock.patch.object(lm_eval.api.task.datasets, "load_dataset", load_dataset):
        yield


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def as_raw_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A HellaSwag row that lm-eval's cleaning turns into the derived `row`.

    Cleaning strips, then deletes brackets, then halves double spaces: a bracket keeps an outer space from the strip,
    and two spaces come from three.
    """
    activity, _, scene = row["query"].partition(": ")
    ends_in_space = scene != scene.rstrip()
    return {
        "activity_label": _uncleaned(activity, last=""),
        "ctx_a": _uncleaned(scene[:-1] if ends_in_space else scene, last=""),
        "ctx_b": "[]" if ends_in_space else "",
        "endings": [_uncleaned(choice) for choice in row["choices"]],
        "label": str(row["gold"]),
    }


def _uncleaned(text: str, *, last: str = "[]") -> str:
    wide = re.sub(r" {2,}", lambda run: " " * (2 * len(run[0]) - 1), text)
    first = "[]" if text != text.lstrip() else ""
    return first + wide + (last if text != text.rstrip() else "")


def load(names: Sequence[str]) -> dict[str, Any]:
    """lm-eval's tasks by name, with the leaderboard's numbers of exemplars. Call within `reading`."""
    found: dict[str, Any] = TaskManager().load(list(names))["tasks"]
    for name, task in found.items():
        task.set_config("num_fewshot", num_fewshot(name))
    return found


def num_fewshot(task: str) -> int:
    """The leaderboard's number of exemplars."""
    return SHOTS["mmlu" if task.startswith("mmlu_") else task]


def requests(task: Any, limit: int, *, seed: int = 1234, **options: Any) -> list[Any]:
    """The requests of the first `limit` documents, built as lm-eval's evaluator builds them."""
    task.set_fewshot_seed(seed)
    arguments = {
        "limit": limit, "rank": 0, "world_size": 1, "cache_requests": False, "rewrite_requests_cache": False,
        "system_instruction": None, "apply_chat_template": False, "fewshot_as_multiturn": False, "chat_template": None,
        "tokenizer_name": "",
    }  # fmt: skip
    task.build_all_requests(**{**arguments, **options})
    return list(task.instances)
