"""Raters who retry, send twice and vote in two windows, on a server that is killed: every vote is one row.

The whole of it, a hundred raters of a hundred votes, is ``benchmarks/collection.py``.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import collection


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    options = argparse.Namespace(raters=12, votes=14, every=2.5, pause=0.5)  # 7 s of thought, however fast the machine
    found, tally, kills, _ = asyncio.run(collection.measured(options, tmp_path / "study"))
    assert kills >= 2
    assert tally.events["no answer"] > 0, "the server was never missed"
    assert tally.events["sent twice at once"] > 0
    assert tally.events["second window"] > 0
    assert found == {
        "expected": 168,
        "acknowledged": 168,
        "rows": 168,
        "lost": 0,
        "twice": 0,
        "not acknowledged": 0,
        "wrong counts": 0,
        "damaged": 0,
    }
