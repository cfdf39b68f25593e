"""Foreign JSON: what is read, what is refused and in which words; hostile files end in one line and quickly."""

from __future__ import annotations

import codecs
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evalsuite.errors import DataError
from evalsuite.interop.json_files import MAX_DEPTH, Row, read_rows, shown

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), min_size=1, max_size=5)


def nested(levels: int) -> str:
    """An object that holds lists in lists, `levels` deep with itself."""
    return '{"a": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def read(tmp_path: Path, content: bytes) -> tuple[Row, ...]:
    path = tmp_path / "f"
    path.write_bytes(content)
    return read_rows([path])


def refusal(tmp_path: Path, content: bytes) -> str:
    """What the error says after the file's name."""
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert text.startswith(str(tmp_path / "f"))
    return text.removeprefix(str(tmp_path / "f"))


# -- what is read


@given(OBJECTS, st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]))
def test_lines_round_trip(tmp_path_factory: pytest.TempPathFactory, objects: list[Any], end: str) -> None:
    content = end.join(json.dumps(value) for value in objects).encode()
    rows = read(tmp_path_factory.mktemp("lines"), content)
    assert [row.fields for row in rows] == objects


@given(OBJECTS, st.sampled_from([None, 0, 2]))
def test_lists_round_trip(tmp_path_factory: pytest.TempPathFactory, objects: list[Any], indent: int | None) -> None:
    content = json.dumps(objects, ensure_ascii=False, indent=indent).encode()
    rows = read(tmp_path_factory.mktemp("list"), content)
    assert [row.fields for row in rows] == objects


def test_rows_know_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert [row.where for row in read(tmp_path, b'\n{"a": 1}\n\n  {"a": 2}')] == [f"{path}, line 2", f"{path}, line 4"]
    listed = b'\n[\n{"a": 1},\n\n{"a":\n2}, {"a": 3}]'
    assert [row.where for row in read(tmp_path, listed)] == [
        f"{path}, line 3, entry 1",
        f"{path}, line 5, entry 2",
        f"{path}, line 6, entry 3",
    ]


def test_files_are_read_in_order(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(f'{{"n": "{name}"}}', encoding="utf-8")
    assert [row.fields["n"] for row in read_rows([tmp_path / "b", tmp_path / "a"])] == ["b", "a"]


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    text = "one\u2028two\u0085three\u2029"
    (row,) = read(tmp_path, json.dumps({"a": text}, ensure_ascii=False).encode())
    assert row.fields["a"] == text


# -- what is refused


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ", line 1: the file holds no rows"),
        (b" \r\n\t\n", ", line 1: the file holds no rows"),
        (b"[]", ", line 1: the file holds no rows"),
        (b"{}\nnull\n", ", line 2: expected an object, found None."),
        (b'{}\n\n["a"]\n', ", line 3: expected an object, found ['a']."),
        (b'[{},\n{}, "x"]', ", line 2, entry 3: expected an object, found 'x'."),
        (b'{"a": 1}\n{"a": \n', ", line 2: not JSON: Expecting value at column 7."),
        (b'{"a": 1}\n{"a": 1', ", line 2: not JSON: Expecting ',' delimiter at column 8."),
        (b"{'a': 1}", ", line 1: not JSON: Expecting property name enclosed in double quotes at column 2."),
        (b'{"a": 1} {"a": 2}', ", line 1: something follows the object at column 9."),
        (b'[{"a": 1}\n{"a": 2}]', ", line 2: expected ',' or the list's end."),
        (b'[{"a": 1},\n\n]', ", line 3: not JSON: Expecting value at column 1."),
        (b'[{"a": 1}]\n\n{"a": 2}', ", line 3: something follows the list."),
        (b'[{"a": 1}', ", line 1: expected ',' or the list's end."),
        (b'[{"a": 1,\n "b" 2}]', ", line 2: not JSON: Expecting ':' delimiter at column 6."),
        (b'{"a": NaN}', ", line 1: not JSON: NaN is no number of JSON's."),
        (b'{}\n{"a": -Infinity}', ", line 2: not JSON: -Infinity is no number of JSON's."),
        (b'{"a": 1e999}', ", line 1: not JSON: the number '1e999' is too large."),
        (b'{"a": -1e999}', ", line 1: not JSON: the number '-1e999' is too large."),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', ", line 1: not JSON: the key 'c' stands twice in an object."),
        (b'{}\n{"a": "\\ud83d"}', ", line 2: a string holds half of a surrogate pair, \\ud83d; remove it."),
        (b'{"\\udc00": 1}', ", line 1: a string holds half of a surrogate pair, \\udc00; remove it."),
        (codecs.BOM_UTF8 + b"{}", ", line 1: begins with the byte order mark of UTF-8; save it as plain UTF-8."),
        ("\ufeff{}".encode("utf-16-le"), ", line 1: begins with the byte order mark of UTF-16; save it as"),
        ("\ufeff{}".encode("utf-16-be"), ", line 1: begins with the byte order mark of UTF-16; save it as"),
        ("\ufeff{}".encode("utf-32-le"), ", line 1: begins with the byte order mark of UTF-32; save it as"),
        ("{}".encode("utf-16-le"), ", line 1: holds a zero byte, as UTF-16 does; save it as plain UTF-8."),
        (b"{}\n{}\n\0\0\0\0", ", line 3: holds a zero byte, as UTF-16 does; save it as plain UTF-8."),
        (b'{}\n{"a": "caf\xe9"}', ", line 2: the byte 0xe9 is not UTF-8; save it as plain UTF-8."),
        (b'{"a": "\x01"}', ", line 1: not JSON: Invalid control character at at column 8."),
        (b'{"a": "\\x"}', ", line 1: not JSON: Invalid \\escape at column 8."),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, content: bytes, expected: str) -> None:
    assert refusal(tmp_path, content).startswith(expected)


def test_an_emoji_is_no_half_pair(tmp_path: Path) -> None:
    (row,) = read(tmp_path, b'{"a": "\\ud83d\\ude00"}')
    assert row.fields == {"a": "\N{GRINNING FACE}"}


def test_depth(tmp_path: Path) -> None:
    assert len(read(tmp_path, nested(MAX_DEPTH).encode())) == 1
    expected = f", line 1: nested too deeply; at most {MAX_DEPTH} levels are read."
    for levels in (MAX_DEPTH + 1, 500, 2_000, 1_000_000):
        assert refusal(tmp_path, nested(levels).encode()) == expected
        assert refusal(tmp_path, f"[{nested(levels)}]".encode()).startswith(", line 1")
    assert refusal(tmp_path, b"[" * 1_000_000) == expected
    for levels in range(600, 1_100, 7):  # about where Python's own limit lies, whatever is on the stack
        found = refusal(tmp_path, b"{}\n" + b"[" * levels + b"]" * levels)
        assert found == expected.replace("line 1", "line 2")


def test_size(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b'{"a": 1}')
    assert len(read_rows([path], max_bytes=8)) == 1
    with pytest.raises(DataError, match=f"^{path} is larger than 7 bytes, the most that is read; split it by model.$"):
        read_rows([path], max_bytes=7)


def test_endless_files_are_not_read_to_their_end() -> None:
    with pytest.raises(DataError, match=r"^/dev/zero is larger than 1000 bytes"):
        read_rows([Path("/dev/zero")], max_bytes=1000)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none cannot be read: No such file or directory\.$"):
        read_rows([tmp_path / "none"])
    with pytest.raises(DataError, match=r"cannot be read: Is a directory\.$"):
        read_rows([tmp_path])


def test_messages_stay_short(tmp_path: Path) -> None:
    long = "x" * 100_000
    assert refusal(tmp_path, json.dumps(long).encode()).endswith("xxx....")
    assert "stands twice" in refusal(tmp_path, f'{{"{long}": 1, "{long}": 2}}'.encode())
    assert len(shown(long)) == 60


@pytest.mark.parametrize("size", [1_000_000])
def test_hostile_megabytes_take_no_time_to_speak_of(tmp_path: Path, size: int) -> None:
    """Each is linear: a quadratic reader would take minutes over any of them."""
    many_keys = json.dumps({str(number): number for number in range(size // 10)})[:-1] + ', "0": 1}'
    assert "'0' stands twice" in refusal(tmp_path, many_keys.encode())
    assert len(read(tmp_path, b"\n" * size + b"{}")) == 1
    assert len(read(tmp_path, b"[" + b"{},\n" * (size // 4) + b"{}]")) == size // 4 + 1
    assert len(read(tmp_path, b"{}\n" * (size // 4))) == size // 4
    assert "not JSON" in refusal(tmp_path, b'{"a": "' + b"\\\\" * (size // 2))
    assert "digits" in refusal(tmp_path, b'{"a": ' + b"9" * size + b"}")


@given(st.binary(max_size=60) | st.text('{}[]",:\\ud8 \n\r\0\ufeffae19-.N', max_size=40).map(str.encode))
@example(b"[")
@example(b"[,]")
@example(b"]")
@example(b"[{}]]")
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    try:
        rows = read(folder, content)
    except DataError:
        assert ", line " in refusal(folder, content)
        return
    assert rows
    for row in rows:
        json.dumps(row.fields, ensure_ascii=False, allow_nan=False).encode("utf-8")


# -- values


def row(**fields: Any) -> Row:
    return Row(fields, "f, line 7")


@pytest.mark.parametrize("value", [0, -1, 7.5, 10, 1e9])
def test_numbers(value: float) -> None:
    assert row(a=value).number("a") == value
    assert isinstance(row(a=value).number("a"), float)


@pytest.mark.parametrize("value", [None, True, "8", [8], {}, 10**400, -(10**400), 1e10, math.nan, math.inf])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(DataError, match=r"^f, line 7: 'a' is .{1,60}; expected a number\.$"):
        row(a=value).number("a")


@pytest.mark.parametrize("value", [3, 0, 1.0, True, "1", None, [1]])
def test_what_is_no_allowed_whole_number(value: Any) -> None:
    assert row(a=2).whole("a", (1, 2)) == 2
    with pytest.raises(DataError, match=r"^f, line 7: 'a' is .*; expected 1 or 2\.$"):
        row(a=value).whole("a", (1, 2))


def test_texts_and_names() -> None:
    assert row(a="").text("a") == ""
    assert row(a=" x").name("a") == " x"
    with pytest.raises(DataError, match=r"^f, line 7: 'a' is 8; expected a string\.$"):
        row(a=8).text("a")
    with pytest.raises(DataError, match=r"^f, line 7: 'a' is empty\.$"):
        row(a=" \n").name("a")


def test_missing_keys_name_the_nearest() -> None:
    with pytest.raises(DataError, match=r"^f, line 7: no 'score'; did you mean 'scores'\?$"):
        row(scores=1).number("score")
    with pytest.raises(DataError, match=r"^f, line 7: no 'score'; it must be there\.$"):
        row(turn=1).number("score")
