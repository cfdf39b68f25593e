"""vLLM's own OpenAI-compatible server with the built-in model, on loopback: a real one for the API engine's tests.

It runs in vLLM's environment, whose Python ``EVALSUITE_VLLM_PYTHON`` names (``make test-vllm`` builds one).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from evalsuite import models

MODEL = "smollm2-135m"
MAX_LENGTH = 2048
STARTS_WITHIN_S = 300.0
STOPS_WITHIN_S = 30.0
_POLL_S = 0.5


@dataclass(frozen=True)
class VllmServer:
    """A server that answers: its API's root, the name that its model goes by, and where it writes its log."""

    base_url: str
    model: str
    log: Path

    def kill(self) -> None:
        """End it as a power cut would, with every process of its session."""
        (leader,) = [one for one in psutil.process_iter() if _serves(one, urlsplit(self.base_url).port)]
        os.killpg(os.getpgid(leader.pid), signal.SIGKILL)


def _serves(process: psutil.Process, port: int | None) -> bool:
    with suppress(psutil.Error):
        words = process.cmdline()
        return "vllm.entrypoints.openai.api_server" in words and str(port) in words
    return False


def vllm_python() -> Path:
    """The Python of vLLM's environment; skips the test where none is named."""
    named = os.environ.get("EVALSUITE_VLLM_PYTHON", "")
    if not named:
        pytest.skip("needs a Python with vLLM: set EVALSUITE_VLLM_PYTHON")
    return Path(named)


@contextmanager
def vllm_server(
    python: Path, *, dtype: str = "float32", max_length: int = MAX_LENGTH, arguments: tuple[str, ...] = ()
) -> Iterator[VllmServer]:
    """The server once it is healthy, and its end afterwards. Raises RuntimeError as `serving` does."""
    folder = models.locate(MODEL).path
    port = free_port()
    command = [
        str(python), "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port),
        "--model", str(folder), "--served-model-name", MODEL, "--dtype", dtype, "--max-model-len", str(max_length),
        "--generation-config", "vllm", "--enforce-eager", *arguments,
    ]  # fmt: skip
    with serving(command, _environment(), port) as log:
        yield VllmServer(f"http://127.0.0.1:{port}/v1", MODEL, log)


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[Path]:
    """The log of a server that `command` starts, once it is healthy at `port`; its end afterwards.

    Raises RuntimeError, with the log's end, if it dies or is not healthy in `STARTS_WITHIN_S`.
    """
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=place, start_new_session=True
            )
        try:
            _wait_until_healthy(process, port, log)
            yield log
        finally:
            _stop(process)


def _environment() -> Mapping[str, str]:
    """What vLLM is to know; without Python paths and threads of this process, and without a proxy."""
    dropped = ("PYTHON", "OMP_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {
        "VLLM_CPU_KVCACHE_SPACE": "1", **inherited, "VLLM_LOGGING_LEVEL": "WARNING", "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{_end_of(log)}")
        if _is_healthy(port):
            return
        time.sleep(_POLL_S)
    raise RuntimeError(f"the server was not healthy within {STARTS_WITHIN_S:.0f} s:\n{_end_of(log)}")


def _is_healthy(port: int) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(urllib.error.URLError, TimeoutError, ConnectionError):
        return int(direct.open(f"http://127.0.0.1:{port}/health", timeout=5).status) == 200
    return False


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-4000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to end; what is left of its session's processes after that is killed."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=STOPS_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
