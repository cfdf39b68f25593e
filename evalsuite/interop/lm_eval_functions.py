"""The functions in the configurations of lm-eval's tasks: their text, whether they draw, what they made of a table, and
what they may not do.

Imported where tasks are listed: nothing heavy here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from evalsuite.errors import UsageError


@contextmanager
def no_code_from_elsewhere() -> Iterator[None]:
    """As long as this lasts, the package evaluate loads nothing.

    What it loads is code: of a folder below the present one with the metric's name, else of the hub. Tasks ask for it
    when their files are read, and when they score. Raises UsageError in its place.
    """
    if find_spec("evaluate") is None:
        yield
        return
    import evaluate

    real = evaluate.load
    evaluate.load = _refused
    try:
        yield
    finally:
        evaluate.load = real


def _refused(path: str, *_: object, **__: object) -> NoReturn:
    raise UsageError(f"it asks the package evaluate for {path}, which runs code from elsewhere; evalsuite runs none.")


def does_draw(config: Mapping[str, Any]) -> bool:
    """Whether the code that processes a task's documents, by the text of its file, draws or shuffles."""
    text = source_of(config["process_docs"]) if callable(config.get("process_docs")) else ""
    return "random" in text or "shuffle" in text


def source_of(function: Callable[..., Any]) -> str:
    """The text of the file that a function of a task's stands in, which has what it calls; else of the function."""
    while isinstance(function, partial):
        function = function.func
    try:
        return Path(str(inspect.getsourcefile(inspect.unwrap(function)))).read_text(encoding="utf-8")
    except (OSError, TypeError, UnicodeError):
        return getattr(function, "__qualname__", type(function).__qualname__)


def once_a_table(config: dict[str, Any]) -> None:
    """Let a task process each table once, however often lm-eval asks.

    lm-eval processes documents anew to make the task, its requests and its scores. Over data on disk `datasets` keeps
    what it mapped, so that all see the same; the tables here are in memory, where it keeps nothing.
    """
    process = config.get("process_docs")
    if not callable(process):
        return
    made: dict[int, tuple[Any, Any]] = {}

    def kept(table: Any) -> Any:
        if id(table) not in made:
            made[id(table)] = (table, process(table))
        return made[id(table)][1]

    config["process_docs"] = kept
    exemplars = config.get("fewshot_config")
    if isinstance(exemplars, dict) and exemplars.get("process_docs") is process:
        exemplars["process_docs"] = kept
