"""Failures that may be gone are asked again, plans grow by what they held up, and stops keep what was answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evalsuite.alarms import alarms
from evalsuite.config import make_config
from evalsuite.engines.base import Batch
from evalsuite.engines.scripted import ScriptedEngine, completion
from evalsuite.errors import EXIT_BUDGET, EXIT_INCOMPLETE, BudgetExhausted, EndpointDown
from evalsuite.prepare import Prepared, prepare
from evalsuite.records import SERVER_VERSION
from evalsuite.run import Finished, Quiet, execute
from evalsuite.store.results import RESULTS, read_samples
from evalsuite.types import Cause, Completion, Failure, Request, Response, Spent

NUM = 4


def answer(request: Request) -> Response:
    return completion(f"reply {request.key[:8]}")


class Faulty(ScriptedEngine):
    """Answers as `answer` does, but fails by `fault` where that gives a failure. Keeps what it was asked."""

    def __init__(self, fault: Callable[[Request], Failure | None] = lambda request: None) -> None:
        super().__init__(answer, label="faulty")
        self.fault = fault
        self.asked: list[str] = []

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        for batch in batches:
            for item in batch.items:
                self.asked.append(item.id)
                yield item.id, self.fault(item.request) or answer(item.request)


class Stopping(Faulty):
    """Cannot go on after some answers."""

    def __init__(self, after: int, stop: Exception) -> None:
        super().__init__()
        self.left, self.stop = after, stop

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        for answered in super().run(batches):
            if not self.left:
                raise self.stop
            self.left -= 1
            yield answered


class Metering(Faulty):
    """Each answer costs a request and two tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.carried = Spent()
        self.new = Spent()
        self.versions: tuple[str, ...] = ()

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        for answered in super().run(batches):
            self.new += Spent(requests=1, tokens=2, cost=0.5, seconds=1.0)
            yield answered

    def carry(self, spent: Spent) -> None:
        self.carried = spent

    def take_spent(self) -> Spent:
        taken, self.new = self.new, Spent()
        return taken

    def take_versions(self) -> tuple[str, ...]:
        taken, self.versions = self.versions, ()
        return taken


def prepared(engine: ScriptedEngine) -> Prepared:
    """Two waves over some chats."""
    asked = {"model": "scripted", "tasks": ("mini_chat_en",), "limit": float(NUM)}
    return replace(prepare(make_config({}, asked)), engine=engine)


def run(path: Path, engine: ScriptedEngine) -> Finished:
    return execute(prepared(engine), path, Quiet())


def failing(cause: Cause, wanted: set[str]) -> Callable[[Request], Failure | None]:
    return lambda request: Failure(cause=cause) if request.key in wanted else None


def first_keys(count: int) -> set[str]:
    """Keys of the first requests of `count` samples."""
    entry = prepared(Faulty()).tasks[0]
    return {entry.task.next_requests(sample, ())[0].key for sample in entry.samples[:count]}


def test_a_transient_failure_is_asked_again_and_the_second_wave_grows(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", Faulty())
    first = run(tmp_path / "run", Faulty(failing(Cause.TIMEOUT, first_keys(2))))
    assert first.result is not None
    assert first.result.status == "incomplete"
    assert first.counts.unscored_by_cause == {"timeout": 2}

    engine = Faulty()
    again = run(tmp_path / "run", engine)

    assert again.result == whole.result
    assert (tmp_path / "run" / RESULTS).read_bytes() == (tmp_path / "whole" / RESULTS).read_bytes()
    assert sorted(read_samples(tmp_path / "run"), key=str) == sorted(read_samples(tmp_path / "whole"), key=str)
    assert len(engine.asked) == 4
    assert {item.rpartition("#")[2] for item in engine.asked} == {"1.0", "2.0"}
    assert (tmp_path / "run" / "plan" / "wave-0002.1.jsonl").exists()


def test_a_run_that_grew_is_read_again_without_asking(tmp_path: Path) -> None:
    run(tmp_path, Faulty(failing(Cause.SERVER_ERROR, first_keys(1))))
    grown = run(tmp_path, Faulty())
    engine = Faulty()
    assert run(tmp_path, engine).result == grown.result
    assert engine.asked == []


def test_it_may_fail_again_and_grow_again(tmp_path: Path) -> None:
    keys = sorted(first_keys(3))
    run(tmp_path, Faulty(failing(Cause.RATE_LIMITED, set(keys))))
    second = run(tmp_path, Faulty(failing(Cause.RATE_LIMITED, set(keys[:1]))))
    assert second.counts.unscored_by_cause == {"rate_limited": 1}
    third = run(tmp_path, Faulty())
    assert third.counts.scored == NUM
    assert third.result == run(tmp_path.parent / "plain", Faulty()).result


@pytest.mark.parametrize("cause", [cause for cause in Cause if not cause.is_transient])
def test_a_lasting_failure_is_final(tmp_path: Path, cause: Cause) -> None:
    first = run(tmp_path, Faulty(failing(cause, first_keys(1))))
    engine = Faulty()
    assert run(tmp_path, engine).result == first.result
    assert engine.asked == []


@pytest.mark.parametrize(
    ("stop", "code", "reason"),
    [(BudgetExhausted("spent"), EXIT_BUDGET, "budget"), (EndpointDown("down"), EXIT_INCOMPLETE, "endpoint_down")],
)
@pytest.mark.parametrize("after", [0, 1, NUM, NUM + 2])
def test_a_stop_keeps_what_was_answered(tmp_path: Path, stop: Exception, code: int, reason: str, after: int) -> None:
    stopped = run(tmp_path / "run", Stopping(after, stop))
    assert stopped.result is None
    assert stopped.trouble is stop
    assert (stopped.trouble.exit_code, stopped.trouble.reason) == (code, reason)
    assert (stopped.counts.not_run, stopped.counts.scored) == (NUM - max(0, after - NUM), max(0, after - NUM))
    engine = Faulty()
    resumed = run(tmp_path / "run", engine)
    assert len(engine.asked) == 2 * NUM - after
    assert resumed.result == run(tmp_path / "whole", Faulty()).result


def test_what_was_spent_is_carried_over_processes(tmp_path: Path) -> None:
    class MeteringAndStopping(Metering):
        def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
            for count, answered in enumerate(super().run(batches)):
                if count == 3:
                    raise BudgetExhausted("spent")
                yield answered

    run(tmp_path, MeteringAndStopping())
    engine = Metering()
    run(tmp_path, engine)
    assert engine.carried == Spent(requests=4, tokens=8, cost=2.0, seconds=4.0), "the one that was lost is paid for too"
    last = Metering()
    run(tmp_path, last)
    num = 2 * NUM + 1
    assert last.carried == Spent(requests=num, tokens=2 * num, cost=0.5 * num, seconds=1.0 * num)


def test_an_answer_is_not_replaced_by_a_later_failure(tmp_path: Path) -> None:
    """Only a transient failure gives way; a second, different answer is still a conflict."""
    from evalsuite.errors import CorruptStore
    from evalsuite.store.run_directory import RunDirectory

    finished = run(tmp_path, Faulty())
    directory = RunDirectory.open_existing(finished.path)
    journal = directory.read_journal()
    item_id, known = next(iter(journal.responses.items()))
    assert isinstance(known, Completion)
    with directory.open_writer(journal, {}) as writer:
        writer.commit(1, 0, [(item_id, Failure(cause=Cause.TIMEOUT))])
    with pytest.raises(CorruptStore, match="second, different response"):
        directory.read_journal()


def test_a_server_that_changes_between_two_processes_is_an_alarm(tmp_path: Path) -> None:
    """Half of the answers by one version of the model, half by another: a number of neither."""
    engine = Metering()
    engine.fault = failing(Cause.TIMEOUT, first_keys(2))
    engine.versions = ("fp_1",)
    first = run(tmp_path, engine).result
    assert first is not None
    assert alarms(first) == {}
    later = Metering()
    later.versions = ("fp_2",)
    result = run(tmp_path, later).result
    assert result is not None
    assert [stack[SERVER_VERSION] for stack in result.stacks if SERVER_VERSION in stack] == ["fp_1", "fp_2"]
    assert alarms(result) == {"mini_chat": ("answers of 2 versions of the server (system_fingerprint): fp_1, fp_2",)}
    assert run(tmp_path, Metering()).result == result


def test_one_version_of_a_server_is_no_alarm(tmp_path: Path) -> None:
    engine = Metering()
    engine.versions = ("fp_1",)
    result = run(tmp_path, engine).result
    assert result is not None
    assert alarms(result) == {}
