"""The pytest plugin: one test a gate. All that is ours is imported when a test asks for it.

::

    @pytest.mark.evalsuite("configs/gate.yaml", run="runs/model", baseline="baselines/ci.json")
    def test_quality(gate):
        gate.check()

gives ``test_quality[mini_choice-ar]`` and so on; a test that forgets to check its gate has it checked all the same. The
run is read when tests are collected. Without ``run`` the file's suite is run then, or resumed, by the rules of
``evalsuite gate``: look by look, or failing gates once more. A gate that could not be evaluated is an error of its
test, an inconclusive one is skipped (with ``strict=True`` it fails), and one that only warns or is waived passes.
Paths, those in the gate file too, are relative to pytest's root folder.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

if TYPE_CHECKING:
    from evalsuite.gates.checking import GateCheck

MARK = "evalsuite"
_ARGUMENT = "gate"
_FOUND = pytest.StashKey[dict[tuple[object, ...], "list[GateCheck]"]]()
"""The checks of this session by the marker's arguments: two tests of one marker do not read the runs twice."""

_MOST_NOTES = 20
_SIGNATURE = f"{MARK}(file, run=None, baseline=None, strict=False)"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", f"{_SIGNATURE}: one test for each gate of the file, in the argument {_ARGUMENT!r}"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a gate. Raises CollectError with one line for whatever is wrong with file, run or baseline."""
    marker = metafunc.definition.get_closest_marker(MARK)
    if marker is None:
        return
    if _ARGUMENT not in metafunc.fixturenames:
        raise pytest.Collector.CollectError(
            f"{metafunc.definition.nodeid}: evalsuite gives each test its gate; add the argument {_ARGUMENT!r}."
        )
    metafunc.parametrize(_ARGUMENT, _checks(metafunc, marker))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """The id of a gate. Given as ``ids``, pytest would spell every letter that is not ASCII as an escape."""
    return _encodable(val.id) if is_gate_check(val) else None


def _encodable(text: str) -> str:
    """`text`, escaped only where the system's own encoding lacks its letters: pytest puts ids into the environment."""
    try:
        text.encode(sys.getfilesystemencoding())
        return text
    except UnicodeEncodeError:
        return text.encode("ascii", "backslashreplace").decode("ascii")


def _checks(metafunc: pytest.Metafunc, marker: pytest.Mark) -> list[GateCheck]:
    from evalsuite.errors import EvalsuiteError
    from evalsuite.gates.checking import checks_of

    where = f"{metafunc.definition.nodeid}: "
    try:
        arguments = _arguments(*marker.args, **marker.kwargs)
    except TypeError as error:
        raise pytest.Collector.CollectError(f"{where}{error}; expected @pytest.mark.{_SIGNATURE}.") from error
    if not arguments[1] and hasattr(metafunc.config, "workerinput"):
        raise pytest.Collector.CollectError(f"{where}several processes cannot run one suite at once; give run=RUN.")
    found = metafunc.config.stash.setdefault(_FOUND, {})
    try:
        if arguments not in found:
            found[arguments] = checks_of(metafunc.config.rootpath, *arguments)
        return found[arguments]
    except EvalsuiteError as error:
        raise pytest.Collector.CollectError(where + str(error).replace("\n", " ")) from error


def _arguments(file: Any, run: Any = None, baseline: Any = None, strict: Any = False) -> tuple[str, str, str, bool]:
    """The marker's arguments, hashable, paths that are not given empty. Raises TypeError for those it does not take."""
    if "" in (run, baseline):
        raise TypeError("a path is empty")
    return str(file), "" if run is None else str(run), "" if baseline is None else str(baseline), bool(strict)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """What the reports note besides their gates, such as that a run that is given comes under no looks."""
    notes = []
    for checks in config.stash.get(_FOUND, {}).values():
        for warning in checks[0].report.warnings if checks else ():
            notes.append(checks[0].noted(warning))
    return list(dict.fromkeys(notes))[:_MOST_NOTES]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A gate that could not be evaluated says nothing of the model: its test does not fail, it errs."""
    check = _check_of(item)
    if check is not None:
        check.is_checked = False
        if check.is_broken:
            pytest.fail(check.told, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that does not check its gate itself must not pass where the gate does not."""
    result = yield
    check = _check_of(item)
    if check is not None and not check.is_checked:
        check.check()
    return result


def _check_of(item: pytest.Item) -> GateCheck | None:
    check = getattr(getattr(item, "callspec", None), "params", {}).get(_ARGUMENT)
    return check if is_gate_check(check) else None


def is_gate_check(value: object) -> TypeGuard[GateCheck]:
    """Whether `value` is a gate of ours, found out without importing what makes them."""
    return getattr(type(value), "is_evalsuite_gate", False) is True  # of its type: others' values may mind being asked
