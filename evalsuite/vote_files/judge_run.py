"""Our own judge runs of two models against each other: every case's verdict is a vote of the judge.

A case that the judge won, lost or called a tie in both orders is one; cases without a verdict are dropped, by cause.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.records import SampleRecord
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Scored
from evalsuite.verdicts import Comparison, Winner

from .reading import Dropped, Imported, imported

SCORE = "win_rate"
_WINNERS = {1.0: Winner.A, 0.0: Winner.B, 0.5: Winner.TIE}


def read_judge_run(path: Path) -> Imported:
    """The verdicts of one run, by its directory. Raises DataError for what is no judge run of two models."""
    spec = read_results(path).spec
    if spec.judged is None or len(spec.judged.models) != 2:
        raise DataError(f"{path} is no judge run of two models against each other.")
    rater = f"{spec.judged.judge}@{spec.model.name}"
    return imported(path, read_samples(path), partial(_comparison, rater))


def _comparison(rater: str, number: int, record: SampleRecord) -> Comparison:
    del number
    if not isinstance(record.outcome, Scored):
        raise Dropped(str(getattr(record.outcome, "cause", "no verdict")))
    (share,) = [score.counts[0] for score in record.outcome.scores if score.name == SCORE]
    case = record.sample
    return Comparison(
        item=case.id.removesuffix("/pair"),  # the sample that people vote on
        group=case.cluster_id,
        language=case.language,
        system_a=str(case.metadata["system_a"]),
        system_b=str(case.metadata["system_b"]),
        winner=_WINNERS[share],
        rater=rater,
    )
