"""What the first commands import and cost: a user who asks what there is must not wait for torch."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterable

import pytest
from commands import command_line

HEAVY = (
    "torch",
    "transformers",
    "pandas",
    "datasets",
    "numpy",
    "scipy",
    "sacrebleu",
    "lm_eval",
    "pyarrow",
    "matplotlib",
)
LISTING = [
    ("--help",),
    ("--version",),
    ("list",),
    ("list", "tasks"),
    ("list", "tasks", "--lang", "zh,hi", "--json"),
    ("list", "models"),
    ("list", "engines"),
    ("list", "--help"),
]
RUNNING = [(name, "--help") for name in ("run", "show", "report", "demo", "doctor")]
MODEL_LIBRARIES = ("torch", "transformers", "pandas", "datasets", "lm_eval", "matplotlib")

PROBE = """
import sys
from evalsuite.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported(arguments: Iterable[str]) -> set[str]:
    """Top-level names of all modules that the command has loaded when it ends."""
    ended = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True)
    return set(ended.stderr.splitlines()[-1].split())


def cpu_seconds(arguments: Iterable[str]) -> float:
    """User and system time of the command, the least of three attempts."""
    measured = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command_line(*arguments), capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        measured.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(measured)


@pytest.mark.parametrize("arguments", LISTING, ids=" ".join)
def test_listing_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    modules = imported(arguments)
    assert "evalsuite" in modules
    assert modules.isdisjoint(HEAVY), modules & set(HEAVY)


@pytest.mark.parametrize("arguments", RUNNING, ids=" ".join)
def test_help_of_a_command_imports_no_model_library(arguments: tuple[str, ...]) -> None:
    modules = imported(arguments)
    assert modules.isdisjoint(MODEL_LIBRARIES), modules & set(MODEL_LIBRARIES)


def test_cpu_seconds_are_printed() -> None:
    """The aims are 0.2 s and 0.4 s; a busy machine is no reason to fail, so they are shown (``-s``), not asserted."""
    for arguments, aim in ((("--help",), 0.2), (("list", "tasks"), 0.4), (("run", "--help"), None)):
        print(f"evalsuite {' '.join(arguments)}: {cpu_seconds(arguments):.3f} s of CPU, aim {aim}")
