"""``evalsuite verify`` and ``evalsuite leaderboard``: what they print, end with, write and refuse."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from commands import Ran, run_here
from proven_runs import copied, prepared, run

from evalsuite.proofs.ledger import read_ledger
from evalsuite.proofs.manifest import MANIFEST, manifest_of_run, stored_manifest
from evalsuite.store.results import RESULTS, read_results, read_samples, write_results
from evalsuite.store.run_directory import directory_name


@dataclass(frozen=True)
class Place:
    """A folder with two runs, and commands on it."""

    folder: Path
    first: Path
    second: Path
    capsys: pytest.CaptureFixture[str]

    def ran(self, *arguments: object) -> Ran:
        return run_here(self.capsys, *arguments)

    def leaderboard(self, action: str, *arguments: object) -> Ran:
        return self.ran("leaderboard", action, self.folder / "ledger.jsonl", *arguments)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two sealed runs of a function."""
    made = []
    for task in ("mini_choice_en", "mini_math_fr"):
        what = prepared(tasks=(task,), limit=6.0, model_args={})
        made.append(tmp_path_factory.mktemp("runs") / directory_name(what.spec))
        run(made[-1], what)
    return made[0], made[1]


@pytest.fixture
def place(tmp_path: Path, originals: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> Place:
    first, second = (copied(path, tmp_path / "runs" / path.name) for path in originals)
    return Place(tmp_path, first, second, capsys)


def change(path: Path, value: float = 0.123) -> None:
    """Another value of the first estimate."""
    result = json.loads((path / RESULTS).read_bytes())
    result["estimates"][0]["value"] = value
    (path / RESULTS).write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="ascii")


# -- verify


def test_equal_runs_end_with_0_and_one_line_each(place: Place) -> None:
    done = place.ran("verify", place.folder / "runs", "--json")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert len(lines) == 3
    assert all(": re-scored, 6 samples, " in line and line.endswith("numbers: all equal") for line in lines[:2])
    assert done.json["equal"] is True
    assert [entry["level"] for entry in done.json["runs"]] == ["re-scored", "re-scored"]
    assert {entry["path"] for entry in done.json["runs"]} == {str(place.first), str(place.second)}
    assert not (place.first / MANIFEST).exists()


def test_a_difference_ends_with_3_and_names_file_task_field_and_both_values(place: Place) -> None:
    change(place.first)
    done = place.ran("verify", place.first, place.second, "--json")
    assert done.code == 3
    assert "results.json, mini_choice_en, estimates.acc_norm_char.value: stored 0.123, should be " in done.out
    assert done.json["equal"] is False
    assert [entry["equal"] for entry in done.json["runs"]] == [False, True]
    finding = done.json["runs"][0]["findings"][0]
    assert set(finding) == {"file", "task", "sample", "field", "stored", "recomputed"}


def test_many_differences_are_counted(place: Place) -> None:
    samples = sorted((place.first / "journal").iterdir())[0]
    samples.unlink()
    done = place.ran("verify", place.first)
    assert done.code == 3
    assert "more; --json has all" in done.out


def test_a_level_that_is_not_reached_ends_with_3(place: Place) -> None:
    assert place.ran("verify", place.first, "--level", "re-scored").code == 0
    result = read_results(place.first)
    (task,) = result.spec.tasks
    spec = msgspec.structs.replace(result.spec, tasks=(msgspec.structs.replace(task, version=9),))
    write_results(place.first, msgspec.structs.replace(result, spec=spec, run_id=spec.run_id))
    done = place.ran("verify", place.first, "--level", "re-scored")
    assert done.code == 3
    assert "mini_choice_en: not scored again: it is another task here: version 1, in the run 9" in done.out


def test_a_manifest_is_written_when_asked_and_only_for_what_is_equal(place: Place) -> None:
    change(place.second)
    done = place.ran("verify", place.first, place.second, "--write_manifest")
    assert done.code == 3
    manifest = stored_manifest(place.first)
    assert manifest is not None
    assert f"{place.first / MANIFEST} written: sha256 {manifest.hash}" in done.out
    assert not (place.second / MANIFEST).exists()
    assert place.ran("verify", place.first).code == 0
    change(place.first)
    assert f"  {MANIFEST}, results_sha256: stored " in place.ran("verify", place.first).out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("verify", "nowhere"), 2, "nowhere: there is no such file or folder"),
        (("verify", "runs", "--prove", "x"), 2, "--prove: a proof is of one run, not of 2; name one."),
        (("verify", "FIRST", "--prove", "mini_choice_en:test:77"), 2, "Ids are <task>:<split>:<row>"),
        (("verify", "FIRST", "--judge_prompt", "nowhere"), 2, "--judge_prompt nowhere cannot be read"),
        (("verify", "FIRST", "--level", "proven"), 2, "--level"),
        (("verify", "FIRST", "--data_dir", "nowhere"), 2, "data directory nowhere does not exist"),
        (("leaderboard", "add", "l", "runs", "--rerun", "FIRST"), 2, "--rerun is of one run, not of 2"),
        (("leaderboard", "add", "l", "FIRST", "--by", "me"), 2, "--by says who ran --rerun"),
        (("leaderboard", "add", "l", "FIRST", "--cards", "nowhere"), 2, "nowhere cannot be read"),
        (("leaderboard", "show", "l"), 2, "l cannot be read"),
        (("leaderboard", "verify", "l"), 2, "l cannot be read"),
        (("leaderboard", "diff", "l", "m"), 2, "l cannot be read"),
        (("leaderboard",), 2, "ACTION"),
    ],
)
def test_bad_input_is_one_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(place.folder)
    done = place.ran(*(str(place.first) if argument == "FIRST" else argument for argument in arguments))
    assert done.code == code
    assert said in done.err
    assert not (place.folder / "l").exists()


# -- leaderboard


def test_a_row_is_added_shown_and_verified(place: Place) -> None:
    done = place.leaderboard("add", place.first, place.second, "--json")
    assert done.code == 0, done.err
    assert done.json["num_entries"] == 2
    ledger = read_ledger(place.folder / "ledger.jsonl")
    assert done.json["head"] == ledger.head
    entry = ledger.entries[0]
    manifest = stored_manifest(place.first)
    assert manifest == manifest_of_run(place.first)
    assert (entry.manifest_sha256, entry.samples_root) == (manifest.hash, manifest.samples_root)
    assert [(one.name, one.n) for one in entry.headlines] == [("mini_choice_en", 6)]
    assert entry.trust is not None
    assert (entry.trust.level, entry.trust.reasons) == ("re-scored", ("no second run was given",))
    assert {flag.kind for flag in entry.red_flags} == {"no_model", "partial"}
    shown = place.leaderboard("show", "--json")
    assert "mini_choice_en acc_norm_char" in shown.out
    assert [row["row"] for row in shown.json["rows"]] == [one.row for one in ledger.entries]
    assert place.leaderboard("verify", place.first, place.second, "--head", ledger.head).code == 0
    again = place.leaderboard("add", place.first)
    assert again.code == 0
    assert "stands there already" in again.out
    assert read_ledger(place.folder / "ledger.jsonl").head == ledger.head


def test_what_is_not_what_it_says_is_not_added(place: Place) -> None:
    change(place.second)
    done = place.leaderboard("add", place.first, place.second)
    assert done.code == 3
    assert f"{place.second} is not what it says; nothing is added." in done.err
    assert not (place.folder / "ledger.jsonl").exists()


def test_a_correction_a_withdrawal_and_their_reasons(place: Place) -> None:
    place.leaderboard("add", place.first, place.second)
    old = place.folder / "old.jsonl"
    old.write_bytes((place.folder / "ledger.jsonl").read_bytes())
    again = place.folder / "elsewhere" / "all"
    run(again, prepared(tasks=("mini_choice_en",), model_args={}))
    refused = place.leaderboard("add", place.first, "--rerun", again, "--by", "Noor")
    assert refused.code == 2
    assert "a correction needs --reason" in refused.err
    done = place.leaderboard("add", place.first, "--rerun", again, "--by", "Noor", "--reason", "run again by Noor")
    assert done.code == 0, done.err
    row = read_ledger(old).entries[1].row
    assert place.leaderboard("withdraw", row, "--reason", "its prompt was wrong").code == 0
    done = place.ran("leaderboard", "diff", old, place.folder / "ledger.jsonl", "--json")
    assert done.code == 0
    assert "  reason: run again by Noor\n  trust: re-scored, now re-run\n" in done.out
    assert f"went: row {row}" in done.out
    assert [(one["kind"], one["trust_after"]) for one in done.json["changes"]] == [("changed", "re-run"), ("went", "")]
    assert place.ran("leaderboard", "diff", place.folder / "ledger.jsonl", old).code == 3
    assert "nothing came, went or changed." in place.ran("leaderboard", "diff", old, old).out
    gone = place.leaderboard("verify", place.second)
    assert gone.code == 3
    assert f"run {row} has no row" in gone.out


def test_a_copy_as_a_second_run_says_why_it_is_none(place: Place) -> None:
    copy = copied(place.first, place.folder / "elsewhere" / place.first.name)
    assert place.leaderboard("add", place.first, "--rerun", copy, "--by", "me").code == 0
    trust = read_ledger(place.folder / "ledger.jsonl").entries[0].trust
    assert trust is not None
    assert trust.level == "re-scored"
    assert "a copy: both have the manifest" in trust.reasons[-1]
    change(copy)
    done = place.leaderboard("add", place.first, "--rerun", copy, "--reason", "x")
    assert (done.code, f"{copy} is not what it says" in done.err) == (3, True)


def test_changed_runs_heads_and_torn_lines_are_told(place: Place) -> None:
    place.leaderboard("add", place.first, place.second)
    ledger = place.folder / "ledger.jsonl"
    (place.first / MANIFEST).unlink()
    change(place.first)
    done = place.leaderboard("verify", place.first)
    assert done.code == 3
    assert "its files are not those of row" in done.out
    wrong = place.leaderboard("verify", "--head", "0" * 64)
    assert (wrong.code, "it was rewritten" in wrong.err) == (3, True)
    content = ledger.read_bytes()
    ledger.write_bytes(content[:-9])
    torn = place.leaderboard("verify")
    assert (torn.code, "--repair` sets it aside" in torn.err) == (3, True)
    assert place.leaderboard("show").code == 3
    done = place.leaderboard("verify", "--repair", "--json")
    assert (done.code, done.json["num_entries"]) == (0, 1)
    assert (place.folder / "ledger.jsonl.torn").exists()
    assert place.leaderboard("add", place.second).code == 0
    assert ledger.read_bytes() == content


def test_one_sample_is_proven_by_the_ledger_alone(place: Place) -> None:
    place.leaderboard("add", place.first, place.second)
    proof = place.folder / "proof.json"
    sample = [record.sample.id for record in read_samples(place.first)][3]
    done = place.ran("verify", place.first, "--prove", sample)
    proof.write_text(done.out, encoding="utf-8")
    found = place.leaderboard("verify", "--proof", proof, "--json")
    assert found.code == 0, found.err
    assert f"{sample} is one of the samples of row {found.json['proven']}" in found.out
    proof.write_text(done.out.replace('\\"category\\":\\"', '\\"category\\":\\"x'), encoding="utf-8")
    forged = place.leaderboard("verify", "--proof", proof)
    assert (forged.code, "is not shown to belong to any row" in forged.err) == (3, True)
