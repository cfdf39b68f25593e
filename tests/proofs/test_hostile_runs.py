"""A stranger's run may hold anything: what comes out is findings or an error of ours in one line, never a traceback."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hostile import spoiled
from proven_runs import copied, run, verified

from evalsuite.errors import EvalsuiteError
from evalsuite.proofs.manifest import MANIFEST, manifest_of_run, write_manifest
from evalsuite.store.results import RESULTS, SAMPLES
from evalsuite.store.run_directory import SPEC


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    run(path)
    write_manifest(path, manifest_of_run(path))
    return path


def spoil_file(name: str) -> Callable[[Path, random.Random], None]:
    def spoil(path: Path, chance: random.Random) -> None:
        (path / name).write_bytes(spoiled((path / name).read_bytes(), chance))

    return spoil


def spoil_frame(folder: str) -> Callable[[Path, random.Random], None]:
    """A frame whose checksum fits what is in it now."""

    def spoil(path: Path, chance: random.Random) -> None:
        file = chance.choice(sorted((path / folder).iterdir()))
        lines = file.read_bytes().splitlines(keepends=True)
        number = chance.randrange(len(lines))
        body = spoiled(lines[number][9:-1], chance)
        lines[number] = b"%08x %s\n" % (zlib.crc32(body), body)
        file.write_bytes(b"".join(lines))

    return spoil


def spoil_sample(path: Path, chance: random.Random) -> None:
    table = pq.read_table(path / SAMPLES)
    rows = table.to_pylist()
    row = chance.choice(rows)
    if chance.random() < 0.2:
        row[chance.choice(list(row))] = None
    else:
        row["record"] = spoiled(row["record"].encode(), chance).decode("utf-8", "replace")
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path / SAMPLES)


def spoil_table(path: Path, chance: random.Random) -> None:
    content = (path / SAMPLES).read_bytes()
    match chance.randrange(4):
        case 0:
            (path / SAMPLES).write_bytes(content[: chance.randrange(len(content))])
        case 1:
            (path / SAMPLES).write_bytes(b"PAR1" + chance.randbytes(200) + b"PAR1")
        case 2:
            table = pq.read_table(path / SAMPLES)
            pq.write_table(table.drop_columns([chance.choice(table.column_names)]), path / SAMPLES)
        case _:
            table = pq.read_table(path / SAMPLES)
            numbers = pa.array([1.5] * table.num_rows)
            name = chance.choice(table.column_names)
            pq.write_table(table.set_column(table.column_names.index(name), name, numbers), path / SAMPLES)


SPOILERS = (
    *[spoil_file(RESULTS)] * 70,
    *[spoil_file(SPEC)] * 30,
    *[spoil_file(MANIFEST)] * 30,
    *[spoil_frame("plan")] * 30,
    *[spoil_frame("journal")] * 50,
    *[spoil_sample] * 60,
    *[spoil_table] * 30,
)


@pytest.mark.parametrize("seed", range(len(SPOILERS)))
def test_nothing_in_a_run_ends_in_a_traceback(finished: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = copied(finished, tmp_path / "run")
    SPOILERS[seed](path, chance)
    if seed % 2:
        (path / MANIFEST).unlink()
    with suppress(EvalsuiteError):  # of ours, in one line; anything else fails
        found = verified(path)
        assert all(isinstance(finding.stored, str) for finding in found.findings)
