"""Figures of sweeps: whole, the same bytes twice, every series told apart, and names as names."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import matplotlib
import msgspec
import numpy as np
import pytest
from evalsuite.reports.sweep_figures import _COLOURS, _look, draw
from PIL import Image

from evalsuite.charts import Chart, ChartPoint, ChartSeries, Panel
from evalsuite.sweeps import chart_values
from evalsuite.sweeps.pareto import pareto_of
from evalsuite.sweeps.published import published_table, read_published
from evalsuite.sweeps.reading import read_sweep, summary_headlines
from evalsuite.sweeps.scaling import scaling_of
from evalsuite.sweeps.spread import spread_of

ODD = (r"$\frac{$", "$x^2$ & <b>bold</b>", "النموذج العربي", "模型一号", "हिन्दी क्षत्रिय",
       "evil\u202egnp.exe\x07\ud83d\nnew", "_hidden",
       "an-organisation/with-a-name-that-is-far-too-long-for-any-legend-v1")  # fmt: skip


def texts(svg: bytes) -> list[str]:
    """What was written, which SVG keeps as a comment beside the glyphs."""
    found = re.findall(r"<!-- (.*?) -->", svg.decode(), re.DOTALL)
    return [text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for text in found]


def check(chart: Chart, *, is_repeated: bool = True) -> tuple[bytes, np.ndarray]:
    """The chart's SVG and its picture, which has ink on white and a white edge: nothing is cut."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg, png = draw(chart, "svg"), draw(chart, "png")
    assert not is_repeated or (svg, png) == (draw(chart, "svg"), draw(chart, "png"))
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert (pixels < 128).any()
    assert max(pixels.shape) < 8000
    assert all((edge == 255).all() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    return svg, pixels


def curves(names: tuple[str, ...], *, num_panels: int = 2) -> Chart:
    def series(name: str, place: int) -> ChartSeries:
        points = [
            ChartPoint(x=10.0**x, y=place + x / 7, low=place + x / 7 - 0.3, high=place + x / 7 + 0.2, label=name)
            for x in range(3, 6)
        ]
        return ChartSeries(name=name, points=tuple(points))

    panel = Panel(title=names[0], series=tuple(series(name, place) for place, name in enumerate(names)), is_log=True,
                  x_label=names[-1], level=1.0, level_name="guessing", note=names[0])  # fmt: skip
    return Chart(title=names[0], notes=names, panels=(panel,) * num_panels)


def test_names_stay_names() -> None:
    svg, _ = check(curves(ODD))
    written = texts(svg)
    assert r"$\frac{$" in written
    assert "$x^2$ & <b>bold</b>" in written
    assert any("⟨U+202E⟩" in text for text in written)
    assert not any(char in text for text in written for char in "\u202e\x07")


@pytest.mark.parametrize("language", ["النموذج العربي", "模型一号", "हिन्दी क्षत्रिय"])
def test_every_script_has_a_font(language: str) -> None:
    chart = curves((language, "b"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        svg = draw(chart, "svg")
    assert not [one for one in caught if "missing from" in str(one.message)]
    assert language in texts(svg)


def test_series_differ_in_colour_and_shape() -> None:
    looks = [_look(place) for place in range(len(_COLOURS))]
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == len(looks)
    more = [(_look(place).colour, _look(place).marker) for place in range(4 * len(_COLOURS))]
    assert len(set(more)) == len(more)


def test_colours_keep_apart_for_the_colour_blind() -> None:
    """The first six, as deuteranopes and protanopes see them (Machado and others 2009, full severity)."""
    matrices = (
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    )
    linear = np.array([matplotlib.colors.to_rgb(colour) for colour in _COLOURS[:6]]) ** 2.2
    for matrix in matrices:
        seen = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        distances = [np.linalg.norm(seen[a] - seen[b]) for a in range(6) for b in range(a)]
        assert min(distances) > 0.25


def test_an_incomplete_run_is_drawn_hollow() -> None:
    def one(*, is_marked: bool) -> Chart:
        point = ChartPoint(x=1.0, y=1.0, is_marked=is_marked)
        return Chart(title="t", notes=(), panels=(Panel(title="p", series=(ChartSeries(name="", points=(point,)),)),))

    assert draw(one(is_marked=True), "png") != draw(one(is_marked=False), "png")
    middle = [np.asarray(Image.open(io.BytesIO(draw(one(is_marked=flag), "png"))).convert("RGB")) for flag in (0, 1)]
    colour = np.array([0x0B, 0x4F, 0x8A])
    filled, hollow = ((np.abs(pixels.astype(int) - colour).max(axis=2) < 8).sum() for pixels in middle)
    assert 0 < hollow < filled


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_users_settings_change_nothing(kind: Literal["svg", "png"]) -> None:
    chart = curves(("a", "b"))
    before = draw(chart, kind)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "svg.hashsalt": "other"}):
        assert draw(chart, kind) == before


def test_large_and_empty_charts_are_drawn() -> None:
    large = curves(tuple(f"series {number:02}" for number in range(18)), num_panels=26)
    bare = tuple(
        msgspec.structs.replace(one, points=tuple(msgspec.structs.replace(p, label="", low=None) for p in one.points))
        for one in large.panels[0].series
    )
    panels = (msgspec.structs.replace(large.panels[0], series=bare),) * 26
    svg, _ = check(msgspec.structs.replace(large, notes=(), panels=panels), is_repeated=False)
    assert {"The first 24 of 26 panels.", "The legend names the first 16 of 18 series."} <= set(texts(svg))
    rows = tuple(f"row {number}" for number in range(100))
    points = tuple(ChartPoint(x=float(place), y=float(place)) for place in range(100))
    panel = Panel(title="p", rows=rows, series=(ChartSeries(name="", points=points),))
    svg, _ = check(Chart(title="rows", notes=(), panels=(panel,)))
    assert "The first 60 rows of 100." in texts(svg)
    check(Chart(title="nothing", notes=(), panels=()))
    check(Chart(title="empty", notes=(), panels=(Panel(title="p", series=()),)))


def test_charts_of_a_sweep(shots: Path, formats: Path) -> None:
    found, other = read_sweep(shots), read_sweep(formats)
    headlines = summary_headlines(found.cells)
    for chart in (
        chart_values.of_sweep(found, headlines),
        chart_values.of_scaling(scaling_of(found, "num_fewshot", headlines)),
        chart_values.of_spread(spread_of(found, "num_fewshot", headlines)),
        chart_values.of_pareto(pareto_of(other, "bits", summary_headlines(other.cells))),
    ):
        svg, _ = check(chart)
        assert chart.title in texts(svg)


def test_published_numbers_say_that_they_have_no_intervals(reference: Path) -> None:
    table = read_published(reference / "belle.csv")
    chart = chart_values.of_published(table, published_table(table))
    assert sum(len(panel.series[0].points) for panel in chart.panels) == 17 * 10 + 9
    svg, _ = check(chart, is_repeated=False)
    assert any("the source gives no intervals" in text for text in texts(svg))
    assert "L7B+FT(2M)+LoRA(math0.25M)" in texts(svg)
