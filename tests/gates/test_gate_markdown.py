"""Markdown as an independent reader sees it: tables and lists alone, whatever names hold, and below the limits."""

from __future__ import annotations

import html
import re
from collections import Counter

import pytest
from gate_reports import HOSTILE, Runs, every_standing, report_of, result

from evalsuite.gates.markdown import COMMENT_BYTES, MARKER, SUMMARY_BYTES, comment_text, summary_text
from evalsuite.text.visible import visible_line

markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")

OURS = {"<code>", "</code>", "</details>", "<details>", "<summary>", "</summary>"}


def tokens(text: str) -> list[object]:
    """Every token, inner ones too."""
    whole = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [token for one in whole for token in (one, *(one.children or []))]


def tags(text: str) -> Counter[str]:
    raw = "".join(token.content for token in tokens(text) if token.type in ("html_inline", "html_block"))
    return Counter(re.findall(r"<[^>]*>", raw))


def cells(text: str) -> list[list[str]]:
    """Rows of all tables as texts."""
    rows: list[list[str]] = []
    is_cell = False
    for token in tokens(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("td_open", "th_open", "td_close", "th_close"):
            is_cell = token.type.endswith("open")
        elif token.type == "inline" and is_cell:
            rows[-1].append("".join(child.content for child in token.children if child.type == "text"))
    return rows


def test_a_row_a_gate_worst_first() -> None:
    rows = [row for row in cells(summary_text(every_standing())) if row[0] != "verdict"]
    assert [row[1] for row in rows] == [
        "fails", "level", "broken", "strict", "warns", "softly broken", "clock", "waived", "open", "passes",
    ]  # fmt: skip
    by_name = {row[1]: row for row in rows}
    assert by_name["fails"][3:9] == ["80.0", "75.0", "-5.0 points (-7.0 to -3.0)", "2.0 points lost", "200",
                                     "12 lost, 2 gained"]  # fmt: skip
    assert by_name["level"][3:8] == ["", "80.0", "(75.0 to 85.0)", "at least 90", "300"]
    assert "without an interval" in by_name["clock"][5]
    assert by_name["broken"][3:9] == [""] * 6


def test_hostile_words_stay_words() -> None:
    text = summary_text(every_standing(HOSTILE))
    kinds = {token.type for token in tokens(text)}
    allowed = {
        "heading",
        "paragraph",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "bullet_list",
        "list_item",
        "strong",
    }
    assert {kind.rpartition("_")[0] for kind in kinds if kind.endswith(("_open", "_close"))} <= allowed
    assert not kinds & {
        "image",
        "code_inline",
        "fence",
        "code_block",
        "softbreak_link",
        "em_open",
        "link_open",
        "s_open",
    }
    assert set(tags(text)) <= OURS | {MARKER}
    shown = [row[1] for row in cells(text)]
    assert visible_line("fails" + HOSTILE, 200) in [cell.replace("\u2060", "") for cell in shown]
    plain = html.unescape(text)
    for reference in ("@nobody", "#12", "r#3", "GH-4", "!5", "http://", "www.x", "j@x", ":smile:"):
        assert reference not in plain, reference
    assert "\u202e" not in text
    assert "\x07" not in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_more_than_ten_are_folded_away() -> None:
    report = report_of(*(result(f"gate {index}", "fail") for index in range(25)))
    text = summary_text(report)
    assert "<summary>15 more gates</summary>" in text
    assert len(cells(text)) == 2 + 25


@pytest.mark.parametrize(("form", "most"), [(summary_text, SUMMARY_BYTES), (comment_text, COMMENT_BYTES)])
def test_cut_at_lines_below_the_limit(form: object, most: int) -> None:
    report = report_of(*(result(f"gate {index} {HOSTILE} {'ख़' * 300}", "fail") for index in range(1500)))
    text = form(report)  # type: ignore[operator]
    assert most * 0.9 < len(text.encode()) <= most
    assert text.rstrip().endswith("all 1500 gates are in `gate.json`.")
    counts = tags(text)
    assert counts["<details>"] == counts["</details>"] == 1
    assert counts["<code>"] == counts["</code>"]
    assert len({len(row) for row in cells(text)}) == 1


@pytest.mark.parametrize("most", [900, 2_000, 4_096, 5_003])
def test_small_limits_hold_too(most: int) -> None:
    report = report_of(*(result(f"gate {index}", "fail") for index in range(40)))
    assert len(summary_text(report, most).encode()) <= most


def test_a_comment_is_found_again(runs: Runs) -> None:
    report, _ = runs.report(runs.forgetful)
    text = comment_text(report)
    assert text.startswith(MARKER + "\n")
    assert "fail: 6 fail of 6 gates" in text
    assert len(cells(text)) == 7
