"""The chat benchmarks' samples on the mirror, and their raw files read without evalsuite."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from evalsuite.contracts import Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.plugins import family
from evalsuite.types import Completion, GenerateRequest, Replies, Sample, StopReason


@cache
def task(name: str, **options: Any) -> Task:
    return family(name).build(name, TaskOptions(**options))


@cache
def samples(mirror: Path, name: str) -> tuple[Sample, ...]:
    built, source = task(name), DataSource(mirror=mirror, hub=False)
    return built.samples(tuple(load_rows(dataset, source)[0] for dataset in built.datasets))


def raw_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines, whatever its name."""
    return [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n") if line]


def answer(text: str, stop_reason: StopReason = "end") -> Completion:
    return Completion(text=text, stop_reason=stop_reason, num_prompt_tokens=1, num_tokens=1)


def replies(*texts: str) -> Replies:
    """One answer a wave."""
    return tuple((answer(text),) for text in texts)


def asked(built: Task, sample: Sample, *texts: str) -> GenerateRequest:
    """The one request that follows the answers `texts`."""
    (request,) = built.next_requests(sample, replies(*texts))
    assert isinstance(request, GenerateRequest)
    return request


def conversation(request: GenerateRequest) -> list[tuple[str, str]]:
    assert not isinstance(request.prompt, str)
    return [(message.role, message.content) for message in request.prompt]


def digest(conversations: Iterable[list[tuple[str, str]] | str]) -> str:
    """sha256 of conversations as JSON, each with a line feed after it.

    The values that tests expect of whole tasks were computed by a script that read the raw file with json alone.
    """
    text = "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in conversations)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
