"""evalsuite: measures language models in many languages and says what the measurement is worth."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself is not imported: this file must cost nothing
    from typing import Any

    from evalsuite.api import Evaluation, evaluate, score
    from evalsuite.querying.loading import RunFrames, load

__version__ = "0.1.0"
__all__ = ["Evaluation", "RunFrames", "__version__", "evaluate", "load", "score"]

_LATE = {
    "Evaluation": "evalsuite.api",
    "RunFrames": "evalsuite.querying.loading",
    "evaluate": "evalsuite.api",
    "load": "evalsuite.querying.loading",
    "score": "evalsuite.api",
}
"""Where the names for users are defined: imported when first used, so that ``evalsuite --help`` stays quick."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'evalsuite' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)
