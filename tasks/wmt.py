"""WMT: the test sets of the yearly conference on machine translation, with BLEU as it is published.

Findings of WMT: Akhbardeh et al. 2021, Kocmi et al. 2022, 2023, 2024; for ``wmt14`` and ``wmt18``, which BLOOMChat
reported, Bojar et al. 2014, 2018. Data: the conference's own repositories (2021 to 2024; no licence stated), in the
hub's form in a mirror; what is not there comes through sacrebleu's download, under a protocol of its own, since its
files may leave out rows. Exemplars, one set for all rows, are drawn by the run's seed from FLORES-200's dev, which has
all the languages.

Each direction holds text written in its source language. `bleu` counts against the first reference (A), `bleu_all`
against all. Rows with one source text are one cluster, in WMT24 those of one document; its first row, a canary that is
no translation, is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.data import SACREBLEU
from evalsuite.types import ITEM, REFERENCE, Sample, Shot

from ._translation import PROTOCOLS, Corpus, Setup, choose_setup, pair_of, pair_title, translation_task
from .flores import exemplar_pairs, exemplars

DOWNLOADED = "+sacrebleu-data"
_CANARY = "canary"


@dataclass(frozen=True)
class Edition:
    """One year's sets: the number of references and what the rows hash to, by direction.

    Without fingerprints the rows are sacrebleu's, whatever they are.
    """

    title: str
    source: str
    num_references: Mapping[str, int]
    fingerprints: Mapping[str, str]


EDITIONS = {
    "wmt14": Edition(
        title="WMT14",
        source="Bojar et al. 2014, Findings of WMT14",
        num_references={"fr-en": 1, "en-fr": 1, "hi-en": 1, "en-hi": 1, "de-en": 1, "en-de": 1},
        fingerprints={},
    ),
    "wmt18": Edition(
        title="WMT18",
        source="Bojar et al. 2018, Findings of WMT18",
        num_references={"zh-en": 1, "en-zh": 1, "de-en": 1, "en-de": 1},
        fingerprints={},
    ),
    "wmt21": Edition(
        title="WMT21",
        source="Akhbardeh et al. 2021, Findings of WMT21",
        num_references={"de-en": 2, "de-fr": 1, "en-de": 3, "en-zh": 2, "fr-de": 1, "zh-en": 1},
        fingerprints={
            "de-en": "2c381b5dedcf86ee2ea80d62b79fff6df584a3efcb7f5337cd9076e83751f5ff",
            "de-fr": "a55b0ac927d15dd23ad4543376bd65f642f379b45cb59a71973d31f20d385462",
            "en-de": "7171015f3a4efc31dfe00d7fc9f0cfaef0041a6007c4bada472c1b8b8a047c7e",
            "en-zh": "a66f03098923e5e26177f586802f6f9ac3ebe458701623a6703cd8668a897a2a",
            "fr-de": "eebe709d5cdffac4b803bb0c5b4dfa929e9c3cb7d29807b4d6c084f69ddfadbb",
            "zh-en": "60b488f6a1bffba0c3d3eb05d610d30b3905ce38a05004d8a62d4536651789b8",
        },
    ),
    "wmt22": Edition(
        title="WMT22",
        source="Kocmi et al. 2022, Findings of WMT22",
        num_references={"de-en": 2, "de-fr": 1, "en-de": 2, "en-zh": 2, "fr-de": 1, "zh-en": 2},
        fingerprints={
            "de-en": "0252c473d6c7cff15dde220e4048ef3e3d19f445bc3a64481e864fff98254293",
            "de-fr": "687d631edd01c260fd4895cb8ddc084c1223472de528996eba07aed0be6bafeb",
            "en-de": "49c481cadcbd208d7e7861241d2c7f587db4a2a6deba7a06480cf21500896bd1",
            "en-zh": "50a2a77f44315dc4d51667408d7d4a3fbd1f242db07ceb490b888e1a2f139fb7",
            "fr-de": "9f981fea3b201d0293dc373ab1d9e5f3c0086cbd8c0f206451139ad3fee39dfd",
            "zh-en": "f6a1ae4388e982cc817824bdf996dce6ae3b55be7d1a6642adea16b1cb1676a9",
        },
    ),
    "wmt23": Edition(
        title="WMT23",
        source="Kocmi et al. 2023, Findings of WMT23",
        num_references={"en-zh": 1, "zh-en": 1},
        fingerprints={
            "en-zh": "205dd8ce9a5fca07b88911b06877078052fe783f7761bf6d8335cc87dff1b992",
            "zh-en": "7fb3c583e02aa889841b907eb002d71593d95767a3b3330b35ddc1ae42a33091",
        },
    ),
    "wmt24": Edition(
        title="WMT24",
        source="Kocmi et al. 2024, Findings of WMT24",
        num_references={"en-es": 1, "en-hi": 1, "en-zh": 1},
        fingerprints={
            "en-es": "b886307e0951f9780750da741c8eaa45c85fc8cf496362481d92ff8dbede0f3b",
            "en-hi": "99a0a99dc65b0fef0e89e093ec1e984ab0a2ef96927bc8ee1d660556fe8d4373",
            "en-zh": "276da536796f00127257a62e156ee34d8b9af34e213871906e9e8d36707a22e8",
        },
    ),
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one direction, ``wmt22_zh-en``. Raises UnknownName for another protocol or prompt language."""
    year = name.partition("_")[0]
    edition = EDITIONS[year]
    setup = choose_setup(name, options, _protocols(edition))
    direction = f"{setup.pair.source}-{setup.pair.target}"
    is_downloaded = DOWNLOADED in setup.protocol
    fingerprint = edition.fingerprints.get(direction)
    rows = (
        Dataset(f"{SACREBLEU}/{year}", direction, "test")
        if is_downloaded or fingerprint is None
        else Dataset(f"wmt/{year}", direction, "test", fingerprint=fingerprint)
    )
    corpus = Corpus(
        info=_info(year, direction),
        source=edition.source,
        headline="bleu",
        datasets=(rows, *(exemplars(setup.pair) if setup.num_fewshot else ())),
        samples=partial(_samples, name, setup),
        num_references=1 if is_downloaded else edition.num_references[direction],
        provenance="human",
        is_seeded=True,
        fallback="" if is_downloaded or fingerprint is None else setup.protocol.partition("+prompt-")[0] + DOWNLOADED,
        fallback_reason="the rows are sacrebleu's, which may be fewer",
    )
    return translation_task(corpus, setup, options)


def _protocols(edition: Edition) -> tuple[str, ...]:
    return (*PROTOCOLS, *(protocol + DOWNLOADED for protocol in PROTOCOLS)) if edition.fingerprints else PROTOCOLS


def _samples(name: str, setup: Setup, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    shots = setup.draw(exemplar_pairs(splits[1:]))
    return tuple(
        _sample(f"{name}:test:{index}", setup, row, shots)
        for index, row in enumerate(splits[0])
        if _CANARY not in str(row.get("document", "")).split("\t")
    )


def _sample(sample_id: str, setup: Setup, row: Mapping[str, Any], shots: tuple[Shot, ...]) -> Sample:
    source, target = (row["translation"][code] for code in (setup.pair.source, setup.pair.target))
    document = str(row.get("document", ""))
    year = sample_id.partition("_")[0]
    more = list(row["references"].items())[1:]
    return Sample(
        id=sample_id,
        input=setup.question(source),
        language=setup.pair.target,
        target=target,
        shots=shots,
        category=document.partition("\t")[0] if "\t" in document else "",
        cluster=f"{year}:{setup.pair.source}:{document or _digest(source)}",
        metadata={
            ITEM: f"{year}:{setup.pair.source}:{_digest(source)}",
            "source_text": source,
            "source_language": setup.pair.source,
            **{REFERENCE + letter: text for letter, text in more},
        },
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _info(year: str, direction: str) -> TaskInfo:
    pair = pair_of(direction)
    title = f"{EDITIONS[year].title}, {pair_title(pair)}"
    return TaskInfo(f"{year}_{direction}", year, pair.target, "translate", title, "none stated")


def _family(year: str) -> Family:
    edition = EDITIONS[year]
    return Family(year, tuple(_info(year, pair) for pair in edition.num_references), build, _protocols(edition))


wmt14 = _family("wmt14")
wmt18 = _family("wmt18")
wmt21 = _family("wmt21")
wmt22 = _family("wmt22")
wmt23 = _family("wmt23")
wmt24 = _family("wmt24")
