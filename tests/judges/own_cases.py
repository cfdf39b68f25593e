"""Samples, answers and replies for the tests of our own judges."""

from __future__ import annotations

from evalsuite.contracts import Answered
from evalsuite.types import Completion, GenerateRequest, Sample, StopReason

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")


def sample(
    *turns: str, language: str = "en", row: int = 0, target: str = "", cluster: str = "", **metadata: str
) -> Sample:
    """A sample of one turn or of several."""
    return Sample(
        id=f"chat_{language}:test:{row}",
        input=turns[0],
        language=language,
        target=target,
        turns=turns if len(turns) > 1 else (),
        category="advice",
        cluster=cluster,
        metadata=metadata,
    )


def answered(asked: Sample, *texts: str, model: str = "model-1", missing: str = "") -> Answered:
    return Answered(
        model=model, family="chat", task="chat_en", protocol="ours", sample=asked, texts=texts, missing=missing
    )


def reply(text: str, stop_reason: StopReason = "end") -> Completion:
    return Completion(text=text, stop_reason=stop_reason, num_prompt_tokens=1, num_tokens=1)


def content(request: GenerateRequest) -> str:
    """The one message of a judge's first request."""
    assert isinstance(request.prompt, tuple)
    (message,) = request.prompt
    assert message.role == "user"
    return message.content
