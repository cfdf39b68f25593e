"""``evalsuite sweep`` as a user types it: exit codes, forecasts that write nothing, mistakes in one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Run

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE

SWEEP = """\
name: toy
base: {model: scripted, limit: 2}
axes:
  tasks: [mini_choice_en, mini_math_en]
  num_fewshot: [0, 1]
"""


@pytest.fixture
def config(workplace: Path) -> Path:
    path = workplace / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


def test_run_and_status(command: Run, config: Path) -> None:
    assert command("sweep", "status", config).code == EXIT_USAGE
    done = command("sweep", "run", config, "--json")
    assert done.code == EXIT_OK
    assert done.json["path"] == "sweeps/toy"
    assert [cell["state"] for cell in done.json["cells"]] == ["sealed"] * 4
    assert "[4/4] mini_math_en,num_fewshot=1: sealed" in done.err
    for sweep in (config, "sweeps/toy"):
        found = command("sweep", "status", sweep, "--json")
        assert found.code == EXIT_OK
        assert "mini_choice_en,num_fewshot=0  sealed  2/2" in found.out
        assert found.json["cells"] == done.json["cells"]
    before = sorted(Path("sweeps/toy/logs").iterdir())[0].read_bytes()
    assert command("sweep", "run", config).code == EXIT_OK
    assert sorted(Path("sweeps/toy/logs").iterdir())[0].read_bytes() == before, "no worker was started"


def test_a_dry_run_says_what_runs_say_and_writes_nothing(
    command: Run, config: Path, files: Callable[[], dict[str, bytes]]
) -> None:
    before = files()
    found = command("sweep", "run", config, "--dry_run", "--price_in", 2, "--price_out", 10, "--json")
    assert found.code == EXIT_OK
    assert files() == before
    for cell in found.json["cells"]:
        task, _, shots = cell["cell"].partition(",num_fewshot=")
        alone = command("run", "--model", "scripted", "--limit", 2, "--tasks", task, "-f", shots, "--dry_run", "--json")
        (row,) = alone.json["tasks"]
        names = ("num_samples", "num_requests", "num_tokens_naive", "num_tokens_planned", "seconds", "num_bytes")
        assert {name: cell[name] for name in names} == {name: row[name] for name in names}
        assert cell["run_id"] == alone.json["run"]
        num_read = row["num_tokens_naive"] - row["num_tokens_generated"]
        expected = 2e-6 * max(0, num_read) + 1e-5 * row["num_tokens_generated"]
        assert cell["cost"] == pytest.approx(expected)
    assert found.json["total"]["cost"] == pytest.approx(sum(cell["cost"] for cell in found.json["cells"]))
    assert command("sweep", "run", config, "--dry_run", "--json").json["total"] == {"seconds": None, "cost": None}


def test_a_dry_run_takes_the_prices_of_a_model_behind_a_server(command: Run, config: Path) -> None:
    prices = "{model: m, base_url: 'http://127.0.0.1:9/v1', prompt_price: 3, completion_price: 7}"
    config.write_text(SWEEP.replace("model: scripted", f"model: openai, model_args: {prices}"), encoding="utf-8")
    own = command("sweep", "run", config, "--dry_run", "--json")
    given = command("sweep", "run", config, "--dry_run", "--json", "--price_in", 3, "--price_out", 7)
    assert own.code == given.code == EXIT_OK
    assert own.json == given.json
    assert own.json["total"]["cost"] > 0


def test_a_dry_run_tells_what_is_left(command: Run, config: Path) -> None:
    assert command("sweep", "run", config).code == EXIT_OK
    config.write_text(SWEEP.replace("[0, 1]", "[0, 1, 2]"), encoding="utf-8")
    found = command("sweep", "run", config, "--dry_run", "--json")
    assert [cell["is_sealed"] for cell in found.json["cells"]] == [True, True, False] * 2
    assert "left to do" in found.out


def test_a_changed_file_is_refused_and_extended(command: Run, config: Path) -> None:
    assert command("sweep", "run", config).code == EXIT_OK
    config.write_text(SWEEP.replace("[0, 1]", "[0, 2]"), encoding="utf-8")
    refused = command("sweep", "run", config)
    assert refused.code == EXIT_USAGE
    assert "new is mini_choice_en,num_fewshot=2, mini_math_en,num_fewshot=2" in refused.err
    extended = command("sweep", "run", config, "--extend", "--json")
    assert extended.code == EXIT_OK
    assert len(extended.json["cells"]) == 6
    assert extended.err.count(": sealed") == 2, "old cells are not run again"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nowhere.yaml"), "nowhere.yaml cannot be read"),
        (("run", "sweep.yaml", "--retry", "mini_math_en,num_fewshot=3"), "did you mean 'mini_math_en,num_fewshot=1'?"),
        (("run", "sweep.yaml", "--jobs", 0), "--jobs 0: expected 1 or more."),
        (("run", "sweep.yaml", "--retries", -1), "--retries -1: expected 0 or more."),
        (("run", "sweep.yaml", "--price_in", 3), "belong together"),
        (("run", "sweep.yaml", "--price_in", -3, "--price_out", 1), "expected 0 or more"),
        (("run", "sweep.yaml", "--dry_rum"), "did you mean '--dry_run'?"),
        (("status", "elsewhere"), "elsewhere cannot be read"),
        (("stats", "sweep.yaml"), "invalid choice: 'stats'"),
    ],
)
def test_mistakes_are_one_line(command: Run, config: Path, arguments: tuple[object, ...], said: str) -> None:
    ended = command("sweep", *arguments)
    assert ended.code == EXIT_USAGE
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_slurm_is_refused_where_there_is_none(
    command: Run, config: Path, monkeypatch: pytest.MonkeyPatch, files: Callable[[], dict[str, bytes]]
) -> None:
    before = files()
    monkeypatch.setenv("PATH", "")
    assert shutil.which("sbatch") is None
    ended = command("sweep", "run", config, "--executor", "slurm")
    assert ended.code == EXIT_USAGE
    assert "there is no sbatch here" in ended.err or "submitit is not installed" in ended.err
    assert files() == before


def test_models_that_cannot_be_loaded_cost_themselves(command: Run, config: Path, workplace: Path) -> None:
    """A server that is not there is found out by the first request: a stop that the same command goes on after."""
    args = "{model: m, base_url: 'http://127.0.0.1:9/v1', max_attempts: 1, give_up_after: 0.1}"
    config.write_text(
        "name: toy\nbase: {limit: 2, tasks: mini_math_en}\naxes:\n  answers:\n    - {name: here, model: scripted}\n"
        f"    - {{name: away, model: openai, model_args: {args}}}\n",
        encoding="utf-8",
    )
    ended = command("sweep", "run", config, "--json")
    assert ended.code == EXIT_INCOMPLETE
    assert [(cell["cell"], cell["state"]) for cell in ended.json["cells"]] == [("here", "sealed"), ("away", "failed")]
    assert "127.0.0.1:9" in ended.json["cells"][1]["cause"]
