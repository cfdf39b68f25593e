"""Fifty attacks in every field that can hold one: nothing runs and nothing leaves, thrice over.

As the page is; without its policy, when only text nodes stand between the words and the reader; and with every word
parsed as HTML, when only the policy does. A server on this machine counts what arrives.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from evalsuite.reports.leaderboard import render
from judged_boards import card, rate
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.published_records import PublishedCell, PublishedTable
from evalsuite.types import Flag

pytestmark = pytest.mark.browser

RUN = "window.pwned=1"
PROBE = "/probe"
TEMPLATES = (
    "<script>RUN</script>", "</script><script>RUN</script>", "<img src=x onerror=RUN>", "<img src=URL/img>",
    "<svg onload=RUN>", "<svg><script>RUN</script></svg>",
    "<svg><a xlink:href='javascript:RUN'><text>x</text></a></svg>", "<svg><use href='URL/use.svg#x'/></svg>",
    "<svg><image href='URL/i.png'/></svg>", "<iframe src='javascript:RUN'>",
    "<iframe srcdoc='<script>parent.RUN</script>'>", "<iframe src=URL/frame>", "<object data=URL/object>",
    "<object data='javascript:RUN'>", "<embed src=URL/embed>", "<link rel=stylesheet href=URL/style.css>",
    "<link rel=preload as=image href=URL/preload>", "<link rel=prefetch href=URL/prefetch>",
    "<style>@import 'URL/import';</style>", "<style>body{background:url(URL/background)}</style>",
    "<p style='background:url(URL/inline)'>x</p>", "<base href=URL/>",
    "<form action=URL/form><button autofocus onfocus=RUN>x</button></form>", "<input autofocus onfocus=RUN>",
    "<details open ontoggle=RUN>x</details>", "<video src=URL/video onerror=RUN autoplay>",
    "<audio src=x onerror=RUN autoplay>", "<video poster=URL/poster>",
    "<picture><source srcset=URL/set><img></picture>", "<img srcset='URL/set2 1x'>", "<body onload=RUN>",
    "<marquee onstart=RUN>x</marquee>", "<math href='javascript:RUN'>x</math>",
    "<a href='javascript:RUN' id=views>x</a>", "<template><script>RUN</script></template>",
    "<textarea autofocus onfocus=RUN>", "<select autofocus onfocus=RUN>", "<keygen autofocus onfocus=RUN>",
    "<noscript><p title='</noscript><img src=x onerror=RUN>'>", "<!--<img src='--><img src=x onerror=RUN>'>",
    "<![CDATA[<script>RUN</script>]]>", "</title><script>RUN</script>", "</style><script>RUN</script>",
    "</noscript><script>RUN</script>", "\"><script>RUN</script>", "' onmouseover='RUN' x='", "${RUN}", "{{RUN}}",
    "<img name=getElementById><form id=board><input name=append>", "\u2028<script>RUN</script>\u202e\u0000",
)  # fmt: skip
FORBIDDEN = "img, iframe, object, embed, form, video, audio, base, math, template, marquee, main link, main style"
VIEWS = (
    *("board", "languages", "task&task=qa_en", "samples&task=qa_en", "sample", "compare", "published", "provenance"),
    "judges&open=card0",
)


def test_there_are_fifty() -> None:
    assert len(set(TEMPLATES)) == 50


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[str]]]:
    """An address, and the paths that were asked for there."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing is said."""

    found = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}", asked
    found.shutdown()
    found.server_close()


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory, server: tuple[str, list[str]]) -> str:
    """A page with attacks in every field: each sample has one in all its texts, each run all of them in its names."""
    attacks = [text.replace("RUN", RUN).replace("URL", server[0]) for text in TEMPLATES]
    every = " ".join(attacks)
    folder = tmp_path_factory.mktemp("hostile")
    parts = [Part("qa_en", "qa", "en", metric="acc", protocol=every, signature=every, n=len(attacks)),
             Part(attacks[0], attacks[1], "en", metric=every, protocol=attacks[2], n=3)]  # fmt: skip
    records = []
    for place, attack in enumerate(attacks):
        name = f"qa_en:test:{place}{attack}"
        make = choice_record(name, "en", attack, (attack, every)) if place % 2 else text_record(
            name, "en", attack, [attack, attack], target=attack, flags=[Flag.UNPARSED])  # fmt: skip
        records.append(make)
    runs = [
        write_run(folder, every, parts, records, flags={every: 1}, identity={"function": every, every: every}),
        write_run(folder, attacks[3] + every, parts, records, flags={"capped": 1}, identity={"function": every}),
    ]
    table = PublishedTable(
        title=every, source=every, date=every, unit=every, higher_is_better=True, labels=(every,), columns=(every, "b"),
        rows=((every,),), cells=((PublishedCell(text=every, number=None), None),), notes=(every,),
    )  # fmt: skip
    judge = card(every, every, every, protocol=every, kinds=(rate(0.9, every),), nulls=(rate(0.9, every),))
    return render(runs, BoardOptions(title=every, published=(table,), cards=(judge,))).html


def as_it_is(html: str) -> str:
    return html


def without_policy(html: str) -> str:
    found, times = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert times == 1
    return found


def without_escaping(html: str) -> str:
    """Every string that a script puts into an element is parsed, under the policy with the changed script's hash."""
    start = html.rindex("<script>") + len("<script>")
    script = html[start : html.rindex("</script>")]
    careless = script.replace(
        "element.append(...children.flat(Infinity)",
        'element.append = (...given) => given.forEach((one) => typeof one === "string" ? '
        'element.insertAdjacentHTML("beforeend", one) : Element.prototype.append.call(element, one));\n'
        "  element.append(...children.flat(Infinity)",
    )
    assert careless != script

    def digest(text: str) -> str:
        return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    was = digest(script).replace("+", "&#43;")
    escaped = was if was in html else digest(script)
    assert escaped in html
    return html.replace(script, careless).replace(escaped, digest(careless))


def wait_for_attacks(page: Any, server: str) -> None:
    """Until probes made after the attacks have ended, one as each would run, one as each would leave.

    A policy ends them by an error too; the second is heard by the server where there is none.
    """
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    page.evaluate(
        """addresses => Promise.all(addresses.map((src) => new Promise((ended) => {
          const probe = new Image();
          probe.onload = probe.onerror = ended;
          probe.src = src;
        })))""",
        ["x", server + PROBE],
    )


@pytest.mark.parametrize("change", [as_it_is, without_policy, without_escaping])
def test_nothing_runs_and_nothing_leaves(
    browser: Any, html: str, server: tuple[str, list[str]], change: Any, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(change(html), encoding="utf-8", errors="replace")
    asked = server[1]
    asked.clear()
    said: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.on("dialog", lambda dialog: (said.append("dialog"), dialog.dismiss()))
    for view in VIEWS:
        page = context.new_page()
        page.goto(f"{path.as_uri()}#{view}")
        page.locator("section.view").wait_for(timeout=20_000)
        if view == "sample":
            page.goto(f"{path.as_uri()}#samples&task=qa_en")
            page.locator("#view-samples a[href*='sample']").first.click()
        wait_for_attacks(page, server[0])
        assert page.evaluate("typeof window.pwned") == "undefined", view
        assert page.url.startswith(path.as_uri()), view
        if change is not without_escaping:
            assert page.locator(FORBIDDEN).count() == 0, view
            assert page.evaluate("[...document.querySelectorAll('a[href]')].every((a) => a.href.startsWith('file:'))")
        page.close()
    context.close()
    assert said == []
    assert [path for path in asked if path != PROBE] == []


def test_with_neither_the_attacks_do_run(browser: Any, html: str, tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    path = tmp_path / "page.html"
    path.write_text(without_policy(without_escaping(html)), encoding="utf-8", errors="replace")
    page = browser.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.goto(f"{path.as_uri()}#published")
    page.wait_for_function("() => window.pwned === 1")
    page.close()
