"""`evalsuite verify` of a page: silent on what was written, and no changed digit, sample or hash stays unseen."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports.leaderboard import render, render_board
from evalsuite.reports.page_check import check
from evalsuite.reports.page_parts import RESULTS, SEAL, Part, read_page
from scripted_runs import run
from vote_summaries import summary

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import Evidence, PageData
from evalsuite.boards.records import Board
from evalsuite.boards.sample_records import TaskSamples
from evalsuite.cli.main import main
from evalsuite.errors import DataError

Path_ = tuple[Any, ...]


@dataclass(frozen=True)
class Small:
    """Three runs and the page over them."""

    runs: list[Path]
    html: str
    folder: Path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Choices and numbers in two languages, one run partial, texts kept."""
    folder = tmp_path_factory.mktemp("checked")
    tasks = ("--tasks", "mini_choice_en,mini_choice_ar,mini_math_en")
    runs = [
        run(folder, "Ant", *tasks),
        run(folder, "Bee", *tasks, function="scripted_runs:stray"),
        run(folder, "Dog", "--tasks", "mini_choice_en", "--limit", "6"),
    ]
    return Small(runs, render(runs, BoardOptions(title="Checked")).html, folder)


def checked(folder: Path, html: str, runs: list[Path] | None = None) -> Any:
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    return check(path, runs or [])


@pytest.mark.parametrize("kept", ["all", "failures", "none"])
@pytest.mark.parametrize("beside", [False, True], ids=["one file", "folder"])
def test_an_untouched_page_is_equal(small: Small, tmp_path: Path, kept: Any, beside: bool) -> None:
    options = BoardOptions(title="Checked", samples=kept, preference=summary())
    page = render(
        small.runs, options, max_bytes=1000 if beside else 10**9, base_url="https://example.org/", language="ar"
    )
    assert bool([name for name in page.beside if name.startswith("data/")]) == beside
    for name, content in page.beside.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = checked(tmp_path, page.html)
    assert found.findings == ()
    assert found.num_models == 3
    assert found.num_numbers > 500
    assert checked(tmp_path, page.html, small.runs).findings == ()


# -- one thing changed


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, (*path, key))
    elif value is not None:
        yield path, value


def other(value: Any, chance: random.Random) -> Any:
    """`value` with one digit or letter of it changed."""
    if isinstance(value, bool):
        return not value
    text = str(value) if isinstance(value, str) else repr(value)
    places = [at for at, char in enumerate(text) if char.isdigit()] or list(range(len(text)))
    if not places:
        return "1"
    at = chance.choice(places)
    changed = text[:at] + chance.choice([one for one in "123456789" if one != text[at]]) + text[at + 1 :]
    return changed if isinstance(value, str) else json.loads(changed)


def changed_leaf(
    value: Any, chance: random.Random, where: Callable[[Path_], bool] = lambda _: True
) -> tuple[Any, Path_]:
    """A copy of `value` in which one leaf says something else, and which."""
    copy = json.loads(json.dumps(value))
    found = [(path, leaf) for path, leaf in leaves(copy) if where(path)]
    while True:
        path, leaf = chance.choice(found)
        new = other(leaf, chance)
        if new != leaf:
            break
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return copy, path


def with_part(html: str, part: Part) -> str:
    pattern = re.compile(f'(id="data-{part.name}">)[^<]*')
    changed, count = pattern.subn(lambda found: found[1] + part.text, html)
    assert count == 1
    return changed


def test_no_single_digit_of_the_file_can_be_changed(small: Small, tmp_path: Path) -> None:
    """100 places anywhere in the file: compressed data, hashes of the policy, tables, script, style."""
    chance = random.Random(3)
    places = [at for at, char in enumerate(small.html) if char.isascii() and char.isalnum()]
    for at in chance.sample(places, 100):
        new = chance.choice([one for one in "0123456789" if one != small.html[at]])
        found = checked(tmp_path, small.html[:at] + new + small.html[at + 1 :])
        assert found.findings, small.html[at - 20 : at + 20]


def test_no_value_of_the_data_can_be_changed(small: Small, tmp_path: Path) -> None:
    """60 values of any part, packed again as they would be: texts, hashes, numbers, names."""
    chance = random.Random(4)
    path = tmp_path / "page.html"
    path.write_text(small.html, encoding="utf-8")
    parts = read_page(path).parts
    for _ in range(60):
        name = chance.choice(sorted(parts))
        value, where = changed_leaf(json.loads(parts[name]), chance)
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        assert checked(tmp_path, with_part(small.html, Part(name, text))).findings, (name, where)


RECOMPUTED = ("cells", "ranking", "columns", "families", "tasks", "comparisons")


def is_computed(path: Path_) -> bool:
    """A number of the board that follows from counts."""
    return path[0] in RECOMPUTED and not {"gaps", "num_prompt_tokens", "num_generated_tokens", "num_truncated"} & {
        *path
    }


def test_no_number_can_be_changed_by_one_who_seals_the_page_again(small: Small, tmp_path: Path) -> None:
    """40 changes of numbers and of counts, the page being written again as if they were true."""
    chance = random.Random(5)
    path = tmp_path / "page.html"
    path.write_text(small.html, encoding="utf-8")
    data = read_page(path).data()
    for turn in range(40):
        changed, where = forged(data, chance, turn)
        html = render_board(changed, read_page_options(small)).html
        assert checked(tmp_path, html).findings, where


def read_page_options(small: Small) -> Any:
    path = small.folder / "again.html"
    path.write_text(small.html, encoding="utf-8")
    return read_page(path).seal.page


def forged(data: PageData, chance: random.Random, turn: int) -> tuple[PageData, Path_]:
    if turn % 2:
        value, where = changed_leaf(builtins(data.board), chance, is_computed)
        return replace(data, board=msgspec.convert(value, Board, str_keys=True)), where
    place = chance.randrange(len(data.samples))
    value, where = changed_leaf(builtins(data.samples[place]), chance, lambda path: "counts" in path)
    samples = list(data.samples)
    samples[place] = msgspec.convert(value, TaskSamples, str_keys=True)
    return replace(data, samples=tuple(samples)), where


def builtins(record: Any) -> Any:
    return json.loads(json.dumps(msgspec.to_builtins(record, str_keys=True)))


# -- what only the runs can tell


def test_a_changed_text_is_found_by_the_runs(small: Small, tmp_path: Path) -> None:
    """Whoever writes a page anew can put other texts in: they are no counts. The runs, and the seal, say otherwise."""
    path = tmp_path / "page.html"
    path.write_text(small.html, encoding="utf-8")
    page = read_page(path)
    data = page.data()
    first = data.samples[0]
    told = msgspec.structs.replace(first.samples[0], input="Another question")
    other_samples = msgspec.structs.replace(first, samples=(told, *first.samples[1:]))
    forged_data = replace(data, samples=(other_samples, *data.samples[1:]))
    html = render_board(forged_data, page.seal.page).html
    alone = checked(tmp_path, html)
    assert alone.findings == ()
    assert alone.seal != page.seal.hash
    found = checked(tmp_path, html, small.runs)
    assert [(one.task, one.sample, one.field) for one in found.findings] == [
        (name, told.id, "facts.input") for name in ("Ant", "Bee")
    ]


def test_another_run_of_that_name_is_no_witness(small: Small, tmp_path: Path) -> None:
    stranger = run(tmp_path / "other", "Ant", "--tasks", "mini_choice_en", function="scripted_runs:stray")
    found = checked(tmp_path, small.html, [*small.runs[1:], stranger])
    assert (found.findings, found.num_runs) == ((), 2)
    assert any("1 of the runs given are not in the page" in note for note in found.notes)


# -- as a command


def test_the_command_ends_with_3_and_names_the_place(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "index.html"
    page.write_text(small.html, encoding="utf-8")
    assert main(["verify", str(page), str(small.runs[0]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["equal"]
    assert (found["pages"][0]["num_models"], found["pages"][0]["num_runs"]) == (3, 1)
    page.write_text(small.html.replace("<title>Checked", "<title>Chucked"), encoding="utf-8")
    assert main(["verify", str(page)]) == 3
    said = capsys.readouterr().out
    assert re.search(r"index\.html, line \d+: stored .*Chucked.*, should be .*Checked", said)


def test_data_beside_the_page_that_say_something_else_are_found(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "index.html"
    assert main(["report", *map(str, small.runs), "-o", str(out)]) == 0
    data = tmp_path / "leaderboard.json"
    content = data.read_text(encoding="ascii")
    changes = {
        content.replace('"value":0.', '"value":1.', 1): "cells[0].value",
        content.replace(",", ", ", 1): "form",
        content[:-9]: "no JSON",
    }
    for changed, told in changes.items():
        assert main(["verify", str(out)]) == 0
        data.write_text(changed, encoding="ascii")
        capsys.readouterr()
        assert main(["verify", str(out)]) == 3
        said = capsys.readouterr().out
        assert "leaderboard.json" in said
        assert told in said
        data.write_text(content, encoding="ascii")
    data.unlink()
    assert main(["verify", str(out)]) == 0


@pytest.mark.parametrize("content", [b"", b"<p>a page</p>", b"\xff\xfe", b"{}"])
def test_what_is_no_page_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"page\.html"):
        check(path)


def test_a_page_that_other_code_wrote_is_not_taken_for_checked(small: Small, tmp_path: Path) -> None:
    """Its data are; whether its script shows these data cannot be told here."""
    path = tmp_path / "page.html"
    path.write_text(small.html, encoding="utf-8")
    page = read_page(path)
    value = json.loads(page.parts[SEAL])
    value["code"] = "0" * 64
    seal = Part(SEAL, json.dumps(value, sort_keys=True, separators=(",", ":")))
    html = with_part(small.html, seal).replace("color-scheme", "colour-scheme")
    html = html.replace(page.seal.hash, hashlib.sha256(seal.json.encode()).hexdigest())
    found = checked(tmp_path, html)
    assert (found.findings, found.is_form_known) == ((), False)
    assert any("were not compared" in note for note in found.notes)
    assert main(["verify", str(path)]) == 3


def test_a_page_never_takes_what_another_page_left_beside_it(small: Small, tmp_path: Path) -> None:
    """As after a kill while another page was being written over it: that one's data lie there, its page does not."""
    page, other = tmp_path / "site" / "index.html", tmp_path / "other" / "index.html"
    assert main(["report", *map(str, small.runs), "--max_mb", "0.001", "-o", str(page)]) == 0
    assert main(["report", str(small.runs[1]), "--max_mb", "0.001", "-o", str(other)]) == 0
    strange = sorted((other.parent / "data").iterdir())
    for file in strange:
        (page.parent / "data" / file.name).write_bytes(file.read_bytes())
    assert {one.file for one in check(page).findings} == {f"data/{file.name}" for file in strange}
    assert main(["report", *map(str, small.runs), "--max_mb", "0.001", "-o", str(page)]) == 0
    assert check(page).findings == ()


def test_texts_that_a_page_leaves_out_do_not_stay_beside_it(small: Small, tmp_path: Path) -> None:
    page = tmp_path / "site" / "index.html"
    folder = ["--max_mb", "0.001", "-o", str(page)]
    assert main(["report", *map(str, small.runs), *folder]) == 0
    data = page.parent / "data"
    assert sorted(file.name.rpartition("-")[0] for file in data.iterdir()) == ["samples-0", "samples-1", "samples-2"]
    (data / "samples-7.js").write_text('evalsuiteData("samples-7","")\n', encoding="utf-8")
    assert [one.file for one in check(page).findings] == ["data/samples-7.js"]
    assert main(["report", str(small.runs[2]), "--samples", "none", "-o", str(page)]) == 0
    assert list(data.iterdir()) == []
    assert main(["verify", str(page)]) == 0


def test_whether_answers_were_sampled_is_held_against_the_runs(small: Small, tmp_path: Path) -> None:
    warm = run(tmp_path, "Warm", "--tasks", "mini_chat_en", "--limit", 4, "--gen_kwargs", "temperature=0.7")
    html = render([warm], BoardOptions(title="Checked")).html
    assert checked(tmp_path, html, [warm]).findings == ()
    path = tmp_path / "page.html"
    page = read_page(path)
    data = page.data()
    (row,) = data.board.runs
    flags = tuple(flag for flag in row.red_flags if flag.kind != "sampled")
    assert len(flags) < len(row.red_flags)
    forged_board = msgspec.structs.replace(data.board, runs=(msgspec.structs.replace(row, red_flags=flags),))
    forged_html = render_board(replace(data, board=forged_board), page.seal.page).html
    assert checked(tmp_path, forged_html, [warm]).findings


def test_what_no_browser_reads_is_small(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(small.html, encoding="utf-8")
    parts = read_page(path).parts
    assert {"board", "rest", "messages", "samples-0", RESULTS, SEAL} <= {*parts}
    assert len(Part(RESULTS, parts[RESULTS]).text) < 0.2 * len(parts[RESULTS])
    assert msgspec.convert(json.loads(parts[RESULTS]), Evidence).runs[0].result.estimates
