"""FLORES-200: thirty directions over the same sentences, articles as clusters, and exemplars from dev."""

from __future__ import annotations

import json
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from translation_tasks import FLORES, prompt, samples, task

from evalsuite.config import RunConfig
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import DataError, UsageError
from evalsuite.prepare import prepare
from evalsuite.types import Message, Sample

pytestmark = pytest.mark.data

CODES = {
    "en": "eng_Latn",
    "zh": "zho_Hans",
    "fr": "fra_Latn",
    "ar": "arb_Arab",
    "es": "spa_Latn",
    "hi": "hin_Deva",
}


@cache
def raw_rows(mirror: Path, language: str, split: str) -> tuple[dict[str, Any], ...]:
    text = (mirror / "facebook__flores" / CODES[language] / f"{split}.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


def test_all_directions_between_six_languages_are_there() -> None:
    assert sorted(FLORES) == sorted(f"flores_{source}-{target}" for source, target in permutations(CODES, 2))


@pytest.mark.parametrize("name", FLORES)
def test_samples_are_the_rows_of_devtest(mirror: Path, name: str) -> None:
    source, target = name.removeprefix("flores_").split("-")
    taken = samples(mirror, name)
    assert [sample.id for sample in taken] == [f"{name}:devtest:{row}" for row in range(1012)]
    assert [sample.target for sample in taken] == [row["sentence"] for row in raw_rows(mirror, target, "devtest")]
    for index, (sample, row) in enumerate(zip(taken, raw_rows(mirror, source, "devtest"), strict=True)):
        assert sample.metadata == {
            "item": f"flores:{index}", "source_text": row["sentence"], "source_language": source,
        }  # fmt: skip
        assert (sample.language, sample.category) == (target, row["domain"])
        assert sample.input.count(row["sentence"]) == 1
        assert not sample.shots


def test_articles_are_clusters_shared_by_all_directions(mirror: Path) -> None:
    clusters = {tuple(sample.cluster for sample in samples(mirror, name)) for name in FLORES}
    (shared,) = clusters
    assert shared == tuple(f"flores:{row['URL']}" for row in raw_rows(mirror, "en", "devtest"))
    assert len(set(shared)) == len({row["URL"] for row in raw_rows(mirror, "hi", "devtest")}) < 400


def test_only_texts_in_english_are_native() -> None:
    provenance = {name: task(name).language_provenance for name in FLORES}
    assert {name for name, where in provenance.items() if where == "native"} == {
        f"flores_{code}-en" for code in CODES if code != "en"
    }
    assert set(provenance.values()) == {"native", "human"}


def test_rows_that_changed_are_refused(mirror: Path, tmp_path: Path) -> None:
    rows = raw_rows(mirror, "hi", "devtest")
    folder = tmp_path / "facebook__flores" / "hin_Deva"
    folder.mkdir(parents=True)
    changed = [dict(rows[0], sentence=rows[0]["sentence"] + " "), *rows[1:]]
    (folder / "devtest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    with pytest.raises(DataError, match="is not the data this task was written for"):
        load_rows(task("flores_en-hi").datasets[1], DataSource(mirror=tmp_path, hub=False))


# -- exemplars


@pytest.mark.parametrize("name", ["flores_en-hi", "flores_zh-ar", "flores_fr-en"])
@pytest.mark.parametrize("is_chat", [False, True])
def test_exemplars_are_sentences_of_dev_in_the_same_direction(mirror: Path, name: str, is_chat: bool) -> None:
    source, target = name.removeprefix("flores_").split("-")
    options: dict[str, Any] = {"num_fewshot": 3, "chat": is_chat, "multiturn_shots": True}
    taken = samples(mirror, name, **options)
    (shots,) = {sample.shots for sample in taken}
    dev = {row["sentence"] for row in raw_rows(mirror, source, "dev")}
    translations = {
        rows[1]["sentence"]: rows[0]["sentence"]
        for rows in zip(*(raw_rows(mirror, code, "dev") for code in (source, target)), strict=True)
    }
    assert len({shot.target for shot in shots}) == 3
    for shot in shots:
        text = translations[shot.target]
        assert text in dev
        assert shot.input.replace(text, "{}") == taken[0].input.replace(str(taken[0].metadata["source_text"]), "{}")
    asked = prompt(name, taken[0], **options)
    if is_chat:
        assert [message.content for message in asked if isinstance(message, Message)] == [
            *(text for shot in shots for text in (shot.input, shot.target)),
            taken[0].input,
        ]
    else:
        assert asked == "".join(f"{shot.input} {shot.target}\n\n" for shot in shots) + taken[0].input


def test_no_sentence_of_dev_is_scored_but_one_in_spanish(mirror: Path) -> None:
    """The Spanish row 535 of devtest is row 832 of dev again, and no translation of its English row."""
    for code in CODES:
        dev, devtest = ([row["sentence"] for row in raw_rows(mirror, code, split)] for split in ("dev", "devtest"))
        shared = [(row, devtest.index(text)) for row, text in enumerate(dev) if text in devtest]
        assert shared == ([(832, 535)] if code == "es" else [])


def chosen(mirror: Path, name: str = "flores_es-fr", **settings: Any) -> list[Sample]:
    """The samples that a run with two exemplars takes."""
    wanted = RunConfig(model="scripted", tasks=(name,), num_fewshot=2, data_dir=str(mirror), **settings)
    (entry,) = prepare(wanted).tasks
    return list(entry.samples)


@pytest.mark.parametrize("seed", [1234, 7])
def test_the_draw_does_not_depend_on_the_limit(mirror: Path, seed: int) -> None:
    (every,) = {sample.shots for sample in chosen(mirror, seed=seed)}
    for settings in ({"limit": 5}, {"limit": 0.01, "limit_mode": "first"}, {"samples": {"flores_es-fr": (3, 1011)}}):
        assert {sample.shots for sample in chosen(mirror, seed=seed, **settings)} == {every}


def test_the_seed_draws_the_same_sentences_for_every_direction(mirror: Path) -> None:
    """By their places, so that a model sees the same exemplars whatever the direction."""

    def places(name: str, seed: int) -> list[int]:
        target = name.rpartition("-")[2]
        all_of_them = [row["sentence"] for row in raw_rows(mirror, target, "dev")]
        return [all_of_them.index(shot.target) for shot in chosen(mirror, name, limit=1, seed=seed)[0].shots]

    assert places("flores_es-fr", 1) == places("flores_zh-hi", 1) == places("flores_ar-en", 1)
    assert places("flores_es-fr", 1) != places("flores_es-fr", 2)


def test_more_exemplars_than_there_are_sentences_are_refused(mirror: Path) -> None:
    assert len(samples(mirror, "flores_en-fr", num_fewshot=997)[0].shots) == 997
    with pytest.raises(UsageError, match="--num_fewshot 998: there are 997 exemplars"):
        samples(mirror, "flores_en-fr", num_fewshot=998)
