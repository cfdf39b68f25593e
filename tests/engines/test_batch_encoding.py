"""Many requests encoded at once: what one at a time gives, whatever they share, and with less work where they do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import BOS, MERGES, SPECIAL, byte_level, byte_level_with_bos, wrapped
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from evalsuite.engines.base import EngineOptions
from evalsuite.engines.batch_encoding import encode_pairs
from evalsuite.engines.encoding import Encoder
from evalsuite.engines.model_arguments import open_engine
from evalsuite.engines.shared_texts import beginnings
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.types import Encoding, LoglikelihoodRequest

GPT2 = r"'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ACROSS = "x.\n\nthe a be the ab"
ADDED = ["  ", "    ", "\n\n", "<|end|>", "the answer", ACROSS]
"""Tokens that are found before a text is split: runs of spaces as in GPT-NeoX, and others at their worst."""


def patterned(*patterns: str, adds_bos: bool = False, added: bool = False) -> PreTrainedTokenizerFast:
    """Byte-level BPE with merges across a space, which no pattern lets happen."""
    merges = [*MERGES, ("1", "2"), ("e", "Ġ"), (".", "Ċ"), ("Ċ", "Ċ"), ("Ġ", "Ġ")]
    names = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in merges)]
    vocabulary = {token: place for place, token in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    split = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    pieces = [*split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(pieces)
    tokenizer.decoder = decoders.ByteLevel()
    if adds_bos:
        tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", BOS)])
    if added:
        tokenizer.add_tokens([AddedToken(text, normalized=False) for text in ADDED])
    return wrapped(tokenizer)


def smollm2() -> PreTrainedTokenizerFast:
    engine = open_engine(EngineOptions(model="smollm2-135m", args={}))
    assert isinstance(engine, TransformersEngine)
    tokenizer: PreTrainedTokenizerFast = engine.model.encoder.tokenizer
    return tokenizer


LOCAL = {
    "GPT-2": patterned(GPT2),
    "Llama 3": patterned(LLAMA3, adds_bos=True),
    "digits apart": patterned(r"\p{N}", GPT2),
    "added tokens": patterned(GPT2, added=True),
    "added tokens, BOS": patterned(LLAMA3, adds_bos=True, added=True),
    "SmolLM2": smollm2(),
    "one word": byte_level(),
    "one word, BOS": byte_level_with_bos(),
}
ENCODERS = {name: Encoder(tokenizer, None) for name, tokenizer in LOCAL.items()}
SPLITTING = [name for name in LOCAL if not name.startswith("one word")]

word = st.sampled_from(
    [
        *(
            "the",
            "a",
            "ab",
            "be",
            "Question:",
            "Answer:",
            "12",
            "1234",
            "3.5",
            "x.",
            "!?",
            "it's",
            "थाली",
            "你好",
            "السلام",
        ),
        *("<bos>", "<eos>", "<|end|>", "the answer", "e\u0301", "👍🏽", "\ud800"),
    ]
)
gap = st.sampled_from([" ", " ", " ", "", "  ", "     ", "\n", " \n", "\t", "\u00a0"])
block = st.lists(st.tuples(word, gap), max_size=70).map(lambda parts: "".join(part for pair in parts for part in pair))
separator = st.sampled_from(["\n\n", "\n\n", "\n\n", "\n\n\n", " \n\n", "\n\n  "])


@st.composite
def prompts(draw: st.DrawFn) -> list[str]:
    """Some prompts of the same few exemplars, each with a question of its own."""
    blocks = draw(st.lists(block, min_size=1, max_size=4))
    return [
        "".join(
            part + draw(separator) for part in draw(st.lists(st.sampled_from(blocks), max_size=5))
        ) + draw(block)
        for _ in range(draw(st.integers(1, 5)))
    ]  # fmt: skip


def requests(contexts: list[str], continuations: list[str], **encoding: Any) -> list[LoglikelihoodRequest]:
    return [
        LoglikelihoodRequest(context=context, continuation=continuation, encoding=Encoding(**encoding))
        for context in contexts
        for continuation in continuations
    ]


@pytest.mark.parametrize("name", LOCAL)
def test_these_are_local(name: str) -> None:
    assert ENCODERS[name].is_local


@pytest.mark.parametrize("name", LOCAL)
@settings(max_examples=150)
@given(contexts=prompts(), more=block, bos=st.sampled_from(["tokenizer", "none", "unless-present"]))
def test_together_is_as_one_at_a_time(name: str, contexts: list[str], more: str, bos: str) -> None:
    encoder = ENCODERS[name]
    for split in ("shared", "lm-eval"):
        asked = requests(contexts, [" yes", "no", f" {more}"], bos=bos, split=split)
        assert encode_pairs(encoder, asked) == [encoder.encode_pair(request) for request in asked]


EXEMPLARS = [
    f"Question: A shop has {count} lamps and sells {count // 2} of them in the morning; what is left after it gets "
    f"{count + 7} more, and then gives two to each of its {count % 5 + 1} neighbours?\nAnswer: it's {count - 3}."
    for count in (12, 40, 7)
]


@pytest.mark.parametrize("name", SPLITTING)
@pytest.mark.parametrize("adds_special", [True, False])
def test_exemplars_are_encoded_once(name: str, adds_special: bool) -> None:
    encoder = ENCODERS[name]
    orders = [(0, 1, 2), (2, 0, 1), (1, 1, 0), (2, 1, 0)]
    texts = ["\n\n".join([*(EXEMPLARS[place] for place in order), f"Who is {order[0]}?"]) for order in orders]
    for text, begin in zip(texts, beginnings(encoder, texts, adds_special=adds_special), strict=True):
        assert begin.num_chars > 0.8 * len(text)
        whole = tuple(encoder.tokenizer(text, add_special_tokens=adds_special).input_ids)
        rest = tuple(encoder.tokenizer(text[begin.num_chars :], add_special_tokens=False).input_ids)
        assert begin.ids + rest == whole


@pytest.mark.parametrize("name", SPLITTING)
def test_what_no_other_text_has_is_no_beginning(name: str) -> None:
    texts = [EXEMPLARS[0], EXEMPLARS[1] + "\n\n" + EXEMPLARS[2]]
    for begin in beginnings(ENCODERS[name], texts, adds_special=False):
        assert (begin.ids, begin.num_chars) == ((), 0)


@pytest.mark.parametrize("name", ["added tokens", "added tokens, BOS"])
def test_a_token_across_two_pieces_is_seen(name: str) -> None:
    """Where no word begins at the inner words, what stands before them is all that is known."""
    encoder = ENCODERS[name]
    first, second = EXEMPLARS[0] + " x.", "the a be the ab " + EXEMPLARS[1]
    texts = [f"{first}\n\n{second}\n\nWho?", f"{second}\n\n{first}\n\nWho?", f"{first}\n\n{second}\n\nWhat?"]
    for text, begin in zip(texts, beginnings(encoder, texts, adds_special=True), strict=True):
        ids = tuple(encoder.tokenizer(text).input_ids)
        rest = tuple(encoder.tokenizer(text[begin.num_chars :], add_special_tokens=False).input_ids)
        assert begin.ids + rest == ids
        assert (encoder.tokenizer.convert_tokens_to_ids(ACROSS) in ids) == (ACROSS in text)
        assert begin.num_chars > 0.25 * len(text)
