"""Whether the hub may be asked, and whether it answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

TIMEOUT_S = 5.0


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether ``HF_HUB_OFFLINE`` forbids all requests."""
    return environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")


@cache
def is_reachable() -> bool:
    """Whether the hub answers at all. One request, so that no command waits through the client's own retries."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=TIMEOUT_S)
    except Exception:  # the client's HTTP library, and so its errors, changes with its version
        return False
    return True
