"""A loopback server that speaks OpenAI's wire format and fails as real endpoints do, scripted by prompt and attempt.

`fault_modes` says what can go wrong, `toy_answers` what a healthy answer is; here are sockets and threads. A request
never waits for another one: a hang or a drip holds its own connection only. Streaming is refused.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from fault_modes import (
    FAULTS,
    Mode,
    Reply,
    Script,
    Settings,
    at_rate,
    error_reply,
    gzip_bomb,
    healthy,
    parted_body,
    reply_to,
    status_reply,
)
from toy_answers import CHAT_PATH, COMPLETIONS_PATH, Asked, as_json, read_asked

__all__ = ["FAULTS", "FaultServer", "Mode", "Recorded", "Script", "Settings", "at_rate", "healthy"]

MODELS_PATH = "/v1/models"
STOPS_WITHIN_S = 10.0


@dataclass(frozen=True)
class Recorded:
    """One request as it came. `attempt` counts requests with the very same path and body, from 1.

    Names of headers are in lower case. `at_s` is monotonic time. `connection` numbers the connections, so that reuse
    can be seen. `prompt` and `body` are empty where there is none that could be read.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    prompt: str
    attempt: int
    mode: Mode | None
    at_s: float
    connection: int


@dataclass
class _Origin:
    """What one listening socket answers, and what it was asked."""

    script: Script
    seed: int
    models_mode: Mode | None = None
    port: int = 0
    requests: list[Recorded] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)

    def note(self, message: _Message, asked: Asked | None, connection: int) -> Mode | None:
        """Record a request; the mode that it meets, for which the script is asked once."""
        at_s = time.monotonic()
        body = json.loads(message.body) if asked else {}
        prompt = asked.prompt if asked else ""
        attempt = self._attempt(message.path, body)
        mode = self.models_mode if message.asks_models else None
        if asked:
            mode = self.script(prompt, attempt)
        method, path, headers = message.method, message.path, message.headers
        self.requests.append(Recorded(method, path, headers, body, prompt, attempt, mode, at_s, connection))
        return mode

    def _attempt(self, path: str, body: Mapping[str, Any]) -> int:
        identity = f"{path} {json.dumps(body, sort_keys=True)}"
        self.attempts[identity] += 1
        return self.attempts[identity]


class FaultServer:
    """A context manager: inside it, `base_url` answers as `script` says; leaving it ends every open connection.

    It runs in a thread with an event loop of its own. What fails in `script` or in the server itself is raised on
    leaving, so that a test's mistake is not taken for a fault on the wire. Another `seed` gives other answers.
    """

    def __init__(self, script: Script = healthy, *, seed: int = 0, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._main = _Origin(script, seed, self._settings.models_mode)
        self._other = _Origin(healthy, seed + 1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-server", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._mistakes: list[BaseException] = []
        self._connections = itertools.count(1)
        self._in_flight = 0
        self._peak_in_flight = 0

    @property
    def base_url(self) -> str:
        """Where clients are pointed to, ending in ``/v1``."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def port(self) -> int:
        """The port of `base_url`."""
        return self._main.port

    @property
    def other_port(self) -> int:
        """The port that `Mode.REDIRECT` points to, another origin."""
        return self._other.port

    @property
    def requests(self) -> tuple[Recorded, ...]:
        """All requests so far in the order of their arrival."""
        return tuple(self._main.requests)

    @property
    def other_requests(self) -> tuple[Recorded, ...]:
        """Requests that followed `Mode.REDIRECT` to the other origin."""
        return tuple(self._other.requests)

    @property
    def peak_in_flight(self) -> int:
        """The largest number of requests that were being answered at the same time."""
        return self._peak_in_flight

    def requests_with(self, prompt: str) -> tuple[Recorded, ...]:
        """All requests with this prompt, in the order of their arrival."""
        return tuple(request for request in self.requests if request.prompt == prompt)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        self._raise_mistakes()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # closed already, by a mistake raised below
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOPS_WITHIN_S)
        assert not self._thread.is_alive(), "the fault server does not stop"
        if error is None:
            self._raise_mistakes()

    def _raise_mistakes(self) -> None:
        if self._mistakes:
            raise RuntimeError("the fault server or its script failed") from self._mistakes[0]

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._mistakes.append(error)
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        servers = [await self._listen(origin) for origin in (self._main, self._other)]
        self._ready.set()
        await self._stopping.wait()
        for server in servers:
            server.close()
        await asyncio.sleep(0)  # connections just accepted become tasks
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted connections close their sockets

    async def _listen(self, origin: _Origin) -> asyncio.Server:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve_connection(origin, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024)
        origin.port = server.sockets[0].getsockname()[1]
        return server

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._mistakes.append(error)

    async def _serve_connection(
        self, origin: _Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer request after request; whatever ends it, the socket does not outlive the task."""
        connection, stays = next(self._connections), True
        try:
            while stays and (message := await _read_message(reader)):
                stays = await self._answer(origin, _Exchange(message, reader, writer), connection)
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass  # the client went away
        finally:
            writer.transport.abort()

    async def _answer(self, origin: _Origin, exchange: _Exchange, connection: int) -> bool:
        """Record and answer one request; whether the connection stays open."""
        self._in_flight += 1
        self._peak_in_flight = max(self._peak_in_flight, self._in_flight)
        try:
            asked = _understood(exchange.message)
            mode = origin.note(exchange.message, asked if isinstance(asked, Asked) else None, connection)
            await asyncio.sleep(self._settings.delay_s)
            if isinstance(asked, Asked):
                return await self._meet(mode, origin.seed, asked, exchange)
            return await exchange.send(asked or self._models(mode, exchange.message))
        finally:
            self._in_flight -= 1

    async def _meet(self, mode: Mode | None, seed: int, asked: Asked, exchange: _Exchange) -> bool:
        """Answer as `mode` says; whether the connection stays open."""
        settings = self._settings
        asked = replace(asked, echo=asked.echo and not settings.ignores_echo)
        if mode is Mode.GZIP_BOMB:
            await asyncio.to_thread(gzip_bomb, settings.bomb_bytes)  # its checksum takes a while, once
        reply = reply_to(mode, asked, exchange.message.authorization, settings, seed)
        match mode:
            case Mode.HANG:
                return await exchange.hang(settings.hang_s)
            case Mode.DROP:
                return False
            case Mode.RESET:
                return await exchange.reset_midway(reply)
            case Mode.SLOW_DRIP:
                return await exchange.drip(reply, settings.drip_interval_s)
            case Mode.BIG_BODY:
                return await exchange.send_padded(parted_body(asked, seed), settings.big_body_bytes)
            case Mode.REDIRECT:
                location = f"http://127.0.0.1:{self.other_port}{exchange.message.path}"
                return await exchange.send(Reply(settings.redirect_status, b"", (("Location", location),)))
            case _:
                return await exchange.send(reply)

    def _models(self, mode: Mode | None, message: _Message) -> Reply:
        if mode is not None:
            reply = status_reply(mode, "any model", message.authorization, self._settings)
            assert reply, f"GET {MODELS_PATH} can meet modes that are a status, not {mode}"
            return reply
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "toy"} for name in self._settings.models]
        return Reply(200, as_json({"object": "list", "data": models}))


@dataclass(frozen=True)
class _Message:
    """One HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def authorization(self) -> str:
        """The header of that name, or nothing."""
        return self.headers.get("authorization", "")

    @property
    def asks_models(self) -> bool:
        """Whether the list of models is wanted."""
        return (self.method, self.path) == ("GET", MODELS_PATH)

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks, which are left unread."""
        return "transfer-encoding" in self.headers

    @property
    def is_last(self) -> bool:
        """Whether no other request can follow on this connection."""
        return self.is_chunked or self.headers.get("connection", "").lower() == "close"


async def _read_message(reader: asyncio.StreamReader) -> _Message | None:
    """The next request of a connection; None where the client has hung up."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = first.split(" ")
    return _Message(method, path, headers, body)


def _understood(message: _Message) -> Asked | Reply | None:
    """What is asked, the reply to what no server would answer, or None for the list of models."""
    if message.is_chunked:
        return error_reply(411, "invalid_request_error", "This server wants a Content-Length.")
    if message.asks_models:
        return None
    if message.method != "POST" or message.path not in (CHAT_PATH, COMPLETIONS_PATH):
        return error_reply(404, "invalid_request_error", f"{message.method} {message.path} is not served here.")
    try:
        return read_asked(message.path, json.loads(message.body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return error_reply(400, "invalid_request_error", f"The body is not understood: {error!r}")


@dataclass(frozen=True)
class _Exchange:
    """A request and the ways to answer it; each says whether the connection stays open."""

    message: _Message
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def _head(self, reply: Reply, length: int) -> bytes:
        fields = [("Content-Type", reply.content_type), ("Content-Length", str(length)), *reply.headers]
        if self.message.is_last:
            fields.append(("Connection", "close"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n{lines}\r\n".encode("latin-1")

    async def send(self, reply: Reply) -> bool:
        """The whole reply at once."""
        self.writer.write(self._head(reply, len(reply.body)) + reply.body)
        await self.writer.drain()
        return not self.message.is_last

    async def hang(self, seconds: float | None) -> bool:
        """Nothing, until the time is over or the client has hung up."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), seconds)
        return False

    async def reset_midway(self, reply: Reply) -> bool:
        """Half of the body, then a reset."""
        self.writer.write(self._head(reply, len(reply.body)) + reply.body[: len(reply.body) // 2])
        await self.writer.drain()
        at_once = struct.pack("ii", 1, 0)  # a socket that lingers for no time is reset on closing
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.writer.transport.abort()
        return False

    async def drip(self, reply: Reply, interval_s: float) -> bool:
        """The head at once, then a byte at a time."""
        self.writer.write(self._head(reply, len(reply.body)))
        for place in range(len(reply.body)):
            self.writer.write(reply.body[place : place + 1])
            await self.writer.drain()
            await asyncio.sleep(interval_s)
        return not self.message.is_last

    async def send_padded(self, parts: tuple[bytes, bytes], num_filling: int) -> bool:
        """The two parts with `num_filling` letters between them, which are never held all at once."""
        head, tail = parts
        piece = b"a" * 2**16
        self.writer.write(self._head(Reply(200, b""), len(head) + num_filling + len(tail)) + head)
        for start in range(0, num_filling, len(piece)):
            self.writer.write(piece[: num_filling - start])
            await self.writer.drain()
        self.writer.write(tail)
        await self.writer.drain()
        return not self.message.is_last
