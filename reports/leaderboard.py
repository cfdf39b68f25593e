"""The leaderboard page: one HTML file that opens by double-click and asks nothing of any network.

Tables are in the HTML and need no script. Samples are JSON that the page's one script renders as text. A content
security policy allows that script and the one style sheet by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ._format import plural, visible
from ._runs import Run, load_runs
from .board import build_board
from .judged import build_judged
from .languages import build_languages
from .provenance import build_provenance
from .samples import samples_json

if TYPE_CHECKING:
    import jinja2

    from evalsuite.preference.summary import PreferenceSummary

    from .preference import PreferenceView

_TEMPLATES = files(__package__).joinpath("templates")


def render(runs: Sequence[Path], title: str, preference: PreferenceSummary | None = None) -> str:
    """The page over the sealed runs in the directories `runs`, and over votes; the same of these give the same text.

    Without runs it holds the votes alone. Raises SpecMismatch for a directory without results, CorruptStore for one
    that was changed.
    """
    from markupsafe import Markup

    loaded = load_runs(runs)
    votes = _votes(preference)
    style, script = _resource("leaderboard.css"), _resource("sample.js") + _resource("leaderboard.js")
    return (
        _environment()
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


def content_policy(style: str, script: str) -> str:
    """A policy under which `style` and `script` work and nothing else does: no request, no form, no other script."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_sha256(style)}'",
            f"script-src '{_sha256(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _summary(runs: Sequence[Run]) -> str:
    tasks = {task.task for run in runs for task in run.result.tasks}
    families = {task.family for run in runs for task in run.result.tasks}
    samples = sum(run.result.counts.requested for run in runs)
    task_text = f"{plural(len(tasks), 'task')} in {len(families)} famil{'y' if len(families) == 1 else 'ies'}"
    return f"{plural(len(runs), 'run')}, {task_text}, {plural(samples, 'sample')}"


def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _resource(name: str) -> str:
    return _TEMPLATES.joinpath(name).read_text(encoding="utf-8")
