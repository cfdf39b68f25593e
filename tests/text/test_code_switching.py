"""Languages sentence by sentence: foreign sentences are found, names, terms and quotations are not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.code_switching import in_language
from evalsuite.text.languages import MAX_CHARS
from evalsuite.text.sentences import sentences


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("en", "The film « Le Fabuleux Destin d'Amélie Poulain » was a success in Montreal."),
        ("en", "He said: “Je ne comprends pas pourquoi vous êtes venu ici ce soir.”"),
        ("en", "The word 你好 means hello."),
        ("en", "The sign reads “请勿入内，违者罚款”, which means keep out."),
        ("en", "The Universidad Nacional Autónoma de México is in Mexico City."),
        ("en", "“Aap kaise hain?” means “How are you?” in Hindi."),
        ("en", "The German term Weltanschauung and the Latin phrase quod erat demonstrandum are used here."),
        ("fr", "Le film « The Lord of the Rings: The Fellowship of the Ring » est sorti en 2001."),
        ("fr", "Il a dit : “I have a dream that one day this nation will rise up.”"),
        ("fr", "Le New York Times et le Washington Post ont publié l'article."),
        ("es", "El libro *The Catcher in the Rye* fue escrito por J. D. Salinger."),
        ("es", "El machine learning y el deep learning son muy populares hoy."),
        ("zh", "使用Transformers和PyTorch库来训练BERT模型。"),
        ("zh", "他说：“I have a dream that one day this nation will rise up.”"),
        ("ar", "قال: “I have a dream that one day this nation will rise up.”"),
        ("ar", "فيلم The Lord of the Rings فيلم مشهور جدا."),
        ("hi", "The Lord of the Rings एक प्रसिद्ध फ़िल्म है।"),
        ("hi-Latn", "Main office ja raha hoon kyunki boss ne urgent meeting call ki hai."),
    ],
)
def test_what_is_foreign_inside_a_sentence_does_not_count(wanted: str, text: str) -> None:
    assert in_language(text, wanted) == (1, 1)


@pytest.mark.parametrize(
    ("wanted", "before", "foreign", "after"),
    [
        ("en", "The sky is blue today.", "Das ist ein sehr schöner Tag für uns.", "We like it a lot."),
        ("en", "The sky is blue today.", "今天天气很好。", "We like it a lot."),
        ("en", "The sky is blue today.", "Je ne sais pas encore.", "We like it a lot."),
        ("en", "The sky is blue today.", "Main ghar ja raha hoon aur tum yahan ho.", "We like it a lot."),
        ("es", "El cielo es azul hoy.", "Hoje o tempo está muito bom e não vai chover.", "Nos gusta mucho."),
        ("es", "El cielo es azul hoy.", "I do not know what to say.", "Nos gusta mucho el sol."),
        ("fr", "Le ciel est bleu ce matin.", "“I do not know,” he said to us.", "Il fait très beau."),
        ("zh", "今天天气很好。", "I think it is going to rain tomorrow.", "我们走吧。"),
        ("zh", "今天天气很好。", "これは日本語の文章です。", "我们走吧。"),
        ("ar", "الطقس جميل اليوم.", "این یک جمله فارسی است که برای آزمایش نوشته شده است.", "نحن سعداء."),
        ("hi", "आज मौसम अच्छा है।", "हे एक मराठी वाक्य आहे आणि ते चाचणीसाठी लिहिले आहे.", "हम खुश हैं।"),
        ("hi", "आज मौसम अच्छा है।", "Aaj mausam bahut achha hai aur hum khush hain.", "हम खुश हैं।"),
        ("hi-Latn", "Aaj mausam achha hai.", "The sky is blue and we like it a lot.", "Hum khush hain."),
    ],
)
def test_a_whole_foreign_sentence_counts(wanted: str, before: str, foreign: str, after: str) -> None:
    in_wanted, told = in_language(f"{before} {foreign} {after}", wanted)
    assert told - in_wanted == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "B",
        "A.",
        "Yes.",
        "👍",
        "`print(item)`",
        "```\nfor item in items\n```",
        "$$x = y$$",
        "Universidad de Chile",
        "BERT, GPT-4, LLaMA",
    ],
)
@pytest.mark.parametrize("wanted", ["zh", "hi"])
def test_what_says_nothing_is_not_counted(text: str, wanted: str) -> None:
    assert in_language(text, wanted) == (0, 0)


def test_short_sentences_in_latin_letters_are_undetermined() -> None:
    text = "This is the first of the sentences. Oui. This is the last of the sentences."
    assert in_language(text, "en") == (2, 2)


def test_code_is_no_switch() -> None:
    text = "这段代码打印每一项：\n```python\nfor item in items:\n    print('the quick brown fox', item)\n```\n就这样。"
    assert in_language(text, "zh") == (2, 2)


def test_only_the_tag_of_the_language_matters() -> None:
    text = "今天天气很好。 I do not know what to say."
    assert in_language(text, "zh-Hans") == in_language(text, "zh") == (1, 2)


def test_a_language_outside_the_candidates_can_be_wanted() -> None:
    text = "Detta är en mening på svenska som ingen har bett om. Jag vet inte vad jag ska säga."
    assert in_language(text, "sv") == (2, 2)
    assert in_language("This is a sentence in plain English.", "tlh") == (0, 1)


@given(st.text(max_size=60), st.sampled_from(["en", "zh", "ar", "hi", "hi-Latn", "tlh"]))
def test_any_text_is_counted(text: str, wanted: str) -> None:
    in_wanted, told = in_language(text, wanted)
    num_sentences = len(sentences(text))
    assert 0 <= in_wanted <= told <= num_sentences


@pytest.mark.parametrize("unit", ["a", "好", "\ud800", "\u202eab ", "\u0301", "“", "*a ", "a\n", "I am here today. "])
def test_megabytes_take_no_longer_than_seconds(unit: str) -> None:
    text = unit * (5_000_000 // len(unit))
    began = time.process_time()
    in_wanted, told = in_language(text, "en")
    assert time.process_time() - began < 10
    assert in_wanted <= told <= MAX_CHARS
