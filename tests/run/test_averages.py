"""Which means a run reports: every kind of a family by name, and a suite's average only when it is whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evalsuite.config import RunConfig
from evalsuite.engines.scripted import ScriptedEngine, loglikelihood
from evalsuite.prepare import Prepared, prepare
from evalsuite.records import Aggregate, RunResult
from evalsuite.run import Quiet, execute
from evalsuite.types import Cause, Completion, Failure, LoglikelihoodRequest, Request, Response

pytestmark = pytest.mark.data

FAMILIES = ("arc_challenge", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")


def answer(request: Request) -> Response:
    """Longer continuations are likelier; every generated answer is 7."""
    if isinstance(request, LoglikelihoodRequest):
        return loglikelihood(request.continuation, len(request.continuation) - 1000.0 - hash_of(request) / 10)
    return Completion(text=" Seven.\n#### 7", stop_reason="end", num_prompt_tokens=1, num_tokens=4)


def hash_of(request: Request) -> float:
    return int(request.key[:6], 16) / 16**6


def run(mirror: Path, folder: Path, *tasks: str, refused: str = "", **options: object) -> tuple[Prepared, RunResult]:
    """A sealed run in which no request that mentions `refused` is answered."""

    def respond(request: Request) -> Response:
        is_scored = isinstance(request, LoglikelihoodRequest)
        if refused and is_scored and refused in str(request.context):
            return Failure(cause=Cause.TIMEOUT)
        return answer(request)

    config = RunConfig(model="scripted", tasks=tasks, data_dir=str(mirror), **options)  # type: ignore[arg-type]
    prepared = replace(prepare(config), engine=ScriptedEngine(respond))
    finished = execute(prepared, folder / "run", Quiet())
    assert finished.result is not None
    return prepared, finished.result


def named(result: RunResult, name: str) -> Aggregate | None:
    found = [mean for mean in result.aggregates if mean.name == name]
    assert len(found) <= 1
    return found[0] if found else None


def primary_of(result: RunResult, family: str) -> float:
    """The family's headline."""
    (mean,) = [m.value for m in result.aggregates if m.family == family and m.is_primary] or [
        e.value for e in result.estimates if e.family == family and e.is_primary
    ]
    return mean


def test_a_whole_suite_has_its_average(mirror: Path, tmp_path: Path) -> None:
    _, result = run(mirror, tmp_path, "openllm_v1", limit=20)
    average = named(result, "openllm_v1_average")
    assert average is not None
    assert average.value == pytest.approx(sum(primary_of(result, family) for family in FAMILIES) / 6)
    assert (average.kind, average.parts, average.num_tasks) == ("suite", FAMILIES, 62)
    assert average.n == 120
    assert average.protocol == "openllm-v1+derived-shots"
    assert average.is_primary
    assert average.low is not None
    assert average.high is not None
    assert average.low < average.value < average.high


@pytest.mark.parametrize("limit_mode", ["stratified", "first"])
def test_mmlu_has_both_means_by_name(mirror: Path, tmp_path: Path, limit_mode: str) -> None:
    limit = 30 if limit_mode == "stratified" else 2
    prepared, result = run(mirror, tmp_path, "mmlu", limit=limit, limit_mode=limit_mode, protocol="openllm-v1")
    macro, micro = named(result, "mmlu macro acc"), named(result, "mmlu micro acc")
    assert macro is not None
    assert micro is not None
    values = {estimate.task: estimate for estimate in result.estimates}
    pooled = sum(e.value * e.n for e in values.values()) / sum(e.n for e in values.values())
    assert micro.value == pytest.approx(pooled)
    assert (macro.is_primary, micro.is_primary) == (True, False)
    assert macro.num_tasks == micro.num_tasks == 57
    assert macro.stderr is not None
    if limit_mode == "first":
        assert len(macro.members) == 57
        assert macro.value == pytest.approx(sum(e.value for e in values.values()) / 57)
    else:
        assert len(macro.members) == 57 - prepared.left_out["mmlu"] < 57
        weights = {task.name: 1 / task.num_available for task in prepared.spec.tasks}
        rows = [(weights[e.task] * e.n, e.value) for e in values.values()]
        assert macro.value == pytest.approx(sum(w * v for w, v in rows) / sum(w for w, _ in rows))


def test_the_headline_follows_the_protocol(mirror: Path, tmp_path: Path) -> None:
    _, result = run(mirror, tmp_path, "mmlu", limit=30, protocol="lm-eval-0.4")
    assert [(mean.name, mean.is_primary) for mean in result.aggregates] == [
        ("mmlu micro acc", True),
        ("mmlu macro acc", False),
    ]


@pytest.mark.parametrize("tasks", [("arc_challenge", "hellaswag", "truthfulqa", "winogrande", "gsm8k"), ("mmlu",)])
def test_part_of_a_suite_has_no_average(mirror: Path, tmp_path: Path, tasks: tuple[str, ...]) -> None:
    _, result = run(mirror, tmp_path, *tasks, limit=5, protocol="openllm-v1")
    assert named(result, "openllm_v1_average") is None


def test_the_six_under_other_rules_have_no_average(mirror: Path, tmp_path: Path) -> None:
    _, result = run(mirror, tmp_path, *FAMILIES, limit=5, protocol="lm-eval-0.4")
    assert not [mean for mean in result.aggregates if mean.kind == "suite"]


def test_other_tasks_beside_a_suite_do_not_matter(mirror: Path, tmp_path: Path) -> None:
    _, result = run(mirror, tmp_path, "openllm_fixed", "mini_choice_en", limit=5)
    assert [mean.name for mean in result.aggregates if mean.kind == "suite"] == ["openllm_fixed_average"]


def test_a_family_without_any_score_leaves_no_average(mirror: Path, tmp_path: Path) -> None:
    """All of TruthfulQA's questions follow its primer."""
    _, result = run(mirror, tmp_path, "openllm_v1", limit=5, refused="square root of banana")
    assert named(result, "openllm_v1_average") is None
    assert named(result, "mmlu macro acc") is not None


def test_unscored_samples_are_counted_in_the_average(mirror: Path, tmp_path: Path) -> None:
    _, result = run(mirror, tmp_path, "openllm_v1", limit=20, refused="Q: What happens")
    average = named(result, "openllm_v1_average")
    assert average is not None
    assert average.num_unscored == result.counts.unscored > 0
    assert average.worst_case is not None
    assert average.best_case is not None
    assert average.worst_case < average.value < average.best_case


def test_languages_have_one_mean(tmp_path: Path) -> None:
    _, result = run(tmp_path, tmp_path, "mini_choice", limit=12)
    assert [mean.name for mean in result.aggregates if mean.is_primary] == ["mini_choice macro acc_norm_char"]
    assert {mean.kind for mean in result.aggregates} == {"macro"}


def test_two_signatures_are_not_averaged(tmp_path: Path) -> None:
    """BLEU of Chinese and of French have other tokenizers; chrF has one signature for all."""
    _, result = run(tmp_path, tmp_path, "mini_translation", limit=20)
    assert named(result, "mini_translation macro chrf") is not None
    assert named(result, "mini_translation macro bleu") is None


def test_a_category_is_averaged_by_itself(tmp_path: Path) -> None:
    _, result = run(tmp_path, tmp_path, "mini_math_en:money_time", "mini_math_fr:money_time")
    assert named(result, "mini_math:money_time macro exact_match") is not None
