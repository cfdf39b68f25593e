"""When the system refuses a write the run ends with one line and exit code 3, and goes on once there is room again."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked_runs import Ended, ForkServer, Sealed, WhatIf, fork_server, journal, run_path, sealed

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK

ARGUMENTS = ("--model", "scripted", "--tasks", "mini_choice,mini_chat", "--limit", "12")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with fork_server() as started:
        yield started


@pytest.fixture(scope="module")
def whole(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """What a run that nothing disturbs is sealed as."""
    output = tmp_path_factory.mktemp("whole")
    assert server.run(output, ARGUMENTS).code == EXIT_OK
    return sealed(output)


def check_refused(ended: Ended, reason: str) -> None:
    """One line that names the file and the reason, exit code 3, no traceback."""
    assert ended.code == EXIT_INCOMPLETE, ended.text
    assert "Traceback" not in ended.text
    (line,) = ended.errors
    assert re.fullmatch(
        rf"evalsuite: cannot write /.+: {reason}\. What was committed before is safe; free space .*", line
    )


# -- no room


@pytest.mark.parametrize("room", [0, 1, 100, 2_000, 6_000, 7_000, 8_000, 9_000, 11_000, 14_000, 18_000, 25_000, 34_000])
def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(
    server: ForkServer, whole: Sealed, tmp_path: Path, room: int
) -> None:
    """`room` is what any one file may hold; a write across it is short, and the next one fails."""
    full = WhatIf(max_file_bytes=room)
    check_refused(server.run(tmp_path, ARGUMENTS, full), "File too large")
    kept = journal(tmp_path).responses
    # a second attempt may get further, since its journal is a new file, and must not lose what the first one had
    assert server.run(tmp_path, ARGUMENTS, full).code in (EXIT_OK, EXIT_INCOMPLETE)
    assert kept.items() <= journal(tmp_path).responses.items()
    ended = server.run(tmp_path, ARGUMENTS)
    assert ended.code == EXIT_OK, ended.text
    assert sealed(tmp_path) == whole
    assert hidden_files(tmp_path) == []


def hidden_files(output: Path) -> list[Path]:
    return list(output.rglob(".*"))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_failure_of_each_file_operation_ends_the_run_and_it_goes_on(
    server: ForkServer, whole: Sealed, tmp_path: Path, error: int
) -> None:
    """The first fails, then only the second, and so on, until there is none left to fail."""
    num_refused = 0
    for stop_at in range(1, 100):
        output = tmp_path / str(stop_at)
        ended = server.run(output, ARGUMENTS, WhatIf(stop_at=stop_at, error=error))
        if "stopped before" not in ended.text:
            break
        if ended.code != EXIT_OK:  # making a folder that is there may fail without harm
            check_refused(ended, re.escape(os.strerror(error)))
            num_refused += 1
            assert server.run(output, ARGUMENTS).code == EXIT_OK
        assert sealed(output) == whole
        assert hidden_files(output) == []
    assert num_refused >= 20


# -- no such place


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_bytes(b"")
    return folder / "file" / "runs"


def a_file(folder: Path) -> Path:
    (folder / "file").write_bytes(b"")
    return folder / "file"


def in_proc(folder: Path) -> Path:
    return Path("/proc/evalsuite-x")


def below_a_device(folder: Path) -> Path:
    return Path("/dev/full/runs")


def with_a_long_name(folder: Path) -> Path:
    return folder / ("n" * 300)


def behind_a_loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop" / "runs"


@pytest.mark.parametrize(
    "place",
    [below_a_file, a_file, in_proc, below_a_device, with_a_long_name, behind_a_loop],
    ids=lambda place: place.__name__,
)
def test_an_output_path_that_cannot_be_is_refused(
    server: ForkServer, tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    check_refused(server.run(place(tmp_path), ARGUMENTS), ".+")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_someone_else_is_refused(server: ForkServer, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    check_refused(server.run(tmp_path / "runs", ARGUMENTS), "Permission denied")


@pytest.mark.parametrize("name", ["plan", "journal"])
def test_a_file_where_a_folder_belongs_is_refused(server: ForkServer, tmp_path: Path, name: str) -> None:
    (begun(server, tmp_path) / name).write_bytes(b"")
    check_refused(server.run(tmp_path, ARGUMENTS), "File exists")


@pytest.mark.parametrize("name", ["lock", "telemetry.jsonl", "samples.parquet"])
def test_a_folder_where_a_file_belongs_is_refused(server: ForkServer, tmp_path: Path, name: str) -> None:
    (begun(server, tmp_path) / name / "inside").mkdir(parents=True)
    check_refused(server.run(tmp_path, ARGUMENTS), "Is a directory")


@pytest.mark.parametrize("name", ["spec.json", "results.json", "journal/0001.jsonl", "plan/wave-0001.jsonl"])
def test_a_file_that_cannot_be_read_is_one_line(server: ForkServer, tmp_path: Path, name: str) -> None:
    path = begun(server, tmp_path)
    (path / name).unlink(missing_ok=True)
    (path / name).mkdir(parents=True)
    ended = server.run(tmp_path, ARGUMENTS)
    assert len(ended.errors) == 1
    assert "Traceback" not in ended.text


def begun(server: ForkServer, output: Path) -> Path:
    """The directory of a run that has its spec and nothing else yet."""
    assert server.run(output, ARGUMENTS).code == EXIT_OK
    path = run_path(output)
    assert path is not None
    for entry in path.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "spec.json":
            entry.unlink()
    return path
