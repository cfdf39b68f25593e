"""The file that describes a sweep: what all its runs share, the axes along which they differ, what is left out.

::

    name: shots-and-precision
    base: {limit: 100, num_fewshot: 0}             # any keys of a file for `evalsuite run`
    axes:
      model: [smollm2-135m, org/other]             # a key of a run, and its values
      tasks: [arc_easy, [gsm8k, mgsm_direct]]
      model_args.dtype: [float32, bfloat16]        # a key inside a key
      style:                                       # a name of one's own, and bundles of keys by name
        - {name: plain}
        - {name: chat, apply_chat_template: true, fewshot_as_multiturn: true}
    exclude:
      - {model: org/other, style: [chat]}          # cells that have all of these
    slurm: {partition: gpu, gpus_per_node: 1}      # for --executor slurm, as submitit takes it
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from evalsuite.config import RunConfig, check_entry
from evalsuite.errors import ConfigError, nearest
from evalsuite.text.visible import visible_line
from evalsuite.types import Scalar
from evalsuite.yaml_files import Way, read_tree

KEYS = ("name", "output_path", "base", "axes", "exclude", "slurm")
MAPPED = ("model_args", "gen_kwargs", "num_fewshot", "protocol", "prompt_language")
"""Keys of a run whose values may be mappings, into which ``key.inner`` reaches."""

NAME = "name"
_LONGEST_NAME = 200
"""In bytes; file systems take 255, and temporary files of that name want some."""

_NOT_SET = "unset"
"""The setting of a key that a point leaves at its default (``null``)."""


@dataclass(frozen=True)
class Point:
    """A place on an axis: `setting` is what it is called in the plan, `keys` what it sets, inner keys as ``a.b``."""

    setting: Scalar
    keys: Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """One thing that a sweep varies."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class SweepFile:
    """A sweep as its file describes it. `excluded` holds, for each entry, the settings by axis that it names."""

    path: Path
    name: str
    output: Path
    base: Mapping[str, Any]
    axes: tuple[Axis, ...]
    excluded: tuple[Mapping[str, tuple[Scalar, ...]], ...] = ()
    slurm: Mapping[str, Scalar] = field(default_factory=dict)


def read_sweep_file(path: Path) -> SweepFile:
    """The sweep that `path` describes. Raises ConfigError naming file and line of whatever is wrong in it."""
    value, lines = read_tree(path)
    return _Reader(path, lines).read(value)


@dataclass(frozen=True)
class _Reader:
    """Checks one file; `lines` are where things stand in it."""

    path: Path
    lines: Mapping[Way, int]

    def read(self, value: Mapping[Any, Any]) -> SweepFile:
        for key in value:
            if key not in KEYS:
                self.refuse((str(key),), f"unknown key {key!r}; {_guess(str(key), KEYS)}")
        name = self._text(value, NAME, self.path.stem)
        if not _is_folder(name):
            self.refuse(
                (NAME,),
                f"name is {name!r}; it becomes a folder's: at most {_LONGEST_NAME} bytes, without '/', '\\', what "
                "cannot be seen, a dot before it or spaces around it.",
            )
        base = self._base(self._mapping(value, "base"))
        axes = self._axes(self._mapping(value, "axes"))
        self._check_apart(base, axes)
        return SweepFile(
            path=self.path,
            name=name,
            output=Path(self._text(value, "output_path", str(Path("sweeps") / name))),
            base=base,
            axes=axes,
            excluded=self._excluded(value.get("exclude") or (), axes),
            slurm=self._slurm(self._mapping(value, "slurm")),
        )

    def refuse(self, way: Way, problem: str) -> NoReturn:
        """Raise ConfigError at the place that `way` leads to, or at the nearest around it that has a line."""
        raise ConfigError(f"{self._where(way)}: {problem}")

    def _where(self, way: Way) -> str:
        known = (self.lines[way[:size]] for size in range(len(way), 0, -1) if way[:size] in self.lines)
        line = next(known, None)
        return f"{self.path}, line {line}" if line else str(self.path)

    # -- the parts

    def _text(self, value: Mapping[Any, Any], key: str, default: str) -> str:
        found = value.get(key, default)
        if not isinstance(found, str) or not found:
            self.refuse((key,), f"{key} is {found!r}; expected text.")
        return found

    def _mapping(self, value: Mapping[Any, Any], key: str) -> Mapping[Any, Any]:
        found = value.get(key) or {}
        if not isinstance(found, Mapping):
            self.refuse((key,), f"{key} is {found!r}; expected keys and values.")
        return found

    def _base(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        base: dict[str, Any] = {}
        for key, entry in value.items():
            base |= self._entry(str(key), entry, ("base", str(key)))
        return base

    def _axes(self, value: Mapping[Any, Any]) -> tuple[Axis, ...]:
        if not value:
            self.refuse(("axes",), "there are no axes; name what the runs differ in, as `num_fewshot: [0, 5]`.")
        return tuple(self._axis(str(key), entry) for key, entry in value.items())

    def _axis(self, name: str, value: Any) -> Axis:
        way: Way = ("axes", name)
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            self.refuse(way, f"axes.{name} is {value!r}; expected a list of values.")
        is_key = name.partition(".")[0].replace("-", "_") in RunConfig.__struct_fields__
        make = self._point if is_key else self._bundle
        points: list[Point] = []
        for place, entry in enumerate(value):
            point = make(name, entry, (*way, place))
            if str(point.setting) in {str(known.setting) for known in points}:
                self.refuse((*way, place), f"axes.{name} has {point.setting!r} twice.")
            points.append(point)
        return Axis(name, tuple(points))

    def _point(self, name: str, entry: Any, way: Way) -> Point:
        return Point(self._setting(entry, way), self._entry(name, entry, way))

    def _bundle(self, name: str, entry: Any, way: Way) -> Point:
        if not isinstance(entry, Mapping):
            self.refuse(
                way,
                f"{name!r} is no key of a run; {_guess(name, RunConfig.__struct_fields__)} An axis of another name is "
                "a list of bundles, as {name: chat, apply_chat_template: true}.",
            )
        if not isinstance(entry.get(NAME), str) or not entry[NAME]:
            self.refuse(way, f"a bundle of axes.{name} has no name; add `name: chat`, say.")
        keys: dict[str, Any] = {}
        for key, inner in entry.items():
            if key != NAME:
                keys |= self._entry(str(key), inner, (*way, str(key)))
        return Point(entry[NAME], keys)

    def _entry(self, key: str, value: Any, way: Way) -> dict[str, Any]:
        """A key of a run, checked; what it reaches into stands as ``head.inner``."""
        head, dot, inner = key.partition(".")
        if dot and head not in MAPPED:
            self.refuse(way, f"{head!r} holds no keys; {_guess(head, MAPPED)}")
        self._check_finite(value, way)
        if head == "output_path":
            self.refuse(way, "output_path stands at the top of the file: all runs of a sweep lie below it.")
        if value is None and not dot:
            check_entry(head, value, self._where(way))
            return {head.replace("-", "_"): None}
        name, checked = check_entry(head, {inner: value} if dot else value, self._where(way))
        if isinstance(checked, Mapping) and name in MAPPED:
            return {f"{name}.{each}": entry for each, entry in checked.items()}
        return {name: checked}

    def _check_finite(self, value: Any, way: Way) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            self.refuse(way, f"{value} is no value that a run can be asked for.")

    def _setting(self, value: Any, way: Way) -> Scalar:
        """How a value is called in the plan."""
        if isinstance(value, Mapping):
            return ",".join(f"{key}={entry}" for key, entry in value.items())
        if isinstance(value, Sequence) and not isinstance(value, str):
            return ",".join(map(str, value))
        if value is None:
            return _NOT_SET
        if not isinstance(value, str | int | float | bool):  # a date, which YAML makes of 2024-01-01
            self.refuse(way, f"{value!r} is no text, number, list or mapping; put it in quotes if it is text.")
        return value

    def _check_apart(self, base: Mapping[str, Any], axes: Sequence[Axis]) -> None:
        """Refuse a key that is set in two places: which of them holds would be a guess."""
        taken = dict.fromkeys(base, "base")
        for axis in axes:
            own = dict.fromkeys(key for point in axis.points for key in point.keys)
            for key in own:
                for known, place in taken.items():
                    if key == known or key.startswith(f"{known}.") or known.startswith(f"{key}."):
                        self.refuse(("axes", axis.name), f"{key} is set by axes.{axis.name} and by {place}.")
            taken |= dict.fromkeys(own, f"axes.{axis.name}")

    def _excluded(self, value: Any, axes: Sequence[Axis]) -> tuple[Mapping[str, tuple[Scalar, ...]], ...]:
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.refuse(("exclude",), f"exclude is {value!r}; expected a list, each entry with some of the axes.")
        return tuple(self._exclusion(entry, ("exclude", place), axes) for place, entry in enumerate(value))

    def _exclusion(self, entry: Any, way: Way, axes: Sequence[Axis]) -> Mapping[str, tuple[Scalar, ...]]:
        if not isinstance(entry, Mapping) or not entry:
            self.refuse(way, f"{entry!r} says nothing to leave out; expected some of the axes with values of theirs.")
        by_name = {axis.name: axis for axis in axes}
        found: dict[str, tuple[Scalar, ...]] = {}
        for key, value in entry.items():
            here = (*way, str(key))
            if key not in by_name:
                self.refuse(here, f"{key!r} is none of the axes; {_guess(str(key), by_name)}")
            settings = [point.setting for point in by_name[key].points]
            wanted = value if isinstance(value, list) and self._setting(value, here) not in settings else [value]
            found[key] = tuple(self._known_setting(each, key, settings, here) for each in wanted)
        return found

    def _known_setting(self, value: Any, axis: str, settings: Sequence[Scalar], way: Way) -> Scalar:
        """The axis's own setting that `value` names: ``0`` also names 0.0, unless 0 is there too."""
        setting = self._setting(value, way)
        alike = [known for known in settings if known == setting]
        if not alike:
            self.refuse(way, f"axes.{axis} has no {setting!r}; {_guess(str(setting), map(str, settings))}")
        return next((known for known in alike if is_same(known, setting)), alike[0])

    def _slurm(self, value: Mapping[Any, Any]) -> Mapping[str, Scalar]:
        for key, entry in value.items():
            if not isinstance(entry, str | int | float | bool):
                self.refuse(("slurm", str(key)), f"slurm.{key} is {entry!r}; expected text or a number.")
        return {str(key): entry for key, entry in value.items()}


def is_same(first: Scalar, second: Scalar) -> bool:
    """Whether two settings are one: 1, 1.0 and true are three."""
    return type(first) is type(second) and first == second


def _is_folder(name: str) -> bool:
    is_short = len(name.encode("utf-8", "replace")) <= _LONGEST_NAME
    is_plain = visible_line(name, None) == name and not set(name) & {"/", "\\"}
    return is_short and is_plain and not name.startswith(".") and name == name.strip()


def _guess(name: str, known: Any) -> str:
    names = list(known)
    near = nearest(name, names)
    return f"did you mean {near!r}?" if near else f"expected one of {', '.join(names)}."
