"""Framed lines: ``crc32 SP canonical-json LF``, the form of everything that must survive a crash.

A reader compares the checksum's bytes, not its value, so that an upper-case hexadecimal digit is a fault too.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evalsuite.canonical import canonical_json

_CRC_DIGITS = 8
BODY_AT = _CRC_DIGITS + 1
"""Where a line's JSON begins."""

NO_END = "the line has no end"
"""The reason of a fault that a kill leaves: half of a line."""


@dataclass(frozen=True)
class Fault:
    """A frame that cannot be read: where it starts, what is wrong, and whether it is the last of its file."""

    offset: int
    reason: str
    is_tail: bool


def frame(value: Any) -> bytes:
    """`value` as one framed line. Raises ValueError on NaN or infinity."""
    body = canonical_json(value).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def read_frames(blob: bytes) -> Iterator[Any | Fault]:
    """The values of `blob`'s frames in order; a frame that cannot be read comes as a `Fault`."""
    offset = 0
    while offset < len(blob):
        end = blob.find(b"\n", offset)
        line_end = len(blob) if end < 0 else end
        is_tail = end < 0 or end + 1 == len(blob)
        fault = _fault(blob[offset:line_end], is_terminated=end >= 0)
        if fault:
            yield Fault(offset=offset, reason=fault, is_tail=is_tail)
        else:
            yield _parsed(blob[offset + BODY_AT : line_end], offset, is_tail)
        offset = line_end + 1


def _parsed(body: bytes, offset: int, is_tail: bool) -> Any | Fault:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        return Fault(offset=offset, reason=f"the checksum holds, the body is no JSON ({error})", is_tail=is_tail)


def _fault(line: bytes, *, is_terminated: bool) -> str:
    if not is_terminated:
        return NO_END
    body = line[BODY_AT:]
    if line[:BODY_AT] != b"%08x " % zlib.crc32(body):
        return "the checksum differs"
    return ""
