"""VeRA: adapters of two trained vectors beside random matrices that all layers share (Kopiczko et al., ICLR 2024, arXiv 2310.11454)."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

START = 0.1
"""Of the inner vector; the outer one starts at 0, so that the network starts as it was."""


class VectorAdapter(nn.Module):
    """W -> W + diag(outer) up diag(inner) down with fixed ``up`` (out, rank) and ``down`` (rank, in)."""

    def __init__(self, up: Float[Tensor, "out rank"], down: Float[Tensor, "rank in"]) -> None:
        super().__init__()
        self.register_buffer("up", up, persistent=False)
        self.register_buffer("down", down, persistent=False)
        self.inner, self.outer = nn.Parameter(torch.full((len(down),), START)), nn.Parameter(torch.zeros(len(up)))

    def forward(self, weight: Float[Tensor, "out in"]) -> Float[Tensor, "out in"]:
        """The adapted weight."""
        return weight + (self.outer[:, None] * self.get_buffer("up")) @ (self.inner[:, None] * self.get_buffer("down"))


def adapt_by_vectors(module: nn.Module, names: Iterable[str], rank: int, generator: torch.Generator) -> nn.Module:
    """The module, changed in place: vector adapters on the named weights, all of one shape. The random matrices have the variance of
    Kaiming's uniform initial values.
    """
    names = list(names)
    rows, columns = module.get_parameter(names[0]).shape
    uniform = lambda *shape: 2 * torch.rand(*shape, generator=generator) - 1  # noqa: E731
    up, down = uniform(rows, rank) * (3 / rank) ** 0.5, uniform(rank, columns) * (3 / columns) ** 0.5
    for name in names:
        parent, _, last = name.rpartition(".")
        parametrize.register_parametrization(module.get_submodule(parent), last, VectorAdapter(up, down))
    return module
