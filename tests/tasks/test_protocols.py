"""Protocols: the draws of exemplars, what a sealed protocol refuses, exemplars by task, suites, and whole prompts."""

from __future__ import annotations

import hashlib
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from commands import Run, run_here
from evalsuite.tasks._prompts import build_prompt, lm_eval_prompt
from evalsuite.tasks._protocols import (
    IDS,
    LM_EVAL,
    OPENLLM_FIXED,
    OPENLLM_V1,
    Protocol,
    choose,
    draw,
    evaluation_order,
    num_shots,
)

from evalsuite.building import build_task
from evalsuite.config import RunConfig
from evalsuite.contracts import TaskInfo, TaskOptions
from evalsuite.data import DataSource
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.errors import EXIT_OK, EXIT_USAGE, UnknownName, UsageError
from evalsuite.plugins import all_tasks, choose_tasks, family
from evalsuite.prepare import prepare
from evalsuite.store.results import read_results
from evalsuite.types import Message, Sample, Shot

SEALED = ("openllm-v1", "openllm-fixed")
LEADERBOARD = {
    "arc_challenge": 25,
    "hellaswag": 10,
    "mmlu_anatomy": 5,
    "truthfulqa": 0,
    "winogrande": 5,
    "gsm8k": 5,
}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``evalsuite run`` with the scripted engine in an empty folder; with a limit, lest a failure take hours."""
    monkeypatch.chdir(tmp_path)
    return partial(run_here, capsys, "run", "--model", "scripted", "--json")


# -- draws


@pytest.mark.parametrize("seed", [1234, 7])
@pytest.mark.parametrize(("num_exemplars", "num_fewshot"), [(9, 0), (9, 4), (9, 9), (500, 5)])
def test_lm_eval_draws_row_by_row_from_one_generator(seed: int, num_exemplars: int, num_fewshot: int) -> None:
    generator = random.Random(seed)
    places = draw("arc_easy", LM_EVAL, seed, 12, num_exemplars, num_fewshot)
    assert [place.row for place in places] == list(range(12))
    for place in places:
        assert list(place.shots) == generator.sample(range(num_exemplars), num_fewshot)


@pytest.mark.parametrize("num_fewshot", [0, 1, 8])
def test_lm_eval_draws_one_more_where_there_is_no_test_split(num_fewshot: int) -> None:
    generator = random.Random(3)
    for place in draw("winogrande", LM_EVAL, 3, 12, 9, num_fewshot, has_test=False):
        drawn = generator.sample(range(9), num_fewshot + 1) if num_fewshot else []
        assert list(place.shots) == drawn[:num_fewshot]
    assert [place.shots for place in draw("winogrande", LM_EVAL, 3, 2, 0, 0, has_test=False)] == [(), ()]
    with pytest.raises(UsageError, match=r"9: winogrande has 9 exemplars, and 10 are drawn: one is spare\.$"):
        draw("winogrande", LM_EVAL, 3, 12, 9, 9, has_test=False)


@pytest.mark.parametrize("has_test", [True, False])
@pytest.mark.parametrize("seed", [1, 1234])
def test_the_leaderboard_shuffles_and_draws_by_one_generator_of_its_own_seed(seed: int, has_test: bool) -> None:
    generator = random.Random(42)
    order = list(range(30))
    generator.shuffle(order)
    places = draw("gsm8k", OPENLLM_V1, seed, 30, 50, 5, has_test=has_test)
    assert [place.row for place in places] == order
    assert evaluation_order(OPENLLM_V1, seed, 30) == order
    for place in places:
        assert list(place.shots) == generator.sample(range(50), 5)


@pytest.mark.parametrize("seed", [1, 1234])
def test_the_fixed_protocol_has_one_set_for_all_rows(seed: int) -> None:
    """Of the smallest hashes, so that neither the seed nor any library's generator has a say in it."""
    places = draw("gsm8k", OPENLLM_FIXED, seed, 30, 50, 8)
    assert [place.row for place in places] == list(range(30)) == evaluation_order(OPENLLM_FIXED, seed, 30)
    (shots,) = {place.shots for place in places}
    assert len(set(shots)) == 8
    hashes = {hashlib.sha256(f"openllm-fixed:gsm8k:{row}".encode()).hexdigest(): row for row in range(50)}
    assert list(shots) == [row for _, row in sorted(hashes.items())][:8]


def test_the_fixed_sets_are_these_for_ever() -> None:
    """A regression gate compares with runs of long ago."""
    sizes = {"arc_challenge": 1119, "hellaswag": 39905, "winogrande": 40398, "gsm8k": 7473}
    assert {task: draw(task, OPENLLM_FIXED, 1234, 1, size, 5)[0].shots for task, size in sizes.items()} == {
        "arc_challenge": (330, 55, 131, 988, 257),
        "hellaswag": (35500, 36113, 18740, 26877, 18880),
        "winogrande": (31120, 19900, 2453, 20771, 13330),
        "gsm8k": (616, 7103, 660, 3570, 4810),
    }


def test_fixed_sets_differ_by_task_and_grow_without_change() -> None:
    tasks = ("arc_challenge", "arc_easy", "hellaswag", "winogrande", "gsm8k")
    sets = {task: draw(task, OPENLLM_FIXED, 1234, 1, 100, 10)[0].shots for task in tasks}
    assert len(set(sets.values())) == len({frozenset(shots) for shots in sets.values()}) == len(tasks)
    assert all(len(set(shots)) == 10 and set(shots) <= set(range(100)) for shots in sets.values())
    for task in tasks:
        assert draw(task, OPENLLM_FIXED, 1234, 1, 100, 4)[0].shots == sets[task][:4]
        assert sorted(draw(task, OPENLLM_FIXED, 1234, 1, 100, 100)[0].shots) == list(range(100))


@pytest.mark.parametrize("protocol", [LM_EVAL, OPENLLM_FIXED])
def test_later_rows_change_nothing_for_earlier_ones(protocol: Protocol) -> None:
    assert draw("t", protocol, 9, 10, 40, 6) == draw("t", protocol, 9, 200, 40, 6)[:10]


@pytest.mark.parametrize("protocol", [LM_EVAL, OPENLLM_V1, OPENLLM_FIXED])
def test_no_row_has_an_exemplar_twice_and_too_many_are_refused(protocol: Protocol) -> None:
    for place in draw("t", protocol, 9, 20, 7, 7):
        assert sorted(place.shots) == list(range(7))
    assert {place.shots for place in draw("t", protocol, 9, 20, 0, 0)} == {()}
    with pytest.raises(UsageError, match=r"--num_fewshot 8: t has 7 exemplars\.$"):
        draw("t", protocol, 9, 20, 7, 8)


def test_the_seed_is_the_runs_only_under_lm_eval() -> None:
    def differs(protocol: Protocol) -> bool:
        return draw("t", protocol, 1, 20, 30, 3) != draw("t", protocol, 2, 20, 30, 3)

    assert [differs(protocol) for protocol in (LM_EVAL, OPENLLM_V1, OPENLLM_FIXED)] == [True, False, False]


# -- the limit


@pytest.mark.data
@pytest.mark.parametrize("limit_mode", ["first", "stratified"])
@pytest.mark.parametrize("protocol", ["lm-eval-0.4", "openllm-v1", "openllm-fixed"])
@pytest.mark.parametrize("task", ["winogrande", "gsm8k", "truthfulqa", "mmlu_virology"])
def test_prompts_do_not_depend_on_the_limit(mirror: Path, task: str, protocol: str, limit_mode: Any) -> None:
    def taken(limit: float | None) -> list[Sample]:
        num_fewshot = 3 if protocol == "lm-eval-0.4" and task != "truthfulqa" else None
        config = RunConfig(
            model="scripted",
            tasks=(task,),
            protocol=protocol,
            num_fewshot=num_fewshot,
            limit=limit,
            limit_mode=limit_mode,
            data_dir=str(mirror),
        )
        (entry,) = prepare(config).tasks
        return list(entry.samples)

    every, some = taken(None), taken(15)
    assert len(some) == 15
    assert [sample for sample in every if sample.id in {one.id for one in some}] == some
    if limit_mode == "first":
        assert some == every[:15]


# -- names and numbers


@pytest.mark.parametrize(
    ("wanted", "has_derived", "message"),
    [
        ("openllm_v1", False, r"protocol 'openllm_v1' is not installed; did you mean 'openllm-v1'\? t has: "),
        ("lm-eval", False, r"did you mean 'lm-eval-0\.4'\? t has: lm-eval-0\.4, openllm-v1, openllm-fixed\.$"),
        ("zebra", False, r"protocol 'zebra' is not installed\. t has: lm-eval-0\.4, openllm-v1, openllm-fixed\.$"),
        ("openllm-v1+derived-shots", False, r"t has: lm-eval-0\.4, openllm-v1, openllm-fixed\.$"),
        ("zebra", True, r"openllm-fixed, lm-eval-0\.4\+derived-shots, .*, openllm-fixed\+derived-shots\.$"),
    ],
)
def test_an_unknown_protocol_is_named_with_what_there_is(wanted: str, has_derived: bool, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        choose("t", TaskOptions(protocol=wanted), has_derived=has_derived)


def test_protocols_are_chosen_by_name_and_lm_evals_by_default() -> None:
    assert [choose("t", TaskOptions(protocol=name)).id for name in IDS] == [
        "lm-eval-0.4",
        "openllm-v1",
        "openllm-fixed",
    ]
    assert choose("t", TaskOptions()) == choose("t", TaskOptions(protocol="lm-eval-0.4")) == LM_EVAL
    derived = choose("t", TaskOptions(protocol="openllm-v1+derived-shots"), has_derived=True)
    assert derived.is_sealed
    assert (derived.seed, derived.order, derived.encoding) == (42, "shuffled", OPENLLM_V1.encoding)
    with pytest.raises(UnknownName, match=r"t has: lm-eval-0\.4, openllm-v1, openllm-fixed\.$"):
        choose("t", TaskOptions(protocol="openllm-v1+derived-shots"))


@pytest.mark.parametrize(("wanted", "expected"), [(None, 2), (0, 0), (1, 1), (9, 9)])
def test_num_shots_is_the_users_only_where_the_protocol_leaves_it(wanted: int | None, expected: int) -> None:
    options = TaskOptions(num_fewshot=wanted)
    assert num_shots("t", LM_EVAL, options, 25, default=2) == expected
    assert num_shots("t", LM_EVAL, options, 25) == (wanted or 0)
    for protocol in (OPENLLM_V1, OPENLLM_FIXED):
        assert num_shots("t", protocol, TaskOptions(num_fewshot=None if wanted is None else 25), 25, default=2) == 25
        if wanted is not None:
            with pytest.raises(UsageError, match="fixes it: 25"):
                num_shots("t", protocol, options, 25)


# -- what a sealed protocol refuses


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("num_fewshot", 3),
        ("apply_chat_template", "true"),
        ("system_instruction", "Be brief."),
        ("gen_kwargs", "temperature=0"),
        ("truncation", "error"),
        ("truncation", "drop_shots"),
        ("truncation", "truncate_left"),
        ("fewshot_as_multiturn", "true"),
        ("fewshot_as_multiturn", "false"),
    ],
)
@pytest.mark.parametrize("protocol", SEALED)
@pytest.mark.parametrize("task", LEADERBOARD)
def test_a_sealed_protocol_refuses_what_would_change_it(
    command: Run, task: str, protocol: str, flag: str, value: object
) -> None:
    ran = command("--tasks", task, "--protocol", protocol, f"--{flag}", value, "--limit", 1)
    assert ran.code == EXIT_USAGE
    (line,) = ran.err.splitlines()
    assert line.startswith(f"evalsuite: --{flag}: the protocol {protocol} ")
    assert "fixes it" in line
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("protocol", SEALED)
def test_a_sealed_protocol_refuses_another_context_length(protocol: str) -> None:
    """It decides which prompts are cut. Refused before any row is read."""
    config = RunConfig(
        model="transformers", tasks=("winogrande",), protocol=protocol, model_args={"pretrained": "m", "max_length": 64}
    )
    (choice,) = choose_tasks(["winogrande"])
    with pytest.raises(UsageError, match=f"--model_args max_length: the protocol {protocol} of winogrande fixes it"):
        build_task(choice, config, ScriptedEngine(plausible), DataSource(mirror=None, hub=False))


@pytest.mark.parametrize("suite", ["openllm_v1", "openllm_fixed"])
def test_a_suite_is_sealed_too(command: Run, suite: str) -> None:
    ran = command("--tasks", suite, "--num_fewshot", "5", "--limit", 1)
    assert ran.code == EXIT_USAGE
    assert f"--num_fewshot: the protocol {suite.replace('_', '-')} of arc_challenge fixes it: 25" in ran.err


def test_a_variant_is_as_sealed_as_its_protocol(command: Run) -> None:
    ran = command("--tasks", "hellaswag", "--protocol", "openllm-v1+derived-shots", "--num_fewshot", 3, "--limit", 1)
    assert ran.code == EXIT_USAGE
    assert "--num_fewshot: the protocol openllm-v1+derived-shots of hellaswag fixes it: 10" in ran.err


@pytest.mark.data
@pytest.mark.parametrize("protocol", SEALED)
@pytest.mark.parametrize("task", ["arc_challenge", "mmlu_anatomy", "truthfulqa", "winogrande", "gsm8k"])
def test_what_changes_nothing_is_accepted_and_is_the_same_run(
    command: Run, mirror: Path, task: str, protocol: str
) -> None:
    """The very number of exemplars that is fixed, no template, and settings that say nothing."""
    bare = ("--tasks", task, "--protocol", protocol, "--limit", 2, "--dry_run", "--data_dir", mirror)
    plain = command(*bare)
    assert plain.code == EXIT_OK, plain.err
    assert plain.json["tasks"][0]["num_samples"] == 2
    number = ("--num_fewshot", LEADERBOARD[task])
    for same in (number, ("--apply_chat_template", "false"), ("--system_instruction", ""), ("--gen_kwargs", "{}")):
        assert command(*bare, *same).json == plain.json, same
    assert command(*bare, "--num_fewshot", LEADERBOARD[task] + 1).code == EXIT_USAGE


@pytest.mark.data
def test_lm_evals_protocol_takes_them_all(command: Run, mirror: Path) -> None:
    ran = command(
        *("--tasks", "winogrande", "--num_fewshot", 2, "--apply_chat_template", "--system_instruction", "Be brief."),
        *("--gen_kwargs", "temperature=1", "--truncation", "drop_shots", "--limit", 2, "--data_dir", mirror),
    )
    assert ran.code == EXIT_OK, ran.err
    assert {entry["protocol"] for entry in ran.json["results"]} == {"lm-eval-0.4"}


# -- exemplars by task


def shots(command: Run, mirror: Path, *arguments: object) -> dict[str, int]:
    """The number of exemplars that a run's spec holds for each task, and that stand in its prompts."""
    ran = command(*arguments, "--limit", 3, "--limit_mode", "first", "--data_dir", mirror)
    assert ran.code == EXIT_OK, ran.err
    result = read_results(Path(ran.json["path"]))
    return {task.name: task.num_fewshot for task in result.spec.tasks}


@pytest.mark.data
def test_exemplars_may_be_given_by_task(command: Run, mirror: Path) -> None:
    """Tasks that are not named keep their own number."""
    found = shots(
        command, mirror, "--tasks", "arc_easy,winogrande,gsm8k,truthfulqa", "--num_fewshot", "arc_easy=2,winogrande=1"
    )
    assert found == {"arc_easy": 2, "winogrande": 1, "gsm8k": 5, "truthfulqa": 0}


@pytest.mark.data
def test_a_tasks_own_name_goes_before_its_familys(mirror: Path) -> None:
    config = RunConfig(
        model="scripted",
        tasks=("mmlu_anatomy", "mmlu_virology"),
        num_fewshot={"mmlu": 4, "mmlu_virology": 1},
        limit=10,
        data_dir=str(mirror),
    )
    prepared = prepare(config)
    assert {task.name: task.num_fewshot for task in prepared.spec.tasks} == {"mmlu_anatomy": 4, "mmlu_virology": 1}
    for entry in prepared.tasks:
        assert {len(sample.shots) for sample in entry.samples} == {entry.task.num_fewshot}


@pytest.mark.data
def test_by_task_and_for_all_are_one_run(command: Run, mirror: Path) -> None:
    arguments = ("--tasks", "winogrande", "--limit", 3, "--dry_run", "--data_dir", mirror)
    one, other = (command(*arguments, "--num_fewshot", number).json for number in ("winogrande=2", 2))
    assert one == other


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("arc_esy=2", ("--num_fewshot: arc_esy is not among the tasks", "did you mean 'arc_easy'?")),
        ("arc_easy=1,gsm8k=2", ("--num_fewshot: gsm8k is not among the tasks that --tasks asks for.",)),
        ("arc_easy=-1", ("--num_fewshot", "expected 0 or more")),
        ("arc_easy=many", ("--num_fewshot", "expected int")),
        ("arc_easy=1,winogrande", ("--num_fewshot", "'winogrande' is not of the form key=value")),
    ],
)
def test_wrong_exemplars_by_task(command: Run, number: str, parts: tuple[str, ...]) -> None:
    ran = command("--tasks", "arc_easy,winogrande", "--num_fewshot", number, "--limit", 1)
    assert ran.code == EXIT_USAGE
    (line,) = ran.err.splitlines()
    assert [part for part in parts if part not in line] == [], line


# -- protocols by task


@pytest.mark.data
def test_protocols_may_be_given_by_task(mirror: Path) -> None:
    """Tasks that are not named keep lm-eval's; a suite's tasks their suite's."""
    config = RunConfig(
        model="scripted",
        tasks=("winogrande", "mmlu_anatomy", "mmlu_virology", "gsm8k"),
        protocol={"winogrande": "openllm-v1", "mmlu": "openllm-fixed", "mmlu_virology": "lm-eval-0.4"},
        limit=4,
        data_dir=str(mirror),
    )
    assert {task.name: task.protocol for task in prepare(config).spec.tasks} == {
        "winogrande": "openllm-v1",
        "mmlu_anatomy": "openllm-fixed",
        "mmlu_virology": "lm-eval-0.4",
        "gsm8k": "lm-eval-0.4",
    }


@pytest.mark.parametrize(
    ("protocol", "parts"),
    [
        ("winogrand=openllm-v1", ("--protocol: winogrand is not among the tasks", "did you mean 'winogrande'?")),
        ("arc_easy=openllm-v2", ("protocol 'openllm-v2'", "did you mean 'openllm-v1'?", "arc_easy has:")),
    ],
)
def test_wrong_protocols_by_task(command: Run, protocol: str, parts: tuple[str, ...]) -> None:
    ran = command("--tasks", "arc_easy,winogrande", "--protocol", protocol, "--limit", 1)
    assert ran.code == EXIT_USAGE
    (line,) = ran.err.splitlines()
    assert [part for part in parts if part not in line] == [], line


@pytest.mark.parametrize(
    ("task", "protocol", "num_fewshot", "is_seeded"),
    [
        ("winogrande", "lm-eval-0.4", 2, True),
        ("winogrande", "lm-eval-0.4", 0, False),
        ("winogrande", "openllm-v1", None, False),
        ("winogrande", "openllm-fixed", None, False),
        ("arc_easy", "lm-eval-0.4", 2, True),
        ("hellaswag", "lm-eval-0.4+derived-shots", 2, True),
        ("gsm8k", "lm-eval-0.4", None, True),
        ("gsm8k", "openllm-v1", None, False),
        ("mmlu_anatomy", "lm-eval-0.4", 2, False),
        ("truthfulqa", "lm-eval-0.4", 0, False),
    ],
)
def test_a_task_says_whether_the_seed_draws_its_exemplars(
    task: str, protocol: str, num_fewshot: int | None, is_seeded: bool
) -> None:
    (choice,) = choose_tasks([task])
    built = choice.family.build(task, TaskOptions(protocol=protocol, num_fewshot=num_fewshot))
    assert built.is_seeded == is_seeded


# -- what a task says of itself


def test_a_task_is_built_as_it_is_listed() -> None:
    listed = all_tasks()
    assert len(listed) == len({info.name for info in listed})
    for info in listed:
        task = family(info.family).build(info.name, TaskOptions())
        said = TaskInfo(task.name, task.family, task.language, task.kind, info.title, task.licence)
        assert info.title.startswith(task.title)
        version = 2 if info.family in ("mini_math", "mini_translation") else 1
        assert (said, task.version) == (info, version), "raise the version here too when a score changes its meaning"


@pytest.mark.parametrize(
    ("task", "title"),
    [
        ("arc_challenge", "ARC Challenge: grade-school science questions"),
        ("arc_easy", "ARC Easy: grade-school science questions"),
        ("mmlu_world_religions", "MMLU, world religions"),
    ],
)
def test_members_of_a_family_have_their_own_titles(task: str, title: str) -> None:
    (choice,) = choose_tasks([task])
    assert choice.family.build(task, TaskOptions()).title == title


# -- suites


@pytest.mark.parametrize("suite", ["openllm_v1", "openllm_fixed"])
def test_a_suite_is_its_62_tasks_under_its_protocol(suite: str) -> None:
    chosen = choose_tasks([suite])
    assert len(chosen) == len({choice.name for choice in chosen}) == 62
    assert {choice.protocol for choice in chosen} == {suite.replace("_", "-")}
    families = ["arc_challenge", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k"]
    assert list(dict.fromkeys(choice.family.name for choice in chosen)) == families
    assert sum(choice.family.name == "mmlu" for choice in chosen) == 57
    assert choose_tasks([suite, suite]) == chosen


@pytest.mark.data
def test_a_suite_runs_under_its_protocol(command: Run, mirror: Path) -> None:
    """HellaSwag's train rows may be missing in a mirror, which its protocol's name then says."""
    first = ("--limit", 2, "--limit_mode", "first", "--batch_size", 128)
    ran = command("--tasks", "openllm_v1", *first, "--data_dir", mirror)
    assert ran.code == EXIT_OK, ran.err
    spec = read_results(Path(ran.json["path"])).spec
    assert [task.name for task in spec.tasks] == [choice.name for choice in choose_tasks(["openllm_v1"])]
    assert len(spec.tasks) == 62
    assert {task.protocol.partition("+")[0] for task in spec.tasks} == {"openllm-v1"}
    assert {task.name: task.num_fewshot for task in spec.tasks}.items() >= LEADERBOARD.items()
    assert {task.num_samples for task in spec.tasks} == {2}
    (average,) = (mean for mean in ran.json["aggregates"] if mean["kind"] == "suite")
    assert (average["name"], average["n"]) == ("openllm_v1_average", 124)
    is_variant = "hellaswag: its train rows are not at hand" in ran.err
    assert average["protocol"] == ("openllm-v1+derived-shots" if is_variant else "openllm-v1")


@pytest.mark.parametrize(
    ("tasks", "both"),
    [
        ("openllm_v1,arc_challenge", "arc_challenge under openllm-v1 and its own protocol"),
        ("mmlu_anatomy,openllm_v1", "mmlu_anatomy under its own protocol and openllm-v1"),
        ("openllm_v1,openllm_fixed", "arc_challenge under openllm-v1 and openllm-fixed"),
    ],
)
def test_a_task_under_two_protocols_is_refused(command: Run, tasks: str, both: str) -> None:
    ran = command("--tasks", tasks, "--limit", 1)
    assert ran.code == EXIT_USAGE
    assert ran.err == f"evalsuite: --tasks asks for {both}; a run holds it once.\n"


def test_a_task_beside_a_suite_keeps_its_own_protocol() -> None:
    chosen = {choice.name: choice.protocol for choice in choose_tasks(["arc_easy", "openllm_fixed"])}
    assert (len(chosen), chosen["arc_easy"], chosen["arc_challenge"]) == (63, None, "openllm-fixed")


# -- whole prompts

SHOTS = (Shot(input="Q1:", target="a"), Shot(input="Q2:", target=" b "))
EXEMPLARS = "Q1: a\n\nQ2:  b \n\n"


@pytest.mark.parametrize(
    ("instruction", "description", "start"),
    [
        ("", "", ""),
        ("Be brief.", "", "Be brief."),
        ("", "About tea.\n\n", "About tea.\n\n"),
        ("Be brief.", "About tea.\n\n", "Be brief.\n\nAbout tea.\n\n"),
        ("Be brief. ", "About tea.\n\n", "Be brief. About tea.\n\n"),
        ("Be brief.\n", "About tea.", "Be brief.\nAbout tea."),
        ("Be brief.", "\nAbout tea.", "Be brief.\nAbout tea."),
        ("Be brief.", "About tea.", "Be brief.\n\nAbout tea."),
    ],
)
def test_instruction_and_description_come_first(instruction: str, description: str, start: str) -> None:
    """In plain text nothing parts them from what follows; in a chat they are the system's turn, if there is any."""
    options = TaskOptions(system_instruction=instruction)
    assert lm_eval_prompt("Q3:", SHOTS, options, description=description) == f"{start}{EXEMPLARS}Q3:"
    assert lm_eval_prompt("Q3:", (), options, description=description) == f"{start}Q3:"
    system = (Message(role="system", content=start),) if start else ()
    single = TaskOptions(system_instruction=instruction, chat=True)
    assert lm_eval_prompt("Q3:", SHOTS, single, description=description) == (
        *system,
        Message(role="user", content=f"{EXEMPLARS}Q3:"),
    )
    turns = TaskOptions(system_instruction=instruction, chat=True, multiturn_shots=True)
    assert lm_eval_prompt("Q3:", SHOTS, turns, description=description) == (
        *system,
        Message(role="user", content="Q1:"),
        Message(role="assistant", content="a"),
        Message(role="user", content="Q2:"),
        Message(role="assistant", content=" b "),
        Message(role="user", content="Q3:"),
    )


def test_our_own_prompts_part_the_instruction_and_lm_evals_do_not() -> None:
    options = TaskOptions(system_instruction="Be brief.")
    assert build_prompt("Q3:", SHOTS, options) == f"Be brief.\n\n{EXEMPLARS}Q3:"
    assert build_prompt("Q3:", SHOTS[:1], options, delimiter="") == "Be brief.\n\nQ1:a\n\nQ3:"
    chat = TaskOptions(system_instruction="Be brief.", chat=True)
    assert build_prompt("Q3:", (), chat) == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Q3:"),
    )
    assert build_prompt("Q3:", (), TaskOptions()) == "Q3:"
