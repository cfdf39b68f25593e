"""The lists of samples and the pages of single ones in Chromium: filters, keys, six scripts, and hostile words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from browsing import ATTACK, assert_accessible
from sample_pages import at_view, opened, shows, went, written
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.records import SampleRecord
from evalsuite.types import Cause, Flag, Scored, Unscored

pytestmark = pytest.mark.browser

ARABIC = "ما عاصمة فرنسا؟\nالإجابة:"
LONG = "".join(f"line {number} of a long answer\n" for number in range(40_000))
CODES = ("en", "zh", "fr", "ar", "es", "hi")
QUESTIONS = dict.fromkeys(CODES, "Which?\nAnswer:") | {"ar": ARABIC, "zh": "哪一个？", "hi": "कौन सा?"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of two runs: choices in six languages, texts in one, an attack in every field, an unscored sample."""
    folder = tmp_path_factory.mktemp("page")
    return written(folder, [_first(folder), _second(folder)], title="A page " + ATTACK)


def _parts() -> list[Part]:
    choices = [Part(f"qa_{code}", "qa", code, n=1, value=0.5, interval=None) for code in CODES]
    return [*choices, Part("text", "text", "en", n=5, num_unscored=1, value=0.5)]


def _choices(picked: int) -> list[Any]:
    return [
        choice_record(f"qa_{code}:test:0", code, QUESTIONS[code], ("باريس", "B", "C"), gold=0, picked=picked)
        for code in CODES
    ]


def read_as(answer: str, record: SampleRecord) -> SampleRecord:
    """`record` with an answer that was read out of its text."""
    assert isinstance(record.outcome, Scored)
    return msgspec.structs.replace(record, outcome=msgspec.structs.replace(record.outcome, answer=answer))


def _first(folder: Path) -> Path:
    texts = [
        read_as("7", text_record("text:test:0", "en", "What is 3 + 4?", ["It is 7 or 17, so 7. Not 7.5!"], target="7")),
        text_record("text:test:1", "en", ATTACK, [ATTACK, ATTACK], target=ATTACK, flags=[Flag.CAPPED]),
        text_record("text:test:2", "en", "late", [None], target="x"),
        text_record("text:test:3", "en", "long", [LONG], target="x", counts=(0.0, 1.0), flags=[Flag.UNPARSED]),
        text_record("text:test:4", "en", "fruit", ["The cat sat on the mat."], target="x", counts=(0.0, 1.0)),
        text_record("text:test:5", "en", "open", ["No one knows."]),
    ]
    return write_run(folder, "model-one", _parts(), [*_choices(0), *texts])


def _second(folder: Path) -> Path:
    texts = [
        text_record("text:test:0", "en", "What is 3 + 4?", ["eight"], target="7", counts=(0.0, 1.0)),
        text_record("text:test:1", "en", ATTACK, [ATTACK], target=ATTACK),
        text_record("text:test:2", "en", "late", ["in time"], target="x"),
        text_record("text:test:3", "en", "Please, long", ["short"], target="x", question="long"),
        text_record("text:test:4", "en", "fruit", ["The dog sat on the red mat."], target="x", counts=(0.0, 1.0)),
        text_record("text:test:5", "en", "open", ["Some know."]),
    ]
    parts = [*_parts()[:-1], Part("text", "text", "en", n=6, value=0.5)]
    return write_run(folder, ATTACK, parts, [*_choices(1), *texts])


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, address + "#samples&task=text") as page:
        at_view(page, "samples")
        yield page


def lines(page: Any) -> list[str]:
    """The ids that are listed."""
    found: list[str] = page.locator("#samples-list .id").all_inner_texts()
    return found


def chosen(page: Any, label: str, option: str, *expected: int) -> None:
    """Chooses `option` of the select `label` and waits for the list to hold just these rows of the task."""
    page.get_by_label(label, exact=True).select_option(option)
    shows(page.locator("#samples-count"), f"{len(expected)} of 6 samples")
    assert lines(page) == [f"text:test:{row}" for row in expected]


def test_every_filter_leaves_just_what_it_names(page: Any) -> None:
    shows(page.locator("#samples-count"), "6 of 6 samples")
    for outcome, expected in (
        ("right", (0, 1, 2, 3)), ("wrong", (0, 3, 4)), ("answered", (5,)), ("unscored", (2,)),
        ("flipped", (0, 3)), ("only-b", (0,)), ("only-a", (3,)),
    ):  # fmt: skip
        chosen(page, "Outcome", outcome, *expected)
    one, other = page.get_by_label("Model A").locator("option").evaluate_all("all => all.map(one => one.value)")
    assert page.get_by_label("Model A").input_value() == one
    chosen(page, "Model B", one)
    chosen(page, "Model A", other, 0)
    chosen(page, "Outcome", "", 0, 1, 2, 3, 4, 5)
    chosen(page, "Flag", "any", 1, 3)
    chosen(page, "Flag", "unparsed", 3)
    chosen(page, "Outcome", "right")
    chosen(page, "Outcome", "wrong", 3)
    assert {"status=wrong", "flag=unparsed"} <= set(page.evaluate("location.hash").split("&"))


def test_an_outcome_in_one_model_and_in_every_model(page: Any) -> None:
    chosen(page, "Outcome", "wrong", 0, 3, 4)
    model = page.get_by_label("Model", exact=True)
    chosen(page, "Model", "every", 4)
    first = model.locator("option").evaluate_all("all => all.find(one => one.text === 'model-one').value")
    chosen(page, "Model", first, 3, 4)
    chosen(page, "Outcome", "", 0, 1, 2, 3, 4, 5)


def test_unscored_samples_by_their_cause(browser: Any, tmp_path: Path) -> None:
    records = [text_record(f"text:test:{row}", "en", "?", [None], target="x") for row in range(2)]
    records[1] = msgspec.structs.replace(records[1], outcome=Unscored(cause=Cause.OUT_OF_MEMORY))
    run = write_run(tmp_path, "m", [Part("text", "text", "en", n=0, num_unscored=2)], records)
    with opened(browser, written(tmp_path, [run]) + "#samples") as page:
        shows(page.locator("#samples-count"), "2 of 2 samples")
        page.get_by_label("Outcome").select_option("unscored:out_of_memory")
        shows(page.locator("#samples-count"), "1 of 2 samples")
        assert lines(page) == ["text:test:1"]


def test_search_finds_questions_answers_and_ids_as_they_are_typed(page: Any) -> None:
    count, box = page.locator("#samples-count"), page.get_by_label("Search the texts")
    for words, expected in (("LATE", [2]), ("sat on the", [4]), ("test:5", [5]), ("gnp.exe", [1]), ("no such", [])):
        box.fill(words)
        shows(count, f"{len(expected)} of 6 samples")
        assert lines(page) == [f"text:test:{row}" for row in expected], words
    box.fill("sat on")
    shows(count, "1 of 6 samples")
    page.locator("#samples-list a").click()
    at_view(page, "sample")
    shows(page.locator("#steps-place"), "1 of 1 · “sat on”")
    page.go_back()
    at_view(page, "samples")
    assert (box.input_value(), lines(page)) == ("sat on", ["text:test:4"])


def test_a_task_is_chosen_among_its_family(page: Any) -> None:
    assert page.locator("#samples-task optgroup").evaluate_all("all => all.map(one => one.label)") == ["qa", "text"]
    page.get_by_label("Task", exact=True).select_option("qa_ar")
    shows(page.locator("#samples-count"), "1 of 1 samples")
    excerpt = page.locator("#samples-list .excerpt")
    assert excerpt.evaluate("one => [getComputedStyle(one).direction, one.lang]") == ["rtl", "ar"]
    ticks = page.locator("#samples-list .tick").evaluate_all("all => all.map(one => [one.ariaLabel, one.textContent])")
    assert ["model-one: right", "✓ model-one"] in ticks


def test_arabic_sample_reads_from_the_right(page: Any) -> None:
    went(page, "#sample&task=qa_ar&sample=qa_ar:test:0")
    at_view(page, "sample")
    prompt = page.locator("details.prompt .text")
    assert prompt.evaluate("one => [getComputedStyle(one).direction, one.lang, one.dir]") == ["rtl", "ar", "auto"]
    assert prompt.inner_text() == ARABIC
    assert page.locator(".choices th", has=page.locator(".gold")).inner_text().startswith("✓ right answer")
    assert page.locator("td.picked").count() == 2, "one pick of each model"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "ltr"


def test_keys_links_and_back_button(page: Any) -> None:
    chosen(page, "Outcome", "wrong", 0, 3, 4)
    page.keyboard.press("j")  # the select still has the focus, where letters choose
    page.locator("#title").evaluate("one => one.focus()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.querySelector('.id').textContent") == "text:test:0"
    page.keyboard.press("Enter")
    title = page.locator("#title")
    shows(title, "Sample text:test:0")
    for key, sample in (("j", "text:test:3"), ("j", "text:test:4"), ("j", "text:test:4"), ("k", "text:test:3")):
        page.keyboard.press(key)
        shows(title, f"Sample {sample}")
    page.get_by_role("link", name="Next").click()
    shows(title, "Sample text:test:4")
    shows(page.locator("#steps-place"), "3 of 3 · ✗ wrong")
    for sample in ("text:test:3", "text:test:4", "text:test:3", "text:test:0"):
        page.go_back()
        shows(title, f"Sample {sample}")
    page.go_back()
    at_view(page, "samples")
    assert len(lines(page)) == 3


def test_f_cycles_the_filter_and_a_question_mark_lists_the_keys(page: Any) -> None:
    page.locator("#title").evaluate("one => one.focus()")
    page.keyboard.press("f")
    shows(page.locator("#samples-count"), "4 of 6 samples")
    page.keyboard.press("f")
    shows(page.locator("#samples-count"), "3 of 6 samples")
    assert page.get_by_label("Outcome").input_value() == "wrong"
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    assert dialog.locator("kbd").all_inner_texts() == ["j", "k", "f", "?"]
    page.keyboard.press("f")
    dialog.get_by_label("Use these keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.locator("#title").evaluate("one => one.focus()")
    page.keyboard.press("f")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") == "title", "letters do nothing any more"
    shows(page.locator("#samples-count"), "3 of 6 samples")
    went(page, "#sample&task=text&sample=text:test:0")
    shows(page.locator("#title"), "Sample text:test:0")
    page.keyboard.press("f")
    shows(page.locator("#steps-place"), "1 of 4 · ✓ right")
    page.keyboard.press("f")
    page.keyboard.press("f")
    shows(page.locator("#title"), "Sample text:test:5")


def test_attack_is_shown_as_text(page: Any) -> None:
    page.locator("#samples-list a", has_text="text:test:1").click()
    shows(page.locator("#title"), "Sample text:test:1")
    answer = page.locator(".text.answer").first
    assert answer.inner_text().startswith("<img src=x onerror=")
    assert answer.locator(".unseen").all_inner_texts() == ["⟨U+202E⟩", "⟨U+0007⟩", "⟨U+D83D⟩"]
    assert page.locator("img, iframe, a[href^=javascript]").count() == 0
    assert page.locator("body > script:not([type])").count() == 1
    page.locator("#diff-summary").click()
    assert page.locator("#diff-text .text").inner_text().startswith("<img src=x onerror=")


def test_escaping_holds_without_the_policy(browser: Any, address: str, tmp_path: Path) -> None:
    source = Path(address.removeprefix("file://")).read_text(encoding="utf-8")
    bare = tmp_path / "bare.html"
    bare.write_text(source.replace("Content-Security-Policy", "X-None"), encoding="utf-8")
    with opened(browser, bare.as_uri() + "#samples&task=text") as page:
        page.locator("#samples-list a", has_text="text:test:1").click()
        shows(page.locator("#title"), "Sample text:test:1")
        page.locator("#diff-summary").click()
        page.locator("#diff-text .text").wait_for()


def test_an_unscored_sample_says_why(page: Any) -> None:
    page.locator("#samples-list a", has_text="text:test:2").click()
    column = page.locator(".column", has_text="model-one")
    assert "△ unscored\ntimeout: 60 s" in column.inner_text()
    assert "Not answered. timeout: 60 s" in column.inner_text()


def test_answers_stand_side_by_side_with_what_was_read_from_them(page: Any) -> None:
    page.locator("#samples-list a", has_text="text:test:0").click()
    columns = page.locator(".column")
    tops = columns.evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert len(tops) == 2
    assert tops[0] == tops[1]
    mark = page.locator("mark")
    assert mark.evaluate("one => [one.firstChild.textContent, one.previousSibling.textContent]") == [
        "7",
        "It is 7 or 17, so ",
    ]
    first = columns.filter(has_text="model-one")
    assert "ended by its own end token; 7 tokens after 3 of prompt; at most 9 allowed" in first.inner_text()
    first.locator("summary").click()
    assert first.locator("dl").inner_text().split() == ["acc", "1", "/", "1"]
    page.locator(".models label", has_text="model-one").locator("input").uncheck()
    shows(page.locator("#answers-title"), "Answer of 1 model")
    assert columns.count() == 1
    assert page.evaluate("new URLSearchParams(location.hash.slice(1)).get('m').length") == 8


def test_prompts_that_differ_are_shown_once_each_with_those_they_were_sent_to(page: Any) -> None:
    page.locator("#samples-list a", has_text="text:test:3").click()
    prompts = page.locator("details.prompt")
    assert prompts.count() == 2
    assert prompts.filter(has_text="Please").locator("summary bdi").inner_text().startswith("<img")
    page.keyboard.press("k")
    shows(page.locator("#title"), "Sample text:test:2")
    assert prompts.count() == 1


def test_two_answers_word_by_word(page: Any) -> None:
    page.locator("#samples-list a", has_text="text:test:4").click()
    page.locator("#diff-summary").click()
    text = page.locator("#diff-text .text")
    assert [text.locator(kind).all_inner_texts() for kind in ("del", "ins")] == [["dog", " red"], ["cat"]]
    look = "all => all.map(one => getComputedStyle(one).textDecorationLine)"
    assert set(text.locator("del").evaluate_all(look)) == {"line-through"}
    assert set(text.locator("ins").evaluate_all(look)) == {"underline"}
    page.get_by_label("Model A").select_option(label="model-one")
    shows(text.locator("ins").first, "dog")
    assert [text.locator(kind).all_inner_texts() for kind in ("del", "ins")] == [["cat"], ["dog", " red"]]


def test_a_long_answer_is_cut_and_shown_in_whole_when_asked(page: Any) -> None:
    page.locator("#samples-list a", has_text="text:test:3").click()
    answer = page.locator(".column", has_text="line 0 of").locator(".text.answer")
    assert len(answer.text_content()) < 13_000
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Show all").wait_for(state="detached")
    assert answer.text_content() == LONG


def test_no_view_scrolls_sideways_on_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for task, row in (("qa_ar", 0), ("qa_zh", 0), ("qa_hi", 0), *(("text", row) for row in range(6))):
        went(page, f"#sample&task={task}&sample={task}:test:{row}&prompt=open&diff=open")
        shows(page.locator("#title"), f"Sample {task}:test:{row}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, (task, row)
        lefts = page.locator(".column").evaluate_all("all => all.map(one => one.getBoundingClientRect().left)")
        assert len(set(lefts)) == 1, "stacked"


def test_a_link_to_a_sample_opens_it_and_a_dead_one_says_so(page: Any, address: str) -> None:
    link = page.locator("#samples-list a", has_text="text:test:5").get_attribute("href")
    page.goto("about:blank")
    page.goto(address + link)
    shows(page.locator("#title"), "Sample text:test:5")
    went(page, "#sample&task=text&sample=nothing/%E0%A4%A")
    assert "There is no sample" in page.locator(".notice").inner_text()
    page.get_by_role("link", name="All samples").click()
    at_view(page, "samples")


@pytest.mark.parametrize("kept", ["none", "failures", "hidden"])
def test_texts_that_are_not_kept_are_missed_aloud(browser: Any, tmp_path: Path, kept: str) -> None:
    runs = [_first(tmp_path), _second(tmp_path)]
    options = {"hidden": ["text"]} if kept == "hidden" else {"samples": kept}
    address = written(tmp_path, runs, **options)  # type: ignore[arg-type]
    said = {"none": "keeps no texts", "failures": "that are not right", "hidden": "licence"}[kept]
    with opened(browser, address + "#samples&task=text") as page:
        shows(page.locator("#samples-count"), "6 of 6 samples")
        assert said in page.locator(".notice").inner_text()
        assert page.locator("#samples-list .excerpt").count() == (5 if kept == "failures" else 0)
        page.locator("#samples-list a", has_text="text:test:0").click()
        first = page.locator(".column", has_text="model-one")
        assert said in page.locator(".notice").inner_text()
        assert "✓ right" in first.inner_text()
        assert "The texts of this answer are not kept" in first.inner_text()
        first.locator("summary").click()
        assert "1 / 1" in first.inner_text()
        assert ("eight" in page.locator("main").inner_text()) == (kept == "failures")


def test_what_is_listed_can_be_saved(page: Any) -> None:
    chosen(page, "Outcome", "wrong", 0, 3, 4)
    with page.expect_download() as found:
        page.get_by_role("button", name="CSV").click()
    text = Path(found.value.path()).read_text(encoding="utf-8")
    assert "sample,language,category,run,model,status,flags,cause,answer" in text
    assert [row[:14] for row in text.splitlines() if row.startswith("text:test:")] == [
        f"text:test:{row},en" for row in (0, 0, 3, 3, 4, 4)
    ]  # fmt: skip


def test_page_and_python_agree_on_unseen_characters(page: Any) -> None:
    from evalsuite.reports._pages import resource

    from evalsuite.text.visible import visible

    script = resource("page/text.js").partition("const UNSEEN =")[2].partition("const SVG")[0].strip().removesuffix(";")
    found = page.evaluate(
        "Array.from({length: 0x110000}, (_, code) => code)"
        f".filter((unseen => code => String.fromCodePoint(code).search(unseen) >= 0)({script}))"
    )
    assert found == [code for code in range(0x110000) if visible(chr(code)) != chr(code)]


def test_the_page_opens_where_a_browser_has_no_decoder_of_its_own(browser: Any, address: str) -> None:
    context = browser.new_context()
    context.add_init_script("delete Uint8Array.fromBase64")
    page = context.new_page()
    page.goto(address + "#samples&task=text")
    shows(page.locator("#samples-count"), "6 of 6 samples")
    context.close()


def test_an_address_cut_short_or_made_up_asks_for_nothing(page: Any) -> None:
    went(page, "#samples&task=none&run=zzz&status=wrongly&flag=x&lang=xx&cat=y&a=1&n=-5&q=%E0%A4")
    shows(page.locator("#view-samples [role=alert]"), "This page has no task \u2068none\u2069.")
    went(page, "#samples&task=text&status=right:timeout&m=,,&n=1e9")
    shows(page.locator("#samples-count"), "6 of 6 samples")


def test_numbers_below_zero_are_whole_in_arabic(page: Any) -> None:
    went(page, "#sample&task=qa_ar&sample=qa_ar:test:0&ui=ar")
    page.locator("html[dir=rtl]").wait_for()
    shows(page.locator("#title"), "العيّنة qa_ar:test:0")
    assert "⟨U+200E⟩" not in page.locator("table.choices").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_barred(browser: Any, address: str, scheme: str) -> None:
    with opened(browser, address + "#samples&task=text&status=flipped", color_scheme=scheme) as page:
        at_view(page, "samples")
        assert_accessible(page)
        for task in ("text", "qa_ar"):
            went(page, f"#sample&task={task}&sample={task}:test:0&prompt=open&diff=open")
            shows(page.locator("#title"), f"Sample {task}:test:0")
            page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
            assert_accessible(page)
        page.locator("#keys-button").click()
        assert_accessible(page)
