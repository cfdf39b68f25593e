"""The engine of ``--model external``: a neural metric in an environment of its own scores translations.

Packages of metrics pin libraries that cannot stand beside ours, so another Python runs them: a worker, one script,
started once. Both sides speak JSON, a line each. The worker's first line says that it is ready, and what it is; then
it gets translations in batches and answers each with a number or with why there is none. What it wrote otherwise, or
left out, is no score.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.engines.base import Batch, EngineOptions, Event, drained, prompt_text
from evalsuite.engines.external_process import WorkerProcess
from evalsuite.engines.external_settings import WorkerSettings, child_environment, read_settings
from evalsuite.errors import EngineFailed, ModelUnreadable, UsageError
from evalsuite.records import SERVER_VERSION
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Item, Request, Response, Scalar

_TEXTS = {"src", "mt", "ref"}
_BATCHES_AT_ONCE = 8
"""Batches of the worker's that are handed over together: a metric sorts them by length, and starting on them costs."""

_BYTES_A_TOKEN = 3
_MAX_QUOTED = 200
_MAX_DETAIL = 500


@dataclass(frozen=True)
class _Running:
    """A worker that is ready, and what its first line said of it."""

    process: WorkerProcess
    about: Mapping[str, Scalar]


class ExternalEngine:
    """Sends translations to a worker and makes replies of its numbers."""

    name = "external"
    is_cacheable = False  # a name does not say which weights the worker found behind it
    has_chat_template = True

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._running: _Running | None = None
        self._events: list[Event] = []
        self.is_batch_atomic = settings.batch_size > 1  # what is padded together moves the last bits

    def identity(self) -> Mapping[str, Scalar]:
        """The script, by its content, and what it is told; not where Python is, which is another place elsewhere."""
        settings = self._settings
        return {
            "metric": settings.metric,
            "model": settings.model,
            "script_sha256": settings.script_sha256,
            "batch_size": settings.batch_size,
            **{f"extra_{key}": value for key, value in settings.extra},
        }

    def stack(self) -> Mapping[str, Scalar]:
        """What the worker says of itself, known once it is ready; as a server's version, so that a change is noticed.

        Raises ModelUnreadable or EngineFailed when it does not get that far.
        """
        about = dict(self._started().about)
        version = f"{about.pop('name')} {about.pop('version')}".strip()
        return {**about, SERVER_VERSION: version}

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """The items by length, the longest first, some batches of the worker's at a time.

        Raises UsageError for what is no translation to be scored.
        """
        lengths = {item.id: sum(map(len, segment_of(item.request).values())) for item in items}
        ordered = sorted(items, key=lambda item: (-lengths[item.id], item.id))
        size = self._settings.batch_size * _BATCHES_AT_ONCE
        groups = [tuple(ordered[start : start + size]) for start in range(0, len(ordered), size)]
        return tuple(
            Batch(index, group, self.count_tokens([item.request for item in group]))
            for index, group in enumerate(groups)
        )

    def count_tokens(self, requests: Sequence[Request]) -> int:
        """A guess by length: only the worker has the tokenizer."""
        return sum(len(prompt_text(one).encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN for one in requests)

    def count_naive_tokens(self, requests: Sequence[Request]) -> int:
        """The same: nothing is shared."""
        return self.count_tokens(requests)

    def cost(self, batches: Sequence[Batch]) -> None:
        """Nothing is computed in this process."""

    def overflow(self, request: Request) -> int:
        """Not known here; metrics cut what is too long."""
        return 0

    def render(self, request: Request) -> str:
        """The request as plain text."""
        return prompt_text(request)

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """The number for every item as text, or why there is none.

        Raises ModelUnreadable or EngineFailed when the worker does not start, ends, falls silent or says what nobody
        asked.
        """
        try:
            for batch in batches:
                if batch.items:
                    yield from self._scores(self._started().process, batch.items)
        except BaseException:  # whatever ends it: what the worker may still say belongs to no question
            self.close()
            raise

    def take_events(self) -> Sequence[Event]:
        """The end of a failed worker's standard error, since the last call."""
        return drained(self._events)

    def close(self) -> None:
        """End the worker."""
        if self._running is not None:
            running, self._running = self._running, None
            running.process.end()

    # -- the worker

    def _started(self) -> _Running:
        """The worker, ready. Raises ModelUnreadable or EngineFailed."""
        if self._running is None:
            try:
                process = WorkerProcess(self._settings.command, child_environment(os.environ))
            except (OSError, ValueError) as error:
                raise UsageError(f"--model_args python={self._settings.python} cannot be started: {error}.") from error
            try:
                self._running = _Running(process, self._first_line(process))
            except BaseException:
                process.end()
                raise
        return self._running

    def _first_line(self, process: WorkerProcess) -> Mapping[str, Scalar]:
        """What a worker that is ready says of itself."""
        try:
            line = process.receive(self._settings.timeout_s)
        except TimeoutError:
            raise self._failed(
                process,
                f"was not ready within {self._settings.timeout_s:g} s; --model_args timeout=SECONDS gives it longer",
            ) from None
        if not line:
            told = f"ended before it was ready ({process.how_it_ended()}){self._last_words(process)}"
            raise ModelUnreadable(f"the worker {self._settings.script.name} {told}.")
        found = self._object(process, line)
        if found.get("ready") is True and all(isinstance(found.get(key), str) for key in ("name", "version")):
            return {key: value for key, value in found.items() if key != "ready" and isinstance(value, str | int)}
        if isinstance(found.get("error"), str):
            raise ModelUnreadable(f"the worker {self._settings.script.name} says: {found['error'][:_MAX_DETAIL]}")
        raise self._failed(process, f'wrote {_quoted(line)}, not {{"ready": true, "name": TEXT, "version": TEXT}}')

    def _scores(self, process: WorkerProcess, items: Sequence[Item]) -> Iterator[tuple[str, Response]]:
        """The answers to one batch, as they come; of an item left out, that it was."""
        last = items[-1].id
        for item in items:
            process.send(json.dumps({"id": item.id, **segment_of(item.request), "last": item.id == last}))
        waiting = {item.id for item in items}
        while last in waiting:
            found = self._answer(process, [item.id for item in items if item.id in waiting])
            item_id = found.get("id")
            if item_id is None and "error" in found:
                raise self._failed(process, f"says: {str(found['error'])[:_MAX_DETAIL]}")
            if not isinstance(item_id, str) or item_id not in waiting:
                raise self._failed(process, f"answered {_quoted(item_id)}, which was not asked or is answered already")
            waiting.discard(item_id)
            yield item_id, response_of(found)
        for item in items:
            if item.id in waiting:
                why = "the worker answered the last translation of the batch, and never this one"
                yield item.id, Failure(cause=Cause.MISSING_RESPONSE, detail=why)

    def _answer(self, process: WorkerProcess, waiting: Sequence[str]) -> Mapping[str, Any]:
        """Its next line. Raises EngineFailed when none comes."""
        left = f"{len(waiting)} translations without an answer, the first {waiting[0]}"
        try:
            line = process.receive(self._settings.timeout_s)
        except TimeoutError:
            raise self._failed(process, f"has been silent for {self._settings.timeout_s:g} s, with {left}") from None
        if not line:
            raise self._failed(process, f"ended ({process.how_it_ended()}), with {left}")
        return self._object(process, line)

    def _object(self, process: WorkerProcess, line: bytes) -> Mapping[str, Any]:
        """A line as the JSON object it must be. Raises EngineFailed."""
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        raise self._failed(process, f"wrote {_quoted(line)} to standard output, which is for JSON objects only")

    def _failed(self, process: WorkerProcess, what: str) -> EngineFailed:
        self._events.append(Event("worker_failed", {"what": what, "stderr": process.last_words()}))
        return EngineFailed(f"the worker {self._settings.script.name} {what}{self._last_words(process)}.")

    def _last_words(self, process: WorkerProcess) -> str:
        """What it wrote to standard error, for a message; empty where it wrote nothing."""
        words = process.last_words()
        return f"; it wrote: {words}" if words else ""


def segment_of(request: Request) -> dict[str, str]:
    """The texts of a request of the judges segment_scores and segment_errors. Raises UsageError for any other."""
    if isinstance(request, GenerateRequest) and len(request.prompt) == 1 and not isinstance(request.prompt, str):
        try:
            found = json.loads(request.prompt[0].content)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and set(found) == _TEXTS and all(isinstance(text, str) for text in found.values()):
            return found
    raise UsageError(
        "--model external scores translations and nothing else: evalsuite score RUN --judge segment_scores "
        "(or segment_errors, where lower is better)."
    )


def response_of(found: Mapping[str, Any]) -> Response:
    """A worker's answer as a reply: the number as text, or a failure where it gives none that is finite."""
    if "error" in found:
        return Failure(cause=Cause.ENGINE_ERROR, detail=f"the worker says: {found['error']}"[:_MAX_DETAIL])
    score = found.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float):
        return Failure(cause=Cause.ENGINE_ERROR, detail=f"the worker's score is {_quoted(score)}, not a number")
    try:
        value = float(score)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        return Failure(cause=Cause.ENGINE_ERROR, detail=f"the worker's score is {value}, not a finite number")
    return Completion(text=repr(value), stop_reason="end", num_prompt_tokens=0, num_tokens=1)


def _quoted(found: object) -> str:
    text = found.decode("utf-8", "replace").strip() if isinstance(found, bytes) else found
    shown = repr(text)
    return shown if len(shown) <= _MAX_QUOTED else shown[: _MAX_QUOTED - 1] + "…"


def open_engine(options: EngineOptions) -> ExternalEngine:
    """The engine of ``--model external``. Raises UsageError for arguments it does not take."""
    return ExternalEngine(read_settings(options))
