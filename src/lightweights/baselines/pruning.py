"""Pruned networks: before training by structure, or after part of it by magnitude.

Structured pruning as in the authors' notebooks of arXiv 2505.08474: whole filters of convolutions and whole input columns of linear
layers, those of smallest L2 norm at the initial values, so that the choice is in effect random; biases stay. What is left is trained.

Magnitude pruning (Han et al., arXiv 1506.02626): the network is trained whole, then the smallest weights of all layers together
are set to zero for good, biases stay, and what is left is trained on.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from lightweights.baselines.baseline import GeneratedWeights
from lightweights.settings.base import SettingsError
from lightweights.settings.baselines import MagnitudePruning, Pruning

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Masked(GeneratedWeights):
    """The target network with some weights held at zero. A weight that is held gets no gradient."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.values = nn.ParameterList(
            nn.Parameter(value.detach().clone()) for name, value in network.named_parameters() if name in self.shapes
        )
        for index, value in enumerate(self.values):
            self.register_buffer(f"mask{index}", torch.ones_like(value))

    def masks(self) -> dict[str, Tensor]:
        """1 where a weight is trained, 0 where it is held at zero, by name."""
        return {name: self.get_buffer(f"mask{index}") for index, name in enumerate(self.shapes)}

    def weights(self) -> dict[str, Tensor]:
        """The masked weights by name."""
        return {name: value * mask for value, (name, mask) in zip(self.values, self.masks().items(), strict=True)}

    def trained_count(self) -> int:
        """Weights that are not held at zero."""
        return sum(int(mask.sum()) for mask in self.masks().values())


class StructurallyPruned(Masked):
    """A share of filters and input columns is gone before training starts."""

    def __init__(self, settings: Pruning, network: nn.Module) -> None:
        super().__init__(network)
        scratch = copy.deepcopy(network)
        for name, layer in scratch.named_modules():
            weight = f"{name}.weight" if name else "weight"
            if weight in self.shapes and isinstance(layer, (nn.Linear, *CONVOLUTIONS)):
                prune.ln_structured(layer, "weight", settings.ratio, n=2, dim=1 if isinstance(layer, nn.Linear) else 0)
                self.masks()[weight].copy_(layer.get_buffer("weight_mask"))
        if not any(bool(mask.any()) for name, mask in self.masks().items() if len(self.shapes[name]) > 1):
            raise SettingsError(f"baseline.ratio = {settings.ratio:g} leaves no weight in this network; use a smaller one")


class MagnitudePruned(Masked):
    """Trained whole for some epochs; then all but the largest weights are gone."""

    def __init__(self, settings: MagnitudePruning, network: nn.Module) -> None:
        super().__init__(network)
        self.dense_epochs = settings.dense_epochs
        self.prunable = [index for index, shape in enumerate(self.shapes.values()) if len(shape) > 1]
        total = self.target_count()
        biases = total - sum(self.values[index].numel() for index in self.prunable)
        self.kept = settings.parameters - biases
        if not 0 < self.kept <= total - biases:
            raise SettingsError(
                f"baseline.parameters = {settings.parameters} cannot be kept of {total} with all {biases} biases; "
                f"use {biases + 1} to {total}"
            )

    @torch.no_grad()
    def start_epoch(self, epoch: int) -> None:
        """Prune after the dense epochs."""
        if epoch != self.dense_epochs + 1:
            return
        scratch = nn.ParameterList(nn.Parameter(self.values[index].clone()) for index in self.prunable)
        holder = nn.Module()
        for number, value in enumerate(scratch):
            holder.register_parameter(f"p{number}", value)
        tensors = [(holder, f"p{number}") for number in range(len(scratch))]
        prune.global_unstructured(tensors, prune.L1Unstructured, amount=sum(v.numel() for v in scratch) - self.kept)
        for number, index in enumerate(self.prunable):
            self.get_buffer(f"mask{index}").copy_(getattr(holder, f"p{number}_mask"))

    def trained_count(self) -> int:
        """Weights that are kept in the end."""
        return self.target_count() - sum(self.values[index].numel() for index in self.prunable) + self.kept
