"""One engine for all cells of a model: loaded once, and begun afresh for each of them."""

from __future__ import annotations

from dataclasses import replace

from evalsuite.config import ModelConfig
from evalsuite.engines.base import Reusable
from evalsuite.prepare import Opened, open_engine
from evalsuite.sweeps.grid import model_key


class EngineKeeper:
    """Opens engines, and keeps the last one as long as the same model is asked for.

    Only an engine that says it can begin afresh is shared. Others are opened anew for each cell, as for a run of its
    own: one that counts what it spends, above all, since a budget is a run's and not the sweep's.
    """

    def __init__(self) -> None:
        self._key = ""
        self._kept: Opened | None = None

    def open(self, config: ModelConfig) -> Opened:
        """An engine for one run. Raises UsageError or ModelUnreadable."""
        key = model_key(config)
        if self._kept is None or self._key != key:
            self.close()
            self._kept, self._key = open_engine(config), key
        opened, engine = self._kept, self._kept.engine
        if isinstance(engine, Reusable):
            return replace(opened, engine=engine.afresh())
        self._kept = None
        return opened

    @property
    def keeps(self) -> bool:
        """Whether the engine opened last is to be left open for the next run."""
        return self._kept is not None

    def close(self) -> None:
        """Let go of the engine."""
        if self._kept is not None:
            self._kept.engine.close()
        self._kept = None
