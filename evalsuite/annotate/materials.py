"""What raters compare: prompts in their languages, and the systems' answers to them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalsuite.engines.recorded import read_answers
from evalsuite.errors import DataError, NothingSelected, UsageError
from evalsuite.judged import answers_of, read_run
from evalsuite.types import Record, Sample
from evalsuite.vote_files.reading import Row, given, named, read_rows

from .study_file import StudyFile

PROMPTS = ""
_LATIN = r"[0-9A-Za-z\u00c0-\u024f]"
MASK = "[…]"
"""What stands for a system's name in an answer whose names are masked."""
MAX_CHARS = 50_000
"""The longest answer that is shown; nobody reads more."""


class Item(Record, frozen=True, kw_only=True):
    """A prompt in one language, one text a turn. `group` is the same in every language; `translator` may be empty."""

    id: str
    group: str
    language: str
    turns: tuple[str, ...]
    category: str = ""
    translator: str = ""


@dataclass(frozen=True)
class Materials:
    """Items, and by system and item the answers, one text a turn; `left_out` counts answers that are not shown."""

    items: tuple[Item, ...]
    answers: Mapping[str, Mapping[str, tuple[str, ...]]]
    left_out: Mapping[str, int]
    self_naming: Mapping[str, int]
    """Answers that hold a system's name, by system, and prompts under `PROMPTS`."""


def gather(study: StudyFile, folder: Path) -> Materials:
    """The materials of `study`; paths in it are relative to `folder`. Raises DataError, UsageError, NothingSelected."""
    paths = {name: folder / path for name, path in study.systems.items()}
    if study.prompts:
        found = _from_files(folder / study.prompts, paths)
    elif files := [name for name, path in paths.items() if path.is_file()]:
        raise UsageError(f"systems: {files[0]} is a file of answers, and `prompts` does not say what was asked.")
    else:
        found = _from_runs(paths, study.tasks)
    found = _limited(_in_languages(found, study), study.limit)
    return _without_names(_readable(found), study)


# -- where they come from


def _from_files(prompts: Path, paths: Mapping[str, Path]) -> Materials:
    items = read_items(prompts)
    ids = {item.id for item in items}
    answers: dict[str, Mapping[str, tuple[str, ...]]] = {}
    left_out: Counter[str] = Counter()
    for name, path in paths.items():
        texts = read_answers(path)
        answers[name] = {item: given for item, given in texts.items() if item in ids}
        left_out["answers to no prompt of the study"] += len(texts) - len(answers[name])
    return Materials(items, answers, +left_out, {})


def read_items(path: Path) -> tuple[Item, ...]:
    """Prompts, one a row: ``item``, ``language``, ``prompt`` or ``turns``, optional ``prompt_group``, ``category`` and
    ``translator``. Raises DataError.
    """
    items: dict[str, Item] = {}
    for number, row in enumerate(read_rows(path), 1):
        try:
            item = item_of(row)
        except (KeyError, ValueError) as error:
            raise DataError(f"{path}, row {number}: there is no {error}.") from error
        if item.id in items:
            raise DataError(f"{path}, row {number}: item {item.id!r} stands there twice.")
        items[item.id] = item
    return tuple(items.values())


def item_of(row: Row) -> Item:
    """The prompt of a row. Raises KeyError or ValueError with what is missing."""
    turns = row.get("turns") or [named(row, "prompt")]
    if not isinstance(turns, list) or not all(isinstance(turn, str) and turn.strip() for turn in turns):
        raise ValueError("list of texts under 'turns'")
    name = named(row, "item")
    return Item(
        id=name,
        group=given(row, "prompt_group") or name,
        language=named(row, "language"),
        turns=tuple(turns),
        category=given(row, "category"),
        translator=given(row, "translator"),
    )


def _from_runs(paths: Mapping[str, Path], tasks: Sequence[str]) -> Materials:
    items: dict[str, Item] = {}
    answers: dict[str, dict[str, tuple[str, ...]]] = {}
    left_out: Counter[str] = Counter()
    protocols: dict[str, str] = {}
    for name, path in paths.items():
        answers[name] = {}
        for task, rows in answers_of(read_run(path)).items():
            if tasks and not any(task == wanted or rows[0].family == wanted for wanted in tasks):
                continue
            if protocols.setdefault(task, rows[0].protocol) != rows[0].protocol:
                raise UsageError(f"{task} was answered under {protocols[task]} and {rows[0].protocol}; answers are "
                                 "compared under one protocol only.")  # fmt: skip
            for row in rows:
                item = _asked(row.sample)
                if items.setdefault(item.id, item) != item:
                    raise DataError(f"{path}: {item.id} was asked in other words than in another run.")
                if row.missing:
                    left_out[f"no answer of {name}: {row.missing}"] += 1
                else:
                    answers[name][item.id] = row.texts
    return Materials(tuple(items.values()), answers, left_out, {})


def _asked(sample: Sample) -> Item:
    return Item(
        id=sample.id,
        group=sample.cluster_id,
        language=sample.language,
        turns=sample.turns or (sample.input,),
        category=sample.category,
    )


# -- what of them is shown


def _in_languages(found: Materials, study: StudyFile) -> Materials:
    known = {item.language for item in found.items}
    read = {language for rater in study.raters for language in rater.languages}
    wanted = set(study.languages) or known & read
    if missing := sorted(wanted - known):
        raise NothingSelected(f"there are no prompts in {', '.join(missing)}; there are in {', '.join(sorted(known))}.")
    if unread := sorted(wanted - read):
        raise UsageError(f"languages: nobody of the raters reads {', '.join(unread)}.")
    if not wanted:
        raise NothingSelected(f"the raters read none of the languages of the prompts, {', '.join(sorted(known))}.")
    return replace(found, items=tuple(item for item in found.items if item.language in wanted))


def _limited(found: Materials, limit: int | None) -> Materials:
    """The first `limit` prompts, the same in every language."""
    if limit is None:
        return found
    groups = list(dict.fromkeys(item.group for item in found.items))[:limit]
    kept = set(groups)
    return replace(found, items=tuple(item for item in found.items if item.group in kept))


def _readable(found: Materials) -> Materials:
    """Without answers that nobody could judge: empty in some turn, of other turns than the prompt, or endless."""
    left_out = Counter(found.left_out)
    turns = {item.id: len(item.turns) for item in found.items}
    answers: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, texts in found.answers.items():
        answers[name] = {}
        for item, parts in texts.items():
            if item not in turns:
                continue
            if problem := _problem(parts, turns[item]):
                left_out[f"{problem} answer of {name}"] += 1
            else:
                answers[name][item] = parts
    return replace(found, answers=answers, left_out=dict(left_out))


def _problem(parts: Sequence[str], num_turns: int) -> str:
    if len(parts) != num_turns:
        return f"{len(parts)}-turn"
    if not all(part.strip() for part in parts):
        return "empty"
    return "endless" if sum(map(len, parts)) > MAX_CHARS else ""


# -- systems' names in answers


def _without_names(found: Materials, study: StudyFile) -> Materials:
    """Answers that name a system are counted, and with `mask_names` shown without the name."""
    pattern = names_pattern(study)
    naming: Counter[str] = Counter()
    answers: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, texts in found.answers.items():
        answers[name] = dict(texts)
        for item, parts in texts.items():
            if any(pattern.search(part) for part in parts):
                naming[name] += 1
                if study.mask_names:
                    answers[name][item] = tuple(pattern.sub(MASK, part) for part in parts)
    naming[PROMPTS] = sum(any(map(pattern.search, prompt.turns)) for prompt in found.items)
    return replace(found, answers=answers, self_naming=+naming)


def names_pattern(study: StudyFile) -> re.Pattern[str]:
    """Finds any system's name or alias in any case, not within a longer word of Latin letters.

    Chinese has no spaces, and Arabic joins its particles to a name: other letters may stand beside one.
    """
    names = sorted({*study.systems, *(alias for aliases in study.aliases.values() for alias in aliases)}, key=len)
    parts = "|".join(_spelt(name) for name in reversed(names) if name.strip())
    return re.compile(rf"(?<!{_LATIN})(?:{parts})(?!{_LATIN})", re.IGNORECASE)


def _spelt(name: str) -> str:
    """A pattern of a name with any hyphen, space or nothing where it has one."""
    return r"[-\s_\u2010-\u2015]?".join(re.escape(part) for part in re.split(r"[-\s_]+", name) if part)


def check_words(words: Iterable[str], study: StudyFile) -> None:
    """Raises UsageError where text that every rater sees names a system."""
    pattern = names_pattern(study)
    for text in words:
        if found := pattern.search(text):
            raise UsageError(f"the title or the instructions name {found.group()!r}, and raters must not know it.")
