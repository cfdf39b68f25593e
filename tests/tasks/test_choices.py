"""Picking a choice by log-likelihood: what each normalisation divides by, and what a tie is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from evalsuite.tasks._choices import (
    ACCURACY,
    best_choice,
    choice_metrics,
    choice_requests,
    score_accuracy,
    score_choices,
)

from evalsuite.types import Encoding, Flag, Loglikelihood, Message, Replies, Sample, Scored

Scorer = Callable[[Sample, Replies], Scored]

METRICS = ("acc_norm_char", "acc", "acc_norm_byte", "acc_norm_token")

SHORT, LATIN, CHINESE, ARABIC = "no", "a rather long answer", "山上有雪吗", "في الماء"
TEXTS = (SHORT, LATIN, CHINESE, ARABIC)
SUMS = (-4.0, -16.0, -7.5, -10.0)
TOKENS = (2, 4, 3, 10)
BEST = {"acc": SHORT, "acc_norm_char": LATIN, "acc_norm_byte": CHINESE, "acc_norm_token": ARABIC}
"""By hand: -4 is highest; -16/20 of -2, -.8, -1.5, -1.25; -7.5/15 of -2, -.8, -.5, -.67; -10/10 of -2, -4, -2.5, -1."""


def answered(sums: Sequence[float], tokens: Sequence[int] | None = None) -> tuple[tuple[Loglikelihood, ...]]:
    """One wave of replies, whose own lengths are no text's."""
    counts = tokens or [1] * len(sums)
    return (
        tuple(
            Loglikelihood(sum_nats=nats, num_tokens=count, num_chars=977, num_bytes=1009, is_greedy=False)
            for nats, count in zip(sums, counts, strict=True)
        ),
    )


def sample(texts: Sequence[str], gold: int | None = 0) -> Sample:
    return Sample(id="t:test:0", input="?", language="en", choices=tuple(texts), gold=gold)


def right_by(outcome: Scored) -> set[str]:
    """The metrics by which the outcome is right; each counts one row."""
    assert all(score.counts in ((0.0, 1.0), (1.0, 1.0)) for score in outcome.scores)
    return {score.name for score in outcome.scores if score.counts[0]}


# -- four normalisations


@pytest.mark.parametrize("gold", range(4))
def test_four_normalisations_may_pick_four_choices(gold: int) -> None:
    """Only the metric whose divisor favours the right choice is right."""
    outcome = score_choices(sample(TEXTS, gold), answered(SUMS, TOKENS))
    assert right_by(outcome) == {name for name, text in BEST.items() if text == TEXTS[gold]}
    assert tuple(score.name for score in outcome.scores) == METRICS
    assert (outcome.answer, outcome.flags) == (LATIN, ())


def test_the_divisors_follow_from_the_texts_by_hand() -> None:
    """Each choice alone against a fifth whose value lies just below and just above its own."""
    sizes = {
        "acc": (1, 1, 1, 1),
        "acc_norm_char": (2, 20, 5, 8),
        "acc_norm_byte": (2, 20, 15, 15),
        "acc_norm_token": TOKENS,
    }
    for name, divisors in sizes.items():
        for place, divisor in enumerate(divisors):
            value = SUMS[place] / divisor
            for other, wins in ((value * 1.001, True), (value * 0.999, False)):
                pair = sample([TEXTS[place], "x"])
                found = score_choices(pair, answered([SUMS[place], other], [TOKENS[place], 1]))
                assert (name in right_by(found)) == wins, (name, place)


def test_characters_are_code_points_not_what_a_screen_shows() -> None:
    """As lm-eval counts: an accent that is a character of its own makes the choice longer."""
    composed, decomposed = "né", "ne\u0301"
    assert (len(composed), len(decomposed)) == (2, 3)
    outcome = score_choices(sample([composed, decomposed], 1), answered([-6.0, -6.6]))
    assert right_by(outcome) == {"acc_norm_char", "acc_norm_byte"}


def test_the_answer_shown_is_the_headlines() -> None:
    outcome = score_choices(sample(["ab", "abcdefgh"], 0), answered([-2.0, -4.0]))
    assert right_by(outcome) == {"acc", "acc_norm_token"}
    assert outcome.answer == "abcdefgh"


@pytest.mark.parametrize("score", [score_choices, score_accuracy])
def test_a_sample_without_a_right_choice_has_no_score(score: Scorer) -> None:
    with pytest.raises(ValueError, match="t:test:0 has no right choice"):
        score(sample(["a", "b"], None), answered([-1.0, -2.0]))


@pytest.mark.parametrize("score", [score_choices, score_accuracy])
def test_each_choice_must_have_its_answer(score: Scorer) -> None:
    with pytest.raises(ValueError, match=r"zip\(\) argument"):
        score(sample(["a", "b", "c"]), answered([-1.0, -2.0]))
    with pytest.raises(ValueError, match=r"zip\(\) argument"):
        best_choice(answered([-1.0, -2.0])[0], [1.0, 1.0, 1.0])


# -- accuracy alone


@pytest.mark.parametrize("gold", range(3))
def test_accuracy_divides_by_nothing(gold: int) -> None:
    outcome = score_accuracy(
        sample(["a very long choice indeed", "b", "c"], gold), answered([-9.0, -3.0, -4.0], [9, 1, 1])
    )
    assert [(score.name, score.counts) for score in outcome.scores] == [("acc", (float(gold == 1), 1.0))]
    assert (outcome.answer, outcome.flags) == ("b", ())


# -- ties


@pytest.mark.parametrize("score", [score_choices, score_accuracy])
@pytest.mark.parametrize(
    ("texts", "sums", "answer", "flags"),
    [
        (("aa", "bb", "cc"), (-2.0, -2.0, -3.0), "aa", (Flag.TIED,)),
        (("aa", "bb", "cc"), (-3.0, -2.0, -2.0), "bb", (Flag.TIED,)),
        (("aa", "bb", "cc"), (-2.0, -2.0, -2.0), "aa", (Flag.TIED,)),
        (("aa", "bb", "cc"), (-2.0, -3.0, -3.0), "aa", ()),
        (("aa", "bb", "aa"), (-2.0, -3.0, -2.0), "aa", ()),
        (("aa", "aa", "aa"), (-2.0, -2.0, -2.0), "aa", ()),
        (("aa", "bb", "aa"), (-2.0, -2.0, -2.0), "aa", (Flag.TIED,)),
        (("aa", "aA", "cc"), (-2.0, -2.0, -3.0), "aa", (Flag.TIED,)),
        (("aa", "bb", "cc"), (-2.0, -2.0 - 1e-12, -3.0), "aa", ()),
    ],
)
def test_a_tie_goes_to_the_first_and_is_flagged_where_texts_differ(
    score: Scorer, texts: tuple[str, ...], sums: tuple[float, ...], answer: str, flags: tuple[Flag, ...]
) -> None:
    for gold in range(3):
        outcome = score(sample(texts, gold), answered(sums))
        assert (outcome.answer, outcome.flags) == (answer, flags)
        assert ("acc" in right_by(outcome)) == (texts.index(answer) == gold)


def test_a_tie_after_division_goes_to_the_first_and_is_flagged() -> None:
    """The flag is about what the headline compares: here the order of the choices decides it."""
    outcome = score_choices(sample(["aaaa", "bb"], 0), answered([-4.0, -2.0], [2, 1]))
    assert right_by(outcome) == {"acc_norm_char", "acc_norm_byte", "acc_norm_token"}
    assert (outcome.answer, outcome.flags) == ("aaaa", (Flag.TIED,))


def test_a_tie_before_division_is_flagged_though_division_decides() -> None:
    """Plain accuracy is reported too, and there the order of the choices decides."""
    outcome = score_choices(sample(["aa", "bbbb"], 1), answered([-4.0, -4.0], [2, 1]))
    assert right_by(outcome) == {"acc_norm_char", "acc_norm_byte"}
    assert (outcome.answer, outcome.flags) == ("bbbb", (Flag.TIED,))


# -- metrics and requests


def test_the_headline_is_by_characters_and_has_the_protocols_name() -> None:
    found = choice_metrics("acc_norm")
    assert tuple(metric.name for metric in found) == METRICS
    assert [metric.alias for metric in found] == ["acc_norm", "", "", ""]
    assert [metric.alias for metric in choice_metrics()] == [""] * 4
    for metric in (*found, ACCURACY):
        assert metric.proportion
        assert metric.chance is not None
        assert metric.chance(sample("abcde")) == pytest.approx(0.2)
        assert metric.chance(sample("abc")) == pytest.approx(1 / 3)


@pytest.mark.parametrize("delimiter", ["", " ", "\n"])
def test_one_request_a_choice_in_order(delimiter: str) -> None:
    encoding = Encoding(bos="none", split="lm-eval", overflow="left")
    context = (Message(role="user", content="?"),)
    asked = choice_requests(context, ("b", "", " a ", "b"), delimiter, encoding)
    assert [request.continuation for request in asked] == [delimiter + text for text in ("b", "", " a ", "b")]
    assert all(request.context == context and request.encoding == encoding for request in asked)
    assert choice_requests("?", ("a",), delimiter)[0].encoding == Encoding()
