"""Answers as HTML: a safe part of Markdown, in which every hostile text stays a text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payloads import PAYLOADS

from evalsuite.annotate.markdown import form_of, rendered
from evalsuite.votes import Form

TAGS = {
    "p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "h3", "h4", "h5", "h6", "table",
    "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"dir": {"rtl", "ltr"}, "style": {"text-align:left", "text-align:right", "text-align:center"}}


class Seen(HTMLParser):
    """Tags, attributes and text as a browser's parser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def check_inert(text: str) -> Seen:
    seen = Seen(str(rendered(text)))
    assert seen.tags <= TAGS
    for name, value in seen.attributes:
        assert name in ATTRIBUTES or (name == "start" and (value or "").isdigit()), (name, value)
        assert name == "start" or value in ATTRIBUTES[name]
    return seen


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_text(payload: str) -> None:
    check_inert(payload)
    check_inert(
        f"**bold** {payload}\n\n```\n{payload}\n```\n\n- {payload}\n\n> {payload}\n\n| a |\n|---|\n| {payload} |"
    )


@given(st.text(alphabet=st.characters(codec=None), max_size=200))
def test_any_text_is_text(text: str) -> None:
    check_inert(text)


@given(st.text(alphabet="<>&\"'`*_#-+|[]()!\\ \n\t:a1~={}", max_size=120))
def test_any_marks_are_text(text: str) -> None:
    check_inert(text)


def test_what_answers_are_made_of() -> None:
    html = str(rendered("# Title\n\nOne **two** *three* `four`\nfive\n\n1. a\n2. b\n\n> said\n\n```python\nx < 1\n```"))
    assert '<h3 dir="ltr">Title</h3>' in html
    assert '<strong>two</strong> <em>three</em> <code dir="ltr">four</code><br' in html
    assert '<ol dir="ltr">' in html
    assert '<blockquote dir="ltr">' in html
    assert "x &lt; 1" in html
    assert "python" not in html


@pytest.mark.parametrize(
    ("text", "way"),
    [("API هو واجهة", "rtl"), ("هذا Python", "rtl"), ("Python is a language", "ltr"),
     ("- Python لغة\n- لغة Java قوية", "rtl"),
     ("print هو the one and only English word of this long line", "ltr"), ("12 + 3", "ltr"), ("中文 API", "ltr")],
)  # fmt: skip
def test_a_block_runs_as_its_letters_do_whatever_it_begins_with(text: str, way: str) -> None:
    assert f'dir="{way}"' in str(rendered(text)).partition(">")[0]


def test_tables_are_tables() -> None:
    assert "<td" in str(rendered("| a | b |\n|---|:-:|\n| 1 | 2 |"))


@pytest.mark.parametrize("text", ["[a](https://e.example)", "![a](https://e.example/x.png)", "<https://e.example>",
                                  "https://e.example", "[a]\n\n[a]: https://e.example"])  # fmt: skip
def test_links_and_pictures_stay_as_written(text: str) -> None:
    seen = check_inert(text)
    assert "https://e.example" in seen.text


def test_controls_and_halves_of_pairs_are_marked() -> None:
    assert str(rendered("a\x00b\x1bc\ud800d\x85e")).count("\N{REPLACEMENT CHARACTER}") == 4
    assert "\u200f" in str(rendered("a\u200fb")), "marks of direction are part of how Arabic is written"


def test_form_counts_what_a_reader_sees() -> None:
    assert form_of(("# T\n\n**b** and **c**\n\n- x\n- y\n\n```\nz\n```",)) == Form(
        num_graphemes=40, num_headers=1, num_bold=2, num_list_items=2, num_code_blocks=1
    )
    assert form_of(("नमस्ते", "👨‍👩‍👧")).num_graphemes == 4 + 1 - 1
    assert form_of(("é" + "e\u0301",)).num_graphemes == 2


@pytest.mark.parametrize("text", ["> " * 5000 + "x", "*" * 50_000, "[" * 20_000, "`" * 30_001, "- " * 4000 + "x",
                                  "<" * 50_000, "|" * 20_000, "a " * 60_000, "1. " * 5000])  # fmt: skip
def test_endless_marks_end(text: str) -> None:
    check_inert(text)
