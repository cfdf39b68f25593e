"""The encoder's rules, each on a tokenizer of a few lines: a character a token, but `ab` one and BOS and EOS one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models

from evalsuite.engines.encoding import EncodedPair, EncodedPrompt, Encoder
from evalsuite.errors import ModelUnreadable
from evalsuite.types import Encoding, GenerateRequest, LoglikelihoodRequest, Message

BOS, EOS, PAD, AB = 1, 2, 3, 4
REPLACED = "\N{REPLACEMENT CHARACTER}"
KNOWN = {"<bos>": BOS, "<eos>": EOS, "ab": AB}


@dataclass
class Letters:
    """A tokenizer that puts the tokens `before` and `after` around a text."""

    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    bos_token_id: int | None = BOS
    eos_token_id: int | None = EOS
    pad_token_id: int | None = PAD

    def __call__(self, text: str, add_special_tokens: bool = True) -> SimpleNamespace:
        found = list(tokens(text))
        return SimpleNamespace(input_ids=[*self.before, *found, *self.after] if add_special_tokens else found)

    def decode(self, ids: Sequence[int]) -> str:
        names = {number: name for name, number in KNOWN.items()}
        return "".join(names.get(number) or chr(number) for number in ids)

    def apply_chat_template(
        self, messages: list[Mapping[str, str]], *, chat_template: str, strftime_now: Any, **options: bool
    ) -> str:
        assert options == {"tokenize": False, "add_generation_prompt": True}
        turns = "".join(f"[{message['role']}]{message['content']}" for message in messages)
        return chat_template.replace("TURNS", turns).replace("TODAY", strftime_now("%Y-%m-%d"))


def tokens(text: str) -> tuple[int, ...]:
    return tuple(KNOWN.get(part) or ord(part) for part in re.findall("<bos>|<eos>|ab|(?s:.)", text))


def pair(
    context: Any, continuation: str, tokenizer: Letters | None = None, *, is_two: bool = False, **encoding: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Both parts; `is_two` for an encoder-decoder model."""
    encoder = Encoder(tokenizer or Letters(), "<bos>TURNS", is_encoder_decoder=is_two)
    request = LoglikelihoodRequest(context=context, continuation=continuation, encoding=Encoding(**encoding))
    found = encoder.encode_pair(request)
    assert (found.text, found.num_truncated) == (continuation, 0)
    return found.context, found.continuation


def prompt(text: Any, tokenizer: Letters | None = None, *, room: int = 100, max_tokens: int = 1, **more: Any) -> Any:
    request = GenerateRequest(prompt=text, max_tokens=max_tokens, encoding=Encoding(**more))
    return Encoder(tokenizer or Letters(), "<bos>TURNS").encode_prompt(request, room)


CHAT = (Message(role="user", content="x"), Message(role="assistant", content="y"))


# -- where a pair is cut


@pytest.mark.parametrize("split", ["shared", "lm-eval"])
@pytest.mark.parametrize(
    ("context", "continuation", "expected"),
    [
        ("xy", "z", ("xy", "z")),
        ("xy", " z", ("xy", " z")),
        ("xy ", "z", ("xy", " z")),
        ("xy \n", " z", ("xy", " \n z")),
        ("x", "yz", ("x", "yz")),
        ("xab", "z", ("xab", "z")),
    ],
)
def test_a_context_ends_before_its_spaces(
    split: str, context: str, continuation: str, expected: tuple[str, str]
) -> None:
    for tokenizer in (Letters(), Letters(before=(BOS,)), Letters((BOS,), (EOS,))):
        start, rest = map(tokens, expected)
        assert pair(context, continuation, tokenizer, split=split) == ((*tokenizer.before, *start), rest)


@pytest.mark.parametrize(
    ("context", "continuation", "shared", "lm_eval"),
    [
        ("xa", "bz", ("x", "abz"), ("xa", "z")),
        ("xa", "b", ("x", "ab"), ("x", "ab")),
        ("a", "b", ("<bos>", "ab"), ("<bos>", "ab")),
        ("a", "bz", ("<bos>", "abz"), ("a", "z")),
        ("xya", "bb", ("xy", "abb"), ("xya", "b")),
    ],
)
def test_a_token_across_the_join(
    context: str, continuation: str, shared: tuple[str, str], lm_eval: tuple[str, str]
) -> None:
    assert pair(context, continuation) == tuple(map(tokens, shared))
    assert pair(context, continuation, split="lm-eval") == tuple(map(tokens, lm_eval))


@pytest.mark.parametrize("split", ["shared", "lm-eval"])
def test_nothing_is_asked_for_where_there_is_no_text(split: str) -> None:
    assert pair("xy", "", split=split) == (tokens("xy"), ())


def test_what_makes_no_token_of_its_own_is_asked_for_nevertheless() -> None:
    """A tokenizer that drops what it does not know: the last token of the context is scored, unless it is all space."""

    class Deaf(Letters):
        def __call__(self, text: str, add_special_tokens: bool = True) -> SimpleNamespace:
            return super().__call__(text.replace("?", "").strip(), add_special_tokens)

    assert pair("xy", "?", Deaf()) == pair("xy", "?", Deaf(), split="lm-eval") == (tokens("x"), tokens("y"))
    assert pair("x", "?", Deaf()) == ((BOS,), tokens("x"))
    assert pair("xy", " ", Deaf()) == pair("xy", " ", Deaf(), split="lm-eval") == (tokens("xy"), ())
    assert pair("?", "x", Deaf(), split="lm-eval") == pair("?", "x", Deaf()) == ((BOS,), tokens("x"))


# -- texts of their own


@pytest.mark.parametrize(
    ("tokenizer", "encoding", "start"),
    [
        (Letters(), {}, BOS),
        (Letters(before=(BOS,)), {}, BOS),
        (Letters(bos_token_id=None), {}, EOS),
        (Letters(), {"bos": "none"}, EOS),
        (Letters(before=(BOS,)), {"bos": "none"}, EOS),
        (Letters(eos_token_id=None), {"bos": "none"}, BOS),
        (Letters(bos_token_id=0), {}, 0),
    ],
)
def test_an_empty_text_is_the_token_that_starts_one(tokenizer: Letters, encoding: dict[str, Any], start: int) -> None:
    for context in ("", " ", "\n"):
        assert pair(context, "xy", tokenizer, **encoding) == ((start,), tokens(context + "xy"))
    assert prompt("", tokenizer, **encoding) == EncodedPrompt((start,))
    assert pair("", "xy", tokenizer, is_two=True, **encoding)[0] == (start,)


@pytest.mark.parametrize(
    ("continuation", "rest"),
    [("<bos>xy", "xy"), ("<bos>", "<bos>"), ("<eos>x", "<eos>x"), ("x<bos>", "x<bos>"), ("x", "x")],
)
def test_a_continuation_of_an_empty_context_brings_no_second_bos(continuation: str, rest: str) -> None:
    assert pair("", continuation, Letters(before=(BOS,))) == ((BOS,), tokens(rest))
    assert pair("", "<eos>x", bos="none") == ((EOS,), tokens("<eos>x"))


def test_a_tokenizer_without_bos_and_eos_starts_no_text() -> None:
    with pytest.raises(ModelUnreadable, match="neither a BOS nor an end token"):
        pair("", "x", Letters(bos_token_id=None, eos_token_id=None))


@pytest.mark.parametrize(
    ("tokenizer", "pad"), [(Letters(), PAD), (Letters(pad_token_id=0), 0), (Letters(pad_token_id=None), BOS)]
)
def test_rows_are_filled_up_with_the_pad_token(tokenizer: Letters, pad: int) -> None:
    assert Encoder(tokenizer, None).pad_token == pad


# -- special tokens


@pytest.mark.parametrize(
    ("text", "bos", "expected"),
    [
        ("x", "tokenizer", (BOS, *tokens("x"))),
        ("x", "none", tokens("x")),
        ("x", "unless-present", (BOS, *tokens("x"))),
        ("<bos>x", "tokenizer", (BOS, *tokens("x"))),
        ("<bos>x", "none", (BOS, *tokens("x"))),
        ("<bos>x", "unless-present", (BOS, *tokens("x"))),
        ("<bos><bos>x", "tokenizer", (BOS, BOS, *tokens("x"))),
        ("<bos><bos>x", "unless-present", (BOS, BOS, *tokens("x"))),
        ("x<bos>", "tokenizer", (BOS, *tokens("x"), BOS)),
        (CHAT, "tokenizer", (BOS, *tokens("[user]x[assistant]y"))),
        (CHAT, "none", (BOS, *tokens("[user]x[assistant]y"))),
        (CHAT, "unless-present", (BOS, *tokens("[user]x[assistant]y"))),
    ],
)
@pytest.mark.parametrize("after", [(), (EOS,), (EOS, EOS)])
def test_a_text_gets_one_bos_where_asked_and_no_end(
    text: Any, bos: str, expected: tuple[int, ...], after: tuple[int, ...]
) -> None:
    tokenizer = Letters((BOS,), after)
    assert prompt(text, tokenizer, bos=bos) == EncodedPrompt(expected)
    assert pair(text, "z", tokenizer, bos=bos) == (expected, tokens("z"))


@pytest.mark.parametrize("bos", ["tokenizer", "none"])
def test_what_only_comes_after_a_text_is_left_out(bos: str) -> None:
    tokenizer = Letters((), (EOS,))
    assert prompt("xab", tokenizer, bos=bos).ids == tokens("xab")
    assert pair("xab", "z", tokenizer, bos=bos) == (tokens("xab"), tokens("z"))


def test_only_a_decoder_reads_what_comes_after_a_text_apart() -> None:
    byte_level = tiny_models.byte_level_with_bos()
    assert Encoder(byte_level, None).is_local
    assert not Encoder(byte_level, None, is_encoder_decoder=True).is_local
    assert not Encoder(tiny_models.words(["a"]), None).is_local


def test_without_a_bos_token_two_of_a_kind_stay() -> None:
    assert prompt("xx", Letters(bos_token_id=None)).ids == tokens("xx")
    assert prompt("xxa", Letters(bos_token_id=ord("x"))).ids == tokens("xa")
    assert prompt("xxa", Letters(bos_token_id=ord("x")), bos="none").ids == tokens("xxa")


def test_a_template_without_a_bos_gets_one_only_where_it_is_missing() -> None:
    request = GenerateRequest(prompt=CHAT, max_tokens=1, encoding=Encoding(bos="unless-present"))
    encoder = Encoder(Letters(before=(BOS,)), "TURNS")
    assert encoder.encode_prompt(request, 100).ids[0] == BOS
    plain = GenerateRequest(prompt=CHAT, max_tokens=1)
    assert encoder.encode_prompt(plain, 100).ids == tokens("[user]x[assistant]y")


@pytest.mark.parametrize("after", [(), (EOS,), (BOS, EOS)])
def test_an_encoder_is_told_that_its_text_is_whole(after: tuple[int, ...]) -> None:
    tokenizer = Letters(after=after)
    assert pair("x a", "b", tokenizer, is_two=True) == ((*tokens("x a"), *after), tokens("b"))
    assert pair("xa ", "b", tokenizer, is_two=True) == ((*tokens("xa"), *after), tokens(" b"))
    assert pair("<bos><bos>", "b", tokenizer, is_two=True)[0] == (BOS, BOS, *after)
    assert pair("xa", "b", tokenizer, is_two=True, bos="none") == (tokens("xa"), tokens("b"))


def test_the_bytes_of_a_lone_surrogate_are_replaced() -> None:
    assert prompt("x\ud83dy").ids == tokens(f"x{3 * REPLACED}y")


# -- what does not fit


@pytest.mark.parametrize(
    ("num_context", "num_continuation", "max_length", "num_truncated"),
    [(4, 1, 4, 0), (4, 1, 5, 0), (4, 1, 3, 1), (4, 2, 3, 2), (4, 3, 3, 3), (4, 4, 3, 0), (4, 1, 1, 3), (1, 3, 2, 0)],
)
def test_a_pair_loses_the_oldest_of_its_context_and_keeps_one(
    num_context: int, num_continuation: int, max_length: int, num_truncated: int
) -> None:
    whole = EncodedPair(tuple(range(num_context)), tuple(range(10, 10 + num_continuation)), "text")
    assert whole.row == (*whole.context, *whole.continuation[:-1])
    fitted = whole.fitted(max_length)
    assert fitted == EncodedPair(whole.context[num_truncated:], whole.continuation, "text", num_truncated)
    if num_truncated:
        assert len(fitted.row) == max_length
    else:
        assert fitted is whole


@pytest.mark.parametrize("overflow", ["error", "left", "left-and-answer"])
@pytest.mark.parametrize(
    ("max_tokens", "room", "num_truncated"),
    [(1, 7, 0), (1, 6, 0), (1, 5, 1), (3, 5, 3), (4, 5, 4), (5, 5, 0), (9, 5, 0)],
)
def test_a_prompt_makes_room_for_its_answer_unless_there_is_none(
    overflow: str, max_tokens: int, room: int, num_truncated: int
) -> None:
    found = prompt("vwxyz", max_tokens=max_tokens, room=room, overflow=overflow)
    cut = 0 if overflow == "error" else num_truncated
    lost = cut if overflow == "left-and-answer" else 0
    assert found == EncodedPrompt(tokens("vwxyz")[cut:], cut, lost)


# -- conversations


def test_a_conversation_is_rendered_by_the_template_on_a_day_that_stays() -> None:
    encoder = Encoder(Letters(), "TODAY TURNS")
    assert encoder.render(CHAT) == "2024-07-26 [user]x[assistant]y"
    assert encoder.render("TODAY") == "TODAY"


def test_without_a_template_a_conversation_is_refused() -> None:
    with pytest.raises(ModelUnreadable, match="no chat template"):
        Encoder(Letters(), None).render(CHAT)


def test_a_template_that_fails_is_the_models_fault() -> None:
    with pytest.raises(ModelUnreadable, match=r"the chat template fails on this conversation: .* no attribute"):
        Encoder(SimpleNamespace(), "TURNS").render(CHAT)
