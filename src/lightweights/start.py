"""How a generated vector becomes weights that learn: added to fixed random weights of the layers' own level, or to weights there are.

Chosen by measurement over four kinds of network (``python -m benchmarks.starts``, docs/library.md).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.selection import Slot

SCATTER = 1504_04788
"""Seed of the fixed weights, signs and order, the same for every generator."""

FIXED, GENERATED = 0.8, 0.6
"""Shares of the fixed and the generated part in the weights' spread at the start: their squares add up to 1."""


class Start(nn.Module):
    """w = m + 0.8 s x + gate level sign g; of a ``residual`` w = w0 + gate level sign g. Called with g (weights,) it gives w (weights,).

    m and s are mean and spread of each parameter's ``initial`` values, x fixed N(0, 1) numbers, w0 the initial values themselves. Each
    parameter has a trained gate that starts at 0.6 (0 for a residual), and a level that gives level g the root mean square of the
    initial values where g has the size of ``generated``. Signs and the order of g are random and fixed, as in hashed networks
    (Chen et al., ICML 2015, arXiv 1504.04788), so that neighbouring weights do not move together. What follows from the seed is not
    part of the state.
    """

    levels: Tensor
    base: Tensor
    signs: Tensor
    order: Tensor

    def __init__(self, slots: tuple[Slot, ...], initial: list[Tensor], generated: Float[Tensor, " weights"], residual: bool) -> None:
        super().__init__()
        self.sizes, self.residual = [slot.size for slot in slots], residual
        count = sum(self.sizes)
        usual = float(generated.double().square().mean().sqrt().clamp(min=1e-12))
        moments = [
            (float(w.float().mean()), float(w.float().std(correction=0)), slot.level / usual)
            for w, slot in zip(initial, slots, strict=True)
        ]
        draws = torch.Generator().manual_seed(SCATTER)
        self.register_buffer("levels", torch.tensor(moments, dtype=torch.float32).T.contiguous())
        signs = 2 * torch.randint(0, 2, (count,), generator=draws, dtype=torch.int8) - 1
        self.register_buffer("signs", signs, persistent=False)
        self.register_buffer("order", torch.randperm(count, generator=draws).to(torch.int32), persistent=False)
        if residual:
            base = torch.cat([w.flatten().to(torch.promote_types(w.dtype, torch.float32)) for w in initial])
        else:
            base = torch.randn(count, generator=draws, dtype=torch.float32)
        self.register_buffer("base", base, persistent=residual)
        self.gate = nn.Parameter(torch.full((len(slots),), 0.0 if residual else GENERATED, dtype=torch.float32))

    def forward(self, generated: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """The weights."""
        scattered = (self.signs * generated.index_select(0, self.order)).split(self.sizes)
        mean, spread, level = self.levels
        base, moved = self.base.split(self.sizes), level * self.gate
        if self.residual:
            return torch.cat([w + size * g for w, g, size in zip(base, scattered, moved, strict=True)])
        parts = zip(base, scattered, mean, FIXED * spread, moved, strict=True)
        return torch.cat([m + s * x + size * g for x, g, m, s, size in parts])
