"""What evalsuite is installed with: the lock, licences, the bill of materials, audits, and a wheel built twice."""

from __future__ import annotations

import importlib.util
import os
import time
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest
from audit import NotAudited, audit, audited, check_known, requirements_text
from bill import NotTheLock, only_locked
from build_wheel import built_twice, commit_time
from licences import PAGE, UNKNOWN, Licensed, faults, licence_of, licensed
from lockfile import differences, lock_text, locked, locked_hashes, pinned, public
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tested_set import ROOT, WHEEL, locked_extras, requirements

# -- the lock


def test_the_lock_is_what_constraints_pin() -> None:
    pins = pinned()
    assert {name: public(version) for name, version in locked().items()} == {name: pins.get(name) for name in locked()}


def test_the_lock_holds_all_that_is_required_within_its_range() -> None:
    versions = locked()
    for part in (WHEEL, *locked_extras()):
        for one in map(Requirement, requirements(part)):
            assert one.specifier.contains(versions[canonicalize_name(one.name)], prereleases=True), (part, str(one))


def test_every_requirement_has_a_range() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for part in (WHEEL, *extras):
        assert [text for text in requirements(part) if not Requirement(text).specifier] == [], part


def test_every_entry_has_a_hash() -> None:
    hashes = locked_hashes()
    assert set(hashes) == set(locked())
    assert all(len(one) == 64 for entry in hashes.values() for one in entry)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    versions = {"a-b": "1.0", "torch": "2.13.0+cpu"}
    path.write_text(lock_text(versions, {"a-b": "0" * 64, "torch": "f" * 64}), encoding="utf-8")
    assert locked(path) == versions
    assert locked_hashes(path)["torch"] == ("f" * 64,)
    path.write_text(path.read_text(encoding="utf-8") + "loose==1.0\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has 3 entries, of which 2 are"):
        locked(path)


def test_a_difference_is_named() -> None:
    assert differences({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == [
        "b: locked 1, installed 2", "c: locked 1, installed not at all", "d: locked not at all, installed 1",
    ]  # fmt: skip


# -- licences


def test_nothing_that_the_wheel_requires_is_under_the_gpl() -> None:
    try:
        packages = licensed()
    except LookupError as error:
        pytest.skip(f"licences are read from what is installed: {error}")
    assert faults(packages) == []


@pytest.mark.parametrize(
    ("licence", "is_fault"),
    [
        ("GPL-3.0-only", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("GNU General Public License", True),
        ("AGPL-3.0-or-later", True),
        ("MIT OR GPL-2.0-only", True),
        ("SSPL-1.0", True),
        ("CC-BY-NC-4.0, non-commercial", True),
        (UNKNOWN, True),
        ("LGPL-2.1-or-later", False),
        ("GNU Lesser General Public License v3", False),
        ("Apache-2.0", False),
    ],
)
def test_licences_that_may_not_be(licence: str, is_fault: bool) -> None:
    assert faults([Licensed("thing", licence, ("test",))]) == [], "only the wheel's needs reach its users"
    said = [f"thing, which the wheel requires, is under {licence}"] if is_fault else []
    assert faults([Licensed("thing", licence, (WHEEL, "test"))]) == said


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        ("License-Expression: BSD-2-Clause\nLicense: something", "BSD-2-Clause"),
        ("License: Apache 2.0", "Apache-2.0"),
        ("Classifier: License :: OSI Approved :: GNU General Public License (GPL)", "GNU General Public License (GPL)"),
        ("License: BSD\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: License :: OSI Approved", UNKNOWN),
        ("Summary: says nothing", UNKNOWN),
    ],
)  # fmt: skip
def test_a_licence_is_read_from_metadata(lines: str, licence: str, tmp_path: Path) -> None:
    folder = tmp_path / "thing-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: thing\nVersion: 1.0\n{lines}\n", encoding="utf-8")
    assert licence_of(PathDistribution(folder)) == licence


def test_the_page_of_licences_has_what_the_lock_has() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert [row[0].removeprefix("| ") for row in rows[1:]] == sorted(locked())
    assert {row[1] for row in rows} & {UNKNOWN, ""} == set()


# -- audits


def test_versions_are_asked_for_as_they_were_published() -> None:
    lines = requirements_text().splitlines()
    assert len(lines) == len(locked())
    assert not [line for line in lines if "+" in line.partition(" ")[0]]


def test_vulnerabilities_and_unknown_packages_are_faults() -> None:
    weak = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1", "2.0"], "description": "long"}
    report = {
        "dependencies": [
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "weak", "version": "1.0", "vulns": [weak, {"id": "GHSA-2", "fix_versions": []}]},
            {"name": "odd", "skip_reason": "not found"},
        ],
        "fixes": [],
    }
    found = audited(report)
    assert found.num_packages == 3
    assert found.faults == (
        "weak 1.0: PYSEC-1 CVE-1, fixed in 1.1, 2.0",
        "weak 1.0: GHSA-2, fixed in no version",
        "odd: not looked up: not found",
    )


def test_a_service_that_does_not_know_the_first_package_is_not_asked_for_the_rest() -> None:
    weak = {"id": "PYSEC-1", "fix_versions": []}
    check_known(audited({"dependencies": [{"name": "weak", "version": "1.0", "vulns": [weak]}]}))
    with pytest.raises(NotAudited, match="odd: not looked up: not found"):
        check_known(audited({"dependencies": [{"name": "odd", "skip_reason": "not found"}]}))


def test_no_answer_is_not_taken_for_a_sound_package() -> None:
    if importlib.util.find_spec("pip_audit"):
        pytest.skip("pip-audit is installed, and may answer")
    with pytest.raises(NotAudited, match="pip_audit"):
        audit(requirements_text(), "pypi")


# -- the bill of materials


def bill() -> dict[str, Any]:
    """What cyclonedx-bom says of an environment with evalsuite, `Lib_A`, which needs `b`, and pip."""
    return {
        "metadata": {"component": {"name": "evalsuite", "bom-ref": "root"}},
        "components": [
            {"name": "Lib_A", "version": "1.0", "bom-ref": "a"},
            {"name": "b", "version": "2.0", "bom-ref": "b"},
            {"name": "pip", "version": "3.0", "bom-ref": "pip"},
        ],
        "dependencies": [
            {"ref": "a", "dependsOn": ["b", "pip"]},
            {"ref": "b"},
            {"ref": "pip"},
            {"ref": "root", "dependsOn": ["a"]},
        ],
    }


def test_a_bill_has_the_locks_components_with_their_hashes() -> None:
    found = only_locked(bill(), {"lib-a": "1.0", "b": "2.0"}, {"lib-a": ("aa",), "b": ("bb", "cc")})
    assert [(one["name"], [each["content"] for each in one["hashes"]]) for one in found["components"]] == [
        ("Lib_A", ["aa"]), ("b", ["bb", "cc"]),
    ]  # fmt: skip
    assert found["dependencies"] == [
        {"ref": "a", "dependsOn": ["b"]}, {"ref": "b"}, {"ref": "root", "dependsOn": ["a"]},
    ]  # fmt: skip


@pytest.mark.parametrize("versions", [{"lib-a": "1.0", "b": "2.1"}, {"lib-a": "1.0", "b": "2.0", "c": "1.0"}])
def test_a_bill_of_another_environment_is_refused(versions: dict[str, str]) -> None:
    with pytest.raises(NotTheLock, match="locked"):
        only_locked(bill(), versions, dict.fromkeys(versions, ("aa",)))


# -- the wheel


def test_the_wheel_is_the_same_whoever_builds_it(tmp_path: Path) -> None:
    first, second = built_twice(tmp_path / "here")
    assert first.read_bytes() == second.read_bytes()
    mask = os.umask(0o077)
    try:
        third, _ = built_twice(tmp_path / "by_somebody_else")
    finally:
        os.umask(mask)
    assert first.read_bytes() == third.read_bytes()
    made = time.gmtime(int(commit_time()))[:5]
    assert {one.date_time[:5] for one in zipfile.ZipFile(first).infolist()} == {made}
