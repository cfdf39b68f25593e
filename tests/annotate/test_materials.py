"""From STUDY.yaml and answers to pairs: what is shown, what is left out and counted, what is refused by line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from studies import SYSTEMS, write_lines, write_study

from evalsuite.annotate.materials import MASK, check_words, gather
from evalsuite.annotate.pairs import gold_pairs, num_missing, study_pairs
from evalsuite.annotate.study_file import read_study_file
from evalsuite.errors import ConfigError, DataError, NothingSelected, UsageError


def gathered(folder: Path, **keys: Any) -> Any:
    study = read_study_file(write_study(folder, **keys))
    return study, gather(study, folder)


def edited(path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    content = yaml.safe_load(path.read_text())
    edit(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return path


def test_every_two_systems_answers_to_every_prompt(tmp_path: Path) -> None:
    study, found = gathered(tmp_path, systems=("one", "two", "three"), languages=("en", "ar"), num_prompts=3)
    raters = {language for rater in study.raters for language in rater.languages}
    pairs = study_pairs(found, study)
    assert raters == {"en", "ar"}
    assert len(pairs) == 3 * 2 * 3
    assert {pair.item.group for pair in pairs} == {"p0", "p1", "p2"}
    assert num_missing(found, study, pairs) == 0


def test_missing_empty_and_endless_answers_are_left_out_and_counted(tmp_path: Path) -> None:
    answers = {
        "one": {"en-0": "yes", "en-1": "  ", "en-2": "x" * 300_000, "en-3": "fine", "other": "?"},
        "two": {"en-0": "no", "en-1": "no", "en-2": "no"},
    }
    study, found = gathered(tmp_path, answers=answers)
    pairs = study_pairs(found, study)
    assert [pair.item.id for pair in pairs] == ["en-0"]
    assert found.left_out == {
        "empty answer of one": 1,
        "endless answer of one": 1,
        "answers to no prompt of the study": 1,
    }
    assert num_missing(found, study, pairs) == 3


def test_limits_take_the_same_prompts_in_every_language(tmp_path: Path) -> None:
    _, found = gathered(tmp_path, languages=("en", "hi"), num_prompts=5, limit=2)
    assert [item.id for item in found.items] == ["en-0", "en-1", "hi-0", "hi-1"]


def test_systems_that_name_themselves_are_counted_and_masked_on_request(tmp_path: Path) -> None:
    answers = {
        SYSTEMS[0]: {"en-0": "I am ZYXOMMA-13B by Quux.", "en-1": "Lima", "en-2": "zyxomma-13bis", "en-3": "Lima"},
        SYSTEMS[1]: {f"en-{number}": "As Quux I say Lima" if number == 0 else "Lima" for number in range(4)},
    }
    aliases = {SYSTEMS[0]: ["Quux"]}
    _, plain = gathered(tmp_path / "plain", answers=answers, aliases=aliases)
    _, masked = gathered(tmp_path / "masked", answers=answers, aliases=aliases, mask_names=True)
    assert plain.self_naming == masked.self_naming == {SYSTEMS[0]: 1, SYSTEMS[1]: 1}
    assert plain.answers[SYSTEMS[0]]["en-0"] == ("I am ZYXOMMA-13B by Quux.",)
    assert masked.answers[SYSTEMS[0]]["en-0"] == (f"I am {MASK} by {MASK}.",)
    assert masked.answers[SYSTEMS[0]]["en-2"] == ("zyxomma-13bis",)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("我是Quux模型", True), ("أنا وQuux", True), ("मैं Quux हूँ", True), ("Quux_7b", True), ("Quuxotic", False),
     ("éQuux", False), ("7Quux", False), ("(quux)", True)],
)  # fmt: skip
def test_names_are_found_beside_letters_of_other_scripts(tmp_path: Path, text: str, is_found: bool) -> None:
    answers = {SYSTEMS[0]: {"en-0": text}, SYSTEMS[1]: {"en-0": "Lima"}}
    _, found = gathered(tmp_path, answers=answers, aliases={SYSTEMS[0]: ["Quux"]})
    assert (SYSTEMS[0] in found.self_naming) == is_found


def test_titles_must_not_name_a_system(tmp_path: Path) -> None:
    study, _ = gathered(tmp_path)
    check_words(["Compare two answers"], study)
    with pytest.raises(UsageError, match="Zyxomma-13B"):
        check_words([f"Compare {SYSTEMS[0]} with another"], study)


def test_turns_are_compared_as_conversations(tmp_path: Path) -> None:
    study = read_study_file(write_study(tmp_path, num_prompts=1))
    write_lines(tmp_path / "prompts.jsonl", [{"item": "en-0", "language": "en", "turns": ["Hi", "And?"]}])
    for number, texts in enumerate((["Hello", "Lima"], ["Good day", "Cuzco", "more"])):
        write_lines(tmp_path / f"answers-{number}.jsonl", [{"sample_id": "en-0", "texts": texts}])
    found = gather(study, tmp_path)
    assert found.answers[SYSTEMS[0]] == {"en-0": ("Hello", "Lima")}
    assert found.left_out == {f"3-turn answer of {SYSTEMS[1]}": 1}


def test_known_answers_from_a_file(tmp_path: Path) -> None:
    study, found = gathered(tmp_path, gold={"each": 1, "path": "gold.jsonl"})
    row = {"item": "g", "language": "en", "prompt": "2 + 2?", "good": "4", "bad": "5"}
    write_lines(tmp_path / "gold.jsonl", [row])
    (pair,) = gold_pairs(found, study, tmp_path)
    assert (pair.answer_a, pair.answer_b, pair.is_gold) == (("4",), ("5",), True)
    write_lines(tmp_path / "gold.jsonl", [row, row])
    with pytest.raises(DataError, match=r"gold.jsonl, row 2: item 'g' stands there twice"):
        gold_pairs(found, study, tmp_path)
    del row["bad"]
    write_lines(tmp_path / "gold.jsonl", [row])
    with pytest.raises(DataError, match=r"gold.jsonl, row 1: there is no 'bad'"):
        gold_pairs(found, study, tmp_path)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda c: c.update(sistems=c.pop("systems")), "line 8: unknown key 'sistems'; did you mean 'systems'"),
        (lambda c: c.update(overlap=0), "overlap: expected int >= 1"),
        (lambda c: c.update(repeats=0.9), "repeats"),
        (lambda c: c.update(study="../up"), "no name for a folder"),
        (lambda c: c["systems"].popitem(), "two or more are compared"),
        (lambda c: c.update(against="nobody"), "against: 'nobody' is none of the systems"),
        (lambda c: c.update(aliases={"nobody": ["x"]}), "aliases: 'nobody'"),
        (lambda c: c.update(raters=[]), "nobody to vote"),
        (lambda c: c.update(raters=c["raters"] * 2), "'ana' stands 2 times"),
        (lambda c: c["raters"][0].update(languages=[]), "has no languages"),
        (lambda c: c["raters"][0].update(interface="de"), "no pages in 'de'"),
        (lambda c: c["raters"][0].update(not_systems=["x"]), "'x' is none of the systems"),
        (lambda c: c["raters"][0].update(nickname="A"), "line 10: unknown key 'nickname'; did you mean 'name'?"),
        (lambda c: c.update(quality="stars"), "'stars' is no scale"),
        (lambda c: c.update(quality={"name": "s", "acceptable": "x", "levels": [{"id": "a", "words": {"en": "A"}},
                                     {"id": "b", "words": {"en": "B"}}]}), "one of them is 'x'"),
        (lambda c: c.update(quality={"name": "s", "acceptable": "a", "levels": [{"id": "a", "words": {"en": "A"}},
                                     {"id": "b", "words": {"fr": "B"}}]}), "level 'b' has no words in 'en'"),
        (lambda c: c.update(title={"de": "Titel"}), "title: there are no pages in 'de'"),
        (lambda c: c.pop("study"), "there is no 'study'"),
    ],
)  # fmt: skip
def test_a_study_that_cannot_be_meant_is_refused(tmp_path: Path, edit: Any, says: str) -> None:
    path = edited(write_study(tmp_path), edit)
    with pytest.raises(ConfigError) as refused:
        read_study_file(path)
    assert str(path) in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "a: [", "study: x\nstudy: y\n", "\x00", "a: !!python/object:os.system {}"]
)
def test_files_that_are_no_study_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"s\.yaml"):
        read_study_file(tmp_path / "s.yaml")


def test_prompts_that_make_no_sense_are_refused_by_row(tmp_path: Path) -> None:
    study = read_study_file(write_study(tmp_path))
    good = {"item": "en-0", "language": "en", "prompt": "?"}
    for row, says in (({"item": "x", "prompt": "?"}, "row 2: there is no 'language'"), (good, "row 2: item 'en-0'"),
                      ({"item": "x", "language": "en", "turns": "?"}, "row 2: there is no list of texts")):  # fmt: skip
        write_lines(tmp_path / "prompts.jsonl", [good, row])
        with pytest.raises(DataError) as refused:
            gather(study, tmp_path)
        assert says in str(refused.value)


def test_answers_given_twice_differently_are_refused(tmp_path: Path) -> None:
    study = read_study_file(write_study(tmp_path))
    path = tmp_path / "answers-0.jsonl"
    path.write_text(path.read_text() + json.dumps({"sample_id": "en-0", "text": "other"}) + "\n")
    with pytest.raises(DataError, match="second, different answer"):
        gather(study, tmp_path)


def test_languages_without_prompts_or_readers_are_refused(tmp_path: Path) -> None:
    for keys, error, says in (
        ({"languages": ("en", "hi"), "raters": [{"name": "A", "languages": ["fr"]}]}, NothingSelected, "none of the"),
        ({"raters": [{"name": "A", "languages": ["en"]}], "only": ["hi"]}, NothingSelected, "no prompts in hi"),
        ({"languages": ("en", "hi"), "raters": [{"name": "A", "languages": ["en"]}], "only": ["hi"]}, UsageError,
         "nobody"),
    ):  # fmt: skip
        only = keys.pop("only", None)
        path = write_study(tmp_path, **keys)  # type: ignore[arg-type]
        if only:
            edited(path, lambda content, only=only: content.update(languages=only))  # type: ignore[misc]
        with pytest.raises(error, match=says):
            gather(read_study_file(path), tmp_path)


def test_files_of_answers_need_prompts(tmp_path: Path) -> None:
    path = edited(write_study(tmp_path), lambda content: content.pop("prompts"))
    with pytest.raises(UsageError, match="does not say what was asked"):
        gather(read_study_file(path), tmp_path)
