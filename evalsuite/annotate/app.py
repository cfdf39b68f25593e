"""The web application: a rater's link, one pair after another, their own answers; no accounts, and no script needed.

Every request that writes is a form with the session's token, answered when the vote is on disk. All work on the study
is done by one thread with one connection, so that votes are written one after another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from evalsuite.errors import SaveFailed
from evalsuite.votes import Choice

from .assigning import next_assignment
from .guarding import Pace, is_form_token, is_from_here
from .ledger import Ledger, SavedRater
from .pages import page
from .responses import message, pair_page, to_everybody
from .showing import shown, told
from .visiting import COOKIE, SecurityHeaders, Visit, visit_of
from .voting import Ballot, Cast, ballot_of, cast, is_complete

_HALF_A_YEAR = 180 * 24 * 3600
_SCRIPT = "text/javascript; charset=utf-8"
_STATIC = {"annotate.css": "text/css; charset=utf-8", "annotate.js": _SCRIPT, "ballot.js": _SCRIPT}
_log = logging.getLogger("evalsuite.annotate")


@dataclass(frozen=True)
class Rules:
    """How the application is served: listening where, known as what, over TLS or not, and how fast raters may be."""

    host: str = "127.0.0.1"
    url_host: str = ""
    is_secure: bool = False
    votes_per_minute: int = 60
    bad_links_per_minute: int = 10

    @property
    def hosts(self) -> list[str]:
        """The names that a request may ask for: of another, a page elsewhere may have made it (DNS rebinding)."""
        return ["127.0.0.1", "localhost", *(name for name in (self.host, self.url_host) if name)]


Handler: TypeAlias = Callable[[Visit], Response]
RaterHandler: TypeAlias = Callable[[Visit, SavedRater], Response]


def application(path: Path, rules: Rules) -> Starlette:
    """The application of the study in the folder `path`. Raises UsageError or CorruptStore where there is none."""
    return _Application(Ledger(path), rules).starlette()


class _Application:
    """Handlers, which run one after another in a thread of their own."""

    def __init__(self, ledger: Ledger, rules: Rules) -> None:
        self._ledger = ledger
        self._rules = rules
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="study")
        self._pace = Pace(rules.votes_per_minute)
        self._bad_links = Pace(rules.bad_links_per_minute)

    def starlette(self) -> Starlette:
        """The routes, behind what every request passes."""
        app = Starlette(
            lifespan=self._lifespan,
            routes=[
                Route("/", self._reading(self._of_rater(self._home))),
                Route("/join/{part}", self._reading(self._welcome)),
                Route("/join", self._writing(self._join), methods=["POST"]),
                Route("/vote/{part}", self._reading(self._of_rater(self._again))),
                Route("/vote/{part}", self._writing(self._of_rater(self._vote)), methods=["POST"]),
                Route("/undo", self._writing(self._of_rater(self._undo)), methods=["POST"]),
                Route("/mine", self._reading(self._of_rater(self._mine))),
                Route("/static/{part}", _static),
                Route("/favicon.ico", _nothing),
            ],
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(TrustedHostMiddleware, allowed_hosts=self._rules.hosts, www_redirect=False),
            ],
            exception_handlers={HTTPException: self._refusal},
        )
        app.state.ledger = self._ledger
        return app

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._thread.shutdown()
        self._ledger.close()

    # -- from requests to handlers

    def _reading(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            return await self._in_thread(handler, await visit_of(request, self._ledger, is_form=False))

        return respond

    def _writing(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            if not is_from_here(request.headers):
                return to_everybody(self._ledger, "refused", 403)
            return await self._in_thread(handler, await visit_of(request, self._ledger, is_form=True))

        return respond

    async def _in_thread(self, handler: Handler, visit: Visit) -> Response:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, handler, visit)
        except Exception:
            _log.exception("a page could not be made")  # without its address, which may be a rater's link
            return to_everybody(self._ledger, "not_saved", 500)

    def _of_rater(self, handler: RaterHandler) -> Handler:
        """`handler` for whoever has a session; forms must carry its token."""

        def respond(visit: Visit) -> Response:
            rater = visit.ledger.rater_by_session(visit.session) if visit.session else None
            if rater is None:
                return to_everybody(visit.ledger, "need_link", 401)
            if visit.is_form and not is_form_token(visit.ledger.secret, visit.session, visit.field("form_token")):
                return to_everybody(visit.ledger, "refused", 403)
            return handler(visit, rater)

        return respond

    async def _refusal(self, request: Request, error: Exception) -> Response:
        del request
        status = error.status_code if isinstance(error, HTTPException) else 500
        return to_everybody(self._ledger, "not_found" if status in (404, 405) else "refused", status)

    # -- coming in

    def _welcome(self, visit: Visit) -> Response:
        rater = visit.ledger.rater_by_link(visit.part)
        if rater is None:
            return self._bad_link(visit)
        text = page("join", rater.interface, visit.ledger, link=visit.part, has_agreed=rater.has_agreed)
        return HTMLResponse(text)

    def _join(self, visit: Visit) -> Response:
        rater = visit.ledger.rater_by_link(visit.field("link"))
        if rater is None:
            return self._bad_link(visit)
        try:
            session = visit.ledger.begin_session(rater)
        except SaveFailed:
            _log.exception("a session was not saved")
            return message(visit.ledger, rater, "welcome_title", "not_saved", 503, is_rater=False)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, session, max_age=_HALF_A_YEAR, httponly=True, samesite="strict", secure=self._rules.is_secure
        )
        return response

    def _bad_link(self, visit: Visit) -> Response:
        """Guessing is slowed down; a good link from the same address still opens."""
        if self._bad_links.is_too_fast(visit.client):
            return to_everybody(visit.ledger, "too_fast", 429)
        self._bad_links.note(visit.client)
        return to_everybody(visit.ledger, "bad_link", 404)

    # -- comparing

    def _home(self, visit: Visit, rater: SavedRater) -> Response:
        ledger = visit.ledger
        if ledger.is_closed:
            return message(ledger, rater, "closed_title", "closed", 200)
        try:
            assignment = next_assignment(ledger, rater)
        except SaveFailed:
            _log.exception("an assignment was not saved")
            return message(ledger, rater, "page_title", "not_saved", 503)
        if assignment is None:
            return message(ledger, rater, "done_title", "done", 200)
        return pair_page(visit, rater, assignment, notice="saved" if visit.is_saved else "")

    def _again(self, visit: Visit, rater: SavedRater) -> Response:
        if visit.ledger.is_closed:
            return message(visit.ledger, rater, "closed_title", "closed", 200)
        return pair_page(visit, rater, visit.part, then="mine")

    def _vote(self, visit: Visit, rater: SavedRater) -> Response:
        then = "mine" if visit.field("then") == "mine" else "home"
        if self._pace.is_too_fast(str(rater.id)):
            return pair_page(visit, rater, visit.part, "too_fast", 429, then)
        self._pace.note(str(rater.id))
        ballot = _ballot(visit, rater)
        if ballot is None:
            return pair_page(visit, rater, visit.part, "incomplete", 422, then)
        try:
            became = cast(visit.ledger, rater, visit.part, visit.whole("revision"), ballot)
        except SaveFailed:
            _log.exception("a vote was not saved")
            return pair_page(visit, rater, visit.part, "not_saved", 503, then)
        match became:
            case Cast.SAVED | Cast.KNOWN:
                return RedirectResponse("/mine" if then == "mine" else "/?saved=1", 303)
            case Cast.CONFLICT:
                return pair_page(replace(visit, is_form=False), rater, visit.part, "conflict", 409, then)
            case Cast.CLOSED:
                return message(visit.ledger, rater, "closed_title", "closed", 403)
            case Cast.NOT_FOUND:
                return message(visit.ledger, rater, "page_title", "not_found", 404)

    def _undo(self, visit: Visit, rater: SavedRater) -> Response:
        """Take back an answer, which is then open again; one that was taken back or changed already is left alone."""
        pair = shown(visit.ledger, rater, visit.field("assignment"))
        if pair is None or not pair.saved:
            return message(visit.ledger, rater, "page_title", "not_found", 404)
        ballot = replace(ballot_of(Choice(pair.saved["choice"]), pair.saved, rater.interface), is_withdrawn=True)
        try:
            became = cast(visit.ledger, rater, pair.assignment, visit.whole("revision"), ballot)
        except SaveFailed:
            _log.exception("a vote was not taken back")
            return pair_page(replace(visit, is_form=False), rater, pair.assignment, "not_saved", 503)
        if became is Cast.CLOSED:
            return message(visit.ledger, rater, "closed_title", "closed", 403)
        return RedirectResponse("/", 303)

    def _mine(self, visit: Visit, rater: SavedRater) -> Response:
        answers, is_closed = told(visit.ledger, rater), visit.ledger.is_closed
        return HTMLResponse(page("mine", rater.interface, visit.ledger, answers=answers, is_closed=is_closed))


def _ballot(visit: Visit, rater: SavedRater) -> Ballot | None:
    """What the form says; None where something is missing or is none of the levels."""
    is_skip = visit.field("action") == "skip"
    choice = Choice.SKIP.value if is_skip else visit.field("choice")
    if choice not in list(Choice) or (choice == Choice.SKIP and not is_skip):
        return None
    ballot = ballot_of(Choice(choice), visit.form, rater.interface)
    return ballot if is_complete(ballot, visit.ledger.file.scale) else None


# -- files


async def _static(request: Request) -> Response:
    name = request.path_params["part"]
    if name not in _STATIC:
        raise HTTPException(404)
    return Response(_file(name), headers={"Content-Type": _STATIC[name], "Cache-Control": "max-age=600"})


@cache
def _file(name: str) -> bytes:
    return resources.files(__package__).joinpath("static", name).read_bytes()


async def _nothing(request: Request) -> Response:
    del request
    return Response(status_code=204)
