"""``evalsuite init``: files to begin with, which run as they are."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

from evalsuite.cli.new_files import write_new
from evalsuite.cli.output import print_json, say
from evalsuite.errors import EXIT_OK

_TEMPLATES = files("evalsuite.cli").joinpath("templates")
_SHARED = {"configs/ci.yaml": "ci.suite.yaml", "configs/gate.yaml": "ci.gate.yaml"}
_FILES = {
    "github": {".github/workflows/evalsuite.yml": "ci.github.yml", **_SHARED},
    "gitlab": {".gitlab-ci.yml": "ci.gitlab.yml", **_SHARED},
}
"""By system, each file's path in a repository, and its template."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of ``init``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    ci = actions.add_parser("ci", help="a workflow that gates every change, a suite to run and the gates' rules")
    system = ci.add_mutually_exclusive_group(required=True)
    system.add_argument("--github", dest="system", action="store_const", const="github", help="for GitHub Actions")
    system.add_argument("--gitlab", dest="system", action="store_const", const="gitlab", help="for GitLab CI")
    ci.add_argument("--output", "-o", type=Path, metavar="DIR", help="write the files below this folder, usually the "
        "repository's (.), in place of printing them; no file is overwritten, and one that is there as it would be "
        "written stays")  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Print or write the files."""
    texts = ci_files(options.system)
    if options.output is None:
        for path, text in texts.items():
            print(f"# -- {path}\n{text}")
    else:
        written = write_new(options.output, texts)
        kept = [path for path in texts if path not in written]
        say(f"written to {options.output}: {', '.join(written) or 'nothing'}")
        if kept:
            say(f"there already, just as they would be written: {', '.join(kept)}")
        say("Name your model and tasks in configs/ci.yaml, commit the files, and the first job will offer a baseline.")
    if options.json:
        print_json({"files": texts})
    return EXIT_OK


def ci_files(system: str) -> dict[str, str]:
    """The files for ``github`` or ``gitlab``, by their paths in a repository."""
    return {path: _TEMPLATES.joinpath(name).read_text(encoding="utf-8") for path, name in _FILES[system].items()}
