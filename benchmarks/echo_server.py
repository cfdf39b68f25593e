"""An OpenAI-compatible server that costs next to nothing: what a benchmark of clients talks to.

`python benchmarks/echo_server.py --port 0 --delay_ms 20` prints the port it listens on at 127.0.0.1 and serves until it
is ended. Every chat or completion request gets the same answer of `--num_words` words, `--delay_ms` after its last
byte; so does ``GET /v1/models``. All responses are made once at the start, and of a request only its first line and its
length are read, so that it is the client that is measured. Connections are kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WORDS = ("seven", "grey", "herons", "cross", "the", "quiet", "river", "before")


@dataclass(frozen=True)
class Responses:
    """Whole HTTP responses, by what is asked."""

    chat: bytes
    completion: bytes
    models: bytes
    not_found: bytes

    def to(self, request_line: bytes) -> bytes:
        """The response to a request that begins with `request_line`."""
        if request_line.startswith(b"POST /v1/chat/completions "):
            return self.chat
        if request_line.startswith(b"POST /v1/completions "):
            return self.completion
        return self.models if request_line.startswith(b"GET /v1/models ") else self.not_found


def responses(num_words: int) -> Responses:
    """The responses of a server whose answers have `num_words` words, each counted as one token."""
    text = " ".join(_WORDS[place % len(_WORDS)] for place in range(num_words))
    usage = {"prompt_tokens": 64, "completion_tokens": num_words, "total_tokens": 64 + num_words}
    about = {"created": 1_700_000_000, "model": "echo", "usage": usage}
    end = {"index": 0, "logprobs": None, "finish_reason": "stop"}
    message = {"role": "assistant", "content": text, "refusal": None}
    chat = {"id": "chatcmpl-0", "object": "chat.completion", **about, "choices": [{**end, "message": message}]}
    completion = {"id": "cmpl-0", "object": "text_completion", **about, "choices": [{**end, "text": text}]}
    models = {"object": "list", "data": [{"id": "echo", "object": "model", "created": 0, "owned_by": "echo"}]}
    error = {"error": {"message": "There is nothing here.", "type": "invalid_request_error", "code": None}}
    return Responses(
        _http("200 OK", chat), _http("200 OK", completion), _http("200 OK", models), _http("404 Not Found", error)
    )


def _http(status: str, content: object) -> bytes:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class EchoServer(asyncio.Protocol):
    """One connection: every whole request is answered after `delay_s`, in the order of arrival."""

    def __init__(self, responses: Responses, delay_s: float) -> None:
        self._responses = responses
        self._delay_s = delay_s
        self._unread = b""
        self._call_later = asyncio.get_running_loop().call_later

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        unread = self._unread + data if self._unread else data
        while (length := _request_length(unread)) is not None and length <= len(unread):
            self._call_later(self._delay_s, self._send, self._responses.to(unread[:40]))
            unread = unread[length:]
        self._unread = unread

    def _send(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


def _request_length(unread: bytes) -> int | None:
    """Bytes of the first request in `unread`, whether or not all are there; None where its head is not whole."""
    end = unread.find(_END_OF_HEAD)
    if end < 0:
        return None
    found = _LENGTH.search(unread, 0, end)
    return end + len(_END_OF_HEAD) + (int(found[1]) if found else 0)


async def serve(port: int, delay_s: float, num_words: int) -> None:
    """Listen on 127.0.0.1, print the port, and answer until cancelled."""
    made = responses(num_words)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: EchoServer(made, delay_s), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--delay_ms", type=float, default=20.0, help="milliseconds from a request to its answer")
    parser.add_argument("--num_words", type=int, default=64, help="words of an answer")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, options.delay_ms / 1000, options.num_words))


if __name__ == "__main__":
    main()
