"""The ranks that votes leave open: how many systems are surely stronger than one, and how many surely weaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalsuite.stats.paired_tests import holm

from .strength_model import StrengthModel


def rank_ranges(model: StrengthModel, *, alpha: float = 0.05) -> Mapping[str, tuple[int, int]]:
    """The ranks that each system may have: above it are those surely stronger, below it those surely weaker.

    Differences are tested by Student's t with the degrees of freedom of the smaller number of clusters, and with Holm's
    correction for all of them, so that no order is claimed by chance, at `alpha`.
    """
    from scipy.special import stdtr

    systems: Sequence[str] = model.systems
    pairs = [(a, b) for place, a in enumerate(systems) for b in systems[place + 1 :]]
    found = [model.difference(a, b) for a, b in pairs]
    degrees = max(model.degrees, 1)
    chances = [2 * float(stdtr(degrees, -abs(part.value) / part.stderr)) if part.stderr > 0 else 1.0 for part in found]
    is_sure = [chance <= alpha for chance in holm(chances)]
    above, below = dict.fromkeys(systems, 0), dict.fromkeys(systems, 0)
    for (a, b), part, sure in zip(pairs, found, is_sure, strict=True):
        if sure:
            stronger, weaker = (a, b) if part.value > 0 else (b, a)
            above[weaker] += 1
            below[stronger] += 1
    return {system: (1 + above[system], len(systems) - below[system]) for system in systems}
