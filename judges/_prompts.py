"""Prompts of our own judges: packaged templates, rendered where model text is a value and never a template."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING

from evalsuite.errors import UsageError

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_SUFFIX = ".j2"
_WORD_JOINER = "\u2060"
_CONTROL_NAMES = (
    *("s", "bos", "eos", "pad", "unk", "sep", "cls", "mask", "inst", "sys", "think", "start_of_turn", "end_of_turn"),
    *("tool_call", "tool_calls", "tool_response", "available_tools", "tool_results", "system_prompt", "eot", "eod"),
    *("gmask", "sop", "eoh", "eoa", r"reserved_\d{1,5}"),
)
_CONTROL = re.compile(rf"(?<=<)(?=[|｜])|(?<=[<\[])(?=/?(?:{'|'.join(_CONTROL_NAMES)})[>\]])", re.IGNORECASE)
"""The place after the first bracket of what chat models read as a control token: ``<|im_end|>``, ``[/INST]``."""


def render_prompt(name: str, /, **values: object) -> str:
    """The template ``prompts/<name>.j2`` with `values` in it.

    Values are inserted as they are: nothing in them is run, escaped or cut. Raises jinja2.TemplateNotFound for a name
    that is not packaged, and jinja2.UndefinedError for a value that the template needs and was not given.
    """
    return _environment().get_template(name + _SUFFIX).render(**values)


def render_wording(own: str, name: str, /, **values: object) -> str:
    """The user's `own` template with `values` in it, or where that is empty the packaged one called `name`."""
    return _own_template(own).render(**values) if own else render_prompt(name, **values)


def check_wording(own: str, judge: str, needed: tuple[str, ...], **values: object) -> None:
    """Refuse a template of the user's that cannot be rendered with `values` or leaves out what is `needed`.

    Raises UsageError that names the line, or the variables.
    """
    from jinja2 import TemplateError, TemplateSyntaxError, meta

    known = ", ".join(sorted(values))
    try:
        used = meta.find_undeclared_variables(_environment().parse(own))
        _own_template(own).render(**values)
    except TemplateSyntaxError as error:
        raise UsageError(
            f"--judge_prompt, line {error.lineno}: {error.message}; a Jinja template is expected."
        ) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise UsageError(f"--judge_prompt cannot be filled in: {error}. Judge {judge} gives it {known}.") from error
    if missing := [name for name in needed if name not in used]:
        wanted = " and ".join(f"{{{{ {name} }}}}" for name in missing)
        raise UsageError(f"--judge_prompt shows no {wanted}, so judge {judge} would not see what it judges.")


def fence(*texts: str) -> str:
    """A token of 128 bits, as 32 hexadecimal digits, that marks where hostile texts begin and end.

    It is derived from `texts`, which should name the case and hold all that is shown: a run then repeats to the byte,
    and an answer that holds its own token would be a fixed point of sha256. None of `texts` contains it.
    """
    return _first_absent(_tokens(texts), texts)


def fenced(tag: str, text: str, token: str) -> str:
    """`text` between a begin and an end tag named after `token`, each on a line of its own."""
    return f"<{tag}_{token}>\n{defused(text)}\n</{tag}_{token}>"


def defused(text: str) -> str:
    """`text` in which nothing reads as a control token of a chat model: an invisible word joiner breaks each.

    A tokenizer turns ``<|im_end|>`` inside an answer into the real end of the turn, which no fence can hold. The text
    looks and reads as before.
    """
    return _CONTROL.sub(_WORD_JOINER, text)


def _first_absent(candidates: Iterable[str], texts: tuple[str, ...]) -> str:
    return next(token for token in candidates if not any(token in text for text in texts))


def _tokens(texts: tuple[str, ...]) -> Iterator[str]:
    for attempt in count():
        yield hashlib.sha256(_framed((str(attempt), *texts))).hexdigest()[:32]


def _framed(texts: Iterable[str]) -> bytes:
    """`texts` as bytes in which it can be told where each of them ends."""
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=jinja2.DictLoader(_templates()),
        autoescape=False,  # prompts are plain text, and models do not read HTML entities as characters
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _own_template(text: str) -> Template:
    return _environment().from_string(text)


@cache
def _templates() -> dict[str, str]:
    """Texts of all packaged templates by file name."""
    found = [entry for entry in files(__package__).joinpath("prompts").iterdir() if entry.name.endswith(_SUFFIX)]
    return {entry.name: entry.read_text(encoding="utf-8") for entry in found}
