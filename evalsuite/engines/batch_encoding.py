"""Many log-likelihood requests to token ids: each distinct context once, and of each continuation only what is new.

The encoding of a context followed by a continuation is that of the context except near its end, for tokenizers that
split text into words from left to right and never merge across words (byte-level BPE). There only the last words are
encoded again with the continuation; of contexts that share pieces, each piece once (`shared_texts`). Whether a
tokenizer is of that kind is read from its definition; that the cut falls between words is checked for every context by
encoding its end alone. All others are encoded whole, as by `Encoder.encode_pair`, whose results these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.engines.encoding import EncodedPair, Encoder
from evalsuite.engines.shared_texts import Beginning, beginnings, last_cut
from evalsuite.types import LoglikelihoodRequest

_CHUNK = 512


@dataclass(frozen=True)
class _Context:
    """A context's tokens, and its end: the tokens before that do not depend on what follows the context."""

    ids: tuple[int, ...]
    num_kept_tokens: int
    end_text: str


def encode_pairs(encoder: Encoder, requests: Sequence[LoglikelihoodRequest]) -> list[EncodedPair]:
    """`encoder.encode_pair` of each request, in order."""
    if not encoder.is_local:
        return [encoder.encode_pair(request) for request in requests]
    parts = [encoder.parts(request) for request in requests]
    contexts = _contexts(encoder, {(stripped, adds) for stripped, _, adds in parts if stripped})
    quick = [place for place, (stripped, _, adds) in enumerate(parts) if (stripped, adds) in contexts]
    ends = {}
    for place in quick:
        stripped, continuation, adds = parts[place]
        ends[place] = contexts[stripped, adds].end_text + continuation
    encoded = dict(zip(dict.fromkeys(ends.values()), _encode(encoder, list(dict.fromkeys(ends.values()))), strict=True))
    found = []
    for place, request in enumerate(requests):
        if place not in ends:
            found.append(encoder.encode_pair(request))
            continue
        stripped, _, adds = parts[place]
        context = contexts[stripped, adds]
        whole = (*context.ids[: context.num_kept_tokens], *encoded[ends[place]])
        found.append(encoder.split(request, whole, context.ids))
    return found


def _contexts(encoder: Encoder, wanted: set[tuple[str, bool]]) -> dict[tuple[str, bool], _Context]:
    """The contexts that can be taken apart; the others are missing."""
    found: dict[tuple[str, bool], _Context] = {}
    known: dict[int, int] = {}  # one object for each token, however often it stands somewhere
    for adds in (False, True):
        texts = sorted(text for text, flag in wanted if flag == adds and _is_well_formed(text))
        begun = dict(zip(texts, beginnings(encoder, texts, adds_special=adds), strict=True))
        rests = {(text[begin.num_chars :], adds and not begin.num_chars) for text, begin in begun.items()}
        taken_apart = _taken_apart(encoder, rests)
        for text, begin in begun.items():
            rest = taken_apart.get((text[begin.num_chars :], adds and not begin.num_chars))
            if rest is not None:
                found[text, adds] = _after(begin, rest, known)
    return found


def _after(begin: Beginning, rest: _Context, known: dict[int, int]) -> _Context:
    ids = tuple(map(known.setdefault, every := (*begin.ids, *rest.ids), every))
    return _Context(ids, len(begin.ids) + rest.num_kept_tokens, rest.end_text)


def _taken_apart(encoder: Encoder, wanted: set[tuple[str, bool]]) -> dict[tuple[str, bool], _Context]:
    """As `_contexts`, each encoded whole; what cannot be taken apart is all end, unless special tokens are added."""
    found: dict[tuple[str, bool], _Context] = {}
    for adds in (False, True):
        texts = sorted(text for text, flag in wanted if flag == adds)
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            encodings = encoder.tokenizer(chunk, add_special_tokens=adds, return_attention_mask=False).encodings
            cuts = [last_cut(encoding, text) for encoding, text in zip(encodings, chunk, strict=True)]
            ends = _encode(encoder, [text[cut[1] :] if cut else "" for text, cut in zip(chunk, cuts, strict=True)])
            for text, encoding, cut, end in zip(chunk, encodings, cuts, ends, strict=True):
                every = tuple(encoding.ids)
                ids = encoder.without_appended(every, adds_special=adds)
                if cut is not None and every[: len(ids)] == ids and ids[cut[0] :] == end:
                    found[text, adds] = _Context(ids, cut[0], text[cut[1] :])
                elif not adds:
                    found[text, adds] = _Context(ids, 0, text)
    return found


def _encode(encoder: Encoder, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Token ids of `texts` without special tokens."""
    found: list[tuple[int, ...]] = []
    for start in range(0, len(texts), _CHUNK):
        chunk = [_well_formed(text) for text in texts[start : start + _CHUNK]]
        found += map(tuple, encoder.tokenizer(chunk, add_special_tokens=False, return_attention_mask=False).input_ids)
    return found


def _is_well_formed(text: str) -> bool:
    return _well_formed(text) == text


def _well_formed(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
