"""What a board says of judges: who judged what, how sure, what they lean to, and whether they are fit to judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from judged_boards import answered, card, judged, rate, write_cards

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.judge_records import Judging
from evalsuite.boards.loading import load_runs
from evalsuite.boards.records import Board
from evalsuite.cli.report_command import write_report
from evalsuite.errors import DataError, UsageError
from evalsuite.judge_cards import measures_of
from evalsuite.preference.prediction_powered import Admissibility
from evalsuite.preference.summary import JudgeFindings, PreferenceSummary
from evalsuite.proofs.card_files import read_cards
from evalsuite.stats import intervals
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Scored

ASKED = ("--tasks", "mini_chat_en,mini_chat_hi")


@dataclass(frozen=True)
class Small:
    """Answers of three models to chats in two languages, and what several judges say of them."""

    answers: Mapping[str, Path]
    judged: Mapping[str, Path]

    @property
    def paths(self) -> list[Path]:
        return list(self.judged.values())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("judges")
    models = {name: answered(folder, name, *ASKED) for name in ("ash", "birch", "larch")}
    ash, birch, larch = models.values()
    ratings = {f"{by} {name}": judged(folder, "rating", by, path, name={"vain": "ash"}.get(by, by))
               for by in ("fair", "vain") for name, path in models.items()}  # fmt: skip
    pairs = {
        "first": judged(folder, "pairwise", "first", ash, birch),
        "own first": judged(folder, "pairwise", "second", ash, birch, name="ash"),
        "own second": judged(folder, "pairwise", "second", ash, birch, name="birch"),
    }
    return Small(models, {**ratings, **pairs, "shy": judged(folder, "rating", "shy", larch)})


@pytest.fixture(scope="module")
def board(small: Small) -> Board:
    return board_of(load_runs(small.paths), BoardOptions(samples="none"))


def named(board: Board, judge: str, model: str, task: str = "mini_chat_en") -> Judging:
    (found,) = [
        one for one in board.judgings
        if (one.judge, one.model, board.tasks[one.task].name) == (judge, model, task)
    ]  # fmt: skip
    return found


def models_of(board: Board, judging: Judging) -> list[str]:
    return [board.runs[part.run].name for part in judging.runs]


def ratings(path: Path, task: str = "mini_chat_en") -> dict[str, float]:
    """By case the rating that a run holds."""
    return {
        record.sample.id: record.outcome.scores[0].counts[0]
        for record in read_samples(path)
        if record.task == task and isinstance(record.outcome, Scored)
    }


# -- who judged what


def test_every_judge_of_every_task_is_apart(board: Board) -> None:
    assert {(board.tasks[one.task].name, one.judge, one.model) for one in board.judgings} == {
        (task, judge, model)
        for task in ("mini_chat_en", "mini_chat_hi")
        for judge, model in (
            *(("rating", "fair"), ("rating", "ash"), ("rating", "shy")),
            *(("pairwise", "first"), ("pairwise", "ash"), ("pairwise", "birch")),
        )
    }
    fair = named(board, "rating", "fair")
    assert (fair.protocol, fair.rival, models_of(board, fair)) == (
        "mini-v1/rating-v1@fair", "", ["ash", "birch", "larch"]
    )  # fmt: skip
    first = named(board, "pairwise", "first")
    assert (first.protocol, first.rival, models_of(board, first)) == (
        "mini-v1/pairwise-v1@first vs birch", "birch", ["ash"]
    )  # fmt: skip


def test_judges_of_one_name_that_are_not_the_same_stay_apart(small: Small, tmp_path: Path) -> None:
    other = judged(tmp_path, "rating", "vain", small.answers["birch"], name="fair")
    board = board_of(load_runs([small.judged["fair ash"], other]), BoardOptions(samples="none"))
    found = [one for one in board.judgings if board.tasks[one.task].name == "mini_chat_en"]
    assert [models_of(board, one) for one in found] in ([["ash"], ["birch"]], [["birch"], ["ash"]])
    assert found[0].protocol == found[1].protocol
    assert found[0].setup != found[1].setup


def test_replies_without_a_verdict_are_a_rate(board: Board, small: Small) -> None:
    shy = named(board, "rating", "shy")
    (part,) = shy.runs
    unparsed = [not isinstance(one.outcome, Scored) for one in read_samples(small.judged["shy"]) if
                one.task == "mini_chat_en"]  # fmt: skip
    assert 0 < sum(unparsed) < len(unparsed)
    assert (part.unparsed.count, part.unparsed.n, part.num_missing) == (sum(unparsed), len(unparsed), 0)
    share, n = sum(unparsed) / len(unparsed), len(unparsed)
    stderr = math.sqrt(share * (1 - share) / (n - 1))
    low, high = intervals.wilson(share, intervals.num_effective(share, stderr, n, n))
    assert (part.unparsed.low, part.unparsed.high) == (pytest.approx(low), pytest.approx(high))
    (none, *_) = named(board, "rating", "fair").runs
    assert (none.unparsed.count, none.unparsed.low, none.unparsed.n) == (0, 0.0, n)
    assert none.unparsed.high == pytest.approx(intervals.wilson(0.0, n)[1])


def test_turns_of_one_question_are_one_cluster(mirror: Path, tmp_path: Path) -> None:
    """`shy` says nothing of a conversation from its first grade on, so that both turns go together."""
    answers = answered(tmp_path, "larch", "--tasks", "mt_bench", "--limit", "12")
    path = judged(tmp_path, "mt_bench_single", "shy", answers)
    board = board_of(load_runs([path]), BoardOptions(samples="none"))
    (part,) = named(board, "mt_bench_single", "shy", "mt_bench").runs
    assert part.unparsed.n == 24
    assert part.unparsed.low is not None
    assert part.unparsed.high is not None
    as_if_24 = intervals.wilson(part.unparsed.count / 24, 24)
    assert part.unparsed.high - part.unparsed.low > 1.2 * (as_if_24[1] - as_if_24[0])


def test_answers_that_never_came_are_told_apart(small: Small, tmp_path: Path) -> None:
    """The second run holds fewer samples, so that the others cannot be asked about."""
    part = answered(tmp_path, "larch", "--tasks", "mini_chat_en", "--limit", "2")
    path = judged(tmp_path, "pairwise", "second", part, small.answers["ash"])
    board = board_of(load_runs([path]), BoardOptions(samples="none"))
    (found,) = named(board, "pairwise", "second").runs
    records = [one for one in read_samples(path) if one.task == "mini_chat_en"]
    assert (found.unparsed.n, found.num_missing) == (2, len(records) - 2)
    assert found.num_missing > 0


# -- leanings


def points(small: Small, models: Sequence[str]) -> tuple[Any, ...]:
    """Of every rating by `fair`: the model's and the case's place, doublings of length, and the share of the scale."""
    rows = []
    for place, model in enumerate(models):
        for record in read_samples(small.judged[f"fair {model}"]):
            if record.task == "mini_chat_en":
                assert isinstance(record.outcome, Scored)
                shown = [text for key, text in record.sample.metadata.items() if key.startswith("answer_")]
                length = math.log2(sum(len(str(text)) for text in shown))
                rows.append((place, record.sample.id, length, record.outcome.scores[0].counts[0] / 9))
    names = sorted({row[1] for row in rows})
    return tuple(map(np.array, zip(*((one, names.index(two), x, y) for one, two, x, y in rows), strict=True)))


def slope(model: Any, case: Any, x: Any, y: Any) -> float:
    """Least squares with an intercept for every model and every case, by dummies."""
    dummies = [(kind == value).astype(float) for kind in (model, case) for value in np.unique(kind)]
    found: float = np.linalg.lstsq(np.stack([x, *dummies], axis=1), y, rcond=None)[0][0]
    return found


def test_what_goes_with_length_is_least_squares_within_models_and_questions(board: Board, small: Small) -> None:
    found = named(board, "rating", "fair").length_slope
    assert found is not None
    model, case, x, y = points(small, ("ash", "birch", "larch"))
    value = slope(model, case, x, y)
    assert value != 0
    assert found.value == pytest.approx(value)
    left = [slope(*(part[case != one] for part in (model, case, x, y))) for one in np.unique(case)]
    num = len(left)
    assert (found.n, found.num_clusters) == (len(y), num)
    stderr = math.sqrt((num - 1) / num * float(((np.array(left) - np.mean(left)) ** 2).sum()))
    ends = intervals.t_interval(value, stderr, num, None)
    assert ends is not None
    assert (found.low, found.high) == (pytest.approx(ends[0]), pytest.approx(ends[1]))


def test_one_run_alone_tells_nothing_of_length(board: Board) -> None:
    """What is rated once has no other answer to the same question beside it."""
    assert named(board, "rating", "shy").length_slope is None


def test_preferences_over_length_have_an_intercept(board: Board, small: Small) -> None:
    found = named(board, "pairwise", "first").length_slope
    xs, ys = [], []
    for record in read_samples(small.judged["first"]):
        if record.task == "mini_chat_en" and isinstance(record.outcome, Scored):
            a, b = (sum(len(str(text)) for key, text in record.sample.metadata.items() if key.startswith(side))
                    for side in ("a_", "b_"))  # fmt: skip
            xs.append(math.log2(a / b))
            ys.append(record.outcome.scores[0].counts[0])
    assert found is not None
    assert found.value == pytest.approx(np.polyfit(xs, ys, 1)[0])


def test_a_judge_that_rates_its_own_answers_higher_is_found(board: Board, small: Small) -> None:
    (found,) = [one for one in named(board, "rating", "ash").self_preferences if one.other_judge == "fair"]
    own = {name: ratings(small.judged[f"vain {name}"]) for name in small.answers}
    fair = {name: ratings(small.judged[f"fair {name}"]) for name in small.answers}
    gaps = [
        own["ash"][case] - fair["ash"][case]
        - sum(own[name][case] - fair[name][case] for name in ("birch", "larch")) / 2
        for case in own["ash"]
    ]  # fmt: skip
    assert found.value == pytest.approx(np.mean(gaps))
    ends = intervals.t_interval(
        float(np.mean(gaps)), float(np.std(gaps, ddof=1)) / math.sqrt(len(gaps)), len(gaps), None
    )
    assert ends is not None
    assert (found.low, found.high) == (pytest.approx(ends[0]), pytest.approx(ends[1]))
    assert (found.n, found.others, found.scale) == (len(gaps), ("birch", "larch"), 1.0)
    assert board.runs[found.run].name == "ash"
    assert named(board, "rating", "fair").self_preferences == ()


def test_of_pairs_either_side_may_be_the_judge(board: Board) -> None:
    """`ash` and `birch` judge alike, so that what the one gives itself more, the other gives itself less."""
    by_ash = {one.other_judge: one for one in named(board, "pairwise", "ash").self_preferences}
    by_birch = {one.other_judge: one for one in named(board, "pairwise", "birch").self_preferences}
    assert by_ash.keys() == {"first", "birch"}
    assert by_birch.keys() == {"first", "ash"}
    assert by_ash["first"].value != 0
    assert by_ash["first"].value == -by_birch["first"].value
    assert (by_ash["birch"].value, by_ash["birch"].low) == (0.0, None)
    assert (by_ash["first"].others, by_birch["first"].others) == (("birch",), ("ash",))
    assert by_ash["first"].scale == 100.0


# -- cards and people


def test_cards_mark_the_runs_of_judges_that_are_not_fit(small: Small) -> None:
    cards = (
        card("fair", attacks=rate(0.6)),
        card("fair", language="hi"),
        card("first", "pairwise", decent=rate(None)),
        card("ash", protocol="rating-v0", attacks=rate(0.6)),
    )
    board = board_of(load_runs(small.paths), BoardOptions(samples="none", cards=cards))
    assert [(one.model, one.language, one.is_admissible) for one in board.cards] == [
        ("first", "en", False), ("ash", "en", False), ("fair", "en", False), ("fair", "hi", True)
    ]  # fmt: skip
    assert named(board, "rating", "fair").card == 2
    assert named(board, "rating", "fair", "mini_chat_hi").card == 3
    assert named(board, "pairwise", "first").card == 0, "a rival's name stands after the judge's"
    assert named(board, "rating", "ash").card is None, "a card by other rules says nothing"
    unfit = {(run.judged.judge, run.model.name): run.unfit for run in board.runs if run.judged}
    told = {who: [(one.language, one.source) for one in found] for who, found in unfit.items() if found}
    assert told == {("rating", "fair"): [("en", "card")], ("pairwise", "first"): [("en", "card")]}


def test_admissible_is_what_the_figures_say(small: Small) -> None:
    """Whatever a file claims: each limit is crossed alone, by a hair, and the claim stays."""
    whole = card("m", "pairwise")
    assert all(one.is_kept for one in measures_of(whole))
    crossed = {
        "parse_rate": rate(0.979), "decent": rate(0.6), "attacks": rate(0.4), "kinds": (rate(0.51, "bidi"),),
        "nulls": (rate(0.4, "praise"),), "swap_consistency": rate(0.79), "first_position": rate(0.39),
        "length_slope": msgspec.structs.replace(whole.length_slope, per_doubling=0.101),
    }  # fmt: skip
    for name, figure in crossed.items():
        broken = msgspec.structs.replace(whole, **{name: figure})
        assert broken.is_admissible
        (found,) = board_of((), BoardOptions(cards=(broken,))).cards
        assert not found.is_admissible
        assert [one.what for one in found.measures if not one.is_kept] == [name.removesuffix("s") if name in
                ("kinds", "nulls") else name]  # fmt: skip


def admission(language: str, verdict: Any) -> Admissibility:
    return Admissibility(
        language=language, verdict=verdict, judge_agreement=0.4, people_agreement=0.7, difference=-0.3, low=-0.4,
        high=-0.2, num_units=40, num_prompts=20,
    )  # fmt: skip


def test_people_mark_the_runs_of_judges_that_are_not_fit(small: Small) -> None:
    from vote_summaries import summary

    findings = JudgeFindings(
        judge="pairwise@first", num_verdicts=9, agreement=(), kappas=(),
        admissibility=(admission("en", "admissible"), admission("hi", "not admissible")),
    )  # fmt: skip
    votes: PreferenceSummary = msgspec.structs.replace(summary(), judges=(findings,))
    board = board_of(load_runs(small.paths), BoardOptions(samples="none", preference=votes))
    assert named(board, "pairwise", "first").people == "admissible"
    assert named(board, "pairwise", "first", "mini_chat_hi").people == "not admissible"
    assert named(board, "pairwise", "ash").people is None
    assert [(run.model.name, [(one.language, one.source) for one in run.unfit]) for run in board.runs if run.unfit] == [
        ("first", [("hi", "people")])
    ]


# -- files of cards


def test_cards_are_read_from_files_and_directories_once(tmp_path: Path) -> None:
    one, other = card("fair"), card("fair", language="hi")
    file = write_cards(tmp_path / "judge_card.json", one, other)
    assert read_cards([file, tmp_path]) == (one, other)


def test_what_is_no_card_is_refused_by_name(tmp_path: Path) -> None:
    bad = tmp_path / "x.json"
    for text, said in (
        ("[]", "no cards by language"), ("{}", "no cards by language"), ("{", "x.json"),
        ('{"en": {"judge": "rating"}}', "missing required field"),
        (write_cards(tmp_path / "y.json", card("m", language="hi")).read_text().replace('{"hi"', '{"en"'), "'en'"),
    ):  # fmt: skip
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=r"x\.json is no file of judge cards") as found:
            read_cards([bad])
        assert said in str(found.value)
    with pytest.raises(DataError, match="cannot be read"):
        read_cards([tmp_path / "nowhere.json"])
    files = [write_cards(tmp_path / f"{n}.json", card("m", num_cases=n)) for n in (1, 2)]
    with pytest.raises(UsageError, match=r"1\.json and .*2\.json hold different cards of m under rating in en"):
        read_cards(files)


def test_pages_of_pairs_without_a_verdict_can_be_verified(small: Small, tmp_path: Path) -> None:
    """Of losses, where less is better, the best case is that no unscored pair is one."""
    from evalsuite.reports.page_check import check

    path = judged(tmp_path, "pairwise", "coy", small.answers["ash"], small.answers["birch"])
    page = write_report([path, *small.answers.values()], tmp_path / "page.html", BoardOptions())
    losses = [one for one in read_results(path).estimates if not one.higher_is_better and one.best_case is not None]
    assert any(one.best_case != one.worst_case for one in losses), [one.metric for one in losses]
    assert check(page, [path]).findings == ()
