"""What every export shares: which runs may leave, what is said of them, and files that overwrite nothing unasked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias

import msgspec

from evalsuite.errors import UsageError
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.records import Aggregate, Counts, Estimate
from evalsuite.store.files import write_atomic
from evalsuite.text.number_texts import interval_text
from evalsuite.types import Record

Files: TypeAlias = Mapping[PurePosixPath, bytes]
"""What an export writes: contents by their place below the output folder."""

Relationship: TypeAlias = Literal["first_party", "third_party", "collaborative", "other"]
"""What those who evaluated a model are to those who made it, in the words of Every Eval Ever."""


@dataclass(frozen=True)
class ExportOptions:
    """What a user says about an export that its runs do not.

    `name` is what the model is called elsewhere, for example on the hub. `is_incomplete_wanted` lets runs with samples
    without a score go out, marked. `task_ids` are a benchmark's own ids of families or tasks; `source_url` says where
    details can be read, `organization` and `relationship` who evaluated.
    """

    name: str = ""
    is_incomplete_wanted: bool = False
    task_ids: Mapping[str, str] = field(default_factory=dict)
    source_url: str = ""
    organization: str = ""
    relationship: Relationship = "other"


def check_complete(run: SealedRun, options: ExportOptions) -> None:
    """Raise UsageError for a run with samples without a score, unless these are wanted."""
    counts = run.result.counts
    if run.result.status != "complete" and not options.is_incomplete_wanted:
        raise UsageError(
            f"{run.path} is incomplete: {missing_text(counts)}. Finish it with the command that made it, or give "
            "--incomplete: its numbers are then marked where the format has room."
        )


def missing_text(counts: Counts) -> str:
    """``3 of 40 samples without a score (timeout 3)``."""
    causes = ", ".join(f"{cause} {number}" for cause, number in sorted(counts.unscored_by_cause.items()))
    missing = f"{counts.requested - counts.scored} of {counts.requested} samples without a score"
    return f"{missing} ({causes})" if causes else missing


def partial_text(run: SealedRun, tasks: Sequence[str]) -> str:
    """``100 of 1172 samples`` for tasks of which the run takes a part; empty when it takes all."""
    specs = [run.spec_of(task) for task in tasks]
    if not any(spec.is_partial for spec in specs):
        return ""
    return f"{sum(spec.num_samples for spec in specs)} of {sum(spec.num_available for spec in specs)} samples"


def uncertainty_text(measure: Estimate | Aggregate) -> str:
    """``95 % interval 52.1 to 57.8, n 1172`` on the scale that is shown."""
    if measure.low is None or measure.high is None:
        return f"no interval, n {measure.n}"
    return f"95 % interval {interval_text(measure.low, measure.high, measure.scale, between=' to ')}, n {measure.n}"


def told(record: Record) -> dict[str, Any]:
    """All that a record says, as JSON: texts that say nothing and what is unknown are left out."""
    return {key: value for key, value in msgspec.to_builtins(record).items() if value not in (None, "", {}, [])}


def json_bytes(value: Any, indent: int | None = 2) -> bytes:
    """`value` as JSON in UTF-8, keys in their order; half a surrogate pair, which UTF-8 has not, is a question mark."""
    return (json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


# -- writing


def placed(files: Files, output: Path) -> dict[Path, bytes]:
    """Where each file goes: below `output`, or, where that ends like one of the files, that one alone as `output`.

    Raises UsageError when several files end like it.
    """
    alike = [place for place in files if place.suffix == output.suffix]
    if not alike or output.is_dir():
        return {output / place: content for place, content in files.items()}
    if len(alike) == 1:
        return {output: files[alike[0]]}
    raise UsageError(
        f"--output {output}: the export has {len(alike)} files that end in {output.suffix}; give a folder."
    )


def write_export(files: Mapping[Path, bytes], *, is_forced: bool = False) -> list[Path]:
    """Write the files that are not there with the same bytes, and return these; nothing when one may not be written.

    Raises UsageError for a file that says something else, unless `is_forced`; SaveFailed.
    """
    changed = [path for path, content in files.items() if not (path.is_file() and path.read_bytes() == content)]
    for path in changed:
        if path.exists() and (not is_forced or path.is_dir()):
            raise UsageError(f"{path} is there already and says something else; give another --output, or --force.")
    for path in changed:
        write_atomic(path, files[path])
    return changed
