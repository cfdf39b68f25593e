"""``configs/gate.yaml``: which numbers are gated, by how much they may fall, and what follows where they do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from evalsuite.errors import ConfigError, nearest
from evalsuite.types import Flag, Record
from evalsuite.yaml_files import plain, read_tree

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Per = Literal["language", "task", "family"]
OnFail = Literal["fail", "warn"]

T = TypeVar("T", bound=Record)

CLOCKS = ("tokens_per_second",)
"""What a run's clock says."""

RATES = (*(f"{flag}_rate" for flag in Flag), "unscored_rate")
"""Shares of a task's answers."""

_MARGIN = re.compile(r"([0-9]*\.?[0-9]+)\s*(pp|%)?")


class Margin(Record, frozen=True, kw_only=True):
    """A loss that nobody minds: `amount` in the unit the metric is shown in (points of a percentage, a BLEU point),
    or with `is_relative` a share of the baseline's value.
    """

    amount: float
    is_relative: bool = False
    is_points: bool = False


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

    Either `max_drop` against the baseline, or `min` and `max` of the value itself. `metric` may also be a rate of the
    answers (``unparsed_rate``, ``unscored_rate``) or of a clock (``tokens_per_second``).
    """

    task: str | tuple[str, ...] = "*"
    lang: str | tuple[str, ...] = ()
    metric: str = ""
    max_drop: str | float | None = None
    min: float | None = None
    max: float | None = None
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
    lines = {str(way[0]): line for way, line in tree.items() if len(way) == 1}
    if not value.get("gates"):
        raise ConfigError(f'{path}: there are no gates; give at least one, for example `gates: [{{task: "*"}}]`.')
    _known(value, GateFile, path, lines)
    rule_lines = [line for way, line in tree.items() if len(way) == 2 and way[0] == "gates"]
    for index, rule in enumerate(value["gates"] if isinstance(value["gates"], list) else ()):
        where = {str(key): rule_lines[index] for key in rule} if isinstance(rule, dict) else {}
        _known(rule, Rule, path, where)
        _convert(rule, Rule, f"{path}, line {rule_lines[index]}")
    file = _whole(value, path, lines)
    for rule, line in zip(file.gates, rule_lines, strict=True):
        _check(rule, file, f"{path}, line {line}")
    if list(file.looks) != sorted(set(file.looks)) or any(look < 2 for look in file.looks):
        raise ConfigError(f"{path}, line {lines['looks']}: looks are sizes that grow, such as [250, 500, 1000].")
    if file.looks and file.noise.confirm:
        raise ConfigError(f"{path}, line {lines['looks']}: looks decide as they grow; take confirm out of noise.")
    return Located(path=str(path), file=file, lines=tuple(rule_lines))


def _whole(value: Mapping[str, Any], path: Path, lines: Mapping[str, int]) -> GateFile:
    for key, entry in value.items():
        field = next(field for field in msgspec.structs.fields(GateFile) if field.name == key)
        _convert(entry, field.type, f"{path}, line {lines.get(key, 1)}: {key}")
    return msgspec.convert(value, GateFile)


def _convert(value: Any, kind: Any, where: str) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {plain(str(error))}.") from error


def _known(value: Any, kind: type[Record], path: Path, lines: Mapping[str, int]) -> None:
    known = kind.__struct_fields__
    for key in value if isinstance(value, dict) else ():
        if key not in known:
            near = nearest(str(key), known)
            guess = f"did you mean {near!r}?" if near else f"expected one of {', '.join(known)}."
            raise ConfigError(f"{path}, line {lines.get(str(key), 1)}: unknown key {key!r}; {guess}")


def _check(rule: Rule, file: GateFile, where: str) -> None:
    is_absolute = rule.min is not None or rule.max is not None
    if is_absolute and rule.max_drop is not None:
        raise ConfigError(f"{where}: a gate has either max_drop or min and max; split it in two.")
    if rule.metric in RATES and not is_absolute:
        raise ConfigError(f"{where}: {rule.metric} is a rate of one run; give it a max or a min, not max_drop.")
    if rule.metric in CLOCKS and not is_absolute and rule.max_drop is None:
        raise ConfigError(f"{where}: {rule.metric} has no limit; give it a max_drop, a min or a max.")
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        raise ConfigError(f"{where}: min {rule.min} is above max {rule.max}.")
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


def listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """One word or several as several."""
    return (value,) if isinstance(value, str) else value
