"""What a text ends up answering: numbers, letters of choices and boxed expressions."""

from __future__ import annotations

import time
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.announced import MAX_CHARS, PLAIN_WIDTH, announced_line, last_box
from evalsuite.text.answers import answer_choice, answer_expression, answer_number
from evalsuite.text.packs import ENGLISH, pack

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")


def number_of(text: str, language: str) -> str | None:
    """The answer as a plain string; both readings of one that has two."""
    found = answer_number(text, language)
    if found is None:
        return None
    value = f"{found.value.normalize():f}"
    return value if found.other is None else f"{value} or {found.other.normalize():f}"


# -- numbers


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("text", "number"),
    [
        # thinking
        ("<think>5</think>7", "7"),
        ("<think>5", None),
        ("<think>The answer is 5</think>", None),
        # boxes
        ("\\boxed{72} and 5", "72"),
        ("\\boxed{5} or \\boxed{6}", "6"),
        ("\\boxed{\\boxed{6}}", "6"),
        ("the answer is 5 \\boxed{72}", "72"),
        ("\\boxed{72}. The answer is 5", "72"),
        ("\\boxed {72}", "72"),
        ("\\boxed{-5}", "-5"),
        ("\\boxed{$72$}", "72"),
        ("\\boxed{\\$72}", "72"),
        ("\\boxed{72\\%}", "72"),
        ("\\boxed{72\\text{ km}}", "72"),
        ("\\boxed{72\\,\\mathrm{km/h}}", "72"),
        ("\\boxed{25^\\circ}", "25"),
        ("\\boxed{25^{\\circ}\\mathrm{C}}", "25"),
        ("\\boxed{72 km}", "72"),
        ("\\boxed{72 km²}", "72"),
        ("\\boxed{5m}", "5"),
        ("\\boxed{₹5}", "5"),
        ("\\boxed{Rs. 5}", "5"),
        ("\\boxed{12{,}345{,}678}", "12345678"),
        ("\\boxed{12,\\!345,\\!678}", "12345678"),
        ("\\boxed{3/4}", "0.75"),
        ("\\boxed{7.}", "7"),
        ("5 \\boxed{\\frac{3}{4}}", None),
        ("5 \\boxed{2x}", None),
        ("5 \\boxed{2x + 1}", None),
        ("5 \\boxed{x = 5}", None),
        ("5 \\boxed{x}", None),
        ("5 \\boxed{2\\pi}", None),
        ("5 \\boxed{\\sqrt{2}}", None),
        ("5 \\boxed{2^3}", None),
        ("5 \\boxed{2 + 3}", None),
        ("5 \\boxed{(1, 2)}", None),
        ("5 \\boxed{}", None),
        ("5 \\boxed{\\text{no}}", None),
        ("5 \\boxed{5!}", None),
        ("5 \\boxed{y5}", None),
        ("\\boxed{5\\,6}", None),
        ("\\boxed{5\\ 6}", None),
        ("\\boxed{5", "5"),
        ("boxed{5} 6", "6"),
        # cues
        ("The answer is 5. I am 100% sure.", "5"),
        ("THE ANSWER IS 5 of 7", "5"),
        ("The answer is therefore about 5 km of 7", "5"),
        ("The final answer should be: 5 of 7", "5"),
        ("Answer: 5 of 7", "5"),
        ("Answer： 5 of 7", "5"),
        ("**Answer**: 5 of 7", "5"),
        ("#### 5 of 7", "5"),
        ("### 5 of 7", "7"),
        ("The answer is 3 + 4 = 7 or 8", "7"),
        ("The answer is x = 3 = 7, y", "7"),
        ("The answer ＝ 3＝7, y", "7"),
        ("The answer is 5 = x", "5"),
        ("The answer is 3/4 of 7", "0.75"),
        ("The answer is 5\n7", "5"),
        ("The answer is 5. The answer is 6 of 7", "6"),
        ("Answer:\n\n 5 of 7\n8", "5"),
        ("**Answer:**\n**5** of 7\n8", "5"),
        ("Answer:\n- 5 of 7\n8", "5"),
        ("Answer: none\n7", "7"),
        ("The answer is below.\n5 of 7", "7"),
        ("5 of 7. The answer is above.", "7"),
        ("Answer: 6\nAnswer:", "6"),
        ("5 answers", "5"),
        ("The dancer is 5 of 7", "7"),
        # no cue
        ("3 of 5", "5"),
        ("3/4", "0.75"),
        ("-3/4.", "-0.75"),
        ("$3/4$", "0.75"),
        ("3/4 km", "4"),
        ("a 3/4", "4"),
        ("3/4/", "0.75"),
        ("3/4" + "." * 97, "0.75"),
        ("3/4" + "." * 98, "4"),
        ("1 3/4", "4"),
        ("x", None),
        ("", None),
        (" \n", None),
        ("COVID-19", None),
        # refusals
        ("I'm sorry, but I can't help with that 5.", None),
        ("I cannot answer that. The answer is 5", None),
        ("I cannot answer that. \\boxed{5}", "5"),
    ],
)
def test_numbers_in_every_language(text: str, number: str | None, language: str) -> None:
    assert number_of(text, language) == number


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [
        ("zh", "答案是5，共7", "5"),
        ("zh", "答案应该是5，共7", "5"),
        ("zh", "答案：5，共7", "5"),
        ("zh", "**答案**：5，共7", "5"),
        ("zh", "答案为5，共7", "5"),
        ("zh", "答案等于5，共7", "5"),
        ("zh", "所以答案 5，共7", "5"),
        ("zh", "因此答案就5，共7", "5"),
        ("zh", "答：5，共7", "5"),
        ("zh", "答案是五。共7", "5"),
        ("zh", "答案是大约五。共7", "5"),
        ("zh", "答案是一个谜，共7", "1"),
        ("zh", "答案是一样的，共7", "7"),
        ("zh", "答案是三角形", None),
        ("zh", "答案\n5", "5"),
        ("zh", "五", "5"),
        ("zh", "五个", None),
        ("zh", "有五", None),
        ("zh", "\\boxed{五}", "5"),
        ("zh", "\\boxed{三百元}", "300"),
        ("zh", "回答5，共7", "7"),
        ("fr", "La réponse est 5 de 7", "5"),
        ("fr", "La reponse finale est donc 5 de 7", "5"),
        ("fr", "Réponse\u202f: 5 de 7", "5"),
        ("fr", "Réponse finale : 5 de 7", "5"),
        ("fr", "Sa réponse estime 5 de 7", "7"),
        ("fr", "La réponse est donc forcément 5 et non 7.", "5"),
        ("fr", "La réponse est 2ème de 7", "2"),
        ("fr", "1,234", "1.234 or 1234"),
        ("fr", "La réponse est 1.234", "1234 or 1.234"),
        ("fr", "\\boxed{1{,}5}", "1.5"),
        ("ar", "الإجابة هي ٥ من ٧", "5"),
        ("ar", "الاجابة: ٥ من ٧", "5"),
        ("ar", "الجواب ٥ من ٧", "5"),
        ("ar", "إجابتي ٥ من ٧", "5"),
        ("ar", "للإجابة على ٥ من ٧", "7"),
        ("es", "La respuesta es 5 de 7", "5"),
        ("es", "La respuesta a la pregunta es 5 de 7", "5"),
        ("es", "Respuesta final: 5 de 7", "5"),
        ("es", "Su respuesta esta 5 de 7", "7"),
        ("hi", "उत्तर 5 है, 7 नहीं", "5"),
        ("hi", "उत्तर: ५ है, ७ नहीं", "5"),
        ("hi", "जवाब है 5, 7 नहीं", "5"),
        ("hi", "उत्तरी 5, 7", "7"),
        ("hi", "उत्तर लगभग 5 नहीं, 7 है", "7"),
        ("hi", "The answer is clearly 5. 7 लैंप बचे।", "5"),
        ("hi", "5 ही उत्तर है।\n\n7", "7"),
        ("en", "1. 5 apples\n2. that is all", "5"),
        ("en", "1. apples\n2. pears", "2"),
        ("en", "1st", None),
        ("en", "a 1st", None),
        ("en", "The answer is 2nd of 7", "2"),
        ("en", "1,5", "1.5"),
        ("de", "1,234", "1234"),
        ("fr-CA", "La réponse est 5 de 7", "5"),
        ("fr", "\\boxed{1\\,234}", "1234"),
    ],
)
def test_numbers_by_language(language: str, text: str, number: str | None) -> None:
    assert number_of(text, language) == number


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("it is -1,234 km", "-1,234"),
        ("<think>1, 2</think> The answer is 2.5 million, 7", "2.5 million"),
        ("the answer is 1 + 1 = -2, 7", "-2"),
        ("Answer:\n\n **72** of 7", "72"),
        ("$\\boxed{ 72 km }$ of 7", " 72 km "),
        ("<think>a</think>\n 3/4", "3/4"),
        ("x" * MAX_CHARS + " the answer is 72 of 7", "72"),
    ],
)
def test_where_the_number_stands(text: str, where: str) -> None:
    found = answer_number(text, "en")
    assert found is not None
    assert text[found.start : found.end] == where


def test_only_the_end_of_a_long_text_is_searched() -> None:
    assert answer_number("\\boxed{5}" + " " * MAX_CHARS + "7", "en") == answer_number(" " * (MAX_CHARS + 9) + "7", "en")
    assert answer_choice("The answer is B" + " " * MAX_CHARS + "x", "en", 4) is None
    assert answer_choice("B. Paris" + " " * MAX_CHARS + "x", "en", 4) == 1
    assert answer_number("5" + " " * 39_998 + "x", "en") is not None
    assert answer_number("5" + " " * 39_999 + "x", "en") is None
    assert answer_choice("#### B" + " " * 39_993 + "x", "en", 4) == 1
    assert answer_choice("#### B" + " " * 39_994 + "x", "en", 4) is None


# -- choices


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("B", 1),
        ("b", 1),
        (" (b). ", 1),
        ("**B**", 1),
        ("Ｂ", 1),
        ("2", 1),
        ("2.", 1),
        ("1", 0),
        ("2" + "." * 18, 1),
        ("2" + "." * 19, None),
        ("2" + "." * 25, None),
        ("٢", 1),
        ("5", None),
        ("0", None),
        ("22", None),
        ("E", None),
        ("", None),
        ("ABBA", None),
        ("B or C", None),
        ("<think>A</think>B", 1),
        ("<think>B", None),
        # boxes
        ("\\boxed{B}. The answer is C", 1),
        ("\\boxed{\\text{B}}", 1),
        ("\\boxed{\\textbf{(b)}}", 1),
        ("\\boxed{B. Paris}", 1),
        ("\\boxed{2}", 1),
        ("\\boxed{Paris} The answer is B", 1),
        ("\\boxed{E} The answer is B", 1),
        # cues
        ("The answer is B.", 1),
        ("the answer is b", 1),
        ("the answer is: (b) Paris", 1),
        ("the answer is b because", 1),
        ("the answer is a", 0),
        ("the answer is a dog", None),
        ("the answer is a. Dog", 0),
        ("Answer: A dog", None),
        ("Answer: A", 0),
        ("Answer: A because of C", 0),
        ("The answer is A for sure", 0),
        ("Answer\nA dog", None),
        ("Answer:\nA dog", None),
        ("Answer:\n[A fits best", 0),
        ("Answer: **B**", 1),
        ("ANSWER: B", 1),
        ("#### B", 1),
        ("I choose B", 1),
        ("I would go with B", 1),
        ("The correct option is B", 1),
        ("Answer:\n\nB", 1),
        ("Answer:\n\nnone", None),
        ("The answer is A. The answer is B.", 1),
        ("The answer is B. I hope this answer helps.", 1),
        ("The answer is B. A is wrong.", 1),
        ("The answer is B because A is wrong", 1),
        ("The answer is B! A is close", 1),
        ("The answer is B\nA is close", 1),
        ("The answer is A or B", None),
        ("The answer is A, B", None),
        ("The answer is A / B", None),
        ("A or answer: B", None),
        ("B or answer: B", 1),
        ("A or answer: not B", 0),
        ("The answer is B, yes B", 1),
        ("The answer is not B", None),
        ("The answer isn't B", None),
        ("The answer is not B. C is", None),
        ("The answer is not B but C", 2),
        ("It is not of interest to say at length that I looked into this. The answer is B", 1),
        ("I am not sure. Well, the answer is B", 1),
        ("B................", 1),
        ("B" + "." * 19, 1),
        ("The answer is C, not B", 2),
        ("The answer is C rather than B", 2),
        ("The answer is C, B is wrong", 2),
        ("The answer is neither A nor B", None),
        ("The answer is not A or B", None),
        ("The answer is not A, B", None),
        ("The answer is not A but B or C", None),
        ("The answer is D.", 3),
        ("The answer is E.", None),
        ("The answer is vitamin C", None),
        ("The answer is in C++", None),
        ("The answer is Washington D.C.", None),
        ("The answer is 25°C", None),
        ("The answer is C's", None),
        ("The answer is C-level", None),
        ("The answer is option 2", 1),
        ("The answer is option (2)", 1),
        ("The answer is 2", None),
        ("The answer is option 20", None),
        ("The answer is option 2.5", None),
        ("The answer is option 7", None),
        ("Option B", 1),
        ("I think option B is right and option A is wrong", 1),
        ("Option A is not right", None),
        ("Option A fits, option B too", None),
        ("Option 2 it is, I say", 1),
        # beginnings
        ("B. Paris is the capital", 1),
        ("B) Paris is the capital", 1),
        ("(B) Paris is the capital", 1),
        ("(b) Paris is the capital", 1),
        ("[B] Paris is the capital", 1),
        ("B: Paris is the capital", 1),
        ("B、Paris is the capital", 1),
        ("B - Paris is the capital", 1),
        ("B – Paris is the capital", 1),
        ("B\nParis is the capital", 1),
        ("**B.** Paris is the capital", 1),
        ("**B** - Paris is the capital", 1),
        ("B-side songs are rare to find", None),
        ("B Paris is the capital of it", None),
        ("b. Paris is the capital of it", None),
        ("A dog is an animal that barks", None),
        ("C'est la vie, comme on le dit", None),
        ("D.C. is the capital of the US", None),
        ("A. Rome\nB. Paris\nC. Madrid and so on", None),
        ("A. Rome is right\nB. Paris is not", None),
        ("A. Rome is right\nA. Rome, I say", 0),
        ("B. Paris\nA. is wrong since it is far", 1),
        ("E. Paris is the capital of it", None),
        # bold and brackets
        ("Here **B** makes sense to me", 1),
        ("Here **B. Paris** makes sense", 1),
        ("Here **B** and again **B** fits", 1),
        ("Here __B__ makes sense to me", 1),
        ("Here **(B)** makes sense to me", 1),
        ("Here (B) makes sense to me, yes", 1),
        ("Here (b) makes sense to me, yes", 1),
        ("Here [B] makes sense to me, yes", 1),
        ("Here **B** or **C** makes sense", None),
        ("Here **B** or (C) makes sense", None),
        ("Here **Berlin** makes more sense", None),
        ("Here f(b) makes more sense to me", None),
        ("Here (E) makes more sense to me", None),
        # refusals
        ("I'm sorry, but I can't help with option B.", None),
        ("I'm sorry, but I can't help with that. \\boxed{B}", 1),
    ],
)
def test_choices_in_every_language(text: str, choice: int | None, language: str) -> None:
    assert answer_choice(text, language, 4) == choice


@pytest.mark.parametrize(
    ("language", "text", "choice"),
    [
        ("zh", "答案是B", 1),
        ("zh", "答案是b", 1),
        ("zh", "答案：（B）", 1),
        ("zh", "应选B。", 1),
        ("zh", "故选择 C", 2),
        ("zh", "选D", 3),
        ("zh", "答案是乙", 1),
        ("zh", "答案是乙项", 1),
        ("zh", "答案是乙醇", None),
        ("zh", "甲", 0),
        ("zh", "甲方胜诉了，合同继续有效并执行下去直到年底。", None),
        ("zh", "丙、光合作用", 2),
        ("zh", "答案是甲或乙", None),
        ("zh", "答案是A和B", None),
        ("zh", "答案不是B", None),
        ("zh", "答案不是B而是C", 2),
        ("zh", "答案是C而不是B", 2),
        ("zh", "选A还是选B，难说", None),
        ("zh", "选项2", 1),
        ("zh", "选项B正确，选项A错误", 1),
        ("zh", "答案是B，因为A太小", 1),
        ("zh", "答案是维生素C", None),
        ("zh", "所以答案是：\n**D**", 3),
        ("fr", "La réponse est B", 1),
        ("fr", "La bonne réponse est la b.", 1),
        ("fr", "Réponse : D", 3),
        ("fr", "Réponse\u202f: A peu près", None),
        ("fr", "Réponse\u202f: A Paris", 0),
        ("fr", "La réponse est à Paris", None),
        ("fr", "La réponse est d'accord", None),
        ("fr", "La réponse n'est pas B", None),
        ("fr", "La réponse n'est pas B mais C", 2),
        ("fr", "La réponse est A et B", None),
        ("fr", "La réponse est ni A ni B", None),
        ("fr", "La réponse est B car A est petit", 1),
        ("fr", "Le choix 2 me va bien, je crois", 1),
        ("fr", "Je choisis C", 2),
        ("es", "La respuesta correcta es la B", 1),
        ("es", "La respuesta es a veces B", 1),
        ("es", "La respuesta no es B, sino C", 2),
        ("es", "La respuesta es A o B", None),
        ("es", "La respuesta es B porque A es falsa", 1),
        ("es", "Elijo la opción 3", 2),
        ("es", "La opción correcta es D", 3),
        ("es", "La respuesta es B, A es incorrecta", 1),
        ("ar", "الإجابة هي (ب)", 1),
        ("ar", "الإجابة الصحيحة: ج", 2),
        ("ar", "الجواب ا", 0),
        ("ar", "الجواب أ", 0),
        ("ar", "الإجابة هي أ أو ب", None),
        ("ar", "الإجابة هي أ و ب", None),
        ("ar", "الإجابة ليست ب", None),
        ("ar", "ليست الإجابة ب", None),
        ("ar", "الإجابة ليست ب بل ج", 2),
        ("ar", "الإجابة هي ب لأن أ خاطئة", 1),
        ("ar", "الخيار ٢", 1),
        ("ar", "ج) باريس عاصمة فرنسا منذ زمن", 2),
        ("ar", "باريس", None),
        ("ar", "الإجابة هي باريس", None),
        ("hi", "उत्तर ख है", 1),
        ("hi", "सही विकल्प (ग)", 2),
        ("hi", "उत्तर ख नहीं है", None),
        ("hi", "उत्तर ख नहीं, ग है", 2),
        ("hi", "उत्तर ग है, न कि ख", 2),
        ("hi", "उत्तर क या ख है", None),
        ("hi", "उत्तर कमल है", None),
        ("hi", "उत्तर ख है क्योंकि क छोटा है", 1),
        ("hi", "विकल्प २", 1),
        ("hi", "घ. इनमें से कोई भी नहीं है भाई", 3),
        ("en", "The answer is ख", None),
        ("de", "The answer is B", 1),
        ("fr-CA", "La réponse est B", 1),
    ],
)
def test_choices_by_language(language: str, text: str, choice: int | None) -> None:
    assert answer_choice(text, language, 4) == choice


@pytest.mark.parametrize(
    ("text", "language", "num_choices", "choice"),
    [
        ("The answer is E", "en", 5, 4),
        ("J", "en", 10, 9),
        ("هـ", "ar", 5, 4),
        ("الإجابة هي هـ", "ar", 5, 4),
        ("(هـ) هي الأفضل بلا شك يا صديقي", "ar", 5, 4),
        ("ङ", "hi", 5, 4),
        ("option 9", "en", 10, 8),
        ("9", "en", 10, 8),
        ("12", "en", 10, None),
        ("C", "en", 2, None),
        ("3", "en", 2, None),
        ("الإجابة هي ج", "ar", 2, None),
        ("The answer is A or C", "en", 2, 0),
        ("option 3", "en", 2, None),
    ],
)
def test_there_are_as_many_letters_as_choices(text: str, language: str, num_choices: int, choice: int | None) -> None:
    assert answer_choice(text, language, num_choices) == choice


def test_how_far_a_letter_is_looked_for() -> None:
    """The last fifty cues, three hundred characters behind one, and sixty before a letter for what denies it."""
    assert answer_choice("The answer is B.\n" + "answer:\n" * 49, "en", 4) == 1
    assert answer_choice("The answer is B.\n" + "answer:\n" * 50, "en", 4) is None
    assert answer_choice("answer:" + " x" * 148 + "  B", "en", 4) == 1
    assert answer_choice("answer:" + " x" * 148 + "   B", "en", 4) is None
    denied = "The answer cannot be" + "  definitely" * 4
    assert answer_choice(f"{denied}   B", "en", 4) is None
    assert answer_choice(f"{denied}    B", "en", 4) == 1


# -- boxes and lines


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("\\boxed{x + 1}", "x + 1"),
        ("\\boxed{ 5 }", "5"),
        ("\\boxed{}", ""),
        ("a \\boxed{1} b \\boxed{2} c", "2"),
        ("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
        ("\\boxed{a\\}b}", "a\\}b"),
        ("\\boxed{a\\\\}b}", "a\\\\"),
        ("\\boxed{a {\\boxed{b}} c}", "b"),
        ("\\boxed{1} \\boxed{2", "1"),
        ("\\boxed{1} {2} }", "1"),
        ("}} \\boxed{1}", "1"),
        ("\\boxed {1}", "1"),
        ("{1}", None),
        ("\\boxed 1", None),
        ("\\boxed{1", None),
        ("", None),
    ],
)
def test_the_content_of_the_last_box(text: str, expression: str | None) -> None:
    assert answer_expression(text) == expression


def test_where_the_last_box_is() -> None:
    assert last_box("a \\boxed{12} b") == (9, 11)
    assert last_box("\\boxed{\\boxed{1} 2}") == (14, 15)


@pytest.mark.parametrize(
    ("text", "start", "span"),
    [
        ("is 5\n6", 2, (2, 4)),
        ("is\n6", 2, (3, 4)),
        ("is: **\n\n  6 7\n8", 2, (10, 13)),
        ("is", 2, (2, 2)),
        ("is.\n6", 2, (2, 3)),
        ("is\n\n", 2, (4, 4)),
        ("is 5", 2, (2, 4)),
        ("\n5", 0, (1, 2)),
    ],
)
def test_an_announcement_ends_with_its_line_or_the_next(text: str, start: int, span: tuple[int, int]) -> None:
    assert announced_line(text, start) == span


def test_what_is_plain_of_full_width() -> None:
    wide = [chr(code) for code in range(0xFF00, 0xFF61)]
    changed = "".join(char for char in wide if char.translate(PLAIN_WIDTH) != char)
    assert set(wide) - set(changed) == set("\uff00，－．０１２３４５６７８９\uff5f\uff60")
    assert changed.translate(PLAIN_WIDTH) == unicodedata.normalize("NFKC", changed)


# -- packs


def test_packs_go_by_the_primary_subtag() -> None:
    for language in LANGUAGES:
        assert pack(language).language == pack(f"{language}-XX").language == pack(language.upper()).language == language
    assert pack("de") is pack("") is ENGLISH
    assert len({id(pack(language)) for language in LANGUAGES}) == 6


# -- anything


PIECES = (
    *(
        "\\boxed{",
        "}",
        "{",
        "answer is ",
        "答案是",
        "الإجابة ",
        "उत्तर ",
        "réponse : ",
        "respuesta es ",
        "#### ",
        "A",
        "b",
    ),
    *(
        "ب",
        "ख",
        "乙",
        "(B)",
        "**",
        "not ",
        " or ",
        "=",
        "\n",
        " ",
        "1",
        ",",
        ".",
        "三",
        "万",
        "<think>",
        "</think>",
        "option 2",
    ),
)


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)), st.sampled_from(LANGUAGES))
def test_any_text_is_read_without_error(text: str, language: str) -> None:
    number = answer_number(text, language)
    assert number is None or (0 <= number.start <= number.end <= len(text) and number.value.is_finite())
    choice = answer_choice(text, language, 4)
    assert choice is None or 0 <= choice < 4
    assert answer_expression(text) is None or "boxed" in text


@given(st.integers(-(10**9), 10**9), st.sampled_from(LANGUAGES))
def test_what_is_announced_is_read(number: int, language: str) -> None:
    found = answer_number(f"4 and 5. The answer is {number}, of 6.", language)
    assert found is not None
    assert found.value == Decimal(number)


@pytest.mark.parametrize(
    "unit", ["\\boxed{", "{", "}", "answer is ", "答案是", "A or ", "1,", "not A ", "option 2 ", " ", "(A) "]
)
def test_a_megabyte_takes_little_time(unit: str) -> None:
    """Anything quadratic would take minutes."""
    text = unit * (1_000_000 // len(unit))
    start = time.process_time()
    answer_number(text, "zh")
    answer_choice(text, "zh", 4)
    answer_expression(text)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("en", "#### Step 1: he has 9\n\n#### Step 2: 9 * 2 = 18 dollars\n\nSo she makes **18** dollars", "18"),
        ("en", "Answer: He had 3 apples and bought 5 more, so he has 8.", "8"),
        ("en", "**Step-by-step answer:**\nThe ducks lay 16 eggs. 16 - 7 = 9. So she sells 9.", "9"),
        ("en", "Let me answer: she has 16 eggs and eats 7.\n\n**9**", "9"),
        ("en", "Answer: 5 km (3.1 miles)", "5"),
        ("en", "Answer: the total is 18.", "18"),
        ("en", "Answer: 3 + 4 = 7 and not 8", "7"),
        ("en", "The answer is 12 = 3 * 4", "12"),
        ("zh", "解答：小明有3个苹果，又买了5个，一共有8个。", "8"),
        ("ar", "الإجابة هي 5 كم (3 أميال)", "5"),
        ("hi", "उत्तर 5 है, 3 नहीं", "5"),
        ("fr", "Réponse : il a 3 pommes et en achète 5, donc il en a 8.", "8"),
        ("ar", "الإجابة: معه 3 تفاحات واشترى 5 فصار معه 8", "8"),
        ("hi", "उत्तर: उसके पास 3 सेब थे, 5 और लिए, तो अब 8 हैं।", "8"),
    ],
)
def test_a_worked_solution_under_a_label_ends_in_its_answer(language: str, text: str, value: str) -> None:
    """A label announces what stands next to it, or the only number that follows; else the last number counts."""
    found = answer_number(text, language)
    assert found is not None
    assert found.value == Decimal(value)


def test_a_fraction_of_what_is_ambiguous_is_none() -> None:
    found = answer_number("La réponse est 1,234/2", "fr")
    assert found is not None
    assert found.is_ambiguous


@pytest.mark.parametrize(
    "text",
    [
        "Option B is tempting. But no.\n\nC",
        "Option B would need more energy.\n\nTherefore, (C).",
        "To answer this question, consider what B says first. It is false.\n\n**C**",
        "#### Choosing\nIt cannot be option B.\n\n**C**",
    ],
)
def test_what_is_discussed_first_is_not_what_is_chosen(text: str) -> None:
    assert answer_choice(text, "en", 4) == 2


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ar", "\u200fب\u200f"),
        ("ar", "الخيار \u200fب\u200e"),
        ("en", "\u2067B\u2069"),
        ("en", "\ufeffB"),
        ("en", "B\u200b"),
    ],
)
def test_marks_that_nobody_sees_are_no_part_of_a_letter(language: str, text: str) -> None:
    assert answer_choice(text, language, 4) == 1
