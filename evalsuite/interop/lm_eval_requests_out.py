"""lm-eval's requests as ours: what its tasks construct, in the terms of our engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.types import (
    Encoding,
    GenerateRequest,
    LoglikelihoodRequest,
    Message,
    Prompt,
    Request,
    Role,
    RollingRequest,
)  # fmt: skip

ENCODING = Encoding(bos="unless-present", split="lm-eval", overflow="left")
"""How lm-eval's `hf` model makes tokens of text (0.4.13)."""

MAX_TOKENS = 256
"""What lm-eval's models generate at most where a task does not say."""

_LIMITS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_KNOWN = {*_LIMITS, "until", "do_sample", "temperature", "top_p"}
_IDLE: Mapping[str, tuple[Any, ...]] = {"num_beams": (1,), "num_return_sequences": (1,), "repetition_penalty": (1, 1.0)}
"""Settings that change nothing at these values."""

_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


class Conversation(str):
    """A prompt as text that still knows the messages it was made of, for engines that render these themselves."""

    messages: tuple[Message, ...]

    def __new__(cls, text: str, messages: tuple[Message, ...]) -> Conversation:
        """The text of `messages`."""
        made = super().__new__(cls, text)
        made.messages = messages
        return made

    def __getnewargs__(self) -> tuple[str, tuple[Message, ...]]:  # type: ignore[override]
        """What a copy is made of."""
        return str(self), self.messages


def conversation(history: Sequence[Mapping[str, str]], add_generation_prompt: bool = True) -> Conversation:
    """lm-eval's chat history as a prompt. Raises UsageError for an answer that is begun already."""
    if not add_generation_prompt or not history or history[-1]["role"] == "assistant":
        raise UsageError(
            "the task begins the model's answer itself (gen_prefix), which no chat template is asked for here; leave "
            "--apply_chat_template out."
        )
    messages = tuple(Message(role=_ROLES[turn["role"]], content=turn["content"]) for turn in history)
    return Conversation("\n".join(f"{turn.role}: {turn.content}" for turn in messages), messages)


def request_of(kind: str, arguments: Sequence[Any]) -> Request:
    """What lm-eval's instance asks. Raises UsageError for what no engine of ours can be asked."""
    if kind == "loglikelihood_rolling":
        return RollingRequest(text=str(arguments[-1]))
    if len(arguments) != 2:
        raise UsageError("it asks about pictures or sound, which no engine here takes.")
    if kind == "loglikelihood":
        context, continuation = arguments
        return LoglikelihoodRequest(context=_prompt(context), continuation=str(continuation), encoding=ENCODING)
    return generation(arguments[0], arguments[1])


def generation(prompt: Any, settings: Mapping[str, Any]) -> GenerateRequest:
    """A request to generate under lm-eval's settings. Raises UsageError for one that cannot be followed."""
    temperature, is_greedy = _temperature(settings)
    for key, value in settings.items():
        is_idle = value is None or value in _IDLE.get(key, ()) or (is_greedy and key in ("top_k", "min_p", "typical_p"))
        if key not in _KNOWN and not is_idle:
            raise UsageError(f"it generates with {key}={value!r}, which no engine here can follow.")
    limit = next((int(settings[key]) for key in _LIMITS if settings.get(key) is not None), MAX_TOKENS)
    until = settings.get("until") or ()
    stops = (until,) if isinstance(until, str) else tuple(until)
    return GenerateRequest(
        prompt=_prompt(prompt),
        max_tokens=limit,
        stop=tuple(str(stop) for stop in stops if stop),
        temperature=temperature,
        top_p=1.0 if is_greedy else float(settings.get("top_p") or 1.0),
        encoding=ENCODING,
    )


def _temperature(settings: Mapping[str, Any]) -> tuple[float, bool]:
    """The temperature, and whether it is greedy. Where a task samples and says none, it is that of transformers, 1.

    Raises UsageError for sampling at temperature 0, which lm-eval hands to its model, and transformers refuses.
    """
    stated = settings.get("temperature")
    do_sample = settings.get("do_sample")
    level = float(stated or 0.0)
    if not (level > 0 if do_sample is None else do_sample):
        return 0.0, True
    if stated is not None and level <= 0:
        raise UsageError(
            f"it generates with do_sample={do_sample} and temperature={stated}, which is no sampling; say "
            "do_sample=False, or a temperature above 0."
        )
    return level or 1.0, False


def _prompt(text: Any) -> Prompt:
    return text.messages if isinstance(text, Conversation) else str(text)
