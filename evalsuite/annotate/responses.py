"""Pages as responses: a pair with its questions, a message to a rater, a message to somebody unknown."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import HTMLResponse, Response

from .assigning import progress
from .guarding import form_token
from .ledger import Ledger, SavedRater
from .pages import page
from .showing import Shown, level_words, shown
from .visiting import Visit
from .voting import last_cast
from .wording import wording_in

_ENTRIES = ("choice", "quality_left", "quality_right", "reason")


def pair_page(
    visit: Visit, rater: SavedRater, assignment: str, notice: str = "", status: int = 200, then: str = "home"
) -> Response:
    """The pair with its questions. What came with the form and was not saved stays chosen."""
    ledger = visit.ledger
    pair = shown(ledger, rater, assignment)
    if pair is None:
        return message(ledger, rater, "page_title", "not_found", 404)
    text = page(
        "vote",
        rater.interface,
        ledger,
        pair=_with_entries(pair, visit) if visit.is_form else pair,
        levels=list(level_words(ledger, rater.interface).items()),
        progress=progress(ledger, rater),
        undo=last_cast(ledger, rater),
        form_token=form_token(ledger.secret, visit.session),
        then=then,
        notice=notice and getattr(wording_in(rater.interface), notice),
        is_problem=status != 200,
    )
    return HTMLResponse(text, status)


def _with_entries(pair: Shown, visit: Visit) -> Shown:
    return replace(pair, saved={name: visit.field(name) for name in _ENTRIES})


def message(ledger: Ledger, rater: SavedRater, heading: str, text: str, status: int, is_rater: bool = True) -> Response:
    """A message of two texts, by their names in the wording."""
    words = wording_in(rater.interface)
    told = {"heading": getattr(words, heading), "text": getattr(words, text)}
    return HTMLResponse(page("message", rater.interface, ledger, is_rater=is_rater, **told), status)


def to_everybody(ledger: Ledger, key: str, status: int) -> Response:
    """A message to somebody whose language is not known: in all of them."""
    return HTMLResponse(page("everybody", "en", ledger, key=key), status)
