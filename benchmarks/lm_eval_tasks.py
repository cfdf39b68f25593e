"""lm-eval's tasks three ways: lm-eval's own run, our run of ``lm_eval:NAME``, and lm-eval with our engine as its model.

    python benchmarks/lm_eval_tasks.py --data_dir MIRROR --docs 20           # ten minutes on two cores
    python benchmarks/lm_eval_tasks.py --data_dir MIRROR --docs 2 --tasks arc_easy local_text

All three compute with one model object in float32, lm-eval's `hf` with ``softmax_dtype=float32`` and the batch size of
``--batch_size``, on the first documents. Rows are the mirror's; tasks named ``local_`` have rows written here, for
kinds of which the mirror has none. Seconds are from names of tasks to scores, with weights loaded and lm-eval's search
for its task files not counted. Exits 1 when a score or a text of a document differs, or a log-likelihood by more than
1e-3 nats, or a value, of a task or a group, by more than its documents' rounding gives.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import lm_eval.api.task
import lm_eval_side
import lm_eval_tiny
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from evalsuite.config import ModelConfig, RunConfig
from evalsuite.interop.lm_eval_index import OWN_FOLDERS, folders_of, read_index
from evalsuite.interop.lm_eval_model import _model_class
from evalsuite.prepare import Opened, open_engine, prepare
from evalsuite.records import RunResult, SampleRecord
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import Completion, Loglikelihood, Scored

TOLERANCE_NATS = 1e-3
MIRRORED = (
    "arc_easy", "hellaswag", "winogrande", "truthfulqa_mc2", "gsm8k", "mgsm_direct_zh", "xcopa_zh", "mmlu_stem",
)  # fmt: skip
TASKS = (*MIRRORED, *lm_eval_tiny.TASKS)


@dataclass
class Agreement:
    """One task: how many documents' scores and answers of two runs are the same, and seconds of each side."""

    task: str
    docs: int = 0
    same_docs: int = 0
    max_nats: float = 0.0
    values: int = 0
    same_values: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        return 0 < self.docs == self.same_docs and 0 < self.values == self.same_values

    def __str__(self) -> str:
        return (
            f"{self.task:<22} documents {self.same_docs}/{self.docs}  values {self.same_values}/{self.values}  "
            f"nats {self.max_nats:.1e}"
        )


@dataclass(frozen=True)
class Compared:
    """One of the names asked for: agreement of our run, and of our engine within lm-eval, with lm-eval's own."""

    ours: Agreement
    within: Agreement
    their_seconds: float
    our_seconds: float
    within_seconds: float

    def __str__(self) -> str:
        return (
            f"{self.ours}\n{'  --model evalsuite':<22} documents {self.within.same_docs}/{self.within.docs}  values "
            f"{self.within.same_values}/{self.within.values}  nats {self.within.max_nats:.1e}\n  seconds: lm-eval "
            f"{self.their_seconds:.2f}, evalsuite {self.our_seconds:.2f}, within lm-eval {self.within_seconds:.2f}"
        )


@contextmanager
def local_tasks(mirror: Path | None) -> Iterator[None]:
    """lm-eval reads the mirror, or the files that a task names; tasks of `lm_eval_tiny` can be asked for by name."""
    real = lm_eval.api.task.datasets.load_dataset
    with tempfile.TemporaryDirectory() as folder:
        lm_eval_tiny.write(Path(folder))
        with mock.patch.dict(os.environ, {OWN_FOLDERS: folder}):
            if mirror is None:
                yield
                return
            with lm_eval_side.reading(mirror):
                mirrored = lm_eval.api.task.datasets.load_dataset

                def load(path: str, name: str | None = None, **arguments: Any) -> Any:
                    if path == "json":
                        return real(path, name, **arguments)
                    tables = mirrored(path, name, **arguments)
                    # lm-eval opens the split of exemplars even where it asks without any
                    tables.setdefault("train", next(iter(tables.values())).select([0]))
                    return tables

                with mock.patch.object(lm_eval.api.task.datasets, "load_dataset", load):
                    yield


def compare(
    names: Sequence[str], docs: int, mirror: Path | None, model: str = "smollm2-135m", batch_size: int = 8
) -> Iterator[Compared]:
    """Each of `names` in turn; the first documents of every task."""
    config = ModelConfig(model=model, model_args={"dtype": "float32"})
    opened = open_engine(config)
    engine: Any = opened.engine
    with local_tasks(mirror):
        theirs = HFLM(
            pretrained=engine.model.model, tokenizer=engine.model.encoder.tokenizer, batch_size=batch_size,
            softmax_dtype="float32", max_length=engine.model.max_length,
        )  # fmt: skip
        engine.model.verdict  # noqa: B018 (the self-test is of loading)
        within = _model_class()(pretrained=model, dtype="float32")
        for name in names:
            within._answerer.engine = engine.afresh()
            their_seconds, their_result = _timed(lambda name=name: _lm_eval(theirs, name, docs))
            our_seconds, ours = _timed(lambda name=name: _evalsuite(config, opened, name, docs, mirror))
            within_seconds, with_ours = _timed(lambda name=name: _lm_eval(within, name, docs))
            yield Compared(
                _agreement(name, their_result, *ours),
                _agreement_within(name, their_result, with_ours),
                their_seconds, our_seconds, within_seconds,
            )  # fmt: skip


def _timed(function: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    found = function()
    return time.perf_counter() - started, found


def _lm_eval(model: Any, name: str, docs: int) -> Any:
    folders = [str(folder) for folder in folders_of(name, read_index())]
    manager = TaskManager(include_defaults=False, include_path=folders)
    return simple_evaluate(
        model=model, tasks=[name], task_manager=manager, limit=docs, bootstrap_iters=0, log_samples=True,
        gen_kwargs="max_gen_toks=32", fewshot_as_multiturn=False,
    )  # fmt: skip


def _evalsuite(
    config: ModelConfig, opened: Opened, name: str, docs: int, mirror: Path | None
) -> tuple[RunResult, list[SampleRecord]]:
    engine: Any = opened.engine
    run = RunConfig(
        model=config.model, model_args=config.model_args, tasks=(f"lm_eval:{name}",), limit=docs,
        limit_mode="first", gen_kwargs={"max_tokens": 32}, data_dir=str(mirror) if mirror else None,
    )  # fmt: skip
    prepared = prepare(run, Opened(opened.name, opened.model, engine.afresh()))
    with tempfile.TemporaryDirectory() as folder:
        finished = execute(prepared, Path(folder) / "run", Quiet(), keeps_engine=True)
        assert finished.result is not None
        return finished.result, list(read_samples(finished.path))


# -- held side by side


def _agreement(name: str, theirs: Any, result: RunResult, records: Sequence[SampleRecord]) -> Agreement:
    found = Agreement(name)
    ours: dict[tuple[str, int], SampleRecord] = {
        (record.task.removeprefix("lm_eval."), record.sample.row): record for record in records
    }
    for task, lines in theirs["samples"].items():
        for line in lines:
            record = ours[task, line["doc_id"]]
            found.docs += line["filter"] == lines[0]["filter"]
            if line["filter"] == lines[0]["filter"]:
                found.same_docs += _same_document(
                    found, task, record, [one for one in lines if one["doc_id"] == line["doc_id"]]
                )
    values = _our_values(name, result)
    for task, their_values in theirs["results"].items():
        for key, value in their_values.items():
            metric, comma, filtered = key.partition(",")
            if comma and not metric.endswith("_stderr"):
                _see_value(found, value, values[task, metric if filtered == "none" else key])
    return found


def _our_values(name: str, result: RunResult) -> dict[tuple[str, str], float]:
    """Our values by lm-eval's names of tasks and groups; of the means of a group the first is lm-eval's own."""
    found = {(one.task.removeprefix("lm_eval."), one.metric): one.value for one in result.estimates}
    for mean in result.aggregates:
        group = mean.name.rpartition(f" {mean.kind} ")[0].removeprefix("lm_eval.").removeprefix(f"{name}:")
        found.setdefault((group, mean.metric), mean.value)
    return found


def _see_value(found: Agreement, theirs: float, ours: float) -> None:
    found.values += 1
    found.same_values += math.isclose(theirs, ours, rel_tol=max(1e-6, 2 * found.max_nats), abs_tol=1e-6)


def _same_document(found: Agreement, task: str, record: SampleRecord, lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether answers and all scores of a document are the same."""
    is_same = isinstance(record.outcome, Scored)
    replies = [reply for per_request in lines[0]["resps"] for reply in per_request]
    for reply, ours in zip(replies, record.responses, strict=True):
        if isinstance(ours, Completion):
            is_same = is_same and ours.text == reply
        elif isinstance(ours, Loglikelihood):
            level, greedy = reply if isinstance(reply, tuple | list) else (reply, ours.is_greedy)
            found.max_nats = max(found.max_nats, abs(float(level) - ours.sum_nats))
            is_same = is_same and abs(float(level) - ours.sum_nats) <= TOLERANCE_NATS and bool(greedy) == ours.is_greedy
    scores = {score.name: score.counts for score in record.outcome.scores} if isinstance(record.outcome, Scored) else {}
    for line in lines:
        for metric in line["metrics"]:
            ours_name = metric if line["filter"] == "none" else f"{metric},{line['filter']}"
            is_same = is_same and _same_score(line[metric], scores[ours_name])
    return is_same


def _same_score(theirs: Any, counts: Sequence[float]) -> bool:
    """Whether a number, or a log-likelihood with its weight, is ours; texts and labels are held by their values."""
    if isinstance(theirs, int | float):
        return math.isclose(float(theirs), counts[0], rel_tol=1e-5, abs_tol=1e-5)
    parts = list(theirs)
    if len(parts) == 2 == len(counts) and all(isinstance(part, int | float) for part in parts):
        return all(
            math.isclose(float(a), b, rel_tol=1e-5, abs_tol=TOLERANCE_NATS) for a, b in zip(parts, counts, strict=True)
        )
    return True


def _agreement_within(name: str, theirs: Any, ours: Any) -> Agreement:
    found = Agreement(name)
    for task, lines in theirs["samples"].items():
        for line, other in zip(lines, ours["samples"][task], strict=True):
            found.docs += 1
            found.same_docs += _same_line(found, line, other)
    for task, values in theirs["results"].items():
        for key, value in values.items():
            if "," in key and "_stderr" not in key:
                _see_value(found, value, ours["results"][task][key])
    return found


def _same_line(found: Agreement, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    is_same = one["arguments"] == other["arguments"] and one["doc_id"] == other["doc_id"]
    for a, b in zip(_flat(one["resps"]), _flat(other["resps"]), strict=True):
        if isinstance(a, float):
            found.max_nats = max(found.max_nats, abs(a - b))
            is_same = is_same and abs(a - b) <= TOLERANCE_NATS
        else:
            is_same = is_same and a == b
    return is_same and all(
        _close(a, b)
        for metric in one["metrics"]
        for a, b in zip(_flat([one[metric]]), _flat([other[metric]]), strict=True)
    )


def _close(a: Any, b: Any) -> bool:
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=TOLERANCE_NATS) if isinstance(a, float) else bool(a == b)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for part in value:
            yield from _flat(part)
    else:
        yield value.item() if hasattr(value, "item") else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and say by the exit code whether all agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, default=os.environ.get("EVALSUITE_DATA"), help="the mirror")
    parser.add_argument("--docs", type=int, default=20, help="documents of each task")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--batch_size", type=int, default=8, help="lm-eval's")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    found = []
    mirror = Path(options.data_dir) if options.data_dir else None
    for one in compare(options.tasks, options.docs, mirror, options.model, options.batch_size):
        found.append(one)
        print(one, flush=True)
    theirs, ours, within = (
        sum(getattr(one, side) for one in found) for side in ("their_seconds", "our_seconds", "within_seconds")
    )
    is_whole = all(one.ours.is_whole and one.within.is_whole for one in found)
    print(f"all: lm-eval {theirs:.1f} s, evalsuite {ours:.1f} s, within lm-eval {within:.1f} s; agree: {is_whole}")
    if options.json:
        print(json.dumps({"is_whole": is_whole, "lm_eval_s": theirs, "evalsuite_s": ours, "within_s": within}))
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
