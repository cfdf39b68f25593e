"""``transformers serve`` with the built-in model, on loopback: a real peer that has no log-probabilities of prompts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from vllm_server import free_port, serving

from evalsuite import models

MODEL = "smollm2-135m"


@contextmanager
def transformers_server() -> Iterator[tuple[str, str]]:
    """The base URL of a server that answers, and the name of its model. Skips without the extra ``serving``."""
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        pytest.skip("needs the extra 'serving'")
    folder, port = models.locate(MODEL).path, free_port()
    command = [
        str(Path(sys.executable).with_name("transformers")), "serve", str(folder), "--host", "127.0.0.1",
        "--port", str(port), "--device", "cpu", "--dtype", "float32",
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with serving(command, environment, port):
        yield f"http://127.0.0.1:{port}/v1", str(folder)
