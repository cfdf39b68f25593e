"""`evalsuite.evaluate` and `evalsuite.score`: what commands do, from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from commands import run_here

import evalsuite
from evalsuite import Evaluation, evaluate, score
from evalsuite.engines.scripted import ScriptedEngine, completion, plausible
from evalsuite.errors import ConfigError, EndpointDown, NothingSelected, UnknownName, UsageError
from evalsuite.types import Request, Response


def brief(request: Request) -> Response:
    return completion("नमस्ते")


def seven(request: Request) -> Response:
    return completion("[[7]]")


def test_it_is_the_run_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_here(
        capsys, "run", "--model", "scripted", "--tasks", "mini_choice_hi", "--limit", 5, "--output_path", tmp_path,
        "--json",
    )  # fmt: skip
    found = evaluate("scripted", "mini_choice_hi", limit=5, output_path=tmp_path)
    assert str(found.path) == ran.json["path"]
    assert [one.value for one in found.result.estimates] == [row["value"] for row in ran.json["results"]]
    assert [path.name for path in tmp_path.iterdir()] == [found.path.name]
    assert capsys.readouterr().out == ""


def test_headlines_and_single_numbers(tmp_path: Path) -> None:
    found = evaluate("scripted", ["mini_choice_hi", "mini_choice_en"], limit=8, output_path=tmp_path)
    assert {one.task: one.metric for one in found.headlines} == {
        "mini_choice_hi": "acc_norm_char",
        "mini_choice_en": "acc_norm_char",
    }
    assert found.estimate("mini_choice_hi") in found.headlines
    assert found.estimate("mini_choice_hi", "acc").metric == "acc"
    with pytest.raises(UsageError, match=r"mini_choice_hi has no accuracy, only acc_norm_char, acc, "):
        found.estimate("mini_choice_hi", "accuracy")
    with pytest.raises(UsageError, match=r"mini_choice_fr has no score here, but "):
        found.estimate("mini_choice_fr")


def test_printed_it_is_a_table(tmp_path: Path) -> None:
    found = evaluate("scripted", "mini_choice_hi", limit=4, output_path=tmp_path)
    head, *rows = str(found).splitlines()
    assert head.split() == ["task", "metric", "value", "95", "%", "interval", "n", "unscored"]
    assert len(rows) == len(found.result.estimates)
    assert all(row.startswith("mini_choice_hi  ") for row in rows)


def test_keys_of_a_configuration_file_are_taken(tmp_path: Path) -> None:
    found = evaluate(
        "scripted", "mini_choice_hi", limit=3, output_path=tmp_path, num_fewshot=2, seed=7,
        model_args={"name": "toy"}, use_cache=str(tmp_path / "cache"),
    )  # fmt: skip
    assert found.result.spec.tasks[0].num_fewshot == 2
    assert (found.result.spec.seed, found.result.spec.model.name) == (7, "toy")


def test_a_function_answers(tmp_path: Path) -> None:
    found = evaluate(brief, "mini_chat_hi", limit=2, output_path=tmp_path)
    assert found.estimate("mini_chat_hi", "answer_chars").value == len("नमस्ते")
    assert found.result.spec.model.name == f"{__name__}:brief"
    assert evaluate(brief, "mini_chat_hi", limit=2, output_path=tmp_path).path == found.path


def saying(text: str) -> Callable[[Request], Response]:
    return lambda request: completion(text)


def test_a_closure_is_never_taken_for_another(tmp_path: Path) -> None:
    lengths = [
        evaluate(saying(text), "mini_chat_en", limit=1, output_path=tmp_path)
        .estimate("mini_chat_en", "answer_chars").value
        for text in ("one", "three")
    ]  # fmt: skip
    assert lengths == [3.0, 5.0]


class CountingEngine(ScriptedEngine):
    num_closed = 0

    def close(self) -> None:
        self.num_closed += 1


def test_an_engine_of_the_callers_stays_open(tmp_path: Path) -> None:
    engine = CountingEngine(plausible)
    first = evaluate(engine, "mini_choice_hi", limit=2, output_path=tmp_path)
    evaluate(engine, "mini_choice_en", limit=2, output_path=tmp_path)
    assert engine.num_closed == 0
    assert first.result.spec.model.engine == "scripted"


def test_a_judge_scores_a_run(tmp_path: Path) -> None:
    answered = evaluate(brief, "mini_chat_hi", limit=3, output_path=tmp_path)
    judged = score(answered.path, "rating", seven)
    assert judged.path.parent == tmp_path
    found = judged.estimate("mini_chat_hi")
    assert (found.metric, found.value, found.n) == ("rating", 7.0, 3)
    assert isinstance(score(str(answered.path), "rating", "scripted", limit=1, output_path=tmp_path), Evaluation)


def test_samples_without_a_score_raise_nothing(tmp_path: Path) -> None:
    answered = evaluate(brief, "mini_chat_hi", limit=2, output_path=tmp_path)
    judged = score(answered.path, "rating", brief, output_path=tmp_path)
    assert judged.result.status == "incomplete"
    assert judged.headlines == ()


def ends(request: Request) -> Response:
    raise EndpointDown("the server is gone")


WRONG: Mapping[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "key": (lambda: evaluate("scripted", "mini_choice", limt=3), ConfigError, r"evaluate\(\): .*'limt'.*'limit'"),
    "value": (lambda: evaluate("scripted", "mini_choice", seed="x"), ConfigError, r"evaluate\(\): seed is 'x'"),
    "limit": (lambda: evaluate("scripted", "mini_choice", limit=-1), ConfigError, r"limit is -1"),
    "task": (lambda: evaluate("scripted", "mini_choise"), UnknownName, r"did you mean 'mini_choice'"),
    "no task": (lambda: evaluate("scripted", []), UsageError, r"no tasks given"),
    "model": (lambda: evaluate(3, "mini_choice"), UsageError, r"a int is no name, engine or function"),  # type: ignore[arg-type]
    "device": (lambda: evaluate(brief, "mini_choice", device="cpu"), UsageError, r"device is for models by name"),
    "nothing": (lambda: evaluate("scripted", "mini_choice", limit=0), NothingSelected, r"no sample is selected"),
    "no run": (lambda: score([], "rating", seven), UsageError, r"no run is given"),
    "judge's key": (lambda: score("runs/x", "rating", "scripted", seed=3), UsageError, r"seed is nothing that"),
    "judge's device": (lambda: score("runs/x", "rating", seven, device="cpu"), UsageError, r"for models by name"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said(
    call: Callable[[], Any], kind: type[Exception], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=said):
        call()
    assert list(tmp_path.iterdir()) == []


def test_what_stops_a_run_is_raised_and_the_same_call_resumes(tmp_path: Path) -> None:
    class Flaky(ScriptedEngine):
        is_down = True

        def _answer(self, item: Any) -> Response:
            if self.is_down and item.sample_id.endswith(":1"):
                raise EndpointDown("the server is gone")
            return super()._answer(item)

    engine = Flaky(plausible)
    with pytest.raises(EndpointDown, match="the server is gone"):
        evaluate(engine, "mini_choice_hi", limit=3, limit_mode="first", output_path=tmp_path)
    engine.is_down = False
    found = evaluate(engine, "mini_choice_hi", limit=3, limit_mode="first", output_path=tmp_path)
    assert found.result.counts.scored == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_no_other_name_is_there() -> None:
    assert {"evaluate", "score", "Evaluation"} <= set(evalsuite.__all__)
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        _ = evalsuite.evaluat  # type: ignore[attr-defined]
