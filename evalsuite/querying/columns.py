"""The tables that sealed runs are read as, column by column: the one list behind SQL, pandas and their page. Pure.

Numbers are as `results.json` has them: a share of 0.25 stands as 0.25, and `scale` says what pages multiply it by. What
is not known, or has no number because samples are unscored, is missing (NULL, ``pandas.NA``) and never 0 or NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "whole", "number", "truth"]
"""What a column holds."""

SQL_TYPES: Mapping[Kind, str] = {"text": "VARCHAR", "whole": "BIGINT", "number": "DOUBLE", "truth": "BOOLEAN"}
"""DuckDB's type of each kind."""

DTYPES: Mapping[Kind, str] = {"text": "string", "whole": "Int64", "number": "Float64", "truth": "boolean"}
"""The nullable dtype of pandas of each kind."""


@dataclass(frozen=True)
class Column:
    """A column: `meaning` says its unit, and when it is missing."""

    name: str
    kind: Kind
    meaning: str


def _columns(kind: Kind, /, **meanings: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, meaning) for name, meaning in meanings.items())


_RUN = _columns(
    "text",
    run="the run's id, sixteen hexadecimal digits",
    model="what the numbers are about; in a judge run what is judged (first)",
)

_MEASURE = (
    *_columns("text", metric="the metric's name"),
    *_columns("text", protocol="the rules that prompts and scores follow", signature="what fixes the formula"),
    *_columns("truth", is_primary="whether it is the headline"),
    *_columns(
        "number",
        value="the value, in the metric's own unit: a share lies in [0, 1]",
        stderr="its standard error, same unit; missing where it cannot be known",
        low="lower end of the 95 % interval, same unit; missing where it cannot be known",
        high="upper end of the 95 % interval, same unit; missing where it cannot be known",
    ),
    *_columns(
        "whole",
        n="samples that the value is of",
        num_clusters="groups of samples that are correlated, which the error is computed over",
        num_unscored="samples that ended without a score, not the model's doing",
    ),
    *_columns(
        "number",
        best_case="the value had every unscored sample been right; missing where none is, or no such bound",
        worst_case="the value had every unscored sample been wrong; missing as above",
        chance="what guessing scores; missing where it is not known",
        scale="what pages multiply value, error and limits by: 100 for percentages",
    ),
    *_columns("truth", higher_is_better="whether more is better"),
    *_columns("text", interval_method="how the interval is computed"),
)

RUNS = (
    *_RUN,
    *_columns(
        "text",
        path="the run's directory",
        status="complete or incomplete",
        answering="the model that answered: in a judge run the judge's, else `model`",
        engine="what ran the model, or `imported`",
        judge="the judge's name; missing in a run that judges nothing",
        identity="all that can change an answer, as a JSON object",
        began="when a process first worked on it, ISO 8601 in UTC; missing where nothing says so",
        evalsuite="the version that scored it",
    ),
    *_columns(
        "whole",
        num_requested="samples asked for",
        num_scored="of these with a score",
        num_unscored="of these ended without one",
        num_cancelled="of these under way when the run was stopped",
        num_not_run="of these never asked",
        seed="the run's seed",
    ),
    *_columns("number", sample_limit="`--limit`: samples, or below 1 a share; missing without one"),
    *_columns("text", limit_mode="how the limit chooses samples"),
)

ESTIMATES = (
    *_RUN,
    *_columns("text", task="the task", family="its family", language="its language"),
    *_MEASURE,
    *_columns("text", alias="what the protocol calls the metric; empty where it has no name for it"),
    *_columns("whole", num_not_judged="samples that the metric had nothing to count in"),
    *_columns(
        "text",
        unscored="unscored samples by cause, as a JSON object",
        formula="how the value follows from counts; empty where that has no name",
    ),
    *_columns(
        "number",
        lower_bound="least value that the metric can have; missing for one without",
        upper_bound="largest value that the metric can have; missing for one without",
    ),
)

AGGREGATES = (
    *_RUN,
    *_columns(
        "text",
        name="the mean's name",
        kind="macro: tasks alike; micro: samples alike; suite: of families",
        family="whose mean it is; for a suite its average's name",
    ),
    *_MEASURE,
    *_columns("whole", num_tasks="tasks it stands for, with those that have no value"),
    *_columns("text", parts="what is averaged, as a JSON list", members="all tasks behind it, as a JSON list"),
)

TASKS = (
    *_RUN,
    *_columns("text", task="the task", family="its family", language="its language", protocol="its rules"),
    *_columns("whole", version="the task's version", num_fewshot="exemplars in a prompt"),
    *_columns("truth", is_chat="whether prompts are conversations"),
    *_columns(
        "whole",
        num_available="samples that the task has",
        num_samples="of these asked for",
        repeats="times that each is asked",
        num_requested="samples asked for, repeats counted",
        num_scored="of these with a score",
        num_unscored="of these ended without one",
        num_cancelled="of these under way when the run was stopped",
        num_not_run="of these never asked",
        num_prompt_tokens="tokens of prompts; missing where another tool's file does not say",
        num_generated_tokens="tokens generated; missing where another tool's file does not say",
        num_truncated="samples of whose prompt the oldest tokens were dropped",
        seed="drew the exemplars; missing where the run's seed did not",
    ),
    *_columns(
        "text",
        unscored="unscored samples by cause, as a JSON object",
        flags="facts about answers and how many have them, as a JSON object",
        title="what the task is",
        source="where its rows are from",
        licence="the rows' licence",
        language_provenance="native, or how its language came about",
        prompts_hash="hash of the first prompts",
    ),
    *_columns("truth", show_in_report="whether a page may show its texts"),
)

STORED_SAMPLES = (
    *_columns(
        "text",
        sample_id="``<task>:<split>:<row>``; repeats end in +1, +2 and so on",
        task="the task",
        family="its family",
        language="the sample's language",
        category="its category; empty without one",
        cluster="what it is correlated with, by default itself",
        status="scored, unscored, cancelled or not_run",
        cause="why it has no score; empty for a scored sample",
        answer="what was read off the reply; empty without one",
        record="all that was sent, answered and scored, as a JSON object",
    ),
)
"""The columns of `samples.parquet`, in its order."""

VALUE = Column("value", "number", "the sample's value in its task's headline metric, same unit as there; missing "
               "unless it is scored and the metric is a mean over samples (BLEU and the like are not)")  # fmt: skip

SAMPLES = (_RUN[0], *STORED_SAMPLES, VALUE)

TABLES: Mapping[str, tuple[Column, ...]] = {
    "runs": RUNS,
    "estimates": ESTIMATES,
    "aggregates": AGGREGATES,
    "tasks": TASKS,
    "samples": SAMPLES,
}
"""The columns of each table."""

ROWS: Mapping[str, str] = {
    "runs": "a sealed run",
    "estimates": "one metric of one task of a run",
    "aggregates": "one mean of a run over tasks or families",
    "tasks": "one task of a run: how it was asked, and how its samples ended",
    "samples": "one sample of a run",
}
"""What a row of each table is."""


def documentation() -> str:
    """The tables in Markdown, as they stand in docs/querying.md."""
    return "\n".join(_section(name) for name in TABLES)


def _section(name: str) -> str:
    lines = [f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in TABLES[name]]
    return "\n".join([f"### {name}: {ROWS[name]}", "", "| column | kind | what it is |", "|---|---|---|", *lines, ""])
