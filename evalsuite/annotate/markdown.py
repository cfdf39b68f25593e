"""Answers as raters see them: a safe part of Markdown as HTML, made here and never in the browser.

Answers are hostile until shown otherwise. Nothing in them becomes a tag, an attribute, a link or a picture: HTML is
text, and so are links. A block runs as its letters do, whatever it begins with, and code from left to right.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import regex
from markupsafe import Markup

from evalsuite.votes import Form

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_NOT_FOR_ANSWERS = ("link", "image", "autolink", "html_inline", "html_block", "reference", "linkify", "entity")
_BLOCKS = frozenset({
    "paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "blockquote_open", "table_open",
    "td_open", "th_open",
})  # fmt: skip
_LEFT_TO_RIGHT = frozenset({"code_block", "fence", "code_inline"})
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DEEPER = 2
_SHARE_OF_RIGHT = 1 / 3
"""Headings of an answer stand below those of the page."""


def rendered(text: str) -> Markup:
    """`text` as HTML in which every character of it is text."""
    return _rendered(text)


@lru_cache(maxsize=2048)
def _rendered(text: str) -> Markup:
    parser = _parser()
    tokens = parser.parse(_clean(text))
    for place, token in enumerate(tokens):
        if token.type in _BLOCKS:
            token.attrSet("dir", _direction(_text_of(tokens, place)))
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + _DEEPER, 6)}"
    for token in _all(tokens):
        if token.type in _LEFT_TO_RIGHT:
            token.attrSet("dir", "ltr")
        token.info = ""  # the language of a code block would become a class
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704  all text in it is escaped


def _text_of(tokens: list[Token], place: int) -> str:
    """The text between an opening token and the one that closes it."""
    parts: list[str] = []
    for token in tokens[place + 1 :]:
        if token.level <= tokens[place].level:
            break
        parts += [token.content] if token.type == "inline" else []
    return " ".join(parts)


def _direction(text: str) -> str:
    """Right to left where a third of the letters are: Arabic that speaks of Latin names is Arabic."""
    ways = Counter(unicodedata.bidirectional(char) for char in text)
    right = ways["R"] + ways["AL"]
    return "rtl" if right and right >= _SHARE_OF_RIGHT * (right + ways["L"]) else "ltr"


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable(_NOT_FOR_ANSWERS, True)


def _all(tokens: list[Token]) -> list[Token]:
    return [each for token in tokens for each in (token, *(token.children or ()))]


def _clean(text: str) -> str:
    """Without control characters and halves of surrogate pairs, which no page can hold."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


@lru_cache(maxsize=8192)
def form_of(texts: tuple[str, ...]) -> Form:
    """What an answer of one or more turns looks like."""
    tokens = [token for text in texts for token in _all(_parser().parse(_clean(text)))]

    def count(*kinds: str) -> int:
        return sum(token.type in kinds for token in tokens)

    return Form(
        num_graphemes=sum(len(_graphemes(text)) for text in texts),
        num_headers=count("heading_open"),
        num_bold=count("strong_open"),
        num_list_items=count("list_item_open"),
        num_code_blocks=count("fence", "code_block"),
    )


def _graphemes(text: str) -> list[str]:
    found: list[str] = regex.findall(r"\X", text)
    return found
