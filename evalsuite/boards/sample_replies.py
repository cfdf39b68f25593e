"""What was asked and answered, as a page shows it: one reply a request, the choices after one context together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from evalsuite.boards.sample_facts import Prompts
from evalsuite.boards.sample_records import Reply
from evalsuite.records import SampleRecord
from evalsuite.types import (
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Response,
    RollingRequest,
    Scalar,
    Scored,
)

Pair = tuple[Item, Response | None]


def replies_of(record: SampleRecord, prompts: Prompts) -> Iterator[Reply]:
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
                yield _choices(record, prompts.place(context), members)
            case GenerateRequest() as request:
                yield _generated(request, response, prompts.place(request.prompt))
            case RollingRequest(text=text):
                yield _rolled(response, prompts.place(text))


def _shared(item: Item) -> object:
    request = item.request
    return (item.wave, request.context) if isinstance(request, LoglikelihoodRequest) else item.id


def _generated(request: GenerateRequest, response: Response | None, prompt: int) -> Reply:
    settings: dict[str, Scalar] = {"max_tokens": request.max_tokens, "temperature": request.temperature}
    if request.temperature:
        settings |= {"top_p": request.top_p, "seed": request.seed}
    match response:
        case Completion():
            return Reply(
                prompt=prompt,
                kind="generate",
                text=response.text,
                stop_reason=response.stop_reason,
                settings=settings,
                stop=request.stop,
                num_prompt_tokens=response.num_prompt_tokens,
                num_tokens=response.num_tokens,
            )
        case Failure():
            return _failed(response, prompt)
    return Reply(prompt=prompt, kind="none")


def _rolled(response: Response | None, prompt: int) -> Reply:
    match response:
        case Loglikelihood():
            return Reply(
                prompt=prompt,
                kind="rolling",
                sums=(response.sum_nats,),
                num_chars=(response.num_chars,),
                choice_tokens=(response.num_tokens,),
            )
        case Failure():
            return _failed(response, prompt)
    return Reply(prompt=prompt, kind="none")


def _failed(failure: Failure, prompt: int) -> Reply:
    return Reply(
        prompt=prompt,
        kind="failure",
        cause=str(failure.cause),
        detail=failure.detail,
        http_status=failure.http_status,
    )


def _choices(record: SampleRecord, prompt: int, pairs: Sequence[Pair]) -> Reply:
    """The sums, and how long each choice alone is: the delimiter before it is no part of its length."""
    texts = record.sample.choices if len(record.sample.choices) == len(pairs) else None
    failure = next((response for _, response in pairs if isinstance(response, Failure)), None)
    return Reply(
        prompt=prompt,
        kind="choices",
        choices=tuple(item.request.continuation for item, _ in pairs if isinstance(item.request, LoglikelihoodRequest)),
        sums=tuple(response.sum_nats if isinstance(response, Loglikelihood) else None for _, response in pairs),
        num_chars=tuple(_num_chars(response, texts[at] if texts else None) for at, (_, response) in enumerate(pairs)),
        choice_tokens=tuple(response.num_tokens if isinstance(response, Loglikelihood) else 0 for _, response in pairs),
        picked=_picked(record, texts),
        cause=str(failure.cause) if failure else "",
        detail=failure.detail if failure else "",
    )


def _num_chars(response: Response | None, choice: str | None) -> int:
    if choice:
        return len(choice)
    return response.num_chars if isinstance(response, Loglikelihood) else 0


def _picked(record: SampleRecord, texts: Sequence[str] | None) -> int | None:
    if texts is None or not isinstance(record.outcome, Scored):
        return None
    return next((at for at, text in enumerate(texts) if text == record.outcome.answer), None)
