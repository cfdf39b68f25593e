"""Generation speed against lm-eval's `hf` backend: GSM8K's prompts, the same model object, the same texts.

    python benchmarks/generation_vs_lm_eval.py --data_dir MIRROR                     # 1 and 5 exemplars, 32 documents
    python benchmarks/generation_vs_lm_eval.py --data_dir MIRROR --shots 1 --docs 8 --max_tokens 32

lm-eval's `generate_until` at the best of some batch sizes against our plan and run, both from text, in turn
(A B A B ...), medians. Beside the ratio stands what the slice's own costs allow: `allowed` is the ratio of the two
tools' work, each step and each prompt token at one price. The price of a step is measured with transformers' own cache
as a function of the number of rows; that of a prompt token likewise. The work is counted: lm-eval decodes every row of
a batch until the last one has stopped and pads prompts to the longest, ours lets rows go and computes every distinct
prefix once. `share` is the measured ratio over the allowed one.

Exits 1 when, in float32, texts differ where the two likeliest tokens are not nearly tied.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import mean, median
from typing import Any

import measuring
import numpy as np
import slices
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from measuring import Measured

from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Completion, GenerateRequest, Item

BATCH_SIZES = (8, 16, 32)
ROW_COUNTS = (1, 2, 4, 8, 16, 24, 32)
"""Numbers of rows at which a step is timed; between them its price is interpolated."""

NEAR_TIE = 1e-3
"""Two tokens whose logits differ by less are nearly tied: float32 may rank them either way."""


@dataclass(frozen=True)
class Pass:
    """One forward pass: so many rows of so many tokens."""

    rows: int
    tokens: int

    @property
    def is_step(self) -> bool:
        """Whether it computes one token of every row."""
        return self.tokens == 1


@dataclass(frozen=True)
class Prices:
    """Seconds of one prompt token, and of a step by its number of rows."""

    prompt_token: float
    steps: Mapping[int, float]

    def of(self, passes: Sequence[Pass]) -> float:
        """Seconds that `passes` take at these prices."""
        prompts = sum(one.rows * one.tokens for one in passes if not one.is_step)
        rows = [one.rows for one in passes if one.is_step]
        known = sorted(self.steps)
        steps = np.interp(rows, known, [self.steps[size] for size in known]).sum() if rows else 0.0
        return prompts * self.prompt_token + float(steps)


@dataclass(frozen=True)
class Texts:
    """How many texts are equal, how many part after a near tie, and those that part elsewhere."""

    equal: int
    after_tie: int
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class GenerationTime:
    """One slice, both sides."""

    shots: int
    num_docs: int
    prompt_tokens: float
    new_tokens: float
    batch_size: int
    ours: Measured
    theirs: Measured
    our_passes: tuple[Pass, ...]
    their_passes: tuple[Pass, ...]
    prices: Prices
    texts: Texts

    @property
    def ratio(self) -> float:
        """lm-eval's seconds over ours."""
        return self.theirs.times.median / self.ours.times.median

    @property
    def allowed(self) -> float:
        """The ratio of the two tools' work, at the same prices."""
        return self.prices.of(self.their_passes) / self.prices.of(self.our_passes)


# -- the two sides


def instances(items: Sequence[Item]) -> list[Any]:
    """The requests as lm-eval's own GSM8K task makes them, with our cap on new tokens."""
    found = []
    for place, item in enumerate(items):
        request = item.request
        assert isinstance(request, GenerateRequest)
        assert isinstance(request.prompt, str)
        settings = {
            "until": list(request.stop), "do_sample": False, "temperature": 0.0, "max_gen_toks": request.max_tokens,
        }  # fmt: skip
        found.append(Instance("generate_until", {}, (request.prompt, settings), place))
    return found


def their_texts(model: LocalModel, items: Sequence[Item], batch_size: int) -> list[str]:
    """lm-eval's answers, its tokenising included."""
    lm = HFLM(pretrained=model.model, tokenizer=model.encoder.tokenizer, batch_size=batch_size)
    return list(lm.generate_until(instances(items), disable_tqdm=True))


def our_completions(model: LocalModel, items: Sequence[Item]) -> list[Completion]:
    """Our answers from an engine that has computed nothing yet. Raises RuntimeError for a failure."""
    found = slices.answers(slices.engine_of(model), items)
    completions = [answer for answer in found if isinstance(answer, Completion)]
    if len(completions) < len(found):
        raise RuntimeError(f"a request failed: {next(a for a in found if not isinstance(a, Completion))}")
    return completions


@contextmanager
def counting(model: Any) -> Iterator[list[Pass]]:
    """The forward passes of a transformers `model` while this lasts."""
    passes: list[Pass] = []

    def note(_: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        passes.append(Pass(*ids.shape))

    hook = model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield passes
    finally:
        hook.remove()


# -- what a step costs


def measure_prices(model: LocalModel, prompts: Sequence[Sequence[int]], num_steps: int) -> Prices:
    """Price one prompt token and steps of some numbers of rows, after prompts of the slice's mean length.

    Transformers' own attention and cache compute them; each step is timed four times and the median counts.
    """
    import torch

    size = round(mean(map(len, prompts)))
    prompt = torch.tensor([(list(prompts[0]) * (size // len(prompts[0]) + 1))[:size]])
    seconds = [measuring.timed(partial(_prefill, model, prompt))[0] for _ in range(3)]
    steps = {}
    for num_rows in (count for count in ROW_COUNTS if count <= max(len(prompts), 1)):
        cache = _prefill(model, prompt)
        cache.reorder_cache(torch.zeros(num_rows, dtype=torch.long))
        token = torch.full((num_rows, 1), int(prompt[0, -1]))
        found = [measuring.timed(partial(_cached_step, model, token, cache))[0] for _ in range(num_steps + 1)]
        steps[num_rows] = median(found[1:])
    return Prices(min(seconds) / size, steps)


def _prefill(model: LocalModel, ids: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model.model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values


def _cached_step(model: LocalModel, ids: Any, cache: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model.model(input_ids=ids, past_key_values=cache, use_cache=True).logits


# -- the same texts


def compare_texts(model: LocalModel, items: Sequence[Item], ours: Sequence[Completion], theirs: Sequence[str]) -> Texts:
    """Compare both tools' texts; where they differ, with greedy decoding of one row alone."""
    equal = after_tie = 0
    wrong: list[str] = []
    for item, completion, text in zip(items, ours, theirs, strict=True):
        if completion.text == text:
            equal += 1
        elif _part_after_tie(model, item, (completion.text, text)):
            after_tie += 1
        else:
            wrong.append(f"{item.id}: {completion.text!r} and lm-eval {text!r}")
    return Texts(equal, after_tie, tuple(wrong))


def _part_after_tie(model: LocalModel, item: Item, texts: Sequence[str]) -> bool:
    """Whether each of `texts` is the greedy one up to a token after which two were nearly tied."""
    assert isinstance(item.request, GenerateRequest)
    tokens, gaps = greedy_trace(model, item.request)
    decode = partial(model.encoder.tokenizer.decode, skip_special_tokens=True)
    for text in texts:
        shown = [decode(tokens[: size + 1]) for size in range(len(tokens))]
        parting = next((place for place, part in enumerate(shown) if not _agree(part, text)), None)
        if parting is not None and min(gaps[max(0, parting - 1) : parting + 1]) > NEAR_TIE:
            return False
    return True


def _agree(part: str, text: str) -> bool:
    """Whether one begins with the other, an unfinished character at the end of either left out."""
    part, text = part.rstrip("\N{REPLACEMENT CHARACTER}"), text.rstrip("\N{REPLACEMENT CHARACTER}")
    return part.startswith(text) or text.startswith(part)


def greedy_trace(model: LocalModel, request: GenerateRequest) -> tuple[list[int], list[float]]:
    """Tokens of greedy decoding by itself, and by how much each token's logit exceeds the next best."""
    import torch

    prompt = slices.engine_of(model).requests.prompt(request).ids
    ids, cache = torch.tensor([prompt]), None
    tokens: list[int] = []
    gaps: list[float] = []
    with torch.inference_mode():
        while len(tokens) < request.max_tokens and not (tokens and tokens[-1] in model.end_tokens):
            output = model.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            best = output.logits[0, -1].float().topk(2)
            tokens.append(int(best.indices[0]))
            gaps.append(float(best.values[0] - best.values[1]))
            ids, cache = torch.tensor([[tokens[-1]]]), output.past_key_values
    return tokens, gaps


# -- one slice


def generation_time(
    model: LocalModel, items: Sequence[Item], shots: int, options: argparse.Namespace
) -> GenerationTime:
    """Time both sides on the prompts of `items`."""
    size = _best_batch_size(model, items, options.their_batch_sizes)
    found = measuring.interleaved(
        {"theirs": partial(their_texts, model, items, size), "ours": partial(our_completions, model, items)},
        options.rounds,
        warm_up=options.warm_up,
    )
    their_passes = _passes(model, partial(their_texts, model, items, size))
    our_passes = _passes(model, partial(our_completions, model, items))
    engine = slices.engine_of(model)
    prompts = [engine.requests.prompt(item.request).ids for item in items if isinstance(item.request, GenerateRequest)]
    ours: list[Completion] = found["ours"].result
    return GenerationTime(
        shots=shots,
        num_docs=len(items),
        prompt_tokens=mean(map(len, prompts)),
        new_tokens=mean(completion.num_tokens for completion in ours),
        batch_size=size,
        ours=found["ours"],
        theirs=found["theirs"],
        our_passes=our_passes,
        their_passes=their_passes,
        prices=measure_prices(model, prompts, options.steps),
        texts=compare_texts(model, items, ours, found["theirs"].result),
    )


def _best_batch_size(model: LocalModel, items: Sequence[Item], sizes: Sequence[int]) -> int:
    """The batch size at which lm-eval answers all items soonest, each tried once."""
    if len(sizes) == 1:
        return sizes[0]
    seconds = {size: measuring.timed(partial(their_texts, model, items, size))[0] for size in sizes}
    print("  lm-eval by batch size: " + ", ".join(f"{k}: {v:.1f} s" for k, v in seconds.items()), file=sys.stderr)
    return min(seconds, key=lambda size: seconds[size])


def _passes(model: LocalModel, side: Callable[[], object]) -> tuple[Pass, ...]:
    with counting(model.model) as passes:
        side()
    return tuple(passes)


# -- output


def row(found: GenerationTime) -> dict[str, object]:
    """One line of the table."""

    def of(passes: Sequence[Pass]) -> str:
        steps = [one.rows for one in passes if one.is_step]
        prompts = sum(one.rows * one.tokens for one in passes if not one.is_step)
        return f"{prompts:,} tokens, {len(steps)} steps, {sum(steps):,} row-steps"

    return {
        "exemplars": found.shots,
        "documents": found.num_docs,
        "prompt tokens, mean": found.prompt_tokens,
        "new tokens, mean": found.new_tokens,
        "ours": str(found.ours.times),
        "lm-eval": str(found.theirs.times),
        "its batch size": found.batch_size,
        "ratio": found.ratio,
        "allowed": found.allowed,
        "share": found.ratio / found.allowed,
        "our work": of(found.our_passes),
        "lm-eval's": of(found.their_passes),
        "texts equal": found.texts.equal,
        "after a near tie": found.texts.after_tie,
        "wrong": len(found.texts.wrong),
    }


def price_rows(found: Sequence[GenerationTime]) -> list[dict[str, object]]:
    """Lines of the table of prices, in milliseconds."""
    return [
        {
            "exemplars": one.shots, "a prompt token, ms": one.prices.prompt_token * 1e3,
            "a step by rows, ms": ", ".join(f"{size}: {price * 1e3:.0f}" for size, price in one.prices.steps.items()),
            "priced, ours": f"{one.prices.of(one.our_passes):.1f} s",
            "priced, lm-eval": f"{one.prices.of(one.their_passes):.1f} s",
        }
        for one in found
    ]  # fmt: skip


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = slices.parser(__doc__)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"], help="of both")
    parser.add_argument("--shots", type=int, nargs="+", default=[1, 5], help="exemplars in the prompts")
    parser.add_argument("--docs", type=int, default=32)
    parser.add_argument("--max_tokens", type=int, default=96, help="cap on new tokens")
    parser.add_argument("--their_batch_sizes", type=int, nargs="+", default=list(BATCH_SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm_up", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--steps", type=int, default=4, help="steps timed for each number of rows")
    return parser.parse_args(arguments)


def main() -> int:
    """Measure, print, and say by the exit code whether texts agree."""
    options = parse()
    logging.disable(logging.WARNING)
    machine = measuring.machine()
    model = slices.open_model(options.model, options.dtype)
    found = []
    for shots in options.shots:
        run = slices.prepared(
            model,
            slices.first_rows("gsm8k", options.docs),
            options.data_dir,
            num_fewshot={"gsm8k": shots},
            gen_kwargs={"max_tokens": options.max_tokens},
        )
        found.append(generation_time(model, slices.items_of(run), shots, options))
        print(f"  {row(found[-1])}", file=sys.stderr)
    print(f"{measuring.machine_line(machine)}\n\n{measuring.table([row(one) for one in found])}")
    print(f"\n{measuring.table(price_rows(found))}\n")
    wrong = [text for one in found for text in one.texts.wrong]
    keys = ("ratio", "allowed", "share")
    by_shots = {str(one.shots): {key: row(one)[key] for key in keys} for one in found}
    seconds = {str(one.shots): [one.ours.times.seconds, one.theirs.times.seconds] for one in found}
    texts = {str(one.shots): [one.texts.equal, one.texts.after_tie, len(one.texts.wrong)] for one in found}
    print(measuring.json_line({"by_shots": by_shots, "seconds": seconds, "texts": texts, "machine": machine}))
    print("\n".join(wrong) or "texts agree", file=sys.stderr)
    return 1 if wrong and options.dtype == "float32" else 0


if __name__ == "__main__":
    sys.exit(main())
