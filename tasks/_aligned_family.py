"""The families of choice tasks whose items are the same in several languages: from where the rows are to the tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from evalsuite.contracts import Dataset, Family, Metric, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import UsageError
from evalsuite.types import Replies, Sample, Scored

from ._aligned import ANSWERED_METRICS, Asking, Form, Question, aligned_requests, aligned_samples, score_answered
from ._choices import ACCURACY, choice_metrics, score_accuracy, score_choices
from ._words import NATIVE, WORDS, check_protocol, protocol_in, wanted_language


@dataclass(frozen=True)
class AlignedSet:
    """One set: where its rows are, how they are read, and what is said of it.

    Members are called ``<stem>_<language>``. `protocol` scores `form`; under `answered` the letter is read in what the
    model writes. `shots` is the split of exemplars, empty where there are none. `datasets` gives the rows of a language
    and split, in one part or several, and `read` the questions of these parts. `licence` and `provenance` are those of
    the translations; `english_licence` is that of the originals where it is another.
    """

    family: str
    stem: str
    title: str
    languages: tuple[str, ...]
    protocol: str
    answered: str
    form: Form
    scored: str
    shots: str
    datasets: Callable[[str, str], tuple[Dataset, ...]]
    read: Callable[[str, str, Sequence[Rows]], list[Question]]
    source: str
    licence: str
    provenance: str
    english_licence: str = ""


def aligned_family(which: AlignedSet) -> Family:
    """A family with one task a language."""
    members = tuple(_info(which, language) for language in which.languages)
    return Family(which.family, members, partial(_build, which), (which.protocol, which.answered))


def _info(which: AlignedSet, language: str) -> TaskInfo:
    title = f"{which.title} in {WORDS['en'].languages[language]}"
    licence = which.english_licence if language == "en" and which.english_licence else which.licence
    return TaskInfo(f"{which.stem}_{language}", which.family, language, "multiple_choice", title, licence)


def _build(which: AlignedSet, name: str, options: TaskOptions) -> Task:
    """Raises UnknownName for another protocol or prompt language, UsageError for exemplars where there are none."""
    protocol = check_protocol(name, options, (which.protocol, which.answered))
    num_fewshot = options.num_fewshot or 0
    if num_fewshot and not which.shots:
        raise UsageError(f"{name} has no exemplars; leave --num_fewshot out or at 0.")
    language = name.rpartition("_")[2]
    prompt_language = wanted_language(name, options, native=language, usual=NATIVE)
    form: Form = "answered" if protocol == which.answered else which.form
    asking = Asking(form, prompt_language, options.chat, num_fewshot)
    splits = (which.scored, which.shots) if num_fewshot else (which.scored,)
    info = _info(which, language)
    score, metrics = _scoring(form)
    return Task(
        name=name,
        family=which.family,
        version=1,
        language=language,
        protocol=protocol_in(protocol, prompt_language, language),
        num_fewshot=num_fewshot,
        kind="generate" if form == "answered" else info.kind,
        datasets=tuple(part for split in splits for part in which.datasets(language, split)),
        samples=partial(_samples, which, name, language, asking, splits),
        next_requests=aligned_requests(options, asking),
        score=score,
        metrics=metrics,
        title=info.title,
        source=which.source,
        licence=info.licence,
        language_provenance="native" if language == "en" else which.provenance,
        prompt_language=prompt_language,
    )


def _scoring(form: Form) -> tuple[Callable[[Sample, Replies], Scored], tuple[Metric, ...]]:
    match form:
        case "texts":
            return score_choices, choice_metrics()
        case "letters":
            return score_accuracy, (ACCURACY,)
        case "answered":
            return score_answered, ANSWERED_METRICS


def _samples(
    which: AlignedSet, name: str, language: str, asking: Asking, splits: Sequence[str], parts: Sequence[Rows]
) -> tuple[Sample, ...]:
    """Of the rows of all `splits`, each in as many parts as the others."""
    size = len(parts) // len(splits)
    questions, *pools = (
        which.read(language, split, parts[place * size : (place + 1) * size]) for place, split in enumerate(splits)
    )
    return aligned_samples(name, which.scored, language, asking, questions, pools[0] if pools else [])
