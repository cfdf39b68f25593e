"""The code blocks of a tutorial: files to be written, commands to be run, and what the commands are to print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("tutorial-*.md"))
_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block by what its fence says: its language, and where it is written; `title` is empty for what is no file."""

    language: str
    title: str
    text: str


def blocks_of(page: Path) -> tuple[Block, ...]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = tuple(Block(*match.groups(default="")) for match in _FENCE.finditer(text))
    assert 2 * len(found) == text.count("\n```"), f"{page.name}: a block is not read"
    return found


def made_by(page: Path) -> tuple[str, str]:
    """Kind and name of the package that the page's first command makes."""
    kind, name = re.findall(r"^evalsuite new (\w+) (\w+)$", _commands(page), re.MULTILINE)[0]
    return kind, name


def package_blocks(page: Path) -> Iterator[tuple[str, Block]]:
    """The blocks that are files of the page's package, with their paths in it."""
    _, name = made_by(page)
    folder = f"evalsuite-{name}/"
    for block in blocks_of(page):
        if block.title.startswith(folder):
            yield block.title.removeprefix(folder), block


def refresh(page: Path, files: dict[str, str]) -> None:
    """Write the page anew with the package's `files` in their blocks."""
    _, name = made_by(page)

    def filled(match: re.Match[str]) -> str:
        language, title, text = match.groups(default="")
        path = title.removeprefix(f"evalsuite-{name}/")
        heading = f'{language} title="{title}"' if title else language
        return f"```{heading}\n{files.get(path, text)}```"

    page.write_text(_FENCE.sub(filled, page.read_text(encoding="utf-8")), encoding="utf-8")


def _commands(page: Path) -> str:
    return "".join(block.text for block in blocks_of(page) if block.language == "bash")
