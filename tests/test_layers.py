"""Who may import what: the table of docs/architecture.md, enforced on the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = {
    "canonical": 0,
    "types": 0,
    "records": 0,
    "errors": 0,
    "verdicts": 0,
    "contracts": 0,
    "votes": 0,
    "text": 1,
    "metrics": 1,
    "stats": 1,
    "selection": 1,
    "alarms": 1,
    "charts": 1,
    "comparability": 1,
    "tables": 1,
    "judge_cards": 1,
    "preference": 1,
    "hub": 2,
    "fetching": 2,
    "sacrebleu_data": 2,
    "data": 2,
    "models": 2,
    "store": 2,
    "engines": 2,
    "vote_files": 2,
    "yaml_files": 2,
    "entry_points": 2,
    "plugins": 3,
    "config": 3,
    "task_files": 4,
    "asking": 4,
    "building": 4,
    "prepare": 4,
    "judged": 4,
    "judging": 4,
    "verdict_scoring": 4,
    "jury": 4,
    "cards": 4,
    "averages": 4,
    "outcomes": 4,
    "answering": 4,
    "run": 4,
    "translating": 4,
    "annotate": 4,
    "boards": 4,
    "comparing": 4,
    "proofs": 4,
    "gates": 4,
    "sweeps": 4,
    "interop": 4,
    "querying": 4,
    "cli": 5,
    "api": 5,
}
PIPELINE = (
    "task_files", "asking", "building", "prepare", "averages", "outcomes", "answering", "run",
    "judged", "verdict_scoring", "judging", "cards", "jury", "translating", "annotate", "comparing", "proofs", "gates",
    "sweeps", "boards", "interop", "querying",
)  # fmt: skip
"""Layer 4 in its own order: each of these imports only what stands before it."""
PLUGIN_MAY = {
    "tasks": {"types", "records", "contracts", "errors", "text", "metrics", "stats", "data"},
    "judges": {"types", "records", "verdicts", "contracts", "errors", "judge_cards", "text", "metrics", "stats"},
    "reports": {
        "boards",
        "canonical",
        "comparability",
        "comparing",
        "gates",
        "proofs",
        "judge_cards",
        "types",
        "records",
        "alarms",
        "charts",
        "contracts",
        "errors",
        "text",
        "metrics",
        "stats",
        "store",
        "preference",
        "tables",
    },
}
LATE_ONLY = {
    "torch", "transformers", "datasets", "pandas", "matplotlib", "sacrebleu", "pyarrow", "openai", "lm_eval", "peft",
    "vllm", "evalica", "statsmodels", "uvicorn", "markdown_it", "submitit", "duckdb", "wandb", "mlflow", "trackio",
}  # fmt: skip
NO_IO = {"os", "pathlib", "subprocess", "socket", "time", "random", "logging"}


def stands_before(other: str, here: str) -> bool:
    return {other, here} <= set(PIPELINE) and PIPELINE.index(other) < PIPELINE.index(here)


def sources(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def part_of(path: Path) -> str:
    """The part of the core a file belongs to: its module or sub-package below evalsuite/."""
    return path.relative_to(ROOT / "evalsuite").parts[0].removesuffix(".py")


def imports(path: Path, *, late: bool = True) -> Iterator[str]:
    """Full names a file imports; without `late` only those at module level that run on import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if late else _module_level(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_level(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        is_typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if not is_typing_only:
            yield node


def core_parts(path: Path) -> set[str]:
    found = {name.split(".")[1] for name in imports(path) if name.startswith("evalsuite.")}
    return found & (set(LAYERS) | {"tasks", "judges", "reports"})


@pytest.mark.parametrize("path", sources("evalsuite"), ids=lambda path: str(path.relative_to(ROOT)))
def test_core_imports_only_below_itself(path: Path) -> None:
    if path.name == "__init__.py" and path.parent.name == "evalsuite":
        return
    here = part_of(path)
    for other in core_parts(path) - {here}:
        assert other in LAYERS, f"{path}: the core must not import {other}"
        is_below = LAYERS[other] < LAYERS[here] or stands_before(other, here)
        assert is_below or LAYERS[here] == LAYERS[other] <= 2, f"{path}: {here} must not import {other}"


def test_commands_take_no_helper_from_the_parser() -> None:
    """`cli/main.py` imports every command; what commands share stands in modules of its own."""
    found = [path.name for path in (ROOT / "evalsuite" / "cli").glob("*.py") if "evalsuite.cli.main" in imports(path)]
    assert found == []


def test_every_part_of_the_core_has_a_layer() -> None:
    assert {part_of(path) for path in sources("evalsuite")} - {"__init__"} == set(LAYERS)


@pytest.mark.parametrize("folder", PLUGIN_MAY)
def test_plugins_import_only_what_they_may(folder: str) -> None:
    for path in sources(folder):
        assert core_parts(path) <= PLUGIN_MAY[folder], path


@pytest.mark.parametrize("folder", ["evalsuite", *PLUGIN_MAY])
def test_heavy_packages_are_imported_late(folder: str) -> None:
    for path in sources(folder):
        heavy = {name.split(".")[0] for name in imports(path, late=False)} & LATE_ONLY
        assert not heavy, f"{path} imports {heavy} at module level"


def test_lower_layers_do_no_io() -> None:
    pure = [path for path in sources("evalsuite") if LAYERS.get(part_of(path), 9) <= 1]
    for path in [*pure, *sources("judges")]:
        used = {name.split(".")[0] for name in imports(path)} & NO_IO
        assert not used, f"{path} imports {used}"


def test_no_circles() -> None:
    graph: dict[str, set[str]] = {}
    for path in sources("evalsuite"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[module] = {name for name in imports(path, late=False) if name.startswith("evalsuite.")}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way, module])
        if module in graph and module not in done:
            for other in graph[module]:
                visit(other, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_nothing_unsafe_is_called() -> None:
    banned = {"eval", "exec", "compile", "__import__"}
    for folder in ("evalsuite", *PLUGIN_MAY):
        for path in sources(folder):
            assert not ({name.split(".")[0] for name in imports(path)} & {"pickle", "dill", "marshal", "shelve"}), path
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in banned, f"{path}:{node.lineno}"
