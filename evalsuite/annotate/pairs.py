"""Which answers are compared with which, and the pairs whose answer is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.types import Record
from evalsuite.vote_files.reading import named, read_rows

from .materials import Item, Materials, item_of
from .study_file import StudyFile

GOLD_GOOD, GOLD_BAD = "gold:good", "gold:bad"
_CUT_TO = 8
_SHORTEST = 40


class Pair(Record, frozen=True, kw_only=True):
    """Two answers to one item. Of a gold pair A is the better one, and B, made for it, is no system's."""

    item: Item
    system_a: str
    system_b: str
    answer_a: tuple[str, ...]
    answer_b: tuple[str, ...]
    is_gold: bool = False


def study_pairs(materials: Materials, study: StudyFile) -> tuple[Pair, ...]:
    """Every two systems' answers to every item that both answered, or those with the system `against`."""
    compared = [pair for pair in combinations(study.systems, 2) if not study.against or study.against in pair]
    return tuple(
        Pair(
            item=item,
            system_a=a,
            system_b=b,
            answer_a=materials.answers[a][item.id],
            answer_b=materials.answers[b][item.id],
        )
        for item in materials.items
        for a, b in compared
        if item.id in materials.answers[a] and item.id in materials.answers[b]
    )


def num_missing(materials: Materials, study: StudyFile, pairs: Iterable[Pair]) -> int:
    """Pairs that cannot be compared because a system has no answer."""
    num_systems = len(study.systems)
    compared = num_systems - 1 if study.against else num_systems * (num_systems - 1) // 2
    return compared * len(materials.items) - sum(1 for _ in pairs)


def gold_pairs(materials: Materials, study: StudyFile, folder: Path) -> tuple[Pair, ...]:
    """Pairs with a known answer: those of the file, or answers against their own first words, the longest first."""
    if not study.gold.each:
        return ()
    if study.gold.path:
        return tuple(_from_file(folder / study.gold.path))
    return tuple(_cut_short(materials, study.gold.each))


def _from_file(path: Path) -> Iterator[Pair]:
    """Rows as those of prompts, with ``good`` and ``bad``."""
    seen: set[str] = set()
    for number, row in enumerate(read_rows(path), 1):
        try:
            item = item_of(row)
            good, bad = named(row, "good"), named(row, "bad")
        except (KeyError, ValueError) as error:
            raise DataError(f"{path}, row {number}: there is no {error}.") from error
        if item.id in seen:
            raise DataError(f"{path}, row {number}: item {item.id!r} stands there twice.")
        seen.add(item.id)
        yield Pair(
            item=item, system_a=GOLD_GOOD, system_b=GOLD_BAD, answer_a=(good,), answer_b=(bad,), is_gold=True
        )  # fmt: skip


def _cut_short(materials: Materials, each: int) -> Iterator[Pair]:
    """In every language, `each` of the longest answers with what is left when every turn breaks off early."""
    for language in sorted({item.language for item in materials.items}):
        whole = [
            (item, name, texts[item.id])
            for name, texts in materials.answers.items()
            for item in materials.items
            if item.language == language and min(map(len, texts.get(item.id, ("",)))) >= _SHORTEST
        ]
        longest = sorted(whole, key=lambda found: (sum(map(len, found[2])), found[0].id, found[1]))
        chosen = {item.id: (item, name, parts) for item, name, parts in longest}
        for item, name, parts in list(chosen.values())[-each:]:
            yield Pair(
                item=item,
                system_a=name,
                system_b=GOLD_BAD,
                answer_a=parts,
                answer_b=tuple(part[: len(part) // _CUT_TO] for part in parts),
                is_gold=True,
            )


def drawn(seed: int, *parts: object) -> int:
    """A whole number below 2 ** 31 that depends on nothing but `seed` and `parts`."""
    text = "\x1f".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big") >> 1
