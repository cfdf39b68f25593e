"""A report as GitHub's Markdown: a job's summary and a pull request's comment, each kept below its limit. Pure.

Names come from models, data sets and plugins. They are shown as code and spelt in character references, so that none
is a link, a mention of a person, a reference to an issue, HTML or the end of a table's cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.telling import Numbers, Standing, headline, numbers_of, reason_of, standing_of, worst_first
from evalsuite.text.visible import visible_line

SUMMARY_BYTES = 900_000
"""GitHub takes 1 MiB a step, together with what the step wrote before."""

COMMENT_BYTES = 60_000
"""GitHub takes 65,536 characters."""

MARKER = "<!-- evalsuite gate -->"
"""Begins a comment, so that the next run finds it and writes it anew in place of adding another."""

_SHOWN = 10
_MOST_WARNINGS = 20
_SIGNS: dict[Standing, str] = {
    "failed": "❌ failed",
    "not evaluated": "❗ not evaluated",
    "undecided": "❓ inconclusive (strict)",
    "warned": "⚠️ warning only",
    "waived": "⚠️ waived",
    "inconclusive": "❔ inconclusive",
    "passed": "✅ passed",
}
_VERDICTS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "error": "❗"}
_HEADS = ("verdict", "gate", "metric", "baseline", "candidate", "difference or value, 95 % interval", "allowed", "n",
          "samples", "why")  # fmt: skip
_JOINER = "\u2060"
_REFERENCE = re.compile(r"(?<=[@#!$%~&^])(?=[\w\"])|(?<=:)(?=//|[\w+-]+:)|(?<=\bGH-)(?=\d)|(?<=\bwww\.)")
_PLAIN = re.compile(r":(?! )|[^A-Za-z0-9 .,;:%'()+/=\-\u0080-\U0010ffff]")
_CLOSING = "</details>"


def summary_text(report: GateReport, most_bytes: int = SUMMARY_BYTES) -> str:
    """All gates, the worst ten first and the rest folded away, in `most_bytes` of UTF-8 at most."""
    return cut(_lines(report), most_bytes, report)


def comment_text(report: GateReport, most_bytes: int = COMMENT_BYTES) -> str:
    """A pull request's comment, which begins with `MARKER`."""
    return cut([MARKER, *_lines(report)], most_bytes, report)


def cut(lines: Iterable[str], most_bytes: int, report: GateReport) -> str:
    """As many whole `lines` as fit, with a note where some are left out; what is folded away is closed again."""
    kept: list[str] = []
    every = list(lines)
    note = f"\nCut here to keep within {most_bytes:,} bytes; all {len(report.gates)} gates are in `gate.json`."
    room = most_bytes - len(note.encode()) - len(_CLOSING) - 8
    used, is_open = 0, False
    for index, line in enumerate(every):
        size = len(line.encode("utf-8", "replace")) + 1
        if used + size > (most_bytes if index == len(every) - 1 else room):
            kept += ["", *([_CLOSING] if is_open else []), note]
            break
        kept.append(line)
        used += size
        is_open = line.startswith("<details>") or (is_open and not line.startswith(_CLOSING))
    return "\n".join(kept) + "\n"


def _lines(report: GateReport) -> Iterator[str]:
    gates = worst_first(report)
    yield f"## {_VERDICTS[report.verdict]} evalsuite gate: {headline(report)}"
    yield ""
    yield (
        f"baseline {code(report.baseline.label)} run {code(report.baseline.run_id)} · candidate "
        f"{code(report.candidate.label)} run {code(report.candidate.run_id)} · rules {code(report.file)}"
    )
    if report.baseline_reason:
        yield ""
        yield f"The baseline's reason: {prose(report.baseline_reason)}"
    yield ""
    yield from _table(gates[:_SHOWN])
    if gates[_SHOWN:]:
        yield ""
        yield f"<details><summary>{len(gates) - _SHOWN} more gates</summary>"
        yield ""
        yield from _table(gates[_SHOWN:])
        yield ""
        yield _CLOSING
    yield from _listed("Not comparable", _refusals(report))
    yield from _listed("Notes", [prose(warning) for warning in report.warnings])
    yield ""
    yield (
        "A gate fails where the loss is real and at least what is allowed, and passes where such a loss can be ruled "
        "out; anything else is inconclusive. Intervals are of 95 %, samples paired."
    )


def _table(gates: Sequence[tuple[str, GateResult]]) -> Iterator[str]:
    yield f"| {' | '.join(_HEADS)} |"
    yield "|" + "---|" * len(_HEADS)
    for name, gate in gates:
        numbers = numbers_of(gate)
        cells = (
            _SIGNS[standing_of(gate)], code(name), code(gate.metric), numbers.before, numbers.now, _moved(numbers),
            numbers.allowed, numbers.n, numbers.flips, prose(reason_of(gate)),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _moved(numbers: Numbers) -> str:
    return " ".join(part for part in (numbers.moved, numbers.interval and f"({numbers.interval})") if part)


def _refusals(report: GateReport) -> list[str]:
    return [f"{code(' '.join((one.task, one.metric)).strip())}: {prose('; '.join(one.reasons))}"
            for one in report.refused]  # fmt: skip


def _listed(title: str, entries: Sequence[str]) -> Iterator[str]:
    if entries:
        yield ""
        yield f"**{title}**"
        yield ""
        yield from (f"- {entry}" for entry in entries[:_MOST_WARNINGS])
        if entries[_MOST_WARNINGS:]:
            yield f"- and {len(entries) - _MOST_WARNINGS} more"


def code(text: str) -> str:
    """`text` as code that says nothing to Markdown, HTML or GitHub; a dash where there is none."""
    return f"<code>{prose(text, 200)}</code>" if text else "–"


def prose(text: str, most: int = 600) -> str:
    """`text` of at most `most` characters, on one line, that says nothing to Markdown, HTML or GitHub."""
    parted = _REFERENCE.sub(_JOINER, visible_line(text, most))
    return _PLAIN.sub(lambda found: f"&#{ord(found[0])};", parted)
