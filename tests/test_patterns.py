"""No regular expression repeats a group possessively: before Python 3.11.5 such a one swallows what it tried in vain.

``(?:[ ]+x)*+`` on ``"x y"`` took the space too (python/cpython#106052), so that sentences and numbers differed from one
Python to the next. An atomic group, ``(?>(?:[ ]+x)*)``, says the same and is right in all.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evalsuite

ROOT = Path(__file__).parents[1]
FOLDERS = ("evalsuite", "tasks", "judges", "reports")
IN_SOURCE = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")
SINGLE = {"LITERAL", "NOT_LITERAL", "IN", "ANY"}

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    parser = importlib.import_module("re._parser")


def possessive_groups(tree: Any) -> Iterator[Any]:
    for node in tree if isinstance(tree, (list, tuple, parser.SubPattern)) else ():
        if isinstance(node, tuple) and node and str(node[0]) == "POSSESSIVE_REPEAT":
            inside = node[1][2]
            if len(inside) != 1 or str(inside[0][0]) not in SINGLE:
                yield node
        yield from possessive_groups(node)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Those that the modules hold."""
    for module in pkgutil.walk_packages(evalsuite.__path__, "evalsuite."):
        if "external_workers" in module.name or module.name.endswith("__main__"):
            continue
        held = vars(importlib.import_module(module.name))
        yield from ((f"{module.name}.{name}", value) for name, value in held.items() if isinstance(value, re.Pattern))


def test_the_search_finds_them() -> None:
    assert list(possessive_groups(parser.parse(r"a(?:b+c)*+")))
    assert list(possessive_groups(parser.parse(r"(a(?:(b)|c)?+)")))
    assert not list(possessive_groups(parser.parse(r"\s*+[ab]++(?>(?:b+c)*)")))


def test_no_compiled_pattern_has_one() -> None:
    found = dict(patterns())
    assert len(found) > 60
    assert not [name for name, made in found.items() if list(possessive_groups(parser.parse(made.pattern, made.flags)))]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_text_in_the_source_has_one(folder: str) -> None:
    """Patterns that are made when they are needed."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not IN_SOURCE.search(node.value), f"{path}:{node.lineno}"
