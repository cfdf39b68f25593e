"""What every tracker of experiments is told of a sealed run, and under which names.

Numbers are those of ``results.json``, to the last bit: a share of 0.25 is 0.25. What is unknown is left out.
A name is its parts with ``/`` between them (`key_of`), each spelt so that it can be read back (`parts_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from evalsuite.canonical import content_hash
from evalsuite.errors import UsageError
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.proofs.manifest import MANIFEST, counted_files, manifest_of_run
from evalsuite.records import Aggregate, Estimate, TaskSpec
from evalsuite.types import Record, Scalar

Told = TypeVar("Told", bound=Scalar)

PARTS = ("value", "low", "high", "stderr", "n", "num_unscored")
"""What is told of each estimate and mean; limits and error only where they are known."""

MANIFEST_HASH = "manifest_hash"
"""Among the settings: what tells a run from the same run with other files."""

_LONGEST = 2000
"""Characters of a setting; every tracker takes as many. Of a longer text its sha256 is told."""

_ESCAPED = re.compile(rb"__([0-9a-f]{2})")


class Facts(Record, frozen=True, kw_only=True):
    """A run as a tracker is told of it.

    `name` is what people see, `run_id` ours. `settings` say what was run, `numbers` what was found. `files` are paths
    below `directory` to be kept with the run; `began` is in seconds of Unix time.
    """

    name: str
    run_id: str
    settings: Mapping[str, Scalar]
    numbers: Mapping[str, int | float]
    directory: str
    files: tuple[str, ...]
    began: float | None

    @property
    def manifest_hash(self) -> str:
        """The hash of the run's manifest."""
        return str(self.settings[MANIFEST_HASH])


class Place(Record, frozen=True, kw_only=True):
    """Where a tracker puts a run.

    `project` is its project or experiment. With a `folder` it writes there and asks no network; with a `uri` it asks
    that server or store; without either it does as its own environment says. With `is_forced` a run that is there is
    written again.
    """

    project: str
    folder: str = ""
    uri: str = ""
    is_forced: bool = False


class Logged(Record, frozen=True, kw_only=True):
    """Where a run is now: a folder or an address. `is_new` is False for one that was there and was left as it is."""

    place: str
    is_new: bool = True


def facts_of(run: SealedRun, plain: str, *, name: str = "", has_files: bool = False) -> Facts:
    """What there is to tell of `run`, in names of `plain` characters; `name` is what the model is called elsewhere.

    Raises UsageError for two numbers of one name, SpecMismatch or CorruptStore for files that cannot be read.
    """
    manifest = manifest_of_run(run.path)
    known = [path for path in (*counted_files(run.path), run.path / MANIFEST) if path.is_file()]
    return Facts(
        name=_short(f"{name or run.model} {run.result.run_id}"),
        run_id=run.result.run_id,
        settings=_named(_settings(run, name, manifest.hash), plain, run),
        numbers=_named(_numbers(run), plain, run),
        directory=str(run.path.resolve()),
        files=tuple(path.relative_to(run.path).as_posix() for path in known) if has_files else (),
        began=run.began.timestamp() if run.began else None,
    )


def is_there(facts: Facts, earlier: Sequence[str], place: Place) -> bool:
    """Whether the run need not be sent: `earlier` are the manifest hashes under which its id was sent before.

    Raises UsageError where what was sent says something else. Always False for a place that `is_forced`.
    """
    if place.is_forced or not earlier:
        return False
    if facts.manifest_hash not in earlier:
        raise UsageError(
            f"run {facts.run_id} is there already and says something else (manifest {earlier[0][:16]}, now "
            f"{facts.manifest_hash[:16]}); give another --project, or --force."
        )
    return True


# -- names


def key_of(parts: Sequence[str], plain: str) -> str:
    """`parts` as one name. What is not `plain`, a set of characters in the form of a regular expression with letters,
    digits and ``_`` in it, is spelt as its bytes in UTF-8, each ``__`` and two hexadecimal digits.
    """
    return "/".join(_spelt(part, plain) for part in parts)


def parts_of(key: str) -> tuple[str, ...]:
    """The parts that `key_of` made `key` of, whatever was plain."""
    return tuple(_read(part) for part in key.split("/"))


def _spelt(part: str, plain: str) -> str:
    """A digit at the beginning is spelt out too, as W&B wants it, and so is ``_`` before another."""
    return re.sub(rf"^[0-9]|[^{plain}]|_(?=_)", _bytes_of, part)


def _bytes_of(found: re.Match[str]) -> str:
    return "".join(f"__{byte:02x}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _read(part: str) -> str:
    found = _ESCAPED.sub(lambda byte: bytes.fromhex(byte[1].decode()), part.encode("utf-8", "surrogatepass"))
    return found.decode("utf-8", "surrogatepass")


def _named(pairs: Iterator[tuple[tuple[str, ...], Told]], plain: str, run: SealedRun) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for parts, value in pairs:
        key = key_of(parts, plain)
        if key in found:
            raise UsageError(f"{run.path} has two entries that a tracker would both call {key!r}.")
        found[key] = value
    return found


# -- numbers


def _numbers(run: SealedRun) -> Iterator[tuple[tuple[str, ...], int | float]]:
    for estimate in run.result.estimates:
        yield from _measured((estimate.task, estimate.metric), estimate)
    for mean in run.result.aggregates:
        yield from _measured((mean.family, mean.kind, mean.metric), mean)
    counts = run.result.counts
    for name in ("requested", "scored", "unscored", "cancelled", "not_run"):
        yield ("samples", name), getattr(counts, name)
    for cause, number in sorted(counts.unscored_by_cause.items()):
        yield ("samples", "unscored_by_cause", cause), number


def _measured(name: tuple[str, ...], measure: Estimate | Aggregate) -> Iterator[tuple[tuple[str, ...], int | float]]:
    for part in PARTS:
        if (number := getattr(measure, part)) is not None:
            yield (*name, part), number


# -- settings


def _settings(run: SealedRun, name: str, manifest_hash: str) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    for parts, value in (*_of_run(run, name), *_of_spec(run)):
        if value != "":
            yield parts, _short(value) if isinstance(value, str) else value
    yield (MANIFEST_HASH,), manifest_hash


def _short(text: str) -> str:
    """Half a surrogate pair, which UTF-8 has not, is a question mark."""
    if len(text) > _LONGEST:
        return f"sha256:{content_hash(text)}"
    return text.encode("utf-8", "replace").decode("utf-8")


def _of_run(run: SealedRun, name: str) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    result, spec = run.result, run.result.spec
    yield ("run_id",), result.run_id
    yield ("status",), result.status
    yield ("model",), name or run.model
    yield ("engine",), spec.model.engine
    if spec.judged:
        yield ("judge",), spec.judged.judge
        yield ("judging_model",), spec.model.name
        yield ("judged_runs",), ", ".join(spec.judged.runs)
    for key, value in spec.model.identity.items():
        yield ("identity", key), value
    yield ("evalsuite",), result.packages.get("evalsuite", "")
    if run.began is not None:
        yield ("evaluated_at",), run.began.isoformat()


def _of_spec(run: SealedRun) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    spec = run.result.spec
    yield ("tasks",), ", ".join(spec.asked or [task.name for task in spec.tasks])
    yield ("seed",), spec.seed
    if spec.limit is not None:
        yield ("limit",), spec.limit
        yield ("limit_mode",), spec.limit_mode
    yield ("system_instruction",), spec.system_instruction
    if spec.multiturn_shots is not None:
        yield ("multiturn_shots",), spec.multiturn_shots
    yield ("truncation",), spec.truncation
    for key, value in spec.generation.items():
        yield ("generation", key), value
    for family in dict.fromkeys(task.family for task in spec.tasks):
        yield from _of_family(family, [task for task in spec.tasks if task.family == family])


def _of_family(family: str, tasks: Sequence[TaskSpec]) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """How its tasks were asked; where they differ, all that there are."""
    for key in ("protocol", "version", "num_fewshot", "chat", "repeats"):
        values = list(dict.fromkeys(getattr(task, key) for task in tasks))
        yield ("family", family, key), values[0] if len(values) == 1 else ", ".join(map(str, values))
    yield ("family", family, "num_samples"), sum(task.num_samples for task in tasks)
    yield ("family", family, "num_available"), sum(task.num_available for task in tasks)


def files_of(facts: Facts) -> Iterator[tuple[Path, str]]:
    """Each file that is kept with the run, and its name there."""
    for name in facts.files:
        yield Path(facts.directory) / name, name
