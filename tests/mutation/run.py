"""Mutation testing: break renderers, extractors, scorers and means on purpose, and see whether the tests notice.

    python tests/mutation/run.py [--jobs N] [MODULE ...]

Works on copies, by cosmic-ray; prints the mutants that survived, module by module. Exits 1 when fewer than 90 % are
killed, 2 when a mutant could not be tried.
"""

from __future__ import annotations

import argparse
import ast
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

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult

ROOT = Path(__file__).parents[2]
THRESHOLD = 0.9
_GOLDEN = "tests/tasks/test_openllm_golden.py"
_HASHES = f"{_GOLDEN}::test_prompts_have_the_independently_derived_hashes"
_PROTOCOLS = "tests/tasks/test_protocols.py"
_LISTED = f"{_PROTOCOLS}::test_a_task_is_built_as_it_is_listed"
_TITLES = f"{_PROTOCOLS}::test_members_of_a_family_have_their_own_titles"
_SEALED = f"{_PROTOCOLS}::test_a_sealed_protocol_refuses_what_would_change_it"
_DRAWS = tuple(
    f"{_PROTOCOLS}::test_{name}"
    for name in (
        "lm_eval_draws_row_by_row_from_one_generator",
        "lm_eval_draws_one_more_where_there_is_no_test_split",
        "the_leaderboard_shuffles_and_draws_by_one_generator_of_its_own_seed",
        "the_fixed_protocol_has_one_set_for_all_rows",
        "no_row_has_an_exemplar_twice_and_too_many_are_refused",
        "an_unknown_protocol_is_named_with_what_there_is",
        "protocols_are_chosen_by_name_and_lm_evals_by_default",
        "num_shots_is_the_users_only_where_the_protocol_leaves_it",
        "a_task_says_whether_the_seed_draws_its_exemplars",
    )
)
_METRICS = "tests/stats/test_estimates.py::test_the_range_and_the_unit_of_each_metric"
_WHOLE_PROMPTS = tuple(
    f"{_PROTOCOLS}::test_{name}"
    for name in (
        "instruction_and_description_come_first",
        "our_own_prompts_part_the_instruction_and_lm_evals_do_not",
    )
)
_NUMBERS = "tests/text/test_numbers.py"
_TEXT_ANSWERS = ("tests/text/test_reading_answers.py", "tests/text/test_labelled_answers.py")
_AGGREGATES = "tests/stats/test_aggregates.py"
_NO_SIMULATIONS = tuple(
    f"--deselect={_AGGREGATES}::test_{name}"
    for name in (
        "a_sampled_macro_mean_is_nearly_unbiased_where_the_mean_of_what_was_met_is_not",
        "the_interval_of_a_sampled_mean_holds_the_truth_as_often_as_it_says",
    )
)
MODULES = {
    "tasks/_protocols.py": (
        *_DRAWS,
        f"{_SEALED}[arc_challenge-openllm-v1-apply_chat_template-true]",
        "tests/tasks/test_hellaswag.py",
    ),
    "tasks/_prompts.py": _WHOLE_PROMPTS,
    "tasks/_choices.py": ("tests/tasks/test_choices.py", "tests/tasks/test_arc.py"),
    "tasks/arc.py": ("tests/tasks/test_arc.py", _LISTED, _TITLES, f"{_HASHES}[arc_challenge]"),
    "tasks/hellaswag.py": ("tests/tasks/test_hellaswag.py", _LISTED, f"{_HASHES}[hellaswag]"),
    "tasks/mmlu.py": ("tests/tasks/test_mmlu.py", _LISTED, _TITLES, f"{_HASHES}[mmlu_world_religions]"),
    "tasks/truthfulqa.py": ("tests/tasks/test_truthfulqa.py", _LISTED, f"{_HASHES}[truthfulqa]"),
    "tasks/winogrande.py": ("tests/tasks/test_winogrande.py", _LISTED, f"{_HASHES}[winogrande]"),
    "tasks/gsm8k.py": ("tests/tasks/test_gsm8k.py", _LISTED, f"{_HASHES}[gsm8k]"),
    "tasks/_answers.py": ("tests/tasks/test_answers.py",),
    "building.py": ("tests/run/test_building.py", "tests/run/test_repeats.py"),
    "engines/encoding.py": ("tests/engines/test_encoder_rules.py",),
    "outcomes.py": ("tests/run/test_outcomes.py",),
    "alarms.py": ("tests/stats/test_alarms.py",),
    "metrics.py": (_METRICS, "tests/tasks/test_choices.py", "tests/stats/test_estimates.py"),
    "averages.py": ("tests/stats/test_choice_of_means.py",),
    "stats/aggregates.py": (_AGGREGATES, *_NO_SIMULATIONS),
    "stats/estimates.py": ("tests/stats/test_estimates.py",),
    "text/chinese_numerals.py": ("tests/text/test_chinese_numerals.py",),
    "text/grouping.py": (_NUMBERS,),
    "text/numbers.py": (_NUMBERS,),
    "text/announced.py": _TEXT_ANSWERS,
    "text/answers.py": _TEXT_ANSWERS,
    "text/choices.py": _TEXT_ANSWERS,
    "text/expressions.py": ("tests/text/test_expressions.py",),
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
# a removed @cache changes no value; for None, small numbers and constant text, `is` and `==` are the same
exclude-operators = ["core/RemoveDecorator", "core/ReplaceComparisonOperator_(Eq_Is|NotEq_IsNot|Is_Eq|IsNot_NotEq)$"]
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


def mutate(module: str) -> list[Mutant]:
    """All mutants of `module`, each run against its tests in a copy of the project."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        lay_out(folder)
        return _mutate_in(folder, module)


def _mutate_in(folder: Path, module: str) -> list[Mutant]:
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
                    ("cr-filter-operators", session, config)):  # fmt: skip
        call(str(scripts / command[0]), *command[1:])
    _skip_untestable(folder / session, (folder / "evalsuite" / module).read_text(encoding="utf-8"))
    call(str(scripts / "cosmic-ray"), "exec", config, session)
    dump = call(str(scripts / "cosmic-ray"), "dump", session)
    return [mutant for line in dump.splitlines() for mutant in _parsed(json.loads(line))]


def _skip_untestable(session: Path, source: str) -> None:
    """Skip the mutants of `source` that say nothing about tests.

    Those that are no Python, such as `**` for the `*` in a signature, which any test would kill; and those that differ
    in annotations only, where nothing runs.
    """
    original = _running(source)
    with use_db(session, WorkDB.Mode.open) as database:
        for item in list(database.pending_work_items):
            (mutation,) = item.mutations
            operator = get_operator(mutation.operator_name)(**mutation.operator_args)
            try:
                mutated = mutate_code(source, operator, mutation.occurrence)
            except AttributeError:  # it replaces names of exceptions only, and trips over dotted ones
                database.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))
                continue
            if mutated is not None and _running(mutated) in (None, original):
                database.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))


def _running(source: str) -> str | None:
    """What runs of `source`: its syntax tree without annotations; None where it is no Python."""
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return None
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None):
                setattr(node, field, ast.Name("_"))
    return ast.dump(tree)


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
        mutants = [mutant for found in pool.map(_mutate_and_print, modules) for mutant in found]
    _print_share("all", mutants)
    outcomes = [mutant.outcome for mutant in mutants]
    if set(outcomes) - {KILLED, SURVIVED}:
        return 2
    return 0 if outcomes.count(SURVIVED) <= (1 - THRESHOLD) * len(mutants) else 1


def _mutate_and_print(module: str) -> list[Mutant]:
    mutants = mutate(module)
    alive = [f"{mutant.outcome}: {mutant.operator}\n{mutant.diff}\n" for mutant in mutants if not mutant.is_killed]
    print(*alive, sep="\n")
    _print_share(module, mutants)
    return mutants


def _print_share(what: str, mutants: Sequence[Mutant]) -> None:
    killed = sum(mutant.is_killed for mutant in mutants)
    share = f", {killed / len(mutants):.1%}" if mutants else ""
    print(f"{what}: {killed} of {len(mutants)} mutants killed{share}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
