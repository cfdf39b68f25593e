"""The catalogue over packages whose metadata are written here: who offers what, what clashes, and what is left alone.

That pip installs such packages and the commands then do the same is in tests/test_plugin_packages.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import run_here

from evalsuite import entry_points, evaluate, plugins
from evalsuite.cli.installed_report import MADE_BY, write_installed
from evalsuite.contracts import Rendered, Report, ReportedRun, ReportOptions
from evalsuite.engines.scripted import plausible
from evalsuite.entry_points import PluginBroken
from evalsuite.errors import DataError, EvalsuiteError, UnknownName

FAMILY = """
from evalsuite.contracts import Family, TaskInfo

def build(name, options):
    {build}

FAMILY = Family("{name}", tuple(TaskInfo(one, "{name}", "en", "generate", "T", "L") for one in {members}), build, ())
"""


class Offered:
    """Packages on the path, each a module and its metadata."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def package(
        self, name: str, entries: str, module: str = "", *, version: str = "1.0", requires: tuple[str, ...] = ()
    ) -> None:
        """Install `module` as ``<name>.py`` with entry points ``GROUP|NAME``, one a word."""
        (self._folder / f"{name}.py").write_text(module, encoding="utf-8")
        info = self._folder / f"{name}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}", "utf-8")
        lines = [entry.partition("|")[::2] for entry in entries.split()]
        (info / "entry_points.txt").write_text(
            "".join(f"[evalsuite.{group}]\n{pair}\n" for group, pair in lines), encoding="utf-8"
        )
        forget()

    def family(self, package: str, name: str, members: tuple[str, ...], build: str = "raise KeyError(name)") -> None:
        """Install a package with one family."""
        text = FAMILY.format(name=name, members=members, build=build)
        self.package(package, f"tasks|{name}={package}:FAMILY", text)


def forget() -> None:
    for known in (entry_points.offers, plugins.names, plugins.load, plugins.broken, plugins.catalogue_tasks):
        known.cache_clear()


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Offered]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield Offered(folder)
    for name in set(sys.modules) - before:
        if not name.startswith("evalsuite") and (folder / f"{name}.py").exists():
            del sys.modules[name]
    forget()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(PluginBroken) as caught:
        call()
    return str(caught.value)


# -- who offers what


def test_two_packages_with_one_object_do_not_clash(offered: Offered) -> None:
    offered.family("first", "fruit", ("fruit_en",))
    offered.package("second", "tasks|fruit=first:FAMILY")
    assert plugins.family("fruit").name == "fruit"


def test_a_name_of_ours_that_a_stranger_takes_is_refused_alone(offered: Offered) -> None:
    offered.family("grabber", "mini_math", ("mini_math_en",))
    for asked in ("mini_math", "mini_math_en"):
        said = refusal(lambda name=asked: plugins.choose_tasks([name]))  # type: ignore[misc]
        assert said == "task 'mini_math' is offered by evalsuite 0.1.0 and grabber 1.0; uninstall all but one."
    assert [choice.name for choice in plugins.choose_tasks(["mini_choice_en"])] == ["mini_choice_en"]
    assert [plugin.package for plugin in plugins.broken(plugins.TASKS)] == ["evalsuite 0.1.0 and grabber 1.0"]


def test_a_suite_and_a_family_of_one_name_are_refused(offered: Offered) -> None:
    text = "from evalsuite.contracts import Suite\nSUITE = Suite('mini_math', 'T', 'p', ('mini_choice',), 'mean')\n"
    offered.package("suites_of_mine", "suites|mini_math=suites_of_mine:SUITE", text)
    said = refusal(lambda: plugins.choose_tasks(["mini_math"]))
    assert said.startswith("--tasks mini_math may mean suite 'mini_math' of suites_of_mine 1.0 and task 'mini_math' of")


def test_tasks_are_named_by_their_family(offered: Offered) -> None:
    offered.family("thief", "fruit", ("fruit_en", "mini_choice_en"))
    said = refusal(lambda: plugins.family("fruit"))
    assert said == (
        "task 'fruit' of thief 1.0: the name of its member 'mini_choice_en' must be 'fruit', or begin with 'fruit_'."
    )
    assert plugins.choose_tasks(["mini_choice_en"])[0].family.name == "mini_choice"


def test_a_task_that_two_families_have_names_both(offered: Offered) -> None:
    offered.family("one", "fruit", ("fruit_red_en",))
    offered.family("two", "fruit_red", ("fruit_red_en",))
    said = refusal(lambda: plugins.choose_tasks(["fruit_red_en"]))
    assert said == (
        "fruit_red_en is a member of task 'fruit' of one 1.0 and of task 'fruit_red' of two 1.0; uninstall all but one."
    )


def test_a_broken_family_hides_no_task_of_another(offered: Offered) -> None:
    offered.package("rotten", "tasks|mini_choice_en_extra=rotten:NO tasks|mini_choi=rotten:NO tasks|mini=rotten:NO")
    assert plugins.choose_tasks(["mini_choice_en"])[0].family.name == "mini_choice"
    assert "task 'mini' of rotten 1.0" in refusal(lambda: plugins.choose_tasks(["mini_fruit_en"]))
    with pytest.raises(UnknownName, match="fruit"):
        plugins.choose_tasks(["fruit"])


@pytest.mark.parametrize("members", ["()", "('fruit_en',)"])
def test_members_are_infos_and_there_are_some(members: str, offered: Offered) -> None:
    text = f"from evalsuite.contracts import Family\nFAMILY = Family('fruit', {members}, print, ())\n"
    offered.package("bare", "tasks|fruit=bare:FAMILY", text)
    assert "its members must be TaskInfo" in refusal(lambda: plugins.family("fruit"))
    assert "mini_choice_en" in {info.name for info in plugins.all_tasks()}


def test_a_broken_suite_or_family_of_one_costs_nobody_a_run(offered: Offered, tmp_path: Path) -> None:
    text = "from evalsuite.contracts import Suite\nSUITE = Suite('basket', 'T', 'p', ('fruit',), 'mean')\n"
    offered.package("basket", "suites|basket=basket:SUITE suites|torn=basket:NO tasks|fruit=basket:NO", text)
    assert evaluate(plausible, "mini_choice_en", limit=2, output_path=tmp_path).result.status == "complete"


# -- which evalsuite a package was made for


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        (("evalsuite>=0.1,<0.2",), ""),
        (("evalsuite",), ""),
        (("other>=9", "evalsuite[transformers]>=0.1.0"), ""),
        (("evalsuite>=9; extra == 'more'",), ""),
        (("evalsuite>=9; python_version < '3'",), ""),
        (("no requirement at all ???",), ""),
        (("evalsuite>=9",), "needs evalsuite>=9, and this is 0.1.0"),
        (("EvalSuite[vllm]>=0.2",), "needs evalsuite>=0.2, and this is 0.1.0"),
        (("evalsuite<0.1",), "needs evalsuite<0.1, and this is 0.1.0"),
    ],
)
def test_a_package_for_another_evalsuite_is_not_imported(
    requires: tuple[str, ...], said: str, offered: Offered
) -> None:
    offered.package("dated", "engines|dated=dated:open_engine", "def open_engine(options): pass\n", requires=requires)
    if said:
        assert said in refusal(lambda: plugins.open_engine_of("dated"))
    else:
        assert callable(plugins.open_engine_of("dated"))
    assert ("dated" in sys.modules) == (not said)


# -- what a plugin's own functions raise


@pytest.mark.parametrize(
    ("build", "said"),
    [
        ("raise KeyError(name)", "task 'fruit' of basket 1.0: build() of fruit_en raised KeyError: 'fruit_en'"),
        ("return None", "task 'fruit' of basket 1.0: build() of fruit_en gave a NoneType, not that task."),
    ],
)
def test_a_family_that_cannot_build(
    build: str, said: str, offered: Offered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offered.family("basket", "fruit", ("fruit_en",), build)
    ran = run_here(capsys, "run", "--model", "scripted", "--tasks", "fruit", "--output_path", tmp_path / "runs")
    assert (ran.code, ran.err) == (2, f"evalsuite: {said}\n")
    assert not (tmp_path / "runs").exists()


TASK = """
from evalsuite.contracts import Dataset, Family, Task, TaskInfo
from evalsuite.metrics import accuracy, right
from evalsuite.types import GenerateRequest, Sample, Scored

def score(sample, replies):
    return Scored(scores=(right("acc", True),))

def samples(rows):
    {samples}

def next_requests(sample, replies):
    {asks}

def build(name, options):
    return Task(name, "fruit", 1, "en", "v1", 0, "generate", (Dataset("evalsuite-mini", "math_en", "test"),), samples,
                next_requests, score, ({metrics}){more})

FAMILY = Family("fruit", (TaskInfo("fruit_en", "fruit", "en", "generate", "T", "L"),), build, ("v1",))
"""


def task_text(**parts: str) -> str:
    """A module with a task of one sample, which asks nothing, with other `parts`."""
    samples = 'return (Sample(id="fruit_en:test:0", input="?", language="en"),)'
    return TASK.format(**{"samples": samples, "asks": "return ()", "metrics": "accuracy('acc'),", "more": "", **parts})


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"samples": "return rows[0][0]['colour']"},
            "task 'fruit' of basket 1.0: samples() of fruit_en raised KeyError",
        ),
        ({"asks": "return 1 / 0"}, "task fruit_en cannot ask fruit_en:test:0 in wave 1: ZeroDivisionError"),
        ({"metrics": ""}, "build() of fruit_en gave the task 'fruit_en' without metrics"),
    ],
)
def test_a_task_at_fault_is_named(
    parts: dict[str, str], said: str, offered: Offered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offered.package("basket", "tasks|fruit=basket:FAMILY", task_text(**parts))
    ran = run_here(capsys, "run", "--model", "scripted", "--tasks", "fruit", "--output_path", tmp_path / "runs")
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_an_error_of_ours_that_a_plugin_raises_is_the_users(offered: Offered) -> None:
    with (
        pytest.raises(DataError, match=r"^no rows today$"),
        entry_points.blaming(plugins.TASKS, "mini_choice", "samples()"),
    ):
        raise DataError("no rows today")


def test_a_plugin_that_ends_the_program_is_at_fault() -> None:
    """As if all had gone well, a CI would say."""
    with (
        pytest.raises(PluginBroken, match=r"opening it raised SystemExit: 0"),
        entry_points.blaming(plugins.ENGINES, "scripted", "opening it"),
    ):
        raise SystemExit(0)


def test_the_whole_traceback_on_request(
    offered: Offered, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offered.family("basket", "fruit", ("fruit_en",))
    monkeypatch.setenv("EVALSUITE_DEBUG", "1")
    with pytest.raises(EvalsuiteError) as caught:
        run_here(capsys, "run", "--model", "scripted", "--tasks", "fruit")
    assert isinstance(caught.value.__cause__, KeyError)


# -- catalogues of other tools' tasks

CATALOGUE = """
from evalsuite.contracts import Catalogue, Family, TaskInfo

FAMILY = Family("fair.plum", (TaskInfo("fair.plum", "fair.plum", "hi", "chat", "A plum", "L"),), print, ())

def choose(name):
    {choose}

def tasks():
    {tasks}

CATALOGUE = Catalogue("{name}", choose, tasks)
"""


def offer_catalogue(offered: Offered, name: str = "fair", **bodies: str) -> None:
    """Install a catalogue called ``fair`` by its entry point, of one task ``fair.plum``, with other `bodies`."""
    parts = {"choose": "return ((FAMILY, 'fair.plum'),)", "tasks": "return FAMILY.members", **bodies}
    entry = parts.pop("entry", "fair")
    offered.package("stall", f"catalogues|{entry}=stall:CATALOGUE", CATALOGUE.format(name=name, **parts))


@pytest.mark.parametrize("asked", ["fair:plum", "fair.plum"])
def test_a_strangers_catalogue_has_its_tasks_by_its_prefix(asked: str, offered: Offered) -> None:
    offer_catalogue(offered)
    (choice,) = plugins.choose_tasks([asked])
    assert (choice.name, choice.family.name) == ("fair.plum", "fair.plum")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"name": "fete"}, "its Catalogue calls itself 'fete'"),
        ({"choose": "return 1 / 0"}, "choose() raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_catalogue_at_fault_is_named_by_who_asks_for_it(parts: dict[str, str], said: str, offered: Offered) -> None:
    offer_catalogue(offered, **parts)
    refused = refusal(lambda: plugins.choose_tasks(["fair:plum"]))
    assert refused.startswith("catalogue 'fair' of stall 1.0")
    assert said in refused
    assert plugins.choose_tasks(["mini_math_en"])


def test_a_catalogue_and_a_family_of_one_name_are_refused(offered: Offered) -> None:
    offer_catalogue(offered, name="mini_math", entry="mini_math")
    said = refusal(lambda: plugins.choose_tasks(["mini_math:anything"]))
    assert said.startswith(
        "--tasks mini_math:anything may mean catalogue 'mini_math' of stall 1.0 and task 'mini_math' of"
    )


@pytest.mark.parametrize("tasks", ["return 1 / 0", "return ('fair.plum',)"])
def test_a_narrow_list_goes_on_beside_a_broken_catalogue(
    tasks: str, offered: Offered, capsys: pytest.CaptureFixture[str]
) -> None:
    offer_catalogue(offered, tasks=tasks)
    ran = run_here(capsys, "list", "tasks", "--search", "mini_math_en")
    assert ran.code == 0
    assert "mini_math_en" in ran.out
    assert "broken: catalogue 'fair' of stall 1.0: " in ran.out
    assert "broken" not in run_here(capsys, "list", "tasks").out, "a list of all asks no catalogue"


def test_a_narrow_list_shows_a_strangers_catalogue(offered: Offered, capsys: pytest.CaptureFixture[str]) -> None:
    offer_catalogue(offered)
    assert "fair.plum" in run_here(capsys, "list", "tasks", "--type", "chat").out


# -- reports

REPORT = """
from evalsuite.contracts import Rendered, Report

def render(runs, options):
    {body}

REPORT = Report("page", "A page", ".txt", render)
"""


def reported(
    body: str, offered: Offered, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: object
) -> tuple[int, str]:
    """Exit code, and what was written or said, of ``evalsuite report --report page`` over a small run."""
    offered.package("page_makers", "reports|page=page_makers:REPORT", REPORT.format(body=body))
    evaluate(plausible, "mini_choice_en", limit=2, output_path=tmp_path / "runs")
    output = tmp_path / "out" / "page.txt"
    ran = run_here(capsys, "report", tmp_path / "runs", "--report", "page", "--output", output, *more)
    return ran.code, output.read_text(encoding="utf-8") if output.exists() else ran.err


def test_a_report_sees_results_and_samples(
    offered: Offered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = (
        "text = ' '.join(record.sample.id for run in runs for record in run.samples())\n"
        "    return Rendered(f'{options.title}: {runs[0].result.status} {text}'.encode(), {'more/a.txt': b'a'})"
    )
    code, text = reported(body, offered, tmp_path, capsys)
    assert code == 0
    assert text.startswith("A page: complete mini_choice_en:test:")
    assert (tmp_path / "out" / "more" / "a.txt").read_bytes() == b"a"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 1 / 0", "report 'page' of page_makers 1.0: render() raised ZeroDivisionError: division by zero"),
        ("return 'text'", "report 'page' of page_makers 1.0: render() gave a str, not Rendered with bytes."),
        ("return Rendered('text')", "render() gave a Rendered, not Rendered with bytes."),
        ("return Rendered(b'', {'../x': b''})", "'../x' is no file of bytes in its own folder."),
        ("return Rendered(b'', {'/x': b''})", "'/x' is no file of bytes in its own folder."),
        ("return Rendered(b'', {'x': 'text'})", "'x' is no file of bytes in its own folder."),
    ],
)
def test_a_report_at_fault_is_named_and_nothing_is_written(
    body: str, said: str, offered: Offered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = reported(body, offered, tmp_path, capsys)
    assert code == 2
    assert said in text
    assert not (tmp_path / "out").exists()


def test_texts_that_may_not_be_shown_reach_no_report(offered: Offered, tmp_path: Path) -> None:
    asks = "return () if replies else (GenerateRequest(prompt='?', max_tokens=1),)"
    offered.package("basket", "tasks|fruit=basket:FAMILY", task_text(asks=asks, more=", show_in_report=False"))
    run = evaluate(plausible, ["fruit", "mini_choice_en"], limit=2, output_path=tmp_path / "runs").path
    seen: list[ReportedRun] = []

    def render(runs: tuple[ReportedRun, ...], options: ReportOptions) -> Rendered:
        seen.extend(runs)
        return Rendered(b"")

    write_installed(Report("page", "", "", render), [run], tmp_path / "page", "")
    assert {task.task for task in seen[0].result.tasks} == {"fruit_en", "mini_choice_en"}
    assert {record.task for record in seen[0].samples()} == {"mini_choice_en"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--votes", "x", "--max_mb", "3"), "--votes, --max_mb: of the leaderboard page only"),
        (("--samples", "none"), "--samples: of the leaderboard page only"),
    ],
)
def test_what_only_the_leaderboard_knows_is_refused(
    arguments: tuple[str, ...], said: str, offered: Offered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = reported("return Rendered(b'')", offered, tmp_path, capsys, *arguments)
    assert code == 2
    assert said in text


def test_reports_that_commands_make_are_said_to_be_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_here(capsys, "report", "runs", "--report", "gate")
    assert (ran.code, ran.err) == (2, "evalsuite: --report gate: `evalsuite gate` makes it.\n")


def test_every_report_of_ours_is_made_by_a_command() -> None:
    assert set(MADE_BY) == set(plugins.names(plugins.REPORTS))
