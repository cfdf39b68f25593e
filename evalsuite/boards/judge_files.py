"""Judge cards from files, and how a leaderboard holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from evalsuite.boards.records import BoardCard
from evalsuite.cards import CARD_FILE
from evalsuite.errors import DataError, UsageError
from evalsuite.judge_cards import JudgeCard, cards_in, measures_of
from evalsuite.proofs.red_flags import CardVerdict


def read_cards(paths: Sequence[Path]) -> tuple[JudgeCard, ...]:
    """The cards in files, or in the directories of the runs that made them; one that is there twice counts once.

    Raises DataError for a file that holds none, UsageError where two differ about one judge in one language.
    """
    found: dict[tuple[str, ...], tuple[JudgeCard, Path]] = {}
    for path in paths:
        file = path / CARD_FILE if path.is_dir() else path
        for card in _read(file):
            known, where = found.setdefault(_whose(card), (card, file))
            if known != card:
                raise UsageError(
                    f"{where} and {file} hold different cards of {card.model} under {card.judge} in {card.language}; "
                    "give one of them."
                )
    return tuple(card for card, _ in found.values())


def _read(file: Path) -> tuple[JudgeCard, ...]:
    try:
        return cards_in(json.loads(file.read_bytes()))
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise DataError(f"{file} is no file of judge cards: {error}.") from error


def _whose(card: JudgeCard) -> tuple[str, ...]:
    return card.judge, card.protocol, card.model, card.language


def board_cards(cards: Sequence[JudgeCard]) -> tuple[BoardCard, ...]:
    """The cards by judge and language. Whether a judge is admissible follows from the figures alone."""
    return tuple(map(_board_card, sorted(cards, key=_whose)))


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
    return CardVerdict(
        judge=card.judge,
        protocol=card.protocol,
        model=card.model,
        language=card.language,
        is_admissible=card.is_admissible,
        faults=tuple(
            f"{one.what} {one.name}".rstrip() + f" not {one.bound} {one.limit:g}"
            for one in card.measures
            if not one.is_kept
        ),
    )
