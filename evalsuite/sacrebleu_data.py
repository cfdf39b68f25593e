"""Test sets of WMT as sacrebleu downloads and keeps them, as rows of the hub's form."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class NotThere(Exception):
    """sacrebleu has not the set and cannot fetch it; the message says why."""


def read_rows(name: str, direction: str, *, may_fetch: bool, timeout_s: float) -> tuple[Mapping[str, Any], ...]:
    """The rows of the set `name` (``wmt14``) in a direction (``en-fr``), fetched where they are not kept.

    A row has `translation`, its texts by language, `references`, every reference by its letter (``A`` where there is
    one without), and `document` where sacrebleu knows it. Raises NotThere.
    """
    from sacrebleu.dataset import DATASETS

    if name not in DATASETS or direction not in DATASETS[name].langpairs:
        raise NotThere(f"it knows no {name} {direction}")
    dataset = DATASETS[name]
    folder = Path(dataset._outdir)
    if not may_fetch and not _is_kept(folder, name, direction):
        raise NotThere(f"{folder} has no {name} {direction}, and the network is off (HF_HUB_OFFLINE)")
    try:
        with _timeout(timeout_s):
            fields = dataset.fieldnames(direction)
            files = dataset.get_files(direction)
        # bytes, since reading as text would end a line at a lone carriage return too
        columns = [Path(file).read_bytes().decode("utf-8").removesuffix("\n").split("\n") for file in files]
    except (Exception, SystemExit) as error:  # its download ends in many ways, one of them an exit
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise NotThere(f"its download fails or is damaged ({reason}); remove {folder / 'raw'} and try again") from error
    if len({len(column) for column in columns}) != 1:
        raise NotThere(f"its files in {dataset._outdir} have different numbers of lines; remove them")
    source, _, target = direction.partition("-")
    return tuple(_row(dict(zip(fields, values, strict=True)), source, target) for values in zip(*columns, strict=True))


def _row(fields: Mapping[str, str], source: str, target: str) -> Mapping[str, Any]:
    """Fields by name as a row; sacrebleu has references in no fixed order, so letters decide which is the first."""
    references = {
        key.partition(":")[2] or "A": fields[key] for key in sorted(fields) if key == "ref" or key.startswith("ref:")
    }
    place = [fields[key] for key in ("domain", "docid") if key in fields]
    document = {"document": "\t".join(place)} if place else {}
    first = next(iter(references.values()))
    return {"translation": {source: fields["src"], target: first}, "references": references, **document}


def _is_kept(folder: Path, name: str, direction: str) -> bool:
    """Whether the texts of a direction are there, or an archive that they can be taken from."""
    archives = (path for path in (folder / "raw").glob("*") if path.suffix != ".lock" and path.is_file())
    return any(folder.glob(f"{name}.{direction}.*")) or any(path.stat().st_size for path in archives)


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """sacrebleu sets none of its own, so that a silent server would hold the run for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
