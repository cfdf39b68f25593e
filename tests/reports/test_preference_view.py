"""The preference view as text: its numbers are the summary's, names are inert, and what nobody knows is not there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from evalsuite.reports import _votes
from evalsuite.reports.leaderboard import render
from sealed_runs import Part, write_run
from test_leaderboard import HOSTILE, Elements
from vote_summaries import summary

from evalsuite.preference.attentiveness import AttentivenessScreen, Gold, Retest
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.preference.win_rates import WinRate

Rows = list[list[str]]


class Tables(HTMLParser):
    """Every table's rows as the text of their cells, by the id of its caption; and all text of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: dict[str, Rows] = {}
        self.text = ""
        self._table: Rows = []
        self._is_in_cell = self._is_hidden = False
        self.feed(page)
        self.close()
        self.text = squeezed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " "
        if tag == "table":
            self._table = []
        elif tag == "caption":
            self.rows[dict(attrs).get("id") or ""] = self._table
        elif tag == "tr":
            self._table.append([])
        elif tag in ("td", "th"):
            self._table[-1].append("")
            self._is_in_cell = True
        self._is_hidden = tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._is_hidden = False
        if tag in ("td", "th"):
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_hidden:
            return
        self.text += data
        if self._is_in_cell:
            self._table[-1][-1] = squeezed(f"{self._table[-1][-1]} {data}").strip()


def squeezed(text: str) -> str:
    """In one line, with a plain minus."""
    return re.sub(r"\s+", " ", text).replace("−", "-")


def page_of(found: PreferenceSummary) -> str:
    return render((), "Votes", found)


def tables_of(found: PreferenceSummary) -> dict[str, Rows]:
    return Tables(page_of(found)).rows


def said(low: float | None, high: float | None, *, scale: float = 100, decimals: int = 1) -> str:
    if low is None or high is None:
        return "too few prompts"
    return f"{scale * low:.{decimals}f} – {scale * high:.{decimals}f}"


def check_rate(row: list[str], rate: WinRate) -> None:
    """A row's cells are the rate's numbers, each with its interval, and its n."""
    cells = row
    assert cells[2] == f"{100 * rate.win_half:.1f} {said(rate.low, rate.high)}"
    bounds = rate.intervals.get("win_decisive")
    assert rate.win_decisive is not None
    assert cells[3] == f"{100 * rate.win_decisive:.1f} {said(bounds.low, bounds.high) if bounds else 'too few prompts'}"
    assert cells[4].startswith(f"{100 * rate.net:+.1f}")
    for cell, value in ((cells[5], rate.tie_good), (cells[6], rate.tie_bad)):
        assert value is not None
        assert cell.startswith(f"{100 * value:.1f} ")
    assert f"{rate.num_votes} votes of {rate.num_annotators} people" in cells[-1]
    assert f"{rate.num_prompts} prompts" in cells[-1]


# -- numbers


def test_every_rate_stands_with_its_interval_and_n() -> None:
    found = summary()
    rows = tables_of(found)["votes-first"]
    by_label = {row[0].split(" ")[0]: row for row in rows if len(row) > 3}
    assert [rate.scope for rate in found.rates] == ["language", "language", "macro", "pooled"]
    for label, rate in zip(("en", "zh", "mean", "all"), found.rates, strict=True):
        check_rate(by_label[label], rate)
        assert rate.p_adjusted is not None
        assert by_label[label][-2] == ("< 0.001" if rate.p_adjusted < 0.001 else f"{rate.p_adjusted:.2f}")
    (worst,) = found.worst_languages
    assert by_label["worst"][0] == f"worst language {worst.language}"
    assert by_label["worst"][2] == f"{100 * worst.value:.1f} nowhere below {100 * worst.low:.1f}"


def test_bars_are_as_wide_as_the_shares() -> None:
    found = summary()
    rate = found.rates[0]
    assert rate.tie_good is not None
    assert rate.tie_bad is not None
    assert rate.low is not None
    bar = re.findall(r'<svg class="vbar" viewBox="0 0 220 18".*?</svg>', page_of(found), re.DOTALL)[0]
    widths = [float(width) for width in re.findall(r'<rect class="[\w-]+" x="[\d.]+" y="1" width="([\d.]+)"', bar)]
    assert widths == pytest.approx(
        [220 * part for part in (rate.win, rate.tie_good, rate.tie_bad, rate.loss)], abs=0.01
    )
    assert f'cx="{220 * rate.win_half:.2f}"' in bar
    assert f'<line class="range" x1="{220 * rate.low:.2f}"' in bar
    assert f"won {100 * rate.win:.1f} %, both good {100 * rate.tie_good:.1f} %" in bar


def test_other_languages_ranks_sides_and_ties() -> None:
    found = summary(("a", "b", "c"), num_languages=4)
    tables = tables_of(found)
    one = found.other_languages[0]
    rows = [" ".join(row) for row in tables["votes-first"] if row[0].startswith("other languages")]
    assert len(rows) == len(found.other_languages) == 3
    assert f"{100 * one.value:.1f} {said(one.low, one.high)}" in rows[0]
    assert f"{100 * one.tau:.1f} points apart" in rows[0]
    assert found.ranking is not None
    for row, shown in zip(found.ranking.systems, tables["votes-ranking"][1:], strict=True):
        ends = (row.rank_low, row.rank_high)
        ranks = str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} – {ends[1]}"
        strength = f"{row.strength:+.2f}"
        assert shown[0] == row.system
        assert shown[1] == ranks
        assert shown[2].startswith("0.00" if strength in ("+0.00", "-0.00") else strength)
        assert shown[3:6] == [str(row.ranks[ties]) for ties in ("half", "dropped", "davidson")]
        assert shown[6] == f"{row.num_votes} votes"
    by_code = {one.language: one for one in found.languages}
    for code, shown in zip(("en", "zh", "fr", "ar"), tables["votes-languages"][1:], strict=True):
        left, ties = by_code[code].left_share, found.ranking.tie_weights[code]
        assert left is not None
        assert ties.low is not None
        assert ties.high is not None
        assert shown[2] == f"{100 * left.value:.1f} {said(left.low, left.high)} n {left.num_votes}"
        assert shown[4] == f"{ties.value:.2f} {ties.low:.2f} – {ties.high:.2f} n {ties.num_votes}"
    text = Tables(page_of(found)).text
    frail = found.ranking.fragility
    assert f"Without {frail.num_votes} of {frail.total} votes another system than {frail.leader} would lead." in text


def test_the_matrix_is_seen_from_both_sides() -> None:
    found = summary(("a", "b", "c"))
    rows = tables_of(found)["votes-matrix"][1:]
    assert [row[0] for row in rows] == list(found.systems)
    first = next(rate for rate in found.rates if rate.scope == "macro")
    assert (first.system_a, first.system_b) == found.systems[:2]
    assert first.low is not None
    assert first.high is not None
    assert rows[0][2].replace(" ▲", "") == (
        f"{100 * first.win_half:.1f} {said(first.low, first.high)} n {first.num_votes}"
    )
    assert rows[1][1].replace(" ▼", "") == (
        f"{100 * (1 - first.win_half):.1f} {said(1 - first.high, 1 - first.low)} n {first.num_votes}"
    )


def test_quality_agreement_and_judges() -> None:
    found = summary(has_quality=True, has_judge=True)
    tables = tables_of(found)
    assert found.quality is not None
    rows = [row for row in tables["votes-levels"][1:] if len(row) > 1]
    by_system = [one for name in found.systems for one in found.quality.qualities if one.system == name]
    for one, row in zip(by_system, rows, strict=True):
        assert row[2] == f"{100 * one.share_acceptable:.1f} {said(one.low, one.high)}"
        levels = [cell.split(" ")[0] for cell in row[3:7]]
        assert levels == [f"{100 * one.levels[level]:.1f}" for level in reversed(found.quality.scale.levels)]
        assert f"{one.num_ratings} ratings" in row[7]
    difference = found.quality.differences[-1]
    assert difference.scope == "macro"
    assert tables["votes-differences"][1][1].startswith(f"{100 * difference.difference:+.1f} ")
    for language, row in zip(("en", "zh"), tables["votes-people"][1:], strict=True):
        share = next(one for one in found.agreement if (one.language, one.setup) == (language, "with-ties"))
        counted = f"{share.num_agree} of {share.num_pairs} pairs of votes"
        assert row[1] == f"{100 * share.value:.1f} {said(share.low, share.high)} {counted}"
        alpha = next(one for one in found.alphas if one.language == language)
        assert row[3].startswith(f"{alpha.value:.3f} {said(alpha.low, alpha.high, scale=1, decimals=3)}")
    (judge,) = found.judges
    assert tables["votes-judge-1"][1][3].startswith(f"{judge.kappas[0].value:.3f} ")
    for admitted, row in zip(judge.admissibility, tables["votes-admission-1"][1:], strict=True):
        assert row[1] == admitted.verdict
        assert row[2].startswith(f"{100 * admitted.difference:+.1f} ")
        assert (row[3], row[4]) == (f"{100 * admitted.judge_agreement:.1f}", f"{100 * admitted.people_agreement:.1f}")


def test_counts_of_rows_files_and_flags() -> None:
    found = summary()
    text = Tables(page_of(found)).text
    assert "skipped 2, of 98 rows" in text
    assert "votes.jsonl (abababab)" in text
    assert "96 votes of 3 people on 16 prompts, 2 systems, 2 languages" in text
    assert "No flag was raised." in text
    flags = {"q": ("prefers a side",)}
    screens = [msgspec.structs.replace(one, flags=flags.get(one.annotator, ())) for one in found.annotators]
    flagged = msgspec.structs.replace(found, annotators=tuple(screens))
    tables = Tables(page_of(flagged))
    assert "prefers a side 1 of 3" in tables.text
    assert [row[:2] for row in tables.rows["votes-flagged"][1:]] == [["q", "prefers a side"]]


def test_what_whole_votes_tell_of_the_flagged() -> None:
    screen = AttentivenessScreen(
        annotator="q", num_votes=40, num_skipped=2, retest=Retest(num_repeats=12, agreement=0.25, kappa=-0.1),
        gold=Gold(num_votes=8, num_right=3, share=3 / 8, low=0.085, high=0.755, chance=0.01), paces=(), longest_run=9,
        run_chance=0.5, flags=("fails known answers",),
    )  # fmt: skip
    found = msgspec.structs.replace(summary(), attentiveness=(screen,))
    (row,) = tables_of(found)["votes-flagged"][1:]
    assert row[5] == (
        "known answers 3 of 8 right (8.5 – 75.5 %) same again 25.0 % of 12, kappa -0.10 longest run 9 of 40 2 skipped"
    )


# -- what nobody knows


def test_absent_things_are_absent() -> None:
    found = summary(num_languages=1, num_prompts=4, votes=3, tells_ties=False, has_sides=False)
    assert found.rates[0].low is None
    tables = Tables(page_of(found))
    heads = " ".join(tables.rows["votes-first"][0])
    assert "tie" in heads
    assert "both bad" not in heads
    (row,) = tables.rows["votes-first"][1:]
    assert row[2] == f"{100 * found.rates[0].win_half:.1f} too few prompts"
    (language,) = tables.rows["votes-languages"][1:]
    assert language[2:4] == ["", ""]
    assert "votes-levels" not in tables.rows
    assert "votes-matrix" not in tables.rows
    assert "other languages" not in tables.text
    assert "worst language" not in tables.text
    for word in ("nan", "None", "inf"):
        assert not re.search(rf"\b{word}\b", tables.text), word


def test_systems_without_a_ranking_say_why() -> None:
    found = summary(num_languages=1, num_prompts=1, votes=1, seed=4)
    assert found.ranking is None
    tables = Tables(page_of(found))
    assert f"No ranking: {found.no_ranking}" in tables.text
    assert "votes-ranking" not in tables.rows
    assert tables.rows["votes-languages"][1][2:] != ["0.0", "0.0", "0.0"]
    assert "No comparison has votes of two people" in tables.text


def test_of_many_systems_the_strongest_are_shown_and_it_is_said() -> None:
    found = summary(tuple(f"system {n:02}" for n in range(20)), num_languages=2, num_prompts=10, votes=40)
    tables = Tables(page_of(found))
    assert re.search(
        rf"\d+ of {len(_votes.pairs_by_names(found))} pairs, among the 12 systems that stand first", tables.text
    )
    assert len(tables.rows["votes-matrix"]) == 13
    assert len(tables.rows["votes-all"]) == len(tables.rows["votes-ranking"]) == 21


# -- the document


HOSTILES = (HOSTILE, "</style><b>x</b>\u202e", "=cmd|' /C calc'!A0", "\x07\n\tname")


def test_hostile_names_are_inert_and_visible() -> None:
    found = summary(HOSTILES, votes=20, has_quality=True, raters=("<i>p", "q\u2066", HOSTILE))
    found = msgspec.structs.replace(
        found,
        annotators=tuple(msgspec.structs.replace(one, flags=("agrees least",)) for one in found.annotators),
        no_ranking=HOSTILE,
        ranking=None,
        files=(msgspec.structs.replace(found.files[0], name=HOSTILE),),
    )
    page = render((), HOSTILE, found)
    elements = Elements(page)
    assert len(elements.attributes("script")) == 2
    assert not {name for name, _ in elements.tags} & {"img", "iframe", "object", "form", "base", "a"} - {"a"}
    assert "<img" not in page
    assert "<i>p" not in page
    assert "</style><b>" not in page
    for char in ("\u202e", "\u2066", "\x07", "\ud83d"):
        assert char not in page
    assert page.count("⟨U+202E⟩") > 10
    assert "⟨U+0007⟩⟨U+000A⟩⟨U+0009⟩name" in page
    page.encode("utf-8")


def test_nothing_is_asked_of_anyone_and_the_policy_holds() -> None:
    page = page_of(summary(("a", "b", "c"), has_quality=True, has_judge=True))
    elements = Elements(page)
    for tag, attributes in elements.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("style", "src", "xlink:href"), (tag, name)
            if name == "href":
                assert value == "data:," or (value or "").startswith("#")
    (policy,) = [meta["content"] or "" for meta in elements.attributes("meta") if meta.get("http-equiv")]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "url(" not in "".join(elements.raw["style"])
    assert page == page_of(summary(("a", "b", "c"), has_quality=True, has_judge=True))


def test_beside_runs_it_is_a_view_and_without_votes_there_is_none(tmp_path: Path) -> None:
    run = write_run(tmp_path, "model-one", [Part("qa_en", "qa", "en")])
    both, plain = render([run], "t", summary()), render([run], "t")
    for part in ('id="board"', 'id="samples"', 'id="provenance"'):
        assert part in both
        assert part in plain
        assert part not in page_of(summary())
    assert '<a href="#preference">Preference</a>' in both
    assert 'id="preference"' in both
    assert 'id="preference"' not in plain
    assert "#preference" not in plain.partition("<script")[0]
    assert tables_of(summary())["votes-first"] == Tables(both).rows["votes-first"]
    assert "1 run" in both
