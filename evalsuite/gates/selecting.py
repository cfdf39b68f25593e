"""Which tasks each rule of a gate file is about, and how they are grouped into gates. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import TaskSide
from evalsuite.errors import nearest
from evalsuite.gates.gate_file import CLOCKS, RATES, Located, Per, Rule, listed

_LISTED = 12
"""So many names are told of what there is."""


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


@dataclass(frozen=True)
class Idle:
    """A rule, or a part of it, that comes to no gate, and why."""

    rule: Rule
    line: int
    reason: str


def gates_of(located: Located, pairing: Pairing) -> tuple[list[Gate], list[Idle]]:
    """The gates in the order of their rules, and what comes to none.

    Of several rules about a loss of one metric on one task the first is taken, so that exceptions stand before ``*``. A
    task that only one side has, or has a score of, is gated all the same: that it cannot be evaluated must be said.
    """
    gates: list[Gate] = []
    idle: list[Idle] = []
    taken: set[tuple[str, str]] = set()
    for rule, line in zip(located.file.gates, located.lines, strict=True):
        asked = _asked(rule, pairing)
        left = [one for one in asked if one not in taken] if is_relative(rule) else asked
        gates += _gates(rule, line, rule.per or located.file.defaults.per, pairing, left)
        where = f"{located.path}, line {line}"
        idle += [Idle(rule, line, f"{where} {reason}") for reason in _idle(rule, pairing, asked, left)]
        if is_relative(rule):
            taken |= set(asked)
    return gates, idle


def _idle(
    rule: Rule, pairing: Pairing, asked: Sequence[tuple[str, str]], left: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Why a rule does nothing, or nothing in one of its languages."""
    if rule.metric in CLOCKS:
        return
    if not asked:
        yield f"matches no task of either run{_known(rule, pairing)}"
    elif not left:
        yield "never applies: rules above it take all of its tasks"
    else:
        known = {_side(pairing, name).summary.language for name, _ in asked}
        for language in listed(rule.lang):
            if language not in known:
                there = ", ".join(sorted(filter(None, known)))
                yield f"names the language {language}, in which there is no such task; there are {there or 'none'}"


def _known(rule: Rule, pairing: Pairing) -> str:
    """What `rule` could have named: tasks and families, or of the tasks that it names the metrics."""
    runs = (pairing.baseline,) if is_relative(rule) else (pairing.baseline, pairing.candidate)
    sides = [side for one in runs for side in one.tasks.values()]
    matching = [side for side in sides if _matches(side.spec.name, side, listed(rule.task))]
    if not matching:
        return _instead("", listed(rule.task), [name for side in sides for name in (side.spec.family, side.spec.name)])
    languages = listed(rule.lang)
    spoken = [side for side in matching if not languages or side.summary.language in languages]
    if not spoken:
        return _instead(" in that language", languages, [side.summary.language for side in matching])
    metrics = [metric for side in spoken for metric in side.columns]
    return _instead(f" with the metric {rule.metric!r}", (rule.metric,), [*metrics, *RATES, *CLOCKS])


def _instead(lacking: str, asked: Sequence[str], known: Sequence[str]) -> str:
    """What is lacking, the nearest of what there is, and the first of it all."""
    names = [name for name in dict.fromkeys(known) if name]
    near = next(filter(None, (nearest(one, names) for one in asked)), None)
    guess = f"did you mean {near!r}? There" if near else "there"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{lacking}; {guess} are {', '.join(names[:_LISTED])}{more}"


def is_relative(rule: Rule) -> bool:
    """Whether a rule is about a loss against the baseline."""
    return rule.min is None and rule.max is None and rule.metric not in CLOCKS


def _asked(rule: Rule, pairing: Pairing) -> list[tuple[str, str]]:
    """The tasks that a rule is about, each with its metric; none that no side measures by that metric."""
    asked = []
    for name in _matching(rule, pairing):
        sides = [side.tasks[name] for side in (pairing.baseline, pairing.candidate) if name in side.tasks]
        known = {metric for side in sides for metric in side.columns}
        headline = next(filter(None, map(_headline, sides)), "")
        if not rule.metric or rule.metric in RATES or rule.metric in known:
            asked.append((name, rule.metric or headline))
    return asked


def _gates(rule: Rule, line: int, per: Per, pairing: Pairing, asked: Sequence[tuple[str, str]]) -> Iterator[Gate]:
    if rule.metric in CLOCKS:
        yield Gate(rule.name or rule.metric, rule, line, rule.metric, (), "", "")
        return
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name, metric in asked:
        side = _side(pairing, name)
        groups.setdefault(_group(name, side, per if is_relative(rule) else "task", metric), []).append(name)
    for (label, language, metric), names in groups.items():
        side = _side(pairing, names[0])
        shown = label if metric in ("", _headline(side)) else f"{label} {metric}"
        yield Gate(rule.name or shown, rule, line, metric, tuple(names), side.spec.family, language)


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
    return pairing.baseline.tasks.get(task) or pairing.candidate.tasks[task]


def _matching(rule: Rule, pairing: Pairing) -> list[str]:
    """The tasks that a rule names: the baseline's, and of rules about values of their own the candidate's too."""
    names = dict.fromkeys(pairing.baseline.tasks)
    if not is_relative(rule):
        names |= dict.fromkeys(pairing.candidate.tasks)
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
