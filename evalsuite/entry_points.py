"""What installed packages offer evalsuite by entry points, by whom, and what of it cannot be used.

Metadata are read first: of two packages that offer one name, and of a package written for another evalsuite, nothing is
imported. A plugin that is broken is so only for whoever asks for it by name; the others never notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import evalsuite
from evalsuite.errors import EvalsuiteError

OWN = "evalsuite"
"""The package whose entry points are the built-in tasks, judges, engines and reports."""


class PluginBroken(EvalsuiteError):
    """A plugin cannot be used; only raised when it is asked for, and names its package and that one's version."""


@cache
def offers(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """By name what packages offer under `group`: one entry point, or one for each package that claims the name."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=group):
        known = found.get(entry.name, ())
        if all(entry.value != other.value for other in known):
            found[entry.name] = (*known, entry)
    return {name: tuple(sorted(claims, key=package)) for name, claims in found.items()}


def package(entry: EntryPoint) -> str:
    """The package that offers `entry`, with its version: ``my-tasks 1.0``."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def is_own(entry: EntryPoint) -> bool:
    """Whether it came with evalsuite itself."""
    return entry.dist is not None and entry.dist.name == OWN


def packages(group: str, name: str) -> str:
    """Who offers a name: a package, or ``a 1.0 and b 2.0``; empty where nobody does."""
    return " and ".join(map(package, offers(group).get(name, ())))


def described(group: str, name: str) -> str:
    """A plugin as messages call it: ``judge 'polite' of my-judges 1.0``."""
    kind = group.rpartition(".")[2].removesuffix("s")
    owners = packages(group, name)
    return f"{kind} {name!r} of {owners}" if owners else f"{kind} {name!r}"


def load_offer(group: str, name: str) -> Any:
    """The object behind a name that is offered.

    Raises PluginBroken where several packages claim it, where its package needs another evalsuite, where its module
    cannot be imported or where the entry point names nothing in it.
    """
    claims = offers(group)[name]
    if len(claims) > 1:
        kind = group.rpartition(".")[2].removesuffix("s")
        raise PluginBroken(f"{kind} {name!r} is offered by {packages(group, name)}; uninstall all but one.")
    (entry,) = claims
    _check_needs(entry, described(group, name))
    try:
        return entry.load()
    except (Exception, SystemExit) as error:  # a stranger's module may do anything; it must not take the others down
        raise PluginBroken(f"{described(group, name)} ({entry.value}) cannot be loaded: {told(error)}") from error


def _check_needs(entry: EntryPoint, who: str) -> None:
    """Raise PluginBroken unless the package's metadata allow this evalsuite."""
    if entry.dist is None or is_own(entry):
        return
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for text in entry.dist.requires or ():
        try:
            needed = Requirement(text)
        except InvalidRequirement:  # some other package's, in a spelling of its own
            continue
        is_meant = canonicalize_name(needed.name) == OWN and (
            needed.marker is None or needed.marker.evaluate({"extra": ""})
        )
        if is_meant and not needed.specifier.contains(evalsuite.__version__, prereleases=True):
            raise PluginBroken(
                f"{who} needs evalsuite{needed.specifier}, and this is {evalsuite.__version__}; "
                f"install that evalsuite, or another version of {entry.dist.name}."
            )


@contextmanager
def blaming(group: str, name: str, what: str) -> Iterator[None]:
    """Turn whatever a plugin's own function raises into PluginBroken; evalsuite's own errors pass as they are.

    `what` names the function, as in ``build()``.
    """
    try:
        yield
    except EvalsuiteError:
        raise
    except (Exception, SystemExit) as error:  # a plugin that ends the program would end it as if all had gone well
        raise PluginBroken(f"{described(group, name)}: {what} raised {told(error)}") from error


def told(error: BaseException) -> str:
    """An error in one line: ``KeyError: 'question'``."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
