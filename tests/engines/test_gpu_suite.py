"""The benchmark for CUDA machines: what it refuses, what it counts, and that it runs with a small model here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

gpu_suite = pytest.importorskip("gpu_suite")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu_suite.py", *arguments])
    gpu_suite.main()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no CUDA device is here; to see that the script runs: --model tiny --device cpu"),
        (("--model", "tiny"), "no CUDA device is here"),
        (("--device", "cpu"), "--device cpu: llama-8b is too large for it; --model tiny runs there"),
    ],
)
def test_machines_without_cuda_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--data_dir", "mirror", *arguments)
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_mirror_is_needed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    with pytest.raises(SystemExit):
        run(monkeypatch, "--model", "tiny", "--device", "cpu")
    assert "--data_dir MIRROR is needed" in capsys.readouterr().err


@pytest.mark.data
@pytest.mark.model
@pytest.mark.filterwarnings("ignore")
def test_both_sides_agree_on_a_small_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mirror: Path, tmp_path: Path
) -> None:
    """Log-likelihoods within rounding, and every answer of the length that was asked for."""
    options = ("--model", "tiny", "--device", "cpu", "--docs", "2", "--rounds", "1", "--data_dir", str(mirror))
    run(monkeypatch, *options, "--tasks", "winogrande", "gsm8k", "--json", str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text())
    scored = [line for line in found["lines"] if line["task"] == "winogrande"]
    assert {line["requests"] for line in scored} == {4}
    assert {line["side"].partition(",")[0] for line in found["lines"]} == {"evalsuite", "lm-eval"}
    assert all(line["max_nats"] < 1e-3 and line["same_greedy"] == 1 for line in scored)
    table = capsys.readouterr().out
    assert table.count("| winogrande |") == len(scored)
    assert "All tasks: evalsuite" in table


def test_the_least_work_counts_every_prefix_once() -> None:
    """Two layers of width 8: by hand, three rows of which two share two tokens, each with the logits of its last."""
    config = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
              "num_key_value_heads": 1, "vocab_size": 32}  # fmt: skip
    model = gpu_suite.open_model(gpu_suite.Scale(config, {}, 1, (1,), (1,)), "cpu", with_flex=False)
    rows = [[1, 2, 3], [1, 2, 4, 5], [6]]
    body, head = 2 * (8 * 8 + 2 * 8 * 4 + 8 * 8 + 3 * 8 * 16), 8 * 32
    expected = 2 * body * 6 + 4 * 2 * 8 * (1 + 2 + 3 + 3 + 4 + 1) + 2 * head * 3
    assert gpu_suite.flops_of(model, rows, 3) == expected
