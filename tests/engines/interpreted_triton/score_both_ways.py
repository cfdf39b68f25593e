"""Score token pairs in both ways that the vLLM engine knows: ``score_both_ways.py PAIRS.json SCORES.json``.

Read is ``{"args": model arguments, "replay": [[context, continuation], ...], "prompt": likewise}``; written the same
with scores in place of pairs, each a log-likelihood in nats and whether it is that of greedy tokens, and ``"scoring"``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from evalsuite.engines import vllm_asking
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.vllm import open_engine
from evalsuite.types import Loglikelihood


def main() -> None:
    """Load, score, end."""
    source, target = map(Path, sys.argv[1:])
    asked = json.loads(source.read_text(encoding="utf-8"))
    engine = open_engine(EngineOptions("vllm", asked["args"]))
    found: dict[str, object] = {"scoring": engine.stack()["scoring"]}
    for way in ("replay", "prompt"):
        pairs = [EncodedPair(tuple(context), tuple(rest), "") for context, rest in asked[way]]
        scores = vllm_asking.score(engine.model.llm, pairs, replays=way == "replay")
        found[way] = [(one.sum_nats, one.is_greedy) for one in scores if isinstance(one, Loglikelihood)]
    target.write_text(json.dumps(found), encoding="utf-8")
    engine.close()


if __name__ == "__main__":
    main()
