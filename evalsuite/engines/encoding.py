"""Text to token ids: the split between context and continuation, one BOS where asked, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from evalsuite.engines import tokenizer_kind
from evalsuite.errors import ModelUnreadable
from evalsuite.types import Encoding, GenerateRequest, LoglikelihoodRequest, Prompt


@dataclass(frozen=True)
class EncodedPair:
    """Token ids of a context and of its continuation, and the continuation's text as asked.

    The context is never empty; the continuation is where its text makes no token, and then has no score.

    `num_truncated` tokens of the context are gone.
    """

    context: tuple[int, ...]
    continuation: tuple[int, ...]
    text: str
    num_truncated: int = 0

    @property
    def row(self) -> tuple[int, ...]:
        """What the model reads: all but the last token, whose successor nobody asks for."""
        return (*self.context, *self.continuation[:-1])

    @property
    def num_read(self) -> int:
        """Tokens of its row."""
        return len(self.context) + max(0, len(self.continuation) - 1)

    def fitted(self, max_length: int, *, is_apart: bool = False) -> EncodedPair:
        """The pair with the oldest tokens of its context dropped so that its row has `max_length`, if that can be.

        With `is_apart` the context has all of `max_length`: an encoder reads it by itself.
        """
        excess = (len(self.context) if is_apart else self.num_read) - max_length
        if not 0 < excess < len(self.context):
            return self
        return replace(self, context=self.context[excess:], num_truncated=excess)


@dataclass(frozen=True)
class EncodedPrompt:
    """Token ids of a prompt, of which `num_truncated` are gone from its beginning.

    `num_lost` tokens at the beginning of the answer do not count as answered.
    """

    ids: tuple[int, ...]
    num_truncated: int = 0
    num_lost: int = 0


TEMPLATE_DATE = datetime(2024, 7, 26)
"""Today, for templates that print the date: with the real one, prompts would change overnight."""


class Encoder:
    """A tokenizer and a chat template.

    Plain text gets the special tokens the tokenizer itself adds (a BOS for Gemma, none for SmolLM2); a rendered chat
    template holds its own, so it gets none more.
    """

    def __init__(self, tokenizer: Any, template: str | None, *, is_encoder_decoder: bool = False) -> None:
        self.tokenizer = tokenizer
        self.template = template
        self.is_encoder_decoder = is_encoder_decoder

    @cached_property
    def is_local(self) -> bool:
        """Whether what follows a text changes only the tokens of its last words."""
        return not self.is_encoder_decoder and tokenizer_kind.is_local(self.tokenizer)

    def render(self, prompt: Prompt) -> str:
        """The prompt as one text. Raises ModelUnreadable when messages meet a model without a template."""
        if isinstance(prompt, str):
            return prompt
        if self.template is None:
            raise ModelUnreadable(
                "this model has no chat template; leave --apply_chat_template out, or give --chat_template FILE."
            )
        messages = [{"role": message.role, "content": message.content} for message in prompt]
        try:
            text = self.tokenizer.apply_chat_template(
                messages,
                chat_template=self.template,
                tokenize=False,
                add_generation_prompt=True,
                strftime_now=TEMPLATE_DATE.strftime,
            )
        except Exception as error:  # Jinja and the template's own raise_exception have no common base
            raise ModelUnreadable(f"the chat template fails on this conversation: {error}") from error
        return str(text)

    def encode_prompt(self, request: GenerateRequest, max_length: int) -> EncodedPrompt:
        """Token ids of the prompt; for an empty one the token that starts a text.

        A prompt that leaves no room for `max_tokens` in `max_length` is cut as the request's encoding says, or left.
        """
        text = self.render(request.prompt)
        ids = self._encode(text, adds_special=self._adds_special(request.encoding, request.prompt, text))
        ids = ids or (self._first_token(request.encoding),)
        window = max_length - (0 if self.is_encoder_decoder else request.max_tokens)
        if len(ids) <= window or window < 1 or request.encoding.overflow == "error":
            return EncodedPrompt(ids)
        num_truncated = len(ids) - window
        num_lost = num_truncated if request.encoding.overflow == "left-and-answer" else 0
        return EncodedPrompt(ids[num_truncated:], num_truncated, num_lost)

    def encode_pair(self, request: LoglikelihoodRequest) -> EncodedPair:
        """Context and continuation, encoded together and split where the context's own encoding ends.

        For an encoder-decoder model they are encoded as two texts.

        Spaces at the end of the context move to the continuation, as in lm-eval. Where a token spans the join,
        `Encoding.split` says what is scored; the ways agree whenever the continuation begins with a space that the
        tokenizer keeps apart.
        """
        context, continuation, adds_special = self.parts(request)
        if self.is_encoder_decoder:
            start = self._encode(context, adds_special=adds_special) or (self._first_token(request.encoding),)
            return EncodedPair(start, self._encode(continuation, adds_special=False), request.continuation)
        if not context:
            start = self._encode("", adds_special=adds_special) or (self._first_token(request.encoding),)
            rest = self._encode(continuation, adds_special=False)
            has_two = len(rest) > 1 and rest[0] == start[0] == self.tokenizer.bos_token_id
            return EncodedPair(start, rest[int(has_two) :], request.continuation)
        whole = self._encode(context + continuation, adds_special=adds_special)
        return self.split(request, whole, self._encode(context, adds_special=adds_special))

    def parts(self, request: LoglikelihoodRequest) -> tuple[str, str, bool]:
        """Context without spaces at its end, continuation with them, and whether special tokens are added."""
        context = self.render(request.context)
        stripped = context.rstrip()
        adds_special = self._adds_special(request.encoding, request.context, context)
        return stripped, context[len(stripped) :] + request.continuation, adds_special

    def _adds_special(self, encoding: Encoding, prompt: Prompt, text: str) -> bool:
        """Whether the tokenizer's own special tokens are added to `text`, the rendered `prompt`."""
        if encoding.bos == "unless-present":
            return not text.startswith(self.tokenizer.decode([self.start_token]))
        return encoding.bos == "tokenizer" and isinstance(prompt, str)

    def split(self, request: LoglikelihoodRequest, whole: tuple[int, ...], alone: tuple[int, ...]) -> EncodedPair:
        """The joint encoding `whole`, cut where `alone`, the context's own, ends by the rule of the request."""
        if request.encoding.split == "lm-eval" and len(whole) > len(alone) > 0:
            return EncodedPair(alone, whole[len(alone) :], request.continuation)
        if whole == alone and not request.continuation.strip():
            return EncodedPair(whole, (), request.continuation)
        cut = _shared_length(whole, alone)
        return EncodedPair(whole[:cut] or (self._first_token(request.encoding),), whole[cut:], request.continuation)

    def _first_token(self, encoding: Encoding) -> int:
        """The token before a text that has none before it: without special tokens, the one that ends texts."""
        if encoding.bos == "none" and self.tokenizer.eos_token_id is not None:
            return int(self.tokenizer.eos_token_id)
        return self.start_token

    @property
    def pad_token(self) -> int:
        """What fills a row up; it is masked, so any token does."""
        pad = self.tokenizer.pad_token_id
        return self.start_token if pad is None else int(pad)

    @property
    def start_token(self) -> int:
        """The token before a text that has none before it: BOS, else end of text."""
        for token in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        raise ModelUnreadable("the tokenizer names neither a BOS nor an end token; an empty context cannot be scored.")

    def _encode(self, text: str, *, adds_special: bool) -> tuple[int, ...]:
        # a lone surrogate is no text to a tokenizer; recorded answers in a second turn's prompt may hold one
        well_formed = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        ids = tuple(self.tokenizer(well_formed, add_special_tokens=adds_special).input_ids)
        return self.without_appended(ids, adds_special=adds_special)

    def without_appended(self, ids: tuple[int, ...], *, adds_special: bool) -> tuple[int, ...]:
        """`ids` without what the tokenizer puts after a text, and with one BOS where the text began with another.

        An encoder is to read what comes after a text: it says that the text is whole.
        """
        if not adds_special or self.is_encoder_decoder:
            return ids
        bos = self.tokenizer.bos_token_id
        has_two = bos is not None and ids[:2] == (bos, bos)  # the text itself began with one
        return ids[int(has_two) : len(ids) - self._num_appended]

    @cached_property
    def _num_appended(self) -> int:
        """How many tokens the tokenizer puts after a text (an EOS, say); no prompt may end with them."""
        bare = self.tokenizer("a", add_special_tokens=False).input_ids
        whole = self.tokenizer("a").input_ids
        ends = range(len(whole), len(bare) - 1, -1)
        return next((len(whole) - end for end in ends if whole[end - len(bare) : end] == bare), 0)


def _shared_length(whole: tuple[int, ...], alone: tuple[int, ...]) -> int:
    for index, (a, b) in enumerate(zip(whole, alone, strict=False)):
        if a != b:
            return index
    return min(len(whole) - 1, len(alone))
