"""Whether one system's corpus scores differ from another's by more than chance, by sacrebleu's paired tests.

Paired bootstrap resampling (Koehn 2004) and paired approximate randomisation (Riezler and Maxwell 2005), two-sided,
over segments. sacrebleu draws by its own generator from the seed in ``SACREBLEU_SEED``, by default 12345, which its
signature names together with the number of resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evalsuite.metrics import new_sacrebleu_scorer

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
    resamples or 10,000 trials). Two systems whose scores are the same have the p-value 1, where sacrebleu's is the
    smallest it can give. Raises ValueError where the numbers of segments differ or there are none.
    """
    sizes = {len(baseline), len(system), *map(len, references)}
    if len(sizes) != 1 or not baseline or not references:
        raise ValueError(f"a paired test needs the same segments of all, not {sorted(sizes)}")
    return tuple(
        _one_test(
            name,
            new_sacrebleu_scorer(name, language, len(references)),
            (baseline, system),
            references,
            kind,
            num_samples,
        )
        for name in metrics
    )


def _one_test(
    name: str,
    scorer: Any,
    systems: tuple[Sequence[str], Sequence[str]],
    references: Sequence[Sequence[str]],
    kind: Kind,
    num_samples: int,
) -> PairedScore:
    """One metric by itself: sacrebleu keeps results by its own names, which two of ours may share."""
    from sacrebleu.significance import PairedTest

    baseline, system = map(list, systems)
    signatures, scores = PairedTest(
        [("baseline", baseline), ("system", system)],
        {name: scorer},
        [list(reference) for reference in references],
        test_type=_KINDS[kind],
        n_samples=num_samples,
    )()
    (theirs,) = signatures
    first, second = scores[theirs]
    return PairedScore(
        metric=name,
        baseline=float(first.score),
        system=float(second.score),
        p_value=1.0 if first.score == second.score else float(second.p_value),
        signature=str(signatures[theirs]),
    )
