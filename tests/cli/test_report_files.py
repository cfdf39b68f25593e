"""What `evalsuite report` writes besides its page: data for programs, tables for papers, and no more than is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sealed_runs import Part, text_record, write_run
from vote_summaries import summary

from evalsuite.canonical import canonical_json
from evalsuite.cli.main import main


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    for name in ("first", "second"):
        records = [text_record("qa_en:test:0", "en", "Who is Ann?", [f"{name} says Ann"])]
        write_run(folder, name, [Part("qa_en", "qa", "en", n=1)], records)
    return folder


def votes(tmp_path: Path) -> Path:
    file = tmp_path / "preference.json"
    file.write_text(canonical_json(summary(raters=("Zoe", "Adam", "Maja"))), encoding="utf-8")
    return file


def test_a_table_is_a_file_and_samples_are_asked_for(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "site" / "index.html", tmp_path / "tables"
    assert main(["report", str(runs), "-o", str(out), "--tables", str(folder), "--json"]) == 0
    said = capsys.readouterr().out
    names = {path.name for path in folder.iterdir()}
    assert {
        "leaderboard.csv",
        "leaderboard-numbers.csv",
        "languages-qa-acc.csv",
        "compare-refused.csv",
        "provenance.csv",
    } <= names
    assert not [name for name in names if name.startswith("samples") or not name.endswith(".csv")]
    assert f"{len(names)} tables in {folder.resolve()}" in said
    found = json.loads(said.splitlines()[-1])
    assert {Path(path).name for path in found["tables"]} == names
    assert found["data"] == str((out.parent / "leaderboard.json").resolve())
    assert "first," in (folder / "leaderboard.csv").read_text(encoding="utf-8")
    assert "says Ann" not in "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())


def test_views_and_forms_are_those_asked_for(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tables"
    asked = ["--tables", str(folder), "--views", "samples,judges,leaderboard", "--formats", "tex,md,json"]
    assert main(["report", str(runs), "-o", str(tmp_path / "x.html"), *asked]) == 0
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{form}" for name in ("samples", "leaderboard", "leaderboard-numbers") for form in ("tex", "md", "json")
    }
    assert "nothing to tabulate for judges" in capsys.readouterr().out
    assert "\\begin{tabular}" in (folder / "leaderboard.tex").read_text(encoding="utf-8")
    assert "first says Ann" in (folder / "samples.md").read_text(encoding="utf-8")
    assert (tmp_path / "x.leaderboard.json").exists()


def test_the_same_runs_give_the_same_files(runs: Path, tmp_path: Path) -> None:
    contents = []
    for turn in ("a", "b"):
        folder = tmp_path / turn
        asked = ["report", str(runs), "-o", str(folder / "index.html"), "--tables", str(folder / "tables")]
        assert main([*asked, "--formats", "csv,json,md,tex"]) == 0
        contents.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert contents[0] == contents[1]
    assert len(contents[0]) > 30


def test_what_is_redacted_is_in_no_file(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, folder = tmp_path / "index.html", tmp_path / "tables"
    told = ["--votes", str(votes(tmp_path)), "--tables", str(folder), "--views", "samples,preference"]
    assert main(["report", str(runs), "-o", str(out), *told, "--redact", "Ann"]) == 0
    assert capsys.readouterr().err == ""
    assert "first says ▇▇▇" in (folder / "samples.csv").read_text(encoding="utf-8")
    data = json.loads((tmp_path / "leaderboard.json").read_text(encoding="utf-8"))
    assert data["redactions"] == 6, "a prompt, a question, and of two runs a reply and what it was read as"


def test_who_voted_is_told_unless_asked_not_to(tmp_path: Path) -> None:
    from evalsuite.reports.page_parts import read_page

    people: dict[str, set[str]] = {}
    for name, told in (("plain", []), ("anonymous", ["--anonymous"]), ("redacted", ["--redact", "x"])):
        out = tmp_path / f"{name}.html"
        assert main(["report", "--votes", str(votes(tmp_path)), "-o", str(out), *told]) == 0
        found = read_page(out).data().board.preference
        assert found is not None
        people[name] = {one.annotator for one in found.annotators}
        assert main(["verify", str(out)]) == 0
    assert people["plain"] == {"Zoe", "Adam", "Maja"}
    assert people["anonymous"] == people["redacted"] == {"rater-1", "rater-2", "rater-3"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--views", "leaderboard"], "--views is for tables; give --tables FOLDER"),
        (["--formats", "csv"], "--formats is for tables"),
        (["--tables", "t", "--views", "leaderboards"], "--views 'leaderboards': expected one or more of leaderboard, "),
        (["--tables", "t", "--views", ""], "--views '': expected"),
        (["--tables", "t", "--formats", "csv,xlsx"], "--formats 'xlsx': expected one or more of csv, json, md, tex"),
        (["--tables", "file"], "--tables file is a file; give a folder"),
    ],
)
def test_what_cannot_be_written_is_refused(
    asked: list[str], told: str, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("", encoding="utf-8")
    assert main(["report", str(runs), *asked]) == 2
    assert told in capsys.readouterr().err
    assert not Path("site").exists()
