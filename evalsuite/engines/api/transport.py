"""Bodies that cannot be larger than a limit, compressed ones included."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2


class BodyTooLarge(httpx2.TransportError):
    """A response's body is larger than this client reads."""


class BoundedTransport(httpx2.AsyncHTTPTransport):
    """Reads at most `max_bytes` of a body, after decompressing it; a small bomb is no larger than a large body."""

    def __init__(self, max_bytes: int, **options: Any) -> None:
        super().__init__(**options)
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response, its stream bounded and free of any content encoding."""
        response = await super().handle_async_request(request)
        encoding = response.headers.pop("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            await response.aclose()
            raise BodyTooLarge(f"a body in the encoding {encoding[:40]!r}, which was not asked for")
        response.headers.pop("content-length", None)
        response.stream = _Bounded(response.stream, self._max_bytes, is_compressed=encoding not in ("", "identity"))
        return response


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: Any, max_bytes: int, *, is_compressed: bool) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32) if is_compressed else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._max_bytes
        async for chunk in self._stream:
            piece = self._inflated(chunk, left + 1) if self._inflater else chunk
            left -= len(piece)
            if left < 0:
                raise BodyTooLarge(f"a body of more than {self._max_bytes} bytes")
            yield piece

    def _inflated(self, chunk: bytes, at_most: int) -> bytes:
        assert self._inflater is not None
        try:
            return self._inflater.decompress(chunk, at_most)
        except zlib.error as error:
            raise httpx2.DecodingError(f"a compressed body that is damaged: {error}") from error

    async def aclose(self) -> None:
        await self._stream.aclose()
