"""The functions in the configurations of lm-eval's tasks: their text, whether they draw, and what they made of a table.

Imported where tasks are listed: nothing heavy here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any


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
