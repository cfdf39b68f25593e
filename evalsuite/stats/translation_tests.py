"""Whether one system's corpus scores differ from another's by more than chance, by sacrebleu's paired tests.

Paired bootstrap resampling (Koehn 2004) and paired approximate randomisation (Riezler and Maxwell 2005), two-sided,
over segments. sacrebleu draws by its own generator from the seed in ``SACREBLEU_SEED``, by default 12345, which its
signature names together with the number of resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.metrics import sacrebleu_scorer

Kind = Literal["bootstrap", "randomisation"]
_KINDS = {"bootstrap": "bs", "randomisation": "ar"}


@dataclass(frozen=True)
class PairedScore:
    """One metric of a system beside the baseline's, on sacrebleu's scale; `p_value` of no difference, two-sided."""

    metric: str
    baseline: float
    system: float
    p_value: float
    signature: str


def paired_test(
    metrics: Sequence[str],
    language: str,
    baseline: Sequence[str],
    system: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    kind: Kind = "randomisation",
    num_samples: int = 0,
) -> tuple[PairedScore, ...]:
    """Each of `metrics` (see `metrics.CORPUS_METRICS`) of two systems' translations of the same segments.

    `references` has one sequence of segments for each reference; `num_samples` 0 is sacrebleu's default (1,000
    resamples or 10,000 trials). Two systems whose texts are the same have the p-value 1, where sacrebleu's is the
    smallest it can give. Raises ValueError where the numbers of segments differ or there are none.
    """
    from sacrebleu.significance import PairedTest

    sizes = {len(baseline), len(system), *map(len, references)}
    if len(sizes) != 1 or not baseline or not references:
        raise ValueError(f"a paired test needs the same segments of all, not {sorted(sizes)}")
    scorers = {name: sacrebleu_scorer.__wrapped__(name, language, len(references)) for name in metrics}
    signatures, scores = PairedTest(
        [("baseline", list(baseline)), ("system", list(system))],
        scorers,
        [list(reference) for reference in references],
        test_type=_KINDS[kind],
        n_samples=num_samples,
    )()
    found = [name for name in scores if name != "System"]
    is_same = list(baseline) == list(system)
    return tuple(
        PairedScore(
            metric=name,
            baseline=float(scores[theirs][0].score),
            system=float(scores[theirs][1].score),
            p_value=1.0 if is_same else float(scores[theirs][1].p_value),
            signature=str(signatures[theirs]),
        )
        for name, theirs in zip(metrics, found, strict=True)
    )
