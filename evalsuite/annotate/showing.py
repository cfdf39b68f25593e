"""What a page shows of an assignment. No system's name, id or hash is in it, so none can reach a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from evalsuite.votes import Choice

from .ledger import Ledger, SavedRater, texts
from .markdown import rendered
from .pairs import drawn
from .wording import direction, wording_in


@dataclass(frozen=True)
class Shown:
    """A pair as a rater sees it: turns of the prompt, and of the answers on the left and on the right.

    `saved` is what the rater said before, if anything, under ``choice``, ``quality_left``, ``quality_right`` and
    ``reason``; `revision` the number that the next answer to it has.
    """

    assignment: str
    revision: int
    language: str
    direction: str
    turns: tuple[Markup, ...]
    left: tuple[Markup, ...]
    right: tuple[Markup, ...]
    saved: Mapping[str, str]
    is_quality_first: bool


@dataclass(frozen=True)
class Told:
    """One line of a rater's own answers."""

    assignment: str
    excerpt: str
    language: str
    choice: Choice


def shown(ledger: Ledger, rater: SavedRater, assignment: str) -> Shown | None:
    """The assignment as `rater` sees it; None where it is none of theirs."""
    found = ledger.rows(
        "SELECT assignment.*, turns, language, answer_a, answer_b FROM assignment"
        " JOIN pair ON pair.id = pair JOIN item ON item.id = item WHERE assignment.id = ? AND rater = ?",
        (assignment, rater.id),
    )
    if not found:
        return None
    (row,) = found
    votes = ledger.rows("SELECT * FROM vote WHERE assignment = ? ORDER BY revision DESC", (assignment,))
    keys = ("choice", "quality_left", "quality_right", "reason")
    a, b = (tuple(map(rendered, texts(row[key]))) for key in ("answer_a", "answer_b"))
    is_random = ledger.file.quality_order == "random"
    return Shown(
        assignment=assignment,
        revision=votes[0]["revision"] + 1 if votes else 1,
        language=row["language"],
        direction=direction(row["language"]),
        turns=tuple(map(rendered, texts(row["turns"]))),
        left=a if row["left_is_a"] else b,
        right=b if row["left_is_a"] else a,
        saved={key: votes[0][key] for key in keys} if votes else {},
        is_quality_first=is_random and drawn(ledger.file.seed, "quality", assignment) % 2 == 1,
    )


_EXCERPT = 80


def told(ledger: Ledger, rater: SavedRater) -> list[Told]:
    """What `rater` has answered online, the last first."""
    found = ledger.rows(
        "SELECT assignment.id, turns, language, assignment.choice FROM assignment JOIN pair ON pair.id = pair"
        " JOIN item ON item.id = item WHERE rater = ? AND choice IS NOT NULL AND packet IS NULL"
        " ORDER BY assignment.place DESC",
        (rater.id,),
    )
    return [Told(row["id"], _excerpt(texts(row["turns"])[0]), row["language"], Choice(row["choice"])) for row in found]


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"


def level_words(ledger: Ledger, language: str) -> dict[str, str]:
    """The levels of the study's scale from the worst to the best, in a language of pages; none where none is asked."""
    scale = ledger.file.scale
    if scale is None:
        return {}
    own = ledger.file.words_of(language)
    levels = wording_in(language).levels
    return {level: own.get(level) or str(getattr(levels, level)) for level in scale.levels}
