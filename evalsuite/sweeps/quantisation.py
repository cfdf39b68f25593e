"""What another number format or quantisation changes: paired differences, flips, other answers, memory and speed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from evalsuite.comparing.comparison import Refusal, compare
from evalsuite.comparing.opening import find_metric
from evalsuite.comparing.pairing import PairedTask, Pairing, pair
from evalsuite.errors import NothingComparable, UsageError
from evalsuite.stats import intervals
from evalsuite.stats.differences import Difference
from evalsuite.stats.paired_tests import holm
from evalsuite.sweeps.names import label_of, text_of
from evalsuite.sweeps.reading import CellRun, Part, Sweep, groups_of, settings_text, value_of, varied_keys
from evalsuite.types import Record


class Share(Record, frozen=True, kw_only=True):
    """A share of `n` items with Wilson's 95 % interval, clusters allowed for."""

    value: float
    low: float
    high: float
    n: int


class Changed(Record, frozen=True, kw_only=True):
    """A headline in a cell against the reference's, item by item.

    `flips` is the share of right/wrong items that are right in one of the two alone, None for other metrics;
    `other_answers` the share of items whose stored answers differ at all, None where none is stored.
    """

    difference: Difference
    flips: Share | None
    other_answers: Share | None


class Footprint(Record, frozen=True, kw_only=True):
    """What a cell took, as far as its telemetry says; None where it does not.

    `weights_bytes` are the weights as loaded, `peak_device_bytes` the most a GPU's allocator held and
    `peak_resident_bytes` the process, libraries and all; `seconds` are those of all waves, loading included. Each was
    measured once, beside whatever else ran; all but the weights over a part of the run, where `part` says why.
    """

    dtype: str | None
    device: str | None
    weights_bytes: float | None
    peak_device_bytes: float | None
    peak_resident_bytes: float | None
    seconds: float | None
    tokens_per_second: float | None
    part: Part = ""


class Against(Record, frozen=True, kw_only=True):
    """One cell held against its reference, which differs from it in the one setting alone.

    `missing` tasks only the reference has.
    """

    cell: str
    reference: str
    series: str
    value: str
    is_marked: bool
    footprint: Footprint
    reference_footprint: Footprint
    changes: tuple[Changed, ...]
    refused: tuple[Refusal, ...]
    missing: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all that the reference has could be compared, as `evalsuite compare` asks it."""
        return bool(self.changes) and not self.refused and not self.missing


class Quantisation(Record, frozen=True, kw_only=True):
    """Every value of the setting `key` against `reference`; chances are adjusted over all of it (Holm).

    `left_out` names cells without results, or without a reference that has them.
    """

    key: str
    reference: str
    pairs: tuple[Against, ...]
    left_out: tuple[str, ...]


def quantisation_of(sweep: Sweep, reference: str) -> Quantisation:
    """All cells against those with ``KEY=VALUE`` and all other settings equal.

    Raises UsageError for a key or value that no cell has, NothingComparable where no two cells can be held together.
    """
    key, equals, wanted = reference.partition("=")
    if not equals:
        raise UsageError(f"--reference {reference}: expected KEY=VALUE, as model_args.dtype=float32.")
    sweep.check_key(key, "--reference")
    known = dict.fromkeys(text_of(one.cell.settings[key]) for one in sweep.cells if key in one.cell.settings)
    if wanted not in known:
        raise UsageError(
            f"--reference {reference}: no cell has that value; {key} is {', '.join(map(label_of, known))}."
        )
    pairs, left = [], []
    for series, cells in groups_of(sweep.cells, key):
        first = next((one for one in cells if _is_set_to(one, key, wanted) and one.result is not None), None)
        for one in cells:
            if one.result is None or first is None:
                left.append(one.cell.name)
            elif one is not first:
                pairs.append(_against(first, one, key, settings_text(series, varied_keys(sweep))))
    if not pairs:
        raise NothingComparable(f"--reference {reference}: no two cells with results differ in {key} alone.")
    return Quantisation(key=key, reference=wanted, pairs=_adjusted(pairs), left_out=tuple(left))


def _is_set_to(one: CellRun, key: str, wanted: str) -> bool:
    return key in one.cell.settings and text_of(one.cell.settings[key]) == wanted


def _against(first: CellRun, one: CellRun, key: str, series: str) -> Against:
    pairing = pair(first.side, one.side, find_metric)
    found = compare(pairing)
    return Against(
        cell=one.cell.name,
        reference=first.cell.name,
        series=series,
        value=value_of(one, key),
        is_marked=one.is_marked or first.is_marked,
        footprint=footprint_of(one),
        reference_footprint=footprint_of(first),
        changes=tuple(_changed(pairing, difference) for difference in found.differences),
        refused=found.refused,
        missing=found.missing,
    )


def _changed(pairing: Pairing, difference: Difference) -> Changed:
    tasks = [pairing.tasks[name] for name in difference.tasks]
    moved = [(task, task.rows[difference.metric]) for task in tasks]
    flips = None
    if all(rows.is_binary for _, rows in moved):
        flips = _share([
            (cluster, gain != 0) for _, rows in moved for cluster, gain in zip(rows.clusters, rows.gains, strict=True)
        ])  # fmt: skip
    return Changed(
        difference=difference,
        flips=flips,
        other_answers=_share([row for task in tasks for row in _answers_differ(task)]),
    )


def _answers_differ(task: PairedTask) -> Iterator[tuple[str, bool]]:
    """Cluster, and whether the two answers differ, of every item that both sides have a scored answer to."""
    before, after = (_answers(side.records) for side in (task.baseline, task.candidate))
    for name, (cluster, answer) in after.items():
        if name in before:
            yield cluster, before[name][1] != answer


def _answers(records: Sequence[str] | None) -> dict[str, tuple[str, str]]:
    """Cluster and answer by sample, of those that are scored; nothing where no answer at all is stored.

    An empty answer is an answer: it is what a broken model gives.
    """
    found = {}
    for text in records or ():
        record = json.loads(text)
        outcome = record["outcome"]
        if outcome["type"] == "scored":
            sample = record["sample"]
            found[sample["id"]] = sample.get("cluster") or sample["id"], outcome.get("answer", "")
    return found if any(answer for _, answer in found.values()) else {}


def _share(rows: Sequence[tuple[str, bool]]) -> Share | None:
    """The share of rows that are true; None without a row."""
    if not rows:
        return None
    names, totals = intervals.cluster_totals([(float(is_true), 1.0) for _, is_true in rows], [name for name, _ in rows])
    value = float(np.mean([is_true for _, is_true in rows]))
    deltas = intervals.jackknife_deltas(totals, lambda counts: counts[0] / counts[1] if counts[1] else None, value)
    trials = float(len(rows))
    if len(names) < len(rows):
        trials = intervals.num_effective(value, intervals.jackknife_stderr(deltas), len(rows), len(names))
    low, high = intervals.wilson(value, trials)
    return Share(value=value, low=low, high=high, n=len(rows))


def footprint_of(one: CellRun) -> Footprint:
    """What the cell took; its number format and device as its spec and stack say."""
    assert one.result is not None
    identity = one.result.spec.model.identity
    devices = [str(stack["device"]) for stack in one.result.stacks if "device" in stack]
    bits = f" in {identity['bits']} bits" if "bits" in identity else ""
    measured: Mapping[str, float] = one.measured
    return Footprint(
        dtype=f"{identity['dtype']}{bits}" if "dtype" in identity else None,
        device=", ".join(dict.fromkeys(devices)) or None,
        weights_bytes=measured.get("weights_bytes"),
        peak_device_bytes=measured.get("peak_device_bytes"),
        peak_resident_bytes=measured.get("peak_resident_bytes"),
        seconds=measured.get("seconds"),
        tokens_per_second=measured.get("tokens_per_second"),
        part=one.part_measured,
    )


def _adjusted(pairs: Sequence[Against]) -> tuple[Against, ...]:
    """Chances adjusted over all cells: tasks together, and means together."""
    chances: dict[tuple[int, int], float] = {}
    for is_task in (True, False):
        places = [
            (row, column)
            for row, one in enumerate(pairs)
            for column, changed in enumerate(one.changes)
            if (changed.difference.kind == "task") == is_task
        ]
        found = holm([pairs[row].changes[column].difference.p_value for row, column in places])
        chances |= dict(zip(places, found, strict=True))
    return tuple(
        msgspec.structs.replace(
            one,
            changes=tuple(
                msgspec.structs.replace(
                    changed,
                    difference=msgspec.structs.replace(changed.difference, p_adjusted=chances[row, column]),
                )
                for column, changed in enumerate(one.changes)
            ),
        )
        for row, one in enumerate(pairs)
    )
