"""AlpacaEval's files: outputs of a model, and annotations, which prefer one of two outputs to each instruction.

Source: tatsu-lab/alpaca_eval at cd543a14 (``main.py``, ``metrics/winrate.py``, ``metrics/helpers.py``). A preference
lies between 1, the baseline's output (`generator_1`), and 2, that of the model that is evaluated (`generator_2`); 1.5,
or 0 in older files, is a draw, and null means that none was found. The length-controlled win rate is not computed: it
needs a model fitted over all entries of their leaderboard.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalsuite.canonical import content_hash
from evalsuite.errors import DataError
from evalsuite.interop.json_files import Row, shown
from evalsuite.interop.judged import Coverage, Judged, Part, grouped
from evalsuite.metrics import probability
from evalsuite.types import Cause, Sample, Score, Scored, Unscored

BENCHMARK = "alpaca_eval"
NUM_INSTRUCTIONS = 805
UNNAMED = "Current model"
"""What AlpacaEval calls outputs without a generator."""
_DRAW, _OLD_DRAW = 1.5, 0.0
_WIN_RATE = probability("win_rate")
_DISCRETE = probability("discrete_win_rate")
_PARTS: tuple[Part, ...] = ((_WIN_RATE, lambda _: True), (_DISCRETE, lambda _: True))


class Kind(enum.StrEnum):
    """What a file holds."""

    MODEL_OUTPUTS = "model outputs"
    ANNOTATIONS = "annotations"


@dataclass(frozen=True)
class ModelOutput:
    """What a model answered to one instruction."""

    instruction: str
    output: str
    model: str
    dataset: str
    where: str


@dataclass(frozen=True)
class Annotation:
    """An annotator's preference between two outputs to one instruction; None where none was found."""

    instruction: str
    baseline: str
    model: str
    annotator: str
    preference: float | None
    where: str


@dataclass(frozen=True)
class Outputs:
    """A model's outputs in numbers: `n` of `expected`, and their mean length in characters, cut to a whole number.

    AlpacaEval prints `avg_length` beside its win rates, which longer outputs tend to raise.
    """

    model: str
    n: int
    expected: int
    num_empty: int
    avg_length: int
    datasets: Mapping[str, int]


@dataclass(frozen=True)
class AlpacaEvalWins:
    """A model's row of an AlpacaEval leaderboard; rates and their error in percent, None where it prints NaN.

    `win_rate` is the mean of the `n_total` preferences; `standard_error` s / sqrt(n). `discrete_win_rate` rounds each
    preference first. `dropped` annotations hold none between 1 and 2; `duplicates` are on an earlier one's instruction.
    """

    model: str
    baselines: tuple[str, ...]
    annotators: tuple[str, ...]
    win_rate: float | None
    standard_error: float | None
    n_wins: int
    n_wins_base: int
    n_draws: int
    n_total: int
    discrete_win_rate: float | None
    dropped: int
    duplicates: int


def kind_of(rows: Sequence[Row]) -> Kind:
    """What all `rows` are. Raises DataError for rows of no known kind, or of two."""
    kind = _kind(rows[0])
    for row in rows:
        if _kind(row) != kind:
            row.refuse(f"this is one of {_kind(row)}, but {rows[0].where} is one of {kind}; import one kind at a time.")
    return kind


def _kind(row: Row) -> Kind:
    if "preference" in row.fields:
        return Kind.ANNOTATIONS
    if "output" in row.fields:
        return Kind.MODEL_OUTPUTS
    found = ", ".join(map(shown, list(row.fields)[:8])) or "nothing"
    return row.refuse(f"no AlpacaEval row: neither 'preference' nor 'output', only {found}.")


def outputs_in(rows: Sequence[Row]) -> tuple[ModelOutput, ...]:
    """The rows of a file of outputs. Raises DataError."""
    return tuple(
        ModelOutput(
            instruction=_instruction(row),
            output=row.text("output"),
            model=row.name("generator") if "generator" in row.fields else UNNAMED,
            dataset=row.text("dataset") if "dataset" in row.fields else "",
            where=row.where,
        )
        for row in rows
    )


def annotations_in(rows: Sequence[Row]) -> tuple[Annotation, ...]:
    """The rows of a file of annotations; preferences of whatever range. Raises DataError."""
    return tuple(
        Annotation(
            instruction=_instruction(row),
            baseline=row.name("generator_1"),
            model=row.name("generator_2"),
            annotator=row.name("annotator") if "annotator" in row.fields else "",
            preference=None if row.value("preference") is None else row.number("preference"),
            where=row.where,
        )
        for row in rows
    )


def _instruction(row: Row) -> str:
    """What was asked; files of the first version keep a part of it under `input`."""
    return "\n\n".join(row.text(key) for key in ("instruction", "input") if key == "instruction" or key in row.fields)


# -- AlpacaEval's rules


def alpaca_eval_wins(found: Sequence[Annotation]) -> tuple[AlpacaEvalWins, ...]:
    """One row a model, the best first, over all its annotations."""
    rows = [_wins(model, own) for model, own in grouped(found, lambda one: one.model).items()]
    return tuple(sorted(rows, key=lambda row: (math.inf if row.win_rate is None else -row.win_rate, row.model)))


def _wins(model: str, found: Sequence[Annotation]) -> AlpacaEvalWins:
    given = [one.preference for one in found if one.preference is not None]
    shares = _shares(given)
    discrete = _shares([_rounded(preference) for preference in given])
    return AlpacaEvalWins(
        model=model,
        baselines=tuple(sorted({one.baseline for one in found})),
        annotators=tuple(sorted({one.annotator for one in found})),
        win_rate=_percent(shares),
        standard_error=_standard_error(shares),
        n_wins=sum(share > 0.5 for share in shares),
        n_wins_base=sum(share < 0.5 for share in shares),
        n_draws=sum(share == 0.5 for share in shares),
        n_total=len(shares),
        discrete_win_rate=_percent(discrete),
        dropped=len(found) - len(shares),
        duplicates=len(found) - len({_subject(one) for one in found}),
    )


def _shares(preferences: Sequence[float]) -> list[float]:
    """Preferences on the scale of 0 to 1, without those that are none."""
    drawn = (_DRAW if preference == _OLD_DRAW else preference for preference in preferences)
    return [preference - 1 for preference in drawn if 1 <= preference <= 2]


def _rounded(preference: float) -> float:
    """The nearest whole preference, a half to the even one; a draw stays one."""
    return _DRAW if preference == _DRAW else float(round(preference))


def _percent(shares: Sequence[float]) -> float | None:
    return math.fsum(shares) / len(shares) * 100 if shares else None


def _standard_error(shares: Sequence[float]) -> float | None:
    """The standard error of the mean in percent, from the sample's own spread; None for fewer than two."""
    if len(shares) < 2:
        return None
    mean = math.fsum(shares) / len(shares)
    variance = math.fsum((share - mean) ** 2 for share in shares) / (len(shares) - 1)
    return math.sqrt(variance / len(shares)) * 100


def _subject(one: Annotation) -> tuple[str, str, str]:
    """What may be judged once."""
    return one.instruction, one.baseline, one.annotator


# -- evalsuite's rules


def prefer(found: Sequence[Annotation]) -> tuple[Judged, ...]:
    """Each model against its baseline under each annotator: win rates in [0, 1] with intervals, null unscored.

    Raises DataError for a preference that is none, for an instruction that stands twice, and for more instructions than
    AlpacaEval has.
    """
    for one in found:
        _check_preference(one)
    groups = grouped(found, lambda one: (one.model, one.baseline, one.annotator))
    return tuple(_prefer(*names, own) for names, own in groups.items())


def _prefer(model: str, baseline: str, annotator: str, found: Sequence[Annotation]) -> Judged:
    _check_instructions(found)
    samples = [
        Sample(id=f"{BENCHMARK}:{content_hash(one.instruction)[:16]}", input=one.instruction, language="en")
        for one in found
    ]
    return Judged(
        benchmark=BENCHMARK,
        rubric=BENCHMARK,
        model=model,
        judge=annotator,
        protocol=f"{BENCHMARK}@{annotator or 'unnamed'}",
        templates=(),
        parts=_PARTS,
        outcomes=[(sample, _outcome(one)) for sample, one in zip(samples, found, strict=True)],
        expected=Coverage(0, NUM_INSTRUCTIONS),
        against=baseline,
    )


def _outcome(one: Annotation) -> Scored | Unscored:
    if one.preference is None:
        return Unscored(cause=Cause.JUDGE_UNPARSED, detail="AlpacaEval's null: no preference found")
    ((share,), (discrete,)) = _shares([one.preference]), _shares([_rounded(one.preference)])
    return Scored(
        scores=(Score(name=_WIN_RATE.name, counts=(share, 1.0)), Score(name=_DISCRETE.name, counts=(discrete, 1.0)))
    )


def _check_preference(one: Annotation) -> None:
    if one.preference is not None and not _shares([one.preference]):
        raise DataError(
            f"{one.where}: 'preference' is {one.preference:g}; expected null, or 1 to 2, or 0 for a draw. "
            "--rule alpaca_eval leaves such rows out."
        )


def describe_outputs(found: Sequence[ModelOutput]) -> tuple[Outputs, ...]:
    """Each model's outputs in numbers. Raises DataError as `prefer` does."""
    return tuple(_describe(model, own) for model, own in grouped(found, lambda one: one.model).items())


def _describe(model: str, found: Sequence[ModelOutput]) -> Outputs:
    _check_instructions(found)
    return Outputs(
        model=model,
        n=len(found),
        expected=NUM_INSTRUCTIONS,
        num_empty=sum(not one.output.strip() for one in found),
        avg_length=sum(len(one.output) for one in found) // len(found),
        datasets=dict(sorted(Counter(one.dataset for one in found).items())),
    )


def _check_instructions(found: Sequence[Annotation] | Sequence[ModelOutput]) -> None:
    """Refuse an instruction that stands twice, and more of them than there are."""
    first: dict[str, str] = {}
    for one in found:
        if one.instruction in first:
            earlier = first[one.instruction]
            raise DataError(f"{one.where}: the same instruction for {one.model} as in {earlier}; keep one of them.")
        first[one.instruction] = one.where
    if len(found) > NUM_INSTRUCTIONS:
        raise DataError(
            f"{found[NUM_INSTRUCTIONS].where}: {len(found)} instructions for {found[0].model}; AlpacaEval has "
            f"{NUM_INSTRUCTIONS}, so these are of another set."
        )
