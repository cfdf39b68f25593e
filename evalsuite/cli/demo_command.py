"""``evalsuite demo``: from nothing to a leaderboard page, with a real model and no network."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalsuite.boards.building import BoardOptions
from evalsuite.cli.output import print_json, print_result, run_json
from evalsuite.cli.report_command import write_report
from evalsuite.cli.run_command import exit_code, run_prepared
from evalsuite.config import RunConfig
from evalsuite.prepare import prepare

DEMO = RunConfig(
    model="smollm2-135m",
    tasks=("mini_choice", "mini_math", "mini_translation", "mini_chat"),
    limit=24,
    gen_kwargs={"max_tokens": 32},
)
"""The demo: twenty-four stratified samples of each built-in family. ``configs/demo.yaml`` says the same."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``demo``."""
    parser.add_argument("--scripted", action="store_true", help="a toy function instead of the model: no torch needed")
    parser.add_argument(
        "--output", "-o", default="site/index.html", metavar="FILE", help="the page (default %(default)s)"
    )
    parser.add_argument("--output_path", default="runs", metavar="DIR", help="where the run goes (default %(default)s)")


def execute(options: argparse.Namespace) -> int:
    """Run the demo and print the page's path last."""
    changes = {"model": "scripted"} if options.scripted else {}
    config = RunConfig(**{**_fields(DEMO), **changes, "output_path": options.output_path})
    finished = run_prepared(prepare(config), config)
    code = exit_code(finished)
    if finished.result is None:
        return code
    print_result(finished.result)
    page = write_report([finished.path], Path(options.output), BoardOptions(title="evalsuite demo"))
    print("\nOpen the page with a double-click:")
    print(page)
    if options.json:
        print_json({**run_json(finished), "page": str(page)})
    return code


def _fields(config: RunConfig) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__struct_fields__}
