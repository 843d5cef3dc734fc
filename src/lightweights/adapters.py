"""Low-rank adapters beside frozen weights: what is trained, or generated, in place of a whole network.

LoRA (Hu et al., ICLR 2022, arXiv 2106.09685): W + (alpha / r) B A with B (out, r) and A (r, in). Here the sum has a gate that starts at 0,
so that A and B may start anywhere, as generated ones do, and the network starts as it was. The adapter is a parametrisation of the weight
(``torch.nn.utils.parametrize``): it reaches weights that a layer uses without calling it, such as those inside ``MultiheadAttention``.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lightweights.selection import named, names_of
from lightweights.target import copied
from lightweights.training.randomness import initial_values


class LowRankAdapter(nn.Module):
    """W -> W + gate (alpha / rank) up down, for a weight of shape (out, ...), taken as (out, in).

    ``down`` (rank, in) starts uniform within 1 / sqrt(in), as torch's linear layers; ``up`` (out, rank) uniform with variance 1 / rank, so
    that a gate of 1 means a change about as large as the weight. Without ``gate`` it is LoRA's own form: ``up`` starts at 0.
    """

    trained_directly = ("gate",)
    """Parameters that a generator of weights leaves to be trained as they are."""

    def __init__(self, weight: Float[Tensor, "out ..."], rank: int, alpha: float, gate: bool, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns = len(weight), weight[0].numel()
        if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= min(rows, columns):
            raise ValueError(f"rank {rank!r}: a weight of {rows} x {columns} takes a whole number from 1 to {min(rows, columns)}")
        uniform = lambda *shape: 2 * torch.rand(*shape, generator=generator) - 1  # noqa: E731
        self.factor = alpha / rank
        self.down = nn.Parameter(uniform(rank, columns) / columns**0.5)
        self.up = nn.Parameter(uniform(rows, rank) * (3 / rank) ** 0.5 if gate else torch.zeros(rows, rank))
        self.gate = nn.Parameter(torch.zeros(())) if gate else None

    def forward(self, weight: Float[Tensor, "out ..."]) -> Float[Tensor, "out ..."]:
        """The adapted weight, of the weight's dtype."""
        with torch.autocast(weight.device.type, enabled=False):
            change = self.factor * (self.up.to(self.down.dtype) @ self.down).view(weight.shape)
            if self.gate is not None:
                change = self.gate * change
            return weight + change.to(weight.dtype)

    def extra_repr(self) -> str:
        """Shape, rank, and whether there is a gate."""
        return f"{len(self.up)} x {self.down.shape[1]}, rank={len(self.down)}, factor={self.factor:g}, gate={self.gate is not None}"


def adapt(
    module: nn.Module,
    targets: str | Iterable[str],
    rank: int = 4,
    *,
    alpha: float | None = None,
    train: str | Iterable[str] = (),
    gate: bool = True,
    seed: int | None = None,
    generator: torch.Generator | None = None,
) -> nn.Module:
    """A copy of a module with low-rank adapters on the weights that ``targets`` names; all else is frozen but what ``train`` names.

    ``targets``: names or patterns of weights, or of modules with all weights of two or more dimensions in them: ``"layers.*.self_attn"``,
    ``"*.query"``. ``alpha`` is ``rank`` unless set. What is returned is a plain module with adapters, ready to be trained directly (that is
    LoRA), or to be handed to ``QuantumTrain``, which generates all A and B and trains the gates; name in ``direct`` what else is trained.
    ``seed`` or ``generator`` decides the adapters' initial values; without either they follow ``torch.manual_seed``.

    Raises ValueError for a pattern that names no weight, a rank that a weight does not have, and weights of recurrent layers, which these
    keep in a list of their own.
    """
    draws = initial_values(seed, generator)
    module = copied(module).requires_grad_(False)
    weights = {name: p for name, p in module.named_parameters(remove_duplicate=False) if p.dim() > 1}
    found = named("targets", targets, [[name] for name in weights])  # of a shared weight the place that is named
    for name in named("train", train, names_of(module)):
        module.get_parameter(name).requires_grad_(True)
    for name in (name for name in weights if name in found):
        parent, _, last = name.rpartition(".")
        layer = module.get_submodule(parent)
        if isinstance(layer, nn.RNNBase):
            raise ValueError(f"targets: {name} is a weight of {type(layer).__name__}, which an adapter does not reach; adapt linear layers")
        weight = weights[name]
        adapter = LowRankAdapter(weight, rank, rank if alpha is None else alpha, gate, draws).to(weight.device)
        weight.requires_grad_(False)
        parametrize.register_parametrization(layer, last, adapter)
    return module


def merged(module: nn.Module) -> nn.Module:
    """The module, changed in place: its adapters are added to their weights and are gone. A weight shared with another layer is not changed
    there. Layers that have other parametrisations besides stay as they are.
    """
    for layer in list(module.modules()):
        if not parametrize.is_parametrized(layer):
            continue
        stacks = dict(layer.parametrizations.items())  # type: ignore[operator, union-attr]
        if not all(isinstance(part, LowRankAdapter) for stack in stacks.values() for part in stack):
            continue
        with torch.no_grad():
            weights = {name: nn.Parameter(getattr(layer, name).clone()) for name in stacks}
        # Not by torch's remove_parametrizations: it takes the weight's property from the class, which copies of a module share.
        layer.__class__ = type(layer).__bases__[0]
        del layer.parametrizations
        for name, weight in weights.items():
            layer.register_parameter(name, weight)
    return module
