"""One candidate held against one baseline by one gate file: all three are read here, and handed to `deciding`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evalsuite.comparing.baselines import Baseline, read_baseline, side_of
from evalsuite.comparing.opening import find_metric, open_side
from evalsuite.comparing.pairing import Pairing, pair
from evalsuite.comparing.sides import Side
from evalsuite.errors import ConfigError, UsageError
from evalsuite.gates.anchors import judge_drift, other_judge
from evalsuite.gates.deciding import evaluate
from evalsuite.gates.gate_file import Located
from evalsuite.gates.measuring import Circumstances
from evalsuite.gates.records import GateReport
from evalsuite.gates.waivers import read_waivers


def circumstances_of(located: Located, today: str, *, is_strict: bool = False) -> Circumstances:
    """What the gate file's other files say: waivers, and anchors of a judge. Raises ConfigError or UsageError."""
    file = located.file
    waivers = read_waivers(Path(file.waivers)) if file.waivers else ()
    drift, anchors = "", None
    if file.anchors is not None:
        before, after = open_side(Path(file.anchors.baseline)), open_side(Path(file.anchors.run))
        drift, anchors = judge_drift(before, after, file.defaults.alpha, find_metric), after.spec
    return Circumstances(today=today, waivers=waivers, judge_drift=drift, anchors=anchors, is_strict=is_strict)


def baseline_side(path: Path) -> tuple[Side, Baseline | None]:
    """What gates hold a run against: a baseline's file, or another run's directory."""
    if path.is_file():
        baseline = read_baseline(path)
        return side_of(baseline, path), baseline
    if not path.exists():
        raise UsageError(f"there is no baseline at {path}; make one with `evalsuite baseline set RUN --reason TEXT`.")
    return open_side(path), None


def gate(located: Located, baseline: Path | None, candidate: Side, known: Circumstances) -> tuple[GateReport, Pairing]:
    """The report on `candidate`, and the pairing that it comes from: with itself, where no rule needs a baseline.

    Raises EvalsuiteError.
    """
    before, stored = (candidate, None) if baseline is None else baseline_side(baseline)
    if stored is not None:
        floors = stored.noise.floors if stored.noise else {}
        known = replace(known, floors=floors, reason=stored.reason)
    if known.anchors is not None and candidate.spec.judged and not known.judge_drift:
        known = replace(known, judge_drift=other_judge(known.anchors, candidate.spec))
    pairing = pair(before, candidate, find_metric)
    return evaluate(located, pairing, known), pairing


def baseline_path(located: Located, asked: Path | None) -> Path | None:
    """The baseline of the command line, else of the file; None where no rule needs one. Raises ConfigError."""
    if asked is not None:
        return asked
    if located.file.baseline is None:
        if all(rule.max_drop is None and (rule.min is not None or rule.max is not None) for rule in located.file.gates):
            return None
        raise ConfigError(f"{located.path}: no baseline; give the key 'baseline' or --baseline FILE.")
    return Path(located.file.baseline)
