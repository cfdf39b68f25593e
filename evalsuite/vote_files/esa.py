"""WMT's scores of translations (ESA, Kocmi et al. 2024), as preferences: of one segment, whichever is scored higher.

Rows as Appraise exports them, without a head: annotator, system, item, item type, source language, target language,
score, document, whether the row is a whole document's, error spans, start and end. Rows that check the annotators, a
tutorial, a repetition or a spoilt translation, are dropped; of two scores of one system's segment the later stays. The
document is what segments share; the rater is the one who scored the first of the two systems, by name.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.verdicts import Comparison, Winner

from .reading import Imported, read_text

_WIDTH = 12
_SAME = 1e-9


def read_esa(paths: Sequence[Path]) -> Imported:
    """Every pair of systems on every segment that both have a score for, in one file or another. Raises DataError."""
    scores: dict[tuple[str, str], dict[str, tuple[float, str, str]]] = defaultdict(dict)
    dropped: Counter[str] = Counter()
    for where, row in _rows(paths):
        rater, system, item, kind, _, language, score, document, is_document = row[:9]
        if kind != "TGT" or "tutorial" in system or "#" in document or is_document == "True":
            dropped["check of the annotator"] += 1
            continue
        try:
            found = float(score)
        except ValueError as error:
            raise DataError(f"{where}: the score is {score!r}") from error
        dropped["scored again"] += system in scores[language, item]
        scores[language, item][system] = (found, rater, document)
    comparisons = tuple(
        _comparison(language, item, systems, pair)
        for (language, item), systems in scores.items()
        for pair in combinations(sorted(systems), 2)
    )
    return Imported(comparisons, {reason: count for reason, count in dropped.items() if count})


def _rows(paths: Sequence[Path]) -> Iterator[tuple[str, list[str]]]:
    for path in paths:
        for number, row in enumerate(csv.reader(io.StringIO(read_text(path), newline="")), 1):
            if len(row) != _WIDTH:
                raise DataError(f"{path}, row {number}: expected {_WIDTH} cells, found {len(row)}.")
            yield f"{path}, row {number}", row


def _comparison(
    language: str, item: str, systems: dict[str, tuple[float, str, str]], pair: tuple[str, str]
) -> Comparison:
    (first, rater, document), (second, _, _) = systems[pair[0]], systems[pair[1]]
    gap = first - second
    return Comparison(
        item=item,
        group=document,
        language=language,
        system_a=pair[0],
        system_b=pair[1],
        winner=Winner.TIE if abs(gap) < _SAME else Winner.A if gap > 0 else Winner.B,
        rater=rater,
    )
