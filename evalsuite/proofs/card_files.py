"""Judge cards from files, for a ledger and for a leaderboard alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from evalsuite.cards import CARD_FILE
from evalsuite.errors import DataError, UsageError
from evalsuite.judge_cards import JudgeCard, cards_in


def read_cards(paths: Sequence[Path]) -> tuple[JudgeCard, ...]:
    """The cards in files, or in the directories of the runs that made them; one that is there twice counts once.

    Raises DataError for a file that holds none, UsageError where two differ about one judge in one language.
    """
    found: dict[tuple[str, ...], tuple[JudgeCard, Path]] = {}
    for path in paths:
        file = path / CARD_FILE if path.is_dir() else path
        for card in _read(file):
            known, where = found.setdefault(whose(card), (card, file))
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
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is no file of judge cards: {error}.") from error


def whose(card: JudgeCard) -> tuple[str, ...]:
    """What a card is about: there is one card for each."""
    return card.judge, card.protocol, card.model, card.language
