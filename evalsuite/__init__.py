"""evalsuite: measures language models in many languages and says what the measurement is worth."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself is not imported: this file must cost nothing
    import os

    from evalsuite.querying.loading import RunFrames

__version__ = "0.1.0"


def load(run: str | os.PathLike[str]) -> RunFrames:
    """A sealed run's directory as pandas frames: `estimates`, `aggregates`, `tasks`, `samples`, `runs`.

    Their columns, dtypes and units are in docs/querying.md. Raises SpecMismatch where there is no finished run,
    CorruptStore where what is stored cannot be read.
    """
    from pathlib import Path

    from evalsuite.querying.loading import load as load_run

    return load_run(Path(run))
