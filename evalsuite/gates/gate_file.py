"""``configs/gate.yaml``: which numbers are gated, by how much they may fall, and what follows where they do."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from evalsuite.errors import ConfigError
from evalsuite.types import Flag, Record
from evalsuite.yaml_files import checked, read_tree

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Per = Literal["language", "task", "family"]
OnFail = Literal["fail", "warn"]

CLOCKS = ("tokens_per_second",)
"""What a run's clock says."""

RATES = (*(f"{flag}_rate" for flag in Flag), "unscored_rate")
"""Shares of a task's answers."""

_MARGIN = re.compile(r"([0-9]*\.?[0-9]+)\s*(pp|%)?")
_PERCENTAGE = re.compile(r"([0-9]*\.?[0-9]+)\s*%")


class Margin(Record, frozen=True, kw_only=True):
    """A loss that nobody minds: `amount` in the unit the metric is shown in (points of a percentage, a BLEU point),
    or with `is_relative` a share of the baseline's value.
    """

    amount: float
    is_relative: bool = False
    is_points: bool = False


class Limit(Record, frozen=True, kw_only=True):
    """A floor or a ceiling: `value` in the metric's own unit, `key` and what was `written` there.

    With `is_percent` it was written in percent, and fits metrics alone that are shown so.
    """

    key: str
    value: float
    written: str
    is_percent: bool = False


class Defaults(Record, frozen=True, kw_only=True):
    """What holds for every gate that says nothing else. `max_unscored` is the share of samples that may have no score
    in the candidate where the baseline has one; by default none, and of answers through a server one in a hundred.
    """

    test: Literal["paired"] = "paired"
    alpha: Annotated[float, msgspec.Meta(gt=0, lt=0.5)] = 0.05
    correction: Literal["holm", "none"] = "holm"
    max_drop: str | float | None = None
    per: Per = "language"
    on_regression: OnFail = "fail"
    on_inconclusive: OnFail = "warn"
    on_missing: OnFail = "fail"
    max_unscored: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class Rule(Record, frozen=True, kw_only=True):
    """One entry of ``gates``: of the tasks that match `task` (in `lang`) the `metric`, by default the headline.

    Either `max_drop` against the baseline, or `min` and `max` of the value itself (see `limit_of`). `metric` may also
    be a rate of the answers (``unparsed_rate``, ``unscored_rate``) or of a clock (``tokens_per_second``).
    """

    task: str | tuple[str, ...] = "*"
    lang: str | tuple[str, ...] = ()
    metric: str = ""
    max_drop: str | float | None = None
    min: str | float | None = None
    max: str | float | None = None
    per: Per | None = None
    on_regression: OnFail | None = None
    on_inconclusive: OnFail | None = None
    name: str = ""


class Macro(Record, frozen=True, kw_only=True):
    """A gate on the unweighted mean of all gated differences."""

    max_drop: str | float


class Also(Record, frozen=True, kw_only=True):
    """Gates beside the single ones."""

    macro_mean: Macro | None = None


class Together(Record, frozen=True, kw_only=True):
    """What the gates say together."""

    fail_if: Literal["any"] = "any"
    also: Also = Also()


class Noise(Record, frozen=True, kw_only=True):
    """`confirm`: failing gates are run once more, and only what fails both times counts; by another seed if `new`."""

    confirm: Literal[0, 1] = 0
    confirm_seed: Literal["new", "same"] = "new"


class Anchors(Record, frozen=True, kw_only=True):
    """A judge run over answers that never change, then and now, which tells a judge's drift from a model's loss."""

    baseline: str
    run: str


class GateFile(Record, frozen=True, kw_only=True):
    """The whole file. `suite` is a file of ``run``; paths are relative to where the command is called."""

    suite: str | None = None
    baseline: str | None = None
    defaults: Defaults = Defaults()
    gates: tuple[Rule, ...]
    aggregate: Together = Together()
    noise: Noise = Noise()
    waivers: str | None = None
    anchors: Anchors | None = None
    looks: tuple[int, ...] = ()


class Located(Record, frozen=True, kw_only=True):
    """A gate file, and the line of each of its rules."""

    path: str
    file: GateFile
    lines: tuple[int, ...]


def read_gate_file(path: Path) -> Located:
    """The file at `path`. Raises ConfigError with file and line."""
    value, tree = read_tree(path)
    if not value.get("gates"):
        raise ConfigError(f'{path}: there are no gates; give at least one, for example `gates: [{{task: "*"}}]`.')
    file = checked(value, GateFile, path, tree)
    lines = tuple(tree["gates", index] for index in range(len(file.gates)))
    for rule, line in zip(file.gates, lines, strict=True):
        _check(rule, file, f"{path}, line {line}")
    if list(file.looks) != sorted(set(file.looks)) or any(look < 2 for look in file.looks):
        raise ConfigError(f"{path}, line {tree['looks',]}: looks are sizes that grow, such as [250, 500, 1000].")
    if file.looks and file.noise.confirm:
        raise ConfigError(f"{path}, line {tree['looks',]}: looks decide as they grow; take confirm out of noise.")
    return Located(path=str(path), file=file, lines=lines)


def _check(rule: Rule, file: GateFile, where: str) -> None:
    is_absolute = rule.min is not None or rule.max is not None
    if is_absolute and rule.max_drop is not None:
        raise ConfigError(f"{where}: a gate has either max_drop or min and max; split it in two.")
    if rule.metric in RATES and not is_absolute:
        raise ConfigError(f"{where}: {rule.metric} is a rate of one run; give it a max or a min, not max_drop.")
    if rule.metric in CLOCKS and not is_absolute and rule.max_drop is None:
        raise ConfigError(f"{where}: {rule.metric} has no limit; give it a max_drop, a min or a max.")
    least, most = limit_of(rule.min, "min", where), limit_of(rule.max, "max", where)
    if least is not None and most is not None and least.value > most.value:
        raise ConfigError(f"{where}: min {rule.min} is above max {rule.max}.")
    for limit in (least, most):
        if limit is not None and limit.is_percent and rule.metric in CLOCKS:
            raise ConfigError(not_in_percent(rule.metric, limit, where))
    macro = file.aggregate.also.macro_mean
    for margin in (rule.max_drop, file.defaults.max_drop, macro.max_drop if macro else None):
        if margin is not None:
            margin_of(margin, where)


def margin_of(text: str | float, where: str) -> Margin:
    """``2.0pp``, ``10%`` or ``0.8`` as a margin. Raises ConfigError for anything else, and for 0."""
    found = _MARGIN.fullmatch(str(text).strip())
    amount = float(found[1]) if found else 0.0
    if not found or amount <= 0:
        raise ConfigError(f"{where}: max_drop is {text!r}; expected 2.0pp, 10% or a number above 0 such as 0.8.")
    if found[2] and amount >= 100:
        raise ConfigError(f"{where}: max_drop is {text!r}, which allows everything.")
    return Margin(
        amount=amount / 100 if found[2] == "%" else amount, is_relative=found[2] == "%", is_points=found[2] == "pp"
    )


def limit_of(asked: str | float | None, key: str, where: str) -> Limit | None:
    """``0.97`` or ``97%`` as a floor or a ceiling. Raises ConfigError for anything else."""
    if asked is None:
        return None
    if isinstance(asked, str):
        found = _PERCENTAGE.fullmatch(asked.strip())
        if found is None or float(found[1]) > 100:
            raise ConfigError(
                f"{where}: {key} is {asked!r}; expected a number in the metric's own unit such as 0.97, or, where that "
                "is a percentage, 0% to 100%."
            )
        return Limit(key=key, value=float(found[1]) / 100, written=asked, is_percent=True)
    if not math.isfinite(asked):
        raise ConfigError(f"{where}: {key} is {asked:g}; expected a finite number.")
    return Limit(key=key, value=asked, written=f"{asked:g}")


def not_in_percent(metric: str, limit: Limit, where: str) -> str:
    """Why a limit cannot be written in percent."""
    return f"{where}: {metric} is no percentage; give {limit.key} as a number in its own unit, not {limit.written!r}."


def listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """One word or several as several."""
    return (value,) if isinstance(value, str) else value
