"""What a sealed run is made of, in hashes: every file that counts, and one root over its samples.

A manifest holds neither clock nor machine: the same run gives the same manifest, and its hash stands for the run in a
leaderboard's ledger. With the root, one sample can be shown to belong to the run without the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from evalsuite.canonical import canonical_json, content_hash
from evalsuite.errors import CorruptStore, DataError, UnknownSample
from evalsuite.proofs import merkle
from evalsuite.records import RunResult
from evalsuite.store.files import write_atomic
from evalsuite.store.journal import JOURNAL, epoch_files
from evalsuite.store.results import RESULTS, SAMPLES, read_records, read_results, written_form
from evalsuite.store.run_directory import SPEC
from evalsuite.types import Record, Scalar

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = 1
_JUDGE_CARD = "judge_card.json"


class FileEntry(Record, frozen=True, kw_only=True):
    """One file of a run: its path below the run's directory, its size, and the sha256 of its bytes."""

    path: str
    num_bytes: int
    sha256: str


class Manifest(Record, frozen=True, kw_only=True):
    """A sealed run in hashes.

    `samples_root` is the Merkle root over the canonical JSON of every sample's record in plan order (see `merkle`).
    `engine` and `identity` say what answered, libraries' versions among it, `stacks` on what, `packages` what scored.
    """

    schema: int
    run_id: str
    model: str
    engine: str
    identity: Mapping[str, Scalar]
    stacks: tuple[Mapping[str, Scalar], ...]
    packages: Mapping[str, str]
    status: str
    results_sha256: str
    samples_root: str
    num_samples: int
    files: tuple[FileEntry, ...]

    @property
    def hash(self) -> str:
        """sha256 of the manifest's canonical JSON."""
        return content_hash(self)


class SampleProof(Record, frozen=True, kw_only=True):
    """One sample's record with the hashes that lead from it to the root over all samples of its run."""

    schema: int
    kind: Literal["sample-proof"]
    run_id: str
    manifest_sha256: str
    samples_root: str
    num_samples: int
    index: int
    hashes: tuple[str, ...]
    record: str

    @property
    def sample_id(self) -> str:
        """The sample's id, as its record has it. Raises DataError for a record that is none."""
        try:
            # msgspec's own decoder refuses half of a pair of surrogates, which an answer may hold
            return msgspec.convert(json.loads(self.record), _Named).sample.id
        except (ValueError, RecursionError) as error:
            raise DataError(f"the proof's record is no sample's: {error}.") from error


class _Sample(msgspec.Struct):
    id: str


class _Named(msgspec.Struct):
    sample: _Sample


# -- pure


def make_manifest(result: RunResult, files: Iterable[FileEntry], records: Sequence[str]) -> Manifest:
    """The manifest of a run: its result, its files, and its samples' records as canonical JSON in plan order."""
    entries = tuple(sorted(files, key=lambda entry: entry.path))
    return Manifest(
        schema=MANIFEST_SCHEMA,
        run_id=result.run_id,
        model=result.spec.subject,
        engine=result.spec.model.engine,
        identity=result.spec.model.identity,
        stacks=result.stacks,
        packages=result.packages,
        status=result.status,
        results_sha256=next(entry.sha256 for entry in entries if entry.path == RESULTS),
        samples_root=merkle.root(_leaves(records)).hex(),
        num_samples=len(records),
        files=entries,
    )


def make_proof(manifest: Manifest, records: Sequence[str], index: int) -> SampleProof:
    """The proof that the record at `index` of `records` is one of the run's."""
    return SampleProof(
        schema=MANIFEST_SCHEMA,
        kind="sample-proof",
        run_id=manifest.run_id,
        manifest_sha256=manifest.hash,
        samples_root=manifest.samples_root,
        num_samples=len(records),
        index=index,
        hashes=tuple(each.hex() for each in merkle.path(_leaves(records), index)),
        record=records[index],
    )


def is_proven(proof: SampleProof, samples_root: str) -> bool:
    """Whether the proof's record is one of those that `samples_root`, known from elsewhere, was made of."""
    try:
        hashes = [bytes.fromhex(each) for each in proof.hashes]
        leaf = merkle.leaf_hash(proof.record.encode("ascii"))
    except ValueError:  # no hexadecimal digits, or text that canonical JSON never holds
        return False
    found = merkle.root_from_path(leaf, proof.index, proof.num_samples, hashes)
    return found is not None and found.hex() == samples_root


def _leaves(records: Sequence[str]) -> list[bytes]:
    return [merkle.leaf_hash(record.encode("ascii")) for record in records]


# -- of a run's directory


def manifest_of_run(path: Path) -> Manifest:
    """The manifest that the files of the sealed run at `path` give now. Raises SpecMismatch or CorruptStore."""
    return make_manifest(read_results(path), _entries(path), records_of(path))


def records_of(path: Path) -> list[str]:
    """The canonical JSON of the run's sample records in plan order. Raises SpecMismatch or CorruptStore."""
    records = [record for _, record in read_records(path)]
    if not all(isinstance(record, str) and record.isascii() for record in records):
        raise CorruptStore(f"{path / SAMPLES}: its records are not canonical JSON.")
    return records


def prove_sample(path: Path, sample_id: str) -> SampleProof:
    """The proof for one sample of the run at `path`. Raises UnknownSample for a sample that it does not have."""
    records = records_of(path)
    ids = [json.loads(record)["sample"]["id"] for record in records]
    if sample_id not in ids:
        raise UnknownSample(sample_id, ids)
    return make_proof(make_manifest(read_results(path), _entries(path), records), records, ids.index(sample_id))


def counted_files(path: Path) -> list[Path]:
    """The files that a run is: not its telemetry and its lock, nor what was set aside or put there by others."""
    single = [path / name for name in (SPEC, RESULTS, SAMPLES, _JUDGE_CARD)]
    journal = [file for _, file in epoch_files(path / JOURNAL)]
    return [file for file in (*single, *sorted((path / "plan").glob("*.jsonl")), *journal) if file.is_file()]


def _entries(path: Path) -> list[FileEntry]:
    return [_entry(path, file) for file in counted_files(path)]


def _entry(path: Path, file: Path) -> FileEntry:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
        return FileEntry(path=file.relative_to(path).as_posix(), num_bytes=content.tell(), sha256=digest.hexdigest())


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Store the manifest in the run's directory. Raises SaveFailed."""
    write_atomic(path / MANIFEST, written_form(manifest))


def stored_manifest(path: Path) -> Manifest | None:
    """The manifest that lies in the run's directory, or None. Raises CorruptStore for one that cannot be read."""
    file = path / MANIFEST
    if not file.exists():
        return None
    try:
        content = file.read_bytes()
        found = msgspec.convert(json.loads(content), Manifest)
        is_as_written = written_form(found) == content
    except (OSError, ValueError, RecursionError) as error:  # msgspec's complaints are ValueErrors too
        raise CorruptStore(f"{file} cannot be read: {error}") from error
    if not is_as_written:
        raise CorruptStore(f"{file} is not in the form in which it was written.")
    return found


def read_proof(file: Path) -> SampleProof:
    """The proof in `file`. Raises DataError."""
    try:
        return msgspec.convert(json.loads(file.read_bytes()), SampleProof)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} is no proof of a sample: {error}") from error


def proof_text(proof: SampleProof) -> str:
    """The proof as one line of JSON."""
    return canonical_json(proof)
