"""A run's directory held against itself: manifest, spec, result and samples must tell one story.

No task is needed for this. Every difference is a finding; what cannot be read at all is one too. Plan and journal are
read by `stored_answers`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evalsuite.canonical import canonical_json, content_hash
from evalsuite.errors import CorruptStore, RunLocked, SpecMismatch
from evalsuite.jury import ENGINE as JURY
from evalsuite.proofs.findings import Finding, differences
from evalsuite.proofs.manifest import MANIFEST, Manifest, manifest_of_run, stored_manifest
from evalsuite.records import RunResult, SampleRecord, TaskSpec
from evalsuite.store.results import RESULTS, SAMPLES, read_packages, read_results, read_rows, row_of, written_form
from evalsuite.store.run_directory import SPEC, is_locked, read_spec
from evalsuite.types import GenerateRequest, Request

T = TypeVar("T")


@dataclass
class StoredRun:
    """What could be read of a run's directory, with all that is wrong with it and what a reader should know.

    `num_answers` are the requests whose answers were held against the journal's, which has `num_epochs` files.
    """

    path: Path
    result: RunResult | None = None
    records: tuple[SampleRecord, ...] = ()
    manifest: Manifest | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_answers: int = 0
    num_epochs: int = 0

    @property
    def is_derived(self) -> bool:
        """Whether it was made of other runs, as a jury is, and asked nothing itself."""
        return self.result is not None and self.result.spec.model.engine == JURY

    def attempt(self, file: str, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None and a finding where `file` is not what was written."""
        try:
            return read()
        except (CorruptStore, SpecMismatch) as error:
            self.findings.append(Finding(file=file, stored=str(error)))
            return None

    def compare(self, file: str, stored: Any, recomputed: Any, field: str = "", *, task: str = "") -> None:
        """Note every place in which two values differ."""
        for place, was, now in differences(stored, recomputed, field):
            self.findings.append(Finding(file=file, task=task, field=place, stored=was, recomputed=now))

    def compare_sample(self, record: SampleRecord, stored: Any, recomputed: Any, field: str = "") -> None:
        """Note every place in which a sample is not what it should be."""
        for place, was, now in differences(stored, recomputed, field):
            sample = record.sample.id
            self.findings.append(
                Finding(file=SAMPLES, task=record.task, sample=sample, field=place, stored=was, recomputed=now)
            )


def read_stored(path: Path) -> StoredRun:
    """The sealed run at `path`, checked. Raises SpecMismatch where there is none, RunLocked while one works on it."""
    if not (path / RESULTS).exists():
        read_results(path)  # says which of the two it is: no run at all, or one without an end
    if is_locked(path):
        raise RunLocked(f"{path} is locked: a process works on it; wait for it.")
    stored = StoredRun(path)
    _check_manifest(stored)
    stored.result = stored.attempt(RESULTS, lambda: _finite(path, read_results(path)))
    spec = stored.attempt(SPEC, lambda: read_spec(path))
    if stored.result is None:
        return stored
    if spec is not None:
        stored.compare(SPEC, spec, stored.result.spec, "spec")
    _check_result(stored, stored.result)
    rows = stored.attempt(SAMPLES, lambda: read_rows(path))
    if rows is not None:
        stored.records = tuple(_records(stored, rows))
        _check_samples(stored, stored.result)
        noted = stored.attempt(SAMPLES, lambda: read_packages(path))
        if noted is not None:
            stored.compare(RESULTS, stored.result.packages, noted, "packages")
    return stored


# -- manifest and result


def _check_manifest(stored: StoredRun) -> None:
    written = stored.attempt(MANIFEST, lambda: stored_manifest(stored.path))
    stored.manifest = stored.attempt(MANIFEST, lambda: manifest_of_run(stored.path))
    if written is None or stored.manifest is None:
        return
    before, now = ({entry.path: entry for entry in one.files} for one in (written, stored.manifest))
    for name in sorted(before.keys() | now.keys()):
        stored.compare(MANIFEST, before.get(name, {}), now.get(name, {}), f"files[{name}]")
    rest, rest_now = (msgspec.structs.replace(one, files=()) for one in (written, stored.manifest))
    stored.compare(MANIFEST, rest, rest_now)


def _finite(path: Path, result: RunResult) -> RunResult:
    """The result. Raises CorruptStore for one with a number that is none, which no run writes."""
    try:
        canonical_json(result)
    except ValueError as error:
        raise CorruptStore(f"{path / RESULTS} was changed after it was written: {error}.") from error
    return result


def _check_result(stored: StoredRun, result: RunResult) -> None:
    content = (stored.path / RESULTS).read_bytes()
    if written_form(json.loads(content)) != content:
        stored.findings.append(Finding(file=RESULTS, stored="not in the form in which results are written"))
    stored.compare(RESULTS, result.run_id, result.spec.run_id, "run_id")


# -- samples


def _records(stored: StoredRun, rows: Sequence[Mapping[str, Any]]) -> Iterator[SampleRecord]:
    """The records that can be read, each held against its own row."""
    for index, row in enumerate(rows):
        try:
            content = json.loads(row["record"])
            record = msgspec.convert(content, SampleRecord)
            text = canonical_json(content)
        except (ValueError, TypeError, RecursionError) as error:  # msgspec's complaints are ValueErrors too
            where = str(row.get("sample_id") or f"row {index}")
            stored.findings.append(Finding(file=SAMPLES, sample=where, field="record", stored=f"unreadable: {error}"))
            continue
        # of its own text, since a record from before a field had a name does not hold it
        stored.compare_sample(record, row, {**row_of(record), "record": text})
        yield record


def _check_samples(stored: StoredRun, result: RunResult) -> None:
    """Which samples there are, in which order, and what they were first asked, by the hashes in the spec."""
    order = [name for name, _ in groupby(record.task for record in stored.records)]
    stored.compare(SAMPLES, order, [task.name for task in result.spec.tasks], "tasks")
    for spec in result.spec.tasks:
        own = [record for record in stored.records if record.task == spec.name]
        expected = _hashes_in(spec)
        found = _hashes(own)
        if stored.is_derived:  # its prompts are those of the runs that it was made of
            found["prompts_hash"] = spec.prompts_hash
        stored.compare(SAMPLES, found, expected, task=spec.name)
        for record in own:
            stored.compare_sample(record, record.family, spec.family, "family")


def _hashes(records: Sequence[SampleRecord]) -> dict[str, str | int]:
    first = [_as_asked(item.request) for record in records for item in record.items if item.wave == 1]
    return {
        "num_samples": len(records),
        "sample_ids_hash": content_hash([record.sample.id for record in records]),
        "prompts_hash": content_hash([request.key for request in first]),
    }


def _hashes_in(spec: TaskSpec) -> dict[str, str | int]:
    return {
        "num_samples": spec.num_samples * spec.repeats,
        "sample_ids_hash": spec.sample_ids_hash,
        "prompts_hash": spec.prompts_hash,
    }


def _as_asked(request: Request) -> Request:
    """A request before it got, where it is sampled, a seed of its own."""
    is_sampled = isinstance(request, GenerateRequest) and request.temperature
    return msgspec.structs.replace(request, seed=0) if is_sampled else request
