"""Small real runs whose answers are judged, made through the command line, and the functions that answer in them."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from evalsuite.cli.main import main
from evalsuite.engines.scripted import completion
from evalsuite.types import GenerateRequest, Request, Response


def apple(request: Request) -> Response:
    return completion("An apple is a fruit. It grows on trees.")


def pear(request: Request) -> Response:
    return completion("A pear is a fruit. It hangs from trees.")


def first(request: Request) -> Response:
    """A judge that prefers what it is shown first, whatever it is."""
    return completion("What stands first is clearer.\n[[A]]")


def strict(request: Request) -> Response:
    return completion("It says too little.\n[[4]]")


def moody(request: Request) -> Response:
    """A judge that rates half of the answers as `strict` does."""
    assert isinstance(request, GenerateRequest)
    is_odd = hashlib.sha256(str(request.prompt).encode()).digest()[0] % 2
    return completion("It will do.\n[[9]]" if is_odd else "It says too little.\n[[4]]")


def answered(folder: Path, name: str, task: str = "mini_chat_en") -> Path:
    """A run in which the function `name` answers `task`."""
    return _done("run", "--tasks", task, *_model(name), "-o", folder, "--json")


def judged(folder: Path, judge: str, by: str, *runs: Path) -> Path:
    """A run in which the function `by` judges `runs`."""
    return _done("score", *runs, "--judge", judge, *_model(by), "-o", folder, "--json")


def jury(folder: Path, *runs: Path) -> Path:
    """Judge runs as one."""
    return _done("jury", *runs, "-o", folder, "--json")


def _model(name: str) -> tuple[str, ...]:
    return ("--model", "scripted", "--model_args", f"function=judged_runs:{name},name={name}")


def _done(*arguments: object) -> Path:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = main(list(map(str, arguments)))
    assert code == 0
    return Path(json.loads(out.getvalue().splitlines()[-1])["path"])
