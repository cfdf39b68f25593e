"""The pytest plugin: one test a gate. All that is ours is imported when a test asks for it.

::

    @pytest.mark.evalsuite("configs/gate.yaml", run="runs/model", baseline="baselines/ci.json")
    def test_quality(gate):
        gate.check()

gives ``test_quality[mini_choice-ar]`` and so on; a test that forgets to check its gate has it checked all the same. The
runs are read when tests are collected; no model is run. A gate that could not be evaluated is an error of its test, an
inconclusive one is skipped (with ``strict=True`` it fails), and one that only warns or is waived passes. Paths, those
in the gate file too, are relative to pytest's root folder.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalsuite.gates.checking import GateCheck

MARK = "evalsuite"
_ARGUMENT = "gate"
_FOUND = pytest.StashKey[dict[tuple[object, ...], "list[GateCheck]"]]()
"""The checks of this session by the marker's arguments: two tests of one marker do not read the runs twice."""

_USAGE = f"@pytest.mark.{MARK}(file, run=RUN, baseline=None, strict=False)"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f"{MARK}(file, run, baseline=None, strict=False): one test for each gate of the "
                            f"file, in the argument {_ARGUMENT!r}")  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a gate. Raises CollectError with one line for whatever is wrong with file, run or baseline."""
    marker = metafunc.definition.get_closest_marker(MARK)
    if marker is None:
        return
    if _ARGUMENT not in metafunc.fixturenames:
        raise pytest.Collector.CollectError(
            f"{metafunc.definition.nodeid}: evalsuite gives each test its gate; add the argument {_ARGUMENT!r}."
        )
    checks = _checks(metafunc, marker)
    metafunc.parametrize(_ARGUMENT, checks, ids=[check.id for check in checks])


def _checks(metafunc: pytest.Metafunc, marker: pytest.Mark) -> list[GateCheck]:
    from evalsuite.errors import EvalsuiteError
    from evalsuite.gates.checking import checks_of

    where = f"{metafunc.definition.nodeid}: "
    try:
        arguments = _arguments(*marker.args, **marker.kwargs)
        found = metafunc.config.stash.setdefault(_FOUND, {})
        if arguments not in found:
            found[arguments] = checks_of(metafunc.config.rootpath, *arguments)
        return found[arguments]
    except TypeError as error:
        raise pytest.Collector.CollectError(f"{where}{error}; expected {_USAGE}.") from error
    except EvalsuiteError as error:
        raise pytest.Collector.CollectError(where + str(error).replace("\n", " ")) from error


def _arguments(file: Any, run: Any, baseline: Any = None, strict: Any = False) -> tuple[str, str, str, bool]:
    """The marker's arguments, hashable. Raises TypeError for those it does not take."""
    return str(file), str(run), "" if baseline is None else str(baseline), bool(strict)


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
    return check if getattr(check, "is_evalsuite_gate", False) else None
