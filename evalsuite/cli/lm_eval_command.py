"""``evalsuite lm-eval``: lm-eval's own command line, in which ``--model evalsuite`` is an engine of ours."""

from __future__ import annotations

import argparse

from evalsuite.interop.lm_eval_model import run_lm_eval


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``lm-eval``: all of lm-eval's."""
    parser.add_argument(
        "arguments",
        nargs=argparse.REMAINDER,
        metavar="...",
        help="what `lm_eval` takes, for example: run --model evalsuite --model_args pretrained=smollm2-135m --tasks "
        "gsm8k. Its --model_args are those of `evalsuite run`, with pretrained=MODEL, and engine, seed, use_cache, "
        "chat_template and deterministic",
    )


def execute(options: argparse.Namespace) -> int:
    """Hand over to lm-eval."""
    return run_lm_eval(options.arguments)
