"""The collection in Chromium: a coordinator's whole way, six languages on wide and narrow screens, hostile answers."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import collection
import pytest
import yaml
from browsing import OpenPage, assert_accessible, assert_nothing_ran, watched_pages
from commands import Ran, command_line, run_apart
from payloads import PAYLOADS
from studies import ANSWERS, PROMPTS, write_study

pytestmark = pytest.mark.browser

LANGUAGES = tuple(PROMPTS)


def evalsuite(*arguments: object) -> Ran:
    """A command that goes well in a process of its own, as a coordinator runs it."""
    ran = run_apart(*arguments)
    assert ran.code == 0, ran.err
    return ran


class Server:
    """``evalsuite annotate serve`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = collection.free_port()
        self.folder = folder
        self.start()

    def start(self) -> None:
        command = command_line("annotate", "serve", self.folder, "--port", self.port)
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/favicon.ico", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def link(self, name: str) -> str:
        links = dict(line.split("\t") for line in (self.folder / "links.tsv").read_text().splitlines())
        return f"http://127.0.0.1:{self.port}/join/{links[name].rpartition('/')[2]}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Makes a study by command and serves it."""
    servers: list[Server] = []

    def start(**keys: Any) -> Server:
        path = write_study(tmp_path, **keys)
        evalsuite("annotate", "new", path, "--output", tmp_path / "made")
        servers.append(Server(tmp_path / "made"))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Opens pages; at the end nothing was said on a console, nothing ran, nothing was asked of other hosts."""
    with watched_pages(browser, is_ours, timeout_ms=60_000, takes_dialogs=True) as open_one:
        yield open_one


def is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "file:", "blob:", "data:"))


def begin(page: Any, server: Server, name: str) -> None:
    page.goto(server.link(name))
    with page.expect_navigation():  # until the scripts are there too, for keys pressed before them say nothing
        page.click("button.main")
    page.wait_for_selector("#ballot")


def progress(page: Any) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", page.locator(".progress span").first.inner_text())]


def vote_by_keys(page: Any, *keys: str) -> None:
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])


# -- the coordinator's way


def test_from_two_runs_to_a_report(tmp_path: Path, browser: Any, open_page: OpenPage) -> None:
    """Two runs, a study, three raters in three languages by keys and mouse, undo, close, resume, packet, export."""
    for name in ("scripted", "recorded"):
        tasks = ["mini_chat_en", "mini_chat_ar", "mini_chat_hi"]
        arguments = ["--model", "scripted"] if name == "scripted" else recorded_answers(tmp_path)
        evalsuite("run", *arguments, "--tasks", *tasks, "--output_path", tmp_path / name, "--limit", "24")
    runs = {name: str(next((tmp_path / name).iterdir())) for name in ("scripted", "recorded")}
    raters = [{"name": "Ana", "languages": ["en"]}, {"name": "Nour", "languages": ["ar"]},
              {"name": "Ravi", "languages": ["hi"]}, {"name": "Away", "languages": ["en"]}]  # fmt: skip
    study = {"study": "runs", "systems": runs, "raters": raters, "overlap": 2, "repeats": 0.0, "limit": 7}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    made = tmp_path / "made"
    evalsuite("annotate", "new", tmp_path / "study.yaml", "--output", made)
    server = Server(made)
    try:
        ana, nour, ravi = open_page(), open_page(), open_page(390, 844)
        begin(ana, server, "Ana")
        total = progress(ana)[1]
        assert total == 7
        vote_by_keys(ana, "1", "4", "2", "Enter")
        vote_by_keys(ana, "ArrowRight", "2", "3", "Enter")
        assert progress(ana) == [2, 7]
        with ana.expect_navigation():
            ana.keyboard.press("u")
        assert ana.locator("input:checked").count() == 3
        assert ana.locator("input[name=choice]:checked").input_value() == "right"
        assert progress(ana) == [1, 7]
        vote_by_keys(ana, "ArrowLeft", "Enter")
        # the window is closed, the server dies, and both come back
        place = ana.locator("#ballot").get_attribute("action")
        ana.context.close()
        server.kill()
        server.start()
        again = open_page()
        begin(again, server, "Ana")
        assert again.locator("#ballot").get_attribute("action") == place
        assert progress(again) == [2, 7]
        while again.locator("#ballot").count():
            vote_by_keys(again, "3", "4", "4", "Enter")
        begin(nour, server, "Nour")
        assert nour.locator("html").get_attribute("dir") == "rtl"
        for choice in ("left", "tie_bad"):
            vote_by_mouse(nour, choice)
        begin(ravi, server, "Ravi")
        vote_by_mouse(ravi, "right")
        ravi.locator("details.skip summary").click()
        ravi.locator("textarea").fill("समझ नहीं आया")
        ravi.locator("button[value=skip]").click()
        ravi.wait_for_url("**/?saved=1")
        offline = answer_packet(made, open_page)
    finally:
        server.kill()
    assert '"saved": 3' in evalsuite("annotate", "import", made, offline, "--json").out
    evalsuite("annotate", "close", made)
    status = evalsuite("annotate", "status", made, "--json").json
    assert {rater["name"]: (rater["votes"], rater["skips"]) for rater in status["raters"]} == {
        "Ana": (7, 0), "Nour": (2, 0), "Ravi": (1, 1), "Away": (3, 0)}  # fmt: skip
    evalsuite("annotate", "export", made)
    rates = evalsuite("prefer", "win-rates", made / "votes.jsonl", "--format", "votes", "--json").json
    by_language = {rate["language"]: rate["num_votes"] for rate in rates["results"] if rate["scope"] == "language"}
    assert by_language == {"en": 10, "ar": 2, "hi": 1}
    evalsuite("prefer", "report", made / "votes.jsonl", "--format", "votes", "--output", tmp_path / "report")
    report = open_page()
    report.goto((tmp_path / "report" / "preference.html").as_uri())
    report.locator("#main", has_text="people").wait_for()
    told = re.sub("[\u2066-\u2069]", "", report.locator("body").inner_text())
    assert "13 votes of 4 people" in told
    assert all(name in told for name in ("scripted", "recorded"))
    votes = [json.loads(line) for line in (made / "votes.jsonl").read_text().splitlines()[1:]]
    assert {vote["system_left"] for vote in votes} <= {"scripted", "recorded"}
    assert all(vote["seconds"] is not None and vote["layout"] for vote in votes if not vote["withdrawn"])
    assert {vote["layout"] for vote in votes if vote["language"] == "hi"} == {"stacked"}


def recorded_answers(folder: Path) -> list[object]:
    """A second model, whose answers stand in a file."""
    rows = [
        {"sample_id": f"mini_chat_{code}:test:{row}", "texts": [ANSWERS[code], PROMPTS[code]]}
        for code in ("en", "ar", "hi")
        for row in range(30)
    ]
    path = folder / "recorded.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["--model", "recorded", "--model_args", f"path={path}"]


def vote_by_mouse(page: Any, choice: str) -> None:
    page.locator(f"label.option:has(input[name=choice][value={choice}])").click()
    for side, level in (("left", "good"), ("right", "flawed")):
        page.locator(f"label.option:has(input[name=quality_{side}][value={level}])").click()
    with page.expect_navigation():
        page.locator("button[value=vote]").click()


def answer_packet(made: Path, open_page: OpenPage) -> Path:
    """Three pairs of a packet, answered without a network and over a closed window, saved to a file."""
    found = evalsuite("annotate", "packets", made, "--rater", "Away", "--count", "3", "--json").json
    page = open_page(offline=True, accept_downloads=True)
    page.goto(Path(found["packets"][0]["path"]).as_uri())
    for keys in (("1", "4", "2", "Enter"), ("4", "1", "1", "Enter")):
        for key in keys:
            page.keyboard.press(key)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    assert re.findall(r"\d+", page.locator("#left").inner_text()) == ["1"]
    page.keyboard.press("u")
    assert page.locator("form.ballot:visible input[name=choice]:checked").input_value() == "tie_bad"
    page.locator("#next").click()
    for key in ("ArrowRight", "1", "4", "Enter"):
        page.keyboard.press(key)
    with page.expect_download() as download:
        page.click("#save")
    path = made / "came-back.json"
    download.value.save_as(path)
    assert page.locator("#unsaved").inner_text() == ""
    return path


def test_two_windows_of_one_packet_lose_nothing(serve: Serve, open_page: OpenPage) -> None:
    server = serve(num_prompts=6, raters=[RATERS[0]])
    found = evalsuite("annotate", "packets", server.folder, "--json").json
    first = open_page(offline=True, accept_downloads=True)
    second = first.context.new_page()
    for page in (first, second):
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(Path(found["packets"][0]["path"]).as_uri())
    for _ in range(4):
        for key in ("1", "4", "2", "Enter"):
            first.keyboard.press(key)
    second.locator("#next").click()
    for _ in range(4):
        second.locator("#next").click(force=True) if second.locator("#next").is_enabled() else None
    for key in ("2", "1", "4", "Enter"):
        second.keyboard.press(key)
    first.close(run_before_unload=False)
    # windows hear of one another a moment later
    second.wait_for_function("() => (document.getElementById('left').innerText.match(/\\d+/g) || []).join() === '1'")
    with second.expect_download() as download:
        second.click("#save")
    answers = json.loads(Path(download.value.path()).read_text())["answers"]
    assert sorted(answer["choice"] for answer in answers) == ["left"] * 4 + ["right"]


def test_the_same_keys_say_the_same_when_a_pair_is_answered_again(serve: Serve, open_page: OpenPage) -> None:
    server = serve(num_prompts=3, raters=[RATERS[0]])
    page = open_page()
    begin(page, server, "en")
    vote_by_keys(page, "1", "4", "2", "Enter")
    with page.expect_navigation():
        page.keyboard.press("u")
    for key in ("1", "4", "2"):
        page.keyboard.press(key)
    said = [
        page.locator(f"input[name={name}]:checked").input_value()
        for name in ("choice", "quality_left", "quality_right")
    ]
    assert said == ["left", "good", "flawed"]
    page.keyboard.press("3")  # all is said: nothing changes until Backspace goes back
    assert page.locator("input[name=choice]:checked").input_value() == "left"
    page.keyboard.press("Backspace")
    page.keyboard.press("1")
    assert page.locator("input[name=quality_right]:checked").input_value() == "unusable"


def test_going_on_in_a_packet_without_the_button_answers_all_the_same(serve: Serve, open_page: OpenPage) -> None:
    server = serve(num_prompts=3, raters=[RATERS[0]])
    found = evalsuite("annotate", "packets", server.folder, "--json").json
    page = open_page(offline=True, accept_downloads=True)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(Path(found["packets"][0]["path"]).as_uri())
    for key in ("1", "4", "2"):
        page.keyboard.press(key)
    page.locator("#next").click()
    page.keyboard.press("2")  # half an answer is none
    page.locator("#previous").click()
    page.keyboard.press("2")
    with page.expect_download() as download:
        page.click("#save")
    (answer,) = json.loads(Path(download.value.path()).read_text())["answers"]
    assert (answer["choice"], answer["quality_left"], answer["number"]) == ("right", "good", 2)


# -- six languages


RATERS = [{"name": code, "languages": [code], "interface": code} for code in LANGUAGES]


@pytest.mark.parametrize("width", [1280, 390, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_in_six_languages(serve: Serve, open_page: OpenPage, tmp_path: Path, width: int, scheme: str) -> None:
    """Left is left, right is right, nothing sticks out, targets are large enough, and axe finds nothing."""
    if scheme == "dark" and width == 360:
        pytest.skip("seen at 390")
    server = serve(languages=LANGUAGES, num_prompts=2, raters=RATERS)
    for code in LANGUAGES:
        page = open_page(width, 900, color_scheme=scheme, bypass_csp=True)
        page.goto(server.link(code))
        shot(page, tmp_path, f"{code}-{width}-{scheme}-welcome")
        check_page(page, code)
        page.click("button.main")
        page.wait_for_selector("#ballot")
        page.keyboard.press("1")
        page.locator("details.keys summary").click()
        shot(page, tmp_path, f"{code}-{width}-{scheme}-vote")
        check_page(page, code)
        check_sides(page, width)
        check_targets(page)
        page.goto(server.link(code).partition("/join")[0] + "/mine")
        check_page(page, code)


def shot(page: Any, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def check_page(page: Any, code: str) -> None:
    html = page.locator("html")
    assert html.get_attribute("lang") == code
    assert html.get_attribute("dir") == ("rtl" if code == "ar" else "ltr")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it sticks out"
    assert_accessible(page)


def check_sides(page: Any, width: int) -> None:
    left, right = (page.locator(f".answer[data-side={side}]").bounding_box() for side in ("left", "right"))
    options = [page.locator(f"label.option:has([name=choice][value={value}])").bounding_box()
               for value in ("left", "right", "tie_good", "tie_bad")]  # fmt: skip
    assert options[0]["x"] < options[1]["x"]
    if width > 768:
        assert left["x"] + left["width"] <= right["x"]
        assert abs(left["width"] - right["width"]) < 2
        assert [box["x"] for box in options] == sorted(box["x"] for box in options)
    else:
        assert left["y"] + left["height"] <= right["y"]
    texts = page.locator(".answer .text p").all()
    assert all(text.bounding_box()["height"] > 15 for text in texts)


def check_targets(page: Any) -> None:
    for target in page.locator("label.option:visible, button:visible, summary:visible").all():
        assert target.bounding_box()["height"] >= 40


def test_keys_stand_for_what_is_seen_there_in_arabic_too(serve: Serve, open_page: OpenPage) -> None:
    server = serve(languages=("ar", "en"), num_prompts=4, raters=[RATERS[0], RATERS[3]])
    for code in ("ar", "en"):
        page = open_page()
        begin(page, server, code)
        boxes = {value: page.locator(f"label.option:has([name=choice][value={value}])").bounding_box()["x"]
                 for value in ("left", "right", "tie_good", "tie_bad")}  # fmt: skip
        from_left = sorted(boxes, key=lambda value: boxes[value])
        for place, value in enumerate(from_left, 1):
            for _ in range(3):
                page.keyboard.press("Backspace")
            page.keyboard.press(str(place))
            assert page.locator("[name=choice]:checked").input_value() == value
        page.keyboard.press("ArrowLeft")
        assert page.locator("[name=choice]:checked").input_value() == "left"
        page.keyboard.press("ArrowRight")
        assert page.locator("[name=choice]:checked").input_value() == "right"
        page.keyboard.press("3")  # a level: there an arrow moves the level
        page.keyboard.press("ArrowLeft")
        assert page.locator("[name=choice]:checked").input_value() == "right"
        assert page.locator("[name=quality_left]:checked").input_value() in ("flawed", "good")


def test_everything_works_without_scripts(serve: Serve, open_page: OpenPage) -> None:
    server = serve(languages=("hi",), num_prompts=3, raters=[RATERS[5]])
    page = open_page(java_script_enabled=False)
    page.goto(server.link("hi"))
    page.click("button.main")
    for choice in ("left", "tie_good"):
        page.locator(f"input[name=choice][value={choice}]").check()
        page.locator("input[name=quality_left][value=good]").check()
        page.locator("input[name=quality_right][value=unusable]").check()
        page.locator("button[value=vote]").click()
        page.wait_for_url("**/?saved=1")
    page.locator("#undo button").click()
    assert page.locator("input[name=choice][value=tie_good]").is_checked()
    page.locator("details.skip summary").click()
    page.locator("button[value=skip]").click()
    assert progress_text(page) == "3 में से 2"
    page.context.close()


def progress_text(page: Any) -> str:
    return str(page.locator(".progress span").first.text_content())


# -- hostile answers


def test_payloads_in_answers_do_nothing(serve: Serve, open_page: OpenPage) -> None:
    """Prompts and answers are payloads; every page and a packet are looked at, links clicked, panes hovered."""
    texts = {f"en-{number}": payload for number, payload in enumerate(PAYLOADS)}
    nested = {name: f"- {text}\n\n> {text}" for name, text in texts.items()}
    server = serve(num_prompts=len(PAYLOADS), raters=[RATERS[0]], answers={"one": texts, "two": nested})
    page = open_page()
    begin(page, server, "en")
    seen = 0
    while page.locator("#ballot").count():
        page.locator(".pane").first.hover()
        assert page.locator(".pane script, .pane img, .pane a, .pane iframe, .pane [onerror], .pane svg").count() == 0
        assert_nothing_ran(page)
        vote_by_keys(page, "1", "1", "1", "Enter")
        seen += 1
    assert seen == len(PAYLOADS), page.url + page.locator("body").inner_text()[:300]
    page.goto(server.link("en").partition("/join")[0] + "/mine")
    assert page.locator("li").count() == seen


def test_payloads_do_nothing_even_where_the_policy_is_off_or_nothing_is_escaped(
    serve: Serve, browser: Any, tmp_path: Path
) -> None:
    """Escaping must hold without the policy, and the policy without the escaping."""
    texts = {f"en-{number}": payload for number, payload in enumerate(PAYLOADS)}
    server = serve(num_prompts=len(PAYLOADS), raters=[RATERS[0]], answers={"one": texts, "two": texts})
    found = evalsuite("annotate", "packets", server.folder, "--count", "99", "--json").json
    packet = Path(found["packets"][0]["path"])
    html = packet.read_text(encoding="utf-8")
    policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>', html)
    assert policy
    raw = "".join(f"<section>{payload}</section>" for payload in PAYLOADS)
    for name, content in {
        "plain": html,
        "no-policy": html.replace(policy.group(), ""),
        "no-escaping": html.replace("<main>", f"<main>{raw}"),
    }.items():
        path = tmp_path / f"{name}.html"
        path.write_text(content, encoding="utf-8")
        with watched_pages(browser, lambda url: url.startswith(("file:", "data:")), may_speak=True) as open_one:
            page = open_one()
            page.goto(path.as_uri())
            page.wait_for_timeout(300)
