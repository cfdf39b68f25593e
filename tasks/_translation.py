"""What the translation tasks share: how a text is asked for in another language, and how its translation is scored.

Base models continue ``English: ...`` / ``Hindi:`` to the end of the line, chat models are told what to do. Beside the
corpus scores stand the shares of answers that are empty, cut off, copied from the source or in another language.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from evalsuite.contracts import Dataset, Metric, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import UsageError
from evalsuite.metrics import ALL_REFERENCES, corpus_metric, corpus_score, sacrebleu_scorer
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Flag, GenerateRequest, Replies, Request, Sample, Scored, Shot

from ._answers import FIDELITY, answer_flags, completions, fidelity_of
from ._prompts import build_prompt
from ._words import WORDS, check_protocol, protocol_in, wanted_language

PROTOCOL = "translation-v1"
SPBLEU = "+spbleu"
PROTOCOLS = (PROTOCOL, PROTOCOL + SPBLEU)
MAX_TOKENS = 512
_USUAL_LANGUAGE = "en"


@dataclass(frozen=True)
class Pair:
    """A direction of translation, by language codes."""

    source: str
    target: str


@dataclass(frozen=True)
class Setup:
    """How a translation task is asked: `language` is that of the words around the text."""

    protocol: str
    pair: Pair
    language: str
    num_fewshot: int
    is_chat: bool
    seed: int

    def question(self, text: str) -> str:
        """What is asked about `text`."""
        words = WORDS[self.language]
        source, target = words.languages[self.pair.source], words.languages[self.pair.target]
        if self.is_chat:
            return words.translate.format(source=source, target=target, text=text)
        return f"{source}: {text}\n{target}:"

    def shots(self, pairs: Sequence[tuple[str, str]]) -> tuple[Shot, ...]:
        """Exemplars of texts and their translations, asked as the samples are."""
        return tuple(Shot(input=self.question(source), target=target) for source, target in pairs)

    def draw(self, pairs: Sequence[tuple[str, str]]) -> tuple[Shot, ...]:
        """As many exemplars as are wanted, one set for all samples, by the run's seed. Raises UsageError if too few."""
        if self.num_fewshot > len(pairs):
            raise UsageError(f"--num_fewshot {self.num_fewshot}: there are {len(pairs)} exemplars.")
        drawn = random.Random(self.seed).sample(range(len(pairs)), self.num_fewshot)
        return self.shots([pairs[index] for index in drawn])


def pair_of(name: str) -> Pair:
    """The direction that a task's name ends with, ``wmt22_zh-en``."""
    source, _, target = name.rpartition("_")[2].partition("-")
    return Pair(source, target)


def pair_title(pair: Pair) -> str:
    """``English into Hindi``."""
    names = WORDS["en"].languages
    return f"{names[pair.source]} into {names[pair.target]}"


def choose_setup(name: str, options: TaskOptions, protocols: Sequence[str] = PROTOCOLS) -> Setup:
    """The task `name` as `options` want it. Raises UnknownName for a protocol or prompt language it does not have."""
    protocol = check_protocol(name, options, protocols)
    pair = pair_of(name)
    language = wanted_language(name, options, native=pair.target, usual=_USUAL_LANGUAGE)
    return Setup(
        protocol=protocol_in(protocol, language, _USUAL_LANGUAGE),
        pair=pair,
        language=language,
        num_fewshot=options.num_fewshot or 0,
        is_chat=options.chat,
        seed=options.seed,
    )


@dataclass(frozen=True)
class Corpus:
    """The rows of one direction, and what is said of them; `samples` are made of `datasets`.

    `headline` is the metric that is shown first, `provenance` where the target texts come from; `is_seeded` says that
    exemplars are drawn. `fallback` is the protocol that runs where the rows cannot be had, for `fallback_reason`.
    """

    info: TaskInfo
    source: str
    headline: str
    datasets: tuple[Dataset, ...]
    samples: Callable[[tuple[Rows, ...]], tuple[Sample, ...]]
    version: int = 1
    num_references: int = 1
    provenance: str = "native"
    max_tokens: int = MAX_TOKENS
    is_seeded: bool = False
    fallback: str = ""
    fallback_reason: str = ""


def translation_task(corpus: Corpus, setup: Setup, options: TaskOptions) -> Task:
    """The task of `corpus`. Raises UsageError where its protocol needs a tokenizer that cannot be had."""
    info = corpus.info
    spbleu = ("spbleu",) if SPBLEU in setup.protocol else ()
    if spbleu:
        _check_spbleu()
    metrics = _metrics(corpus.headline, setup.pair.target, corpus.num_references, spbleu)
    return Task(
        name=info.name,
        family=info.family,
        version=corpus.version,
        language=info.language,
        protocol=setup.protocol,
        num_fewshot=setup.num_fewshot,
        kind=info.kind,
        datasets=corpus.datasets,
        samples=corpus.samples,
        next_requests=partial(_next_requests, options, corpus.max_tokens),
        score=partial(_score, tuple(metric.name for metric in metrics)),
        metrics=(*metrics, *FIDELITY),
        title=info.title,
        source=corpus.source,
        licence=info.licence,
        language_provenance=corpus.provenance,
        prompt_language=setup.language,
        is_seeded=corpus.is_seeded and bool(setup.num_fewshot),
        fallback=corpus.fallback,
        fallback_reason=corpus.fallback_reason,
    )


def _metrics(headline: str, target: str, num_references: int, more: Sequence[str]) -> tuple[Metric, ...]:
    """Corpus scores against the first reference, the headline first, and BLEU against all where there are several."""
    names = [headline, *(name for name in ("bleu", "chrf++", "chrf", "ter", *more) if name != headline)]
    several = (corpus_metric("bleu" + ALL_REFERENCES, target, num_references),) if num_references > 1 else ()
    return (*(corpus_metric(name, target) for name in names), *several)


def _check_spbleu() -> None:
    """Raise UsageError when sacrebleu has not the tokenizer of FLORES-200 and cannot fetch it, before anything runs."""
    try:
        sacrebleu_scorer("spbleu", "", 1)
    except (Exception, SystemExit) as error:  # its download ends in many ways, one of them an exit
        reason = str(error).strip().partition("\n")[0].rstrip(":") or type(error).__name__
        raise UsageError(
            f"--protocol {PROTOCOL}{SPBLEU}: sacrebleu cannot load the tokenizer flores200 ({reason}); "
            "it needs the package sentencepiece and, once, a network."
        ) from error


def _next_requests(options: TaskOptions, max_tokens: int, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    prompt = build_prompt(sample.input, sample.shots, options)
    return (GenerateRequest(prompt=prompt, max_tokens=max_tokens, stop=() if options.chat else ("\n",)),)


def _score(metrics: Sequence[str], sample: Sample, replies: Replies) -> Scored:
    answers = completions(replies)
    text = without_thinking(answers[0].text).strip()
    every = sample.references
    fidelity = fidelity_of(answers, sample.language)
    copied = (Flag.COPIED,) if is_copy(text, str(sample.metadata["source_text"]), sample.target) else ()
    return Scored(
        scores=(
            *(
                corpus_score(name, sample.language, text, every if name.endswith(ALL_REFERENCES) else every[:1])
                for name in metrics
            ),
            *fidelity.scores,
        ),
        answer=text,
        flags=(*copied, *answer_flags(answers, fidelity)),
    )


def is_copy(text: str, source: str, reference: str) -> bool:
    """Whether `text` is its source again but for case, spaces and marks, where the reference is not."""
    return bool(_letters(text)) and _letters(text) == _letters(source) != _letters(reference)


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())
