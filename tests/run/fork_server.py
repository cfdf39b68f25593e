"""The other side of `forked_runs`: imports everything once, then forks a process for each run it is asked for.

A child costs a few milliseconds instead of a second, may be killed at any moment, and can be told to die or to meet an
error at its n-th file operation: audit hooks, Python's own door to that, so that nothing of the product is replaced.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from evalsuite.cli.main import main
from evalsuite.engines.scripted import plausible
from evalsuite.errors import EXIT_INTERRUPTED
from evalsuite.types import Cause, Failure, Request, Response

_asked: int | None = None
_answer_takes_s = 0.0
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def answer(request: Request) -> Response:
    """`plausible`, or now and then a failure, after a while; at once the request's key is noted as asked."""
    if _asked is not None:
        os.write(_asked, request.key.encode("ascii") + b"\n")
    time.sleep(_answer_takes_s)
    if int(request.key[:2], 16) < 8:
        return Failure(cause=Cause.CONTEXT_TOO_LONG, detail="हद से बाहर, 超出上限")
    return plausible(request)


def serve() -> None:
    """Obey one line of JSON after another on standard input: start a run, or wait for its end."""
    _warm_up()
    _reply(ready=True)
    child, output = 0, -1
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "start":
            child, output = _start(order)
            _reply(pid=child)
        else:
            text = _read_all(output)
            _, status = os.waitpid(child, 0)
            _reply(exit=os.waitstatus_to_exitcode(status), text=text)


def _warm_up() -> None:
    """Before the first fork: a whole run, since much is imported and read late; for a real model what takes seconds."""
    with TemporaryDirectory() as output, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        main(["run", "--model", "scripted", "--tasks", "mini_choice,mini_chat,mini_math", "--output_path", output])
    if "--model" in sys.argv:
        for name in ("torch", "transformers", "safetensors.torch", "evalsuite.engines.model_arguments"):
            import_module(name)


def _reply(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def _start(order: dict[str, Any]) -> tuple[int, int]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _live(order, writer)
    os.close(writer)
    return child, reader


def _read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as file:
        return file.read().decode("utf-8", "replace")


def _live(order: dict[str, Any], output: int) -> NoReturn:
    """All of the child's life; both of its streams go to the pipe."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 1
    try:
        _expect(order)
        code = main(order["arguments"])
    except KeyboardInterrupt:  # after `main` has returned: no longer its affair
        code = EXIT_INTERRUPTED
    except BaseException:
        sys.excepthook(*sys.exc_info())
    while True:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        except KeyboardInterrupt:
            code = EXIT_INTERRUPTED


def _expect(order: dict[str, Any]) -> None:
    """Prepare for what the order says is to happen."""
    global _asked, _answer_takes_s
    _answer_takes_s = order["answer_takes_s"]
    if order["asked"]:
        _asked = os.open(order["asked"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if order["max_file_bytes"] is not None:
        _limit_files(order["max_file_bytes"], is_fatal=order["dies_at_limit"])
    if order["stop_at"]:
        _interfere(order["folder"], order["stop_at"], order["error"])


def _limit_files(num_bytes: int, *, is_fatal: bool) -> None:
    """No file may grow past `num_bytes`: a write there is short, the next is EFBIG or, if fatal, the end."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if is_fatal else signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, resource.RLIM_INFINITY))


def _interfere(folder: str, stop_at: int, error: int | None) -> None:
    """At the `stop_at`-th file operation under `folder`, before it takes place: die, or fail with errno `error`."""
    num_operations = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal num_operations
        if not _is_file_operation(event, arguments, folder):
            return
        num_operations += 1
        if num_operations == stop_at:
            os.write(1, f"stopped before {event} of {os.path.relpath(arguments[0], folder)}\n".encode())
            if error is None:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(error, os.strerror(error), os.fspath(arguments[0]))

    sys.addaudithook(hook)


def _is_file_operation(event: str, arguments: tuple[Any, ...], folder: str) -> bool:
    """Does the audit event create, open for writing, rename or make durable something under `folder`?"""
    if event not in ("open", "os.mkdir", "os.rename") or not isinstance(arguments[0], str | os.PathLike):
        return False
    path = os.fspath(arguments[0])
    if not path.startswith(folder):
        return False
    return event != "open" or bool(arguments[2] & _WRITES) or Path(path).is_dir()


if __name__ == "__main__":
    # under its own name, so that `--model_args function=fork_server:answer` finds this module and not a second one
    import fork_server

    fork_server.serve()
