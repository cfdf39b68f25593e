"""The documentation is true: README commands run, every option is in docs/cli.md, links lead somewhere.

``python tests/test_docs.py`` writes docs/cli.md anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CLI_PAGE = ROOT / "docs" / "cli.md"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def help_text(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-m", "evalsuite.cli.main", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def cli_page() -> str:
    from evalsuite.cli.main import command_names

    parts = ["# The command line\n\nWritten by `python tests/test_docs.py`; a test compares it with the parser.\n"]
    for command in ("", *command_names()):
        title = f"evalsuite {command}".strip()
        parts.append(f"## {title}\n\n```text\n{help_text(*command.split())}\n```\n")
    return "\n".join(parts)


def test_every_option_is_documented() -> None:
    assert CLI_PAGE.read_text(encoding="utf-8") == cli_page(), "run `python tests/test_docs.py`"


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

    assert make_config(read_config(path), {}).tasks
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    CLI_PAGE.write_text(cli_page(), encoding="utf-8")
