"""docs/slurm.md: what it tells people to type exists. Slurm, `ray start` and `vllm serve` are not run by this."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evalsuite.cli.main import build_parser

PAGE = (Path(__file__).parents[1] / "docs" / "slurm.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def commands(block: str) -> list[list[str]]:
    """Every evalsuite command of `block`, words as a shell would part them, variables as ``8``."""
    joined = block.replace("\\\n", " ")
    found = [line for line in joined.splitlines() if line.startswith("evalsuite ")]
    plain = (re.sub(r"\$\(\(.*?\)\)|\$\{.*?\}|\$\w+", "8", line).removesuffix("&") for line in found)
    return [shlex.split(line)[1:] for line in plain]


ALL = [command for block in BLOCKS for command in commands(block)]


def test_there_is_a_command_of_every_way() -> None:
    text = " ".join(" ".join(command) for command in ALL)
    assert all(part in text for part in ("--dry_run", "--executor slurm", "--workers", "--cluster", "--model openai"))


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_every_command_is_one(command: list[str]) -> None:
    parsed = build_parser(command[0]).parse_args(command)
    assert parsed


def test_arguments_of_engines_are_theirs() -> None:
    from evalsuite.engines import vllm
    from evalsuite.engines.api import settings

    for command in ALL:
        if "--model_args" not in command:
            continue
        known = vllm._ARGS if "vllm" in command else settings._ARGS
        given = command[command.index("--model_args") + 1].split(",")
        assert {pair.partition("=")[0] for pair in given} <= set(known)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block[:30])
def test_every_block_is_bash(block: str) -> None:
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run([bash, "-n"], input=block, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["start", "get-auth-token"])
def test_rays_own_options_exist(command: str) -> None:
    pytest.importorskip("ray")
    ray = shutil.which("ray", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert ray
    text = subprocess.run([ray, command, "--help"], capture_output=True, text=True, check=True).stdout
    joined = " ".join(BLOCKS).replace("\\\n", " ") + PAGE
    used = re.findall(rf"ray {command}((?: --?[a-z-]+(?:=\S+)?)*)", joined)
    assert used
    for option in re.findall(r"--[a-z-]+", " ".join(used)):
        assert option in text, option
