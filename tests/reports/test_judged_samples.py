"""What judges said, on the pages of samples: real runs, judged through the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import judged_runs
import pytest
from sample_pages import bare, opened, shows, went, written

from evalsuite.boards.loading import load_runs
from evalsuite.boards.sample_views import samples_of
from evalsuite.boards.task_pages import tasks_of

TASK = "mini_chat_en"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models' answers; a judge that goes by the order, two that rate one of the models, and these two as a jury."""
    folder = tmp_path_factory.mktemp("judged")
    apple, pear = (judged_runs.answered(folder, name) for name in ("apple", "pear"))
    pairs = judged_runs.judged(folder, "pairwise", "first", apple, pear)
    ratings = [judged_runs.judged(folder, "rating", name, apple) for name in ("moody", "strict")]
    return [apple, pear, pairs, *ratings, judged_runs.jury(folder, *ratings)]


@pytest.fixture(scope="module")
def address(runs: list[Path]) -> str:
    return written(runs[0].parent, runs)


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, address + "#samples") as page:
        shows(page.locator("#samples-count"), "36 of 36 samples")
        yield page


def verdicts(runs: list[Path]) -> dict[str, set[str]]:
    """What the two judges that rate say of every case."""
    found = samples_of(load_runs(runs[3:5]), TASK, kept="all")
    return {
        facts.id: {answer.answer for answers in found.answers if (answer := answers[at]) is not None}
        for at, facts in enumerate(found.samples)
    }


def test_verdicts_are_no_answers(runs: list[Path]) -> None:
    (task,) = tasks_of(load_runs(runs))
    assert task.title == "Open prompts of two turns"
    found = samples_of(load_runs(runs), TASK, kept="none")
    assert [facts.id for facts in found.samples[:2]] == [f"{TASK}:test:0", f"{TASK}:test:1"], "questions before cases"
    assert {answer.status for answers in found.answers for answer in answers if answer} == {"answered"}
    kept = {answer.answer for answers in found.answers for answer in answers if answer and answer.answer}
    assert kept == {"tie", "4", "9"}, "verdicts are kept where texts are not"


@pytest.mark.browser
def test_judges_that_disagree_are_found(page: Any, runs: list[Path]) -> None:
    split = sorted(name for name, said in verdicts(runs).items() if len(said) > 1)
    assert 0 < len(split) < 12
    page.get_by_label("Outcome").select_option("disagree")
    shows(page.locator("#samples-count"), f"{len(split) + 12} of 36 samples")
    listed = page.locator("#samples-list .id").all_inner_texts()
    assert sorted(name for name in listed if name.endswith("/rating")) == split
    assert sum(name.endswith("/pair") for name in listed) == 12, "this judge changes its mind with the order"


@pytest.mark.browser
def test_an_answer_stands_with_every_verdict_on_it(page: Any, runs: list[Path]) -> None:
    case = next(name for name, said in sorted(verdicts(runs).items()) if len(said) > 1)
    sample = case.removesuffix("/rating")
    went(page, f"#sample&sample={sample}")
    shows(page.locator("#title"), f"Sample {sample}")
    apple, pear = page.locator(".column").all()
    said = apple.locator(".opinion").evaluate_all("all => all.map(one => one.firstChild.textContent)")
    jury = next(name for name in ("moody, strict", "strict, moody") if name in " ".join(said))
    assert sorted(map(bare, said)) == [
        "first: a tie", f"jury of {jury} (mean): several verdicts as one", "moody: rated 9", "strict: rated 4",
    ]  # fmt: skip
    assert "the jurors differ" in apple.inner_text()
    assert pear.locator(".opinion").count() == 1
    assert "the order of the answers changes the verdict" in pear.inner_text()
    pear.get_by_text("Reasons").click()
    assert pear.locator(".opinion .text").all_inner_texts() == ["What stands first is clearer.\n[[A]]"] * 2
    pear.get_by_role("link", name=f"case {sample}/pair").click()
    shows(page.locator("#title"), f"Sample {sample}/pair")
    column = page.locator(".column")
    assert bare(column.locator("h4").inner_text()).strip() == "first judging apple, pear (pairwise)"
    assert column.locator(".judged").inner_text().startswith("a tie")
    page.get_by_role("link", name=sample, exact=True).click()
    shows(page.locator("#title"), f"Sample {sample}")
