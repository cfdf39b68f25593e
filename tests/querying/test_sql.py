"""``evalsuite sql``: SQL sees what pandas sees, reads nothing else, and can change nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import Ran, run_apart, run_here
from exchanged_runs import MINI, changed, copied, damage, faulty_model, judge_of, run_of

import evalsuite
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE
from evalsuite.querying.columns import SQL_TYPES, TABLES
from evalsuite.records import RunResult
from evalsuite.store.results import read_results

pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of three kinds: whole, with faults, of a judge."""
    output = tmp_path_factory.mktemp("asked")
    run_of(output, "--tasks", "mini_choice", code=3, model=faulty_model.__name__)
    run = run_of(output, "--tasks", ",".join((*MINI, "mini_chat_en")), "--limit", "12")
    judge_of(run, "kind_judge")
    return output


def asked(capsys: pytest.CaptureFixture[str], query: str, *arguments: object) -> list[dict[str, Any]]:
    """The rows of a query, by names of columns."""
    ran = run_here(capsys, "sql", query, *arguments, "--json")
    assert ran.code == EXIT_OK, ran.err
    return [dict(zip(ran.json["columns"], row, strict=True)) for row in ran.json["rows"]]


def refused(capsys: pytest.CaptureFixture[str], query: str, *runs: object, code: int = EXIT_USAGE) -> str:
    ran: Ran = run_here(capsys, "sql", query, *runs)
    assert (ran.code, ran.out) == (code, "")
    (line,) = ran.err.splitlines()
    return line


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_those_of_pandas(capsys: pytest.CaptureFixture[str], folder: Path, table: str) -> None:
    """Every column by its bare name, of the documented type, every cell the same to the last digit."""
    described = asked(capsys, f"DESCRIBE {table}", folder)
    assert [(row["column_name"], row["column_type"]) for row in described] == [
        (column.name, SQL_TYPES[column.kind]) for column in TABLES[table]
    ]
    names = ", ".join(column.name for column in TABLES[table])
    for run in sorted(folder.iterdir()):
        rows = asked(capsys, f"SELECT {names} FROM {table}", run)
        frame = getattr(evalsuite.load(run), table).astype(object)
        assert rows == frame.where(frame.notna(), None).to_dict("records")


def test_several_runs_are_one_table(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    results = [read_results(run) for run in folder.iterdir()]
    (row,) = asked(
        capsys, "SELECT count(*) AS n, count(DISTINCT run) AS runs, count(value) AS known FROM samples", folder
    )
    assert row["n"] == sum(result.counts.requested for result in results)
    assert row["runs"] == len(results) == 3
    assert row["known"] < sum(result.counts.scored for result in results), "corpus scores have no value a sample"
    unscored = asked(capsys, "SELECT cause, count(*) AS n, avg(value) AS v FROM samples WHERE status = 'unscored' "
                     "GROUP BY cause", folder)  # fmt: skip
    (faulty,) = (result for result in results if result.status == "incomplete")
    assert unscored == [{"cause": "content_filter", "n": faulty.counts.unscored, "v": None}]


def test_records_can_be_asked_as_json(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (row,) = asked(capsys, "SELECT record->>'$.sample.target' AS target, answer FROM samples WHERE task = "
                   "'mini_choice_en' AND status = 'scored' ORDER BY sample_id LIMIT 1", folder)  # fmt: skip
    assert row["target"]


def test_columns_that_no_query_names_are_not_read(folder: Path) -> None:
    """The plan scans only what is asked for, and leaves rows out in the scan."""
    import duckdb

    from evalsuite.querying.database import _fill

    run = next(folder.iterdir())
    with duckdb.connect(":memory:") as connection:
        _fill(connection, [(run, read_results(run))])
        plan = connection.execute("EXPLAIN SELECT answer FROM samples WHERE task = 'mini_choice_en'").fetchall()[0][1]
    scan = plan[plan.index("Scan") :]
    assert "answer" in scan
    assert "task" in scan
    assert "record" not in scan
    assert "Filters" in scan


def test_forms(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    query = "SELECT task, n, low FROM estimates WHERE is_primary AND task LIKE 'mini_choice%' ORDER BY run, task"
    rows = asked(capsys, query, folder)
    text = run_here(capsys, "sql", query, folder).out
    assert text.splitlines()[0].split() == ["task", "n", "low"]
    markdown = run_here(capsys, "sql", query, folder, "--format", "md").out
    assert markdown.splitlines()[1] == "| --- | ---: | ---: |"
    found = list(csv.DictReader(io.StringIO(run_here(capsys, "sql", query, folder, "--format", "csv").out)))
    assert [float(row["low"]) for row in found] == [row["low"] for row in rows]
    assert json.loads(run_here(capsys, "sql", query, folder, "--format", "json").out)["rows"] == rows


def test_values_of_every_type_are_printed(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    query = ("SELECT NULL AS a, 1.5::DECIMAL(5, 2) AS b, [1, 2] AS c, {'k': 'v'} AS d, DATE '2026-11-22' AS e, "
             "'nan'::DOUBLE AS f, true AS g, 170141183460469231731687303715884105727 AS h")  # fmt: skip
    (row,) = asked(capsys, query, folder)
    assert row == {"a": None, "b": 1.5, "c": "[1, 2]", "d": '{"k": "v"}', "e": "2026-11-22", "f": None, "g": True,
                   "h": 2**127 - 1}  # fmt: skip
    for form in ("text", "csv", "md", "json"):
        assert run_here(capsys, "sql", query, folder, "--format", form).code == EXIT_OK


def digests(folder: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


REACHING_OUT = (
    "SELECT * FROM read_text('{outside}')",
    "SELECT * FROM read_csv('{outside}')",
    "SELECT * FROM '{outside}'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('{samples}')",
    "SELECT * FROM sniff_csv('{outside}')",
    "SELECT getenv('HOME')",
    "SELECT * FROM connection",
)
CHANGING = (
    "COPY runs TO '{inside}'",
    "ATTACH '{inside}'",
    "CREATE TABLE mine AS SELECT 1",
    "DELETE FROM runs",
    "INSERT INTO runs SELECT * FROM runs",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "INSTALL httpfs",
    "LOAD httpfs",
    "EXPORT DATABASE '{inside}'",
    "PRAGMA database_list",
    "EXPLAIN ANALYZE SELECT 1",
    "CALL pragma_version()",
    "SELECT 1; COPY runs TO '{inside}'",
    "",
)


@pytest.mark.parametrize("query", [*REACHING_OUT, *CHANGING])
def test_nothing_but_the_runs_can_be_read_and_nothing_changed(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, query: str
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a,b\n1,2\n", encoding="utf-8")
    run = next(folder.iterdir())
    names = {"outside": outside, "inside": run / "made", "samples": run / "samples.parquet"}
    before = digests(folder)
    line = refused(capsys, query.format(**names), folder)
    if query in CHANGING:
        assert "expected a SELECT, found" in line or "expected one SELECT, found" in line
    assert digests(folder) == before
    assert list(tmp_path.iterdir()) == [outside]


def test_mistakes_are_named(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    assert 'Referenced column "valu" not found' in refused(capsys, "SELECT valu FROM estimates", folder)
    line = refused(capsys, "SELECT * FROM estimate", folder)
    assert "estimates" in line
    assert "Tables: runs, estimates, aggregates, tasks, samples; docs/querying.md has their columns." in line
    assert "syntax error" in refused(capsys, "SELEC 1", folder)
    assert "holds no finished run" in refused(capsys, "SELECT 1", tmp_path)
    run = next(folder.iterdir())
    twice = copied(run, tmp_path)
    line = refused(capsys, "SELECT 1", run, twice)
    assert line.endswith("are the same run; give one of them.")
    assert str(twice) in line


def test_unfinished_runs_are_named(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(folder, runs)
    begun = next(runs.iterdir())
    (begun / "results.json").unlink()
    ran = run_here(capsys, "sql", "SELECT count(*) FROM runs", runs)
    assert ran.code == 0
    assert f"left out, since they are not finished: {begun.name}" in ran.err


def test_a_damaged_file_is_named(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    damaged = copied(next(folder.iterdir()), tmp_path)
    damage(damaged / "samples.parquet")
    line = refused(capsys, "SELECT record FROM samples", damaged, code=EXIT_INCOMPLETE)
    assert "samples.parquet cannot be read" in line
    (damaged / "samples.parquet").unlink()
    assert "has no samples.parquet" in refused(capsys, "SELECT 1", damaged)


def test_names_with_quotes_are_names(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    run = copied(next(folder.iterdir()), tmp_path).rename(tmp_path / 'it\'s "a" run; --')
    (row,) = asked(capsys, "SELECT path, (SELECT count(*) FROM samples) AS n FROM runs", run)
    assert row["path"] == str(run)
    assert row["n"] > 0


HOSTILE = "x' AS run, 1 FROM (SELECT 1)); COPY (SELECT 1) TO 'written.csv'; DROP VIEW runs; --\""
"""What ends a string or a name in SQL, and goes on."""


def hostile(run: Path) -> tuple[Path, RunResult]:
    """`run` with a run's id, tasks' names and a column of its Parquet file that are made to be read as SQL."""
    import pyarrow.parquet as pq

    file = run / "samples.parquet"
    stored = pq.read_table(file)
    tasks = [HOSTILE] * len(stored)
    stored = stored.set_column(stored.column_names.index("task"), "task", [tasks]).append_column(HOSTILE, [tasks])
    pq.write_table(stored, file)
    result = read_results(run)
    estimates = tuple(msgspec.structs.replace(one, task=HOSTILE) for one in result.estimates)
    return run, msgspec.structs.replace(result, run_id=HOSTILE, estimates=estimates)


def test_what_a_run_says_is_never_sql(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    from evalsuite.querying.database import _fill

    monkeypatch.chdir(tmp_path)
    run = hostile(copied(next(folder.iterdir()), tmp_path))
    with duckdb.connect(":memory:") as connection:  # without the locks
        _fill(connection, [run])
        found = connection.execute("SELECT DISTINCT run, task FROM samples").fetchall()
        assert (
            found == [(HOSTILE, HOSTILE)] == connection.execute("SELECT DISTINCT run, task FROM estimates").fetchall()
        )
        assert [row[0] for row in connection.execute("DESCRIBE samples").fetchall()] == [
            column.name for column in TABLES["samples"]
        ]
    assert not (tmp_path / "written.csv").exists()


def test_runs_are_read_behind_the_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a run could make of its way into SQL, files are out of reach by then and the settings fixed."""
    import duckdb

    from evalsuite.querying import database

    fill = database._fill

    def probed(connection: Any, runs: Any) -> None:
        for query in (
            "COPY (SELECT 1) TO 'written.csv'",
            "SELECT * FROM read_text('/etc/hosts')",
            "SET enable_external_access = 1",
        ):
            with pytest.raises(duckdb.Error, match=r"disabled|locked"):
                connection.execute(query)
        fill(connection, runs)

    monkeypatch.setattr(database, "_fill", probed)
    assert database.ask("SELECT count(*) FROM runs", [next(folder.iterdir())]).rows == ((1,),)


def test_a_run_with_another_ones_id_is_refused(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    run = changed(copied(next(folder.iterdir()), tmp_path), lambda value: value.update(run_id=HOSTILE))
    assert "was changed after it was written: its run_id is" in refused(capsys, "SELECT 1", run, code=EXIT_INCOMPLETE)


def test_without_duckdb_one_line_says_what_to_install(folder: Path, tmp_path: Path) -> None:
    """A process that finds no duckdb, since an empty module of that name that cannot be imported stands before it."""
    (tmp_path / "duckdb.py").write_text("raise ImportError('none')\n", encoding="utf-8")
    ran = run_apart("sql", "SELECT 1", folder, env={"PYTHONPATH": str(tmp_path)})
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    assert ran.err == "evalsuite: sql: duckdb is not installed; `pip install 'evalsuite[sql]'` brings it.\n"


def test_what_the_page_shows_works(folder: Path, tmp_path: Path) -> None:
    """The Python and every command of docs/querying.md, with a folder of runs where it says ``runs``."""
    page = (Path(__file__).parents[2] / "docs" / "querying.md").read_text(encoding="utf-8")
    (tmp_path / "runs").symlink_to(folder)
    (run,) = (run for run in folder.iterdir() if read_results(run).status == "incomplete")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (commands,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    subprocess.run([sys.executable, "-c", code.replace("RUN", run.name)], check=True, cwd=tmp_path)
    for line in commands.splitlines():
        _, *arguments = shlex.split(line)
        ran = run_apart(*arguments, cwd=tmp_path)
        assert ran.code == EXIT_OK, ran.err
        assert len(ran.out.splitlines()) > 1, line
