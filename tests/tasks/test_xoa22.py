"""xOA22 on self-written prompts: which languages are aligned, what is asked, and what is said of an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.config import RunConfig
from evalsuite.contracts import Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.engines.scripted import completion
from evalsuite.errors import RowsMissing, UnknownName, UsageError
from evalsuite.plugins import choose_tasks
from evalsuite.prepare import prepare
from evalsuite.types import ITEM, Flag, GenerateRequest, Message, Sample, Scored

PROMPTS = {
    "en": (" How is tea made?\n", "What is snow?", "Name a river."),
    "fr": ("Comment fait-on le thé\u202f?", "Qu’est-ce que la neige\u202f?", "Nomme un fleuve."),
    "ar": ("كيف يُصنع الشاي؟", "ما هو الثلج؟", "اذكر نهرًا."),
    "es": ("¿Cómo se hace el té?", "¿Qué es la nieve?", "Nombra un río."),
    "zh": ("怎么泡茶？", "怎么泡绿茶？", "雪是什么？", "说出一条河。"),
    "hi": ("चाय कैसे बनती है?", "एक नदी का नाम बताइए।"),
}
"""As on the hub, the Chinese have a variant too many and the Hindi one prompt less."""
LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
ALIGNED = ("en", "fr", "ar", "es")


@pytest.fixture
def hub_copy(tmp_path: Path) -> Path:
    """A mirror: one split a language."""
    folder = tmp_path / "sambanovasystems__xOA22" / "default"
    folder.mkdir(parents=True)
    for language, prompts in PROMPTS.items():
        lines = [json.dumps({"prompt": prompt}, ensure_ascii=False) + "\n" for prompt in prompts]
        (folder / f"{language}.jsonl").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def task(language: str, **options: Any) -> Task:
    (choice,) = choose_tasks([f"xoa22_{language}"])
    return choice.family.build(choice.name, TaskOptions(**options))


def samples(mirror: Path, language: str) -> tuple[Sample, ...]:
    (dataset,) = task(language).datasets
    return task(language).samples((load_rows(dataset, DataSource(mirror=mirror, hub=False))[0],))


def asked(sample: Sample, **options: Any) -> GenerateRequest:
    (request,) = task(sample.language, **options).next_requests(sample, ())
    assert isinstance(request, GenerateRequest)
    return request


def test_prompts_are_the_rows_and_their_language_is_the_splits(hub_copy: Path) -> None:
    for language in LANGUAGES:
        found = samples(hub_copy, language)
        assert [sample.input for sample in found] == [prompt.strip() for prompt in PROMPTS[language]]
        assert [sample.id for sample in found] == [f"xoa22_{language}:{language}:{row}" for row in range(len(found))]
        assert {sample.language for sample in found} == {language}


def test_aligned_languages_share_clusters_and_chinese_and_hindi_share_none(hub_copy: Path) -> None:
    clusters = {language: [sample.cluster_id for sample in samples(hub_copy, language)] for language in LANGUAGES}
    for language in ALIGNED:
        assert clusters[language] == clusters["en"]
    shared = set(clusters["en"])
    assert len(shared) == 3
    for language in ("zh", "hi"):
        assert len(set(clusters[language])) == len(PROMPTS[language])
        assert not set(clusters[language]) & shared
    assert not set(clusters["zh"]) & set(clusters["hi"])


def test_free_texts_are_not_compared_item_by_item(hub_copy: Path) -> None:
    assert all(ITEM not in sample.metadata for language in LANGUAGES for sample in samples(hub_copy, language))


def test_the_answer_is_greedy_in_a_conversation_or_a_transcript(hub_copy: Path) -> None:
    first = samples(hub_copy, "fr")[0]
    request = asked(first, chat=True)
    assert request.prompt == (Message(role="user", content="Comment fait-on le thé\u202f?"),)
    assert (request.max_tokens, request.temperature, request.stop) == (512, 0.0, ())
    plain = asked(first)
    assert plain.prompt == "Utilisateur\u202f: Comment fait-on le thé\u202f?\nAssistant\u202f:"
    assert plain.stop == ("\nUtilisateur\u202f:",)
    assert task("fr").next_requests(first, ((completion("Avec de l’eau."),),)) == ()


def test_an_answer_in_another_language_is_flagged(hub_copy: Path) -> None:
    sample = samples(hub_copy, "hi")[0]
    outcome = task("hi").score(sample, ((completion("You boil the water and pour it over the leaves."),),))
    assert isinstance(outcome, Scored)
    assert Flag.WRONG_LANGUAGE in outcome.flags
    assert {score.name for score in outcome.scores} == {metric.name for metric in task("hi").metrics}
    fitting = task("hi").score(sample, ((completion("पानी उबालकर पत्तियों पर डालिए और थोड़ी देर रुकिए।"),),))
    assert isinstance(fitting, Scored)
    assert Flag.WRONG_LANGUAGE not in fitting.flags


def test_names_provenance_and_protocol() -> None:
    assert [choice.name for choice in choose_tasks(["xoa22"])] == [f"xoa22_{code}" for code in LANGUAGES]
    assert [task(code).language_provenance for code in LANGUAGES] == ["native"] + ["human"] * 5
    assert {task(code).protocol for code in LANGUAGES} == {"xoa22-recreation"}
    with pytest.raises(UnknownName, match="xoa22_en has: xoa22-recreation"):
        task("en", protocol="mini-v1")
    with pytest.raises(UsageError, match="xoa22_ar is asked without exemplars"):
        task("ar", num_fewshot=1)
    with pytest.raises(UsageError, match="--system_instruction: the protocol xoa22-recreation of xoa22_es fixes it"):
        task("es", system_instruction="Be brief.")


def test_missing_rows_are_named_by_their_hub_set(tmp_path: Path) -> None:
    with pytest.raises(RowsMissing) as missing:
        prepare(RunConfig(model="scripted", tasks=("xoa22_hi",), data_dir=str(tmp_path)))
    text = str(missing.value)
    assert text.startswith("no data for sambanovasystems/xOA22 (default, hi): neither ")
    assert f"{tmp_path}/sambanovasystems__xOA22/default/hi.jsonl" in text


def test_a_run_of_all_languages(hub_copy: Path) -> None:
    prepared = prepare(RunConfig(model="scripted", tasks=("xoa22",), data_dir=str(hub_copy)))
    assert {entry.task.language: len(entry.samples) for entry in prepared.tasks} == {
        language: len(prompts) for language, prompts in PROMPTS.items()
    }
    assert {entry.is_chat for entry in prepared.tasks} == {True}
