"""MGSM: 250 problems of GSM8K, translated by people; answered at once, or by working them out in the same language.

Paper: Shi et al. 2022, "Language Models are Multilingual Chain-of-Thought Reasoners" (arXiv 2210.03057).
Data: ``juletxara/mgsm``; CC BY 4.0. Scored: test (250 rows, the same problems in each language). Exemplars are the
paper's eight, in the hub's train split alone: without a network only zero-shot runs. Greedy; the words around a problem
are its language's own. `exact_match` reads numbers as the language writes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import UsageError
from evalsuite.types import ITEM, Sample, Shot

from ._number_answers import METRICS, number_requests, score_number
from ._words import NATIVE, WORDS, check_protocol, protocol_in, wanted_language

PROTOCOL = "mgsm-v1"
LANGUAGES = ("en", "zh", "fr", "es")
DIRECT, NATIVE_COT = "mgsm_direct", "mgsm_native_cot"
MAX_TOKENS = {DIRECT: 64, NATIVE_COT: 512}
NUM_EXEMPLARS = 8
_LICENCE = "CC BY 4.0"
_TITLES = {DIRECT: "MGSM, answered at once", NATIVE_COT: "MGSM, worked out"}
_FINGERPRINTS = {
    "en": "e764ec937050f056020b3683880aafc9d6b41ab39b5e4b36ee37bf5b2c04876e",
    "zh": "54043c104fe58cedbdcfb15a84f6989ff989f7b5490d9ec75e781716b264f415",
    "fr": "c0429a1fbe768d89070fdec3ed40ae0d281b5bc64cff94117c6be1b886c652c9",
    "es": "27e2ad5bd3d9a84d3833ee6e6b66166b555e4a455a51b47ff3235f8613a8b326",
}
_LABEL = re.compile(r"\A[^:：\n]{1,40}[:：]\s*")


def _build(family: str, name: str, options: TaskOptions) -> Task:
    check_protocol(name, options, (PROTOCOL,))
    language = name.rpartition("_")[2]
    prompt_language = wanted_language(name, options, native=language, usual=NATIVE)
    num_fewshot = options.num_fewshot or 0
    if num_fewshot > NUM_EXEMPLARS:
        raise UsageError(f"--num_fewshot {num_fewshot}: {name} has {NUM_EXEMPLARS} exemplars.")
    test = Dataset("juletxara/mgsm", language, "test", fingerprint=_FINGERPRINTS[language])
    train = Dataset("juletxara/mgsm", language, "train", num_rows=NUM_EXEMPLARS)
    info = _info(family, language)
    return Task(
        name=name,
        family=family,
        version=1,
        language=language,
        protocol=protocol_in(PROTOCOL, prompt_language, language),
        num_fewshot=num_fewshot,
        kind=info.kind,
        datasets=(test, train) if num_fewshot else (test,),
        samples=partial(_samples, family, language, prompt_language, num_fewshot, options.chat),
        next_requests=number_requests(options, prompt_language, MAX_TOKENS[family]),
        score=score_number,
        metrics=METRICS,
        title=info.title,
        source="Shi et al. 2022, arXiv 2210.03057",
        licence=_LICENCE,
        language_provenance="native" if language == "en" else "human",
        prompt_language=prompt_language,
    )


def _samples(
    family: str, language: str, prompt_language: str, num_fewshot: int, is_chat: bool, splits: tuple[Rows, ...]
) -> tuple[Sample, ...]:
    train = splits[1][:num_fewshot] if num_fewshot else ()
    shots = tuple(
        Shot(input=_asked(family, _unlabelled(row["question"]), prompt_language, is_chat), target=_worked(family, row))
        for row in train
    )
    return tuple(
        Sample(
            id=f"{family}_{language}:test:{index}",
            input=_asked(family, row["question"], prompt_language, is_chat),
            language=language,
            target=str(row["answer_number"]),
            shots=shots,
            cluster=f"mgsm:{index}",
            metadata={ITEM: f"mgsm:{index}"},
        )
        for index, row in enumerate(splits[0])
    )


def _asked(family: str, text: str, language: str, is_chat: bool) -> str:
    words = WORDS[language]
    if is_chat:
        template = words.only_number if family == DIRECT else words.work_out
        return template.format(text=text)
    return f"{words.question}{text}\n{words.answer if family == DIRECT else words.steps}"


def _worked(family: str, row: Mapping[str, Any]) -> str:
    return str(row["answer_number"]) if family == DIRECT else _unlabelled(row["answer"])


def _unlabelled(text: str) -> str:
    """The hub's exemplars begin with their own words for question and answer."""
    return _LABEL.sub("", text, count=1)


def _info(family: str, language: str) -> TaskInfo:
    title = f"{_TITLES[family]}, in {WORDS['en'].languages[language]}"
    return TaskInfo(f"{family}_{language}", family, language, "generate", title, _LICENCE)


def _family(name: str) -> Family:
    return Family(name, tuple(_info(name, code) for code in LANGUAGES), partial(_build, name), (PROTOCOL,))


mgsm_direct = _family(DIRECT)
mgsm_native_cot = _family(NATIVE_COT)
