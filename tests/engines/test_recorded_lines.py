"""Recorded answers in a plain text file: line k is the answer to row k, whatever else a line may hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import run_here

from evalsuite.engines.base import EngineOptions, one_by_one
from evalsuite.engines.recorded import open_engine, read_lines
from evalsuite.errors import EXIT_OK, EXIT_USAGE, DataError
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Item, Response

TASK = "mini_translation_en-fr"


def written(folder: Path, content: bytes, name: str = "answers.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def answer(path: Path, sample_id: str) -> Response:
    engine = open_engine(EngineOptions(model="recorded", args={"path": str(path)}))
    item = Item(id="only", sample_id=sample_id, wave=1, request=GenerateRequest(prompt="?", max_tokens=5))
    ((_, response),) = engine.run(one_by_one([item], lambda _: 1))
    return response


def text(response: Response) -> str:
    assert isinstance(response, Completion)
    return response.text


# -- lines


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\n", ["a", ""]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\n", ["a\rb"]),
        (b" a \n\tb\n", [" a ", "\tb"]),
        ("a\u2028b\nc\x85d\ne\x0bf\x0cg\n".encode(), ["a\u2028b", "c\x85d", "e\x0bf\x0cg"]),
        ('{"sample_id": "x"}\n不\n'.encode(), ['{"sample_id": "x"}', "不"]),
    ],
)
def test_lines_end_with_a_line_feed_alone(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    assert read_lines(written(tmp_path, content)) == {str(number): (line,) for number, line in enumerate(lines)}


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"answers\.txt cannot be read"):
        read_lines(written(tmp_path, b"\xff\xfe"))
    with pytest.raises(DataError, match=r"none\.txt cannot be read"):
        read_lines(tmp_path / "none.txt")


# -- answers


def test_line_k_answers_row_k(tmp_path: Path) -> None:
    path = written(tmp_path, b"zero\none\n\n")
    assert [text(answer(path, f"wmt22_de-fr:test:{row}")) for row in range(3)] == ["zero", "one", ""]
    assert text(answer(path, "mmlu_en:law:test:1")) == "one"


def test_a_row_behind_the_last_line_is_missing(tmp_path: Path) -> None:
    missing = answer(written(tmp_path, b"zero\n"), "wmt22_de-fr:test:1")
    assert isinstance(missing, Failure)
    assert missing.cause == Cause.MISSING_RESPONSE


def test_the_name_decides_how_a_file_is_read(tmp_path: Path) -> None:
    line = json.dumps({"sample_id": "x:test:0", "text": "hello"})
    assert text(answer(written(tmp_path, line.encode(), "a.jsonl"), "x:test:0")) == "hello"
    assert text(answer(written(tmp_path, line.encode(), "a.txt"), "x:test:0")) == line


def test_the_identity_is_that_of_the_answers(tmp_path: Path) -> None:
    def identity(content: bytes) -> Any:
        path = written(tmp_path, content)
        return open_engine(EngineOptions(model="recorded", args={"path": str(path)})).identity()

    assert identity(b"a\nb\n") == identity(b"a\r\nb")
    assert identity(b"a\nb\n")["num_answers"] == 2
    assert len({identity(content)["answers_sha256"] for content in (b"a\nb\n", b"b\na\n", b"a\nb\n\n")}) == 3


# -- in a run


Told = tuple[int, Any, str]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """A run on recorded lines: its exit code, its summary and what it printed to standard error."""

    def ran(lines: list[str], *arguments: object, tasks: tuple[str, ...] = (TASK,)) -> Told:
        path = written(tmp_path, "".join(f"{line}\n" for line in lines).encode("utf-8"))
        given = ["--model", "recorded", "--model_args", f"path={path},name=Ours", "--output_path", tmp_path / "runs"]
        done = run_here(capsys, "run", *given, "--tasks", *tasks, "--json", *arguments)
        return done.code, done.json if done.code != EXIT_USAGE else None, done.err

    return ran


def references() -> list[str]:
    from importlib.resources import files

    content = (files("evalsuite.tasks") / "mini" / "translation.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["fr"] for line in content.splitlines()]


def values(summary: Any) -> dict[str, float]:
    return {entry["metric"]: entry["value"] for entry in summary["results"]}


def test_references_as_answers_are_perfect(run: Callable[..., Told]) -> None:
    code, summary, _ = run(references())
    assert (code, summary["counts"]["scored"]) == (EXIT_OK, 30)
    found = values(summary)
    assert [found[name] for name in ("bleu", "chrf", "ter")] == [pytest.approx(100), pytest.approx(100), 0]
    assert summary["run"] != run(references()[::-1])[1]["run"]


def test_a_limit_asks_for_the_lines_of_its_rows(run: Callable[..., Told]) -> None:
    for arguments in (("--limit", 7), ("--limit", 3, "--limit_mode", "first"), ("--seed", 3, "--limit", 5)):
        code, summary, _ = run(references(), *arguments)
        assert code == EXIT_OK
        assert values(summary)["bleu"] == pytest.approx(100)


def test_a_file_of_fewer_lines_than_rows_is_not_of_this_task(run: Callable[..., Told]) -> None:
    """The line that is missing may be the first, and then every answer is one to another row."""
    code, _, said = run(references()[1:])
    assert code == EXIT_USAGE
    assert "29 lines; mini_translation" in said


def test_an_empty_line_is_an_empty_answer(run: Callable[..., Told]) -> None:
    code, summary, _ = run(["", *references()[1:]])
    assert (code, summary["counts"]["scored"]) == (EXIT_OK, 30)
    assert summary["tasks"][0]["flags"]["empty"] == 1
    assert values(summary)["chrf"] < 100


def test_lines_answer_one_task_only(run: Callable[..., Told]) -> None:
    assert run(references(), tasks=(TASK, "mini_translation_en-es"))[0] == EXIT_USAGE


def test_a_file_of_more_lines_than_rows_is_not_of_this_task(run: Callable[..., Told]) -> None:
    code, _, said = run([*references(), "Une de plus."])
    assert code == EXIT_USAGE or "31" in said
