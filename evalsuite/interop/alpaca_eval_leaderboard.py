"""AlpacaEval's ``leaderboard.csv``: one row a model, as published, with the intervals that its errors give.

Source: tatsu-lab/alpaca_eval at cd543a14. Win rates and errors are percentages; `length_controlled_winrate` is what a
model fitted over all entries gives, and has an error in some rows only. There are no samples, so that nothing of it can
be computed again or become a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.interop.alpaca_eval_files import NUM_INSTRUCTIONS
from evalsuite.stats.intervals import t_interval
from evalsuite.sweeps.published import number_in, read_published

LEADERBOARD = "leaderboard rows"
_MODEL = ""
"""The head above the models' names: pandas writes none."""
_REQUIRED = ("win_rate", "standard_error", "n_total")
_PERCENT = (0.0, 100.0)


@dataclass(frozen=True)
class LeaderboardRow:
    """A model's row; limits are those of 95 % intervals, None where the row has no error or one of 0."""

    model: str
    win_rate: float
    low: float | None
    high: float | None
    standard_error: float | None
    n_total: int
    length_controlled_winrate: float | None
    lc_low: float | None
    lc_high: float | None
    lc_standard_error: float | None
    discrete_win_rate: float | None
    n_wins: int | None
    n_wins_base: int | None
    n_draws: int | None
    avg_length: int | None
    mode: str


def read_leaderboards(paths: Sequence[Path]) -> tuple[LeaderboardRow, ...]:
    """The rows of the files in order. Raises DataError naming file and row, also for a model that stands twice."""
    found = [(path, place, row) for path in paths for place, row in enumerate(_rows(path), 2)]
    first: dict[str, str] = {}
    for path, place, row in found:
        where = f"{path}, row {place}"
        if row.model in first:
            raise DataError(f"{where}: {row.model} stands in {first[row.model]} already; keep one of them.")
        first[row.model] = where
    return tuple(row for _, _, row in found)


def notes_on(rows: Sequence[LeaderboardRow]) -> Iterator[str]:
    """What in the rows does not fit together, or is less than the whole benchmark."""
    odd = [row.model for row in rows if _num_counted(row) not in (None, row.n_total)]
    if odd:
        yield f"wins, losses and draws do not make n_total: {', '.join(odd)}"
    partial = sum(row.n_total < NUM_INSTRUCTIONS for row in rows)
    if partial:
        yield f"{partial} of {len(rows)} rows are of fewer than {NUM_INSTRUCTIONS} instructions"


def _num_counted(row: LeaderboardRow) -> int | None:
    """Wins, losses and draws together; None where one of them is not there."""
    counts = (row.n_wins, row.n_wins_base, row.n_draws)
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _rows(path: Path) -> Iterator[LeaderboardRow]:
    table = read_published(path)
    if missing := [name for name in (_MODEL, *_REQUIRED) if name not in table.columns]:
        raise DataError(f"{path}: no leaderboard of AlpacaEval: it has no column {missing[0] or 'without a head'!r}.")
    for place, cells in enumerate(table.rows, 2):
        yield _Cells(dict(zip(table.columns, cells, strict=True)), f"{path}, row {place}").row()


@dataclass(frozen=True)
class _Cells:
    """A row's texts by column, and where it stands."""

    texts: dict[str, str]
    where: str

    def row(self) -> LeaderboardRow:
        """The row. Raises DataError."""
        if not self.texts[_MODEL]:
            raise DataError(f"{self.where}: the model has no name.")
        n, win_rate, error = self._whole("n_total"), self._rate("win_rate"), self._number("standard_error")
        if n is None or n < 1 or win_rate is None:
            raise DataError(f"{self.where}: 'win_rate' and 'n_total' are {self.texts['win_rate']!r} and "
                            f"{self.texts['n_total']!r}; expected a percentage and a whole number.")  # fmt: skip
        controlled, lc_error = self._rate("length_controlled_winrate"), self._number("lc_standard_error")
        low, high = _interval(win_rate, error, n)
        lc_low, lc_high = _interval(controlled, lc_error, n)
        return LeaderboardRow(
            model=self.texts[_MODEL],
            win_rate=win_rate,
            low=low,
            high=high,
            standard_error=error,
            n_total=n,
            length_controlled_winrate=controlled,
            lc_low=lc_low,
            lc_high=lc_high,
            lc_standard_error=lc_error,
            discrete_win_rate=self._rate("discrete_win_rate"),
            n_wins=self._whole("n_wins"),
            n_wins_base=self._whole("n_wins_base"),
            n_draws=self._whole("n_draws"),
            avg_length=self._whole("avg_length"),
            mode=self.texts.get("mode", ""),
        )

    def _number(self, name: str) -> float | None:
        """The number in a column, which may be empty or not there."""
        text = self.texts.get(name, "")
        if not text:
            return None
        value = number_in(text)
        if value is None or value < 0:
            raise DataError(f"{self.where}: {name!r} is {text!r}; expected a number from 0.")
        return value

    def _rate(self, name: str) -> float | None:
        value = self._number(name)
        if value is not None and value > _PERCENT[1]:
            raise DataError(f"{self.where}: {name!r} is {self.texts[name]!r}; expected a percentage.")
        return value

    def _whole(self, name: str) -> int | None:
        value = self._number(name)
        if value is not None and value != int(value):
            raise DataError(f"{self.where}: {name!r} is {self.texts[name]!r}; expected a whole number.")
        return None if value is None else int(value)


def _interval(value: float | None, error: float | None, n: int) -> tuple[float | None, float | None]:
    """Student's interval; none without an error, or with one of 0, which a model against itself has."""
    if value is None or not error or n < 2:
        return None, None
    return t_interval(value, error, n, _PERCENT) or (None, None)
