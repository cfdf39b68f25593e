"""Trust levels and red flags on real runs: what raises a row, what does not, and why it says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from proven_runs import prepared, run, verified

from evalsuite.alarms import Doubt, RedFlag, alarms
from evalsuite.engines.scripted import ScriptedEngine, loglikelihood, plausible
from evalsuite.judge_cards import CardLimits, CardRate, CardVerdict, JudgeCard, LengthSlope, measures_of, verdict_on
from evalsuite.proofs.agreement import Agreement, agreement_of
from evalsuite.proofs.red_flags import red_flags
from evalsuite.proofs.trust import TrustLevel, trust_of
from evalsuite.records import SERVER_VERSION, JudgedSpec, RunResult
from evalsuite.store.results import RESULTS, read_results, read_samples, written_form
from evalsuite.types import Flag, LoglikelihoodRequest, Request, Response, Scalar

TASKS = ("mini_choice_en", "mini_choice_fr", "mini_math_en")


class Machine(ScriptedEngine):
    """The scripted engine on a machine with a name; everywhere the same model."""

    def __init__(self, stack: Mapping[str, Scalar], answer: Callable[[Request], Response] = plausible) -> None:
        super().__init__(answer, label="toy")
        self._stack = stack

    def identity(self) -> Mapping[str, Scalar]:
        return {"weights": "f" * 64, "device": "cpu", "batch_size": 1}

    def stack(self) -> Mapping[str, Scalar]:
        return self._stack


def flipping(num_of_256: int) -> Callable[[Request], Response]:
    """The toy model, turned around on so many of 256 requests' contexts."""

    def answer(request: Request) -> Response:
        response = plausible(request)
        if isinstance(request, LoglikelihoodRequest) and sum(str(request.context).encode()) % 256 < num_of_256:
            return loglikelihood(request.continuation, -20.0 - response.sum_nats)  # type: ignore[union-attr]
        return response

    return answer


def made(path: Path, engine: ScriptedEngine, **changes: object) -> Path:
    """A run on `engine`, pinned by what that says of itself."""
    what = prepared(**{"tasks": TASKS, "limit": 60.0, **changes})
    model = msgspec.structs.replace(what.spec.model, identity=engine.identity())
    run(path, replace(what, engine=engine, spec=msgspec.structs.replace(what.spec, model=model)))
    return path


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("first") / "run", Machine({"device": "one"}))


def second(tmp_path: Path, first: Path, engine: ScriptedEngine, by: str = "", **changes: object) -> Agreement:
    return agreement_of(first, made(tmp_path / "second", engine, **changes), by)


# -- a second run


def test_another_machine_that_agrees_is_a_repetition(tmp_path: Path, first: Path) -> None:
    found = second(tmp_path, first, Machine({"device": "two"}))
    assert found.reasons == ()
    assert (found.n, found.num_alike, found.run_id) == (80, 80, found.second_run_id)
    assert {task.task for task in found.tasks} == set(TASKS)
    for task in found.tasks:
        assert (task.num_alike, task.num_samples) == (task.n, task.n)
        assert 0.8 < task.low < task.high == 1.0
    trust = trust_of(verified(first), found)
    assert (trust.level, trust.reasons, trust.agreement) == (TrustLevel.RE_RUN, (), found)


def test_other_libraries_and_batches_are_another_stack_and_other_weights_another_model(
    tmp_path: Path, first: Path
) -> None:
    class Elsewhere(Machine):
        def identity(self) -> Mapping[str, Scalar]:
            return {"weights": "f" * 64, "device": "cuda", "batch_size": 8, "torch": "9.9", "planned_for_workers": 64}

    class Other(Machine):
        def identity(self) -> Mapping[str, Scalar]:
            return {"weights": "0" * 64, "device": "cpu", "batch_size": 1}

    found = second(tmp_path, first, Elsewhere({"device": "H200"}))
    assert found.is_repetition
    assert found.run_id != found.second_run_id
    other = agreement_of(first, made(tmp_path / "other", Other({"device": "two"})))
    assert other.reasons == (f"another model: weights is {'f' * 64}, and {'0' * 64}",)


def test_the_same_stack_is_no_repetition_unless_somebody_says_who_ran_it(tmp_path: Path, first: Path) -> None:
    again = made(tmp_path / "again", Machine({"device": "one"}, flipping(4)))
    (reason,) = agreement_of(first, again).reasons
    assert "same stack answered" in reason
    found = agreement_of(first, again, by="Noor, on another cluster")
    assert (found.reasons, found.by) == ((), "Noor, on another cluster")
    assert trust_of(verified(first), agreement_of(first, again)).level == TrustLevel.RE_SCORED


def test_a_copy_is_no_repetition_whoever_is_said_to_have_run_it(tmp_path: Path, first: Path) -> None:
    link, copy, part = tmp_path / "link", tmp_path / "copy", tmp_path / "part"
    link.symlink_to(first)
    shutil.copytree(first, copy)
    shutil.copytree(first, part)
    result = read_results(part)
    packages = {**result.packages, "numpy": "0.0"}
    (part / RESULTS).write_bytes(written_form(msgspec.structs.replace(result, packages=packages)))
    for second, said in (
        (first, "both are one directory"), (link, "both are one directory"), (copy, "both have the manifest"),
        (part, "journal/0001.jsonl is byte for byte a journal file of the first run"),
    ):  # fmt: skip
        found = agreement_of(first, second, by="Noor, on another cluster")
        (reason,) = found.reasons
        assert said in reason
        assert trust_of(verified(first), found).level == TrustLevel.RE_SCORED


def test_few_samples_may_end_otherwise_and_many_may_not(tmp_path: Path, first: Path) -> None:
    few = second(tmp_path, first, Machine({"device": "two"}, flipping(4)))
    assert few.n - few.num_alike == 1
    assert few.is_repetition
    many = agreement_of(first, made(tmp_path / "many", Machine({"device": "two"}, flipping(60))))
    assert many.n - many.num_alike > 5
    assert any("samples in all ended otherwise, more than 2%" in reason for reason in many.reasons)
    trust = trust_of(verified(first), many)
    assert (trust.level, trust.reasons) == (TrustLevel.RE_SCORED, many.reasons)


def test_a_part_of_the_samples_may_be_run_again(tmp_path: Path, first: Path) -> None:
    found = second(tmp_path, first, Machine({"device": "two"}), limit=12.0)
    assert found.is_repetition
    assert (found.n, {task.num_samples for task in found.tasks}) == (24, {20, 30})
    too_few = agreement_of(first, made(tmp_path / "few", Machine({"device": "two"}), limit=2.0))
    assert too_few.reasons == (
        "mini_choice_en: only 1 of 30 samples were run again",
        "mini_choice_fr: only 1 of 30 samples were run again",
        "only 4 samples in all were run again, fewer than 20",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seed": 5}, "another question: seed differs"),
        ({"num_fewshot": 1}, "mini_choice_en is another task: exemplars: 0, 1"),
        ({"tasks": ("mini_choice_en", "mini_math_en")}, "mini_choice_fr was not run again"),
        ({"gen_kwargs": {"max_tokens": 3}}, "another question: generation differs"),
    ],
)
def test_another_question_is_no_repetition(tmp_path: Path, first: Path, changes: dict[str, Any], reason: str) -> None:
    assert any(one.startswith(reason) for one in second(tmp_path, first, Machine({"device": "two"}), **changes).reasons)


def test_failures_on_one_side_alone_are_apart(tmp_path: Path, first: Path) -> None:
    from proven_runs import answer

    found = second(tmp_path, first, Machine({"device": "two"}, answer))
    assert found.num_alike < found.n
    assert not found.is_repetition


# -- levels


def test_what_was_changed_is_self_reported(tmp_path: Path, first: Path) -> None:
    assert trust_of(verified(first)).level == TrustLevel.RE_SCORED
    path = made(tmp_path / "run", Machine({"device": "one"}), limit=4.0)
    result = json.loads((path / RESULTS).read_bytes())
    result["estimates"][0]["value"] = 0.123
    (path / RESULTS).write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="ascii")
    trust = trust_of(verified(path))
    assert trust.level == TrustLevel.SELF_REPORTED
    assert "places differ from what is stored, the first in results.json" in trust.reasons[0]


def test_numbers_whose_tasks_are_not_here_are_self_reported(first: Path) -> None:
    found = verified(first)
    tasks = tuple(
        msgspec.structs.replace(task, level="recomputed", why=("not scored again: gone",)) for task in found.tasks * 3
    )
    trust = trust_of(msgspec.structs.replace(found, level="recomputed", tasks=tasks))
    assert trust.level == TrustLevel.SELF_REPORTED
    assert trust.reasons[0] == "mini_choice_en: not scored again: gone"
    assert trust.reasons[-1] == "and 5 tasks more"


# -- red flags


def flags(path: Path, result: RunResult | None = None, **more: Any) -> dict[Doubt, RedFlag]:
    return {flag.kind: flag for flag in red_flags(result or read_results(path), list(read_samples(path)), **more)}


def test_a_plain_run_of_a_function_has_no_other_flag(first: Path) -> None:
    result = read_results(first)
    model = msgspec.structs.replace(result.spec.model, engine="transformers")
    spec = msgspec.structs.replace(result.spec, model=model)
    assert set(flags(first)) == {Doubt.NO_MODEL, Doubt.PARTIAL}
    assert flags(first)[Doubt.PARTIAL].text == "a partial run: 60 of 80 samples of 2 of 3 tasks"
    assert set(flags(first, msgspec.structs.replace(result, spec=spec))) == {Doubt.PARTIAL}


def test_failures_sampling_and_caps_are_flagged(tmp_path: Path) -> None:
    run(tmp_path, prepared(limit=20.0, tasks=("mini_math_en", "mini_choice_en"), gen_kwargs={"temperature": 0.7}))
    found = flags(tmp_path)
    result = read_results(tmp_path)
    assert result.status == "incomplete"
    unscored = result.counts.unscored
    assert (found[Doubt.INCOMPLETE].count, found[Doubt.INCOMPLETE].total) == (unscored, result.counts.requested)
    assert f"(content_filter {unscored})" in found[Doubt.INCOMPLETE].text
    assert found[Doubt.UNSCORED].count == unscored
    assert found[Doubt.SAMPLED].count == 20
    assert "temperatures up to 0.7" in found[Doubt.SAMPLED].text
    assert Doubt.CAPPED not in found
    summary = msgspec.structs.replace(result.tasks[0], flags={Flag.CAPPED: 2})
    capped = flags(tmp_path, msgspec.structs.replace(result, tasks=(summary, *result.tasks[1:])))[Doubt.CAPPED]
    assert (capped.count, capped.family) == (2, result.tasks[0].family)


def changed(path: Path, **changes: Any) -> RunResult:
    """The result with another model's identity, or other stacks or counts."""
    result = read_results(path)
    identity = changes.pop("identity", None)
    if identity is not None:
        model = msgspec.structs.replace(result.spec.model, identity=identity, engine="openai")
        result = msgspec.structs.replace(result, spec=msgspec.structs.replace(result.spec, model=model))
    return msgspec.structs.replace(result, **changes)


def test_servers_stacks_and_foreign_code_are_flagged(first: Path) -> None:
    server = {"base_url": "http://127.0.0.1:1", "model": "m"}
    assert Doubt.NO_VERSION in flags(first, changed(first, identity=server))
    assert Doubt.NO_VERSION not in flags(first, changed(first, identity={**server, "revision": "abc"}))
    versions = tuple({"openai": "1", SERVER_VERSION: name} for name in ("a", "b"))
    found = flags(first, changed(first, identity=server, stacks=versions))
    assert Doubt.NO_VERSION not in found
    assert Doubt.STACK_CHANGED not in found
    assert "versions of the server" in found[Doubt.SERVER_CHANGED].text
    stacks = ({"device": "one"}, {"device": "two"})
    assert flags(first, changed(first, stacks=stacks))[Doubt.STACK_CHANGED].count == 2
    assert Doubt.REMOTE_CODE in flags(first, changed(first, identity={"extra_trust_remote_code": True}))
    assert Doubt.REMOTE_CODE not in flags(first, changed(first, identity={"trust_remote_code": False}))


def test_an_interrupted_run_is_flagged(first: Path) -> None:
    counts = msgspec.structs.replace(read_results(first).counts, scored=60, not_run=15, cancelled=5)
    found = flags(first, changed(first, counts=counts, status="interrupted"))
    assert found[Doubt.INTERRUPTED].count == 20
    assert found[Doubt.INCOMPLETE].text == "20 of 80 samples have no score (not run)"


def test_what_the_terminal_tells_is_flagged_too(first: Path) -> None:
    result = read_results(first)
    summary = msgspec.structs.replace(result.tasks[0], num_truncated=3, flags={Flag.TIED: 30, Flag.UNPARSED: 30})
    result = msgspec.structs.replace(result, tasks=(summary, *result.tasks[1:]))
    found = flags(first, result)
    assert {Doubt.TIED, Doubt.TRUNCATED} <= set(found)
    assert alarms(result)["mini_choice"] == tuple(found[kind].text for kind in (Doubt.TIED, Doubt.TRUNCATED))


def card(language: str, parse_rate: float = 1.0, **changed: Any) -> JudgeCard:
    """A card without a fault, but for its share of replies with a verdict and what is `changed`."""

    def rate(value: float, name: str = "") -> CardRate:
        return CardRate(name=name, value=value, low=value - 0.02, high=value + 0.02, n=140, num_unscored=0)

    slope = LengthSlope(per_doubling=0.0, stderr=0.01, low=-0.02, high=0.02, n=20, num_unscored=0)
    found = JudgeCard(
        judge="rating", protocol="rating-v1", model="wise", language=language, num_cases=140,
        parse_rate=rate(parse_rate), decent=rate(0.9), attacks=rate(0.1), kinds=(rate(0.1, "order"),),
        nulls=(rate(0.1, "dots"),), length_slope=slope, swap_consistency=None, first_position=None,
        limits=CardLimits(), faults=(), is_admissible=True,
    )  # fmt: skip
    return msgspec.structs.replace(found, **changed)


def verdicts(*cards: JudgeCard) -> list[CardVerdict]:
    return [verdict_on(one, measures_of(one)) for one in cards]


def test_a_judge_without_an_admissible_card_is_flagged(tmp_path: Path, first: Path) -> None:
    result = read_results(first)
    judged = JudgedSpec(judge="rating", version=1, options={}, runs=("0" * 16,), models=("m",), answers_sha256="")
    model = msgspec.structs.replace(result.spec.model, name="wise")
    spec = msgspec.structs.replace(result.spec, judged=judged, model=model)
    tasks = tuple(msgspec.structs.replace(task, protocol="mini-v1/rating-v1@wise") for task in result.tasks)
    result = msgspec.structs.replace(result, spec=spec, tasks=tasks)

    def said(*cards: JudgeCard) -> list[str]:
        found = red_flags(result, [], verdicts(*cards))
        return [flag.text for flag in found if flag.kind == Doubt.JUDGE_UNFIT]

    none = "judge rating by wise in fr has no card that shows how far it can be trusted"
    english, french = card("en"), card("fr")
    assert said(english) == [none]
    assert said(english, french) == []
    assert len(said(card("en", model="other"))) == 2
    assert len(said(card("en", protocol="rating-file-1234"))) == 2
    # what decides are the figures, and not what the card says of them
    unfit = card("en", 0.9, is_admissible=True, faults=())
    assert said(unfit, french) == ["judge rating by wise in en is not admissible: parse_rate not at least 0.98"]
    assert said(card("en", is_admissible=False, faults=("x",)), french) == []
    longer = tuple(msgspec.structs.replace(task, protocol=f"{task.protocol}-2") for task in result.tasks)
    result = msgspec.structs.replace(result, tasks=longer)
    assert len(said(english, french)) == 2  # by another model, whose name begins alike
