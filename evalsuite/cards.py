"""The judge card as a run: the hardening suite's cases asked like any others, and what that says of the judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evalsuite import plugins
from evalsuite.building import PreparedTask
from evalsuite.contracts import MISSING, CardKit
from evalsuite.errors import UsageError
from evalsuite.judging import Bench, Cases, prepare_cases, protocol_of, task_of_cases
from evalsuite.prepare import Prepared
from evalsuite.store.results import read_samples
from evalsuite.types import Record, Sample
from evalsuite.verdict_scoring import replies_of, verdicts_of
from evalsuite.verdicts import Unparsed, Verdict

FAMILY = "judge_card"

CARD_FILE = "judge_card.json"
"""What `evalsuite judge card` writes into its run's directory: the cards by language."""


def card_kit() -> CardKit:
    """The installed hardening suite. Raises PluginBroken or UnknownName."""
    found: CardKit = plugins.load(plugins.CARDS, "standard")
    return found


def prepare_card(bench: Bench, kit: CardKit, languages: Sequence[str]) -> Prepared:
    """The run over the card's cases in `languages`, or in all that the judge has one in. Raises UsageError."""
    known = kit.languages(bench.judge)
    for language in languages:
        if language not in known:
            raise UsageError(f"--lang {language}: judge {bench.judge.name} has a card in {', '.join(known)}.")
    tasks = [_prepared(bench, kit, language) for language in languages or known]
    texts = [[dict(case.metadata) for case in entry.samples] for entry in tasks]
    return prepare_cases(bench, tasks, runs=(), models=(bench.model,), texts=texts)


def _prepared(bench: Bench, kit: CardKit, language: str) -> PreparedTask:
    cases = kit.cases(bench.judge, bench.rubric, language)
    rules = f"{protocol_of(bench.judge, bench.asked.options)}@{bench.model}"
    task = task_of_cases(bench.judge, bench.rubric, Cases(f"{FAMILY}_{language}", FAMILY, language, rules, cases))
    return PreparedTask(task, cases, len(cases), bench.pins, is_chat=True)


def read_cards(path: Path, bench: Bench, kit: CardKit) -> dict[str, Record]:
    """The card of each language from the sealed run at `path`."""
    judged: dict[str, list[tuple[Sample, tuple[Verdict | Unparsed, ...]]]] = {}
    for record in read_samples(path):
        is_asked = MISSING not in record.sample.metadata
        verdicts = verdicts_of(bench.rubric, record.sample, replies_of(record)) if is_asked else ()
        judged.setdefault(record.sample.language, []).append((record.sample, verdicts))
    judge = replace(bench.judge, protocol=protocol_of(bench.judge, bench.asked.options))
    return {
        language: kit.summarise(judge, bench.rubric, bench.model, language, cases) for language, cases in judged.items()
    }
