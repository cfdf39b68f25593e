"""The samples that two runs score otherwise: question, right answer and both answers, as texts safe to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.boards.sample_facts import PromptView
from evalsuite.boards.sample_views import SampleView, sample_view
from evalsuite.comparing.pairing import PairedTask
from evalsuite.comparing.sides import TaskSide
from evalsuite.store.results import sample_record
from evalsuite.text.visible import visible

_MOST_CHARACTERS = 6_000
_EXCERPT = 120


@dataclass(frozen=True)
class Turn:
    """What was sent at once: role and text of each message."""

    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """One side's answer: `texts` as they came, turn by turn, `read` as it was scored, `said` what else there is to say.

    `picked` is the choice that was likeliest, where choices were scored.
    """

    side: str
    texts: tuple[str, ...]
    read: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """A choice, whether it is the right one, and which sides picked it."""

    text: str
    is_gold: bool
    picked_by: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """A sample whose score differs. Without records of either side it is an id alone."""

    way: str
    sample: str
    language: str
    prompt_language: str
    excerpt: str
    turns: tuple[Turn, ...]
    choices: tuple[Choice, ...]
    gold: str
    answers: tuple[Answer, ...]


def changes_of(tasks: Sequence[PairedTask], metric: str, most: int) -> Iterator[Change]:
    """At most `most` samples of `tasks`, those that lose most first and then those that gain most.

    At least a quarter of the places is left to gains where there are any.
    """
    moved = [
        (float(gain), task, name)
        for task in tasks
        for name, gain in zip(task.rows[metric].names, task.rows[metric].gains, strict=True)
        if gain != 0
    ]
    worse = sorted((one for one in moved if one[0] < 0), key=lambda one: one[0])
    better = sorted((one for one in moved if one[0] > 0), key=lambda one: -one[0])
    num_better = min(len(better), max(most - len(worse), most // 4))
    chosen = [*worse[: most - num_better], *better[:num_better]]
    places = {task.name: _Places(task) for _, task, _ in chosen}
    for gain, task, name in chosen:
        is_binary = task.rows[metric].is_binary
        way = ("lost" if gain < 0 else "gained") if is_binary else ("worse" if gain < 0 else "better")
        yield _change(way, name, places[task.name], metric)


class _Places:
    """Where the samples of a task stand on either side; found once for all of them."""

    def __init__(self, task: PairedTask) -> None:
        self._sides = {"baseline": task.baseline, "candidate": task.candidate}
        self._index = {
            label: {name: index for index, name in enumerate(side.ids or ())} for label, side in self._sides.items()
        }

    def view(self, label: str, sample: str, metric: str) -> SampleView | None:
        """The sample as that side has it; None where it kept no records."""
        side: TaskSide = self._sides[label]
        index = self._index[label].get(sample)
        if side.records is None or index is None:
            return None
        return sample_view(sample_record(side.records[index]), metric)


def _change(way: str, name: str, places: _Places, metric: str) -> Change:
    views = {label: places.view(label, name, metric) for label in ("baseline", "candidate")}
    known = {label: view for label, view in views.items() if view is not None}
    one = known.get("candidate") or known.get("baseline")
    if one is None:
        return Change(way, visible(name), "", "", "", (), (), "", ())
    choices = _choices(known)
    facts, answer, prompts = one
    return Change(
        way=way,
        sample=visible(name),
        language=facts.language,
        prompt_language=facts.prompt_language or facts.language,
        excerpt=_excerpt(facts.input),
        turns=tuple(_turn(prompts[reply.prompt]) for reply in answer.replies),
        choices=choices,
        gold="" if choices else _shown(facts.target),
        answers=tuple(_answer(label, view, has_choices=bool(choices)) for label, view in known.items()),
    )


def _choices(views: Mapping[str, SampleView]) -> tuple[Choice, ...]:
    """The choices of the only exchange that has some, the same on both sides, since what was asked is the same."""
    asked = {
        label: reply
        for label, (_, answer, _) in views.items()
        for reply in [next((reply for reply in answer.replies if reply.kind == "choices"), None)]
        if reply is not None
    }
    if not asked:
        return ()
    label, first = next(iter(asked.items()))
    facts = views[label][0]
    return tuple(
        Choice(
            text=_shown(text),
            is_gold=facts.gold == index,
            picked_by=tuple(label for label, reply in asked.items() if reply.picked == index),
        )
        for index, text in enumerate(first.choices)
    )


def _turn(prompt: PromptView) -> Turn:
    messages = (("", prompt),) if isinstance(prompt, str) else prompt
    return Turn(tuple((visible(role), _shown(text)) for role, text in messages))


def _answer(label: str, view: SampleView, *, has_choices: bool) -> Answer:
    _, answer, _ = view
    texts = [reply.text for reply in answer.replies if reply.kind == "generate"]
    failures = [f"not answered: {visible(reply.cause)}" for reply in answer.replies if reply.kind == "failure"]
    read = answer.answer if not texts or answer.answer.strip() != texts[-1].strip() else ""
    return Answer(
        side=label,
        texts=tuple(map(_shown, texts)),
        read="" if has_choices else _shown(read),
        said=(answer.status, *(visible(flag) for flag in answer.flags), *failures),
    )


def _excerpt(text: str) -> str:
    words = " ".join(text.split())
    return visible(words if len(words) <= _EXCERPT else words[:_EXCERPT] + "…")


def _shown(text: str) -> str:
    rest = len(text) - _MOST_CHARACTERS
    return visible(text if rest <= 0 else f"{text[:_MOST_CHARACTERS]}… ({rest:,} more characters)")
