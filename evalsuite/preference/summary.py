"""Everything that a set of votes says, as one record: what a page shows and what a file keeps.

Every number stands with its n and its interval, where there are prompts enough for one. What cannot be known is absent:
None, or no entry, never nought.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from evalsuite.types import Record
from evalsuite.votes import Scale

from .agreement import Agreement, Alpha
from .attentiveness import AttentivenessScreen
from .families import Correction
from .influence import Fragility
from .languages import OtherLanguages, WorstLanguage
from .prediction_powered import Admissibility, PoweredRate
from .quality import Quality
from .quality_differences import QualityDifference
from .rankings import Strength
from .screens import AnnotatorScreen
from .win_rates import WinRate

SUMMARY_VERSION = 1
"""Version of the stored record; a reader refuses another."""


class VoteFile(Record, frozen=True, kw_only=True):
    """A file that votes came from, without its folder; of a run's directory `sha256` is empty, its name being one."""

    name: str
    sha256: str


class VoteCounts(Record, frozen=True, kw_only=True):
    """How much there is. A prompt in two languages is two of `num_prompts` and one of `num_groups`.

    `num_verdicts` are judges' and not among the `num_votes` of people; `dropped` has by reason the rows of the
    `num_rows` that are neither.
    """

    num_votes: int
    num_prompts: int
    num_groups: int
    num_annotators: int
    num_verdicts: int
    num_rows: int
    dropped: Mapping[str, int]


class Number(Record, frozen=True, kw_only=True):
    """A number with its 95 % interval, None with fewer than six prompts, and the votes behind it."""

    value: float
    low: float | None
    high: float | None
    num_votes: int


class LanguageVotes(Record, frozen=True, kw_only=True):
    """The votes in one language. `left_share` is what left answers got of those whose sides are known, ties half."""

    language: str
    num_votes: int
    num_prompts: int
    num_annotators: int
    left_share: Number | None


class RankedSystem(Strength, frozen=True, kw_only=True):
    """A strength with the ranks that the votes leave open, all pairs together; None with too few prompts."""

    rank_low: int | None
    rank_high: int | None


class Ranking(Record, frozen=True, kw_only=True):
    """All systems, the strongest first.

    By language `left` is what being on the left is worth in log-odds and `tie_weights` is nu, from the one model of all
    votes (`strength_model`); `davidson_nu` knows neither languages nor sides. `pooling` is the standard deviation of
    what languages add to strengths, in log-odds. Where it is known what answers look like, `style` is what one standard
    deviation more of a feature is worth, and `plain` and `controlled` how far systems lie from the `leader` without and
    with it, each a difference of log-odds.
    """

    systems: tuple[RankedSystem, ...]
    left: Mapping[str, Number]
    tie_weights: Mapping[str, Number]
    davidson_nu: Number | None
    pooling: float | None
    fragility: Fragility
    style: Mapping[str, Number] = {}
    leader: str = ""
    plain: Mapping[str, Number] = {}
    controlled: Mapping[str, Number] = {}


class JudgeFindings(Record, frozen=True, kw_only=True):
    """How one judge compares with people."""

    judge: str
    num_verdicts: int
    agreement: tuple[Agreement, ...]
    kappas: tuple[Alpha, ...]
    admissibility: tuple[Admissibility, ...]


class QualityFindings(Record, frozen=True, kw_only=True):
    """What ratings on `scale` say of systems, and of every two of them."""

    scale: Scale
    qualities: tuple[Quality, ...]
    differences: tuple[QualityDifference, ...]


class PoweredFinding(Record, frozen=True, kw_only=True):
    """A rate that a judge's verdicts helped to know, and whether the judge may be used in that language at all."""

    judge: str
    rate: PoweredRate
    admission: Admissibility | None


class PreferenceSummary(Record, frozen=True, kw_only=True):
    """What votes say.

    `systems` are the strongest first; where they cannot be ranked, for the reason `no_ranking`, those who got most of
    all their comparisons. Pairs are seen from the one that stands first there. Chances in `rates`, in
    `rates_against_all` and of differences in quality are each adjusted by `correction`. `powered` are the rates that
    judges' verdicts on further prompts help to know; files from before these were kept have none.
    """

    version: int
    files: tuple[VoteFile, ...]
    seed: int
    num_draws: int
    correction: Correction
    counts: VoteCounts
    languages: tuple[LanguageVotes, ...]
    systems: tuple[str, ...]
    rates: tuple[WinRate, ...]
    rates_against_all: tuple[WinRate, ...]
    other_languages: tuple[OtherLanguages, ...]
    worst_languages: tuple[WorstLanguage, ...]
    ranking: Ranking | None
    no_ranking: str
    agreement: tuple[Agreement, ...]
    alphas: tuple[Alpha, ...]
    judges: tuple[JudgeFindings, ...]
    quality: QualityFindings | None
    annotators: tuple[AnnotatorScreen, ...]
    attentiveness: tuple[AttentivenessScreen, ...]
    powered: tuple[PoweredFinding, ...] = ()


def read_summary(value: Any) -> PreferenceSummary:
    """The summary that JSON holds. Raises ValueError for another version, and for what is no summary."""
    version = value.get("version") if isinstance(value, dict) else None
    if not isinstance(version, int):
        raise ValueError("it is no summary that `evalsuite prefer report` wrote")
    if version != SUMMARY_VERSION:
        raise ValueError(f"its version is {version}; this evalsuite reads {SUMMARY_VERSION}")
    return msgspec.convert(value, PreferenceSummary)
