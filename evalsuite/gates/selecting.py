"""Which tasks each rule of a gate file is about, and how they are grouped into gates. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import TaskSide
from evalsuite.gates.gate_file import Located, Per, Rule, listed
from evalsuite.types import Flag

CLOCKS = ("tokens_per_second",)
RATES = (*(f"{flag}_rate" for flag in Flag), "unscored_rate")


@dataclass(frozen=True)
class Gate:
    """A rule applied to the tasks of one group; for a clock to none in particular."""

    name: str
    rule: Rule
    line: int
    metric: str
    tasks: tuple[str, ...]
    family: str
    language: str

    @property
    def is_relative(self) -> bool:
        """Whether it is about a loss against the baseline."""
        return self.rule.min is None and self.rule.max is None and self.metric not in CLOCKS


def gates_of(located: Located, pairing: Pairing) -> tuple[list[Gate], list[tuple[Rule, int]]]:
    """The gates in the order of their rules, and the rules that match no task of either side.

    Of several rules about a loss of one metric on one task the first is taken, so that exceptions stand before ``*``.
    """
    gates: list[Gate] = []
    idle: list[tuple[Rule, int]] = []
    taken: set[tuple[str, str]] = set()
    for rule, line in zip(located.file.gates, located.lines, strict=True):
        found = list(_gates(rule, line, rule.per or located.file.defaults.per, pairing, taken))
        if not found and not _matching(rule, pairing):
            idle.append((rule, line))
        gates += found
    return gates, idle


def _gates(rule: Rule, line: int, per: Per, pairing: Pairing, taken: set[tuple[str, str]]) -> Iterator[Gate]:
    if rule.metric in CLOCKS:
        yield Gate(rule.name or rule.metric, rule, line, rule.metric, (), "", "")
        return
    is_relative = rule.min is None and rule.max is None
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name in _matching(rule, pairing):
        side = _side(pairing, name)
        metric = rule.metric or _headline(side)
        if not metric or (rule.metric and rule.metric not in RATES and rule.metric not in side.columns):
            continue
        if is_relative and (name, metric) in taken:
            continue
        if is_relative:
            taken.add((name, metric))
        groups.setdefault(_group(name, side, per if is_relative else "task", metric), []).append(name)
    for (label, language, metric), names in groups.items():
        family = _side(pairing, names[0]).spec.family
        shown = label if metric == _headline(_side(pairing, names[0])) else f"{label} {metric}"
        yield Gate(rule.name or shown, rule, line, metric, tuple(names), family, language)


def _group(name: str, side: TaskSide, per: Per, metric: str) -> tuple[str, str, str]:
    """The gate's name, its language and metric."""
    language, family = side.summary.language, side.spec.family
    if per == "task":
        return name, language, metric
    if per == "family":
        return family, "", metric
    return f"{family} {language}".strip(), language, metric


def _headline(side: TaskSide) -> str:
    return next((name for name, column in side.columns.items() if column.estimate.is_primary), "")


def _side(pairing: Pairing, task: str) -> TaskSide:
    return pairing.candidate.tasks.get(task) or pairing.baseline.tasks[task]


def _matching(rule: Rule, pairing: Pairing) -> list[str]:
    """The tasks that a rule is about: of the baseline, and for what is not held against it of the candidate."""
    is_relative = rule.min is None and rule.max is None
    names = list(pairing.baseline.tasks) if is_relative else list(pairing.candidate.tasks)
    languages = listed(rule.lang)
    return [
        name
        for name in names
        if _matches(name, _side(pairing, name), listed(rule.task))
        and (not languages or _side(pairing, name).summary.language in languages)
    ]


def _matches(name: str, side: TaskSide, patterns: Sequence[str]) -> bool:
    names = (name, name.partition(":")[0], side.spec.family)
    return any(fnmatchcase(one, pattern) for one in names for pattern in patterns)
