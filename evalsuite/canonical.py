"""One spelling for every value: the canonical JSON that is hashed, compared and stored."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec


def canonical_json(value: Any) -> str:
    """`value` as one line of JSON with sorted keys, ASCII-escaped; NaN and infinities raise ValueError.

    msgspec's own encoder is not used: it writes NaN as null and refuses lone surrogates.
    """
    return json.dumps(msgspec.to_builtins(value, str_keys=True), allow_nan=False, sort_keys=True, separators=(",", ":"))


def content_hash(value: Any) -> str:
    """sha256 of `value`'s canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()
