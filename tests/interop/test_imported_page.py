"""The page of an imported run in Chromium: what its file does not say is said to be unknown, not shown as 0."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browsing import watched_page
from evalsuite.reports.leaderboard import render
from lm_eval_runs import evaluate, write_tasks

from evalsuite.boards.building import BoardOptions
from evalsuite.interop.lm_eval_files import read_lm_eval
from evalsuite.interop.lm_eval_import import import_lm_eval
from evalsuite.run import store_sealed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def test_unknown_counts_are_no_zeros(browser: Any, tmp_path: Path) -> None:
    tasks = ("tiny_first", "tiny_math", "tiny_text")
    results = evaluate(write_tasks(tmp_path / "tasks"), tmp_path / "out", tasks, limit=3)
    store_sealed(import_lm_eval(read_lm_eval(results)).sealed, tmp_path / "run")
    path = tmp_path / "page.html"
    path.write_text(render([tmp_path / "run"], BoardOptions(title="Imported")).html, encoding="utf-8")
    shown = {}
    with watched_page(browser, path.as_uri()) as page:
        for task in tasks:
            page.goto(f"{path.as_uri()}#sample&task={task}&sample={task}:test:1")
            page.locator("#view-sample", has_text=f"{task}:test:1").wait_for()
            shown[task] = page.locator("#view-sample").inner_text()
    assert "why it ended, and how many tokens it has where that is not said, is not known" in shown["tiny_math"]
    assert "temperature" in shown["tiny_math"]
    assert "allowed" not in shown["tiny_math"]
    assert re.search(r"nats, \S+ per character", re.sub("[\u2066-\u2069]", "", shown["tiny_text"]))
    assert all("Language\nundetermined" in text for text in shown.values())
    assert not any(re.search(r"\b0 tokens|over 0", text) for text in shown.values())
