"""WMT: published scores of systems, rows and their clusters, exemplars from FLORES-200, and its rows from elsewhere."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from commands import run_here
from translation_tasks import WMT, columns, corpus_value, metric_of, prompt, samples, task

from evalsuite.config import RunConfig
from evalsuite.contracts import TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import EXIT_OK, UnknownName, UsageError
from evalsuite.plugins import family
from evalsuite.prepare import prepare
from evalsuite.types import Sample

pytestmark = pytest.mark.data

SYSTEMS = {
    "de-fr": "LT22 Online-A Online-B Online-G Online-W Online-Y",
    "en-zh": "AISP-SJTU DLUT GTCOM HuaweiTSC JDExploreAcademy Lan-Bridge LanguageX Manifold "
    "Online-A Online-B Online-G Online-W Online-Y",
    "fr-de": "Lan-Bridge Online-A Online-B Online-G Online-W Online-Y eTranslation",
    "zh-en": "AISP-SJTU DLUT HuaweiTSC JDExploreAcademy Lan-Bridge LanguageX NiuTrans "
    "Online-A Online-B Online-G Online-W Online-Y",
}
SUBMISSIONS = [(pair, system) for pair, systems in SYSTEMS.items() for system in systems.split()]
WITHIN = {"bleu": 1e-6, "chrf": 0.05}
"""The organisers' chrF is another implementation's."""

every_submission = pytest.mark.parametrize(("pair", "system"), SUBMISSIONS)


# -- published scores


@dataclass(frozen=True)
class Submission:
    """A system's translations and what was published of them, by metric and reference: ``bleu-A``."""

    path: Path
    lines: list[str]
    published: dict[str, float]


@cache
def table(mirror: Path, pair: str) -> dict[str, dict[str, float]]:
    """The published scores of a direction by system and metric."""
    found: dict[str, dict[str, float]] = {}
    with (mirror / "wmt__wmt22" / pair / "published_scores.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            assert row["pair"] == pair
            assert found.setdefault(row["system"], {}).setdefault(row["metric"], float(row["score"])) is not None
    return found


def submission(mirror: Path, pair: str, system: str) -> Submission:
    path = mirror / "wmt__wmt22" / pair / "system_outputs" / f"{system}.txt"
    lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    return Submission(path, lines, table(mirror, pair)[system])


def recomputed(mirror: Path, pair: str, lines: list[str], published: str) -> float:
    """The score that the table names ``bleu-A``, by the task's own metric and the references that it means."""
    metric, _, letter = published.partition("-")
    taken, built = samples(mirror, f"wmt22_{pair}"), task(f"wmt22_{pair}")
    every = columns(taken)
    wanted = every if letter == "all" else [every["AB".index(letter)]]
    return corpus_value(built, metric, taken, [line.strip() for line in lines], wanted)


def test_all_submissions_of_the_tables_are_tested(mirror: Path) -> None:
    for pair, systems in SYSTEMS.items():
        assert sorted(table(mirror, pair)) == sorted(systems.split())
        files = (mirror / "wmt__wmt22" / pair / "system_outputs").iterdir()
        assert sorted(path.name for path in files) == sorted(f"{system}.txt" for system in systems.split())
    metrics = Counter(metric for pair in SYSTEMS for row in table(mirror, pair).values() for metric in row)
    assert metrics == {"bleu-A": 38, "bleu-all": 38, "chrf-A": 38, "chrf-all": 38, "bleu-B": 25, "chrf-B": 25}
    assert len(SUBMISSIONS) == 38


@every_submission
def test_published_scores_come_out_again(mirror: Path, pair: str, system: str) -> None:
    sent = submission(mirror, pair, system)
    assert len(sent.lines) == len(samples(mirror, f"wmt22_{pair}"))
    if "bleu-B" not in sent.published:  # one reference: the same score by two names
        assert sent.published["bleu-all"] == sent.published["bleu-A"]
    for published in ("bleu-A", "chrf-A", *(["bleu-all"] if "bleu-B" in sent.published else [])):
        found = recomputed(mirror, pair, sent.lines, published)
        assert found == pytest.approx(sent.published[published], abs=WITHIN[published.partition("-")[0]], rel=0)


@pytest.mark.full
@every_submission
def test_every_published_score_comes_out_again(mirror: Path, pair: str, system: str) -> None:
    sent = submission(mirror, pair, system)
    for published, score in sent.published.items():
        found = recomputed(mirror, pair, sent.lines, published)
        assert found == pytest.approx(score, abs=WITHIN[published.partition("-")[0]], rel=0), published


def assert_recorded(pair: str, sent: Submission, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run on the file as it was sent stores the published scores, how many rows they are of, and how."""
    arguments = ["--model", "recorded", "--model_args", f"path={sent.path}", "--output_path", str(folder)]
    done = run_here(capsys, "run", *arguments, "--tasks", f"wmt22_{pair}", "--json")
    assert done.code == EXIT_OK
    stored = json.loads((Path(done.json["path"]) / "results.json").read_text(encoding="utf-8"))
    assert stored["counts"]["requested"] == stored["counts"]["scored"] == len(sent.lines)
    built = task(f"wmt22_{pair}")
    estimates = {entry["metric"]: entry for entry in stored["estimates"]}
    assert list(estimates) == [metric.name for metric in built.metrics]
    names = {"bleu": "bleu-A", "chrf": "chrf-A", "bleu_all": "bleu-all"}
    for metric in [name for name in names if name in estimates]:
        entry = estimates[metric]
        assert (entry["n"], entry["num_unscored"], entry["protocol"]) == (len(sent.lines), 0, "translation-v1")
        assert entry["signature"] == metric_of(built, metric).signature()
        within = WITHIN[metric.partition("_")[0]]
        assert entry["value"] == pytest.approx(sent.published[names[metric]], abs=within, rel=0)
        assert entry["low"] < entry["value"] < entry["high"]


def test_a_recorded_submission_gives_its_published_scores(
    mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_recorded("de-fr", submission(mirror, "de-fr", "LT22"), tmp_path, capsys)


@pytest.mark.full
@every_submission
def test_all_recorded_submissions_give_their_published_scores(
    mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], pair: str, system: str
) -> None:
    assert_recorded(pair, submission(mirror, pair, system), tmp_path, capsys)


# -- rows


@cache
def raw_rows(mirror: Path, name: str) -> tuple[dict[str, Any], ...]:
    year, _, direction = name.partition("_")
    text = (mirror / f"wmt__{year}" / direction / "test.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


@pytest.mark.parametrize("name", WMT)
def test_samples_are_the_pinned_rows(mirror: Path, name: str) -> None:
    (dataset,) = task(name).datasets
    _, pin = load_rows(dataset, DataSource(mirror=mirror, hub=False))
    assert pin.fingerprint == dataset.fingerprint
    source, target = name.partition("_")[2].split("-")
    rows = raw_rows(mirror, name)
    for sample in samples(mirror, name):
        row = rows[sample.row]
        assert sample.metadata["source_text"] == row["translation"][source]
        assert sample.input.count(row["translation"][source]) == 1
        first, *others = row["references"]
        assert (first, sample.target) == ("A", row["references"]["A"])
        assert {f"reference_{letter}" for letter in others} == set(sample.metadata) - {
            "item", "source_text", "source_language",
        }  # fmt: skip
        assert sample.language == target


@pytest.mark.parametrize("name", WMT)
def test_the_canary_is_left_out_and_rows_keep_their_numbers(mirror: Path, name: str) -> None:
    first = 1 if name.startswith("wmt24") else 0
    numbers = range(first, len(raw_rows(mirror, name)))
    assert [sample.id for sample in samples(mirror, name)] == [f"{name}:test:{number}" for number in numbers]
    assert not any("CANARY" in sample.input for sample in samples(mirror, name))


def test_documents_of_wmt24_are_clusters_shared_by_its_directions(mirror: Path) -> None:
    for name in ("wmt24_en-es", "wmt24_en-hi", "wmt24_en-zh"):
        for sample in samples(mirror, name):
            document = raw_rows(mirror, name)[sample.row]["document"]
            assert sample.cluster == f"wmt24:en:{document}"
            assert sample.category == document.partition("\t")[0]
        assert len({sample.cluster for sample in samples(mirror, name)}) == 170
        assert {sample.category for sample in samples(mirror, name)} == {"news", "literary", "social", "speech"}


def test_rows_with_one_source_are_one_cluster(mirror: Path) -> None:
    for name in WMT:
        if not name.startswith("wmt24"):
            taken = samples(mirror, name)
            clusters = {sample.cluster for sample in taken}
            assert len(clusters) == len({sample.metadata["source_text"] for sample in taken}), name
            assert len(clusters) < len(taken) or name.startswith("wmt21"), name


# -- exemplars


def sentences(mirror: Path, code: str) -> list[str]:
    text = (mirror / "facebook__flores" / code / "dev.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["sentence"] for line in text.splitlines()]


def test_without_exemplars_no_other_rows_are_read(mirror: Path) -> None:
    assert [dataset.path for dataset in task("wmt22_zh-en").datasets] == ["wmt/wmt22"]
    assert not any(sample.shots for sample in samples(mirror, "wmt22_zh-en"))


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("wmt22_zh-en", "zho_Hans", "eng_Latn"),
        ("wmt24_en-hi", "eng_Latn", "hin_Deva"),
        ("wmt21_de-fr", "deu_Latn", "fra_Latn"),
    ],
)
def test_exemplars_are_sentences_of_flores_in_the_same_direction(
    mirror: Path, name: str, source: str, target: str
) -> None:
    taken = samples(mirror, name, num_fewshot=5)
    (shots,) = {sample.shots for sample in taken}
    pairs = set(zip(sentences(mirror, source), sentences(mirror, target), strict=True))
    cues = taken[0].input.replace(str(taken[0].metadata["source_text"]), "{}")
    asked = {cues.replace("{}", text): (text, translation) for text, translation in pairs}
    assert len({shot.input for shot in shots}) == 5
    assert all(asked[shot.input][1] == shot.target for shot in shots)
    text = prompt(name, taken[0], num_fewshot=5)
    assert text == "".join(f"{shot.input} {shot.target}\n\n" for shot in shots) + taken[0].input


def chosen(mirror: Path, **settings: Any) -> list[Sample]:
    """The samples that a run with two exemplars takes."""
    wanted = RunConfig(model="scripted", tasks=("wmt24_en-es",), num_fewshot=2, data_dir=str(mirror), **settings)
    (entry,) = prepare(wanted).tasks
    return list(entry.samples)


def test_the_draw_depends_on_the_seed_and_not_on_the_limit(mirror: Path) -> None:
    (every,) = {sample.shots for sample in chosen(mirror)}
    for settings in ({"limit": 5}, {"limit": 5, "limit_mode": "first"}, {"samples": {"wmt24_en-es": (1, 9)}}):
        assert {sample.shots for sample in chosen(mirror, **settings)} == {every}
    (other,) = {sample.shots for sample in chosen(mirror, limit=5, seed=7)}
    assert other != every
    assert task("wmt24_en-es", num_fewshot=2).is_seeded
    assert not task("wmt24_en-es").is_seeded


def test_more_exemplars_than_there_are_sentences_are_refused(mirror: Path) -> None:
    with pytest.raises(UsageError, match="--num_fewshot 998: there are 997 exemplars"):
        samples(mirror, "wmt22_de-fr", num_fewshot=998)


# -- how it may be asked


def test_protocols_of_pinned_sets_and_of_sacrebleus() -> None:
    assert family("wmt22").protocols == (
        "translation-v1",
        "translation-v1+spbleu",
        "translation-v1+sacrebleu-data",
        "translation-v1+spbleu+sacrebleu-data",
    )
    assert family("wmt14").protocols == ("translation-v1", "translation-v1+spbleu")
    with pytest.raises(UnknownName, match=r"wmt14_en-fr has: translation-v1, translation-v1\+spbleu\."):
        family("wmt14").build("wmt14_en-fr", TaskOptions(protocol="translation-v1+sacrebleu-data"))


def test_words_for_german_are_english_unless_others_are_wanted() -> None:
    assert task("wmt22_fr-de").prompt_language == "en"
    built = task("wmt22_fr-de", prompt_language="fr", protocol="translation-v1+sacrebleu-data")
    assert (built.prompt_language, built.protocol) == ("fr", "translation-v1+sacrebleu-data+prompt-fr")
    assert built.datasets[0].path == "sacrebleu/wmt22"


def test_native_words_for_german_are_english() -> None:
    assert task("wmt22_fr-de", prompt_language="native").prompt_language == "en"
