"""Lines of ``samples_<task>_<time>.jsonl`` as lm-eval 0.4.13 writes them: one a document and filter.

Source: ``evaluate`` of ``lm_eval/evaluator.py`` and ``EvaluationTracker.save_results_samples``. As there, answers,
targets and log-likelihoods are strings. `doc` is what we hold of a row; hashes are lm-eval's, of what stands here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from evalsuite.interop.lm_eval_names import LmEvalName, own_items
from evalsuite.metrics import CORPUS
from evalsuite.records import Estimate, SampleRecord
from evalsuite.types import (
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Prompt,
    Response,
    RollingRequest,
    Sample,
    Scored,
)

Line = dict[str, Any]


def sample_lines(
    records: Sequence[SampleRecord], names: Mapping[str, LmEvalName], estimates: Sequence[Estimate]
) -> list[Line]:
    """The lines of one of lm-eval's tasks, filter by filter; samples without a score have none.

    `names` are those of the task's metrics that stand in this file.
    """
    filters = list(dict.fromkeys(name.filter for name in names.values()))
    formulas = {one.metric: one.formula for one in estimates}
    return [
        _line(record, record.outcome, filtered, {key: name for key, name in names.items() if name.filter == filtered},
              formulas)
        for filtered in filters
        for record in records
        if isinstance(record.outcome, Scored)
    ]  # fmt: skip


def task_hash(lines: Sequence[Line]) -> str:
    """lm-eval's hash of a task's lines."""
    return _hash("".join(line["doc_hash"] + line["prompt_hash"] + line["target_hash"] for line in lines))


def _line(
    record: SampleRecord, outcome: Scored, filtered: str, names: Mapping[str, LmEvalName], formulas: Mapping[str, str]
) -> Line:
    values = dict(_values(record.sample, outcome, names, formulas))
    own = own_items(next(iter(names.values())).task, record.sample)
    arguments = [_arguments(item) for item in record.items[own]]
    doc = _doc(record.sample)
    target = _target(record.sample)
    asked = zip(record.items[own], record.responses[own], strict=True)
    responses = [_response(item, response) for item, response in asked]
    return {
        "doc_id": record.sample.row,
        "doc": doc,
        "target": target,
        "arguments": {
            f"gen_args_{place}": {f"arg_{index}": value for index, value in enumerate(found)}
            for place, found in enumerate(arguments)
        },
        "resps": [[response] for response in responses],
        "filtered_resps": responses,
        "filter": filtered,
        "metrics": list(values),
        "doc_hash": _hash(json.dumps(doc, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(arguments[0][0] if arguments else ""),
        "target_hash": _hash(target),
        **values,
    }


def _doc(sample: Sample) -> dict[str, Any]:
    """What we hold of the row: not its own columns, which a sealed run has no longer."""
    held = msgspec.to_builtins(sample)
    return {key: held[key] for key in ("id", "input", "choices", "gold", "target", "category", "turns", "metadata")}


def _target(sample: Sample) -> str:
    """The right choice's number, else the reference text."""
    return str(sample.gold) if sample.choices and sample.gold is not None else sample.target


def _arguments(item: Item) -> list[Any]:
    request = item.request
    match request:
        case LoglikelihoodRequest():
            return [_text(request.context), request.continuation]
        case RollingRequest():
            return [request.text]
        case GenerateRequest():
            return [_text(request.prompt), _generation(request)]


def _generation(request: GenerateRequest) -> dict[str, Any]:
    """Settings by the names of transformers that lm-eval takes."""
    is_sampled = request.temperature > 0
    return {
        "until": list(request.stop),
        **({"max_gen_toks": request.max_tokens} if request.max_tokens else {}),
        "do_sample": is_sampled,
        "temperature": request.temperature,
        **({"top_p": request.top_p} if is_sampled else {}),
    }


def _text(prompt: Prompt) -> str:
    """Plain text, or a conversation as JSON: what a template makes of it is not kept."""
    return prompt if isinstance(prompt, str) else json.dumps(msgspec.to_builtins(prompt), ensure_ascii=False)


def _response(item: Item, response: Response) -> Any:
    match response:
        case Loglikelihood() if isinstance(item.request, RollingRequest):
            return str(response.sum_nats)
        case Loglikelihood():
            return [str(response.sum_nats), str(response.is_greedy)]
        case Completion():
            return response.text
        case Failure():  # a scored sample has none
            return ""


def _values(
    sample: Sample, outcome: Scored, names: Mapping[str, LmEvalName], formulas: Mapping[str, str]
) -> Iterator[tuple[str, Any]]:
    """What the sample gives each metric: a number; reference and answer for a corpus score; else all its counts."""
    for score in outcome.scores:
        if score.name not in names or not any(score.counts):
            continue
        counts = score.counts
        if formulas[score.name] == CORPUS:
            value: Any = [sample.target, outcome.answer]
        else:
            value = counts[0] if len(counts) == 2 and counts[1] == 1.0 else list(counts)
        yield names[score.name].metric, value


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
