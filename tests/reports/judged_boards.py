"""Runs of small chats, their answers judged by functions whose verdicts can be told from the answers' texts."""

from __future__ import annotations

import hashlib
import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.cli.main import main
from evalsuite.engines.scripted import completion
from evalsuite.judge_cards import CardLimits, CardRate, JudgeCard, LengthSlope
from evalsuite.types import GenerateRequest, Request, Response


def _text(request: Request) -> str:
    assert isinstance(request, GenerateRequest)
    return request.prompt if isinstance(request.prompt, str) else "\n".join(turn.content for turn in request.prompt)


def _draw(*parts: str) -> int:
    return hashlib.sha256(" ".join(parts).encode()).digest()[0]


# -- who answers: a grade from 1 to 9 that every answer tells, and words enough


def _answer(name: str, grade: int, request: Request) -> Response:
    draw = _draw(name, request.key)
    return completion(f"{name} has grade{max(1, min(9, grade + draw % 3 - 1))}" + " and more" * (draw % 7))


def ash(request: Request) -> Response:
    return _answer("ash", 7, request)


def birch(request: Request) -> Response:
    return _answer("birch", 5, request)


def larch(request: Request) -> Response:
    return _answer("larch", 3, request)


# -- who judges


def _grades(text: str) -> list[int]:
    return [int(digit) for digit in re.findall(r"has grade(\d)", text)]


def fair(request: Request) -> Response:
    """Rates by grade and a little by length."""
    text = _text(request)
    return completion(f"So be it.\nRating: [[{_grades(text)[-1] + min(1, text.count(' and more') // 4)}]]")


def vain(request: Request) -> Response:
    """Rates as `fair` does, but half of the answers of `ash` two points higher, by the length of the text."""
    text = _text(request)
    more = 2 if "ash has" in text and len(text) % 2 else 0
    return completion(f"So be it.\nRating: [[{min(10, _grades(text)[-1] + more)}]]")


def shy(request: Request) -> Response:
    """Gives no verdict of odd grades."""
    (grade, *_) = _grades(_text(request))
    return completion("I would rather not say." if grade % 2 else f"It is so.\n[[{grade}]]")


def _two(request: Request) -> tuple[int, int]:
    """The grades of both answers, of all turns together."""
    found = _grades(_text(request))
    half = len(found) // 2
    return sum(found[:half]), sum(found[half:])


def first(request: Request) -> Response:
    """Prefers the higher grade, and of grades at most two apart what it is shown first."""
    one, other = _two(request)
    return completion(f"It is better.\n[[{'A' if one >= other - 2 else 'B'}]]")


def second(request: Request) -> Response:
    """Prefers the higher grade, and is content with neither of equal ones."""
    one, other = _two(request)
    return completion(f"It is better.\n[[{'A' if one > other else 'B' if other > one else 'C'}]]")


def coy(request: Request) -> Response:
    """Prefers as `second` does, and gives no verdict of a third of the texts, by their length."""
    return completion("I would rather not say.") if len(_text(request)) % 3 == 0 else second(request)


def chinese(request: Request) -> Response:
    """Fills in the dictionary that AlignBench's judge asks for."""
    text = _text(request)
    found = text[text.rindex("{'") : text.rindex("}") + 1]
    return completion(found.replace("N", str(_grades(text)[-1])))


def classes(request: Request) -> Response:
    """Gives a score from 0 to 1, as BELLE's judge is asked to."""
    return completion(f"得分：0.{_grades(_text(request))[-1]}")


# -- runs


def answered(folder: Path, name: str, *arguments: object) -> Path:
    """A run in which the function `name` answers."""
    return _done("run", *_model(name, name), *arguments, "-o", folder, "--json")


def judged(folder: Path, judge: str, by: str, *runs: Path, name: str = "") -> Path:
    """A run in which the function `by`, called `name`, judges `runs`."""
    return _done("score", *runs, "--judge", judge, *_model(by, name or by), "-o", folder, "--json")


def _model(function: str, name: str) -> tuple[str, ...]:
    return ("--model", "scripted", "--model_args", f"function=judged_boards:{function},name={name}")


def _done(*arguments: object) -> Path:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = main(list(map(str, arguments)))
    assert code in (0, 3), "replies without a verdict leave a run incomplete"
    return Path(json.loads(out.getvalue().splitlines()[-1])["path"])


# -- cards


def rate(value: float | None, name: str = "", n: int = 10, num_unscored: int = 0) -> CardRate:
    """A rate whose interval reaches a tenth to either side."""
    ends = (None, None) if value is None else (max(0.0, value - 0.1), min(1.0, value + 0.1))
    return CardRate(name=name, value=value, low=ends[0], high=ends[1], n=n, num_unscored=num_unscored)


def card(model: str, judge: str = "rating", language: str = "en", **changed: Any) -> JudgeCard:
    """A card without a fault, but for what is `changed`."""
    is_pair = judge == "pairwise"
    found = JudgeCard(
        judge=judge, protocol=f"{judge}-v1", model=model, language=language, num_cases=130, parse_rate=rate(1.0, n=130),
        decent=rate(0.9), attacks=rate(0.1, n=50), kinds=(rate(0.2, "order", 7), rate(0.1, "bidi", 3)),
        nulls=(rate(0.0, "praise"), rate(0.1, "dots")),
        length_slope=LengthSlope(per_doubling=0.02, stderr=0.01, low=-0.01, high=0.05, n=20, num_unscored=0),
        swap_consistency=rate(0.9) if is_pair else None, first_position=rate(0.55) if is_pair else None,
        limits=CardLimits(), faults=(), is_admissible=True,
    )  # fmt: skip
    return msgspec.structs.replace(found, **changed)


def write_cards(path: Path, *cards: JudgeCard) -> Path:
    """The file that `evalsuite judge card` writes."""
    path.write_bytes(msgspec.json.encode({one.language: one for one in cards}))
    return path
