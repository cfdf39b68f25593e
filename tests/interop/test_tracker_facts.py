"""What trackers are told, and what is refused before one is asked; the trackers themselves: test_trackers.py."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest
from commands import run_apart, run_here
from exchanged_runs import MINI, changed, copied, faulty_model, judge_of, run_of

from evalsuite.boards.loading import headlines
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_USAGE, UnknownName, UsageError
from evalsuite.interop.sealed_runs import SealedRun, read_sealed
from evalsuite.records import Estimate
from evalsuite.trackers.facts import facts_of, key_of
from evalsuite.trackers.log_run import TRACKERS, log_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("tracked"), "--tasks", ",".join(MINI), "--limit", "20")


def refused(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = EXIT_USAGE) -> str:
    ran = run_here(capsys, "export", *arguments)
    assert (ran.code, ran.out) == (code, "")
    (line,) = ran.err.splitlines()
    return line


def test_every_headline_is_told_with_what_it_is_worth(run: Path) -> None:
    sealed = read_sealed(run)
    facts = facts_of(sealed)
    for one in headlines(sealed.result):
        name = f"{one.task if isinstance(one, Estimate) else one.family}/{one.metric}"
        assert facts.numbers[name] == one.value
        for part in ("low", "high", "stderr"):
            assert facts.numbers.get(f"{name}_{part}") == getattr(one, part)
        assert (facts.numbers[f"{name}_n"], facts.numbers[f"{name}_unscored"]) == (one.n, 0)
    assert {"mini_choice/acc_norm_char", "mini_translation/chrf"} <= set(facts.numbers)
    assert facts.name == f"org/plausible_model {sealed.result.run_id}"
    assert facts.settings["mini_choice/protocol"] == "mini-v1"
    assert facts.settings["mini_choice/num_fewshot"] == 0
    assert facts.settings["seed"] == 1234
    assert facts.settings["limit"] == 20
    assert facts.settings["identity/function"] == "exchanged_runs:plausible_model"
    assert facts.files == (run / "results.json",)
    assert facts.began is not None


def test_unscored_samples_are_told_by_cause(tmp_path: Path) -> None:
    sealed = read_sealed(run_of(tmp_path, "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__))
    numbers = facts_of(sealed).numbers
    unscored = sealed.result.counts.unscored
    assert numbers["samples/unscored_content_filter"] == numbers["samples/unscored"] == unscored > 0
    assert numbers["mini_choice_en/acc_norm_char_unscored"] == unscored
    assert facts_of(sealed).settings["status"] == "incomplete"


def test_a_judge_run_is_about_the_model_judged(tmp_path: Path) -> None:
    judged = judge_of(run_of(tmp_path, "--tasks", "mini_chat_en", "--limit", "4"), "kind_judge")
    settings = facts_of(read_sealed(judged)).settings
    assert (settings["model"], settings["judging_model"]) == ("org/plausible_model", "lab/kind_judge")
    assert settings["judge"] == "rating"


def test_names_are_what_all_trackers_take(run: Path) -> None:
    assert key_of("mini_translation_en-fr/chrf++") == "mini_translation_en-fr/chrfpp"
    assert key_of("gsm8k@mine/acc,none") == "gsm8k_mine/acc_none"


def test_two_names_that_become_one_are_refused(run: Path) -> None:
    """No task of ours has such a name; a stranger's may."""
    sealed = read_sealed(run)
    names = ("a,b", "a;b")
    primary = [one for one in sealed.result.estimates if one.is_primary]
    estimates = tuple(msgspec.structs.replace(one, task=name) for one, name in zip(primary, names, strict=False))
    tasks = tuple(msgspec.structs.replace(sealed.result.spec.tasks[0], name=name) for name in names)
    spec = msgspec.structs.replace(sealed.result.spec, tasks=tasks)
    result = msgspec.structs.replace(sealed.result, estimates=estimates, aggregates=(), spec=spec)
    with pytest.raises(UsageError, match="'a;b/protocol' would be called 'a_b/protocol' in a tracker"):
        facts_of(SealedRun(sealed.path, result, sealed.records, None))


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_tracker_that_is_not_installed_is_named(tracker: str, run: Path, tmp_path: Path) -> None:
    """Also where a folder of its name lies in the way, as the one that wandb makes where it is run."""
    if find_spec(tracker) is not None:
        pytest.skip(f"{tracker} is installed")
    (tmp_path / tracker).mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    ran = run_apart("export", run, "--to", tracker, "--output", tmp_path / "out", cwd=tmp_path, env=environment)
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    assert ran.err == f"evalsuite: {tracker} is not installed; `pip install 'evalsuite[{tracker}]'` brings it.\n"
    assert not (tmp_path / "out").exists()


def test_settings_are_checked_before_a_run_is_read(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, run, "--to", "wandb", "--tracker_args", "entitty=x")
    assert "wandb has no setting 'entitty'; did you mean 'entity'? It takes: entity, group, job_type." in line
    line = refused(capsys, run, "--to", "mlflow", "--tracker_args", "tracking_uri")
    assert "--tracker_args tracking_uri: expected K=V,..., as group=nightly." in line
    assert "--project is for --to wandb and mlflow and trackio" in refused(
        capsys, run, "--to", "dvc", "--project", "x", "-o", tmp_path
    )
    assert "--url is for --to hub and eee" in refused(capsys, run, "--to", "wandb", "--url", "https://example.org")
    assert "--to dvc needs --output" in refused(capsys, run, "--to", "dvc")
    with pytest.raises(UnknownName, match="tracker 'wandbb' is not installed; did you mean 'wandb'"):
        log_run(run, "wandbb")


def test_a_page_must_be_there(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file; `evalsuite report` writes one"):
        facts_of(read_sealed(run), page=tmp_path / "none.html")


@pytest.mark.skipif(find_spec("mlflow") is None, reason="what is refused once a tracker is there")
def test_incomplete_and_changed_runs_stay(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    faulty = run_of(tmp_path / "faulty", "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__)
    assert "is incomplete" in refused(capsys, faulty, "--to", "mlflow", "--output", out)

    def better(result: dict[str, object]) -> None:
        result["estimates"][0]["value"] = 1.0  # type: ignore[index]

    wrong = changed(copied(run, tmp_path), better)
    assert "cannot be trusted" in refused(capsys, wrong, "--to", "mlflow", "--output", out, code=EXIT_INCOMPLETE)
    assert not out.exists()
