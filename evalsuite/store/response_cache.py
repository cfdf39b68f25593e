"""Answers kept across runs, one file a key, for generated text only.

A key is the hash of everything that can change an answer: the engine's identity, the request, and for engines whose
batches influence an answer also its company and the hardware. The whole of it is stored and compared on reading, so
that a hit is never another model's answer. Failures are not kept. Losing the cache, or sharing it, changes no result.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.canonical import canonical_json, content_hash
from evalsuite.engines.base import Batch, Engine
from evalsuite.types import Completion, GenerateRequest, Item

_SCHEMA = 1


class ResponseCache:
    """Completions below `root`; `num_damaged` files were found that are not what was written, and count as misses."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.num_damaged = 0
        self._unwritable = ""

    def warnings(self) -> tuple[str, ...]:
        """What a user should know of the cache; none of it moves a result."""
        damaged = (f"{self.num_damaged} cached answers were damaged and asked again",) if self.num_damaged else ()
        return (*damaged, *((self._unwritable,) if self._unwritable else ()))

    def lookup(self, engine: Engine, batch: Batch) -> tuple[tuple[str, Completion], ...] | None:
        """The answers to all items of `batch` by id, or None when one of them is not here."""
        found = []
        for item, preimage in zip(batch.items, preimages(engine, batch.items), strict=True):
            answer = None if preimage is None else self._read(preimage)
            if answer is None:
                return None
            found.append((item.id, answer))
        return tuple(found)

    def keep(self, engine: Engine, batch: Batch, answers: Mapping[str, Any]) -> None:
        """Store the completions among `answers` to `batch`, by item id. A cache that cannot be written costs no run."""
        for item, preimage in zip(batch.items, preimages(engine, batch.items), strict=True):
            answer = answers.get(item.id)
            if preimage is not None and isinstance(answer, Completion):
                self._write(preimage, answer)

    def _path(self, preimage: Mapping[str, Any]) -> Path:
        key = content_hash(preimage)
        return self._root / key[:2] / f"{key}.json"

    def _read(self, preimage: Mapping[str, Any]) -> Completion | None:
        try:
            stored = json.loads(self._path(preimage).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self.num_damaged += 1
            return None
        try:
            answer = msgspec.convert(stored["answer"], Completion)
            is_whole = stored["sha256"] == _digest(answer) and stored["asked"] == json.loads(canonical_json(preimage))
        except (KeyError, TypeError, ValueError, msgspec.ValidationError):
            is_whole = False
        if not is_whole:
            self.num_damaged += 1
            return None
        return answer

    def _write(self, preimage: Mapping[str, Any], answer: Completion) -> None:
        """Write aside and rename: a reader sees a whole file or none. Not synced, since a lost file is a miss."""
        path = self._path(preimage)
        text = canonical_json({"asked": preimage, "answer": answer, "sha256": _digest(answer)})
        aside = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(text, encoding="ascii")
            aside.replace(path)
        except OSError as error:
            self._unwritable = f"answers are not kept: {path.parent} cannot be written ({error.strerror})"


def preimages(engine: Engine, items: Sequence[Item]) -> list[Mapping[str, Any] | None]:
    """What each item's answer depends on; None for requests that are not kept, and engines whose answers are not."""
    if not engine.is_cacheable:
        return [None] * len(items)
    company = [content_hash([item.request for item in items])] if engine.is_batch_atomic else []
    hardware = dict(engine.stack()) if engine.is_batch_atomic else {}
    return [
        {
            "schema": _SCHEMA,
            "engine": engine.name,
            "identity": dict(engine.identity()),
            "request": msgspec.to_builtins(item.request),
            "place": [index, *company] if engine.is_batch_atomic else [],
            "hardware": hardware,
        }
        if isinstance(item.request, GenerateRequest)
        else None
        for index, item in enumerate(items)
    ]


def _digest(answer: Completion) -> str:
    return hashlib.sha256(canonical_json(answer).encode("ascii")).hexdigest()
