"""``evalsuite prefer``: what votes between two answers say, and how many of them a study needs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.cli import prefer_report
from evalsuite.cli.output import print_json, say
from evalsuite.cli.prefer_tables import (
    print_admissibility,
    print_agreement,
    print_attentiveness,
    print_languages,
    print_plan,
    print_powered,
    print_quality,
    print_ranking,
    print_rates,
    print_screens,
)
from evalsuite.cli.prefer_votes import gather
from evalsuite.errors import EXIT_OK, UsageError
from evalsuite.preference.agreement import (
    SETUPS,
    Agreement,
    Alpha,
    alpha_of,
    between_people,
    kappa_with_judge,
    with_judge,
)
from evalsuite.preference.attentiveness import AttentivenessScreen, attentiveness
from evalsuite.preference.families import CORRECTIONS, adjusted
from evalsuite.preference.planner import Assumptions, plan, prompts_needed
from evalsuite.preference.prediction_powered import Admissibility, admissibility
from evalsuite.preference.screens import screen
from evalsuite.preference.summarising import (
    Gathered,
    languages_of,
    others_of,
    powered_of,
    quality_of,
    ranking_of,
    worst_of,
)
from evalsuite.preference.win_rates import rates_of_systems, win_rates
from evalsuite.vote_files.formats import FORMATS

_SEED = 1234
_DIFFERENCES = (0.02, 0.05, 0.1)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``prefer``."""
    add = parser.add_argument
    add("action", choices=tuple(_ACTIONS), help="win-rates by pair and language, rank of all systems, agreement of "
        "raters, report: all of these as a page, figures and a file, or plan: what a study of some size could "
        "tell")  # fmt: skip
    add("files", nargs="*", type=Path, metavar="FILE", help="votes")
    add("--format", choices=tuple(FORMATS), default="arena", help="of the files (default %(default)s)")
    add("--lang", metavar="CODES", help="only these languages, as en,hi")
    add("--judge", metavar="NAMES", help="raters that are no people, as gpt4_pair, apart from whom win rates are")
    add("--judge_run", nargs="+", type=Path, default=[], metavar="RUN", help="verdicts of judge runs of the same "
        "systems, beside people's")  # fmt: skip
    add("--rename", metavar="NAMES", default="", help="systems of judge runs as the votes call them, as smollm=first,"
        "gemma=second")  # fmt: skip
    add("--against", choices=("each", "all"), default="each", help="win rates of every pair, or of every system "
        "against all that it met")  # fmt: skip
    add("--correction", choices=CORRECTIONS, default="holm", help="of chances asked about together: holm for claims, "
        "fdr for looking around (default %(default)s)")  # fmt: skip
    add("--draws", type=int, default=300, metavar="N", help="prompts drawn anew for intervals (default %(default)s)")
    add("--seed", type=int, default=_SEED, metavar="N", help="of draws (default %(default)s)")
    report = parser.add_argument_group("report")
    add = report.add_argument
    add("--output", "-o", type=Path, default=Path("preference"), metavar="DIR", help="folder of the page, the figures "
        "and preference.json (default %(default)s)")  # fmt: skip
    add("--title", default="What people prefer", help="heading of the page (default %(default)s)")
    planned = parser.add_argument_group("plan")
    add = planned.add_argument
    add("--prompts", type=int, default=22, metavar="N", help="in every language (default %(default)s)")
    add("--votes", type=int, default=3, metavar="N", help="on each prompt in each language (default %(default)s)")
    add("--languages", type=int, default=1, metavar="N", help="that share their prompts (default %(default)s)")
    add("--annotators", type=int, default=0, metavar="N", help="of each language; without them they are taken as alike")
    add("--ties", type=float, default=0.25, metavar="SHARE", help="of votes (default %(default)s)")
    add("--prompt_sd", type=float, default=0.16, metavar="SD", help="how far prompts' true win rates lie apart "
        "(default %(default)s, as of LLMFAO's and MT-Bench's votes)")  # fmt: skip
    add("--annotator_sd", type=float, default=0.0, metavar="SD", help="how far annotators' lie apart")
    add("--shared", type=float, default=0.7, metavar="SHARE", help="of prompts' variance that languages have alike "
        "(default %(default)s)")  # fmt: skip
    add("--power", type=float, default=0.8, metavar="SHARE", help="of finding a difference (default %(default)s)")


def execute(options: argparse.Namespace) -> int:
    """Read, compute, print. Exit code 0, 2 for votes that make no sense, 6 where none is left."""
    for name in ("draws", "seed"):
        if getattr(options, name) < 0:
            raise UsageError(f"--{name} {getattr(options, name)}: expected 0 or more.")
    found = _ACTIONS[options.action](options)
    if options.json:
        print_json(found)
    return EXIT_OK


def _win_rates(options: argparse.Namespace) -> dict[str, Any]:
    gathered = gather(options)
    people = gathered.people
    rates = rates_of_systems(people) if options.against == "all" else win_rates(people)
    rates = adjusted(rates, options.correction)
    is_by_pair = len(languages_of(people)) > 1 and options.against == "each"
    others = others_of(rates) if is_by_pair else ()
    worst = worst_of(rates) if is_by_pair else ()
    quality = quality_of(gathered.ratings, gathered.scale, options.seed, options.correction)
    print_rates(rates, options.correction)
    print_languages(others, worst)
    if quality:
        print_quality(quality)
    powered = powered_of(people, gathered.judges) if options.against == "each" else ()
    if powered:
        print_powered(powered)
    return {
        "powered": msgspec.to_builtins(powered),
        "results": msgspec.to_builtins(rates),
        "other_languages": msgspec.to_builtins(others),
        "worst_languages": msgspec.to_builtins(worst),
        "quality": msgspec.to_builtins(quality),
    }


def _rank(options: argparse.Namespace) -> dict[str, Any]:
    gathered = gather(options)
    found = ranking_of(
        gathered.people.with_its_systems(), gathered.features, num_draws=options.draws, seed=options.seed
    )
    print_ranking(found)
    ranking = msgspec.to_builtins(found)
    return {"results": ranking.pop("systems"), **ranking}


def _agree(options: argparse.Namespace) -> dict[str, Any]:
    gathered = gather(options)
    parts = [
        (name, gathered.people.in_language(name), gathered.judges.in_language(name))
        for name in languages_of(gathered.people)
    ]
    shares: list[Agreement] = []
    chances: list[Alpha | None] = []
    admitted: list[Admissibility | None] = []
    for language, own, verdicts in parts:
        shares += between_people(own, language=language)
        chances.append(alpha_of(own, seed=options.seed, language=language))
        if len(verdicts):
            shares += with_judge(own, verdicts, language=language)
            chances += [
                kappa_with_judge(own, verdicts, setup=setup, seed=options.seed, language=language) for setup in SETUPS
            ]
            admitted.append(admissibility(own, verdicts, language=language))
    known, judged = [one for one in chances if one], [one for one in admitted if one]
    screened, attentive = screen(gathered.people), _attentiveness(gathered)
    print_agreement(shares, known)
    for one in judged:
        print_admissibility(one)
    print_screens(screened)
    print_attentiveness(attentive)
    return {
        "annotators": msgspec.to_builtins(screened),
        "attentiveness": msgspec.to_builtins(attentive),
        "agreement": msgspec.to_builtins(shares),
        "beyond_chance": msgspec.to_builtins(known),
        "admissibility": msgspec.to_builtins(judged),
    }


def _attentiveness(gathered: Gathered) -> tuple[AttentivenessScreen, ...]:
    try:
        return attentiveness(gathered.votes)
    except ValueError as error:
        raise UsageError(f"{error}.") from error


def _plan(options: argparse.Namespace) -> dict[str, Any]:
    if options.files:
        raise UsageError("prefer plan reads no votes; leave the files out.")
    assumptions = Assumptions(
        prompt_sd=options.prompt_sd, ties=options.ties, shared=options.shared, annotator_sd=options.annotator_sd,
        power=options.power,
    )  # fmt: skip
    found = plan(assumptions, options.prompts, options.votes, num_languages=options.languages,
                 num_annotators=options.annotators)  # fmt: skip
    print_plan(found)
    needed = {
        difference: prompts_needed(assumptions, difference, options.votes, num_languages=options.languages)
        for difference in _DIFFERENCES
    }
    for difference, prompts in needed.items():
        say(f"to find {50 + 100 * difference:.0f} to {50 - 100 * difference:.0f} %: {prompts} prompts with "
            f"{options.votes} votes in each language")  # fmt: skip
    return {
        "plan": msgspec.to_builtins(found),
        "prompts_needed": {f"{difference:g}": prompts for difference, prompts in needed.items()},
    }


_ACTIONS = {
    "win-rates": _win_rates,
    "rank": _rank,
    "agree": _agree,
    "report": prefer_report.write,
    "plan": _plan,
}
