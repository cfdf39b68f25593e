"""Nothing that is sent before the votes are exported says who wrote an answer: not a byte, not a size, not a time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forms import Forms
from studies import SYSTEMS, Made, client_of, joined, make_study

from evalsuite.annotate.packets import write_packet
from evalsuite.canonical import content_hash

ALIASES = ("Quuxformer", "glimmerwhale")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    raters = [{"name": "Ana", "languages": ["en"]}, {"name": "Nour", "languages": ["ar"], "interface": "ar"}]
    aliases = {SYSTEMS[0]: [ALIASES[0]], SYSTEMS[1]: [ALIASES[1]]}
    return make_study(tmp_path, languages=("en", "ar"), raters=raters, aliases=aliases, repeats=0.5, gold={"each": 1})


def secrets_of(made: Made) -> list[bytes]:
    """Names, aliases, hashes of names and of answers, files, the study's name, ids of the database."""
    words = [*SYSTEMS, *ALIASES, "quibble", "parlance", "Zyxomma", "gold", "trial", "answers-0.jsonl", "studies"]
    words += [content_hash(name)[:12] for name in SYSTEMS]
    for row in made.ledger.rows("SELECT answer_a, answer_b FROM pair"):
        words += [content_hash(row[0])[:12], content_hash(row[1])[:12]]
    return [word.encode() for word in words]


def everything_sent(made: Made) -> Iterator[tuple[str, bytes]]:
    """All pages of two raters' whole way, their headers, files, errors and packets."""
    for name in ("Ana", "Nour"):
        client = client_of(made)
        answers: list[Any] = [client.get("/"), client.get(f"/join/{made.links[name]}"), client.get("/join/wrong")]
        answers.append(client.post("/join", data={"link": made.links[name]}))
        while "/vote/" in (page := client.get("/")).text:
            answers.append(page)
            form = Forms(page.text)
            wrong = client.post(form.goes_to("/vote/"), data={**form.of("/vote/"), "action": "vote"})
            fields = {**form.of("/vote/"), "choice": "left", "quality_left": "good", "quality_right": "good"}
            answers += [wrong, client.post(form.goes_to("/vote/"), data=fields)]
            conflict = client.post(form.goes_to("/vote/"), data={**fields, "choice": "right"})
            answers += [conflict, client.get(form.goes_to("/vote/"))]
        answers += [page, client.get("/mine"), client.get("/nothing"), client.get("/vote/x")]
        answers += [client.get(f"/static/{file}") for file in ("annotate.css", "annotate.js", "ballot.js", "x.map")]
        for number, answer in enumerate(answers):
            head = "".join(f"{key}: {value}\n" for key, value in answer.headers.items())
            yield (
                f"{name} {number} {answer.request.url}",
                head.encode() + str(answer.request.url).encode() + answer.content,
            )


def test_no_byte_names_a_system(made: Made) -> None:
    hidden = secrets_of(made)
    sent = list(everything_sent(made))
    assert len(sent) > 60
    for where, content in sent:
        assert not [word for word in hidden if word.lower() in content.lower()], where


def test_no_byte_of_a_packet_names_a_system(made: Made) -> None:
    hidden = secrets_of(made)
    for name in ("Ana", "Nour"):
        packet = write_packet(made.ledger, made.rater(name), made.path / "packets", 50)
        content = Path(packet.path).read_bytes() + Path(packet.path).name.encode()
        assert not [word for word in hidden if word.lower() in content.lower()]


def test_pages_do_not_tell_repeats_and_known_answers_from_others(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=20, repeats=0.3, gold={"each": 2})
    client = joined(made, "Ana")
    shapes = set()
    while "/vote/" in (page := client.get("/")).text:
        form = Forms(page.text)
        shapes.add((tuple(form.of("/vote/")), tuple(sorted(map(str, form.options[-1].items())))))
        fields = {**form.of("/vote/"), "choice": "left", "quality_left": "good", "quality_right": "good"}
        client.post(form.goes_to("/vote/"), data=fields)
    kinds = made.ledger.rows("SELECT count(repeat_of), sum(is_gold) FROM assignment JOIN pair ON pair.id = pair")
    assert all(kinds[0])
    assert len(shapes) == 1


def auc(values: np.ndarray, is_first: np.ndarray) -> float:
    """The chance that `values` tell which system stands on the left, whichever way they do."""
    from scipy.stats import mannwhitneyu

    found = mannwhitneyu(values[is_first], values[~is_first]).statistic / (is_first.sum() * (~is_first).sum())
    return float(max(found, 1 - found))


def sent_of(tmp_path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, set[tuple[str, ...]]]:
    """Of 1,000 assignments bytes without the texts, seconds, which system is left, and the orders of headers."""
    draw = random.Random(3)

    def text(length: int) -> str:
        return " ".join("".join(draw.choices("abcdefghij", k=draw.randint(2, 9))) for _ in range(length))

    answers = {
        name: {f"en-{number}": text(draw.randint(20, 60) * (2 if name == SYSTEMS[0] else 1)) for number in range(500)}
        for name in SYSTEMS
    }
    raters = [{"name": name, "languages": ["en"]} for name in ("Ana", "Nour")]
    made = make_study(tmp_path, num_prompts=500, answers=answers, raters=raters, quality="none")
    sizes, times, orders, is_first = [], [], [], []
    for name in ("Ana", "Nour"):
        client = joined(made, name)
        for _ in range(500):
            started = time.perf_counter()
            page = client.get("/")
            times.append(time.perf_counter() - started)
            form = Forms(page.text)
            assignment = form.goes_to("/vote/").removeprefix("/vote/")
            (row,) = made.ledger.rows(
                "SELECT left_is_a, answer_a, answer_b, turns FROM assignment JOIN pair ON pair.id = pair"
                " JOIN item ON item.id = item WHERE assignment.id = ?", (assignment,))  # fmt: skip
            texts = len(row["answer_a"]) + len(row["answer_b"]) + len(row["turns"])
            sizes.append(len(page.content) - texts)
            orders.append(tuple(page.headers))
            is_first.append(bool(row["left_is_a"]))
            client.post(form.goes_to("/vote/"), data={**form.of("/vote/"), "choice": "left", "action": "vote"})
    return np.array(sizes, dtype=float), np.array(times), np.array(is_first), set(orders)


def test_sizes_and_times_do_not_tell_the_systems_apart(tmp_path: Path) -> None:
    """Of two systems one writes twice as much, and the page is as large either way.

    By chance alone one study in two hundred is beyond the bound on times; a second one then says whether it was chance.
    """
    sizes, times, first, orders = sent_of(tmp_path / "one")
    assert len(first) == 1000
    assert 400 <= first.sum() <= 600
    assert auc(sizes, first) <= 0.55
    assert len(orders) == 1
    if auc(times, first) > 0.55:
        _, times, first, _ = sent_of(tmp_path / "two")
    assert auc(times, first) <= 0.55
