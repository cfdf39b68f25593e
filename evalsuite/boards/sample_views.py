"""Samples for a page: facts and prompts once a task, and of every run what it answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from evalsuite.boards.loading import LoadedRun, answers_first
from evalsuite.boards.records import SamplesKept
from evalsuite.boards.sample_facts import AllFacts, Prompts, PromptView, facts_of
from evalsuite.boards.sample_records import Answer, SampleFacts, TaskSamples
from evalsuite.boards.sample_replies import replies_of
from evalsuite.comparability import data_hash
from evalsuite.records import SampleRecord
from evalsuite.store.results import sample_record
from evalsuite.types import (
    Cancelled,
    Completion,
    NotRun,
    Sample,
    Scalar,
    Score,
    Scored,
    Unscored,
)

_RIGHT = "right"
SampleView = tuple[SampleFacts, Answer, tuple[PromptView, ...]]
"""One sample with all its texts: what it is, how it went, and the prompts that the replies name by place."""


def samples_of(runs: Sequence[LoadedRun], task: str, *, kept: SamplesKept, is_shown: bool = True) -> TaskSamples:
    """The samples of `task` in all `runs` that were asked it. Texts are left out unless `kept` and `is_shown`.

    What judges were asked about those samples stands after them, as samples of its own.
    """
    asked = {place: run for place, run in enumerate(runs) if task in run.specs}
    places = {run.result.run_id: place for place, run in asked.items()}
    prompts = Prompts()
    facts = AllFacts()
    answers: dict[int, dict[str, Answer]] = {}
    headline = ""
    for run in answers_first(asked.values()):
        reading = _reading(run, task)
        told = _data_of(run, task)
        headline = headline or reading.headline
        found = answers.setdefault(places[run.result.run_id], {})
        for text in run.side.tasks[task].records or ():
            record = sample_record(text)
            has_texts = is_shown and kept != "none" and (kept == "all" or reading.status_of(record) != _RIGHT)
            name = facts.place(record.sample, of=told, has_texts=has_texts)
            found[name] = _answer(record, reading, prompts, has_texts=has_texts)
    return TaskSamples(
        task=task,
        headline=headline,
        prompts=prompts.texts,
        samples=tuple(facts.entries.values()),
        runs=tuple(asked),
        answers=tuple(tuple(answers[place].get(name) for name in facts.entries) for place in asked),
        orders=dict(_orders(list(facts.entries), answers)),
        asked=_first_prompts(asked, task),
    )


def _data_of(run: LoadedRun, task: str) -> str:
    """The rows that a task took, as a hash; empty where they are not known, and for what judges are asked."""
    spec = run.specs[task]
    return data_hash([spec]) if spec.datasets and run.result.spec.judged is None else ""


def _orders(names: Sequence[str], answers: Mapping[int, Iterable[str]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The places of a run's samples among `names`, of runs that have them in another order."""
    places = {name: place for place, name in enumerate(names)}
    for run, own in sorted(answers.items()):
        order = tuple(places[name] for name in own)
        if any(later < earlier for earlier, later in pairwise(order)):
            yield run, order


def _first_prompts(asked: Mapping[int, LoadedRun], task: str) -> Mapping[int, tuple[str, ...]]:
    """What decides whether runs of different samples may be compared; nothing where all took the same."""
    sides = {place: run.side.tasks[task] for place, run in asked.items() if run.result.spec.judged is None}
    if len({side.spec.sample_ids_hash for side in sides.values()}) < 2:
        return {}
    return {place: side.prompts or () for place, side in sides.items()}


@dataclass(frozen=True)
class Reading:
    """How the records of one run are read: by its own headline, and in a judge's run as verdicts, not as answers.

    `num_judged` is how many models' answers a judge was shown together: none, one or two.
    """

    headline: str = ""
    is_judge: bool = False
    num_judged: int = 0

    def status_of(self, record: SampleRecord) -> str:
        """``right`` or ``wrong`` where the answer is known and the headline counts one row, else ``answered``.

        Corpus scores, shares such as language fidelity on open prompts, and a judge's verdict make no single sample
        right or wrong.
        """
        match record.outcome:
            case Scored(scores=scores):
                return "answered" if self.is_judge else _verdict(record.sample, scores, self.headline)
            case Unscored():
                return "unscored"
            case Cancelled():
                return "cancelled"
            case NotRun():
                return "not run"


def _reading(run: LoadedRun, task: str) -> Reading:
    headline = run.headline(task)
    judged = run.result.spec.judged
    return Reading(headline.metric if headline else "", judged is not None, len(judged.models) if judged else 0)


def sample_view(record: SampleRecord, headline: str) -> SampleView:
    """One sample alone, `headline` being the metric that says right or wrong."""
    prompts = Prompts()
    answer = _answer(record, Reading(headline), prompts, has_texts=True)
    return facts_of(record.sample, has_texts=True), answer, prompts.texts


# -- how a sample ended


def _verdict(sample: Sample, scores: Sequence[Score], headline: str) -> str:
    counts = next((score.counts for score in scores if not headline or score.name == headline), ())
    has_answer = bool(sample.target) or sample.gold is not None
    if not has_answer or len(counts) != 2 or counts[1] != 1.0:
        return "answered"
    return {1.0: _RIGHT, 0.0: "wrong"}.get(counts[0], "answered")


def _answer(record: SampleRecord, reading: Reading, prompts: Prompts, *, has_texts: bool) -> Answer:
    """What became of a sample. A judge's verdict is no text of a benchmark and is always there."""
    outcome = record.outcome
    scored = outcome if isinstance(outcome, Scored) else Scored(scores=())
    cause, detail = _cause(record)
    scores = outcome.scores if isinstance(outcome, Scored | Unscored) else ()
    return Answer(
        status=reading.status_of(record),  # type: ignore[arg-type]
        flags=tuple(map(str, scored.flags)),
        cause=cause,
        detail=detail if has_texts else "",
        answer=scored.answer if has_texts or reading.is_judge else "",
        explanation=scored.explanation if has_texts else "",
        counts={score.name: score.counts for score in scores},
        replies=tuple(replies_of(record, prompts)) if has_texts else (),
        tokens=() if has_texts else tuple(one.num_tokens for one in record.responses if isinstance(one, Completion)),
        chars=judged_lengths(record.sample, reading.num_judged),
    )


def _cause(record: SampleRecord) -> tuple[str, str]:
    match record.outcome:
        case Unscored(cause=cause, detail=detail):
            return str(cause), detail
        case Cancelled(reason=reason) | NotRun(reason=reason):
            return reason, ""
    return "", ""


_JUDGED = {1: ("answer",), 2: ("a", "b")}
"""By the number of runs that are judged together, what the answers are called in a case's metadata."""


def judged_lengths(sample: Sample, num_judged: int) -> tuple[int, ...]:
    """Characters of the answers that a judge was shown, all their turns together, one number a run."""
    return tuple(_length(sample, answer) for answer in _JUDGED.get(num_judged, ()))


def _length(sample: Sample, answer: str) -> int:
    """Of all turns: ``<answer>_1`` and so on of the metadata."""
    total, turn = 0, 1
    text: Scalar | None
    while (text := sample.metadata.get(f"{answer}_{turn}")) is not None:
        total, turn = total + len(str(text)), turn + 1
    return total


def lengths_of(answers: Iterable[SampleRecord]) -> tuple[int, ...]:
    """How many answers had fewer than 1, 2, 4, 8 … generated tokens, each beyond the one before; empty without any."""
    counts: dict[int, int] = {}
    for record in answers:
        for response in record.responses:
            if isinstance(response, Completion):
                place = response.num_tokens.bit_length()
                counts[place] = counts.get(place, 0) + 1
    return tuple(counts.get(place, 0) for place in range(max(counts) + 1)) if counts else ()
