"""Pages of votes as a reader has them before them: opened in Chromium, and their tables as texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browsing import watched_pages
from evalsuite.reports.leaderboard import render

from evalsuite.boards.building import BoardOptions
from evalsuite.preference.summary import PreferenceSummary

Rows = list[list[str]]
Opened = Callable[..., Any]

_TABLES = """
() => {
  const said = (node) => {
    if (node.nodeType === 3) return node.data;
    if (node.tagName === "title" || node.getAttribute("aria-hidden") === "true") return "";
    return [...node.childNodes].map(said).join(" ");
  };
  const rows = (table) => [...table.rows].map((row) => [...row.cells].map(said));
  return Object.fromEntries([...document.querySelectorAll("#main table")].map((table) => [table.id, rows(table)]));
}
"""


def page_of(found: PreferenceSummary, title: str = "Votes", runs: tuple[Path, ...] = ()) -> str:
    return render(runs, BoardOptions(title=title, preference=found)).html


@contextmanager
def opened(browser: Any, folder: Path, **context: Any) -> Iterator[Opened]:
    """A way to open pages, watched, that ask for nothing but themselves and what they hold."""
    file = folder / "votes.html"
    own = (file.as_uri(), "about:blank", "data:", "blob:")
    with watched_pages(browser, lambda url: url.startswith(own), timeout_ms=30_000) as open_one:
        page = open_one(**context)

        def open_page(html: str, place: str = "#preference") -> Any:
            file.write_text(html, encoding="utf-8")
            page.goto("about:blank")
            page.goto(file.as_uri() + place)
            page.locator("#view-preference").wait_for()
            return page

        yield open_page


def squeezed(text: str) -> str:
    """In one line, with a plain minus and without the marks that set names apart."""
    return re.sub(r"\s+", " ", re.sub("[\u2066-\u2069]", "", text)).replace("−", "-").strip()


def tables_of(page: Any) -> dict[str, Rows]:
    """Every table's rows as the text of their cells, what only a screen reader says among it, by the table's id."""
    found = page.evaluate(_TABLES)
    return {name: [[squeezed(cell) for cell in row] for row in rows] for name, rows in found.items()}


def text_of(page: Any) -> str:
    return squeezed(page.locator("#main").inner_text())
