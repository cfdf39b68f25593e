"""Paired tests of translations are sacrebleu's own, to the last digit, for both kinds and several references."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from evalsuite.stats.translation_tests import Kind, paired_test

WORDS = "the ferry leaves at nine and the last bus waits for it near the old market hall every day".split()  # noqa: SIM905
NUM_SEGMENTS = 40


def segments(seed: int, damage: float) -> list[str]:
    """Sentences that all seeds share, of which each word is replaced with the chance `damage`."""
    shared, own = random.Random(1), random.Random(seed)
    sentences = [[shared.choice(WORDS) for _ in range(12)] for _ in range(NUM_SEGMENTS)]
    return [" ".join(own.choice(WORDS) if own.random() < damage else word for word in words) for words in sentences]


BASELINE, BETTER, REFERENCE, OTHER = segments(2, 0.5), segments(3, 0.3), segments(4, 0.0), segments(5, 0.1)


@pytest.mark.parametrize(("kind", "flag"), [("bootstrap", "--paired-bs"), ("randomisation", "--paired-ar")])
@pytest.mark.parametrize("references", [[REFERENCE], [REFERENCE, OTHER]], ids=["one reference", "two"])
def test_scores_and_p_values_are_those_of_the_command(
    kind: Kind, flag: str, references: list[list[str]], tmp_path: Path
) -> None:
    files = {}
    for name, lines in {
        "baseline": BASELINE,
        "system": BETTER,
        **{f"ref{n}": r for n, r in enumerate(references)},
    }.items():
        files[name] = tmp_path / name
        files[name].write_text("\n".join(lines) + "\n", encoding="utf-8")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "sacrebleu", *(str(files[f"ref{n}"]) for n in range(len(references)))),
            *("-i", str(files["baseline"]), str(files["system"]), "-m", "bleu", "chrf", "-tok", "13a", flag),
            *(f"{flag}-n", "200", "-f", "text", "-w", "6"),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = paired_test(["bleu", "chrf"], "en", BASELINE, BETTER, references, kind=kind, num_samples=200)
    p_values = re.findall(r"p = ([\d.]+)", ran.stdout)
    for ours, p_value in zip(found, p_values, strict=True):
        assert f"{ours.p_value:.4f}" == p_value
        assert f"{ours.baseline:.6f}" in ran.stdout
        assert f"{ours.system:.6f}" in ran.stdout
        assert ours.signature in ran.stdout
        assert f"nrefs:{len(references)}" in ours.signature


@pytest.mark.parametrize(
    ("system", "references"), [(BETTER[:-1], [REFERENCE]), (BETTER, [REFERENCE[:-1]]), (BETTER, [])]
)
def test_other_segments_are_refused(system: list[str], references: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="the same segments of all"):
        paired_test(["bleu"], "en", BASELINE, system, references)
