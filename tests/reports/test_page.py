"""The page as a file: its bytes, its policy, what stands in it for readers without scripts, and the command."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import scripted_runs
from browsing import ATTACK
from evalsuite.reports.leaderboard import render
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.boards.building import BoardOptions
from evalsuite.canonical import canonical_json
from evalsuite.cli.main import main

EN, AR = Part("qa_en", "qa", "en", value=0.4), Part("qa_ar", "qa", "ar", value=0.2)
HOSTILE = ATTACK + "<!--\u2028&lt;"


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


def html_of(*runs: Path, title: str = "t", **options: Any) -> str:
    return str(render(runs, BoardOptions(title=title), **options).html)


@pytest.fixture
def hostile_page(tmp_path: Path) -> str:
    part = Part("qa_en", "qa", "en", metric="<b>m", protocol="<i>p", signature="<s>|x")
    records = [
        choice_record("qa_en:test:0", "en", HOSTILE, (HOSTILE, "b")),
        text_record("qa_en:test:1", "en", HOSTILE, [HOSTILE]),
    ]
    run = write_run(tmp_path, HOSTILE, [part], records, flags={HOSTILE: 1}, identity={"function": HOSTILE})
    return html_of(run, title=HOSTILE)


def test_same_runs_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, name, [EN, AR], means=[[EN, AR]]) for name in ("b", "A", "c")]
    page = html_of(*runs)
    assert page == html_of(*runs[::-1]) == html_of(*runs, runs[0])
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
    script = elements.raw["script"][-1]

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


def test_hostile_words_are_inert(hostile_page: str) -> None:
    elements = Elements(hostile_page)
    kinds = [attributes.get("type") for attributes in elements.attributes("script")]
    assert kinds == ["application/octet-stream"] * (len(kinds) - 1) + [None]
    assert "<img" not in hostile_page
    assert "\u202e" not in hostile_page
    assert "⟨U+202E⟩" in hostile_page
    for data in elements.raw["script"][:-1]:
        assert set(data) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    hostile_page.encode("utf-8")


def test_what_stands_in_link_previews_and_for_search_engines(tmp_path: Path) -> None:
    run = write_run(tmp_path, "m", [EN])
    plain = html_of(run)
    assert 'property="og:' not in plain
    assert 'rel="canonical"' not in plain
    page = render([run], BoardOptions(title="T & U"), base_url="https://example.org/b/", is_indexed=True)
    metas = Elements(page.html).attributes("meta")
    assert {"property": "og:image", "content": "https://example.org/b/card.png"} in metas
    assert {"property": "og:title", "content": "T & U"} in metas
    assert not any(meta.get("name") == "robots" for meta in metas)
    card = page.beside["card.png"]
    assert card.startswith(b"\x89PNG")
    assert (int.from_bytes(card[16:20], "big"), int.from_bytes(card[20:24], "big")) == (1200, 630)
    assert render([run], BoardOptions(title="T & U"), base_url="https://example.org/b/").beside["card.png"] == card


def test_a_large_page_is_a_folder(tmp_path: Path) -> None:
    records = [text_record("qa_en:test:0", "en", "prompt " * 50, ["answer"])]
    run = write_run(tmp_path, "m", [Part("qa_en", "qa", "en", n=1)], records)
    page = render([run], BoardOptions(), max_bytes=100)
    (name,) = page.beside
    assert re.fullmatch(r"data/samples-0-[0-9a-f]{12}\.js", name)
    assert page.beside[name].startswith(f'evalsuiteData("{Path(name).stem}","'.encode())
    assert "samples-0" not in page.html
    whole = render([run], BoardOptions())
    assert whole.beside == {}
    assert 'id="data-samples-0"' in whole.html


def test_without_texts_counts_stay(tmp_path: Path) -> None:
    records = [text_record("qa_en:test:0", "en", "SECRET prompt", ["SECRET answer"], target="SECRET")]
    run = write_run(tmp_path, "m", [Part("qa_en", "qa", "en", n=1)], records)
    from evalsuite.boards.loading import load_runs
    from evalsuite.boards.sample_views import samples_of

    found = samples_of(load_runs([run]), "qa_en", kept="none")
    assert found.prompts == ()
    assert found.samples[0].target == ""
    (answer,) = found.answers[0]
    assert answer is not None
    assert dict(answer.counts) == {"acc": (1.0, 1.0)}
    right_only = samples_of(load_runs([run]), "qa_en", kept="failures")
    assert right_only.prompts == ()


# -- the command


def test_the_report_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = scripted_runs.run(tmp_path / "runs", "m", "--tasks", "mini_choice_en")
    told = ["report", str(tmp_path / "runs"), "-o", str(tmp_path / "page.html"), "--title", "Mine & yours"]
    assert main(told) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<bdi>Mine &amp; yours</bdi>" in page
    assert "1 run in " in capsys.readouterr().out
    results = json.loads((sealed / "results.json").read_bytes())
    results["estimates"][0]["value"] += 0.01
    (sealed / "results.json").write_text(canonical_json(results) + "\n", encoding="ascii")
    assert main(told) == 3
    assert "was changed after it was sealed: 1 of its numbers" in capsys.readouterr().err
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page


def test_published_figures_alone_are_a_page(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("model,score\na,7.10\n", encoding="utf-8")
    page = tmp_path / "page.html"
    assert main(["report", "--published", str(tmp_path / "table.csv"), "-o", str(page)]) == 0
    assert page.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "nothing to show"),
        (["--votes", "absent.json", "--max_mb", "0"], "--max_mb 0"),
        (["--votes", "absent.json", "--base_url", "example.org"], "--base_url example.org"),
        (["--published", "absent.csv"], "absent.csv"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", *options]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
