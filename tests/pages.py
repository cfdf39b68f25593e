"""What a written leaderboard page holds."""

from __future__ import annotations

from pathlib import Path

from evalsuite.reports.page_parts import read_page

from evalsuite.boards.records import Board


def board_in(page: Path) -> Board:
    """The board in the page's data."""
    return read_page(page).data().board
