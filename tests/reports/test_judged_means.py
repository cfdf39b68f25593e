"""Means of what judges say: those over other tasks stand in rows of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from judged_boards import answered, judged
from scripted_runs import at, heads, opened, page_of, words

pytestmark = pytest.mark.browser


def test_means_over_other_tasks_share_no_row(browser: Any, tmp_path: Path) -> None:
    asked = {"ash": "mini_chat_ar,mini_chat_en", "birch": "mini_chat_en,mini_chat_fr"}
    runs = [
        judged(tmp_path, "rating", "fair", answered(tmp_path, name, "--tasks", tasks)) for name, tasks in asked.items()
    ]
    with opened(browser, page_of(runs, tmp_path / "page.html", samples="none")) as page:
        at(page, "#judges")
        columns = heads(page.locator("table[id$=-means]"))
        rows = page.locator("table[id$=-means] tbody tr").all()
        found = {words(row.locator("th")): [words(cell) for cell in row.locator("td").all()] for row in rows}
    ratings = {head: cells for head, cells in found.items() if head.startswith("rating ")}
    assert len(ratings) == 2
    for head, cells in ratings.items():
        (name,) = [name for name, tasks in asked.items() if tasks.replace(",", ", ") in head]
        assert "macro mean of 2 tasks" in head
        assert ["n " in cell for cell in cells].count(True) == 1
        (place,) = [at_ for at_, head_ in enumerate(columns) if head_.startswith(name)]
        assert "n " in cells[place]
