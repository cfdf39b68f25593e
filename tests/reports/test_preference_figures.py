"""Figures of votes: each is made, twice the same bytes, and names from files of votes stay names."""

from __future__ import annotations

import io
import re
import warnings
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import msgspec
import numpy as np
import pytest
from evalsuite.reports import _votes
from evalsuite.reports.preference_figures import figures
from PIL import Image
from vote_summaries import summary

from evalsuite.preference.summary import PreferenceSummary

ODD = (
    r"$\frac{$",
    "$x^2$ & <b>bold</b>",
    "النموذج العربي",
    "模型一号",
    "हिन्दी क्षत्रिय",
    "evil\u202egnp.exe\x07\ud83d\n\tnew",
    "_hidden",
    "an-organisation-with-a-long-name/a-model-with-a-longer-one-instruct-v1",
    "an-organisation-with-a-long-name/a-model-with-a-longer-one-instruct-v2",
    "an-organisation-with-a-long-name/b-model-with-a-longer-one-instruct-v2",
)
SIXTY = tuple(f"system {number:02}" for number in range(60))


def texts(svg: bytes) -> list[str]:
    """What was written, which SVG keeps as a comment beside the glyphs."""
    found = re.findall(r"<!-- (.*?) -->", svg.decode(), re.DOTALL)
    return [text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for text in found]


def picture(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def check(files: dict[str, bytes]) -> None:
    """Every SVG is XML, every PNG has ink on white, none too large to open, and its edge is white: nothing is cut."""
    for name, content in files.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(content).tag.endswith("svg"), name
            continue
        pixels = picture(content)
        assert (pixels < 128).any(), name
        assert max(pixels.shape) < 6000, name
        edges = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
        assert all((edge == 255).all() for edge in edges), name


@pytest.fixture(scope="module")
def small() -> PreferenceSummary:
    return summary(("first", "second", "third"), has_quality=True)


def test_each_is_made_in_both_forms_and_twice_the_same(small: PreferenceSummary) -> None:
    files = figures(small)
    names = ("win-rates", "quality", "ranks", "matrix")
    assert set(files) == {f"{name}.{kind}" for name in names for kind in ("svg", "png")}
    check(files)
    with matplotlib.rc_context({"font.size": 30, "svg.hashsalt": "other", "text.parse_math": True, "axes.grid": True}):
        assert figures(small) == files
    assert b"Date" not in files["ranks.svg"] + files["ranks.png"]
    assert matplotlib.__version__.encode() not in files["ranks.png"]


def test_other_votes_give_other_figures(small: PreferenceSummary) -> None:
    other = figures(summary(("first", "second", "third"), has_quality=True, seed=2))
    assert other["win-rates.svg"] != figures(small)["win-rates.svg"]


def test_what_cannot_be_drawn_is_no_file() -> None:
    two = figures(summary())
    assert set(two) == {"win-rates.svg", "win-rates.png", "ranks.svg", "ranks.png"}
    unranked = summary(num_languages=1, num_prompts=1, votes=1, seed=4)
    assert unranked.ranking is None
    assert set(figures(unranked)) == {"win-rates.svg", "win-rates.png"}


def test_numbers_stand_beside_the_bars(small: PreferenceSummary) -> None:
    written = texts(figures(small)["win-rates.svg"])
    for rate in small.rates:
        assert rate.low is not None
        assert rate.high is not None
        bounds = f"{100 * rate.low:.1f} – {100 * rate.high:.1f}"
        assert f"{100 * rate.win_half:.1f}  [{bounds}]" in written
        assert f"{rate.num_votes} votes, {rate.num_prompts} prompts" in written
    assert {"both good", "both bad", "left wins", "right wins"} <= set(written)
    untold = texts(figures(summary(tells_ties=False))["win-rates.svg"])
    assert "tie" in untold
    assert "both bad" not in untold


def bars(svg: bytes, colour: str) -> list[tuple[float, float]]:
    """Where the bars of one colour begin and how long they are, as shares of the axes, which are 3.9 inches wide."""
    pattern = rf'<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) [^"]*" clip-path="[^"]*" style="fill: {colour}'
    found = [(float(left), float(right)) for left, right in re.findall(pattern, svg.decode())]
    width = 3.9 * 72
    start = min(float(left) for left in re.findall(r'<path d="M ([\d.]+) [\d.]+ \nL [^"]*" clip-path', svg.decode()))
    return [((left - start) / width, (right - left) / width) for left, right in found]


def test_bars_are_as_long_as_the_shares_and_stand_in_order(small: PreferenceSummary) -> None:
    files = figures(small)
    wins, losses = (bars(files["win-rates.svg"], colour) for colour in ("#0b4f8a", "#e8963c"))
    assert [length for _, length in wins] == pytest.approx([rate.win for rate in small.rates], abs=0.002)
    assert [start for start, _ in wins] == pytest.approx([0.0] * len(small.rates), abs=0.002)
    assert [start + length for start, length in losses] == pytest.approx([1.0] * len(small.rates), abs=0.002)
    assert small.quality is not None
    by_system = [one for name in small.systems for one in small.quality.qualities if one.system == name]
    best, *_, worst = reversed(_votes.level_colours(4))
    found = bars(files["quality.svg"], best)
    assert found == [pytest.approx((0.0, one.levels["good"]), abs=0.002) for one in by_system if one.levels["good"]]
    ends = [start + length for start, length in bars(files["quality.svg"], worst)]
    assert ends == pytest.approx([1.0] * sum(one.levels["unusable"] > 0 for one in by_system), abs=0.002)


def test_shares_acceptable_and_ranks_are_written(small: PreferenceSummary) -> None:
    files = figures(small)
    assert small.quality is not None
    assert small.ranking is not None
    quality, ranks, matrix = (texts(files[f"{name}.svg"]) for name in ("quality", "ranks", "matrix"))
    for found in small.quality.qualities:
        assert any(text.startswith(f"{100 * found.share_acceptable:.1f}  [") for text in quality)
        assert f"{found.num_ratings} ratings, {found.num_prompts} prompts" in quality
    for row in small.ranking.systems:
        assert any(text.startswith(f"{row.strength:+.2f}".replace("-", "−")) for text in ranks)
        assert f"{row.num_votes} votes" in ranks
    rate = next(rate for rate in small.rates if rate.scope == "macro")
    assert {f"{100 * rate.win_half:.1f}", f"{100 * (1 - rate.win_half):.1f}", f"n {rate.num_votes}"} <= set(matrix)


def test_a_pair_that_never_met_is_grey() -> None:
    rates = [rate for rate in summary(("a", "b", "c")).rates if {rate.system_a, rate.system_b} != {"a", "c"}]
    files = figures(msgspec.structs.replace(summary(("a", "b", "c")), rates=tuple(rates)))
    grey = np.array([0xE4, 0xE4, 0xE0])
    assert (picture(files["matrix.png"]) == grey).all(axis=2).sum() > 1000
    assert not (picture(figures(summary(("a", "b", "c")))["matrix.png"]) == grey).all(axis=2).any()


def test_hostile_and_foreign_names_are_shown_and_not_read() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        files = figures(summary(ODD, num_prompts=12, votes=30, has_quality=True))
    assert [str(one.message) for one in said if "Glyph" in str(one.message)] == []
    check(files)
    written = texts(files["ranks.svg"])
    for name in (r"$\frac{$", "$x^2$ & <b>bold</b>", "النموذج العربي", "模型一号", "हिन्दी क्षत्रिय", "_hidden"):
        assert name in written, name
    every = "".join(content.decode() for name, content in files.items() if name.endswith(".svg"))
    assert "\u202e" not in every
    assert "\x07" not in every
    assert "<b>" not in every
    assert sum("evil⟨U+202E⟩gnp" in text for text in written) == 1


def test_sixty_systems_are_legible() -> None:
    """Every line keeps its height, and what is left out is said."""
    many = summary(SIXTY, num_languages=6, num_prompts=20, votes=40)
    assert len(many.systems) == 60
    files = figures(many)
    check(files)
    assert set(SIXTY) <= set(texts(files["ranks.svg"]))
    num_pairs = len(_votes.pairs_by_names(many))
    for name, told in (("matrix", "The first 12 of 60 systems"), ("win-rates", rf"\d+ of {num_pairs} pairs, all with")):
        written = texts(files[f"{name}.svg"])
        assert 2 <= len(set(SIXTY) & set(written)) <= _votes.MOST_SYSTEMS
        assert any(re.search(told, text) for text in written)


def test_long_names_that_look_alike_stay_apart() -> None:
    found = _votes.labels([*ODD, "x" * 50, "x" * 60])
    assert len(set(found.values())) == len(ODD) + 2
    assert all(len(label) <= 34 for label in found.values())
    assert found["النموذج العربي"] == "النموذج العربي"


def test_a_long_name_is_cut_between_letters() -> None:
    """Never between a letter and its vowel sign, which would stand alone."""
    label = _votes.labels(["क्षि" * 20])["क्षि" * 20]
    start, end = label.split("…")
    assert ("क्षि" * 20).startswith(start)
    assert not start.endswith("क्\u200d")
    assert end[0] == "क" or end[0] == "ष"


def test_levels_are_told_apart_in_grey() -> None:
    for num in range(2, 8):
        greys = [_grey(colour) for colour in _votes.level_colours(num)]
        assert min(before - after for before, after in pairwise(greys)) > 15, num


def _grey(colour: str) -> float:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue
