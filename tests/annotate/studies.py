"""Small studies for tests: prompts in some languages, systems whose names and answers can be told apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from starlette.testclient import TestClient

from evalsuite.annotate.app import Rules, application
from evalsuite.annotate.creating import create
from evalsuite.annotate.ledger import Ledger, SavedRater
from evalsuite.annotate.materials import gather
from evalsuite.annotate.pairs import gold_pairs, study_pairs
from evalsuite.annotate.study_file import read_study_file

SYSTEMS = ("Zyxomma-13B", "quibble/parlance-7b")
PROMPTS = {
    "en": "What is the capital of Peru?",
    "zh": "秘鲁的首都是哪里？",
    "fr": "Quelle est la capitale du Pérou ?",
    "ar": "ما عاصمة بيرو؟",
    "es": "¿Cuál es la capital del Perú?",
    "hi": "पेरू की राजधानी क्या है?",
}
ANSWERS = {
    "en": "The capital of Peru is **Lima**, on the coast.\n\n- founded in 1535\n- ten million people",
    "zh": "秘鲁的首都是**利马**，位于海边。\n\n- 建于1535年\n- 一千万人口",
    "fr": "La capitale du Pérou est **Lima**, sur la côte.\n\n- fondée en 1535\n- dix millions d’habitants",
    "ar": "عاصمة بيرو هي **ليما**، وتقع على الساحل.\n\n- تأسست عام 1535\n- عشرة ملايين نسمة",
    "es": "La capital del Perú es **Lima**, en la costa.\n\n- fundada en 1535\n- diez millones de habitantes",
    "hi": "पेरू की राजधानी **लीमा** है, जो तट पर है।\n\n- 1535 में स्थापित\n- एक करोड़ लोग",
}


@dataclass
class Made:
    """A study on disk, and the raters' links."""

    path: Path
    links: dict[str, str]
    ledger: Ledger = field(repr=False)

    def rater(self, name: str) -> SavedRater:
        return self.ledger.rater_named(name)


def write_study(folder: Path, *, num_prompts: int = 4, languages: Sequence[str] = ("en",),
                answers: Mapping[str, Mapping[str, str]] | None = None, **keys: Any) -> Path:  # fmt: skip
    """A STUDY.yaml with its files; `answers` by system and item in place of those made here."""
    folder.mkdir(parents=True, exist_ok=True)
    items = [
        {"item": f"{code}-{number}", "prompt_group": f"p{number}", "language": code,
         "prompt": f"{PROMPTS[code]} ({number})", "translator": "Tariq" if (code, number) == ("ar", 0) else ""}
        for code in languages for number in range(num_prompts)
    ]  # fmt: skip
    made = answers or {
        name: {item["item"]: f"{ANSWERS[item['language']]}\n\n{mark} {item['item']}" for item in items}
        for name, mark in zip(keys.get("systems", SYSTEMS), ("one", "two", "three", "four"), strict=False)
    }
    write_lines(folder / "prompts.jsonl", items)
    files = {}
    for number, (name, texts) in enumerate(made.items()):
        files[name] = f"answers-{number}.jsonl"
        write_lines(folder / files[name], [{"sample_id": item, "text": text} for item, text in texts.items()])
    raters = keys.pop("raters", [{"name": "Ana", "languages": list(languages)}])
    keys.pop("systems", None)
    content = {"study": "trial", "systems": files, "prompts": "prompts.jsonl", "raters": raters, "repeats": 0.0, **keys}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def make_study(folder: Path, **keys: Any) -> Made:
    """The study of `write_study`, made."""
    return made_from(write_study(folder, **keys))


def made_from(path: Path) -> Made:
    """The study of a file, made beside it."""
    folder, study = path.parent, read_study_file(path)
    materials = gather(study, path.parent)
    pairs = (*study_pairs(materials, study), *gold_pairs(materials, study, path.parent))
    links = create(folder / "study", study, pairs)
    return Made(folder / "study", links, Ledger(folder / "study"))


def client_of(made: Made, **rules: Any) -> TestClient:
    """A browser without scripts, that follows no redirects."""
    app = application(made.path, Rules(url_host="testserver", **{"votes_per_minute": 10_000, **rules}))
    return TestClient(app, follow_redirects=False)


def joined(made: Made, name: str, **rules: Any) -> TestClient:
    """The client of a rater who has followed their link and begun."""
    client = client_of(made, **rules)
    assert client.post("/join", data={"link": made.links[name]}).status_code == 303
    return client
