"""JSON as nobody expects it: infinities, depths, huge numbers, halves of characters, other types."""

from __future__ import annotations

import random
import re

TOKENS = (
    b"1e999", b"NaN", b"-Infinity", b"[" * 100_000 + b"]" * 100_000, b'"\\ud800"', b"null", b"{}", b"[]", b"true",
    b"9" * 5_000, b'""', b'"x\\u0000"', b"-1", b"1e308", b'{"a":1}', b'"\xff"', b"0.0", b'"wilson"', b"[[1]]", b"2",
)  # fmt: skip
_SCALAR = re.compile(rb'(?<=[:\[,])\s*("(?:[^"\\]|\\.)*"|-?[0-9.eE+-]+|true|false|null)(?=\s*[,}\]])')


def spoiled(content: bytes, chance: random.Random) -> bytes:
    """JSON with one value replaced by what nobody expects there."""
    match = chance.choice(list(_SCALAR.finditer(content)))
    return content[: match.start(1)] + chance.choice(TOKENS) + content[match.end(1) :]
