"""What a dry run of the Open LLM six in full says, against counts made elsewhere from lm-eval's own requests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FAMILIES = {"truthfulqa": "truthfulqa_mc1+mc2"}


@pytest.mark.full
@pytest.mark.data
@pytest.mark.model
def test_planned_tokens_are_close_to_the_fewest(mirror: Path, command: Any) -> None:
    """Requests and naive tokens exactly as lm-eval's own; planned tokens at most 3 % above the forest of all rows."""
    expected = json.loads((mirror.parent / "reference" / "planner_counts.json").read_text())["tasks"]
    config = ROOT / "configs" / "lm-eval-0.4.yaml"
    done = command("run", config, "--model", "smollm2-135m", "--data_dir", mirror, "--dry-run", "--json")
    found: dict[str, Counter[str]] = {}
    for task in done.json["tasks"]:
        family = "mmlu" if task["task"].startswith("mmlu_") else task["task"]
        counts = {key: value for key, value in task.items() if key.startswith("num_")}
        found.setdefault(FAMILIES.get(family, family), Counter()).update(counts)
    for family in ("arc_challenge", "hellaswag", "mmlu", "truthfulqa_mc1+mc2", "winogrande"):
        reference = expected[family]
        assert found[family]["num_requests"] == reference["requests"]
        assert found[family]["num_tokens_naive"] == reference["naive"]
        assert reference["forest"] <= found[family]["num_tokens_planned"] <= 1.03 * reference["forest"]
