"""What the four families of built-in samples share: languages, data, names. The texts are in ``mini/``.

Written for this project and aligned across its six languages: row k means the same in each, so that rows of one item
form one cluster. Licence as the project's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evalsuite.contracts import Dataset, Family, Task, TaskInfo, TaskOptions
from evalsuite.data import BUILT_IN
from evalsuite.errors import UnknownName, UsageError
from evalsuite.text.language_names import LANGUAGES

PROTOCOL = "mini-v1"
SOURCE = "written for evalsuite"
LICENCE = "Apache-2.0"


def dataset(config: str, fingerprints: Mapping[str, str]) -> Dataset:
    """The built-in file ``mini/<config>.jsonl``, pinned by what its rows hash to."""
    return Dataset(BUILT_IN, config, "test", fingerprint=fingerprints[config])


def family(name: str, kind: str, title: str, build: Callable[[str, TaskOptions], Task]) -> Family:
    """A family with one task a language."""
    members = tuple(
        TaskInfo(f"{name}_{code}", name, code, kind, f"{title} in {language}", LICENCE)
        for code, language in LANGUAGES.items()
    )
    return Family(name, members, build, (PROTOCOL,))


def check_options(name: str, options: TaskOptions, *, shots: bool) -> None:
    """Refuse another protocol, and exemplars where the task has none."""
    if options.protocol not in (None, PROTOCOL):
        raise UnknownName("protocol", options.protocol, (PROTOCOL,), f"{name} has: {PROTOCOL}.")
    if options.num_fewshot and not shots:
        raise UsageError(f"{name} is asked without exemplars; leave --num_fewshot out or at 0.")


def other_rows(rows: tuple[Mapping[str, Any], ...], index: int, count: int) -> list[Mapping[str, Any]]:
    """The `count` rows that follow row `index`, going round: exemplars that never hold the row itself."""
    if count >= len(rows):
        raise UsageError(f"--num_fewshot {count}: there are at most {len(rows) - 1} exemplars.")
    return [rows[(index + step) % len(rows)] for step in range(1, count + 1)]
