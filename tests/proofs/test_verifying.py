"""`verify` passes on what a run wrote, killed or not, and finds any one digit, sample or hash that was changed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import command_line
from proven_runs import copied, run, stopped_and_resumed, verified

from evalsuite.cli.main import main
from evalsuite.errors import RunLocked, SpecMismatch
from evalsuite.proofs.manifest import MANIFEST, manifest_of_run, write_manifest
from evalsuite.store.results import RESULTS, SAMPLES, read_samples, write_samples
from evalsuite.store.run_directory import SPEC, locked

NUM_CHANGES = 200
_DIGIT = re.compile(rb"[0-9]")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed run that was stopped twice, some of its samples without a score."""
    return stopped_and_resumed(tmp_path_factory.mktemp("runs") / "run")


# -- what is whole


def test_a_run_as_it_was_written_is_equal(finished: Path, tmp_path: Path) -> None:
    found = verified(finished)
    assert found.findings == ()
    assert (found.level, found.status, found.num_epochs) == ("re-scored", "incomplete", 3)
    assert found.num_samples == sum(task.num_samples for task in found.tasks) > 30
    assert found.num_answers > found.num_samples
    assert found.num_numbers > 400
    assert {task.why for task in found.tasks} == {()}
    run(tmp_path / "straight")
    straight = verified(tmp_path / "straight")
    assert straight.is_equal
    assert straight.samples_root == found.samples_root


def test_it_is_equal_after_kills_and_a_torn_tail(tmp_path: Path) -> None:
    """A real process, killed in the middle of its work and resumed by the same command."""
    slowly = ("--model", "scripted", "--model_args", "delay_s=0.02")
    arguments = ["run", *slowly, "--tasks", "mini_choice", "--limit", "40", "--output_path", str(tmp_path)]
    process = subprocess.Popen(command_line(*arguments), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any(file.stat().st_size > 2_000 for file in tmp_path.glob("*/journal/0001.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (path,) = tmp_path.iterdir()
    torn = path / "journal" / "0001.jsonl"
    with pytest.raises(SpecMismatch, match="no sealed results"):
        verified(path)
    torn.write_bytes(torn.read_bytes()[:-7])  # as though the last write had not come to its end
    assert main(arguments) == 0
    found = verified(path)
    assert found.is_equal
    assert found.num_epochs == 2
    assert [note for note in found.notes if "a torn tail" in note] == list(found.notes)


def test_a_run_in_work_is_not_verified(finished: Path, tmp_path: Path) -> None:
    path = copied(finished, tmp_path / "run")
    with locked(path), pytest.raises(RunLocked, match="a process works on it"):
        verified(path)


# -- what was changed


def other_digit(content: bytes, place: int, chance: random.Random) -> bytes:
    digit = chance.choice([digit for digit in b"0123456789" if digit != content[place]])
    return content[:place] + bytes([digit]) + content[place + 1 :]


def change_digit(content: bytes, chance: random.Random, spared: Callable[[bytes, int], bool]) -> bytes:
    """`content` with one digit changed that is not to be spared."""
    places = [match.start() for match in _DIGIT.finditer(content) if not spared(content, match.start())]
    return other_digit(content, chance.choice(places), chance)


def nowhere(content: bytes, place: int) -> bool:
    return False


def change_results(path: Path, chance: random.Random) -> str:
    file = path / RESULTS
    file.write_bytes(change_digit(file.read_bytes(), chance, nowhere))
    return RESULTS


def change_spec(path: Path, chance: random.Random) -> str:
    file = path / SPEC
    file.write_bytes(change_digit(file.read_bytes(), chance, nowhere))
    return SPEC


def change_sample(path: Path, chance: random.Random) -> str:
    """One record, or one column beside it, with one letter or digit changed."""
    table = pq.read_table(path / SAMPLES)
    rows = table.to_pylist()
    row = chance.choice(rows)
    column = chance.choice([name for name in row if name == "record" or row[name]] + ["record"] * 10)
    places = [match.start() for match in re.finditer(r"[0-9a-zA-Z]", row[column])]
    place = chance.choice(places)
    letter = chance.choice([each for each in "0123456789abcXYZ" if each != row[column][place]])
    row[column] = row[column][:place] + letter + row[column][place + 1 :]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path / SAMPLES)
    return SAMPLES


def change_order(path: Path, chance: random.Random) -> str:
    table = pq.read_table(path / SAMPLES)
    rows = table.to_pylist()
    index = chance.randrange(len(rows) - 1)
    rows[index], rows[index + 1] = rows[index + 1], rows[index]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path / SAMPLES)
    return SAMPLES


def lose_sample(path: Path, chance: random.Random) -> str:
    table = pq.read_table(path / SAMPLES)
    rows = table.to_pylist()
    del rows[chance.randrange(len(rows))]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path / SAMPLES)
    return SAMPLES


def change_raw_frame(folder: str) -> Callable[[Path, random.Random], str]:
    def change(path: Path, chance: random.Random) -> str:
        file = chance.choice(sorted((path / folder).iterdir()))
        file.write_bytes(change_digit(file.read_bytes(), chance, nowhere))
        return folder

    return change


def change_framed(folder: str) -> Callable[[Path, random.Random], str]:
    """A digit of a frame's body, its checksum made to fit: no accident, but a forgery."""

    def change(path: Path, chance: random.Random) -> str:
        file = chance.choice(sorted((path / folder).iterdir()))
        lines = file.read_bytes().splitlines(keepends=True)
        number = chance.randrange(len(lines))
        body = change_digit(lines[number][9:-1], chance, is_escaped)
        lines[number] = b"%08x %s\n" % (zlib.crc32(body), body)
        file.write_bytes(b"".join(lines))
        return folder

    return change


def is_escaped(content: bytes, place: int) -> bool:
    """Whether the place lies in an escape, where another digit may not be JSON any more."""
    return b"\\u" in content[max(0, place - 5) : place]


def lose_frame(path: Path, chance: random.Random) -> str:
    file = chance.choice(sorted((path / "journal").iterdir()))
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: chance.randrange(1, len(lines))]))
    return "journal"


def lose_file(path: Path, chance: random.Random) -> str:
    file = chance.choice([*(path / "journal").iterdir(), *(path / "plan").iterdir()])
    file.unlink()
    return file.parent.name


CHANGES: tuple[tuple[int, Callable[[Path, random.Random], str]], ...] = (
    (60, change_results),
    (50, change_sample),
    (5, change_order),
    (5, lose_sample),
    (20, change_spec),
    (15, change_raw_frame("plan")),
    (10, change_framed("plan")),
    (15, change_raw_frame("journal")),
    (15, change_framed("journal")),
    (3, lose_frame),
    (2, lose_file),
)


def all_changes() -> Iterator[Callable[[Path, random.Random], str]]:
    for number, change in CHANGES:
        yield from [change] * number


@pytest.mark.parametrize("seed", range(NUM_CHANGES))
def test_every_change_is_found_without_a_manifest(finished: Path, tmp_path: Path, seed: int) -> None:
    """By what the files say of one another, and by computing all of it again."""
    change = list(all_changes())[seed]
    path = copied(finished, tmp_path / "run")
    changed = change(path, random.Random(seed))
    found = verified(path)
    assert found.findings, (change.__name__, changed)
    places = {finding.file.partition("/")[0] for finding in found.findings}
    # where an answer differs between journal and samples, the finding names the samples
    assert changed in places or (changed == "journal" and SAMPLES in places), (changed, places)


@pytest.mark.parametrize("seed", range(40))
def test_a_manifest_covers_every_digit_of_every_file(finished: Path, tmp_path: Path, seed: int) -> None:
    path = copied(finished, tmp_path / "run")
    write_manifest(path, manifest_of_run(path))
    assert verified(path).is_equal
    chance = random.Random(seed)
    file = chance.choice([path / RESULTS, path / SPEC, path / MANIFEST, path / MANIFEST, *(path / "journal").iterdir()])
    file.write_bytes(change_digit(file.read_bytes(), chance, nowhere))
    found = verified(path)
    assert MANIFEST in {finding.file for finding in found.findings}


def test_a_changed_version_of_a_package_is_found_by_what_the_samples_note(finished: Path, tmp_path: Path) -> None:
    path = copied(finished, tmp_path / "run")
    whole = json.loads((path / RESULTS).read_bytes())
    for name, version in whole["packages"].items():
        rewrite(path, {**whole, "packages": {**whole["packages"], name: version[:-1] + "7x"}})
        (finding,) = verified(path).findings
        assert (finding.file, finding.field) == (RESULTS, f"packages.{name}")


def test_other_versions_of_packages_are_told_and_excuse_last_bits_alone(finished: Path, tmp_path: Path) -> None:
    path = copied(finished, tmp_path / "run")
    result = json.loads((path / RESULTS).read_bytes())
    assert verified(path).notes == ()
    result["packages"]["numpy"] = "0.1"
    write_samples(path, list(read_samples(path)), result["packages"])  # as though all had been sealed there
    result["estimates"][0]["stderr"] *= 1 + 1e-13
    result["tasks"][0]["licence"] = "another"
    rewrite(path, result)
    found = verified(path)
    assert found.is_equal
    assert len(found.notes) == 2
    assert "numpy" in found.notes[0]
    assert found.notes[1].startswith("2 fields differ in their last bits or in words")
    result["estimates"][0]["stderr"] *= 1 + 1e-6
    rewrite(path, result)
    (finding,) = verified(path).findings
    assert finding.field == f"estimates.{result['estimates'][0]['metric']}.stderr"


def rewrite(path: Path, result: object) -> None:
    text = json.dumps(result, indent=1, sort_keys=True)
    (path / RESULTS).write_text(text + "\n", encoding="ascii")


def test_results_of_before_a_field_had_a_name_are_equal(finished: Path, tmp_path: Path) -> None:
    path = copied(finished, tmp_path / "run")
    result = json.loads((path / RESULTS).read_bytes())
    for task in result["tasks"]:
        del task["show_in_report"]
    rewrite(path, result)
    assert verified(path).is_equal


def test_a_forged_answer_with_its_score_is_found_by_its_task(finished: Path, tmp_path: Path) -> None:
    """Samples, counts and numbers all made to fit one another: only scoring again tells."""
    path = copied(finished, tmp_path / "run")
    table = pq.read_table(path / SAMPLES)
    rows = table.to_pylist()
    row = next(row for row in rows if row["task"] == "mini_math_en" and row["status"] == "scored")
    record = json.loads(row["record"])
    score = next(score for score in record["outcome"]["scores"] if score["name"] == "exact_match")
    score["counts"][0] = 1.0 - score["counts"][0]
    row["record"] = json.dumps(record, sort_keys=True, separators=(",", ":"))
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path / SAMPLES)
    found = verified(path)
    by_field = {finding.field: finding for finding in found.findings if finding.sample == row["sample_id"]}
    (told,) = by_field.values()
    assert re.fullmatch(r"outcome\.scores\[\d+\]\.counts\[0\]", told.field)
    assert (told.file, told.task) == (SAMPLES, "mini_math_en")
    assert {float(told.stored), float(told.recomputed)} == {0.0, 1.0}
