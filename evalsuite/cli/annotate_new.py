"""``evalsuite annotate new``: what a study would be, the study, and the list of raters' links."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

from evalsuite.annotate.creating import create
from evalsuite.annotate.materials import PROMPTS, Materials, check_words, gather
from evalsuite.annotate.pairs import Pair, gold_pairs, num_missing, study_pairs
from evalsuite.annotate.study_file import StudyFile, read_study_file
from evalsuite.cli.output import print_json, print_table, say
from evalsuite.errors import EXIT_OK, NothingSelected
from evalsuite.preference.planner import Assumptions, plan
from evalsuite.store.files import write_atomic

LINKS = "links.tsv"


def new_study(options: argparse.Namespace, path: Path, url: str) -> int:
    """Say what the study of the file `path` is, and make it unless that is all that was asked."""
    study = read_study_file(path)
    materials = gather(study, path.parent)
    check_words([*study.title.values(), *study.instructions.values(), *study.own_words], study)
    pairs, gold = study_pairs(materials, study), gold_pairs(materials, study, path.parent)
    if not pairs:
        raise NothingSelected("no two systems answered the same prompt.")
    _describe(study, materials, pairs, gold)
    folder: Path = options.output or Path("studies") / study.study
    made = {"study": str(folder), "pairs": len(pairs), "gold": len(gold), "left_out": dict(materials.left_out)}
    if options.dry_run:
        say("nothing was made")
    else:
        links = create(folder, study, (*pairs, *gold))
        _keep_links(folder, links, url)
        say(f"\n{folder} is ready. {folder / LINKS} holds the raters' links: hand them out, then delete the file; "
             "the study keeps hashes only.")  # fmt: skip
        say(f"next: evalsuite annotate serve {folder}")
    if options.json:
        print_json(made)
    return EXIT_OK


def _describe(study: StudyFile, materials: Materials, pairs: tuple[Pair, ...], gold: tuple[Pair, ...]) -> None:
    by_language = Counter(pair.item.language for pair in pairs)
    readers = {code: sum(code in rater.languages for rater in study.raters) for code in by_language}
    prompts = Counter(item.language for item in materials.items)
    print_table([
        ("language", "prompts", "pairs", "votes wanted", "raters"),
        *((code, str(prompts[code]), str(count), str(count * study.overlap), str(readers[code]))
          for code, count in sorted(by_language.items())),
    ])  # fmt: skip
    for reason, count in sorted(materials.left_out.items()):
        say(f"left out: {count} ({reason})")
    if missing := num_missing(materials, study, pairs):
        say(f"left out: {missing} pairs of which a system has no answer")
    for code, count in sorted(readers.items()):
        if count < study.overlap:
            say(f"in {code} there are {count} raters for {study.overlap} votes on each pair")
    what = "shown as […]" if study.mask_names else "shown as they are; mask_names: true hides the names"
    for name, count in sorted(materials.self_naming.items()):
        is_prompt = name == PROMPTS
        say(f"{count} prompts name a system, and are shown" if is_prompt else
             f"{count} answers of {name} name a system: {what}")  # fmt: skip
    known = Counter(pair.item.language for pair in gold)
    for code in sorted(by_language) if study.gold.each else ():
        say(f"{known[code]} pairs with a known answer in {code}, for {study.gold.each} wanted of each rater")
    _say_what_it_finds(study, prompts)


def _say_what_it_finds(study: StudyFile, prompts: Counter[str]) -> None:
    found = plan(Assumptions(), min(prompts.values()), study.overlap, num_languages=len(prompts))
    detectable = found.detectable_t
    if detectable is None or detectable >= 0.5:
        say("prompts are too few to find any preference; `evalsuite prefer plan` says how many would")
        return
    say(f"over all languages such a study finds, four times in five, a preference of {50 + 100 * detectable:.0f} to "
         f"{50 - 100 * detectable:.0f} % or more; `evalsuite prefer plan` says what more prompts would")  # fmt: skip


def _keep_links(folder: Path, links: dict[str, str], url: str) -> None:
    lines = "".join(f"{name}\t{url.rstrip('/')}/join/{token}\n" for name, token in links.items())
    file = folder / LINKS
    before = os.umask(0o077)
    try:
        write_atomic(file, lines.encode("utf-8"))
    finally:
        os.umask(before)


def address_links(folder: Path, url: str) -> None:
    """Have the list of links, where it is still there, name the address that raters reach the study at."""
    file = folder / LINKS
    if not file.is_file():
        return
    pairs = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    _keep_links(folder, {name: link.rpartition("/join/")[2] for name, link in pairs}, url)
