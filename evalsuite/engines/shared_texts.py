"""The tokens of texts that share pieces, as prompts share exemplars: each piece is encoded once.

For tokenizers that are `Encoder.is_local`, which split text into words from left to right and look at nothing before a
word: from where a word begins, the tokens are those of the rest alone. So the inner words of a piece, away from its
end, are the same wherever the piece stands, if a word begins where they begin. Whether one does is seen in what stands
between the inner words of two pieces, which is encoded too, with a margin of the words that follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from evalsuite.engines.encoding import Encoder

Ids = tuple[int, ...]

MARGIN_CHARS = 48
MARGIN_WORDS = 4
"""How far from the end of what is encoded by itself its tokens are those that it has in a longer text."""

_CHUNK = 512
_SEPARATOR = "\n\n"
_FIRST_WORD = 2
_MIN_CHARS = 3 * MARGIN_CHARS
"""A shorter piece has too few inner words to be worth it."""


@dataclass(frozen=True)
class Beginning:
    """The tokens of a text's first `num_chars` characters, where a word ends: the rest is encoded by itself."""

    ids: Ids = ()
    num_chars: int = 0


@dataclass(frozen=True)
class _Inner:
    """The inner words of a piece: its characters from `start` to `end`, and their tokens.

    The first of them is visible at `first`, a space before it; `margin` ends the words that are encoded with what
    stands before the piece.
    """

    start: int
    first: int
    margin: int
    end: int
    ids: Ids


@dataclass(frozen=True)
class _Between:
    """What stands between the inner words of two pieces with the margin of the second, whose words begin at `start`."""

    text: str
    start: int
    first: int
    adds_special: bool


def beginnings(encoder: Encoder, texts: Sequence[str], *, adds_special: bool) -> list[Beginning]:
    """Of each of `texts` the tokens up to the last inner words of a piece that stands in several of them.

    The texts are well-formed, and `encoder` is local.
    """
    inners = _inners(encoder, texts)
    plans = [list(_plan(text, inners, adds_special=adds_special)) for text in texts]
    heads = _heads(encoder, list(dict.fromkeys(between for plan in plans for between, _, _ in plan)))
    return [_assembled(plan, heads) for plan in plans]


def word_start(encoding: Any, word: int) -> tuple[int, int] | None:
    """Token and character at which a word begins, a space before it being its own; None for the first word."""
    before, tokens = (encoding.word_to_chars(word - 1), encoding.word_to_tokens(word)) if word > 0 else (None, None)
    return None if before is None or tokens is None else (tokens[0], before[1])


def last_cut(encoding: Any, text: str) -> tuple[int, int] | None:
    """Token and character at which the last word begins that is well before the end of `text`, or None."""
    place = len(text) - MARGIN_CHARS
    last = encoding.char_to_word(len(text) - 1) if place > 0 else None
    word = encoding.char_to_word(place) if place > 0 else None
    if last is None or word is None:
        return None
    return word_start(encoding, min(word, last - MARGIN_WORDS))


def _inners(encoder: Encoder, texts: Sequence[str]) -> dict[str, _Inner]:
    """Those of the pieces that stand in several texts, as far as they have any."""
    counts = Counter(piece for text in texts for piece in set(text.split(_SEPARATOR)) if len(piece) >= _MIN_CHARS)
    shared = [piece for piece, count in counts.items() if count > 1]
    found = zip(shared, _encodings(encoder, shared, adds_special=False), strict=True)
    return {piece: inner for piece, encoding in found if (inner := _inner(encoding, piece))}


def _inner(encoding: Any, piece: str) -> _Inner | None:
    begin, end = word_start(encoding, _FIRST_WORD), last_cut(encoding, piece)
    margin = encoding.word_to_chars(_FIRST_WORD + MARGIN_WORDS)
    if begin is None or end is None or margin is None or end[0] <= begin[0]:
        return None
    return _Inner(
        start=begin[1],
        first=encoding.word_to_chars(_FIRST_WORD)[0],
        margin=max(margin[1], begin[1] + MARGIN_CHARS),
        end=end[1],
        ids=tuple(encoding.ids[begin[0] : end[0]]),
    )


def _plan(text: str, inners: dict[str, _Inner], *, adds_special: bool) -> Iterator[tuple[_Between, _Inner, int]]:
    """What stands before each inner part, that part, and where it ends in `text`."""
    offset = done = 0
    for piece in text.split(_SEPARATOR):
        if inner := inners.get(piece):
            between = text[done : offset + inner.margin]
            moved = offset - done
            yield (
                _Between(between, moved + inner.start, moved + inner.first, adds_special and not done),
                inner,
                (offset + inner.end),
            )
            done = offset + inner.end
        offset += len(piece) + len(_SEPARATOR)


def _heads(encoder: Encoder, betweens: Sequence[_Between]) -> dict[_Between, Ids]:
    """The tokens of each up to where the inner words begin; those are missing in which no word begins there."""
    found: dict[_Between, Ids] = {}
    for adds in (False, True):
        asked = [between for between in betweens if between.adds_special == adds]
        encodings = _encodings(encoder, [between.text for between in asked], adds_special=adds)
        for between, encoding in zip(asked, encodings, strict=True):
            ids = _head(encoding, between)
            if ids is not None and (not adds or ids[:2] != (encoder.tokenizer.bos_token_id,) * 2):
                found[between] = ids
    return found


def _head(encoding: Any, between: _Between) -> Ids | None:
    word = encoding.char_to_word(between.first)
    begin = None if word is None else word_start(encoding, word)
    if begin is None or begin[1] != between.start or encoding.word_to_chars(word)[0] != between.first:
        return None
    return tuple(encoding.ids[: begin[0]])


def _assembled(plan: Sequence[tuple[_Between, _Inner, int]], heads: dict[_Between, Ids]) -> Beginning:
    """The longest beginning of which everything is known."""
    parts: list[Ids] = []
    num_chars = 0
    for between, inner, end in plan:
        if between not in heads:
            break
        parts += (heads[between], inner.ids)
        num_chars = end
    return Beginning(tuple(chain.from_iterable(parts)), num_chars)


def _encodings(encoder: Encoder, texts: Sequence[str], *, adds_special: bool) -> Iterator[Any]:
    for start in range(0, len(texts), _CHUNK):
        chunk = list(texts[start : start + _CHUNK])
        yield from encoder.tokenizer(chunk, add_special_tokens=adds_special, return_attention_mask=False).encodings
