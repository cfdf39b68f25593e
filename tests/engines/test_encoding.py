"""Context and continuation as token ids: nothing lost, nothing twice, no empty continuation, one BOS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import BOS, EOS, byte_level, byte_level_with_bos, characters, split_words, words, wrapped
from tokenizers import Tokenizer, models

from evalsuite.engines.encoding import EncodedPair, Encoder
from evalsuite.errors import ModelUnreadable
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, Message, Prompt

TEXT = "Question: the थाली 你好 السلام à l’ombre 👍🏽\nAnswer: ab"
CHATML = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{{ eos_token }}\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TOKENIZERS = {
    "bytes": byte_level(chat_template=CHATML),
    "bytes with BOS": byte_level_with_bos(chat_template=CHATML),
    "words": words(split_words(TEXT)),
    "words with BOS and EOS": words(split_words(TEXT), appends_eos=True),
    "characters": characters(),
}
ENCODERS = {name: Encoder(tokenizer, tokenizer.chat_template) for name, tokenizer in TOKENIZERS.items()}
ADDS_BOS = {"bytes with BOS", "words with BOS and EOS"}

every_encoder = pytest.mark.parametrize("name", list(ENCODERS))
byte_encoders = pytest.mark.parametrize("name", ["bytes", "bytes with BOS"])

letters = st.sampled_from([*"abthe Qx.:\n", "é", "थ", "ा", "你", "好", "س", "ل", "👍", "\u200d", "\u00a0", "\u3000"])
contexts = st.text(letters, max_size=24)
continuations = st.tuples(st.sampled_from(["", " ", "  "]), st.sampled_from("abtथ你سQ"), st.text(letters, max_size=12))


def encode(name: str, context: Prompt, continuation: str) -> EncodedPair:
    return ENCODERS[name].encode_pair(LoglikelihoodRequest(context=context, continuation=continuation))


def joint(name: str, text: str) -> tuple[int, ...]:
    """The tokenizer's own ids of the whole text, without an EOS put after it."""
    ids = TOKENIZERS[name](text).input_ids
    return tuple(ids[:-1] if name == "words with BOS and EOS" else ids)


# -- the split


@every_encoder
@given(contexts, continuations)
def test_nothing_is_lost_and_no_part_is_empty(name: str, context: str, continuation: tuple[str, str, str]) -> None:
    pair = encode(name, context, "".join(continuation))
    assert pair.context
    assert pair.continuation
    whole = joint(name, context + "".join(continuation))
    starts_a_text = pair.context == (BOS,) and name not in ADDS_BOS
    assert pair.continuation == whole if starts_a_text else pair.context + pair.continuation == whole


@every_encoder
@given(contexts, st.sampled_from([" ", "  ", "\n", " \n", "\t"]), continuations)
def test_spaces_at_the_end_of_the_context_move(
    name: str, context: str, spaces: str, continuation: tuple[str, str, str]
) -> None:
    before, after = (
        encode(name, context + spaces, "".join(continuation)),
        encode(name, context, spaces + "".join(continuation)),
    )
    assert (before.context, before.continuation) == (after.context, after.continuation)


@every_encoder
@given(contexts, continuations)
def test_bos_is_there_exactly_once_where_the_tokenizer_adds_it(
    name: str, context: str, continuation: tuple[str, str, str]
) -> None:
    pair = encode(name, context, "".join(continuation))
    needs_start = not context.strip() or pair.continuation == joint(name, context + "".join(continuation))
    expected = 1 if name in ADDS_BOS or needs_start else 0
    assert (*pair.context, *pair.continuation).count(BOS) == expected == pair.context[:1].count(BOS)


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
def test_an_empty_context_is_the_token_that_starts_a_text(name: str) -> None:
    for context in ("", " ", "\n"):
        pair = encode(name, context, "ab")
        assert pair.context == (BOS,)
        assert BOS not in pair.continuation


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
@given(st.text(letters, min_size=1, max_size=24).filter(str.strip))
def test_a_prompt_is_what_the_tokenizer_makes_of_it(name: str, text: str) -> None:
    ids = ENCODERS[name].encode_prompt(GenerateRequest(prompt=text, max_tokens=1), 2048).ids
    assert ids == (joint(name, text) or (BOS,))


@every_encoder
def test_an_empty_prompt_starts_a_text(name: str) -> None:
    assert ENCODERS[name].encode_prompt(GenerateRequest(prompt="", max_tokens=1), 2048).ids == (BOS,)


def test_the_end_token_starts_a_text_where_there_is_no_bos() -> None:
    encoder = Encoder(byte_level(bos_token=None), None)
    assert encoder.encode_pair(LoglikelihoodRequest(context="", continuation="x")).context == (EOS,)


def test_without_either_an_empty_context_is_refused() -> None:
    tokenizer = wrapped(Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>")), bos_token=None, eos_token=None)
    with pytest.raises(ModelUnreadable, match="neither a BOS nor an end token"):
        Encoder(tokenizer, None).encode_pair(LoglikelihoodRequest(context="", continuation="x"))
