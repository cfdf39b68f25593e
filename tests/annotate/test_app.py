"""The web application over HTTP, without scripts: coming in, voting, changing, and all that it refuses."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from forms import Forms
from starlette.testclient import TestClient
from studies import Made, client_of, joined, make_study

from evalsuite.annotate.guarding import SECURITY_HEADERS, Pace, form_token, is_form_token, is_from_here
from evalsuite.annotate.ledger import Ledger, hash_of
from evalsuite.errors import SaveFailed


@pytest.fixture
def made(tmp_path: Path) -> Made:
    raters = [{"name": "Ana", "languages": ["en"]}, {"name": "Nour", "languages": ["ar"], "interface": "ar"}]
    return make_study(tmp_path, languages=("en", "ar"), raters=raters)


def vote(client: TestClient, page: Any = None, **fields: str) -> Any:
    """Fill in the page's form and send it."""
    found = Forms((page or client.get("/")).text)
    chosen = {"choice": "left", "quality_left": "good", "quality_right": "flawed", "action": "vote"}
    return client.post(found.goes_to("/vote/"), data={**found.of("/vote/"), **chosen, **fields})


def rows(made: Made) -> list[sqlite3.Row]:
    return made.ledger.rows("SELECT * FROM vote ORDER BY id")


# -- coming in


def test_a_link_shows_a_page_in_the_raters_language_and_changes_nothing(made: Made) -> None:
    client = client_of(made)
    page = client.get(f"/join/{made.links['Nour']}")
    assert page.status_code == 200
    assert 'lang="ar" dir="rtl"' in page.text
    assert "set-cookie" not in page.headers
    assert not made.ledger.rows("SELECT * FROM session")
    assert not made.rater("Nour").has_agreed


def test_beginning_sets_a_strict_cookie_of_which_only_the_hash_is_kept(made: Made) -> None:
    client = client_of(made)
    page = client.get(f"/join/{made.links['Ana']}")
    answer = client.post("/join", data=Forms(page.text).of("/join"))
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    token = client.cookies["evalsuite_session"]
    assert [row["hash"] for row in made.ledger.rows("SELECT hash FROM session")] == [hash_of(token)]
    assert made.rater("Ana").has_agreed
    stored = b"".join(path.read_bytes() for path in made.path.glob("study.sqlite*"))
    assert token.encode() not in stored
    assert made.links["Ana"].encode() not in stored


def test_a_cookie_over_tls_is_secure(made: Made) -> None:
    client = client_of(made, is_secure=True)
    assert "Secure" in client.post("/join", data={"link": made.links["Ana"]}).headers["set-cookie"]


def test_a_bad_link_says_so_in_every_language_and_guessing_is_stopped(made: Made) -> None:
    client = client_of(made, bad_links_per_minute=3)
    for number in range(3):
        answer = client.get(f"/join/guess-{number}")
        assert answer.status_code == 404
        assert all(f'lang="{code}"' in answer.text for code in ("en", "zh", "fr", "ar", "es", "hi"))
    assert client.get("/join/guess-4").status_code == 429
    assert client.post("/join", data={"link": "guess"}).status_code == 429
    assert client.get(f"/join/{made.links['Ana']}").status_code == 200, "a class behind one address is not locked out"


def test_nobody_sees_anything_without_a_session(made: Made) -> None:
    client = client_of(made)
    client.cookies.set("evalsuite_session", "made up")
    for path in ("/", "/mine", "/vote/abc"):
        assert client.get(path).status_code == 401
    assert client.post("/undo", data={"assignment": "abc"}).status_code == 401


def test_a_new_link_ends_the_old_one_and_its_sessions(made: Made) -> None:
    client = joined(made, "Ana")
    assert client.get("/").status_code == 200
    with Ledger(made.path) as other:
        new = other.renew_link(other.rater_named("Ana"))
    assert client.get("/").status_code == 401
    assert client.get(f"/join/{made.links['Ana']}").status_code == 404
    assert client.get(f"/join/{new}").status_code == 200


# -- voting


def test_votes_are_on_disk_when_they_are_acknowledged(made: Made) -> None:
    client = joined(made, "Ana")
    answer = vote(client, choice="tie_bad", reason="neither helps", seconds="12.5", seen_left="1", layout="columns")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?saved=1")
    with sqlite3.connect(made.path / "study.sqlite") as other:
        found = other.execute("SELECT choice, quality_left, quality_right, reason, seconds, seen_left, seen_right,"
                              " layout, ui_language, revision, withdrawn FROM vote").fetchall()  # fmt: skip
    assert found == [("tie_bad", "good", "flawed", "neither helps", 12.5, 1, None, "columns", "en", 1, 0)]


def test_all_pairs_come_once_and_then_thanks(made: Made) -> None:
    client = joined(made, "Ana")
    for done in range(4):
        page = client.get("/")
        assert f"{done} of 4" in page.text
        vote(client, page)
    assert "Thank you" in client.get("/").text
    assert len({row["assignment"] for row in rows(made)}) == 4


def test_the_same_page_comes_back_until_it_is_answered(made: Made) -> None:
    client = joined(made, "Ana")
    first = Forms(client.get("/").text).goes_to("/vote/")
    assert Forms(client.get("/").text).goes_to("/vote/") == first
    again = joined(made, "Ana")
    assert Forms(again.get("/").text).goes_to("/vote/") == first


def test_sending_twice_is_one_vote(made: Made) -> None:
    client = joined(made, "Ana")
    page = client.get("/")
    assert [vote(client, page).status_code for _ in range(3)] == [303, 303, 303]
    assert len(rows(made)) == 1


def test_two_windows_that_disagree_are_a_conflict_in_which_the_first_stands(made: Made) -> None:
    client = joined(made, "Ana")
    page = client.get("/")
    vote(client, page, choice="left")
    answer = vote(client, page, choice="right")
    assert answer.status_code == 409
    assert "already answered" in answer.text
    assert Forms(answer.text).of("/vote/")["choice"] == "left"
    assert [row["choice"] for row in rows(made)] == ["left"]
    assert vote(client, answer, choice="right").status_code == 303
    assert [row["choice"] for row in rows(made)] == ["left", "right"]


def test_what_was_changed_since_is_not_called_saved(made: Made) -> None:
    client = joined(made, "Ana")
    page = client.get("/")
    conflict = vote(client, page, choice="left") and vote(client, page, choice="right")
    assert vote(client, conflict, choice="right").status_code == 303
    answer = vote(client, page, choice="left")
    assert answer.status_code == 409
    assert Forms(answer.text).of("/vote/")["choice"] == "right"


def test_taking_back_opens_the_pair_again_with_what_was_said(made: Made) -> None:
    client = joined(made, "Ana")
    first = client.get("/")
    vote(client, first, choice="right", reason="a reason")
    page = client.get("/")
    undo = Forms(page.text).of("/undo")
    assert [client.post("/undo", data=undo).status_code for _ in range(2)] == [303, 303]
    again = client.get("/")
    assert Forms(again.text).goes_to("/vote/") == Forms(first.text).goes_to("/vote/")
    fields = Forms(again.text).of("/vote/")
    assert (fields["choice"], fields["quality_left"], fields["revision"]) == ("right", "good", "3")
    assert "a reason" in again.text
    assert "0 of 4" in again.text
    vote(client, again, choice="left")
    assert [(row["choice"], row["withdrawn"]) for row in rows(made)] == [("right", 0), ("right", 1), ("left", 0)]


def test_an_answer_is_changed_from_the_list(made: Made) -> None:
    client = joined(made, "Ana")
    vote(client)
    vote(client)
    listed = client.get("/mine").text
    assert listed.count("/vote/") == 2
    page = client.get(f"/vote/{rows(made)[0]['assignment']}")
    answer = vote(client, page, choice="tie_good")
    assert (answer.status_code, answer.headers["location"]) == (303, "/mine")
    assert [(row["revision"], row["choice"]) for row in rows(made)] == [(1, "left"), (1, "left"), (2, "tie_good")]
    assert "Both are good" in client.get("/mine").text


def test_skipping_needs_no_choice_and_keeps_the_reason(made: Made) -> None:
    client = joined(made, "Ana")
    answer = vote(client, action="skip", reason="I do not know Peru")
    assert answer.status_code == 303
    (row,) = rows(made)
    assert (row["choice"], row["quality_left"], row["reason"]) == ("skip", "", "I do not know Peru")
    assert "Skipped" in client.get("/mine").text


@pytest.mark.parametrize(
    "wrong",
    [{"choice": ""}, {"choice": "both"}, {"choice": "skip"}, {"quality_left": ""}, {"quality_right": "superb"},
     {"choice": "left' OR 1=1 --"}],
)  # fmt: skip
def test_what_is_incomplete_is_said_and_what_was_chosen_stays(made: Made, wrong: dict[str, str]) -> None:
    client = joined(made, "Ana")
    answer = vote(client, reason="kept", **wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "kept" in answer.text
    fields = Forms(answer.text).of("/vote/")
    kept = {"choice": "left", "quality_left": "good", "quality_right": "flawed", **wrong}
    for name, value in kept.items():
        known = value in Forms(answer.text).options[-1][name]
        assert fields.get(name) == (value if known else None)
    assert not rows(made)


def test_a_study_without_quality_asks_for_none(tmp_path: Path) -> None:
    made = make_study(tmp_path, quality="none")
    client = joined(made, "Ana")
    page = client.get("/")
    assert "quality_left" not in page.text
    assert vote(client, page, quality_left="", quality_right="").status_code == 303
    assert vote(client).status_code == 422  # levels that nobody asked for


def test_a_scale_of_ones_own_is_asked_in_its_words(tmp_path: Path) -> None:
    quality = {"name": "two", "acceptable": "yes", "levels": [
        {"id": "no", "words": {"en": "Not usable"}}, {"id": "yes", "words": {"en": "Usable as it is"}}]}  # fmt: skip
    made = make_study(tmp_path, quality=quality)
    client = joined(made, "Ana")
    page = client.get("/")
    assert page.text.index("Not usable") < page.text.index("Usable as it is")
    assert vote(client, page, quality_left="yes", quality_right="no").status_code == 303


def test_quality_may_be_asked_first_in_half_of_the_pairs(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=40, quality_order="random")
    client, first = joined(made, "Ana"), 0
    for _ in range(40):
        page = client.get("/")
        first += page.text.index('data-name="quality_left"') < page.text.index('data-name="choice"')
        vote(client, page)
    assert 8 <= first <= 32


# -- a study that is closed, a disk that is full


def test_a_closed_study_takes_nothing_but_what_it_has_acknowledged_before(made: Made) -> None:
    client = joined(made, "Ana")
    page, answered = client.get("/"), None
    answered = vote(client, page)
    following = client.get("/")
    made.ledger.close_study()
    assert "closed" in client.get("/").text
    assert "closed" in client.get(f"/vote/{rows(made)[0]['assignment']}").text
    assert vote(client, following).status_code == 403
    assert client.post("/undo", data=Forms(following.text).of("/undo")).status_code == 403
    assert vote(client, page).status_code == answered.status_code == 303
    assert len(rows(made)) == 1
    made.ledger.reopen_study()
    assert vote(client, following).status_code == 303


def test_a_vote_that_cannot_be_saved_stays_on_the_page(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    client = joined(made, "Ana")
    page = client.get("/")

    def full(*_: object) -> None:
        raise SaveFailed("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("evalsuite.annotate.app.cast", full)
        answer = vote(client, page, choice="tie_good", reason="long thoughts")
    assert answer.status_code == 503
    assert "could not be saved" in answer.text
    assert Forms(answer.text).of("/vote/")["choice"] == "tie_good"
    assert "long thoughts" in answer.text
    assert vote(client, answer, choice="tie_good").status_code == 303


def test_a_disk_that_is_really_full_saves_nothing_and_says_so(made: Made) -> None:
    """SQLite's own limit on pages is the same error as the disk's."""
    client = joined(made, "Ana")
    page = client.get("/")
    (pages,) = made.ledger.rows("PRAGMA page_count")
    app_ledger = client.app.state.ledger  # type: ignore[attr-defined]
    app_ledger.rows(f"PRAGMA max_page_count = {pages[0]}")
    answer = vote(client, page, reason="x" * 2000)
    attempts = 1
    while answer.status_code == 303 and attempts < 20:
        answer = vote(client, reason="x" * 2000)
        attempts += 1
    assert answer.status_code == 503
    before = len(rows(made))
    app_ledger.rows("PRAGMA max_page_count = 100000")
    assert vote(client, answer, reason="x" * 2000).status_code == 303
    assert len(rows(made)) == before + 1


# -- what is refused


def test_every_answer_carries_the_security_headers(made: Made) -> None:
    client = joined(made, "Ana")
    for path in (
        "/",
        "/mine",
        "/nothing",
        f"/join/{made.links['Ana']}",
        "/static/annotate.css",
        "/static/../ledger.py",
    ):
        answer = client.get(path)
        for name, value in SECURITY_HEADERS.items():
            expected = "max-age=600" if path == "/static/annotate.css" and name == "Cache-Control" else value
            assert answer.headers[name] == expected, (path, name)


def test_another_name_for_this_host_is_refused(made: Made) -> None:
    client = joined(made, "Ana")
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://["}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-site"}, {"origin": "http://testserver.evil.example"}],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/vote/{}", "/undo", "/join"])
def test_forms_of_other_sites_are_refused(made: Made, headers: dict[str, str], path: str) -> None:
    client = joined(made, "Ana")
    form = Forms(client.get("/").text)
    target = path.format(form.goes_to("/vote/").removeprefix("/vote/"))
    fields = {**form.of("/vote/"), "choice": "left", "quality_left": "good", "quality_right": "good"}
    assert client.post(target, data={**fields, "link": made.links["Ana"]}, headers=headers).status_code == 403
    assert not rows(made)


def test_a_form_of_this_site_says_so(made: Made) -> None:
    client = joined(made, "Ana")
    form = Forms(client.get("/").text)
    fields = {**form.of("/vote/"), "choice": "left", "quality_left": "good", "quality_right": "good"}
    headers = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}
    assert client.post(form.goes_to("/vote/"), data=fields, headers=headers).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "é", "'; DROP TABLE vote; --"])
def test_a_forged_token_is_refused(made: Made, token: str) -> None:
    assert vote(joined(made, "Ana"), form_token=token).status_code == 403
    assert not rows(made)


def test_the_token_of_another_session_is_refused(made: Made) -> None:
    one, other = joined(made, "Ana"), joined(made, "Ana")
    token = Forms(other.get("/").text).of("/vote/")["form_token"]
    assert vote(one, form_token=token).status_code == 403


def test_others_assignments_are_not_there(made: Made) -> None:
    mine, others = joined(made, "Ana"), joined(made, "Nour")
    target = Forms(others.get("/").text).goes_to("/vote/")
    assert mine.get(target).status_code == 404
    fields = {**Forms(mine.get("/").text).of("/vote/"), "choice": "left", "quality_left": "good",
              "quality_right": "good"}  # fmt: skip
    assert mine.post(target, data=fields).status_code == 404
    undo = {"form_token": fields["form_token"], "assignment": target.removeprefix("/vote/"), "revision": "1"}
    assert mine.post("/undo", data=undo).status_code == 404
    assert not rows(made)


SQL = (
    "' OR '1'='1", "'; DROP TABLE vote; --", '" OR ""="', "1 UNION SELECT name, link_hash FROM rater", "%27%20OR%201=1",
    "x' AND (SELECT count(*) FROM rater) > 0 --", "\\'; DELETE FROM vote; --", "NULL", "0 OR 1=1", "admin'--", "\x00",
)  # fmt: skip


@pytest.mark.parametrize("text", SQL)
def test_strings_of_sql_are_strings(made: Made, text: str) -> None:
    client = joined(made, "Ana")
    assert client.get("/join/" + text.replace("/", "").replace("\x00", "%00")).status_code in (404, 429)
    fields = {**Forms(client.get("/").text).of("/vote/"), "choice": "left", "quality_left": "good",
              "quality_right": "good"}  # fmt: skip
    assert client.post("/vote/" + text.replace("/", "").replace("\x00", "%00"), data=fields).status_code == 404
    assert vote(client, choice=text).status_code == 422
    assert vote(client, revision=text).status_code == 409
    assert vote(client, reason=text).status_code == 303
    assert [row["reason"] for row in rows(made)] == [text.strip()]
    assert len(made.ledger.raters()) == 2


def test_votes_faster_than_people_are_asked_to_wait(made: Made) -> None:
    client = joined(made, "Ana", votes_per_minute=2)
    assert [vote(client).status_code for _ in range(3)] == [303, 303, 429]
    assert "wait" in vote(client).text
    assert len(rows(made)) == 2
    client.post("/join", data={"link": made.links["Ana"]})
    assert vote(client).status_code == 429, "another session is the same person"


def test_bodies_that_are_no_forms_or_too_large_are_refused(made: Made) -> None:
    client = joined(made, "Ana")
    path = Forms(client.get("/").text).goes_to("/vote/")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post(path, json={"choice": "left"}).status_code == 415
    assert client.post(path, content=b"a=" + b"x" * 70_000, headers=form).status_code == 413
    assert client.post(path, content=b"a=%ff&b=\xff", headers=form).status_code == 400
    assert client.post(path, content="&".join(f"f{n}=1" for n in range(100)), headers=form).status_code == 400
    assert client.post("/", data={"a": "1"}).status_code == 405
    assert client.get("/undo").status_code == 405


def test_a_reason_as_long_as_a_form_allows_is_kept_to_its_bound(made: Made) -> None:
    assert vote(joined(made, "Ana"), reason="é" * 10_000).status_code == 303
    assert len(rows(made)[0]["reason"]) == 2_000


@pytest.mark.parametrize("told", ["-1", "nan", "inf", "1e99", "soon", ""])
def test_times_that_no_browser_tells_are_unknown(made: Made, told: str) -> None:
    assert vote(joined(made, "Ana"), seconds=told, seen_left="yes", layout="<b>").status_code == 303
    (row,) = rows(made)
    assert (row["seconds"], row["seen_left"], row["layout"]) == (None, None, "")


def test_faults_are_pages_without_details(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"secret of {made.links['Ana']}")

    client = joined(made, "Ana")
    monkeypatch.setattr("evalsuite.annotate.app.next_assignment", broken)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["Content-Security-Policy"] == SECURITY_HEADERS["Content-Security-Policy"]


# -- the guards by themselves


def test_pace_counts_each_key_by_itself() -> None:
    pace = Pace(2)
    for _ in range(2):
        assert not pace.is_too_fast("a")
        pace.note("a")
    assert pace.is_too_fast("a")
    assert not pace.is_too_fast("b")


def test_form_tokens_belong_to_a_session_and_a_study() -> None:
    token = form_token(b"secret", "session")
    assert is_form_token(b"secret", "session", token)
    assert not is_form_token(b"secret", "other", token)
    assert not is_form_token(b"other", "session", token)


def test_requests_of_programs_say_nothing_about_where_they_are_from() -> None:
    assert is_from_here({"host": "h"})
    assert is_from_here({"host": "H:1", "origin": "http://h:1"})
    assert not is_from_here({"host": "h:1", "origin": "http://h:2"})
