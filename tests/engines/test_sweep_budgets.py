"""Budgets in a sweep: each cell is a run with a budget of its own, and one that is raised is taken up."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run_here
from fault_server import FaultServer

from evalsuite.errors import EXIT_BUDGET, EXIT_OK

SWEEP = """\
output_path: {output}
base: {{model: openai, tasks: mini_chat_en, model_args: {{model: toy, base_url: '{url}', max_requests: {most}}}}}
axes:
  limit: [2, 3]
"""


def test_a_budget_is_a_cells_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FaultServer() as server:

        def run(most: int) -> tuple[int, list[tuple[str, str]]]:
            config = tmp_path / "sweep.yaml"
            text = SWEEP.format(output=tmp_path / "sweep", url=server.base_url, most=most)
            config.write_text(text, encoding="utf-8")
            done = run_here(capsys, "sweep", "run", config, "--json")
            return done.code, [(cell["state"], cell["cause"]) for cell in done.json["cells"]]

        code, found = run(5)
        assert code == EXIT_BUDGET
        assert [state for state, _ in found] == ["sealed", "failed"]
        assert "the budget of 5 requests is spent" in found[1][1]
        num_asked = len(server.requests)
        code, found = run(9)  # six, and twice the one that tells whether the server is well
        assert code == EXIT_OK
        assert [state for state, _ in found] == ["sealed"] * 2
        assert len(server.requests) - num_asked < 6, "what was answered before is not paid for again"
