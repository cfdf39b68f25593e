"""The built-in samples: complete, aligned over the six languages, well-formed, and what the tasks were pinned to."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby, pairwise
from typing import Any

import pytest

from evalsuite.canonical import content_hash
from evalsuite.contracts import TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.plugins import family
from evalsuite.text.answers import answer_number

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
SIZES = {"choice": 40, "math": 20, "chat": 12}
FIELDS = {
    "choice": {"id", "category", "question", "choices", "answer"},
    "math": {"id", "category", "question", "solution", "answer"},
    "chat": {"id", "category", "turns"},
}
FIRST_LETTER = {"choice": "c", "math": "m", "chat": "h"}
SCRIPTS = {"zh": "CJK", "ar": "ARABIC", "hi": "DEVANAGARI"}
DIRECTIONS = [pair for other in LANGUAGES[1:] for pair in (f"en-{other}", f"{other}-en")]
EVERY_FILE = [(kind, language) for kind in SIZES for language in LANGUAGES]

every_file = pytest.mark.parametrize(("kind", "language"), EVERY_FILE)
every_kind = pytest.mark.parametrize("kind", list(SIZES))


def rows_of(name: str) -> list[dict[str, Any]]:
    """The rows of ``mini/<name>.jsonl``."""
    text = (files("evalsuite.tasks") / "mini" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def texts_of(row: dict[str, Any]) -> Iterator[str]:
    """Every text of a row that a model or a reader sees."""
    for field in ("question", "solution", *LANGUAGES):
        if field in row:
            yield row[field]
    yield from row.get("choices", ())
    yield from row.get("turns", ())


@every_file
def test_rows_are_complete(kind: str, language: str) -> None:
    rows = rows_of(f"{kind}_{language}")
    assert [row["id"] for row in rows] == [f"{FIRST_LETTER[kind]}{number:02}" for number in range(1, SIZES[kind] + 1)]
    for row in rows:
        assert set(row) == FIELDS[kind]
        assert all(text == text.strip() and text for text in texts_of(row))


@every_kind
def test_rows_mean_the_same_in_every_language(kind: str) -> None:
    """What can be checked without reading: ids, categories, answers, and the numbers of choices and turns."""
    columns = [
        [
            (row["id"], row["category"], row.get("answer"), len(row.get("choices", ())), len(row.get("turns", ())))
            for row in rows_of(f"{kind}_{language}")
        ]
        for language in LANGUAGES
    ]
    assert all(column == columns[0] for column in columns)


@every_kind
def test_categories_are_of_one_size(kind: str) -> None:
    sizes = Counter(row["category"] for row in rows_of(f"{kind}_en"))
    assert len(sizes) >= 4
    assert len(set(sizes.values())) == 1


@every_file
def test_texts_are_nfc_and_of_the_right_script(kind: str, language: str) -> None:
    rows = rows_of(f"{kind}_{language}")
    assert_well_written([text for row in rows for text in texts_of(row)], language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_nfc_and_of_the_right_script(language: str) -> None:
    assert_well_written([row[language] for row in rows_of("translation")], language)


def assert_well_written(texts: list[str], language: str) -> None:
    """NFC, no control characters, and nine letters in ten of the language's script, in every text with letters."""
    for text in texts:
        assert unicodedata.is_normalized("NFC", text), text
        assert not any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") for char in text.replace("\n", "")), text
        scripts = Counter(unicodedata.name(char).partition(" ")[0] for char in text if char.isalpha())
        if scripts.total() >= 10:
            assert scripts[SCRIPTS.get(language, "LATIN")] >= 0.9 * scripts.total(), text


def test_right_choices_are_in_every_place_equally_often() -> None:
    answers = [row["answer"] for row in rows_of("choice_en")]
    assert Counter(answers) == dict.fromkeys(range(4), 10)
    assert max(len(list(run)) for _, run in groupby(answers)) <= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_choices_are_four_and_distinct(language: str) -> None:
    for row in rows_of(f"choice_{language}"):
        assert len({choice.casefold() for choice in row["choices"]}) == 4, row["id"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_right_choice_is_not_given_away_by_its_length(language: str) -> None:
    """Picking the longest choice, or the shortest, must not beat chance by much."""
    rows = rows_of(f"choice_{language}")
    for pick in (max, min):
        hits = sum(row["choices"].index(pick(row["choices"], key=len)) == row["answer"] for row in rows)
        assert hits <= 18, f"{pick.__name__}: {hits} of {len(rows)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_worked_solutions_end_in_their_answer(language: str) -> None:
    for row in rows_of(f"math_{language}"):
        number = answer_number(row["solution"], language)
        assert number is not None
        assert not number.is_ambiguous
        assert f"{number.value.normalize():f}" == row["answer"], row["id"]


def test_problems_use_the_same_numbers_in_every_language() -> None:
    """Digits are ASCII in all six files, so that a model's reading of other digits is not what is measured."""
    for language in LANGUAGES:
        for row in rows_of(f"math_{language}"):
            assert all(char.isascii() for text in texts_of(row) for char in text if char.isdecimal()), row["id"]


def test_no_two_rows_ask_the_same() -> None:
    for kind, language in EVERY_FILE:
        asked = [row.get("question") or row["turns"][0] for row in rows_of(f"{kind}_{language}")]
        assert len(set(asked)) == SIZES[kind]
    assert all(len({row[code] for row in rows_of("translation")}) == 30 for code in LANGUAGES)


def test_translations_are_parallel_and_complete() -> None:
    rows = rows_of("translation")
    assert [row["id"] for row in rows] == [f"t{number:02}" for number in range(1, 31)]
    assert set(Counter(row["category"] for row in rows).values()) == {6}
    for row in rows:
        assert set(row) == {"id", "category", *LANGUAGES}
        assert len({row[language] for language in LANGUAGES}) == 6


def test_chat_prompts_have_two_turns() -> None:
    for language in LANGUAGES:
        assert all(len(row["turns"]) == 2 for row in rows_of(f"chat_{language}"))


# -- as tasks


@pytest.mark.parametrize(
    ("family_name", "names"),
    [
        *((f"mini_{kind}", [f"mini_{kind}_{language}" for language in LANGUAGES]) for kind in SIZES),
        ("mini_translation", [f"mini_translation_{direction}" for direction in DIRECTIONS]),
    ],
)
def test_tasks_load_what_they_were_pinned_to(family_name: str, names: list[str]) -> None:
    assert sorted(member.name for member in family(family_name).members) == sorted(names)
    for name in names:
        task = family(family_name).build(name, TaskOptions())
        (dataset,) = task.datasets
        rows, pin = load_rows(dataset, DataSource(mirror=None, hub=False))
        assert dataset.fingerprint == pin.fingerprint == content_hash(rows)
        samples = task.samples((rows,))
        assert [sample.id for sample in samples] == [f"{name}:test:{row}" for row in range(len(rows))]
        assert {sample.language for sample in samples} == {task.language}


@every_kind
def test_an_item_is_one_cluster_in_all_its_languages(kind: str) -> None:
    clusters = []
    for language in LANGUAGES:
        task = family(f"mini_{kind}").build(f"mini_{kind}_{language}", TaskOptions())
        rows, _ = load_rows(task.datasets[0], DataSource(mirror=None, hub=False))
        clusters.append([sample.cluster_id for sample in task.samples((rows,))])
    assert len(set(clusters[0])) == SIZES[kind]
    assert all(one == other for one, other in pairwise(clusters))
