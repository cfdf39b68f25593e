"""``evalsuite verify``: whether runs and pages are what they say, and whether one sample belongs to its run."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evalsuite import plugins
from evalsuite.cli.output import print_json, say
from evalsuite.cli.report_command import find_runs
from evalsuite.data import source_from_environment
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, UsageError
from evalsuite.proofs.findings import Finding
from evalsuite.proofs.manifest import MANIFEST, manifest_of_run, proof_text, prove_sample, write_manifest
from evalsuite.proofs.rebuilt import Surroundings, runs_beside
from evalsuite.proofs.verifying import Verification, verify_run
from evalsuite.text.visible import visible_line

_MOST_FINDINGS = 20
"""Findings that are listed of a run; ``--json`` has all."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``verify``."""
    add = parser.add_argument
    add("what", nargs="+", metavar="RUN|PAGE", type=Path, help="a run's directory, a folder of them, or a page of "
        "`evalsuite report`: its numbers are made again from the counts in it; where its runs are given too it is held "
        "against them")  # fmt: skip
    add("--level", choices=("recomputed", "re-scored"), default="recomputed", help="what every task must reach: its "
        "numbers follow from stored counts, or its counts from stored answers (default %(default)s)")  # fmt: skip
    add("--write_manifest", action="store_true", help=f"if all is equal, keep every file's hash in {MANIFEST}")
    add("--prove", metavar="SAMPLE", help="print the proof that this sample is one of the run's, as JSON, and no more")
    add("--judge_prompt", metavar="FILE", type=Path, help="the prompt that a judge run was given")
    add("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")


def execute(options: argparse.Namespace) -> int:
    """Verify and print. Exit code 3 where anything differs or a task does not reach ``--level``."""
    pages = [path for path in options.what if path.is_file()]
    paths = find_runs([path for path in options.what if path not in pages])
    if options.prove:
        return _prove(paths, options.prove)
    around = surroundings(paths, options.data_dir, options.judge_prompt)
    runs = {path: verify_run(path, around) for path in paths}
    for path, one in runs.items():
        for line in lines_of(path, one):
            say(line)
        if options.write_manifest and one.is_equal:
            write_manifest(path, manifest_of_run(path))
            say(f"  {path / MANIFEST} written: sha256 {one.manifest_sha256}")
    check = plugins.load(plugins.REPORTS, "leaderboard_check") if pages else None
    checked = {page: check(page, paths) for page in pages if check}
    for page, found in checked.items():
        for line in page_lines(page, found):
            say(line)
    is_equal = all(one.is_equal for one in runs.values()) and not any(one.findings for one in checked.values())
    is_whole = all(one.is_form_known for one in checked.values())
    if options.json:
        print_json({"equal": is_equal,
                    "runs": [verification_json(path, one) for path, one in runs.items()],
                    "pages": [{"path": str(page), **msgspec.to_builtins(one)} for page, one in checked.items()],
                    })  # fmt: skip
    is_deep = all(options.level in ("recomputed", one.level) for one in runs.values())
    return EXIT_OK if is_equal and is_deep and is_whole else EXIT_INCOMPLETE


def _prove(paths: list[Path], sample_id: str) -> int:
    if len(paths) != 1:
        raise UsageError(f"--prove: a proof is of one run, not of {len(paths)}; name one.")
    print(proof_text(prove_sample(paths[0], sample_id)))
    return EXIT_OK


def surroundings(paths: list[Path], data_dir: str | None, judge_prompt: Path | None = None) -> Surroundings:
    """What there is to verify the runs at `paths` with. Raises UsageError for a prompt that cannot be read."""
    try:
        prompt = judge_prompt.read_text(encoding="utf-8") if judge_prompt else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--judge_prompt {judge_prompt} cannot be read: {error}") from error
    return Surroundings(source_from_environment(data_dir), runs_beside(paths), prompt)


def lines_of(path: Path, found: Verification) -> Iterator[str]:
    """What was found about a run, for people."""
    checked = f"{found.num_samples:,} samples, {found.num_answers:,} answers, {found.num_numbers:,} numbers"
    verdict = "all equal" if found.is_equal else f"{len(found.findings):,} differ"
    yield f"{path}  run {found.run_id or '?'}  {visible_line(found.model)}: {found.level}, {checked}: {verdict}"
    for task in found.tasks:
        for why in task.why:
            yield f"  {task.task}: {visible_line(why)}"
    for note in found.notes:
        yield f"  note: {visible_line(note)}"
    yield from _finding_lines(found.findings)


def page_lines(path: Path, found: Any) -> Iterator[str]:
    """What was found about a page, for people."""
    runs = f"{found.num_models:,} runs, {found.num_runs:,} held against their directories"
    verdict = "all equal" if not found.findings else f"{len(found.findings):,} differ"
    yield f"{path}  {runs}, {found.num_samples:,} samples, {found.num_numbers:,} numbers: {verdict}"
    if found.seal:
        yield f"  seal {found.seal}"
    for note in found.notes:
        yield f"  note: {visible_line(note)}"
    yield from _finding_lines(found.findings)


def _finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings[:_MOST_FINDINGS]:
        yield f"  {_finding_line(finding)}"
    if len(findings) > _MOST_FINDINGS:
        yield f"  and {len(findings) - _MOST_FINDINGS:,} more; --json has all"


def _finding_line(finding: Finding) -> str:
    where = ", ".join(filter(None, (finding.file, visible_line(finding.sample or finding.task), finding.field)))
    if not finding.recomputed:
        return f"{where}: {visible_line(finding.stored)}"
    return f"{where}: stored {visible_line(finding.stored)}, should be {visible_line(finding.recomputed)}"


def verification_json(path: Path, found: Verification) -> dict[str, Any]:
    """One entry of `runs`."""
    whole: dict[str, Any] = msgspec.to_builtins(found)
    return {"path": str(path), "equal": found.is_equal, **whole}
