"""Test sets from sacrebleu's folder: as it would have kept them, without a network, and what is said when missing."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import Ran, run_apart
from sacrebleu.dataset import DATASETS

from evalsuite.config import RunConfig
from evalsuite.contracts import Dataset, Rows, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import EXIT_OK, EXIT_USAGE, RowsMissing
from evalsuite.plugins import family
from evalsuite.prepare import prepare
from evalsuite.sacrebleu_data import NotThere, read_rows
from evalsuite.types import Sample

ENGLISH = ("The hat is red.", "It rains  again.", "“Tea?” she asked.")
FRENCH = ("Le chapeau est rouge.", "Il pleut encore.", "« Du thé\u202f? », demanda-t-elle.")
DOCUMENTS = ("42-news", "42-news", "7-talk")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """sacrebleu's folder, empty."""
    for name in ("wmt14", "wmt22", "wmt24"):
        monkeypatch.setattr(DATASETS[name], "_outdir", str(tmp_path / "kept" / name))
        monkeypatch.setattr(DATASETS[name], "_rawdir", str(tmp_path / "kept" / name / "raw"))
    return tmp_path / "kept"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float | None]]:
    """The addresses that sacrebleu asks for, in vain, and the time it gives each."""
    found: list[tuple[str, float | None]] = []

    def refuse(url: str, *_: Any, **__: Any) -> None:
        found.append((url, socket.getdefaulttimeout()))
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    return found


def keep_texts(folder: Path, name: str = "wmt14", direction: str = "en-fr", **fields: Sequence[str]) -> None:
    """Files as they are once sacrebleu has read what it downloaded."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    plain = {"src": ENGLISH, "ref": FRENCH, "docid": DOCUMENTS, "genre": ["news"] * 3, "origlang": ["en"] * 3}
    for field, lines in {**plain, **fields}.items():
        text = "".join(line + "\n" for line in lines)
        (folder / name / f"{name}.{direction}.{field}").write_text(text, encoding="utf-8")


def keep_archive(folder: Path, name: str, member: str, text: str) -> None:
    """An archive that was downloaded and unpacked."""
    raw = folder / name / "raw"
    (raw / member).parent.mkdir(parents=True, exist_ok=True)
    (raw / member).write_text(text, encoding="utf-8")
    (raw / DATASETS[name]._get_tarball_filename(DATASETS[name].data[0])).write_bytes(b"unpacked already")


def keep_markup(folder: Path) -> None:
    """wmt14 English-French as it was published."""
    for kind, code, texts in (("src", "en", ENGLISH), ("ref", "fr", FRENCH)):
        segments = [
            f'<doc sysid="x" docid="{document}" genre="news" origlang="en">\n<seg id="1">{text}</seg>\n</doc>\n'
            for document, text in zip(DOCUMENTS, texts, strict=True)
        ]
        keep_archive(folder, "wmt14", f"test/newstest2014-fren-{kind}.{code}.sgm", "".join(segments))


def keep_xml(folder: Path, name: str, direction: str, *documents: str) -> None:
    """A set of the later years as it was published."""
    member = DATASETS[name].langpairs[direction][0]
    keep_archive(folder, name, member, f'<dataset id="{name}">{"".join(documents)}</dataset>')


def document(name: str, direction: str, source: str, more: str = "", **references: str) -> str:
    """One document with one sentence; references by the name of their translator."""
    own, other = direction.split("-")
    targets = "".join(
        f'<ref lang="{other}" translator="{letter}"><p><seg id="1">{text}</seg></p></ref>'
        for letter, text in references.items()
    )
    return (
        f'<doc id="{name}" origlang="{own}"{more}>'
        f'<src lang="{own}"><p><seg id="1">{source}</seg></p></src>{targets}'
        f'<hyp system="Best" language="{other}"><p><seg id="1">{source}?</seg></p></hyp></doc>'
    )


def read(name: str = "wmt14", direction: str = "en-fr", may_fetch: bool = False) -> Rows:
    return read_rows(name, direction, may_fetch=may_fetch, timeout_s=3.5)


def refusal(name: str = "wmt14", direction: str = "en-fr", may_fetch: bool = False) -> str:
    with pytest.raises(NotThere) as caught:
        read(name, direction, may_fetch)
    return str(caught.value)


def expected(english: Sequence[str] = ENGLISH, french: Sequence[str] = FRENCH) -> Rows:
    return tuple(
        {"translation": {"en": source, "fr": target}, "references": {"A": target}, "document": document}
        for source, target, document in zip(english, french, DOCUMENTS, strict=True)
    )


# -- what is kept


@pytest.mark.parametrize("may_fetch", [False, True])
def test_kept_texts_are_read_without_a_network(folder: Path, asked: list[Any], may_fetch: bool) -> None:
    keep_texts(folder)
    assert read(may_fetch=may_fetch) == expected()
    rows, pin = load_rows(Dataset("sacrebleu/wmt14", "en-fr", "test"), DataSource(mirror=None, hub=may_fetch))
    assert rows == expected()
    assert (pin.path, pin.config, pin.num_rows) == ("sacrebleu/wmt14", "en-fr", 3)
    assert asked == []


def test_kept_markup_is_read_without_a_network(folder: Path, asked: list[Any]) -> None:
    """Where sacrebleu reads markup it makes one plain space of any."""
    keep_markup(folder)
    english, french = ([" ".join(text.split()) for text in texts] for texts in (ENGLISH, FRENCH))
    assert read() == read() == expected(english, french)
    assert (folder / "wmt14" / "wmt14.en-fr.src").read_text(encoding="utf-8").splitlines() == english
    assert asked == []


def test_breaks_inside_a_line_do_not_part_it(folder: Path) -> None:
    keep_texts(folder, src=("a\u2028b", "c\x0bd", "e\x85f"))
    assert [row["translation"]["en"] for row in read()] == ["a\u2028b", "c\x0bd", "e\x85f"]


def test_a_mirror_comes_before_sacrebleu(folder: Path, tmp_path: Path) -> None:
    keep_texts(folder)
    own = tmp_path / "mirror" / "sacrebleu__wmt14" / "en-fr"
    own.mkdir(parents=True)
    (own / "test.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    source = DataSource(mirror=tmp_path / "mirror", hub=False)
    assert load_rows(Dataset("sacrebleu/wmt14", "en-fr", "test"), source)[0] == ({"a": 1},)


def samples(name: str, protocol: str | None = None) -> tuple[Sample, ...]:
    """The samples that a task makes of sacrebleu's rows."""
    built = family(name.partition("_")[0]).build(name, TaskOptions(protocol=protocol))
    return built.samples(tuple(load_rows(dataset, DataSource(mirror=None, hub=False))[0] for dataset in built.datasets))


def test_samples_of_wmt14(folder: Path) -> None:
    keep_texts(folder)
    taken = samples("wmt14_en-fr")
    assert [sample.id for sample in taken] == [f"wmt14_en-fr:test:{row}" for row in range(3)]
    assert [sample.target for sample in taken] == list(FRENCH)
    assert taken[0].input == "English: The hat is red.\nFrench:"
    assert [sample.cluster for sample in taken] == [f"wmt14:en:{document}" for document in DOCUMENTS]


def test_documents_are_no_categories(folder: Path) -> None:
    keep_texts(folder)
    assert {sample.category for sample in samples("wmt14_en-fr")} == {""}


def test_every_reference_of_wmt22_is_a_row_s(folder: Path, asked: list[Any]) -> None:
    keep_xml(folder, "wmt22", "zh-en", document("d1", "zh-en", "茶？", A="Tea?", B="Some tea?"))
    (row,) = read("wmt22", "zh-en")
    assert row["references"] == {"A": "Tea?", "B": "Some tea?"}
    assert (row["document"], row["translation"]["zh"]) == ("d1", "茶？")
    assert asked == []


def fields_from_the_last(self: Any, direction: str) -> list[str]:
    """sacrebleu keeps the translators' letters in a set, whose order is another in every process."""
    return ["src", "ref:B", "ref:A", "docid", "origlang"]


def test_the_first_reference_is_a_whatever_order_sacrebleu_has(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_xml(folder, "wmt22", "zh-en", document("d1", "zh-en", "茶？", A="Tea?", B="Some tea?"))
    monkeypatch.setattr(type(DATASETS["wmt22"]), "fieldnames", fields_from_the_last)
    (row,) = read("wmt22", "zh-en")
    assert row["translation"]["en"] == "Tea?"
    assert list(row["references"]) == ["A", "B"]


def test_the_canary_of_wmt24_is_left_out_of_sacrebleus_rows_too(folder: Path) -> None:
    keep_xml(
        folder,
        "wmt24",
        "en-hi",
        document("canary", "en-hi", "CANARY GUID 1", ' domain="canary"', refA="CANARY GUID 1"),
        document("d1", "en-hi", "Tea?", ' domain="news"', refA="चाय?"),
    )
    taken = samples("wmt24_en-hi", "translation-v1+sacrebleu-data")
    assert [sample.target for sample in taken] == ["चाय?"]


# -- what is missing


def test_an_unknown_set_or_direction_is_named() -> None:
    assert refusal("wmt99", "en-fr") == "it knows no wmt99 en-fr"
    assert refusal("wmt14", "fr-zh") == "it knows no wmt14 fr-zh"


def test_without_files_and_without_a_network_the_way_out_is_named(folder: Path, asked: list[Any]) -> None:
    with pytest.raises(RowsMissing) as caught:
        load_rows(Dataset("sacrebleu/wmt14", "en-fr", "test"), DataSource(mirror=None, hub=False))
    assert str(caught.value) == (
        "no data for sacrebleu/wmt14 (en-fr, test): no --data_dir or EVALSUITE_DATA is set, and sacrebleu has no copy: "
        f"{folder / 'wmt14'} has no wmt14 en-fr, and the network is off (HF_HUB_OFFLINE)."
    )
    assert asked == []


@pytest.mark.parametrize("remains", ["lock", "another direction"])
def test_without_a_network_none_is_asked_whatever_lies_there(folder: Path, asked: list[Any], remains: str) -> None:
    """A lock of a download that failed, or the texts of another direction."""
    if remains == "lock":
        (folder / "wmt14" / "raw").mkdir(parents=True)
        (folder / "wmt14" / "raw" / "wmt14.test-filtered.tgz.lock").touch()
    else:
        keep_texts(folder, direction="fr-en")
    assert "the network is off (HF_HUB_OFFLINE)" in refusal()
    assert asked == []


def test_a_download_that_fails_is_told_in_one_line_and_within_its_time(folder: Path, asked: list[Any]) -> None:
    before = socket.getdefaulttimeout()
    assert refusal(may_fetch=True) == (
        f"its download fails or is damaged (no route to host); remove {folder / 'wmt14' / 'raw'} and try again"
    )
    assert asked == [("https://statmt.org/wmt14/test-filtered.tgz", 3.5)]
    assert socket.getdefaulttimeout() == before


def test_files_of_different_lengths_are_named(folder: Path) -> None:
    keep_texts(folder, ref=FRENCH[:2])
    assert refusal() == f"its files in {folder / 'wmt14'} have different numbers of lines; remove them"


# -- in a run


def run_of(name: str, mirror: Path, **settings: Any) -> Any:
    return prepare(RunConfig(model="scripted", tasks=(name,), data_dir=str(mirror), **settings))


@pytest.mark.parametrize("language", ["", "zh"])
def test_wmt22_without_a_mirror_is_sacrebleus_under_a_protocol_of_its_own(
    folder: Path, tmp_path: Path, asked: list[Any], language: str
) -> None:
    keep_xml(folder, "wmt22", "zh-en", document("d1", "zh-en", "茶？", A="Tea?", B="Some tea?"))
    prepared = run_of("wmt22_zh-en", tmp_path, prompt_language=language or None)
    (entry,) = prepared.tasks
    assert entry.task.protocol == "translation-v1+sacrebleu-data" + (f"+prompt-{language}" if language else "")
    assert (entry.pins[0].path, entry.pins[0].num_rows) == ("sacrebleu/wmt22", 1)
    assert [entry.note] == list(prepared.notes)
    assert entry.note == (
        "wmt22_zh-en: the rows are sacrebleu's, which may be fewer; its protocol is translation-v1+sacrebleu-data."
    )
    assert asked == []


@pytest.mark.data
def test_the_fallback_has_exemplars_too(folder: Path, tmp_path: Path, mirror: Path) -> None:
    keep_xml(folder, "wmt22", "zh-en", document("d1", "zh-en", "茶？", A="Tea?", B="Some tea?"))
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "facebook__flores").symlink_to(mirror / "facebook__flores")
    (entry,) = run_of("wmt22_zh-en", tmp_path / "mirror", num_fewshot=2).tasks
    assert entry.task.protocol == "translation-v1+sacrebleu-data"
    assert len(entry.samples[0].shots) == 2


def test_wmt22_that_is_nowhere_is_missed_under_its_own_name(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RowsMissing, match=r"^no data for wmt/wmt22 \(zh-en, test\): .*HF_HUB_OFFLINE"):
        run_of("wmt22_zh-en", tmp_path)


def by_command(folder: Path, place: Path, *arguments: str) -> Ran:
    """The command in a process of its own, with the environment variable by which sacrebleu finds its folder."""
    environment = {key: value for key, value in os.environ.items() if key != "EVALSUITE_DATA"}
    environment |= {"SACREBLEU": str(folder), "HF_HUB_OFFLINE": "1"}
    return run_apart("run", "--model", "scripted", "--dry_run", *arguments, cwd=place, env=environment)


def test_sacrebleus_folder_is_the_one_of_its_environment_variable(tmp_path: Path) -> None:
    keep_texts(tmp_path / "kept")
    ran = by_command(tmp_path / "kept", tmp_path, "--tasks", "wmt14_en-fr", "--json")
    assert ran.code == EXIT_OK, ran.err
    (entry,) = ran.json["tasks"]
    assert (entry["task"], entry["num_samples"]) == ("wmt14_en-fr", 3)
    ran = by_command(tmp_path / "none", tmp_path, "--tasks", "wmt14_en-fr")
    assert ran.code == EXIT_USAGE
    assert f"sacrebleu has no copy: {tmp_path / 'none' / 'wmt14'} has no wmt14 en-fr, and the network is off" in ran.err
