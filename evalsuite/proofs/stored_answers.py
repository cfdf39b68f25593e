"""A run's plan and journal held against its samples: everything asked was planned once, and answered as it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count

from evalsuite.asking import sample_id
from evalsuite.canonical import canonical_json
from evalsuite.proofs.findings import Finding
from evalsuite.proofs.stored_run import StoredRun
from evalsuite.records import RunResult
from evalsuite.store.frames import NO_END, Fault
from evalsuite.store.journal import JOURNAL, Committed, Journal, epoch_files, read_epoch
from evalsuite.store.results import RESULTS
from evalsuite.store.run_directory import PlannedBatch, RunDirectory
from evalsuite.types import Item, Response

Plan = Mapping[tuple[int, int], PlannedBatch]
"""Batches by wave and place in it."""


def check_answers(stored: StoredRun, result: RunResult) -> None:
    """Note all in which plan, journal and samples differ."""
    if stored.is_derived:
        stored.notes.append("made of other runs: it has no plan and no journal of its own")
        return
    plan = _read_plan(stored, result)
    if plan is not None:
        _check_plan(stored, plan, [item for record in stored.records for item in record.items])
    journal = _read_journal(stored, result, plan)
    if journal is not None:
        _check_responses(stored, journal)
        stored.compare(RESULTS, _in_order(result.stacks), _in_order(journal.stacks), "stacks")


def _in_order(stacks: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return sorted(stacks, key=canonical_json)


# -- the plan


def _file(wave: int) -> str:
    return f"plan/wave-{wave:04d}.jsonl"


def _read_plan(stored: StoredRun, result: RunResult) -> Plan | None:
    """The whole plan; None where a part of it cannot be read."""
    directory = RunDirectory(stored.path, result.spec)
    found: dict[tuple[int, int], PlannedBatch] = {}
    files = set((stored.path / "plan").glob("*"))
    for wave in count(1):
        parts = directory.plan_files(wave)
        if not parts:
            break
        batches = stored.attempt(_file(wave), partial(directory.read_plan, wave))
        if batches is None:
            return None
        stored.compare(_file(wave), [batch.index for batch in batches], list(range(len(batches))), "index")
        found |= {(wave, index): batch for index, batch in enumerate(batches)}
        files -= set(parts)
    for file in sorted(files):
        stored.findings.append(Finding(file=f"plan/{file.name}", stored="no part of the plan, which ends before it"))
    return found


def _check_plan(stored: StoredRun, plan: Plan, items: Sequence[Item]) -> None:
    planned = [((wave, item_id), key) for (wave, _), batch in plan.items() for item_id, key in batch.items]
    by_place = dict(planned)
    asked = {(item.wave, item.id): item.request.key for item in items}
    for (wave, item_id), times in Counter(place for place, _ in planned).items():
        if times > 1:
            stored.findings.append(
                Finding(file=_file(wave), sample=sample_id(item_id), field=item_id, stored=f"planned {times} times")
            )
    for wave, item_id in sorted(asked.keys() | by_place.keys()):
        was, now = by_place.get((wave, item_id), "not planned"), asked.get((wave, item_id), "not asked")
        if was != now:
            sample = sample_id(item_id)
            stored.findings.append(Finding(file=_file(wave), sample=sample, field=item_id, stored=was, recomputed=now))


# -- the journal


def _read_journal(stored: StoredRun, result: RunResult, plan: Plan | None) -> Journal | None:
    """All that was answered; None where a part of it cannot be read."""
    journal = stored.attempt(JOURNAL, RunDirectory(stored.path, result.spec).read_journal)
    if journal is None:
        return None
    for epoch, file in epoch_files(stored.path / JOURNAL):
        stored.num_epochs += 1
        for record in read_epoch(file, result.run_id, epoch):
            if isinstance(record, Fault):
                _note_tail(stored, f"{JOURNAL}/{file.name}", record)
            elif isinstance(record, Committed) and plan is not None:
                _check_batch(stored, f"{JOURNAL}/{file.name}", record, plan)
    return journal


def _note_tail(stored: StoredRun, file: str, fault: Fault) -> None:
    """Half a line is what a kill leaves. A whole one with another checksum was changed, or lost to a power cut."""
    if fault.reason == NO_END:
        stored.notes.append(f"{file}: a torn tail at byte {fault.offset}, as a kill leaves it")
        return
    hint = f"`evalsuite doctor --repair {stored.path}` sets it aside"
    stored.findings.append(Finding(file=file, field=f"byte {fault.offset}", stored=f"{fault.reason}; {hint}"))


def _check_batch(stored: StoredRun, file: str, record: Committed, plan: Plan) -> None:
    """Whether a commit is of the batch that it names; one without answers tells only what was spent."""
    batch = plan.get((record.wave, record.batch))
    known = {item_id for item_id, _ in batch.items} if batch else set()
    for item_id, _ in record.responses:
        if item_id not in known:
            where = f"wave {record.wave}, batch {record.batch}"
            stored.findings.append(
                Finding(file=file, sample=sample_id(item_id), field=item_id, stored=where, recomputed="not in its plan")
            )


def _check_responses(stored: StoredRun, journal: Journal) -> None:
    left: dict[str, Response] = dict(journal.responses)
    for record in stored.records:
        stored.compare_sample(record, len(record.responses), len(record.items), "number of responses")
        for index, (item, response) in enumerate(zip(record.items, record.responses, strict=False)):
            stored.num_answers += 1
            if item.id in left:
                stored.compare_sample(record, response, left.pop(item.id), f"responses[{index}]")
            else:
                stored.compare_sample(record, "an answer", "none in the journal", f"responses[{index}]")
    for item_id in left:
        stored.findings.append(
            Finding(file=JOURNAL, sample=sample_id(item_id), field=item_id, stored="an answer to what is not asked")
        )
