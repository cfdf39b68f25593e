"""Cutting answers into sentences: six scripts, what ends nothing, code and formulae, and hostile text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.sentences import prose, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The kettle boils. Is it tea? Yes! Pour it…", ["The kettle boils.", "Is it tea?", "Yes!", "Pour it…"]),
        ("La porte grince. Qui est là ? Moi !", ["La porte grince.", "Qui est là ?", "Moi !"]),
        ("¿Quién llama? Nadie. ¡Qué susto!", ["¿Quién llama?", "Nadie.", "¡Qué susto!"]),
        ("门开了。是谁？没有人！风很大。", ["门开了。", "是谁？", "没有人！", "风很大。"]),
        ("真的吗?是的!走吧。", ["真的吗?", "是的!", "走吧。"]),
        ("من هناك؟ لا أحد. الريح شديدة.", ["من هناك؟", "لا أحد.", "الريح شديدة."]),
        ("دروازہ کھلا۔ کون ہے؟ کوئی نہیں۔", ["دروازہ کھلا۔", "کون ہے؟", "کوئی نہیں۔"]),
        ("दरवाज़ा खुला। कौन है? कोई नहीं॥ हवा तेज़ है।", ["दरवाज़ा खुला।", "कौन है?", "कोई नहीं॥", "हवा तेज़ है।"]),
        ("दरवाज़ा खुला | कौन आया|", ["दरवाज़ा खुला |", "कौन आया|"]),
        ("one line\nanother line\r\n\n  a third", ["one line", "another line", "a third"]),
        ("She said “Go.” He went. («Va.») Fin.", ["She said “Go.”", "He went.", "(«Va.»)", "Fin."]),
        ("Il dit : « Va. » Elle part.", ["Il dit : « Va. »", "Elle part."]),
        ("他说：“走吧。”她走了。", ["他说：“走吧。”", "她走了。"]),
        ("**Bold.** _Slanted._ Plain.", ["**Bold.**", "_Slanted._", "Plain."]),
    ],
)
def test_sentences_end_where_their_script_ends_them(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Pi is 3.14 and a third is .33 of it.",
        "Il mesure 1.250,75 mètres de long.",
        "圆周率约等于3.14159。",
        "Dr. Okafor met Mr. Lindqvist and Mrs. Ferro there.",
        "M. Dupont et Mme. Leroy habitent ici.",
        "El Sr. Peña y la Dra. Ruiz llegan hoy.",
        "डॉ. शर्मा आज आए।",
        "وصل د. أحمد أمس.",
        "Bring fruit, e.g. Apples or pears, i.e. Something sweet.",
        "Choisis un fruit, p. ex. Une pomme.",
        "The U.S. President and J. R. Tolkien never met.",
        "See fig. 3 and pp. 12 of vol. 2 from Jan. 5 on.",
        "“Why?” she asked.",
        "Wait... what is that?",
        "Open main.py or example.org to begin.",
        "Write to some.one@example.org. or nobody",
        "Read https://example.org/A.b?c=d now",
    ],
)
def test_nothing_else_ends_a_sentence(text: str) -> None:
    assert sentences(text) == (text,)


def test_a_word_that_may_be_an_abbreviation_ends_a_sentence_where_no_number_follows() -> None:
    assert sentences("No. I will not go.") == ("No.", "I will not go.")


def test_list_items_are_sentences_without_their_marks() -> None:
    text = "# Soup\n1. Boil the water.\n2) Add salt\n- Stir\n  * Taste it. Serve.\n(a) Eat\n> Praise\n3、喝汤"
    expected = ("Soup", "Boil the water.", "Add salt", "Stir", "Taste it.", "Serve.", "Eat", "Praise", "喝汤")
    assert sentences(text) == expected


def test_a_number_in_a_line_stays_with_its_item() -> None:
    assert sentences("1. Boil it. 2. Stir it.") == ("Boil it.", "2. Stir it.")


@pytest.mark.parametrize(
    "masked",
    [
        "```python\nprint('One. Two.')\n\nmore()\n```",
        "~~~\nOne. Two.\n~~~",
        "$$\nx = 1. Then y\n$$",
        "\\[ a. B \\]",
        "def one(x):\n    return x. Then\n",
        "    total = price * 2",
        "import os",
        "for (;;) {\n}",
    ],
)
def test_code_and_formulae_on_their_own_are_no_sentences(masked: str) -> None:
    text = f"Look at this:\n{masked}\nThat was it."
    assert sentences(text) == ("Look at this:", "That was it.")


@pytest.mark.parametrize("inline", ["`a. B`", "$a. B$", "\\(a. B\\)", "$$a. B$$", '<a title="A. B">', "www.a.org/b!c"])
def test_nothing_ends_inside_code_and_formulae(inline: str) -> None:
    assert sentences(f"Take {inline} first. Then rest.") == (f"Take {inline} first.", "Then rest.")


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 here and $10 there.",
        "Between $5-$10 and no more",
        "a list item, long enough;",
        "    indented prose that belongs to an item",
        "if you want to come, then:",
        "- le premier (voir plus haut) ;",
        "from here on it rains",
        "1 < 2 and 3 > 2",
        "C'est `ouvert",
        "an e-mail @ someone",
    ],
)
def test_prose_is_left_alone(text: str) -> None:
    assert prose(text) == text


def test_an_open_fence_goes_on_to_the_end() -> None:
    assert prose("Code:\n```\nx. Y").split() == ["Code:"]


@given(st.text(alphabet=st.sampled_from('aB1 .!?。।|\n`$\\()[]<>@~"“”*-_:/é你ह\u0301\ud800\u202e'), max_size=60))
def test_sentences_are_parts_of_the_text_in_order(text: str) -> None:
    place = 0
    for sentence in sentences(text):
        place = text.index(sentence, place) + len(sentence)
        assert sentence == sentence.strip()
        assert any(char.isalnum() for char in sentence)
    assert len(prose(text)) == len(text)
    assert prose(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "unit",
    ["a", ".", ". ", "`", "$x", "\\(", "\\[", "<a", "a@", "a.", "f(", "~~~\n", "x=", "“", "A. ", "http://", "\ud800"],
)
def test_time_is_linear(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    began = time.process_time()
    sentences(text)
    assert time.process_time() - began < 5  # a quadratic search takes minutes
