"""lm-eval itself on tiny tasks of ours, whose rows lie in local files: what it writes is what is imported."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

CHOICE = """
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/choice.json}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{word}: {{{{question}}}}\\nAnswer:"
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
metadata: {{version: {version}}}
"""
MATH = """
task: tiny_math
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/math.json}}}}
test_split: test
fewshot_split: test
num_fewshot: 2
output_type: generate_until
doc_to_text: "Q: {{{{question}}}}\\nA:"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["Q:"], do_sample: false, temperature: 0.0}}
filter_list:
  - name: strict-match
    filter:
      - {{function: regex, regex_pattern: "#### (\\\\-?[0-9]+)"}}
      - {{function: take_first}}
  - name: flexible-extract
    filter:
      - {{function: regex, group_select: -1, regex_pattern: "(-?[0-9]+)"}}
      - {{function: take_first}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true, regexes_to_ignore: ["(?s).*#### "]}}
metadata: {{version: 3.0}}
"""
TRANSLATION = """
task: tiny_translation
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/translation.json}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{source}}}} ="
doc_to_target: "{{{{target}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 40}}
metric_list:
  - {{metric: bleu}}
  - {{metric: chrf}}
  - {{metric: ter}}
metadata: {{version: 1.0}}
"""
TEXT = """
task: tiny_text
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/text.json}}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list:
  - {{metric: word_perplexity}}
  - {{metric: byte_perplexity}}
  - {{metric: bits_per_byte}}
metadata: {{version: 1.0}}
"""
GROUP = """
group: tiny_group
task: [tiny_first, tiny_second]
aggregate_metric_list:
  - {{metric: acc, aggregation: mean, weight_by_size: {weighted}}}
metadata: {{version: 2.0}}
"""
TASKS = ("tiny_group", "tiny_math", "tiny_translation", "tiny_text")


def write_tasks(folder: Path, *, weighted: bool = True, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """The tasks' files and rows in `folder`; `changes` replaces a text in the file of a task."""
    rows: dict[str, list[dict[str, Any]]] = {
        "choice": [_choice(number) for number in range(30)],
        "math": [
            {"question": f"How many are {number} and {number}?", "answer": f"So #### {2 * number}"}
            for number in range(20)
        ],
        "translation": [
            {"source": f"Bonjour monde {number}", "target": f"Hello again, dear wide world number {number}."}
            for number in range(15)
        ],
        "text": [{"text": f"Some text, number {number}, ends {'here' * number}."} for number in range(8)],
    }
    files = {
        "tiny_first": "task: tiny_first" + CHOICE.replace("{word}", "Question").replace("{version}", "1.0"),
        "tiny_second": "task: tiny_second" + CHOICE.replace("{word}", "Q").replace("{version}", "1.5")
        + "process_docs: !function rows.few\n",
        "tiny_math": MATH, "tiny_translation": TRANSLATION, "tiny_text": TEXT,
        "tiny_group": GROUP.replace("{weighted}", str(weighted).lower()),
    }  # fmt: skip
    folder.mkdir(parents=True)
    for name, found in rows.items():
        (folder / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    for name, text in files.items():
        before, after = (changes or {}).get(name, ("", ""))
        assert before in text
        (folder / f"{name}.yaml").write_text(text.replace(before, after).format(folder=folder), encoding="utf-8")
    (folder / "rows.py").write_text("def few(rows):\n    return rows.select(range(13))\n", encoding="utf-8")
    return folder


def _choice(number: int) -> dict[str, Any]:
    choices = [str(number + step) for step in (100, 200, 990, 4000)]
    place = number % 4
    choices[0], choices[place] = choices[place], choices[0]
    return {"question": f"What comes after {number}?", "choices": choices, "answer": place}


def evaluate(
    tasks: Path, output: Path, names: Sequence[str] = TASKS, model: str | None = None, **settings: Any
) -> Path:
    """The results file of lm-eval over `names`, with samples, answered by its `model` or by one of ours."""
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    tracker = EvaluationTracker(output_path=str(output))
    answers = {"model": model} if model else {"model": _hashed(), "model_args": {"pretrained": "org/tiny"}}
    with _as_it_was():
        manager = TaskManager(include_defaults=False, include_path=str(tasks))
        found = simple_evaluate(
            **answers, tasks=list(names), task_manager=manager, evaluation_tracker=tracker, bootstrap_iters=100,
            log_samples=True, **settings,
        )  # fmt: skip
    samples = found.pop("samples")
    tracker.save_results_aggregated(results=found, samples=samples)
    for name, rows in samples.items():
        tracker.save_results_samples(task_name=name, samples=rows)
    (results,) = output.rglob("results_*.json")
    return results


@contextmanager
def _as_it_was() -> Iterator[None]:
    """lm-eval sets the environment and asks git where it is."""
    before = dict(os.environ)
    os.environ["DISABLE_MULTIPROC"] = "1"
    try:
        with chdir(Path(__file__).parent):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _hashed() -> Any:
    """A model of lm-eval's that answers by a hash of what it is asked, rightly about every other time."""
    from lm_eval.api.model import LM

    class _Hashed(LM):
        def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> list[tuple[float, bool]]:
            return [(-1.0 - _luck("".join(request.args)), False) for request in requests]

        def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> list[float]:
            return [-float(len(request.args[0])) * _luck(request.args[0]) for request in requests]

        def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
            return [_text(request.args[0]) for request in requests]

    return _Hashed()


def _luck(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


def _text(prompt: str) -> str:
    """A sum that is right half of the time, with and without its mark; a translation that lacks a word."""
    asked = re.findall(r"How many are (\d+) and", prompt)
    if asked:
        number = 2 * int(asked[-1]) + (_luck(prompt) < 0.5)
        return f" So {'#### ' if _luck(prompt + 'mark') < 0.7 else ''}{number}"
    number = int(re.findall(r"\d+", prompt)[-1])
    return f" Hello {'again, ' if number % 3 else ''}dear wide world number {number}."
