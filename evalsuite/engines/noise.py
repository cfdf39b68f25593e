"""How much a model's numbers move on this machine for reasons that are nobody's: company in a batch, and threads.

Floating-point sums depend on their order, and the order on what else is computed. The same requests are scored one at
a time, as planned, in other company, and with another number of threads; what differs is noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.engines.base import Batch
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.types import Completion, Item, Loglikelihood, Response

Answers = Mapping[str, Response]


@dataclass(frozen=True)
class Noise:
    """One way of computing against one at a time: largest and mean difference in nats, and what it changed.

    `num_flipped` of `num_choices` questions have another likeliest choice, `num_other_texts` of `num_texts` answers
    are another text.
    """

    way: str
    max_nats: float
    mean_nats: float
    num_flipped: int
    num_choices: int
    num_other_texts: int
    num_texts: int


def measure(engine: TransformersEngine, items: Sequence[Item]) -> Iterator[Noise]:
    """The noise of each way of computing `items`, whose requests score choices or generate."""
    alone = _answers(engine, [Batch(place, (item,), 1) for place, item in enumerate(items)])
    yield _compared("as planned", alone, _answers(engine, engine.plan(items)))
    samples = sorted({item.sample_id for item in items})
    half = [item for item in items if item.sample_id in samples[::2]]
    yield _compared("in other company", alone, _answers(engine, engine.plan(half)))
    if engine.model.device_kind == "cpu":
        yield from _with_other_threads(engine, items, alone)


def _with_other_threads(engine: TransformersEngine, items: Sequence[Item], alone: Answers) -> Iterator[Noise]:
    import torch

    usual = torch.get_num_threads()
    other = 1 if usual > 1 else 2
    torch.set_num_threads(other)
    try:
        yield _compared(f"with {other} threads" if other > 1 else "with 1 thread", alone,
                        _answers(engine, engine.plan(items)))  # fmt: skip
    finally:
        torch.set_num_threads(usual)


def _answers(engine: TransformersEngine, batches: Sequence[Batch]) -> Answers:
    """Each batch by an engine that has computed nothing yet, so that the plan alone says what is in whose company."""
    found: dict[str, Response] = {}
    for batch in batches:
        found |= engine.afresh().run([batch])
    return found


def _compared(way: str, alone: Answers, found: Answers) -> Noise:
    nats = [
        abs(answer.sum_nats - own.sum_nats)
        for name, answer in found.items()
        if isinstance(answer, Loglikelihood) and isinstance(own := alone[name], Loglikelihood)
    ]
    texts = [
        answer.text != own.text
        for name, answer in found.items()
        if isinstance(answer, Completion) and isinstance(own := alone[name], Completion)
    ]
    before, after = _likeliest(alone), _likeliest(found)
    shared = [sample for sample in after if len(after[sample]) == len(before[sample])]
    flipped = sum(_best(before[sample]) != _best(after[sample]) for sample in shared)
    mean = sum(nats) / len(nats) if nats else 0.0
    return Noise(way, max(nats, default=0.0), mean, flipped, len(shared), sum(texts), len(texts))


def _likeliest(answers: Answers) -> dict[str, list[float]]:
    """By sample the log-likelihoods of its choices."""
    found: dict[str, list[float]] = {}
    for name in sorted(answers):
        answer = answers[name]
        if isinstance(answer, Loglikelihood):
            found.setdefault(name.partition("#")[0], []).append(answer.sum_nats)
    return found


def _best(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)
