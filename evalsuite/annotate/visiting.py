"""Requests as handlers see them, and what every request and answer passes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .guarding import MAX_BODY_BYTES, SECURITY_HEADERS
from .ledger import Ledger

COOKIE = "evalsuite_session"
_MAX_FIELDS = 40
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Visit:
    """A request: the path's variable part, the session and who sends it; the form of one that writes."""

    ledger: Ledger
    session: str
    client: str
    part: str = ""
    is_form: bool = False
    form: Mapping[str, str] = field(default_factory=dict)
    is_saved: bool = False

    def field(self, name: str) -> str:
        """A field of the form; empty where there is none."""
        return self.form.get(name, "")

    def whole(self, name: str) -> int:
        """A field that is a number; 0 for what is none."""
        text = self.field(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


async def visit_of(request: Request, ledger: Ledger, *, is_form: bool) -> Visit:
    """The request as a visit. Raises HTTPException for a form that is none, or too large."""
    return Visit(
        ledger=ledger,
        session=request.cookies.get(COOKIE, ""),
        client=request.client.host if request.client else "",
        part=request.path_params.get("part", ""),
        is_form=is_form,
        form=await _form(request) if is_form else {},
        is_saved=request.query_params.get("saved") == "1",
    )


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, of which the last of a name counts."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise HTTPException(415)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise HTTPException(413)
    except ClientDisconnect as error:
        raise HTTPException(400) from error  # nobody is there to read it
    try:
        text = body.decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"))
    except ValueError as error:
        raise HTTPException(400) from error


class SecurityHeaders:
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
