"""Published category values in, published totals out, through the metrics themselves.

The published values are rounded, so a total can be off by what rounding its parts and itself may make of it. Where the
total of the rounded parts is not the published one to the digit, the row stands in the lists below.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest
from evalsuite.judges._alignbench_rules import CATEGORIES
from evalsuite.judges.alignbench import alignbench
from evalsuite.judges.belle import CLASSES, belle
from evalsuite.judges.mt_bench import mt_bench_single
from official_cases import MT_BENCH_TEMPLATES

from evalsuite.contracts import JudgeOptions, Metric, Rubric

pytestmark = pytest.mark.data

QUESTIONS = {
    **{"数学计算": 112, "逻辑推理": 92, "基本任务": 68, "中文理解": 58},
    **{"综合问答": 38, "文本写作": 75, "角色扮演": 116, "专业能力": 124},
}
BELLE_COLUMNS = {"others": ("others(math+code)", 113)} | {
    name: (name.replace(" ", "_"), size)
    for name, size in zip(CLASSES, (131, 65, 98, 40, 37, 285, 179, 52), strict=True)
}
OFF_BY_A_DIGIT = {
    ("alignbench", "blossom-v5.1-34b", "总分"): "7.1075 from rounded categories, published as 7.1",
    ("belle", "L13B+LoRA(2M)", "macro9"): "0.64856 from rounded classes, published as 0.648",
    ("belle", "L7B+FT(0.6M)", "macro9"): "0.68533 from rounded classes, published as 0.686",
    ("belle", "EXT zh(alpaca-3.5&4)+sharegpt", "macro8_wo_others"): "0.67063 from rounded classes, published as 0.67",
    ("belle", "EXT zh(alpaca-3.5)", "macro8_wo_others"): "0.64137 from rounded classes, published as 0.642",
}
"""Totals that were rounded from exact parts, or cut instead of rounded; each within what rounding allows."""
WITHOUT_PARTS = {
    *("zephyr-7b-beta", "qwen-14b-chat", "Mistral-7B-Instruct-v0.1", "gpt-4-0613", "llama-3-70b-instruct"),
    *("qwen1.5-72b-chat", "gpt-3.5-turbo-0613", "glm-4-9b-chat", "qwen1.5-32b-chat", "llama-3-8b-instruct"),
}
"""MT-Bench rows of which only the total was published, so that nothing can be computed."""


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def metric(rubric: Rubric, name: str) -> Metric:
    return next(found for found in rubric.metrics if found.name == name)


def counted(parts: Mapping[str, tuple[float, int]]) -> tuple[float, ...]:
    """The vector of a run in which the groups had these means over so many cases."""
    return tuple(count for value, size in parts.values() for count in (value * size, float(size)))


def check(suite: str, model: str, column: str, computed: float | None, published: str, unit: float) -> None:
    """Within half a unit for the parts and half for the total; to the digit unless the row is listed."""
    assert computed is not None
    distance = abs(computed - float(published))
    assert distance <= unit + 1e-9, (model, column, computed, published)
    assert (distance > unit / 2 + 1e-9) == ((suite, model, column) in OFF_BY_A_DIGIT), (model, column, computed)


def test_mt_bench_totals(reference: Path) -> None:
    rubric = mt_bench_single.build((MT_BENCH_TEMPLATES,), JudgeOptions())
    rows = table(reference / "mt_bench.csv")
    assert len(rows) == 19
    whole = [row for row in rows if row["turn1"]]
    assert {row["model"] for row in rows} - {row["model"] for row in whole} == WITHOUT_PARTS
    assert len(whole) == 9
    for row in whole:
        turn_1, turn_2 = float(row["turn1"]), float(row["turn2"])
        total = metric(rubric, "mt_bench_total").reduce((80 * turn_1 + 80 * turn_2, 160.0))
        balanced = metric(rubric, "mt_bench_balanced").reduce(counted({"1": (turn_1, 80), "2": (turn_2, 80)}))
        for computed in (total, balanced):
            check("mt_bench", row["model"], "total", computed, row["total"], 0.01)


def test_alignbench_totals(reference: Path) -> None:
    rubric = alignbench.build((), JudgeOptions())
    rows = table(reference / "alignbench.csv")
    assert len(rows) == 12
    for row in rows:
        parts = {name: (float(row[name]), QUESTIONS[name]) for name in CATEGORIES}
        reasoning = {name: parts[name] for name in ("数学计算", "逻辑推理")}
        language = {name: part for name, part in parts.items() if name not in reasoning}
        for column, name, needed in (
            ("总分", "alignbench_total", parts),
            ("总分", "alignbench_total_official", parts),
            ("中文推理", "alignbench_reasoning", reasoning),
            ("中文语言", "alignbench_language", language),
        ):
            computed = metric(rubric, name).reduce(counted(needed))
            check("alignbench", row["model"], column, computed, row[column], 0.01)


def test_belle_totals(reference: Path) -> None:
    rubric = belle.build(((),), JudgeOptions())
    rows = table(reference / "belle.csv")
    assert len(rows) == 17
    num_checked = 0
    for row in rows:
        nine = {name: (float(row[column]), size) for name, (column, size) in BELLE_COLUMNS.items()}
        eight = {name: part for name, part in nine.items() if name != "others"}
        for column, name, parts in (
            ("macro9", "belle_macro9", nine),
            ("macro8_wo_others", "belle_macro8", eight),
        ):
            if row[column]:
                check("belle", row["model"], column, metric(rubric, name).reduce(counted(parts)), row[column], 0.001)
                num_checked += 1
    assert num_checked == 17 + 9
