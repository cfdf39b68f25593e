"""Runs on models that cannot be read, or that cannot answer: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from commands import run_here
from safetensors.torch import load_file, save_file
from tiny_models import characters, save_llama, split_words, words

from evalsuite.contracts import TaskOptions
from evalsuite.engines.encoding import Encoder
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE
from evalsuite.plugins import family
from evalsuite.store.results import read_samples
from evalsuite.types import LoglikelihoodRequest, Scored, Unscored

pytestmark = pytest.mark.usefixtures("one_thread")

Evaluates = Callable[..., tuple[int, str, str]]
Breaks = Callable[[Path], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with nothing wrong."""
    return save_llama(tmp_path_factory.mktemp("whole") / "model", characters(), max_length=4096)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


@pytest.fixture
def evaluates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluates:
    """Runs four samples of mini_choice_en on a model: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(model: object, *more: str) -> tuple[int, str, str]:
        done = run_here(capsys, "run", "--model", model, "--tasks", "mini_choice_en", "--limit", 4, "--json", *more)
        return done.code, done.out, done.err

    return run


def the_line(error: str) -> str:
    """The only line of `error`."""
    (line,) = error.splitlines()
    assert line.startswith("evalsuite: ")
    return line


def test_the_whole_model_is_evaluated(evaluates: Evaluates, folder: Path) -> None:
    code, out, _ = evaluates(folder)
    assert code == EXIT_OK
    assert json.loads(out.splitlines()[-1])["counts"]["scored"] == 4


# -- unreadable


def without(name: str) -> Breaks:
    return lambda folder: (folder / name).unlink()


def holding(name: str, content: bytes) -> Breaks:
    return lambda folder: (folder / name).write_bytes(content)


def half(name: str) -> Breaks:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-1000])


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("breaks", "parts"),
    [
        pytest.param(without("config.json"), ("not a model folder", "no config.json"), id="no config"),
        pytest.param(holding("config.json", b"{"), ("config.json",), id="broken config"),
        pytest.param(holding("config.json", b'{"model_type": "llamma"}'), ("llamma",), id="unknown architecture"),
        pytest.param(pickled, ("only pickled weights (pytorch_model.bin)", "safetensors"), id="pickled"),
        pytest.param(without("model.safetensors"), ("no *.safetensors file",), id="no weights"),
        pytest.param(half("model.safetensors"), ("model.safetensors is not a whole safetensors file",), id="torn"),
        pytest.param(holding("model.safetensors", b""), ("is not a whole safetensors file",), id="empty weights"),
        pytest.param(without("tokenizer.json"), ("tokenizer cannot be loaded",), id="no tokenizer"),
        pytest.param(holding("tokenizer.json", b"[]"), ("tokenizer cannot be loaded",), id="broken tokenizer"),
    ],
)
def test_unreadable_model_is_refused_before_anything_is_written(
    evaluates: Evaluates, folder: Path, tmp_path: Path, breaks: Breaks, parts: tuple[str, ...]
) -> None:
    breaks(folder)
    code, out, error = evaluates(folder)
    assert (code, out) == (EXIT_USAGE, "")
    line = the_line(error)
    assert all(part in line for part in (str(folder), *parts)), line
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("model", "more", "parts"),
    [
        ("smollm2-135", (), ("'smollm2-135'", "did you mean 'smollm2-135m'?")),
        ("recordd", (), ("'recordd'", "did you mean 'recorded'?")),
        ("nobody/nothing-at-all", (), ("nobody/nothing-at-all",)),
        ("missing/folder/of/mine", (), ("'missing/folder/of/mine'", "a folder")),
        ("hf", ("--model_args", "pretrained=smollm2-135"), ("'smollm2-135'", "did you mean 'smollm2-135m'?")),
        ("hf", ("--model_args", "pretraind=x"), ("unknown 'pretraind'", "pretrained")),
        ("x", ("--model_args", "dtype=float23"), ("dtype=float23", "float32")),
        ("x", ("--model_args", "max_length=long"), ("max_length=long", "whole number")),
        ("x", ("--device", "toaster"), ("--device toaster",)),
    ],
)
def test_unknown_model_or_setting(
    evaluates: Evaluates, tmp_path: Path, model: str, more: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    code, out, error = evaluates(model, *more)
    assert (code, out) == (EXIT_USAGE, "")
    assert all(part in the_line(error) for part in parts), error
    assert list(tmp_path.iterdir()) == []


def test_chat_template_that_is_missing(evaluates: Evaluates, folder: Path) -> None:
    code, _, error = evaluates(folder, "--apply_chat_template")
    assert (code, "has no chat template; give --chat_template FILE" in the_line(error)) == (EXIT_USAGE, True)
    code, _, error = evaluates(folder, "--apply_chat_template", "--chat_template", "none.jinja")
    assert (code, "--chat_template none.jinja cannot be read" in the_line(error)) == (EXIT_USAGE, True)


def test_missing_tensors_are_not_drawn_at_random(evaluates: Evaluates, folder: Path) -> None:
    """transformers would fill them with noise and go on."""
    weights = load_file(folder / "model.safetensors")
    for name in ("model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight"):
        del weights[name]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    code, out, error = evaluates(folder)
    assert (code, out) == (EXIT_USAGE, "")
    assert "2 tensors are missing, the first model.layers.0.mlp.up_proj.weight" in error.splitlines()[-1]
    assert "Traceback" not in error


# -- answers that cannot be scored


def test_nan_weights_give_no_score(evaluates: Evaluates, folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.down_proj.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for task in ("mini_choice_en", "mini_chat_en"):
        code, out, error = evaluates(folder, "--tasks", task)
        ended = json.loads(out.splitlines()[-1])
        assert (code, ended["status"], ended["results"]) == (EXIT_INCOMPLETE, "incomplete", [])
        assert ended["counts"]["unscored_by_cause"] == {"nonfinite_logits": 4}
        assert "4 of 4 samples are unscored (nonfinite_logits: 4)" in error.splitlines()[-1]


@pytest.fixture(scope="module")
def short_sighted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads 32 words."""
    text = (files("evalsuite.tasks") / "mini" / "choice_en.jsonl").read_text(encoding="utf-8")
    tokenizer = words(["Answer", *split_words(text)])
    return save_llama(tmp_path_factory.mktemp("short") / "model", tokenizer, max_length=32)


def longest_rows(folder: Path) -> dict[str, int]:
    """Tokens that the longest request of each sample of mini_choice_en has for the model to read."""
    from transformers import AutoTokenizer

    encoder = Encoder(AutoTokenizer.from_pretrained(folder), None)
    task = family("mini_choice").build("mini_choice_en", TaskOptions())
    rows = tuple(
        json.loads(line)
        for line in (files("evalsuite.tasks") / "mini" / "choice_en.jsonl").read_text(encoding="utf-8").splitlines()
    )
    return {
        sample.id: max(
            len(encoder.encode_pair(request).row)
            for request in task.next_requests(sample, ())
            if isinstance(request, LoglikelihoodRequest)
        )
        for sample in task.samples((rows,))
    }


def test_prompts_longer_than_the_context_end_unscored(evaluates: Evaluates, short_sighted: Path) -> None:
    lengths = longest_rows(short_sighted)
    too_long = {sample_id for sample_id, length in lengths.items() if length > 32}
    assert 0 < len(too_long) < len(lengths) == 40
    code, out, error = evaluates(short_sighted, "--limit", "40")
    ended: Any = json.loads(out.splitlines()[-1])
    assert code == EXIT_INCOMPLETE
    assert f"{len(too_long)} of 40 samples are unscored (context_too_long: {len(too_long)})" in error.splitlines()[-1]
    assert ended["counts"]["unscored_by_cause"] == {"context_too_long": len(too_long)}
    assert {entry["n"] for entry in ended["results"]} == {40 - len(too_long)}
    for record in read_samples(Path(ended["path"])):
        if record.sample.id in too_long:
            assert isinstance(record.outcome, Unscored)
            assert record.outcome.detail.endswith("tokens; the model takes 32")
        else:
            assert isinstance(record.outcome, Scored)
