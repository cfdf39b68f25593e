"""``evalsuite score``: a judge rates the answers of a run, or compares those of two; the same command resumes."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalsuite.cli.run_command import finish, run_in
from evalsuite.cli.run_options import Pairs, add_worker_options, model_config_from
from evalsuite.contracts import JudgeOptions
from evalsuite.errors import UsageError
from evalsuite.judged import read_run
from evalsuite.judging import Asked, open_bench, prepare_judging


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``score``."""
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="a run directory; two for judges that compare")
    add_judge_options(parser)
    add("--limit", "-L", type=float, metavar="N", help="questions, stratified and nested; a share below 1")
    add("--seed", type=int, default=1234, metavar="N", help="draws the limited questions (default %(default)s)")
    add("--output_path", "-o", metavar="DIR", help="where the judge run goes (default: beside the judged run)")
    add("--use_cache", metavar="DIR", help="answers kept across runs")
    add("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")


def add_judge_options(parser: argparse.ArgumentParser) -> None:
    """Which judge, and which model behind it."""
    add = parser.add_argument
    add("--judge", "-j", required=True, metavar="NAME", help="`evalsuite list judges` shows all")
    add("--model", "-M", required=True, metavar="MODEL", help="what judges: whatever `evalsuite run --model` takes")
    add("--model_args", "-a", action=Pairs, metavar="K=V,...", help="the engine's arguments, as for `evalsuite run`")
    add("--batch_size", "-b", metavar="N|auto", help="as for `evalsuite run`")
    add("--device", metavar="NAME", help="as for `evalsuite run`")
    add("--chat_template", metavar="FILE", help="a Jinja chat template in place of the judging model's own")
    add("--deterministic", action="store_true", default=None, help="the same bits again on the same machine; slower")
    add_worker_options(parser)
    add("--judge_prompt", metavar="FILE", help="the judge's wording, where it is not in the data or is to be another")
    add("--weighted", action="store_true", help="also the expectation of a rating over the judge's token probabilities")
    add("--max_tokens", type=int, metavar="N", help="cap on the judge's reply; part of the run's identity")


def execute(options: argparse.Namespace) -> int:
    """Judge and print. Exit codes as for ``run``."""
    runs = [Path(run) for run in options.runs]
    asked = asked_from(options, options.limit, options.seed)
    prepared = prepare_judging(open_bench(asked), [read_run(run) for run in runs])
    output = Path(options.output_path) if options.output_path else runs[0].resolve().parent
    return finish(run_in(prepared, output, options.use_cache), options.json)


def asked_from(options: argparse.Namespace, limit: float | None, seed: int) -> Asked:
    """What the flags ask of a judge. Raises UsageError."""
    if options.max_tokens is not None and options.max_tokens < 1:
        raise UsageError(f"--max_tokens {options.max_tokens}: expected 1 or more.")
    judge_options = JudgeOptions(
        prompt=_prompt(options.judge_prompt), is_weighted=options.weighted, max_tokens=options.max_tokens
    )
    return Asked(options.judge, model_config_from(options), judge_options, limit, seed, options.data_dir)


def _prompt(file: str | None) -> str:
    """The text of ``--judge_prompt``. Raises UsageError."""
    if file is None:
        return ""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--judge_prompt {file} cannot be read: {error}") from error
    if not text.strip():
        raise UsageError(f"--judge_prompt {file} is empty.")
    return text
