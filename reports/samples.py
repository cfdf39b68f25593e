"""The samples as the page's script reads them: plain JSON, nothing of it ever parsed as HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from evalsuite.records import SampleRecord
from evalsuite.store.results import read_samples
from evalsuite.types import (
    Cancelled,
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    NotRun,
    Prompt,
    Response,
    RollingRequest,
    Sample,
    Score,
    Scored,
    Unscored,
)

from ._runs import Run

_EXCERPT = 200
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})

View = dict[str, Any]
Pair = tuple[Item, Response | None]


def samples_json(runs: Sequence[Run]) -> str:
    """All samples of `runs` as ASCII that can stand in a script element: no tag, comment or entity can be read in it.

    ``ensure_ascii`` also takes care of U+2028, U+2029 and lone surrogates.
    """
    value = {
        "runs": [{"id": run.result.run_id, "name": run.result.spec.model.name} for run in runs],
        "samples": [view for index, run in enumerate(runs) for view in _run_samples(index, run)],
    }
    return json.dumps(value, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)


def _run_samples(index: int, run: Run) -> Iterator[View]:
    headlines = {part.task: part.metric for part in run.result.estimates if part.is_primary}
    for record in read_samples(run.path):
        yield {"run": index, **sample_view(record, headlines.get(record.task, ""))}


def sample_view(record: SampleRecord, headline: str) -> View:
    """One sample's page; `headline` is the metric that says right or wrong."""
    sample, outcome = record.sample, record.outcome
    scored = outcome if isinstance(outcome, Scored) else Scored(scores=())
    return {
        "id": sample.id,
        "task": record.task,
        "family": record.family,
        "language": sample.language,
        "promptLanguage": str(sample.metadata.get("source_language", sample.language)),
        "category": sample.category,
        "cluster": sample.cluster_id,
        "excerpt": sample.input[:_EXCERPT],
        "target": sample.target,
        "status": status_of(record, headline),
        "cause": _cause(record),
        "flags": [str(flag) for flag in scored.flags],
        "answer": scored.answer,
        "explanation": scored.explanation,
        "scores": [{"name": score.name, "counts": _counts_text(score)} for score in scored.scores],
        "exchanges": list(_exchanges(record)),
        "metadata": {key: str(value) for key, value in sorted(sample.metadata.items())},
    }


def status_of(record: SampleRecord, headline: str) -> str:
    """``right`` or ``wrong`` where the sample has a known answer and its headline counts one row, else ``answered``.

    Corpus scores, and shares such as language fidelity on open prompts, make no single sample right or wrong.
    """
    match record.outcome:
        case Scored(scores=scores):
            return _verdict(record.sample, scores, headline)
        case Unscored():
            return "unscored"
        case Cancelled():
            return "cancelled"
        case NotRun():
            return "not run"


def _verdict(sample: Sample, scores: Sequence[Score], headline: str) -> str:
    counts = next((score.counts for score in scores if not headline or score.name == headline), ())
    has_answer = bool(sample.target) or sample.gold is not None
    if not has_answer or len(counts) != 2 or counts[1] != 1.0:
        return "answered"
    return {1.0: "right", 0.0: "wrong"}.get(counts[0], "answered")


def _cause(record: SampleRecord) -> Mapping[str, str]:
    match record.outcome:
        case Unscored(cause=cause, detail=detail):
            return {"name": str(cause), "detail": detail}
        case Cancelled(reason=reason) | NotRun(reason=reason):
            return {"name": reason, "detail": ""}
    return {}


def _counts_text(score: Score) -> str:
    """``1 / 1`` for a sum and what it is over, the whole vector for a corpus score."""
    separator = " / " if len(score.counts) == 2 else " "
    return separator.join(f"{count:g}" for count in score.counts)


def _exchanges(record: SampleRecord) -> Iterator[View]:
    """What was asked and answered, in order; choices after one context are one exchange, so that it is shown once."""
    pairs: list[Pair] = [
        (item, record.responses[index] if index < len(record.responses) else None)
        for index, item in enumerate(record.items)
    ]
    for _, group in groupby(pairs, key=lambda pair: _shared(pair[0])):
        members = list(group)
        item, response = members[0]
        match item.request:
            case LoglikelihoodRequest(context=context):
                yield {"kind": "choices", "prompt": _prompt_view(context), "rows": _choice_rows(record, members)}
            case GenerateRequest() as request:
                yield {**_generation_view(request), "reply": _reply_view(response)}
            case RollingRequest(text=text):
                yield {"kind": "rolling", "prompt": text, "reply": _reply_view(response)}


def _shared(item: Item) -> object:
    request = item.request
    return (item.wave, request.context) if isinstance(request, LoglikelihoodRequest) else item.id


def _prompt_view(prompt: Prompt) -> str | list[tuple[str, str]]:
    return prompt if isinstance(prompt, str) else [(message.role, message.content) for message in prompt]


def _generation_view(request: GenerateRequest) -> View:
    sampled = f", top_p {request.top_p:g}, seed {request.seed}" if request.temperature else ""
    limit = f"at most {request.max_tokens} tokens" if request.max_tokens else "limit on tokens not known"
    return {
        "kind": "generate",
        "prompt": _prompt_view(request.prompt),
        "settings": f"{limit}, temperature {request.temperature:g}{sampled}",
        "stop": list(request.stop),
    }


def _choice_rows(record: SampleRecord, pairs: Sequence[Pair]) -> list[View]:
    sample = record.sample
    texts = sample.choices if len(sample.choices) == len(pairs) else None
    return [_choice_row(record, index, pair, texts) for index, pair in enumerate(pairs)]


def _choice_row(record: SampleRecord, index: int, pair: Pair, texts: Sequence[str] | None) -> View:
    item, response = pair
    assert isinstance(item.request, LoglikelihoodRequest)
    answer = record.outcome.answer if isinstance(record.outcome, Scored) else None
    return {
        "text": item.request.continuation,
        "isGold": record.sample.gold == index,
        "isPicked": texts is not None and answer == texts[index] and answer not in texts[:index],
        "reply": _reply_view(response, texts[index] if texts else None),
    }


def _reply_view(response: Response | None, choice: str | None = None) -> View | None:
    match response:
        case Completion():
            return {
                "kind": "completion",
                "text": response.text,
                "stopReason": response.stop_reason,
                "numPromptTokens": response.num_prompt_tokens,
                "numTokens": response.num_tokens,
            }
        case Loglikelihood():
            return _loglikelihood_view(response, choice)
        case Failure():
            status = f"HTTP {response.http_status}" if response.http_status else ""
            return {"kind": "failure", "cause": str(response.cause), "detail": response.detail, "http": status}
        case None:
            return None


def _loglikelihood_view(response: Loglikelihood, choice: str | None) -> View:
    """The sum, and it per character of the choice alone: the delimiter before a choice is no part of its length."""
    num_chars = len(choice) if choice else response.num_chars
    return {
        "kind": "loglikelihood",
        "sum": f"{response.sum_nats:.3f}",
        "perChar": f"{response.sum_nats / num_chars:.3f}" if num_chars else "",
        "numTokens": response.num_tokens,
        "isGreedy": response.is_greedy,
    }
