"""YAML files as records, strictly: every fault is one line that names the file and the line in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin

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
    value, lines = read_tree(path)
    return checked(value, kind, path, lines)


def checked(value: Mapping[Any, Any], kind: type[T], path: Path, lines: Mapping[Way, int]) -> T:
    """What `read_tree` gave as a `kind`, records in records too.

    Raises ConfigError with the line of the first key that is unknown, missing or has a value that it cannot have; it
    names what could stand there.
    """
    _check(value, kind, _Place(path, lines))
    return msgspec.convert(value, kind)


@dataclass(frozen=True)
class _Place:
    """Where in a file a value stands."""

    path: Path
    lines: Mapping[Way, int]
    way: Way = ()

    def at(self, step: str | int) -> _Place:
        """The place below a key, or in a list."""
        return _Place(self.path, self.lines, (*self.way, step))

    def refuse(self, message: str) -> NoReturn:
        """End with a line that names the place."""
        steps = range(len(self.way), 0, -1)
        line = next((self.lines[self.way[:size]] for size in steps if self.way[:size] in self.lines), None)
        raise ConfigError(f"{self.path}{f', line {line}' if line else ''}: {message}.")

    @property
    def name(self) -> str:
        """The keys that lead here from the nearest list, or the list's own: ``defaults.alpha``, ``max_drop``."""
        nearest_first = self.way[::-1]
        keys = tuple(takewhile(lambda step: isinstance(step, str), nearest_first))
        keys = keys or tuple(step for step in nearest_first if isinstance(step, str))[:1]
        return ".".join(map(str, reversed(keys)))


def _check(value: Any, kind: Any, place: _Place) -> None:
    kinds = _alternatives(kind)
    records = [one for one in kinds if isinstance(one, type) and issubclass(one, Record)]
    entries = [get_args(one)[0] for one in kinds if get_origin(one) is tuple]
    if isinstance(value, dict) and len(records) == 1:
        _check_keys(value, records[0], place)
    elif isinstance(value, list) and len(entries) == 1:
        for index, entry in enumerate(value):
            _check(entry, entries[0], place.at(index))
    else:
        _check_value(value, kind, place)


def _check_keys(value: Mapping[Any, Any], kind: type[Record], place: _Place) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key, entry in value.items():
        if key not in fields:
            near = nearest(str(key), fields)
            guess = f"did you mean {near!r}? Expected" if near else "expected"
            place.at(str(key)).refuse(f"unknown key {key!r}; {guess} one of {', '.join(fields)}")
        _check(entry, fields[key].type, place.at(key))
    if missing := [name for name, field in fields.items() if field.required and name not in value]:
        place.refuse(f"there is no {missing[0]!r}")


def _check_value(value: Any, kind: Any, place: _Place) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        words = _words(kind)
        if not words:
            place.refuse(f"{place.name}: {plain(str(error))}")
        near = nearest(str(value), words)
        guess = f"did you mean {near!r}? Expected" if near else "expected"
        place.refuse(f"{place.name} is {value!r}; {guess} one of {', '.join(words)}")


def _words(kind: Any) -> tuple[str, ...]:
    """All that may stand there, where those are words of a short list and nothing else."""
    kinds = [one for one in _alternatives(kind) if one is not type(None)]
    if not all(get_origin(one) is Literal for one in kinds):
        return ()
    return tuple(str(word) for one in kinds for word in get_args(one))


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types of a union, or the one there is, without what is said of them."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) not in (Union, UnionType):
        return (kind,)
    return tuple(each for one in get_args(kind) for each in _alternatives(one))


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
