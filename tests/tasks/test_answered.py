"""Choice tasks whose letter is read in what the model writes: prompts, letters of every script, no answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from evalsuite.tasks._aligned import MAX_CHAT_TOKENS, MAX_TOKENS

from evalsuite.contracts import Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.engines.scripted import completion
from evalsuite.plugins import choose_tasks
from evalsuite.types import Flag, GenerateRequest, Message, Sample, Scored, Shot

QUESTION = {
    "en": "Which is a gas?", "zh": "哪一个是气体？", "fr": "Lequel est un gaz ?", "ar": "أيها غاز؟",
    "es": "¿Cuál es un gas?",
    "hi": "इनमें गैस कौन-सी है?",
}  # fmt: skip
CUES = {"en": "Answer:", "zh": "答案：", "fr": "Réponse\u202f:", "ar": "الإجابة:", "es": "Respuesta:", "hi": "उत्तर:"}


def task(name: str, **options: object) -> Task:
    (choice,) = choose_tasks([name])
    protocol = "belebele-answered-v1" if name.startswith("belebele") else "okapi-answered-v1"
    return choice.family.build(name, TaskOptions(protocol=protocol, **options))  # type: ignore[arg-type]


def belebele(language: str, **options: object) -> tuple[Task, Sample]:
    """The task and its only sample, of a row written here."""
    built = task(f"belebele_{language}", **options)
    row = {
        "link": "l", "question_number": 1, "flores_passage": "H2O, N2.", "question": QUESTION[language],
        **{f"mc_answer{number}": text for number, text in enumerate(("Fe", "N2", "Au", "C"), start=1)},
        "correct_answer_num": "2",
    }  # fmt: skip
    (sample,) = built.samples(((row,),))
    return built, sample


@pytest.mark.parametrize("language", QUESTION)
def test_a_base_model_ends_its_line(language: str) -> None:
    built, sample = belebele(language)
    (request,) = built.next_requests(sample, ())
    assert isinstance(request, GenerateRequest)
    assert request.prompt == f"H2O, N2.\n{QUESTION[language]}\nA. Fe\nB. N2\nC. Au\nD. C\n{CUES[language]}"
    assert (request.max_tokens, request.stop) == (MAX_TOKENS, ("\n",))
    assert (built.kind, built.protocol, sample.gold, sample.choices) == (
        "generate", "belebele-answered-v1", 1, ("A", "B", "C", "D"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("en", "Answer with the letter of the right choice only."),
        ("zh", "请只写出正确选项的字母。"),
        ("fr", "Réponds uniquement par la lettre du bon choix."),
        ("ar", "أجب بحرف الخيار الصحيح فقط."),
        ("es", "Responde solo con la letra de la opción correcta."),
        ("hi", "केवल सही विकल्प का अक्षर लिखिए।"),
    ],
)
def test_a_chat_model_is_told_what_to_write(language: str, asked: str) -> None:
    built, sample = belebele(language, chat=True)
    (request,) = built.next_requests(sample, ())
    assert isinstance(request, GenerateRequest)
    text = f"H2O, N2.\n{QUESTION[language]}\nA. Fe\nB. N2\nC. Au\nD. C\n\n{asked}"
    assert request.prompt == (Message(role="user", content=text),)
    assert (request.max_tokens, request.stop) == (MAX_CHAT_TOKENS, ())
    assert built.next_requests(sample, ((completion("B"),),)) == ()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", " B"), ("en", "The answer is (B)."), ("zh", "答案是乙。"), ("zh", "选B"),
        ("fr", "La bonne réponse est B."),
        ("ar", "الإجابة الصحيحة هي (ب)"), ("es", "La respuesta correcta es la B."),
        ("hi", "सही उत्तर ख है।"),
        ("en", "<think>It may be A.</think>B"),
    ],
)  # fmt: skip
def test_the_right_letter_in_every_script(language: str, text: str) -> None:
    built, sample = belebele(language)
    outcome = built.score(sample, ((completion(text),),))
    assert isinstance(outcome, Scored)
    assert outcome.scores[0].counts == (1.0, 1.0)
    assert (outcome.answer, Flag.UNPARSED in outcome.flags) == ("B", False)


@pytest.mark.parametrize("text", ["", "A or B", "I cannot tell.", "Nitrogen is a gas."])
def test_no_letter_is_wrong_and_flagged(text: str) -> None:
    built, sample = belebele("en")
    outcome = built.score(sample, ((completion(text),),))
    assert isinstance(outcome, Scored)
    assert outcome.scores[0].counts == (0.0, 1.0)
    assert (outcome.answer, Flag.UNPARSED in outcome.flags) == ("", True)


def test_a_wrong_letter_is_an_answer() -> None:
    built, sample = belebele("en")
    outcome = built.score(sample, ((completion("C"),),))
    assert isinstance(outcome, Scored)
    assert (outcome.scores[0].counts, outcome.answer, Flag.UNPARSED in outcome.flags) == ((0.0, 1.0), "C", False)


@pytest.mark.data
@pytest.mark.parametrize(("name", "split"), [("arc_challenge_hi", "validation"), ("mmlu_zh", "dev")])
def test_exemplars_show_their_letter(mirror: Path, name: str, split: str) -> None:
    built = task(name, num_fewshot=3)
    rows = tuple(load_rows(dataset, DataSource(mirror=mirror, hub=False))[0] for dataset in built.datasets)
    sample = built.samples(rows)[0]
    assert len(sample.shots) == 3
    gold = {row["instruction"].strip(): row["answer"] for row in rows[-1]}
    for shot in sample.shots:
        assert isinstance(shot, Shot)
        assert shot.target == gold[shot.input.partition("\nA. ")[0]]
        assert shot.input.count("\nA. ") == shot.input.count("\nB. ") == 1
    (request,) = built.next_requests(sample, ())
    assert isinstance(request, GenerateRequest)
    assert isinstance(request.prompt, str)
    assert request.prompt.endswith(sample.input)
    assert built.datasets[-1].split == split
