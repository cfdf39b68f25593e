"""Judge runs through the loop: cases from sealed answers, replies without a verdict, juries, and the judge card."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from evalsuite.cards import card_kit, prepare_card, read_cards
from evalsuite.config import ModelConfig, make_config
from evalsuite.contracts import JudgeOptions
from evalsuite.engines.scripted import ScriptedEngine, completion
from evalsuite.errors import NothingSelected, SpecMismatch, UsageError
from evalsuite.judged import JudgedRun, read_run
from evalsuite.judging import Asked, Bench, open_bench, prepare_judging
from evalsuite.jury import seal_jury
from evalsuite.prepare import prepare
from evalsuite.records import Estimate
from evalsuite.run import Finished, Quiet, execute, store_sealed
from evalsuite.store.results import RESULTS, read_results, read_samples
from evalsuite.types import Cause, Failure, GenerateRequest, Request, Response, Scored, Unscored

LIMIT = 6
Answer = Callable[[Request], Response]


def text_of(request: Request) -> str:
    assert isinstance(request, GenerateRequest)
    return request.prompt if isinstance(request.prompt, str) else "\n".join(turn.content for turn in request.prompt)


def answers(path: Path, word: str, *, is_failing: Callable[[Request], bool] = lambda request: False) -> JudgedRun:
    """A sealed run over mini_chat whose texts hold `word`."""

    def answer(request: Request) -> Response:
        if is_failing(request):
            return Failure(cause=Cause.CONTENT_FILTER)
        return completion(f"{word} for {request.key[:6]}")

    asked = {"model": "scripted", "tasks": ("mini_chat_en", "mini_chat_hi"), "limit": float(LIMIT)}
    prepared = replace(prepare(make_config({}, asked)), engine=ScriptedEngine(answer, label=word))
    spec = msgspec.structs.replace(prepared.spec, model=msgspec.structs.replace(prepared.spec.model, name=word))
    execute(replace(prepared, spec=spec), path, Quiet())
    return read_run(path)


def bench(judge: str, answer: Answer, name: str = "judge", options: JudgeOptions | None = None) -> Bench:
    model = ModelConfig(model="scripted", model_args={"name": name})
    opened = open_bench(Asked(judge, model, options or JudgeOptions()))
    return replace(opened, opened=replace(opened.opened, engine=ScriptedEngine(answer, label=name)))


def judge(path: Path, ready: Bench, *runs: JudgedRun) -> Finished:
    return execute(prepare_judging(ready, runs), path, Quiet())


def estimate(finished: Finished, metric: str, task: str = "mini_chat_en") -> Estimate:
    assert finished.result is not None
    (found,) = [one for one in finished.result.estimates if (one.metric, one.task) == (metric, task)]
    return found


def rate(value: int) -> Answer:
    return lambda request: completion(f"It is fine.\n[[{value}]]")


# -- one run


def test_every_answer_is_rated_and_the_numbers_are_the_judged_model_s(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")
    finished = judge(tmp_path / "judged", bench("rating", rate(7), "wise"), run)
    assert finished.result is not None
    assert finished.counts.scored == LIMIT
    found = estimate(finished, "rating")
    assert (found.value, found.model, found.n) == (7.0, "apple", LIMIT // 2)
    assert found.protocol == "mini-v1/rating-v1@wise"
    judged = finished.result.spec.judged
    assert judged is not None
    assert (judged.runs, judged.models, finished.result.spec.model.name) == ((run.result.run_id,), ("apple",), "wise")
    (reply,) = {record.responses[0].text for record in read_samples(tmp_path / "judged")}  # type: ignore[union-attr]
    assert reply.endswith("[[7]]")
    assert all("apple for" in text_of(record.items[0].request) for record in read_samples(tmp_path / "judged"))


def test_a_reply_without_a_verdict_is_asked_again_and_then_unscored(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")
    asked: list[str] = []

    def mumble(request: Request) -> Response:
        asked.append(request.key)
        is_again = isinstance(request, GenerateRequest) and len(request.prompt) > 1 and "mumble" in text_of(request)
        stubborn = int(request.key[:2], 16) % 2
        return completion("[[4]]" if is_again and not stubborn else "mumble")

    finished = judge(tmp_path / "judged", bench("rating", mumble), run)
    records = list(read_samples(tmp_path / "judged"))
    unparsed = [record for record in records if isinstance(record.outcome, Unscored)]
    assert len(asked) == 2 * LIMIT
    assert 0 < len(unparsed) < LIMIT
    assert finished.counts.unscored_by_cause == {"judge_unparsed": len(unparsed)}
    assert {record.responses[-1].text for record in unparsed} == {"mumble"}  # type: ignore[union-attr]
    assert finished.result is not None
    assert {one.value for one in finished.result.estimates if one.metric == "rating"} == {4.0}
    assert finished.result.status == "incomplete"


def test_a_missing_answer_is_not_judged_and_not_forgotten(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple", is_failing=lambda request: int(request.key[:2], 16) < 100)
    missing = [record for record in run.records if isinstance(record.outcome, Unscored)]
    assert 0 < len(missing) < LIMIT
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.key)
        return completion("[[5]]")

    finished = judge(tmp_path / "judged", bench("rating", answer), run)
    assert len(asked) == LIMIT - len(missing)
    assert finished.counts.unscored_by_cause == {"missing_response": len(missing)}
    details = {
        record.outcome.detail for record in read_samples(tmp_path / "judged") if isinstance(record.outcome, Unscored)
    }
    assert details == {"content_filter"}


def test_the_same_command_asks_nothing_and_other_answers_are_another_run(tmp_path: Path) -> None:
    apple, pear = answers(tmp_path / "a", "apple"), answers(tmp_path / "b", "pear")
    first = judge(tmp_path / "judged", bench("rating", rate(3)), apple)
    silent = bench("rating", lambda request: Failure(cause=Cause.ENGINE_ERROR))
    again = execute(prepare_judging(replace(silent, opened=bench("rating", rate(3)).opened), [apple]),
                    tmp_path / "judged", Quiet())  # fmt: skip
    assert again.result == first.result
    ids = {
        prepare_judging(bench("rating", rate(3)), [apple]).spec.run_id,
        prepare_judging(bench("rating", rate(3)), [pear]).spec.run_id,
        prepare_judging(bench("rating", rate(3), options=JudgeOptions(max_tokens=9)), [apple]).spec.run_id,
        prepare_judging(bench("rating", rate(3), options=JudgeOptions(is_weighted=True)), [apple]).spec.run_id,
        prepare_judging(bench("rating", rate(3), name="other"), [apple]).spec.run_id,
    }
    assert len(ids) == 5


def test_a_limit_takes_questions_and_every_part_of_the_protocol_is_named(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")
    ready = bench("rating", rate(3), options=JudgeOptions(max_tokens=9))
    limited = replace(ready, asked=replace(ready.asked, limit=2.0))
    prepared = prepare_judging(limited, [run])
    assert sum(len(entry.samples) for entry in prepared.tasks) == 2
    assert {entry.num_available for entry in prepared.tasks} == {12}, "of the task, not of the run"
    assert {entry.task.protocol for entry in prepared.tasks} == {"mini-v1/rating-v1+max_tokens-9@judge"}


def test_what_cannot_be_judged_is_refused(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")
    with pytest.raises(UsageError, match="two runs, not of 1"):
        prepare_judging(bench("pairwise", rate(1)), [run])
    with pytest.raises(UsageError, match="one run, not of 2"):
        prepare_judging(bench("rating", rate(1)), [run, run])
    silent = answers(tmp_path / "silent", "apple", is_failing=lambda request: True)
    with pytest.raises(NothingSelected, match="no answers"):
        prepare_judging(bench("rating", rate(1)), [silent])


# -- two runs


def prefer(word: str) -> Answer:
    """Prefers the answer that holds `word`, wherever it stands."""

    def answer(request: Request) -> Response:
        text = text_of(request)
        other = "pear" if word == "apple" else "apple"
        return completion("[[A]]" if text.index(f"{word} for") < text.index(f"{other} for") else "[[B]]")

    return answer


@pytest.mark.parametrize(("answer", "win_rate", "consistency"), [
    (prefer("apple"), 1.0, 1.0), (prefer("pear"), 0.0, 1.0),
    (lambda request: completion("[[A]]"), 0.5, 0.0), (lambda request: completion("[[C]]"), 0.5, 1.0),
])  # fmt: skip
def test_pairs_are_judged_in_both_orders(tmp_path: Path, answer: Answer, win_rate: float, consistency: float) -> None:
    apple, pear = answers(tmp_path / "a", "apple"), answers(tmp_path / "b", "pear")
    finished = judge(tmp_path / "judged", bench("pairwise", answer), apple, pear)
    assert finished.counts.scored == LIMIT
    for task in ("mini_chat_en", "mini_chat_hi"):
        found = estimate(finished, "win_rate", task)
        assert (found.value, found.model) == (win_rate, "apple")
        assert found.protocol == "mini-v1/pairwise-v1@judge vs pear"
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.high, "three answers are never certain"
        assert estimate(finished, "order_consistency", task).value == consistency


# -- juries


def test_a_jury_averages_and_says_how_far_it_agrees(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")

    def by_key(request: Request) -> Response:
        return completion(f"[[{2 + int(request.key[:4], 16) % 7}]]")

    one = judge(tmp_path / "one", bench("rating", by_key, "one"), run)
    two = judge(tmp_path / "two", bench("rating", rate(10), "two"), run)
    three = judge(tmp_path / "three", bench("rating", by_key, "three"), run)
    jurors = [read_run(tmp_path / name) for name in ("one", "two", "three")]

    sealed = seal_jury(jurors, "mean")
    found = {(part.task, part.metric): part.value for part in sealed.result.estimates}
    expected = (2 * estimate(one, "rating").value + estimate(two, "rating").value) / 3
    assert found["mini_chat_en", "rating"] == pytest.approx(expected)
    assert found["mini_chat_en", "jury_agreement"] == pytest.approx(1 / 3)
    assert estimate(three, "rating").value == estimate(one, "rating").value

    majority = seal_jury(jurors, "majority")
    values = {part.task: part.value for part in majority.result.estimates if part.metric == "rating"}
    assert values["mini_chat_en"] == pytest.approx(estimate(one, "rating").value)

    store_sealed(sealed, tmp_path / "jury")
    assert read_results(tmp_path / "jury") == sealed.result
    assert sealed.result.spec.subject == "apple"
    assert "jury of one, two, three (mean)" in sealed.result.estimates[0].protocol


def test_a_case_counts_when_most_jurors_gave_a_verdict(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")

    def silent(request: Request) -> Response:
        return completion("no idea")

    judge(tmp_path / "one", bench("rating", rate(4), "one"), run)
    judge(tmp_path / "two", bench("rating", silent, "two"), run)
    judge(tmp_path / "three", bench("rating", rate(8), "three"), run)
    read = {name: read_run(tmp_path / name) for name in ("one", "two", "three")}
    assert seal_jury([read["one"], read["two"]], "mean").result.counts.unscored_by_cause == {"judge_unparsed": LIMIT}
    whole = seal_jury(list(read.values()), "mean")
    assert whole.result.counts.scored == LIMIT
    assert {part.value for part in whole.result.estimates if part.metric == "rating"} == {6.0}
    assert all(isinstance(record.outcome, Scored) for record in whole.records)


def test_juries_of_unlike_runs_are_refused(tmp_path: Path) -> None:
    apple, pear = answers(tmp_path / "a", "apple"), answers(tmp_path / "b", "pear")
    judge(tmp_path / "one", bench("rating", rate(4), "one"), apple)
    judge(tmp_path / "other", bench("rating", rate(4), "two"), pear)
    one, other = read_run(tmp_path / "one"), read_run(tmp_path / "other")
    for runs, said in (
        ([one], "at least two"), ([one, apple], "made of judge runs"), ([one, other], "answers_sha256"),
        ([one, one], "the same model"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            seal_jury(runs, "mean")


# -- the card


@pytest.mark.parametrize(("answer", "is_admissible"), [(lambda request: completion("[[A]]"), False)])
def test_the_card_is_a_run_whose_figures_say_what_the_judge_does(
    tmp_path: Path, answer: Answer, is_admissible: bool
) -> None:
    ready, kit = bench("pairwise", answer), card_kit()
    finished = execute(prepare_card(ready, kit, ["fr"]), tmp_path, Quiet())
    assert (tmp_path / RESULTS).exists()
    assert finished.counts.unscored == 0
    (card,) = read_cards(tmp_path, ready, kit).values()
    told = json.loads(json.dumps(msgspec.to_builtins(card)))
    assert told["first_position"]["value"] == 1.0
    assert told["swap_consistency"]["value"] == 0.0
    assert told["parse_rate"]["value"] == 1.0
    assert told["attacks"]["value"] == 0.5
    assert told["is_admissible"] is is_admissible
    with pytest.raises(UsageError, match="has a card in"):
        prepare_card(ready, kit, ["tlh"])


# -- what a reviewer found


def test_the_order_in_which_two_runs_are_named_mirrors_the_result(tmp_path: Path) -> None:
    """A sample that only one run has is a missing case whichever is named first."""
    apple = answers(tmp_path / "a", "apple")
    pear = answers(tmp_path / "b", "pear")
    fewer = replace(pear, records=pear.records[: LIMIT - 2])
    one = judge(tmp_path / "one", bench("pairwise", prefer("apple")), apple, fewer)
    two = judge(tmp_path / "two", bench("pairwise", prefer("apple")), fewer, apple)
    assert one.counts == two.counts
    assert one.counts.unscored_by_cause == {"missing_response": 2}
    assert estimate(one, "win_rate").value == 1.0
    assert estimate(two, "win_rate").value == 0.0
    assert estimate(one, "win_rate").protocol.endswith(" vs pear")
    assert estimate(two, "win_rate").protocol.endswith(" vs apple")


def test_answers_under_two_protocols_are_not_compared(tmp_path: Path) -> None:
    apple = answers(tmp_path / "a", "apple")
    spec = apple.result.spec
    other = msgspec.structs.replace(
        spec, tasks=tuple(msgspec.structs.replace(task, protocol="mini-v2") for task in spec.tasks)
    )
    pear = replace(apple, result=msgspec.structs.replace(apple.result, spec=other, run_id=other.run_id))
    with pytest.raises(UsageError, match="mini-v1 and mini-v2"):
        prepare_judging(bench("pairwise", rate(1)), [apple, pear])


def test_juries_of_other_wordings_are_refused(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")
    judge(tmp_path / "one", bench("rating", rate(4), "one"), run)
    judge(tmp_path / "two", bench("rating", rate(4), "two", JudgeOptions(max_tokens=9)), run)
    with pytest.raises(UsageError, match="options"):
        seal_jury([read_run(tmp_path / "one"), read_run(tmp_path / "two")], "mean")


def test_a_jury_is_no_juror_and_a_run_no_rival_of_itself(tmp_path: Path) -> None:
    run = answers(tmp_path / "answers", "apple")
    for name in ("one", "two"):
        judge(tmp_path / name, bench("rating", rate(4), name), run)
    members = [read_run(tmp_path / name) for name in ("one", "two")]
    store_sealed(seal_jury(members, "mean"), tmp_path / "jury")
    with pytest.raises(UsageError, match="a jury itself, whose judges would count twice"):
        seal_jury([*members, read_run(tmp_path / "jury")], "mean")
    with pytest.raises(UsageError, match="is named twice"):
        prepare_judging(bench("pairwise", rate(4)), [run, run])


def test_judging_a_part_of_a_task_is_partial(tmp_path: Path) -> None:
    """However many of the answers are judged: the run that gave them took 6 samples of 24."""
    run = answers(tmp_path / "answers", "apple")
    asked = run.result.spec.tasks[0]
    assert asked.is_partial
    (spec, *_) = prepare_judging(bench("rating", rate(4)), [run]).spec.tasks
    assert spec.is_partial
    assert (spec.num_samples, spec.num_available) == (asked.num_samples, asked.num_available)


def test_there_is_no_run_where_none_is(tmp_path: Path) -> None:
    with pytest.raises(SpecMismatch, match="there is no run at"):
        read_run(tmp_path / "nowhere")


def test_a_jury_s_majority_is_of_whole_verdicts_and_causes_stay(tmp_path: Path) -> None:
    apple, pear = answers(tmp_path / "a", "apple"), answers(tmp_path / "b", "pear")
    for name, verdict in (("x", prefer("apple")), ("y", prefer("pear")), ("z", lambda request: completion("[[C]]"))):
        judge(tmp_path / name, bench("pairwise", verdict, name), apple, pear)
    jury = seal_jury([read_run(tmp_path / name) for name in ("x", "y", "z")], "majority")
    found = {part.metric: part.value for part in jury.result.estimates if part.task == "mini_chat_en"}
    shares = [found[name] for name in ("wins", "losses", "ties")]
    assert shares == pytest.approx([1 / 3] * 3)
    assert found["win_rate"] == pytest.approx(0.5)

    partly = answers(tmp_path / "c", "plum", is_failing=lambda request: int(request.key[:2], 16) < 120)
    for name in ("p", "q"):
        judge(tmp_path / name, bench("rating", rate(4), name), partly)
    counts = seal_jury([read_run(tmp_path / name) for name in ("p", "q")], "mean").result.counts
    assert counts.unscored_by_cause.keys() == {"missing_response"}


def test_a_failed_request_of_a_card_is_no_verdict(tmp_path: Path) -> None:
    """With one order lost, what is left says nothing; a failed second asking says nothing either."""

    def losing_half(request: Request) -> Response:
        return Failure(cause=Cause.SERVER_ERROR) if int(request.key[:2], 16) % 2 else completion("[[B]]")

    def silent_then_failing(request: Request) -> Response:
        assert isinstance(request, GenerateRequest)
        return completion("hm") if len(request.prompt) == 1 else Failure(cause=Cause.CONTEXT_TOO_LONG)

    kit = card_kit()
    for name, answer in (("half", losing_half), ("again", silent_then_failing)):
        ready = bench("pairwise", answer, name)
        execute(prepare_card(ready, kit, ["en"]), tmp_path / name, Quiet())
        (card,) = read_cards(tmp_path / name, ready, kit).values()
        told = msgspec.to_builtins(card)
        assert told["attacks"]["num_unscored"] > 0
        assert told["attacks"]["value"] in (0.5, None), "always the second answer: a tie wherever both orders came back"
        assert told["is_admissible"] is False


def test_turns_before_a_failure_are_judged() -> None:
    """Only the second turn of a conversation failed: the first still has a text."""
    from evalsuite.judged import _texts_of
    from evalsuite.records import SampleRecord
    from evalsuite.types import Sample

    record = SampleRecord(
        sample=Sample(id="t:test:0", input="?", language="en", turns=("one", "two")), task="t", family="t", items=(),
        responses=(completion("<think>so</think>first"), Failure(cause=Cause.TIMEOUT)),
        outcome=Unscored(cause=Cause.TIMEOUT),
    )  # fmt: skip
    assert _texts_of(record) == ("first",)
