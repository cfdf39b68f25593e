"""The leaderboard page: one HTML file that opens by double-click and asks nothing of any network.

Tables are in the HTML and need no script. Samples are JSON that the page's one script renders as text. A content
security policy allows that script and the one style sheet by their hashes, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ._format import plural, visible
from ._pages import content_policy, environment, resource
from ._runs import Run, load_runs
from .board import build_board
from .judged import build_judged
from .languages import build_languages
from .provenance import build_provenance
from .samples import samples_json

if TYPE_CHECKING:
    from evalsuite.preference.summary import PreferenceSummary

    from .preference import PreferenceView


def render(runs: Sequence[Path], title: str, preference: PreferenceSummary | None = None) -> str:
    """The page over the sealed runs in the directories `runs`, and over votes; the same of these give the same text.

    Without runs it holds the votes alone. Raises SpecMismatch for a directory without results, CorruptStore for one
    that was changed.
    """
    from markupsafe import Markup

    loaded = load_runs(runs)
    votes = _votes(preference)
    style, script = resource("leaderboard.css"), resource("sample.js") + resource("leaderboard.js")
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=visible(title),
            summary=votes.line if votes and not loaded else _summary(loaded),
            has_runs=bool(loaded) or votes is None,
            policy=content_policy(style, script),
            style=Markup(style),  # noqa: S704  our own file
            script=Markup(script),  # noqa: S704  our own file
            samples=Markup(samples_json(loaded)),  # noqa: S704  holds no <, > or &
            board=build_board(loaded),
            judged=build_judged(loaded),
            families=build_languages(loaded),
            preference=votes,
            provenance=build_provenance(loaded),
        )
    )


def _votes(preference: PreferenceSummary | None) -> PreferenceView | None:
    """The view of votes, whose statistics a page without votes does not wait for."""
    if preference is None:
        return None
    from .preference import build_preference

    return build_preference(preference)


def _summary(runs: Sequence[Run]) -> str:
    tasks = {task.task for run in runs for task in run.result.tasks}
    families = {task.family for run in runs for task in run.result.tasks}
    samples = sum(run.result.counts.requested for run in runs)
    task_text = f"{plural(len(tasks), 'task')} in {len(families)} famil{'y' if len(families) == 1 else 'ies'}"
    return f"{plural(len(runs), 'run')}, {task_text}, {plural(samples, 'sample')}"
