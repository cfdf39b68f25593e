"""The page of one task in Chromium: what was asked, by which rules, of which data, and what came of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports.leaderboard import render_board
from evalsuite.reports.page_parts import PageOptions
from scripted_runs import at, cells, heads, opened, page_of, run, words
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.evidence import Evidence, PageData
from evalsuite.boards.loading import load_runs
from evalsuite.boards.records import Board
from evalsuite.boards.sample_views import samples_of
from evalsuite.store.results import read_results, read_samples, write_results
from evalsuite.types import Completion, GenerateRequest

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.pwned=1'></script><script>window.pwned=2</script>\u202e\ud83d&lt;"
EN = Part("qa_en", "qa", "en", n=1)
Z = 1.959963984540054


@dataclass(frozen=True)
class Small:
    """A page of three scripted runs, and where these lie."""

    address: str
    plain: Path
    chat: Path
    stray: Path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The same problems in plain text, as a conversation, and in part by a model that strays between languages."""
    folder = tmp_path_factory.mktemp("tasks")
    shots = ("--num_fewshot", "mini_math=8")
    plain = run(folder, "plain", "--tasks", "mini_math_fr,mini_choice_ar,mini_translation_en-zh", *shots)
    chat = run(folder, "talk", "--tasks", "mini_math_fr,mini_choice_ar", "--apply_chat_template", *shots)
    limits = ("--limit", "12", *shots)
    stray = run(folder, "stray", "--tasks", "mini_math_fr", *limits, function="scripted_runs:stray")
    address = page_of([plain, chat, stray], folder / "page.html")
    return Small(address, plain, chat, stray)


@pytest.fixture
def page(browser: Any, small: Small) -> Iterator[Any]:
    with opened(browser, small.address + "#task&task=mini_math_fr") as page:
        yield page


def section(page: Any, title: str) -> Any:
    """The first table after a heading."""
    return page.locator(f"h3:has-text('{title}') ~ .scroll table").first


def first_request(path: Path, task: str) -> GenerateRequest:
    record = next(one for one in read_samples(path) if one.task == task)
    request = record.items[0].request
    assert isinstance(request, GenerateRequest)
    return request


# -- the list and the head


def test_without_a_task_all_are_listed_by_family(page: Any) -> None:
    at(page, "#task")
    assert [words(one) for one in page.locator("#view-task h3").all()] == [
        "mini_choice",
        "mini_math",
        "mini_translation",
    ]
    links = page.locator(".task-list a")
    assert [link.get_attribute("href") for link in links.all()] == [
        "#task&task=mini_choice_ar", "#task&task=mini_math_fr", "#task&task=mini_translation_en-zh"
    ]  # fmt: skip
    assert words(page.locator(".task-list li").first) == "mini_choice_ar Arabic, native text, 2 runs"
    links.nth(1).click()
    page.locator("h2", has_text="mini_math_fr").wait_for()
    assert "mini_math_fr" in page.title()
    assert words(page.locator("nav a[aria-current=page]")) == "Languages"


def test_an_unknown_task_is_said_and_the_list_is_there(page: Any) -> None:
    at(page, "#task&task=nothing")
    assert "no task nothing" in words(page.locator(".notice"))
    assert page.locator(".task-list a").count() == 3


def test_the_head_names_family_source_and_licence(page: Any) -> None:
    facts = words(page.locator("dl.facts"))
    for text in ("Family mini_math", "Language French", "native text", "written for evalsuite", "Apache-2.0", "Runs 3"):
        assert text in facts
    page.locator("dl.facts a").click()
    page.locator("#view-languages section.family").wait_for()
    assert page.evaluate("location.hash") == "#languages&family=mini_math"


# -- the prompt


def test_the_prompt_is_as_sent_in_part_and_then_whole(page: Any, small: Small) -> None:
    request = first_request(small.plain, "mini_math_fr")
    assert isinstance(request.prompt, str)
    box = page.locator(".asked").first
    assert box.locator(".text").evaluate("one => [one.textContent, one.lang]") == [request.prompt, "fr"]
    height = "one => one.getBoundingClientRect().height"
    assert box.evaluate(height) < box.locator(".text").evaluate(height)
    button = page.locator("#task-prompt-whole")
    assert button.get_attribute("aria-expanded") == "false"
    assert f"{len(request.prompt):,} characters" in words(button)
    button.click()
    page.locator("#task-prompt-whole[aria-expanded=true]").wait_for()
    assert box.evaluate(height) >= box.locator(".text").evaluate(height)
    assert page.evaluate("document.activeElement.id") == "task-prompt-whole"
    assert words(page.locator("#view-task")).count(f"max_tokens={request.max_tokens}") == 1
    assert all(
        json.dumps(stop, ensure_ascii=False) in page.locator("#view-task").text_content() for stop in request.stop
    )


def test_other_prompts_of_the_same_sample_stand_with_who_was_sent_them(page: Any, small: Small) -> None:
    request = first_request(small.chat, "mini_math_fr")
    assert not isinstance(request.prompt, str)
    assert "as sent to" in words(page.locator("h3:has-text('Prompt') + p"))
    fold = page.locator("details", has_text="as sent to").first
    assert words(fold.locator("summary")) == "as sent to talk"
    assert fold.locator(".message").count() == 0
    fold.locator("summary").click()
    messages = fold.locator(".message")
    messages.first.wait_for()
    assert [(words(one.locator(".role")), one.locator(".text").text_content()) for one in messages.all()] == [
        (message.role, message.content) for message in request.prompt
    ]


def test_the_sample_is_one_link_away(page: Any, small: Small) -> None:
    record = next(one for one in read_samples(small.plain) if one.task == "mini_math_fr")
    link = page.locator("h3:has-text('Prompt') + p a")
    assert words(link) == record.sample.id
    href = page.evaluate("one => decodeURIComponent(one)", link.get_attribute("href"))
    assert href == f"#sample&task=mini_math_fr&sample={record.sample.id}"


def test_choices_are_shown_as_they_are_sent(page: Any, small: Small) -> None:
    at(page, "#task&task=mini_choice_ar")
    record = next(one for one in read_samples(small.plain) if one.task == "mini_choice_ar")
    shown = page.locator(".continuations .text").evaluate_all("all => all.map((one) => one.textContent)")
    assert shown == [getattr(item.request, "continuation", None) for item in record.items]
    assert page.locator(".asked .text").first.text_content() == getattr(record.items[0].request, "context", None)
    assert page.locator(".asked .text").first.evaluate("one => getComputedStyle(one).direction") == "rtl"


def bare_page(board: Board, path: Path, runs: list[Path], kept: Any = "all", *, is_shown: bool = True) -> str:
    loaded = load_runs(runs)
    samples = [samples_of(loaded, task.name, kept=kept, is_shown=is_shown) for task in board.tasks]
    path.write_text(
        render_board(PageData(board, tuple(samples), Evidence(runs=())), PageOptions()).html, encoding="utf-8"
    )
    return path.as_uri()


def test_a_task_that_is_not_shown_says_so(browser: Any, tmp_path: Path, small: Small) -> None:
    board = board_of(load_runs([small.chat]), BoardOptions())
    tasks = tuple(msgspec.structs.replace(task, is_shown=False) for task in board.tasks)
    hidden = msgspec.structs.replace(board, tasks=tasks)
    address = bare_page(hidden, tmp_path / "p.html", [small.chat], is_shown=False)
    with opened(browser, address + "#task&task=mini_math_fr") as page:
        assert "texts of this task are not shown" in words(page.locator(".notice"))
        assert page.locator(".asked").count() == 0
        assert page.locator("#task-results td.cell").count() > 0


@pytest.mark.parametrize(("kept", "told"), [("none", "made without the texts"), ("failures", "")])
def test_texts_that_are_not_kept_are_not_missed_silently(
    browser: Any, tmp_path: Path, small: Small, kept: Any, told: str
) -> None:
    board = board_of(load_runs([small.chat]), BoardOptions(samples=kept))
    with opened(browser, bare_page(board, tmp_path / "p.html", [small.chat], kept) + "#task&task=mini_math_fr") as page:
        if told:
            assert told in words(page.locator(".notice"))
            assert page.locator(".asked").count() == 0
        else:
            assert page.locator(".asked .text").count() > 0


def test_where_all_are_right_failures_leave_no_prompt(browser: Any, tmp_path: Path) -> None:
    right = choice_record("qa_en:test:0", "en", "Q?", ("a", "b"), gold=0, picked=0)
    run = write_run(tmp_path, "m", [EN], [right])
    address = page_of([run], tmp_path / "p.html", samples="failures")
    with opened(browser, address + "#task&task=qa_en") as page:
        assert "of this task there is none" in words(page.locator(".notice"))


# -- rules and data


def test_metrics_are_defined_the_headline_first(page: Any) -> None:
    table = section(page, "Metrics")
    rows = cells(table)
    assert list(rows) == ["exact_match", "language_fidelity", "sentence_fidelity"]
    assert "headline" in words(table.locator("tbody th").first)
    assert heads(table) == ["What it is", "Direction", "Range shown", "Guessing", "Protocol and exemplars"]
    assert rows["exact_match"] == [
        "share of answers that come to the right number", "↑ higher is better", "0 – 100", "not known",
        "mini-v1, 8-shot, version 2",
    ]  # fmt: skip
    at(page, "#task&task=mini_choice_ar")
    assert "chance 25.0" in cells(section(page, "Metrics"))["acc_norm_char"]
    at(page, "#task&task=mini_translation_en-zh")
    table = section(page, "Metrics")
    assert heads(table)[-1] == "Signature"
    assert "↓ lower is better" in cells(table)["ter"]
    assert "no bounds" in cells(table)["ter"]
    assert "tok:zh" in cells(table)["bleu"][-1]


def test_rows_are_pinned_and_of_runs_on_other_rows_it_is_said_which(
    browser: Any, page: Any, small: Small, tmp_path: Path
) -> None:
    (spec,) = read_results(small.stray).spec.tasks
    (pin,) = spec.datasets
    assert cells(section(page, "Data")) == {
        pin.path: [pin.config, pin.split, pin.revision or "none stated", f"{pin.num_rows:,}", pin.fingerprint]
    }
    runs = [write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [EN], fingerprint="e" * 64)]
    address = page_of(runs, tmp_path / "p.html")
    with opened(browser, address + "#task&task=qa_en") as other:
        texts = [words(row) for row in section(other, "Data").locator("tbody tr").all()]
        assert texts == [
            f"org/data c test {'r' * 40} 50 {digit * 64} {name}" for digit, name in (("f", "a"), ("e", "b"))
        ]


# -- what came of it


def test_results_of_every_run_stand_with_interval_and_n(page: Any, small: Small) -> None:
    table = section(page, "Results")
    assert [head.partition(" ")[0] for head in heads(table)] == [
        "exact_match",
        "language_fidelity",
        "sentence_fidelity",
    ]
    rows = cells(table)
    assert set(rows) == {"plain", "talk", "stray"}
    for path in (small.plain, small.chat, small.stray):
        result = read_results(path)
        known = {one.metric: one for one in result.estimates if one.task == "mini_math_fr"}
        for metric, text in zip(
            ("exact_match", "language_fidelity", "sentence_fidelity"), rows[result.spec.subject], strict=True
        ):
            one = known[metric]
            assert one.low is not None
            assert one.high is not None
            assert text.startswith(f"{100 * one.value:.1f} {100 * one.low:.1f} – {100 * one.high:.1f} n {one.n}")
    assert "partial sample" in words(table.locator("tbody th", has_text="stray"))
    assert "12 of" not in words(table)


def test_categories_add_up_to_the_whole(page: Any, small: Small) -> None:
    table = section(page, "Headline by category")
    assert {head.partition(" ")[0] for head in heads(table)} == {"plain", "talk", "stray"}
    column = [head.partition(" ")[0] for head in heads(table)].index("stray")
    records = [one for one in read_samples(small.stray) if one.task == "mini_math_fr"]
    by_category: dict[str, list[float]] = {}
    for record in records:
        score = next(one for one in record.outcome.scores if one.name == "exact_match")
        by_category.setdefault(record.sample.category, []).append(score.counts[0])
    found = {name: texts[column] for name, texts in cells(table).items() if texts[column] != "not run"}
    assert set(found) == set(by_category)
    for name, values in by_category.items():
        assert found[name].startswith(f"{100 * sum(values) / len(values):.1f} ")
        assert f"n {len(values)}" in found[name]


def test_lengths_are_drawn_and_told(page: Any, small: Small) -> None:
    tokens = [
        reply.num_tokens
        for one in read_samples(small.stray)
        if one.task == "mini_math_fr"
        for reply in one.responses
        if isinstance(reply, Completion)
    ]
    figure = page.locator("figure.lengths", has_text="stray")
    assert "12 answers" in words(figure)
    assert figure.locator("svg[role=img]").get_attribute("aria-label").startswith("12 answers; the fullest bin is ")
    assert figure.locator("rect").count() == len({count.bit_length() for count in tokens})
    page.locator("summary", has_text="As numbers").click()
    table = page.locator("#task-lengths")
    table.wait_for()
    counts = [int(text.partition(" ")[0]) for text in cells(table)["stray"]]
    assert counts == [len(tokens)] + [
        sum(one.bit_length() == place for one in tokens) for place in range(len(counts) - 1)
    ]
    assert heads(table)[1:6] == ["0", "1", "2 – 3", "4 – 7", "8 – 15"]
    at(page, "#task&task=mini_choice_ar")
    assert page.locator("figure.lengths").count() == 0


def test_flags_are_shares_and_nought_has_its_interval(page: Any, small: Small) -> None:
    table = section(page, "Extraction failures")
    titles = [head.partition("↕")[0].strip() for head in heads(table)]
    raised = {
        path: next(one for one in read_results(path).tasks if one.task == "mini_math_fr")
        for path in (small.plain, small.stray)
    }
    assert titles[0] == "unparsed"
    assert set(titles) == {flag.replace("_", " ") for path in raised.values() for flag in path.flags} | {
        flag.replace("_", " ")
        for one in read_results(small.chat).tasks
        if one.task == "mini_math_fr"
        for flag in one.flags
    }
    strays = raised[small.stray]
    text = cells(table)["stray"][0]
    assert text.endswith(f" {strays.flags['unparsed']} of {strays.counts.scored}")
    steady = raised[small.plain]
    assert "wrong_language" not in steady.flags
    high = 100 * Z * Z / (steady.counts.scored + Z * Z)
    assert (
        cells(table)["plain"][titles.index("wrong language")] == f"0.0 % 0.0 – {high:.1f} 0 of {steady.counts.scored}"
    )
    at(page, "#task&task=mini_choice_ar")
    assert "No scored answer of any run was flagged." in words(page.locator("#view-task"))


def test_samples_end_as_counted(browser: Any, page: Any, small: Small, tmp_path: Path) -> None:
    table = section(page, "How samples ended")
    assert [head.partition("↕")[0].strip() for head in heads(table)] == [
        "Asked", "Scored", "Unscored", "Truncated prompts", "Generated tokens",
    ]  # fmt: skip
    summary = next(one for one in read_results(small.stray).tasks if one.task == "mini_math_fr")
    assert cells(table)["stray"] == ["12 of 20 available", "12", "0", "0", f"{summary.num_generated_tokens:,}"]
    holed = Part("qa_en", "qa", "en", n=16, num_unscored=4)
    path = write_run(tmp_path, "m", [holed])
    result = read_results(path)
    tasks = tuple(msgspec.structs.replace(task, num_truncated=3, num_prompt_tokens=1234) for task in result.tasks)
    write_results(path, msgspec.structs.replace(result, tasks=tasks))
    address = page_of([path], tmp_path / "p.html")
    with opened(browser, address + "#task&task=qa_en") as other:
        assert cells(section(other, "How samples ended"))["m"] == [
            "20", "16", "20.0 % 8.1 – 41.6 4 of 20 timeout 4", "3", "1,234", "0",
        ]  # fmt: skip
        assert "incomplete" in words(section(other, "How samples ended").locator("tbody th"))


def test_results_sort_and_stay_sorted(page: Any) -> None:
    section(page, "Results").locator("button.sort").nth(2).click()
    page.locator("#task-results th[aria-sort=descending]").wait_for()
    values = [
        float(words(cell.locator(".value"))) for cell in page.locator("#task-results tbody td:nth-of-type(2)").all()
    ]
    assert values == sorted(values, reverse=True)
    page.reload()
    page.locator("#task-results th[aria-sort=descending]").wait_for()


def test_the_task_is_saved_as_numbers(page: Any, small: Small) -> None:
    with page.expect_download() as download:
        page.locator("#download-json").click()
    tables = {table["name"]: table["rows"] for table in json.loads(Path(download.value.path()).read_text("utf-8"))}
    assert len(tables["Results"]) == 9
    estimate = next(
        one
        for one in read_results(small.stray).estimates
        if one.task == "mini_math_fr" and one.metric == "language_fidelity"
    )
    (row,) = [one for one in tables["Results"] if one["model"] == "stray" and one["metric"] == "language_fidelity"]
    assert (row["value"], row["n"]) == (pytest.approx(100 * estimate.value), estimate.n)
    assert set(tables) == {
        "Results",
        "Headline by category",
        "How samples ended",
        "Extraction failures and other flags",
    }


# -- hostile words, small screens


def test_hostile_texts_are_inert(browser: Any, tmp_path: Path) -> None:
    records = [
        text_record("qa_en:test:0", "en", HOSTILE, [HOSTILE], target=HOSTILE),
        choice_record("qa_en:test:1", "en", HOSTILE, (HOSTILE, "b")),
    ]
    part = Part("qa_en", "qa", "en", n=2, metric="acc" + HOSTILE, protocol=HOSTILE, signature="v2|" + HOSTILE)
    path = write_run(tmp_path, HOSTILE, [part], records, flags={HOSTILE: 1})
    result = read_results(path)
    tasks = tuple(
        msgspec.structs.replace(task, title=HOSTILE, source=HOSTILE, licence=HOSTILE, language_provenance=HOSTILE)
        for task in result.tasks
    )
    write_results(path, msgspec.structs.replace(result, tasks=tasks))
    address = page_of([path], tmp_path / "p.html", title=HOSTILE)
    with opened(browser, address + "#task&task=qa_en") as page:
        view = page.locator("#view-task")
        assert view.locator(".asked .text").first.inner_text().startswith("<img src=x onerror=")
        assert view.locator(".asked .unseen").all_inner_texts() == ["⟨U+202E⟩", "⟨U+D83D⟩"]
        assert view.locator("img, script, iframe, [onerror], [src]").count() == 0
        assert view.locator(".notice").count() == 0
        assert view.locator("h3").count() >= 6


@pytest.mark.parametrize("state", ["&task=mini_math_fr&open=prompt0,lengths", "&task=mini_choice_ar&ui=ar", ""])
def test_a_phone_scrolls_tables_and_not_the_page(browser: Any, small: Small, state: str) -> None:
    with opened(browser, small.address + "#task" + state, viewport={"width": 360, "height": 780}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_headings_go_down_by_one_and_tables_are_named(page: Any) -> None:
    at(page, "#task&task=mini_math_fr&open=prompt0,lengths")
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4, h5')].map((one) => Number(one.tagName[1]))")
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
