"""JSON made elsewhere, read with suspicion: bounded, strict, and every fault is one line that names file and line.

A file is either one object a line or one list of objects. Line ends of Windows are JSON's white space; a byte
order mark is not, and the tools whose files these are do not read one either.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from evalsuite.errors import DataError, nearest

MAX_BYTES = 256 * 2**20
"""The largest file that is read; AlpacaEval's annotations of one model have some 4 MB."""
MAX_DEPTH = 32
"""Levels of lists and objects in one row; the files read here have three."""
_LARGEST = 1e9
"""Beyond this no score lies, and sums of what is below it cannot overflow."""
_SPACE = re.compile(r"[ \t\r\n]*")
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(frozen=True)
class Row:
    """One object of a file; `where` is the file, the line it begins at, and in a list its number from 1."""

    fields: Mapping[str, Any]
    where: str

    def refuse(self, problem: str) -> NoReturn:
        """Raise the DataError that says where `problem` is."""
        raise DataError(f"{self.where}: {problem}")

    def value(self, key: str) -> Any:
        """What stands under `key`. Raises DataError when nothing does."""
        if key not in self.fields:
            near = nearest(key, self.fields)
            self.refuse(f"no {key!r}; {f'did you mean {near!r}?' if near else 'it must be there.'}")
        return self.fields[key]

    def text(self, key: str) -> str:
        """The string under `key`, which may be empty. Raises DataError."""
        value = self.value(key)
        if not isinstance(value, str):
            self.refuse(f"{key!r} is {shown(value)}; expected a string.")
        return value

    def name(self, key: str) -> str:
        """The string under `key`, which says something. Raises DataError."""
        text = self.text(key)
        if not text.strip():
            self.refuse(f"{key!r} is empty.")
        return text

    def number(self, key: str) -> float:
        """The number under `key`. Raises DataError, also for one beyond any scale."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST <= value <= _LARGEST:
            self.refuse(f"{key!r} is {shown(value)}; expected a number.")
        return float(value)

    def whole(self, key: str, allowed: Sequence[int]) -> int:
        """The whole number under `key`, one of `allowed`. Raises DataError."""
        value = self.value(key)
        if type(value) is not int or value not in allowed:
            self.refuse(f"{key!r} is {shown(value)}; expected {' or '.join(map(str, allowed))}.")
        return value


def shown(value: Any) -> str:
    """`value` as a message shows it: short, however long it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_rows(paths: Sequence[Path], max_bytes: int = MAX_BYTES) -> tuple[Row, ...]:
    """The objects of the files in order. Raises DataError naming file and line, also for a file without any."""
    return tuple(row for path in paths for row in _read_rows(path, max_bytes))


def read_object(path: Path, max_bytes: int = MAX_BYTES) -> Row:
    """The one object that a file is, on however many lines. Raises DataError naming file and line."""
    text = _decoded(_content(path, max_bytes), path)
    start = _skip_space(text, 0)
    line = 1 + text.count("\n", 0, start)
    if start == len(text):
        raise DataError(f"{path}, line {line}: the file is empty; expected one JSON object.")
    value, end = _parsed(text, start, path, line)
    if (after := _skip_space(text, end)) < len(text):
        raise DataError(f"{path}, line {1 + text.count(chr(10), 0, after)}: something follows the object.")
    return _checked(value, str(path))


def sha256_of(paths: Iterable[Path]) -> str:
    """What the files' bytes hash to together, in their order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read_rows(path: Path, max_bytes: int) -> tuple[Row, ...]:
    text = _decoded(_content(path, max_bytes), path)
    is_list = text.startswith("[", _skip_space(text, 0))
    rows = tuple(_list_rows(text, path) if is_list else _line_rows(text, path))
    if not rows:
        raise DataError(f"{path}, line 1: the file holds no rows; expected one JSON object a line, or a list of them.")
    return rows


def _content(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > max_bytes:
        raise DataError(f"{path} is larger than {max_bytes} bytes, the most that is read; split it by model.")
    return content


def _decoded(content: bytes, path: Path) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            raise DataError(f"{path}, line 1: begins with the byte order mark of {encoding}; save it as plain UTF-8.")
    if (place := content.find(0)) >= 0:  # valid in UTF-8, so it would be refused as bad JSON, which explains nothing
        line = content.count(b"\n", 0, place) + 1
        raise DataError(f"{path}, line {line}: holds a zero byte, as UTF-16 does; save it as plain UTF-8.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise DataError(f"{path}, line {line}: the byte 0x{byte:02x} is not UTF-8; save it as plain UTF-8.") from error


def _line_rows(text: str, path: Path) -> Iterator[Row]:
    """One object a line; only ``\\n`` ends a line, since strings may hold the other separators of Unicode."""
    for number, line in enumerate(text.split("\n"), start=1):
        start = _skip_space(line, 0)
        if start < len(line):
            value, end = _parsed(line, start, path, number)
            if _skip_space(line, end) < len(line):
                raise DataError(f"{path}, line {number}: something follows the object at column {end + 1}.")
            yield _checked(value, f"{path}, line {number}")


def _list_rows(text: str, path: Path) -> Iterator[Row]:
    """The members of one list, each read by itself, so that a fault is known by the line its object begins at."""
    place = _skip_space(text, _skip_space(text, 0) + 1)
    line = 1 + text.count("\n", 0, place)
    is_more = not text.startswith("]", place)
    number = 0
    while is_more:
        number += 1
        value, end = _parsed(text, place, path, line)
        yield _checked(value, f"{path}, line {line}, entry {number}")
        after = _skip_space(text, end)
        is_more = text.startswith(",", after)
        if not is_more and not text.startswith("]", after):
            raise DataError(f"{path}, line {line + text.count(chr(10), place, after)}: expected ',' or the list's end.")
        following = _skip_space(text, after + 1) if is_more else after
        line += text.count("\n", place, following)
        place = following
    if (after := _skip_space(text, place + 1)) < len(text):
        raise DataError(f"{path}, line {line + text.count(chr(10), place, after)}: something follows the list.")


def _skip_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _parsed(text: str, start: int, path: Path, line: int) -> tuple[Any, int]:
    """The value that begins at `start`, which is in `line` of the file, and where it ends."""
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError as error:
        raise _too_deep(f"{path}, line {line}") from error
    except json.JSONDecodeError as error:
        line += text.count("\n", start, error.pos)
        raise DataError(f"{path}, line {line}: not JSON: {error.msg} at column {error.colno}.") from error
    except ValueError as error:
        raise DataError(f"{path}, line {line}: not JSON: {error}.") from error


def _checked(value: Any, where: str) -> Row:
    waiting: list[tuple[int, Any]] = [(1, value)]
    while waiting:  # by hand: recursion is what a hostile row would exhaust
        depth, part = waiting.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(where)
        if isinstance(part, str):
            _check_text(part, where)
        elif isinstance(part, dict):
            waiting += [(depth + 1, child) for pair in part.items() for child in pair]
        elif isinstance(part, list):
            waiting += [(depth + 1, child) for child in part]
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected an object, found {shown(value)}.")
    return Row(value, where)


def _check_text(text: str, where: str) -> None:
    """Refuse half a surrogate pair, which no file and no terminal can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        problem = f"a string holds half of a surrogate pair, \\u{ord(text[error.start]):04x}; remove it."
        raise DataError(f"{where}: {problem}") from error


def _too_deep(where: str) -> DataError:
    return DataError(f"{where}: nested too deeply; at most {MAX_DEPTH} levels are read.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, unless a key stands twice, of which readers take the first or the last as they like."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {shown(twice)} stands twice in an object")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {shown(digits)} is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON's")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant)
