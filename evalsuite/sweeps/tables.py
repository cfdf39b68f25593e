"""Tables of text in four forms: for a terminal, CSV, LaTeX (booktabs) and Markdown. Names in them are not trusted."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import category, combining, east_asian_width

from evalsuite.sweeps.reading import Headline, Sweep, Value, settings_text, text_of, values_of, varied_keys

Format = Literal["text", "csv", "latex", "markdown"]
MISSING = "–"
"""Stands where there is no number."""

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "\u2212": "$-$",
}  # fmt: skip
_MARKDOWN = frozenset("\\`*_{}[]<>|~$#&")


@dataclass(frozen=True)
class Table:
    """Rows of text under heads, numbers from column `num_labels` on; notes are shown below it.

    Rows whose first cell reads the same are told apart by it alone, so that it is repeated.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    num_labels: int = 1


def rendered(table: Table, form: Format) -> str:
    """The table in a form, with a line end after the last line."""
    return {"text": _text, "csv": _csv, "latex": _latex, "markdown": _markdown}[form](table)


def plain(text: str) -> str:
    """`text` in one line; controls and what turns the direction of writing are spelt out as ⟨U+202E⟩."""
    return "".join(f"⟨U+{ord(char):04X}⟩" if _is_unseen(char) else char for char in text)


def _is_unseen(char: str) -> bool:
    kind = category(char)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and char not in "\u200c\u200d")


def _text(table: Table) -> str:
    rows = [[plain(cell) for cell in row] for row in (table.heads, *table.rows)]
    widths = [max(_width(row[index]) for row in rows) for index in range(len(table.heads))]
    lines = [
        "  ".join(
            cell + " " * (width - _width(cell)) if index < table.num_labels else " " * (width - _width(cell)) + cell
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, *(["", *map(plain, table.notes)] if table.notes else [])]) + "\n"


def _width(text: str) -> int:
    """Cells of a terminal that `text` takes: two for Chinese, none for marks."""
    return sum(
        0 if combining(char) or category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def _csv(table: Table) -> str:
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerows([[plain(cell) for cell in row] for row in (table.heads, *table.rows)])
    return content.getvalue()


def _latex(table: Table) -> str:
    columns = "l" * table.num_labels + "r" * (len(table.heads) - table.num_labels)
    lines = [
        *(f"% {plain(note)}" for note in table.notes),
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(table.heads),
        r"\midrule",
        *map(_latex_row, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cells: Sequence[str]) -> str:
    texts = [latex_text(cell) for cell in cells]
    if texts[0].startswith("["):  # LaTeX takes a bracket after the line before for that line's own argument
        texts[0] = "{}" + texts[0]
    return " & ".join(texts) + r" \\"


def latex_text(text: str) -> str:
    """`text` as LaTeX sets it; letters beyond ASCII stay, which XeLaTeX and LuaLaTeX read."""
    return "".join(_LATEX.get(char, char) for char in plain(text))


def _markdown(table: Table) -> str:
    rule = ["---"] * table.num_labels + ["---:"] * (len(table.heads) - table.num_labels)
    lines = [_markdown_row(table.heads), f"| {' | '.join(rule)} |", *map(_markdown_row, table.rows)]
    notes = ["", *(_markdown_text(note) + "  " for note in table.notes)] if table.notes else []
    return "\n".join([*lines, *notes]) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_markdown_text, cells))} |"


def _markdown_text(text: str) -> str:
    return "".join(f"&#{ord(char)};" if char in "<>&|" else "\\" + char if char in _MARKDOWN else char
                   for char in plain(text))  # fmt: skip


# -- numbers


def decimals_of(low: float | None, high: float | None, scale: float) -> int:
    """Decimals that show two digits of the interval's half-width, from one to four; without interval by the scale."""
    if low is None or high is None:
        return 1 if scale == 100.0 else 3
    half = (high - low) / 2 * scale
    return min(4, max(1, 1 - math.floor(math.log10(half)))) if half > 0 else 2


def number(value: float | None, decimals: int, *, is_signed: bool = False) -> str:
    """A number for people, a dash where there is none, and no minus before zero."""
    if value is None:
        return MISSING
    text = f"{value:+.{decimals}f}" if is_signed else f"{value:.{decimals}f}"
    return text if float(text) else text.lstrip("+-")


def with_interval(
    value: float | None, low: float | None, high: float | None, scale: float = 1.0, *, is_signed: bool = False
) -> str:
    """``33.3 [16.3, 56.1]``; without the brackets where no interval is known, a dash where no value is."""
    if value is None:
        return MISSING
    decimals = decimals_of(low, high, scale)
    shown = number(value * scale, decimals, is_signed=is_signed)
    if low is None or high is None:
        return shown
    bounds = (number(bound * scale, decimals, is_signed=is_signed) for bound in (low, high))
    return f"{shown} [{', '.join(bounds)}]"


def chance_text(value: float | None) -> str:
    """A p-value."""
    return MISSING if value is None else "< .001" if value < 0.001 else f"{value:.3f}"


# -- the sweep itself


def sweep_table(sweep: Sweep, headlines: Sequence[Headline]) -> Table:
    """A row a cell, a column for every setting that varies and every headline, each value with its interval."""
    keys = varied_keys(sweep)
    rows = []
    for one in sweep.cells:
        values = values_of(one)
        name = one.cell.name + ("*" if one.is_marked else "") + ("°" if one.is_partial else "")
        settings = [text_of(one.cell.settings[key]) if key in one.cell.settings else MISSING for key in keys]
        rows.append((name, *settings, *(_shown(values.get(headline)) for headline in headlines)))
    return Table(
        heads=("cell", *keys, *(headline.label for headline in headlines)),
        rows=tuple(rows),
        notes=_notes(sweep, keys),
        num_labels=1 + len(keys),
    )


def _shown(value: Value | None) -> str:
    if value is None:
        return MISSING
    unscored = f" ({value.num_unscored} unscored)" if value.num_unscored else ""
    return with_interval(value.value, value.low, value.high, value.scale) + unscored


def _notes(sweep: Sweep, keys: Sequence[str]) -> tuple[str, ...]:
    same = settings_text(
        [(key, value) for key, value in sweep.cells[0].cell.settings.items() if key not in keys],
        [key for key in sweep.keys if key not in keys],
    )
    others: dict[str, list[str]] = {}
    for one in sweep.cells:
        if one.is_marked:
            others.setdefault(one.status, []).append(one.cell.name)
    found = [f"In all cells: {same}." if same else "", "Values with their 95 % intervals."]
    found += [f"* {status}: {', '.join(names)}." for status, names in others.items()]
    if any(one.is_partial for one in sweep.cells):
        found.append("° a sample of the task's items.")
    return tuple(filter(None, found))
