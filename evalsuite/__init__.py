"""evalsuite: measures language models in many languages and says what the measurement is worth."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.api import Evaluation, evaluate, score

__version__ = "0.1.0"
__all__ = ["Evaluation", "__version__", "evaluate", "score"]

_LATE = {"Evaluation": "evalsuite.api", "evaluate": "evalsuite.api", "score": "evalsuite.api"}
"""Where the names for users are defined: imported when first used, so that ``evalsuite --help`` stays quick."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'evalsuite' has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
