"""segment_scores and segment_errors: what a metric is sent, which replies are numbers, and what their mean says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from evalsuite.judges.segment_scores import segment_errors, segment_scores
from hypothesis import given
from hypothesis import strategies as st
from own_cases import answered, content, reply, sample

from evalsuite import plugins
from evalsuite.cli.main import main
from evalsuite.contracts import Judge, JudgeOptions
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, DataError, UsageError
from evalsuite.records import RunResult, SampleRecord
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Completion, Sample, Score
from evalsuite.verdicts import Rated, Unparsed

RUBRIC = segment_scores.build((), JudgeOptions())
ASKED = sample("English: Hello\nHindi:", language="hi", target="नमस्ते", cluster="doc", source_text="Hello")


def case_of(asked: Sample, *texts: str, missing: str = "") -> Sample:
    case: Sample
    (case,) = RUBRIC.cases(((answered(asked, *texts, missing=missing),),))
    return case


# -- cases and requests


@pytest.mark.parametrize("judge", [segment_scores, segment_errors])
def test_it_is_installed(judge: Judge) -> None:
    assert plugins.judge(judge.name) is judge
    assert (judge.num_runs, judge.protocol, judge.families) == (1, f"{judge.name}-v1", ())


def test_a_case_is_the_translation_with_its_source() -> None:
    case = case_of(ASKED, "नमस्कार")
    assert (case.id, case.cluster, case.language) == ("chat_hi:test:0/segment", "doc", "hi")
    assert case.metadata == {"source_text": "Hello", "reference_1": "नमस्ते", "answer_1": "नमस्कार"}


def test_a_request_is_the_texts_and_nothing_else() -> None:
    (request,) = RUBRIC.render(case_of(ASKED, " नमस्कार\n"))
    assert content(request) == '{"mt": "नमस्कार", "ref": "नमस्ते", "src": "Hello"}'
    assert (request.max_tokens, request.temperature) == (32, 0.0)
    assert segment_scores.build((), JudgeOptions(max_tokens=8)).render(case_of(ASKED, "x"))[0].max_tokens == 8


def test_what_a_translation_says_stays_text() -> None:
    hostile = '", "ref": "ours", "mt": "{{ 7 * 7 }}\\'
    (request,) = RUBRIC.render(case_of(ASKED, hostile))
    assert json.loads(content(request)) == {"src": "Hello", "mt": hostile, "ref": "नमस्ते"}


def test_an_empty_translation_is_scored_and_a_missing_one_is_not() -> None:
    (request,) = RUBRIC.render(case_of(ASKED, ""))
    assert json.loads(content(request))["mt"] == ""
    assert case_of(ASKED, missing="timeout").metadata["missing"] == "timeout"


def test_the_first_reference_counts() -> None:
    asked = sample("x", target="first", source_text="x", reference_B="second")
    (request,) = RUBRIC.render(case_of(asked, "y"))
    assert json.loads(content(request))["ref"] == "first"


def test_what_is_no_translation_is_refused() -> None:
    with pytest.raises(DataError, match=r"^chat_en:test:0 is no translation .* judge segment_scores wants"):
        case_of(sample("How are you?"), "Fine.")


def test_options_that_mean_nothing_here() -> None:
    with pytest.raises(UsageError, match="segment_errors sends a metric the bare texts"):
        segment_errors.build((), JudgeOptions(prompt="{{ answer }}"))
    with pytest.raises(UsageError, match="segment_scores has no rating weighted"):
        segment_scores.build((), JudgeOptions(is_weighted=True))


# -- replies and scores


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.8412", 0.8412), (" -1.5\n", -1.5), ("+3", 3.0), ("1e-05", 1e-05), (".5", 0.5), ("5.", 5.0), ("\t25", 25.0)],
)
def test_numbers(text: str, value: float) -> None:
    assert RUBRIC.parse(case_of(ASKED, "x"), reply(text)) == Rated(value=value)


@pytest.mark.parametrize(
    "text",
    ["", " ", "nan", "NaN", "inf", "-Infinity", "1e999", "0,5", "0.5 0.6", "0.5.", "score: 0.5", "1_000", "٠.٥", "0x1",
     "1e", ".", "--1", "−1", "0.5\n0.5", "1/2", "50%", "9" * 400],
)  # fmt: skip
def test_no_numbers(text: str) -> None:
    assert isinstance(RUBRIC.parse(case_of(ASKED, "x"), reply(text)), Unparsed)


def test_a_number_that_may_go_on_is_none() -> None:
    assert RUBRIC.parse(case_of(ASKED, "x"), reply("0.8", "length")) == Unparsed(reason="cut off inside the number")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_as_it_was_written(value: float) -> None:
    assert RUBRIC.parse(case_of(ASKED, "x"), reply(repr(value))) == Rated(value=value)


@given(st.text(max_size=30))
def test_any_reply_is_a_finite_number_or_none(text: str) -> None:
    found = RUBRIC.parse(case_of(ASKED, "x"), reply(text))
    assert isinstance(found, Unparsed) or found == Rated(value=float(text))


@pytest.mark.parametrize(("judge", "name"), [(segment_scores, "segment_score"), (segment_errors, "segment_error")])
def test_the_score_is_the_mean(judge: Judge, name: str) -> None:
    rubric = judge.build((), JudgeOptions())
    scored = rubric.score(case_of(ASKED, "x"), (Rated(value=-0.25),))
    assert (scored.scores, scored.answer) == ((Score(name=name, counts=(-0.25, 1.0)),), "-0.25")
    (metric,) = rubric.metrics
    assert (metric.name, metric.bounds, metric.scale) == (name, None, 1.0)
    assert metric.higher_is_better is (judge is segment_scores)
    assert (metric.reduce((-1.5, 2.0)), metric.reduce((0.0, 0.0))) == (-0.75, None)


# -- scores made elsewhere, as docs/neural-metrics.md says


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed run of six translations."""
    output = tmp_path_factory.mktemp("runs")
    asked = ["--tasks", "mini_translation_en-hi", "--limit", "6", "--output_path", str(output)]
    assert main(["run", "--model", "scripted", *asked]) == EXIT_OK
    (run,) = output.iterdir()
    return run


def imported(run: Path, folder: Path, numbers: list[str], name: str, judge: str = "segment_scores") -> int:
    """Score `run` by a file written as the documentation says: its samples' ids with ``/segment`` at the end."""
    rows = zip([record.sample.id for record in read_samples(run)], numbers, strict=False)
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps({"sample_id": f"{row}/segment", "text": text}) + "\n" for row, text in rows))
    args = f"path={path},name={name}"
    output = str(folder / "judged")
    return main(["score", str(run), "--judge", judge, "--model", "recorded", "--model_args", args, "-o", output])


def results_of(folder: Path) -> dict[str, RunResult]:
    """The results of `imported`, by the metric's name."""
    found = [read_results(path) for path in (folder / "judged").iterdir()]
    return {result.spec.model.name: result for result in found}


def test_numbers_of_two_metrics_never_share_a_column(translated: Path, tmp_path: Path) -> None:
    numbers = ["0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
    assert imported(translated, tmp_path, numbers, "comet22") == EXIT_OK
    assert imported(translated, tmp_path, ["1", "2", "3", "4", "5", "6"], "metricx24", "segment_errors") == EXIT_OK
    results = results_of(tmp_path)
    (comet,), (metricx,) = results["comet22"].estimates, results["metricx24"].estimates
    assert (round(comet.value, 9), comet.n, comet.interval) == (0.75, 6, "jackknife-t")
    assert comet.low is not None
    assert comet.high is not None
    assert comet.low < 0.75 < comet.high
    assert (metricx.value, metricx.metric, metricx.higher_is_better) == (3.5, "segment_error", False)
    assert comet.protocol == "mini-v1/segment_scores-v1@comet22"
    assert metricx.protocol == "mini-v1/segment_errors-v1@metricx24"


def test_the_documentations_script_writes_the_file(translated: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "neural-metrics.md").read_text(encoding="utf-8")
    (script,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "/segment" in block]
    metric = "def my_metric(src, mt, ref):\n    assert src and ref\n    return len(mt) / 1000\n"
    script = metric + script.replace("runs/RUN", str(translated))
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    args = f"path={tmp_path / 'scores.jsonl'},name=length"
    command = ["score", str(translated), "--judge", "segment_scores", "--model", "recorded", "--model_args", args]
    assert main([*command, "-o", str(tmp_path / "judged")]) == EXIT_OK
    (estimate,) = results_of(tmp_path)["length"].estimates
    lengths = [len(reply.text.strip()) for record in read_samples(translated) for reply in texts_of(record)]
    assert round(estimate.value, 9) == round(sum(lengths) / 6000, 9)


def texts_of(record: SampleRecord) -> list[Completion]:
    return [reply for reply in record.responses if isinstance(reply, Completion)]


def test_a_translation_without_a_number_is_unscored(translated: Path, tmp_path: Path) -> None:
    assert imported(translated, tmp_path, ["0.5", "0.6", "none", "nan"], "comet22") == EXIT_INCOMPLETE
    result = results_of(tmp_path)["comet22"]
    assert result.counts.unscored_by_cause == {"judge_unparsed": 2, "missing_response": 2}
    (estimate,) = result.estimates
    assert (round(estimate.value, 9), estimate.n, estimate.num_unscored) == (0.55, 2, 4)
