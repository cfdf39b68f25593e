"""What GitHub Actions reads: workflow commands decoded as the runner does it, the summary and the outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_reports import GATES, HOSTILE, Runs, every_standing, report_of, result

from evalsuite.cli.main import main
from evalsuite.gates.annotations import MOST_ANNOTATIONS, annotations_of, tell_github
from evalsuite.text.visible import visible_line


def decode(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it."""
    head, _, message = line.removeprefix("::").partition("::")
    kind, _, properties = head.partition(" ")
    pairs = dict(pair.split("=", 1) for pair in properties.split(","))
    return kind, {key: _plain(value) for key, value in pairs.items()}, _plain(message)


def _plain(text: str) -> str:
    for escaped, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escaped, char)
    return text


def outputs(path: Path) -> dict[str, str]:
    """The file of outputs as the runner reads it."""
    found, lines = {}, iter(path.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        if "<<" in line:
            name, _, end = line.partition("<<")
            found[name] = "\n".join(iter(lambda end=end: next(lines), end))
        else:
            assert not line, f"an output of its own: {line}"
    return found


def test_each_points_at_its_line() -> None:
    told = [decode(line) for line in annotations_of(every_standing())]
    assert len(told) == 9
    assert told[0][0] == "error"
    assert told[0][1] == {"file": "word", "line": "7", "title": "evalsuite gate fails: failed"}
    assert told[0][2] == "why fails"
    assert {kind: sum(one[0] == kind for one in told) for kind in ("error", "warning")} == {"error": 4, "warning": 5}
    assert not any("passes" in title["title"] for _, title, _ in told)


@pytest.mark.parametrize(("number", "expected"), [(0, 0), (8, 8), (9, 9), (10, 9), (500, 9)])
def test_at_most_nine(number: int, expected: int) -> None:
    lines = annotations_of(report_of(*(result(f"gate {index}", "fail") for index in range(number))))
    assert len(lines) == expected <= MOST_ANNOTATIONS
    if number > MOST_ANNOTATIONS:
        assert decode(lines[-1])[2].startswith(f"and {number - 8} more gates")


def test_names_start_no_command_of_their_own() -> None:
    lines = annotations_of(every_standing(HOSTILE))
    assert all(line.startswith(("::error file=", "::warning file=")) for line in lines)
    assert not any(char in line for line in lines for char in "\r\n\x1b\u2028")
    _, properties, message = decode(lines[0])
    assert properties == {
        "file": visible_line(HOSTILE.replace("//", "/")), "line": "7",
        "title": f"evalsuite gate {visible_line('fails' + HOSTILE, 120)}: failed",
    }  # fmt: skip
    assert message == visible_line("why fails" + HOSTILE, 1_000)


def test_paths_are_of_the_repository() -> None:
    report = report_of(result("gate", "fail"), word="/builds/team/project/configs/gate.yaml")
    (line,) = annotations_of(report, "/builds/team/project")
    assert decode(line)[1]["file"] == "configs/gate.yaml"


def test_nothing_is_told_where_nobody_listens(tmp_path: Path) -> None:
    assert list(tell_github(every_standing(), tmp_path, {})) == []


def test_outputs_of_hostile_names_and_folders(tmp_path: Path) -> None:
    folder = Path("reports\nverdict=pass\nregressed<<x\n0\nx")
    environment = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    (tmp_path / "output").write_text("", encoding="utf-8")
    assert list(tell_github(every_standing(HOSTILE), folder, environment)) == []
    assert outputs(tmp_path / "output") == {"verdict": "fail", "regressed": "2", "report": str(folder)}


def test_the_summary_is_added_within_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"x" * 1_000_000 + b"\n")
    report = report_of(*(result(f"gate {index} {'x' * 200}", "fail") for index in range(1500)))
    list(tell_github(report, tmp_path, {"GITHUB_STEP_SUMMARY": str(path)}))
    assert path.read_bytes().startswith(b"x" * 1_000_000 + b"\n## ")
    assert 1_030_000 < path.stat().st_size <= 1_048_576


def test_a_summary_that_cannot_be_written_is_a_note(tmp_path: Path) -> None:
    lines = list(tell_github(every_standing(), tmp_path, {"GITHUB_STEP_SUMMARY": str(tmp_path)}))
    assert len(lines) == 1
    assert "cannot be written" in lines[0]


def test_the_command_tells_github(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    rules, folder = tmp_path / "gate.yaml", tmp_path / "report"
    rules.write_text(GATES, encoding="utf-8")
    code = main(["gate", str(rules), "--run", str(runs.forgetful), "--baseline", str(runs.baseline), "-o", str(folder)])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert code == 1
    assert [decode(line)[1]["line"] for line in lines] == ["5"] * 6
    assert outputs(tmp_path / "output") == {"verdict": "fail", "regressed": "6", "report": str(folder)}
    assert "6 fail of 6 gates" in (tmp_path / "summary").read_text(encoding="utf-8")


def test_a_line_end_in_a_rules_name_starts_no_command(
    runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "gate.yaml"
    rules.write_text(GATES + '    name: "one\\n::stop-commands::x\\r::error::y"\n', encoding="utf-8")
    main(["gate", str(rules), "--run", str(runs.right), "--baseline", str(runs.baseline), "-o", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert "one⟨U+000A⟩::stop-commands::x⟨U+000D⟩::error::y" in printed
    assert not [line for line in printed.splitlines() if line.startswith("::")]
