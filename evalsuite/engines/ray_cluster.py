"""The Ray cluster that workers live in: begun here or reached, with room for all of them, and left as it was found."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from evalsuite.errors import UsageError, one_line

LOCAL = "local"
"""The cluster of this machine alone, begun for the run and ended with it."""

_CLIENT = "ray://"
_CONNECT_S = 10.0
_LOOK_S = 1.0
_JOIN_S = 60.0
"""How long the machines of a cluster that was begun with this command may take to join it."""


@dataclass(frozen=True)
class Crew:
    """How many workers there are, and where: ``local``, ``auto`` or the address of a Ray cluster, as HOST:PORT."""

    num_workers: int
    cluster: str = LOCAL


@dataclass
class Cluster:
    """Ray as `crew` asks for it, reached when it is first needed."""

    crew: Crew
    is_begun_here: bool = False

    def ray(self) -> Any:
        """Ray's module, connected. Raises UsageError where there is no such cluster."""
        import ray

        if not ray.is_initialized():
            with _own_signals():
                self._connect(ray)
            _keep_from_stdout()
        return ray

    def _connect(self, ray: Any) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        common = {"log_to_driver": False, "configure_logging": False}
        if self.crew.cluster == LOCAL:
            _check_cores(self.crew.num_workers)
            ray.init(address=LOCAL, num_cpus=self.crew.num_workers, include_dashboard=False, **common)
            self.is_begun_here = True
            return
        _check_address(self.crew.cluster)
        try:
            ray.init(address=self.crew.cluster, **common)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise UsageError(f"--cluster {self.crew.cluster} cannot be reached: {one_line(error)}") from error

    def has_gpus(self) -> bool:
        """Whether any of its machines has one."""
        return bool(self.ray().cluster_resources().get("GPU"))

    def check_room(self, num_gpus: float) -> None:
        """Raises UsageError where its machines could never hold all workers, with a core and so many GPUs each."""
        deadline = time.monotonic() + (0.0 if self.is_begun_here else _JOIN_S)
        while (room := self.room(num_gpus)) < self.crew.num_workers and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        if room < self.crew.num_workers:
            each = "a core" + (f" and {num_gpus:.15g} GPUs" if num_gpus else "")
            raise UsageError(
                f"--workers {self.crew.num_workers}: the cluster has room for {room}, with {each} each on one machine."
            )

    def room(self, num_gpus: float) -> int:
        """How many workers its present machines could hold."""
        return sum(_places(node["Resources"], num_gpus) for node in self.ray().nodes() if node["Alive"])

    def end(self) -> bool:
        """End it if it was begun here; whether it was, so that nothing of it is left."""
        ray = sys.modules.get("ray")
        if ray is None or not self.is_begun_here or not ray.is_initialized():
            return False
        ray.shutdown()
        self.is_begun_here = False
        return True


def _places(node: Mapping[str, float], num_gpus: float) -> int:
    """How many workers a machine holds."""
    by_core = int(node.get("CPU", 0.0))
    return min(by_core, int(node.get("GPU", 0.0) // num_gpus)) if num_gpus else by_core


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; a run that is asked to stop ends its batch first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _keep_from_stdout() -> None:
    """Ray tells of deaths on standard output, where programs read what we print; we tell of them ourselves."""
    worker = sys.modules.get("ray._private.worker")
    if hasattr(worker, "print_to_stdstream"):
        setattr(worker, "print_to_stdstream", lambda *_, **__: None)  # noqa: B010


def _check_cores(num_workers: int) -> None:
    """Raises UsageError for more workers than this machine has cores, which would only be in each other's way."""
    if num_workers > (num_cores := os.cpu_count() or 1):
        raise UsageError(
            f"--workers {num_workers}: this machine has {num_cores} cores, and a worker takes one or more."
        )


def _check_address(address: str) -> None:
    """Raises UsageError where nobody listens, for which Ray itself would wait minutes."""
    if address == "auto":
        return
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--cluster {address}: expected auto or HOST:PORT, as `ray start --head` prints it.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"--cluster {address} cannot be reached: {error}.") from error
