"""One of lm-eval's tasks as functions of ours: its own `ConfigurableTask` makes the prompts and scores the answers.

Rows come through evalsuite (mirror, then the task's own loader), so that they are pinned like those of any task.
Exemplars are drawn as lm-eval's evaluator draws them, by one seeded generator in the order of documents, so that a
document's prompt depends on those before it: they are made in order, whichever samples a run takes.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from evalsuite.contracts import Dataset, Rows, TaskOptions
from evalsuite.errors import DataError, EvalsuiteError, UsageError
from evalsuite.interop.lm_eval_draws import Draws
from evalsuite.interop.lm_eval_functions import does_draw, no_code_from_elsewhere, once_a_table
from evalsuite.interop.lm_eval_index import quiet
from evalsuite.interop.lm_eval_requests_out import conversation, generation, request_of
from evalsuite.interop.lm_eval_scores import TheirMetric, metrics_of
from evalsuite.types import (
    Completion,
    Flag,
    Loglikelihood,
    Replies,
    Request,
    Response,
    Sample,
    Score,
    Scored,
)  # fmt: skip

_NO_MATCH = "[invalid]"
"""What lm-eval's filters make of an answer in which they find nothing, unless a task says otherwise."""


def refusal(config: Mapping[str, Any]) -> str:
    """Why a task cannot be run here; empty where it can."""
    if "class" in config:
        return "lm-eval has it as a Python class of its own, with data of its own; only those of YAML files are run."
    if config.get("doc_to_image") or config.get("doc_to_audio"):
        return "it asks about pictures or sound, which no engine here takes."
    if config.get("unsafe_code"):
        return "it runs the code that models write, which evalsuite does not do."
    return ""


class LmEvalTask:
    """A task of a configuration: what it reads and measures is known at once, its documents after `samples`.

    Raises UsageError for a number of exemplars that the task does not allow, for settings that no engine can follow,
    and where no metric of it can be measured here.
    """

    def __init__(self, name: str, config: Mapping[str, Any], language: str, options: TaskOptions) -> None:
        self.name = name
        self.language = language
        self.output_type = str(config.get("output_type") or "generate_until")
        self.num_fewshot = _num_fewshot(name, config, options)
        self._config = dict(config)
        self._options = options
        self._split = str(config.get("test_split") or config.get("validation_split") or "")
        if not self._split:
            raise UsageError(f"{name}: lm-eval's file of it names no split to evaluate on.")
        self._splits = tuple(dict.fromkeys((self._split, *_exemplar_splits(config, self.num_fewshot))))
        keys = ("training_split", "validation_split", "test_split", "fewshot_split")
        self._named_splits = tuple(
            dict.fromkeys((*self._splits, *(str(config[key]) for key in keys if config.get(key))))
        )
        with _named(name):
            self.metrics, self._left_out = metrics_of(config)
            if self.output_type == "generate_until":
                generation("", config.get("generation_kwargs") or {})
        self._task: Any = None
        self._draws = Draws()
        self._instances: list[tuple[Any, ...]] = []

    @property
    def version(self) -> int:
        """lm-eval's version of the task where that is a whole number, else 0."""
        found = (self._config.get("metadata") or {}).get("version")
        return int(found) if isinstance(found, int | float) and found == int(found) else 0

    @property
    def note(self) -> str:
        """Which of its metrics are left out."""
        return f"{self.name}: not measured here: {', '.join(self._left_out)}." if self._left_out else ""

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """The rows it needs: of the split that is evaluated, and of that of its exemplars where it has any."""
        config, path = self._config, str(self._config.get("dataset_path") or "lm_eval")
        arguments = config.get("dataset_kwargs") or {}
        return tuple(
            Dataset(
                path, str(config.get("dataset_name") or "default"), split, str(arguments.get("revision") or ""),
                read=partial(_own_rows, config, split),
            )
            for split in self._splits
        )  # fmt: skip

    # -- documents

    def samples(self, rows: tuple[Rows, ...]) -> tuple[Sample, ...]:
        """A sample a document, in lm-eval's order. Raises DataError where lm-eval cannot make its task of the rows."""
        self._draws = Draws()
        with self._draws.going_on():
            self._task = self._built(rows)
        with _named(self.name), _templates_kept(), Draws().going_on():
            return tuple(self._sample(row, doc) for row, doc in enumerate(self._task.task_docs))

    def _built(self, rows: tuple[Rows, ...]) -> Any:
        from datasets import Dataset as Table
        from datasets import disable_progress_bars
        from lm_eval.api.task import ConfigurableTask

        quiet()
        disable_progress_bars()
        found = {split: Table.from_list(_whole(some)) for split, some in zip(self._splits, rows, strict=True)}
        tables = _Tables(found, self._named_splits)
        config = copy.deepcopy({key: value for key, value in self._config.items() if key not in _STRUCTURAL})
        config |= {"custom_dataset": lambda **_: tables, "num_fewshot": self.num_fewshot}
        once_a_table(config)
        if not self.num_fewshot and not does_draw(self._config):
            config["fewshot_config"] = None  # else its exemplars would be loaded although nobody asks for them
        with _named(self.name):
            task = ConfigurableTask(config=config)
        task.set_fewshot_seed(self._options.seed)
        return task

    def _sample(self, row: int, doc: Any) -> Sample:
        choices = tuple(map(str, self._task.doc_to_choice(doc))) if self._has_choices else ()
        asked, right = self._task.doc_to_text(doc), self._task.doc_to_target(doc)
        if self._task.multiple_input:
            asked, right = "", asked
        gold = right if isinstance(right, int) and 0 <= right < len(choices) else None
        if isinstance(right, str) and right in choices:
            gold = choices.index(right)
        return Sample(
            id=f"{self.name}:{self._split}:{row}",
            input=str(asked),
            language=self.language,
            target=choices[gold] if gold is not None else str(right),
            choices=choices,
            gold=gold,
            metadata={"doc": json.dumps(doc, ensure_ascii=False, sort_keys=True, default=str)},
        )

    @property
    def _has_choices(self) -> bool:
        return self.output_type == "multiple_choice"

    # -- requests

    def next_requests(self, sample: Sample, replies: Replies) -> tuple[Request, ...]:
        """What lm-eval asks about a document, a request that it repeats as often as it does."""
        if replies:
            return ()
        return tuple(
            request_of(instance.request_type, instance.args)
            for instance in self._asked(sample.row)
            for _ in range(instance.repeats or 1)
        )

    def _asked(self, row: int) -> tuple[Any, ...]:
        if self._task is None:
            raise DataError(f"{self.name}: its rows are not here, and lm-eval needs them to ask and to score.")
        docs = self._task.task_docs  # not `eval_docs`, which processes all of them anew each time
        while len(self._instances) <= row:
            with _named(self.name), _templates_kept(), self._draws.going_on():
                self._instances.append(self._constructed(len(self._instances), docs[len(self._instances)]))
        return self._instances[row]

    def _constructed(self, row: int, doc: Any) -> tuple[Any, ...]:
        """A document's instances, as `Task.build_all_requests` makes them."""
        task, options = self._task, self._options
        chat = {"apply_chat_template": options.chat, "chat_template": conversation if options.chat else None}
        context = task.fewshot_context(
            doc, num_fewshot=self.num_fewshot, system_instruction=options.system_instruction or None,
            fewshot_as_multiturn=options.chat and options.multiturn_shots, gen_prefix=task.doc_to_prefix(doc), **chat,
        )  # fmt: skip
        made = task.construct_requests(
            doc=doc, ctx=context, metadata=(task.config["task"], row, task.config.repeats), **chat
        )
        return tuple(made) if isinstance(made, list) else (made,)

    # -- scores

    def score(self, sample: Sample, replies: Replies) -> Scored:
        """lm-eval's own scores of its answers, after each of its filters."""
        instances = [copy.copy(instance) for instance in self._asked(sample.row)]
        (answers,) = replies
        found = iter(answers)
        for instance in instances:
            instance.resps = [_response(instance, next(found)) for _ in range(instance.repeats or 1)]
            instance.filtered_resps = {}
        with no_code_from_elsewhere(), Draws().going_on():  # anew each time, since samples are scored in no order
            for ensemble in self._task._filters:
                ensemble.apply(instances)
            values = {
                ensemble.name: self._task.process_results(
                    instances[0].doc, [instance.filtered_resps[ensemble.name] for instance in instances]
                )
                for ensemble in self._task._filters
            }
        scores = tuple(_scores(self.metrics, values))
        return Scored(scores=scores, **self._answer(sample, instances, answers))

    def _answer(self, sample: Sample, instances: list[Any], answers: tuple[Response, ...]) -> dict[str, Any]:
        """What the model chose or said, and the flags of that."""
        if isinstance(answers[0], Completion):
            filtered = instances[0].filtered_resps[self._task._filters[0].name]
            text = str(filtered[0] if isinstance(filtered, list) and filtered else filtered)
            return {"answer": text, "flags": (Flag.UNPARSED,) if text == _NO_MATCH else ()}
        levels = [answer.sum_nats for answer in answers if isinstance(answer, Loglikelihood)][: len(sample.choices)]
        if not sample.choices or len(levels) < len(sample.choices):
            return {}
        best = {choice for choice, level in zip(sample.choices, levels, strict=True) if level == max(levels)}
        return {
            "answer": sample.choices[levels.index(max(levels))],
            "flags": (Flag.TIED,) if len(best) > 1 else (),
        }


_STRUCTURAL = ("tag", "group", "task_list")
"""Keys of a task's file that are not of its configuration."""


def _whole(rows: Rows) -> list[dict[str, Any]]:
    """The rows, all with the keys of all: `datasets` goes by those of the first. What a row lacks is None."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [{key: row.get(key) for key in keys} for row in rows]


class _Tables(dict[str, Any]):
    """The rows by split; for one that the task's file names and nobody reads, a row of another.

    lm-eval opens all that a task names. Raises DataError for a split that the file does not name, which a task's own
    code may ask for: its rows are not here, and those of another would be taken for them.
    """

    def __init__(self, found: Mapping[str, Any], named: tuple[str, ...]) -> None:
        super().__init__(found)
        self._named = named

    def __missing__(self, split: str) -> Any:
        if split not in self._named:
            raise DataError(f"it asks for the split {split!r}; its file names {', '.join(self._named)}.")
        return next(iter(self.values())).select([0])


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Errors of lm-eval's, or of a task's own code, with the task's name."""
    try:
        with no_code_from_elsewhere():
            yield
    except EvalsuiteError as error:
        raise type(error)(f"{name}: {error}") from error
    except Exception as error:  # code of many hands
        raise DataError(f"{name}: lm-eval's task fails: {type(error).__name__}: {str(error)[:300]}") from error


@contextmanager
def _templates_kept() -> Iterator[None]:
    """lm-eval's templates are compiled once, and not for every document anew, as long as this lasts."""
    from lm_eval.utils import env

    env.from_string = lru_cache(maxsize=1000)(type(env).from_string.__get__(env))
    try:
        yield
    finally:
        del env.from_string


def _num_fewshot(name: str, config: Mapping[str, Any], options: TaskOptions) -> int:
    own = config.get("num_fewshot")
    if options.num_fewshot is None or options.num_fewshot == own:
        return int(own or 0)
    if own == 0:
        raise UsageError(
            f"--num_fewshot {options.num_fewshot}: lm-eval's own file of {name} says 0, which lm-eval lets nobody "
            "change; leave it out, or name the tasks that it is for."
        )
    if config.get("output_type") == "loglikelihood_rolling" and options.num_fewshot:
        raise UsageError(f"--num_fewshot {options.num_fewshot}: {name} scores whole texts; leave it out.")
    return options.num_fewshot


def _exemplar_splits(config: Mapping[str, Any], num_fewshot: int) -> tuple[str, ...]:
    """The split that exemplars come from; none where nothing depends on them or they stand in the file itself."""
    own = config.get("fewshot_config") or {}
    if not num_fewshot and not does_draw(config):  # lm-eval processes them all the same, and what that draws counts
        return ()
    split = own.get("split") or config.get("fewshot_split")
    if split:
        return (str(split),)
    if own.get("samples") is not None:
        return ()
    named = (config.get(key) for key in ("training_split", "validation_split", "test_split"))
    return tuple(str(one) for one in named if one)[:1]


def _own_rows(config: Mapping[str, Any], split: str) -> Rows:
    """A split as lm-eval loads it: by the task's own function, or `datasets`."""
    import datasets

    arguments = {
        key: value for key, value in (config.get("dataset_kwargs") or {}).items() if key != "trust_remote_code"
    }
    own = config.get("custom_dataset")
    datasets.disable_progress_bars()
    if callable(own):
        tables = own(**(config.get("metadata") or {}), **arguments)
    else:
        tables = datasets.load_dataset(path=config.get("dataset_path"), name=config.get("dataset_name"), **arguments)
    return tuple(dict(row) for row in tables[split])


def _response(instance: Any, reply: Response) -> Any:
    """A reply as lm-eval's models give it."""
    if isinstance(reply, Completion):
        return reply.text
    if isinstance(reply, Loglikelihood):
        is_rolling = instance.request_type == "loglikelihood_rolling"
        return reply.sum_nats if is_rolling else (reply.sum_nats, reply.is_greedy)
    raise ValueError(f"no answer: {reply.detail}")


def _scores(metrics: tuple[TheirMetric, ...], values: Mapping[str, Mapping[str, Any]]) -> Iterator[Score]:
    for one in metrics:
        found = values.get(one.filter, {})
        if one.key in found and (counts := one.counts(found[one.key])):
            yield Score(name=one.metric.name, counts=counts)
