"""The runs of a page, as rows: the model's name, how the run was limited, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from evalsuite.alarms import alarms
from evalsuite.records import RunResult, TaskSpec, TaskSummary
from evalsuite.store.results import read_results

from ._format import causes_text, pairs_text, plural, visible


@dataclass(frozen=True)
class Badge:
    """A word about a whole run that must be seen with its numbers, and why it stands there."""

    kind: str
    label: str
    detail: str


@dataclass(frozen=True)
class Run:
    """A sealed run and where its samples lie."""

    path: Path
    result: RunResult

    @property
    def name(self) -> str:
        """The model's name, safe to show."""
        return visible(self.result.spec.subject)

    @cached_property
    def specs(self) -> Mapping[str, TaskSpec]:
        """Task specs by name."""
        return {task.name: task for task in self.result.spec.tasks}

    @cached_property
    def summaries(self) -> Mapping[str, TaskSummary]:
        """Task summaries by name."""
        return {task.task: task for task in self.result.tasks}

    @cached_property
    def alarms(self) -> Mapping[str, tuple[str, ...]]:
        """What makes the numbers of a family doubtful."""
        return alarms(self.result)

    @property
    def badges(self) -> tuple[Badge, ...]:
        """``partial sample`` for a limited run, ``incomplete`` or ``interrupted`` for one that has holes."""
        return tuple(badge for badge in (_partial(self.result), _holes(self.result)) if badge)

    @property
    def settings(self) -> tuple[str, ...]:
        """What was changed for the whole run, in words."""
        spec = self.result.spec
        return (
            *((f"generation: {pairs_text(spec.generation)}",) if spec.generation else ()),
            *(("own system instruction",) if spec.system_instruction else ()),
            *((f"truncation: {spec.truncation}",) if spec.truncation else ()),
            *(("exemplars in one turn",) if spec.multiturn_shots is False else ()),
            *((visible(f"judged by {spec.model.name} ({spec.judged.judge})"),) if spec.judged else ()),
        )

    def chat_note(self, tasks: Iterable[str]) -> tuple[str, ...]:
        """Says when the prompts of `tasks` were sent as a conversation."""
        return ("as chat",) if all(self.specs[task].chat for task in tasks) else ()


def load_runs(paths: Sequence[Path]) -> tuple[Run, ...]:
    """The runs at `paths`, by name; a run given twice counts once. Raises SpecMismatch or CorruptStore."""
    found: dict[str, Run] = {}
    for path in paths:
        run = Run(path, read_results(path))
        found.setdefault(run.result.run_id, run)
    return tuple(sorted(found.values(), key=lambda run: (run.name.casefold(), run.name, run.result.run_id)))


def _partial(result: RunResult) -> Badge | None:
    spec = result.spec
    if not any(task.is_partial for task in spec.tasks):
        return None
    if spec.limit is None:
        return Badge("partial", "partial sample", "answers of a partial run" if spec.judged else "chosen rows")
    amount = f"{100 * spec.limit:.3g} %" if spec.limit < 1 else plural(int(spec.limit), "sample")
    is_first = spec.limit_mode == "first"
    detail = f"the first {amount} of each task" if is_first else f"{amount} of each family, stratified"
    return Badge("partial", "partial sample", detail)


def _holes(result: RunResult) -> Badge | None:
    if result.status == "complete":
        return None
    counts = result.counts
    parts = [f"{counts.unscored} unscored ({causes_text(counts.unscored_by_cause)})"] if counts.unscored else []
    parts += [f"{counts.cancelled} cancelled"] if counts.cancelled else []
    parts += [f"{counts.not_run} not run"] if counts.not_run else []
    return Badge("holes", result.status, f"{', '.join(parts)} of {plural(counts.requested, 'sample')}")
