"""Rows of a dataset: from a mirror, evalsuite's own or a plugin's package, a pinned file, sacrebleu, or the hub.

A mirror is a folder laid out as ``<org>__<name>/<config>/<split>.jsonl``, ``.parquet`` or ``.json`` (JSON lines too, as
some projects name them); with an empty config the files lie in ``<org>__<name>`` itself. What a `Dataset.url` names is
fetched once and kept in ``data`` below evalsuite's cache folder, under the sha256 of its address.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from evalsuite import hub, sacrebleu_data
from evalsuite.canonical import content_hash
from evalsuite.contracts import Dataset, Rows
from evalsuite.errors import DataError, NothingSelected, RowsMissing, SaveFailed
from evalsuite.fetching import NotFetched, fetch
from evalsuite.models import cache_directory
from evalsuite.records import TASK_FILE, DatasetPin
from evalsuite.store.files import write_atomic

BUILT_IN = "evalsuite-mini"
"""The `Dataset.path` of the samples written for this project, which travel in the wheel."""

SACREBLEU = "sacrebleu"
"""Begins the `Dataset.path` of what sacrebleu downloads, as in ``sacrebleu/wmt14``; the config is the direction."""


PACKAGE = "package/"
"""Begins the `Dataset.path` of rows that travel in a plugin's own package, as in ``package/my_tasks``.

They lie there in ``<config>/<split>.jsonl``, or with an empty config in ``<split>.jsonl``.
"""


def _cache() -> Path:
    return cache_directory() / "data"


@dataclass(frozen=True)
class DataSource:
    """Where rows may be read from: `mirror` before the hub; `hub` False means that no network is asked.

    Files behind a `Dataset.url` are kept in `cache`, and each is fetched within `timeout_s` seconds or not at all.
    """

    mirror: Path | None
    hub: bool
    cache: Path = field(default_factory=_cache)
    timeout_s: float = 30.0


def source_from_environment(data_dir: str | None, environ: Mapping[str, str] = os.environ) -> DataSource:
    """The mirror of ``--data-dir`` or ``EVALSUITE_DATA``; no hub when ``HF_HUB_OFFLINE`` is set."""
    mirror = data_dir or environ.get("EVALSUITE_DATA") or None
    if mirror and not Path(mirror).is_dir():
        raise DataError(f"data directory {mirror} does not exist (from --data_dir or EVALSUITE_DATA).")
    return DataSource(
        mirror=Path(mirror) if mirror else None,
        hub=not hub.is_offline(environ),
        cache=cache_directory(environ) / "data",
    )


def load_rows(dataset: Dataset, source: DataSource) -> tuple[Rows, DatasetPin]:
    """The rows of `dataset` and what they are.

    Raises RowsMissing when they are nowhere, DataError when they are others, NothingSelected when there are none.
    """
    rows, origin = _read(dataset, source)
    if not rows:
        raise NothingSelected(f"{origin} holds no rows; nothing can be evaluated on it.")
    try:
        fingerprint = content_hash(rows)
    except (ValueError, TypeError) as error:
        raise DataError(f"{origin} holds a value that is not text, number or list ({error}).") from error
    pin = DatasetPin(
        path=dataset.path,
        config=dataset.config,
        split=dataset.split,
        revision=dataset.revision,
        fingerprint=fingerprint,
        num_rows=len(rows),
    )
    if dataset.fingerprint is not None and pin.fingerprint != dataset.fingerprint:
        raise DataError(
            f"{origin} is not the data this task was written for: its rows hash to {pin.fingerprint}, "
            f"expected {dataset.fingerprint}. Restore the file, or fetch the pinned revision {dataset.revision or '-'}."
        )
    if dataset.num_rows not in (None, len(rows)):
        raise DataError(
            f"{origin} is not the data this task was written for: {len(rows)} rows, not {dataset.num_rows}."
        )
    return rows, pin


def _read(dataset: Dataset, source: DataSource) -> tuple[Rows, str]:
    if dataset.path == BUILT_IN:
        resource = files("evalsuite.tasks") / "mini" / f"{dataset.config}.jsonl"
        return _parse_rows(resource.read_text(encoding="utf-8"), str(resource)), str(resource)
    if dataset.path.startswith(PACKAGE):
        return _from_package(dataset)
    if dataset.path == TASK_FILE:
        return _from_task_file(Path(dataset.url)), dataset.url
    looked_at = []
    if source.mirror is not None:
        for path in _mirror_paths(dataset, source.mirror):
            if path.exists():
                return _read_file(path), str(path)
            looked_at.append(str(path))
    if dataset.read is not None:
        return _from_its_task(dataset.read, dataset, looked_at)
    if dataset.url:
        return _from_url(dataset, source, looked_at)
    if dataset.path.startswith(SACREBLEU + "/"):
        return _from_sacrebleu(dataset, source, looked_at)
    if source.hub and not hub.is_reachable():
        raise _missing(dataset, looked_at, "the hub does not answer; HF_HUB_OFFLINE=1 uses what is cached.")
    try:
        return _from_hub(dataset), f"hub dataset {dataset.path}@{dataset.revision}"
    except Exception as error:  # the hub client raises from many families
        if source.hub and not isinstance(error, FileNotFoundError | ConnectionError):
            raise DataError(
                f"hub dataset {dataset.path} ({dataset.config}, {dataset.split}) cannot be read: "
                f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}"
            ) from error
        reason = f"the hub has none ({type(error).__name__})." if source.hub else "the hub is off (HF_HUB_OFFLINE)."
        raise _missing(dataset, looked_at, reason) from error


def _missing(dataset: Dataset, looked_at: list[str], hub_says: str) -> RowsMissing:
    here = f"neither {' nor '.join(looked_at)} exists" if looked_at else "no --data_dir or EVALSUITE_DATA is set"
    part = ", ".join(filter(None, (dataset.config, dataset.split)))
    return RowsMissing(f"no data for {dataset.path} ({part}): {here}, and {hub_says}")


def _mirror_paths(dataset: Dataset, mirror: Path) -> list[Path]:
    folder = mirror / dataset.path.replace("/", "__") / dataset.config
    return [folder / f"{dataset.split}.{suffix}" for suffix in ("jsonl", "parquet", "json")]


def _read_file(path: Path) -> Rows:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            return tuple(pq.read_table(path).to_pylist())
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as Parquet: {error}") from error
    try:
        return _parse_rows(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _parse_rows(text: str, origin: str) -> Rows:
    """The rows of JSON lines, or of one JSON array, as some projects publish them."""
    if text.lstrip().startswith("["):
        try:
            entries = json.loads(text)
        except ValueError as error:
            raise DataError(f"{origin}: not JSON ({error}).") from error
        return tuple(_row(entry, f"{origin}, entry {number}") for number, entry in enumerate(entries, start=1))
    rows: list[Mapping[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise DataError(f"{origin}, line {number}: not JSON ({error}).") from error
        rows.append(_row(entry, f"{origin}, line {number}"))
    return tuple(rows)


def _row(entry: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise DataError(f"{where}: expected an object, found {type(entry).__name__}.")
    return entry


def _from_hub(dataset: Dataset) -> Rows:
    """Rows at the pinned revision, from the hub or, offline, from what `datasets` has cached."""
    import datasets

    datasets.disable_progress_bars()
    table = datasets.load_dataset(dataset.path, dataset.config, split=dataset.split, revision=dataset.revision or None)
    return tuple(dict(row) for row in table)


def _from_its_task(read: Callable[[], Rows], dataset: Dataset, looked_at: list[str]) -> tuple[Rows, str]:
    """The rows as their task's own tool reads them."""
    try:
        return read(), f"{dataset.path} ({dataset.split})"
    except Exception as error:  # another tool's loader: of the hub, of files, or code of the task
        reason = f"its own loader has none ({type(error).__name__}: {str(error).partition(chr(10))[0][:200]})."
        raise _missing(dataset, looked_at, reason) from error


def _from_package(dataset: Dataset) -> tuple[Rows, str]:
    """The rows of a file in an installed package. Raises RowsMissing where it is not there."""
    module = dataset.path.removeprefix(PACKAGE)
    name = "/".join(filter(None, (dataset.config, f"{dataset.split}.jsonl")))
    origin = f"{name} in the package {module}"
    try:
        text = files(module).joinpath(name).read_text(encoding="utf-8")
    except ModuleNotFoundError as error:
        raise RowsMissing(f"no data for {dataset.path}: the package {module} is not installed.") from error
    except FileNotFoundError as error:
        raise RowsMissing(
            f"no data for {dataset.path}: there is no {origin}; its pyproject.toml must name the file under "
            "[tool.setuptools] package-data."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{origin} cannot be read: {error}") from error
    return _parse_rows(text, origin), origin


def _from_task_file(path: Path) -> Rows:
    try:
        rows: list[Mapping[str, Any]] = json.loads(path.read_bytes().decode("utf-8"))["samples"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"task file {path} cannot be read: {error}") from error
    return tuple(rows)


def _from_sacrebleu(dataset: Dataset, source: DataSource, looked_at: list[str]) -> tuple[Rows, str]:
    try:
        rows = sacrebleu_data.read_rows(
            dataset.path.partition("/")[2], dataset.config, may_fetch=source.hub, timeout_s=source.timeout_s
        )
    except sacrebleu_data.NotThere as error:
        raise _missing(dataset, looked_at, f"sacrebleu has no copy: {error}.") from error
    return rows, f"sacrebleu's copy of {dataset.path.partition('/')[2]} {dataset.config}"


# -- a file at an address


def _from_url(dataset: Dataset, source: DataSource, looked_at: list[str]) -> tuple[Rows, str]:
    """The rows of the file at `dataset.url`: as kept from an earlier time, else fetched.

    Only pinned rows are kept, so that a wrong file is not found again; a kept file that has changed is fetched anew.
    """
    kept = source.cache / hashlib.sha256(dataset.url.encode()).hexdigest()
    if kept.exists() and (not source.hub or _is_intact(kept, dataset)):
        return _read_file(kept), f"{kept} (from {dataset.url})"
    if not source.hub:
        raise _missing(dataset, looked_at, f"{dataset.url} is not asked: the network is off (HF_HUB_OFFLINE).")
    try:
        content = fetch(dataset.url, source.timeout_s)
    except NotFetched as error:
        raise _missing(dataset, looked_at, f"{dataset.url} {error}.") from error
    rows = _parse_rows(_decoded(content, dataset.url), dataset.url)
    if _is_pinned(rows, dataset):
        with suppress(SaveFailed):  # a home that cannot be written costs another fetch, not the run
            write_atomic(kept, content)
    return rows, dataset.url


def _is_intact(kept: Path, dataset: Dataset) -> bool:
    try:
        return _is_pinned(_read_file(kept), dataset)
    except DataError:
        return False


def _is_pinned(rows: Rows, dataset: Dataset) -> bool:
    """Whether `rows` are those that the task was written for; any are where it does not say."""
    try:
        return dataset.fingerprint in (None, content_hash(rows))
    except ValueError:
        return False


def _decoded(content: bytes, origin: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{origin} is not UTF-8 text: {error}") from error
