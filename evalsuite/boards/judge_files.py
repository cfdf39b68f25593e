"""How a leaderboard holds judge cards."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.boards.judge_records import BoardCard
from evalsuite.judge_cards import CardVerdict, JudgeCard, measures_of, verdict_on
from evalsuite.proofs.card_files import whose


def board_cards(cards: Sequence[JudgeCard]) -> tuple[BoardCard, ...]:
    """The cards by judge and language. Whether a judge is admissible follows from the figures alone."""
    return tuple(map(_board_card, sorted(cards, key=whose)))


def _board_card(card: JudgeCard) -> BoardCard:
    measures = measures_of(card)
    return BoardCard(
        judge=card.judge,
        protocol=card.protocol,
        model=card.model,
        language=card.language,
        num_cases=card.num_cases,
        is_admissible=all(one.is_kept for one in measures),
        measures=measures,
    )


def verdict_of(card: BoardCard) -> CardVerdict:
    """What a card comes to."""
    return verdict_on(card, card.measures)
