"""Which of several points give the most for what they take. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def dominates(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether `first` is at least as good as `second` in both and better in one; more is better in both."""
    return first[0] >= second[0] and first[1] >= second[1] and first != second


def front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """The places of the points that none dominates (Pareto's front), more being better in both; of equal ones all."""
    order = sorted(range(len(points)), key=lambda place: points[place], reverse=True)
    found: list[int] = []
    best_second = float("-inf")
    best: tuple[float, float] | None = None
    for place in order:
        if points[place][1] > best_second or points[place] == best:
            found.append(place)
            best_second, best = points[place][1], points[place]
    return tuple(sorted(found))
