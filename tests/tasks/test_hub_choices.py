"""Global-MMLU and Belebele on self-written rows: prompts in six languages, passages, items, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evalsuite.config import RunConfig
from evalsuite.contracts import Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.engines.scripted import loglikelihood
from evalsuite.errors import RowsMissing, UnknownName, UsageError
from evalsuite.plugins import choose_tasks
from evalsuite.prepare import prepare
from evalsuite.types import ITEM, LoglikelihoodRequest, Sample, Scored

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
CODES = {"en": "eng_Latn", "zh": "zho_Hans", "fr": "fra_Latn", "ar": "arb_Arab", "es": "spa_Latn", "hi": "hin_Deva"}
CUES = {"en": "Answer:", "zh": "答案：", "fr": "Réponse\u202f:", "ar": "الإجابة:", "es": "Respuesta:", "hi": "उत्तर:"}
LINK = "https://example.org/{}"


def mmlu_row(name: str, question: str, options: Sequence[object], answer: str, subject: str) -> dict[str, Any]:
    """A row of Global-MMLU with the columns that are read, and one that is not."""
    row = dict(zip(("option_a", "option_b", "option_c", "option_d"), options, strict=True))
    return {"sample_id": name, "question": question, **row, "answer": answer, "subject": subject, "is_annotated": False}


def scored_rows(language: str) -> list[dict[str, Any]]:
    return [
        mmlu_row("anatomy/test/0", f" {language} bones? ", ("four", "five ", "six", "ten"), "B", "anatomy"),
        mmlu_row("virology/test/3", f"{language} virus?", (1, 2, 3, 4), "D", "virology"),
        mmlu_row("anatomy/test/1", f"{language} teeth?", ("a", "b", "c", "d"), "A", "anatomy"),
    ]


def dev_rows(language: str) -> list[dict[str, Any]]:
    return [
        mmlu_row(f"{subject}/dev/{number}", f"{language} {subject} {number}?", "wxyz", "ABCD"[number], subject)
        for subject in ("anatomy", "virology")
        for number in range(3)
    ]


def passage_row(link: str, passage: str, number: int, question: str, right: str) -> dict[str, Any]:
    answers = {f"mc_answer{place}": f" choice {place} " for place in range(1, 5)}
    return {
        "link": LINK.format(link),
        "question_number": number,
        "flores_passage": passage,
        "question": question,
        **answers,
        "correct_answer_num": right,
        "dialect": "x",
    }


def passages(language: str) -> list[dict[str, Any]]:
    """Three questions on two passages."""
    return [
        passage_row("tea", f" {language} tea.\nIt is hot. ", 1, f"{language} hot?", "3"),
        passage_row("tea", f" {language} tea.\nIt is hot. ", 2, f"{language} cold? ", "1"),
        passage_row("sea", f"{language} sea.", 1, f"{language} deep?", "4"),
    ]


def write(mirror: Path, path: str, config: str, split: str, rows: Sequence[dict[str, Any]]) -> None:
    file = mirror / path.replace("/", "__") / config / f"{split}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def hub_copy(tmp_path: Path) -> Path:
    """A mirror of both sets with self-written rows. French lacks one of the exemplars, and an item."""
    for language in LANGUAGES:
        lacks = 1 if language == "fr" else 0
        write(tmp_path, "CohereForAI/Global-MMLU", language, "test", scored_rows(language)[lacks:])
        write(tmp_path, "CohereForAI/Global-MMLU", language, "dev", dev_rows(language)[lacks:])
        write(tmp_path, "facebook/belebele", CODES[language], "test", passages(language))
    return tmp_path


def task(name: str, **options: Any) -> Task:
    (choice,) = choose_tasks([name])
    return choice.family.build(name, TaskOptions(**options))


def samples(mirror: Path, name: str, **options: Any) -> tuple[Sample, ...]:
    built = task(name, **options)
    source = DataSource(mirror=mirror, hub=False)
    return built.samples(tuple(load_rows(dataset, source)[0] for dataset in built.datasets))


def asked(name: str, sample: Sample, **options: Any) -> list[LoglikelihoodRequest]:
    requests = task(name, **options).next_requests(sample, ())
    return [request for request in requests if isinstance(request, LoglikelihoodRequest)]


# -- prompts


@pytest.mark.parametrize("language", LANGUAGES)
def test_global_mmlus_letters_are_scored(hub_copy: Path, language: str) -> None:
    name = f"global_mmlu_{language}"
    sample = next(sample for sample in samples(hub_copy, name) if sample.category == "virology")
    requests = asked(name, sample)
    expected = f"{language} virus?\nA. 1\nB. 2\nC. 3\nD. 4\n{CUES[language]}"
    assert {request.context for request in requests} == {expected}
    gap = "" if language == "zh" else " "
    assert [request.continuation for request in requests] == [gap + letter for letter in "ABCD"]
    assert (sample.choices, sample.gold, sample.target) == (("A", "B", "C", "D"), 3, "4")


@pytest.mark.parametrize("language", LANGUAGES)
def test_belebeles_passage_stands_before_the_question(hub_copy: Path, language: str) -> None:
    name = f"belebele_{language}"
    first = samples(hub_copy, name)[0]
    assert {request.context for request in asked(name, first)} == {
        f"{language} tea.\nIt is hot.\n{language} hot?\n"
        f"A. choice 1\nB. choice 2\nC. choice 3\nD. choice 4\n{CUES[language]}"
    }
    assert (first.gold, first.target) == (2, "choice 3")


def test_texts_are_stripped_within_the_prompt(hub_copy: Path) -> None:
    first = samples(hub_copy, "global_mmlu_en")[0]
    assert first.input == "en bones?\nA. four\nB. five\nC. six\nD. ten\nAnswer:"
    assert first.target == "five"


def test_letters_are_scored_as_they_are_likely(hub_copy: Path) -> None:
    sample = samples(hub_copy, "belebele_hi")[1]
    assert sample.gold == 0
    for best, letter in enumerate("ABCD"):
        replies = (tuple(loglikelihood(" X", -1.0 if place == best else -3.0) for place in range(4)),)
        outcome = task("belebele_hi").score(sample, replies)
        assert isinstance(outcome, Scored)
        assert [(score.name, score.counts) for score in outcome.scores] == [("acc", (float(best == 0), 1.0))]
        assert outcome.answer == letter
        assert task("belebele_hi").next_requests(sample, replies) == ()


# -- items and clusters


@pytest.mark.parametrize("family", ["global_mmlu", "belebele"])
def test_an_item_has_one_name_in_all_languages(hub_copy: Path, family: str) -> None:
    named = {
        language: {str(sample.metadata[ITEM]): sample for sample in samples(hub_copy, f"{family}_{language}")}
        for language in LANGUAGES
    }
    assert len(named["en"]) == 3
    for language in LANGUAGES:
        assert named[language].keys() <= named["en"].keys()
        for item, sample in named[language].items():
            english = named["en"][item]
            assert (sample.gold, sample.cluster_id, sample.category) == (
                english.gold,
                english.cluster_id,
                english.category,
            )
            assert sample.language == language
    assert len(named["fr"]) == (2 if family == "global_mmlu" else 3)


def test_questions_on_one_passage_are_one_cluster(hub_copy: Path) -> None:
    found = samples(hub_copy, "belebele_es")
    first, second, third = (sample.cluster_id for sample in found)
    assert first == second == f"belebele/{LINK.format('tea')}"
    assert third == f"belebele/{LINK.format('sea')}"
    assert len({sample.metadata[ITEM] for sample in found}) == 3


def test_elsewhere_an_item_is_its_own_cluster(hub_copy: Path) -> None:
    for sample in samples(hub_copy, "global_mmlu_ar"):
        assert sample.cluster_id == sample.metadata[ITEM]
        assert str(sample.metadata[ITEM]).startswith(f"global_mmlu/{sample.category}/test/")


# -- exemplars


def test_exemplars_are_of_the_subject_first_and_the_same_items_everywhere(hub_copy: Path) -> None:
    def names(language: str) -> dict[str, list[str]]:
        found = samples(hub_copy, f"global_mmlu_{language}", num_fewshot=4)
        return {
            str(sample.metadata[ITEM]): [
                shot.input.partition("?")[0].removeprefix(f"{language} ") for shot in sample.shots
            ]
            for sample in found
        }

    english = names("en")
    for item, shots in english.items():
        subject = item.split("/")[1]
        assert [name.partition(" ")[0] == subject for name in shots] == [True, True, True, False]
        assert len(set(shots)) == 4
    for language in ("zh", "ar", "es", "hi"):
        assert names(language) == english
    lacking = names("fr")
    for item, shots in lacking.items():
        assert "anatomy 0" not in shots
        kept = [name for name in english[item] if name != "anatomy 0"]
        assert [name for name in shots if name in kept] == kept


def test_an_exemplar_in_full(hub_copy: Path) -> None:
    sample = samples(hub_copy, "global_mmlu_fr", num_fewshot=1)[0]
    (shot,) = sample.shots
    (row,) = [row for row in dev_rows("fr") if shot.input.startswith(row["question"])]
    assert row["subject"] == "virology"
    assert asked("global_mmlu_fr", sample, num_fewshot=1)[0].context == (
        f"{row['question']}\nA. w\nB. x\nC. y\nD. z\nRéponse\u202f: {row['answer']}\n\n"
        "fr virus?\nA. 1\nB. 2\nC. 3\nD. 4\nRéponse\u202f:"
    )


def test_too_many_exemplars_are_refused(hub_copy: Path) -> None:
    assert len(samples(hub_copy, "global_mmlu_en", num_fewshot=6)[0].shots) == 6
    with pytest.raises(UsageError, match="--num_fewshot 7: global_mmlu_en has 6 exemplars"):
        samples(hub_copy, "global_mmlu_en", num_fewshot=7)
    with pytest.raises(UsageError, match="belebele_zh has no exemplars; leave --num_fewshot out or at 0"):
        task("belebele_zh", num_fewshot=1)


# -- as a run asks for them


@pytest.mark.parametrize(
    ("name", "path", "config"),
    [
        ("global_mmlu_hi", "CohereForAI/Global-MMLU", "hi"),
        ("belebele_zh", "facebook/belebele", "zho_Hans"),
    ],
)
def test_missing_rows_are_named_by_their_hub_set(tmp_path: Path, name: str, path: str, config: str) -> None:
    with pytest.raises(RowsMissing) as missing:
        prepare(RunConfig(model="scripted", tasks=(name,), data_dir=str(tmp_path)))
    text = str(missing.value)
    assert text.startswith(f"no data for {path} ({config}, test): neither ")
    assert f"{tmp_path}/{path.replace('/', '__')}/{config}/test.jsonl" in text
    assert "HF_HUB_OFFLINE" in text


def test_a_missing_language_is_named(hub_copy: Path) -> None:
    (hub_copy / "facebook__belebele" / "arb_Arab" / "test.jsonl").unlink()
    with pytest.raises(RowsMissing, match=r"no data for facebook/belebele \(arb_Arab, test\)"):
        prepare(RunConfig(model="scripted", tasks=("belebele",), data_dir=str(hub_copy)))


def test_a_limit_takes_the_same_items_in_every_language(hub_copy: Path) -> None:
    config = RunConfig(model="scripted", tasks=("belebele",), limit=12.0, data_dir=str(hub_copy))
    taken = {
        entry.task.language: {sample.metadata[ITEM] for sample in entry.samples} for entry in prepare(config).tasks
    }
    assert taken.keys() == set(LANGUAGES)
    assert {frozenset(items) for items in taken.values()} == {frozenset(taken["en"])}
    assert len(taken["en"]) == 2


def test_what_is_not_pinned_is_recorded(hub_copy: Path) -> None:
    config = RunConfig(model="scripted", tasks=("belebele_en", "belebele_hi"), data_dir=str(hub_copy))
    pins = [pin for entry in prepare(config).tasks for pin in entry.pins]
    assert [(pin.config, pin.num_rows, pin.revision) for pin in pins] == [("eng_Latn", 3, ""), ("hin_Deva", 3, "")]
    assert len({pin.fingerprint for pin in pins}) == 2


def test_who_translated_is_said() -> None:
    for family, provenance in (("global_mmlu", "machine, in part edited by people"), ("belebele", "human")):
        assert [task(f"{family}_{code}").language_provenance for code in LANGUAGES] == ["native"] + [provenance] * 5
        assert [choice.name for choice in choose_tasks([family])] == [f"{family}_{code}" for code in LANGUAGES]


@pytest.mark.parametrize("name", ["global_mmlu_en", "belebele_en"])
def test_other_protocols_are_refused(name: str) -> None:
    with pytest.raises(UnknownName, match=f"{name} has: "):
        task(name, protocol="lm-eval-0.4")
