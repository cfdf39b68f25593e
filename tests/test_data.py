"""Rows from a mirror's folder, and from a file at an address: real bytes from a server on this machine."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evalsuite import fetching
from evalsuite.canonical import content_hash
from evalsuite.contracts import Dataset
from evalsuite.data import PACKAGE, DataSource, load_rows, source_from_environment
from evalsuite.errors import DataError, NothingSelected, RowsMissing

ROWS = ({"question": "Wie viele?", "id": 1}, {"question": "多少？", "id": 2})
CONTENT = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode("utf-8")
OTHER = CONTENT.replace(b"viele", b"teuer")
PINNED = content_hash(ROWS)


class Files(BaseHTTPRequestHandler):
    """Serves what the server's `answers` hold: a body, or a function that writes to the connection itself."""

    server: FileServer

    def do_GET(self) -> None:
        self.server.num_asked += 1
        found = self.server.answers.get(self.path)
        if callable(found):
            found(self)
        elif found is None:
            self.send_error(404)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class FileServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Files)
        self.answers: dict[str, Any] = {"/rows.jsonl": CONTENT}
        self.num_asked = 0

    def dataset(self, name: str = "rows.jsonl", fingerprint: str | None = PINNED) -> Dataset:
        url = f"http://127.0.0.1:{self.server_port}/{name}"
        return Dataset("org/name", "", "rows", "a1b2", fingerprint, url=url)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with running(FileServer()) as started:
        yield started


@contextmanager
def running(server: FileServer) -> Iterator[FileServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def online(folder: Path, mirror: Path | None = None, timeout_s: float = 5.0) -> DataSource:
    return DataSource(mirror=mirror, hub=True, cache=folder / "cache", timeout_s=timeout_s)


def offline(folder: Path, mirror: Path | None = None) -> DataSource:
    return DataSource(mirror=mirror, hub=False, cache=folder / "cache")


def kept_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "cache").rglob("*") if path.is_file()]


# -- a mirror


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_files_may_lie_in_the_mirrors_folder_itself(tmp_path: Path, name: str) -> None:
    (tmp_path / "org__name").mkdir()
    (tmp_path / "org__name" / name).write_bytes(CONTENT)
    rows, pin = load_rows(Dataset("org/name", "", "rows", "a1b2", PINNED), offline(tmp_path, tmp_path))
    assert rows == ROWS
    assert (pin.path, pin.config, pin.split, pin.revision) == ("org/name", "", "rows", "a1b2")
    assert (pin.fingerprint, pin.num_rows) == (PINNED, 2)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_a_file_may_be_one_json_array(tmp_path: Path, name: str, indent: int | None) -> None:
    (tmp_path / "org__name").mkdir()
    text = json.dumps(ROWS, ensure_ascii=False, indent=indent)
    (tmp_path / "org__name" / name).write_text(f" \n{text}\n", encoding="utf-8")
    rows, pin = load_rows(Dataset("org/name", "", "rows", fingerprint=PINNED), offline(tmp_path, tmp_path))
    assert (rows, pin.num_rows) == (ROWS, 2)


def test_an_array_may_lie_at_an_address(server: FileServer, tmp_path: Path) -> None:
    server.answers["/rows.jsonl"] = json.dumps(ROWS).encode()
    for source in (online(tmp_path), offline(tmp_path)):
        assert load_rows(server.dataset(), source)[0] == ROWS
    assert server.num_asked == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}', r"rows\.json: not JSON \("),
        ('[{"a": 1}]\n[{"a": 2}]\n', r"rows\.json: not JSON \("),
        ('[{"a": 1}, 7]', r"rows\.json, entry 2: expected an object, found int\."),
        ("[[1], [2]]", r"rows\.json, entry 1: expected an object, found list\."),
        ('"a"', r"rows\.json, line 1: expected an object, found str\."),
        ('{"a": 1}\n[1]\n', r"rows\.json, line 2: expected an object, found list\."),
        ('[{"a": NaN}]', r"rows\.json holds a value that is not text, number or list"),
    ],
)
def test_a_file_that_is_neither_lines_nor_an_array_of_objects_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "org__name").mkdir()
    (tmp_path / "org__name" / "rows.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_rows(Dataset("org/name", "", "rows"), offline(tmp_path, tmp_path))


def test_an_empty_array_is_nothing_to_evaluate(tmp_path: Path) -> None:
    (tmp_path / "org__name").mkdir()
    (tmp_path / "org__name" / "rows.json").write_text("[]", encoding="utf-8")
    with pytest.raises(NothingSelected, match=r"rows\.json holds no rows"):
        load_rows(Dataset("org/name", "", "rows"), offline(tmp_path, tmp_path))


def test_a_mirror_comes_before_the_address(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "org__name").mkdir()
    (tmp_path / "org__name" / "rows.json").write_bytes(CONTENT)
    assert load_rows(server.dataset(), online(tmp_path, tmp_path))[0] == ROWS
    assert server.num_asked == 0
    assert kept_files(tmp_path) == []


# -- an address


def test_a_file_is_fetched_once_and_kept(server: FileServer, tmp_path: Path) -> None:
    for _ in range(3):
        rows, pin = load_rows(server.dataset(), online(tmp_path))
        assert rows == ROWS
        assert (pin.fingerprint, pin.num_rows, pin.revision) == (PINNED, 2, "a1b2")
    assert server.num_asked == 1
    (kept,) = kept_files(tmp_path)
    assert kept.read_bytes() == CONTENT
    assert len(kept.name) == 64


def test_what_is_kept_serves_without_a_network(server: FileServer, tmp_path: Path) -> None:
    load_rows(server.dataset(), online(tmp_path))
    assert load_rows(server.dataset(), offline(tmp_path))[0] == ROWS
    assert server.num_asked == 1


def test_nothing_is_asked_without_a_network(server: FileServer, tmp_path: Path) -> None:
    url = server.dataset().url
    with pytest.raises(RowsMissing) as caught:
        load_rows(server.dataset(), offline(tmp_path))
    assert str(caught.value) == (
        "no data for org/name (rows): no --data_dir or EVALSUITE_DATA is set, and "
        f"{url} is not asked: the network is off (HF_HUB_OFFLINE)."
    )
    assert server.num_asked == 0


def test_a_changed_byte_is_refused_with_both_hashes(server: FileServer, tmp_path: Path) -> None:
    server.answers["/rows.jsonl"] = OTHER
    found = content_hash([json.loads(line) for line in OTHER.splitlines()])
    for _ in range(2):
        with pytest.raises(DataError, match=f"rows.jsonl is not the data .* hash to {found}, expected {PINNED}"):
            load_rows(server.dataset(), online(tmp_path))
    assert server.num_asked == 2
    assert kept_files(tmp_path) == []


@pytest.mark.parametrize("damage", [OTHER, CONTENT[:-9], b"", b"\xff\xfe", b"[]\n"])
def test_a_kept_file_that_changed_is_fetched_anew(server: FileServer, tmp_path: Path, damage: bytes) -> None:
    load_rows(server.dataset(), online(tmp_path))
    (kept,) = kept_files(tmp_path)
    kept.write_bytes(damage)
    assert load_rows(server.dataset(), online(tmp_path))[0] == ROWS
    assert server.num_asked == 2
    assert kept.read_bytes() == CONTENT


def test_a_kept_file_that_changed_is_refused_without_a_network(server: FileServer, tmp_path: Path) -> None:
    load_rows(server.dataset(), online(tmp_path))
    (kept,) = kept_files(tmp_path)
    kept.write_bytes(OTHER)
    with pytest.raises(DataError, match=f"{kept.name} .*expected {PINNED}"):
        load_rows(server.dataset(), offline(tmp_path))


def test_rows_without_a_pin_are_taken_as_they_are(server: FileServer, tmp_path: Path) -> None:
    server.answers["/rows.jsonl"] = OTHER
    assert load_rows(server.dataset(fingerprint=None), online(tmp_path))[0][0]["question"] == "Wie teuer?"


def test_addresses_are_kept_apart(server: FileServer, tmp_path: Path) -> None:
    server.answers["/other.jsonl"] = OTHER
    assert load_rows(server.dataset(fingerprint=None), online(tmp_path))[0] == ROWS
    assert load_rows(server.dataset("other.jsonl", None), online(tmp_path))[0] != ROWS
    assert len(kept_files(tmp_path)) == 2


def test_a_cache_that_cannot_be_written_is_no_error(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be", encoding="utf-8")
    assert load_rows(server.dataset(), online(tmp_path))[0] == ROWS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe{}", "rows.jsonl is not UTF-8 text"),
        (b"<html>\n", "rows.jsonl, line 1: not JSON"),
        (b'{"a": 1}\n{"a": NaN}\n', "rows.jsonl holds a value that is not text, number or list"),
    ],
)
def test_what_is_no_data_is_refused(server: FileServer, tmp_path: Path, content: bytes, message: str) -> None:
    server.answers["/rows.jsonl"] = content
    with pytest.raises(DataError, match=message):
        load_rows(server.dataset(), online(tmp_path))
    assert kept_files(tmp_path) == []


def test_a_file_without_rows_is_nothing_to_evaluate(server: FileServer, tmp_path: Path) -> None:
    server.answers["/rows.jsonl"] = b"\n"
    with pytest.raises(NothingSelected, match=r"rows\.jsonl holds no rows"):
        load_rows(server.dataset(), online(tmp_path))


# -- servers that do not answer


def missing(server: FileServer, folder: Path, timeout_s: float = 5.0, name: str = "rows.jsonl") -> str:
    """What is said about the missing rows, after the address."""
    with pytest.raises(RowsMissing) as caught:
        load_rows(server.dataset(name), online(folder, timeout_s=timeout_s))
    before, _, reason = str(caught.value).partition(f"{server.dataset(name).url} ")
    assert before == "no data for org/name (rows): no --data_dir or EVALSUITE_DATA is set, and "
    assert "\n" not in reason
    return reason


def test_a_dead_server(tmp_path: Path) -> None:
    with running(FileServer()) as other:
        gone = other
    assert re.fullmatch(r"cannot be fetched \(\[Errno \d+\] Connection refused\)\.", missing(gone, tmp_path))


def test_a_server_that_has_no_such_file(server: FileServer, tmp_path: Path) -> None:
    assert missing(server, tmp_path, name="none.jsonl") == "answers with the status 404."


def test_a_server_that_accepts_and_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/rows.jsonl"
        with pytest.raises(RowsMissing, match=r"does not answer within 0\.2 s\."):
            load_rows(Dataset("org/name", "", "rows", url=url), online(tmp_path, timeout_s=0.2))


def begun(handler: Files, length: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()


def test_a_server_that_stops_in_the_middle(server: FileServer, tmp_path: Path) -> None:
    hold = threading.Event()

    def stop(handler: Files) -> None:
        begun(handler, len(CONTENT))
        handler.wfile.write(CONTENT[:10])
        handler.wfile.flush()
        hold.wait(10)

    server.answers["/rows.jsonl"] = stop
    assert missing(server, tmp_path, timeout_s=0.2) == "does not answer within 0.2 s."
    hold.set()


def test_a_server_that_drips(server: FileServer, tmp_path: Path) -> None:
    """Every read is in time; the whole is not."""
    hold = threading.Event()

    def drip(handler: Files) -> None:
        begun(handler, 1000)
        with suppress(OSError):
            while not hold.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()

    server.answers["/rows.jsonl"] = drip
    assert missing(server, tmp_path, timeout_s=0.3) == "comes too slowly."
    hold.set()


def test_a_connection_that_breaks_off(server: FileServer, tmp_path: Path) -> None:
    def cut(handler: Files) -> None:
        begun(handler, len(CONTENT))
        handler.wfile.write(CONTENT[:10])

    server.answers["/rows.jsonl"] = cut
    assert missing(server, tmp_path) == f"broke off after 10 of {len(CONTENT)} bytes."


def test_redirections_are_not_followed(server: FileServer, tmp_path: Path) -> None:
    def redirect(handler: Files) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/rows.jsonl")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answers["/moved.jsonl"] = redirect
    assert missing(server, tmp_path, name="moved.jsonl") == "answers with the status 302."
    assert server.num_asked == 1


def test_a_file_without_an_end_is_given_up(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1 << 20)

    def flood(handler: Files) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            while True:
                handler.wfile.write(b"{}\n" * 10_000)

    server.answers["/rows.jsonl"] = flood
    with pytest.raises(DataError, match=r"rows\.jsonl is refused: it is larger than 1 MiB\."):
        load_rows(server.dataset(), online(tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "http://data.example.org/rows.jsonl",
        "http://127.0.0.1.example.org/rows",
        "file:///etc/hostname",
        "ftp://[::1]/rows",
    ],
)
def test_other_machines_are_asked_by_https_only(tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError, match=r"is refused: data are fetched by https only\."):
        load_rows(Dataset("org/name", "", "rows", url=url), online(tmp_path))


# -- where it is kept


def test_the_cache_lies_where_the_environment_says(tmp_path: Path) -> None:
    assert source_from_environment(None, {"EVALSUITE_CACHE": str(tmp_path)}).cache == tmp_path / "data"
    assert source_from_environment(None, {"XDG_CACHE_HOME": str(tmp_path)}).cache == tmp_path / "evalsuite" / "data"
    assert source_from_environment(None, {}).cache == Path.home() / ".cache" / "evalsuite" / "data"
    assert source_from_environment(None, {"HF_HUB_OFFLINE": "1"}).hub is False
    assert source_from_environment(None, {}).hub is True


# -- rows in a package


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package on the path, with rows in it."""
    folder = tmp_path / "rows_of_mine"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "data" / "en.jsonl").write_bytes(CONTENT)
    (folder / "test.jsonl").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, folder.name, raising=False)
    return folder


@pytest.mark.parametrize(("config", "split"), [("data", "en"), ("", "test")])
def test_rows_travel_in_a_package(package: Path, config: str, split: str) -> None:
    dataset = Dataset(PACKAGE + package.name, config, split, fingerprint=PINNED)
    rows, pin = load_rows(dataset, DataSource(mirror=None, hub=False))
    assert rows == ROWS
    assert (pin.path, pin.config, pin.split, pin.fingerprint) == ("package/rows_of_mine", config, split, PINNED)


@pytest.mark.parametrize(
    ("path", "split", "kind", "said"),
    [
        ("rows_of_mine", "fr", RowsMissing, r"no data/fr\.jsonl in the package rows_of_mine; .* package-data"),
        ("rows_of_nobody", "en", RowsMissing, r"the package rows_of_nobody is not installed"),
        ("rows_of_mine", "broken", DataError, r"data/broken\.jsonl in the package rows_of_mine, line 2: not JSON"),
        ("rows_of_mine", "latin", DataError, r"data/latin\.jsonl in the package rows_of_mine cannot be read: "),
    ],
)
def test_what_is_wrong_with_a_package_is_said(
    package: Path, path: str, split: str, kind: type[Exception], said: str
) -> None:
    (package / "data" / "broken.jsonl").write_text("{}\n{", encoding="utf-8")
    (package / "data" / "latin.jsonl").write_bytes(b"\xe9")
    with pytest.raises(kind, match=said):
        load_rows(Dataset(PACKAGE + path, "data", split), DataSource(mirror=None, hub=False))
