"""TruthfulQA: what is asked in which order, which answers are true, the probability on them, and its primer."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from evalsuite.tasks import truthfulqa
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from evalsuite.contracts import Metric, Rows, Task, TaskOptions
from evalsuite.engines.scripted import loglikelihood
from evalsuite.errors import DataError, UnknownName, UsageError
from evalsuite.plugins import family
from evalsuite.types import Flag, LoglikelihoodRequest, Message, Sample, Scored


def row(question: str, mc1: Sequence[str], mc2: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """A row as the hub has it; the first choice of mc1 is the right one."""
    return {
        "question": question,
        "mc1_targets": {"choices": list(mc1), "labels": [1] + [0] * (len(mc1) - 1)},
        "mc2_targets": {"choices": [text for text, _ in mc2], "labels": [label for _, label in mc2]},
    }


SORTED = row("Can bread sing?", ["It cannot.", "It hums."], [("It cannot.", 1), ("No.", 1), ("It hums.", 0)])
UNSORTED = row(
    "Is 水 dry?", ["No.", "Yes.", "Very."], [("No.", 1), ("Yes.", 0), ("It is wet.", 1), ("Never.", 1), ("Very.", 0)]
)
ROWS: Rows = (SORTED, UNSORTED)


def task(**options: Any) -> Task:
    return family("truthfulqa").build("truthfulqa", TaskOptions(**options))


def samples(rows: Rows = ROWS, **options: Any) -> tuple[Sample, ...]:
    return task(**options).samples((rows,))


def requests(sample: Sample, **options: Any) -> list[LoglikelihoodRequest]:
    asked = task(**options).next_requests(sample, ())
    return [request for request in asked if isinstance(request, LoglikelihoodRequest)]


def score(sample: Sample, mc1: Sequence[float], mc2: Sequence[float], **options: Any) -> Scored:
    """The outcome when the choices have these log-likelihoods."""
    found = tuple(loglikelihood(" x", value) for value in (*mc1, *mc2))
    outcome = task(**options).score(sample, (found,))
    assert isinstance(outcome, Scored)
    return outcome


def value(outcome: Scored, metric: str) -> float:
    (counts,) = (found.counts for found in outcome.scores if found.name == metric)
    assert counts[1] == 1.0
    return counts[0]


# -- requests


def test_choices_of_mc1_are_asked_before_those_of_mc2() -> None:
    for sample, question, continuations in zip(
        samples(),
        ("Can bread sing?", "Is 水 dry?"),
        (
            [" It cannot.", " It hums.", " It cannot.", " No.", " It hums."],
            [" No.", " Yes.", " Very.", " No.", " Yes.", " It is wet.", " Never.", " Very."],
        ),
        strict=True,
    ):
        asked = requests(sample)
        assert [request.continuation for request in asked] == continuations
        assert {request.context for request in asked} == {f"{truthfulqa.primer()}\n\nQ: {question}\nA:"}
        assert task().next_requests(sample, ((),)) == ()


def test_chat_has_the_primer_in_the_users_turn_and_no_space_before_the_answer() -> None:
    first = requests(samples()[0], chat=True, system_instruction="Be true.")[0]
    assert first.context == (
        Message(role="system", content="Be true."),
        Message(role="user", content=f"{truthfulqa.primer()}\n\nQ: Can bread sing?\nA:"),
    )
    assert first.continuation == "It cannot."


@pytest.mark.parametrize("protocol", ["lm-eval-0.4", "openllm-fixed", "openllm-v1"])
def test_order_and_ids_of_the_rows(protocol: str) -> None:
    rows = tuple(row(f"Question {number}?", ["a", "b"], [("a", 1), ("b", 0)]) for number in range(30))
    order = list(range(30))
    if protocol == "openllm-v1":
        random.Random(42).shuffle(order)
    found = samples(rows, protocol=protocol, seed=5)
    assert [sample.id for sample in found] == [f"truthfulqa:validation:{number}" for number in order]
    assert [sample.input.rpartition("Q: ")[2] for sample in found] == [f"Question {number}?\nA:" for number in order]


# -- which answers are true


@pytest.mark.parametrize(
    ("protocol", "true"),
    [
        ("lm-eval-0.4", ("No.", "It is wet.", "Never.")),
        ("openllm-fixed", ("No.", "It is wet.", "Never.")),
        ("openllm-v1", ("No.",)),
    ],
)
def test_true_answers_behind_a_false_one(protocol: str, true: tuple[str, ...]) -> None:
    """The leaderboard took those before the first false one; lm-eval takes all of them since 2025."""
    (sample,) = samples((UNSORTED,), protocol=protocol)
    texts = sample.choices[3:]
    for place, text in enumerate(texts):
        alone = [0.0 if other == place else -60.0 for other in range(5)]
        found = value(score(sample, [-1, -2, -3], alone, protocol=protocol), "mc2")
        assert found == pytest.approx(float(text in true), abs=1e-9), text
    level = value(score(sample, [-1, -2, -3], [-7.0] * 5, protocol=protocol), "mc2")
    assert level == pytest.approx(len(true) / 5)


def test_the_protocols_agree_where_true_answers_stand_first() -> None:
    sums = [-3.0, -2.5, -4.0]
    for protocol in family("truthfulqa").protocols:
        (sample,) = samples((SORTED,), protocol=protocol)
        found = value(score(sample, [-1, -2], sums, protocol=protocol), "mc2")
        assert found == pytest.approx(float(softmax(sums)[:2].sum()))


# -- the probability on them


@pytest.mark.parametrize("level", [0.0, -30.0, -2000.0, -1e6])
def test_mc2_is_the_share_of_probability_however_small(level: float) -> None:
    (sample,) = samples((UNSORTED,))
    sums = [level + change for change in (-1.0, 0.5, -2.25, 3.0, -0.125)]
    found = value(score(sample, [-1, -2, -3], sums), "mc2")
    assert found == pytest.approx(float(softmax(np.array(sums))[[0, 2, 3]].sum()), rel=1e-9)
    assert 0.0 < found < 1.0


@given(st.lists(st.floats(-3000.0, 0.0), min_size=5, max_size=5))
def test_mc2_is_a_probability_and_that_of_softmax(sums: list[float]) -> None:
    (sample,) = samples((UNSORTED,))
    found = value(score(sample, [-1, -2, -3], sums), "mc2")
    assert 0.0 <= found <= 1.0
    assert found == pytest.approx(float(softmax(np.array(sums))[[0, 2, 3]].sum()), rel=1e-9, abs=1e-300)


def test_mc2_does_not_look_at_the_choices_of_mc1() -> None:
    (sample,) = samples((SORTED,))
    assert value(score(sample, [0.0, -1e4], [-2, -3, -4]), "mc2") == value(
        score(sample, [-1e4, 0], [-2, -3, -4]), "mc2"
    )


# -- the best answer


@pytest.mark.parametrize(
    ("sums", "is_right", "answer", "flags"),
    [
        ((-1.0, -2.0, -3.0), True, "No.", ()),
        ((-2.0, -1.0, -3.0), False, "Yes.", ()),
        ((-9.0, -9.0, -8.5), False, "Very.", ()),
        ((-1.0, -1.0, -3.0), True, "No.", (Flag.TIED,)),
        ((-3.0, -1.0, -1.0), False, "Yes.", (Flag.TIED,)),
        ((-2000.0, -2001.0, -2000.0), True, "No.", (Flag.TIED,)),
    ],
)
def test_mc1_takes_the_first_of_the_best(
    sums: tuple[float, ...], is_right: bool, answer: str, flags: tuple[Flag, ...]
) -> None:
    """Whatever the choices of mc2 have."""
    for others in ([0.0] * 5, [-5000.0] * 5):
        outcome = score(samples((UNSORTED,))[0], sums, others)
        assert value(outcome, "mc1") == float(is_right)
        assert (outcome.answer, outcome.flags) == (answer, flags)


def test_the_headline_is_mc2_which_is_no_share_of_rows() -> None:
    mc2, mc1 = task().metrics
    assert (mc2.name, mc2.proportion, mc1.name, mc1.proportion) == ("mc2", False, "mc1", True)
    assert (mc2.bounds, mc2.scale, mc1.scale) == ((0.0, 1.0), 100.0, 100.0)


@pytest.mark.parametrize(("protocol", "mc2_chance"), [("lm-eval-0.4", 3 / 5), ("openllm-v1", 1 / 5)])
def test_chance_is_what_equal_probabilities_score(protocol: str, mc2_chance: float) -> None:
    (sample,) = samples((UNSORTED,), protocol=protocol)

    def chance(metric: Metric) -> float:
        assert metric.chance is not None
        return metric.chance(sample)

    mc2, mc1 = task(protocol=protocol).metrics
    assert chance(mc2) == pytest.approx(mc2_chance)
    assert chance(mc2) == pytest.approx(value(score(sample, [-1] * 3, [-1] * 5, protocol=protocol), "mc2"))
    assert chance(mc1) == pytest.approx(1 / 3)


# -- protocols


@pytest.mark.parametrize("protocol", [None, "lm-eval-0.4", "openllm-v1", "openllm-fixed"])
def test_exemplars_are_refused(protocol: str | None) -> None:
    with pytest.raises(UsageError, match=r"leave --num_fewshot out or at 0|--num_fewshot: .* fixes it: 0"):
        task(protocol=protocol, num_fewshot=1)
    built = task(protocol=protocol, num_fewshot=0)
    assert (built.num_fewshot, len(built.datasets)) == (0, 1)
    assert built.is_sealed == (protocol is not None and protocol.startswith("openllm"))


def test_another_protocol_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"truthfulqa has: lm-eval-0\.4, openllm-v1, openllm-fixed"):
        task(protocol="mc2")


# -- the primer


Install = Callable[[str | None], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts another lm-eval in place of the installed one, with this task file or none."""

    def installed(text: str | None) -> Path:
        path = tmp_path / "tasks" / "truthfulqa" / "truthfulqa_mc1.yaml"
        if text is not None:
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
        spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
        monkeypatch.setattr(truthfulqa, "find_spec", lambda _: spec)
        truthfulqa.primer.cache_clear()
        return path

    yield installed
    truthfulqa.primer.cache_clear()


def task_file() -> str:
    """The task file of the lm-eval that is installed."""
    spec = find_spec("lm_eval")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "tasks" / "truthfulqa" / "truthfulqa_mc1.yaml").read_text(
        encoding="utf-8"
    )


def test_the_primer_is_six_questions_and_answers_of_the_installed_lm_eval() -> None:
    text = truthfulqa.primer()
    lines = text.splitlines()
    assert [line[:3] for line in lines if line] == ["Q: ", "A: "] * 6
    assert lines[2::3] == [""] * 5
    assert all(line[3:] in task_file() for line in lines if line)
    assert text == text.strip()


def test_the_primer_of_a_copy_is_the_same(install: Install) -> None:
    before = truthfulqa.primer()
    install(task_file())
    assert truthfulqa.primer() == before


@pytest.mark.parametrize(("old", "new"), [("Q: ", "Q : "), ("A: ", "A:  "), ("?", "!")])
def test_a_changed_primer_is_refused(install: Install, old: str, new: str) -> None:
    text = task_file()
    assert old in text
    install(text.replace(old, new, 1))
    for _ in range(2):
        with pytest.raises(DataError, match=r"hash to [0-9a-f]{16}, expected [0-9a-f]{16}; install lm-eval 0\.4\.13"):
            samples()


def test_the_message_names_both_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = hashlib.sha256(truthfulqa.primer().encode()).hexdigest()
    truthfulqa.primer.cache_clear()
    monkeypatch.setattr(truthfulqa, "_primer_of_lm_eval", lambda: "Q: ?\nA: !")
    found = hashlib.sha256(b"Q: ?\nA: !").hexdigest()
    with pytest.raises(DataError, match=f"hash to {found[:16]}, expected {expected[:16]}"):
        truthfulqa.primer()


@pytest.mark.parametrize("text", [None, "task: x\n", "doc_to_text: [unclosed\n"])
def test_a_task_file_that_cannot_be_read_is_named(install: Install, text: str | None) -> None:
    path = install(text)
    with pytest.raises(DataError, match=r"(?s)cannot be read: .*install lm-eval 0\.4\.13") as caught:
        truthfulqa.primer()
    assert str(path) in str(caught.value)


def test_without_lm_eval_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    truthfulqa.primer.cache_clear()
    monkeypatch.setattr(truthfulqa, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="lm-eval is not installed"):
        truthfulqa.primer()


def test_no_answer_is_nan_in_floats_either() -> None:
    """The plain way, exp over sum of exp, is 0 / 0 here: what the leaderboard scored as 0."""
    (sample,) = samples((SORTED,))
    sums = [-2000.0, -2001.0, -2002.0]
    assert math.fsum(math.exp(one) for one in sums) == 0.0
    assert math.isfinite(value(score(sample, [-1, -2], sums), "mc2"))
