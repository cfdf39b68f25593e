"""The preference view: what votes say of every two systems, of all together, and of those who cast them."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.preference.summary import LanguageVotes, PreferenceSummary, Ranking

from ._bars import share_cell
from ._format import Cell, plural
from ._votes import counts_of, in_order, language_detail, language_label, people_text, shown
from .preference_pairs import Pairs, build_pairs
from .preference_quality import QualityView, build_quality
from .preference_ranks import Ranks, build_ranks, odds_cell, tie_weight_cell
from .preference_raters import Raters, build_raters


@dataclass(frozen=True)
class LanguageRow:
    """What raters of one language do whatever the systems."""

    label: str
    detail: str
    counts: tuple[str, ...]
    left_share: Cell | None
    left_odds: Cell | None
    tie_weight: Cell | None


@dataclass(frozen=True)
class PreferenceView:
    """Everything that the view shows. Of more than two systems, `is_many`, ranks say more than pairs and come first."""

    line: str
    facts: tuple[tuple[str, str], ...]
    is_many: bool
    has_languages: bool
    pairs: Pairs
    ranks: Ranks | None
    no_ranking: str
    languages: tuple[LanguageRow, ...]
    quality: QualityView | None
    raters: Raters
    correction: str


def build_preference(summary: PreferenceSummary) -> PreferenceView:
    """The view of `summary`, whose numbers it rounds and never changes."""
    by_code = {one.language: one for one in summary.languages}
    return PreferenceView(
        line=line_of(summary),
        facts=_facts(summary),
        is_many=len(summary.systems) > 2,
        has_languages=len(by_code) > 1,
        pairs=build_pairs(summary),
        ranks=build_ranks(summary.ranking) if summary.ranking else None,
        no_ranking=shown(summary.no_ranking),
        languages=tuple(_language(by_code[code], summary.ranking) for code in in_order(by_code)),
        quality=build_quality(summary.quality, summary) if summary.quality else None,
        raters=build_raters(summary),
        correction={"holm": "Holm", "fdr": "Benjamini and Hochberg"}[summary.correction],
    )


def line_of(summary: PreferenceSummary) -> str:
    """``3355 votes of 65 people on 160 prompts, 6 systems, 1 language``."""
    counts = summary.counts
    systems, languages = plural(len(summary.systems), "system"), plural(len(summary.languages), "language")
    votes, prompts = plural(counts.num_votes, "vote"), plural(counts.num_prompts, "prompt")
    return f"{votes} of {people_text(counts.num_annotators)} on {prompts}, {systems}, {languages}"


def _facts(summary: PreferenceSummary) -> tuple[tuple[str, str], ...]:
    counts = summary.counts
    left_out = ", ".join(f"{shown(reason)} {count}" for reason, count in sorted(counts.dropped.items()))
    files = ", ".join(f"{shown(file.name)}{f' ({file.sha256[:8]})' if file.sha256 else ''}" for file in summary.files)
    found = {
        "votes of people": str(counts.num_votes),
        "prompts": str(counts.num_prompts),
        "source prompts": str(counts.num_groups) if counts.num_groups != counts.num_prompts else "",
        "people": str(counts.num_annotators),
        "verdicts of judges": str(counts.num_verdicts) if counts.num_verdicts else "",
        "rows left out": f"{left_out}, of {counts.num_rows} rows" if left_out else "none",
        "files": files,
        "seed": str(summary.seed),
    }
    return tuple((name, text) for name, text in found.items() if text)


def _language(one: LanguageVotes, ranking: Ranking | None) -> LanguageRow:
    left = one.left_share
    return LanguageRow(
        label=language_label(one.language),
        detail=language_detail(one.language),
        counts=counts_of(one.num_votes, "vote", one.num_prompts, one.num_prompts, one.num_annotators),
        left_share=share_cell(left.value, left.low, left.high, f"n {left.num_votes}") if left else None,
        left_odds=odds_cell(ranking.left.get(one.language) if ranking else None),
        tie_weight=tie_weight_cell(ranking.tie_weights.get(one.language) if ranking else None),
    )
