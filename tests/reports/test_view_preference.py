"""What the preference view says: its numbers are the summary's, names are inert, and what nobody knows is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports import _votes
from vote_pages import Opened, Rows, opened, page_of, squeezed, tables_of, text_of
from vote_summaries import summary

from evalsuite.preference.attentiveness import AttentivenessScreen, Gold, Pace, Retest
from evalsuite.preference.prediction_powered import PoweredRate
from evalsuite.preference.summary import Number, PoweredFinding, PreferenceSummary
from evalsuite.preference.win_rates import WinRate
from evalsuite.text.number_texts import decimals_of

pytestmark = pytest.mark.browser

NAMES = {"en": "English en", "zh": "Chinese zh", "fr": "French fr", "ar": "Arabic ar"}


@pytest.fixture
def votes_page(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    with opened(browser, tmp_path) as opener:
        yield lambda found, place="#preference": opener(page_of(found), place)


def said(low: float | None, high: float | None, *, scale: float = 100, decimals: int = 1) -> str:
    if low is None or high is None:
        return "too few prompts"
    return f"{scale * low:.{decimals}f} – {scale * high:.{decimals}f}"


def logs(low: float | None, high: float | None) -> int:
    """How many decimals a number has that is no share."""
    return decimals_of(low, high)


def signed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text


def check_rate(cells: list[str], rate: WinRate) -> None:
    """A row's cells are the rate's numbers, each with its interval, and its n."""
    assert cells[2] == f"{100 * rate.win_half:.1f} {said(rate.low, rate.high)}"
    bounds = rate.intervals.get("win_decisive")
    assert rate.win_decisive is not None
    assert cells[3] == f"{100 * rate.win_decisive:.1f} {said(bounds.low, bounds.high) if bounds else 'too few prompts'}"
    assert cells[4].startswith(signed(100 * rate.net, 1))
    for cell, value in ((cells[5], rate.tie_good), (cells[6], rate.tie_bad)):
        assert value is not None
        assert cell.startswith(f"{100 * value:.1f} ")
    assert f"{rate.num_votes} votes of {rate.num_annotators} people" in cells[-1]
    assert f"{rate.num_prompts} prompts" in cells[-1]


def by_head(rows: Rows) -> dict[str, list[str]]:
    return {row[0]: row for row in rows if len(row) > 3}


# -- wins, ties and losses


def test_every_rate_stands_with_its_interval_and_n(votes_page: Opened) -> None:
    found = summary()
    rows = by_head(tables_of(votes_page(found))["votes-pairs"])
    assert [rate.scope for rate in found.rates] == ["language", "language", "macro", "pooled"]
    heads = (NAMES["en"], NAMES["zh"], "mean of 2 languages alike", "all votes pooled, each alike")
    for head, rate in zip(heads, found.rates, strict=True):
        check_rate(rows[head], rate)
        assert rate.p_adjusted is not None
        assert rows[head][-2] == ("< 0.001" if rate.p_adjusted < 0.001 else f"{rate.p_adjusted:.2f}")
    (worst,) = found.worst_languages
    row = rows[f"worst language {NAMES[worst.language].split()[0]}"]
    assert row[2] == f"{100 * worst.value:.1f} nowhere below {100 * worst.low:.1f}"


def test_bars_are_as_wide_as_the_shares(votes_page: Opened) -> None:
    found = summary()
    rate = found.rates[0]
    assert rate.tie_good is not None
    assert rate.tie_bad is not None
    assert rate.low is not None
    bar = votes_page(found).locator("#votes-pairs td.bar svg").first
    shares = {"win": rate.win, "tie": rate.tie_good, "tie-bad": rate.tie_bad, "loss": rate.loss}
    for kind, share in shares.items():
        assert float(bar.locator(f"rect.{kind}").get_attribute("width")) == pytest.approx(220 * share, abs=0.01)
    assert bar.locator("circle").get_attribute("cx") == f"{220 * rate.win_half:.2f}"
    assert bar.locator("line.range").get_attribute("x1") == f"{220 * rate.low:.2f}"
    words = squeezed(bar.get_attribute("aria-label"))
    assert words == (
        f"won {100 * rate.win:.1f} %, both good {100 * rate.tie_good:.1f} %, both bad {100 * rate.tie_bad:.1f} %, "
        f"lost {100 * rate.loss:.1f} %"
    )


def test_one_person_in_a_language_leaves_prompts_alone(votes_page: Opened) -> None:
    found = summary(raters=("alone",))
    assert {rate.interval for rate in found.rates} == {"prompt-t"}
    rows = by_head(tables_of(votes_page(found))["votes-pairs"])
    assert rows[NAMES["en"]][-1] == "48 votes of 1 person 8 prompts interval over prompts only"


def test_what_other_languages_would_say(votes_page: Opened) -> None:
    found = summary(("a", "b", "c"), num_languages=4)
    rows = [row for row in tables_of(votes_page(found))["votes-pairs"] if row[0].startswith("other languages")]
    assert len(rows) == len(found.other_languages) == 3
    for row, one in zip(rows, found.other_languages, strict=True):
        assert row[2] == f"{100 * one.value:.1f} {said(one.low, one.high)}"
        assert row[-1] == f"4 languages {100 * one.tau:.1f} points apart, I² {100 * one.i_squared:.0f} %"


def test_the_matrix_is_seen_from_both_sides(votes_page: Opened) -> None:
    found = summary(("a", "b", "c"))
    rows = tables_of(votes_page(found))["votes-matrix"][1:]
    assert [row[0] for row in rows] == list(found.systems)
    first = next(rate for rate in found.rates if rate.scope == "macro")
    assert (first.system_a, first.system_b) == found.systems[:2]
    assert first.low is not None
    assert first.high is not None
    assert rows[0][2].replace(" ▲ ahead", "") == (
        f"{100 * first.win_half:.1f} {said(first.low, first.high)} n {first.num_votes}"
    )
    assert rows[1][1].replace(" ▼ behind", "") == (
        f"{100 * (1 - first.win_half):.1f} {said(1 - first.high, 1 - first.low)} n {first.num_votes}"
    )


def test_whom_votes_set_apart_is_marked_in_words_too(votes_page: Opened) -> None:
    found = summary(("a", "b", "c"))
    rates = tuple(msgspec.structs.replace(rate, p_adjusted=0.01, win_half=0.6) for rate in found.rates)
    rows = tables_of(votes_page(msgspec.structs.replace(found, rates=rates)))["votes-matrix"][1:]
    assert rows[0][2].startswith("60.0 ▲ ahead ")
    assert rows[2][1].startswith("40.0 ▼ behind ")


# -- ranks


def test_ranks_strengths_sides_and_ties(votes_page: Opened) -> None:
    found = summary(("a", "b", "c"), num_languages=4)
    page = votes_page(found)
    tables = tables_of(page)
    assert found.ranking is not None
    for row, shown in zip(found.ranking.systems, tables["votes-ranking"][1:], strict=True):
        ends = (row.rank_low, row.rank_high)
        assert shown[0].startswith(row.system)
        assert shown[1] == (str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} – {ends[1]}")
        assert shown[2].startswith(signed(row.strength, logs(row.low, row.high)))
        assert shown[3:6] == [str(row.ranks[ties]) for ties in ("half", "dropped", "davidson")]
        assert shown[6] == f"{row.num_votes} votes"
    by_code = {one.language: one for one in found.languages}
    for code, shown in zip(("en", "zh", "fr", "ar"), tables["votes-languages"][1:], strict=True):
        left, ties = by_code[code].left_share, found.ranking.tie_weights[code]
        assert shown[0] == NAMES[code]
        assert left is not None
        assert left.low is not None
        assert left.high is not None
        side = "no side for certain" if left.low <= 0.5 <= left.high else "preferred"
        assert shown[2].startswith(f"{100 * left.value:.1f} {said(left.low, left.high)} n {left.num_votes} ")
        assert side in shown[2]
        decimals = logs(ties.low, ties.high)
        nu = f"{ties.value:.{decimals}f} {said(ties.low, ties.high, scale=1, decimals=decimals)} n {ties.num_votes}"
        assert shown[4] == nu
    frail = found.ranking.fragility
    text = text_of(page)
    assert f"Without {frail.num_votes} of {frail.total} votes another system than {frail.leader} would lead." in text
    assert found.ranking.pooling is not None
    assert f"standard deviation of {found.ranking.pooling:.2f} log-odds" in text


def test_what_form_is_worth(votes_page: Opened) -> None:
    found = summary(("a", "b", "c"))
    assert found.ranking is not None

    def number(value: float) -> Number:
        return Number(value=value, low=value - 0.1, high=value + 0.1, num_votes=96)

    leader, *others = found.systems
    assert "votes-style" not in tables_of(votes_page(found))
    styled = msgspec.structs.replace(
        found.ranking, style={"length": number(0.25), "list items": number(-0.05)}, leader=leader,
        plain={name: number(-0.3) for name in others}, controlled={name: number(-0.12) for name in others},
    )  # fmt: skip
    tables = tables_of(votes_page(msgspec.structs.replace(found, ranking=styled)))
    assert tables["votes-style"][1:] == [
        ["length", "+0.25 +0.15 – +0.35 n 96"], ["list items", "-0.05 -0.15 – +0.05 n 96"],
    ]  # fmt: skip
    for row, name in zip(tables["votes-controlled"][1:], others, strict=True):
        assert row == [name, "-0.30 -0.40 – -0.20 n 96", "-0.12 -0.22 – -0.02 n 96"]


def test_whom_the_order_hangs_on(votes_page: Opened) -> None:
    found = summary(("a", "b", "c"))
    assert found.ranking is not None
    names = tuple(f"rater {n}" for n in range(14))
    frail = msgspec.structs.replace(found.ranking.fragility, num_votes=None, without_annotator=names)
    ranking = msgspec.structs.replace(found.ranking, fragility=frail)
    text = text_of(votes_page(msgspec.structs.replace(found, ranking=ranking), "#preference&section=ranks"))
    assert f"No few votes were found without which another system than {frail.leader} would lead." in text
    assert "another would lead: rater 0, rater 1, " in text
    assert "rater 11 and 2 more" in text
    assert "rater 12" not in text


# -- quality, agreement, judges


def test_quality_agreement_and_judges(votes_page: Opened) -> None:
    found = summary(has_quality=True, has_judge=True)
    tables = tables_of(votes_page(found))
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
        decimals = logs(alpha.low, alpha.high)
        bounds = said(alpha.low, alpha.high, scale=1, decimals=decimals)
        assert row[3] == f"{alpha.value:.{decimals}f} {bounds} {alpha.num_units} comparisons"
    (judge,) = found.judges
    kappa = judge.kappas[0]
    assert tables["votes-judge-1"][1][3].startswith(f"{kappa.value:.{logs(kappa.low, kappa.high)}f} ")
    for admitted, row in zip(judge.admissibility, tables["votes-admission-1"][1:], strict=True):
        assert row[1] == admitted.verdict
        assert row[2].startswith(signed(100 * admitted.difference, 1))
        assert (row[3], row[4]) == (f"{100 * admitted.judge_agreement:.1f}", f"{100 * admitted.people_agreement:.1f}")


def test_levels_have_the_colours_of_the_figures_and_patterns_of_their_own(votes_page: Opened) -> None:
    page = votes_page(summary(has_quality=True), "#preference&section=quality")
    swatches = page.locator(".swatches svg").filter(has=page.locator("rect")).all()
    colours = [swatch.locator("rect").first.get_attribute("fill") for swatch in swatches]
    assert colours == list(_votes.level_colours(4))[::-1]
    patterns = [swatch.locator("rect.over").get_attribute("fill") for swatch in swatches[1:]]
    assert len(set(patterns)) == 3
    for pattern in patterns:
        assert page.locator(pattern.removeprefix("url(").removesuffix(")")).count() == 1


def test_rates_that_a_judge_helps_to_know(votes_page: Opened) -> None:
    found = summary(has_judge=True)
    rate = PoweredRate(
        system_a="first", system_b="second", language="zh", value=0.6, low=0.5, high=0.7, stderr=0.05, people_only=0.58,
        judge_only=0.72, weight=0.4, stderr_ratio=0.93, num_prompts_people=8, num_prompts_judge=40, num_votes=48,
        num_verdicts=90,
    )  # fmt: skip
    helped = msgspec.structs.replace(found, powered=(PoweredFinding(judge="judge", rate=rate, admission=None),))
    assert "votes-powered" not in tables_of(votes_page(found))
    page = votes_page(helped)
    (row,) = tables_of(page)["votes-powered"][1:]
    assert row == [
        "first against second Chinese , Judge judge", "60.0 50.0 – 70.0", "58.0", "72.0", "0.40", "× 0.93", "undecided",
        "48 votes of 8 prompts 90 verdicts, 40 prompts of its own",
    ]  # fmt: skip
    page = votes_page(helped, "#preference&language=en")
    assert "votes-powered" not in tables_of(page)


# -- what was read, and who voted


def test_counts_of_rows_files_and_flags(votes_page: Opened) -> None:
    found = summary()
    page = votes_page(found)
    tables, text = tables_of(page), text_of(page)
    assert tables["votes-dropped"][1:] == [["skipped", "2", "2.0"]]
    assert tables["votes-dropped"][0][2] == "of 98 rows %"
    assert tables["votes-files"][1:] == [["votes.jsonl", "ab" * 32]]
    assert "votes of people 96 prompts 16 source prompts 8 people 3 systems 2 languages 2 rows left out 2 of 98" in text
    assert "No flag was raised." in text
    assert page.locator("#summary").inner_text() == "96 votes"
    flags = {"q": ("prefers a side",)}
    screens = [msgspec.structs.replace(one, flags=flags.get(one.annotator, ())) for one in found.annotators]
    page = votes_page(msgspec.structs.replace(found, annotators=tuple(screens)))
    assert "prefers a side 1 of 3" in text_of(page)
    assert [row[:2] for row in tables_of(page)["votes-flagged"][1:]] == [["q", "prefers a side"]]


def test_what_whole_votes_tell_of_the_flagged(votes_page: Opened) -> None:
    fast = Pace(language="zh", num_votes=12, seconds_per_grapheme=0.004, limit=0.02)
    screen = AttentivenessScreen(
        annotator="q", num_votes=40, num_skipped=2, retest=Retest(num_repeats=12, agreement=0.25, kappa=-0.1),
        gold=Gold(num_votes=8, num_right=3, share=3 / 8, low=0.085, high=0.755, chance=0.01), paces=(fast,),
        longest_run=9, run_chance=0.5, flags=("fails known answers", "faster than reading"),
    )  # fmt: skip
    found = msgspec.structs.replace(summary(), attentiveness=(screen,))
    (row,) = tables_of(votes_page(found))["votes-flagged"][1:]
    assert row[1] == "fails known answers, faster than reading"
    assert row[5] == (
        "known answers 3 of 8 right (8.5 – 75.5 %) same again 25.0 % of 12, kappa -0.10 "
        "Chinese: 0.004 s a character over 12 votes, one in twenty of the others' below 0.020 s "
        "longest run 9 of 40 2 skipped"
    )
    arabic = text_of(votes_page(found, "#preference&ui=ar"))
    assert "كابا -0.10" in arabic
    assert "⟨U+" not in arabic


# -- what nobody knows


def test_absent_things_are_absent(votes_page: Opened) -> None:
    found = summary(num_languages=1, num_prompts=4, votes=3, tells_ties=False, has_sides=False)
    assert found.rates[0].low is None
    page = votes_page(found)
    tables, text = tables_of(page), text_of(page)
    heads = " ".join(tables["votes-pairs"][0])
    assert "tie" in heads
    assert "both bad" not in heads
    (row,) = tables["votes-pairs"][1:]
    assert row[2] == f"{100 * found.rates[0].win_half:.1f} too few prompts"
    (language,) = tables["votes-languages"][1:]
    assert language[2:4] == ["not known", "not known"]
    assert not {"votes-levels", "votes-matrix", "votes-all", "votes-judge-1"} & set(tables)
    assert page.locator("#pref-to-quality, #pref-to-judges, #pref-language, #pref-system").count() == 0
    assert "other languages" not in text
    assert "worst language" not in text
    for word in ("NaN", "None", "null", "Infinity", "undefined"):
        assert not re.search(rf"\b{word}\b", text), word


def test_systems_without_a_ranking_say_why(votes_page: Opened) -> None:
    found = summary(num_languages=1, num_prompts=1, votes=1, seed=4)
    assert found.ranking is None
    page = votes_page(found)
    tables, text = tables_of(page), text_of(page)
    assert f"No ranking: {found.no_ranking}" in text
    assert "votes-ranking" not in tables
    assert tables["votes-languages"][1][2:] != ["0.0", "0.0", "0.0"]
    assert "No comparison has votes of two people" in text


def test_of_many_systems_the_strongest_are_shown_and_it_is_said(votes_page: Opened) -> None:
    found = summary(tuple(f"system {n:02}" for n in range(20)), num_languages=2, num_prompts=10, votes=40)
    page = votes_page(found, "#preference&more=1")
    tables = tables_of(page)
    chosen = _votes.chosen_pairs(found, 66)
    assert chosen.note
    every = len(_votes.pairs_by_names(found))
    assert f"{len(chosen.pairs)} of {every} pairs, among the 12 systems that stand first." in text_of(page)
    shown = [row[0] for name in ("votes-pairs", "votes-more") for row in tables[name] if len(row) == 1]
    assert shown == [f"{pair.system_a} against {pair.system_b}" for pair in chosen.pairs]
    assert len(tables["votes-matrix"]) == 13
    assert len(tables["votes-all"]) == len(tables["votes-ranking"]) == 21
    last = found.systems[-1]
    page.locator("#pref-system").select_option(label=last)
    page.locator("#votes-pairs .two").first.wait_for()
    heads = [row[0] for row in tables_of(page)["votes-pairs"] if len(row) == 1]
    met = [names for names in _votes.pairs_by_names(found) if last in names]
    assert heads == [f"{a} against {b}" for a, b in met]


def test_a_language_without_a_name_and_votes_without_a_language(votes_page: Opened) -> None:
    found = summary()

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {("constructor" if key == "zh" else key): renamed(one) for key, one in value.items()}
        if isinstance(value, list):
            return [renamed(one) for one in value]
        return {"en": "und", "zh": "constructor"}.get(value, value) if isinstance(value, str) else value

    stored = renamed(json.loads(msgspec.json.encode(found)))
    stored["ranking"]["left"] = stored["ranking"]["tie_weights"] = {}
    odd = msgspec.convert(stored, PreferenceSummary)
    page = votes_page(odd, "#preference&section=sides")
    rows = tables_of(page)["votes-languages"][1:]
    assert [row[0] for row in rows] == ["constructor", "language not given"]
    assert [row[3:] for row in rows] == [["not known", "not known"]] * 2
