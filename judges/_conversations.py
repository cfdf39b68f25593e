"""What our own judges show of a sample: its questions, its references and the answers, each between fences."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.contracts import Answered
from evalsuite.types import Sample

from ._prompts import fenced

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
"""The languages our judges ask in."""


def prompt_language(language: str) -> str:
    """The language to ask in about text in `language` (BCP-47, the primary subtag counts): English if not ours."""
    primary = language.partition("-")[0].lower()
    return primary if primary in LANGUAGES else "en"


def questions(sample: Sample) -> tuple[str, ...]:
    """What the user says, one text a turn."""
    return sample.turns or (sample.input,)


def numbered(prefix: str, texts: Sequence[str]) -> dict[str, str]:
    """`texts` as metadata: ``<prefix>_1`` and so on."""
    return {f"{prefix}_{number}": text for number, text in enumerate(texts, start=1)}


def listed(sample: Sample, prefix: str) -> tuple[str, ...]:
    """The texts that `numbered` put into the metadata."""
    found: list[str] = []
    while (key := f"{prefix}_{len(found) + 1}") in sample.metadata:
        found.append(str(sample.metadata[key]))
    return tuple(found)


def references(sample: Sample) -> tuple[str, ...]:
    """The reference answers: those of the metadata, else the target, as far as there are any."""
    found = listed(sample, "reference") or (sample.target,)
    return found if any(text.strip() for text in found) else ()


def answers(answered: Answered) -> tuple[str, ...]:
    """The answers, one a turn; a question of one turn that was asked again was answered by the last text."""
    return answered.texts[-1:] if len(questions(answered.sample)) == 1 else answered.texts


def reason_missing(answered: Answered) -> str:
    """Why there is nothing to judge; empty when every turn has an answer."""
    num_turns, num_answers = len(questions(answered.sample)), len(answers(answered))
    if answered.missing:
        return answered.missing
    return "" if num_answers == num_turns else f"{num_answers} of {num_turns} turns are answered"


def case_of(answered: Answered, suffix: str, metadata: dict[str, str]) -> Sample:
    """A case to judge: the sample's question and references, with `metadata` of the judge's own beside them."""
    sample = answered.sample
    return Sample(
        id=f"{sample.id}/{suffix}",
        input=sample.input,
        language=sample.language,
        target=sample.target,
        turns=sample.turns,
        category=sample.category,
        cluster=sample.cluster_id,
        metadata=numbered("reference", references(sample)) | metadata,
    )


def shown_reference(case: Sample, token: str) -> str:
    """The fenced reference answers, or the empty string."""
    texts = references(case)
    names = ("reference",) if len(texts) == 1 else [f"reference_{number}" for number in range(1, len(texts) + 1)]
    return "\n".join(fenced(name, text, token) for name, text in zip(names, texts, strict=True))


def shown_question(case: Sample, token: str) -> str:
    """The fenced question of a case of one turn; empty where a conversation shows the questions between the answers."""
    asked = questions(case)
    return "" if len(asked) > 1 else fenced("question", asked[0], token)


def shown_answer(case: Sample, tag: str, texts: Sequence[str], token: str) -> str:
    """The fenced answer, or for several turns the whole conversation."""
    if len(texts) == 1:
        return fenced(tag, texts[0], token)
    turns = enumerate(zip(questions(case), texts, strict=True), start=1)
    return "\n".join(
        f"{fenced(f'question_{number}', asked, token)}\n{fenced(f'{tag}_{number}', text, token)}"
        for number, (asked, text) in turns
    )
