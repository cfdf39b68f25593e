"""The names of lm-eval's tasks, groups and tags, kept per version, since lm-eval reads its 14,000 files anew each time.

Read by lm-eval's own `TaskManager` (0.4.13) once, then from ``lm_eval/tasks-<version>.json`` below evalsuite's cache
folder. Folders of the user's own, named by ``EVALSUITE_LM_EVAL_TASKS``, are read each time and go before lm-eval's.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from evalsuite.errors import SaveFailed, UsageError
from evalsuite.interop.lm_eval_languages import language_of
from evalsuite.models import cache_directory
from evalsuite.store.files import write_atomic
from evalsuite.types import Record

OWN_FOLDERS = "EVALSUITE_LM_EVAL_TASKS"
"""Names folders of task files in lm-eval's form, parted as in ``PATH``."""

_NEWEST = 1
"""Version of the kept form."""


class Entry(Record, frozen=True, kw_only=True):
    """One of lm-eval's names. `folder` is where its file lies, and `members` are the names right below it.

    A relative folder is one of lm-eval's own. `language` is a guess from names, ``und`` where they say nothing.
    """

    name: str
    kind: Literal["task", "python", "group", "tag"]
    folder: str = ""
    members: tuple[str, ...] = ()
    output_type: str = ""
    language: str = "und"
    data: str = ""


class _Kept(Record, frozen=True, kw_only=True):
    form: int
    entries: tuple[Entry, ...]


def lm_eval_version() -> str:
    """The installed lm-eval's version. Raises UsageError where there is none, or none that is known here."""
    try:
        found = version("lm_eval")
    except PackageNotFoundError as error:
        raise UsageError("lm-eval is not installed; pip install 'lm-eval>=0.4.12,<0.5'.") from error
    numbers = [int(part) for part in re.findall(r"\d+", found)[:3]]
    if not [0, 4, 12] <= numbers < [0, 5, 0]:
        raise UsageError(f"lm-eval {found} is installed; its tasks are run here with 0.4.12 up to, not including, 0.5.")
    return found


def read_index(environ: Mapping[str, str] = os.environ, *, is_apart: bool = False) -> dict[str, Entry]:
    """All names with what is known of each. Takes some ten seconds the first time, then milliseconds.

    With `is_apart` lm-eval, which is much to import, then reads its files in a process of its own.
    """
    path = cache_directory(environ) / "lm_eval" / f"tasks-{lm_eval_version()}.json"
    if is_apart and not _kept(path):
        subprocess.run(
            [sys.executable, "-m", "evalsuite.interop.lm_eval_index"],
            env=dict(environ),
            capture_output=True,
            check=False,
        )
    entries = {entry.name: entry for entry in _kept(path) or _made(path)}
    for folder in own_folders(environ):
        entries |= {entry.name: entry for entry in _entries_below(folder, folder)}
    return entries


def own_folders(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The user's folders of tasks. Raises UsageError for one that is not there."""
    folders = tuple(Path(part) for part in environ.get(OWN_FOLDERS, "").split(os.pathsep) if part)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{OWN_FOLDERS}: {folder} is no folder.")
    return tuple(folder.resolve() for folder in folders)


def folders_of(name: str, entries: Mapping[str, Entry]) -> tuple[Path, ...]:
    """The folders in which lm-eval must look to know `name` and all that is below it."""
    found: set[str] = set()
    seen: set[str] = set()
    names = [name]
    while names:
        entry = entries.get(names.pop())
        if entry is not None and entry.name not in seen:
            seen.add(entry.name)
            found.add(entry.folder)
            names += entry.members
    root = _root()
    return tuple(root / folder for folder in sorted(found) if folder)  # an absolute folder stands for itself


def unreadable() -> tuple[str, ...]:
    """The user's files that are no YAML, which lm-eval passes over in silence, and where the fault is."""
    found = []
    for path in (path for folder in own_folders() for path in sorted(folder.rglob("*.yaml"))):
        try:
            yaml.compose(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            found.append(f"{path}: {' '.join(str(error).split())}")
    return tuple(found)


def quiet() -> None:
    """Keep lm-eval's own remarks on its task files out of the user's terminal."""
    logging.getLogger("lm_eval").setLevel(logging.ERROR)


def _kept(path: Path) -> tuple[Entry, ...]:
    with suppress(OSError, msgspec.DecodeError):
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        if kept.form == _NEWEST:
            return kept.entries
    return ()


def _made(path: Path) -> tuple[Entry, ...]:
    root = _root()
    entries = tuple(_entries_below(root, root))
    with suppress(SaveFailed):  # a home that cannot be written costs seconds each time, not the run
        write_atomic(path, msgspec.json.encode(_Kept(form=_NEWEST, entries=entries)))
    return entries


def _root() -> Path:
    import lm_eval.tasks

    return Path(lm_eval.tasks.__file__).parent


def _entries_below(folder: Path, root: Path) -> Iterator[Entry]:
    """The names that lm-eval finds below a folder, those of its own packages by the top folder they lie in."""
    from lm_eval.tasks import TaskManager

    quiet()
    for name, entry in TaskManager(include_defaults=False, include_path=[str(folder)]).task_index.items():
        config = entry.cfg or {}
        yield Entry(
            name=name,
            kind=_KINDS[entry.kind.name],
            folder=_folder(entry.yaml_path, folder, root),
            members=tuple(sorted(entry.tags)) if entry.kind.name == "TAG" else tuple(_members(config.get("task"))),
            output_type=str(config.get("output_type") or ""),
            language=language_of(name, str(config.get("dataset_name") or ""), _place(entry.yaml_path, root)),
            data=" ".join(str(config[key]) for key in ("dataset_path", "dataset_name") if config.get(key)),
        )


_KINDS: Mapping[str, Literal["task", "python", "group", "tag"]] = {
    "TASK": "task", "PY_TASK": "python", "GROUP": "group", "TAG": "tag",
}  # fmt: skip


def _folder(path: Path | None, folder: Path, root: Path) -> str:
    if path is None:
        return ""
    if folder != _root():
        return str(folder)
    return path.relative_to(root).parts[0]


def _place(path: Path | None, root: Path) -> str:
    return "/".join(path.relative_to(root).parts[:-1]) if path is not None and path.is_relative_to(root) else ""


def _members(value: Any) -> Iterator[str]:
    """The names that a group's file lists, through groups that are written within it."""
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from (str(item[key]) for key in ("group", "task") if isinstance(item.get(key), str))
            yield from _members(item.get("task"))


if __name__ == "__main__":
    read_index()
