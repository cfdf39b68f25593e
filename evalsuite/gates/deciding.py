"""From a pairing and a gate file to a report: chances adjusted together, verdicts, and what follows of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from evalsuite.comparability import circumstances
from evalsuite.comparing.comparison import refusal_of, summary_of
from evalsuite.comparing.pairing import Pairing
from evalsuite.errors import EXIT_GATE_FAILED, EXIT_INCOMPLETE, EXIT_INCONCLUSIVE, EXIT_OK, NothingSelected
from evalsuite.gates import wording
from evalsuite.gates.flipping import gated_flips
from evalsuite.gates.gate_file import Located, Rule, listed
from evalsuite.gates.levels import decide_level
from evalsuite.gates.measuring import Circumstances, Measured, is_on_loss, margin_for, measure
from evalsuite.gates.records import GATE_SCHEMA, GateReport, GateResult, result_of
from evalsuite.gates.selecting import Gate, Idle, gates_of
from evalsuite.stats.differences import mean_of_groups
from evalsuite.stats.gate_rules import FEWEST_CLUSTERS, Verdict, items_to_pass, right_or_wrong_to_pass, verdict_of
from evalsuite.stats.paired_tests import holm

MACRO = "mean of all gates"


def evaluate(located: Located, pairing: Pairing, known: Circumstances) -> GateReport:
    """The report. Raises ConfigError for a rule that cannot be, NothingSelected where no rule finds a task."""
    gates, idle = gates_of(located, pairing)
    if not gates:
        raise NothingSelected(f"{located.path}: none of its gates matches a task of either run.")
    defaults = located.file.defaults
    measured: list[Measured] = []
    results: dict[int, GateResult] = {}
    for index, gate in enumerate(gates):
        found = (
            measure(gate, located, pairing, known) if is_on_loss(gate) else decide_level(gate, located, pairing, known)
        )
        if isinstance(found, Measured):
            measured.append(found)
        else:
            results[index] = result_of(gate, "drop", "error", found) if isinstance(found, str) else found
    chances = _adjusted(measured, defaults.correction)
    by_gate = {one.gate: _decided(one, chance, located, len(measured)) for one, chance in
               zip(measured, chances, strict=True)}  # fmt: skip
    every = [(gate.rule, results.get(index) or by_gate[gate]) for index, gate in enumerate(gates)]
    every += [(one.rule, _idle(one)) for one in idle]
    is_whole = all(index not in results for index, gate in enumerate(gates) if is_on_loss(gate))
    every += [(Rule(), found) for found in _macro(located, measured, is_whole=is_whole)]
    return _report(located, pairing, known, [_settled(found, rule, located, known) for rule, found in every])


def _adjusted(measured: Sequence[Measured], correction: str) -> tuple[float, ...]:
    chances = [one.difference.p_worse for one in measured]
    return holm(chances) if correction == "holm" else tuple(chances)


def _decided(one: Measured, p_adjusted: float, located: Located, num_gates: int) -> GateResult:
    alpha = located.file.defaults.alpha
    difference, margin = one.difference, one.margin
    verdict = verdict_of(difference, margin, p_adjusted, alpha)
    needed = None
    if verdict == "fail":
        reason = wording.failed(difference, p_adjusted, num_gates)
    elif verdict == "pass":
        reason = wording.passed(difference, margin)
    else:
        needed = _needed(one, alpha)
        reason = wording.undecided(difference, margin, needed)
    found = result_of(one.gate, "drop", verdict, reason)
    return msgspec.structs.replace(found, difference=difference, margin=margin, p_adjusted=p_adjusted, needed=needed)


def _needed(one: Measured, alpha: float) -> int | None:
    """The items that would tell, were nothing changed; None where what one item varies is not known."""
    found = one.difference
    if found.variance is None:
        return None
    if found.interval == "tango" and found.num_gained is not None and found.num_lost is not None:
        share = (found.num_gained + found.num_lost) / found.n
        return right_or_wrong_to_pass(share, one.margin, alpha=alpha) if one.margin < one.span else None
    design = found.n / found.num_clusters
    needed = items_to_pass(found.variance, one.margin, alpha=alpha, span=one.span, design=design)
    return None if needed is None else max(needed, math.ceil(FEWEST_CLUSTERS * design))


def _macro(located: Located, measured: Sequence[Measured], *, is_whole: bool) -> Iterator[GateResult]:
    """The gate on the mean of all gated differences, where the file asks for one."""
    asked = located.file.aggregate.also.macro_mean
    if asked is None or not measured:
        return
    gate = Gate(MACRO, Rule(max_drop=asked.max_drop), 1, "", (), "", "")
    if not is_whole:
        yield result_of(gate, "macro", "error", "some of the gates have no difference, and so there is no mean of all")
        return
    alike = {(one.difference.scale, one.difference.higher_is_better) for one in measured}
    if len(alike) > 1:
        yield result_of(gate, "macro", "error", "the gated metrics have different units, and so no mean")
        return
    difference = mean_of_groups(MACRO, [one.group for one in measured], 1.0 - located.file.defaults.alpha)
    assert difference is not None  # every group has a difference of its own
    margin = margin_for(gate.rule, located, difference, located.path)
    if isinstance(margin, str):
        yield result_of(gate, "macro", "error", margin)
        return
    found = _decided(
        Measured(gate, measured[0].group, difference, margin, measured[0].span), difference.p_worse, located, 1
    )
    yield msgspec.structs.replace(found, kind="macro")


def _idle(one: Idle) -> GateResult:
    name = one.rule.name or " ".join((", ".join(listed(one.rule.task)), one.rule.metric)).strip()
    gate = Gate(name, one.rule, one.line, one.rule.metric, (), "", "")
    return result_of(gate, "drop", "error", one.reason)


# -- what follows


def _settled(result: GateResult, rule: Rule, located: Located, known: Circumstances) -> GateResult:
    """The gate with what its rule, the defaults and waivers make of it; a clock only warns unless told otherwise."""
    defaults = located.file.defaults
    waiver = next((one for one in known.waivers if fnmatchcase(result.name, one.gate) and known.today <= one.expires),
                  None)  # fmt: skip
    is_strict = known.is_strict or (rule.on_inconclusive or defaults.on_inconclusive) == "fail"
    blocks = (rule.on_regression or ("warn" if result.kind == "clock" else defaults.on_regression)) == "fail"
    if result.verdict == "error":
        blocks = defaults.on_missing == "fail" and result.kind != "clock"
    return msgspec.structs.replace(
        result, is_strict=is_strict, blocks=blocks, waiver=waiver if result.verdict == "fail" else None
    )


def _report(located: Located, pairing: Pairing, known: Circumstances, gates: Sequence[GateResult]) -> GateReport:
    touched = {task for gate in gates for task in gate.tasks}
    flips, num_more = gated_flips(gates, pairing)
    verdict, code = verdict_of_all(gates)
    return GateReport(
        schema=GATE_SCHEMA,
        file=located.path,
        verdict=verdict,
        exit_code=code,
        alpha=located.file.defaults.alpha,
        correction=located.file.defaults.correction,
        baseline=summary_of(pairing.baseline),
        candidate=summary_of(pairing.candidate),
        baseline_reason=known.reason,
        gates=tuple(gates),
        flips=flips,
        num_flips_left_out=num_more,
        refused=tuple(refusal_of(one) for one in pairing.refused if one.task in touched),
        warnings=(
            *circumstances(pairing.baseline.spec, pairing.candidate.spec),
            *_not_gated(pairing, touched),
            *_expired(known, gates),
        ),
    )


def _not_gated(pairing: Pairing, touched: set[str]) -> Iterator[str]:
    names = [name for name in pairing.added if name not in touched]
    if names:
        yield f"not gated, since the baseline has none of it: {', '.join(names)}"


def _expired(known: Circumstances, gates: Sequence[GateResult]) -> Iterator[str]:
    for one in known.waivers:
        if one.expires < known.today:
            yield f"the waiver of {one.gate} by {one.by} ran out on {one.expires}"
        elif not any(fnmatchcase(gate.name, one.gate) and gate.waiver for gate in gates):
            yield f"the waiver of {one.gate} by {one.by} is not needed: nothing that it names failed"


def verdict_of_all(gates: Sequence[GateResult]) -> tuple[Verdict, int]:
    """What the gates say together, and the exit code: all must pass (intersection-union), any failure fails."""
    if any(gate.is_failing for gate in gates):
        return "fail", EXIT_GATE_FAILED
    if any(gate.verdict == "error" and gate.blocks for gate in gates):
        return "error", EXIT_INCOMPLETE
    open_gates = [gate for gate in gates if gate.verdict == "inconclusive"]
    if open_gates:
        return "inconclusive", EXIT_INCONCLUSIVE if any(gate.is_strict for gate in open_gates) else EXIT_OK
    return "pass", EXIT_OK
