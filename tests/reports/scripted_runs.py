"""Runs of scripted models on the built-in samples, and pages of them opened in a browser that hears everything."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from evalsuite.reports.leaderboard import render

from evalsuite.boards.building import BoardOptions
from evalsuite.cli.main import main
from evalsuite.engines.scripted import completion, loglikelihood, plausible
from evalsuite.types import LoglikelihoodRequest, Request, Response

ISOLATES = re.compile("[\u2066-\u2069\u200e]")
ENGLISH = "I think that the answer to this question must surely be the number that comes next."
FRENCH = "Je pense que la réponse à cette question est sans aucun doute le nombre suivant, qui vient après."


def _draw(request: Request, tag: str) -> int:
    return hashlib.sha256(f"{tag} {request.key}".encode()).digest()[0]


def stray(request: Request) -> Response:
    """Of generated answers a third are in English, a sixth in French, whatever was asked; choices are drawn."""
    draw = _draw(request, "stray")
    if isinstance(request, LoglikelihoodRequest):
        return loglikelihood(request.continuation, -(1.0 + 9.0 * draw / 256))
    if draw < 85:
        return completion(ENGLISH)
    return completion(FRENCH) if draw < 128 else plausible(request)


def run(folder: Path, name: str, *arguments: object, function: str = "") -> Path:
    """A new run's directory below `folder`, of a scripted model that is called `name`."""
    before = set(folder.glob("*/results.json"))
    model = f"name={name}" + (f",function={function}" if function else "")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = main(
            ["run", "--model", "scripted", "--model_args", model, "--batch_size", "32", "-o", str(folder)]
            + [str(argument) for argument in arguments]
        )
    assert code == 0
    (found,) = set(folder.glob("*/results.json")) - before
    return found.parent


def page_of(runs: Sequence[Path], file: Path, **options: Any) -> str:
    """The address of a page over `runs`, written to `file`."""
    file.write_text(render(runs, BoardOptions(**{"title": "t", **options})).html, encoding="utf-8")
    return file.as_uri()


@contextmanager
def opened(browser: Any, address: str, **context: Any) -> Iterator[Any]:
    """The page at `address`. At the end: nothing said on the console, nothing asked of anyone, nothing executed."""
    window = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
    page = window.new_page()
    page.set_default_timeout(30_000)  # however busy the machine is
    heard: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.locator("#title").wait_for()
    yield page
    assert page.evaluate("typeof window.pwned") == "undefined"
    window.close()
    assert heard == []
    own = address.partition("#")[0]
    assert [url for url in asked if url.partition("#")[0] != own and not url.startswith(("data:", "blob:"))] == []


def at(page: Any, hash: str) -> None:
    """Go to an address within the page, and wait until it is shown."""
    page.evaluate("hash => { document.getElementById('title').dataset.old = '1'; location.hash = hash; }", hash)
    page.locator("#title:not([data-old])").wait_for()


def words(locator: Any) -> str:
    """The text of an element as it is read, in one line and without marks of direction."""
    return " ".join(ISOLATES.sub("", locator.inner_text()).replace("\u00a0", " ").split())


def cells(table: Any) -> dict[str, list[str]]:
    """Of a table the texts of every row's cells, by the name in the row's head."""
    return {
        words(row.locator("th bdi").first): [words(cell) for cell in row.locator("td").all()]
        for row in table.locator("tbody tr").all()
    }


def heads(table: Any) -> list[str]:
    """The texts of a table's heads, but for the first."""
    return [words(head) for head in table.locator("thead th").all()][1:]
