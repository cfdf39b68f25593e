"""The documentation is true: README commands run, every option is in docs/cli.md, links lead somewhere.

``python tests/test_docs.py`` writes docs/cli.md, docs/leaderboard.schema.json and the columns of docs/querying.md
anew, and docs/tasks.md where ``EVALSUITE_DATA`` names the mirror.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from commands import run_apart

from evalsuite import plugins
from evalsuite.boards.board_file import schema_json
from evalsuite.cli.main import build_parser
from evalsuite.contracts import Metric, Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import RowsMissing
from evalsuite.gates.gate_file import read_gate_file
from evalsuite.querying.columns import DTYPES, SQL_TYPES, documentation
from evalsuite.sweeps.grid import setups_of
from evalsuite.sweeps.sweep_file import read_sweep_file

ROOT = Path(__file__).parents[1]
CLI_PAGE = ROOT / "docs" / "cli.md"
SCHEMA = ROOT / "docs" / "leaderboard.schema.json"
QUERYING_PAGE = ROOT / "docs" / "querying.md"
TASKS_PAGE = ROOT / "docs" / "tasks.md"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def help_text(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    done = run_apart(*command, "--help", env=environment)
    assert done.code == 0, done.err
    return "\n".join(line.rstrip() for line in done.out.splitlines())


def actions_of(command: str) -> list[str]:
    """The commands below a command: ``sweep run``."""
    commands = below(build_parser(command))
    return [f"{command} {action}" for action in below(commands[command])]


def below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def cli_page() -> str:
    from evalsuite.cli.main import command_names

    parts = ["# The command line\n\nWritten by `python tests/test_docs.py`; a test compares it with the parser.\n"]
    for command in ("", *(each for name in command_names() for each in (name, *actions_of(name)))):
        title = f"evalsuite {command}".strip()
        parts.append(f"## {title}\n\n```text\n{help_text(*command.split())}\n```\n")
    return "\n".join(parts)


def tasks_page(mirror: Path) -> str:
    """A row for each family: metrics, chance on all samples, source, licence, protocols."""
    head = "| family | tasks | metrics, headline first | chance | languages | source | licence | protocols |\n"
    lines = [_family_row(name, mirror) for name in plugins.names(plugins.TASKS)]
    return (
        "# Tasks\n\nWritten by `python tests/test_docs.py` from the catalogue; a test compares them.\n"
        "Every metric but `ter` is better when higher. In brackets what a protocol itself calls the metric.\n"
        "Chance is what guessing scores, over all samples of the first task; rows only the hub has are left out.\n\n"
        f"{head}{'|---' * 8}|\n" + "".join(lines)
    )


def querying_page() -> str:
    """The page with the tables' columns between its two marks."""
    page = QUERYING_PAGE.read_text(encoding="utf-8")
    begin, end = page.index("-->", page.index("<!-- columns")) + 3, page.index("<!-- end of columns")
    return f"{page[:begin]}\n\n{documentation()}\n{page[end:]}"


def _family_row(name: str, mirror: Path) -> str:
    whole = plugins.family(name)
    task = whole.build(whole.members[0].name, TaskOptions())
    source = DataSource(mirror=mirror, hub=False)
    assert [metric.name for metric in task.metrics if not metric.higher_is_better] in ([], ["ter"])
    chances = _chances(task, source) if any(metric.chance for metric in task.metrics) else {}
    same = set(chances.values())
    chance = same.pop() if len(same) == 1 else ", ".join(f"{metric} {level}" for metric, level in chances.items())
    languages = ", ".join(dict.fromkeys(info.language for info in whole.members))
    protocols = ", ".join(f"`{protocol}`" for protocol in whole.protocols)
    cells = (
        f"`{name}`", str(len(whole.members)), ", ".join(map(_metric_cell, task.metrics)), chance or "–",
        languages, task.source, "; ".join(dict.fromkeys(info.licence for info in whole.members)), protocols,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def _chances(task: Task, source: DataSource) -> dict[str, str]:
    try:
        samples = task.samples(tuple(load_rows(dataset, source)[0] for dataset in task.datasets))
    except RowsMissing:
        return {}
    return {
        metric.name: f"{metric.scale * sum(map(metric.chance, samples)) / len(samples):.1f}"
        for metric in task.metrics
        if metric.chance is not None
    }


def _metric_cell(metric: Metric) -> str:
    return f"`{metric.name}`" + (f" (`{metric.alias}`)" if metric.alias else "")


@pytest.mark.data
def test_every_task_is_documented(mirror: Path) -> None:
    assert TASKS_PAGE.read_text(encoding="utf-8") == tasks_page(mirror), "run `python tests/test_docs.py`"


def test_every_column_is_documented() -> None:
    page = QUERYING_PAGE.read_text(encoding="utf-8")
    assert page == querying_page(), "run `python tests/test_docs.py`"
    for kind in DTYPES:
        assert f"| {kind} | `{SQL_TYPES[kind]}` | `{DTYPES[kind]}` |" in page


def test_every_option_is_documented() -> None:
    assert CLI_PAGE.read_text(encoding="utf-8") == cli_page(), "run `python tests/test_docs.py`"


def test_the_schema_of_leaderboards_is_that_of_the_records() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_json(), "run `python tests/test_docs.py`"


def test_readme_commands_run(tmp_path: Path) -> None:
    """Every ```bash block of the README, in one folder, in order; blocks of another kind are not run."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    assert blocks
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, capture_output=True, text=True, env=environment,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stderr}"


def test_readme_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        subprocess.run([sys.executable, "-c", block], check=True, cwd=tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_demo_config_is_the_demo() -> None:
    from evalsuite.cli.demo_command import DEMO
    from evalsuite.config import make_config, read_config

    assert make_config(read_config(ROOT / "configs" / "demo.yaml"), {}) == DEMO


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_config_is_valid(path: Path) -> None:
    from evalsuite.config import make_config, read_config

    if "gates" in yaml.safe_load(path.read_text(encoding="utf-8")):
        assert read_gate_file(path).file.gates
        return
    if "axes" in yaml.safe_load(path.read_text(encoding="utf-8")):
        assert setups_of(read_sweep_file(path))
        return
    assert make_config({"model": "scripted", **read_config(path)}, {}).tasks
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    CLI_PAGE.write_text(cli_page(), encoding="utf-8")
    SCHEMA.write_text(schema_json(), encoding="utf-8")
    QUERYING_PAGE.write_text(querying_page(), encoding="utf-8")
    if data := os.environ.get("EVALSUITE_DATA"):
        TASKS_PAGE.write_text(tasks_page(Path(data)), encoding="utf-8")
