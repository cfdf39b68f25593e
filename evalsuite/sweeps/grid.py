"""The cells of a sweep: every combination of its axes that is not left out, by a name a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.config import ModelConfig, RunConfig, make_config
from evalsuite.errors import ConfigError, NothingSelected, UsageError
from evalsuite.sweeps.names import label_of, labels_apart, text_of
from evalsuite.sweeps.sweep_file import MAPPED, Axis, Point, SweepFile, is_same
from evalsuite.types import Scalar

_SAY_THEMSELVES = ("model", "tasks", "model_args.pretrained", "model_args.model")
"""Axes whose values need no key before them in a cell's name."""


@dataclass(frozen=True)
class Setup:
    """A cell before it is known which run it is."""

    name: str
    settings: Mapping[str, Scalar]
    config: RunConfig


def setups_of(file: SweepFile) -> tuple[Setup, ...]:
    """All cells, those that one loaded model answers side by side, otherwise in the order of the file.

    No two have one name. Raises ConfigError where a combination is no run, NothingSelected where all are left out.
    """
    setups = list(_combined(file))
    if not setups:
        raise NothingSelected(f"{file.path}: exclude leaves no cell of the sweep.")
    keys = list(dict.fromkeys(model_key(setup.config) for setup in setups))
    return tuple(sorted(setups, key=lambda setup: keys.index(model_key(setup.config))))


def model_key(config: ModelConfig) -> str:
    """What two configurations have in common that one loaded model can answer."""
    return canonical_json({name: getattr(config, name) for name in ModelConfig.__struct_fields__})


def _combined(file: SweepFile) -> Iterator[Setup]:
    named = [zip(axis.points, _labels(axis, file.axes), strict=True) for axis in file.axes]
    for places in product(*named):
        points = [point for point, _ in places]
        settings = {axis.name: point.setting for axis, point in zip(file.axes, points, strict=True)}
        if any(_is_excluded(settings, entry) for entry in file.excluded):
            continue
        name = ",".join(label for _, label in places)
        yield Setup(name, settings, _config(file, points, name))


def _is_excluded(settings: Mapping[str, Scalar], entry: Mapping[str, tuple[Scalar, ...]]) -> bool:
    return all(any(is_same(settings[axis], value) for value in values) for axis, values in entry.items())


def _config(file: SweepFile, points: Sequence[Point], name: str) -> RunConfig:
    keys = {**file.base, **{key: value for point in points for key, value in point.keys.items()}}
    try:
        return make_config(nested(keys), {})
    except (UsageError, msgspec.ValidationError) as error:
        raise ConfigError(f"{file.path}: cell {name}: {error}") from error


def nested(keys: Mapping[str, Any]) -> dict[str, Any]:
    """``model_args.dtype`` as an entry of the mapping `model_args`; keys that are unset are left out."""
    found: dict[str, Any] = {}
    for key, value in keys.items():
        head, dot, inner = key.partition(".")
        if dot and head in MAPPED:
            found.setdefault(head, {})[inner] = value
        elif value is not None:
            found[key] = value
    return found


def _labels(axis: Axis, axes: Sequence[Axis]) -> list[str]:
    """What each setting of an axis adds to a cell's name: paths by their last part, where that tells them apart."""
    settings = [point.setting for point in axis.points]
    texts = [text_of(setting) for setting in settings]
    short = [text.rstrip("/").rpartition("/")[2] for text in texts]
    labels = labels_apart(short if len(set(short)) == len(short) and all(short) else texts, settings)
    if axis.name in _SAY_THEMSELVES or not _is_key(axis.name):
        return labels
    last = axis.name.rpartition(".")[2]
    is_alone = [one.name.rpartition(".")[2] for one in axes].count(last) == 1
    return [f"{label_of(last if is_alone else axis.name)}={label}" for label in labels]


def _is_key(name: str) -> bool:
    return name.partition(".")[0].replace("-", "_") in RunConfig.__struct_fields__
