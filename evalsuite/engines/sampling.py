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
        """A token by its row of `logits`, whose `likeliest` is known."""
        import torch

        if self._generator is None:
            return likeliest
        weights = torch.softmax(logits.double().cpu() / self._request.temperature, dim=-1)
        ordered, tokens = weights.sort(descending=True, stable=True)
        total = ordered.cumsum(dim=0)
        num_kept = int((total - ordered < self._request.top_p).sum())
        drawn = torch.rand((), generator=self._generator, dtype=torch.float64) * total[num_kept - 1]
        place = int(torch.searchsorted(total[:num_kept], drawn, right=True))
        return int(tokens[min(place, num_kept - 1)])
