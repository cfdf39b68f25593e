"""Pearmut's scores, as preferences: of one segment, whichever system the same annotator scored higher.

annotations.json as its dashboard downloads it holds every campaign's log by the campaign's id, the server's own
CAMPAIGN.jsonl one log (zouharvi/pearmut at 0675f63, server/app.py). An entry is one document as one annotator left it:
``user_id``, ``item_i``, ``item``, a list of segments with ``tgt`` by system, and ``annotation``, a list as long, with
a score from 0 to 100 by system (at 0185f47, web/src/annotate.ts). ``__RESET__`` for an annotation voids what its user
said of the document before (at 0924fdf, server/utils.py). Tutorials and attention checks are dropped: documents whose
``item_i`` starts with welcome_, random_ or goodbye_, and segments with a ``validation``. Sliders of a campaign's own
are no score.

Systems stood in the order of ``tgt``. Fields of a segment, or of the campaign's own file, which may be among the files,
give ``language`` and ``prompt_group`` (else the document, by its first segment); without a language, items carry the
campaign's id, as the same ``item_id`` may be another text there.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from evalsuite.errors import DataError
from evalsuite.verdicts import Comparison, Winner

from .reading import Imported, Row, given, json_lines, json_value, named, read_text

_RESET = "__RESET__"
_ASIDE = ("welcome_", "random_", "goodbye_")
_OF_OUTPUTS = ("tgt", "error_spans", "validation", "instructions")
"""Parts of a segment that differ where other systems' outputs of it are shown, or where it stands first."""

_DESCRIBED = ("language", "prompt_group")
_DEEPEST = 3
"""Users, documents and segments of a campaign's data."""

_SAME = 1e-9


@dataclass(frozen=True)
class _Score:
    """`shown` is the screen that it was given on, and how far left its system stood there."""

    value: float
    shown: tuple[int, int]


@dataclass(frozen=True)
class _Segment:
    """What one annotator scored systems on."""

    item: str
    group: str
    language: str
    rater: str


@dataclass
class _Found:
    """What has been read so far. `screens` counts the documents that were annotated."""

    campaigns: dict[str, Row] = field(default_factory=dict)
    scores: dict[_Segment, dict[str, _Score]] = field(default_factory=lambda: defaultdict(dict))
    dropped: Counter[str] = field(default_factory=Counter)
    screens: int = 0


def read_pearmut(paths: Sequence[Path]) -> Imported:
    """Every pair of systems that one annotator scored on one segment; scored again, the later score stays.

    Raises DataError.
    """
    found = _Found()
    logs: list[tuple[str, str, list[object]]] = []
    for path in paths:
        logs.extend(_logs(path, found.campaigns))
    if not logs:
        raise DataError(f"{', '.join(map(str, paths))}: there are no annotations.")
    for place, campaign, log in logs:
        _read_log(place, campaign, log, found)
    comparisons = tuple(
        _comparison(segment, scores, pair)
        for segment, scores in found.scores.items()
        for pair in combinations(sorted(scores), 2)
    )
    found.dropped["nothing to compare with"] = sum(len(scores) == 1 for scores in found.scores.values())
    return Imported(comparisons, {reason: count for reason, count in found.dropped.items() if count})


def _comparison(segment: _Segment, scores: Mapping[str, _Score], pair: tuple[str, str]) -> Comparison:
    first, second = scores[pair[0]], scores[pair[1]]
    gap = first.value - second.value
    is_one_screen = first.shown[0] == second.shown[0]
    return Comparison(
        item=segment.item,
        group=segment.group,
        language=segment.language,
        system_a=pair[0],
        system_b=pair[1],
        winner=Winner.TIE if abs(gap) < _SAME else Winner.A if gap > 0 else Winner.B,
        rater=segment.rater,
        shown_first="" if not is_one_screen else pair[0] if first.shown < second.shown else pair[1],
    )


# -- files


def _logs(path: Path, campaigns: dict[str, Row]) -> list[tuple[str, str, list[object]]]:
    """The logs of a file, each with a place to name and its campaign's id; a campaign's own file is kept instead."""
    text = read_text(path)
    try:
        if path.suffix.lower() == ".jsonl":
            return [(str(path), path.stem, json_lines(text))]
        content = json_value(text)
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    match content:
        case list():
            return [(str(path), path.stem, content)]
        case {"campaign_id": campaign, "data": _}:
            campaigns[str(campaign)] = content
            return []
        case dict() if all(isinstance(log, list) for log in content.values()):
            return [(f"{path}, campaign {campaign!r}", campaign, log) for campaign, log in content.items()]
    raise DataError(f"{path}: expected Pearmut's annotations, or one of its campaigns.")


# -- logs


def _read_log(place: str, campaign: str, log: Sequence[object], found: _Found) -> None:
    described = _segments_of(found.campaigns.get(campaign, {}))
    entries = dict(enumerate(log, 1))
    for number in _void(place, entries):
        found.dropped["reset"] += _num_scores(entries.pop(number))
    for number, entry in entries.items():
        where = f"{place}, row {number}"
        try:
            _read_entry(_object(entry), campaign, described, found)
        except KeyError as error:
            raise DataError(f"{where}: there is no {error.args[0]!r}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(f"{where}: {error}") from error


def _void(place: str, entries: Mapping[int, object]) -> list[int]:
    """Entries before the last reset of their user and document, and the resets themselves."""
    last: dict[tuple[str, str], int] = {}
    for number, entry in entries.items():
        if isinstance(entry, Mapping) and entry.get("annotation") == _RESET:
            if not given(entry, "user_id"):
                raise DataError(f"{place}, row {number}: there is no 'user_id'")
            last[_screen(entry)] = number
    return [
        number
        for number, entry in entries.items()
        if isinstance(entry, Mapping) and number <= last.get(_screen(entry), 0)
    ]


def _screen(entry: Row) -> tuple[str, str]:
    return given(entry, "user_id"), repr(entry.get("item_i"))


def _num_scores(entry: object) -> int:
    annotation = entry.get("annotation") if isinstance(entry, Mapping) else None
    segments = annotation if isinstance(annotation, list) else []
    return sum(len(scores) for scores in segments if isinstance(scores, Mapping))


def _read_entry(entry: Row, campaign: str, described: Mapping[str, Row], found: _Found) -> None:
    rater, item_i = named(entry, "user_id"), entry["item_i"]
    segments, annotations = _list(entry, "item"), _list(entry, "annotation")
    if len(segments) != len(annotations):
        raise ValueError(f"{len(segments)} segments have {len(annotations)} annotations")
    if isinstance(item_i, str) and item_i.startswith(_ASIDE):
        found.dropped["tutorial, form or check"] += max(1, _num_scores(entry))
        return
    found.screens += 1
    ids = [_item_id(_object(segment)) for segment in segments]
    if len(set(ids)) != len(ids):
        raise ValueError("two segments of the document have the same item_id")
    for item, segment, annotation in zip(ids, segments, annotations, strict=True):
        fields = _fields(segment, described.get(item, {}), found.campaigns.get(campaign, {}))
        language = given(fields, "language")
        of_campaign = "" if language else f"{campaign}/"
        group = given(fields, "prompt_group") or f"{of_campaign}{ids[0]}"
        place = _Segment(f"{of_campaign}{item}", group, language or "und", rater)
        _read_segment(segment, annotation, place, found)


def _read_segment(segment: Row, annotation: object, place: _Segment, found: _Found) -> None:
    systems = list(_object(segment["tgt"]))
    scored = {} if annotation is None else _object(annotation)
    for system in scored:
        if system not in systems:
            raise ValueError(f"{system!r} is scored, but the segment has no output of it")
    for column, system in enumerate(systems):
        value = _value(system, scored[system]) if system in scored else None
        if segment.get("validation"):
            found.dropped["tutorial, form or check"] += 1
        elif value is None:
            found.dropped["no score"] += 1
        else:
            found.dropped["scored again"] += system in found.scores[place]
            found.scores[place][system] = _Score(value, (found.screens, column))


def _value(system: str, answer: object) -> float | None:
    """A system's score; None where it has none, or where sliders of the campaign's own stand instead."""
    score = _object(answer)["score"]
    if score is None:
        return None
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 100:
        raise ValueError(f"the score of {system!r} is {score!r:.60}; expected a number from 0 to 100")
    return float(score)


# -- segments


def _item_id(segment: Row) -> str:
    """What Pearmut knows a segment by: its id (doc_id before 0.3.3) or, without one, all of it that is not output."""
    rest = {key: value for key, value in segment.items() if key not in _OF_OUTPUTS}
    return given(segment, "item_id", "doc_id") or json.dumps(rest, ensure_ascii=False, sort_keys=True)


def _fields(segment: Row, described: Row, campaign: Row) -> Row:
    """What is said of a segment: by itself, by the campaign's file of it, or by the campaign of all."""
    info = campaign.get("info")
    sources = (segment, described, info if isinstance(info, Mapping) else {})
    return {key: next(filter(None, (given(source, key) for source in sources)), "") for key in _DESCRIBED}


def _segments_of(campaign: Row) -> dict[str, Row]:
    """Every segment of a campaign's data, however it is assigned, by its id."""
    found: dict[str, Row] = {}
    for segment in _walk(campaign.get("data"), _DEEPEST):
        found.setdefault(_item_id(segment), segment)
    return found


def _walk(part: object, depth: int) -> Iterator[Row]:
    if isinstance(part, Mapping) and "tgt" in part:
        yield part
    elif isinstance(part, Mapping | list) and depth:
        for inner in part.values() if isinstance(part, Mapping) else part:
            yield from _walk(inner, depth - 1)


def _list(entry: Row, key: str) -> list[Any]:
    if not isinstance(entry[key], list):
        raise ValueError(f"{key} is {entry[key]!r:.60}; expected a list")
    return list(entry[key])


def _object(found: object) -> Row:
    if not isinstance(found, Mapping):
        raise ValueError(f"found {found!r:.60}; expected an object")
    return found
