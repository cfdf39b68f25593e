"""FastChat's MT-Bench model answers as a run of the task ``mt_bench``, as though they had been recorded here.

The run is the one that ``evalsuite run --model recorded`` makes of the same texts, so whatever judges a run judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalsuite import plugins
from evalsuite.building import build_task
from evalsuite.config import RunConfig
from evalsuite.data import source_from_environment
from evalsuite.engines.recorded import RecordedEngine
from evalsuite.errors import DataError
from evalsuite.interop.mt_bench_files import ModelAnswer, merge_equal
from evalsuite.prepare import Opened, Prepared, prepare
from evalsuite.types import Sample

TASK = "mt_bench"


@dataclass(frozen=True)
class ImportedAnswers:
    """A run to be executed, and what a reader of it must know of its file.

    `num_failures` turns hold FastChat's word for no answer, `missing` questions have no row; both end unscored.
    `num_merged` rows said again what another had said, `num_other_choices` answers beyond the first were left.
    """

    prepared: Prepared
    num_failures: int
    missing: tuple[str, ...]
    num_merged: int
    num_other_choices: int


def prepare_answers(rows: Sequence[ModelAnswer], source: str, name: str, data_dir: str | None) -> ImportedAnswers:
    """The run of `rows`, which were read from `source`, under `name` or, when that is empty, their own model's.

    Raises DataError for answers of several models, rows that contradict each other, and a question or a turn that
    MT-Bench has not.
    """
    answers = merge_equal(rows)
    own_name = _only_model(answers)
    config = RunConfig(model="recorded", tasks=(TASK,), data_dir=data_dir)
    samples = _samples(config)
    for answer in answers:
        _check_known(answer, samples)
    texts = {samples[answer.question].id: found for answer in answers if (found := _texts(answer))}
    answered = {answer.question for answer in answers}
    return ImportedAnswers(
        prepared=_prepare(texts, source, name or own_name, config),
        num_failures=sum(turn is None for answer in answers for turn in answer.turns),
        missing=tuple(question for question in samples if question not in answered),
        num_merged=len(rows) - len(answers),
        num_other_choices=sum(answer.num_other_choices for answer in answers),
    )


def _only_model(answers: Sequence[ModelAnswer]) -> str:
    first = answers[0]
    for answer in answers:
        if answer.model != first.model:
            models = f"{answer.model}, but {first.where} is of {first.model}"
            raise DataError(f"{answer.where}: an answer of {models}; import the answers of one model at a time.")
    return first.model


def _samples(config: RunConfig) -> dict[str, Sample]:
    """The task's samples by question id."""
    (choice,) = plugins.choose_tasks([TASK])
    built = build_task(choice, config, RecordedEngine({}, path=""), source_from_environment(config.data_dir))
    return {str(sample.metadata["question_id"]): sample for sample in built.samples}


def _check_known(answer: ModelAnswer, samples: Mapping[str, Sample]) -> None:
    """Refuse an answer to what MT-Bench does not ask."""
    if answer.question not in samples:
        raise DataError(f"{answer.where}: question {answer.question[:40]} is not one of MT-Bench's.")
    num_turns = len(samples[answer.question].turns)
    if len(answer.turns) > num_turns:
        raise DataError(
            f"{answer.where}: {len(answer.turns)} turns of question {answer.question}, which has {num_turns}."
        )


def _texts(answer: ModelAnswer) -> tuple[str, ...]:
    """The answer's turns up to the first that is none: what follows it answers another conversation."""
    texts: list[str] = []
    for turn in answer.turns:
        if turn is None:
            break
        texts.append(turn)
    return tuple(texts)


def _prepare(texts: Mapping[str, tuple[str, ...]], source: str, model: str, config: RunConfig) -> Prepared:
    """The run of recorded `texts`, as though they had been read from a file of ours."""
    return prepare(config, Opened("recorded", model, RecordedEngine(texts, path=source)))
