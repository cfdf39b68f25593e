"""Real runs of scripted models, by the command line, for what goes out to other tools and comes in from them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalsuite.cli.main import main
from evalsuite.engines.scripted import completion, plausible
from evalsuite.types import Cause, Failure, Request, Response

MINI = ("mini_choice", "mini_math_en", "mini_math_zh", "mini_translation_en-fr", "mini_translation_en-zh")


def run_of(output: Path, *arguments: object, code: int = 0, model: str = "plausible_model") -> Path:
    """The directory of a run by one of the functions below."""
    call = ["run", "--model", "scripted", "--model_args", f"function=exchanged_runs:{model},name=org/{model}"]
    before = set(output.glob("*"))
    assert main([*call, "--output_path", str(output), *map(str, arguments)]) == code
    (path,) = set(output.glob("*")) - before
    return path


def judge_of(run: Path, model: str) -> Path:
    """The directory of a judge run over `run` by one of the functions below."""
    before = set(run.parent.glob("*"))
    call = ["score", str(run), "--judge", "rating", "--model", "scripted"]
    assert main([*call, "--model_args", f"function=exchanged_runs:{model},name=lab/{model}"]) == 0
    (path,) = set(run.parent.glob("*")) - before
    return path


def plausible_model(request: Request) -> Response:
    return plausible(request)


def faulty_model(request: Request) -> Response:
    """One request in eight fails."""
    return Failure(cause=Cause.CONTENT_FILTER) if int(request.key[:2], 16) % 8 == 0 else plausible(request)


def kind_judge(request: Request) -> Response:
    return completion(f"[[{7 + int(request.key[:2], 16) % 3}]]")


def stern_judge(request: Request) -> Response:
    return completion(f"[[{2 + int(request.key[:2], 16) % 3}]]")


def copied(run: Path, folder: Path) -> Path:
    """A copy of a run's directory that may be changed."""
    return Path(shutil.copytree(run, folder / run.name))


def changed(run: Path, change: Callable[[Any], None]) -> Path:
    """`run` with its results.json changed by hand."""
    path = run / "results.json"
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="ascii")
    return run


def damage(parquet: Path) -> None:
    """Turn every bit of a Parquet file's data, and leave what tells how to read it."""
    content = bytearray(parquet.read_bytes())
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    content[4:end] = bytes(byte ^ 0xFF for byte in content[4:end])
    parquet.write_bytes(content)


def kind_choices(request: Request) -> Response:
    """Another model that answers as the first."""
    return plausible(request)
