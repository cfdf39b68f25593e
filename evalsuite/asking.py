"""What a sample is asked under the settings of its run: what ``--gen_kwargs`` and ``--truncation`` change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from evalsuite.contracts import Task
from evalsuite.records import RunSpec
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, Request, Sample, Scalar

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
    """What the first wave asks of a sample, before sampled requests get seeds of their own."""
    return tuple(adjust(request, settings) for request in task.next_requests(sample, ()))


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
