"""A run directory holds one run, by one process at a time, and says so when it was changed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_run import flipped, no_file_longer_than, prepared, results, rewrite, run, stop_after

from evalsuite.errors import CorruptStore, EvalsuiteError, RunLocked, SaveFailed, SpecMismatch
from evalsuite.store.files import write_atomic
from evalsuite.store.frames import frame, read_frames
from evalsuite.store.repair import repair_journal
from evalsuite.store.results import read_results, read_samples
from evalsuite.store.run_directory import RunDirectory, locked, read_spec

SCHEMA = "this evalsuite reads schema 1. Read it with the version that wrote it"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A sealed run. Tests that change it put it back."""
    path = tmp_path_factory.mktemp("finished")
    what = prepared(tasks=("mini_chat_hi",), limit=1.0)
    run(path, what)
    return RunDirectory(path, what.spec)


@contextmanager
def changed(path: Path) -> Iterator[bytes]:
    """The file's content, which is there again after the block."""
    content = path.read_bytes()
    try:
        yield content
    finally:
        path.write_bytes(content)


# -- the spec


def test_no_flipped_bit_of_the_spec_is_silent(finished: RunDirectory) -> None:
    spec_path = finished.path / "spec.json"
    with changed(spec_path) as content:
        for bit in range(8 * len(content)):
            rewrite(spec_path, flipped(content, bit))
            with pytest.raises((SpecMismatch, CorruptStore)) as caught:
                finished.create()
            assert str(finished.path) in str(caught.value), bit


def test_no_spec_with_a_flipped_bit_opens_a_journal_or_a_plan(finished: RunDirectory) -> None:
    """Without the command that made it, a changed but well-formed spec is found out by what belongs to it."""
    spec_path = finished.path / "spec.json"
    num_well_formed = 0
    with changed(spec_path) as content:
        for bit in random.Random(5).sample(range(8 * len(content)), 1_500):
            rewrite(spec_path, flipped(content, bit))
            try:
                directory = RunDirectory.open_existing(finished.path)
            except (SpecMismatch, CorruptStore):
                continue
            num_well_formed += 1
            with pytest.raises(CorruptStore, match="belongs to run"):
                directory.read_journal()
            with pytest.raises(CorruptStore, match="belongs to another run"):
                directory.read_plan(1)
    assert num_well_formed > 0


def test_a_spec_cut_anywhere_is_refused(finished: RunDirectory) -> None:
    spec_path = finished.path / "spec.json"
    with changed(spec_path) as content:
        for size in range(len(content)):
            rewrite(spec_path, content[:size])
            with pytest.raises(CorruptStore, match=r"spec\.json was changed after it was written"):
                read_spec(finished.path)


@pytest.mark.parametrize("schema", [0, 2, None])
def test_a_spec_of_another_schema_is_refused_by_name(finished: RunDirectory, schema: int | None) -> None:
    spec_path = finished.path / "spec.json"
    with changed(spec_path) as content:
        rewrite(spec_path, json.dumps({**json.loads(content), "schema": schema, "novelty": 1}).encode())
        with pytest.raises(SpecMismatch, match=f"spec.json has schema {schema}; {SCHEMA}"):
            read_spec(finished.path)


def test_a_directory_without_a_spec_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(SpecMismatch, match=r"is not a run directory: it has no spec\.json"):
        RunDirectory.open_existing(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 5}, "seed, tasks"),
        ({"limit": 2.0}, "limit, tasks"),
        ({"gen_kwargs": {"temperature": 0.5}}, "generation, tasks"),
        ({"tasks": ("mini_chat_fr",)}, "asked, tasks"),
        ({"system_instruction": "उत्तर दो"}, "system_instruction, tasks"),
        ({"batch_size": 4}, "model"),
        ({"seed": 5, "batch_size": 4}, "model, seed, tasks"),
    ],
)
def test_another_spec_in_the_same_directory_is_refused_with_what_differs(
    finished: RunDirectory, changes: dict[str, Any], said: str
) -> None:
    before = everything_in(finished.path)
    other = prepared(**{"tasks": ("mini_chat_hi",), "limit": 1.0, **changes})
    with pytest.raises(SpecMismatch, match=f"holds run {finished.spec.run_id}, .* asked for in: {said}\\. Choose"):
        run(finished.path, other)
    assert everything_in(finished.path) == before


def everything_in(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != "lock"}


def test_a_limit_given_as_an_integer_resumes(tmp_path: Path) -> None:
    from evalsuite.config import RunConfig
    from evalsuite.prepare import prepare

    what = prepare(RunConfig(model="scripted", tasks=("mini_chat_hi",), limit=2))
    run(tmp_path, what)
    run(tmp_path, what)


# -- plans


def test_no_flipped_bit_of_a_plan_is_silent(finished: RunDirectory) -> None:
    for plan_path in sorted((finished.path / "plan").iterdir()):
        wave = int(plan_path.stem[-4:])
        with changed(plan_path) as content:
            for bit in range(8 * len(content)):
                rewrite(plan_path, flipped(content, bit))
                with pytest.raises(CorruptStore, match="was changed after it was written"):
                    finished.read_plan(wave)


def test_a_plan_cut_anywhere_is_refused(finished: RunDirectory) -> None:
    plan_path = finished.path / "plan" / "wave-0001.jsonl"
    with changed(plan_path) as content:
        for size in range(len(content)):
            rewrite(plan_path, content[:size])
            with pytest.raises(CorruptStore, match="was changed after it was written"):
                finished.read_plan(1)


def test_a_plan_of_another_wave_or_run_is_refused(finished: RunDirectory, tmp_path: Path) -> None:
    run(tmp_path)
    other = (tmp_path / "plan" / "wave-0001.jsonl").read_bytes()
    plan_path = finished.path / "plan" / "wave-0001.jsonl"
    with changed(plan_path):
        for foreign in (other, plan_path.with_name("wave-0002.jsonl").read_bytes()):
            rewrite(plan_path, foreign)
            with pytest.raises(CorruptStore, match="it belongs to another run, or batches are missing"):
                finished.read_plan(1)


def test_a_plan_not_made_yet_is_none(finished: RunDirectory) -> None:
    assert finished.read_plan(3) is None


def test_a_plan_of_a_newer_schema_is_refused(finished: RunDirectory) -> None:
    plan_path = finished.path / "plan" / "wave-0001.jsonl"
    with changed(plan_path) as content:
        header, *batches = read_frames(content)
        rewrite(plan_path, b"".join(map(frame, [{**header, "schema": 2}, *batches])))
        with pytest.raises(EvalsuiteError, match="schema 2"):
            finished.read_plan(1)


def test_a_changed_plan_stops_the_run_before_anything_is_asked(tmp_path: Path) -> None:
    run(tmp_path, should_stop=stop_after(2))
    plan_path = tmp_path / "plan" / "wave-0001.jsonl"
    rewrite(plan_path, flipped(plan_path.read_bytes(), 900))
    with pytest.raises(CorruptStore, match=r"wave-0001\.jsonl was changed"):
        run(tmp_path)
    assert [file.name for file in (tmp_path / "journal").iterdir()] == ["0001.jsonl"]


# -- the lock

HOLDER = """
import sys, time
from pathlib import Path
from evalsuite.errors import RunLocked
from evalsuite.store.run_directory import locked
try:
    with locked(Path(sys.argv[1])):
        print("holds", flush=True)
        sys.stdin.read()
except RunLocked as error:
    print(error, flush=True)
"""


@contextmanager
def other_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that asks for the lock of `path` and keeps it; what it says is on its standard output."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_process_is_told_who_has_the_directory(tmp_path: Path) -> None:
    run(tmp_path, should_stop=stop_after(2))
    before = everything_in(tmp_path)
    with other_process(tmp_path) as holder:
        assert said_by(holder) == "holds"
        with pytest.raises(RunLocked, match=rf"is locked by pid {holder.pid} on .*; wait for it, or stop it"):
            run(tmp_path)
        assert everything_in(tmp_path) == before


def test_a_run_keeps_other_processes_out_until_it_ends(tmp_path: Path) -> None:
    seen: list[str] = []

    def ask_another_process() -> bool:
        with other_process(tmp_path) as other:
            seen.append(said_by(other))
        return True

    run(tmp_path, should_stop=ask_another_process)
    assert len(seen) == 1
    assert f"is locked by pid {os.getpid()} on " in seen[0]
    with other_process(tmp_path) as other:
        assert said_by(other) == "holds"


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    with other_process(tmp_path) as holder:
        assert said_by(holder) == "holds"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        run(tmp_path)


def test_of_many_processes_that_start_at_once_one_gets_in(tmp_path: Path) -> None:
    with other_process(tmp_path) as a, other_process(tmp_path) as b, other_process(tmp_path) as c:
        said = [said_by(process) for process in (a, b, c)]
    assert said.count("holds") == 1
    assert all(line == "holds" or "is locked by" in line for line in said)


def test_a_lock_whose_holder_cannot_be_written_down_still_locks(tmp_path: Path) -> None:
    """On a full disk the file stays empty; leaving the block must not fail for it, nor hide what failed within."""
    directory = RunDirectory(tmp_path, prepared().spec)

    def fill_the_disk_while_locked() -> None:
        with no_file_longer_than(0), locked(directory.path):
            assert (tmp_path / "lock").read_bytes() == b""
            with other_process(tmp_path) as other:
                assert "is locked by another process" in said_by(other)
            directory.create()

    with pytest.raises(SaveFailed, match=r"cannot write .*spec\.json"):
        fill_the_disk_while_locked()


# -- atomic files


def test_an_atomic_write_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    for content in (b"long content", b"", b"short"):
        write_atomic(path, content)
        assert path.read_bytes() == content
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("room", [0, 1, 4_096, 99_999])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, room: int) -> None:
    path = tmp_path / "results.json"
    write_atomic(path, b"old")
    with no_file_longer_than(room), pytest.raises(SaveFailed, match=f"^cannot write {path}: File too large. "):
        write_atomic(path, bytes(100_000))
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def on_a_folder(folder: Path) -> Path:
    (folder / "taken" / "inside").mkdir(parents=True)
    return folder / "taken"


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_bytes(b"x")
    return folder / "file" / "below"


def with_a_long_name(folder: Path) -> Path:
    return folder / ("x" * 252)


def in_proc(folder: Path) -> Path:
    return Path("/proc/evalsuite-x/file")


@pytest.mark.parametrize("place", [on_a_folder, below_a_file, with_a_long_name, in_proc])
def test_a_file_that_cannot_be_written_is_one_kind_of_error(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    path = place(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SaveFailed, match=f"^cannot write {path}: "):
        write_atomic(path, b"content")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    writer = (
        "import sys; from pathlib import Path; from evalsuite.store.files import write_atomic\n"
        "for n in range(10**9): write_atomic(Path(sys.argv[1]), b'%d\\n' % (n % 10) * 50_000)"
    )
    rng = random.Random(3)
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", writer, str(path)])
        while not path.exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0.02, 0.1))
        process.kill()
        process.wait()
        content = path.read_bytes()
        assert content == content[:2] * 50_000
        path.unlink()


# -- results


@pytest.mark.parametrize("schema", [0, 2])
def test_results_of_another_schema_are_refused_by_name(finished: RunDirectory, schema: int) -> None:
    results_path = finished.path / "results.json"
    with changed(results_path) as content:
        rewrite(results_path, json.dumps({**json.loads(content), "schema": schema, "novelty": 1}).encode())
        with pytest.raises(SpecMismatch, match=f"results.json has schema {schema}; {SCHEMA}"):
            read_results(finished.path)


def test_results_without_a_schema_are_refused(finished: RunDirectory) -> None:
    results_path = finished.path / "results.json"
    with changed(results_path):
        rewrite(results_path, b"{}")
        with pytest.raises(SpecMismatch, match="has schema None"):
            read_results(finished.path)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"[]", b'"text"', b"\xff", b'{"schema": 1}', b"nan"])
def test_results_that_are_none_are_refused(finished: RunDirectory, content: bytes) -> None:
    results_path = finished.path / "results.json"
    with changed(results_path):
        rewrite(results_path, content)
        with pytest.raises(CorruptStore, match=r"results\.json was changed after it was written"):
            read_results(finished.path)


def test_results_whose_numbers_were_changed_are_derived_anew(finished: RunDirectory) -> None:
    results_path = finished.path / "results.json"
    with changed(results_path) as content:
        rewrite(results_path, content.replace(b'"scored": 1', b'"scored": 7'))
        assert results_path.read_bytes() != content
        run(finished.path, prepared(tasks=("mini_chat_hi",), limit=1.0))
        assert results(finished.path) == content


@pytest.mark.parametrize("name", ["results.json", "samples.parquet"])
def test_a_run_not_sealed_says_how_to_finish_it(tmp_path: Path, name: str) -> None:
    reader: Callable[[Path], object] = read_results if name == "results.json" else lambda path: list(read_samples(path))
    with pytest.raises(SpecMismatch, match="run the same command again to finish it"):
        reader(tmp_path)


def test_results_deleted_are_derived_anew(finished: RunDirectory) -> None:
    results_path = finished.path / "results.json"
    with changed(results_path) as content:
        results_path.unlink()
        run(finished.path, prepared(tasks=("mini_chat_hi",), limit=1.0))
        assert results(finished.path) == content


def test_samples_deleted_are_derived_anew(finished: RunDirectory) -> None:
    samples_path = finished.path / "samples.parquet"
    with changed(samples_path) as content:
        samples_path.unlink()
        run(finished.path, prepared(tasks=("mini_chat_hi",), limit=1.0))
        assert samples_path.read_bytes() == content


def test_results_cut_short_are_derived_anew(finished: RunDirectory) -> None:
    results_path = finished.path / "results.json"
    with changed(results_path) as content:
        rewrite(results_path, content[:100])
        run(finished.path, prepared(tasks=("mini_chat_hi",), limit=1.0))
        assert results(finished.path) == content


def test_repair_keeps_what_follows_a_bad_first_record(finished: RunDirectory) -> None:
    journal_path = finished.path / "journal" / "0001.jsonl"
    before = finished.read_journal().responses
    with changed(journal_path) as content:
        journal_path.write_bytes(content[:30] + b"?" + content[31:])
        (repaired,) = repair_journal(finished.path)
        assert repaired.num_lost == 1
        assert finished.read_journal().responses == before
