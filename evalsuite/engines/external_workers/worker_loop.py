"""What every worker does besides its metric: lines in and out, as docs/neural-metrics.md says.

It lies beside the workers, so that a script that is run by its path finds it; it imports the standard library alone,
and runs under Python 3.8 and later.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, TextIO, Tuple  # noqa: UP035  (Python 3.8 has no other)

Score = Callable[[list], list]  # type: ignore[type-arg]
"""From segments, objects with `src`, `mt` and `ref`, to a number for each."""
Open = Callable[[Dict[str, Any]], Tuple[Score, Dict[str, Any]]]  # noqa: UP006  (evaluated, and Python 3.8 has no other)
"""From the worker's argument to how segments are scored, and what the worker says of itself."""


def serve(open_metric: Open) -> int:
    """Say that the metric is ready, or why not; then answer until the input ends. Returns the exit status."""
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


def check_references(segments: list[dict[str, str]], is_qe: bool) -> None:
    """Raise ValueError for a segment without the reference that the metric reads."""
    if not is_qe and not all(segment["ref"].strip() for segment in segments):
        raise ValueError("there is no reference; extra_qe=true scores without")
