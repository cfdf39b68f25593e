"""Generated tokens to a completion: where they end, and the text before the first stop string."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from evalsuite.engines.encoding import EncodedPrompt
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Completion, GenerateRequest

_MAX_TOKENS_A_CHARACTER = 4


def is_done(model: LocalModel, request: GenerateRequest, tokens: Sequence[int]) -> bool:
    """Whether an answer is whole after its last token: by the cap, an end token, or a stop string."""
    if len(tokens) >= request.max_tokens or tokens[-1] in model.end_tokens:
        return True
    if not request.stop:
        return False
    window = _MAX_TOKENS_A_CHARACTER * max(map(len, request.stop)) + 8
    text = model.encoder.tokenizer.decode(tokens[-window:], skip_special_tokens=True)
    return first_stop(text, request.stop) is not None


def completion_of(
    model: LocalModel, request: GenerateRequest, prompt: EncodedPrompt, tokens: Sequence[int]
) -> Completion:
    """The completion that the generated `tokens` are."""
    end = next((index for index, token in enumerate(tokens) if token in model.end_tokens), None)
    kept = tokens if end is None else tokens[:end]
    decode = partial(model.encoder.tokenizer.decode, skip_special_tokens=True)
    has_stopped = first_stop(decode(kept), request.stop) is not None
    text = decode(kept[prompt.num_lost :])
    if end is None:
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")  # the cap may fall inside a character of several tokens
    stop = first_stop(text, request.stop)
    return Completion(
        text=text if stop is None else text[:stop],
        stop_reason="stop" if has_stopped else "length" if end is None else "end",
        num_prompt_tokens=len(prompt.ids),
        num_tokens=len(kept),
        num_truncated=prompt.num_truncated,
    )


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the earliest stop string begins in `text`, or None."""
    places = [place for place in (text.find(string) for string in stop if string) if place >= 0]
    return min(places, default=None)
