"""Tokenizers and models small enough to be made in a test: real files, random weights, no download."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from evalsuite.engines.local_model import LocalModel

SPECIAL = ["<pad>", "<unk>", "<bos>", "<eos>"]
PAD, UNK, BOS, EOS = range(4)
CHARACTERS = [chr(code) for code in range(32, 127)] + ["\n"]
MERGES = [("a", "b"), ("Ġ", "t"), ("Ġt", "h"), ("h", "e"), ("Ġ", "Ġ"), ("à", "¤"), ("ä", "½"), ("Ø", "§")]
"""Among them halves of Devanagari, Chinese and Arabic letters, and letters on both sides of a boundary."""


class SaidToBeOnCuda(LocalModel):
    """A model whose choices are those of a GPU, and whose tensors are here."""

    @property
    def device_kind(self) -> str:
        return "cuda"


def wrapped(tokenizer: Tokenizer, **settings: Any) -> PreTrainedTokenizerFast:
    """`tokenizer` as transformers has it, its special tokens named."""
    named = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", **settings}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


def byte_level(**settings: Any) -> PreTrainedTokenizerFast:
    """Byte-level BPE as GPT-2's, which adds no special token."""
    return wrapped(_byte_level(), **settings)


def byte_level_with_bos(**settings: Any) -> PreTrainedTokenizerFast:
    """Byte-level BPE that puts a BOS before a text, as Llama's and Gemma's do."""
    tokenizer = _byte_level()
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", BOS)])
    return wrapped(tokenizer, **settings)


def _byte_level() -> Tokenizer:
    vocabulary = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in MERGES)]
    tokenizer = Tokenizer(models.BPE(vocab={token: place for place, token in enumerate(vocabulary)}, merges=MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def words(vocabulary: Iterable[str], *, appends_eos: bool = False) -> PreTrainedTokenizerFast:
    """One token a word; with `appends_eos` between a BOS and an EOS, as BERT's."""
    known = [*SPECIAL, *dict.fromkeys(vocabulary)]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(known)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if appends_eos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<bos> $A <eos>", special_tokens=[("<bos>", BOS), ("<eos>", EOS)]
        )
    return wrapped(tokenizer)


def characters(**settings: Any) -> PreTrainedTokenizerFast:
    """One token a character of ASCII, a hundred in all."""
    vocabulary = {token: place for place, token in enumerate([*SPECIAL, *CHARACTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return wrapped(tokenizer, **settings)


def split_words(text: str) -> list[str]:
    """`text` as the tokenizer of `words` splits it."""
    return [word for word, _ in pre_tokenizers.Whitespace().pre_tokenize_str(text)]


def save_llama(folder: Path, tokenizer: PreTrainedTokenizerFast, *, max_length: int = 1024) -> Path:
    """A Llama of two layers with random weights, large enough that no two logits are near, with its tokenizer."""
    torch.manual_seed(20)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=max_length,
        initializer_range=0.4,
        bos_token_id=BOS,
        eos_token_id=EOS,
        pad_token_id=PAD,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
