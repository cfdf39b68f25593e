"""How long large leaderboards take: to build, to open, to sort; how large they are; whether twice gives the same bytes.

    python benchmarks/boards.py [--quick]

`samples`: 60 models, 40 tasks, 20,000 samples in one file. `wide`: 200 models, 300 columns, without texts. The runs are
made up, with real records, estimates and intervals; pages are opened in Chromium from a file.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalsuite.reports.leaderboard import render

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.checking import require_sealed
from evalsuite.canonical import content_hash
from evalsuite.contracts import Task
from evalsuite.metrics import accuracy, one_in_choices, right
from evalsuite.records import Counts, DatasetPin, ModelSpec, RunResult, RunSpec, SampleRecord, TaskSpec, TaskSummary
from evalsuite.stats.estimates import measure
from evalsuite.store.results import write_results, write_samples
from evalsuite.types import SCHEMA_VERSION, Item, Loglikelihood, LoglikelihoodRequest, Sample, Scored

CHROMIUM = "/usr/bin/chromium"
WORDS = (
    "river",
    "morning",
    "because",
    "señal",
    "lumière",
    "नदी",
    "早晨",
    "صباح",
    "theory",
    "window",
    "seven",
    "carbon",
)
METRIC = accuracy("acc", one_in_choices)


def main() -> None:
    """Print one JSON line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a tenth of the models")
    options = parser.parse_args()
    part = 10 if options.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        report("samples", Path(folder) / "samples", 60 // part, 40, 20_000 // part, "all")
        report("wide", Path(folder) / "wide", 200 // part, 300, 200 * 300 * 2 // part, "none")


def report(name: str, folder: Path, models: int, tasks: int, samples: int, kept: Any) -> None:
    """Build a page twice and open it."""
    runs = list(write_runs(folder, models, tasks, max(1, samples // (models * tasks))))
    seconds, pages = [], []
    for _ in range(2):
        begun = time.monotonic()
        pages.append(render(runs, BoardOptions(title=name, samples=kept)))
        seconds.append(time.monotonic() - begun)
    begun = time.monotonic()
    require_sealed(pages[0].data)
    sealed = time.monotonic() - begun
    page = folder / "board.html"
    page.write_text(pages[0].html, encoding="utf-8")
    for file, content in pages[0].beside.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)
    found = {
        "case": name, "models": models, "columns": tasks, "build_s": [round(one, 1) for one in seconds],
        "recount_s": round(sealed, 1),
        "megabytes": round(len(pages[0].html.encode()) / 1e6, 2), "files": len(pages[0].beside),
        "same_bytes": pages[0] == pages[1], **opened(page),
    }  # fmt: skip
    print(json.dumps(found), flush=True)


def opened(page_path: Path) -> dict[str, float]:
    """Seconds until the leaderboard is there, of a sort, and until samples are listed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        begun = time.monotonic()
        page.goto(page_path.as_uri())
        page.locator("#standings tbody tr").first.wait_for()
        usable = time.monotonic() - begun
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
        sort = page.evaluate(SORT)
        browser.close()
    return {"usable_s": round(usable, 2), "first_paint_s": round(paint, 2), "sort_s": round(sort, 3)}


SORT = """() => new Promise((resolve) => {
  const button = document.querySelectorAll('button.sort')[3];
  const begun = performance.now();
  const seen = new MutationObserver(() => {
    if (!document.querySelector('th[aria-sort]')) return;
    requestAnimationFrame(() => setTimeout(() => resolve((performance.now() - begun) / 1000)));
    seen.disconnect();
  });
  button.click();
  seen.observe(document.getElementById('main'), { childList: true, subtree: true });
})"""


# -- runs


def write_runs(folder: Path, models: int, tasks: int, samples: int) -> Iterator[Path]:
    """Sealed runs of made-up models, each better than the one before."""
    questions = {f"task{number:03d}": _questions(number, samples) for number in range(tasks)}
    for model in range(models):
        yield _write_run(folder, f"model-{model:03d}", 0.3 + 0.6 * model / models, questions)


def _questions(task: int, samples: int) -> list[Sample]:
    draw = random.Random(task)
    return [
        Sample(
            id=f"task{task:03d}:test:{number}", input=" ".join(draw.choices(WORDS, k=60)), language="en",
            choices=tuple(f"{word} {number}" for word in draw.sample(WORDS, 4)), gold=draw.randrange(4),
        )
        for number in range(samples)
    ]  # fmt: skip


def _write_run(folder: Path, model: str, skill: float, questions: dict[str, list[Sample]]) -> Path:
    draw = random.Random(model)
    records = {task: [_record(task, sample, skill, draw) for sample in samples] for task, samples in questions.items()}
    spec = RunSpec(
        schema=SCHEMA_VERSION, model=ModelSpec(name=model, engine="scripted", identity={"function": model}),
        tasks=tuple(_spec(task, samples) for task, samples in questions.items()), limit=None, limit_mode="stratified",
        rows={}, seed=1234, system_instruction="", multiturn_shots=None, generation={},
    )  # fmt: skip
    estimates = [
        measure(_task(task), model, METRIC, [(one.sample, one.outcome) for one in records[task]]) for task in questions
    ]
    total = sum(map(len, questions.values()))
    result = RunResult(
        schema=SCHEMA_VERSION, run_id=spec.run_id, spec=spec, status="complete",
        counts=Counts(requested=total, scored=total), aggregates=(), packages={"evalsuite": "0"},
        estimates=tuple(one.estimate for one in estimates if one is not None),
        tasks=tuple(_summary(task, len(samples)) for task, samples in questions.items()),
    )  # fmt: skip
    path = folder / spec.run_id
    path.mkdir(parents=True)
    write_results(path, result)
    write_samples(path, [record for task in questions for record in records[task]])
    return path


def _task(name: str) -> Task:
    return Task(
        name=name, family=name, version=1, language="en", protocol="p1", num_fewshot=0, kind="multiple_choice",
        datasets=(), samples=lambda rows: (), next_requests=lambda sample, replies: (),
        score=lambda sample, replies: Scored(scores=()), metrics=(METRIC,),
    )  # fmt: skip


def _spec(task: str, samples: list[Sample]) -> TaskSpec:
    pin = DatasetPin(path="org/data", config=task, split="test", revision="r" * 40, fingerprint="f" * 64, num_rows=9)
    return TaskSpec(
        name=task, family=task, version=1, protocol="p1", num_fewshot=0, chat=False, datasets=(pin,),
        sample_ids_hash=content_hash([sample.id for sample in samples]), prompts_hash=content_hash(task),
        num_samples=len(samples), num_available=len(samples),
    )  # fmt: skip


def _summary(task: str, samples: int) -> TaskSummary:
    return TaskSummary(
        task=task, family=task, language="en", protocol="p1", counts=Counts(requested=samples, scored=samples),
        flags={}, num_prompt_tokens=60 * samples, num_generated_tokens=0, title=task,
    )  # fmt: skip


def _record(task: str, sample: Sample, skill: float, draw: random.Random) -> SampleRecord:
    picked = sample.gold if draw.random() < skill else draw.randrange(4)
    assert picked is not None
    items = tuple(
        Item(id=f"{sample.id}#1.{place}", sample_id=sample.id, wave=1,
             request=LoglikelihoodRequest(context=sample.input, continuation=" " + choice))
        for place, choice in enumerate(sample.choices)
    )  # fmt: skip
    sums = [-1.0 - draw.random() if place == picked else -4.0 - draw.random() for place in range(4)]
    return SampleRecord(
        sample=sample, task=task, family=task, items=items,
        responses=tuple(Loglikelihood(sum_nats=one, num_tokens=2, num_chars=9, num_bytes=9, is_greedy=False)
                        for one in sums),
        outcome=Scored(scores=(right("acc", picked == sample.gold),), answer=sample.choices[picked]),
    )  # fmt: skip


if __name__ == "__main__":
    main()
