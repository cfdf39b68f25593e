"""Numbers for machines: the exposition as Prometheus' own parser reads it, and the flat object of DVC."""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest
from gate_reports import HOSTILE, Runs, every_standing, report_of, result

from evalsuite.gates.open_metrics import metrics_json, open_metrics
from evalsuite.gates.records import GateReport
from evalsuite.gates.telling import names_of
from evalsuite.text.visible import visible_line

parser = pytest.importorskip("prometheus_client.openmetrics.parser", reason="prometheus_client is not installed")


def samples(report: GateReport) -> dict[tuple[str, str], float]:
    """Every sample by its name and gate; each stands once."""
    families = list(parser.text_string_to_metric_families(open_metrics(report)))
    every = [one for family in families for one in family.samples]
    assert max(Counter((one.name, *sorted(one.labels.items())) for one in every).values()) == 1
    return {(one.name, one.labels.get("gate", "")): one.value for one in every}


def test_the_parser_takes_it_and_reads_the_numbers() -> None:
    found = samples(every_standing())
    assert found["evalsuite_gate_difference_ratio", "fails"] == pytest.approx(-0.05)
    assert found["evalsuite_gate_low_ratio", "level"] == pytest.approx(0.75)
    assert found["evalsuite_gate_at_least_ratio", "level"] == pytest.approx(0.9)
    assert found["evalsuite_gate_candidate", "clock"] == 80.5
    assert found["evalsuite_gate_baseline", "clock"] == 100.0
    assert found["evalsuite_gate_lost", "fails"] == 12
    assert found["evalsuite_gate_exit_code", ""] == 1


def test_what_does_not_exist_is_absent() -> None:
    found = samples(every_standing())
    assert {name for name, gate in found if gate == "broken"} == {"evalsuite_gate_verdict"}
    assert ("evalsuite_gate_low", "clock") not in found
    assert not any(math.isnan(value) for value in found.values())
    flat = json.loads(metrics_json(every_standing()))
    assert not [key for key in flat if key.startswith("broken/")]


def test_units_and_texts_are_declared() -> None:
    families = list(parser.text_string_to_metric_families(open_metrics(every_standing())))
    assert {one.name: one.unit for one in families}["evalsuite_gate_difference_ratio"] == "ratio"
    assert all(one.documentation and one.type in ("gauge", "stateset") for one in families)
    assert open_metrics(every_standing()).endswith("# EOF\n")


def test_hostile_labels_survive() -> None:
    report = every_standing(HOSTILE + '\\"\\n')
    gates = {gate for _, gate in samples(report) if gate}
    assert gates == {visible_line(name) for name in names_of(report.gates)}


def test_gates_of_one_name_are_not_one_sample() -> None:
    found = samples(report_of(*[result("one", "pass", tasks=("t",)) for _ in range(3)]))
    assert {gate for _, gate in found if gate} == {"one (t) (acc)", "one (t) (acc) #2", "one (t) (acc) #3"}


def test_the_object_is_flat_and_in_points(runs: Runs) -> None:
    report, _ = runs.report(runs.forgetful)
    flat = json.loads(metrics_json(report))
    assert all(type(value) in (int, float) for value in flat.values())
    by_gate = {gate.name: gate.difference for gate in report.gates}
    for name, found in by_gate.items():
        assert found is not None
        assert flat[f"{name}/difference"] == pytest.approx(100 * found.difference)
        assert flat[f"{name}/lost"] == found.num_lost
    assert (flat["gates/fail"], flat["gates/pass"], flat["exit_code"]) == (6, 0, 1)
