"""What was measured over a part of a run, a cache or another process having given the rest, is compared to nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from small_sweeps import cell, plan

from evalsuite.cli.analysis_tables import sweep_table
from evalsuite.cli.cost_tables import pareto_table, quantisation_table
from evalsuite.config import make_config
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.errors import NothingComparable
from evalsuite.prepare import prepare
from evalsuite.run import Quiet, execute
from evalsuite.store.response_cache import ResponseCache
from evalsuite.store.run_directory import TAKEN
from evalsuite.sweeps import chart_values
from evalsuite.sweeps.cells import Cell, read_plan
from evalsuite.sweeps.frames import PART, frame_of
from evalsuite.sweeps.pareto import Pareto, pareto_of
from evalsuite.sweeps.quantisation import quantisation_of
from evalsuite.sweeps.reading import Sweep, read_sweep, summary_headlines
from evalsuite.tables import rendered

NUM_SAMPLES = 8


class Cacheable(ScriptedEngine):
    """Its answers may be cached."""

    is_cacheable = True


def run(path: Path, seed: int, cache: Path | None = None, num_batches: int = NUM_SAMPLES) -> None:
    """A run, or its next sitting, that stops after so many batches."""
    asked = {"model": "scripted", "tasks": ("mini_math_en",), "limit": NUM_SAMPLES, "seed": seed, "batch_size": 1}
    left = [num_batches]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    execute(
        replace(prepare(make_config({}, asked)), engine=Cacheable(plausible)), path, Quiet(), should_stop,
        ResponseCache(cache) if cache else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs that answer alike: two from beginning to end, one resumed, and the quickest from a cache.

    Their clocks are set, so that this machine's load is of no matter.
    """
    folder = tmp_path_factory.mktemp("parts")
    run(folder / "slow", 1)
    run(folder / "quick", 2)
    run(folder / "resumed", 3, num_batches=3)
    run(folder / "resumed", 3)
    run(folder / "first", 4, folder / "cache")
    run(folder / "cached", 4, folder / "cache")
    names = ("slow", "quick", "resumed", "cached")
    for name, seconds in zip(names, (9.0, 4.0, 1.0, 0.01), strict=True):
        clock = json.dumps({"event": TAKEN, "wave": 1, "seconds": seconds})
        (folder / name / "telemetry.jsonl").write_text(clock + "\n", encoding="ascii")
    return plan(folder, "parts", [cell(folder / name, name, {"way": name, "size": place})
                                  for place, name in enumerate(names)])  # fmt: skip


def elsewhere(folder: Path) -> list[Cell]:
    """The cells as a sweep in a folder of `folder` has them, that vary in one setting alone."""
    return [
        msgspec.structs.replace(one, run=f"../{one.run}", settings={"way": one.settings["way"]})
        for one in read_plan(folder).cells
    ]


@pytest.fixture
def sweep(folder: Path) -> Sweep:
    return read_sweep(folder)


def standings(found: Pareto) -> Mapping[str, str]:
    (one,) = found.fronts
    return {point.cell: point.standing for point in one.points}


def test_it_is_known_what_answered(sweep: Sweep) -> None:
    assert {one.cell.name: one.part_measured for one in sweep.cells} == {
        "slow": "", "quick": "", "resumed": "resumed", "cached": "cached",
    }  # fmt: skip
    frame = frame_of(sweep)
    assert dict(zip(frame["cell"], frame[PART].fillna(""), strict=True)) == {
        one.cell.name: one.part_measured for one in sweep.cells
    }


def test_a_clock_of_a_part_is_neither_on_the_front_nor_ahead_of_others(sweep: Sweep) -> None:
    found = pareto_of(sweep, "seconds", summary_headlines(sweep.cells))
    assert [point.cell for point in found.fronts[0].points] == ["cached", "resumed", "quick", "slow"]
    assert standings(found) == {
        "cached": "not compared", "resumed": "not compared", "quick": "front", "slow": "not told from the front",
    }  # fmt: skip
    (slow,) = (point for point in found.fronts[0].points if point.cell == "slow")
    assert slow.beaten_by == "quick"


def test_a_setting_is_the_whole_runs(sweep: Sweep) -> None:
    found = pareto_of(sweep, "size", summary_headlines(sweep.cells))
    assert standings(found)["slow"] == "front"
    assert "not compared" not in standings(found).values()
    assert not any(point.part for one in found.fronts for point in one.points)


def test_tables_and_legends_say_so(sweep: Sweep) -> None:
    found = pareto_of(sweep, "seconds", summary_headlines(sweep.cells))
    text = rendered(pareto_table(found), "text")
    assert "cached†" in text
    assert "slow†" not in text
    (note,) = (line for line in text.splitlines() if line.startswith("†"))
    assert "resumed: resumed" in note
    assert "cached: cached" in note
    chart = chart_values.of_pareto(found)
    names = [series.name for panel in chart.panels for series in panel.series]
    assert names == ["front", "not told from the front", "not compared: cached or resumed"]
    assert chart.panels[0].series[2].join == "none"
    assert any("not compared" in line for line in chart.notes)
    settings = pareto_of(sweep, "size", summary_headlines(sweep.cells))
    assert "†" not in rendered(pareto_table(settings), "text")
    assert "†" not in rendered(sweep_table(sweep, summary_headlines(sweep.cells)), "text")


def test_nothing_is_held_against_parts_alone(folder: Path) -> None:
    """With one whole run beside them there is nothing to compare."""
    found = read_sweep(plan(folder / "less", "less", elsewhere(folder)[1:]))
    with pytest.raises(NothingComparable, match="3 of the 3 cells with results have it, 2 of a part of their run"):
        pareto_of(found, "seconds", summary_headlines(found.cells))


def test_a_format_is_not_quicker_for_a_cache(folder: Path) -> None:
    found = quantisation_of(read_sweep(plan(folder / "ways", "ways", elsewhere(folder))), "way=slow")
    assert [one.footprint.part for one in found.pairs] == ["", "resumed", "cached"]
    rows = {row[0]: row for row in quantisation_table(found).rows}
    heads = quantisation_table(found).heads
    times = {str(name): row[heads.index("time")].text for name, row in rows.items()}  # type: ignore[union-attr]
    assert "%" in times["quick"]
    assert not any("%" in times[name] for name in ("resumed†", "cached†"))
