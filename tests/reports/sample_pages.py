"""Pages with samples, written to a file and opened in Chromium, with all that they say and ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from browsing import watched_pages
from evalsuite.reports.leaderboard import render_board
from evalsuite.reports.page_parts import PageOptions

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.evidence import Evidence, PageData
from evalsuite.boards.loading import load_runs
from evalsuite.boards.records import Board
from evalsuite.boards.sample_records import TaskSamples
from evalsuite.boards.sample_views import samples_of


def written(folder: Path, runs: Sequence[Path], *, hidden: Sequence[str] = (), **options: Any) -> str:
    """The address of a page over `runs`; the texts of the tasks `hidden` are not to be shown."""
    loaded = load_runs(runs)
    board_options = BoardOptions(**options)
    board = board_of(loaded, board_options)
    tasks = tuple(msgspec.structs.replace(task, is_shown=task.name not in hidden) for task in board.tasks)
    samples = [samples_of(loaded, task.name, kept=board_options.samples, is_shown=task.is_shown) for task in tasks]
    return saved(folder / "page.html", msgspec.structs.replace(board, tasks=tasks), samples)


def saved(path: Path, board: Board, samples: Sequence[TaskSamples]) -> str:
    """The address of the one-file page of `board` at `path`."""
    page = render_board(PageData(board, tuple(samples), Evidence(runs=())), PageOptions(max_bytes=10**9))
    path.write_text(page.html, encoding="utf-8", errors="replace")
    return path.as_uri()


@contextmanager
def opened(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """A page open at `address`, some view of it, watched as `browsing` does."""
    file = address.partition("#")[0]
    known = (file, "data:", "blob:")
    with watched_pages(browser, lambda url: url.startswith(known), timeout_ms=15_000) as open_page:
        page = open_page(**options)
        page.goto(address)
        yield page


def at_view(page: Any, name: str) -> None:
    """Waits until the view `name` is seen: hash changes are told to a page a moment later."""
    page.locator(f"#view-{name}").wait_for()


def shows(locator: Any, text: str) -> None:
    """Waits until `locator` holds just `text`."""
    from playwright.sync_api import expect

    expect(locator).to_have_text(text, timeout=60_000)  # however busy the machine is


def went(page: Any, hash_: str) -> None:
    """Goes to the view and settings `hash_` of the page that is open."""
    page.evaluate("(hash) => { location.hash = hash }", hash_)


def bare(text: str) -> str:
    """`text` without the characters that keep directions apart."""
    return text.replace("\u2068", "").replace("\u2069", "")
