"""Any of lm-eval's tasks by name, ``--tasks lm_eval:NAME``, groups and tags too, asked of our engines.

Named ``lm_eval.NAME`` here. A group is a family with the mean that lm-eval gives it, groups within it are parts of the
family with means of their own; the tasks of a tag are families by themselves, since lm-eval has no number for a tag.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from evalsuite.canonical import content_hash
from evalsuite.contracts import Catalogue, Family, Task, TaskInfo, TaskOptions
from evalsuite.errors import DataError, EvalsuiteError, UnknownName, UsageError
from evalsuite.interop.lm_eval_functions import no_code_from_elsewhere, source_of
from evalsuite.interop.lm_eval_index import (
    Entry,
    folders_of,
    lm_eval_version,
    own_folders,
    quiet,
    read_index,
    unreadable,
)
from evalsuite.interop.lm_eval_names import IMPORTED_PROTOCOL, PREFIX
from evalsuite.records import AggregateKind
from evalsuite.text.language_names import UNDETERMINED

_KINDS = {"multiple_choice": "multiple_choice", "loglikelihood": "multiple_choice", "generate_until": "generate"}


@dataclass(frozen=True)
class Leaf:
    """A task as lm-eval's files define it, not built yet: its configuration, functions resolved."""

    task_name: str
    config: Mapping[str, Any]


Group = tuple[str, AggregateKind]
"""A group's name and how lm-eval weighs its tasks."""


@dataclass(frozen=True)
class _Member:
    """A leaf, and the groups it is in below the one that was asked for."""

    leaf: Leaf
    groups: tuple[Group, ...]


def choose(name: str) -> tuple[tuple[Family, str], ...]:
    """The tasks behind one of lm-eval's names. Raises UnknownName, and UsageError for what cannot be run here."""
    entries = _entries()
    if name not in entries:
        if files := unreadable():
            raise UsageError(f"lm-eval knows no task {name}, and cannot read {'; '.join(files)}")
        raise UnknownName("lm-eval's task", name, entries, "`evalsuite list tasks --search TEXT` looks for tasks.")
    entry = entries[name]
    if entry.kind == "tag":
        return tuple(choice for member in entry.members for choice in choose(member))
    if entry.kind == "group":
        return _group(name)
    family = _family(name, (_Member(_leaf(name), ()),), ())
    return ((family, family.members[0].name),)


def listed() -> tuple[TaskInfo, ...]:
    """lm-eval's tasks, without its groups and tags."""
    return tuple(_info(entry) for entry in read_index(is_apart=True).values() if entry.kind in ("task", "python"))


@cache
def _entries() -> Mapping[str, Entry]:
    return read_index()


def _info(entry: Entry) -> TaskInfo:
    name = f"{PREFIX}{entry.name}"
    kind = _KINDS.get(entry.output_type, "perplexity" if entry.output_type else "generate")
    return TaskInfo(name, name, entry.language, kind, entry.data, "")


# -- what lm-eval's files say


@cache
def _group(name: str) -> tuple[tuple[Family, str], ...]:
    whole = _read(name)
    members = tuple(_members(whole, ()))
    names = [member.leaf.task_name for member in members]
    if twice := sorted({one for one in names if names.count(one) > 1}):
        raise UsageError(f"lm-eval's group {name} has the task {twice[0]} twice; name its parts in runs of their own.")
    if not members:
        raise UsageError(f"lm-eval's group {name} has no task.")
    family = _family(name, members, _MEANS[_kind_of_mean(whole)])
    return tuple((family, info.name) for info in family.members)


def _members(group: Any, above: tuple[Group, ...]) -> Iterator[_Member]:
    for child in group:
        if isinstance(child, Leaf):
            yield _Member(child, above)
        else:
            kind = _kind_of_mean(child)
            yield from _members(child, (*above, (child.name, kind)) if kind else above)


_MEANS: Mapping[AggregateKind | None, tuple[AggregateKind, ...]] = {
    None: ("macro",), "micro": ("micro", "macro"), "macro": ("macro", "micro"),
}  # fmt: skip
"""The means of a family by how lm-eval weighs the group's tasks, its own first; ours where lm-eval has none."""


def _kind_of_mean(group: Any) -> AggregateKind | None:
    """How lm-eval weighs the tasks of a group; None where it gives the group no number."""
    listed = group.aggregate_metric_list or []
    if any(one.aggregation != "mean" for one in listed):
        return None
    return ("micro" if listed[0].weight_by_size else "macro") if listed else None


@cache
def _leaf(name: str) -> Leaf:
    found = _read(name)
    assert isinstance(found, Leaf)  # an entry that is neither group nor tag
    return found


def _read(name: str) -> Any:
    """A `Leaf`, or lm-eval's own group with leaves. lm-eval's task manager reads it, and builds no task."""
    import lm_eval.models  # noqa: F401 (first, since a registry that is not empty hides lm-eval's own models)
    from lm_eval.tasks import TaskManager
    from lm_eval.tasks._factory import TaskFactory

    class Unbuilt(TaskFactory):  # type: ignore[misc]
        def _build_task(self, entry: Any, overrides: Any) -> Leaf:
            config = self._load_full_config(entry, overrides)
            return Leaf(str(config["task"]), config)

    quiet()
    try:
        folders = [str(folder) for folder in folders_of(name, _entries())]
        manager = TaskManager(include_defaults=False, include_path=folders)
        manager._factory = Unbuilt()
        with no_code_from_elsewhere():
            return manager._load_spec(name)
    except UsageError as error:
        raise UsageError(f"lm-eval's {name}: {error}") from error
    except Exception as error:  # a task's own code is run to resolve its functions
        raise UsageError(
            f"lm-eval {lm_eval_version()} cannot read {name}: {type(error).__name__}: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]


# -- as families of ours


def _family(name: str, members: tuple[_Member, ...], means: tuple[AggregateKind, ...]) -> Family:
    by_name = {f"{PREFIX}{_safe(member.leaf.task_name)}": member for member in members}
    family = f"{PREFIX}{name}"
    infos = tuple(_leaf_info(full, family, member.leaf) for full, member in by_name.items())
    rules = protocol_of(name, tuple(member.leaf for member in members))
    return Family(family, infos, partial(_build, family, by_name, means, rules), (rules,))


def _leaf_info(name: str, family: str, leaf: Leaf) -> TaskInfo:
    kind = _KINDS.get(str(leaf.config.get("output_type")), "perplexity")
    return TaskInfo(name, family, _language(leaf.task_name), kind, str(leaf.config.get("dataset_path") or ""), "")


def _safe(name: str) -> str:
    """A name without colons, which part tasks from categories here; lm-eval has them in tasks written in a group."""
    return name.replace("::", ".").replace(":", ".")


def _language(name: str) -> str:
    entry = _entries().get(name)
    return entry.language if entry else UNDETERMINED


def protocol() -> str:
    """The protocol of numbers that lm-eval's tasks give, whoever answers: that of results imported from it."""
    return f"{IMPORTED_PROTOCOL}{lm_eval_version()}"


def protocol_of(name: str, leaves: tuple[Leaf, ...]) -> str:
    """`protocol` for a name whose tasks are all lm-eval's own; else with a hash of all that their files say.

    So an edited prompt or pattern of the user's is another run, and its numbers share no column with lm-eval's. It is
    one for a group's tasks, since a mean is of numbers under one protocol.
    """
    users = own_folders()
    is_of_theirs = not any(folder.is_relative_to(own) for folder in folders_of(name, _entries()) for own in users)
    if is_of_theirs or all(map(_is_theirs, leaves)):
        return protocol()
    text = "\n".join(sorted(map(_text, leaves)))
    return f"{protocol()}+own-{content_hash(text)[:12]}"


def _is_theirs(leaf: Leaf) -> bool:
    """Whether lm-eval's own files say the same; a group of the user's may change a task of lm-eval's."""
    entry = _entries().get(leaf.task_name)
    if entry is None or Path(entry.folder).is_absolute():  # it is written in a group's file, or in one of the user's
        return False
    return _text(_leaf(leaf.task_name)) == _text(leaf)


def _text(leaf: Leaf) -> str:
    """A configuration, of functions the text of their files."""
    return json.dumps(leaf.config, sort_keys=True, default=lambda one: source_of(one) if callable(one) else str(one))


def _build(
    family: str,
    members: Mapping[str, _Member],
    means: tuple[AggregateKind, ...],
    rules: str,
    name: str,
    options: TaskOptions,
) -> Task:
    from evalsuite.interop.lm_eval_task import LmEvalTask, refusal  # with it comes all that measures

    member = members[name]
    if options.protocol not in (None, rules):
        raise UnknownName("protocol", str(options.protocol), (rules,), f"{name} has: {rules}.")
    reason = refusal(member.leaf.config)
    if reason:
        raise UsageError(f"{name}: {reason}")
    try:
        built = LmEvalTask(name, member.leaf.config, _language(member.leaf.task_name), options)
    except EvalsuiteError:
        raise
    except Exception as error:  # configurations of many hands
        raise DataError(f"{name}: lm-eval's file of it cannot be used: {type(error).__name__}: {error}") from error
    return Task(
        name=name,
        family=family,
        version=built.version,
        language=built.language,
        protocol=rules,
        num_fewshot=built.num_fewshot,
        kind=_KINDS.get(built.output_type, "perplexity"),
        datasets=built.datasets,
        samples=built.samples,
        next_requests=built.next_requests,
        score=built.score,
        metrics=tuple(one.metric for one in built.metrics),
        title=f"lm-eval's {member.leaf.task_name}",
        source=f"lm-eval {lm_eval_version()}",
        means=means,
        is_seeded=built.num_fewshot > 0,
        groups=member.groups,
        note=built.note,
    )


catalogue = Catalogue(PREFIX.rstrip("."), choose, listed)
