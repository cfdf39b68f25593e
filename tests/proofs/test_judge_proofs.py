"""Judge runs, juries and judge cards verified: their verdicts read again, their cases made again of what was judged."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from proven_runs import AROUND, prepared, run

from evalsuite.cards import card_kit, prepare_card
from evalsuite.config import ModelConfig
from evalsuite.contracts import JudgeOptions
from evalsuite.engines.scripted import ScriptedEngine, completion
from evalsuite.judged import read_run
from evalsuite.judging import Asked, Bench, open_bench, prepare_judging
from evalsuite.jury import seal_jury
from evalsuite.proofs.rebuilt import Surroundings, runs_beside
from evalsuite.proofs.verifying import Verification, verify_run
from evalsuite.run import Quiet, execute, store_sealed
from evalsuite.store.results import SAMPLES
from evalsuite.store.run_directory import directory_name
from evalsuite.types import GenerateRequest, Request, Response

PROMPT = "Rate the answer from 1 to 10 as [[number]].\n\n{{ question }}\n\n{{ answer }}"


def rating(request: Request) -> Response:
    """Some number; now and then none, so that the judge is asked again."""
    assert isinstance(request, GenerateRequest)
    digit = int(request.key[:2], 16)
    return completion("no idea" if digit < 110 else f"Fine. [[{1 + digit % 10}]]")


def bench(name: str, options: JudgeOptions | None = None) -> Bench:
    model = ModelConfig(model="scripted", model_args={"name": name})
    opened = open_bench(Asked("rating", model, options or JudgeOptions(), seed=3))
    return replace(opened, opened=replace(opened.opened, engine=ScriptedEngine(rating, label=name)))


@dataclass(frozen=True)
class Judged:
    """A run, two judge runs over its answers, their jury, and a judge card, side by side."""

    folder: Path
    answers: Path
    judges: tuple[Path, Path]
    jury: Path
    card: Path

    @property
    def all(self) -> tuple[Path, ...]:
        return (self.answers, *self.judges, self.jury, self.card)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("judged")
    chats = prepared(tasks=("mini_chat_en", "mini_chat_zh"), limit=10.0)
    answers = folder / directory_name(chats.spec)
    run(answers, chats)
    judges = []
    for name in ("one", "two"):
        what = prepare_judging(replace(bench(name), asked=replace(bench(name).asked, limit=6.0)), [read_run(answers)])
        judges.append(folder / directory_name(what.spec))
        execute(what, judges[-1], Quiet())
    jury = seal_jury([read_run(path) for path in judges], "majority")
    store_sealed(jury, folder / directory_name(jury.result.spec))
    card = prepare_card(bench("one"), card_kit(), ["en"])
    execute(card, folder / directory_name(card.spec), Quiet())
    return Judged(
        folder,
        answers,
        (judges[0], judges[1]),
        folder / directory_name(jury.result.spec),
        folder / directory_name(card.spec),
    )


def verified(path: Path, *, judge_prompt: str = "") -> Verification:
    return verify_run(path, Surroundings(AROUND.source, runs_beside([path]), judge_prompt))


def test_all_that_lies_together_is_scored_again(judged: Judged) -> None:
    for path in judged.all:
        found = verified(path)
        assert found.findings == (), path.name
        assert found.level == "re-scored"
        assert {task.why for task in found.tasks} == {()}, path.name
    assert verified(judged.jury).num_answers == 0
    assert verified(judged.judges[0]).num_answers > 6


def test_alone_their_cases_and_verdicts_are_what_is_stored_and_it_says_so(judged: Judged, tmp_path: Path) -> None:
    judge = Path(shutil.copytree(judged.judges[0], tmp_path / judged.judges[0].name))
    found = verified(judge)
    assert (found.is_equal, found.level) == (True, "re-scored")
    (why,) = found.tasks[0].why
    assert why.startswith("samples taken as stored: run ")
    assert "is not at hand" in why
    jury = Path(shutil.copytree(judged.jury, tmp_path / "jury"))
    found = verified(jury)
    assert (found.is_equal, found.level) == (True, "recomputed")
    assert any(why.startswith("not scored again: run ") for why in found.tasks[0].why)


def altered(path: Path, to: Path, task: str) -> None:
    """A copy of the run with one scored answer's first count, or text, changed."""
    shutil.copytree(path, to)
    table = pq.read_table(to / SAMPLES)
    rows = table.to_pylist()
    row = next(row for row in rows if row["task"] == task and row["status"] == "scored")
    record = json.loads(row["record"])
    if record["responses"]:
        record["responses"][-1]["text"] += "!"
    else:
        record["outcome"]["scores"][0]["counts"][0] += 1
    row["record"] = json.dumps(record, sort_keys=True, separators=(",", ":"))
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), to / SAMPLES)


def test_answers_that_are_no_longer_those_judged_are_told(judged: Judged, tmp_path: Path) -> None:
    altered(judged.answers, tmp_path / judged.answers.name, "mini_chat_en")
    judge = Path(shutil.copytree(judged.judges[0], tmp_path / judged.judges[0].name))
    found = verified(judge)
    assert found.is_equal  # the judge run itself is what it says
    assert all("are others by now than those that were judged" in why for task in found.tasks for why in task.why)
    assert verified(tmp_path / judged.answers.name).findings


@pytest.mark.parametrize("which", ["judge", "jury", "card"])
def test_a_changed_record_is_found(judged: Judged, tmp_path: Path, which: str) -> None:
    for path in judged.all:
        shutil.copytree(path, tmp_path / path.name)
    path = {"judge": judged.judges[0], "jury": judged.jury, "card": judged.card}[which]
    shutil.rmtree(tmp_path / path.name)
    task = "judge_card_en" if which == "card" else "mini_chat_zh"
    altered(path, tmp_path / path.name, task)
    assert {finding.file for finding in verified(tmp_path / path.name).findings} & {SAMPLES, "results.json"}


def test_a_prompt_of_the_users_own_is_asked_for(judged: Judged, tmp_path: Path) -> None:
    what = prepare_judging(bench("one", JudgeOptions(prompt=PROMPT)), [read_run(judged.answers)])
    execute(what, tmp_path / "run", Quiet())
    found = verified(tmp_path / "run")
    assert (found.is_equal, found.level) == (True, "recomputed")
    assert "give --judge_prompt" in found.tasks[0].why[0]
    assert verified(tmp_path / "run", judge_prompt="another").level == "recomputed"
    assert verified(tmp_path / "run", judge_prompt=PROMPT).level == "re-scored"
