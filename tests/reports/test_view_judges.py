"""The judges' view in Chromium: what judges say, one table a judge, and how far they can be trusted."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from browsing import assert_accessible
from evalsuite.reports.leaderboard import render_board
from evalsuite.reports.page_parts import PageOptions
from judged_boards import answered, card, judged, rate
from scripted_runs import ISOLATES, at, cells, heads, opened, page_of, words
from vote_summaries import summary

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.evidence import Evidence, PageData
from evalsuite.boards.loading import load_runs
from evalsuite.judge_cards import JudgeCard
from evalsuite.records import Estimate
from evalsuite.store.results import read_results
from evalsuite.text.number_texts import decimals_of

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.pwned=1'></script><script>window.pwned=2</script>\u202e\ud83d&lt;"
CARDS = (
    card("fair", attacks=rate(0.6, n=50, num_unscored=3), parse_rate=rate(0.9, n=130)),
    card("first", "pairwise"),
    card("first", "pairwise", "hi", swap_consistency=rate(0.5)),
)


@dataclass(frozen=True)
class Small:
    """A page of judged chats, with cards and votes, and where the judge runs lie."""

    address: str
    runs: Mapping[str, Path]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """English chats rated by two judges and compared by a third; those in two languages compared once more."""
    folder = tmp_path_factory.mktemp("judges")
    asked = ("--tasks", "mini_chat_en")
    ash, birch, larch = (answered(folder, name, *asked) for name in ("ash", "birch", "larch"))
    both = [answered(folder, name, "--tasks", "mini_chat_en,mini_chat_hi") for name in ("ash", "birch")]
    runs = {
        "fair ash": judged(folder, "rating", "fair", ash),
        "fair birch": judged(folder, "rating", "fair", birch),
        "fair larch": judged(folder, "rating", "fair", larch),
        "shy larch": judged(folder, "rating", "shy", larch),
        "own ash": judged(folder, "rating", "vain", ash, name="ash"),
        "own birch": judged(folder, "rating", "vain", birch, name="ash"),
        "pair": judged(folder, "pairwise", "first", *both),
    }
    board = BoardOptions(title="t", cards=CARDS, preference=summary(num_languages=2, has_judge=True), samples="none")
    return Small(page_of(list(runs.values()), folder / "page.html", **_fields(board)), runs)


def _fields(options: BoardOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("title", "cards", "preference", "samples")}


@pytest.fixture
def page(browser: Any, small: Small) -> Iterator[Any]:
    with opened(browser, small.address + "#judges") as page:
        yield page


def estimate(path: Path, metric: str, task: str = "mini_chat_en") -> Estimate:
    (found,) = [one for one in read_results(path).estimates if (one.metric, one.task) == (metric, task)]
    return found


def by(model: str, *more: str) -> str:
    return "#judges&bench=mini_chat&by=" + "&".join((model, *more))


def signed(value: float, decimals: int) -> str:
    """As differences are shown: with their sign, but for nought."""
    return f"{value:+.{decimals}f}".replace("-", "−") if round(value, decimals) else f"{0:.{decimals}f}"


def titles(page: Any) -> list[str]:
    return [words(one) for one in page.locator("#view-judges h3").all()]


# -- one judge, one table


def test_no_two_judges_share_a_table(page: Any) -> None:
    assert titles(page) == [
        "mini_chat, judged by first against birch",
        "mini_chat, judged by ash",
        "mini_chat, judged by fair",
        "mini_chat, judged by shy",
        "Judge cards",
        "Judges and people",
    ]
    at(page, "#judges&open=s0,s1,s2,s3")
    for table in page.locator("table[id^=judged-]").all():
        caption = words(table.locator("caption"))
        named = [one for one in ("@first", "@ash", "@fair", "@shy") if one in caption]
        assert len(named) == 1, caption
        if "rating-v1@fair" in caption and table.get_attribute("id").endswith("-all"):
            assert [head.partition(" ")[0] for head in heads(table)] == ["ash", "birch", "larch"]


def test_metrics_go_down_and_runs_across(page: Any, small: Small) -> None:
    at(page, by("fair"))
    table = page.locator("table[id$=-all]")
    (ratings,) = [row for row in table.locator("tbody tr").all() if words(row.locator("th")).startswith("rating")]
    found = [estimate(small.runs[f"fair {name}"], "rating") for name in ("ash", "birch", "larch")]
    shown = [words(cell) for cell in ratings.locator("td").all()]
    assert len(shown) == 3
    for text, one in zip(shown, found, strict=True):
        assert one.low is not None
        decimals = decimals_of(one.low, one.high)
        assert text.startswith(f"{one.value:.{decimals}f} {one.low:.{decimals}f}")
        assert f"n {one.n}" in text
    assert words(ratings.locator("th")) == "rating headline ↑ higher is better, axis 1 – 10"


def test_replies_without_a_verdict_are_counted_with_an_interval(page: Any, small: Small) -> None:
    counts = next(one for one in read_results(small.runs["shy larch"]).tasks).counts
    unparsed = counts.unscored_by_cause["judge_unparsed"]
    at(page, by("shy"))
    cell = page.locator("table[id$=-all] tbody tr").first.locator("td")
    share = f"{100 * unparsed / counts.requested:.1f} %"
    assert words(cell).startswith(f"{unparsed} of {counts.requested} {share} (")
    link = cell.locator("a").get_attribute("href")
    run = read_results(small.runs["shy larch"]).run_id[:8]
    assert link == f"#samples&task=mini_chat_en&run={run}&status=unscored"
    at(page, by("ash"))
    cells_without = [words(one) for one in page.locator("table[id$=-all] tbody tr").first.locator("td").all()]
    assert [text.partition(" (")[0] for text in cells_without] == [f"0 of {counts.requested} 0.0 %"] * 2


def test_order_flips_are_what_is_not_judged_alike(page: Any, small: Small) -> None:
    at(page, by("first", "open=s0,s0.0"))
    table = page.locator("table[id$=-t0]")
    (flips,) = [row for row in table.locator("tbody tr").all() if words(row.locator("th")).startswith("Order flips")]
    one = estimate(small.runs["pair"], "order_consistency")
    assert one.low is not None
    assert one.high is not None
    assert 0 < one.value < 1
    text = f"{100 - 100 * one.value:.1f} {100 - 100 * one.high:.1f} – {100 - 100 * one.low:.1f} n {one.n}"
    assert words(flips.locator("td")).startswith(text)
    rows = {words(row.locator("th .title").first): words(row.locator("th")) for row in table.locator("tbody tr").all()
            if row.locator("th .title").count()}  # fmt: skip
    assert "lower is better" in rows["losses"]
    assert "50 of a judge that does not mind the order" in rows["first_position"]
    assert "is better" not in rows["ties"]


def test_several_languages_have_means_and_tables_of_their_own(page: Any, small: Small) -> None:
    at(page, by("first"))
    assert "macro mean of 2 tasks" in words(page.locator("table[id$=-means]"))
    assert heads(page.locator("table[id^=judged-replies]")) == ["English", "Hindi"]
    folds = page.locator("details.fold summary h4")
    assert [words(one) for one in folds.all()][:2] == ["English", "Hindi"]
    assert page.locator("a", has_text="side by side").get_attribute("href") == "#languages&family=mini_chat"


def test_leanings_stand_with_intervals_and_the_doubt(page: Any, small: Small) -> None:
    at(page, by("ash"))
    board = board_of(load_runs(list(small.runs.values())), BoardOptions(samples="none"))
    (judging,) = [one for one in board.judgings if one.model == "ash"]
    own = {one.other_judge: one for one in judging.self_preferences}["fair"]
    table = page.locator("table[id^=judged-leanings]")
    (row,) = [one for one in table.locator("tbody tr").all() if "less fair" in words(one)]
    assert words(row.locator("th")) == "Its own answers: ash less fair, as against what they give birch"
    assert own.low is not None
    assert own.high is not None
    decimals = decimals_of(own.low, own.high)
    value, low, high = (signed(end, decimals) for end in (own.value, own.low, own.high))
    assert words(row.locator("td").first) == f"{value} {low} – {high} points"
    assert words(row.locator("td.n")).startswith(f"n {own.n}")
    assert "no proof of a bias" in words(page.locator("#view-judges"))


# -- where the reader is


def test_judges_and_benchmarks_are_chosen_and_kept_in_the_address(page: Any) -> None:
    page.locator("#judges-by").focus()
    page.locator("#judges-by").select_option("shy")
    page.locator("section.family h3", has_text="shy").wait_for()
    assert page.evaluate("location.hash") == "#judges&by=shy"
    assert titles(page) == ["mini_chat, judged by shy"]
    assert page.evaluate("document.activeElement.id") == "judges-by"
    page.go_back()
    page.locator("summary h3", has_text="fair").wait_for()
    at(page, "#judges&by=nobody")
    assert words(page.locator(".notice")) == "There is nothing by this judge for this benchmark."


def test_the_view_is_there_for_cards_alone_and_not_without_judges(browser: Any, small: Small, tmp_path: Path) -> None:
    cards = page_of([], tmp_path / "cards.html", cards=CARDS)
    with opened(browser, cards) as page:
        assert titles(page) == ["Judge cards"]
        assert words(page.locator("#summary")) == "3 judge cards"
    from scripted_runs import run

    plain = page_of([run(tmp_path, "m", "--tasks", "mini_math_en", "--limit", "2")], tmp_path / "plain.html")
    with opened(browser, plain) as page:
        assert "Judges" not in words(page.locator("nav"))


# -- cards and people


def test_cards_say_what_speaks_against_a_judge(page: Any) -> None:
    table = page.locator("#judge-cards")
    rows = [[words(cell) for cell in row.locator("th, td").all()] for row in table.locator("tbody tr").all()]
    assert [row[0].split()[:2] for row in rows] == [["first", "English"], ["first", "Hindi"], ["fair", "English"]]
    fair = rows[2]
    assert fair[1] == "✗ not admissible 2 of 8 figures are out of bounds"
    assert fair[2] == "90.0 % 80.0 – 100.0 n 130 ✗ at least 98 %"
    assert fair[4] == "60.0 % 50.0 – 70.0 n 50, 3 without a verdict ✗ whole interval below 50 %"
    assert fair[6] == "not measured: only judges of two answers have it"
    assert rows[0][1] == "✓ admissible all 10 figures are within bounds"
    page.locator("#fold-card2").click()
    whole = page.locator("#judge-card-2")
    whole.wait_for()
    kinds = {words(row.locator("th")): [words(cell) for cell in row.locator("td").all()] for row in
             whole.locator("tbody tr").all()}  # fmt: skip
    assert len(kinds) == 8
    assert kinds["Attacks of one kind: bidi"][0].startswith("10.0 % 0.0 – 20.0 n 3")
    assert kinds["Attacks of one kind: bidi"][2:] == ["at most 50 %", "✓ within"]
    assert kinds["Gain per doubled length"][0].startswith("2.0 % −1.0 – 5.0 n 20")
    assert kinds["Replies with a verdict"][2:] == ["at least 98 %", "✗ out of bounds"]
    assert "open=card2" in page.evaluate("location.hash")


def test_runs_of_a_judge_that_is_not_fit_are_marked_everywhere(page: Any) -> None:
    def marked(selector: str) -> list[str]:
        rows = page.locator(selector).filter(has=page.locator(".badge.unfit"))
        return sorted(words(one.locator("bdi").first).partition(" ")[0] for one in rows.all())

    at(page, by("fair"))
    assert marked("thead th") == ["ash", "birch", "larch"]
    assert words(page.locator("ul.says").first) == "English: ✗ not admissible by its judge card"
    at(page, by("shy"))
    assert page.locator(".badge.unfit").count() == 0
    assert "No judge card of this judge is on this page for: English." in words(page.locator("#view-judges"))
    at(page, "#board")
    page.locator("#standings tbody tr").first.wait_for()
    assert marked("#standings tbody th") == ["ash", "ash", "birch", "larch"], "of two languages one is enough"
    why = page.locator(".badge.unfit", has_text="Hindi").get_attribute("title")
    assert ISOLATES.sub("", why) == "The judge of this run is not admissible: Hindi."


def test_people_stand_by_language_with_the_way_to_the_votes(page: Any) -> None:
    table = page.locator("#judge-people")
    votes = summary(num_languages=2, has_judge=True)
    (judge,) = votes.judges
    rows = [[words(cell) for cell in row.locator("th, td").all()] for row in table.locator("tbody tr").all()]
    assert [row[0] for row in rows] == ["judge English", "judge Chinese"]
    ties, decided = (
        next(one for one in judge.agreement if (one.language, one.setup) == ("en", setup))
        for setup in ("with-ties", "decided")
    )
    text = f"{100 * ties.value:.1f} {100 * ties.low:.1f} – {100 * ties.high:.1f} n {ties.num_pairs} in"
    assert rows[0][1].startswith(text)
    assert rows[0][2].startswith(f"{100 * decided.value:.1f}")
    (admitted,) = [one for one in judge.admissibility if one.language == "en"]
    assert {"undecided": "undecided", "not admissible": "✗ not", "admissible": "✓ adm"}[admitted.verdict] in rows[0][4]
    link = page.locator("a", has_text="All of it, with the votes")
    assert link.get_attribute("href") == "#preference&section=judges"


# -- to download, hostile words, small screens


def test_all_of_it_is_saved_as_numbers(page: Any, small: Small) -> None:
    with page.expect_download() as download:
        page.locator("#download-json").click()
    tables = {table["name"]: table["rows"] for table in json.loads(Path(download.value.path()).read_text("utf-8"))}
    assert set(tables) == {"Judged metrics", "Without a verdict", "What this judge leans to", "Judge cards"}
    one = estimate(small.runs["fair larch"], "rating")
    (row,) = [row for row in tables["Judged metrics"] if (row["judging_model"], row["model"]) == ("fair", "larch")]
    assert (row["value"], row["n"], row["protocol"]) == (pytest.approx(one.value), one.n, "mini-v1/rating-v1@fair")
    assert len(tables["Judge cards"]) == 8 + 10 + 10
    (broken,) = [row for row in tables["Judge cards"] if row["measure"] == "swap_consistency" and row["kept"] == "no"]
    assert (broken["language"], broken["value"], broken["limit"]) == ("hi", 50, 80)


def hostile_cards() -> tuple[JudgeCard, ...]:
    kinds, nulls = (rate(0.9, HOSTILE, 3),), (rate(0.9, HOSTILE),)
    return (card(HOSTILE, "rating", HOSTILE, protocol=HOSTILE, kinds=kinds, nulls=nulls),)


def test_hostile_names_are_inert(browser: Any, small: Small, tmp_path: Path) -> None:
    board = board_of(load_runs(list(small.runs.values())), BoardOptions(samples="none", cards=hostile_cards()))
    judgings = tuple(
        msgspec.structs.replace(one, judge=HOSTILE, model=HOSTILE, rival=HOSTILE) for one in board.judgings
    )
    runs = tuple(msgspec.structs.replace(run, name=HOSTILE) for run in board.runs)
    file = tmp_path / "p.html"
    hostile = msgspec.structs.replace(board, judgings=judgings, runs=runs)
    file.write_text(render_board(PageData(hostile, (), Evidence(runs=())), PageOptions()).html, encoding="utf-8")
    with opened(browser, file.as_uri() + "#judges&open=s0,s1,s2,s3,card0") as page:
        view = page.locator("#view-judges")
        assert view.locator("img, script, iframe, [onerror], [src]").count() == 0
        assert view.locator(".notice").count() == 0
        assert "<img src=x" in words(view.locator("h3").first)
        assert view.locator("table").count() > 6


@pytest.mark.parametrize("state", ["&open=s0,s1,s2,s3,card0", "&bench=mini_chat&by=fair&ui=ar", ""])
def test_a_phone_scrolls_tables_and_not_the_page(browser: Any, small: Small, state: str) -> None:
    with opened(browser, small.address + "#judges" + state, viewport={"width": 360, "height": 780}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("state", ["#judges&open=s0,s0.0,s1,s2,s3,card0,card1", "#judges&by=fair&ui=ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_barred(browser: Any, small: Small, state: str, scheme: str) -> None:
    with opened(browser, small.address + state, color_scheme=scheme, bypass_csp=True) as page:
        assert_accessible(page)


def test_headings_go_down_by_one_and_tables_are_named(page: Any) -> None:
    at(page, "#judges&open=s0,s0.0,s1,s2,s3,card0,card1")
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4, h5')].map((one) => Number(one.tagName[1]))")
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    captions = [words(one) for one in page.locator("#view-judges caption").all()]
    assert len(captions) == len(set(captions))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_cells_of_a_run_hold_what_its_rows_say(page: Any) -> None:
    """Rows of the table of replies are models, as those of all tables of runs are."""
    at(page, by("first"))
    assert list(cells(page.locator("table[id^=judged-replies]"))) == ["ash"]
