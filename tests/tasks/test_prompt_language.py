"""--prompt_language: the words around each task's text in every language, in its exemplars too, and in its protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from evalsuite.tasks._words import WORDS

from evalsuite.config import RunConfig
from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.data import BUILT_IN, DataSource, load_rows
from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import all_tasks, choose_tasks
from evalsuite.prepare import prepare
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, Message, Prompt, Sample

CODES = ("en", "zh", "fr", "ar", "es", "hi")
TRANSLATIONS = ("mini_translation", "flores", "wmt14", "wmt18", "wmt21", "wmt22", "wmt23", "wmt24")
WORDED = (
    "mini_choice", "mini_math", "mini_chat", "okapi_arc", "okapi_mmlu", "mgsm_direct", "mgsm_native_cot", "global_mmlu",
    "belebele", *TRANSLATIONS,
)  # fmt: skip
NAMES = tuple(choice.name for choice in choose_tasks(list(WORDED)))
WITHOUT_SHOTS = ("mini_chat", "belebele")
CUES = {
    "en": ("Question: ", "Answer:", "Step-by-step answer:", "English: ", "User: ", "Assistant:"),
    "zh": ("问题：", "答案：", "逐步解答：", "英语: ", "用户：", "助手："),
    "fr": (
        "Question\u202f: ", "Réponse\u202f:", "Réponse étape par étape\u202f:", "anglais: ", "Utilisateur\u202f: ",
        "Assistant\u202f:",
    ),
    "ar": ("السؤال: ", "الإجابة:", "الإجابة خطوة بخطوة:", "الإنجليزية: ", "المستخدم: ", "المساعد:"),
    "es": ("Pregunta: ", "Respuesta:", "Respuesta paso a paso:", "inglés: ", "Usuario: ", "Asistente:"),
    "hi": ("प्रश्न: ", "उत्तर:", "चरण-दर-चरण उत्तर:", "अंग्रेज़ी: ", "उपयोगकर्ता: ", "सहायक:"),
}  # fmt: skip
"""What only prompts in these words hold."""


def task(name: str, **options: Any) -> Task:
    (choice,) = choose_tasks([name])
    return choice.family.build(name, TaskOptions(**options))


# -- two rows a dataset, each as its own task reads it


def choice_rows(number: int) -> Mapping[str, Any]:
    """A row with the columns of every choice task at once."""
    letters = {f"option_{letter}": f"c{letter}" for letter in "abcd"}
    return {
        "id": f"anatomy/x/{number}",
        "sample_id": f"anatomy/x/{number}",
        "subject": "anatomy",
        "instruction": f"q{number}",
        "question": f"q{number}",
        "answer": "B",
        **letters,
        "link": f"link{number}",
        "question_number": 1,
        "flores_passage": "passage",
        **{f"mc_answer{place}": f"c{place}" for place in range(1, 5)},
        "correct_answer_num": "2",
    }


def row(path: str, number: int) -> Mapping[str, Any]:
    """A row of the dataset at `path`."""
    if path == "allenai/ai2_arc":
        return {
            "id": f"x{number}",
            "question": "q",
            "choices": {"text": ["a", "b"], "label": ["A", "B"]},
            "answerKey": "B",
        }
    if path == "cais/mmlu":
        return {"question": f"q{number}", "choices": list("abcd"), "answer": 1}
    if path == "juletxara/mgsm":
        return {"question": f"q{number}", "answer": f"w{number}", "answer_number": number}
    if path == "facebook/flores":
        return {"id": number, "sentence": f"s{number}", "URL": "u", "domain": "d"}
    if path.startswith(("wmt/", "sacrebleu/")):
        texts = dict.fromkeys((*CODES, "de"), f"s{number}")
        return {"translation": texts, "document": f"d\t{number}", "references": {"A": f"s{number}"}}
    return choice_rows(number)


@cache
def rows_of(name: str, num_fewshot: int) -> tuple[Rows, ...]:
    datasets = task(name, num_fewshot=num_fewshot).datasets
    nowhere = DataSource(mirror=None, hub=False)
    return tuple(
        load_rows(dataset, nowhere)[0] if dataset.path == BUILT_IN else (row(dataset.path, 1), row(dataset.path, 2))
        for dataset in datasets
    )


def samples(name: str, **options: Any) -> tuple[Sample, ...]:
    return task(name, **options).samples(rows_of(name, options.get("num_fewshot", 0)))


def prompts(name: str, **options: Any) -> list[Prompt]:
    """What each sample asks first."""
    built, found = task(name, **options), []
    for sample in samples(name, **options):
        request = built.next_requests(sample, ())[0]
        assert isinstance(request, GenerateRequest | LoglikelihoodRequest)
        found.append(request.prompt if isinstance(request, GenerateRequest) else request.context)
    return found


def text_of(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else "\n".join(turn.content for turn in prompt)


def usual(name: str) -> str:
    """The language of a task's words by default: English around translations, else its own."""
    return "en" if name.startswith(TRANSLATIONS) else name.rpartition("_")[2]


def pinned(name: str) -> str:
    return task(name).protocol


# -- every task in every language


@pytest.mark.parametrize("name", NAMES)
def test_the_protocol_names_words_that_are_not_the_usual_ones(name: str) -> None:
    assert task(name).prompt_language == usual(name)
    assert "+prompt" not in pinned(name)
    for code in CODES:
        built = task(name, prompt_language=code)
        assert built.prompt_language == code
        assert built.protocol == (pinned(name) if code == usual(name) else f"{pinned(name)}+prompt-{code}")
        assert (built.language, built.num_fewshot, built.family) == (task(name).language, 0, task(name).family)


@pytest.mark.parametrize("name", NAMES)
def test_plain_prompts_are_in_the_words_of_their_language_alone(name: str) -> None:
    by_code = {code: prompts(name, prompt_language=code) for code in CODES}
    assert by_code[usual(name)] == prompts(name)
    for place in range(len(by_code["en"])):
        assert len({texts[place] for texts in by_code.values()}) == len(CODES)
    if name.startswith(TRANSLATIONS):
        return
    for code, found in by_code.items():
        for prompt in map(text_of, found):
            assert any(cue in prompt for cue in CUES[code])
            assert not any(cue in prompt for other in CODES if other != code for cue in CUES[other])


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(TRANSLATIONS)])
@pytest.mark.parametrize("code", CODES)
def test_languages_are_named_in_the_words_language(name: str, code: str) -> None:
    source, _, target = name.rpartition("_")[2].partition("-")
    names = WORDS[code].languages
    for prompt in map(text_of, prompts(name, prompt_language=code)):
        assert prompt.startswith(f"{names[source]}: ")
        assert prompt.endswith(f"\n{names[target]}:")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(WITHOUT_SHOTS)])
def test_exemplars_are_asked_in_the_same_words(name: str) -> None:
    for code in CODES:
        options = {"num_fewshot": 1, "prompt_language": code}
        for sample, prompt in zip(samples(name, **options), prompts(name, **options), strict=True):
            (shot,) = sample.shots
            last = sample.input.rpartition("\n")[2]
            first = sample.input.partition(" ")[0].partition("：")[0]
            assert shot.input.rpartition("\n")[2] == last
            assert text_of(prompt).startswith(shot.input)
            assert text_of(prompt).count(last) >= 2
            if not name.startswith(("mmlu", "global_mmlu")):
                assert shot.input.startswith(first)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("mini_chat")])
def test_conversations_are_in_those_words_too(name: str) -> None:
    by_code = {code: prompts(name, prompt_language=code, chat=True) for code in CODES}
    for place in range(len(by_code["en"])):
        assert len({text_of(texts[place]) for texts in by_code.values()}) == len(CODES)
        assert all(isinstance(texts[place][0], Message) for texts in by_code.values())


@pytest.mark.parametrize("code", CODES)
def test_turns_of_a_conversation_have_no_words_around_them(code: str) -> None:
    expected = [(Message(role="user", content=sample.turns[0]),) for sample in samples("mini_chat_ar")]
    assert prompts("mini_chat_ar", prompt_language=code, chat=True) == expected


@pytest.mark.parametrize("code", CODES)
def test_choices_are_parted_as_the_words_language_writes(code: str) -> None:
    for name in ("mini_choice_hi", "arc_challenge_zh", "mmlu_en", "belebele_fr"):
        sample = samples(name, prompt_language=code)[0]
        for request in task(name, prompt_language=code).next_requests(sample, ()):
            assert isinstance(request, LoglikelihoodRequest)
            assert request.continuation.startswith(" ") == (code != "zh")


def test_data_languages_are_not_changed_by_words() -> None:
    for name in ("mini_math_zh", "mini_translation_en-ar", "arc_challenge_hi"):
        plain, other = samples(name), samples(name, prompt_language="fr")
        for one, two in zip(plain, other, strict=True):
            assert (one.id, one.language, one.target, one.choices) == (two.id, two.language, two.target, two.choices)
            assert (one.cluster, one.metadata) == (two.cluster, two.metadata)


# -- native, and languages without words


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(TRANSLATIONS)])
def test_native_words_are_the_usual_ones(name: str) -> None:
    assert task(name, prompt_language="native").protocol == pinned(name)
    assert prompts(name, prompt_language="native") == prompts(name)


@pytest.mark.parametrize(
    ("name", "protocol", "words"),
    [
        ("mini_translation_en-hi", "mini-v1+prompt-hi", "hi"),
        ("mini_translation_hi-en", "mini-v1", "en"),
        ("flores_zh-fr", "translation-v1+prompt-fr", "fr"),
    ],
)
def test_native_words_of_a_translation_are_its_targets(name: str, protocol: str, words: str) -> None:
    built = task(name, prompt_language="native")
    assert (built.protocol, built.prompt_language) == (protocol, words)


def test_english_words_stand_in_for_a_target_that_has_none() -> None:
    german = [name for name in NAMES if name.endswith("-de")]
    assert german
    for name in german:
        for wanted in ("", "native"):
            built = task(name, prompt_language=wanted)
            assert (built.language, built.prompt_language, built.protocol) == ("de", "en", "translation-v1")


@pytest.mark.parametrize("name", NAMES)
def test_a_language_without_words_is_refused(name: str) -> None:
    for code in ("de", "English", "EN"):
        with pytest.raises(UnknownName, match=f"{name} can be asked in: en, zh, fr, ar, es, hi, native"):
            task(name, prompt_language=code)


# -- as a run asks for them


def prepared_protocols(tasks: Sequence[str], prompt_language: str | Mapping[str, str]) -> dict[str, str]:
    config = RunConfig(model="scripted", tasks=tuple(tasks), limit=12.0, prompt_language=prompt_language)
    return {spec.name: spec.protocol for spec in prepare(config).spec.tasks}


def test_words_are_chosen_by_task_or_family_or_for_all() -> None:
    tasks = ("mini_math_zh", "mini_math_en", "mini_choice_zh")
    assert prepared_protocols(tasks, "en") == {
        "mini_math_zh": "mini-v1+prompt-en",
        "mini_math_en": "mini-v1",
        "mini_choice_zh": "mini-v1+prompt-en",
    }
    assert prepared_protocols(tasks, {"mini_math": "fr", "mini_math_en": "native"}) == {
        "mini_math_zh": "mini-v1+prompt-fr",
        "mini_math_en": "mini-v1",
        "mini_choice_zh": "mini-v1",
    }


def test_other_words_are_another_run() -> None:
    def run_id(**changes: Any) -> str:
        return prepare(RunConfig(model="scripted", tasks=("mini_math_zh",), limit=2.0, **changes)).spec.run_id

    assert run_id() == run_id(prompt_language="native") == run_id(prompt_language="zh")
    assert len({run_id(), run_id(prompt_language="en"), run_id(prompt_language="fr")}) == 3


WORDLESS = sorted({info.family: info.name for info in all_tasks() if info.family not in WORDED}.values())


@pytest.mark.parametrize("name", WORDLESS)
@pytest.mark.parametrize("code", ["en", "native"])
def test_tasks_without_words_of_their_own_refuse(name: str, code: str) -> None:
    assert task(name).prompt_language == ""
    with pytest.raises(UsageError, match=f"--prompt_language: {name} puts no words of its own around its samples"):
        prepare(RunConfig(model="scripted", tasks=(name,), prompt_language=code))


def test_the_wordless_are_those_meant() -> None:
    families = {name: choose_tasks([name])[0].family.name for name in WORDLESS}
    assert set(families.values()) >= {"xcopa", "xoa22", "okapi_truthfulqa", "arc_challenge", "mmlu", "gsm8k"}


# -- the words themselves


def test_every_language_has_every_word_and_no_two_the_same() -> None:
    assert tuple(WORDS) == CODES
    for field in ("answer", "steps", "work_out", "only_number", "only_letter", "translate", "question"):
        assert len({getattr(words, field) for words in WORDS.values()}) == len(CODES)
    for words in WORDS.values():
        asked = (words.work_out, words.only_number, words.only_letter)
        assert all(template.format(text="{T}").count("{T}") == 1 for template in asked)
        assert all(words.translate.count(f"{{{part}}}") == 1 for part in ("source", "target", "text"))
        assert words.languages.keys() == {*CODES, "de"}
        assert len(set(words.languages.values())) == 7
        assert words.question != words.question.rstrip() or words is WORDS["zh"]
        assert words.answer == words.answer.strip()
