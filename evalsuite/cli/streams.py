"""Standard output and standard error: terminals that know few characters, and readers that go away."""

from __future__ import annotations

import io
import os
import sys


def silence() -> None:
    """Let everything printed from now on vanish: the reader went away, or has no room."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  lives as long as the process


def tolerate_narrow_encodings() -> None:
    """Let a terminal that knows no dash or Arabic show a question mark, and not end a finished run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="replace")
