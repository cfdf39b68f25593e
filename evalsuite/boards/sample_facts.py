"""What samples of a page are and what was asked of them: facts by id and prompts by place, each once."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from evalsuite.boards.sample_records import SampleFacts
from evalsuite.canonical import canonical_json
from evalsuite.types import Prompt, Sample

PromptView = str | tuple[tuple[str, str], ...]
"""A prompt as text, or the roles and texts of its messages."""


@dataclass
class AllFacts:
    """Facts by id, each once; of other facts under an id that is taken the id goes on with a number."""

    entries: dict[str, SampleFacts] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)

    def place(self, sample: Sample, *, of: str, has_texts: bool) -> str:
        """Under which id the facts of `sample` stand.

        One row of the data `of` is one sample, in whatever words templates put it; without data its words tell.
        """
        found = facts_of(sample, has_texts=True)
        key = canonical_json([of, msgspec.structs.replace(found, input="", metadata={}) if of else found])
        known = self.known.setdefault(sample.id, [])
        if key not in known:
            known.append(key)
        number = known.index(key) + 1
        name = sample.id if number == 1 else f"{sample.id}~{number}"
        if name not in self.entries or (has_texts and not self.entries[name].input):
            shown = facts_of(sample, has_texts=has_texts)
            self.entries[name] = msgspec.structs.replace(shown, id=name, variant=0 if number == 1 else number)
        return name


@dataclass
class Prompts:
    """Prompts by place, each once."""

    places: dict[str, int] = field(default_factory=dict)
    views: list[PromptView] = field(default_factory=list)

    @property
    def texts(self) -> tuple[PromptView, ...]:
        """All prompts, in the order of their places."""
        return tuple(self.views)

    def place(self, prompt: Prompt) -> int:
        """Where `prompt` stands, which is added if it is new."""
        view: PromptView = (
            prompt if isinstance(prompt, str) else tuple((message.role, message.content) for message in prompt)
        )
        key = canonical_json(view)
        if key not in self.places:
            self.places[key] = len(self.views)
            self.views.append(view)
        return self.places[key]


def facts_of(sample: Sample, *, has_texts: bool) -> SampleFacts:
    """What is told of a sample, under its own id; without texts only what tables need of it."""
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
