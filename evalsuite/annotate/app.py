"""The web application: a rater's link, one pair after another, their own answers; no accounts, and no script needed.

Every request that writes is a form with the session's token, answered when the vote is on disk. All work on the study
is done by one thread with one connection, so that votes are written one after another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evalsuite.errors import SaveFailed
from evalsuite.votes import Choice

from .assigning import next_assignment, progress
from .guarding import MAX_BODY_BYTES, SECURITY_HEADERS, Pace, form_token, is_form_token, is_from_here
from .ledger import Ledger, SavedRater
from .pages import page
from .showing import Shown, level_words, shown, told
from .voting import LAYOUTS, MAX_REASON, Ballot, Cast, cast, is_complete, last_cast, told_seconds

COOKIE = "evalsuite_session"
_HALF_A_YEAR = 180 * 24 * 3600
_MAX_FIELDS = 40
_SCRIPT = "text/javascript; charset=utf-8"
_STATIC = {"annotate.css": "text/css; charset=utf-8", "annotate.js": _SCRIPT, "ballot.js": _SCRIPT}
_FORM_TYPE = "application/x-www-form-urlencoded"
_log = logging.getLogger("evalsuite.annotate")


@dataclass(frozen=True)
class Visit:
    """A request as handlers see it: the path's variable part, the form, the session and who sends it."""

    ledger: Ledger
    session: str
    client: str
    part: str = ""
    form: Mapping[str, str] | None = None
    is_saved: bool = False

    def field(self, name: str) -> str:
        """A field of the form; empty where there is none."""
        return (self.form or {}).get(name, "")


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
                Middleware(_SecurityHeaders),
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

    # -- from requests to visits

    def _reading(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            return await self._in_thread(handler, self._visit(request))

        return respond

    def _writing(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            if not is_from_here(request.headers):
                return _everybody(self._ledger, "refused", 403)
            visit = replace(self._visit(request), form=await _form(request))
            return await self._in_thread(handler, visit)

        return respond

    def _visit(self, request: Request) -> Visit:
        return Visit(
            ledger=self._ledger,
            session=request.cookies.get(COOKIE, ""),
            client=request.client.host if request.client else "",
            part=request.path_params.get("part", ""),
            is_saved=request.query_params.get("saved") == "1",
        )

    async def _in_thread(self, handler: Handler, visit: Visit) -> Response:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, handler, visit)
        except Exception:
            _log.exception("a page could not be made")  # without its address, which may be a rater's link
            return _everybody(self._ledger, "not_saved", 500)

    def _of_rater(self, handler: RaterHandler) -> Handler:
        """`handler` for whoever has a session; forms must carry its token."""

        def respond(visit: Visit) -> Response:
            rater = visit.ledger.rater_by_session(visit.session) if visit.session else None
            if rater is None:
                return _everybody(visit.ledger, "need_link", 401)
            token = visit.field("form_token")
            if visit.form is not None and not is_form_token(visit.ledger.secret, visit.session, token):
                return _everybody(visit.ledger, "refused", 403)
            return handler(visit, rater)

        return respond

    # -- coming in

    def _welcome(self, visit: Visit) -> Response:
        if self._bad_links.is_too_fast(visit.client):
            return _everybody(visit.ledger, "too_fast", 429)
        rater = visit.ledger.rater_by_link(visit.part)
        if rater is None:
            self._bad_links.note(visit.client)
            return _everybody(visit.ledger, "bad_link", 404)
        text = page("join", rater.interface, visit.ledger, link=visit.part, has_agreed=rater.has_agreed)
        return HTMLResponse(text)

    def _join(self, visit: Visit) -> Response:
        if self._bad_links.is_too_fast(visit.client):
            return _everybody(visit.ledger, "too_fast", 429)
        rater = visit.ledger.rater_by_link(visit.field("link"))
        if rater is None:
            self._bad_links.note(visit.client)
            return _everybody(visit.ledger, "bad_link", 404)
        try:
            session = visit.ledger.begin_session(rater)
        except SaveFailed:
            _log.exception("a session was not saved")
            return _message(visit.ledger, rater, "welcome_title", "not_saved", 503, is_rater=False)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, session, max_age=_HALF_A_YEAR, httponly=True, samesite="strict", secure=self._rules.is_secure
        )
        return response

    # -- comparing

    def _home(self, visit: Visit, rater: SavedRater) -> Response:
        ledger = visit.ledger
        if ledger.is_closed:
            return _message(ledger, rater, "closed_title", "closed", 200)
        try:
            assignment = next_assignment(ledger, rater)
        except SaveFailed:
            _log.exception("an assignment was not saved")
            return _message(ledger, rater, "page_title", "not_saved", 503)
        if assignment is None:
            return _message(ledger, rater, "done_title", "done", 200)
        return _pair_page(visit, rater, assignment, notice="saved" if visit.is_saved else "")

    def _again(self, visit: Visit, rater: SavedRater) -> Response:
        if visit.ledger.is_closed:
            return _message(visit.ledger, rater, "closed_title", "closed", 200)
        return _pair_page(visit, rater, visit.part, then="mine")

    def _vote(self, visit: Visit, rater: SavedRater) -> Response:
        then = "mine" if visit.field("then") == "mine" else "home"
        if self._pace.is_too_fast(visit.session):
            return _pair_page(visit, rater, visit.part, "too_fast", 429, then)
        self._pace.note(visit.session)
        ballot = _ballot(visit, rater)
        if ballot is None:
            return _pair_page(visit, rater, visit.part, "incomplete", 422, then)
        try:
            became = cast(visit.ledger, rater, visit.part, _whole(visit.field("revision")), ballot)
        except SaveFailed:
            _log.exception("a vote was not saved")
            return _pair_page(visit, rater, visit.part, "not_saved", 503, then)
        match became:
            case Cast.SAVED | Cast.KNOWN:
                return RedirectResponse("/mine" if then == "mine" else "/?saved=1", 303)
            case Cast.CONFLICT:
                return _pair_page(replace(visit, form=None), rater, visit.part, "conflict", 409, then)
            case Cast.CLOSED:
                return _message(visit.ledger, rater, "closed_title", "closed", 403)
            case Cast.NOT_FOUND:
                return _message(visit.ledger, rater, "page_title", "not_found", 404)

    def _undo(self, visit: Visit, rater: SavedRater) -> Response:
        """Take back an answer, which is then open again; one that was taken back or changed already is left alone."""
        pair = shown(visit.ledger, rater, visit.field("assignment"))
        if pair is None or not pair.saved:
            return _message(visit.ledger, rater, "page_title", "not_found", 404)
        said = pair.saved
        ballot = Ballot(
            choice=Choice(said["choice"]),
            quality_left=said["quality_left"],
            quality_right=said["quality_right"],
            reason=said["reason"],
            is_withdrawn=True,
            ui_language=rater.interface,
        )
        try:
            became = cast(visit.ledger, rater, pair.assignment, _whole(visit.field("revision")), ballot)
        except SaveFailed:
            _log.exception("a vote was not taken back")
            return _pair_page(visit, rater, pair.assignment, "not_saved", 503)
        if became is Cast.CLOSED:
            return _message(visit.ledger, rater, "closed_title", "closed", 403)
        return RedirectResponse("/", 303)

    def _mine(self, visit: Visit, rater: SavedRater) -> Response:
        answers, is_closed = told(visit.ledger, rater), visit.ledger.is_closed
        return HTMLResponse(page("mine", rater.interface, visit.ledger, answers=answers, is_closed=is_closed))

    # -- what goes wrong

    async def _refusal(self, request: Request, error: Exception) -> Response:
        del request
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _everybody(self._ledger, "not_found" if status in (404, 405) else "refused", status)


# -- pages


def _pair_page(
    visit: Visit, rater: SavedRater, assignment: str, notice: str = "", status: int = 200, then: str = "home"
) -> Response:
    """The pair with its questions. What came with the form and was not saved stays chosen."""
    ledger = visit.ledger
    pair = shown(ledger, rater, assignment)
    if pair is None:
        return _message(ledger, rater, "page_title", "not_found", 404)
    if visit.form is not None:
        pair = _with_entries(pair, visit)
    words = {"notice": notice and getattr(_words(rater), notice), "is_problem": status != 200}
    text = page(
        "vote",
        rater.interface,
        ledger,
        pair=pair,
        levels=list(level_words(ledger, rater.interface).items()),
        progress=progress(ledger, rater),
        undo=last_cast(ledger, rater),
        form_token=form_token(ledger.secret, visit.session),
        then=then,
        **words,
    )
    return HTMLResponse(text, status)


def _with_entries(pair: Shown, visit: Visit) -> Shown:
    entries = {name: visit.field(name) for name in ("choice", "quality_left", "quality_right", "reason")}
    return replace(pair, saved=entries)


def _message(
    ledger: Ledger, rater: SavedRater, heading: str, text: str, status: int, is_rater: bool = True
) -> Response:
    words = _words(rater)
    told_text, told_heading = getattr(words, text), getattr(words, heading)
    made = page("message", rater.interface, ledger, heading=told_heading, text=told_text, is_rater=is_rater)
    return HTMLResponse(made, status)


def _everybody(ledger: Ledger, key: str, status: int) -> Response:
    """A message to somebody whose language is not known: in all of them."""
    return HTMLResponse(page("everybody", "en", ledger, key=key), status)


def _words(rater: SavedRater) -> Any:
    from .wording import wording_in

    return wording_in(rater.interface)


# -- forms


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, of which the last of a name counts. Raises HTTPException for what is none, or too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413)
    try:
        return dict(
            parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
        )
    except ValueError as error:
        raise HTTPException(400) from error


def _ballot(visit: Visit, rater: SavedRater) -> Ballot | None:
    """What the form says; None where something is missing or is none of the levels."""
    is_skip = visit.field("action") == "skip"
    choice = Choice.SKIP.value if is_skip else visit.field("choice")
    if choice not in list(Choice) or (choice == Choice.SKIP and not is_skip):
        return None
    ballot = Ballot(
        choice=Choice(choice),
        quality_left="" if is_skip else visit.field("quality_left"),
        quality_right="" if is_skip else visit.field("quality_right"),
        reason=visit.field("reason").strip()[:MAX_REASON],
        seconds=told_seconds(visit.field("seconds")),
        seen_left=_flag(visit.field("seen_left")),
        seen_right=_flag(visit.field("seen_right")),
        layout=visit.field("layout") if visit.field("layout") in LAYOUTS else "",
        ui_language=rater.interface,
    )
    return ballot if is_complete(ballot, visit.ledger.file.scale) else None


def _flag(text: str) -> bool | None:
    return {"1": True, "0": False}.get(text)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


# -- files, and what every answer carries


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


class _SecurityHeaders:
    """Adds `SECURITY_HEADERS` to every response, errors among them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
