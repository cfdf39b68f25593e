"""Samples for a page: facts and prompts once a task, and of every run what it answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import msgspec

from evalsuite.boards.loading import LoadedRun, answers_first
from evalsuite.boards.records import SamplesKept
from evalsuite.boards.sample_records import Answer, Reply, SampleFacts, TaskSamples
from evalsuite.canonical import canonical_json
from evalsuite.comparability import data_hash
from evalsuite.records import SampleRecord
from evalsuite.store.results import sample_record
from evalsuite.types import (
    Cancelled,
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    NotRun,
    Prompt,
    Response,
    RollingRequest,
    Sample,
    Scalar,
    Score,
    Scored,
    Unscored,
)

_RIGHT = "right"
PromptView = str | tuple[tuple[str, str], ...]
SampleView = tuple[SampleFacts, Answer, tuple[PromptView, ...]]
"""One sample with all its texts: what it is, how it went, and the prompts that the replies name by place."""

Pair = tuple[Item, Response | None]


def samples_of(runs: Sequence[LoadedRun], task: str, *, kept: SamplesKept, is_shown: bool = True) -> TaskSamples:
    """The samples of `task` in all `runs` that were asked it. Texts are left out unless `kept` and `is_shown`.

    What judges were asked about those samples stands after them, as samples of its own.
    """
    asked = {place: run for place, run in enumerate(runs) if task in run.specs}
    places = {run.result.run_id: place for place, run in asked.items()}
    prompts = _Prompts()
    facts = _AllFacts()
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
    prompts = _Prompts()
    answer = _answer(record, Reading(headline), prompts, has_texts=True)
    return _facts(record.sample, has_texts=True), answer, prompts.texts


def _data_of(run: LoadedRun, task: str) -> str:
    """The rows that a task took, as a hash; empty where they are not known, and for what judges are asked."""
    spec = run.specs[task]
    return data_hash([spec]) if spec.datasets and run.result.spec.judged is None else ""


@dataclass
class _AllFacts:
    """Facts by id, each once; of other facts under an id that is taken the id goes on with a number."""

    entries: dict[str, SampleFacts] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)

    def place(self, sample: Sample, *, of: str, has_texts: bool) -> str:
        """Under which id the facts of `sample` stand.

        One row of the data `of` is one sample, in whatever words templates put it; without data its words tell.
        """
        found = _facts(sample, has_texts=True)
        key = canonical_json([of, msgspec.structs.replace(found, input="", metadata={}) if of else found])
        known = self.known.setdefault(sample.id, [])
        if key not in known:
            known.append(key)
        number = known.index(key) + 1
        name = sample.id if number == 1 else f"{sample.id}~{number}"
        if name not in self.entries or (has_texts and not self.entries[name].input):
            variant = 0 if number == 1 else number
            self.entries[name] = msgspec.structs.replace(_facts(sample, has_texts=has_texts), id=name, variant=variant)
        return name


@dataclass
class _Prompts:
    """Prompts by place, each once."""

    places: dict[str, int] = field(default_factory=dict)
    views: list[PromptView] = field(default_factory=list)

    @property
    def texts(self) -> tuple[PromptView, ...]:
        return tuple(self.views)

    def place(self, prompt: Prompt) -> int:
        view: PromptView = (
            prompt if isinstance(prompt, str) else tuple((message.role, message.content) for message in prompt)
        )
        key = canonical_json(view)
        if key not in self.places:
            self.places[key] = len(self.views)
            self.views.append(view)
        return self.places[key]


def _facts(sample: Sample, *, has_texts: bool) -> SampleFacts:
    bare = SampleFacts(
        id=sample.id,
        language=sample.language,
        category=sample.category,
        cluster="" if sample.cluster_id == sample.id else sample.cluster_id,
    )
    if not has_texts:
        return bare
    source = str(sample.metadata.get("source_language", sample.language))
    return msgspec.structs.replace(
        bare,
        prompt_language="" if source == sample.language else source,
        input=sample.input,
        target=sample.target,
        choices=sample.choices,
        gold=sample.gold,
        metadata={key: str(value) for key, value in sorted(sample.metadata.items())},
    )


# -- how a sample ended


def _verdict(sample: Sample, scores: Sequence[Score], headline: str) -> str:
    counts = next((score.counts for score in scores if not headline or score.name == headline), ())
    has_answer = bool(sample.target) or sample.gold is not None
    if not has_answer or len(counts) != 2 or counts[1] != 1.0:
        return "answered"
    return {1.0: _RIGHT, 0.0: "wrong"}.get(counts[0], "answered")


def _answer(record: SampleRecord, reading: Reading, prompts: _Prompts, *, has_texts: bool) -> Answer:
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
        replies=tuple(_replies(record, prompts)) if has_texts else (),
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


# -- what was asked and answered


def _replies(record: SampleRecord, prompts: _Prompts) -> Iterator[Reply]:
    """In order; choices after one context are one exchange, so that it is shown once."""
    pairs: list[Pair] = [
        (item, record.responses[index] if index < len(record.responses) else None)
        for index, item in enumerate(record.items)
    ]
    for _, group in groupby(pairs, key=lambda pair: _shared(pair[0])):
        members = list(group)
        item, response = members[0]
        match item.request:
            case LoglikelihoodRequest(context=context):
                yield _choices(record, prompts.place(context), members)
            case GenerateRequest() as request:
                yield _generated(request, response, prompts.place(request.prompt))
            case RollingRequest(text=text):
                yield _rolled(response, prompts.place(text))


def _shared(item: Item) -> object:
    request = item.request
    return (item.wave, request.context) if isinstance(request, LoglikelihoodRequest) else item.id


def _generated(request: GenerateRequest, response: Response | None, prompt: int) -> Reply:
    settings: dict[str, Scalar] = {"max_tokens": request.max_tokens, "temperature": request.temperature}
    if request.temperature:
        settings |= {"top_p": request.top_p, "seed": request.seed}
    match response:
        case Completion():
            return Reply(
                prompt=prompt,
                kind="generate",
                text=response.text,
                stop_reason=response.stop_reason,
                settings=settings,
                stop=request.stop,
                num_prompt_tokens=response.num_prompt_tokens,
                num_tokens=response.num_tokens,
            )
        case Failure():
            return _failed(response, prompt)
    return Reply(prompt=prompt, kind="none")


def _rolled(response: Response | None, prompt: int) -> Reply:
    match response:
        case Loglikelihood():
            return Reply(
                prompt=prompt,
                kind="rolling",
                sums=(response.sum_nats,),
                num_chars=(response.num_chars,),
                choice_tokens=(response.num_tokens,),
            )
        case Failure():
            return _failed(response, prompt)
    return Reply(prompt=prompt, kind="none")


def _failed(failure: Failure, prompt: int) -> Reply:
    return Reply(
        prompt=prompt,
        kind="failure",
        cause=str(failure.cause),
        detail=failure.detail,
        http_status=failure.http_status,
    )


def _choices(record: SampleRecord, prompt: int, pairs: Sequence[Pair]) -> Reply:
    """The sums, and how long each choice alone is: the delimiter before it is no part of its length."""
    texts = record.sample.choices if len(record.sample.choices) == len(pairs) else None
    failure = next((response for _, response in pairs if isinstance(response, Failure)), None)
    return Reply(
        prompt=prompt,
        kind="choices",
        choices=tuple(item.request.continuation for item, _ in pairs if isinstance(item.request, LoglikelihoodRequest)),
        sums=tuple(response.sum_nats if isinstance(response, Loglikelihood) else None for _, response in pairs),
        num_chars=tuple(_num_chars(response, texts[at] if texts else None) for at, (_, response) in enumerate(pairs)),
        choice_tokens=tuple(response.num_tokens if isinstance(response, Loglikelihood) else 0 for _, response in pairs),
        picked=_picked(record, texts),
        cause=str(failure.cause) if failure else "",
        detail=failure.detail if failure else "",
    )


def _num_chars(response: Response | None, choice: str | None) -> int:
    if choice:
        return len(choice)
    return response.num_chars if isinstance(response, Loglikelihood) else 0


def _picked(record: SampleRecord, texts: Sequence[str] | None) -> int | None:
    if texts is None or not isinstance(record.outcome, Scored):
        return None
    return next((at for at, text in enumerate(texts) if text == record.outcome.answer), None)


def lengths_of(answers: Iterable[SampleRecord]) -> tuple[int, ...]:
    """How many answers had fewer than 1, 2, 4, 8 … generated tokens, each beyond the one before; empty without any."""
    counts: dict[int, int] = {}
    for record in answers:
        for response in record.responses:
            if isinstance(response, Completion):
                place = response.num_tokens.bit_length()
                counts[place] = counts.get(place, 0) + 1
    return tuple(counts.get(place, 0) for place in range(max(counts) + 1)) if counts else ()
