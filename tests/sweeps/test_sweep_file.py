"""A sweep's file: every combination and no other, by names that tell them apart, and every fault with its line."""

from __future__ import annotations

import re
from itertools import pairwise
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.config import RunConfig
from evalsuite.errors import ConfigError, NothingSelected
from evalsuite.sweeps.grid import model_key, setups_of
from evalsuite.sweeps.sweep_file import Axis, Point, SweepFile, read_sweep_file
from evalsuite.text.visible import visible_line

FULL = """\
name: all-of-it
base:
  limit: 3
  gen_kwargs: {max_gen_toks: 8}
axes:
  num_fewshot: [0, 2]
  model: [org/small, other/large]
  tasks: [mini_math, [mini_choice, mini_chat]]
  model_args.dtype: [float32, bfloat16]
  gen_kwargs.temperature: [0.0, 0.7]
  style:
    - {name: plain}
    - {name: chat, apply_chat_template: true, gen_kwargs.top_p: 0.9}
exclude:
  - {model: org/small, style: chat}
  - {num_fewshot: [2], tasks: [[mini_choice, mini_chat]]}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_combination_that_is_not_left_out(tmp_path: Path) -> None:
    file = read_sweep_file(written(tmp_path, FULL))
    assert (file.name, file.output) == ("all-of-it", Path("sweeps/all-of-it"))
    setups = setups_of(file)
    assert len(setups) == 64 - 16 - 16 + 4
    assert len({setup.name for setup in setups}) == len(setups)
    by_name = {setup.name: setup for setup in setups}
    name = "num_fewshot=0,large,mini_choice+mini_chat,dtype=bfloat16,temperature=0.7,chat"
    assert by_name[name].settings == {
        "num_fewshot": 0, "model": "other/large", "tasks": "mini_choice,mini_chat", "model_args.dtype": "bfloat16",
        "gen_kwargs.temperature": 0.7, "style": "chat",
    }  # fmt: skip
    assert by_name[name].config == RunConfig(
        model="other/large", tasks=("mini_choice", "mini_chat"), model_args={"dtype": "bfloat16"}, num_fewshot=0,
        limit=3, gen_kwargs={"max_tokens": 8, "temperature": 0.7, "top_p": 0.9}, apply_chat_template=True,
    )  # fmt: skip
    assert ("org/small", "chat") not in {(one.settings["model"], one.settings["style"]) for one in setups}


def test_cells_of_one_model_stand_together(tmp_path: Path) -> None:
    keys = [model_key(setup.config) for setup in setups_of(read_sweep_file(written(tmp_path, FULL)))]
    changes = sum(before != after for before, after in pairwise(keys))
    assert changes == len(set(keys)) - 1 == 3


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_the_number_of_cells_is_the_product_less_what_is_excluded(sizes: list[int], data: st.DataObject) -> None:
    names = ["seed", "limit", "gen_kwargs.max_gen_toks", "variant"][: len(sizes)]
    axes: dict[str, list[Any]] = {
        name: [{"name": f"v{value}"} if name == "variant" else value + 1 for value in range(size)]
        for name, size in zip(names, sizes, strict=True)
    }
    axis = data.draw(st.sampled_from(names))
    place = data.draw(st.integers(0, len(axes[axis]) - 1))
    left_out = axes[axis][place]
    excluded = left_out["name"] if axis == "variant" else left_out
    with TemporaryDirectory() as folder:
        text = {"base": {"model": "scripted", "tasks": "mini_math"}, "axes": axes, "exclude": [{axis: excluded}]}
        file = read_sweep_file(written(Path(folder), yaml.safe_dump(text, sort_keys=False)))
        if len(axes[axis]) == 1:
            with pytest.raises(NothingSelected, match="leaves no cell"):
                setups_of(file)
            return
        setups = setups_of(file)
    assert len(setups) == prod(sizes) // len(axes[axis]) * (len(axes[axis]) - 1)
    assert len({setup.name for setup in setups}) == len(setups)
    assert len({tuple(setup.settings.items()) for setup in setups}) == len(setups)


BASE = "base: {model: scripted, tasks: mini_math}\n"
BAD = {
    "bass: {}": (1, "unknown key 'bass'; did you mean 'base'?"),
    "name: a/b\naxes: {seed: [1]}": (1, "it becomes a folder's"),
    "name: [a]\naxes: {seed: [1]}": (1, "expected text"),
    "base:\n  limit: 2\n  num_fewshots: 1": (3, "unknown key 'num_fewshots'; did you mean 'num_fewshot'?"),
    "base:\n  limit: many": (2, "limit is 'many'"),
    "base:\n  output_path: x": (2, "output_path stands at the top"),
    "base: 3": (1, "expected keys and values"),
    BASE: (None, "there are no axes"),
    BASE + "axes: {}": (2, "there are no axes"),
    BASE + "axes:\n  seed: 4": (3, "expected a list of values"),
    BASE + "axes:\n  seed: []": (3, "expected a list of values"),
    BASE + "axes:\n  seed:\n    - 1\n    - 2\n    - 1": (6, "has 1 twice"),
    BASE + "axes:\n  seed: [1]\n  num_fewshoot: [0, 1]": (4, "did you mean 'num_fewshot'?"),
    BASE + "axes:\n  num_fewshot:\n    - 0\n    - -1": (5, "expected 0 or more"),
    BASE + "axes:\n  limit: [.nan]": (3, "no value that a run can be asked for"),
    BASE + "axes:\n  gen_kwargs.temprature: [0.5]": (3, "did you mean 'temperature'?"),
    BASE + "axes:\n  modelargs.dtype: [a]": (3, "did you mean 'model_args'?"),
    BASE + "axes:\n  seed.x: [1]": (3, "holds no keys"),
    BASE + "axes:\n  style:\n    - {name: a}\n    - {seed: 3}": (5, "has no name"),
    BASE + "axes:\n  style:\n    - {name: a, sead: 3}": (4, "did you mean 'seed'?"),
    BASE + "axes:\n  style:\n    - {name: a, seed: 3}\n    - {name: a}": (5, "has 'a' twice"),
    BASE + "axes:\n  seed: [1]\n  style:\n    - {name: a, seed: 3}": (4, "seed is set by axes.style and by axes.seed"),
    BASE + "axes:\n  model: [a, b]": (3, "model is set by axes.model and by base"),
    BASE + "axes:\n  seed: [1]\n  seed: [2]": (4, "stands here again after line 3"),
    BASE + "axes:\n  seed: [1, 2]\nexclude:\n  - {sed: 1}": (5, "did you mean 'seed'?"),
    BASE + "axes:\n  seed: [1, 2]\nexclude:\n  - {seed: 3}": (5, "axes.seed has no 3"),
    BASE + "axes:\n  seed: [1, 2]\nexclude:\n  - seed": (5, "says nothing to leave out"),
    BASE + "axes:\n  seed: [1, 2]\nexclude: {seed: 1}": (4, "expected a list"),
    BASE + "axes:\n  seed: [1]\nslurm:\n  partition: [a]": (5, "slurm.partition"),
    BASE + "axes:\n  revision: [2024-01-01]": (3, "is no key of a run"),
}


@pytest.mark.parametrize(("text", "line", "problem"), [(text, *found) for text, found in BAD.items()])
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, line: int | None, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_sweep_file(path)
    where = f"{path}, line {line}: " if line else f"{path}: "
    assert str(caught.value).startswith(where)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cell_without_a_model_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "base: {tasks: mini_math}\naxes: {seed: [1, 2]}")
    with pytest.raises(ConfigError, match=r"cell seed=1: no model given"):
        setups_of(read_sweep_file(path))


def test_bundles_that_are_called_alike_are_told_apart(tmp_path: Path) -> None:
    text = BASE + "axes:\n  seed: [1]\n  one: [{name: a}, {name: 'b,c'}]\n  two: [{name: 'c'}, {name: d}]\n"
    assert names_of(tmp_path, text) == ["seed=1,a,c", "seed=1,a,d", "seed=1,b+c,c", "seed=1,b+c,d"]
    text = BASE + "axes:\n  one: [{name: 'a,a'}, {name: a}]\n  two: [{name: a}, {name: 'a+a'}, {name: 'a,a'}]\n"
    names = names_of(tmp_path, text)
    assert len(set(names)) == 6
    assert names[:2] == ["a+a,a", "a+a,a+a"]
    assert re.fullmatch(r"a\+a,a\+a~[0-9a-f]{8}", names[2])


def names_of(folder: Path, text: str) -> list[str]:
    return [setup.name for setup in setups_of(read_sweep_file(written(folder, text)))]


def test_what_is_added_to_an_axis_renames_nothing(tmp_path: Path) -> None:
    axis = [{"name": "a,b"}, {"name": "a\nb"}, {"name": "x" * 100}]
    more = [*axis, {"name": "a+b"}, {"name": "a⟨U+000A⟩b"}, {"name": "x" * 101}]
    before, after = (
        names_of(tmp_path, yaml.safe_dump({"base": {"model": "scripted", "tasks": "mini_math"}, "axes": {"way": each}}))
        for each in (axis, more)
    )
    assert after[:3] == before
    assert len(set(after)) == 6


ODD = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=90)
SETTINGS = st.one_of(ODD, st.lists(ODD, min_size=1, max_size=3), st.integers(), st.booleans(),
                     st.floats(allow_nan=False, allow_infinity=False))  # fmt: skip


@given(st.lists(SETTINGS, min_size=1, max_size=4, unique_by=str), st.lists(ODD, min_size=1, max_size=3, unique=True))
def test_any_values_make_names_of_one_line_that_differ(values: list[Any], bundles: list[str]) -> None:
    """As the reader makes points of them: distinct settings, whatever they hold."""
    way = tuple(Point(name, {}) for name in bundles)
    label = tuple(Point(",".join(one) if isinstance(one, list) else one, {}) for one in values)
    settings = {str(point.setting) for point in label}
    axes = (Axis("model_args.name", label), Axis("way", way))
    file = SweepFile(Path("f"), "n", Path("o"), {"model": "scripted", "tasks": ("mini_math",)}, axes)
    names = [setup.name for setup in setups_of(file)]
    assert len(set(names)) == len(names) >= len(settings) * len(way)
    for name in names:
        assert visible_line(name, None) == name
        assert len(name) < 180
        assert name.count(",") == 1


def test_numbers_that_are_equal_are_settings_of_their_own(tmp_path: Path) -> None:
    text = BASE + "axes:\n  model_args.x: [1, 1.0, true, '01']\nexclude:\n  - {model_args.x: 1.0}\n"
    assert names_of(tmp_path, text) == ["x=1", "x=true", "x=01"]
    text = BASE + "axes:\n  gen_kwargs.temperature: [0.0, 0.7]\nexclude:\n  - {gen_kwargs.temperature: 0}\n"
    assert names_of(tmp_path, text) == ["temperature=0.7"]


@pytest.mark.parametrize("name", ["a\nb", "a\x00b", "a\u202eb", "a\\b", " a", "a ", "x" * 201, "模" * 70, "..", "a/b"])
def test_a_folder_has_a_name_that_is_one(tmp_path: Path, name: str) -> None:
    text = yaml.safe_dump({"name": name, "base": {"model": "scripted", "tasks": "mini_math"}, "axes": {"seed": [1]}})
    with pytest.raises(ConfigError, match="it becomes a folder's") as caught:
        read_sweep_file(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_null_leaves_a_key_at_its_default(tmp_path: Path) -> None:
    text = BASE + "axes:\n  num_fewshot: [null, 2]\n"
    unset, two = setups_of(read_sweep_file(written(tmp_path, text)))
    assert (unset.settings, unset.config.num_fewshot) == ({"num_fewshot": "unset"}, None)
    assert (two.name, two.config.num_fewshot) == ("num_fewshot=2", 2)
