"""Twenty thousand samples in one task, and a megabyte in one answer: the page keeps up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sample_pages import opened, saved, shows, went
from sealed_runs import Part, text_record, write_run

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.loading import load_runs
from evalsuite.boards.sample_records import Answer, Reply, SampleFacts, TaskSamples
from evalsuite.boards.sample_views import samples_of

pytestmark = pytest.mark.browser

NUM_SAMPLES = 20_000
RUNS = (0, 1)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of a small task and of one that has 20,000 samples, with two models' answers."""
    folder = tmp_path_factory.mktemp("many")
    parts = [Part(name, name, "en", n=1) for name in ("few", "many")]
    records = [text_record(f"{name}:test:0", "en", "q", ["a"], target="a") for name in ("few", "many")]
    loaded = load_runs([write_run(folder, f"model-{run}", parts, records) for run in RUNS])
    samples = [samples_of(loaded, "few", kept="all"), _many()]
    return saved(folder / "page.html", board_of(loaded, BoardOptions()), samples)


def _many() -> TaskSamples:
    rng = random.Random(5)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(2000)]

    def say(count: int) -> str:
        return " ".join(rng.choices(words, k=count))

    return TaskSamples(
        task="many",
        headline="acc",
        prompts=tuple(f"Question {row}: {say(30)}" for row in range(NUM_SAMPLES)),
        samples=tuple(
            SampleFacts(id=f"many:test:{row}", language="en", input=say(30), target=say(1))
            for row in range(NUM_SAMPLES)
        ),
        runs=RUNS,
        answers=tuple(tuple(_answer(row, say(40), rng.random() < 0.5) for row in range(NUM_SAMPLES)) for _ in RUNS),
    )


def _answer(row: int, text: str, is_right: bool) -> Answer:
    reply = Reply(prompt=row, kind="generate", text=text, stop_reason="end", num_prompt_tokens=50, num_tokens=60)
    return Answer(status="right" if is_right else "wrong", counts={"acc": (float(is_right), 1.0)}, replies=(reply,))


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, address + "#samples&task=few") as page:
        page.set_default_timeout(60_000)
        shows(page.locator("#samples-count"), "1 of 1 samples")
        yield page


def test_a_large_task_opens_and_is_filtered_while_one_types(page: Any) -> None:
    count = page.locator("#samples-count")
    went(page, "#samples&task=many")
    shows(count, "20,000 of 20,000 samples")
    assert page.locator("#samples-list li").count() == 200
    box = page.get_by_label("Search the texts")
    for words in (":1", ":12", ":123", ":12", ":1", ":", ":7", ":77"):
        box.fill(words)
        expected = sum(words in f"many:test:{row}" for row in range(NUM_SAMPLES))
        shows(count, f"{expected:,} of 20,000 samples")


def test_more_lines_are_added_two_hundred_at_a_time_and_are_still_there_on_the_way_back(page: Any) -> None:
    went(page, "#samples&task=many")
    lines = page.locator("#samples-list li")
    shows(page.locator("#samples-count"), "20,000 of 20,000 samples")
    for wanted in (400, 600):
        page.get_by_role("button", name="Show more").click()
        lines.nth(wanted - 1).wait_for()
        assert lines.count() == wanted
    assert page.evaluate("document.activeElement.id") == "sample-400", "the first of the new ones"
    link = lines.nth(590).locator("a")
    link.scroll_into_view_if_needed()
    top = page.evaluate("window.scrollY")
    link.click()
    shows(page.locator("#title"), "Sample many:test:590")
    shows(page.locator("#steps-place"), "591 of 20,000")
    page.go_back()
    lines.nth(599).wait_for()
    assert page.evaluate("window.scrollY") == top


def test_a_megabyte_without_a_single_space_is_shown_step_by_step(browser: Any, tmp_path: Path) -> None:
    text = "0123456789" * 100_000
    record = text_record("few:test:0", "en", "q", [text], target="a")
    run = write_run(tmp_path, "m", [Part("few", "few", "en", n=1)], [record])
    loaded = load_runs([run])
    board = msgspec.structs.replace(board_of(loaded, BoardOptions()), title="long")
    with opened(browser, saved(tmp_path / "page.html", board, [samples_of(loaded, "few", kept="all")])) as page:
        page.set_default_timeout(60_000)
        went(page, "#sample&task=few&sample=few:test:0")
        shows(page.locator("#title"), "Sample few:test:0")
        answer = page.locator(".text.answer")
        assert len(answer.text_content()) == 12_000
        page.get_by_role("button", name="Show all").click()
        page.get_by_role("button", name="Show all").wait_for(state="detached")
        assert answer.text_content() == text
        assert answer.locator(".piece").count() == 20
