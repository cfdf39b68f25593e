"""Whether annotators attend to what they vote on: what only whole votes tell, beside the comparisons of `screens`.

A flag is a question to a person; nobody's votes are dropped for it. Only votes that count are looked at
(`effective`), and nothing is held against an annotator where too little of it is known. Where everybody is tested, the
tests are corrected for it (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from evalsuite.types import Record
from evalsuite.votes import Choice, Vote

from .effective import effective, sift
from .screens import FALSE_DISCOVERIES, FEWEST_VOTES

FEWEST_REPEATS = 10
"""With fewer repeats kappa is not told."""

GOLD_SHARE = 0.8
"""An attentive annotator gets at least so many of the pairs with a known answer right."""

FEWEST_GOLD = 6
"""Of so many known answers or more, getting less than half right is flagged whatever chance says."""

FASTEST_READING = 0.01
"""Seconds a grapheme: a hundred in a second, several times what anybody reads; a floor where many are fast together."""

FAST_SHARE = 0.05
FEWEST_OTHERS = 20
"""Votes by others in a language that tell how fast its answers can be read."""


class Retest(Record, frozen=True, kw_only=True):
    """Pairs that one annotator was shown again, with the sides exchanged: how often they said the same of the systems.

    `kappa` is Cohen's, beyond chance; None for fewer than ten repeats, and where everything said is the same.
    """

    num_repeats: int
    agreement: float
    kappa: float | None


class Gold(Record, frozen=True, kw_only=True):
    """Pairs with a known answer: the share got right, with its exact 95 % interval (Clopper and Pearson 1934).

    `chance` is that of getting as few right for someone who gets `GOLD_SHARE` of them.
    """

    num_votes: int
    num_right: int
    share: float
    low: float
    high: float
    chance: float


class Pace(Record, frozen=True, kw_only=True):
    """Seconds for each grapheme of the two answers, the median of an annotator's votes in one language.

    `limit` is what 5 % of all other annotators' votes in it lie below; None where these are fewer than twenty.
    """

    language: str
    num_votes: int
    seconds_per_grapheme: float
    limit: float | None

    @property
    def is_fast(self) -> bool:
        """Of at least ten votes, the median lies below the limit."""
        limit = max(FASTEST_READING, self.limit or 0.0)
        return self.num_votes >= FEWEST_VOTES and self.seconds_per_grapheme < limit


class AttentivenessScreen(Record, frozen=True, kw_only=True):
    """One annotator. `num_skipped` pairs are not among the `num_votes` that count; what nothing is known of is None.

    `longest_run` votes one after another, as they were shown, choose the same side or tie; `run_chance` is that of one
    as long where each vote is drawn by itself with the annotator's own shares.
    """

    annotator: str
    num_votes: int
    num_skipped: int
    retest: Retest | None
    gold: Gold | None
    paces: tuple[Pace, ...]
    longest_run: int
    run_chance: float | None
    flags: tuple[str, ...]


def attentiveness(votes: Sequence[Vote]) -> tuple[AttentivenessScreen, ...]:
    """Every annotator of whom there is any vote, by name. Raises ValueError as `effective` and `retest_of` do."""
    sifted = sift(votes)
    annotators = sorted({vote.rater for vote in votes})
    skipped = Counter(vote.rater for vote in sifted.skips)
    own = {name: tuple(vote for vote in sifted.votes if vote.rater == name) for name in annotators}
    gold = {name: gold_of(cast) for name, cast in own.items()}
    runs = {name: _run(cast) for name, cast in own.items()}
    is_wrong = _discoveries({name: found.chance for name, found in gold.items() if found})
    is_long = _discoveries({name: chance for name, (_, chance) in runs.items() if chance is not None})
    paces = _paces(sifted.votes)
    return tuple(
        _screen(name, own[name], skipped[name], gold[name], paces.get(name, ()), runs[name], is_wrong, is_long)
        for name in annotators
    )


def _screen(
    annotator: str,
    votes: tuple[Vote, ...],
    num_skipped: int,
    gold: Gold | None,
    paces: tuple[Pace, ...],
    run: tuple[int, float | None],
    is_wrong: frozenset[str],
    is_long: frozenset[str],
) -> AttentivenessScreen:
    retest = retest_of(votes)
    fails_most = gold is not None and gold.num_votes >= FEWEST_GOLD and gold.share < 0.5
    flags = {
        "contradicts repeats": retest is not None and retest.kappa is not None and retest.kappa <= 0,
        "fails known answers": annotator in is_wrong or fails_most,
        "faster than reading": any(pace.is_fast for pace in paces),
        "long run": annotator in is_long,
        "one choice only": len(votes) >= FEWEST_VOTES and run[0] == len(votes),
    }
    return AttentivenessScreen(
        annotator=annotator,
        num_votes=len(votes),
        num_skipped=num_skipped,
        retest=retest,
        gold=gold,
        paces=paces,
        longest_run=run[0],
        run_chance=run[1],
        flags=tuple(name for name, is_set in flags.items() if is_set),
    )


def _discoveries(chances: Mapping[str, float]) -> frozenset[str]:
    """Who is found by their chance, when one in twenty of all found may be by luck."""
    if not chances:
        return frozenset()
    from statsmodels.stats.multitest import multipletests

    found = multipletests(list(chances.values()), alpha=FALSE_DISCOVERIES, method="fdr_bh")[0]
    return frozenset(name for name, is_found in zip(chances, found, strict=True) if is_found)


def retest_of(votes: Sequence[Vote]) -> Retest | None:
    """All repeats whose first showing the same annotator voted on; None where there are none.

    Raises ValueError for a repeat that shows other systems than its first, and where systems have no names yet.
    """
    counted = effective(votes)
    first = {(vote.study, vote.rater, vote.assignment): vote for vote in counted}
    repeats = [(first.get((vote.study, vote.rater, vote.repeat_of)), vote) for vote in counted if vote.repeat_of]
    pairs = [(_of_systems(before), _of_systems(after)) for before, after in repeats if before and _check(before, after)]
    if not pairs:
        return None
    return Retest(
        num_repeats=len(pairs),
        agreement=float(np.mean([before == after for before, after in pairs])),
        kappa=_kappa(pairs) if len(pairs) >= FEWEST_REPEATS else None,
    )


def _check(before: Vote, after: Vote) -> bool:
    if before.system_left == before.system_right:
        raise ValueError(f"assignment {before.assignment!r} does not say which system stood on which side")
    if {before.system_left, before.system_right} != {after.system_left, after.system_right}:
        raise ValueError(f"assignment {after.assignment!r} repeats {before.assignment!r} but shows other systems")
    return True


def _of_systems(vote: Vote) -> Choice:
    """The choice as if the system whose name is first had stood on the left."""
    return vote.choice if vote.system_left <= vote.system_right else vote.choice.mirrored


def _kappa(pairs: Sequence[tuple[Choice, Choice]]) -> float | None:
    """Cohen 1960; None where chance alone would have all agree."""
    before, after = (Counter(said) for said in zip(*pairs, strict=True))
    by_chance = sum(before[choice] * after[choice] for choice in before) / len(pairs) ** 2
    observed = sum(one == other for one, other in pairs) / len(pairs)
    return None if by_chance >= 1.0 else (observed - by_chance) / (1.0 - by_chance)


def gold_of(votes: Sequence[Vote]) -> Gold | None:
    """All votes on pairs whose answer is known; None where there are none. What was skipped is neither."""
    known = [vote for vote in effective(votes) if vote.is_gold and vote.expected is not None]
    if not known:
        return None
    from scipy.stats import binomtest

    num_right = sum(vote.choice == vote.expected for vote in known)
    interval = binomtest(num_right, len(known)).proportion_ci(method="exact")
    return Gold(
        num_votes=len(known),
        num_right=num_right,
        share=num_right / len(known),
        low=float(interval.low),
        high=float(interval.high),
        chance=float(binomtest(num_right, len(known), GOLD_SHARE, alternative="less").pvalue),
    )


def _paces(votes: Sequence[Vote]) -> dict[str, tuple[Pace, ...]]:
    """Of every annotator in each language, where the time and the length of both answers are known."""
    found: dict[str, list[Pace]] = {}
    timed = [(vote, pace) for vote in votes if (pace := _seconds_per_grapheme(vote)) is not None]
    for language in sorted({vote.language for vote, _ in timed}):
        raters = np.array([vote.rater for vote, _ in timed if vote.language == language])
        values = np.array([pace for vote, pace in timed if vote.language == language])
        for rater in sorted(set(raters.tolist())):
            others = values[raters != rater]
            made = Pace(
                language=language,
                num_votes=int((raters == rater).sum()),
                seconds_per_grapheme=float(np.median(values[raters == rater])),
                limit=float(np.quantile(others, FAST_SHARE)) if len(others) >= FEWEST_OTHERS else None,
            )
            found.setdefault(rater, []).append(made)
    return {rater: tuple(paces) for rater, paces in found.items()}


def _seconds_per_grapheme(vote: Vote) -> float | None:
    if vote.seconds is None or vote.form_left is None or vote.form_right is None:
        return None
    length = vote.form_left.num_graphemes + vote.form_right.num_graphemes
    return vote.seconds / length if length else None


def _run(votes: Sequence[Vote]) -> tuple[int, float | None]:
    """The longest run of one choice, in the order pairs were shown, and its chance; None of no votes."""
    choices = [
        vote.choice for vote in sorted(votes, key=lambda vote: (vote.study, vote.place, vote.shown_at, vote.assignment))
    ]
    longest = max((len(list(run)) for _, run in groupby(choices)), default=0)
    shares = [count / len(choices) for count in Counter(choices).values()]
    return longest, chance_of_run(len(choices), sorted(shares), longest) if choices else None


def chance_of_run(num_votes: int, shares: Sequence[float], length: int) -> float:
    """The exact chance that `num_votes` independent choices with these shares hold a run of at least `length`.

    By the chances of ending in a run of each choice and length without having reached `length`, vote after vote
    (Fu and Koutras 1994, "Distribution theory of runs").
    """
    if length <= 1:
        return float(num_votes >= length)
    chosen = np.array(shares)
    ending = np.zeros((len(shares), length - 1))
    reached = 0.0
    ending[:, 0] = chosen
    for _ in range(num_votes - 1):
        reached += float(chosen @ ending[:, -1])
        fresh = chosen * (ending.sum() - ending.sum(axis=1))
        ending = np.column_stack([fresh, chosen[:, None] * ending[:, :-1]])
    return min(1.0, reached)
