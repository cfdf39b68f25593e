"""The formats of votes by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from evalsuite.errors import UnknownName

from .alpaca_eval import read_alpaca_eval
from .arena import read_arena, read_mt_bench
from .esa import read_esa
from .judge_run import read_judge_run
from .label_studio import read_label_studio
from .llmfao import read_llmfao
from .pearmut import read_pearmut
from .potato import read_potato
from .reading import Imported, joined
from .votes import read_votes_files


def _each(read: Callable[[Path], Imported], paths: Sequence[Path]) -> Imported:
    return joined([read(path) for path in paths])


FORMATS: Mapping[str, Callable[[Sequence[Path]], Imported]] = {
    "votes": read_votes_files,
    "arena": partial(_each, read_arena),
    "mt_bench": partial(_each, read_mt_bench),
    "llmfao": partial(_each, read_llmfao),
    "alpaca_eval": partial(_each, read_alpaca_eval),
    "esa": read_esa,
    "label_studio": read_label_studio,
    "potato": read_potato,
    "pearmut": read_pearmut,
    "run": partial(_each, read_judge_run),
}


def read_votes(paths: Sequence[Path], name: str) -> Imported:
    """The votes of all `paths` in the format `name`. Raises UnknownName and DataError."""
    if name not in FORMATS:
        raise UnknownName("format", name, tuple(FORMATS), f"votes come as: {', '.join(FORMATS)}.")
    return FORMATS[name](paths)
