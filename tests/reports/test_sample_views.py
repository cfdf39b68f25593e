"""Samples as data for a page: how they ended, what is kept of them, and what cannot be decoded the short way."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.boards.loading import load_runs
from evalsuite.boards.sample_views import Reading, sample_view, samples_of
from evalsuite.records import SampleRecord
from evalsuite.types import Scored


@pytest.mark.parametrize(
    ("counts", "target", "status"),
    [
        ((1.0, 1.0), "x", "right"),
        ((0.0, 1.0), "x", "wrong"),
        ((0.5, 1.0), "x", "answered"),
        ((2.0, 2.0), "x", "answered"),
        ((1.0, 1.0), "", "answered"),
        ((1.0, 2.0, 3.0), "x", "answered"),
    ],
)
def test_right_and_wrong(counts: tuple[float, ...], target: str, status: str) -> None:
    record = text_record("qa_en:test:0", "en", "?", ["a"], counts=counts, target=target)
    assert Reading("acc").status_of(record) == status
    assert Reading("acc", is_judge=True).status_of(record) == "answered"
    assert Reading("acc").status_of(text_record("qa_en:test:0", "en", "?", [None])) == "unscored"


def test_choices_share_one_context_and_are_divided_by_their_own_characters() -> None:
    record = choice_record("qa_en:test:0", "en", "Q?", ("ab", "cdef"), gold=1, picked=0)
    facts, answer, prompts = sample_view(record, "acc")
    (reply,) = answer.replies
    assert (prompts[reply.prompt], reply.choices, reply.num_chars) == ("Q?", (" ab", " cdef"), (2, 4))
    assert (facts.gold, reply.picked) == (1, 0)


def test_every_run_goes_by_its_own_headline(tmp_path: Path) -> None:
    """Two protocols of a task may have headlines of different names."""
    runs = [
        write_run(tmp_path, metric, [Part("qa", "qa", "en", metric=metric, n=1)], [_scored_by(metric)])
        for metric in ("acc", "exact")
    ]
    found = samples_of(load_runs(runs), "qa", kept="all")
    assert [answers[0].status for answers in found.answers if answers[0]] == ["right", "right"]


def _scored_by(metric: str) -> SampleRecord:
    record = text_record("qa:test:0", "en", "?", ["a"], target="a")
    assert isinstance(record.outcome, Scored)
    (score,) = record.outcome.scores
    outcome = msgspec.structs.replace(record.outcome, scores=(msgspec.structs.replace(score, name=metric),))
    return msgspec.structs.replace(record, outcome=outcome)


def test_half_a_pair_of_surrogates_is_read_back(tmp_path: Path) -> None:
    record = text_record("qa:test:0", "en", "half \ud83d", ["a"], target="a")
    run = write_run(tmp_path, "m", [Part("qa", "qa", "en", n=1)], [record])
    (facts,) = samples_of(load_runs([run]), "qa", kept="all").samples
    assert facts.input == "half \ud83d"
