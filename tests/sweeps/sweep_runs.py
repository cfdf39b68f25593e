"""Sweeps as users start them, in processes of their own, and what they leave on disk; with a stranger's engine."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from commands import Ran, command_line, run_apart

from evalsuite.store.results import RESULTS, SAMPLES

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}

STRANGER = '''
"""An engine of somebody else's: it notes when it loads, and fails on the tasks that its arguments name."""

import os
import signal
from pathlib import Path

from evalsuite.engines.scripted import ScriptedEngine, plausible


class Stranger(ScriptedEngine):
    name = "stranger"

    def __init__(self, args, weights):
        super().__init__(plausible, label="stranger", delay_s=float(args.get("delay_s", 0.0)))
        self._args = args
        self._weights = weights

    def afresh(self):
        return Stranger(self._args, self._weights)

    def run(self, batches):
        if not self._weights:
            self._weights.append("loaded")
            with open(os.environ["STRANGER_LOADS"], "a") as file:
                file.write(f"{os.getpid()}\\n")
        for batch in batches:
            name = batch.items[0].sample_id
            if name.startswith(self._args.get("raises_on", "nothing")):
                raise KeyError("what a stranger forgot")
            if name.startswith(self._args.get("dies_on", "nothing")):
                os.kill(os.getpid(), signal.SIGKILL)
            once = Path(os.environ["STRANGER_LOADS"] + ".once")
            if name.startswith(self._args.get("dies_once_on", "nothing")) and not once.exists():
                once.touch()
                os.kill(os.getpid(), signal.SIGSEGV)
            yield from super().run([batch])


def open_engine(options):
    return Stranger(dict(options.args), [])
'''


@dataclass(frozen=True)
class Workplace:
    """A folder in which sweeps are run, with a stranger's distribution installed beside evalsuite."""

    folder: Path

    @property
    def loads(self) -> list[str]:
        """The processes that the stranger's engine loaded in, in order."""
        path = self.folder / "loads"
        return path.read_text(encoding="ascii").split() if path.exists() else []

    @property
    def environment(self) -> Mapping[str, str]:
        installed = os.pathsep.join(filter(None, [str(self.folder / "site"), os.environ.get("PYTHONPATH")]))
        return {**ENVIRONMENT, "PYTHONPATH": installed, "STRANGER_LOADS": str(self.folder / "loads")}

    def write(self, text: str, name: str = "sweep.yaml") -> Path:
        """A file of the sweep that `text` describes."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments: object) -> Ran:
        """`evalsuite` with `arguments`, to its end."""
        return run_apart(*arguments, cwd=self.folder, env=self.environment, timeout_s=None)

    @contextmanager
    def started(self, *arguments: object) -> Iterator[subprocess.Popen[str]]:
        """`evalsuite` with `arguments`, under way."""
        with subprocess.Popen(
            command_line(*arguments), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()


def make_workplace(folder: Path) -> Workplace:
    """A new workplace; the distribution is what an installer would write."""
    about = folder / "site" / "stranger-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "site" / "stranger.py").write_text(STRANGER, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[evalsuite.engines]\nstranger = stranger:open_engine\n", encoding="utf-8")
    return Workplace(folder)


# -- what is on disk


def sealed_bytes(directory: Path) -> dict[str, bytes]:
    """The derived files of all runs of the sweep in `directory`."""
    return {
        f"{path.name}/{name}": (path / name).read_bytes()
        for path in sorted(directory.glob("runs/*"))
        for name in (RESULTS, SAMPLES)
        if (path / name).exists()
    }


def journal_sizes(directory: Path) -> dict[str, int]:
    """Bytes of all journals of the sweep in `directory`."""
    return {str(path): path.stat().st_size for path in directory.glob("runs/*/journal/*.jsonl")}


def num_answers(directory: Path) -> int:
    """Lines in all journals: a measure of how far a sweep is."""
    return sum(path.read_bytes().count(b"\n") for path in directory.glob("runs/*/journal/*.jsonl"))


def workers_of(pid: int) -> list[int]:
    """The processes that a sweep has started and that still run."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [int(child) for child in found]


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return when `condition` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
