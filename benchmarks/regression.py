"""A regression that is real: SmolLM2 with its weights rounded to 3 and to 8 bits, gated on 0-shot HellaSwag.

    python benchmarks/regression.py --data_dir MIRROR

The margin and the number of questions come from the planner and are printed before anything is run. Each matrix is
rounded to nearest by rows, symmetrically, which is the plainest quantisation there is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from evalsuite.cli.main import main as evalsuite
from evalsuite.models import locate
from evalsuite.stats.gate_rules import items_to_fail, items_to_pass, power_to_fail

MODEL = "smollm2-135m"
MARGIN = 0.05
DROP = 0.10
DISCORDANCE = 0.40
"""Taken before any run: rounding to 3 bits changes two answers in five, and loses a tenth."""

POWER = 0.95


def rounded(bits: int, folder: Path) -> Path:
    """A folder with the model's matrices rounded to `bits` bits."""
    import torch
    from safetensors.torch import load_file, save_file

    source = locate(MODEL).path
    target = folder / f"{MODEL}-{bits}bit"
    shutil.copytree(source, target)
    most = 2 ** (bits - 1) - 1
    for path in target.glob("*.safetensors"):
        path.chmod(0o644)
        tensors = load_file(path)
        for name, tensor in tensors.items():
            if tensor.ndim == 2:
                step = tensor.float().abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / most
                tensors[name] = (torch.round(tensor.float() / step).clamp(-most - 1, most) * step).to(tensor.dtype)
        save_file(tensors, path, metadata={"format": "pt"})
    return target


def planned() -> int:
    """The number of questions: enough to fail the planned drop, and to pass where nothing has changed."""
    to_fail = items_to_fail(DISCORDANCE, DROP, MARGIN, power=POWER)
    to_pass = items_to_pass(0.0, MARGIN)
    assert to_fail is not None
    assert to_pass is not None
    return max(to_fail, to_pass)


def run(model: str, output: Path, limit: int, data_dir: str | None) -> Path:
    arguments = ["run", "--model", model, "--tasks", "hellaswag", "--protocol", "lm-eval-0.4", "--limit", str(limit),
                 "--output_path", str(output)]  # fmt: skip
    with redirect_stdout(StringIO()):
        assert evalsuite([*arguments, *(["--data_dir", data_dir] if data_dir else [])]) == 0
    (path,) = output.iterdir()
    return path


def gate(file: Path, baseline: Path, run_path: Path, output: Path) -> dict[str, object]:
    with redirect_stdout(StringIO()):
        code = evalsuite(
            ["gate", str(file), "--baseline", str(baseline), "--run", str(run_path), "--output", str(output)]
        )
    (one,) = json.loads((output / "gate.json").read_text())["gates"]
    found = one["difference"]
    return {
        "exit_code": code,
        "verdict": one["verdict"],
        "baseline": round(100 * found["baseline"], 1),
        "candidate": round(100 * found["candidate"], 1),
        "difference": round(100 * found["difference"], 1),
        "low": round(100 * found["low"], 1),
        "high": round(100 * found["high"], 1),
        "lost": found["num_lost"],
        "gained": found["num_gained"],
        "p_worse": found["p_worse"],
        "reason": one["reason"],
    }


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", help="mirror of the datasets, in place of EVALSUITE_DATA")
    options = parser.parse_args()
    n = planned()
    say(plan=f"margin {MARGIN:.0%}, {n} questions", power=round(power_to_fail(n, DISCORDANCE, DROP, MARGIN), 3))
    with TemporaryDirectory() as place:
        folder = Path(place)
        file = folder / "gate.yaml"
        file.write_text(f"defaults: {{max_drop: {100 * MARGIN:g}pp}}\ngates: [{{task: hellaswag}}]\n", encoding="utf-8")
        before = run(MODEL, folder / "before", n, options.data_dir)
        baseline = folder / "ci.json"
        with redirect_stdout(StringIO()):
            evalsuite(["baseline", "set", str(before), "--reason", "as published", "--output", str(baseline)])
        say(model="itself", **gate(file, baseline, before, folder / "itself"))
        for bits in (8, 3):
            after = run(str(rounded(bits, folder)), folder / f"runs{bits}", n, options.data_dir)
            say(model=f"{bits} bits", **gate(file, baseline, after, folder / f"report{bits}"))


if __name__ == "__main__":
    main()
