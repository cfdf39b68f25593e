"""The leaderboard page: one HTML file that opens by double-click and asks nothing of any network.

What it shows is `evalsuite.boards.records.Board` and the samples, compressed in elements of the page, which the page's
own script unpacks and renders as text nodes. A content security policy allows that script and the one style sheet by
their hashes, and nothing else. Without scripts the page shows its tables.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import PageData, page_data
from evalsuite.boards.records import Board
from evalsuite.canonical import canonical_json
from evalsuite.text.visible import visible

from ._pages import content_policy, environment, resource
from ._static import static_tables
from .card import CARD, draw_card
from .page_parts import SEAL, PageOptions, Part, Seal, as_file, file_of, parts_of, seal_of

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
SCRIPTS = (
    *("text", "messages", "numbers", "data", "state", "cells", "trust", "table", "exports", "folds", "controls"),
    *("long_text", "word_diff", "key_help", "views/language_flags", "views/task_results"),
    *(f"views/preference_{part}" for part in ("cells", "pairs", "matrix", "ranks", "quality", "raters", "judges")),
    "views/preference_export",
    *(f"views/sample_{part}" for part in ("filters", "words", "prompts", "answers", "judges")),
    *(f"views/judge_{part}" for part in ("metrics", "tables", "charts", "cards")),
)
VIEWS = (
    "leaderboard",
    "languages",
    "preference",
    "judges",
    "task",
    "samples",
    "sample",
    "compare",
    "published",
    "provenance",
)


@dataclass(frozen=True)
class Page:
    """What is written: the page, and files beside it by path; and the `data` that it was made of."""

    html: str
    beside: dict[str, bytes]
    data: PageData


def render(runs: Sequence[Path], board: BoardOptions, **page: Any) -> Page:
    """The page over the sealed runs in the directories `runs` and what `board` adds; `page` are `PageOptions` by name.

    The same of these give the same bytes. Raises SpecMismatch for a directory without results, CorruptStore for one
    that was changed.
    """
    return render_board(page_data(runs, board), PageOptions(**page))


def render_board(data: PageData, options: PageOptions) -> Page:
    """The page of a board, its tasks' samples in the order of its tasks, and its runs' results.

    One that would be larger than `options` allow has its samples in files beside it.
    """
    kept, more = parts_of(data, all_messages())
    sealed = seal_of((*kept, *more), options)
    seal = Part(SEAL, canonical_json(sealed))
    board = data.board
    card = {CARD: draw_card(board)} if options.base_url else {}
    if sum(len(part.text) for part in (*kept, *more)) <= options.max_bytes:
        return Page(_html(board, (*kept, *more, seal), sealed), card, data)
    files = {file_of(part): as_file(part) for part in more}
    return Page(_html(board, (*kept, seal), sealed, has_files=True), {**files, **card}, data)


def _html(board: Board, parts: Sequence[Part], seal: Seal, *, has_files: bool = False) -> str:
    from markupsafe import Markup

    style, script, options = page_style(), page_script(), seal.page
    return (
        environment()
        .get_template("page/page.html.j2")
        .render(
            lang=options.language or "en",
            asked_lang=options.language,
            title=visible(board.title),
            summary=_summary(board),
            version=board.evalsuite,
            base_url=options.base_url,
            is_indexed=options.is_indexed,
            seal=seal.hash,
            policy=content_policy(style, script, has_files=has_files),
            style=Markup(style),  # noqa: S704  our own file
            script=Markup(script),  # noqa: S704  our own file
            parts=parts,
            tables=tuple(static_tables(board)),
        )
    )


def page_script() -> str:
    """The one script of the page: small files in one scope."""
    files = [f"page/{name}.js" for name in SCRIPTS] + [f"page/views/{name}.js" for name in VIEWS] + ["page/app.js"]
    return '"use strict";\n(() => {\n' + "\n".join(map(resource, files)) + "})();\n"


def page_style() -> str:
    """The one style sheet of the page."""
    return "\n".join(resource(f"page/style/{name}.css") for name in ("core", *VIEWS[1:]))


def messages_of(language: str) -> dict[str, object]:
    """The interface's words in one language, by key: a message, or its plural forms."""
    found: dict[str, object] = {}
    for name in ("core", *VIEWS):
        found |= json.loads(resource(f"page/messages/{language}/{name}.json"))
    return found


def all_messages() -> str:
    """The interface's words in all languages."""
    found = {language: messages_of(language) for language in LANGUAGES}
    return json.dumps(found, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _summary(board: Board) -> str:
    samples = sum(run.counts.requested for run in board.runs)
    parts = [f"{len(board.runs)} runs", f"{len(board.tasks)} tasks", f"{samples} samples"] if board.runs else []
    parts += [f"{board.preference.counts.num_votes} votes"] if board.preference else []
    parts += [f"{len(board.published)} published tables"] if board.published else []
    parts += [f"{len(board.cards)} judge cards"] if board.cards else []
    parts += [f"texts redacted in {board.redactions} places"] if board.redactions else []
    return ", ".join(parts)
