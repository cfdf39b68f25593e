"""Bad input: one clear line on standard error, the right exit code, the nearest name, and nothing written or lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import run_apart

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_NOTHING, EXIT_OK, EXIT_USAGE
from evalsuite.store.run_directory import locked

Refuses = Callable[..., str]

RUN = ("run", "--model", "scripted")
CHOICE = (*RUN, "--tasks", "mini_choice_en")
MATH = (*RUN, "--tasks", "mini_math_en")


@pytest.fixture
def refuses(command: Any, files: Callable[[], dict[str, bytes]]) -> Refuses:
    """Runs a command that must end with `code` and one line holding `parts`, and leave every file as it was."""

    def check(*arguments: object, parts: tuple[str, ...], code: int = EXIT_USAGE) -> str:
        before = files()
        ran = command(*arguments)
        assert ran.code == code, ran.err
        (line,) = ran.err.splitlines()
        assert line.startswith("evalsuite")
        assert [part for part in parts if part not in line] == [], line
        assert ran.out == ""
        assert files() == before
        return line

    return check


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """No mirror but the one that ``--data_dir`` names, and no hub."""
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def arc_mirror(root: Path, content: str) -> Path:
    """A mirror whose only file is the test split of ARC-Easy."""
    file = root / "data" / "allenai__ai2_arc" / "ARC-Easy" / "test.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(content, encoding="utf-8")
    return root / "data"


def chat_answers(path: Path, *, num_rows: int = 12, texts: object = ("A first answer.", "A second answer.")) -> Path:
    """Recorded answers to `num_rows` samples of mini_chat_en."""
    lines = [json.dumps({"sample_id": f"mini_chat_en:test:{row}", "texts": texts}) for row in range(num_rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# -- names


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((*RUN, "--tasks", "mini_choise_en"), ("task 'mini_choise_en'", "did you mean 'mini_choice_en'?")),
        ((*RUN, "--tasks", "arc_hard"), ("task 'arc_hard'", "evalsuite list tasks")),
        ((*RUN, "--tasks", "mini_choice_en:sciense"), ("category 'sciense'", "did you mean 'science'?", "geography")),
        ((*CHOICE, "--protocol", "mini-v2"), ("protocol 'mini-v2'", "did you mean 'mini-v1'?")),
        ((*CHOICE, "--samples", '{"mini_choice_fr": [0]}'), ("--samples", "did you mean 'mini_choice_en'?")),
        (
            ("show", "--tasks", "mini_chat_en", "--sample", "mini_chat_en:test:12"),
            ("did you mean 'mini_chat_en:test:", "rows counted from 0"),
        ),
        ((*CHOICE, "--model_args", "functoin=os:getpid"), ("unknown functoin", "it takes function")),
        ((*CHOICE, "--model_args", "function=no_such_module:f"), ("function=no_such_module:f", "module:function")),
        ((*MATH, "--gen_kwargs", "temprature=1"), ("--gen_kwargs", "'temprature'", "did you mean 'temperature'?")),
        ((*CHOICE, "--num_fewshots", "3"), ("'--num_fewshots'", "did you mean '--num_fewshot'?")),
        ((*CHOICE, "--limit_mode", "frist"), ("--limit_mode", "'frist'", "'first'")),
        (("rum",), ("'rum'", "'run'")),
        (("list", "taks"), ("'taks'", "'tasks'")),
    ],
)
def test_unknown_name(refuses: Refuses, arguments: tuple[str, ...], parts: tuple[str, ...]) -> None:
    refuses(*arguments, parts=parts)


def test_missing_model_and_missing_tasks(refuses: Refuses) -> None:
    refuses("run", "--tasks", "mini_choice_en", parts=("no model given", "--model smollm2-135m"))
    refuses("run", "--model", "scripted", parts=("no tasks given", "--tasks mini_choice"))
    refuses("run", "--model", "hf", "--tasks", "mini_choice_en", parts=("--model_args pretrained=NAME",))


# -- configuration files


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("limt: 3", ("unknown key 'limt'", "did you mean 'limit'?")),
        ("frobnicate: 3", ("unknown key 'frobnicate'", "expected one of model, model_args")),
        ("limit: many", ("limit is 'many'", "expected float", "got str")),
        ("limit: .nan", ("limit is nan",)),
        ("limit: 2.5", ("limit is 2.5", "a whole number, or a share below 1")),
        ("num_fewshot: [3]", ("num_fewshot is [3]", "expected int", "got array")),
        ("num-fewshot: -1", ("num_fewshot is -1", "expected 0 or more")),
        ("limit_mode: frist", ("limit_mode is 'frist'", "invalid enum value")),
        ("gen_kwargs: {temperature: hot}", ("temperature", "expected float", "got str")),
        ("gen_kwargs: {temprature: 1}", ("'temprature'", "did you mean 'temperature'?")),
        ("samples: {mini_choice_en: [a]}", ("samples", "expected int", "got str")),
        ("apply_chat_template: maybe", ("apply_chat_template is 'maybe'", "expected bool")),
    ],
)
def test_wrong_line_in_config(refuses: Refuses, workplace: Path, line: str, parts: tuple[str, ...]) -> None:
    path = workplace / "a.yaml"
    path.write_text(f"# a comment\nmodel: scripted\ntasks: mini_choice_en\n{line}\n", encoding="utf-8")
    refuses("run", path, parts=(f"{path}, line 4", *parts))


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("tasks: [a, b\nlimit: 3\n", ("line 2", "not YAML")),
        ("\tlimit: 3\n", ("line 1", "not YAML")),
        ("limit: !!python/object:os.system x\n", ("line 1", "not YAML")),
        ("seed: 2024-99-99\n", ("not YAML", "month must be in 1..12")),
        ("seed: \x00\n", ("not YAML", "special characters are not allowed")),
        ("- model\n- tasks\n", ("expected keys and values, found list",)),
        ("", ("expected keys and values, found NoneType",)),
        ("seed: 1\nlimit: 3\nseed: 2\n", ("line 3", "stands here again after line 1")),
    ],
)
def test_broken_yaml(refuses: Refuses, workplace: Path, content: str, parts: tuple[str, ...]) -> None:
    path = workplace / "a.yaml"
    path.write_text(content, encoding="utf-8")
    refuses("run", path, parts=(str(path), *parts))


def test_config_file_that_cannot_be_read(refuses: Refuses, workplace: Path) -> None:
    refuses("run", workplace / "none.yaml", parts=("none.yaml cannot be read", "No such file"))
    (workplace / "latin.yaml").write_bytes("model: caf\xe9\n".encode("latin-1"))
    refuses("run", workplace / "latin.yaml", parts=("latin.yaml cannot be read", "utf-8"))


# -- flags


@pytest.mark.parametrize(
    ("flag", "value", "parts"),
    [
        ("--num_fewshot", "three", ("expected int", "got str")),
        ("--num_fewshot", "-1", ("expected 0 or more",)),
        ("--num_fewshot", "40", ("at most 39 exemplars",)),
        ("--batch_size", "0", ("expected 1 or more",)),
        ("--batch_size", "big", ("expected int", "got str")),
        ("--limit", "x", ("expected float", "got str")),
        ("--limit", "nan", ("expected float", "got str")),
        ("--limit", "inf", ("expected float", "got str")),
        ("--limit", "-1", ("expected 0 or more",)),
        ("--limit", "2.5", ("a whole number",)),
        ("--seed", "x", ("expected int", "got str")),
        ("--samples", "{", ("expected JSON like",)),
        ("--samples", "none.json", ("none.json cannot be read",)),
        ("--samples", '{"mini_math_en": "all"}', ("expected array", "got str")),
        ("--samples", '{"mini_math_en": [0, 20]}', ("rows 0 to 19, not 20",)),
        ("--samples", '{"mini_math_en": [-1]}', ("rows 0 to 19, not -1",)),
        ("--model_args", "delay_s", ("'delay_s' is not of the form key=value",)),
        ("--model_args", "delay_s=soon", ("delay_s=soon", "expected seconds")),
        ("--model_args", "{", ("not JSON",)),
        ("--model_args", "delay_s=1,delay_s=2", ("delay_s is given twice",)),
        ("--gen_kwargs", "temperature=hot", ("temperature", "expected float", "got str")),
        ("--gen_kwargs", "temperature=-1", ("temperature", "expected float >= 0.0")),
        ("--gen_kwargs", "max_gen_toks=0", ("max_tokens", "expected int >= 1")),
        ("--gen_kwargs", "do_sample=maybe", ("do_sample", "expected bool")),
        ("--apply_chat_template", "maybe", ("expected bool",)),
        ("--data_dir", "nowhere", ("nowhere does not exist",)),
    ],
)
def test_wrong_value_of_a_flag(refuses: Refuses, flag: str, value: str, parts: tuple[str, ...]) -> None:
    tasks = "mini_choice_en" if value == "40" else "mini_math_en"
    line = refuses(*RUN, "--tasks", tasks, flag, value, parts=parts)
    assert flag in line


def test_flag_without_its_value(refuses: Refuses) -> None:
    refuses(*RUN, "--tasks", parts=("--tasks", "expected at least one argument"))


def test_exemplars_for_a_task_that_has_none(refuses: Refuses) -> None:
    refuses(*RUN, "--tasks", "mini_chat_en", "--num_fewshot", 1, parts=("mini_chat_en", "without exemplars"))


@pytest.mark.data
def test_more_exemplars_than_there_are(refuses: Refuses, mirror: Path) -> None:
    refuses(*RUN, "--tasks", "arc_easy", "--num_fewshot", 2252, parts=("--num_fewshot 2252", "has 2251 exemplars"))


# -- data


@pytest.mark.usefixtures("no_hub")
def test_missing_data_file_names_the_paths_looked_at(refuses: Refuses, workplace: Path) -> None:
    refuses(*RUN, "--tasks", "arc_easy", parts=("no data for allenai/ai2_arc", "EVALSUITE_DATA", "HF_HUB_OFFLINE"))
    (workplace / "data").mkdir()
    expected = ("allenai__ai2_arc/ARC-Easy/test.jsonl", "test.parquet", "HF_HUB_OFFLINE")
    refuses(*RUN, "--tasks", "arc_easy", "--data_dir", "data", parts=expected)


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ('{"id": "a"}\n{"id": \n', ("test.jsonl, line 2", "not JSON")),
        ('{"id": "a"}\n\n["b"]\n', ("test.jsonl, line 3", "expected an object, found list")),
    ],
)
def test_malformed_row(refuses: Refuses, workplace: Path, content: str, parts: tuple[str, ...]) -> None:
    refuses(*RUN, "--tasks", "arc_easy", "--data_dir", arc_mirror(workplace, content), parts=parts)


@pytest.mark.usefixtures("no_hub")
def test_rows_that_are_not_the_expected_ones_show_both_hashes(refuses: Refuses, workplace: Path) -> None:
    from evalsuite.canonical import content_hash

    row = {"id": "a", "question": "?", "choices": {"text": ["x"], "label": ["A"]}, "answerKey": "A"}
    data = arc_mirror(workplace, json.dumps(row))
    parts = ("test.jsonl", content_hash((row,)), "expected 805358fda566f8cf", "pinned revision 210d026f")
    refuses(*RUN, "--tasks", "arc_easy", "--data_dir", data, parts=parts)


@pytest.mark.data
def test_one_changed_byte_in_one_row(refuses: Refuses, workplace: Path, mirror: Path) -> None:
    folder = mirror / "allenai__ai2_arc" / "ARC-Easy"
    shutil.copytree(folder, workplace / "data" / "allenai__ai2_arc" / "ARC-Easy")
    file = workplace / "data" / "allenai__ai2_arc" / "ARC-Easy" / "test.jsonl"
    content = file.read_bytes()
    place = content.index(b'"question": "', len(content) // 2) + len(b'"question": "')
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    line = refuses(*RUN, "--tasks", "arc_easy", "--data_dir", "data", parts=("test.jsonl", "805358fda566f8cf"))
    assert line.count("hash to ") == 1
    assert "hash to 805358fda566f8cf" not in line


@pytest.mark.usefixtures("no_hub")
def test_empty_dataset(refuses: Refuses, workplace: Path) -> None:
    data = arc_mirror(workplace, "\n")
    refuses(*RUN, "--tasks", "arc_easy", "--data_dir", data, parts=("test.jsonl", "no rows"), code=EXIT_NOTHING)


@pytest.mark.parametrize(
    "selection",
    [
        ("--limit", "0"),
        ("--limit", "0", "--limit_mode", "first"),
        ("--samples", '{"mini_choice_en": []}'),
    ],
)
def test_nothing_selected(refuses: Refuses, selection: tuple[str, ...]) -> None:
    refuses(*CHOICE, *selection, parts=("no sample is selected", "--limit"), code=EXIT_NOTHING)


# -- recorded answers


def recorded(path: object) -> tuple[object, ...]:
    """A run of mini_chat_en on the answers in `path`."""
    return ("run", "--model", "recorded", "--model_args", f"path={path}", "--tasks", "mini_chat_en")


def test_recorded_answers_without_a_file(refuses: Refuses) -> None:
    refuses(*recorded("none.jsonl"), parts=("none.jsonl cannot be read", "No such file"))
    refuses("run", "--model", "recorded", "--tasks", "mini_chat_en", parts=("--model_args path=FILE.jsonl",))


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("{", ("not JSON",)),
        ("[]", ("an object with a string 'sample_id'",)),
        ('{"sample_id": 3, "text": "x"}', ("a string 'sample_id'",)),
        ('{"sample_id": "b", "txt": "x"}', ("unknown key 'txt'", "text or texts")),
        ('{"sample_id": "b"}', ("either 'text'",)),
        ('{"sample_id": "b", "text": "x", "texts": ["x"]}', ("either 'text'",)),
        ('{"sample_id": "b", "text": 3}', ("'text', a string",)),
        ('{"sample_id": "b", "texts": "x"}', ("'texts', a list of strings",)),
        ('{"sample_id": "a", "text": "y"}', ("a second, different answer to a",)),
    ],
)
def test_malformed_recorded_answer(refuses: Refuses, workplace: Path, line: str, parts: tuple[str, ...]) -> None:
    (workplace / "a.jsonl").write_text('{"sample_id": "a", "text": "x"}\n\n' + line + "\n", encoding="utf-8")
    refuses(*recorded("a.jsonl"), parts=("a.jsonl, line 3", *parts))


def test_the_same_recorded_answer_twice_is_one_answer(command: Any, workplace: Path) -> None:
    path = chat_answers(workplace / "a.jsonl")
    path.write_text(path.read_text() * 2, encoding="utf-8")
    assert command(*recorded(path)).code == EXIT_OK


# -- the run directory


def test_second_run_on_a_directory_in_use(command: Any, workplace: Path) -> None:
    first = command(*CHOICE, "--limit", 5, "--json")
    path = Path(first.json["path"])
    results = (path / "results.json").read_bytes()
    with locked(path):
        ran = command(*CHOICE, "--limit", 5)
    assert ran.code == EXIT_USAGE
    (line,) = ran.err.splitlines()
    assert f"{path} is locked by pid " in line
    assert (path / "results.json").read_bytes() == results
    assert command(*CHOICE, "--limit", 5).code == EXIT_OK


@pytest.mark.parametrize("output", ["taken", "/proc"])
def test_output_that_cannot_be_written(refuses: Refuses, workplace: Path, output: str) -> None:
    """A file in the way, and a file system that takes no files (a mode is no obstacle to root)."""
    (workplace / "taken").write_text("in the way", encoding="utf-8")
    parts = (f"cannot write {output}/", "choose another place to write to")
    refuses(*CHOICE, "--output_path", output, parts=parts, code=EXIT_INCOMPLETE)


def test_repair_of_what_is_not_a_run(refuses: Refuses) -> None:
    refuses("doctor", "--repair", "nowhere", parts=("nowhere is not a run directory",))


def test_report_of_what_is_not_a_run(refuses: Refuses) -> None:
    refuses("report", "nowhere", parts=("nowhere: there is no such file or folder",))
    refuses("report", ".", parts=("holds no finished run", "evalsuite run"))


# -- as a process of its own


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (("run", "--model", "scripted", "--tasks", "mini_mat_en"), EXIT_USAGE, "did you mean 'mini_math_en'?"),
        (("run", "none.yaml"), EXIT_USAGE, "none.yaml cannot be read"),
        (("run", "--modle", "x"), EXIT_USAGE, "did you mean '--model'?"),
        ((*CHOICE, "--limit", "0"), EXIT_NOTHING, "no sample is selected"),
    ],
)
def test_process_ends_with_one_line(workplace: Path, arguments: tuple[str, ...], code: int, part: str) -> None:
    ended = run_apart(*arguments)
    assert ended.code == code
    (line,) = ended.err.splitlines()
    assert part in line
    assert ended.out == ""
    assert list(workplace.iterdir()) == []
