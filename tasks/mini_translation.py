"""mini_translation: 30 sentences parallel in six languages, translated from and into English.

Names are ``mini_translation_<source>-<target>``. Corpus scores by sacrebleu with the target's tokenizer, chrF as the
headline; with 30 sentences the intervals are wide, which the report shows. BLEU of different tokenizers is never
averaged.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.text.language_names import LANGUAGES
from evalsuite.types import Sample

from ._mini import LICENCE, PROTOCOL, SOURCE, dataset, other_rows
from ._translation import Corpus, Pair, Setup, choose_setup, pair_title, translation_task

MAX_TOKENS = 128
_NAME = "mini_translation"
_FINGERPRINTS = {
    "translation": "fdc873a56f38e517102a575872b2795f8efd10e96867d600f61633dfa2d62c12",
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one pair, for example ``mini_translation_en-hi``."""
    setup = choose_setup(name, options, (PROTOCOL,))
    corpus = Corpus(
        info=_info(setup.pair),
        source=SOURCE,
        headline="chrf",
        datasets=(dataset("translation", _FINGERPRINTS),),
        samples=partial(_samples, name, setup),
        version=2,
        max_tokens=MAX_TOKENS,
    )
    return translation_task(corpus, setup, options)


def _samples(name: str, setup: Setup, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    (rows,) = splits
    source, target = setup.pair.source, setup.pair.target
    return tuple(
        Sample(
            id=f"{name}:test:{index}",
            input=setup.question(row[source]),
            language=target,
            target=row[target],
            shots=setup.shots([(other[source], other[target]) for other in other_rows(rows, index, setup.num_fewshot)]),
            category=row["category"],
            cluster=f"{_NAME}:{row['id']}",
            metadata={"source_text": row[source], "source_language": source},
        )
        for index, row in enumerate(rows)
    )


def _info(pair: Pair) -> TaskInfo:
    name = f"{_NAME}_{pair.source}-{pair.target}"
    return TaskInfo(name, _NAME, pair.target, "translate", f"Sentences: {pair_title(pair)}", LICENCE)


_PAIRS = [pair for other in LANGUAGES if other != "en" for pair in (Pair("en", other), Pair(other, "en"))]

mini_translation = Family(_NAME, tuple(map(_info, _PAIRS)), build, (PROTOCOL,))
