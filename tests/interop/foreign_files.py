"""Rows as FastChat and AlpacaEval write them, built by the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from evalsuite.interop.json_files import Row

NAMES = ("writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities")


def template(mode: str, question: int, turn: int) -> str:
    """The official template's name for a question's turn."""
    plain = "single-v1" if mode == "single" else "pair-v2"
    with_reference = 101 <= question <= 130
    return (f"{mode}-math-v1" if with_reference else plain) + ("" if turn == 1 else "-multi-turn")


def single(question: int = 81, turn: int = 1, score: Any = 8, model: str = "m", **changes: Any) -> dict[str, Any]:
    """A judgment of one answer."""
    row = {
        "question_id": question,
        "model": model,
        "judge": ["gpt-4", template("single", question, turn)],
        "user_prompt": f"Rate answer {turn} to {question}.",
        "judgment": f"Fair enough. Rating: [[{score}]]",
        "score": score,
        "turn": turn,
        "tstamp": 1687000000.5,
    }
    return {**row, **changes}


def pair(question: int = 81, turn: int = 1, first: str = "model_1", second: str = "", **changes: Any) -> dict[str, Any]:
    """A judgment of two answers, by both orders."""
    row = {
        "question_id": question,
        "model_1": "a",
        "model_2": "b",
        "g1_winner": first,
        "g2_winner": second or first,
        "judge": ["gpt-4", template("pair", question, turn)],
        "g1_user_prompt": "a before b",
        "g1_judgment": "one",
        "g2_user_prompt": "b before a",
        "g2_judgment": "two",
        "turn": turn,
        "tstamp": 1687000000.5,
    }
    return {**row, **changes}


def answer(question: int = 81, turns: Sequence[Any] = ("First.", "Second."), **changes: Any) -> dict[str, Any]:
    """A model's answer to both turns of a question."""
    row = {
        "question_id": question,
        "answer_id": f"id-{question}",
        "model_id": "m",
        "choices": [{"index": 0, "turns": list(turns)}],
        "tstamp": 1687000000.5,
    }
    return {**row, **changes}


def annotation(number: int = 0, preference: Any = 2, **changes: Any) -> dict[str, Any]:
    """An AlpacaEval annotation of one instruction."""
    row = {
        "instruction": f"Instruction {number}",
        "output_1": "Theirs.",
        "generator_1": "baseline",
        "dataset": "koala",
        "output_2": "Ours.",
        "generator_2": "m",
        "annotator": "judge",
        "preference": preference,
    }
    return {**row, **changes}


def output(number: int = 0, text: str = "Ours.", **changes: Any) -> dict[str, Any]:
    """A model's output to one instruction."""
    row = {"dataset": "koala", "instruction": f"Instruction {number}", "output": text, "generator": "m"}
    return {**row, **changes}


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    """One JSON value a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_list(path: Path, rows: Iterable[Any]) -> Path:
    """One JSON list."""
    path.write_text(json.dumps(list(rows), indent=2), encoding="utf-8")
    return path


def rows_of(values: Iterable[dict[str, Any]]) -> tuple[Row, ...]:
    """`values` as they are read from a file called ``f``."""
    return tuple(Row(json.loads(json.dumps(value)), f"f, line {line}") for line, value in enumerate(values, start=1))
