"""``evalsuite translate``: a task's prompts into another language, as a task file that ``--tasks`` takes."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from evalsuite.cli.output import print_json
from evalsuite.cli.run_command import exit_code, run_in
from evalsuite.cli.run_options import Pairs, add_model_options, config_from
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, UsageError
from evalsuite.records import TASK_FILE_SUFFIX
from evalsuite.store.results import read_samples
from evalsuite.task_files import TaskFile, content_of, write_task_file
from evalsuite.translating import prepare_translation, task_file_of


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``translate``."""
    add = parser.add_argument
    add("task", metavar="TASK", help="one task, for example mini_choice_en")
    add("--to", required=True, metavar="CODE", help="the language wanted: en, zh, fr, ar, es or hi")
    add("--file", metavar="FILE", help=f"where the task goes (default TASK.CODE{TASK_FILE_SUFFIX})")
    add_model_options(parser)
    add("--protocol", metavar="ID", help="of the task, where it has several")
    add("--apply_chat_template", nargs="?", const="true", metavar="BOOL", help="translate the task as conversations "
        "ask it; by default only chat tasks are")  # fmt: skip
    add("--force", action="store_true", help="write over a file that differs: one that was corrected by hand")
    add("--limit", "-L", metavar="N", help="samples, stratified and nested; a share below 1")
    add("--samples", metavar="JSON", help='rows, as JSON or a file of it: {"mini_choice_en": [0, 5]}')
    add("--seed", metavar="N", help="draws the limited samples (default 1234)")
    add("--gen_kwargs", action=Pairs, metavar="K=V,...", help="temperature=, top_p=, max_gen_toks=, do_sample=")
    add("--output_path", "-o", metavar="DIR", help="where the run's directory goes (default runs)")
    add("--use_cache", metavar="DIR", help="replies kept across runs")
    add("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")


def execute(options: argparse.Namespace) -> int:
    """Translate, check, write. Exit code 0 when every sample has a translation, 3 when some have none."""
    options.tasks, options.config = [options.task], None
    file = Path(options.file or f"{options.task.replace(':', '-')}.{options.to}{TASK_FILE_SUFFIX}")
    if not file.name.endswith(TASK_FILE_SUFFIX):
        raise UsageError(f"--file {file}: the name of a task file ends in {TASK_FILE_SUFFIX}.")
    config = config_from(options)
    translating = prepare_translation(config, options.to)
    finished = run_in(translating.prepared, Path(config.output_path), config.use_cache)
    if finished.result is None:
        print(f"\nrun {finished.run_id}: {finished.path}")
        return exit_code(finished)
    task_file = task_file_of(translating, finished.run_id, tuple(read_samples(finished.path)))
    if not task_file.samples:
        print("evalsuite: no reply is a translation; nothing is written.", file=sys.stderr)
        return EXIT_INCOMPLETE
    if file.exists() and not options.force and file.read_bytes() != content_of(task_file):
        raise UsageError(f"{file} is there and differs; give another --file, or --force to lose what it holds.")
    write_task_file(file, task_file)
    _print(file, task_file)
    print(f"run {finished.run_id}: {finished.path}")
    if options.json:
        counts = {"accepted": len(task_file.samples), "refused": len(task_file.refused)}
        print_json({"run_id": finished.run_id, "path": str(finished.path), "file": str(file), **counts})
    return EXIT_INCOMPLETE if task_file.refused else EXIT_OK


def _print(file: Path, task_file: TaskFile) -> None:
    total = len(task_file.samples) + len(task_file.refused)
    print(f"{len(task_file.samples)} of {total} samples of {task_file.task} in {task_file.language}: {file}")
    if task_file.refused:
        reasons = Counter(sample.reason for sample in task_file.refused)
        causes = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
        print(f"evalsuite: {len(task_file.refused)} replies are no translation ({causes}); the file names them.",
              file=sys.stderr)  # fmt: skip
