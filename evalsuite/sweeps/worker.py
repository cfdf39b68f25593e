"""The process of one worker: ``python -m evalsuite.sweeps.worker``, started by a sweep and of no use by itself.

Standard input brings the job, a line of JSON, and then stays open: ``stop`` asks for an end after the present batch,
and its end means that the sweep is gone, however it went. Then this process ends at once, so that nobody writes to a
run that a new sweep may be at. Events go to standard output, which is nobody else's; all other output to the log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import msgspec

from evalsuite.sweeps.events import Event, Job, event_line
from evalsuite.sweeps.work import work

STOP = b"stop\n"

EXIT_FRESH = 75
"""What a worker ends with after a cell that raised: the cells after it are for a new process."""


def main() -> int:
    """Do the job on standard input."""
    job = msgspec.convert(json.loads(sys.stdin.buffer.readline()), Job)
    stopping = threading.Event()
    threading.Thread(target=_listen, args=(stopping,), daemon=True).start()
    events = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no event

    def report(event: Event) -> None:
        os.write(events, event_line(event))

    return 0 if work(job, report, stopping.is_set) else EXIT_FRESH


def _listen(stopping: threading.Event) -> None:
    while line := sys.stdin.buffer.readline():
        if line == STOP:
            stopping.set()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the listening thread holds standard input, for which Python would wait
