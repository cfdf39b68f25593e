"""What vLLM is asked, token ids in, and how its answers are read.

A continuation of one token is scored as the next token of its context, many of one context at once. Longer ones are
replayed: vLLM is made to generate just these tokens and says how likely each was. Both read what is cached of a context
and compute logits only where they are wanted. Where vLLM cannot replay, continuations are part of the prompt, and the
log-probabilities of all its tokens are asked for: then nothing cached is read, since vLLM stores no logits, and every
prompt token goes through the vocabulary.

In all three a token is greedy when vLLM itself would have picked it there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from evalsuite.engines.completion import completion_of
from evalsuite.engines.encoding import EncodedPair, EncodedPrompt
from evalsuite.engines.scores import NO_TOKENS, NONFINITE, response_of
from evalsuite.engines.vllm_model import VllmModel
from evalsuite.errors import EngineFailed
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Response

MAX_NAMED_TOKENS = 128
"""Tokens whose log-probabilities one request can name; vLLM refuses more."""

Tokens: TypeAlias = tuple[int, ...]
Row: TypeAlias = tuple[Tokens, Tokens]
"""A context and its continuation."""
Score: TypeAlias = tuple[float, bool]
"""A log-likelihood in nats, and whether it is that of greedy tokens."""


# -- scoring


def score(llm: Any, pairs: Sequence[EncodedPair], *, replays: bool) -> list[Response]:
    """The log-likelihood of each pair's continuation, in order; what is asked twice is computed once.

    Raises EngineFailed where vLLM breaks off, or does not do as asked.
    """
    rows = list(dict.fromkeys((pair.context, pair.continuation) for pair in pairs if pair.continuation))
    longer = [row for row in rows if len(row[1]) > 1]
    found = _score_next([row for row in rows if len(row[1]) == 1], llm)
    # apart: beside requests that name tokens, some versions list no likeliest token for others
    found |= _replay(longer, llm) if replays else _score_in_prompts(longer, llm)
    return [
        response_of(pair, *found[pair.context, pair.continuation]) if pair.continuation else NO_TOKENS for pair in pairs
    ]


def _score_next(rows: Sequence[Row], llm: Any) -> dict[Row, Score]:
    """Continuations of one token, as the next token of their contexts."""
    wanted: dict[Tokens, list[int]] = {}
    for context, (token,) in rows:
        wanted.setdefault(context, []).append(token)
    parts = [
        (context, tokens[start : start + MAX_NAMED_TOKENS])
        for context, tokens in wanted.items()
        for start in range(0, len(tokens), MAX_NAMED_TOKENS)
    ]
    params = [_greedy(1, logprob_token_ids=tokens) for _, tokens in parts]
    found: dict[Row, Score] = {}
    for (context, tokens), output in zip(parts, _ask(llm, [context for context, _ in parts], params), strict=True):
        for token in tokens:
            found[context, (token,)] = _next_token(output, token)
    return found


def _replay(rows: Sequence[Row], llm: Any) -> dict[Row, Score]:
    """Continuations as what vLLM is made to generate."""
    params = [_greedy(len(rest), trace_decode_token_ids=list(rest), logprobs=1) for _, rest in rows]
    found: dict[Row, Score] = {}
    for row, output in zip(rows, _ask(llm, [context for context, _ in rows], params), strict=True):
        answer = output.outputs[0]
        if tuple(answer.token_ids) != row[1]:
            raise EngineFailed("vLLM was to follow the tokens of a continuation and generated others.")
        found[row] = _summed(_listed(answer.logprobs, range(len(row[1]))))
    return found


def _score_in_prompts(rows: Sequence[Row], llm: Any) -> dict[Row, Score]:
    """Continuations at the end of their prompts, but for the last token, which is the next one."""
    params = [_greedy(1, prompt_logprobs=1, logprob_token_ids=[rest[-1]]) for _, rest in rows]
    found: dict[Row, Score] = {}
    for row, output in zip(rows, _ask(llm, [(*context, *rest[:-1]) for context, rest in rows], params), strict=True):
        context, rest = row
        places = range(len(context), len(context) + len(rest) - 1)
        found[row] = _summed([*_listed(output.prompt_logprobs, places), _next_token(output, rest[-1])])
    return found


def _summed(scores: Sequence[Score]) -> Score:
    return math.fsum(logprob for logprob, _ in scores), all(is_greedy for _, is_greedy in scores)


def _next_token(output: Any, token: int) -> Score:
    """The named `token` after the prompt of `output`: its log-probability stands beside the generated token's."""
    answer = output.outputs[0]
    flat = answer.logprobs
    named = dict(zip(flat.token_ids, flat.logprobs, strict=True)) if flat else {}
    if token not in named:
        raise EngineFailed("vLLM was asked for a token's log-probability and gave none; this takes vLLM 0.23 or newer.")
    return named[token], answer.token_ids[0] == token


def _listed(flat: Any, places: Sequence[int]) -> list[Score]:
    """The tokens at `places`, of which each is listed before the likeliest one."""
    starts = [flat.start_indices[place] for place in places]
    return [(flat.logprobs[start], flat.token_ids[start] == flat.token_ids[start + 1]) for start in starts]


def _greedy(max_tokens: int, **wanted: Any) -> Any:
    from vllm import SamplingParams

    return SamplingParams(temperature=0.0, max_tokens=max_tokens, flat_logprobs=True, detokenize=False, **wanted)


# -- generation


def generate(
    model: VllmModel, requests: Sequence[GenerateRequest], prompts: Sequence[EncodedPrompt], *, stops: bool = True
) -> list[Response]:
    """The completion of each of `prompts`, in order.

    With `stops` vLLM ends an answer at a stop string in the text as it decodes it; an answer in whose text, as we
    decode it, there is none is asked for again without.
    """
    found: dict[int, Response] = {}
    params: dict[int, Any] = {}
    for place, request in enumerate(requests):
        try:
            params[place] = _sampling(model, request, stops=stops)
        except Exception as error:  # a temperature above 2, say: ValueError once, an error of vLLM's own since
            found[place] = Failure(cause=Cause.REJECTED, detail=f"vLLM: {_first_line(error)}")
    outputs = _ask(model.llm, [prompts[place].ids for place in params], list(params.values()))
    again: list[int] = []
    for place, output in zip(params, outputs, strict=True):
        answer = output.outputs[0]
        found[place] = response = _answer(model, requests[place], prompts[place], answer)
        is_cut = isinstance(response, Completion) and response.stop_reason == "length"
        if stops and is_cut and answer.finish_reason == "stop":
            again.append(place)
    if again:
        whole = generate(model, [requests[place] for place in again], [prompts[place] for place in again], stops=False)
        found |= zip(again, whole, strict=True)
    return [found[place] for place in range(len(requests))]


def _sampling(model: VllmModel, request: GenerateRequest, *, stops: bool) -> Any:
    """The request's own settings. Log-probabilities are always asked for: they show logits that are no numbers."""
    from vllm import SamplingParams

    stop = [string for string in request.stop if string and stops]
    return SamplingParams(
        temperature=request.temperature,
        top_p=request.top_p if request.temperature else 1.0,
        seed=request.seed if request.temperature else None,
        max_tokens=request.max_tokens,
        stop=stop,
        stop_token_ids=model.end_tokens,
        logprobs=request.num_alternatives,
        flat_logprobs=True,
        detokenize=bool(stop),
    )


def _answer(model: VllmModel, request: GenerateRequest, prompt: EncodedPrompt, answer: Any) -> Response:
    """The completion that vLLM's `answer` is, its text ours."""
    flat, tokens = answer.logprobs, list(answer.token_ids)
    own = [flat.logprobs[start] for start in flat.start_indices]
    if not all(map(math.isfinite, own)):
        return NONFINITE
    completion = completion_of(model, request, prompt, tokens)
    if not request.num_alternatives:
        return completion
    decode = model.encoder.tokenizer.decode
    kept = range(completion.num_tokens)
    return msgspec.structs.replace(
        completion,
        logprobs_nats=tuple(own[place] for place in kept),
        tokens=tuple(decode([tokens[place]]) for place in kept),
        alternatives=tuple(
            tuple(
                (decode([flat.token_ids[entry]]), flat.logprobs[entry])
                for entry in range(flat.start_indices[place] + 1, flat.end_indices[place])
            )
            for place in kept
        ),
    )


# -- asking


def _ask(llm: Any, prompts: Sequence[Tokens], params: Sequence[Any]) -> list[Any]:
    """vLLM's outputs, in order."""
    if not prompts:
        return []
    from vllm import TokensPrompt

    asked: list[Mapping[str, Any]] = [TokensPrompt(prompt_token_ids=list(ids)) for ids in prompts]
    try:
        outputs: list[Any] = llm.generate(asked, params, use_tqdm=False)
    except Exception as error:  # its errors have no base in common; none of them leaves an answer
        raise EngineFailed(
            f"vLLM broke off: {type(error).__name__}: {_first_line(error)}; the same command goes on from here."
        ) from error
    return outputs


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
