"""Generation in static batches by transformers' own `generate`, for any model that has one.

Each row stops by its own stop strings and cap; when half of a batch has stopped, the
rest goes on without it where the model's cache lets rows go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evalsuite.engines.completion import completion_of, is_done
from evalsuite.engines.encoding import EncodedPrompt
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.sampling import Sampler
from evalsuite.engines.scores import NONFINITE
from evalsuite.types import GenerateRequest, Response

if TYPE_CHECKING:
    import torch


@dataclass
class _Row:
    """A row under way: what it generated, and whether it is done or its logits are broken."""

    request: GenerateRequest
    prompt: EncodedPrompt
    sampler: Sampler
    tokens: list[int] = field(default_factory=list)
    is_done: bool = False
    is_broken: bool = False


def generate(
    model: LocalModel,
    requests: Sequence[GenerateRequest],
    prompts: Sequence[EncodedPrompt],
    *,
    may_leave: bool | None = None,
) -> list[Response]:
    """The completion of each request after its prompt, in order; rows `may_leave` where the model lets them."""
    rows = [_Row(request, prompt, Sampler(request)) for request, prompt in zip(requests, prompts, strict=True)]
    _run(model, rows, model.keeps_rows_apart if may_leave is None else may_leave)
    return [NONFINITE if row.is_broken else completion_of(model, row.request, row.prompt, row.tokens) for row in rows]


def _run(model: LocalModel, rows: Sequence[_Row], may_leave: bool) -> None:
    """Generate until every row is done, with fewer rows each time `generate` is called again."""
    import torch

    ids, mask = _padded(model, rows)
    live = list(rows)
    cache = None
    with torch.inference_mode():
        while live:
            pick = _Pick(model, live, may_leave=may_leave)
            output = model.model.generate(
                input_ids=ids, attention_mask=mask, **({"past_key_values": cache} if cache is not None else {}),
                logits_processor=pick.as_processors(), stopping_criteria=pick.as_criteria(),
                generation_config=_generation_config(model, live),
            )  # fmt: skip
            kept = [place for place, row in enumerate(live) if not row.is_done]
            if not kept:
                return
            live = [live[place] for place in kept]
            cache = getattr(output, "past_key_values", None)
            index = torch.tensor(kept, device=ids.device)
            num_new = output.sequences.shape[1] - ids.shape[1]
            ids = output.sequences.index_select(0, index)
            mask = torch.nn.functional.pad(mask.index_select(0, index), (0, num_new), value=1)
            if cache is not None:
                cache.reorder_cache(index)


def _padded(model: LocalModel, rows: Sequence[_Row]) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts padded on the left, where answers go on from their ends; an encoder's on the right, as it counts."""
    import torch

    longest = max(len(row.prompt.ids) for row in rows)
    padding = [longest - len(row.prompt.ids) for row in rows]
    pad, device = model.encoder.pad_token, model.settings.device
    if model.is_encoder_decoder:
        ids = [[*row.prompt.ids, *[pad] * num] for row, num in zip(rows, padding, strict=True)]
        mask = [[1] * (longest - num) + [0] * num for num in padding]
    else:
        ids = [[*[pad] * num, *row.prompt.ids] for row, num in zip(rows, padding, strict=True)]
        mask = [[0] * num + [1] * (longest - num) for num in padding]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _generation_config(model: LocalModel, rows: Sequence[_Row]) -> Any:
    """Of the model's own generation_config.json only its end tokens count; what is picked is ours."""
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max(row.request.max_tokens - len(row.tokens) for row in rows),
        eos_token_id=model.end_tokens,
        pad_token_id=model.encoder.pad_token,
        decoder_start_token_id=model.model.generation_config.decoder_start_token_id,
        return_dict_in_generate=True,
    )


class _Pick:
    """Picks the next token of every row, and says which rows are done; all are, once half of them may leave."""

    def __init__(self, model: LocalModel, rows: Sequence[_Row], *, may_leave: bool) -> None:
        self._model = model
        self._rows = rows
        self._may_leave = may_leave

    def as_processors(self) -> Any:
        """Leaves one token possible in every row."""
        from transformers import LogitsProcessorList

        return LogitsProcessorList([self._picked])

    def as_criteria(self) -> Any:
        """The rows that are done."""
        from transformers import StoppingCriteriaList

        return StoppingCriteriaList([self._done])

    def _picked(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import torch

        finite = scores.amax(dim=-1).isfinite().tolist()
        likeliest = scores.argmax(dim=-1).tolist()
        only = torch.full_like(scores, float("-inf"))
        for place, row in enumerate(self._rows):
            if row.is_done:
                only[place, likeliest[place]] = 0
                continue
            row.is_broken = not finite[place]
            token = likeliest[place] if row.is_broken else row.sampler.pick(scores[place], likeliest[place])
            row.tokens.append(token)
            row.is_done = row.is_broken or is_done(self._model, row.request, row.tokens)
            only[place, token] = 0
        return only

    def _done(self, ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        import torch

        done = [row.is_done for row in self._rows]
        if self._may_leave and sum(done) * 2 >= len(done):
            done = [True] * len(done)
        return torch.tensor(done, device=ids.device)
