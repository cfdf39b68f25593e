"""What runs will take before anything is computed: requests, tokens, time, memory and money."""

from __future__ import annotations

from evalsuite.building import PreparedTask
from evalsuite.prepare import Prepared, first_items
from evalsuite.stats.gate_rules import smallest_drop
from evalsuite.text.number_texts import MISSING, number
from evalsuite.types import GenerateRequest, Record

DISCORDANCE = 0.10
"""The share of samples on which two versions of a model are taken to differ."""


class Forecast(Record, frozen=True, kw_only=True):
    """What a task's first wave takes. Tokens to generate are counted at their caps, and stand in both sums too.

    `num_tokens_naive` counts one row a request, `num_tokens_planned` what is computed; `seconds` and `num_bytes` are
    None where nothing is computed on this machine. `least_drop` is the smallest drop of a right/wrong headline that a
    paired comparison over these samples finds (5 % one-sided, 80 % power), were two models to differ on
    `DISCORDANCE` of them; None for other headlines, and where there are too few samples for any.
    """

    task: str
    num_samples: int
    num_requests: int
    num_tokens_naive: int
    num_tokens_planned: int
    num_tokens_generated: int
    seconds: float | None
    num_bytes: int | None
    least_drop: float | None = None


def planned(prepared: Prepared, entry: PreparedTask) -> Forecast:
    """What the first wave of one of the run's tasks takes."""
    items = first_items(prepared, entry)
    batches = prepared.engine.plan(items)
    cost = prepared.engine.cost(batches)
    requests = [item.request for item in items]
    return Forecast(
        task=entry.task.name,
        num_samples=len(entry.samples),
        num_requests=len(items),
        num_tokens_naive=prepared.engine.count_naive_tokens(requests),
        num_tokens_planned=sum(batch.num_tokens for batch in batches),
        num_tokens_generated=sum(one.max_tokens for one in requests if isinstance(one, GenerateRequest)),
        seconds=None if cost is None else round(cost.seconds, 1),
        num_bytes=None if cost is None else cost.num_bytes,
        least_drop=_least_drop(entry),
    )


def _least_drop(entry: PreparedTask) -> float | None:
    """Samples of one cluster are taken to rise and fall together."""
    if not entry.task.metrics[0].proportion:
        return None
    return smallest_drop(DISCORDANCE, len({sample.cluster_id for sample in entry.samples}))


def time_text(seconds: float | None) -> str:
    """Seconds for people; a dash where they cannot be known."""
    if seconds is None:
        return MISSING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02}" if hours else f"{minutes} m {rest:02}" if minutes else f"{rest} s"


def drop_text(least_drop: float | None) -> str:
    """A drop in points; a dash where none can be found."""
    return number(None if least_drop is None else 100 * least_drop, 1)
