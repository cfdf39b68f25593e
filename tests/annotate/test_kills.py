"""Raters who retry, send twice and vote in two windows, on a server that is killed: every vote is one row.

The whole of it, a hundred raters of a hundred votes, is ``benchmarks/collection.py``.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import collection


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    options = argparse.Namespace(raters=12, votes=12, every=2.5, pause=0.3)
    found, tally, kills, _ = asyncio.run(collection.measured(options, tmp_path / "study"))
    assert kills >= 1
    assert tally.events["no answer"] > 0, "the server was never missed"
    assert tally.events["sent twice at once"] > 0
    assert tally.events["second window"] > 0
    assert found == {
        "expected": 144,
        "acknowledged": 144,
        "rows": 144,
        "lost": 0,
        "twice": 0,
        "not acknowledged": 0,
        "wrong counts": 0,
        "damaged": 0,
    }
