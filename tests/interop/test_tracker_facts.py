"""What trackers are told, and what is refused before one is asked; the trackers themselves: test_trackers.py."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec
import pytest
from commands import run_here
from exchanged_runs import MINI, faulty_model, judge_of, run_of
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.errors import EXIT_USAGE, UnknownName, UsageError
from evalsuite.interop import tracker_mlflow, tracker_trackio, tracker_wandb
from evalsuite.interop.sealed_runs import SealedRun, read_sealed
from evalsuite.interop.tracker_facts import PARTS, facts_of, files_of, key_of, parts_of
from evalsuite.interop.trackers import TRACKERS, log_run, without_secrets
from evalsuite.proofs.manifest import counted_files, manifest_of_run
from evalsuite.records import RunResult

PLAIN = tracker_mlflow.PLAIN
PLAINS = (tracker_wandb.PLAIN, tracker_mlflow.PLAIN, tracker_trackio.PLAIN)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("tracked"), "--tasks", ",".join(MINI), "--limit", "20")


def held(result: RunResult) -> dict[tuple[str, ...], float]:
    """Every number of the estimates and means that a result holds, by its way there."""
    names = [
        *(((one.task, one.metric), one) for one in result.estimates),
        *(((one.family, one.kind, one.metric), one) for one in result.aggregates),
    ]
    return {
        (*name, part): getattr(one, part) for name, one in names for part in PARTS if getattr(one, part) is not None
    }


@pytest.mark.parametrize("plain", PLAINS)
def test_every_estimate_and_mean_is_told_and_can_be_found_again(run: Path, plain: str) -> None:
    sealed = read_sealed(run)
    numbers = facts_of(sealed, plain).numbers
    told = {parts_of(key): number for key, number in numbers.items()}
    assert len(told) == len(numbers)
    expected = held(sealed.result)
    assert {parts: number for parts, number in told.items() if parts[0] != "samples"} == expected
    assert {parts[-1] for parts in expected} == set(PARTS)
    assert ("mini_choice", "macro", "acc_norm_char", "value") in expected
    assert ("mini_translation_en-zh", "chrf++", "low") in expected
    assert all(re.fullmatch(rf"[{plain}/]+", key) for key in numbers)
    counts = sealed.result.counts
    assert told["samples", "requested"] == told["samples", "scored"] == counts.requested > 0
    assert told["samples", "unscored"] == told["samples", "cancelled"] == told["samples", "not_run"] == 0


def test_settings_say_what_was_run(run: Path) -> None:
    sealed = read_sealed(run)
    facts = facts_of(sealed, PLAIN)
    settings = facts.settings
    spec = sealed.result.spec
    expected = {
        "run_id": sealed.result.run_id, "status": "complete", "model": "org/plausible_model", "engine": "scripted",
        "tasks": ", ".join(spec.asked), "seed": spec.seed, "limit": 20, "limit_mode": spec.limit_mode,
        "manifest_hash": manifest_of_run(run).hash, "family/mini_choice/protocol": "mini-v1",
        "family/mini_choice/num_fewshot": 0, "family/mini_choice/chat": False, "family/mini_choice/num_samples": 20,
        "identity/function": "exchanged_runs:plausible_model",
    }  # fmt: skip
    assert {key: settings[key] for key in expected} == expected
    assert {f"identity/{key}" for key in spec.model.identity} <= set(settings)
    assert "" not in settings.values()
    assert facts.name == f"org/plausible_model {sealed.result.run_id}"
    assert facts_of(sealed, PLAIN, name="org/other").settings["model"] == "org/other"
    assert sealed.began is not None
    assert facts.began == sealed.began.timestamp()
    assert settings["evaluated_at"] == sealed.began.isoformat()


def test_templates_and_long_texts_are_told(run: Path) -> None:
    sealed = read_sealed(run)
    long = "Answer in one word. " * 200
    spec = msgspec.structs.replace(
        sealed.result.spec,
        system_instruction=long,
        multiturn_shots=True,
        generation={"temperature": 0.5},
        model=msgspec.structs.replace(sealed.result.spec.model, identity={"template_sha256": "ab", "half": "\ud800"}),
    )
    settings = facts_of(with_result(sealed, spec=spec), PLAIN).settings
    assert (settings["multiturn_shots"], settings["generation/temperature"]) == (True, 0.5)
    assert (settings["identity/template_sha256"], settings["identity/half"]) == ("ab", "?")
    assert re.fullmatch("sha256:[0-9a-f]{64}", str(settings["system_instruction"]))


def with_result(sealed: SealedRun, **fields: object) -> SealedRun:
    return SealedRun(sealed.path, msgspec.structs.replace(sealed.result, **fields), sealed.records, sealed.began)


def test_what_is_unscored_is_counted_and_never_nought(tmp_path: Path) -> None:
    sealed = read_sealed(run_of(tmp_path, "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__))
    numbers = facts_of(sealed, PLAIN).numbers
    unscored = sealed.result.counts.unscored
    assert numbers["samples/unscored_by_cause/content_filter"] == numbers["samples/unscored"] == unscored > 0
    assert numbers["mini_choice_en/acc/num_unscored"] == unscored
    assert facts_of(sealed, PLAIN).settings["status"] == "incomplete"


def test_what_cannot_be_known_is_left_out(tmp_path: Path) -> None:
    sealed = read_sealed(run_of(tmp_path, "--tasks", "mini_choice_en,mini_translation_en-zh", "--limit", "1"))
    assert any(one.low is None for one in sealed.result.estimates)
    told = facts_of(sealed, PLAIN).numbers
    assert {parts_of(key) for key in told if not key.startswith("samples/")} == set(held(sealed.result))
    assert all(isinstance(number, int | float) and number == number for number in told.values())


def test_a_judge_run_is_about_the_model_judged(tmp_path: Path) -> None:
    run = run_of(tmp_path, "--tasks", "mini_chat_en", "--limit", "4")
    settings = facts_of(read_sealed(judge_of(run, "kind_judge")), PLAIN).settings
    assert (settings["model"], settings["judging_model"]) == ("org/plausible_model", "lab/kind_judge")
    assert (settings["judge"], settings["judged_runs"]) == ("rating", read_sealed(run).result.run_id)


def test_files_are_those_that_are_sealed(run: Path) -> None:
    assert facts_of(read_sealed(run), PLAIN).files == ()
    facts = facts_of(read_sealed(run), PLAIN, has_files=True)
    assert [path for path, _ in files_of(facts)] == [path.resolve() for path in counted_files(run)]
    assert {"results.json", "samples.parquet", "spec.json"} < set(facts.files)
    assert "telemetry.jsonl" not in facts.files


# -- names


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4), st.sampled_from(PLAINS))
def test_names_are_legal_and_can_be_read_back(parts: list[str], plain: str) -> None:
    key = key_of(parts, plain)
    assert parts_of(key) == tuple(parts)
    assert re.fullmatch(rf"[{plain}/]+", key)
    assert not re.search(r"(^|/)[0-9]", key)


@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=4))
def test_names_are_what_mlflow_takes(parts: list[str]) -> None:
    validation = pytest.importorskip("mlflow.utils.validation")
    validation._validate_metric_name(key_of(parts, PLAIN))
    validation._validate_param_name(key_of(parts, PLAIN))


@pytest.mark.parametrize(("part", "key"), [
    ("acc_norm", "acc_norm"), ("chrf++", "chrf__2b__2b"), ("a_+", "a___2b"), ("a__2b", "a__5f_2b"), ("3cb", "__33cb"),
    ("a/b", "a__2fb"), ("é", "__c3__a9"), (".", "__2e"),
])  # fmt: skip
def test_how_names_are_spelt(part: str, key: str) -> None:
    assert key_of([part], PLAIN) == key
    assert parts_of(key) == (part,)
    assert (key_of(["en-zh"], PLAIN), key_of(["en-zh"], tracker_wandb.PLAIN)) == ("en-zh", "en__2dzh")


def test_two_entries_of_one_name_are_refused(run: Path) -> None:
    sealed = read_sealed(run)
    twice = (*sealed.result.aggregates, sealed.result.aggregates[0])
    with pytest.raises(UsageError, match="two entries that a tracker would both call 'mini_choice/macro/"):
        facts_of(with_result(sealed, aggregates=twice), PLAIN)


# -- refused before a tracker is asked


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    ran = run_here(capsys, "export", *arguments)
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    (line,) = ran.err.splitlines()
    return line


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_tracker_that_is_not_installed_is_named(
    tracker: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a folder of its name lies in the way, as the one that wandb makes where it is run."""
    monkeypatch.setitem(sys.modules, tracker, None)
    (tmp_path / tracker).mkdir()
    monkeypatch.chdir(tmp_path)
    line = refused(capsys, run, "--to", tracker, "--output", tmp_path / "out")
    assert line == f"evalsuite: {tracker} is not installed; `pip install 'evalsuite[{tracker}]'` brings it."
    assert not (tmp_path / "out").exists()


def test_options_of_others_are_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flag, value in (("--project", "x"), ("--files", None), ("--uri", "http://localhost")):
        given = (flag, value) if value else (flag,)
        assert f"{flag} is for --to " in refused(capsys, run, "--to", "dvc", "-o", tmp_path, *given)
    assert "--uri is for --to wandb and mlflow" in refused(capsys, run, "--to", "trackio", "--uri", "http://localhost")
    assert "--url is for --to hub and eee" in refused(capsys, run, "--to", "wandb", "--url", "https://example.org")
    assert "--to dvc needs --output" in refused(capsys, run, "--to", "dvc")
    with pytest.raises(UnknownName, match="tracker 'wandbb' is not installed; did you mean 'wandb'"):
        log_run(run, "wandbb")


def test_places_that_mlflow_cannot_have(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mlflow")
    call = (run, "--to", "mlflow")
    said = refused(capsys, *call, "--uri", "mongodb://me:secret@host/x")
    assert said.endswith("--uri mongodb://host/x: MLflow takes a URI that begins with one of: sqlite:, postgresql:, "
                         "mysql:, mssql:, file:, http:, https:, databricks:.")  # fmt: skip
    assert "both name a place" in refused(capsys, *call, "--uri", "sqlite:///x.db", "-o", tmp_path / "out")
    assert "--project is empty" in refused(capsys, *call, "--project", " ")
    assert not (tmp_path / "out").exists()


def test_places_that_wandb_cannot_have(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("wandb")
    call = (run, "--to", "wandb")
    assert "Weights & Biases takes a URI that begins with one of: http:, https:." in refused(
        capsys, *call, "--uri", "x"
    )
    said = refused(capsys, *call, "--project", "a:b", "-o", tmp_path / "out")
    assert "Weights & Biases: Invalid project name 'a:b'" in said


def test_places_that_trackio_cannot_have(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("trackio")
    with pytest.raises(UsageError, match="Trackio has a local store only"):
        log_run(run, "trackio", uri="https://example.org")
    said = refused(capsys, run, "--to", "trackio", "--project", "registry-x", "-o", tmp_path / "out")
    assert "--project registry-x: Project name 'registry-x' is not allowed" in said
    monkeypatch.setenv("TRACKIO_SPACE_ID", "me/space")
    said = refused(capsys, run, "--to", "trackio")
    assert "TRACKIO_SPACE_ID is set, but runs are written to Trackio's local store only; give --output DIR." in said


def test_secrets_of_an_address_are_not_told() -> None:
    assert without_secrets("postgresql+psycopg://me:secret@host:5/db?password=x#/runs/1") == (
        "postgresql+psycopg://host:5/db#/runs/1"
    )
    assert without_secrets("https://me:secret@host/x@y") == "https://host/x@y"
    assert without_secrets("sqlite:////folder/a@b.db#/runs/1") == "sqlite:////folder/a@b.db#/runs/1"
