"""The page of an imported run in Chromium: what its file does not say is said to be unknown, not shown as 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import watched_page
from evalsuite.reports.leaderboard import render
from lm_eval_runs import evaluate, write_tasks

from evalsuite.interop.lm_eval_files import read_lm_eval
from evalsuite.interop.lm_eval_import import import_lm_eval
from evalsuite.run import store_sealed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def test_unknown_counts_are_no_zeros(browser: Any, tmp_path: Path) -> None:
    tasks = ("tiny_first", "tiny_math", "tiny_text")
    results = evaluate(write_tasks(tmp_path / "tasks"), tmp_path / "out", tasks, limit=3)
    store_sealed(import_lm_eval(read_lm_eval(results)).sealed, tmp_path / "run")
    page_path = tmp_path / "page.html"
    page_path.write_text(render([tmp_path / "run"], "Imported"), encoding="utf-8")
    shown = {}
    with watched_page(browser, page_path.as_uri()) as page:
        for task in tasks:
            page.get_by_role("link", name="Samples", exact=True).click()
            page.locator("#samples-list a", has_text=f"{task}:test:1").click()
            page.locator("#sample-title", has_text=f"{task}:test:1").wait_for()
            shown[task] = page.locator("#view-sample").inner_text()
    assert "Imported: why it ended, and how many tokens it has, is not known." in shown["tiny_math"]
    assert "limit on tokens not known, temperature 0" in shown["tiny_math"]
    assert "right answer" in shown["tiny_first"]
    assert "–" in shown["tiny_first"]
    assert " nats, " in shown["tiny_text"]
    assert not any("0 tokens" in text or "over 0" in text for text in shown.values())
