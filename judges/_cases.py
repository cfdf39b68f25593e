"""What the official judges share: cases made of a run's answers, and what of the options they refuse."""

from __future__ import annotations

from collections.abc import Mapping

from evalsuite.contracts import MISSING, Answered, JudgeOptions
from evalsuite.errors import UsageError
from evalsuite.types import Sample
from evalsuite.verdicts import Rated, Verdict


def question(sample: Sample) -> str:
    """The question as its dataset words it, without what a task puts around it."""
    return sample.turns[0] if sample.turns else sample.input


def carried(sample: Sample, *names: str) -> dict[str, str]:
    """The metadata of that name, as text, as far as the sample has it."""
    return {name: str(sample.metadata[name]) for name in names if name in sample.metadata}


def answer_case(answered: Answered, suffix: str, metadata: Mapping[str, str]) -> Sample:
    """A case about the last answer to a question of one turn: ``<sample>/<suffix>``, with `answer_1` or `missing`."""
    sample = answered.sample
    texts = answered.texts
    answer = {"answer_1": texts[-1]} if texts else {MISSING: answered.missing or "no answer"}
    return Sample(
        id=f"{sample.id}/{suffix}",
        input=question(sample),
        language=sample.language,
        target=sample.target,
        category=sample.category,
        cluster=sample.cluster_id,
        metadata={**metadata, **answer},
    )


def the_rating(verdicts: tuple[Verdict, ...]) -> Rated:
    """The one rating of a case that is asked about once. Raises TypeError for anything else."""
    match verdicts:
        case (Rated() as verdict,):
            return verdict
        case _:
            raise TypeError(f"one rating expected, found {verdicts!r}")


def refuse_prompt(judge: str, options: JudgeOptions) -> None:
    """Raises UsageError when the user brings a prompt to a judge whose official wording is what it is."""
    if options.prompt:
        raise UsageError(
            f"judge {judge} asks in its benchmark's own words; leave --judge_prompt out (judge alignbench takes one)."
        )


def refuse_weighting(judge: str, options: JudgeOptions) -> None:
    """Raises UsageError when the user wants a weighted rating of a judge that has none."""
    if options.is_weighted:
        raise UsageError(
            f"judge {judge} has no rating weighted by token probabilities; leave that out (mt_bench_single has one)."
        )
