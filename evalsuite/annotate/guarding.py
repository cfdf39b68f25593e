"""What a request must be before it is listened to: from this site, by a rater, and not too fast."""

from __future__ import annotations

import hmac
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from urllib.parse import urlsplit

MAX_BODY_BYTES = 64 * 1024
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


class Pace:
    """At most so many events of each key in a minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def is_too_fast(self, key: str) -> bool:
        """Whether `key` has had its events of this minute."""
        seen = self._seen[key]
        while seen and seen[0] < time.monotonic() - 60.0:
            seen.popleft()
        if not seen:
            del self._seen[key]
        return len(seen) >= self._per_minute

    def note(self, key: str) -> None:
        """Count an event of `key`."""
        self._seen[key].append(time.monotonic())


def form_token(secret: bytes, session: str) -> str:
    """What a form of this session carries, so that no other site can send it."""
    return hmac.new(secret, session.encode("utf-8", "replace"), "sha256").hexdigest()


def is_form_token(secret: bytes, session: str, token: str) -> bool:
    """Whether `token` is that of the session."""
    return hmac.compare_digest(form_token(secret, session).encode("ascii"), token.encode("utf-8", "replace"))


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that a form comes from this site; others than browsers say nothing."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.casefold() == headers.get("host", "").casefold()
    except ValueError:
        return False
