"""YAML files as records, strictly: every fault is one line that names the file and the line in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from evalsuite.errors import ConfigError, nearest
from evalsuite.types import Record

T = TypeVar("T", bound=Record)


Way = tuple[str | int, ...]
"""How to get to a value from the top of a file: keys, and places in lists from 0."""


def read_yaml(path: Path) -> tuple[dict[Any, Any], dict[str, int]]:
    """The keys of a YAML file with their values, and the line of each key. Raises ConfigError with file and line."""
    value, node = _load(path)
    return value, _key_lines(node, path)


def read_tree(path: Path) -> tuple[dict[Any, Any], dict[Way, int]]:
    """The keys of a YAML file with their values, and the line of everything in it. Raises ConfigError likewise."""
    value, node = _load(path)
    return value, dict(_all_lines(node, (), path))


def _load(path: Path) -> tuple[dict[Any, Any], yaml.Node | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # PyYAML lets the ValueError of a date like 2024-99-99 through
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ConfigError(f"{where}: not YAML: {problem}.") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(value).__name__}.")
    return value, node


def record_of(kind: type[T], path: Path) -> T:
    """The file as a `kind`, whose fields are its keys. Raises ConfigError for a wrong, unknown or missing one."""
    value, lines = read_yaml(path)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    converted: dict[str, Any] = {}
    for key, entry in value.items():
        where = f"{path}, line {lines.get(str(key), 1)}"
        if key not in fields:
            near = nearest(str(key), fields)
            guess = f"did you mean {near!r}?" if near else f"expected one of {', '.join(fields)}."
            raise ConfigError(f"{where}: unknown key {key!r}; {guess}")
        try:
            converted[key] = msgspec.convert(entry, fields[key].type)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{where}: {key}: {plain(str(error))}.") from error
    if missing := [name for name, field in fields.items() if field.required and name not in converted]:
        raise ConfigError(f"{path}: there is no {missing[0]!r}.")
    return kind(**converted)


def plain(message: str) -> str:
    """msgspec's complaint in the manner of ours."""
    return message.lower().replace("`", "").replace("$", "value")


def _key_lines(node: yaml.Node | None, path: Path) -> dict[str, int]:
    """The line of each key. Raises ConfigError for a key that stands twice, of which YAML would keep the last."""
    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if key.value in lines:
            raise ConfigError(f"{path}, line {line}: {key.value!r} stands here again after line {lines[key.value]}.")
        lines[key.value] = line
    return lines


def _all_lines(node: yaml.Node | None, way: Way, path: Path) -> Iterator[tuple[Way, int]]:
    """The line of every key and entry at or below `node`."""
    if isinstance(node, yaml.MappingNode):
        lines = _key_lines(node, path)
        for key, below in node.value:
            yield (*way, key.value), lines[key.value]
            yield from _all_lines(below, (*way, key.value), path)
    elif isinstance(node, yaml.SequenceNode):
        for place, entry in enumerate(node.value):
            yield (*way, place), entry.start_mark.line + 1
            yield from _all_lines(entry, (*way, place), path)
