"""kill -9 at any moment, any number of times: nothing lost, nothing asked twice, the same bytes in the end.

What counts as asked is what the scripted function itself noted in a file; what counts as kept is the journal on disk.
"""

from __future__ import annotations

import random
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from forked_runs import (
    NOTHING,
    Ended,
    ForkServer,
    Sealed,
    WhatIf,
    committed,
    fork_server,
    journal,
    kill,
    run_path,
    sealed,
    wait_for,
)

from evalsuite.store.frames import Fault, read_frames
from evalsuite.types import Response

KILLED = -signal.SIGKILL
DIED_WRITING = -signal.SIGXFSZ


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with fork_server() as started:
        yield started


def arguments(batch_size: int) -> tuple[str, ...]:
    """Four requests for each choice in the first wave, chats of two waves, in six languages."""
    model = ("--model", "scripted", "--model_args", "function=fork_server:answer")
    return (*model, "--tasks", "mini_choice,mini_chat", "--limit", "12", "--batch_size", str(batch_size))


@dataclass(frozen=True)
class Reference:
    """An uninterrupted run: how it ended, what it was sealed as, its answers by request key, its duration."""

    code: int
    sealed: Sealed
    answers: Mapping[str, Response]
    duration_s: float


@pytest.fixture(scope="module")
def reference_of(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Reference]:
    """The uninterrupted run with a batch size; made once."""
    made: dict[int, Reference] = {}

    def reference(batch_size: int) -> Reference:
        if batch_size not in made:
            output = tmp_path_factory.mktemp("reference")
            begun = time.monotonic()
            noted = WhatIf(asked=str(output.with_suffix(".asked")), answer_takes_s=ANSWER_TAKES_S)
            ended = server.run(output, arguments(batch_size), noted)
            duration_s = time.monotonic() - begun
            assert ended.code in (0, 3), ended.text
            made[batch_size] = Reference(ended.code, sealed(output), committed(output), duration_s)
        return made[batch_size]

    return reference


# -- at random times

ANSWER_TAKES_S = 0.002
MOST_KILLS_A_SWEEP = 25


@dataclass
class Sweep:
    """One run, killed and resumed until it ends, and checked after each death."""

    server: ForkServer
    output: Path
    batch_size: int
    reference: Reference
    known: Mapping[str, Response] = field(default_factory=dict)
    num_asked: int = 0
    num_kills: int = 0
    num_repeated: int = 0

    def go_on(self, kill_after_s: float) -> bool:
        """Start or resume, kill after a while; whether the run was over by then."""
        what_if = WhatIf(asked=str(self.asked_path), answer_takes_s=ANSWER_TAKES_S)
        pid = self.server.start(self.output, arguments(self.batch_size), what_if)
        time.sleep(kill_after_s)
        kill(pid)
        ended = self.server.wait()
        self.check_what_was_asked()
        if ended.code == KILLED:
            self.num_kills += 1
            return False
        assert ended.code == self.reference.code, ended.text
        return True

    def finish(self) -> None:
        """Resume for the last time, undisturbed."""
        ended = self.server.run(self.output, arguments(self.batch_size), WhatIf(asked=str(self.asked_path)))
        assert ended.code == self.reference.code, ended.text
        self.check_what_was_asked()

    def dying_at(self, stop_at: int) -> WhatIf:
        """The end at a file operation."""
        return WhatIf(asked=str(self.asked_path), stop_at=stop_at)

    @property
    def asked_path(self) -> Path:
        return self.output.with_suffix(".asked")

    def check_what_was_asked(self) -> None:
        """Nothing that was journaled was asked again, and what was asked is journaled but for the batch in flight."""
        asked = self.asked_path.read_text().split()[self.num_asked :] if self.asked_path.exists() else []
        assert not set(asked) & self.known.keys(), "what was journaled was asked again"
        assert len(set(asked)) == len(asked), "asked twice by one process"
        now = committed(self.output)
        assert self.known.items() <= now.items(), "what was journaled is lost"
        assert now.items() <= self.reference.answers.items(), "the journal holds what nobody answered"
        in_flight = set(asked) - now.keys()
        assert len(in_flight) <= self.batch_size, "more than the batch in flight was not journaled"
        self.known, self.num_asked = now, self.num_asked + len(asked)
        self.num_repeated += len(in_flight)

    def check_the_end(self) -> None:
        """Sealed as if nothing had happened, every request asked, and no more often than deaths explain."""
        assert sealed(self.output) == self.reference.sealed
        asked = self.asked_path.read_text().split()
        assert set(asked) == self.reference.answers.keys()
        assert len(asked) == len(self.reference.answers) + self.num_repeated
        assert self.num_repeated <= self.num_kills * self.batch_size
        check_leftovers(self.output)


def check_leftovers(output: Path) -> None:
    """Besides a run's own files, deaths leave hidden temporary files, which nothing reads."""
    path = run_path(output)
    assert path is not None
    own = re.compile(
        r"(spec|results)\.json|samples\.parquet|telemetry\.jsonl|lock|plan/wave-000[12]\.jsonl|journal/\d{4}\.jsonl"
    )
    names = [str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()]
    assert [name for name in names if not own.fullmatch(name) and not re.search(r"(^|/)\.[^/]+\.tmp$", name)] == []


@pytest.mark.parametrize(("batch_size", "num_kills"), [(1, 200), (4, 60)])
def test_a_run_killed_at_random_times_ends_in_the_same_bytes(
    server: ForkServer,
    reference_of: Callable[[int], Reference],
    tmp_path: Path,
    batch_size: int,
    num_kills: int,
) -> None:
    rng = random.Random(batch_size)
    reference = reference_of(batch_size)
    sweeps: list[Sweep] = []
    while sum(sweep.num_kills for sweep in sweeps) < num_kills:
        sweep = Sweep(server, tmp_path / str(len(sweeps)), batch_size, reference)
        sweeps.append(sweep)
        while not sweep.go_on(rng.uniform(0, 0.6 * reference.duration_s)):
            if sweep.num_kills == MOST_KILLS_A_SWEEP:
                sweep.finish()
                break
        sweep.check_the_end()
    assert sum(sweep.num_repeated for sweep in sweeps) > 0, "no kill met a batch in flight"


# -- at every file operation


def named(ended: Ended) -> str:
    """What the child was about to do when it was stopped, without its process id: ``os.rename of plan/wave-0001``."""
    (stopped,) = re.findall(r"stopped before (.*)", ended.text)
    return re.sub(r"(of )[^/]+/|\.\d+\.tmp", r"\1", stopped)


NAMED_POINTS = {
    "open of lock",
    "os.rename of .spec.json",
    "os.mkdir of plan",
    "os.rename of plan/.wave-0001.jsonl",
    "os.mkdir of journal",
    "open of journal/0001.jsonl",
    "open of telemetry.jsonl",
    "open of plan/.wave-0002.jsonl",
    "os.rename of plan/.wave-0002.jsonl",
    "os.rename of .samples.parquet",
    "open of .results.json",
    "os.rename of .results.json",
}


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_run_killed_before_each_file_operation_ends_in_the_same_bytes(
    server: ForkServer, reference_of: Callable[[int], Reference], tmp_path: Path, batch_size: int
) -> None:
    reference = reference_of(batch_size)
    points = []
    for stop_at in range(1, 100):
        sweep = Sweep(server, tmp_path / str(stop_at), batch_size, reference)
        ended = server.run(sweep.output, arguments(batch_size), sweep.dying_at(stop_at))
        if ended.code != KILLED:
            break
        points.append(named(ended))
        sweep.check_what_was_asked()
        sweep.finish()
        sweep.check_the_end()
    assert set(points) >= NAMED_POINTS


def test_a_recovery_killed_before_each_file_operation_ends_in_the_same_bytes(
    server: ForkServer, reference_of: Callable[[int], Reference], tmp_path: Path
) -> None:
    reference = reference_of(1)
    points = []
    for stop_at in range(1, 100):
        sweep = Sweep(server, tmp_path / str(stop_at), 1, reference)
        server.run(sweep.output, arguments(1), WhatIf(max_file_bytes=14_003, dies_at_limit=True))
        assert journal(sweep.output).torn_tails
        sweep.known = committed(sweep.output)
        ended = server.run(sweep.output, arguments(1), sweep.dying_at(stop_at))
        if ended.code != KILLED:
            break
        points.append(named(ended))
        sweep.check_what_was_asked()
        sweep.finish()
        assert sealed(sweep.output) == reference.sealed
    assert "open of journal/0002.jsonl" in points
    assert "os.rename of .results.json" in points


def test_a_run_that_dies_in_the_middle_of_a_record_ends_in_the_same_bytes(
    server: ForkServer, reference_of: Callable[[int], Reference], tmp_path: Path
) -> None:
    """The kernel ends the process at its n-th byte of a file: a real torn tail, resumed over and over."""
    reference = reference_of(4)
    num_torn = 0
    for num_bytes in random.Random(11).sample(range(16, 15_000), 20):
        output = tmp_path / str(num_bytes)
        ended = server.run(output, arguments(4), WhatIf(max_file_bytes=num_bytes, dies_at_limit=True))
        assert ended.code == DIED_WRITING, ended.text
        num_torn += len(journal(output).torn_tails)
        again = server.run(output, arguments(4), WhatIf(max_file_bytes=num_bytes, dies_at_limit=True))
        assert again.code in (DIED_WRITING, reference.code)
        ended = server.run(output, arguments(4))
        assert ended.code == reference.code
        assert ended.text.count("torn tail ignored: 000") == len(journal(output).torn_tails)
        assert sealed(output) == reference.sealed
    assert num_torn >= 5


# -- the real model


@pytest.mark.model
def test_the_real_model_killed_five_times_ends_in_the_same_bytes(tmp_path: Path) -> None:
    asked = ("--model", "smollm2-135m", "--batch_size", "2", "--tasks", "mini_choice_en,mini_math_en", "--limit", "8")
    asked = (*asked, "--num_fewshot", "0", "--gen_kwargs", "max_tokens=8", "--deterministic")
    rng = random.Random(135)
    with fork_server("--model") as server:
        uninterrupted = server.run(tmp_path / "whole", asked)
        assert uninterrupted.code == 0, uninterrupted.text
        answers = journal(tmp_path / "whole").responses
        output = tmp_path / "killed"
        known: Mapping[str, Response] = {}
        for num_wanted in sorted(rng.sample(range(1, len(answers) - 4), 5)):
            pid = server.start(output, asked, NOTHING)
            wait_for(lambda wanted=num_wanted: len(journal(output).responses) >= wanted)
            time.sleep(rng.uniform(0, 0.1))
            kill(pid)
            assert server.wait().code == KILLED
            now = journal(output).responses
            assert known.items() <= now.items() <= answers.items()
            known = now
        resumed = server.run(output, asked)
        assert resumed.code == 0, resumed.text
    assert sealed(output) == sealed(tmp_path / "whole")
    assert num_journaled(output) == len(answers), "a batch was journaled twice"


def num_journaled(output: Path) -> int:
    """Responses in all files of the journal, each counted as often as it is there."""
    path = run_path(output)
    assert path is not None
    records = [record for file in (path / "journal").iterdir() for record in read_frames(file.read_bytes())]
    return sum(
        len(record["responses"]) for record in records if not isinstance(record, Fault) and "responses" in record
    )
