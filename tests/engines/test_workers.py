"""Several workers by Ray give the bytes of one, whoever dies over it; where they cannot they say what is the matter."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_models import characters, save_llama

ray = pytest.importorskip("ray")

from evalsuite.cli.main import main  # noqa: E402
from evalsuite.config import make_config  # noqa: E402
from evalsuite.engines import ray_cluster  # noqa: E402
from evalsuite.engines import ray_workers as workers_module  # noqa: E402
from evalsuite.engines.base import Batch, EngineOptions  # noqa: E402
from evalsuite.engines.ray_cluster import Crew  # noqa: E402
from evalsuite.engines.ray_workers import Answers, Worker  # noqa: E402
from evalsuite.engines.workers import WorkersEngine, spread  # noqa: E402
from evalsuite.errors import EngineFailed, UsageError  # noqa: E402
from evalsuite.plugins import ENGINES, load  # noqa: E402
from evalsuite.prepare import prepare  # noqa: E402
from evalsuite.types import Item, LoglikelihoodRequest  # noqa: E402

ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # its stand-ins are used in Ray's own processes
SEALED = ("results.json", "samples.parquet")
OWN_CLUSTER = {
    "address": "local", "num_cpus": 1, "include_dashboard": False, "log_to_driver": False, "configure_logging": False,
}  # fmt: skip
"""By its address: else Ray would take the cluster of another test that runs beside this one."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_llama(folder, characters())
    return folder


@pytest.fixture(autouse=True)
def no_cluster() -> Iterator[None]:
    yield
    ray.shutdown()


def ran(folder: Path, model: Path, *more: object) -> Path:
    arguments = ["run", "--model", model, "--tasks", "mini_choice", "mini_math", "--limit", 24, "--batch_size", 4,
                 "--gen_kwargs", "max_gen_toks=8", "--device", "cpu", "-o", folder, *more]  # fmt: skip
    assert main([str(one) for one in arguments]) == 0
    (found,) = folder.glob("*/results.json")
    return found.parent


def events(run: Path, name: str) -> list[dict[str, object]]:
    lines = (run / "telemetry.jsonl").read_text(encoding="utf-8").splitlines()
    return [found for line in lines if (found := json.loads(line))["event"] == name]


def test_workers_give_the_bytes_of_one_process_also_when_they_are_killed(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = ran(tmp_path / "alone", model)
    together = ran(tmp_path / "together", model, "--workers", 2)
    assert [one["workers"] for one in events(together, "workers")] == [2]
    monkeypatch.setenv("MARKS", str(tmp_path))
    monkeypatch.setattr(workers_module, "Worker", Mortal)
    hunted = ran(tmp_path / "hunted", model, "--workers", 2)
    assert sorted(one["batch"] for one in events(hunted, "worker_died")) == [1, 2, 5]
    for name in SEALED:
        assert (together / name).read_bytes() == (alone / name).read_bytes()
        assert (hunted / name).read_bytes() == (alone / name).read_bytes()


class Mortal(Worker):
    """A worker that is killed over three batches, each time they are asked for first, before the answer is out."""

    def answer(self, batch: Batch) -> Answers:
        found = super().answer(batch)
        mark = Path(os.environ["MARKS"]) / f"mark{batch.index}"
        if batch.index in (1, 2, 5) and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found


def options(model: Path) -> EngineOptions:
    return EngineOptions(model=str(model), args={}, device="cpu", batch_size=4)


def engine_of(model: Path, crew: Crew) -> WorkersEngine:
    opener = load(ENGINES, "transformers")
    return spread(opener(options(model)), opener, options(model), crew)


def items(count: int) -> list[Item]:
    return [
        Item(id=f"t:test:{place}#1.0", sample_id=f"t:test:{place}", wave=1,
             request=LoglikelihoodRequest(context="ab" * place, continuation="a"))
        for place in range(1, count + 1)
    ]  # fmt: skip


def test_a_batch_that_kills_its_workers_ends_the_run(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "Worker", Deadly)
    engine = engine_of(model, Crew(2))
    with pytest.raises(EngineFailed, match="3 workers died over the same batch, which begins with t:test:"):
        list(engine.run(engine.plan(items(3))))
    engine.close()


class Deadly:
    def __init__(self, *_: object) -> None:
        pass

    def stack(self) -> dict[str, object]:
        return {}

    def answer(self, batch: Batch) -> None:
        os._exit(1)


def test_what_an_engine_raises_is_raised_here(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "Worker", Failing)
    engine = engine_of(model, Crew(1))
    with pytest.raises(EngineFailed, match="the disk is gone"):
        list(engine.run(engine.plan(items(3))))
    engine.close()


class Failing:
    def __init__(self, *_: object) -> None:
        pass

    def stack(self) -> dict[str, object]:
        return {}

    def answer(self, batch: Batch) -> None:
        raise EngineFailed("the disk is gone")


def test_workers_that_are_not_alike_are_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "Worker", Other)
    engine = engine_of(model, Crew(2))
    with pytest.raises(EngineFailed, match="the last bits of what they answer may differ"):
        engine.stack()
    engine.close()


class Other:
    def __init__(self, *_: object) -> None:
        pass

    def stack(self) -> dict[str, object]:
        return {"device": str(os.getpid())}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "scripted", "--workers", "2"), "the engine scripted computes nothing on these machines"),
        (("--model", "MODEL", "--workers", "0"), "--workers"),
        (("--model", "MODEL", "--workers", "100000000000"), "--workers 100000000000: this machine has"),
        (("--model", "MODEL", "--cluster", "127.0.0.1:1"), "--cluster 127.0.0.1:1 cannot be reached"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [str(model) if one == "MODEL" else one for one in arguments]
    assert main(["run", *named, "--tasks", "mini_choice_en", "--limit", "2", "-o", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_workers_begin_while_the_run_is_prepared(tmp_path: Path, model: Path) -> None:
    """By then the weights are loaded. What goes wrong is no matter where nothing is asked of them."""
    config = make_config(
        {"model": str(model), "tasks": ["mini_math_en"], "limit": 4, "workers": 2, "device": "cpu"}, {}
    )
    engine = prepare(config, is_to_begin=True).engine
    assert isinstance(engine, WorkersEngine)
    assert ray.is_initialized()
    engine.close()
    assert not ray.is_initialized()

    assert isinstance(prepare(config).engine, WorkersEngine)
    assert not ray.is_initialized()

    alone = ran(tmp_path, model)
    sealed = (alone / "results.json").read_bytes()
    again = ran(tmp_path, model, "--cluster", "127.0.0.1:1")
    assert (again / "results.json").read_bytes() == sealed


def test_without_ray_it_says_what_to_install(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'evalsuite\[ray\]'"):
        engine_of(model, Crew(2))


def test_rays_handlers_of_signals_are_not_left_behind(model: Path) -> None:
    """A run that is asked to stop ends its batch first, whoever computes."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    engine = engine_of(model, Crew(1))
    engine.stack()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    engine.close()


def test_the_others_go_on_while_one_that_died_is_not_replaced(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost machine's place does not come back: its worker is waited for by nobody who has work."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        lost = nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        engine = engine_of(model, Crew(2, nodes.address))
        plan = engine.plan(items(12))
        assert len(plan) == 3
        engine.stack()
        nodes.remove_node(lost, allow_graceful=False)
        assert len(dict(engine.run(plan))) == 12
        engine.close()
    finally:
        ray.shutdown()
        nodes.shutdown()


def test_a_cluster_that_others_fill_is_given_up_in_words(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "_GIVE_UP_S", 3.0)
    context = ray.init(**OWN_CLUSTER)
    other = ray.remote(Other).options(num_cpus=1).remote()
    ray.get(other.stack.remote())
    engine = engine_of(model, Crew(1, context.address_info["address"]))
    with pytest.raises(EngineFailed, match="the cluster has no room"):
        list(engine.run(engine.plan(items(3))))
    with pytest.raises(EngineFailed, match="the cluster has no room"):
        engine.stack()


def test_more_workers_than_a_cluster_holds_are_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "_JOIN_S", 2.0)
    context = ray.init(**OWN_CLUSTER)
    engine = engine_of(model, Crew(2, context.address_info["address"]))
    with pytest.raises(UsageError, match="--workers 2: the cluster has room for 1, with a core each on one machine"):
        engine.stack()


def test_workers_of_another_version_are_refused() -> None:
    with pytest.raises(EngineFailed, match=r"a worker has evalsuite .*, and this machine 0\.0\.0: install the same"):
        Worker(load(ENGINES, "transformers"), EngineOptions(model="m", args={}), {}, "0.0.0").stack()


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ("127.0.0.1:9", "cannot be reached"),
        ("somewhere", "expected auto or HOST:PORT"),
        ("host:99999", "cannot be reached"),
    ],
)
def test_a_cluster_that_is_not_there_is_said_at_once(model: Path, cluster: str, said: str) -> None:
    engine = engine_of(model, Crew(1, cluster))
    with pytest.raises(UsageError, match=said):
        engine.stack()
