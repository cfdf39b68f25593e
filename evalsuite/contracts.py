"""What a benchmark is made of: frozen dataclasses of functions, which a plugin fills in and nobody inherits from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from evalsuite.records import AggregateKind, RunResult, SampleRecord
from evalsuite.types import Completion, GenerateRequest, Record, Replies, Request, Sample, Score, Scored, Unscored
from evalsuite.verdicts import Unparsed, Verdict

LM_EVAL_PROTOCOL = "lm-eval-0.4"
"""The protocol whose numbers are lm-eval's own, so that files of its form may hold them under its tasks' names."""


@dataclass(frozen=True)
class Metric:
    """A scorer's vectors, summed over rows, reduced to one number.

    `reduce` takes the summed vector and returns a float in ``[bounds[0], bounds[1]]``, or None when nothing was
    judged (for example no answer whose language could be told). `proportion` metrics get Wilson intervals. `scale` is
    what a value is multiplied by to be shown (100 for percentages). `best` and `worst` are the vectors of a row that
    is entirely right or wrong, where such exist. `signature` names the computation; two signatures never compare.
    `chance` is what guessing scores on a sample, in expectation; `alias` what the task's protocol calls this metric.
    `applies` says of which samples it can have something to count, where that is not all: one category, one turn.
    `formula` says what `reduce` does in a way that is stored with results (see `metrics.reduce_of`), so that they are
    compared and verified without the task; empty for what has no name there.
    """

    name: str
    reduce: Callable[[tuple[float, ...]], float | None]
    proportion: bool = False
    bounds: tuple[float, float] | None = None
    higher_is_better: bool = True
    signature: Callable[[], str] = lambda: "v1"
    scale: float = 1.0
    best: tuple[float, ...] | None = None
    worst: tuple[float, ...] | None = None
    chance: Callable[[Sample], float] | None = None
    alias: str = ""
    applies: Callable[[Sample], bool] | None = None
    formula: str = ""


@dataclass(frozen=True)
class TaskOptions:
    """What a user may change about a task without changing its name.

    `prompt_language` is that of the words around a sample's own text: a code, ``native``, or empty for what is usual.
    """

    num_fewshot: int | None = None
    protocol: str | None = None
    chat: bool = False
    multiturn_shots: bool = False
    system_instruction: str = ""
    prompt_language: str = ""
    seed: int = 1234


Rows: TypeAlias = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Dataset:
    """Where a task's rows come from, and what they must be.

    `url` is the file of JSON lines itself, at a pinned commit, where `path` names no dataset of the hub.
    Without `fingerprint` any rows are taken, as long as there are `num_rows` of them where that is given.
    `read` gives the rows where no mirror has them, in place of the hub; it raises anything where it cannot.
    """

    path: str
    config: str
    split: str
    revision: str = ""
    fingerprint: str | None = None
    num_rows: int | None = None
    url: str = ""
    read: Callable[[], Rows] | None = None


@dataclass(frozen=True)
class Task:
    """One task in one language under one protocol, as functions.

    `samples` turns the rows of `datasets` (in that order) into all samples of the task, exemplars drawn;
    `next_requests` says what to ask next given the replies so far, and the empty tuple ends the sample; `score` sees
    complete replies without failures, and says `Unscored` for what is not the model's doing. The first metric is the
    task's headline, and `means` the ways in which the tasks of the family are averaged, the headline's first.
    `is_sealed`: the protocol fixes everything, so that exemplars, templates, instructions and generation settings
    cannot be changed under its name. `is_seeded`: the run's seed draws the exemplars. `fallback` names the protocol to
    take when rows of `datasets` cannot be had, and `fallback_reason` says what is then different. `prompt_language` is
    that of the words around each sample's text; a task without such words leaves it empty. `show_in_report` False is
    for texts that their authors ask not to be shown: pages leave out prompts, references and answers. `groups` are
    parts of the family that are averaged by themselves too, each with its kind of mean. `note` is a line for
    who runs it.
    """

    name: str
    family: str
    version: int
    language: str
    protocol: str
    num_fewshot: int
    kind: str
    datasets: tuple[Dataset, ...]
    samples: Callable[[tuple[Rows, ...]], tuple[Sample, ...]]
    next_requests: Callable[[Sample, Replies], tuple[Request, ...]]
    score: Callable[[Sample, Replies], Scored | Unscored]
    metrics: tuple[Metric, ...]
    title: str = ""
    source: str = ""
    licence: str = ""
    language_provenance: str = "native"
    prompt_language: str = ""
    means: tuple[AggregateKind, ...] = ("macro",)
    is_sealed: bool = False
    is_seeded: bool = False
    fallback: str = ""
    fallback_reason: str = ""
    show_in_report: bool = True
    groups: tuple[tuple[str, AggregateKind], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class TaskInfo:
    """A task as `evalsuite list` shows it, without loading anything."""

    name: str
    family: str
    language: str
    kind: str
    title: str
    licence: str


@dataclass(frozen=True)
class Family:
    """A benchmark: its member tasks, and how one of them is built. `members` are what the family's name runs."""

    name: str
    members: tuple[TaskInfo, ...]
    build: Callable[[str, TaskOptions], Task]
    protocols: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """Another tool's tasks, too many to be families of their own here: each is had when it is asked for.

    With `name` and a colon or a point before it a task of theirs is asked for. `choose` gives, for a name of theirs,
    each task behind it (called ``<name>.<task>`` here) with the family that builds it; it raises UsageError for a name
    that is not theirs. `tasks` are all of them as they are listed.
    """

    name: str
    choose: Callable[[str], tuple[tuple[Family, str], ...]]
    tasks: Callable[[], tuple[TaskInfo, ...]]


@dataclass(frozen=True)
class Suite:
    """Families that are reported together: the mean of their headlines under one protocol, called `average`.

    Its name stands for its families in ``--tasks``, and for its protocol where none is given.
    """

    name: str
    title: str
    protocol: str
    families: tuple[str, ...]
    average: str


# -- judges


@dataclass(frozen=True)
class Answered:
    """One sample of a sealed run as a judge sees it: its texts, one a turn, or why there are none."""

    model: str
    family: str
    task: str
    protocol: str
    sample: Sample
    texts: tuple[str, ...]
    missing: str = ""


@dataclass(frozen=True)
class JudgeOptions:
    """What a user may choose about a judge without changing its name.

    `prompt` is the text of ``--judge_prompt FILE``, in place of the judge's own wording; `is_weighted` asks for the
    expectation of the rating over the judge's token probabilities beside the rating itself.
    """

    prompt: str = ""
    is_weighted: bool = False
    max_tokens: int | None = None


MISSING = "missing"
"""Key of a case's metadata that says why there is no answer to judge; such a case is not asked about."""


@dataclass(frozen=True)
class Rubric:
    """How a judge judges, as functions.

    `cases` makes of the answers of one run, or of two, the cases to judge: samples whose `metadata` holds the answers
    (`answer_1` and so on) and whose cluster is the question's; a case without an answer holds why under `MISSING`.
    `render` asks about a case, once or in several orders; `parse` reads one reply; `score` turns all verdicts of a case
    into its scores, and `score_unparsed` is what an official rule counts all the same for a case that has none.
    `ask_again`, in judges of our own, words a second request after a reply that cannot be parsed.
    """

    cases: Callable[[tuple[tuple[Answered, ...], ...]], tuple[Sample, ...]]
    render: Callable[[Sample], tuple[GenerateRequest, ...]]
    parse: Callable[[Sample, Completion], Verdict | Unparsed]
    score: Callable[[Sample, tuple[Verdict, ...]], Scored]
    metrics: tuple[Metric, ...]
    ask_again: Callable[[Sample, GenerateRequest, Completion], GenerateRequest] | None = None
    score_unparsed: Callable[[Sample], tuple[Score, ...]] | None = None


@dataclass(frozen=True)
class Judge:
    """A way of judging answers: of one run's (`num_runs` 1), or of two against each other.

    `families` are the tasks it can judge, none meaning any whose answers are texts. `datasets` are where official
    prompts and references are read; `build` gets their rows in that order. `protocol` names all that is fixed here;
    a number's protocol is ``<protocol>@<the judging model>``.
    """

    name: str
    title: str
    protocol: str
    version: int
    build: Callable[[tuple[Rows, ...], JudgeOptions], Rubric]
    num_runs: int = 1
    families: tuple[str, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    source: str = ""
    language: str = ""


@dataclass(frozen=True)
class ReportedRun:
    """A sealed run as a report sees it: what it found, and its samples, which are read when they are asked for.

    Samples of tasks whose authors ask that their texts be not shown are left out; their numbers are in the result.
    """

    result: RunResult
    samples: Callable[[], Iterator[SampleRecord]]


@dataclass(frozen=True)
class ReportOptions:
    """What a user may choose about a report: its heading."""

    title: str = ""


@dataclass(frozen=True)
class Rendered:
    """What a report makes: its file, and files that stand beside it by their paths relative to its folder."""

    content: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A way of showing sealed runs, as a pure function of them: the same runs give the same bytes.

    `suffix` ends the file's name where the user gives none, as in ``.md``.
    """

    name: str
    title: str
    suffix: str
    render: Callable[[tuple[ReportedRun, ...], ReportOptions], Rendered]


@dataclass(frozen=True)
class CardKit:
    """A suite of cases that shows how far a judge can be trusted, as functions.

    `languages` are those in which a judge can have a card, `cases` what it is asked then, `summarise` the card that
    the verdicts on them make (none for a case that could not be asked), `table` the card as rows of text under
    `header`, and `faults` why the judge is not admissible; empty where it is.
    """

    languages: Callable[[Judge], tuple[str, ...]]
    cases: Callable[[Judge, Rubric, str], tuple[Sample, ...]]
    summarise: Callable[[Judge, Rubric, str, str, Sequence[tuple[Sample, tuple[Verdict | Unparsed, ...]]]], Record]
    header: tuple[str, ...]
    table: Callable[[Any], tuple[tuple[str, ...], ...]]
    faults: Callable[[Any], tuple[str, ...]]
