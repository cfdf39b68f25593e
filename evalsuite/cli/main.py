"""``evalsuite``: the parser, and what happens to errors and interrupts."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

import evalsuite
from evalsuite.cli.streams import silence, tolerate_narrow_encodings
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, EvalsuiteError, nearest
from evalsuite.text.visible import printable

Command = Callable[[argparse.Namespace], int]

_COMMANDS = {
    "demo": "the built-in model on the built-in samples in six languages, and a leaderboard page",
    "run": "evaluate a model on tasks; the same command resumes",
    "sweep": "models by tasks by settings from one file, resumed at any point; what it found in tables and curves",
    "score": "a judge rates the answers of a run, or compares those of two; the same command resumes",
    "import": "other tools' files: lm-eval's results, FastChat's MT-Bench answers and judgments, AlpacaEval's files",
    "lm-eval": "lm-eval's own commands, in which `--model evalsuite` is an engine of evalsuite",
    "judge": "how far a judge can be trusted: attacks, constant answers, order and length",
    "jury": "several judge runs over the same answers as one, and how far the judges agree",
    "annotate": "collect blind votes: a study, its pages in six languages, offline packets, the file of votes",
    "prefer": "what votes between two answers say: win rates, ranks, agreement, and plans of studies",
    "translate": "a task's prompts into another language by any model, checked, as a task file",
    "list": "installed tasks, judges, models, engines and reports",
    "show": "one sample exactly as it is sent to the model",
    "report": "a leaderboard page from runs",
    "export": "runs in the files of lm-eval, the hub, Every Eval Ever and DVC, or in W&B, MLflow and Trackio",
    "sql": "one SELECT over the numbers and samples of runs, by DuckDB",
    "verify": "whether a run is what it says: every number computed again, every answer scored again",
    "leaderboard": "the ledger of a published leaderboard: rows that cannot be changed unseen, and what became of them",
    "compare": "two runs sample by sample: differences with intervals, tests, and the samples that flipped",
    "baseline": "what gates hold a run against: a run's outcomes item by item as one file for git",
    "gate": "whether a run lost anything that matters: pass, fail or inconclusive, for continuous integration",
    "init": "files to begin with: a workflow that gates every change, for GitHub or GitLab",
    "new": "a package of your own that works as it is: a task, a judge, an engine or a report",
    "doctor": "the environment, what is missing, and how to get it",
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that names the nearest option, not the whole usage."""

    def refuse(self, argument: str) -> NoReturn:
        """End with the option that `argument` may have meant."""
        near = nearest(argument, self._option_string_actions) if argument.startswith("--") else None
        self.error(f"unknown argument {argument!r}{f'; did you mean {near!r}?' if near else '.'}")

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and one line."""
        end = "" if message.endswith((".", "?")) else "."
        self.exit(EXIT_USAGE, f"{self.prog}: {printable(message)}{end} `{self.prog} --help` shows what there is.\n")


_ONLY_PRINT = {"list", "show", "doctor", "prefer", "compare", "init", "sql"}
"""Commands that are done when nobody reads on; the others leave work behind."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = [_underscored(argument) for argument in (sys.argv[1:] if arguments is None else arguments)]
    try:
        code = _run(arguments)
        sys.stdout.flush()  # here, since at the interpreter's end nobody could say what went wrong
        return code
    except EvalsuiteError as error:
        if os.environ.get("EVALSUITE_DEBUG"):
            raise
        print("evalsuite:", printable(str(error)).replace("\n", " "), file=sys.stderr)
        return error.exit_code
    except OSError as error:
        silence()
        if error.errno != errno.EPIPE:
            print("evalsuite: cannot write the output:", printable(str(error)), file=sys.stderr)
            return EXIT_INCOMPLETE
        return EXIT_OK if arguments[:1] and arguments[0] in _ONLY_PRINT else EXIT_INCOMPLETE
    except KeyboardInterrupt:
        print("evalsuite: interrupted; run the same command to go on.", file=sys.stderr)
        return EXIT_INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    parser = build_parser(arguments[0] if arguments else "")
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        getattr(options, "parser", parser).refuse(unknown[0])
    if not getattr(options, "command", None):
        parser.print_help()
        return EXIT_OK
    command: Command = options.execute
    tolerate_narrow_encodings()
    return command(options)


def build_parser(wanted: str) -> _Parser:
    """The parser; only the wanted command's own options are filled in, so that ``--help`` imports little."""
    formatter = _formatter()
    parser = _Parser(
        prog="evalsuite",
        description="Measures language models in many languages and says what the measurement is worth.",
        epilog="`evalsuite COMMAND --help` explains a command. Exit codes: 0 complete, 1 a gate failed, 2 usage or "
        "data refused, 3 incomplete, not comparable or not saved, 4 budget or quota spent, 5 a gate is inconclusive "
        "under --strict, 6 nothing selected, 130 interrupted.",
        formatter_class=formatter,
    )
    parser.add_argument("--version", action="version", version=f"evalsuite {evalsuite.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in _COMMANDS.items():
        subparser = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", formatter_class=formatter
        )
        if name == wanted:
            module = import_module(f"evalsuite.cli.{name.replace('-', '_')}_command")
            module.add_options(subparser)
            subparser.set_defaults(execute=module.execute, parser=subparser)
            subparser.add_argument(
                "--json", action="store_true", help="end standard output with one line of JSON, for programs"
            )
    return parser


def command_names() -> tuple[str, ...]:
    """All commands."""
    return tuple(_COMMANDS)


def _formatter() -> type[argparse.HelpFormatter]:
    from rich_argparse import RichHelpFormatter

    return RichHelpFormatter


def _underscored(argument: str) -> str:
    """``--num-fewshot=5`` as ``--num_fewshot=5``: both spellings are lm-eval's."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


if __name__ == "__main__":
    sys.exit(main())
