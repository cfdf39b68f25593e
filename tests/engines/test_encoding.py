"""Context and continuation as token ids: nothing lost, nothing twice, no empty continuation, one BOS."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import (
    BOS,
    EOS,
    MERGES,
    SPECIAL,
    UNK,
    byte_level,
    byte_level_with_bos,
    characters,
    split_words,
    words,
    wrapped,
)
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from evalsuite.engines import plain_scorer
from evalsuite.engines.encoding import EncodedPair, Encoder
from evalsuite.engines.local_model import LocalModel
from evalsuite.errors import ModelUnreadable
from evalsuite.types import Encoding, GenerateRequest, Loglikelihood, LoglikelihoodRequest, Message, Prompt

Split = Literal["shared", "lm-eval"]
Bos = Literal["tokenizer", "none"]
Merges = Sequence[tuple[str, str]]

TEXT = "Question: the थाली 你好 السلام à l’ombre 👍🏽\nAnswer: ab"
CHATML = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{{ eos_token }}\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
LETTERS = [
    *"abthe Qx.:123\n\t",
    *["é", "\u0301", "थ", "ा", "你", "好", "س", "ل", "👍", "👩", "\u200d", "\u00a0", "\u3000"],
]
SPACES = [" ", "\n", "\t", "\r", "\u00a0", "\u3000", "\u2028", "\x1f"]
"""What `str.rstrip` takes from the end of a text."""

WORDLIKE = ["a", "b", "t", "h", "e", "x", "Q", "the", "ab"]
ACROSS_SPACES = [("e", "Ġ"), ("eĠ", "Q"), ("b", "Ġ"), (":", "Ġ"), (".", "Ċ")]
NUMBERS = [("1", "2"), ("12", "3"), ("3", "1")]
GPT2 = Regex(r"'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
BY_THREE_DIGITS = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def numbered(*parts: Sequence[str]) -> dict[str, int]:
    """The special tokens, then `parts`, each token once."""
    tokens = [*SPECIAL, *(token for part in parts for token in part)]
    return {token: place for place, token in enumerate(dict.fromkeys(tokens))}


def merged(merges: Merges) -> list[str]:
    return ["".join(pair) for pair in merges]


def put_around(tokenizer: Tokenizer, single: str) -> None:
    """What stands before and after a text whose special tokens are asked for."""
    special = [(token, place) for place, token in enumerate(SPECIAL) if token in single]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=special)


def byte_pairs(
    *more: tuple[str, str],
    pattern: Regex | None = None,
    normalizer: Any = None,
    single: str = "$A",
    **settings: Any,
) -> PreTrainedTokenizerFast:
    """Byte-level BPE with `more` merges, on pieces of `pattern` where one is given."""
    merges = [*MERGES, *more]
    tokenizer = Tokenizer(models.BPE(numbered(sorted(pre_tokenizers.ByteLevel.alphabet()), merged(merges)), merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if pattern is not None:
        split = pre_tokenizers.Split(pattern, "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, tokenizer.pre_tokenizer])
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    put_around(tokenizer, single)
    return wrapped(tokenizer, **settings)


def metaspace(model: Any, scheme: str, single: str, *, split: bool = False) -> PreTrainedTokenizerFast:
    """As SentencePiece's: a space is `▁`, one stands before the text too, and unknown letters fall apart into bytes."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    first = [] if scheme == "never" else [decoders.Strip(" ", 1, 0)]
    whole = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *first]
    tokenizer.decoder = decoders.Sequence(whole)
    put_around(tokenizer, single)
    return wrapped(tokenizer)


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
PIECES = ["▁", *(letter for letter in LETTERS if letter.isascii() and letter != " ")]


def sentencepiece_bpe() -> models.BPE:
    """With merges across the space between two words, which some vocabularies have."""
    merges = [("▁", "t"), ("▁t", "h"), ("h", "e"), ("a", "b"), ("▁", "▁"), ("e", "▁"), ("e▁", "Q"), ("b", "▁")]
    return models.BPE(numbered(BYTES, PIECES, merged(merges)), merges, byte_fallback=True, unk_token="<unk>")


def sentencepiece_unigram() -> models.Unigram:
    """What is likeliest for a text may share no token with what is likeliest for its beginning."""
    longer = {"▁the": -3.0, "▁a": -4.0, "ab": -4.0, "th": -5.0, "the": -6.0, "▁Q": -4.5, "ex": -4.0, "▁▁": -3.0}
    known = dict.fromkeys(numbered(BYTES, PIECES), -8.0) | longer
    return models.Unigram(list(known.items()), unk_id=UNK, byte_fallback=True)


def letters_apart() -> PreTrainedTokenizerFast:
    """One token a letter of `LETTERS`."""
    tokenizer = Tokenizer(models.WordLevel(numbered(LETTERS), unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return wrapped(tokenizer)


def word_pieces() -> PreTrainedTokenizerFast:
    """As BERT's: lower case, and a word's later pieces marked."""
    pieces = [*WORDLIKE, *(f"##{piece}" for piece in WORDLIKE)]
    tokenizer = Tokenizer(models.WordPiece(numbered(pieces), unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    put_around(tokenizer, "<bos> $A <eos>")
    return wrapped(tokenizer)


def ends_of_words() -> PreTrainedTokenizerFast:
    """As CLIP's: a word's last letter is a token of its own kind, so that a word which goes on changes its tokens."""
    ascii_letters = [letter for letter in LETTERS if letter.isascii()]
    merges = [("a", "b</w>"), ("h", "e</w>"), ("t", "he</w>"), ("t", "h")]
    vocabulary = numbered(ascii_letters, [f"{letter}</w>" for letter in ascii_letters], merged(merges))
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    put_around(tokenizer, "<bos> $A")
    return wrapped(tokenizer)


TOKENIZERS = {
    "bytes": byte_level(chat_template=CHATML),
    "bytes with BOS": byte_level_with_bos(chat_template=CHATML),
    "bytes with EOS": byte_pairs(single="$A <eos>"),
    "bytes without a BOS": byte_pairs(bos_token=None),
    "bytes by GPT-2's pattern": byte_pairs(pattern=GPT2),
    "bytes by three digits": byte_pairs(*NUMBERS, pattern=BY_THREE_DIGITS, single="<bos> $A"),
    "bytes across spaces": byte_pairs(*ACROSS_SPACES, single="<bos> $A"),
    "bytes composed": byte_pairs(normalizer=normalizers.NFC()),
    "bytes stripped": byte_pairs(normalizer=normalizers.Strip(), single="<bos> $A <eos>"),
    "words": words(split_words(TEXT)),
    "words with BOS and EOS": words(split_words(TEXT), appends_eos=True),
    "word pieces": word_pieces(),
    "ends of words": ends_of_words(),
    "characters": characters(),
    "letters": letters_apart(),
    "metaspace BPE": metaspace(sentencepiece_bpe(), "first", "<bos> $A"),
    "metaspace BPE without prefix": metaspace(sentencepiece_bpe(), "never", "$A"),
    "metaspace Unigram": metaspace(sentencepiece_unigram(), "always", "<bos> $A <eos>", split=True),
    "metaspace Unigram unsplit": metaspace(sentencepiece_unigram(), "first", "$A <eos>"),
}
ENCODERS = {name: Encoder(tokenizer, tokenizer.chat_template) for name, tokenizer in TOKENIZERS.items()}


def puts(name: str) -> tuple[bool, bool]:
    """Whether the tokenizer itself puts a BOS before a text, and an EOS after it."""
    alone = TOKENIZERS[name]("").input_ids
    return BOS in alone, EOS in alone


ADDS_BOS = {name for name in TOKENIZERS if puts(name)[0]}
ADDS_EOS = {name for name in TOKENIZERS if puts(name)[1]}

SPACES_APART = {
    name for name in TOKENIZERS if name not in ("bytes across spaces", "metaspace BPE", "metaspace BPE without prefix")
}
"""Whose tokens never hold a letter and, after it, a space."""


def as_it_is(text: str) -> str:
    return text


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def without_prefix(text: str) -> str:
    """A space before the text is as good as none: SentencePiece puts one there itself."""
    return text.removeprefix(" ")


LOSSLESS: dict[str, Callable[[str], str]] = {
    "bytes": as_it_is,
    "bytes with BOS": as_it_is,
    "bytes with EOS": as_it_is,
    "bytes without a BOS": as_it_is,
    "bytes by GPT-2's pattern": as_it_is,
    "bytes by three digits": as_it_is,
    "bytes across spaces": as_it_is,
    "bytes composed": composed,
    "letters": as_it_is,
    "metaspace BPE": without_prefix,
    "metaspace BPE without prefix": as_it_is,
    "metaspace Unigram": without_prefix,
    "metaspace Unigram unsplit": without_prefix,
}
"""Tokenizers that keep all of a text, and what of it comes back."""

half = settings(max_examples=50)
"""Of the usual number of examples, since each property meets some twenty tokenizers."""

PLAIN = Encoding()
LM_EVAL = Encoding(split="lm-eval")

every_encoder = pytest.mark.parametrize("name", list(ENCODERS))
byte_encoders = pytest.mark.parametrize("name", ["bytes", "bytes with BOS"])
lossless_encoders = pytest.mark.parametrize("name", list(LOSSLESS))

letters = st.sampled_from(LETTERS)
contexts = st.text(letters, max_size=24)
continuations = st.tuples(st.sampled_from(["", " ", "  "]), st.sampled_from("abtथ你سQ"), st.text(letters, max_size=12))
joins = st.sampled_from([("a", "b"), ("xa", "b"), ("xt", "he"), ("xe", " Q"), ("x12", "31"), ("xe", "\u0301t")])
"""An end and a beginning, of which one tokenizer or another makes one token."""

asked = st.one_of(
    st.tuples(contexts, continuations.map("".join)),
    st.builds(lambda text, join, more: (text + join[0], join[1] + more), contexts, joins, st.text(letters, max_size=4)),
)
boses = st.sampled_from(["tokenizer", "none"])
encodings = st.builds(Encoding, bos=boses, split=st.sampled_from(["shared", "lm-eval"]))


def encode(name: str, context: Prompt, continuation: str, encoding: Encoding = PLAIN) -> EncodedPair:
    request = LoglikelihoodRequest(context=context, continuation=continuation, encoding=encoding)
    return ENCODERS[name].encode_pair(request)


def joint(name: str, text: str, bos: Bos = "tokenizer") -> tuple[int, ...]:
    """The tokenizer's own ids of the whole text, without an EOS put after it."""
    ids = TOKENIZERS[name](text, add_special_tokens=bos == "tokenizer").input_ids
    return tuple(ids[:-1] if name in ADDS_EOS and bos == "tokenizer" else ids)


def start(name: str, bos: Bos = "tokenizer") -> int:
    """The token before a text that has none before it."""
    return EOS if bos == "none" or TOKENIZERS[name].bos_token_id is None else BOS


def decoded(name: str, ids: Sequence[int]) -> str:
    return str(TOKENIZERS[name].decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def same_tokens(one: EncodedPair, other: EncodedPair) -> bool:
    return (one.context, one.continuation) == (other.context, other.continuation)


# -- the split


@every_encoder
@half
@given(contexts, continuations)
def test_nothing_is_lost_and_no_part_is_empty(name: str, context: str, continuation: tuple[str, str, str]) -> None:
    pair = encode(name, context, "".join(continuation))
    assert pair.context
    assert pair.continuation
    whole = joint(name, context + "".join(continuation))
    starts_a_text = pair.context == (start(name),) and name not in ADDS_BOS
    assert pair.continuation == whole if starts_a_text else pair.context + pair.continuation == whole


@every_encoder
@half
@given(contexts, st.text(st.sampled_from(SPACES), min_size=1, max_size=3), continuations, encodings)
def test_spaces_at_the_end_of_the_context_move(
    name: str, context: str, spaces: str, continuation: tuple[str, str, str], encoding: Encoding
) -> None:
    """Their tokens are scored; the characters that a score is divided by stay those of what was asked."""
    text = "".join(continuation)
    before, after = encode(name, context + spaces, text, encoding), encode(name, context, spaces + text, encoding)
    assert same_tokens(before, after)
    assert (before.text, after.text) == (text, spaces + text)


@every_encoder
@half
@given(contexts, continuations, st.sampled_from(["shared", "lm-eval"]))
def test_bos_is_there_exactly_once_where_the_tokenizer_adds_it(
    name: str, context: str, continuation: tuple[str, str, str], split: Split
) -> None:
    pair = encode(name, context, "".join(continuation), Encoding(split=split))
    first = start(name)
    needs_start = not context.strip() or pair.continuation == joint(name, context + "".join(continuation))
    expected = 1 if name in ADDS_BOS or needs_start else 0
    assert (*pair.context, *pair.continuation).count(first) == expected == pair.context[:1].count(first)


@pytest.mark.parametrize("name", [name for name in TOKENIZERS if TOKENIZERS[name].bos_token])
@half
@given(contexts, continuations, st.sampled_from(["shared", "lm-eval"]))
def test_a_text_that_begins_with_a_bos_gets_no_second(
    name: str, context: str, continuation: tuple[str, str, str], split: Split
) -> None:
    pair = encode(name, "<bos>" + context, "".join(continuation), Encoding(split=split))
    prompt = ENCODERS[name].encode_prompt(GenerateRequest(prompt="<bos>" + context, max_tokens=1), 2048).ids
    for ids in ((*pair.context, *pair.continuation), prompt):
        assert (ids[0], ids.count(BOS)) == (BOS, 1)


@every_encoder
@half
@given(contexts, continuations, st.sampled_from(["shared", "lm-eval"]))
def test_without_special_tokens_there_is_no_bos(
    name: str, context: str, continuation: tuple[str, str, str], split: Split
) -> None:
    text = "".join(continuation)
    pair = encode(name, context, text, Encoding(bos="none", split=split))
    bare = Encoding(bos="none")
    prompt = ENCODERS[name].encode_prompt(GenerateRequest(prompt=context, max_tokens=1, encoding=bare), 2048).ids
    assert BOS not in (*pair.context, *pair.continuation, *prompt)
    assert prompt == (joint(name, context, "none") or (EOS,))
    if not context.strip():
        assert (pair.context, pair.continuation) == ((EOS,), joint(name, context + text, "none"))


@byte_encoders
def test_the_cut_is_after_the_contexts_own_tokens(name: str) -> None:
    pair = encode(name, "x th", "e y")
    decode = TOKENIZERS[name].decode
    assert (decode(pair.context, skip_special_tokens=True), decode(pair.continuation)) == ("x th", "e y")


def test_a_token_across_the_boundary_belongs_to_the_continuation() -> None:
    """`a` + `b` is one token: what is left of the context is what both encodings share."""
    ab = TOKENIZERS["bytes"]("ab").input_ids
    assert len(ab) == 1
    shared = encode("bytes", "xa", "b")
    assert (shared.context, shared.continuation) == (tuple(TOKENIZERS["bytes"]("x").input_ids), tuple(ab))
    for name in ("bytes", "bytes with BOS"):
        nothing_shared = encode(name, "a", "b")
        assert (nothing_shared.context, nothing_shared.continuation) == ((BOS,), tuple(ab))


@every_encoder
@half
@given(contexts.filter(str.strip), st.text(letters, max_size=6).filter(str.strip), encodings)
def test_no_part_is_empty_whatever_follows(name: str, context: str, continuation: str, encoding: Encoding) -> None:
    """Nothing or only spaces may be asked for, of which some tokenizers make no token."""
    pair = encode(name, context, continuation, encoding)
    assert pair.context
    assert pair.continuation


# -- the ways to split


@lossless_encoders
@half
@given(asked, encodings)
def test_what_is_read_and_what_is_scored_is_what_was_asked(
    name: str, asked: tuple[str, str], encoding: Encoding
) -> None:
    """But for what is inside a token that spans the end of the context: lm-eval does not score it."""
    context, text = asked
    pair = encode(name, context, text, encoding)
    assert pair.row == (*pair.context, *pair.continuation)[:-1]
    whole, alone = joint(name, context + text, encoding.bos), joint(name, context.rstrip(), encoding.bos)
    if encoding.split == "lm-eval" and whole[: len(alone)] != alone and len(whole) > len(alone):
        assert decoded(name, pair.context) == LOSSLESS[name](context.rstrip())
    else:
        assert decoded(name, (*pair.row, pair.continuation[-1])) == LOSSLESS[name](context + text)


def by_lm_eval(name: str, context: str, continuation: str, bos: Bos) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """lm-eval's rule: the context's own tokens, then what the joint encoding has after as many."""
    alone = joint(name, context.rstrip(), bos)
    return alone, joint(name, context + continuation, bos)[len(alone) :]


@every_encoder
@half
@given(asked, boses)
def test_the_split_of_lm_eval(name: str, asked: tuple[str, str], bos: Bos) -> None:
    """Where that leaves nothing on one side of the join, which lm-eval cannot score, tokens are shared out."""
    context, text = asked
    pair = encode(name, context, text, Encoding(bos=bos, split="lm-eval"))
    expected = by_lm_eval(name, context, text, bos)
    if all(expected):
        assert (pair.context, pair.continuation) == expected
    else:
        assert pair == encode(name, context, text, Encoding(bos=bos))


@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in ADDS_EOS])
@half
@given(asked.filter(lambda asked: bool(asked[0].strip())), boses)
def test_the_rule_is_that_of_lm_evals_own_code(name: str, asked: tuple[str, str], bos: Bos) -> None:
    """An EOS after the context, which lm-eval would leave in, is the one thing that we do not follow."""
    from lm_eval.api.model import TemplateLM

    def encoded(text: str) -> list[int]:
        return list(TOKENIZERS[name](text, add_special_tokens=bos == "tokenizer").input_ids)

    context, text = asked
    stub = cast(TemplateLM, SimpleNamespace(backend="causal", tok_encode=encoded))
    alone, rest = TemplateLM._encode_pair(stub, context, text)
    assert (tuple(alone), tuple(rest)) == by_lm_eval(name, context, text, bos)


@every_encoder
@half
@given(asked, boses)
def test_a_shared_split_is_where_the_context_and_the_whole_part(name: str, asked: tuple[str, str], bos: Bos) -> None:
    context, text = asked
    pair = encode(name, context, text, Encoding(bos=bos, split="shared"))
    whole, alone = joint(name, context + text, bos), joint(name, context.rstrip(), bos)
    num_shared = max(n for n in range(len(whole)) if whole[:n] == alone[:n])
    assert (pair.context, pair.continuation) == (whole[:num_shared] or (start(name, bos),), whole[num_shared:])


@pytest.mark.parametrize("name", [name for name in TOKENIZERS if name in SPACES_APART])
@half
@given(contexts, st.sampled_from("abtथ你سQ"), st.text(letters, max_size=12), boses)
def test_the_ways_agree_where_a_space_starts_a_token(name: str, context: str, first: str, rest: str, bos: Bos) -> None:
    shared = encode(name, context, f" {first}{rest}", Encoding(bos=bos, split="shared"))
    assert shared == encode(name, context, f" {first}{rest}", Encoding(bos=bos, split="lm-eval"))
    assert shared.context == (joint(name, context.rstrip(), bos) or (start(name, bos),))


@pytest.mark.parametrize(
    ("name", "context", "continuation", "shared", "lm_eval"),
    [
        ("bytes", "xa", "bt", ("x", "abt"), ("xa", "t")),
        ("bytes across spaces", "xe", " Qx", ("x", "e Qx"), ("xe", "x")),
        ("bytes by three digits", "x12", "31", ("x", "1231"), ("x12", "1")),
        ("bytes composed", "xe", "\u0301t", ("x", "ét"), ("xe", "\ufffdt")),
        ("metaspace BPE", "xe", " Qx", ("x", "e Qx"), ("xe", "x")),
        ("metaspace Unigram", "xt", "he2", ("x", "the2"), ("xt", "2")),
    ],
)
def test_the_ways_part_where_a_token_spans_the_join(
    name: str, context: str, continuation: str, shared: tuple[str, str], lm_eval: tuple[str, str]
) -> None:
    for encoding, expected in ((PLAIN, shared), (LM_EVAL, lm_eval)):
        pair = encode(name, context, continuation, encoding)
        assert (decoded(name, pair.context), decoded(name, pair.continuation)) == expected


@every_encoder
def test_an_empty_context_is_the_token_that_starts_a_text(name: str) -> None:
    for context in ("", " ", "\n"):
        pair = encode(name, context, "ab")
        assert pair.context == (start(name),)
        assert start(name) not in pair.continuation


@byte_encoders
def test_multi_byte_text_is_kept_byte_for_byte(name: str) -> None:
    for context, continuation in (("थाली", " में"), ("你", "好"), ("السلام", " عليكم"), ("👍", "🏽"), ("e", "\u0301")):
        pair = encode(name, context, continuation)
        assert TOKENIZERS[name].decode(pair.context + pair.continuation, skip_special_tokens=True) == (
            context + continuation
        )


@every_encoder
def test_the_row_is_all_but_the_last_token(name: str) -> None:
    pair = encode(name, "the", " ab x")
    assert pair.row == (pair.context + pair.continuation)[:-1]
    assert pair.text == " ab x"


def test_what_a_tokenizer_puts_after_a_text_ends_no_prompt() -> None:
    name = "words with BOS and EOS"
    pair = encode(name, "Question: the", " Answer")
    prompt = ENCODERS[name].encode_prompt(GenerateRequest(prompt="Question: the", max_tokens=1), 2048).ids
    assert EOS not in (*pair.context, *pair.continuation, *prompt)
    assert (len(pair.context), len(pair.continuation), prompt) == (4, 1, pair.context)


# -- text of many bytes


class AllAlike:
    """A model to which every token is as likely as any other."""

    num_tokens = 1000

    def __call__(self, *, input_ids: torch.Tensor, logits_to_keep: int, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(logits=torch.zeros(*input_ids.shape, self.num_tokens)[:, -logits_to_keep:])


def scored(pair: EncodedPair) -> Loglikelihood:
    model = SimpleNamespace(model=AllAlike(), settings=SimpleNamespace(device="cpu"))
    (found,) = plain_scorer.score(cast(LocalModel, model), [pair])
    assert isinstance(found, Loglikelihood)
    return found


FAMILY = "👩\u200d👩\u200d👧\u200d👦"


@every_encoder
@pytest.mark.parametrize(
    ("context", "continuation", "num_chars", "num_bytes"),
    [
        ("السؤال: ما اللون؟\nالإجابة:", " أحمر", 5, 9),
        ("प्रश्न: रंग?\nउत्तर:", " लाल", 4, 10),
        ("问题：颜色？\n答案：", "红色。", 3, 9),
        ("Who? ", FAMILY, 7, 25),
        (FAMILY[:2], FAMILY[2:], 5, 18),
        ("👍", "🏽", 1, 4),
        ("e", "\u0301", 1, 2),
        ("é", " e\u0301", 3, 4),
        ("क", "\u094d\u0937", 2, 6),
        ("the \n", "\u00a0ab", 3, 4),
    ],
)
def test_characters_and_bytes_are_those_of_the_continuation(
    name: str, context: str, continuation: str, num_chars: int, num_bytes: int
) -> None:
    for encoding in (PLAIN, LM_EVAL, Encoding(bos="none"), Encoding(bos="none", split="lm-eval")):
        pair = encode(name, context, continuation, encoding)
        found = scored(pair)
        assert (found.num_chars, found.num_bytes) == (num_chars, num_bytes)
        assert found.num_tokens == len(pair.continuation) > 0
        assert found.sum_nats == pytest.approx(-len(pair.continuation) * math.log(AllAlike.num_tokens))


@every_encoder
@half
@given(st.text(max_size=8), st.text(max_size=8).filter(str.strip), encodings)
def test_any_text_is_encoded(name: str, context: str, continuation: str, encoding: Encoding) -> None:
    """Whatever Unicode holds."""
    assert encode(name, context, continuation, encoding).text == continuation
    ids = ENCODERS[name].encode_prompt(GenerateRequest(prompt=context, max_tokens=1, encoding=encoding), 2048).ids
    assert ids == (joint(name, context, encoding.bos) or (start(name, encoding.bos),))


@every_encoder
@pytest.mark.parametrize(
    ("context", "continuation"),
    [("\ud83d", "ab"), ("ab", "\ud83d"), ("ab \ud83d", "\udc4d b"), ("", "\udfff"), ("\ud83d ", " a")],
)
def test_a_lone_surrogate_is_no_text_and_no_error(name: str, context: str, continuation: str) -> None:
    for encoding in (PLAIN, LM_EVAL, Encoding(bos="none")):
        found = scored(encode(name, context, continuation, encoding))
        assert (found.num_chars, found.num_tokens > 0) == (len(continuation), True)
        prompt = ENCODERS[name].encode_prompt(GenerateRequest(prompt=context, max_tokens=1, encoding=encoding), 2048)
        assert prompt.ids
        if name in LOSSLESS:
            kept = "".join(letter for letter in decoded(name, prompt.ids) if letter != "\N{REPLACEMENT CHARACTER}")
            assert kept == context.replace("\ud83d", "")


# -- conversations


@byte_encoders
def test_a_template_that_holds_a_bos_gets_no_second(name: str) -> None:
    messages = (Message(role="user", content="the ab"),)
    prompt = ENCODERS[name].encode_prompt(GenerateRequest(prompt=messages, max_tokens=1), 2048).ids
    pair = encode(name, messages, " ab")
    assert prompt[0] == pair.context[0] == BOS
    assert prompt.count(BOS) == pair.context.count(BOS) == 1
    assert pair.context + pair.continuation == prompt + tuple(
        TOKENIZERS[name](" ab", add_special_tokens=False).input_ids
    )


def test_a_conversation_is_rendered_turn_by_turn() -> None:
    messages = (
        Message(role="system", content="S"),
        Message(role="user", content="U"),
        Message(role="assistant", content="A"),
        Message(role="user", content="थाली"),
    )
    assert ENCODERS["bytes"].render(messages) == (
        "<bos><|system|>S<eos>\n<|user|>U<eos>\n<|assistant|>A<eos>\n<|user|>थाली<eos>\n<|assistant|>"
    )


def test_a_template_may_be_anyones() -> None:
    """BLOOMChat's form."""
    template = (
        "{% for m in messages %}{{ '<human>: ' if m.role == 'user' else '<bot>: ' }}{{ m.content }}\n{% endfor %}<bot>:"
    )
    messages = (
        Message(role="user", content="Hi"),
        Message(role="assistant", content="Ho"),
        Message(role="user", content="He"),
    )
    rendered = Encoder(TOKENIZERS["bytes"], template).render(messages)
    assert rendered == "<human>: Hi\n<bot>: Ho\n<human>: He\n<bot>:"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (None, "has no chat template"),
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{% for %}", "the chat template fails"),
        ("{{ messages[7].content }}", "the chat template fails"),
    ],
)
def test_a_template_that_fails_is_the_models_fault(template: str | None, reason: str) -> None:
    with pytest.raises(ModelUnreadable, match=reason):
        Encoder(TOKENIZERS["bytes"], template).render((Message(role="user", content="Hi"),))


def test_plain_text_is_sent_as_it_is() -> None:
    assert ENCODERS["bytes"].render("<|user|> {{ x }} ") == "<|user|> {{ x }} "


# -- prompts to be continued


@every_encoder
@half
@given(st.text(letters, min_size=1, max_size=24).filter(str.strip))
def test_a_prompt_is_what_the_tokenizer_makes_of_it(name: str, text: str) -> None:
    ids = ENCODERS[name].encode_prompt(GenerateRequest(prompt=text, max_tokens=1), 2048).ids
    assert ids == (joint(name, text) or (start(name),))


@every_encoder
def test_an_empty_prompt_starts_a_text(name: str) -> None:
    assert ENCODERS[name].encode_prompt(GenerateRequest(prompt="", max_tokens=1), 2048).ids == (start(name),)


def test_the_end_token_starts_a_text_where_there_is_no_bos() -> None:
    encoder = Encoder(byte_level(bos_token=None), None)
    assert encoder.encode_pair(LoglikelihoodRequest(context="", continuation="x")).context == (EOS,)


def test_without_either_an_empty_context_is_refused() -> None:
    tokenizer = wrapped(Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>")), bos_token=None, eos_token=None)
    with pytest.raises(ModelUnreadable, match="neither a BOS nor an end token"):
        Encoder(tokenizer, None).encode_pair(LoglikelihoodRequest(context="", continuation="x"))
