"""FLORES-200: sentences of Wikimedia articles, translated by professionals, in all directions between six languages.

Paper: NLLB Team 2022, "No Language Left Behind" (arXiv 2207.04672); Goyal et al. 2022 (arXiv 2106.03193).
Data: ``facebook/flores``; CC BY-SA 4.0. Scored: devtest (1,012 rows); exemplars from dev (997), one set for all rows,
drawn by the run's seed. Sentences of one article are one cluster, shared by all directions. The headline is chrF++,
which splits no language into words and so may be averaged over targets; BLEU stands beside it, each pair by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import permutations
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.text.language_names import LANGUAGES
from evalsuite.types import ITEM, Sample, Shot

from ._translation import PROTOCOLS, Corpus, Pair, Setup, choose_setup, pair_title, translation_task

_NAME = "flores"
_LICENCE = "CC BY-SA 4.0"
CODES = {
    "en": "eng_Latn",
    "zh": "zho_Hans",
    "fr": "fra_Latn",
    "ar": "arb_Arab",
    "es": "spa_Latn",
    "hi": "hin_Deva",
    "de": "deu_Latn",
}
_FINGERPRINTS = {
    ("en", "dev"): "8f0f6ba3f4390bfa11e88b7b14451b74adb14031c9bf7d489f49d8989690e17b",
    ("en", "devtest"): "fa5847d3575719974b135893251a983e12e85e95830226bc90a47dcbcee0d644",
    ("zh", "dev"): "06d83b0df62da6efa814d3b707a12ab940e58d7bb2d0fc0be1c3338d160bc562",
    ("zh", "devtest"): "75d100f79e2b70d91cc4c85d7c785a5a2d718c0aabe2a5858103ea7b97f4ae24",
    ("fr", "dev"): "af752303d86e96d9b4da186dad495e6084daff88de076f527f07022d3acabe47",
    ("fr", "devtest"): "0ae74835434a1c06472bf4cf13367c5cb889e74d57a9c555c93f44e4409226f6",
    ("ar", "dev"): "247c97771e02dbfb5fb29bc8d9bdfc7da4961018c5e6e0e977b6e58e639d1df2",
    ("ar", "devtest"): "1f83f5fec28f90c3403f50f0bf5822fcb88bfb0c5ce2148c19437becf70315c1",
    ("es", "dev"): "36ffa4415193e003480761a5724908cf3a0c4bcab1ecb024c87362a42a3f8dca",
    ("es", "devtest"): "37f1fcd00f37000147f90802036d96e5192b2ef960cb64b3f8f76556bf1b3b59",
    ("hi", "dev"): "46ac5acb638313d35be9b0ed0daaeab436050322c90cb97d64194c3f77a4da82",
    ("hi", "devtest"): "0fb19d0e8fcead148ed0f23e542eab206b498a6e7ef0393cc96b797794da1d71",
    ("de", "dev"): "743b228d9b4866409c97f1b3d99ce32ffbc56ab76aad07a16eee919d792579c0",
    ("de", "devtest"): "ba9fb233131ea8faa8c97439b0b15be93bc844fa2bc32c6a7ec85cf7db908457",
}


def exemplars(pair: Pair) -> tuple[Dataset, Dataset]:
    """Where exemplars of a direction are drawn from, by every translation task: dev in both languages."""
    return _rows(pair.source, "dev"), _rows(pair.target, "dev")


def exemplar_pairs(splits: tuple[Rows, ...]) -> list[tuple[str, str]]:
    """The sentences of `exemplars` with their translations; none of no splits."""
    return [(rows[0]["sentence"], rows[1]["sentence"]) for rows in zip(*splits, strict=True)]


def _rows(language: str, split: str) -> Dataset:
    """The sentences of a split; row k is the same sentence in every language."""
    return Dataset("facebook/flores", CODES[language], split, fingerprint=_FINGERPRINTS[language, split])


def build(name: str, options: TaskOptions) -> Task:
    """The task of one direction, ``flores_en-hi``. Raises UnknownName for another protocol or prompt language."""
    setup = choose_setup(name, options)
    pair = setup.pair
    scored = (_rows(pair.source, "devtest"), _rows(pair.target, "devtest"))
    corpus = Corpus(
        info=_info(pair),
        source="NLLB Team 2022, arXiv 2207.04672",
        headline="chrf++",
        datasets=(*scored, *(exemplars(pair) if setup.num_fewshot else ())),
        samples=partial(_samples, name, setup),
        provenance="native" if pair.target == "en" else "human",
        is_seeded=True,
    )
    return translation_task(corpus, setup, options)


def _samples(name: str, setup: Setup, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    shots = setup.draw(exemplar_pairs(splits[2:]))
    return tuple(
        _sample(f"{name}:devtest:{index}", setup, source, target["sentence"], shots)
        for index, (source, target) in enumerate(zip(*splits[:2], strict=True))
    )


def _sample(sample_id: str, setup: Setup, row: Mapping[str, Any], target: str, shots: tuple[Shot, ...]) -> Sample:
    return Sample(
        id=sample_id,
        input=setup.question(row["sentence"]),
        language=setup.pair.target,
        target=target,
        shots=shots,
        category=row["domain"],
        cluster=f"{_NAME}:{row['URL']}",
        metadata={
            ITEM: f"{_NAME}:{sample_id.rpartition(':')[2]}",
            "source_text": row["sentence"],
            "source_language": setup.pair.source,
        },
    )


def _info(pair: Pair) -> TaskInfo:
    name = f"{_NAME}_{pair.source}-{pair.target}"
    return TaskInfo(name, _NAME, pair.target, "translate", f"FLORES-200, {pair_title(pair)}", _LICENCE)


flores = Family(_NAME, tuple(_info(Pair(*pair)) for pair in permutations(LANGUAGES, 2)), build, PROTOCOLS)
