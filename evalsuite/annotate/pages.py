"""Pages from templates: escaped, in one of six languages, with nothing in them that a template did not say."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from .ledger import Ledger
from .wording import INTERFACES, direction, wording_in

if TYPE_CHECKING:
    from jinja2 import Environment


def page(name: str, language: str, ledger: Ledger, **values: Any) -> str:
    """The page `name` in a language of `INTERFACES`."""
    study = ledger.file
    words = wording_in(language)
    return (
        _environment()
        .get_template(f"{name}.html.j2")
        .render(
            words=words,
            language=language,
            direction=direction(language),
            title=study.title.get(language) or words.page_title,
            instructions=study.instructions.get(language, ""),
            interfaces={code: (wording_in(code), direction(code)) for code in INTERFACES},
            **values,
        )
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("evalsuite.annotate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
