"""What a tokenizer's definition says about how it works."""

from __future__ import annotations

import json
import re
from typing import Any

_LOOKAROUND = re.compile(r"\(\?<[=!]|\(\?=|\(\?!(?!\\S\))")
"""What looks back, or further ahead than the next character; the end of a run of spaces does not."""

_LOCAL_PIECES = {"ByteLevel", "Split", "Digits", "Sequence"}


def is_local(tokenizer: Any) -> bool:
    """Whether the tokenizer splits text from left to right without looking back, and merges within words only."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return False
    definition = json.loads(backend.to_str())
    pieces = _pieces(definition["pre_tokenizer"])
    names = {piece["type"] for piece in pieces}
    if definition["model"]["type"] != "BPE" or definition["normalizer"] is not None or "ByteLevel" not in names:
        return False
    patterns = [str(pattern) for piece in pieces for pattern in (piece.get("pattern") or {}).values()]
    looks_around = any(_LOOKAROUND.search(pattern) for pattern in patterns)
    prefixes = any(piece.get("add_prefix_space") for piece in pieces)
    return names <= _LOCAL_PIECES and not prefixes and not looks_around


def _pieces(definition: Any) -> list[dict[str, Any]]:
    if definition is None:
        return []
    return [definition, *(inner for piece in definition.get("pretokenizers", ()) for inner in _pieces(piece))]
