"""Manifests: what counts, what does not, and one sample proven to belong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from proven_runs import copied, run, stopped_and_resumed

from evalsuite.canonical import canonical_json
from evalsuite.errors import CorruptStore, DataError, UnknownName
from evalsuite.proofs.manifest import (
    MANIFEST,
    is_proven,
    make_manifest,
    manifest_of_run,
    proof_text,
    prove_sample,
    read_proof,
    records_of,
    stored_manifest,
    write_manifest,
)
from evalsuite.store.results import read_results, read_samples


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stopped_and_resumed(tmp_path_factory.mktemp("runs") / "run")


def test_every_file_that_counts_is_in_it_with_its_hash(finished: Path) -> None:
    manifest = manifest_of_run(finished)
    below = {str(file.relative_to(finished)) for file in finished.rglob("*") if file.is_file()}
    assert {entry.path for entry in manifest.files} == below - {"telemetry.jsonl", "lock"}
    assert len([entry for entry in manifest.files if entry.path.startswith("journal/")]) == 3
    for entry in manifest.files:
        content = (finished / entry.path).read_bytes()
        assert (entry.num_bytes, entry.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest.results_sha256 == hashlib.sha256((finished / "results.json").read_bytes()).hexdigest()
    result = read_results(finished)
    assert (manifest.packages, manifest.identity) == (result.packages, result.spec.model.identity)
    assert manifest == make_manifest(result, manifest.files, records_of(finished))


def test_the_same_answers_give_the_same_results_and_root_however_often_the_run_was_stopped(
    finished: Path, tmp_path: Path
) -> None:
    run(tmp_path / "other")
    one, other = manifest_of_run(finished), manifest_of_run(tmp_path / "other")
    assert (one.samples_root, one.results_sha256) == (other.samples_root, other.results_sha256)
    run(tmp_path / "other")
    assert manifest_of_run(tmp_path / "other").hash == other.hash


def test_what_does_not_count_changes_nothing(finished: Path, tmp_path: Path) -> None:
    path = copied(finished, tmp_path / "run")
    before = manifest_of_run(path)
    (path / "telemetry.jsonl").write_text("torn", encoding="utf-8")
    (path / "notes.txt").write_text("mine", encoding="utf-8")
    (path / "quarantine").mkdir()
    (path / "quarantine" / "0001.jsonl").write_text("old", encoding="utf-8")
    write_manifest(path, before)
    assert manifest_of_run(path) == before


def test_a_manifest_is_stored_and_read(finished: Path, tmp_path: Path) -> None:
    path = copied(finished, tmp_path / "run")
    assert stored_manifest(path) is None
    manifest = manifest_of_run(path)
    write_manifest(path, manifest)
    assert stored_manifest(path) == manifest
    file = path / MANIFEST
    for content in (b"{", b"{}", file.read_bytes() + b" "):
        file.write_bytes(content)
        with pytest.raises(CorruptStore, match=MANIFEST):
            stored_manifest(path)


def test_every_sample_is_proven_by_its_own_proof_alone(finished: Path, tmp_path: Path) -> None:
    root = manifest_of_run(finished).samples_root
    for index, record in enumerate(read_samples(finished)):
        proof = prove_sample(finished, record.sample.id)
        assert is_proven(proof, root)
        assert (proof.index, proof.sample_id, proof.record) == (index, record.sample.id, canonical_json(record))
        (tmp_path / "proof.json").write_text(proof_text(proof), encoding="utf-8")
        assert read_proof(tmp_path / "proof.json") == proof


def test_a_changed_proof_proves_nothing(finished: Path) -> None:
    root = manifest_of_run(finished).samples_root
    proof = prove_sample(finished, next(iter(read_samples(finished))).sample.id)
    record = proof.record.replace('"task":"mini', '"task":"maxi')
    assert record != proof.record
    for changes in (
        {"record": record},
        {"index": proof.index + 1},
        {"num_samples": proof.num_samples * 2},
        {"hashes": proof.hashes[1:]},
        {"hashes": ("zz", *proof.hashes[1:])},
        {"record": "\N{SNOWMAN}"},
    ):
        assert not is_proven(msgspec.structs.replace(proof, **changes), root), changes
    assert not is_proven(proof, "0" * 64)


def test_a_sample_of_another_run_has_no_proof(finished: Path) -> None:
    with pytest.raises(UnknownName, match="mini_choice_en:test:9999"):
        prove_sample(finished, "mini_choice_en:test:9999")


@pytest.mark.parametrize("content", [b"", b"[]", json.dumps({"kind": "sample-proof"}).encode()])
def test_what_is_no_proof_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "proof.json").write_bytes(content)
    with pytest.raises(DataError, match="no proof of a sample"):
        read_proof(tmp_path / "proof.json")
