"""A sealed run as frames of pandas: what ``evalsuite.load`` gives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.querying.arrow_tables import arrow_samples, arrow_table
from evalsuite.records import RunResult
from evalsuite.store.results import read_results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class RunFrames:
    """A sealed run; its tables as pandas frames, each made when it is first asked for.

    Columns, their units and what a missing entry means are listed in docs/querying.md; every frame begins with ``run``,
    so that frames of several runs can be put one under the other. Dtypes are pandas' nullable ones: ``string``,
    ``Int64``, ``Float64`` and ``boolean``. A number that is missing is ``pandas.NA``, never 0 or NaN, so that a
    sample without a score takes no part in a mean: ``run.samples["value"].mean()``.
    """

    path: Path
    result: RunResult

    def __repr__(self) -> str:
        return f"<run {self.run_id}: {self.model}, {len(self.result.tasks)} tasks, {self.status}, {str(self.path)!r}>"

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits."""
        return self.result.run_id

    @property
    def model(self) -> str:
        """The model that the numbers are about."""
        return self.result.spec.subject

    @property
    def status(self) -> str:
        """``complete``, or ``incomplete`` where samples have no score."""
        return self.result.status

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row: what was run, and how its samples ended."""
        return self._frame("runs")

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """A row for each metric of each task; a task none of whose samples has a score has none."""
        return self._frame("estimates")

    @cached_property
    def aggregates(self) -> pd.DataFrame:
        """A row for each mean over tasks or families."""
        return self._frame("aggregates")

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """A row for each task: how it was asked, and how its samples ended."""
        return self._frame("tasks")

    @cached_property
    def samples(self) -> pd.DataFrame:
        """A row for each sample, in plan order; `value` is missing where there is none.

        Raises SpecMismatch or CorruptStore for a file of samples that is missing or cannot be read.
        """
        return _frame(arrow_samples(self.path, self.result))

    def _frame(self, table: str) -> pd.DataFrame:
        return _frame(arrow_table(table, [(self.path, self.result)]))


def load(run: str | os.PathLike[str]) -> RunFrames:
    """A sealed run's directory as pandas frames: `estimates`, `aggregates`, `tasks`, `samples`, `runs`.

    Their columns, dtypes and units are in docs/querying.md. Raises SpecMismatch where there is no finished run,
    CorruptStore where what is stored cannot be read.
    """
    path = Path(run)
    return RunFrames(path, read_results(path))


def _frame(table: Any) -> pd.DataFrame:
    """An Arrow table as a frame of nullable dtypes."""
    import pandas as pd
    import pyarrow as pa

    dtypes = {
        pa.string(): pd.StringDtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    return table.to_pandas(types_mapper=dtypes.get)
