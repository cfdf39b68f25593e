"""The next token of one row: the likeliest, or drawn with the request's own seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.types import GenerateRequest

if TYPE_CHECKING:
    import torch


class Sampler:
    """Draws by temperature and nucleus (top-p, Holtzman et al. 2020) from a generator that only this row uses."""

    def __init__(self, request: GenerateRequest) -> None:
        import torch

        self._request = request
        self._generator = torch.Generator().manual_seed(request.seed) if request.temperature else None

    def pick(self, logits: torch.Tensor, likeliest: int) -> int:
        """A token by its row of `logits`, whose `likeliest` is known.

        The largest of logits with Gumbel noise has the softmax's distribution, and unlike a cumulative sum it changes
        only where two candidates all but tie, so that float32's rounding hardly ever makes another text. In bfloat16
        the rows beside this one change a token in some twenty.
        """
        import torch

        if self._generator is None:
            return likeliest
        values = logits.double().cpu()
        scaled = (values - values.max()) / self._request.temperature  # whatever the temperature, none overflows upwards
        if self._request.top_p < 1:
            scaled = self._nucleus(scaled)
        waiting = torch.empty_like(scaled).exponential_(generator=self._generator)
        return int((scaled - waiting.log()).argmax())

    def _nucleus(self, scaled: torch.Tensor) -> torch.Tensor:
        """The fewest likeliest tokens that hold `top_p` together; the others are impossible."""
        import torch

        ordered, tokens = scaled.sort(descending=True, stable=True)
        weights = ordered.softmax(dim=-1)
        is_kept = weights.cumsum(dim=0) - weights < self._request.top_p
        is_kept[0] = True
        return torch.full_like(scaled, float("-inf")).scatter(0, tokens[is_kept], ordered[is_kept])
