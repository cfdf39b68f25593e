"""What a run may spend: requests, tokens, money, time. The worst case is reserved before a request, settled after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from evalsuite.errors import BudgetExhausted
from evalsuite.types import Spent


@dataclass(frozen=True)
class Prices:
    """Money for a million prompt and a million generated tokens, in whatever currency the cap is in."""

    prompt: float
    completion: float

    def of(self, num_prompt: int, num_generated: int) -> float:
        """What so many tokens cost."""
        return (self.prompt * num_prompt + self.completion * num_generated) / 1e6


@dataclass(frozen=True)
class Caps:
    """The most that may be spent over all processes of a run; None where there is no cap."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None


class Ledger:
    """Counts what was spent and what is promised. `carried` is what earlier processes of the run spent."""

    def __init__(self, caps: Caps, prices: Prices | None, clock: Callable[[], float]) -> None:
        self._caps = caps
        self._prices = prices
        self._clock = clock
        self._started = clock()
        self._carried = self._spent = self._told = self._promised = Spent()

    def carry(self, spent: Spent) -> None:
        """Count what earlier processes spent."""
        self._carried = spent

    def reserve(self, num_prompt: int, num_generated: int) -> Spent | None:
        """Promise a request's worst case, or None while only what others were promised stands against it.

        Raises BudgetExhausted when it might go beyond a cap whatever becomes of the others.
        """
        wanted = self._cost(num_prompt, num_generated)
        used = self._carried + self._total() + wanted
        if name := self._exceeded(used):
            cap = getattr(self._caps, name)
            raise BudgetExhausted(f"the budget of {cap:g} {name} is spent; raise max_{name} to go on.")
        if self._exceeded(used + self._promised):
            return None
        self._promised += wanted
        return wanted

    def _exceeded(self, amount: Spent) -> str:
        """The name of a cap that `amount` goes beyond, or nothing."""
        for name in ("requests", "tokens", "cost", "seconds"):
            cap = getattr(self._caps, name)
            if cap is not None and getattr(amount, name) > cap:
                return name
        return ""

    def settle(self, promised: Spent, num_prompt: int | None, num_generated: int | None) -> None:
        """A request ended; what it used is not known of one that failed, so its worst case counts."""
        self._promised -= promised
        if num_prompt is None or num_generated is None:
            self._spent += promised
        else:
            self._spent += self._cost(num_prompt, num_generated)

    def take(self) -> Spent:
        """What was spent since the last call, time included."""
        before, self._told = self._told, self._total()
        return self._told - before

    def _total(self) -> Spent:
        return msgspec.structs.replace(self._spent, seconds=self._clock() - self._started)

    def _cost(self, num_prompt: int, num_generated: int) -> Spent:
        cost = self._prices.of(num_prompt, num_generated) if self._prices else 0.0
        return Spent(requests=1, tokens=num_prompt + num_generated, cost=cost)
