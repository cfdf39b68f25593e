"""The six families' samples and requests on the mirror, as the run loop would ask them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from evalsuite.contracts import Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.plugins import choose_tasks
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, Sample

V1 = "openllm-v1"


def protocol_of(name: str, protocol: str = V1) -> str:
    """The protocol as it can be run on the mirror, which has a derived file of HellaSwag's train rows only."""
    return f"{protocol}+derived-shots" if name == "hellaswag" else protocol


@cache
def task(name: str, protocol: str, num_fewshot: int | None = None) -> Task:
    (choice,) = choose_tasks([name])
    return choice.family.build(name, TaskOptions(protocol=protocol, num_fewshot=num_fewshot))


@cache
def samples(mirror: Path, name: str, protocol: str, num_fewshot: int | None = None) -> tuple[Sample, ...]:
    """All samples of a task in order of evaluation."""
    built = task(name, protocol, num_fewshot)
    source = DataSource(mirror=mirror, hub=False)
    return built.samples(tuple(load_rows(dataset, source)[0] for dataset in built.datasets))


def texts(built: Task, sample: Sample) -> Iterator[tuple[str, str | None]]:
    """Context and continuation of each first request, plain text; None for a request to generate."""
    for request in built.next_requests(sample, ()):
        if isinstance(request, LoglikelihoodRequest):
            assert isinstance(request.context, str)
            yield request.context, request.continuation
        else:
            assert isinstance(request, GenerateRequest)
            assert isinstance(request.prompt, str)
            yield request.prompt, None
