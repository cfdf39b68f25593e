"""Mutation testing: break renderers, extractors, scorers and means on purpose, and see whether the tests notice.

    python tests/mutation/run.py [--jobs N] [MODULE ...]

Works on a copy, by cosmic-ray; prints the mutants that survived. Exits 1 when fewer than 90 % are killed, 2 when
a mutant could not be tried.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
THRESHOLD = 0.9
_GOLDEN = "tests/tasks/test_openllm_golden.py"
_HASHES = f"{_GOLDEN}::test_prompts_have_the_independently_derived_hashes"
MODULES = {
    "tasks/_protocols.py": ("tests/tasks/test_protocols.py", "tests/tasks/test_arc.py", _GOLDEN),
    "tasks/_prompts.py": ("tests/tasks/test_protocols.py", "tests/tasks/test_arc.py", "tests/tasks/test_mini_data.py"),
    "tasks/_choices.py": ("tests/tasks/test_choices.py", "tests/tasks/test_arc.py"),
    "tasks/arc.py": ("tests/tasks/test_arc.py", f"{_HASHES}[arc_challenge]"),
    "tasks/hellaswag.py": ("tests/tasks/test_hellaswag.py", f"{_HASHES}[hellaswag]"),
    "tasks/mmlu.py": ("tests/tasks/test_mmlu.py", f"{_HASHES}[mmlu_world_religions]"),
    "tasks/truthfulqa.py": ("tests/tasks/test_truthfulqa.py", f"{_HASHES}[truthfulqa]"),
    "tasks/winogrande.py": ("tests/tasks/test_winogrande.py", f"{_HASHES}[winogrande]"),
    "tasks/gsm8k.py": ("tests/tasks/test_gsm8k.py", f"{_HASHES}[gsm8k]"),
    "tasks/_answers.py": ("tests/tasks/test_mini_data.py", "tests/tasks/test_gsm8k.py"),
    "building.py": ("tests/engines/test_truncation.py", "tests/tasks/test_protocols.py"),
    "engines/encoding.py": ("tests/engines/test_encoding.py",),
    "outcomes.py": ("tests/run/test_constant_engines.py",),
    "alarms.py": ("tests/run/test_constant_engines.py", "tests/engines/test_truncation.py"),
    "metrics.py": ("tests/stats/test_estimates.py", "tests/tasks/test_choices.py"),
    "averages.py": ("tests/run/test_averages.py",),
    "stats/aggregates.py": ("tests/stats/test_aggregates.py", "tests/stats/test_estimates.py"),
    "stats/estimates.py": ("tests/stats/test_estimates.py",),
}
"""What is broken, and the tests that must notice, quickest first."""

KILLED, SURVIVED = "killed", "survived"
SKIPPED = "not model and not full and not browser"
CONFIG = """
[cosmic-ray]
module-path = "evalsuite/{module}"
timeout = 120.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider -p no:xdist -m '{skipped}' {tests}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
# the bar stands in annotations only, where nothing runs; a removed @cache changes no value
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*", "core/RemoveDecorator"]
"""


@dataclass(frozen=True)
class Mutant:
    """One change and what became of it."""

    module: str
    operator: str
    line: int
    outcome: str
    diff: str

    @property
    def is_killed(self) -> bool:
        """Whether a test failed, or took so long that it was stopped."""
        return self.outcome == KILLED


def lay_out(folder: Path) -> None:
    """The project as a plain package below `folder`, so that it is imported in place of the installed one."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "evalsuite", folder / "evalsuite", ignore=ignored)
    for part in ("tasks", "judges", "reports"):
        shutil.copytree(ROOT / part, folder / "evalsuite" / part, ignore=ignored)
    for part in ("tests", "configs", "benchmarks"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)


def mutate(modules: Sequence[str]) -> list[Mutant]:
    """All mutants of `modules`, each run against the module's tests in one copy."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        lay_out(folder)
        return [mutant for module in modules for mutant in _mutate_module(folder, module)]


def _mutate_module(folder: Path, module: str) -> list[Mutant]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}

    def call(*command: str) -> str:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    imported = "evalsuite." + module.removesuffix(".py").replace("/", ".")
    where = call(sys.executable, "-c", f"import {imported} as module; print(module.__file__)")
    assert Path(where.strip()).is_relative_to(folder), where
    tests = " ".join(f"'{test}'" for test in MODULES[module])
    config, session = f"{imported}.toml", f"{imported}.sqlite"
    (folder / config).write_text(CONFIG.format(module=module, python=sys.executable, tests=tests, skipped=SKIPPED))
    scripts = Path(sys.executable).parent
    for command in (("cosmic-ray", "baseline", config), ("cosmic-ray", "init", config, session),
                    ("cr-filter-operators", session, config), ("cosmic-ray", "exec", config, session)):  # fmt: skip
        call(str(scripts / command[0]), *command[1:])
    dump = call(str(scripts / "cosmic-ray"), "dump", session)
    return [mutant for line in dump.splitlines() for mutant in _parsed(json.loads(line))]


def _parsed(entry: list[dict[str, object] | None]) -> list[Mutant]:
    item, result = entry
    assert item is not None
    if result is None or result["worker_outcome"] == "skipped":
        return []
    (mutation,) = item["mutations"]  # type: ignore[misc]
    return [
        Mutant(
            module=str(mutation["module_path"]),
            operator=str(mutation["operator_name"]),
            line=int(mutation["start_pos"][0]),
            outcome=str(result["test_outcome"]).removeprefix("TestOutcome.").lower(),
            diff=str(result["diff"]),
        )
    ]


def main() -> int:
    """Run, print survivors and the share killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="all by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if unknown := [module for module in options.modules if module not in MODULES]:
        parser.error(f"unknown module {unknown[0]}; known: {', '.join(MODULES)}")
    modules = options.modules or list(MODULES)
    with ThreadPoolExecutor(options.jobs) as pool:
        shares = [modules[start :: options.jobs] for start in range(options.jobs)]
        mutants = [mutant for found in pool.map(mutate, filter(None, shares)) for mutant in found]
    alive = [mutant for mutant in mutants if not mutant.is_killed]
    for mutant in alive:
        print(f"{mutant.outcome}: {mutant.module}:{mutant.line} {mutant.operator}\n{mutant.diff}\n")
    for module in modules:
        _print_share(module, [mutant for mutant in mutants if mutant.module.endswith(f"evalsuite/{module}")])
    _print_share("all", mutants)
    if any(mutant.outcome != SURVIVED for mutant in alive):
        return 2
    return 0 if len(alive) <= (1 - THRESHOLD) * len(mutants) else 1


def _print_share(what: str, mutants: Sequence[Mutant]) -> None:
    killed = sum(mutant.is_killed for mutant in mutants)
    print(f"{what}: {killed} of {len(mutants)} mutants killed" + (f", {killed / len(mutants):.1%}" if mutants else ""))


if __name__ == "__main__":
    sys.exit(main())
