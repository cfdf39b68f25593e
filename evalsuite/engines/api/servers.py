"""Several servers with one model as one client: each request to the least busy, none to one that is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from evalsuite.engines.api.client import Answer, Client
from evalsuite.engines.api.limits import Clock
from evalsuite.engines.api.policy import Fault
from evalsuite.types import Cause

_GONE = frozenset({502, 503, 504})
"""What a gateway says of a server that is not there, and a server of itself that cannot take more."""


class Rests:
    """Which servers are gone, by address; it outlives the clients of one wave.

    A server that cannot be reached or breaks off rests for `rest_s`; then one request finds out whether it is there
    again. `tell` hears of each that goes to rest, with the reason.
    """

    def __init__(self, *, clock: Clock, rest_s: float, tell: Callable[[str, str], None]) -> None:
        self._until: dict[str, float] = {}
        self._probed: Counter[str] = Counter()
        self._clock = clock
        self._rest_s = rest_s
        self._tell = tell

    def is_up(self, address: str) -> bool:
        """Whether the server may be asked; after its rest by one at a time."""
        return self._until.get(address, 0.0) <= self._clock() and not self._probed[address]

    def oldest(self, addresses: Iterable[str]) -> str:
        """The one that rests no longer soonest."""
        return min(addresses, key=lambda address: self._until.get(address, 0.0))

    def begin(self, address: str) -> bool:
        """An attempt begins; whether it is a probe, for which the others do not wait."""
        is_probe = address in self._until
        self._probed[address] += is_probe
        return is_probe

    def end(self, address: str, *, is_probe: bool) -> None:
        """An attempt ended, with an outcome or without."""
        self._probed[address] -= is_probe

    def record(self, address: str, outcome: Answer | Fault, *, is_probe: bool) -> bool:
        """Whether the server answered. Only a probe wakes it: what was under way before says nothing about now."""
        if isinstance(outcome, Fault) and _is_gone(outcome):
            if address not in self._until:
                self._tell(address, outcome.detail)
            self._until[address] = self._clock() + max(self._rest_s, outcome.retry_after_s or 0.0)
            return False
        if is_probe:
            self._until.pop(address, None)  # another probe may have found the same
        return True


class Servers:
    """A client that asks the servers `clients`, by address. All of it runs in one event loop.

    What a server that is gone was asked goes to another at once: it is seen from outside only when none is left.
    """

    def __init__(self, clients: Mapping[str, Client], rests: Rests) -> None:
        self._clients = clients
        self._rests = rests
        self._num_under_way: Counter[str] = Counter()

    async def post(self, path: str, payload: Mapping[str, Any], key: str) -> Answer | Fault:
        """One attempt, at as many servers as it takes to find one that is there."""
        left = set(self._clients)
        while True:
            address = self._choice([one for one in self._clients if one in left])
            left.remove(address)
            is_probe = self._rests.begin(address)
            try:
                outcome = await self._posted(address, path, payload, key)
            finally:
                self._rests.end(address, is_probe=is_probe)
            is_there = self._rests.record(address, outcome, is_probe=is_probe)
            if is_there or not any(map(self._rests.is_up, left)):
                return outcome

    def _choice(self, addresses: list[str]) -> str:
        """The least busy of those that are up; where none is, the one that has rested longest."""
        up = [address for address in addresses if self._rests.is_up(address)]
        return min(up, key=self._num_under_way.__getitem__) if up else self._rests.oldest(addresses)

    async def _posted(self, address: str, path: str, payload: Mapping[str, Any], key: str) -> Answer | Fault:
        self._num_under_way[address] += 1
        try:
            return await self._clients[address].post(path, payload, key)
        finally:
            self._num_under_way[address] -= 1

    async def close(self) -> None:
        """Let go of all sockets."""
        for client in self._clients.values():
            await client.close()


def _is_gone(fault: Fault) -> bool:
    return fault.cause is Cause.CONNECTION_FAILED or fault.http_status in _GONE
