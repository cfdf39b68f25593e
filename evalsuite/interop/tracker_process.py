"""The process in which a tracker works: ``python -m evalsuite.interop.tracker_process``, started by `trackers.send`.

A `Sending` comes in, a `Sent` goes out. Whatever else is printed, by Python or not, goes to standard error.
"""

from __future__ import annotations

import importlib
import os
import sys

import msgspec

from evalsuite.errors import UsageError
from evalsuite.interop.trackers import Sending, Sent


def main() -> None:
    """Answer one request."""
    sending = msgspec.json.decode(sys.stdin.buffer.read(), type=Sending)
    answer = os.dup(1)
    os.dup2(2, 1)
    sent = _carried_out(sending)
    with os.fdopen(answer, "wb") as out:
        out.write(msgspec.json.encode(sent))


def _carried_out(sending: Sending) -> Sent:
    try:
        tracker = importlib.import_module(f"evalsuite.interop.tracker_{sending.tracker}")
        return Sent(logged=tracker.send(sending.facts, sending.place))
    except ImportError as error:
        brings = f"`pip install 'evalsuite[{sending.tracker}]'` brings what {sending.tracker} needs"
        return Sent(error=f"{error}; {brings}, but no drivers of database servers.", is_usage=True)
    except Exception as error:  # another's library: of any class, and none says more than its text
        reason = " ".join(str(error).split()) or type(error).__name__
        return Sent(error=reason, is_usage=isinstance(error, UsageError))


if __name__ == "__main__":
    main()
