"""COMET's numbers for translations: the worker that the engine ``external`` starts with another Python.

That Python needs ``unbabel-comet`` (Rei et al. 2020, 2022) and nothing of evalsuite; whichever version of Python it is,
3.8 or later. Lines in and out are those of docs/neural-metrics.md.

Its argument is a JSON object: `model`, a name on the hub or a checkpoint's path; `batch_size`; and `qe`, which leaves
the references out, as models like XCOMET allow.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from worker_loop import Score, check_references, serve


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


if __name__ == "__main__":
    sys.exit(serve(open_metric))
