"""What a model's reply says the texts become that it was asked to translate, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

Texts = Mapping[str, str | Sequence[str]]

MAX_REPLY_BYTES = 1_000_000


def read_translation(reply: str, source: Texts) -> dict[str, str | list[str]] | None:
    """What `reply` says that the texts of `source` become, with their keys in their order; None for anything amiss.

    A reply is one JSON object, alone or in one Markdown code fence, of exactly the keys of `source`, each once, with a
    string for a string and a list of as many for a list. Half of a surrogate pair, which no file can hold, is amiss.
    """
    try:
        if len(reply.encode("utf-8", "surrogatepass")) > MAX_REPLY_BYTES:
            return None
        found = json.loads(_unfenced(reply.strip()), object_pairs_hook=_object)
        if not isinstance(found, dict) or found.keys() != source.keys():
            return None
        if not all(_has_shape(found[key], wanted) for key, wanted in source.items()):
            return None
        "".join(texts_in(found)).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return {key: found[key] for key in source}


def _unfenced(reply: str) -> str:
    first, _, rest = reply.partition("\n")
    is_fenced = first.rstrip() in ("```", "```json", "```JSON") and rest.endswith("```")
    return rest[:-3] if is_fenced else reply


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")  # readers take the first or the last as they like
    return found


def _has_shape(value: object, wanted: str | Sequence[str]) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, str)
    return isinstance(value, list) and len(value) == len(wanted) and all(isinstance(each, str) for each in value)


def texts_in(texts: Texts) -> Iterator[str]:
    """Every text, those of a list one by one."""
    for value in texts.values():
        if isinstance(value, str):
            yield value
        else:
            yield from value
