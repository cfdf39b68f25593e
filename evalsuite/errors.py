"""Every error that evalsuite raises on purpose, with the exit code it ends a command with.

::

    EvalsuiteError
    ├── UsageError              2   a flag, a key, a name or a value is wrong
    │   ├── ConfigError         2   in a file, at a line
    │   ├── UnknownName         2   not installed; carries the nearest name
    │   └── ModelUnreadable     2   weights, tokenizer or template cannot be loaded
    ├── DataError               2   rows are changed or of the wrong shape
    │   └── RowsMissing         2   neither mirror nor hub has them
    ├── RunLocked               2   another process writes to this run directory
    ├── SpecMismatch            2   the directory holds another run
    ├── CorruptStore            3   stored bytes are not what was written
    ├── SaveFailed              3   results could not be written
    ├── EngineFailed            3   an engine broke off or broke its contract; what it answered before is safe
    ├── RunStopped              3   an engine cannot go on for now; what it answered is safe, the same command resumes
    │   ├── EndpointDown        3   a server does not answer, or asks for too long a pause
    │   └── BudgetExhausted     4   a cap of the user or the account's own is reached
    ├── NothingComparable       3   what there is cannot be held side by side
    └── NothingSelected         6   no task or no sample is left to run
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_GATE_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_BUDGET = 4
EXIT_INCONCLUSIVE = 5
EXIT_NOTHING = 6
EXIT_INTERRUPTED = 130


class EvalsuiteError(Exception):
    """An error whose text is one line for a person: what was found, where, and what to do."""

    exit_code = EXIT_USAGE


class UsageError(EvalsuiteError):
    """A flag, key, name or value is wrong."""


class ConfigError(UsageError):
    """A configuration file is wrong at a known place."""


class UnknownName(UsageError):
    """A task, model, protocol or engine of that name is not installed; `absent` says so of what is no plugin."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str, absent: str = "is not installed") -> None:
        near = nearest(name, known)
        guess = f"; did you mean {near!r}?" if near else "."
        super().__init__(f"{kind} {name!r} {absent}{guess} {hint}")


class UnknownSample(UnknownName):
    """A run has no sample of that id."""

    def __init__(self, sample_id: str, known: Iterable[str]) -> None:
        hint = "Ids are <task>:<split>:<row>, rows counted from 0."
        super().__init__("sample", sample_id, known, hint, "is not in this run")


class ModelUnreadable(UsageError):
    """Weights, tokenizer or chat template cannot be loaded."""


class DataError(EvalsuiteError):
    """Rows are missing, changed or of the wrong shape."""


class RowsMissing(DataError):
    """Neither mirror nor hub has the rows."""


class RunLocked(EvalsuiteError):
    """Another process writes to this run directory."""


class SpecMismatch(EvalsuiteError):
    """The directory holds a run of another spec, plan or code."""


class CorruptStore(EvalsuiteError):
    """Stored bytes are not what was written; names the file and the byte."""

    exit_code = EXIT_INCOMPLETE


class SaveFailed(EvalsuiteError):
    """Results could not be written."""

    exit_code = EXIT_INCOMPLETE


class EngineFailed(EvalsuiteError):
    """An engine broke off or broke its contract; what it answered before is safe."""

    exit_code = EXIT_INCOMPLETE


class RunStopped(EvalsuiteError):
    """An engine cannot go on for now; what it answered before is safe, and the same command resumes."""

    exit_code = EXIT_INCOMPLETE
    reason = "stopped"


class EndpointDown(RunStopped):
    """A server does not answer, or asks for a longer pause than anyone waits."""

    reason = "endpoint_down"


class BudgetExhausted(RunStopped):
    """A cap of the user's, or the account's own, is reached."""

    exit_code = EXIT_BUDGET
    reason = "budget"


class NothingComparable(EvalsuiteError):
    """No two of the results there are can be held side by side in the way that was asked for."""

    exit_code = EXIT_INCOMPLETE


class NothingSelected(EvalsuiteError):
    """No task or no sample is left to run."""

    exit_code = EXIT_NOTHING


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when none is close."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def one_line(error: BaseException) -> str:
    """What kind of error a library raised, and the first line of its reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"
