"""What a sample is asked under the settings of its run: what ``--gen_kwargs`` and ``--truncation`` change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from evalsuite.contracts import Task
from evalsuite.errors import EvalsuiteError
from evalsuite.records import RunSpec
from evalsuite.types import GenerateRequest, Item, LoglikelihoodRequest, Replies, Request, Sample, Scalar

_OVERFLOW: Mapping[str, Literal["error", "left"]] = {"error": "error", "drop_shots": "error", "truncate_left": "left"}


@dataclass(frozen=True)
class Settings:
    """What a run changes about its tasks' requests; empty `truncation` leaves it to each task's protocol."""

    generation: Mapping[str, Scalar] = field(default_factory=dict)
    truncation: str = ""


def settings_of(spec: RunSpec) -> Settings:
    """The settings of a run that is pinned."""
    return Settings(spec.generation, spec.truncation)


def first_requests(task: Task, sample: Sample, settings: Settings) -> tuple[Request, ...]:
    """What the first wave asks of a sample, before sampled requests get seeds of their own.

    Raises EvalsuiteError for a task's own fault.
    """
    return tuple(adjust(request, settings) for request in _requests(task, sample, ()))


def items_of(task: Task, sample: Sample, replies: Replies, settings: Settings, seed: int) -> Iterator[Item]:
    """What the next wave asks of a sample whose `replies` are known. Raises EvalsuiteError for a task's own fault."""
    wave = len(replies) + 1
    for index, request in enumerate(_requests(task, sample, replies)):
        item_id = f"{sample.id}#{wave}.{index}"
        asked = seeded(adjust(request, settings), seed, item_id)
        yield Item(id=item_id, sample_id=sample.id, wave=wave, request=asked)


def _requests(task: Task, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    try:
        return task.next_requests(sample, replies)
    except EvalsuiteError:
        raise
    except Exception as error:  # a stranger's task; its answers so far are safe, and the message says whose fault it is
        wave = len(replies) + 1
        raise EvalsuiteError(
            f"task {task.name} cannot ask {sample.id} in wave {wave}: {type(error).__name__}: {error}"
        ) from error


def sample_id(item_id: str) -> str:
    """The sample that an item of this id asks."""
    return item_id.rpartition("#")[0]


def seeded(request: Request, seed: int, item_id: str) -> Request:
    """A sampled request with a seed of its own, so that its text depends on nothing but itself."""
    if not isinstance(request, GenerateRequest) or not request.temperature:
        return request
    digest = hashlib.sha256(f"{seed}\x00{item_id}".encode("utf-8", "surrogatepass")).digest()
    return msgspec.structs.replace(request, seed=int.from_bytes(digest[:4], "big"))


def adjust(request: Request, settings: Settings) -> Request:
    """`request` with what the run's settings change."""
    if settings.truncation and isinstance(request, GenerateRequest | LoglikelihoodRequest):
        encoding = msgspec.structs.replace(request.encoding, overflow=_OVERFLOW[settings.truncation])
        request = msgspec.structs.replace(request, encoding=encoding)
    if settings.generation and isinstance(request, GenerateRequest):
        return _generated_as(request, settings.generation)
    return request


def _generated_as(request: GenerateRequest, generation: Mapping[str, Scalar]) -> GenerateRequest:
    changes = {key: value for key, value in generation.items() if key != "do_sample"}
    if generation.get("do_sample") is False:
        changes["temperature"] = 0.0
    elif generation.get("do_sample") and not request.temperature:
        changes.setdefault("temperature", 1.0)
    return msgspec.convert({**msgspec.to_builtins(request), **changes}, GenerateRequest)
