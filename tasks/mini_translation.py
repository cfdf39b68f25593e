"""mini_translation: 30 sentences parallel in six languages, translated from and into English.

Names are ``mini_translation_<source>-<target>``. Corpus BLEU and chrF by sacrebleu with the target's tokenizer; with 30
sentences the intervals are wide, which the report shows. BLEU of different tokenizers is never averaged.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.metrics import corpus_bleu, corpus_chrf, corpus_score
from evalsuite.types import GenerateRequest, Replies, Request, Sample, Scored, Shot

from ._answers import LANGUAGE_FIDELITY, answer_flags, completions, language_score
from ._mini import LANGUAGES, LICENCE, PROTOCOL, SOURCE, check_options, dataset, other_rows
from ._prompts import build_prompt

MAX_TOKENS = 128
_FINGERPRINTS = {
    "translation": "fdc873a56f38e517102a575872b2795f8efd10e96867d600f61633dfa2d62c12",
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one pair, for example ``mini_translation_en-hi``."""
    check_options(name, options, shots=True)
    pair = name.rpartition("_")[2]
    source, _, target = pair.partition("-")
    num_fewshot = options.num_fewshot or 0
    return Task(
        name=name,
        family="mini_translation",
        version=1,
        language=target,
        protocol=PROTOCOL,
        num_fewshot=num_fewshot,
        kind="translate",
        datasets=(dataset("translation", _FINGERPRINTS),),
        samples=partial(_samples, name, source, target, num_fewshot, options.chat),
        next_requests=partial(_next_requests, options),
        score=_score,
        metrics=(corpus_chrf(target), corpus_bleu(target), LANGUAGE_FIDELITY),
        title=f"Sentences from {LANGUAGES[source]} into {LANGUAGES[target]}",
        source=SOURCE,
        licence=LICENCE,
    )


def _samples(
    name: str, source: str, target: str, num_fewshot: int, chat: bool, splits: tuple[Rows, ...]
) -> tuple[Sample, ...]:
    (rows,) = splits
    questions = [_question(row[source], source, target, chat) for row in rows]
    shots = {row["id"]: Shot(input=q, target=row[target]) for q, row in zip(questions, rows, strict=True)}
    return tuple(
        Sample(
            id=f"{name}:test:{index}",
            input=questions[index],
            language=target,
            target=row[target],
            shots=tuple(shots[other["id"]] for other in other_rows(rows, index, num_fewshot)),
            category=row["category"],
            cluster=f"mini_translation:{row['id']}",
            metadata={"source_text": row[source], "source_language": source},
        )
        for index, row in enumerate(rows)
    )


def _question(text: str, source: str, target: str, chat: bool) -> str:
    if chat:
        pair = f"from {LANGUAGES[source]} into {LANGUAGES[target]}"
        return f"Translate this sentence {pair}. Write the translation only.\n\n{text}"
    return f"{LANGUAGES[source]}: {text}\n{LANGUAGES[target]}:"


def _next_requests(options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    prompt = build_prompt(sample.input, sample.shots, options)
    return (GenerateRequest(prompt=prompt, max_tokens=MAX_TOKENS, stop=() if options.chat else ("\n",)),)


def _score(sample: Sample, replies: Replies) -> Scored:
    answers = completions(replies)
    text = answers[0].text.strip()
    fidelity = language_score(answers, sample.language)
    return Scored(
        scores=(
            corpus_score("chrf", sample.language, text, sample.target),
            corpus_score("bleu", sample.language, text, sample.target),
            fidelity,
        ),
        answer=text,
        flags=answer_flags(answers, fidelity),
    )


def _family() -> Family:
    pairs = [pair for other in LANGUAGES if other != "en" for pair in (("en", other), (other, "en"))]
    members = tuple(
        TaskInfo(
            f"mini_translation_{source}-{target}",
            "mini_translation",
            target,
            "translate",
            f"Sentences from {LANGUAGES[source]} into {LANGUAGES[target]}",
            LICENCE,
        )
        for source, target in pairs
    )
    return Family("mini_translation", members, build, (PROTOCOL,))


mini_translation = _family()
