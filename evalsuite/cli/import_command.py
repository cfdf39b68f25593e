"""``evalsuite import``: FastChat's MT-Bench files and AlpacaEval's, by their own rules or evalsuite's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evalsuite.cli.import_results import import_results, store_judged
from evalsuite.cli.output import estimate_json, print_json, print_table
from evalsuite.cli.run_command import finish, run_in
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, UsageError
from evalsuite.interop import alpaca_eval_files, mt_bench_files
from evalsuite.interop.alpaca_eval_files import AlpacaEvalWins, Outputs
from evalsuite.interop.alpaca_eval_leaderboard import LEADERBOARD, LeaderboardRow, notes_on, read_leaderboards
from evalsuite.interop.fastchat_rules import FastChatRating, FastChatWins, fastchat_ratings, fastchat_wins
from evalsuite.interop.json_files import Row, read_rows
from evalsuite.interop.judged import Judged
from evalsuite.interop.lm_eval_import import LM_EVAL
from evalsuite.interop.mt_bench_answers import prepare_answers
from evalsuite.interop.mt_bench_results import compare, rate
from evalsuite.records import Estimate
from evalsuite.text.number_texts import interval_text, number
from evalsuite.text.visible import printable

_FORMATS = ("lm-eval", "mt-bench", "alpaca_eval")
_RULES = {"mt-bench": "fastchat", "alpaca_eval": "alpaca_eval"}
"""The rule of each format's own tool."""
_MAX_IDS = 8
"""Ids that a line shows at most."""

Published = FastChatRating | FastChatWins | AlpacaEvalWins | LeaderboardRow | Outputs


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``import``."""
    add = parser.add_argument
    add("format", type=_format, choices=_FORMATS, metavar="FORMAT", help="lm-eval: results_*.json with "
        "the samples beside them, or folders of these; mt-bench: FastChat's model answers, or its judgments of single "
        "answers or of pairs; alpaca_eval: a model's outputs, annotations, or leaderboard.csv")  # fmt: skip
    add("files", nargs="+", metavar="FILE", help="files of one kind, which shows in their keys")
    add("--rule", choices=tuple(_RULES.values()), help="the numbers that the files' own tool prints, beside counts of "
        "what it leaves out; by default evalsuite's: contradicting rows refused, intervals, coverage")  # fmt: skip
    add("--baseline", metavar="MODEL", help="of pair judgments, only those against this model")
    add("--name", metavar="MODEL", help="what an imported run's model is called (default: as in the file)")
    add(
        "--output_path",
        "-o",
        metavar="DIR",
        help="where imported runs go (default runs); judgments become runs only where it is given",
    )
    add("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")


def _format(text: str) -> str:
    """A format's name in either spelling."""
    return next((name for name in _FORMATS if name.replace("_", "-") == text.replace("_", "-")), text)


def execute(options: argparse.Namespace) -> int:
    """Import and print. Exit code 3 when a judgment of the files has no score."""
    if options.rule not in (None, _RULES.get(options.format)):
        own = f"is {_RULES[options.format]}" if options.format in _RULES else "needs no name"
        raise UsageError(f"--rule {options.rule}: the rule of {options.format} {own}.")
    if options.format == LM_EVAL:
        _refuse(options, "lm-eval's results", "baseline", "data_dir")
        return import_results([Path(file) for file in options.files], options)
    if options.format == "alpaca_eval" and all(file.endswith(".csv") for file in options.files):
        return _import_leaderboard(options)
    rows = read_rows([Path(file) for file in options.files])
    if options.format == "alpaca_eval":
        return _import_alpaca_eval(rows, options)
    kind = mt_bench_files.kind_of(rows)
    if kind is mt_bench_files.Kind.MODEL_ANSWERS:
        return _import_answers(rows, options)
    if kind is mt_bench_files.Kind.SINGLE_JUDGMENTS:
        return _import_ratings(rows, options)
    return _import_pairs(rows, options)


def _import_answers(rows: Sequence[Row], options: argparse.Namespace) -> int:
    """Write the run and end as ``run`` does."""
    _refuse(options, "model answers", "rule", "baseline")
    answers = mt_bench_files.model_answers(rows)
    imported = prepare_answers(answers, ", ".join(options.files), options.name or "", options.data_dir)
    if imported.num_failures:
        _note(f"turns that are FastChat's word for no answer, taken as failures: {imported.num_failures}.")
    if imported.missing:
        _note(f"questions without a row: {len(imported.missing)} ({_listed(imported.missing)}).")
    if imported.num_merged:
        _note(f"rows that stand in the files again, counted once: {imported.num_merged}.")
    if imported.num_other_choices:
        _note(f"answers beyond the first choice, left as in FastChat's judging: {imported.num_other_choices}.")
    return finish(run_in(imported.prepared, Path(options.output_path or "runs"), None), options.json)


def _import_ratings(rows: Sequence[Row], options: argparse.Namespace) -> int:
    kind = mt_bench_files.Kind.SINGLE_JUDGMENTS
    _refuse(options, kind, "baseline", "name")
    judgments = mt_bench_files.single_judgments(rows)
    if options.rule:
        return _print_published(kind, fastchat_ratings(judgments), options)
    return _print_judged(kind, rate(judgments), options)


def _import_pairs(rows: Sequence[Row], options: argparse.Namespace) -> int:
    kind = mt_bench_files.Kind.PAIR_JUDGMENTS
    _refuse(options, kind, "name")
    judgments = mt_bench_files.pair_judgments(rows)
    if options.rule:
        return _print_published(kind, fastchat_wins(judgments, options.baseline or ""), options)
    return _print_judged(kind, compare(judgments, options.baseline or ""), options)


def _import_alpaca_eval(rows: Sequence[Row], options: argparse.Namespace) -> int:
    kind = alpaca_eval_files.kind_of(rows)
    _refuse(options, kind, "baseline", "name")
    if kind is alpaca_eval_files.Kind.MODEL_OUTPUTS:
        _refuse(options, kind, "rule", "output_path")
        outputs = alpaca_eval_files.describe_outputs(alpaca_eval_files.outputs_in(rows))
        return _print_published(kind, outputs, options)
    annotations = alpaca_eval_files.annotations_in(rows)
    if options.rule:
        return _print_published(kind, alpaca_eval_files.alpaca_eval_wins(annotations), options)
    return _print_judged(kind, alpaca_eval_files.prefer(annotations), options)


def _import_leaderboard(options: argparse.Namespace) -> int:
    _refuse(options, LEADERBOARD, "rule", "baseline", "name", "output_path", "data_dir")
    rows = read_leaderboards([Path(file) for file in options.files])
    for note in notes_on(rows):
        _note(f"{note}.")
    return _print_published(LEADERBOARD, rows, options)


def _refuse(options: argparse.Namespace, kind: str, *flags: str) -> None:
    """Refuse flags that say nothing about files of this kind."""
    for flag in flags:
        if getattr(options, flag) is not None:
            raise UsageError(f"--{flag}: {options.files[0]} holds {kind}, which it says nothing about; leave it out.")


# -- numbers by the files' own tools


def _print_published(kind: str, results: Sequence[Published], options: argparse.Namespace) -> int:
    """A row a model, and below it what is no number; exit code 3 when no row of a model counted."""
    if options.rule:
        _refuse(options, f"{kind} for --rule {options.rule}", "output_path")
    rows = [asdict(result) for result in results]
    plain = [name for name, value in rows[0].items() if not isinstance(value, tuple | dict)]
    _print_table(plain, ([_cell(row[name]) for name in plain] for row in rows))
    for row in rows:
        for name in [name for name in row if name not in plain]:
            print(_one_line(f"{row['model']}, {name}: {_listed_parts(row[name])}"))
    _finish_json(kind, rows, options)
    empty = [result.model for result in results if not _num_counted(result)]
    if empty:
        _note(f"nothing could be counted for {_listed(empty)}.")
    return EXIT_INCOMPLETE if empty else EXIT_OK


def _num_counted(result: Published) -> int:
    return result.n_total if isinstance(result, AlpacaEvalWins | LeaderboardRow) else result.n


def _cell(value: object) -> str:
    return number(value, 4) if value is None or isinstance(value, float) else str(value)


def _listed_parts(value: tuple[object, ...] | dict[str, int]) -> str:
    """Judges with their templates, names, or counts by name."""
    parts = value.items() if isinstance(value, dict) else value
    return ", ".join(" ".join(map(str, part)) if isinstance(part, tuple) else str(part) for part in parts)


# -- numbers by evalsuite's rules


def _print_judged(kind: str, results: Sequence[Judged], options: argparse.Namespace) -> int:
    """Every estimate with its interval, and what there is of the benchmark."""
    rows = (
        (_title(result), estimate.metric, number(estimate.value * estimate.scale, 2),
         interval_text(estimate.low, estimate.high, estimate.scale, decimals=2),
         str(estimate.n), str(estimate.num_unscored))
        for result in results
        for estimate in result.estimates
    )  # fmt: skip
    _print_table(("model", "metric", "value", "95 % interval", "n", "unscored"), rows)
    for result in results:
        for line in _coverage_lines(result):
            print(_one_line(line))
    runs = store_judged(results, options)
    for run in runs:
        print(_one_line(f"run {run.run_id}: {run.path}"))
    stored = [{"run": run.run_id, "path": str(run.path)} for run in runs] or [{} for _ in results]
    told = [{**_judged_json(result), **where} for result, where in zip(results, stored, strict=True)]
    _finish_json(kind, told, options)
    num_unscored = sum(sum(result.unscored.values()) for result in results)
    if num_unscored:
        _note(f"judgments without a verdict, unscored (judge_unparsed): {num_unscored}.")
    return EXIT_INCOMPLETE if num_unscored else EXIT_OK


def _title(result: Judged) -> str:
    return f"{result.model} against {result.against}" if result.against else result.model


def _coverage_lines(result: Judged) -> Iterable[str]:
    """How much is scored, what is not in the files, and what stood there twice."""
    coverage = result.coverage
    yield f"{_title(result)}, {result.protocol}: {coverage.n} of {coverage.expected} judged."
    for turn, ids in coverage.missing.items():
        if ids:
            yield f"  not in the files, {turn}: {len(ids)} questions, {_listed(ids)}"
    if result.num_merged:
        yield f"  rows that stand there again, counted once: {result.num_merged}"


def _judged_json(result: Judged) -> dict[str, Any]:
    """One entry of `results`: each metric's value under its name, and all that belongs to it under `estimates`."""
    return {
        "model": result.model,
        **({"against": result.against} if result.against else {}),
        "judge": result.judge,
        "protocol": result.protocol,
        "templates": list(result.templates),
        **{estimate.metric: estimate.value for estimate in result.estimates},
        "n": result.coverage.n,
        "num_unscored": sum(result.unscored.values()),
        "unscored": dict(result.unscored),
        "num_merged": result.num_merged,
        "coverage": asdict(result.coverage),
        "estimates": [_estimate_json(estimate) for estimate in result.estimates],
    }


def _estimate_json(estimate: Estimate) -> dict[str, Any]:
    return {
        **estimate_json(estimate),
        "num_clusters": estimate.num_clusters,
        "best_case": estimate.best_case,
        "worst_case": estimate.worst_case,
    }


# -- what all of them print


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as what is in them: a name is never cut."""
    table = [columns, *([_one_line(cell) for cell in row] for row in rows)]
    print_table(table)


def _finish_json(kind: str, results: list[dict[str, Any]], options: argparse.Namespace) -> None:
    if options.json:
        rule = options.rule or "evalsuite"
        print_json({"format": options.format, "kind": kind, "rule": rule, "files": options.files, "results": results})


def _listed(ids: Sequence[object]) -> str:
    """The first of `ids`, and how many more there are."""
    more = f" and {len(ids) - _MAX_IDS} more" if len(ids) > _MAX_IDS else ""
    return ", ".join(str(one) for one in ids[:_MAX_IDS]) + more


def _note(line: str) -> None:
    print(f"evalsuite: {_one_line(line)}", file=sys.stderr)


def _one_line(text: str) -> str:
    """`text`, which may hold names from the files, as one line that cannot rewrite a terminal."""
    return printable(text).replace("\n", " ")
