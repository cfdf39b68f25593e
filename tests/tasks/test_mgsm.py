"""MGSM: prompts of both forms, exemplars without the hub's own labels, and numbers as each language writes them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalsuite.config import RunConfig
from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.engines.scripted import completion
from evalsuite.errors import DataError, RowsMissing, UnknownName, UsageError
from evalsuite.plugins import choose_tasks
from evalsuite.prepare import prepare
from evalsuite.text.numbers import Number
from evalsuite.types import ITEM, Flag, GenerateRequest, Message, Sample, Scored

LANGUAGES = ("en", "zh", "fr", "es")
FAMILIES = ("mgsm_direct", "mgsm_native_cot")
LABELS = {
    "en": ("Question: ", "Step-by-Step Answer: "),
    "zh": ("问题：", "逐步解答："),
    "fr": ("Question : ", "Réponse étape par étape : "),
    "es": ("Pregunta: ", "Respuesta paso a paso: "),
}
"""What the exemplars of the hub begin with."""
TEXTS = {
    "en": ("Nine kites fly: {} fall. How many fly now? Note: none rises.", "There were 9: {} fell. The answer is {}."),
    "zh": ("天上有9只风筝：{}只掉下来。还剩几只？", "原来有9只：掉了{}只。答案是{}。"),
    "fr": (
        "Neuf cerfs-volants : {} tombent. Combien restent ?",
        "Il y en avait 9 : {} sont tombés. La réponse est {}.",
    ),
    "es": ("Nueve cometas: caen {}. ¿Cuántas quedan?", "Había 9: cayeron {}. La respuesta es {}."),
}
"""Colons stand in them, so that a second one shows when too much is cut."""
TEST_ROWS: Rows = ({"question": "¿2+2?", "answer": None, "answer_number": 4, "equation_solution": None},)


def texts(language: str, number: int) -> tuple[str, str]:
    question, answer = TEXTS[language]
    return question.format(number), answer.format(number, 9 - number)


def train_rows(language: str, count: int = 8) -> list[dict[str, Any]]:
    """Exemplars as the hub has them."""
    asked, worked = LABELS[language]
    rows = []
    for number in range(1, count + 1):
        question, answer = texts(language, number)
        rows.append(
            {
                "question": asked + question,
                "answer": worked + answer,
                "answer_number": 9 - number,
                "equation_solution": f"9 - {number} = {9 - number}.",
            }
        )
    return rows


def write(mirror: Path, language: str, split: str, rows: list[dict[str, Any]]) -> None:
    path = mirror / "juletxara__mgsm" / language / f"{split}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def hub_copy(tmp_path: Path) -> DataSource:
    """A mirror with self-written exemplars in every language, and no scored rows."""
    for language in LANGUAGES:
        write(tmp_path, language, "train", train_rows(language))
    return DataSource(mirror=tmp_path, hub=False)


def task(name: str, **options: Any) -> Task:
    (choice,) = choose_tasks([name])
    return choice.family.build(name, TaskOptions(**options))


def with_shots(source: DataSource, name: str, num_fewshot: int, test: Rows = TEST_ROWS, **options: Any) -> Sample:
    """The first sample of hand-made rows with exemplars of the mirror."""
    built = task(name, num_fewshot=num_fewshot, **options)
    train, _ = load_rows(built.datasets[1], source)
    return built.samples((test, train))[0]


def asked(name: str, sample: Sample, **options: Any) -> GenerateRequest:
    (request,) = task(name, **options).next_requests(sample, ())
    assert isinstance(request, GenerateRequest)
    return request


# -- zero-shot prompts


@pytest.mark.parametrize(
    ("name", "prompt", "stop"),
    [
        ("mgsm_direct_en", "Question: ¿2+2?\nAnswer:", "Question:"),
        ("mgsm_direct_zh", "问题：¿2+2?\n答案：", "问题："),
        ("mgsm_direct_fr", "Question\u202f: ¿2+2?\nRéponse\u202f:", "Question\u202f:"),
        ("mgsm_direct_es", "Pregunta: ¿2+2?\nRespuesta:", "Pregunta:"),
        ("mgsm_native_cot_en", "Question: ¿2+2?\nStep-by-step answer:", "Question:"),
        ("mgsm_native_cot_zh", "问题：¿2+2?\n逐步解答：", "问题："),
        ("mgsm_native_cot_fr", "Question\u202f: ¿2+2?\nRéponse étape par étape\u202f:", "Question\u202f:"),
        ("mgsm_native_cot_es", "Pregunta: ¿2+2?\nRespuesta paso a paso:", "Pregunta:"),
    ],
)
def test_plain_prompts(name: str, prompt: str, stop: str) -> None:
    (sample,) = task(name).samples((TEST_ROWS,))
    request = asked(name, sample)
    assert request.prompt == prompt
    assert request.stop == ("\n\n", stop)
    assert (request.temperature, request.max_tokens) == (0.0, 64 if "direct" in name else 512)
    assert task(name).next_requests(sample, ((completion("4"),),)) == ()


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("mgsm_direct_en", "¿2+2?\n\nAnswer with the number only."),
        ("mgsm_direct_zh", "¿2+2?\n\n请只写出数字答案。"),
        ("mgsm_direct_fr", "¿2+2?\n\nDonne uniquement le nombre."),
        ("mgsm_direct_es", "¿2+2?\n\nResponde solo con el número."),
        ("mgsm_native_cot_en", "¿2+2?\n\nWork it out briefly and end with the number."),
        ("mgsm_native_cot_zh", "¿2+2?\n\n请简要写出计算过程，最后写出数字答案。"),
        ("mgsm_native_cot_fr", "¿2+2?\n\nPrésente brièvement le calcul et termine par le nombre."),
        ("mgsm_native_cot_es", "¿2+2?\n\nEscribe brevemente el cálculo y termina con el número."),
    ],
)
def test_conversations_say_what_is_wanted_and_have_no_stop_strings(name: str, prompt: str) -> None:
    (sample,) = task(name, chat=True).samples((TEST_ROWS,))
    request = asked(name, sample, chat=True, system_instruction="Be brief.")
    assert request.prompt == (Message(role="system", content="Be brief."), Message(role="user", content=prompt))
    assert request.stop == ()


def test_braces_in_a_problem_are_no_template() -> None:
    rows: Rows = ({**TEST_ROWS[0], "question": "What is {x} for {}?"},)
    (sample,) = task("mgsm_direct_en", chat=True).samples((rows,))
    assert sample.input == "What is {x} for {}?\n\nAnswer with the number only."


# -- exemplars


@pytest.mark.parametrize("language", LANGUAGES)
def test_worked_exemplars_lose_the_hubs_labels_and_nothing_else(hub_copy: DataSource, language: str) -> None:
    sample = with_shots(hub_copy, f"mgsm_native_cot_{language}", 8)
    cues = {
        "en": ("Question: ", "Step-by-step answer:"),
        "zh": ("问题：", "逐步解答："),
        "fr": ("Question\u202f: ", "Réponse étape par étape\u202f:"),
        "es": ("Pregunta: ", "Respuesta paso a paso:"),
    }
    before, after = cues[language]
    expected = [texts(language, number) for number in range(1, 9)]
    assert [(shot.input, shot.target) for shot in sample.shots] == [
        (f"{before}{question}\n{after}", answer) for question, answer in expected
    ]
    assert sample.input == f"{before}¿2+2?\n{after}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_direct_exemplars_end_with_the_number_alone(hub_copy: DataSource, language: str) -> None:
    name = f"mgsm_direct_{language}"
    sample = with_shots(hub_copy, name, 2)
    assert [shot.target for shot in sample.shots] == ["8", "7"]
    gap = "" if language == "zh" else " "
    first, second = (shot.input for shot in sample.shots)
    prompt = asked(name, sample, num_fewshot=2).prompt
    assert prompt == f"{first}{gap}8\n\n{second}{gap}7\n\n{sample.input}"


def test_a_spanish_prompt_with_an_exemplar_in_full(hub_copy: DataSource) -> None:
    sample = with_shots(hub_copy, "mgsm_native_cot_es", 1)
    assert asked("mgsm_native_cot_es", sample, num_fewshot=1).prompt == (
        "Pregunta: Nueve cometas: caen 1. ¿Cuántas quedan?\n"
        "Respuesta paso a paso: Había 9: cayeron 1. La respuesta es 8.\n\n"
        "Pregunta: ¿2+2?\nRespuesta paso a paso:"
    )


def test_exemplars_of_a_conversation_are_asked_as_the_problem_is(hub_copy: DataSource) -> None:
    options: dict[str, Any] = {"chat": True, "multiturn_shots": True}
    sample = with_shots(hub_copy, "mgsm_native_cot_zh", 1, **options)
    request = asked("mgsm_native_cot_zh", sample, num_fewshot=1, **options)
    assert request.prompt == (
        Message(
            role="user",
            content="天上有9只风筝：1只掉下来。还剩几只？\n\n请简要写出计算过程，最后写出数字答案。",
        ),
        Message(role="assistant", content="原来有9只：掉了1只。答案是8。"),
        Message(role="user", content="¿2+2?\n\n请简要写出计算过程，最后写出数字答案。"),
    )


def test_the_words_of_another_language_stand_around_exemplars_too(hub_copy: DataSource) -> None:
    sample = with_shots(hub_copy, "mgsm_direct_zh", 1, prompt_language="en")
    request = asked("mgsm_direct_zh", sample, num_fewshot=1, prompt_language="en")
    question, _ = texts("zh", 1)
    assert request.prompt == f"Question: {question}\nAnswer: 8\n\nQuestion: ¿2+2?\nAnswer:"
    assert request.stop == ("\n\n", "Question:")


def test_there_are_eight_exemplars(hub_copy: DataSource) -> None:
    with pytest.raises(UsageError, match="--num_fewshot 9: mgsm_direct_fr has 8 exemplars"):
        task("mgsm_direct_fr", num_fewshot=9)
    assert hub_copy.mirror is not None
    write(hub_copy.mirror, "fr", "train", train_rows("fr", 7))
    with pytest.raises(DataError, match="7 rows, not 8"):
        with_shots(hub_copy, "mgsm_direct_fr", 1)


@pytest.mark.parametrize("name", ["mgsm_direct_es", "mgsm_native_cot_zh"])
def test_missing_exemplars_are_named(tmp_path: Path, name: str) -> None:
    language = name.rpartition("_")[2]
    with pytest.raises(RowsMissing, match=rf"no data for juletxara/mgsm \({language}, train\)"):
        with_shots(DataSource(mirror=tmp_path, hub=False), name, 1)


def test_other_protocols_and_languages_are_refused() -> None:
    with pytest.raises(UnknownName, match="mgsm_direct_en has: mgsm-v1"):
        task("mgsm_direct_en", protocol="lm-eval-0.4")
    with pytest.raises(UnknownName, match="mgsm_direct_hi"):
        choose_tasks(["mgsm_direct_hi"])


# -- the real rows


@pytest.mark.data
@pytest.mark.parametrize("family", FAMILIES)
def test_row_k_is_the_same_problem_in_each_language(mirror: Path, family: str) -> None:
    targets = []
    for language in LANGUAGES:
        built = task(f"{family}_{language}")
        rows, _ = load_rows(built.datasets[0], DataSource(mirror=mirror, hub=False))
        found = built.samples((rows,))
        assert len(found) == 250
        assert [sample.metadata[ITEM] for sample in found] == [f"mgsm:{index}" for index in range(250)]
        assert [sample.cluster_id for sample in found] == [f"mgsm:{index}" for index in range(250)]
        assert {sample.language for sample in found} == {language}
        assert built.language_provenance == ("native" if language == "en" else "human")
        targets.append([sample.target for sample in found])
    assert targets[1:] == targets[:1] * 3


@pytest.mark.data
def test_a_run_reads_problems_and_exemplars_of_one_mirror(mirror: Path, hub_copy: DataSource) -> None:
    own = hub_copy.mirror
    assert own is not None
    test = mirror / "juletxara__mgsm" / "fr" / "test.jsonl"
    (own / "juletxara__mgsm" / "fr" / "test.jsonl").symlink_to(test)
    prepared = prepare(
        RunConfig(model="scripted", tasks=("mgsm_direct_fr",), num_fewshot=8, limit=3.0, data_dir=str(own))
    )
    (entry,) = prepared.tasks
    assert [(pin.split, pin.num_rows) for pin in entry.pins] == [("test", 250), ("train", 8)]
    assert [len(sample.shots) for sample in entry.samples] == [8, 8, 8]


# -- scores


def scored(language: str, text: str, target: str) -> Scored:
    built = task(f"mgsm_direct_{language}")
    sample = Sample(id="mgsm:test:0", input="?", language=language, target=target)
    outcome = built.score(sample, ((completion(text),),))
    assert isinstance(outcome, Scored)
    assert [score.name for score in outcome.scores] == [metric.name for metric in built.metrics]
    assert outcome.scores[0].name == "exact_match"
    return outcome


def is_right(outcome: Scored) -> bool:
    counts = outcome.scores[0].counts
    assert counts in ((0.0, 1.0), (1.0, 1.0))
    return bool(counts[0])


@pytest.mark.parametrize(
    ("language", "text", "target"),
    [
        ("en", "The answer is 1,234.", "1234"),
        ("en", "She spends 5, so the total is $1,234.50 in all", "1234.5"),
        ("en", "<think>perhaps 7</think> 18", "18"),
        ("en", "18.0", "18"),
        ("fr", "La réponse est 1 234.", "1234"),
        ("fr", "Elle gagne 1\u202f234,50 euros.", "1234.5"),
        ("es", "La respuesta es 1.234,5", "1234.5"),
        ("es", "Quedan 12,5 litros.", "12.5"),
        ("zh", "答案是1,234。", "1234"),
        ("zh", "所以一共是一千二百三十四个。", "1234"),
        ("zh", "答案：１２３４", "1234"),
        ("zh", "一共是1.2万元", "12000"),
    ],
)
def test_numbers_are_read_as_the_language_writes_them(language: str, text: str, target: str) -> None:
    outcome = scored(language, text, target)
    assert is_right(outcome)
    assert outcome.answer == target
    assert Flag.UNPARSED not in outcome.flags
    assert not is_right(scored(language, text, target + "1"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "La réponse est 1,234."),
        ("fr", "\\boxed{1,234}"),
        ("es", "La respuesta es 1.234."),
        ("es", "La respuesta es 1,234"),
    ],
)
def test_of_a_number_of_two_readings_the_whole_one_is_meant(language: str, text: str) -> None:
    """Answers are whole numbers, whatever the target of the sample is."""
    for target, is_so in (("1234", True), ("1235", False)):
        outcome = scored(language, text, target)
        assert is_right(outcome) == is_so
        assert outcome.answer == "1234"
        assert Flag.UNPARSED not in outcome.flags


def test_two_readings_of_which_neither_is_whole_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    number = Number(value=Decimal("1.5"), start=0, end=3, other=Decimal("2.5"))
    monkeypatch.setattr("evalsuite.tasks._number_answers.answer_number", lambda *_: number)
    outcome = scored("fr", "x,y", "1.5")
    assert not is_right(outcome)
    assert outcome.answer == "x,y"
    assert Flag.UNPARSED in outcome.flags


@pytest.mark.parametrize(("language", "text"), [("es", "La respuesta es 70.000."), ("fr", "La réponse est 70.000")])
def test_three_noughts_behind_a_mark_are_thousands(language: str, text: str) -> None:
    assert is_right(scored(language, text, "70000"))
    assert not is_right(scored(language, text, "70"))


@pytest.mark.parametrize("text", ["", "I cannot tell.", "$\\boxed{}$"])
def test_no_number_is_wrong_and_flagged(text: str) -> None:
    outcome = scored("en", text, "4")
    assert not is_right(outcome)
    assert Flag.UNPARSED in outcome.flags
    assert (Flag.EMPTY in outcome.flags) == (not text)


@pytest.mark.parametrize("expression", ["\\frac{36}{2}", "3\\cdot 6", "20-2", "\\sqrt{324}"])
def test_a_boxed_expression_is_worth_its_value(expression: str) -> None:
    pytest.importorskip("math_verify")
    text = f"So the answer is \\boxed{{{expression}}}."
    outcome = scored("en", text, "18")
    assert is_right(outcome)
    assert outcome.answer == "18"
    assert not is_right(scored("en", text, "19"))
    assert Flag.UNPARSED not in outcome.flags


def test_a_sum_is_scored_in_its_own_language() -> None:
    """The language of an answer is counted beside the number."""
    outcome = scored("fr", "She has eighteen apples left in the basket, so the answer is 18.", "18")
    assert is_right(outcome)
    assert Flag.WRONG_LANGUAGE in outcome.flags
