"""COMET's numbers for translations: the worker that the engine ``external`` starts with another Python.

That Python needs ``unbabel-comet`` (Rei et al. 2020, 2022) and nothing of evalsuite; whichever version of Python it is,
3.8 or later. Lines in and out are those of docs/neural-metrics.md. The loop stands here and in the other worker alike:
each script is whole, so that one hash says what ran.

Its argument is a JSON object: `model`, a name on the hub or a checkpoint's path; `batch_size`; and `qe`, which leaves
the references out, as models like XCOMET allow.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, TextIO  # noqa: UP035  (Python 3.8 has no other)

Score = Callable[[list], list]  # type: ignore[type-arg]
"""From segments, objects with `src`, `mt` and `ref`, to a number for each."""


def open_metric(told: dict[str, Any]) -> tuple[Score, dict[str, Any]]:
    """How segments are scored, and what the worker says of itself. Raises what importing and loading raise."""
    comet, torch = importlib.import_module("comet"), importlib.import_module("torch")
    given = told["model"]
    checkpoint = given if Path(given).is_file() else comet.download_model(given)
    model = comet.load_from_checkpoint(checkpoint)
    is_qe = bool(told.get("qe"))
    gpus = 1 if torch.cuda.is_available() else 0

    def score(segments: list[dict[str, str]]) -> list[float]:
        check_references(segments, is_qe)
        names = ("src", "mt") if is_qe else ("src", "mt", "ref")
        data = [{name: segment[name] for name in names} for segment in segments]
        found = model.predict(data, batch_size=told["batch_size"], gpus=gpus, progress_bar=False)
        return [float(value) for value in found.scores]

    return score, {
        "name": "unbabel-comet",
        "version": comet.__version__,
        "checkpoint": snapshot_of(checkpoint),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if gpus else "cpu",
    }


def snapshot_of(checkpoint: str) -> str:
    """The commit of the hub's cache that a checkpoint lies in, else its file's name."""
    parts = Path(checkpoint).parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts[:-1] else parts[-1]


def check_references(segments: list[dict[str, str]], is_qe: bool) -> None:
    """Raise ValueError for a segment without the reference that the metric reads."""
    if not is_qe and not all(segment["ref"].strip() for segment in segments):
        raise ValueError("there is no reference; extra_qe=true scores without")


# -- the loop, alike in every worker


def main() -> int:
    """Say that the metric is ready, or why not; then answer until the input ends."""
    answers = take_stdout()
    try:
        score, about = open_metric(json.loads(sys.argv[1]))
    except Exception as error:
        write(answers, {"error": f"{sys.executable} cannot load the metric: {reason(error)}"})
        return 1
    write(answers, {"ready": True, **about})
    for batch in batches(sys.stdin):
        for answer in scored(score, batch):
            write(answers, answer)
    return 0


def take_stdout() -> TextIO:
    """Standard output for answers alone: what libraries print goes to standard error from here on."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    return answers


def write(answers: TextIO, line: dict[str, Any]) -> None:
    """Write one line at once."""
    answers.write(json.dumps(line) + "\n")
    answers.flush()


def batches(lines: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
    """The segments, as many at a time as are sent together."""
    batch: list[dict[str, Any]] = []
    for line in lines:
        batch.append(json.loads(line))
        if batch[-1]["last"]:
            yield batch
            batch = []


def scored(score: Score, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An answer to each segment; where they fail together, each by itself, so that one does not cost the others."""
    try:
        values = score(batch)
        return [{"id": segment["id"], "score": values[index]} for index, segment in enumerate(batch)]
    except Exception as error:
        if len(batch) == 1:
            return [{"id": batch[0]["id"], "error": reason(error)}]
    return [answer for segment in batch for answer in scored(score, [segment])]


def reason(error: BaseException) -> str:
    """An error on one line, with the one that it was raised over, which often says more."""
    first = error
    while first.__context__ is not None:
        first = first.__context__
    shown = " ".join(f"{type(error).__name__}: {error}".split())
    return shown if first is error else f"{shown} (at first {reason(first)})"


if __name__ == "__main__":
    sys.exit(main())
