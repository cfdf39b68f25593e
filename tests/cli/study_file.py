"""A file of votes as `evalsuite annotate export` writes it, of a made-up study: what is in it is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from evalsuite.canonical import canonical_json
from evalsuite.votes import ACCEPTABILITY, VOTES_VERSION, Choice, Form, Vote, VoteHeader

SYSTEMS = ("النموذج", "$x^2$ <b>")
CHOICES = (Choice.LEFT, Choice.LEFT, Choice.TIE_GOOD, Choice.RIGHT, Choice.TIE_BAD, Choice.LEFT, Choice.RIGHT)


def votes() -> Iterator[Vote]:
    """Twelve prompts in Arabic and Hindi, three raters on each; repeats, known answers, a skip and a changed mind."""
    for language in ("ar", "hi"):
        for prompt in range(12):
            for rater in range(3):
                yield _vote(language, prompt, f"{language}-{rater}", CHOICES[(prompt * 3 + rater * 2) % len(CHOICES)])
        for rater in range(3):
            yield from _checks(language, f"{language}-{rater}")


def _vote(language: str, prompt: int, rater: str, choice: Choice, **more: object) -> Vote:
    is_swapped = (prompt + len(rater)) % 2 == 1
    left, right = SYSTEMS[::-1] if is_swapped else SYSTEMS
    levels = _levels(prompt, int(rater[-1]))
    fields: dict[str, object] = {
        "study": "made-up", "assignment": f"{language}/{prompt}/{rater}", "revision": 1, "item": f"p{prompt}",
        "group": f"p{prompt}", "language": language, "system_left": left, "system_right": right, "choice": choice,
        "rater": rater, "shown_at": f"2026-11-22T08:{prompt:02}:00Z", "cast_at": f"2026-11-22T08:{prompt:02}:30Z",
        "quality_left": levels[left], "quality_right": levels[right], "seconds": 20.0 + prompt,
        "form_left": Form(num_graphemes=200), "form_right": Form(num_graphemes=300), **more,
    }  # fmt: skip
    return Vote(**fields)  # type: ignore[arg-type]


def _levels(prompt: int, rater: int) -> dict[str, str]:
    """The first system is mostly acceptable, the second mostly not."""
    first = ("good", "acceptable", "acceptable", "flawed")[(prompt + rater) % 4]
    return {SYSTEMS[0]: first, SYSTEMS[1]: ("flawed", "unusable", "good", "flawed")[(prompt * 3 + rater) % 4]}


def _checks(language: str, rater: str) -> Iterator[Vote]:
    """What is no comparison: a skip, a vote that was changed before, four known answers, one pair shown again."""
    yield _vote(language, 20, rater, Choice.SKIP, quality_left="", quality_right="")
    yield _vote(language, 0, rater, Choice.RIGHT, revision=0)
    for gold in range(4):
        right = Choice.LEFT if gold % 2 else Choice.RIGHT
        said = right if not rater.endswith("2") else right.mirrored
        yield _vote(language, 30 + gold, rater, said, is_gold=True, expected=right)
    first = _vote(language, 1, rater, Choice.LEFT)
    yield _vote(language, 1, rater, Choice.RIGHT, assignment=f"{language}/again/{rater}", repeat_of=first.assignment,
                system_left=first.system_right, system_right=first.system_left)  # fmt: skip


def write(path: Path, rows: Sequence[Vote] | None = None) -> Path:
    """The file, with its head and checksum."""
    rows = list(votes()) if rows is None else rows
    body = "".join(canonical_json(row) + "\n" for row in rows).encode()
    head = VoteHeader(
        evalsuite_votes=VOTES_VERSION, study="made-up", exported_at="2026-11-22T09:00:00Z", num_votes=len(rows),
        scale=ACCEPTABILITY, sha256=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip
    path.write_bytes((canonical_json(head) + "\n").encode() + body)
    return path
