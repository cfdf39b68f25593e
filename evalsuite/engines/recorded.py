"""An engine that reads answers made elsewhere: ``--model recorded --model_args path=outputs.jsonl``.

One JSON object a line: ``sample_id`` and ``text``, or ``texts`` with one entry a turn. Of a file named ``*.txt``, as
translations are exchanged, line k is the answer to row k of the one task that is run. A sample without an answer ends
unscored with the cause ``missing_response``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.canonical import content_hash
from evalsuite.engines.base import Batch, EngineOptions, one_by_one, prompt_text
from evalsuite.errors import DataError, UsageError
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Item, Request, Response, Scalar

_KEYS = {"sample_id", "text", "texts"}


class RecordedEngine:
    """Answers from a file; asks nothing of anyone."""

    name = "recorded"
    is_batch_atomic = False
    is_cacheable = False  # answers go by sample, and cost nothing
    has_chat_template = True

    def __init__(self, answers: Mapping[str, tuple[str, ...]], *, path: str, by_row: bool = False) -> None:
        self._answers = answers
        self._path = path
        self._by_row = by_row

    def identity(self) -> Mapping[str, Scalar]:
        """What the answers hash to."""
        return {"answers_sha256": content_hash(dict(self._answers)), "num_answers": len(self._answers)}

    def stack(self) -> Mapping[str, Scalar]:
        """Nothing: a file has no hardware."""
        return {}

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """Every item a batch of its own."""
        return one_by_one(items, lambda request: len(prompt_text(request).split()))

    def count_tokens(self, requests: Sequence[Request]) -> int:
        """Nothing is computed."""
        return 0

    def count_naive_tokens(self, requests: Sequence[Request]) -> int:
        """Nothing is computed."""
        return 0

    def overflow(self, request: Request) -> int:
        """Nothing is ever too long."""
        return 0

    def render(self, request: Request) -> str:
        """The request as plain text."""
        return prompt_text(request)

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """The recorded text of every item."""
        for batch in batches:
            for item in batch.items:
                yield item.id, self._answer(item)

    def _answer(self, item: Item) -> Response:
        if not isinstance(item.request, GenerateRequest):
            return Failure(
                cause=Cause.ENGINE_ERROR, detail="recorded answers are texts; this task asks log-likelihoods"
            )
        texts = self._answers.get(self._key(item.sample_id))
        if texts and not texts[-1]:
            texts = (*texts, *[""] * item.wave)  # protocols that repeat the request after an empty answer
        if texts is None or len(texts) < item.wave:
            return Failure(cause=Cause.MISSING_RESPONSE, detail=f"{self._path} has no turn {item.wave} of it")
        text = texts[item.wave - 1]
        return Completion(text=text, stop_reason="end", num_prompt_tokens=0, num_tokens=len(text.split()))

    def _key(self, sample_id: str) -> str:
        return sample_id.rpartition(":")[2] if self._by_row else sample_id

    def check_rows(self, num_rows: Mapping[str, int]) -> None:
        """Refuse a text file for several tasks, or one with another number of lines than the task has rows.

        A line too few or too many most often means that all after it are answers to other rows.
        """
        if not self._by_row:
            return
        if len(num_rows) != 1:
            asked = f"--tasks asks for {len(num_rows)}" if num_rows else "a judge's cases are no rows"
            raise UsageError(f"{self._path} has the answers to one task by row; {asked}.")
        for task, wanted in num_rows.items():
            if len(self._answers) != wanted:
                raise UsageError(f"{self._path} has {len(self._answers)} lines; {task} has {wanted} rows.")

    def cost(self, batches: Sequence[Batch]) -> None:
        """Nothing is computed."""

    def take_events(self) -> tuple[()]:
        """Nothing happens here that belongs to no answer."""
        return ()

    def close(self) -> None:
        """Nothing to let go of."""


def read_answers(path: Path) -> dict[str, tuple[str, ...]]:
    """Texts by sample id, one a turn. Raises DataError naming the line."""
    answers: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            sample_id, texts = _parse_line(line, f"{path}, line {number}")
            if answers.setdefault(sample_id, texts) != texts:
                raise DataError(f"{path}, line {number}: a second, different answer to {sample_id}.")
    return answers


def read_lines(path: Path) -> dict[str, tuple[str, ...]]:
    """The lines of a plain text file by their number, from 0. Raises DataError."""
    return {str(number): (line,) for number, line in enumerate(_lines(path))}


def _lines(path: Path) -> list[str]:
    """Lines end with a line feed alone: other breaks belong to the text (and a carriage return before it does not)."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def _parse_line(line: str, where: str) -> tuple[str, tuple[str, ...]]:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error}).") from error
    if not isinstance(row, dict) or not isinstance(row.get("sample_id"), str):
        raise DataError(f"{where}: expected an object with a string 'sample_id'.")
    if unknown := set(row) - _KEYS:
        raise DataError(f"{where}: unknown key {sorted(unknown)[0]!r}; expected sample_id and text or texts.")
    texts = row["texts"] if "texts" in row else [row.get("text")]
    if ("text" in row) == ("texts" in row) or not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
        raise DataError(f"{where}: expected either 'text', a string, or 'texts', a list of strings.")
    return row["sample_id"], tuple(texts)


def open_engine(options: EngineOptions) -> RecordedEngine:
    """The engine of ``--model recorded``. Raises UsageError without a path, DataError when it cannot be read."""
    if "path" not in options.args or set(options.args) - {"path", "name"}:
        raise UsageError(
            "--model recorded takes --model_args path=FILE.jsonl (sample_id and text or texts) and name=MODEL, "
            "what the answers are shown under."
        )
    path = Path(str(options.args["path"]))
    if path.suffix == ".txt":
        return RecordedEngine(read_lines(path), path=str(path), by_row=True)
    return RecordedEngine(read_answers(path), path=str(path))
