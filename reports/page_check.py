"""Whether a leaderboard page is what it says: its seal, its numbers, its script and tables, and the runs it is of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from evalsuite import __version__
from evalsuite.boards.board_file import board_json, file_beside
from evalsuite.boards.checking import board_findings, check_board
from evalsuite.boards.evidence import PageData, runs_again
from evalsuite.boards.loading import LoadedRun, load_runs
from evalsuite.boards.records import Run
from evalsuite.boards.redacting import MARK, as_redacted
from evalsuite.boards.sample_records import TaskSamples
from evalsuite.boards.sample_views import samples_of
from evalsuite.canonical import canonical_json
from evalsuite.errors import CorruptStore
from evalsuite.proofs.findings import Finding, differences
from evalsuite.records import RunResult

from .leaderboard import all_messages, render_board
from .page_parts import MESSAGES, SEAL, StoredPage, changed_parts, code_hash, parts_of, read_page, skeleton


@dataclass(frozen=True)
class PageCheck:
    """What was found about a page: every place that is not what it should be, and what was not looked at.

    With `is_form_known` False other code wrote the page, so that its script and tables could not be compared.
    `seal` is the hash that stands for all that the page says, empty where it cannot be read; `num_runs` of its runs
    were held against their directories.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    seal: str = ""
    num_models: int = 0
    num_samples: int = 0
    num_numbers: int = 0
    num_runs: int = 0
    is_form_known: bool = True


def check(path: Path, runs: Sequence[Path] = ()) -> PageCheck:
    """Make the page at `path` again from its own data, and from those of its runs that are among `runs`.

    Raises DataError for a file that is no leaderboard, SpecMismatch or CorruptStore for a run that cannot be read.
    """
    loaded = load_runs(runs)
    try:
        page = read_page(path)
        seal, data = page.seal, page.data()
    except CorruptStore as error:
        return PageCheck((Finding(file=path.name, stored=str(error)),))
    known = [run for run in loaded if run.result.run_id in {one.id for one in data.board.runs}]
    numbers = check_board(data)
    findings = [*_of_seal(page, data), *_of_strays(path, page), *numbers.findings]
    if not numbers.findings:
        findings += _of_runs(data, known)  # else its runs cannot be relied on to be told apart
    is_known = seal.code == code_hash()
    if is_known:
        findings += [*_of_form(path, page, data), *_of_file(file_beside(path), data)]
    return PageCheck(
        findings=tuple(findings),
        notes=tuple(_notes(data, numbers.stated, len(loaded) - len(known), is_known=is_known)),
        is_form_known=is_known,
        seal=seal.hash,
        num_models=len(data.board.runs),
        num_samples=numbers.num_samples,
        num_numbers=numbers.num_numbers,
        num_runs=len(known),
    )


def _notes(data: PageData, stated: Sequence[str], num_others: int, *, is_known: bool) -> Iterator[str]:
    if stated:
        yield f"taken as stated: {'; '.join(stated)}"
    if data.board.redactions:
        yield f"redacted: what stands in texts for {MARK} ({data.board.redactions} times) was not compared"
    if not is_known:
        yield (
            f"written by evalsuite {data.board.evalsuite}, and this is {__version__}: its script, words and static "
            "tables were not compared"
        )
    if num_others:
        yield f"{num_others} of the runs given are not in the page"


# -- the seal, and the form in which parts are written


def _of_strays(path: Path, page: StoredPage) -> Iterator[Finding]:
    """Data beside a page in the folder form that is none of its parts: texts that it leaves out, perhaps."""
    if "samples-0" in page.inside:
        return
    own = {*page.files.values()}
    for file in sorted((path.parent / "data").glob("samples-*.js")):
        if file.stem not in own:
            yield Finding(file=f"data/{file.name}", stored="it is no part of the page, and lies beside it")


def _of_seal(page: StoredPage, data: PageData) -> Iterator[Finding]:
    for name, stated, found in changed_parts(page):
        yield Finding(file=SEAL, field=f"parts.{name}", stored=stated or "nothing", recomputed=found or "nothing")
    kept, more = parts_of(data, page.parts.get(MESSAGES, ""))
    for part in (*kept, *more):
        if page.parts.get(part.name) != part.json:
            for place, was, now in differences(page.parts.get(part.name), part.json, "form"):
                yield Finding(file=part.name, field=place, stored=was, recomputed=now)
    if page.parts[SEAL] != canonical_json(page.seal):
        yield Finding(file=SEAL, field="form", stored="not in the form in which seals are written")
    if f'<meta name="evalsuite-seal" content="{page.seal.hash}">' not in page.html:
        yield Finding(file=SEAL, field="hash", stored="not the one at the head of the page", recomputed=page.seal.hash)


def _of_form(path: Path, stored: StoredPage, data: PageData) -> Iterator[Finding]:
    """All that is no data: policy, script, style, words, static tables."""
    again = render_board(data, stored.seal.page).html
    lines = zip_longest(skeleton(stored.html).split("\n"), skeleton(again).split("\n"), fillvalue="")
    for number, (was, now) in enumerate(lines, start=1):
        for place, before, after in differences(was, now, f"line {number}"):
            yield Finding(file=path.name, field=place, stored=before, recomputed=after)
    for place, before, after in differences(stored.parts[MESSAGES], all_messages(), "words"):
        yield Finding(file=MESSAGES, field=place, stored=before, recomputed=after)


def _of_file(path: Path, data: PageData) -> Iterator[Finding]:
    """The data for programs, where they lie beside the page."""
    if not path.exists():
        return
    found, should = path.read_bytes(), board_json(data.board)
    if found == should.encode("ascii"):
        return
    try:
        before = json.loads(found)
    except ValueError as error:
        yield Finding(file=path.name, field="form", stored=f"no JSON: {error}")
        return
    changes = [*differences(before, json.loads(should))]
    for place, was, now in changes or [("form", "not in the form in which it is written", "")]:
        yield Finding(file=path.name, field=place, stored=was, recomputed=now)


# -- the runs


def _of_runs(data: PageData, runs: Sequence[LoadedRun]) -> Iterator[Finding]:
    """What the page says of `runs` that their directories do not."""
    if not runs:
        return
    by_id = {run.result.run_id: run for run in runs}
    for place, (stated, found) in enumerate(zip(data.board.runs, data.evidence.runs, strict=True)):
        run = by_id.get(stated.id)
        if run is not None:
            yield from _of_run(data, place, stated, found.result, run)
    again = tuple(_as_stated(by_id.get(run.result.run_id, run), run) for run in runs_again(data))
    yield from board_findings(data.board, again)


def _as_stated(run: LoadedRun, stated: LoadedRun) -> LoadedRun:
    """A run with the clock of the page: a clock is no part of what is verified."""
    return replace(run, measured=stated.measured, started=stated.started)


def _of_run(data: PageData, place: int, stated: Run, result: RunResult, run: LoadedRun) -> Iterator[Finding]:
    hashes = {"manifest_sha256": run.hashes.manifest, "samples_root": run.hashes.samples_root}
    for name, found in hashes.items():
        if getattr(stated, name) != found:
            yield Finding(file="board", task=run.name, field=name, stored=getattr(stated, name), recomputed=found)
    for field, was, now in differences(result, run.result, "result"):
        yield Finding(file="results", task=run.name, field=field, stored=was, recomputed=now)
    for task, samples in zip(data.board.tasks, data.samples, strict=True):
        if place in samples.runs and task.name in run.specs:
            own = samples_of([run], task.name, kept=data.board.samples_kept, is_shown=task.is_shown)
            yield from _of_samples(
                run.name, _answers(samples, place), _answers(own, 0), is_redacted=data.board.redactions > 0
            )


def _of_samples(name: str, stated: Answers, found: Answers, *, is_redacted: bool) -> Iterator[Finding]:
    for sample in dict.fromkeys((*found, *stated)):
        facts, answer = stated.get(sample, ({}, None))
        own_facts, own_answer = found.get(sample, ({}, None))
        if is_redacted:
            own_facts, own_answer = as_redacted(facts, own_facts), as_redacted(answer, own_answer)
        # of texts that are kept for another run's sake this run alone says nothing
        facts = facts if own_facts.get("input") else {key: facts[key] for key in own_facts if key in facts}
        for field, was, now in differences(
            {"facts": facts, "answer": answer}, {"facts": own_facts, "answer": own_answer}
        ):
            yield Finding(file="samples", task=name, sample=sample, field=field, stored=was, recomputed=now)


Answers = Mapping[str, tuple[dict[str, Any], Any]]
"""By sample its facts and a run's answer, prompts being texts."""


def _answers(samples: TaskSamples, place: int) -> Answers:
    found = {}
    for facts, answer in zip(samples.samples, samples.answers[samples.runs.index(place)], strict=True):
        if answer is not None:
            plain = msgspec.to_builtins(answer)
            for reply in plain.get("replies", ()):
                reply["prompt"] = samples.prompts[reply["prompt"]]
            bare = msgspec.structs.replace(facts, id=facts.sample_id, variant=0)
            found[facts.sample_id] = (msgspec.to_builtins(bare), plain)
    return found
