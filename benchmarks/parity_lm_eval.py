"""Parity with lm-eval on the Open LLM six: the same prompts, tokens, log-likelihoods, predictions and metrics.

    python benchmarks/parity_lm_eval.py --model smollm2-135m --docs 50 --data_dir MIRROR

Both sides compute with one model object in float32, lm-eval with ``softmax_dtype=float32``, from the same files. Ours
is a run as the command line makes it; lm-eval's requests, answers and scores come from its own task and model classes.
Exits 1 when a prompt, a token, a prediction or a metric differs, or a log-likelihood by more than 1e-3 nats.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lm_eval_side
from lm_eval.models.huggingface import HFLM

from evalsuite.config import RunConfig
from evalsuite.plugins import family
from evalsuite.prepare import prepare
from evalsuite.records import SampleRecord
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import Completion, GenerateRequest, Loglikelihood, LoglikelihoodRequest, Scored

TOLERANCE_NATS = 1e-3
SINGLES = ("arc_challenge", "hellaswag", "truthfulqa", "winogrande", "gsm8k")
SUBJECTS = tuple(info.name for info in family("mmlu").members)
METRICS = {
    "acc": "acc", "acc_norm": "acc_norm_char", "acc_bytes": "acc_norm_byte",
    "strict-match": "exact_match_strict", "flexible-extract": "exact_match_flexible",
}  # fmt: skip
"""lm-eval's names and ours; TruthfulQA's `acc` is `mc1` or `mc2`."""

THEIR_NAMES = {"truthfulqa": ("truthfulqa_mc1", "truthfulqa_mc2")}
Rows = Mapping[str, tuple[int, ...]]
"""The dataset rows asked of each of our tasks."""


@dataclass
class Agreement:
    """How far one of lm-eval's tasks and ours agree."""

    task: str
    docs: int = 0
    requests: int = 0
    same_prompts: int = 0
    same_tokens: int = 0
    same_texts: int = 0
    max_nats: float = 0.0
    scores: int = 0
    same_scores: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        counts = (self.same_prompts, self.same_tokens, self.same_texts)
        is_close = self.max_nats <= TOLERANCE_NATS
        return counts == (self.requests,) * 3 and is_close and self.same_scores == self.scores


def rows_of(num_docs: int) -> dict[str, tuple[int, ...]]:
    """The first documents of every task; for MMLU the first of as many subjects, again from the start when used up."""
    wanted = {name: tuple(range(num_docs)) for name in SINGLES}
    rounds, rest = divmod(num_docs, len(SUBJECTS))
    subjects = {name: tuple(range(rounds + (place < rest))) for place, name in enumerate(SUBJECTS)}
    return {**wanted, **{name: rows for name, rows in subjects.items() if rows}}


def compare(model: str, rows: Rows, mirror: Path, their_batch_size: int) -> Iterator[Agreement]:
    """Run ours, then lm-eval's with `their_batch_size` rows at a time, task by task."""
    shots = {name: lm_eval_side.num_fewshot(name) for name in rows if name != "truthfulqa"}
    config = RunConfig(
        model=model,
        model_args={"dtype": "float32"},
        tasks=tuple(rows),
        num_fewshot=shots,
        samples=rows,
        data_dir=str(mirror),
    )
    prepared = prepare(config)
    local = prepared.engine.model
    theirs_lm = HFLM(
        pretrained=local.model, tokenizer=local.encoder.tokenizer, batch_size=their_batch_size, softmax_dtype="float32"
    )
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        execute(prepared, Path(folder) / "run", Quiet())
        records = list(read_samples(Path(folder) / "run"))
    print(f"evalsuite: {time.monotonic() - started:.0f} s", file=sys.stderr)
    by_task: dict[str, list[SampleRecord]] = {}
    for record in records:
        by_task.setdefault(record.task, []).append(record)
    names = [name for ours in rows for name in THEIR_NAMES.get(ours, (ours,))]
    with lm_eval_side.reading(mirror):
        tasks = lm_eval_side.load(names)
        for name, task in tasks.items():
            ours = by_task["truthfulqa" if name.startswith("truthfulqa") else name]
            found = _agreement(name, task, ours, theirs_lm, prepared.engine)
            print(f"{time.monotonic() - started:.0f} s: {found}", file=sys.stderr)
            yield found
    print(f"both: {time.monotonic() - started:.0f} s", file=sys.stderr)


def _agreement(name: str, task: Any, ours: Sequence[SampleRecord], lm: HFLM, engine: Any) -> Agreement:
    found = Agreement(name, docs=len(ours))
    asked = lm_eval_side.requests(task, len(ours))
    answers = getattr(lm, asked[0].request_type)(asked, disable_tqdm=True)
    for instance, answer in zip(asked, answers, strict=True):
        instance.resps = [answer]
    task.apply_filters()
    by_doc: dict[int, list[Any]] = {}
    for instance in asked:
        by_doc.setdefault(instance.doc_id, []).append(instance)
    for (_, instances), record in zip(sorted(by_doc.items()), ours, strict=True):
        parts = _parts(name, record)
        for instance, (request, response) in zip(instances, parts, strict=True):
            _compare_request(found, instance, request, response, lm, engine)
        _compare_scores(found, name, task, instances, record)
    return found


def _parts(name: str, record: SampleRecord) -> list[tuple[Any, Any]]:
    """Requests and responses of ours that belong to lm-eval's task: for TruthfulQA those of mc1 or of mc2."""
    parts = [(item.request, response) for item, response in zip(record.items, record.responses, strict=True)]
    if not name.startswith("truthfulqa"):
        return parts
    num_mc1 = int(record.sample.metadata["num_mc1"])
    return parts[:num_mc1] if name.endswith("mc1") else parts[num_mc1:]


def _compare_request(found: Agreement, instance: Any, request: Any, response: Any, lm: HFLM, engine: Any) -> None:
    found.requests += 1
    if isinstance(request, LoglikelihoodRequest):
        assert isinstance(response, Loglikelihood)
        pair = engine.requests.pair(request)
        found.same_prompts += (request.context, request.continuation) == instance.args
        found.same_tokens += [list(pair.context), list(pair.continuation)] == list(lm._encode_pair(*instance.args))
        found.same_texts += response.is_greedy == instance.resps[0][1]
        found.max_nats = max(found.max_nats, abs(response.sum_nats - instance.resps[0][0]))
    else:
        assert isinstance(request, GenerateRequest)
        assert isinstance(response, Completion)
        found.same_prompts += (request.prompt, list(request.stop)) == (instance.args[0], instance.args[1]["until"])
        found.same_tokens += list(engine.requests.prompt(request).ids) == lm.tok_encode(request.prompt)
        found.same_texts += response.text == instance.resps[0]


def _compare_scores(found: Agreement, name: str, task: Any, instances: Sequence[Any], record: SampleRecord) -> None:
    assert isinstance(record.outcome, Scored)
    ours = {score.name: score.counts[0] for score in record.outcome.scores}
    for key in instances[0].filtered_resps:
        theirs = task.process_results(instances[0].doc, [instance.filtered_resps[key] for instance in instances])
        for metric, value in theirs.items():
            wanted = METRICS.get(key if metric == "exact_match" else metric)
            wanted = name.removeprefix("truthfulqa_") if name.startswith("truthfulqa_") else wanted
            found.scores += 1
            found.same_scores += abs(ours[str(wanted)] - float(value)) <= TOLERANCE_NATS


def as_table(rows: Sequence[Agreement]) -> str:
    """A Markdown table; MMLU's subjects as one row."""
    merged: dict[str, Agreement] = {}
    for row in rows:
        name = "mmlu" if row.task.startswith("mmlu_") else row.task
        whole = merged.setdefault(name, Agreement(name))
        for key in ("docs", "requests", "same_prompts", "same_tokens", "same_texts", "scores", "same_scores"):
            setattr(whole, key, getattr(whole, key) + getattr(row, key))
        whole.max_nats = max(whole.max_nats, row.max_nats)
    heads = ("task", "documents", "requests", "prompts equal", "tokens equal", "text or greedy flag equal",
             "largest difference, nats", "scores equal")  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in merged.values():
        lines.append(
            f"| {row.task} | {row.docs} | {row.requests} | {row.same_prompts} | {row.same_tokens} | {row.same_texts} "
            f"| {row.max_nats:.1e} | {row.same_scores} of {row.scores} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Compare, print, and say by the exit code whether all agrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--docs", type=int, default=50)
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--their_batch_size", type=int, default=8, help="lm-eval's; less where memory is short")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = list(compare(options.model, rows_of(options.docs), options.data_dir, options.their_batch_size))
    print(as_table(rows))
    return 0 if all(row.is_whole for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
