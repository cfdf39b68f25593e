"""A judge that changed is not a model that got worse: frozen answers, judged then and now, tell the two apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from judges_that_drift import MOOD

from evalsuite.cli.main import main

JUDGED = (
    ("then", "old", "moody", "kind"),
    ("now", "old", "moody", "severe"),
    ("candidate", "new", "moody", "kind"),
    ("other", "new", "other", "kind"),
)
"""Name, whose answers, by which judge, in which mood."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Answers of two models, rated by one judge, and the first's rated again once the judge was severer."""
    folder = tmp_path_factory.mktemp("judged")
    answers = {}
    for name in ("old", "new"):
        assert main(["run", "--model", "scripted", "--model_args", f"function=judges_that_drift:{name}_answers",
                     "--tasks", "mini_chat", "--output_path", str(folder / f"answers-{name}")]) == 0  # fmt: skip
        (answers[name],) = (folder / f"answers-{name}").iterdir()
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, answered, judge, mood in JUDGED:
            patch.setenv(MOOD, mood)
            asked = ["--judge", "rating", "--model", "scripted", "--model_args",
                     f"function=judges_that_drift:{judge},name=the-judge"]  # fmt: skip
            assert main(["score", str(answers[answered]), *asked, "--output_path", str(folder / name)]) == 0
            (found[name],) = (folder / name).iterdir()
    return found


def gate(tmp_path: Path, judged: Mapping[str, Path], candidate: str, anchor: str | None) -> int:
    file = {"gates": [{"task": "*", "per": "family", "max_drop": 0.8}], "defaults": {}}
    if anchor is not None:
        file["anchors"] = {"baseline": str(judged["then"]), "run": str(judged[anchor])}
    path = tmp_path / "gate.yaml"
    path.write_text(yaml.safe_dump(file), encoding="utf-8")
    return main(["gate", str(path), "--baseline", str(judged["then"]), "--run", str(judged[candidate]), "--output",
                 str(tmp_path / "report")])  # fmt: skip


def test_another_judging_model_is_not_comparable(
    judged: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(tmp_path, judged, "other", None) == 3  # the engine knows that its function is another
    assert "judging model: the-judge" in capsys.readouterr().out


def test_the_anchors_say_that_the_judge_is_another(
    judged: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(tmp_path, judged, "candidate", "then") == 0
    capsys.readouterr()
    assert gate(tmp_path, judged, "candidate", "now") == 3
    said = capsys.readouterr().out
    assert "judge drift, not model regression: on the frozen answers of mini_chat_" in said
    assert "the judge now gives -4.00" in said


def test_anchors_over_other_answers_are_refused(
    judged: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(tmp_path, judged, "candidate", "candidate") == 2
    assert "anchors are answers that never change" in capsys.readouterr().err
