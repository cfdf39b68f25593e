"""The catalogue: what is installed under evalsuite's entry-point groups. Built-ins come through the same door."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from evalsuite.contracts import Catalogue, Family, Judge, Report, Suite, TaskInfo
from evalsuite.entry_points import (
    PluginBroken,
    blaming,
    described,
    is_own,
    load_offer,
    offers,
    packages,
)
from evalsuite.errors import UnknownName, UsageError

TASKS = "evalsuite.tasks"
SUITES = "evalsuite.suites"
JUDGES = "evalsuite.judges"
CARDS = "evalsuite.cards"
ENGINES = "evalsuite.engines"
REPORTS = "evalsuite.reports"
CATALOGUES = "evalsuite.catalogues"

T = TypeVar("T", Catalogue, Family, Judge, Report, Suite)


@dataclass(frozen=True)
class TaskChoice:
    """A task picked by the user: the family that builds it, its full name, and the protocol a suite gives it."""

    family: Family
    name: str
    protocol: str | None = None


@dataclass(frozen=True)
class Broken:
    """A plugin that is installed and cannot be used: its name, the package or packages that offer it, and why not."""

    name: str
    package: str
    reason: str


@cache
def names(group: str) -> tuple[str, ...]:
    """Installed names of a group, those of broken plugins too; nothing is imported."""
    return tuple(sorted(offers(group)))


@cache
def load(group: str, name: str) -> Any:
    """The object behind a name. Raises UnknownName, or PluginBroken naming the package and its version."""
    if name not in offers(group):
        kind = group.rpartition(".")[2].removesuffix("s")
        raise UnknownName(kind, name, offers(group), f"`evalsuite list {kind}s` shows all.")
    return load_offer(group, name)


def _load_as(kind: type[T], group: str, name: str) -> T:
    """The object behind a name, of the kind that its group is for, under its own name."""
    loaded = load(group, name)
    if not isinstance(loaded, kind):
        raise PluginBroken(f"{described(group, name)} is a {type(loaded).__name__}, not an evalsuite {kind.__name__}.")
    if loaded.name != name:
        raise PluginBroken(
            f"{described(group, name)}: its {kind.__name__} calls itself {loaded.name!r}; its entry point and its "
            "name must be the same."
        )
    return loaded


def family(name: str) -> Family:
    """The family registered under `name`. Raises UnknownName or PluginBroken."""
    found = _load_as(Family, TASKS, name)
    if not found.members or not all(isinstance(member, TaskInfo) for member in found.members):
        raise PluginBroken(f"{described(TASKS, name)}: its members must be TaskInfo, at least one.")
    for member in found.members:
        is_named_by_it = member.name == name or member.name.startswith(name + "_")
        if not is_named_by_it and not _came_with_us(TASKS, name):  # so that no two packages have a task of one name
            raise PluginBroken(
                f"{described(TASKS, name)}: the name of its member {member.name!r} must be {name!r}, or begin with "
                f"'{name}_'."
            )
    return found


def _came_with_us(group: str, name: str) -> bool:
    return all(map(is_own, offers(group).get(name, ())))


def judge(name: str) -> Judge:
    """The judge registered under `name`. Raises UnknownName or PluginBroken."""
    return _load_as(Judge, JUDGES, name)


def catalogue(name: str) -> Catalogue:
    """The catalogue registered under `name`. Raises UnknownName or PluginBroken."""
    return _load_as(Catalogue, CATALOGUES, name)


@cache
def catalogue_tasks(name: str) -> tuple[TaskInfo, ...]:
    """All tasks of a catalogue. Raises UnknownName, or PluginBroken where it cannot tell them."""
    with blaming(CATALOGUES, name, "tasks()"):
        found = tuple(catalogue(name).tasks())
    if not all(isinstance(info, TaskInfo) for info in found):
        raise PluginBroken(f"{described(CATALOGUES, name)}: its tasks() must be TaskInfo.")
    return found


def report(name: str) -> Report:
    """The report registered under `name`. Raises UnknownName or PluginBroken."""
    return _load_as(Report, REPORTS, name)


def open_engine_of(name: str) -> Callable[..., Any]:
    """The function that opens the engine registered under `name`. Raises UnknownName or PluginBroken."""
    found = load(ENGINES, name)
    if not callable(found):
        raise PluginBroken(f"{described(ENGINES, name)} is a {type(found).__name__}, not a function of EngineOptions.")
    opened: Callable[..., Any] = found
    return opened


@cache
def broken(group: str) -> tuple[Broken, ...]:
    """The plugins of a group that cannot be used. Those of strangers are imported for it, of this group alone."""
    checks: dict[str, Callable[[str], object]] = {
        TASKS: family, SUITES: _suite, JUDGES: judge, ENGINES: open_engine_of, REPORTS: report,
        CATALOGUES: catalogue_tasks,
    }  # fmt: skip
    found = []
    for name in names(group):
        if _came_with_us(group, name):
            continue
        try:
            checks[group](name)
        except PluginBroken as error:
            found.append(Broken(name, packages(group, name), str(error)))
    return tuple(found)


def judges() -> tuple[Judge, ...]:
    """Every judge that loads, by name."""
    found = []
    for name in names(JUDGES):
        try:
            found.append(judge(name))
        except PluginBroken:
            continue
    return tuple(found)


def suites() -> tuple[Suite, ...]:
    """Every suite that loads, by name."""
    found = []
    for name in names(SUITES):
        try:
            found.append(_suite(name))
        except PluginBroken:
            continue
    return tuple(found)


def _suite(name: str) -> Suite:
    return _load_as(Suite, SUITES, name)


def all_tasks() -> tuple[TaskInfo, ...]:
    """Every task of every family that loads, by name."""
    return tuple(sorted((info for whole in _families() for info in whole.members), key=lambda info: info.name))


def all_catalogue_tasks() -> tuple[TaskInfo, ...]:
    """Every task of every catalogue that loads: thousands, whose names are read from other tools' files."""
    found: list[TaskInfo] = []
    for name in names(CATALOGUES):
        try:
            found += catalogue_tasks(name)
        except PluginBroken:
            continue
    return tuple(found)


def _families() -> Iterator[Family]:
    """Every family that loads."""
    for name in names(TASKS):
        try:
            yield family(name)
        except PluginBroken:
            continue


def choose_tasks(wanted: list[str], *, is_protocol_given: bool = False) -> tuple[TaskChoice, ...]:
    """The tasks behind names as users write them: a suite, a family, a member, or ``name:category``.

    Repeats count once. Raises UsageError for a task that two suites want under two protocols, unless the user's own
    stands in place of both; and for one that two families of a catalogue's share, since a run holds it once, and the
    mean of one of them would lack it.
    """
    chosen: dict[str, TaskChoice] = {}
    for name in wanted:
        for choice in _choose(name):
            known = chosen.setdefault(choice.name, choice)
            if known.family.name != choice.family.name:
                raise UsageError(
                    f"--tasks: {choice.name} is in {known.family.name} and in {choice.family.name}; ask for them in "
                    "runs of their own."
                )
            if known.protocol != choice.protocol and not is_protocol_given:
                both = " and ".join(str(one.protocol or "its own protocol") for one in (known, choice))
                raise UsageError(f"--tasks asks for {choice.name} under {both}; a run holds it once.")
    return tuple(chosen.values())


_PREFIX = re.compile(r"([A-Za-z0-9_-]+)[:.](.+)", re.DOTALL)


def _choose(name: str) -> list[TaskChoice]:
    prefixed = _PREFIX.fullmatch(name)
    if prefixed and prefixed[1] in names(CATALOGUES):
        return _choose_from(prefixed[1], prefixed[2])
    if name in names(SUITES):
        if name in names(TASKS):
            both = f"{described(SUITES, name)} and {described(TASKS, name)}"
            raise PluginBroken(f"--tasks {name} may mean {both}; uninstall one of their packages.")
        suite = _suite(name)
        members = [choice for member in suite.families for choice in _choose(member)]
        return [replace(choice, protocol=suite.protocol) for choice in members]
    if name in names(TASKS):
        whole = family(name)
        return [TaskChoice(whole, member.name) for member in whole.members]
    base, _, category = name.partition(":")
    return _with_category(_family_with(base), base, category)


def _choose_from(name: str, wanted: str) -> list[TaskChoice]:
    """The tasks behind a name of a catalogue's. Raises PluginBroken where its prefix is a family's name too."""
    if name in names(TASKS):
        both = f"{described(CATALOGUES, name)} and {described(TASKS, name)}"
        raise PluginBroken(f"--tasks {name}:{wanted} may mean {both}; uninstall one of their packages.")
    with blaming(CATALOGUES, name, "choose()"):
        return [TaskChoice(owner, member) for owner, member in catalogue(name).choose(wanted)]


def _family_with(task: str) -> Family:
    """The family that has a task of this name. Raises UnknownName, or PluginBroken where that family is broken.

    Families whose name begins the task's are asked first, so that the others are not imported for it.
    """
    trouble: PluginBroken | None = None
    likely: list[Family] = []
    for name in names(TASKS):
        if task == name or task.startswith(name + "_"):
            try:
                likely.append(family(name))
            except PluginBroken as error:  # another one may have it: the names alone do not tell
                trouble = trouble or error
    owners = [whole for whole in likely if _has(whole, task)] or [whole for whole in _families() if _has(whole, task)]
    if len(owners) > 1:
        both = " and of ".join(described(TASKS, owner.name) for owner in owners)
        raise PluginBroken(f"{task} is a member of {both}; uninstall all but one.")
    if owners:
        return owners[0]
    if trouble is not None:
        raise trouble
    known = [info.name for info in all_tasks()] + list(names(TASKS)) + list(names(SUITES))
    raise UnknownName("task", task, known, "`evalsuite list tasks` shows all.")


def _has(whole: Family, task: str) -> bool:
    return task == whole.name or any(task == member.name for member in whole.members)


def _with_category(owner: Family, base: str, category: str) -> list[TaskChoice]:
    members = [member.name for member in owner.members] if base == owner.name else [base]
    suffix = f":{category}" if category else ""
    return [TaskChoice(owner, member + suffix) for member in members]
