"""What every page is made of: templates that escape, and a policy that lets our own style and script work alone."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

_HERE = files(__package__)


def content_policy(style: str, script: str = "", *, has_files: bool = False) -> str:
    """A policy under which `style` and `script` work and nothing else does: no request, no form, no other script.

    `has_files` lets the page load scripts that lie beside it, in the folder form.
    """
    beside = " 'self' file:" if has_files else ""
    scripts = (f"script-src '{_sha256(script)}'{beside}",) if script else ()
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_sha256(style)}'",
            *scripts,
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def environment() -> jinja2.Environment:
    """The templates beside this module, all escaping what they are given."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def resource(name: str) -> str:
    """A file of a page: ``page/…`` of the leaderboard's, else a template."""
    folder = _HERE if name.startswith("page/") else _HERE.joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")
