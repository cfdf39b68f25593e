"""The engine ``external``: workers run by a real other Python, and whatever they may do wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import command_line

from evalsuite.cli.main import main
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.external import ExternalEngine, open_engine, segment_of
from evalsuite.engines.external_settings import child_environment
from evalsuite.errors import (
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    EngineFailed,
    EvalsuiteError,
    ModelUnreadable,
    UsageError,
)
from evalsuite.records import SERVER_VERSION, RunResult
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Completion, Failure, GenerateRequest, Item, Message, Response, Scalar

WORKERS = Path(__file__).parents[2] / "evalsuite" / "engines" / "external_workers"
READY = 'import json, sys\nprint(json.dumps({"ready": True, "name": "overlap", "version": "1"}))\n'
PAGE = Path(__file__).parents[2] / "docs" / "neural-metrics.md"
OVERLAP = PAGE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
"""The documentation's worker: the characters that translation and reference share, of those that either has."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of another environment, in which nothing is installed."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    found = str(folder / "bin" / "python")
    assert subprocess.run([found, "-c", "import msgspec"], capture_output=True, check=False).returncode == 1
    return found


Opens = Callable[..., ExternalEngine]


@pytest.fixture
def opens(python: str, tmp_path: Path) -> Iterator[Opens]:
    """Opens the engine on a script of that text, in the other environment; closes it after the test."""
    opened: list[ExternalEngine] = []

    def engine(script: str, **args: Scalar) -> ExternalEngine:
        path = tmp_path / "worker.py"
        path.write_text(script, encoding="utf-8")
        given = {"python": python, "script": str(path), "name": "toy", "timeout": 20, **args}
        opened.append(open_engine(EngineOptions(model="external", args=given)))
        return opened[-1]

    yield engine
    for one in opened:
        one.close()


def items(*translations: str, ref: str = "abcd") -> list[Item]:
    """One item a translation, named by its place."""
    return [
        Item(id=f"i{number}", sample_id=f"s{number}", wave=1, request=request(src="?", mt=text, ref=ref))
        for number, text in enumerate(translations)
    ]


def request(**texts: object) -> GenerateRequest:
    return GenerateRequest(prompt=(Message(role="user", content=json.dumps(texts)),), max_tokens=8)


def answers(engine: ExternalEngine, asked: list[Item]) -> dict[str, Response]:
    return dict(engine.run(engine.plan(asked)))


def texts_of(found: dict[str, Response]) -> dict[str, str]:
    return {name: reply.text for name, reply in found.items() if isinstance(reply, Completion)}


def is_gone(pid: int) -> bool:
    """Whether the process ends within some seconds; one that nobody has waited for yet counts as ended."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


# -- answers


def test_another_python_scores(opens: Opens) -> None:
    engine = opens(OVERLAP)
    found = answers(engine, items("abcd", "ab", "xy", "नमस्ते \ud800"))
    assert texts_of(found) == {"i0": "1.0", "i1": "0.5", "i2": "0.0", "i3": "0.0"}
    assert engine.stack() == {SERVER_VERSION: "overlap 1"}


def test_one_worker_answers_every_batch(opens: Opens) -> None:
    engine = opens(READY + """
import os
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "score": os.getpid()}))
""", batch_size=1)  # fmt: skip
    asked = items(*["x"] * 20)
    assert [len(batch.items) for batch in engine.plan(asked)] == [8, 8, 4]
    assert len(set(texts_of(answers(engine, asked)).values())) == 1


def test_the_longest_come_first_and_the_last_of_a_batch_is_marked(opens: Opens) -> None:
    engine = opens(READY + """
lines = []
for line in sys.stdin:
    lines.append(json.loads(line))
    if lines[-1]["last"]:
        for number, line in enumerate(lines):
            print(json.dumps({"id": line["id"], "score": number + 1000 * len(lines)}))
        lines = []
""", batch_size=1)  # fmt: skip
    found = texts_of(answers(engine, items(*["x" * length for length in range(1, 11)])))
    assert [found[f"i{number}"] for number in (9, 8, 2, 1, 0)] == ["8000.0", "8001.0", "8007.0", "2000.0", "2001.0"]


def test_neither_side_waits_for_the_other_to_read(opens: Opens) -> None:
    flood = (
        READY
        + """
for _ in range(4):
    print("x" * 500_000, file=sys.stderr)
asked = []
for line in sys.stdin:
    asked.append(json.loads(line))
    print(json.dumps({"id": asked[-1]["id"], "score": 1, "comment": "y" * 100_000}))
"""
    )
    engine = opens(flood)
    assert len(texts_of(answers(engine, items(*["z" * 50_000] * 100)))) == 100


# -- single translations without a number


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ('"score": NaN', "the worker's score is nan, not a finite number"),
        ('"score": -Infinity', "the worker's score is -inf, not a finite number"),
        ('"score": 1' + "0" * 400, "the worker's score is inf, not a finite number"),
        ('"score": true', "the worker's score is True, not a number"),
        ('"score": "0.5"', "the worker's score is '0.5', not a number"),
        ('"score": null', "the worker's score is None, not a number"),
        ('"points": 1', "the worker's score is None, not a number"),
        ('"error": "too long"', "the worker says: too long"),
    ],
)
def test_what_is_no_number_costs_that_translation_alone(opens: Opens, answer: str, detail: str) -> None:
    engine = opens(READY + f"""
for line in sys.stdin:
    name = json.loads(line)["id"]
    print('{{"id": "i1", {answer}}}' if name == "i1" else json.dumps({{"id": name, "score": 0.5}}))
""")  # fmt: skip
    found = answers(engine, items("a", "b", "c"))
    assert texts_of(found) == {"i0": "0.5", "i2": "0.5"}
    assert found["i1"] == Failure(cause="engine_error", detail=detail)  # type: ignore[arg-type]


def test_a_translation_left_out_is_known_when_the_last_is_answered(opens: Opens) -> None:
    engine = opens(READY + """
for line in sys.stdin:
    if (name := json.loads(line)["id"]) != "i1":
        print(json.dumps({"id": name, "score": 0.5}))
""")  # fmt: skip
    found = answers(engine, items("abc", "ab", "a"))
    assert texts_of(found) == {"i0": "0.5", "i2": "0.5"}
    reply = found["i1"]
    assert isinstance(reply, Failure)
    assert (reply.cause, "never this one" in reply.detail) == ("missing_response", True)


# -- workers that cannot go on

LOOP = "\nfor line in sys.stdin:\n    name = json.loads(line)['id']\n    "
DIES = READY + LOOP + "print(json.dumps({'id': name, 'score': 1}))\n    sys.exit('no more memory')"


@pytest.mark.parametrize(
    ("script", "kind", "parts"),
    [
        ("raise SystemExit('no metric')", ModelUnreadable, ("was ready (exit code 1); it wrote: no metric.",)),
        ("import metric_of_nobody", ModelUnreadable, ("ModuleNotFoundError: No module named 'metric_of_nobody'",)),
        ("pass", ModelUnreadable, ("worker.py ended before it was ready (exit code 0).",)),
        ("print('{\"error\": \"no weights\"}')", ModelUnreadable, ("worker.py says: no weights",)),
        ("print('Loading...')", EngineFailed, ("wrote 'Loading...' to standard output", "JSON objects only")),
        ("print('[1]')", EngineFailed, ("wrote '[1]' to standard output",)),
        ("print('[' * 100_000)", EngineFailed, ("wrote '[[[",)),
        ("import sys\nsys.stdout.buffer.write(b'\\xff\\n')", EngineFailed, ("wrote '\ufffd' to",)),
        ("print('{\"ready\": true}')", EngineFailed, ('not {"ready": true, "name": TEXT, "version": TEXT}',)),
        (DIES, EngineFailed, ("ended (exit code 1), with 2 translations", "the first i1; it wrote: no more memory.")),
        (READY + "import os\nos.kill(os.getpid(), 9)", EngineFailed, ("ended (SIGKILL), with 3 translations",)),
        (READY + LOOP + "print('hm')", EngineFailed, ("wrote 'hm' to standard output",)),
        (READY + LOOP + "print(json.dumps({'id': 'x', 'score': 1}))", EngineFailed, ("answered 'x', which was not",)),
        (READY + LOOP + "print(json.dumps({'id': ['x'], 'score': 1}))", EngineFailed, ("answered ['x'], which",)),
        (READY + LOOP + "print(json.dumps({'id': 'i0', 'score': 1}))", EngineFailed, ("answered 'i0', which was not",)),
        (READY + LOOP + "print(json.dumps({'error': 'GPU lost'}))", EngineFailed, ("worker.py says: GPU lost",)),
        (READY + "import os\nos.close(1)\nfor line in sys.stdin: pass", EngineFailed, ("standard output closed",)),
    ],
)  # fmt: skip
def test_the_error_says_what_the_worker_did(
    opens: Opens, script: str, kind: type[EvalsuiteError], parts: tuple[str, ...]
) -> None:
    engine = opens(script)
    with pytest.raises(kind) as raised:
        answers(engine, items("abc", "ab", "a"))
    assert all(part in str(raised.value) for part in parts), raised.value
    assert engine._running is None, "it is ended, not left behind"


def test_the_end_of_standard_error_is_kept(opens: Opens) -> None:
    engine = opens(READY + "print('x' * 100_000 + 'the end', file=sys.stderr)\nsys.exit(3)")
    with pytest.raises(EngineFailed) as raised:
        answers(engine, items("a"))
    (event,) = engine.take_events()
    assert (event.name, len(str(event.facts["stderr"]))) == ("worker_failed", 4095)  # a line's end is cut off it
    assert str(raised.value).endswith("the end.")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import time\nprint('loading', flush=True, file=__import__('sys').stderr)\ntime.sleep(600)", "was not ready"),
        (READY + "import time\ntime.sleep(600)", "has been silent for 0.5 s, with 1 translations"),
    ],
)
def test_a_worker_that_hangs_is_ended(opens: Opens, script: str, said: str) -> None:
    engine = opens(script, timeout=0.5)
    start = time.monotonic()
    with pytest.raises(EngineFailed, match=said):
        answers(engine, items("a"))
    assert time.monotonic() - start < 10


# -- no orphans

NOTE = (
    READY
    + """
import os, subprocess, time
def note():
    child = subprocess.Popen(["sleep", "600"])
    with open(json.loads(sys.argv[1])["pids"], "x") as file:
        file.write(f"{os.getpid()} {child.pid}")
"""
)
PIDS = (
    NOTE
    + """
for number, line in enumerate(sys.stdin):
    if number == 0:
        note()
    time.sleep(0.2)
    print(json.dumps({"id": json.loads(line)["id"], "score": 1}))
"""
)
"""A slow worker that starts a child which outlives it, and notes both when it is first asked."""


def pids_in(path: Path) -> tuple[int, int]:
    for _ in range(200):
        if path.exists() and len(found := path.read_text().split()) == 2:
            return int(found[0]), int(found[1])
        time.sleep(0.05)
    raise AssertionError(f"{path} was not written")


def test_closing_ends_the_worker_and_its_children(opens: Opens, tmp_path: Path) -> None:
    engine = opens(PIDS, extra_pids=str(tmp_path / "pids"))
    assert len(answers(engine, items("a"))) == 1
    pids = pids_in(tmp_path / "pids")
    engine.close()
    engine.close()
    assert all(map(is_gone, pids))


def test_a_worker_whose_child_holds_its_output_open_is_seen_to_end(opens: Opens, tmp_path: Path) -> None:
    engine = opens(NOTE + "note()\nsys.exit(4)", extra_pids=str(tmp_path / "pids"), timeout=600)
    with pytest.raises(EngineFailed, match=r"ended \(exit code 4\)"):
        answers(engine, items("a"))
    assert all(map(is_gone, pids_in(tmp_path / "pids")))


def test_an_engine_left_in_the_middle_ends_its_worker(opens: Opens, tmp_path: Path) -> None:
    engine = opens(PIDS, extra_pids=str(tmp_path / "pids"))
    running: Any = engine.run(engine.plan(items("a", "b", "c")))
    next(running)
    running.close()
    assert all(map(is_gone, pids_in(tmp_path / "pids")))


@pytest.fixture
def command(translated: Path, python: str, tmp_path: Path) -> list[str]:
    """The command that has `translated` scored by the slow worker."""
    script = tmp_path / "slow.py"
    script.write_text(PIDS)
    args = {"python": python, "script": str(script), "name": "slow", "batch_size": 1, "extra_pids": f"{tmp_path}/pids"}
    return command_line("score", translated, "--judge", "segment_scores", "--model", "external", "--model_args",
                        json.dumps(args), "-o", tmp_path / "judged")  # fmt: skip


def test_ctrl_c_stops_after_the_batch_and_the_same_command_goes_on(command: list[str], tmp_path: Path) -> None:
    """The signal goes to the whole process group, as a terminal sends it."""
    started = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    pids = pids_in(tmp_path / "pids")
    os.killpg(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == EXIT_INTERRUPTED, said
    assert "stopping after this batch" in said
    assert "stopped with 4 of 12 samples left" in said
    assert all(map(is_gone, pids))
    (tmp_path / "pids").unlink()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == EXIT_OK, ended.stderr


def test_ctrl_c_twice_stops_at_once(command: list[str], tmp_path: Path) -> None:
    started = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    pids = pids_in(tmp_path / "pids")
    os.killpg(started.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(started.pid, signal.SIGINT)
    started.communicate(timeout=60)
    assert started.returncode == EXIT_INTERRUPTED
    assert all(map(is_gone, pids))


def test_a_killed_evaluation_leaves_no_worker(command: list[str], tmp_path: Path) -> None:
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    worker, child = pids_in(tmp_path / "pids")
    started.kill()
    started.communicate(timeout=60)
    assert is_gone(worker)
    os.kill(child, signal.SIGKILL)  # a worker that is not told to end cannot be made to end its own


# -- the whole way


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed run of twelve translations."""
    output = tmp_path_factory.mktemp("runs")
    asked = ["--tasks", "mini_translation_en-es", "--limit", "12", "--output_path", str(output)]
    assert main(["run", "--model", "scripted", *asked]) == EXIT_OK
    (run,) = output.iterdir()
    return run


def judged(run: Path, output: Path, args: str, judge: str = "segment_scores") -> tuple[int, RunResult]:
    command = ["score", str(run), "--judge", judge, "--model", "external", "--model_args", args, "-o", str(output)]
    code = main(command)
    (found,) = output.iterdir()
    return code, read_results(found)


def test_a_metric_of_ones_own_judges_a_run(translated: Path, python: str, tmp_path: Path) -> None:
    script = tmp_path / "overlap.py"
    script.write_text(OVERLAP)
    args = f"python={python},script={script},name=overlap"
    code, result = judged(translated, tmp_path / "judged", args)
    expected = []
    for record in read_samples(translated):
        (reply,) = record.responses
        assert isinstance(reply, Completion)
        mt, ref = set(reply.text.strip()), set(record.sample.target)
        expected.append(len(mt & ref) / max(1, len(mt | ref)))
    (estimate,) = result.estimates
    assert code == EXIT_OK
    assert estimate.value == pytest.approx(sum(expected) / 12, abs=1e-12)
    assert (estimate.metric, estimate.n, estimate.scale) == ("segment_score", 12, 1.0)
    assert estimate.protocol == "mini-v1/segment_scores-v1@overlap"
    assert estimate.low is not None
    assert result.stacks == ({SERVER_VERSION: "overlap 1"},)
    assert judged(translated, tmp_path / "judged", args) == (code, result), "nothing is asked again"

    _, errors = judged(translated, tmp_path / "errors", args, "segment_errors")
    (estimate,) = errors.estimates
    assert (estimate.metric, estimate.higher_is_better) == ("segment_error", False)


def test_a_worker_that_fails_costs_no_answer(
    translated: Path, python: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was answered before stays, the command says why in one line, and the log holds the rest."""
    script = tmp_path / "worker.py"
    script.write_text(READY + LOOP + f"""print(json.dumps({{'id': name, 'score': 1}}))
    with open({str(tmp_path / "count")!r}, "a") as file:
        file.write("x")
    if len(open({str(tmp_path / "count")!r}).read()) == 10:
        sys.exit("first line\\nsecond line")
""")  # fmt: skip
    command = ["score", str(translated), "--judge", "segment_scores", "--model", "external", "--model_args",
               f"python={python},script={script},name=toy,batch_size=1", "-o", str(tmp_path / "judged")]  # fmt: skip
    capsys.readouterr()
    assert main(command) == EXIT_INCOMPLETE
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(
        "evalsuite: the worker worker.py ended (exit code 1), with 2 translations without an answer"
    )
    assert error.endswith("it wrote: first line second line.")
    assert main(command) == EXIT_OK
    assert (tmp_path / "count").read_text() == "x" * 14, "eight were kept, four asked anew"


def test_other_tasks_are_refused(python: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "worker.py").write_text(OVERLAP)
    command = ["run", "--tasks", "mini_chat_en", "--limit", "1", "--output_path", str(tmp_path / "runs"), "--model",
               "external", "--model_args", f"python={python},script={tmp_path}/worker.py,name=toy"]  # fmt: skip
    assert main(command) == EXIT_USAGE
    assert "scores translations and nothing else" in capsys.readouterr().err


@pytest.mark.parametrize(
    "texts", [{}, {"src": "a", "mt": "b"}, {"src": "a", "mt": "b", "ref": 1}, {"src": "", "mt": "", "ref": "", "x": ""}]
)
def test_what_is_no_segment(texts: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="--judge segment_scores"):
        segment_of(request(**texts))


# -- what a worker is told, and what names it


def test_the_identity_is_the_script_and_what_it_is_told(opens: Opens) -> None:
    engine = opens(OVERLAP, model="m", extra_qe=True)
    identity = engine.identity()
    assert (identity["model"], identity["batch_size"], identity["extra_qe"], identity["metric"]) == ("m", 16, True, "")
    assert opens(OVERLAP, model="m", extra_qe=True, python=sys.executable, timeout=5).identity() == identity
    assert opens(OVERLAP + "\n", model="m", extra_qe=True).identity() != identity
    assert opens(OVERLAP, model="m", extra_qe=True, batch_size=8).identity() != identity


def test_a_worker_is_told_its_settings_and_no_keys(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HF_TOKEN", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "value")
    names = "[name for name, value in os.environ.items() if value == 'value']"
    engine = opens(f"""
import json, os, sys
print(json.dumps({{"ready": True, "name": sys.argv[1], "version": ",".join(sorted({names}))}}))
""", model="m", extra_qe=True)  # fmt: skip
    told = '{"batch_size": 16, "model": "m", "qe": true}'
    assert engine.stack() == {SERVER_VERSION: f"{told} HF_TOKEN,TOKENIZERS_PARALLELISM"}


def test_names_of_keys() -> None:
    secret = ("OPENAI_API_KEY", "ANTHROPIC_APIKEY", "AWS_ACCESS_KEY_ID", "db_password", "MY_SECRET_1", "WANDB_TOKEN")
    plain = ("PATH", "HOME", "TOKENIZERS_PARALLELISM", "KEYBOARD", "HF_HOME", "PYTHONPATH", "CUDA_VISIBLE_DEVICES")
    found = child_environment(dict.fromkeys((*secret, *plain, "HF_TOKEN", "PYTHONSAFEPATH"), "x"))
    assert sorted(found) == sorted((*plain, "HF_TOKEN", "PYTHONUNBUFFERED"))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"metric": "comet", "model": "m"}, "needs --model_args python=FILE"),
        ({"python": "no-such-python", "metric": "comet", "model": "m"}, "no-such-python: there is no such program"),
        ({"python": "sh"}, "metric=comet or metricx, or script=FILE"),
        ({"python": "sh", "metric": "comet", "script": "x.py"}, "metric=comet or metricx, or script=FILE"),
        ({"python": "sh", "metric": "bleurt", "model": "m"}, "metric=bleurt: expected comet or metricx"),
        ({"python": "sh", "metric": "comet"}, "needs model=NAME, for example Unbabel/wmt22-comet-da"),
        ({"python": "sh", "metric": "comet", "model": "m", "extra_qe": True}, "metric; give --model_args name="),
        ({"python": "sh", "script": str(WORKERS / "comet_worker.py")}, "give --model_args name=NAME"),
        ({"python": "sh", "script": "nowhere.py", "name": "n"}, "nowhere.py cannot be read: No such file"),
        ({"python": "sh", "metric": "comet", "model": "m", "batch_size": 0}, "batch_size=0: expected a whole number"),
        ({"python": "sh", "metric": "comet", "model": "m", "batch_size": "two"}, "batch_size=two: expected a whole"),
        ({"python": "sh", "metric": "comet", "model": "m", "timeout": 0}, "timeout=0: expected seconds, more than 0"),
        ({"python": "sh", "metric": "comet", "model": "m", "gpus": 1}, "unknown 'gpus'; external takes batch_size,"),
        ({"python": "sh", "metric": "comet", "model": "m", "name": "n", "extra_model": "x"}, "give model= itself"),
    ],
)  # fmt: skip
def test_arguments_that_will_not_do(args: dict[str, Scalar], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        open_engine(EngineOptions(model="external", args=args))
    assert said in str(raised.value)


def test_a_device_is_chosen_otherwise() -> None:
    args: dict[str, Scalar] = {"python": "sh", "metric": "comet", "model": "m"}
    with pytest.raises(UsageError, match="CUDA_VISIBLE_DEVICES"):
        open_engine(EngineOptions(model="external", args=args, device="cuda:1"))


def test_what_is_no_program_is_said(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    args = {"python": str(program), "metric": "comet", "model": "m"}
    with pytest.raises(UsageError, match="cannot be started"):
        open_engine(EngineOptions(model="external", args=args)).stack()


# -- our own workers


@pytest.mark.parametrize(("metric", "module"), [("comet", "comet"), ("metricx", "metricx24")])
def test_without_its_package_a_worker_says_so_in_one_line(metric: str, module: str) -> None:
    """Here the metric is really not installed."""
    script = WORKERS / f"{metric}_worker.py"
    told = json.dumps({"model": "nobody/nothing", "batch_size": 16})
    ended = subprocess.run([sys.executable, script, told], input="", capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.count("\n")) == (1, 1)
    said = json.loads(ended.stdout)["error"]
    assert said.startswith(f"{sys.executable} cannot load the metric: ModuleNotFoundError: No module named '{module}")

    args: dict[str, Scalar] = {"python": sys.executable, "metric": metric, "model": "nobody/nothing"}
    with pytest.raises(ModelUnreadable, match=f"{metric}_worker.py says: .* cannot load the metric"):
        open_engine(EngineOptions(model="external", args=args)).stack()


TORCH = """
__version__ = "0"
class cuda:
    is_available = staticmethod(lambda: False)
class no_grad:
    __enter__ = __exit__ = lambda *args: None
class tensor(list):
    def __init__(self, values, device=None): list.__init__(self, values)
    float = lambda self: self
    tolist = lambda self: list(self)
"""
COMET = """
import os, sys
__version__ = "2"
def download_model(name):
    print("downloading"); os.system("echo by a child")
    try:
        if name == "nobody/nothing": raise OSError("no network")
    except Exception:
        raise KeyError("not supported by COMET")
    return "/hub/snapshots/abc123/checkpoints/model.ckpt"
class load_from_checkpoint:
    def __init__(self, path): assert path.endswith("model.ckpt")
    def predict(self, data, batch_size, gpus, progress_bar):
        print("predicting"); sys.__stdout__.write("more\\n")
        assert (batch_size, gpus, progress_bar) == (2, 0, False)
        if any(row["mt"] == "bad" for row in data): raise RuntimeError("cannot\\nread it")
        class Prediction: scores = [len(row["mt"]) + len(row.get("ref", "")) / 10 for row in data]
        return Prediction
"""
METRICX = """
from torch import tensor
class MT5ForRegression:
    config = None
    @classmethod
    def from_pretrained(cls, name, torch_dtype):
        print("loading")
        if name == "nobody/nothing": raise OSError("nobody/nothing is not a model")
        return cls()
    def to(self, device): pass
    def eval(self): pass
    def __call__(self, input_ids, attention_mask):
        assert len({len(row) for row in input_ids}) == 1 and len(input_ids) <= 2
        if any(ord("#") in row for row in input_ids): raise RuntimeError("cannot\\nread it")
        class Output: predictions = tensor([sum(row) for row in attention_mask])
        return Output
"""
TRANSFORMERS = """
__version__ = "4"
class AutoTokenizer:
    pad_token_id = 0
    @classmethod
    def from_pretrained(cls, name):
        assert name == "google/mt5-xl"
        return cls()
    def __call__(self, texts, max_length, truncation):
        assert (max_length, truncation) == (1536, True)
        return {"input_ids": [[ord(char) for char in text] + [1] for text in texts]}
"""


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules with the functions that our workers call, under the metrics' names; what they compute is not theirs."""
    folder = tmp_path / "stand_ins"
    (folder / "metricx24").mkdir(parents=True)
    texts = {"torch.py": TORCH, "comet.py": COMET, "metricx24/models.py": METRICX, "transformers.py": TRANSFORMERS}
    for name, text in texts.items():
        (folder / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def ours(python: str, metric: str, **more: Scalar) -> ExternalEngine:
    args: dict[str, Scalar] = {"python": python, "metric": metric, "model": "m", "name": "n", "batch_size": 2, **more}
    return open_engine(EngineOptions(model="external", args=args))


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    ("metric", "bad", "more", "numbers"),
    [
        ("comet", "bad", {}, {"i0": "3.4", "i1": "2.4", "i2": "1.4"}),
        ("comet", "bad", {"extra_qe": True}, {"i0": "3.0", "i1": "2.0", "i2": "1.0"}),
        ("metricx", "#", {}, {"i0": "40.0", "i1": "39.0", "i2": "38.0"}),
        ("metricx", "#", {"extra_qe": True}, {"i0": "24.0", "i1": "23.0", "i2": "22.0"}),
    ],
)
def test_our_workers_with_stand_ins_for_their_packages(
    python: str, metric: str, bad: str, more: dict[str, Scalar], numbers: dict[str, str]
) -> None:
    """Libraries' prints go nowhere; a translation that fails costs itself alone."""
    engine = ours(python, metric, **more)
    try:
        found = answers(engine, items("abc", "ab", "a", bad))
        assert texts_of(found) == numbers
        assert found["i3"] == Failure(
            cause="engine_error",  # type: ignore[arg-type]
            detail="the worker says: RuntimeError: cannot read it",
        )
        assert str(engine.stack()[SERVER_VERSION]).startswith(
            {"comet": "unbabel-comet 2", "metricx": "metricx24"}[metric]
        )
        if not more:
            (without,) = answers(engine, items("a", ref=" ")).values()
            assert isinstance(without, Failure)
            assert "there is no reference; extra_qe=true scores without" in without.detail
    finally:
        engine.close()


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    ("metric", "said"),
    [("comet", r"not supported by COMET' .at first OSError: no network"), ("metricx", "is not a model")],
)
def test_a_model_that_is_missing_is_said_in_one_line(python: str, metric: str, said: str) -> None:
    with pytest.raises(ModelUnreadable, match=said):
        ours(python, metric, model="nobody/nothing").stack()
