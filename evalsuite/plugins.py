"""The catalogue: what is installed under evalsuite's entry-point groups. Built-ins come through the same door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evalsuite.contracts import Catalogue, Family, Judge, Suite, TaskInfo
from evalsuite.errors import EvalsuiteError, UnknownName, UsageError

TASKS = "evalsuite.tasks"
SUITES = "evalsuite.suites"
JUDGES = "evalsuite.judges"
CARDS = "evalsuite.cards"
ENGINES = "evalsuite.engines"
REPORTS = "evalsuite.reports"
CATALOGUES = "evalsuite.catalogues"


class PluginBroken(EvalsuiteError):
    """A plugin cannot be imported; only raised when it is asked for."""


@dataclass(frozen=True)
class TaskChoice:
    """A task picked by the user: the family that builds it, its full name, and the protocol a suite gives it."""

    family: Family
    name: str
    protocol: str | None = None


@cache
def names(group: str) -> tuple[str, ...]:
    """Installed names of a group. Raises UsageError when two distributions claim one."""
    return tuple(sorted(_entries(group)))


@cache
def load(group: str, name: str) -> Any:
    """The object behind a name. Raises UnknownName, or PluginBroken naming the distribution."""
    entries = _entries(group)
    if name not in entries:
        kind = group.rpartition(".")[2].removesuffix("s")
        raise UnknownName(kind, name, entries, f"`evalsuite list {kind}s` shows all.")
    entry = entries[name]
    try:
        return entry.load()
    except Exception as error:  # a stranger's module may raise anything; it must not take the others down
        raise PluginBroken(
            f"plugin {name!r} of {_owner(entry)} cannot be loaded: {type(error).__name__}: {error}"
        ) from error


@cache
def _entries(group: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        if entry.name in found and found[entry.name].value != entry.value:
            owners = f"{_owner(found[entry.name])} and {_owner(entry)}"
            raise UsageError(f"{group} {entry.name!r} is claimed by {owners}; uninstall one of them.")
        found[entry.name] = entry
    return found


def _owner(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"


def family(name: str) -> Family:
    """The family registered under `name`."""
    loaded = load(TASKS, name)
    if not isinstance(loaded, Family):
        raise PluginBroken(f"plugin {name!r} is a {type(loaded).__name__}, not an evalsuite Family.")
    return loaded


def judge(name: str) -> Judge:
    """The judge registered under `name`."""
    loaded = load(JUDGES, name)
    if not isinstance(loaded, Judge):
        raise PluginBroken(f"plugin {name!r} is a {type(loaded).__name__}, not an evalsuite Judge.")
    return loaded


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
    loaded = load(SUITES, name)
    if not isinstance(loaded, Suite):
        raise PluginBroken(f"plugin {name!r} is a {type(loaded).__name__}, not an evalsuite Suite.")
    return loaded


def all_tasks() -> tuple[TaskInfo, ...]:
    """Every task of every family that loads, by name."""
    return tuple(sorted((info for whole in _families() for info in whole.members), key=lambda info: info.name))


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
    stands in place of both.
    """
    chosen: dict[str, TaskChoice] = {}
    for name in wanted:
        for choice in _choose(name):
            known = chosen.setdefault(choice.name, choice)
            if known.protocol != choice.protocol and not is_protocol_given:
                both = " and ".join(str(one.protocol or "its own protocol") for one in (known, choice))
                raise UsageError(f"--tasks asks for {choice.name} under {both}; a run holds it once.")
    return tuple(chosen.values())


def catalogue(name: str) -> Catalogue:
    """The catalogue registered under `name`."""
    loaded = load(CATALOGUES, name)
    if not isinstance(loaded, Catalogue):
        raise PluginBroken(f"plugin {name!r} is a {type(loaded).__name__}, not an evalsuite Catalogue.")
    return loaded


_PREFIX = re.compile(r"([A-Za-z0-9_-]+)[:.](.+)", re.DOTALL)


def _choose(name: str) -> list[TaskChoice]:
    prefixed = _PREFIX.fullmatch(name)
    if prefixed and prefixed[1] in names(CATALOGUES):
        return [TaskChoice(owner, member) for owner, member in catalogue(prefixed[1]).choose(prefixed[2])]
    if name in names(SUITES):
        suite = _suite(name)
        members = [choice for member in suite.families for choice in _choose(member)]
        return [replace(choice, protocol=suite.protocol) for choice in members]
    if name in names(TASKS):
        whole = family(name)
        return [TaskChoice(whole, member.name) for member in whole.members]
    base = name.partition(":")[0]
    for family_name in sorted(names(TASKS), key=len, reverse=True):
        if base == family_name or base.startswith((family_name + "_", family_name + ":")):
            owner = family(family_name)
            if base in {family_name} | {member.name for member in owner.members}:
                return _with_category(owner, base, name.partition(":")[2])
    for owner in _families():  # a family may have members of other names than its own
        if base in {member.name for member in owner.members}:
            return _with_category(owner, base, name.partition(":")[2])
    known = [info.name for info in all_tasks()] + list(names(TASKS)) + list(names(SUITES))
    raise UnknownName("task", name, known, "`evalsuite list tasks` shows all.")


def _with_category(owner: Family, base: str, category: str) -> list[TaskChoice]:
    members = [member.name for member in owner.members] if base == owner.name else [base]
    suffix = f":{category}" if category else ""
    return [TaskChoice(owner, member + suffix) for member in members]
