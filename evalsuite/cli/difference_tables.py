"""Differences, flips and refusals as lines for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from evalsuite.comparing.comparison import Comparison, Flip, Refusal
from evalsuite.comparing.pairing import PairedTask, Pairing
from evalsuite.stats.differences import Difference
from evalsuite.text.number_texts import chance_text, decimals_of, interval_text, number

_NARROW = 160
_LISTED = 6
_HEADS = (
    "task",
    "metric",
    "n",
    "baseline",
    "candidate",
    "difference",
    "95 % interval",
    "lost",
    "gained",
    "p",
    "p adj.",
)


def difference_rows(differences: Sequence[Difference]) -> list[tuple[str, ...]]:
    """A table, its heads first; numbers in the unit they are shown in, points of a percentage or the metric's own."""
    return [_HEADS, *map(_row, differences)]


def _row(one: Difference) -> tuple[str, ...]:
    decimals = decimals_of(one.low, one.high, one.scale)
    clusters = f" ({one.num_clusters})" if one.num_clusters < one.n else ""
    return (
        one.name,
        one.metric if one.kind == "task" else "",
        f"{one.n}{clusters}",
        *(number(value * one.scale, decimals) for value in (one.baseline, one.candidate)),
        number(one.difference * one.scale, decimals, is_signed=True),
        interval_text(one.low, one.high, one.scale, is_signed=True, between=" to "),
        "" if one.num_lost is None else str(one.num_lost),
        "" if one.num_gained is None else str(one.num_gained),
        chance_text(one.p_value),
        "" if one.p_adjusted is None else chance_text(one.p_adjusted),
    )


def flip_lines(found: Comparison, pairing: Pairing, most: int, *, is_shown: bool) -> Iterator[str]:
    """The samples that flip, of each task and way at most so many."""
    for (task, way), group in groupby(found.flips, key=lambda flip: (flip.task, flip.way)):
        flips = list(group)
        listed = flips[: max(0, most)]
        more = f" and {len(flips) - len(listed)} more" if len(flips) > len(listed) else ""
        if not is_shown:
            names = ", ".join(flip.sample.removeprefix(f"{task}:") for flip in listed)
            yield f"\n{task}, {way}: {names}{more}" if listed else f"\n{task}: {len(flips)} {way}"
            continue
        yield f"\n{task}, {len(flips)} {way}{f', {len(listed)} shown' if more else ''}"
        yield from _shown(pairing.tasks[task], listed)


def _shown(task: PairedTask, flips: Sequence[Flip]) -> Iterator[str]:
    wanted = {flip.sample for flip in flips}
    texts: dict[str, list[dict[str, object]]] = {name: [] for name in wanted}
    for side in (task.baseline, task.candidate):
        for text in side.records or ():
            record = json.loads(text)
            if record["sample"]["id"] in wanted:
                texts[record["sample"]["id"]].append(record)
    for flip in flips:
        records = texts[flip.sample]
        yield f"  {flip.sample}"
        yield f"    question   {_short(records[-1]['sample']['input'])}"  # type: ignore[index]
        labels = ("baseline", "candidate") if len(records) > 1 else ("candidate",)
        for label, record in zip(labels, records, strict=True):
            yield f"    {label:10} {_short(record['outcome'].get('answer', ''))}"  # type: ignore[attr-defined]


def _short(text: object) -> str:
    flat = " ".join(str(text).split())
    return flat if len(flat) <= _NARROW else flat[: _NARROW - 1] + "…"


def refusal_lines(found: Comparison) -> Iterator[str]:
    """What could not be compared and why, what only one side has, and what may have moved numbers."""
    alike: dict[tuple[str, ...], list[Refusal]] = {}
    for one in found.refused:
        alike.setdefault(tuple(reason.partition(":")[0] for reason in one.reasons), []).append(one)
    for refusals in alike.values():
        names = [f"{one.task} {one.metric}".strip() for one in refusals]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        example = f"; in {names[0]}" if len(names) > 1 else ""
        yield (
            f"\nnot comparable: {', '.join(names[:_LISTED])}{more}{example} {'; '.join(refusals[0].reasons)} "
            "(baseline, candidate)"
        )
    if found.missing:
        yield f"\nonly in the baseline: {', '.join(found.missing)}"
    if found.added:
        yield f"\nonly in the candidate: {', '.join(found.added)}"
    for warning in found.warnings:
        yield f"\nnote: {warning}"
