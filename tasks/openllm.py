"""The Open LLM leaderboard: six families reported together, their mean the leaderboard's average.

Source: the leaderboard's own documentation ("archive", v1): the unweighted mean of the six headline numbers.
"""

from __future__ import annotations

from evalsuite.contracts import Suite

from ._protocols import OPENLLM_FIXED, OPENLLM_V1

FAMILIES = ("arc_challenge", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")

openllm_v1 = Suite(
    name="openllm_v1",
    title="Open LLM Leaderboard v1, as published",
    protocol=OPENLLM_V1.id,
    families=FAMILIES,
    average="openllm_v1_average",
)
openllm_fixed = Suite(
    name="openllm_fixed",
    title="Open LLM six with one set of exemplars, for regression gates",
    protocol=OPENLLM_FIXED.id,
    families=FAMILIES,
    average="openllm_fixed_average",
)
