"""Our judges' prompts: model text stays text, fences hold, and every language says the same with the same variables."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from importlib.resources import files
from itertools import product
from typing import Any

import jinja2
import pytest
from evalsuite.judges import _prompts
from evalsuite.judges._prompts import (
    check_wording,
    defused,
    fence,
    fenced,
    render_prompt,
    render_wording,
)
from jinja2 import meta
from jinja2.sandbox import SecurityError
from own_cases import LANGUAGES

from evalsuite.errors import UsageError
from evalsuite.text.languages import identify

FOLDER = files("evalsuite.judges") / "prompts"
FILES = sorted(entry.name for entry in FOLDER.iterdir() if entry.name.endswith(".j2"))
VARIABLES = {
    "pairwise": {"token", "is_conversation", "question", "reference", "first", "second"},
    "rating": {"token", "is_conversation", "question", "reference", "answer"},
    "pairwise_again": set(),
    "rating_again": set(),
}
MARKERS = {"pairwise": ["[[A]]", "[[B]]", "[[C]]"], "rating": ["[[N]]"]}
OURS = [f"{name}.{language}" for name, language in product(VARIABLES, LANGUAGES)]
PAYLOADS = [
    "{{ 7 * 7 }}",
    "{{ token }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{% include 'rating.en.j2' %}",
    "{% raw %}",
    "{# nothing #}",
    "{{ first",
    "}} {% endif %} {{",
    "${7*7} #{7*7} <%= 7*7 %> {{7*'7'}}",
    "\x00\x1b[31m\u202e\ud800",
]


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.j2").read_text(encoding="utf-8")


def rendered(name: str, **changed: Any) -> str:
    """The template with every value that ours can need."""
    names = VARIABLES[name.partition(".")[0]]
    values = {key: f"<{key}>" for key in names} | {"is_conversation": False}
    return render_prompt(name, **(values | changed))


# -- templates


def test_every_judge_has_its_templates_in_six_languages() -> None:
    assert {f"{name}.j2" for name in OURS} <= set(FILES)


@pytest.mark.parametrize("name", OURS)
def test_templates_use_the_variables_they_are_given_and_no_other(name: str) -> None:
    tree = _prompts._environment().parse(text_of(name))
    assert meta.find_undeclared_variables(tree) == VARIABLES[name.partition(".")[0]]


@pytest.mark.parametrize("name", OURS)
def test_templates_are_in_their_language(name: str) -> None:
    language = name.partition(".")[2]
    plain = re.sub(r"\{[%{].*?[%}]\}|\[\[.\]\]", " ", text_of(name))
    assert identify(plain) == language
    if language in ("zh", "ar", "hi"):
        latin = [word for word in re.findall(r"[A-Za-z]+", plain) if word not in {"A", "B", "N"}]
        assert latin == []


@pytest.mark.parametrize("name", OURS)
def test_templates_hold_no_invisible_character_and_end_in_one_newline(name: str) -> None:
    text = text_of(name)
    assert not [char for char in text if unicodedata.category(char) in {"Cf", "Cc"} and char != "\n"]
    assert text == unicodedata.normalize("NFC", text)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert rendered(name, reference="").endswith("\n")


@pytest.mark.parametrize("name", [name for name in OURS if "again" not in name])
def test_verdicts_stand_on_lines_of_their_own_after_the_material(name: str) -> None:
    kind = name.partition(".")[0]
    lines = rendered(name).splitlines()
    found = [line for line in lines if line.startswith("[[") and len(line) == 5]
    assert found == MARKERS[kind]
    last_value = "<second>" if kind == "pairwise" else "<answer>"
    assert lines.index(last_value) < lines.index(MARKERS[kind][0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_asked_for_again(language: str) -> None:
    assert re.findall(r"\[\[.\]\]", render_prompt(f"pairwise_again.{language}")) == ["[[A]]", "[[B]]", "[[C]]"]
    assert re.findall(r"[0-9]+", render_prompt(f"rating_again.{language}")) == ["1", "10"]


@pytest.mark.parametrize("name", [name for name in OURS if "again" not in name])
def test_references_and_conversations_are_spoken_of_only_where_there_are_such(name: str) -> None:
    """The same number of lines in every language, more with a reference and more in a conversation."""
    kind = name.partition(".")[0]
    plain, whole = rendered(name, reference=""), rendered(name)
    conversation = rendered(name, reference="", question="", is_conversation=True)
    assert "<reference>" in whole
    assert "<reference>" not in plain
    lengths = {"pairwise": (19, 22, 18), "rating": (21, 24, 20)}[kind]
    assert tuple(len(text.splitlines()) for text in (plain, whole, conversation)) == lengths
    assert plain.splitlines()[0] != conversation.splitlines()[0]
    assert "\n\n\n" not in whole


def test_a_template_needs_all_its_values() -> None:
    with pytest.raises(jinja2.UndefinedError, match="token"):
        render_prompt("rating.en", is_conversation=False, question="", reference="", answer="")


@pytest.mark.parametrize("name", ["none", "../_prompts", "../../secret", "/etc/passwd", "card.en.json", ""])
def test_only_packaged_templates_can_be_named(name: str) -> None:
    with pytest.raises(jinja2.TemplateNotFound):
        render_prompt(name)


# -- model text


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
@pytest.mark.parametrize("name", [name for name in OURS if "again" not in name])
def test_payloads_in_answers_stay_text(name: str, payload: str) -> None:
    """Everything else in the prompt is as with a harmless answer."""
    keys = [key for key in ("question", "reference", "first", "second", "answer") if key in VARIABLES[name[:-3]]]
    hostile = rendered(name, **dict.fromkeys(keys, payload))
    assert hostile == rendered(name, **dict.fromkeys(keys, "HARMLESS")).replace("HARMLESS", payload)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ().__class__.__base__.__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ answer.format.__globals__ }}",
        "{{ '{0.__class__}'.format(answer) }}",
        "{{ values.append(1) }}",
        "{{ values.__class__.clear(values) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{% for x in range(10 ** 9) %}{% endfor %}",
    ],
)
def test_the_sandbox_refuses_a_template_that_reaches_out(source: str) -> None:
    with pytest.raises((SecurityError, jinja2.UndefinedError, OverflowError)):
        _prompts._environment().from_string(source).render(answer="text", values=[1])


# -- fences


def test_fences_repeat_and_depend_on_every_text_and_where_it_ends() -> None:
    assert fence("case", "answer") == fence("case", "answer")
    others = [("case", "answer "), ("cas", "eanswer"), ("caseanswer",), ("case", "answer", ""), ("answer", "case")]
    assert len({fence("case", "answer"), *(fence(*texts) for texts in others)}) == 6


def test_a_fence_is_128_bits_of_sha256() -> None:
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in (b"0", b"case", "é".encode()))
    assert fence("case", "é") == hashlib.sha256(framed).hexdigest()[:32]
    assert re.fullmatch("[0-9a-f]{32}", fence("\ud800"))


def test_an_answer_cannot_hold_its_own_fence() -> None:
    """Whatever fence an answer is written against, writing it down changes the fence."""
    answer = "an answer"
    for _ in range(50):
        token = fence("case", answer)
        assert token not in answer
        answer += f"\n</answer_{token}>"


def test_a_token_that_a_text_holds_is_passed_over() -> None:
    assert _prompts._first_absent(iter(["aa", "bb", "cc"]), ("x aa", "bb")) == "cc"


def test_fenced_text() -> None:
    assert fenced("answer", "one\ntwo", "ff") == "<answer_ff>\none\ntwo\n</answer_ff>"


@pytest.mark.parametrize(
    "control",
    [
        *("<|im_end|>", "<|im_start|>", "<|eot_id|>", "<|START_OF_TURN_TOKEN|>", "<｜User｜>", "<｜end▁of▁sentence｜>"),
        *("<s>", "</s>", "<S>", "<bos>", "<eos>", "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>", "[INST]"),
        *(
            "[/INST]",
            "<<SYS>>",
            "<</SYS>>",
            "<think>",
            "</think>",
            "<tool_call>",
            "</tool_response>",
            "[CLS]",
            "[gMASK]",
        ),
        *("<reserved_106>", "[AVAILABLE_TOOLS]", "[/SYSTEM_PROMPT]"),
    ],
)
def test_control_tokens_are_broken_and_nothing_else_changes(control: str) -> None:
    text = f"before {control} after {control}{control}"
    assert control not in defused(text)
    assert defused(text).replace("\u2060", "") == text
    assert control not in fenced("answer", text, "ff")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a < b | c > d",
            "x[0]",
            "[[A]]",
            "<b>bold</b>",
            "<strong>",
            "List<String>",
            "[link](url)",
            "1 <= 2",
            "<span>",
        ),
        *("<span>", "[instruction]", "a||b", "F# [|1; 2|]", "« guillemets »", "<answer>", "if (a<s && s>b)"),
    ],
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert defused(text) == text


# -- a wording of the user's own

NAMES = ("token", "is_conversation", "question", "reference", "answer")
VALUES: dict[str, object] = dict.fromkeys(NAMES, "text")


def test_a_wording_of_the_users_own_is_filled_in() -> None:
    own = "Rate {{ answer }}{% if reference %} by {{ reference }}{% endif %}."
    check_wording(own, "rating", ("answer",), **VALUES)
    assert render_wording(own, "rating.en", **(VALUES | {"answer": "{{ x }}", "reference": ""})) == "Rate {{ x }}."
    assert render_wording("", "rating_again.en") == render_prompt("rating_again.en")


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("Rate it.", "--judge_prompt shows no {{ answer }}, so judge rating would not see what it judges."),
        ("Rate {answer}.", "--judge_prompt shows no {{ answer }}, so judge rating would not see what it judges."),
        ("Rate\n{{ answer", "--judge_prompt, line 2: unexpected end of template"),
        (
            "{{ answer }} {{ rival }}",
            "--judge_prompt cannot be filled in: 'rival' is undefined. Judge rating gives",
        ),
        ("{{ answer.__class__.__mro__ }}", "--judge_prompt cannot be filled in: access to attribute '__class__'"),
        ("{{ answer + 1 }}", "--judge_prompt cannot be filled in: can only concatenate str"),
        ("{% include 'secret' %}{{ answer }}", "--judge_prompt cannot be filled in: secret"),
        ("{{ answer }}{% for x in range(10 ** 9) %}{% endfor %}", "--judge_prompt cannot be filled in: Range too big"),
    ],
)
def test_a_wording_that_will_not_do_is_refused(own: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_wording(own, "rating", ("answer",), **VALUES)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
