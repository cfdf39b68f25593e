"""The real votes of the mirror as tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from evalsuite.preference.table import Mask, VoteTable, table_of
from evalsuite.vote_files.formats import read_votes

JUDGE = "gpt4_pair"


@cache
def mt_bench(mirror: Path) -> VoteTable:
    """All 65 people and the judge."""
    folder = mirror / "judgelab__mt_bench_votes"
    return table_of(read_votes([folder / "human.jsonl", folder / "gpt4_pair.jsonl"], "mt_bench").comparisons)


@cache
def llmfao(mirror: Path, name: str = "crowd") -> VoteTable:
    """The crowd, or ``gpt4-crowd``, ``gpt3-crowd``."""
    return table_of(read_votes([mirror / "dustalov__llmfao" / f"{name}-comparisons.csv"], "llmfao").comparisons)


@cache
def wmt24(mirror: Path) -> VoteTable:
    folder = mirror / "wmt-conference__wmt24_esa"
    paths = [folder / f"esa_generalMT2024_wave{wave}.csv" for wave in (2, 3)]
    return table_of(read_votes(paths, "esa").comparisons)


def cast_by(table: VoteTable, prefix: str) -> Mask:
    """The votes of raters whose names begin with `prefix`."""
    found: Mask = np.array([table.raters[rater].startswith(prefix) for rater in table.rater])
    return found


def in_turn(table: VoteTable, turn: int) -> Mask:
    found: Mask = np.array([table.items[item].endswith(f"/{turn}") for item in table.item])
    return found
