"""The page as text: complete, honest, deterministic, and inert."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest
from evalsuite.reports import _format, board
from evalsuite.reports._runs import load_runs
from evalsuite.reports.leaderboard import render
from evalsuite.reports.provenance import repeat_command
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.cli.main import main
from evalsuite.store.results import read_results

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script><!--\u2028\u202e\ud83d&lt;"
EN, AR = Part("qa_en", "qa", "en", value=0.4), Part("qa_ar", "qa", "ar", value=0.2)


class Elements(HTMLParser):
    """All start tags with their attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style"):
            self.raw.setdefault(self._open, []).append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def hostile_page(tmp_path: Path) -> str:
    part = Part("qa_en", "qa", "en", metric="<b>m", protocol="<i>p", signature="<s>|x")
    records = [
        choice_record("qa_en:test:0", "en", HOSTILE, (HOSTILE, "b")),
        text_record("qa_en:test:1", "en", HOSTILE, [HOSTILE]),
    ]
    run = write_run(tmp_path, HOSTILE, [part], records, flags={HOSTILE: 1}, identity={"function": HOSTILE})
    return render([run], HOSTILE)


def cells(page: str) -> list[str]:
    return re.findall(r'<td class="cell">(.*?)</td>', page, re.DOTALL)


def sample_data(page: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Elements(page).raw["script"][0])
    return found


# -- the document


def test_same_runs_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, name, [EN, AR], means=[[EN, AR]]) for name in ("b", "A", "c")]
    page = render(runs, "t")
    assert page == render(runs[::-1], "t") == render([*runs, runs[0]], "t")
    assert page.encode("utf-8")


def test_no_address_outside_the_page(hostile_page: str) -> None:
    for tag, attributes in Elements(hostile_page).tags:
        assert tag not in {"img", "iframe", "object", "embed", "form", "base", "audio", "video", "frame"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            if name in ("src", "href", "action", "srcset", "data", "poster"):
                assert value == "data:," or (value or "").startswith("#"), (tag, value)
    sheet = "".join(Elements(hostile_page).raw["style"])
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_policy_allows_exactly_the_pages_own_script_and_style(hostile_page: str) -> None:
    elements = Elements(hostile_page)
    (policy,) = [
        meta["content"] or "" for meta in elements.attributes("meta") if meta.get("http-equiv") is not None
    ]  # fmt: skip
    (style,) = elements.raw["style"]
    _, script = elements.raw["script"]

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {digest(style)}",
        f"script-src {digest(script)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert {"name": "robots", "content": "noindex"} in elements.attributes("meta")


def test_our_script_parses_no_html(hostile_page: str) -> None:
    script = Elements(hostile_page).raw["script"][1]
    for banned in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "fetch("):
        assert banned not in script


def test_hostile_words_are_inert(hostile_page: str) -> None:
    elements = Elements(hostile_page)
    assert len(elements.attributes("script")) == 2
    assert [name for name, _ in elements.tags if name in ("img", "b", "i", "s")].count("img") == 0
    assert "<img" not in hostile_page
    assert "\u202e" not in hostile_page
    assert "⟨U+202E⟩" in hostile_page
    hostile_page.encode("utf-8")


def test_hostile_samples_come_through_unchanged(hostile_page: str) -> None:
    views = sample_data(hostile_page)["samples"]
    assert isinstance(views, list)
    assert views[0]["exchanges"][0]["prompt"] == HOSTILE
    assert views[1]["exchanges"][0]["reply"]["text"] == HOSTILE
    raw = Elements(hostile_page).raw["script"][0]
    assert raw.isascii()
    assert not set("<>&") & set(raw)


# -- the leaderboard


def test_every_value_has_n_and_interval_and_rows_are_by_name(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, "zeta", [EN, AR], means=[[EN, AR]]),
        write_run(tmp_path, "Alpha", [EN, Part("solo", "solo", "en", interval=None)]),
    ]
    page = render(runs, "t")
    values = [cell for cell in cells(page) if 'class="value"' in cell]
    assert values
    for cell in values:
        assert re.search(r'class="n">n \d+', cell)
        assert re.search(r'class="interval">([−\d.]+ – [−\d.]+|no interval)<', cell)
    assert re.findall(r"<bdi>(.*?)</bdi>", page.partition('id="languages"')[0]) == ["Alpha", "zeta"]


def test_a_family_is_its_mean_or_else_its_tasks(tmp_path: Path) -> None:
    runs = load_runs([
        write_run(tmp_path, "whole", [EN, AR], means=[[EN, AR]]),
        write_run(tmp_path, "half", [EN]),
    ])  # fmt: skip
    built = board.build_board(runs)
    assert [(head.title, head.scope) for head in built.heads] == [("qa", "macro mean of 2 tasks"), ("qa_en", "")]
    assert built.heads[0].members == "en, ar"
    half, whole = built.rows
    assert half.cells[0] is None
    assert whole.cells[1] is None
    assert whole.cells[0] is not None
    assert whole.cells[0].value == "30.0"
    assert '<td class="none"></td>' in render([run.path for run in runs], "t")


@pytest.mark.parametrize(
    "other",
    [
        Part("qa_en", "qa", "en", protocol="p2"),
        Part("qa_en", "qa", "en", signature="v2"),
        Part("qa_en", "qa", "en", metric="acc2"),
    ],
)
def test_what_does_not_compare_never_shares_a_column(tmp_path: Path, other: Part) -> None:
    built = board.build_board(load_runs([write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [other])]))
    assert len(built.heads) == 2
    assert [[cell is not None for cell in row.cells] for row in built.rows] in (
        [[True, False], [False, True]],
        [[False, True], [True, False]],
    )


def test_exemplar_counts_never_share_a_column(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [EN], num_fewshot=5)]
    assert [head.rules for head in board.build_board(load_runs(runs)).heads] == ["p1, 0-shot", "p1, 5-shot"]


def test_other_data_is_another_column_and_says_so(tmp_path: Path) -> None:
    runs = load_runs([write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [EN], fingerprint="e" * 64)])
    rules = [head.rules for head in board.build_board(runs).heads]
    assert len({*rules}) == 2
    assert all(re.fullmatch(r"p1, 0-shot, data [0-9a-f]{8}", rule) for rule in rules)


def test_unscored_samples_show_worst_and_best_case(tmp_path: Path) -> None:
    holed = Part("qa_en", "qa", "en", value=0.4, n=16, num_unscored=4, case=(0.32, 0.52))
    run = load_runs([write_run(tmp_path, "m", [holed, AR], means=[[holed, AR]])])[0]
    assert [badge.label for badge in run.badges] == ["incomplete"]
    assert run.badges[0].detail == "4 unscored (timeout 4) of 40 samples"
    (cell,) = board.build_board([run]).rows[0].cells
    assert cell is not None
    assert cell.warnings == ("4 unscored: 26.0 worst, 36.0 best case",)
    assert cell.whisker is not None
    assert cell.whisker.worst is not None


def test_unknown_cases_are_said_to_be_unknown(tmp_path: Path) -> None:
    holed = Part("qa_en", "qa", "en", n=16, num_unscored=4)
    (cell,) = board.build_board(load_runs([write_run(tmp_path, "m", [holed])])).rows[0].cells
    assert cell is not None
    assert cell.warnings == ("4 unscored: worst and best case unknown",)


def test_a_task_without_any_score_is_a_hole_and_not_an_empty_cell(tmp_path: Path) -> None:
    lost = Part("qa_en", "qa", "en", n=0, num_unscored=20)
    built = board.build_board(load_runs([write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [lost])]))
    cell = built.rows[1].cells[0]
    assert cell is not None
    assert (cell.value, cell.warnings) == ("", ("no value: 20 unscored (timeout 20)",))


def test_a_mean_names_the_tasks_it_lacks(tmp_path: Path) -> None:
    lost = Part("qa_hi", "qa", "hi", n=0, num_unscored=20)
    (cell,) = board.build_board(load_runs([write_run(tmp_path, "m", [EN, AR, lost], means=[[EN, AR]])])).rows[0].cells
    assert cell is not None
    assert cell.warnings == ("without hi: no score there",)


def test_a_limited_run_is_called_a_partial_sample(tmp_path: Path) -> None:
    page = render([write_run(tmp_path, "m", [EN], limit=20)], "t")
    assert "partial sample</span>" in page
    assert "20 samples of each family, stratified" in page
    assert "partial sample</span>" not in render([write_run(tmp_path, "m", [EN])], "t")


# -- numbers and words


@pytest.mark.parametrize(
    ("interval", "value", "shown"),
    [
        ((0.1, 0.9), "50.0", "10.0 – 90.0"),
        ((0.495, 0.505), "50.0", "49.5 – 50.5"),
        ((0.496, 0.504), "50.00", "49.60 – 50.40"),
        (None, "50.0", "no interval"),
    ],
)
def test_decimals_follow_the_interval(
    tmp_path: Path, interval: tuple[float, float] | None, value: str, shown: str
) -> None:
    run = write_run(tmp_path, "m", [Part("qa_en", "qa", "en", interval=interval)])
    (cell,) = board.build_board(load_runs([run])).rows[0].cells
    assert cell is not None
    assert (cell.value, cell.interval) == (value, shown)


def test_numbers_for_people() -> None:
    assert [_format.number(value, 1) for value in (-0.04, -2.5, 0.0)] == ["0.0", "−2.5", "0.0"]


def test_unseen_characters_are_spelt_out_and_joiners_stay() -> None:
    assert _format.visible("a\u202eb\x07\ud800\U000e0041\r\n") == "a⟨U+202E⟩b⟨U+0007⟩⟨U+D800⟩⟨U+E0041⟩⟨U+000D⟩\n"
    assert _format.visible("क\u094d\u200dष می\u200cخواهم") == "क\u094d\u200dष می\u200cخواهم"


def test_an_axis_covers_what_it_shows(tmp_path: Path) -> None:
    parts = [Part("mt_a", "mt", "en", value=31.0, interval=(-4.0, 66.0), scale=1.0)]
    measures = read_results(write_run(tmp_path, "m", parts)).estimates
    assert _format.axis_of(measures) == (-5.0, 100.0)


# -- provenance, through the command line


def test_the_command_shown_gives_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["--model", "scripted", "--tasks", "mini_choice_hi", "mini_chat_ar", "--limit", "4", "--seed", "7"]
    asked += ["--gen_kwargs", "temperature=0.5,max_tokens=9", "--system_instruction", "Say 'yes'; $HOME"]
    assert main(["run", *asked, "--output_path", "first"]) == 0
    (first,) = Path("first").iterdir()
    spec = read_results(first).spec
    program, *arguments = shlex.split(repeat_command(spec).replace("\\\n", ""))
    assert program == "evalsuite"
    assert main([*arguments, "--output_path", "second"]) == 0
    assert [path.name for path in Path("second").iterdir()] == [first.name]


def test_the_report_command_writes_the_page(tmp_path: Path) -> None:
    write_run(tmp_path / "runs", "m", [EN])
    assert main(["report", str(tmp_path / "runs"), "-o", str(tmp_path / "page.html"), "--title", "Mine & yours"]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>Mine &amp; yours</h1>" in page
    assert "evalsuite run \\\n  --model scripted" in page
