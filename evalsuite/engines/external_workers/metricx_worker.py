"""MetricX-24's numbers for translations: the worker that the engine ``external`` starts with another Python.

That Python needs the package ``metricx24`` of google-research/metricx (Juraska et al. 2024), say by PYTHONPATH, with
the transformers that it asks for, and nothing of evalsuite; whichever version of Python it is, 3.8 or later. Lines in
and out are those of docs/neural-metrics.md. The numbers are errors from 0 to 25, so that lower is better.

Its argument is a JSON object: `model`, a name on the hub or a folder; `batch_size`; `tokenizer`, by default mT5's that
all of MetricX-24 share; `max_input_length`, by default that of training; and `qe`, which leaves the references out.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from worker_loop import Score, check_references, serve

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
    is_qe = bool(told.get("qe"))
    size, max_length = told["batch_size"], told.get("max_input_length", MAX_INPUT_LENGTH)

    def score(segments: list[dict[str, str]]) -> list[float]:
        check_references(segments, is_qe)
        texts = [text_of(segment, is_qe) for segment in segments]
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
    """What the model reads, as ``metricx24/predict.py`` words it."""
    text = f"source: {segment['src']} candidate: {segment['mt']}"
    if is_qe:
        return text
    return f"{text} reference: {segment['ref']}"


def without_end(ids: list[int]) -> list[int]:
    """A row's tokens without the one that ends it, as the model was trained."""
    return ids[:-1]


def padded(rows: list[list[int]], pad: int) -> tuple[list[list[int]], list[list[int]]]:
    """Rows filled up to the longest, and which places of them count."""
    width = max(map(len, rows))
    ids = [row + [pad] * (width - len(row)) for row in rows]
    return ids, [[1] * len(row) + [0] * (width - len(row)) for row in rows]


if __name__ == "__main__":
    sys.exit(serve(open_metric))
