"""MetricX-24's numbers for translations: the worker that the engine ``external`` starts with another Python.

That Python needs the package ``metricx24`` of google-research/metricx (Juraska et al. 2024), say by PYTHONPATH, with
the transformers that it asks for, and nothing of evalsuite; whichever version of Python it is, 3.8 or later. Lines in
and out are those of docs/neural-metrics.md. The loop stands here and in the other worker alike: each script is whole,
so that one hash says what ran. The numbers are errors from 0 to 25, so that lower is better.

Its argument is a JSON object: `model`, a name on the hub or a folder; `batch_size`; `tokenizer`, by default mT5's that
all of MetricX-24 share; `max_input_length`, by default that of training; and `qe`, which leaves the references out.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any, Callable, Iterable, Iterator, TextIO  # noqa: UP035  (Python 3.8 has no other)

Score = Callable[[list], list]  # type: ignore[type-arg]
"""From segments, objects with `src`, `mt` and `ref`, to a number for each."""

TOKENIZER = "google/mt5-xl"
MAX_INPUT_LENGTH = 1536


def open_metric(told: dict[str, Any]) -> tuple[Score, dict[str, Any]]:
    """How segments are scored, and what the worker says of itself. Raises what importing and loading raise."""
    models = importlib.import_module("metricx24.models")
    torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(told.get("tokenizer", TOKENIZER))
    model = models.MT5ForRegression.from_pretrained(told["model"], torch_dtype="auto")
    device = "cuda" if torch.cuda.is_available() else "cpu"  # the model's own code takes a GPU where there is one
    model.to(device)
    model.eval()
    size, max_length = told["batch_size"], told.get("max_input_length", MAX_INPUT_LENGTH)

    def score(segments: list[dict[str, str]]) -> list[float]:
        texts = [text_of(segment, bool(told.get("qe"))) for segment in segments]
        rows = [without_end(ids) for ids in tokenizer(texts, max_length=max_length, truncation=True)["input_ids"]]
        found: list[float] = []
        for start in range(0, len(rows), size):
            ids, mask = padded(rows[start : start + size], tokenizer.pad_token_id)
            with torch.no_grad():
                told_by = model(
                    input_ids=torch.tensor(ids, device=device), attention_mask=torch.tensor(mask, device=device)
                )
            found += told_by.predictions.float().tolist()
        return found

    return score, {
        "name": "metricx24",
        "version": getattr(model.config, "_commit_hash", None) or "",
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }


def text_of(segment: dict[str, str], is_qe: bool) -> str:
    """What the model reads, as ``metricx24/predict.py`` words it. Raises ValueError without the reference it reads."""
    text = f"source: {segment['src']} candidate: {segment['mt']}"
    if is_qe:
        return text
    if not segment["ref"].strip():
        raise ValueError("there is no reference; extra_qe=true scores without")
    return f"{text} reference: {segment['ref']}"


def without_end(ids: list[int]) -> list[int]:
    """A row's tokens without the one that ends it, as the model was trained."""
    return ids[:-1]


def padded(rows: list[list[int]], pad: int) -> tuple[list[list[int]], list[list[int]]]:
    """Rows filled up to the longest, and which places of them count."""
    width = max(map(len, rows))
    ids = [row + [pad] * (width - len(row)) for row in rows]
    return ids, [[1] * len(row) + [0] * (width - len(row)) for row in rows]


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
