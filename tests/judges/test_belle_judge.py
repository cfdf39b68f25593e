"""BELLE's judge: the page's requests to the byte, class names however they are spelt, and the macro means."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from evalsuite.judges.belle import CLASSES, belle, build
from official_cases import (
    GOLDEN,
    answered,
    assert_scores_have_metrics,
    counts,
    judged,
    messages,
    reply,
    rows,
    values_of,
)

from evalsuite.contracts import Answered, JudgeOptions, Rubric, Task
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import DataError, UsageError
from evalsuite.stats.estimates import measure
from evalsuite.stats.juries import Jury, Rule
from evalsuite.text.labels import plain_label
from evalsuite.types import Sample, Scored
from evalsuite.verdicts import Rated, Unparsed

PROMPTS = tuple(
    {"class": name, "prompt": f"评 {name}。"}
    for name in (
        *("math", "code", "classification", "extract", "open QA", "closed QA"),
        *("generation", "brainstorming", "rewrite", "translation", "summarization"),
    )
)


def sample(row: int = 0, category: str = "math", question: str = "一加一？", standard: str = "二") -> Sample:
    metadata = {"question_id": str(row)}
    return Sample(
        id=f"belle:test:{row}", input=question, language="zh", target=standard, category=category, metadata=metadata
    )


def rubric() -> Rubric:
    return build((PROMPTS,), JudgeOptions())


def case_of(answer: Answered) -> Sample:
    (case,) = rubric().cases(((answer,),))
    return case


def text_of(case: Sample) -> str:
    (request,) = rubric().render(case)
    (message,) = messages(request)
    assert message.role == "user"
    return message.content


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("closed\u00a0qa", "closed qa"),
        ("closed QA", "closed qa"),
        (" Open  QA\n", "open qa"),
        ("math", "math"),
    ],
)
def test_class_names(written: str, name: str) -> None:
    assert plain_label(written) == name


def test_a_case() -> None:
    case = case_of(answered(sample(7, "open qa"), "三"))
    assert (case.id, case.cluster) == ("belle:test:7/score", "belle:test:7")
    assert (case.input, case.target, case.category, case.language) == ("一加一？", "二", "open qa", "zh")
    assert case.metadata == {"question_id": "7", "answer_1": "三"}
    assert case_of(answered(sample(), missing="timeout")).metadata["missing"] == "timeout"


@pytest.mark.parametrize("category", ["", "closed\u00a0qa", "open QA", "translation", "诗歌"])
def test_classes_that_are_not_averaged_are_refused(category: str) -> None:
    with pytest.raises(
        DataError, match=r"belle:test:0 is no question of BELLE's: class .* Judge a run of the task belle"
    ):
        case_of(answered(sample(category=category), "三"))


def test_requests_with_and_without_a_standard_answer() -> None:
    """The page's spaces differ between the two, and the standard answer of a rewrite is not shown."""
    assert text_of(case_of(answered(sample(category="closed qa"), "三 {x}"))) == (
        "评 closed QA。 一加一？ 标准回答:二  模型回答：' 三 {x}'。请针对模型回答给出得分，顺便给出理由："
    )
    for name in ("generation", "brainstorming", "rewrite"):
        assert text_of(case_of(answered(sample(category=name), "三"))) == (
            f"评 {name}。 一加一？  模型回答： '三'。请针对模型回答给出得分，顺便给出理由："
        )


def test_how_the_judge_is_asked() -> None:
    (request,) = rubric().render(case_of(answered(sample(), "二")))
    assert (request.temperature, request.max_tokens, request.num_alternatives) == (0.0, 3000, 0)
    (request,) = build((PROMPTS,), JudgeOptions(max_tokens=9)).render(case_of(answered(sample(), "二")))
    assert request.max_tokens == 9
    assert rubric().ask_again is None


def test_options_that_change_the_official_judge_are_refused() -> None:
    with pytest.raises(UsageError, match="judge belle asks in its benchmark's own words; leave --judge_prompt out"):
        build((PROMPTS,), JudgeOptions(prompt="{question}"))
    with pytest.raises(UsageError, match="judge belle has no rating weighted"):
        build((PROMPTS,), JudgeOptions(is_weighted=True))


@pytest.mark.data
def test_official_requests_are_the_pages_to_the_byte(mirror: Path) -> None:
    golden = json.loads((GOLDEN / "belle_prompts.json").read_text(encoding="utf-8"))
    prompts, _ = load_rows(belle.datasets[0], DataSource(mirror=mirror, hub=False))
    official = build((prompts,), JudgeOptions())
    texts = defaultdict(list)
    for place, row in enumerate(rows(mirror / "BelleGroup__BELLE_eval" / "eval_set.json")):
        name = row["class"].replace("\u00a0", " ").lower()
        made = sample(place, name, row["question"], row["std_answer"])
        answer = f"第 {place} 题的回答，“引号”与 ${{x}} {{y}}"
        (case,) = official.cases(((answered(made, answer),),))
        (request,) = official.render(case)
        texts[name].append(messages(request)[0].content)
    assert {name: {"n": len(found), "sha256": digest(found)} for name, found in texts.items()} == golden
    assert sum(len(found) for found in texts.values()) == 1000


def digest(texts: list[str]) -> str:
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def test_math_and_code_are_averaged_together() -> None:
    for name in ("math", "code"):
        found = counts(judged(rubric(), case_of(answered(sample(category=name), "二")), "得分: 0.4"))
        assert found == {
            "belle_macro9": (0.4, 1.0, *(0.0,) * 16),
            "belle_others": (0.4, 1.0),
        }
    outcome = judged(rubric(), case_of(answered(sample(category="closed qa"), "二")), "得分: 0.75")
    assert outcome.answer == "0.75"
    assert counts(outcome) == {
        "belle_macro9": (*(0.0,) * 16, 0.75, 1.0),
        "belle_macro8": (*(0.0,) * 14, 0.75, 1.0),
        "belle_closed_qa": (0.75, 1.0),
    }


def test_macro_means() -> None:
    """Eight classes at 1, others at (1 + 0 + 0) / 3: macro9 = (8 + 1/3) / 9, and macro8 = 1."""
    given = [("math", "1"), ("code", "0"), ("code", "0"), *((name, "1") for name in CLASSES)]
    outcomes = [judged(rubric(), case_of(answered(sample(category=name), "二")), f"得分:{n}") for name, n in given]
    values = values_of(rubric(), outcomes)
    assert values["belle_macro9"] == pytest.approx((8 + 1 / 3) / 9, abs=1e-12)
    assert values["belle_macro8"] == 1.0
    assert values["belle_others"] == pytest.approx(1 / 3, abs=1e-12)
    assert_scores_have_metrics(rubric(), outcomes)
    without_others = values_of(rubric(), outcomes[3:])
    assert (without_others["belle_macro9"], without_others["belle_macro8"]) == (None, 1.0)


def test_metrics() -> None:
    names = [metric.name for metric in rubric().metrics]
    assert names == [
        *("belle_macro9", "belle_macro8", "belle_others", "belle_rewrite", "belle_classification"),
        *("belle_generation", "belle_summarization", "belle_extract", "belle_open_qa"),
        *("belle_brainstorming", "belle_closed_qa"),
    ]
    assert {metric.bounds for metric in rubric().metrics} == {(0.0, 1.0)}


def test_thinking_and_cut_replies() -> None:
    case = case_of(answered(sample(), "二"))
    assert rubric().parse(case, reply("<think>得分: 0.1</think>得分: 0.9。")) == Rated(value=0.9)
    assert isinstance(rubric().parse(case, reply("得分: 0", "length")), Unparsed)
    assert rubric().parse(case, reply("得分: 0")) == Rated(value=0.0)


@pytest.mark.parametrize("rule", ["mean", "majority"])
def test_a_jury_of_every_class(rule: Rule) -> None:
    """One case is of one class, and so has no macro mean of its own to hold two jurors against each other by."""
    jury = Jury(rubric().metrics, rule, "interval")
    outcomes = []
    for name in ("generation", "math", "code", *CLASSES[:2]):
        case = case_of(answered(sample(category=name), "二"))
        outcomes.append(jury.combine([judged(rubric(), case, f"得分: {value}") for value in ("0.4", "0.8", "0.8")]))
    expected = 0.8 if rule == "majority" else pytest.approx(2 / 3)
    assert [counts(outcome)["jury_agreement"] for outcome in outcomes] == [(1.0, 3.0)] * 5
    assert [sum(counts(outcome)["belle_macro9"][::2]) for outcome in outcomes] == [expected] * 5


def test_a_class_of_one_case_leaves_the_macro_mean_without_an_interval() -> None:
    """Without it there is no such mean, so nobody knows how much hangs on it."""
    given = [(name, n) for n, name in enumerate(("others", *CLASSES))]
    metric = rubric().metrics[0]
    rows = []
    for name, n in given:
        for copy in range(1 if n == 3 else 4):
            case = case_of(answered(sample(category="math" if name == "others" else name), "二"))
            case = msgspec.structs.replace(case, id=f"{name} {copy}", cluster=f"{name} {copy}")
            rows.append((case, judged(rubric(), case, f"得分: 0.{2 * copy + 1}")))
    task = Task(
        name="belle", family="belle", version=1, language="zh", protocol="p", num_fewshot=0, kind="judge", datasets=(),
        samples=lambda _: (), next_requests=lambda *_: (), score=lambda *_: Scored(scores=()), metrics=(metric,),
    )  # fmt: skip
    found = measure(task, "m", metric, rows)
    assert found is not None
    assert (found.estimate.stderr, found.estimate.low, found.estimate.high) == (None, None, None)
    assert found.estimate.value == pytest.approx((8 * 0.4 + 0.1) / 9)
