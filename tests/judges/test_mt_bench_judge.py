"""MT-Bench's judges: FastChat's requests to the byte, its totals, and what becomes of replies without a verdict."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from evalsuite.judges.mt_bench import CATEGORIES, DOUBTFUL_REFERENCES, mt_bench_pair, mt_bench_single
from official_cases import (
    GOLDEN,
    MT_BENCH_TEMPLATES,
    answered,
    assert_scores_have_metrics,
    counts,
    judged,
    messages,
    mt_bench_sample,
    reply,
    rows,
    values_of,
)

from evalsuite.contracts import Answered, JudgeOptions, Rubric
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import DataError, UsageError
from evalsuite.types import GenerateRequest, Sample
from evalsuite.verdicts import Preferred, Rated, Unparsed, Winner


def math(question_id: int = 112) -> Sample:
    return mt_bench_sample(31, "math", question_id, reference_1="four", reference_2="five")


def single(options: JudgeOptions | None = None) -> Rubric:
    return mt_bench_single.build((MT_BENCH_TEMPLATES,), options or JudgeOptions())


def pair() -> Rubric:
    return mt_bench_pair.build((MT_BENCH_TEMPLATES,), JudgeOptions())


def cases(rubric: Rubric, *runs: Answered) -> tuple[Sample, ...]:
    """Cases of runs of one answered sample each."""
    return rubric.cases(tuple((run,) for run in runs))


def texts(rubric: Rubric, case: Sample) -> list[tuple[str, str]]:
    found = []
    for request in rubric.render(case):
        system, user = messages(request)
        assert (system.role, user.role) == ("system", "user")
        found.append((system.content, user.content))
    return found


# -- cases


def test_every_question_gives_a_case_a_turn() -> None:
    first, second = cases(single(), answered(mt_bench_sample(), "A {b}", "B"))
    assert (first.id, second.id) == ("mt_bench:test:0/turn1", "mt_bench:test:0/turn2")
    assert (first.cluster, second.cluster) == ("mt_bench:test:0", "mt_bench:test:0")
    assert (first.input, second.input) == ("Write {a}.", "Now shorter.")
    assert (first.category, first.language) == ("writing", "en")
    assert first.metadata == {"turn": "1", "question_id": "81", "answer_1": "A {b}"}
    assert second.metadata == {"turn": "2", "question_id": "81", "answer_1": "A {b}", "answer_2": "B"}


def test_a_declared_cluster_is_kept() -> None:
    source = Sample(id="mt_bench:test:0+1", input="", language="en", turns=("a", "b"), category="stem", cluster="q")
    assert [case.cluster for case in cases(single(), answered(source, "x", "y"))] == ["q", "q"]


def test_references_go_with_the_categories_that_are_judged_beside_them() -> None:
    first, second = cases(single(), answered(math(), "3", "4"))
    assert first.metadata == {"turn": "1", "question_id": "112", "reference_1": "four", "answer_1": "3"}
    assert (second.metadata["reference_1"], second.metadata["reference_2"]) == ("four", "five")
    stem = mt_bench_sample(0, "stem", 141, reference_1="not used")
    assert not any("reference" in name for case in cases(single(), answered(stem, "x", "y")) for name in case.metadata)


def test_doubtful_references_are_said_to_be() -> None:
    flagged = [
        number
        for number in range(101, 131)
        if all("reference_doubtful" in case.metadata for case in cases(single(), answered(math(number), "3", "4")))
    ]
    assert flagged == [104, 105, 109, 111, 113, 114, 120, 122, 124, 125, 126, 128, 130]
    assert frozenset(flagged) == DOUBTFUL_REFERENCES
    assert "reference_doubtful" not in cases(single(), answered(mt_bench_sample(question_id=104), "x", "y"))[0].metadata


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answered(mt_bench_sample(), missing="timeout"), ["timeout", "timeout"]),
        (answered(mt_bench_sample()), ["no answer to turn 1", "no answer to turn 1"]),
        (answered(mt_bench_sample(), "x"), [None, "no answer to turn 2"]),
        (answered(mt_bench_sample(), "x", missing="http_error"), [None, "http_error"]),
        (answered(mt_bench_sample(), "", ""), [None, None]),
    ],
)
def test_a_turn_without_an_answer_says_why(answer: Answered, why: list[str | None]) -> None:
    """An answer without text is an answer all the same."""
    assert [case.metadata.get("missing") for case in cases(single(), answer)] == why


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (mt_bench_sample(0, "math"), "mt_bench:test:0 is of category math but has no reference answer to turn 1"),
        (mt_bench_sample(0, "coding", reference_1="x"), "has no reference answer to turn 2 in its metadata"),
        (mt_bench_sample(0, "poetry"), "mt_bench:test:0 is no question of MT-Bench: 2 turns, category 'poetry'"),
        (Sample(id="mini:test:0", input="?", language="en", category="math"), "0 turns, category 'math'"),
    ],
)
def test_samples_of_another_kind_are_refused(source: Sample, message: str) -> None:
    with pytest.raises(DataError, match=message):
        cases(single(), answered(source, "x", "y"))


# -- requests


def test_the_template_is_the_turns_and_the_categorys() -> None:
    general = [texts(single(), case) for case in cases(single(), answered(mt_bench_sample(), "A {b}", "B"))]
    assert general == [
        [("system of single-v1", "single-v1: Write {a}.|A {b}")],
        [("system of single-v1-multi-turn", "single-v1-multi-turn: Write {a}.|A {b}|Now shorter.|B")],
    ]
    with_reference = [texts(single(), case) for case in cases(single(), answered(math(), "3", "4"))]
    assert with_reference == [
        [("system of single-math-v1", "single-math-v1: Write {a}.|four|3")],
        [
            (
                "system of single-math-v1-multi-turn",
                "single-math-v1-multi-turn: Write {a}.|four|Now shorter.|five||Write {a}.|3|Now shorter.|4",
            )
        ],
    ]


def test_both_orders_are_asked() -> None:
    a, b = answered(math(), "3", "4", model="one"), answered(math(), "5", "6", model="two")
    first, second = cases(pair(), a, b)
    system, general = "system of pair-math-v1", "pair-math-v1: Write {a}.|four|"
    assert texts(pair(), first) == [(system, f"{general}3|5"), (system, f"{general}5|3")]
    assert [user for _, user in texts(pair(), second)] == [
        "pair-math-v1-multi-turn: four|five|3|4|5|6|Write {a}.|Now shorter.",
        "pair-math-v1-multi-turn: four|five|5|6|3|4|Write {a}.|Now shorter.",
    ]
    (case, _) = cases(pair(), answered(mt_bench_sample(), "3", "4"), answered(mt_bench_sample(), "5", "6"))
    assert [user for _, user in texts(pair(), case)] == ["pair-v2: Write {a}.|3|5", "pair-v2: Write {a}.|5|3"]


def test_how_the_judge_is_asked() -> None:
    (case, _) = cases(single(), answered(mt_bench_sample(), "x", "y"))
    (request,) = single().render(case)
    assert (request.temperature, request.max_tokens, request.num_alternatives, request.stop) == (0.0, 2048, 0, ())
    (request,) = single(JudgeOptions(is_weighted=True, max_tokens=64)).render(case)
    assert (request.temperature, request.max_tokens, request.num_alternatives) == (0.0, 64, 20)


def test_a_prompt_of_ones_own_is_refused() -> None:
    for judge in (mt_bench_single, mt_bench_pair):
        with pytest.raises(UsageError, match=rf"judge {judge.name} asks in its benchmark's own words; leave --judge"):
            judge.build((MT_BENCH_TEMPLATES,), JudgeOptions(prompt="{question}"))
    with pytest.raises(UsageError, match="judge mt_bench_pair has no rating weighted"):
        mt_bench_pair.build((MT_BENCH_TEMPLATES,), JudgeOptions(is_weighted=True))


def official(mirror: Path) -> list[tuple[int, Sample]]:
    """Every question's number, and the sample that the task makes of it."""
    folder = mirror / "lm-sys__mt_bench"
    references = {
        row["question_id"]: row["choices"][0]["turns"] for row in rows(folder / "reference_answer" / "gpt-4.jsonl")
    }
    found = []
    for place, row in enumerate(rows(folder / "question.jsonl")):
        number = row["question_id"]
        metadata = {f"reference_{turn}": text for turn, text in enumerate(references.get(number, ()), start=1)}
        made = Sample(
            id=f"mt_bench:test:{place}",
            input=row["turns"][0],
            language="en",
            turns=tuple(row["turns"]),
            category=row["category"],
            metadata={"question_id": str(number), **metadata},
        )
        found.append((number, made))
    return found


def published_answers(mirror: Path, model: str) -> dict[int, tuple[str, ...]]:
    answers = rows(mirror / "lm-sys__mt_bench" / "model_answer" / f"{model}.jsonl")
    return {row["question_id"]: tuple(row["choices"][0]["turns"]) for row in answers}


def run_of(mirror: Path, model: str) -> tuple[Answered, ...]:
    answers = published_answers(mirror, model)
    return tuple(answered(made, *answers[number], model=model) for number, made in official(mirror))


def digest(request: GenerateRequest) -> str:
    content = [{"role": one.role, "content": one.content} for one in messages(request)]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]


@pytest.mark.data
def test_official_requests_are_fastchats_to_the_byte(mirror: Path) -> None:
    golden = json.loads((GOLDEN / "mt_bench_prompts.json").read_text(encoding="utf-8"))
    prompts, _ = load_rows(mt_bench_single.datasets[0], DataSource(mirror=mirror, hub=False))
    first, second = run_of(mirror, "gpt-3.5-turbo"), run_of(mirror, "vicuna-13b-v1.3")
    rubric = mt_bench_single.build((prompts,), JudgeOptions())
    ours = {name(case): [digest(request) for request in rubric.render(case)] for case in rubric.cases((first,))}
    assert len(ours) == 160
    assert ours == {key: [value] for key, value in golden["single"].items()}
    rubric = mt_bench_pair.build((prompts,), JudgeOptions())
    both = {name(case): [digest(request) for request in rubric.render(case)] for case in rubric.cases((first, second))}
    assert both == golden["pair"]


def name(case: Sample) -> str:
    return f"{case.metadata['question_id']}/{case.id.rpartition('/')[2]}"


@pytest.mark.data
def test_official_cases(mirror: Path) -> None:
    found = single().cases((run_of(mirror, "gpt-4"),))
    assert len({case.id for case in found}) == 160
    assert len({case.cluster_id for case in found}) == 80
    assert sum("reference_1" in case.metadata for case in found) == 60
    assert sum("reference_2" in case.metadata for case in found) == 30
    assert sum("reference_doubtful" in case.metadata for case in found) == 26
    assert {case.category for case in found} == set(CATEGORIES)


# -- scores of one run


def test_a_rating_counts_for_the_total_its_turn_and_its_category() -> None:
    rubric = single()
    first, second = cases(rubric, answered(math(), "3", "4"))
    assert counts(judged(rubric, first, "Rating: [[8]]")) == {
        "mt_bench_total": (8.0, 1.0),
        "mt_bench_turn1": (8.0, 1.0),
        "mt_bench_balanced": (8.0, 1.0, 0.0, 0.0),
        "mt_bench_math": (8.0, 1.0),
    }
    outcome = judged(rubric, second, "Rating: [[2.5]]")
    assert outcome.answer == "2.5"
    assert counts(outcome) == {
        "mt_bench_total": (2.5, 1.0),
        "mt_bench_turn2": (2.5, 1.0),
        "mt_bench_balanced": (0.0, 0.0, 2.5, 1.0),
        "mt_bench_math": (2.5, 1.0),
    }


def test_totals_where_one_turn_could_be_rated_more_often() -> None:
    """Ratings 9 and 7 in turn 1 and 2 in turn 2: the total is their mean, the balanced total (8 + 2) / 2."""
    rubric = single()
    one, two = answered(mt_bench_sample(0), "x", "y"), answered(mt_bench_sample(1, "stem"), "x", "y")
    first, second, third, fourth = rubric.cases(((one, two),))
    assert isinstance(rubric.parse(fourth, reply("I would not rate this.")), Unparsed)
    outcomes = [judged(rubric, case, f"[[{n}]]") for case, n in ((first, 9), (second, 2), (third, 7))]
    assert values_of(rubric, outcomes) == {
        "mt_bench_total": 6.0,
        "mt_bench_turn1": 8.0,
        "mt_bench_turn2": 2.0,
        "mt_bench_balanced": 5.0,
        "mt_bench_writing": 5.5,
        "mt_bench_stem": 7.0,
    }
    assert values_of(rubric, outcomes[:1])["mt_bench_balanced"] is None


def test_metrics_of_the_single_judge() -> None:
    names = [metric.name for metric in single().metrics]
    by_category = [f"mt_bench_{category}" for category in CATEGORIES]
    assert names == ["mt_bench_total", "mt_bench_turn1", "mt_bench_turn2", "mt_bench_balanced", *by_category]
    assert len(by_category) == 8
    assert {metric.bounds for metric in single().metrics} == {(1.0, 10.0)}
    weighted = single(JudgeOptions(is_weighted=True)).metrics
    assert [metric.name for metric in weighted] == [*names, "mt_bench_total_weighted", "mt_bench_total_where_weighted"]
    total = single().metrics[0]
    assert (total.best, total.worst) == ((10.0, 1.0), (1.0, 1.0))
    assert [metric.name for metric in weighted if metric.best is None] == ["mt_bench_balanced"]


def test_thinking_is_no_rating() -> None:
    rubric = single()
    (case, _) = cases(rubric, answered(mt_bench_sample(), "x", "y"))
    assert rubric.parse(case, reply("<think>At first [[3]].</think>Rating: [[8]]")) == Rated(value=8.0)
    assert isinstance(rubric.parse(case, reply("<think>At first [[3]].", "length")), Unparsed)


# -- scores of two runs


@pytest.mark.parametrize(
    ("in_order", "exchanged", "answer", "adjusted", "win", "loss", "tie", "agree"),
    [
        ("[[A]]", "[[B]]", "a", 1, 1, 0, 0, 1),
        ("[[B]]", "[[A]]", "b", 0, 0, 1, 0, 1),
        ("[[C]]", "[[C]]", "tie", 0.5, 0, 0, 1, 1),
        ("[[A]]", "[[A]]", "tie", 0.5, 0, 0, 1, 0),
        ("[[B]]", "[[B]]", "tie", 0.5, 0, 0, 1, 0),
        ("[[A]]", "[[C]]", "tie", 0.5, 0, 0, 1, 0),
        ("[[C]]", "[[A]]", "tie", 0.5, 0, 0, 1, 0),
        ("[[B]]", "[[C]]", "tie", 0.5, 0, 0, 1, 0),
        ("[[C]]", "[[B]]", "tie", 0.5, 0, 0, 1, 0),
    ],
)
def test_winners_that_differ_between_the_orders_are_a_tie(
    in_order: str, exchanged: str, answer: str, adjusted: float, win: float, loss: float, tie: float, agree: float
) -> None:
    rubric = pair()
    (case, _) = cases(rubric, answered(mt_bench_sample(), "x", "y"), answered(mt_bench_sample(), "z", "w"))
    outcome = judged(rubric, case, in_order, exchanged)
    assert outcome.answer == answer
    assert counts(outcome) == {
        "win_rate_adjusted": (adjusted, 1.0),
        "win_rate": (win, 1.0),
        "loss_rate": (loss, 1.0),
        "tie_rate": (tie, 1.0),
        "consistency": (agree, 1.0),
    }


def test_rates_over_cases() -> None:
    """Two wins, one loss, one agreed and one disagreed tie: (2 + 0.5 * 2) / 5."""
    rubric = pair()
    (case, _) = cases(rubric, answered(mt_bench_sample(), "x", "y"), answered(mt_bench_sample(), "z", "w"))
    replies = [("A", "B"), ("A", "B"), ("B", "A"), ("C", "C"), ("A", "A")]
    outcomes = [judged(rubric, case, f"[[{one}]]", f"[[{two}]]") for one, two in replies]
    assert values_of(rubric, outcomes) == {
        "win_rate_adjusted": 0.6,
        "win_rate": 0.4,
        "loss_rate": 0.2,
        "tie_rate": 0.4,
        "consistency": 0.8,
    }
    assert_scores_have_metrics(rubric, outcomes)
    loss = next(metric for metric in rubric.metrics if metric.name == "loss_rate")
    assert (loss.higher_is_better, loss.best, loss.worst) == (False, (0.0, 1.0), (1.0, 1.0))
    assert rubric.metrics[0].name == "win_rate_adjusted"


def test_exchanging_the_runs_mirrors_the_rates() -> None:
    rubric = pair()
    (case, _) = cases(rubric, answered(mt_bench_sample(), "x", "y"), answered(mt_bench_sample(), "z", "w"))
    replies = ["[[A]]", "[[B]]", "[[C]]"]
    for one in replies:
        for two in replies:
            here, there = counts(judged(rubric, case, one, two)), counts(judged(rubric, case, two, one))
            assert here["win_rate_adjusted"][0] == 1.0 - there["win_rate_adjusted"][0]
            assert (here["win_rate"], here["tie_rate"]) == (there["loss_rate"], there["tie_rate"])


def test_pairs_hold_both_answers_and_who_gave_them() -> None:
    a, b = answered(mt_bench_sample(), "x", "y", model="one"), answered(mt_bench_sample(), "z", "w", model="two")
    first, second = cases(pair(), a, b)
    assert first.metadata == {
        **{"turn": "1", "question_id": "81", "system_a": "one", "system_b": "two"},
        **{"a_1": "x", "b_1": "z"},
    }
    assert (second.metadata["a_2"], second.metadata["b_2"]) == ("y", "w")
    assert (first.id, second.id) == ("mt_bench:test:0/turn1", "mt_bench:test:0/turn2")


def test_pairs_without_both_answers_say_why() -> None:
    a = (answered(mt_bench_sample(0), "x", "y"), answered(mt_bench_sample(1), "x"))
    b = (answered(mt_bench_sample(1), missing="timeout"), answered(mt_bench_sample(2), "z", "w"))
    found = {case.id.removeprefix("mt_bench:test:"): case.metadata.get("missing") for case in pair().cases((a, b))}
    assert found == {
        "0/turn1": "b: the run does not hold this question",
        "0/turn2": "b: the run does not hold this question",
        "1/turn1": "b: timeout",
        "1/turn2": "a: no answer to turn 2; b: timeout",
        "2/turn1": "a: the run does not hold this question",
        "2/turn2": "a: the run does not hold this question",
    }


def test_runs_of_other_questions_are_refused() -> None:
    other = Sample(id="mt_bench:test:0", input="", language="en", turns=("Another.", "One."), category="stem")
    with pytest.raises(DataError, match="mt_bench:test:0 is another question in the second run"):
        cases(pair(), answered(mt_bench_sample(), "x", "y"), answered(other, "z", "w"))


def test_verdicts_of_the_other_kind_are_a_mistake() -> None:
    (case, _) = cases(single(), answered(mt_bench_sample(), "x", "y"))
    with pytest.raises(TypeError, match="one rating expected"):
        single().score(case, (Preferred(winner=Winner.A),))
    with pytest.raises(TypeError, match="one rating expected"):
        single().score(case, (Rated(value=1.0), Rated(value=2.0)))
    with pytest.raises(TypeError, match="a preference expected"):
        pair().score(case, (Rated(value=1.0), Rated(value=2.0)))


def test_each_metric_counts_only_cases_that_are_its_own() -> None:
    """An unparsed reply about a maths question bounds the maths mean and no other category's."""
    applying = {metric.name: metric.applies for metric in single().metrics}
    case = Sample(id="mt_bench:test:30/turn2", input="?", language="en", category="math")
    counted = {name for name, applies in applying.items() if applies is None or applies(case)}
    assert counted == {"mt_bench_total", "mt_bench_turn2", "mt_bench_balanced", "mt_bench_math"}
