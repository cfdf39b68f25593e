"""The data of a page: named parts of compressed JSON, and a seal over them all, written here and read back here."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import lzma
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evalsuite.boards.evidence import Evidence, PageData
from evalsuite.boards.records import Board
from evalsuite.boards.sample_records import TaskSamples
from evalsuite.canonical import canonical_json, content_hash
from evalsuite.errors import CorruptStore, DataError
from evalsuite.types import Record

T = TypeVar("T")

SEAL_SCHEMA = 1
BOARD, REST, MESSAGES, RESULTS, SEAL = "board", "rest", "messages", "results", "seal"
LATER = ("families", "tasks", "comparisons", "judgings", "cards")
"""What the page unpacks after its first view is seen."""

_XZ_PRESET = 2
"""For the results of runs, which no browser reads: they are alike over distances that gzip does not see."""

_ELEMENT = re.compile(r'<script type="application/octet-stream" id="data-([a-z0-9-]+)">([^<]*)</script>')
_BESIDE = re.compile(r'evalsuiteData\("([a-z0-9-]+)","([A-Za-z0-9+/=]*)"\)\n')
_MOST_BYTES = 1 << 30
_HERE = Path(__file__).parent


class PageOptions(Record, frozen=True, kw_only=True):
    """How the page is published: its language (empty for the reader's), its address, and its largest size."""

    language: str = ""
    base_url: str = ""
    is_indexed: bool = False
    max_bytes: int = 25_000_000


class Seal(Record, frozen=True, kw_only=True):
    """How a page was made, and the sha256 of every part of its data; its hash stands for all that the page says.

    `code` is a hash of what writes pages: of the same data the same code makes the same page.
    """

    schema: int
    code: str
    page: PageOptions
    parts: Mapping[str, str]

    @property
    def hash(self) -> str:
        """sha256 of the seal's canonical JSON."""
        return content_hash(self)


@dataclass(frozen=True)
class Part:
    """JSON under a name, and its compressed form as base64."""

    name: str
    json: str

    @cached_property
    def text(self) -> str:
        """Compressed without a clock: the same JSON gives the same text."""
        content = self.json.encode("ascii")
        blob = lzma.compress(content, preset=_XZ_PRESET) if self.name == RESULTS else gzip.compress(content, 9, mtime=0)
        return base64.b64encode(blob).decode("ascii")


def parts_of(data: PageData, messages: str) -> tuple[list[Part], list[Part]]:
    """What stands in the page, and each task's samples, which may stand beside it."""
    fields: dict[str, Any] = msgspec.to_builtins(data.board, str_keys=True)
    rest = {name: fields.pop(name) for name in LATER}
    kept = [
        Part(BOARD, canonical_json(fields)),
        Part(REST, canonical_json(rest)),
        Part(MESSAGES, messages),
        Part(RESULTS, canonical_json(data.evidence)),
    ]
    return kept, [Part(f"samples-{place}", canonical_json(found)) for place, found in enumerate(data.samples)]


def seal_of(parts: Iterable[Part], page: PageOptions) -> Seal:
    """The seal over `parts`."""
    hashes = {part.name: _sha256(part.json) for part in parts}
    return Seal(schema=SEAL_SCHEMA, code=code_hash(), page=page, parts=hashes)


@cache
def code_hash() -> str:
    """sha256 over the files that make a page of its data: script, style, words, templates, and the code beside them."""
    found = sorted(
        (path.relative_to(_HERE).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in _HERE.rglob("*")
        if path.suffix in (".py", ".js", ".css", ".j2", ".json")
    )
    return content_hash(found)


def as_file(part: Part) -> bytes:
    """A part as a script beside the page."""
    return f'evalsuiteData("{_named(part.name, _sha256(part.json))}","{part.text}")\n'.encode("ascii")


def file_of(part: Part) -> str:
    """Where a part lies beside the page: by its content, so that a page never finds another page's there."""
    return f"data/{_named(part.name, _sha256(part.json))}.js"


def _named(name: str, sha256: str) -> str:
    return f"{name}-{sha256[:12]}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


# -- back again


@dataclass(frozen=True)
class StoredPage:
    """A page as it lies there: its HTML, the JSON of its parts by name, and which of these are inside the HTML."""

    html: str
    parts: Mapping[str, str]
    inside: frozenset[str]

    @property
    def seal(self) -> Seal:
        """Raises CorruptStore for a page without one, or with one of another form."""
        found = self._record(SEAL, Seal)
        if found.schema != SEAL_SCHEMA:
            raise CorruptStore(f"the page's seal has the form {found.schema}, and this evalsuite reads {SEAL_SCHEMA}.")
        return found

    @property
    def files(self) -> Mapping[str, str]:
        """The parts that are beside the page, and what their files are called, without ending."""
        return {name: _named(name, one) for name, one in self.seal.parts.items() if name not in self.inside}

    def data(self) -> PageData:
        """The records that the parts hold. Raises CorruptStore naming the part that holds something else."""
        board = {**self._json(BOARD), **self._json(REST)}
        num_tasks = len(board.get("tasks", ()))
        return PageData(
            board=_converted(board, Board, BOARD),
            samples=tuple(self._record(f"samples-{place}", TaskSamples) for place in range(num_tasks)),
            evidence=self._record(RESULTS, Evidence),
        )

    def _record(self, name: str, kind: type[T]) -> T:
        return _converted(self._json(name), kind, name)

    def _json(self, name: str) -> Any:
        if name not in self.parts:
            raise CorruptStore(f"the page has no part {name!r}.")
        try:
            return json.loads(self.parts[name])
        except (ValueError, RecursionError) as error:
            raise CorruptStore(f"the part {name!r} is not JSON: {error}.") from error


def _converted(value: Any, kind: type[T], name: str) -> T:
    try:
        return msgspec.convert(value, kind, str_keys=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise CorruptStore(f"the part {name!r} was changed: {error}.") from error


def read_page(path: Path) -> StoredPage:
    """The page at `path` with the data beside it. Raises DataError for a file that is no leaderboard, CorruptStore."""
    try:
        html = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no page of evalsuite: {error}.") from error
    found = {name: _unpacked(name, text) for name, text in _ELEMENT.findall(html)}
    if not found:
        raise DataError(f"{path} is no leaderboard that `evalsuite report` wrote: it holds no data.")
    page = StoredPage(html, found, frozenset(found))
    more = {name: _beside(path, name, named) for name, named in page.files.items()}
    return StoredPage(html, {**found, **more}, page.inside)


def _beside(page: Path, name: str, named: str) -> str:
    file = page.parent / "data" / f"{named}.js"
    try:
        found = _BESIDE.fullmatch(file.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptStore(f"{file} cannot be read: {error}.") from error
    if found is None or found[1] != named:
        raise CorruptStore(f"{file} was changed: it does not hold the part {name!r}.")
    return _unpacked(name, found[2])


def _unpacked(name: str, text: str) -> str:
    try:
        blob = base64.b64decode(text.strip(), validate=True)
        return (_from_xz if name == RESULTS else _from_gzip)(blob).decode("ascii")
    except (binascii.Error, lzma.LZMAError, zlib.error, ValueError) as error:
        raise CorruptStore(f"the part {name!r} was changed: {error}.") from error


def _from_gzip(blob: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    content = inflater.decompress(blob, _MOST_BYTES)
    return _whole(content, is_whole=inflater.eof and not inflater.unused_data)


def _from_xz(blob: bytes) -> bytes:
    inflater = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MOST_BYTES)
    content = inflater.decompress(blob, _MOST_BYTES)
    return _whole(content, is_whole=inflater.eof and not inflater.unused_data)


def _whole(content: bytes, *, is_whole: bool) -> bytes:
    if not is_whole:
        raise ValueError("it does not end where it should, or is larger than a gigabyte")
    return content


def skeleton(html: str) -> str:
    """The page without its data: what is compressed may be compressed otherwise by another library."""
    return _ELEMENT.sub(lambda found: f'<script id="data-{found[1]}"></script>', html)


def changed_parts(page: StoredPage) -> Sequence[tuple[str, str, str]]:
    """Name, stated and found sha256 of every part that is not what the seal says."""
    stated = page.seal.parts
    found = {name: _sha256(text) for name, text in page.parts.items()}
    names = sorted({*stated, *found} - {SEAL})
    return [(name, stated.get(name, ""), found.get(name, "")) for name in names if stated.get(name) != found.get(name)]
