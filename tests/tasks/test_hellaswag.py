"""HellaSwag: what cleaning leaves, prompts byte for byte, and other exemplars where the original rows are missing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evalsuite.tasks.hellaswag import clean

from evalsuite import plugins
from evalsuite.building import PreparedTask, build_task
from evalsuite.config import RunConfig
from evalsuite.contracts import Family, Rows, Task, TaskOptions
from evalsuite.data import DataSource
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.errors import DataError, RowsMissing, UnknownName, UsageError
from evalsuite.plugins import TaskChoice, family
from evalsuite.prepare import prepare
from evalsuite.types import LoglikelihoodRequest, Message, Sample

DERIVED = "lm-eval-0.4+derived-shots"


def row(start: str, then: str, endings: tuple[str, ...], label: str, activity: str = "Baking bread") -> dict[str, Any]:
    """A row as the hub has it."""
    return {
        "activity_label": activity,
        "ctx_a": start,
        "ctx_b": then,
        "endings": list(endings),
        "label": label,
        "source_id": f"made~{start[:4]}",
        "split_type": "indomain",
    }


ROWS: Rows = (
    row("A baker weighs flour.", "she", ("adds water.", "flies off.", "sings to it.", "sleeps."), "0"),
    row(
        "[header] How to knead [title] Clear a table. [step] Wipe it.",
        "THEN McCoy",
        ("[substeps] Fold the dough.", " waits. ", "x  y   z", "ends [a] here [b]."),
        "2",
        "Kneading",
    ),
)
TRAIN: Rows = (
    row("A cook opens a jar.", "", ("nods.", "[step] Stirs [title] slowly."), "1", "Cooking"),
    row("Two people lift a tent.", "they", ("stop.", "sit down in it."), "0", "Camping"),
    row("A dog digs.", "it", ("barks.", "finds [x] a shoe."), "1", "Digging"),
)
DERIVED_TRAIN: Rows = (
    {"query": "Cooking: A cook [opens]  a jar ", "choices": ["nods", " Stirs  slowly "], "gold": 1},
    {"query": "Camping: Two people lift a tent they", "choices": ["stop [title] here", "sit"], "gold": 0},
    {"query": "Digging: A dog digs", "choices": ["barks", "finds a  shoe"], "gold": 1},
)


def task(**options: Any) -> Task:
    return family("hellaswag").build("hellaswag", TaskOptions(**options))


def samples(num_fewshot: int = 0, train: Rows = TRAIN, **options: Any) -> tuple[Sample, ...]:
    """The samples of hand-made rows."""
    return task(num_fewshot=num_fewshot, **options).samples((ROWS, train) if num_fewshot else (ROWS,))


def requests(sample: Sample, **options: Any) -> list[LoglikelihoodRequest]:
    asked = task(**options).next_requests(sample, ())
    return [request for request in asked if isinstance(request, LoglikelihoodRequest)]


# -- cleaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  plain text \n", "plain text"),
        ("Roll it [title] Rest it", "Roll it. Rest it"),
        ("[title] Rest it", " Rest it"),
        ("x[title] Rest", "x Rest"),
        ("a [b] c [d] e", "a c e"),
        ("a [b [c] d] e", "a d] e"),
        ("a ] b [ c", "a ] b [ c"),
        ("a [] b", "a b"),
        ("a [b\nc] d", "a [b\nc] d"),
        ("one  two", "one two"),
        ("one   two", "one  two"),
        ("one    two", "one  two"),
        ("one [x]  two", "one  two"),
        (" [x] two [y] ", " two "),
        ("a [title]  b", "a.  b"),
        ("[step] a", " a"),
        ("", ""),
        ("先 [标题] 后  再", "先 后 再"),
    ],
)
def test_cleaning(text: str, expected: str) -> None:
    assert clean(text) == expected


# -- prompts


def test_prompts_are_lm_evals_byte_for_byte() -> None:
    first, second = samples()
    asked = requests(first)
    assert {request.context for request in asked} == {"Baking bread: A baker weighs flour. She"}
    assert [request.continuation for request in asked] == [" adds water.", " flies off.", " sings to it.", " sleeps."]
    asked = requests(second)
    assert {request.context for request in asked} == {"Kneading: How to knead. Clear a table. Wipe it. Then mccoy"}
    assert [request.continuation for request in asked] == ["  Fold the dough.", " waits.", " x y  z", " ends here ."]


def test_the_two_sentences_are_cleaned_as_one_text() -> None:
    """An empty second sentence leaves no space, and a bracket may open in one part and close in the next."""
    rows = (row("A cook  opens.", "", ("a", "b"), "0", " Cooking "), row("Left [x", "y] right", ("a", "b"), "0"))
    found = task().samples((rows,))
    assert [sample.input for sample in found] == ["Cooking : A cook opens.", "Baking bread: Left right"]


def test_the_label_is_text_and_names_the_right_ending() -> None:
    first, second = samples()
    assert (first.gold, first.target) == (0, "adds water.")
    assert (second.gold, second.target) == (2, "x y  z")
    assert second.choices == (" Fold the dough.", "waits.", "x y  z", "ends here .")
    assert (second.id, second.row) == ("hellaswag:validation:1", 1)
    assert first.metadata == {"source_id": "made~A ba", "split_type": "indomain"}


EXEMPLARS = {
    "Cooking": "Cooking: A cook opens a jar.  Stirs. slowly.\n\n",
    "Camping": "Camping: Two people lift a tent. They stop.\n\n",
    "Digging": "Digging: A dog digs. It finds a shoe.\n\n",
}
DERIVED_EXEMPLARS = {
    "Cooking": "Cooking: A cook [opens]  a jar   Stirs  slowly \n\n",
    "Camping": "Camping: Two people lift a tent they stop [title] here\n\n",
    "Digging": "Digging: A dog digs finds a  shoe\n\n",
}


@pytest.mark.parametrize(
    ("protocol", "train", "texts"), [("lm-eval-0.4", TRAIN, EXEMPLARS), (DERIVED, DERIVED_TRAIN, DERIVED_EXEMPLARS)]
)
def test_exemplars_come_before_the_question_with_their_endings(
    protocol: str, train: Rows, texts: dict[str, str]
) -> None:
    """Cleaned where they come from the original rows, and byte for byte as in the file where they come from another."""
    drawn = set()
    for seed in range(8):
        sample = samples(2, train, protocol=protocol, seed=seed)[0]
        one, two = (shot.input.partition(":")[0] for shot in sample.shots)
        expected = texts[one] + texts[two] + "Baking bread: A baker weighs flour. She"
        assert {request.context for request in requests(sample, num_fewshot=2, protocol=protocol)} == {expected}
        drawn |= {one, two}
    assert drawn == set(texts)


def test_each_row_has_its_own_exemplars() -> None:
    """As lm-eval draws where a benchmark has no test split: one more than it keeps."""
    for seed in range(8):
        generator = random.Random(seed)
        for sample in samples(1, seed=seed):
            expected = generator.sample(list(EXEMPLARS), 2)[:1]
            assert [shot.input.partition(":")[0] for shot in sample.shots] == expected


def test_chat_sends_turns_and_no_space_before_the_ending() -> None:
    options = {"num_fewshot": 1, "chat": True, "multiturn_shots": True}
    sample = samples(1, (TRAIN[1], TRAIN[1]))[0]
    first = requests(sample, **options)[0]
    assert first.context == (
        Message(role="user", content="Camping: Two people lift a tent. They"),
        Message(role="assistant", content="stop."),
        Message(role="user", content="Baking bread: A baker weighs flour. She"),
    )
    assert first.continuation == "adds water."


def test_a_sample_is_asked_once() -> None:
    assert task().next_requests(samples()[0], ((),)) == ()


def test_more_exemplars_than_rows_are_refused() -> None:
    with pytest.raises(UsageError, match="--num_fewshot 4: hellaswag has 3 exemplars"):
        samples(4)


# -- protocols


@pytest.mark.parametrize(
    ("protocol", "num_fewshot", "splits", "fallback"),
    [
        (None, 0, ["validation"], ""),
        ("lm-eval-0.4", 3, ["validation", "train"], DERIVED),
        (DERIVED, 3, ["validation", "train_preprocessed"], ""),
        ("openllm-v1", None, ["validation", "train"], "openllm-v1+derived-shots"),
        ("openllm-v1+derived-shots", None, ["validation", "train_preprocessed"], ""),
        ("openllm-fixed", None, ["validation", "train"], "openllm-fixed+derived-shots"),
    ],
)
def test_what_each_protocol_reads(
    protocol: str | None, num_fewshot: int | None, splits: list[str], fallback: str
) -> None:
    built = task(protocol=protocol, num_fewshot=num_fewshot)
    assert [dataset.split for dataset in built.datasets] == splits
    assert built.fallback == fallback
    assert built.protocol == (protocol or "lm-eval-0.4")
    assert built.num_fewshot == (10 if built.is_sealed else num_fewshot)
    assert built.is_sealed == built.protocol.startswith("openllm")
    assert built.metrics[0].alias == "acc_norm"


def test_every_protocol_has_its_variant() -> None:
    names = family("hellaswag").protocols
    assert {name.partition("+")[0] for name in names} == {"lm-eval-0.4", "openllm-v1", "openllm-fixed"}
    assert [task(protocol=name).protocol for name in names] == list(names)
    assert len(names) == 6
    with pytest.raises(UnknownName, match=r"hellaswag has: .*openllm-fixed\+derived-shots"):
        task(protocol="openllm-v1+derived")


# -- rows that are not at hand


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a mirror that holds the given rows by file, and nothing else can be had."""

    def nothing(_: object) -> Rows:
        raise ConnectionError("no hub in this test")

    monkeypatch.setattr("evalsuite.data._from_hub", nothing)

    def write_files(**files: Rows) -> Path:
        folder = tmp_path / "mirror" / "Rowan__hellaswag"
        folder.mkdir(parents=True, exist_ok=True)
        for split, rows in files.items():
            path = folder / ("derived" if split == "train_preprocessed" else "default") / f"{split}.jsonl"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(json.dumps(entry) + "\n" for entry in rows), encoding="utf-8")
        return tmp_path / "mirror"

    return write_files


def with_other_data(num_train: int) -> Family:
    """The family for hand-made rows: no fingerprints, and `num_train` rows to draw exemplars from."""
    real = family("hellaswag")

    def build(name: str, options: TaskOptions) -> Task:
        built = real.build(name, options)
        datasets = (
            replace(one, fingerprint=None, num_rows=num_train if one.split == "train" else None)
            for one in built.datasets
        )
        return replace(built, datasets=tuple(datasets))

    return replace(real, build=build)


def build(mirror: Path, num_train: int = 3, **settings: Any) -> PreparedTask:
    config = RunConfig(model="scripted", tasks=("hellaswag",), **{"num_fewshot": 1, **settings})
    choice = TaskChoice(with_other_data(num_train), "hellaswag")
    return build_task(choice, config, ScriptedEngine(plausible), DataSource(mirror=mirror, hub=False))


def test_original_rows_are_taken_where_they_are(write: Write) -> None:
    entry = build(write(validation=ROWS, train=TRAIN, train_preprocessed=DERIVED_TRAIN))
    assert (entry.task.protocol, entry.note) == ("lm-eval-0.4", "")
    shots = [f"{shot.input} {shot.target}\n\n" for sample in entry.samples for shot in sample.shots]
    assert len(shots) == 2
    assert set(shots) <= set(EXEMPLARS.values())
    assert [(pin.split, pin.num_rows) for pin in entry.pins] == [("validation", 2), ("train", 3)]


@pytest.mark.parametrize("protocol", ["lm-eval-0.4", None])
def test_missing_rows_make_it_the_variant_and_say_so(write: Write, protocol: str | None) -> None:
    entry = build(write(validation=ROWS, train_preprocessed=DERIVED_TRAIN), protocol=protocol, num_fewshot=2)
    assert (entry.task.protocol, entry.task.num_fewshot) == (DERIVED, 2)
    shots = [f"{shot.input} {shot.target}\n\n" for shot in entry.samples[0].shots]
    assert len(shots) == 2
    assert set(shots) <= set(DERIVED_EXEMPLARS.values())
    assert entry.pins[1].config == "derived"
    assert entry.note.startswith("hellaswag: its train rows are not at hand")
    assert entry.note.endswith(f"its protocol is {DERIVED}.")


def test_the_variant_of_a_chat_is_a_chat(write: Write) -> None:
    mirror = write(validation=ROWS, train_preprocessed=DERIVED_TRAIN)
    entry = build(mirror, apply_chat_template=True)
    assert (entry.is_chat, entry.task.protocol) == (True, DERIVED)
    (first, *_) = entry.task.next_requests(entry.samples[0], ())
    assert isinstance(first, LoglikelihoodRequest)
    assert isinstance(first.context, tuple)
    assert first.continuation == "adds water."


def test_without_exemplars_nothing_is_missing(write: Write) -> None:
    entry = build(write(validation=ROWS), num_fewshot=0)
    assert (entry.task.protocol, entry.note, len(entry.pins)) == ("lm-eval-0.4", "", 1)


@pytest.mark.parametrize("protocol", ["lm-eval-0.4", DERIVED])
def test_with_neither_file_the_one_that_was_asked_for_is_named(write: Write, protocol: str) -> None:
    with pytest.raises(
        RowsMissing, match=r"default, train\)" if protocol != DERIVED else "derived, train_preprocessed"
    ):
        build(write(validation=ROWS), protocol=protocol)


def test_missing_validation_rows_are_not_made_up_for(write: Write) -> None:
    with pytest.raises(RowsMissing, match="default, validation"):
        build(write(train_preprocessed=DERIVED_TRAIN))


@pytest.mark.parametrize("num_train", [2, 4])
def test_a_train_file_with_another_number_of_rows_is_refused(write: Write, num_train: int) -> None:
    """It is not the data of the protocol; the derived file beside it does not excuse that."""
    mirror = write(validation=ROWS, train=TRAIN, train_preprocessed=DERIVED_TRAIN)
    with pytest.raises(DataError, match=rf"train\.jsonl is not the data .*: 3 rows, not {num_train}\."):
        build(mirror, num_train)


def test_the_real_family_asks_for_every_original_train_row() -> None:
    validation, train = task(num_fewshot=1).datasets
    assert (train.fingerprint, train.num_rows) == (None, 39905)
    assert validation.fingerprint is not None
    assert task(num_fewshot=1, protocol=DERIVED).datasets[1].fingerprint is not None


def test_a_run_pins_the_variant_and_notes_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = write(validation=ROWS, train_preprocessed=DERIVED_TRAIN)
    real = plugins.family
    other = with_other_data(3)
    monkeypatch.setattr(plugins, "family", lambda name: other if name == "hellaswag" else real(name))
    prepared = prepare(RunConfig(model="scripted", tasks=("hellaswag",), num_fewshot=1, data_dir=str(mirror)))
    assert [spec.protocol for spec in prepared.spec.tasks] == [DERIVED]
    assert [pin.config for pin in prepared.spec.tasks[0].datasets] == ["default", "derived"]
    (note,) = prepared.notes
    assert DERIVED in note
