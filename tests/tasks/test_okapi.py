"""Okapi: names, rows and right choices beside the English originals, exemplars item by item, prompts, lm-eval's own."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.engines.scripted import loglikelihood
from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import choose_tasks
from evalsuite.types import ITEM, LoglikelihoodRequest, Message, Sample, Scored

TRANSLATED = ("zh", "fr", "ar", "es", "hi")
LANGUAGES = ("en", *TRANSLATED)
STEMS = {"arc_challenge": "okapi_arc", "mmlu": "okapi_mmlu", "truthfulqa": "okapi_truthfulqa"}
NUM_ROWS = {
    "arc_challenge": {"en": 1172, "zh": 1170, "fr": 1169, "ar": 1169, "es": 1170, "hi": 1168},
    "mmlu": {"en": 1531, "zh": 1421, "fr": 1417, "ar": 1433, "es": 1465, "hi": 1414},
    "truthfulqa": {"zh": 788, "fr": 787, "ar": 773, "es": 789, "hi": 773},
}
MEMBERS = [(stem, language) for stem, numbers in NUM_ROWS.items() for language in numbers]
ALIGNED = [(stem, language) for stem in ("arc_challenge", "mmlu") for language in LANGUAGES]


def task(name: str, **options: Any) -> Task:
    (choice,) = choose_tasks([name])
    return choice.family.build(name, TaskOptions(**options))


@cache
def parts(mirror: Path, name: str, num_fewshot: int = 0) -> tuple[Rows, ...]:
    """The rows of a task's datasets; those of exemplars last."""
    source = DataSource(mirror=mirror, hub=False)
    return tuple(load_rows(dataset, source)[0] for dataset in task(name, num_fewshot=num_fewshot).datasets)


@cache
def samples(mirror: Path, name: str, num_fewshot: int = 0, prompt_language: str = "") -> dict[str, Sample]:
    """A task's samples by item."""
    built = task(name, num_fewshot=num_fewshot, prompt_language=prompt_language)
    found = built.samples(parts(mirror, name, num_fewshot))
    return {str(sample.metadata[ITEM]): sample for sample in found}


def requests(name: str, sample: Sample, **options: Any) -> list[LoglikelihoodRequest]:
    asked = task(name, **options).next_requests(sample, ())
    assert all(isinstance(request, LoglikelihoodRequest) for request in asked)
    return [request for request in asked if isinstance(request, LoglikelihoodRequest)]


# -- names


@pytest.mark.parametrize(("stem", "language"), MEMBERS)
def test_members_are_found_by_names_that_are_not_their_familys(stem: str, language: str) -> None:
    (choice,) = choose_tasks([f"{stem}_{language}"])
    assert (choice.family.name, choice.name) == (STEMS[stem], f"{stem}_{language}")
    built = task(choice.name)
    assert (built.name, built.family, built.language) == (choice.name, STEMS[stem], language)
    assert (built.protocol, built.num_fewshot) == ("okapi-v1", 0)
    assert built.language_provenance == ("native" if language == "en" else "machine")


@pytest.mark.parametrize("stem", STEMS)
def test_a_family_is_all_its_languages(stem: str) -> None:
    assert [choice.name for choice in choose_tasks([STEMS[stem]])] == [f"{stem}_{code}" for code in NUM_ROWS[stem]]


def test_the_originals_keep_their_own_names() -> None:
    names = {"arc_challenge": "arc_challenge", "mmlu_anatomy": "mmlu", "truthfulqa": "truthfulqa"}
    assert {name: choose_tasks([name])[0].family.name for name in names} == names
    with pytest.raises(UnknownName, match="arc_challenge_de"):
        choose_tasks(["arc_challenge_de"])


def test_a_subject_of_the_translated_mmlu_is_a_category() -> None:
    (choice,) = choose_tasks(["mmlu_hi:anatomy"])
    assert (choice.family.name, choice.name) == ("okapi_mmlu", "mmlu_hi:anatomy")


@pytest.mark.parametrize("name", ["arc_challenge_zh", "mmlu_en", "truthfulqa_fr"])
def test_other_protocols_are_refused(name: str) -> None:
    with pytest.raises(UnknownName, match=f"{name} has: okapi-v1"):
        task(name, protocol="lm-eval-0.4")


def test_truthfulqa_has_its_own_examples() -> None:
    with pytest.raises(UsageError, match="truthfulqa_ar has its own six examples"):
        task("truthfulqa_ar", num_fewshot=1)


# -- rows


@pytest.mark.data
@pytest.mark.parametrize(("stem", "language"), MEMBERS)
def test_every_language_has_its_own_number_of_rows(mirror: Path, stem: str, language: str) -> None:
    name = f"{stem}_{language}"
    found = task(name).samples(parts(mirror, name))
    assert len(found) == len({sample.id for sample in found}) == NUM_ROWS[stem][language]
    assert {sample.language for sample in found} == {language}
    split = {"arc_challenge": "test", "mmlu": "val", "truthfulqa": "validation"}[stem]
    assert [sample.id for sample in found] == [f"{name}:{split}:{index}" for index in range(len(found))]


@pytest.mark.data
def test_the_english_members_are_the_original_rows(mirror: Path) -> None:
    (arc,) = task("arc_challenge_en").datasets
    assert (arc.path, arc.config, arc.split) == ("allenai/ai2_arc", "ARC-Challenge", "test")
    mmlu = task("mmlu_en").datasets
    assert {(dataset.path, dataset.split) for dataset in mmlu} == {("cais/mmlu", "validation")}
    assert len({dataset.config for dataset in mmlu}) == len(mmlu) == 57
    assert all(dataset.fingerprint for dataset in (arc, *mmlu))
    shots = task("mmlu_en", num_fewshot=1).datasets[57:]
    assert [(dataset.config, dataset.split) for dataset in shots] == [(dataset.config, "dev") for dataset in mmlu]
    assert [dataset.split for dataset in task("arc_challenge_en", num_fewshot=1).datasets] == ["test", "validation"]


def originals(mirror: Path, stem: str) -> dict[str, int]:
    """The right choice of every original row, read without the task."""
    if stem == "arc_challenge":
        (rows,) = parts(mirror, "arc_challenge_en")
        return {
            f"ARC-Challenge/test/{row['id']}": list(row["choices"]["label"]).index(row["answerKey"]) for row in rows
        }
    subjects = [dataset.config for dataset in task("mmlu_en").datasets]
    return {
        f"{subject}/val/{number}": row["answer"]
        for subject, rows in zip(subjects, parts(mirror, "mmlu_en"), strict=True)
        for number, row in enumerate(rows)
    }


@pytest.mark.data
@pytest.mark.parametrize(("stem", "language"), ALIGNED)
def test_an_item_has_one_right_choice_in_every_language(mirror: Path, stem: str, language: str) -> None:
    english, gold = samples(mirror, f"{stem}_en"), originals(mirror, stem)
    found = samples(mirror, f"{stem}_{language}")
    assert len(found) == NUM_ROWS[stem][language]
    assert found.keys() <= english.keys() == gold.keys()
    for item, sample in found.items():
        assert sample.gold == gold[item]
        assert len(sample.choices) == len(english[item].choices)
        assert (sample.cluster_id, sample.category) == (item, english[item].category)


@pytest.mark.data
def test_mmlus_category_is_the_subject_and_its_choices_are_letters(mirror: Path) -> None:
    for item, sample in samples(mirror, "mmlu_hi").items():
        assert sample.category == item.partition("/")[0]
        assert sample.choices == ("A", "B", "C", "D")
        assert sample.target in sample.input


# -- exemplars


def ranked(mirror: Path, stem: str) -> list[str]:
    """The English exemplars' names, those with the smallest hashes first, read without the task."""
    name = f"{stem}_en"
    datasets, rows = task(name, num_fewshot=1).datasets, parts(mirror, name, 1)
    if stem == "arc_challenge":
        items = [f"ARC-Challenge/validation/{row['id']}" for row in rows[-1]]
    else:
        items = [
            f"{dataset.config}/dev/{number}"
            for dataset, found in zip(datasets[57:], rows[57:], strict=True)
            for number in range(len(found))
        ]
    return sorted(items, key=lambda item: hashlib.sha256(item.encode()).hexdigest())


def exemplars(mirror: Path, stem: str, language: str) -> dict[str, tuple[str, str]]:
    """Text and right choice of every translated exemplar by its name."""
    pool = parts(mirror, f"{stem}_{language}", 1)[-1]
    found = {}
    for row in pool:
        letter = row["answer"]
        answer = letter if stem == "mmlu" else row[f"option_{letter.lower()}"].strip()
        found[row["id"]] = (row["instruction"].strip(), answer)
    return found


@pytest.mark.data
@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(("stem", "number"), [("arc_challenge", 25), ("mmlu", 5)])
def test_exemplars_are_the_same_items_in_every_language_that_has_them(
    mirror: Path, stem: str, language: str, number: int
) -> None:
    """In the order of their hashes, the subject's first; those that a language lacks make room for the next."""
    order, pool = ranked(mirror, stem), exemplars(mirror, stem, language)
    assert pool.keys() <= set(order)
    for sample in samples(mirror, f"{stem}_{language}", number).values():
        own = [item for item in order if sample.category and item.startswith(f"{sample.category}/")]
        expected = [item for item in (*own, *(item for item in order if item not in own)) if item in pool][:number]
        assert len(sample.shots) == number
        for shot, item in zip(sample.shots, expected, strict=True):
            text, answer = pool[item]
            assert text in shot.input
            assert shot.target == answer


@pytest.mark.data
def test_english_exemplars_are_those_of_the_same_order(mirror: Path) -> None:
    by_id = {f"ARC-Challenge/validation/{row['id']}": row for row in parts(mirror, "arc_challenge_en", 1)[-1]}
    first = next(iter(samples(mirror, "arc_challenge_en", 3).values()))
    for shot, item in zip(first.shots, ranked(mirror, "arc_challenge")[:3], strict=True):
        assert shot.input == f"Question: {by_id[item]['question'].strip()}\nAnswer:"
    for item, sample in samples(mirror, "mmlu_en", 5).items():
        subject = item.partition("/")[0]
        dev = parts(mirror, "mmlu_en", 1)[57:]
        place = [dataset.config for dataset in task("mmlu_en").datasets].index(subject)
        texts = {row["question"].strip() for row in dev[place]}
        assert all(any(shot.input.startswith(text) for text in texts) for shot in sample.shots)


@pytest.mark.data
def test_a_subject_with_few_translated_exemplars_is_filled_up_with_others(mirror: Path) -> None:
    pool = exemplars(mirror, "mmlu", "hi")
    own = Counter(item.partition("/")[0] for item in pool)
    short = {sample.category for sample in samples(mirror, "mmlu_hi", 5).values() if own[sample.category] < 5}
    assert short
    for sample in samples(mirror, "mmlu_hi", 5).values():
        texts = [text for item, (text, _) in pool.items() if item.startswith(f"{sample.category}/")]
        of_subject = [any(text in shot.input for text in texts) for shot in sample.shots]
        assert of_subject[: min(5, own[sample.category])] == [True] * min(5, own[sample.category])


@pytest.mark.data
@pytest.mark.parametrize(("name", "number"), [("arc_challenge_zh", 297), ("mmlu_hi", 235)])
def test_more_exemplars_than_a_language_has_are_refused(mirror: Path, name: str, number: int) -> None:
    assert len(next(iter(samples(mirror, name, number).values())).shots) == number
    with pytest.raises(UsageError, match=f"--num_fewshot {number + 1}: {name} has {number} exemplars"):
        samples(mirror, name, number + 1)


# -- prompts

ARC_PROMPTS = {
    "en": ("TAKS_2009_8_36", "Question: How many elements are in the compound Mg(OH)2?\nAnswer:", "2 3 4 5"),
    "zh": ("NYSEDREGENTS_2008_4_15", "问题：水在哪种物态下有确定的形状和体积？\n答案：", "气体 液体 固体"),
    "fr": (
        "Mercury_401699",
        "Question\u202f: Combien d'électrons de valence a le sélénium?\nRéponse\u202f:",
        "3 5 6 8",
    ),
    "ar": ("TAKS_2009_8_36", "السؤال: كم عنصرًا في المركب Mg(OH)₂؟\nالإجابة:", "2 3 4 5"),
    "es": ("TAKS_2009_8_36", "Pregunta: ¿Cuántos elementos hay en el compuesto Mg(OH)2?\nRespuesta:", "2 3 4 5"),
    "hi": ("TAKS_2009_8_36", "प्रश्न: Mg(OH)2 में कुल कितने तत्व होते हैं?\nउत्तर:", "2 3 4 5"),
}
MMLU_PROMPTS = {
    "en": ("miscellaneous/val/78", "How many ounces are in a pound?\nA. 4\nB. 12\nC. 16\nD. 32\nAnswer:"),
    "zh": ("miscellaneous/val/7", "一加仑等于多少夸脱？\nA. 一\nB. 二\nC. 三\nD. 四\n答案："),
    "fr": (
        "elementary_mathematics/val/2",
        "Résoudre 3 sur 2 * w = 66.\nA. 33\nB. 44\nC. 88\nD. 99\nRéponse\u202f:",
    ),
    "ar": ("miscellaneous/val/78", "كم أونصة في رطل واحد؟\nA. 4\nB. 12\nC. 16\nD. 32\nالإجابة:"),
    "es": ("miscellaneous/val/78", "¿Cuántas onzas hay en una libra?\nA. 4\nB. 12\nC. 16\nD. 32\nRespuesta:"),
    "hi": ("miscellaneous/val/78", "एक पौंड में कितने औंस होते हैं?\nA. 4\nB. 12\nC. 16\nD. 32\nउत्तर:"),
}
GAP = {"zh": ""}


@pytest.mark.data
@pytest.mark.parametrize("language", LANGUAGES)
def test_arcs_words_are_the_languages_own_and_its_texts_are_scored(mirror: Path, language: str) -> None:
    row, prompt, choices = ARC_PROMPTS[language]
    name = f"arc_challenge_{language}"
    asked = requests(name, samples(mirror, name)[f"ARC-Challenge/test/{row}"])
    assert {request.context for request in asked} == {prompt}
    assert [request.continuation for request in asked] == [GAP.get(language, " ") + text for text in choices.split()]


@pytest.mark.data
@pytest.mark.parametrize("language", LANGUAGES)
def test_mmlus_letters_are_scored_after_question_and_choices(mirror: Path, language: str) -> None:
    item, prompt = MMLU_PROMPTS[language]
    name = f"mmlu_{language}"
    asked = requests(name, samples(mirror, name)[item])
    assert {request.context for request in asked} == {prompt}
    assert [request.continuation for request in asked] == [GAP.get(language, " ") + letter for letter in "ABCD"]


@pytest.mark.data
def test_an_instruction_and_exemplars_stand_before_the_question(mirror: Path) -> None:
    sample = samples(mirror, "mmlu_zh", 1)["miscellaneous/val/7"]
    (shot,) = sample.shots
    asked = requests("mmlu_zh", sample, num_fewshot=1, system_instruction="请认真回答。")
    assert shot.input.endswith("\n答案：")
    assert shot.target in ("A", "B", "C", "D")
    assert asked[0].context == f"请认真回答。\n\n{shot.input}{shot.target}\n\n{MMLU_PROMPTS['zh'][1]}"


@pytest.mark.data
def test_in_a_conversation_exemplars_are_turns_and_nothing_parts_the_choice(mirror: Path) -> None:
    sample = samples(mirror, "arc_challenge_fr", 1)["ARC-Challenge/test/Mercury_401699"]
    (shot,) = sample.shots
    asked = requests("arc_challenge_fr", sample, num_fewshot=1, chat=True, multiturn_shots=True)
    assert asked[0].context == (
        Message(role="user", content=shot.input),
        Message(role="assistant", content=shot.target),
        Message(role="user", content=ARC_PROMPTS["fr"][1]),
    )
    assert [request.continuation for request in asked] == ["3", "5", "6", "8"]


@pytest.mark.data
def test_a_sample_is_asked_once_and_scored_by_its_letter(mirror: Path) -> None:
    sample = samples(mirror, "mmlu_es")["miscellaneous/val/78"]
    assert (sample.gold, sample.target) == (2, "16")
    for best, letter in enumerate("ABCD"):
        replies = (tuple(loglikelihood(" X", -1.0 if place == best else -5.0) for place in range(4)),)
        assert task("mmlu_es").next_requests(sample, replies) == ()
        outcome = task("mmlu_es").score(sample, replies)
        assert isinstance(outcome, Scored)
        assert [(score.name, score.counts) for score in outcome.scores] == [("acc", (float(best == 2), 1.0))]
        assert outcome.answer == letter


# -- lm-eval's own prompts


def lm_eval_arc() -> Any:
    pytest.importorskip("lm_eval")
    return importlib.import_module("lm_eval.tasks.okapi.arc_multilingual.utils")


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("language", TRANSLATED)
def test_arc_in_english_words_is_lm_evals(mirror: Path, language: str) -> None:
    """All but the rows whose text lm-eval cleans: of square brackets, and of one of two spaces."""
    datasets = pytest.importorskip("datasets")
    theirs = lm_eval_arc()
    datasets.disable_progress_bars()
    keys = ("id", "instruction", "option_a", "option_b", "option_c", "option_d", "option_e", "answer")
    name = f"arc_challenge_{language}"
    (rows,) = parts(mirror, name)
    documents = theirs.process_docs(datasets.Dataset.from_list([{key: row.get(key) for key in keys} for row in rows]))
    found = samples(mirror, name, prompt_language="en")
    assert task(name, prompt_language="en").protocol == "okapi-v1+prompt-en"
    cleaned = []
    for row, document in zip(rows, documents, strict=True):
        sample = found[row["id"]]
        texts = [row["instruction"], *(row[key] for key in keys[2:7] if row.get(key))]
        is_cleaned = [theirs.preprocess(text) != text.strip() for text in texts]
        assert document["gold"] == sample.gold
        assert (document["query"] == sample.input) != is_cleaned[0]
        for ours, their, changed in zip(sample.choices, document["choices"], is_cleaned[1:], strict=True):
            assert (ours == their) != changed
        cleaned += ["\n".join(texts)] if any(is_cleaned) else []
        for request in requests(name, sample, prompt_language="en"):
            assert request.context == sample.input
    assert len(cleaned) <= 5
    assert all(re.search(r"\[.*?\]|  ", text) for text in cleaned)


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("language", TRANSLATED)
def test_mmlu_in_english_words_is_lm_evals(mirror: Path, language: str) -> None:
    """lm-eval's own template; it keeps spaces around the choices, which a few rows have and we drop."""
    pytest.importorskip("lm_eval")
    apply_template = importlib.import_module("lm_eval.utils").apply_template
    folder = files("lm_eval") / "tasks" / "okapi" / "mmlu_multilingual"
    config = yaml.safe_load((folder / "_default_yaml").read_text(encoding="utf-8"))
    name = f"mmlu_{language}"
    (rows,) = parts(mirror, name)
    found = samples(mirror, name, prompt_language="en")
    num_spaced = 0
    for row in rows:
        sample = found[row["id"]]
        options = {key: str(text).strip() for key, text in row.items() if key.startswith("option_")}
        num_spaced += any(row[key] != text for key, text in options.items())
        assert sample.input == apply_template(config["doc_to_text"], {**row, **options})
        assert list(sample.choices) == config["doc_to_choice"]
        assert config["doc_to_choice"][sample.gold or 0] == row["answer"]
    assert num_spaced == {"zh": 13, "fr": 23, "ar": 27, "es": 20, "hi": 17}[language]


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("language", TRANSLATED)
def test_truthfulqa_is_lm_evals(mirror: Path, language: str) -> None:
    """Its English examples, the question, and the choices of both scores, but for the text that lm-eval cleans."""
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("lm_eval")
    theirs = importlib.import_module("lm_eval.tasks.okapi.truthfulqa_multilingual.utils")
    datasets.disable_progress_bars()
    name = f"truthfulqa_{language}"
    (rows,) = parts(mirror, name)
    found = task(name).samples((rows,))
    for row, document, sample in zip(rows, theirs.process_docs(datasets.Dataset.from_list(rows)), found, strict=True):
        if theirs.preprocess(row["question"]) == row["question"].strip():
            assert sample.input == document["query"]
        assert sample.choices == (*document["mc1_choices"], *document["mc2_choices"])
        truth = "".join(str(label) for label in document["mc2_targets"]["labels"])
        assert (sample.gold, sample.metadata["mc2_truth"]) == (0, truth)
        assert row["mc1_targets_labels"][0] == 1
        assert ITEM not in sample.metadata
