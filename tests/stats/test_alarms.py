"""What a page says of doubtful numbers, on hand-made summaries: from which share on, of what, and by family."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from evalsuite.alarms import alarms
from evalsuite.types import Flag

TIES = "ties on {} of {} samples: where the best choices tie, the first is taken"
UNPARSED = "{} of {} answers unparsed: nothing in them could be read as an answer"
TRUNCATED = "{} of {} samples with a truncated prompt: longer than the context in use"
SHORTENED = "{} of {} samples with fewer exemplars: their prompts were longer than the context in use"


def task(
    family: str = "quiz",
    *,
    scored: int = 100,
    unscored: int = 0,
    tied: int = 0,
    unparsed: int = 0,
    truncated: int = 0,
    shortened: int = 0,
) -> SimpleNamespace:
    flags = {Flag.TIED: tied, Flag.UNPARSED: unparsed}
    return SimpleNamespace(
        family=family,
        counts=SimpleNamespace(scored=scored, requested=scored + unscored),
        flags={str(flag): number for flag, number in flags.items() if number},
        num_truncated=truncated,
        num_shortened=shortened,
    )


def said(*tasks: SimpleNamespace) -> dict[str, tuple[str, ...]]:
    """The alarms of a run of these tasks."""
    for number, each in enumerate(tasks):
        each.task = each.name = f"{each.family}_{number}"
    result: Any = SimpleNamespace(tasks=tasks, spec=SimpleNamespace(tasks=tasks), stacks=())
    return alarms(result)


@pytest.mark.parametrize(
    ("one", "sentences"),
    [
        (task(), ()),
        (task(tied=5), ()),
        (task(tied=6), (TIES.format(6, 100),)),
        (task(scored=0, unscored=9), ()),
        (task(scored=20, unscored=80, tied=2), (TIES.format(2, 20),)),
        (task(unparsed=50), ()),
        (task(unparsed=51), (UNPARSED.format(51, 100),)),
        (task(scored=20, unscored=80, unparsed=11), (UNPARSED.format(11, 20),)),
        (task(truncated=1), (TRUNCATED.format(1, 100),)),
        (task(unscored=5, truncated=3), (TRUNCATED.format(3, 105),)),
        (task(shortened=1), (SHORTENED.format(1, 100),)),
        (task(unscored=5, shortened=3), (SHORTENED.format(3, 105),)),
        (
            task(tied=6, unparsed=51, truncated=3, shortened=4),
            (TIES.format(6, 100), UNPARSED.format(51, 100), TRUNCATED.format(3, 100), SHORTENED.format(4, 100)),
        ),
    ],
)
def test_what_is_said_and_from_which_share_on(one: SimpleNamespace, sentences: tuple[str, ...]) -> None:
    assert said(one) == ({"quiz": sentences} if sentences else {})


def test_the_tasks_of_a_family_are_taken_together() -> None:
    all_kinds = task(tied=30, unparsed=90, truncated=1, shortened=2)
    assert said(all_kinds, task(unscored=50, tied=4, unparsed=12, truncated=5, shortened=6), task("riddle")) == {
        "quiz": (TIES.format(34, 200), UNPARSED.format(102, 200), TRUNCATED.format(6, 250), SHORTENED.format(8, 250))
    }
    assert said(task("riddle", tied=10), task(tied=10), task()) == {"riddle": (TIES.format(10, 100),)}
    assert said(task(tied=11), task()) == {"quiz": (TIES.format(11, 200),)}
    assert said(task(unparsed=100), task()) == {}
    assert said(task(unparsed=101), task()) == {"quiz": (UNPARSED.format(101, 200),)}
