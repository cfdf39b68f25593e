"""A toy model behind OpenAI's wire format: pure functions from a request's body to the object that answers it.

The toy model's answers and log-probabilities depend on the text alone, so what a client makes of them can be compared
with what these functions say. The format follows OpenAI's API reference for chat completions and completions, and for
the log-probabilities of prompts vLLM's server, which sends each token's own before the likeliest.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

CHAT_PATH, COMPLETIONS_PATH = "/v1/chat/completions", "/v1/completions"

_LATIN = "apple river stone lamp seven green window paper salt north ocean bridge candle Brücke été niño açúcar źródło"
_OTHERS = "ёлка вода नदी पुस्तक बारिश 山水 读书 猫 かぜ 바람 مطر كتاب שמש ফুল மலை ภูเขา 🌊 𝒙"
WORDS = tuple(f"{_LATIN} {_OTHERS}".split())
"""What the toy model says: words in many scripts, some outside the basic plane, some with combining marks."""


def tokenise(text: str) -> list[str]:
    """The tokens of `text`: words and other characters one by one, each with the whitespace before it."""
    return re.findall(r"\s*\w+|\s*[^\w\s]|\s+", text)


_VOCABULARY = frozenset(f" {word}" for word in WORDS if len(tokenise(word)) == 1)


def logprob(token: str) -> float:
    """The toy model's log-probability of a token in nats: it depends on the token alone, and is exact in thousandths.

    Its own words, after a space and where they are one token, have from -1 to -4 and all else from -5 to -9, so that
    only the former are ever the likeliest. The probabilities do not add up to one.
    """
    drawn = int.from_bytes(hashlib.sha256(utf8(token)).digest()[:4], "big")
    thousandths = 1000 + drawn % 3000 if token in _VOCABULARY else 5000 + drawn % 4000
    return -thousandths / 1000


@cache
def likeliest() -> tuple[str, ...]:
    """The toy model's own words after a space, the likeliest first: the first is its greedy choice everywhere."""
    return tuple(sorted(_VOCABULARY, key=lambda token: (-logprob(token), token)))


def answer(prompt: str, *, seed: int = 0, choice: int = 0) -> str:
    """The toy model's whole answer to `prompt`: 8 to 24 words, another text for every `choice` and `seed`."""
    drawn = hashlib.shake_256(utf8(f"{seed}:{choice}:{prompt}")).digest(25)
    return " ".join(WORDS[byte % len(WORDS)] for byte in drawn[1 : 9 + drawn[0] % 17])


@dataclass(frozen=True)
class Asked:
    """What a request's body asks for.

    Every prompt gets `num_choices` of at most `max_tokens` tokens. A chat's prompt is its last user message.
    `num_likeliest` is None where no log-probabilities are wanted.
    """

    is_chat: bool
    model: str
    prompts: tuple[str, ...]
    num_prompt_tokens: int
    num_choices: int
    max_tokens: int | None
    stop: tuple[str, ...]
    num_likeliest: int | None
    echo: bool

    @property
    def prompt(self) -> str:
        """The text the script is asked about: all prompts, one a line."""
        return "\n".join(self.prompts)


def read_asked(path: str, body: Mapping[str, Any]) -> Asked:
    """What `body` asks for; raises ValueError where this server does not understand it."""
    if body.get("stream"):
        raise ValueError("stream: this server does not stream")
    is_chat = path == CHAT_PATH
    texts = _conversation(body) if is_chat else _prompts(body)
    max_tokens = body.get("max_completion_tokens", body.get("max_tokens", None if is_chat else 16))
    wants_likeliest = body.get("logprobs") if is_chat else body.get("logprobs") is not None
    stop = body.get("stop") or ()
    return Asked(
        is_chat=is_chat,
        model=body["model"],
        prompts=(_last_user_text(body),) if is_chat else texts,
        num_prompt_tokens=sum(len(tokenise(text)) for text in texts),
        num_choices=body.get("n") or 1,
        max_tokens=max_tokens,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        num_likeliest=(body.get("top_logprobs") or 0 if is_chat else body["logprobs"]) if wants_likeliest else None,
        echo=bool(body.get("echo")) and not is_chat,
    )


def _conversation(body: Mapping[str, Any]) -> tuple[str, ...]:
    if not body.get("messages"):
        raise ValueError("messages: none are given")
    return tuple(_text(message) for message in body["messages"])


def _last_user_text(body: Mapping[str, Any]) -> str:
    messages = body["messages"]
    return _text(next((one for one in reversed(messages) if one["role"] == "user"), messages[-1]))


def _text(message: Mapping[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _prompts(body: Mapping[str, Any]) -> tuple[str, ...]:
    prompt = body.get("prompt")
    texts = (prompt,) if isinstance(prompt, str) else tuple(prompt or ())
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("prompt: this server reads text or a list of texts, not tokens")
    return texts


def answer_object(asked: Asked, seed: int) -> dict[str, Any]:
    """The healthy answer as OpenAI's JSON object: of several prompts the choices of one after those of another."""
    wanted = list(itertools.product(asked.prompts, range(asked.num_choices)))
    choices = [
        choice_object(asked, prompt, seed, choice) | {"index": index} for index, (prompt, choice) in enumerate(wanted)
    ]
    num_tokens = sum(len(_generated(asked, prompt, seed, choice)[0]) for prompt, choice in wanted)
    prefix, kind = ("chatcmpl", "chat.completion") if asked.is_chat else ("cmpl", "text_completion")
    return {
        "id": f"{prefix}-{hashlib.sha256(utf8(asked.prompt)).hexdigest()[:24]}",
        "object": kind,
        "created": 1_700_000_000,
        "model": asked.model,
        "system_fingerprint": "toy-1",
        "choices": choices,
        "usage": usage(asked.num_prompt_tokens, num_tokens),
    }


def usage(num_prompt_tokens: int, num_tokens: int) -> dict[str, int]:
    """The object that counts tokens."""
    total = num_prompt_tokens + num_tokens
    return {"prompt_tokens": num_prompt_tokens, "completion_tokens": num_tokens, "total_tokens": total}


def _generated(asked: Asked, prompt: str, seed: int, choice: int) -> tuple[list[str], str]:
    """The generated tokens and why they end."""
    text = answer(prompt, seed=seed, choice=choice)
    cut = min((text.index(stop) for stop in asked.stop if stop in text), default=len(text))
    tokens = tokenise(text[:cut])
    if asked.max_tokens is not None and len(tokens) > asked.max_tokens:
        return tokens[: asked.max_tokens], "length"
    return tokens, "stop"


def choice_object(asked: Asked, prompt: str, seed: int, choice: int) -> dict[str, Any]:
    """One choice of a healthy answer, numbered `choice`."""
    tokens, reason = _generated(asked, prompt, seed, choice)
    if asked.is_chat:
        message = {"role": "assistant", "content": "".join(tokens), "refusal": None}
        scores = _chat_logprobs(tokens, asked.num_likeliest)
        return {"index": choice, "message": message, "logprobs": scores, "finish_reason": reason}
    shown = (tokenise(prompt) if asked.echo else []) + tokens
    scores = _completion_logprobs(shown, asked.num_likeliest, is_first_unknown=asked.echo)
    return {"index": choice, "text": "".join(shown), "logprobs": scores, "finish_reason": reason}


def _chat_logprobs(tokens: Sequence[str], num_likeliest: int | None) -> dict[str, Any] | None:
    if num_likeliest is None:
        return None
    likely = [_chat_logprob(token) for token in likeliest()[:num_likeliest]]
    return {"content": [_chat_logprob(token) | {"top_logprobs": likely} for token in tokens], "refusal": None}


def _chat_logprob(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": logprob(token), "bytes": list(utf8(token))}


def _completion_logprobs(
    tokens: Sequence[str], num_likeliest: int | None, *, is_first_unknown: bool
) -> dict[str, Any] | None:
    """Log-probabilities of completions: the first token of a prompt has none, and each token's own stands first."""
    if num_likeliest is None:
        return None
    scores: list[float | None] = [logprob(token) for token in tokens]
    likely: list[dict[str, float] | None] = [
        {one: logprob(one) for one in (token, *likeliest()[:num_likeliest])} for token in tokens
    ]
    if is_first_unknown and tokens:
        scores[0], likely[0] = None, None
    offsets = list(itertools.accumulate((len(token) for token in tokens), initial=0))[:-1]
    return {"tokens": list(tokens), "token_logprobs": scores, "top_logprobs": likely, "text_offset": offsets}


def utf8(text: str) -> bytes:
    """`text` as UTF-8, its lone surrogates as the three bytes each would have."""
    return text.encode("utf-8", "surrogatepass")


def as_json(content: object) -> bytes:
    """`content` as JSON in raw UTF-8; a lone surrogate, which UTF-8 lacks, becomes its JSON escape."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
