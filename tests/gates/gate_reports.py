"""Reports for the forms: real ones of scripted runs, and one whose every word is hostile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from evalsuite.cli.main import main
from evalsuite.comparing.comparison import Refusal, SideSummary
from evalsuite.comparing.opening import open_side
from evalsuite.comparing.pairing import Pairing
from evalsuite.gates.gate_file import read_gate_file
from evalsuite.gates.gating import circumstances_of, gate
from evalsuite.gates.records import GateReport, GateResult, Level, Waiver
from evalsuite.stats.differences import Difference

HOSTILE = (
    "a|b`c`,d=e%25<img src=x onerror=window.pwned=1></script><b>*d*_e_ @nobody #12 o/r#3 GH-4 "
    "!5 $6 ~7 [l](http://x.example) "
    "www.x.example j@x.example :smile:\r\n::error file=x::pwned\n%0A\u202egnp.\x07\x1b[31m\ud83d\ufffe\u2028"
)

GATES = """\
suite: ci.yaml
baseline: baselines/ci.json
defaults: {max_drop: 10pp}
gates:
  - task: mini_choice
"""


@dataclass(frozen=True)
class Runs:
    """Sealed runs of scripted models over mini_choice, and a baseline's file of the first."""

    folder: Path
    right: Path
    forgetful: Path
    lost: Path
    baseline: Path
    file: Path

    def report(
        self, candidate: Path, baseline: Path | None = None, *, rules: str = GATES
    ) -> tuple[GateReport, Pairing]:
        """What the gates of `rules` say of a run."""
        self.file.write_text(rules, encoding="utf-8")
        located = read_gate_file(self.file)
        known = circumstances_of(located, "2026-01-01")
        return gate(located, baseline or self.baseline, open_side(candidate), known)


def make_runs(folder: Path) -> Runs:
    """One run of each model of `gate_models`."""
    paths = {}
    for name in ("right", "forgetful", "lost"):
        arguments = f"run --model scripted --model_args function=gate_models:{name},name={name} --tasks mini_choice"
        assert main([*arguments.split(), "--output_path", str(folder / name)]) == 0
        (paths[name],) = (folder / name).iterdir()
    baseline = folder / "baselines" / "ci.json"
    assert main(["baseline", "set", str(paths["right"]), "--reason", "for tests", "--output", str(baseline)]) == 0
    return Runs(folder, **paths, baseline=baseline, file=folder / "gate.yaml")


def difference(gain: float, *, n: int = 200, name: str = "task") -> Difference:
    """A difference of right/wrong items with made-up bounds."""
    return Difference(
        name=name, kind="task", family="family", language="ar", metric="acc", protocol="p1", signature="v1",
        tasks=(name,), baseline=0.8, candidate=0.8 + gain, difference=gain, stderr=0.01, low=gain - 0.02,
        high=gain + 0.02, least_gain=gain - 0.017, most_gain=gain + 0.017, interval="tango", p_worse=0.01, p_value=0.02,
        test="mcnemar-exact", n=n, num_clusters=n, num_even_clusters=float(n), num_left_out=0, variance=0.02,
        num_gained=2, num_lost=2 - round(gain * n), scale=100.0,
    )  # fmt: skip


def result(name: str, verdict: str, **changes: object) -> GateResult:
    """A gate of a verdict."""
    made = GateResult(
        name=name, kind="drop", line=7, family="family", language="ar", metric="acc", tasks=("task",),
        verdict=verdict, reason=f"why {name}", margin=0.02, difference=difference(-0.05), p_adjusted=0.01,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def report_of(*gates: GateResult, verdict: str = "fail", word: str = "word") -> GateReport:
    """A report of `gates` that has `word` in all of its own fields."""
    side = SideSummary(label=word, run_id="0" * 16, model=word, status="complete")
    return GateReport(
        schema=1, file=word, verdict=verdict, exit_code=1, alpha=0.05, correction="holm", baseline=side,
        candidate=side, baseline_reason=word, gates=gates, flips=(),
        refused=(Refusal(task=word, metric=word, reasons=(word,)),), warnings=(word,),
    )  # fmt: skip


def every_standing(word: str = "") -> GateReport:
    """One gate of each standing, `word` added to names, metrics and reasons."""
    waiver = Waiver(gate="*", reason=f"known {word}", by="someone", expires="2099-01-01")
    gates = (
        result("passes", "pass", difference=difference(0.01)),
        result("fails", "fail"),
        result("waived", "fail", waiver=waiver),
        result("warns", "fail", blocks=False),
        result("open", "inconclusive"),
        result("strict", "inconclusive", is_strict=True),
        result("broken", "error", difference=None, margin=None, p_adjusted=None),
        result("softly broken", "error", difference=None, margin=None, p_adjusted=None, blocks=False),
        result("level", "fail", kind="level", difference=None, margin=None, p_adjusted=None, at_least=0.9,
               level=Level(value=0.8, low=0.75, high=0.85, n=300, scale=100.0)),
        result("clock", "fail", kind="clock", difference=None, margin=None, p_adjusted=None, at_least=90.0,
               blocks=False, level=Level(value=80.5, low=None, high=None, n=None, baseline=100.0)),
    )  # fmt: skip
    hostile = [
        msgspec.structs.replace(one, name=one.name + word, metric=one.metric + word, reason=one.reason + word,
                                language=one.language + word, family=one.family + word)
        for one in gates
    ]  # fmt: skip
    return report_of(*hostile, word=word or "word")
