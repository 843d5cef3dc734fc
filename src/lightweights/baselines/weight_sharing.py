"""Weight sharing: the rows of the largest linear layer are copies of a few.

Source: the authors' notebooks of arXiv 2505.08474. The 20 x 192 weight of the first linear layer is k shared rows, all k repeated
20/k times; shared rows and the layer's bias start as N(0, 1). All other layers are trained as they are.
"""

import torch
from torch import Tensor, nn

from lightweights.baselines.baseline import GeneratedWeights
from lightweights.settings.base import SettingsError
from lightweights.settings.baselines import WeightSharing


class SharedRows(GeneratedWeights):
    """The target network with shared rows in its largest linear layer."""

    def __init__(self, settings: WeightSharing, network: nn.Module, generator: torch.Generator) -> None:
        super().__init__(network)
        layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Linear) and layer.weight.requires_grad}
        if not layers:
            raise SettingsError("baseline.kind = 'weight_sharing' needs a linear layer in the network; use another kind or network")
        self.layer = max(layers, key=lambda name: layers[name].weight.numel())
        self.shared = f"{self.layer}.weight" if self.layer else "weight"
        outputs, inputs = layers[self.layer].weight.shape
        if outputs % settings.rows:
            divisors = ", ".join(str(rows) for rows in range(1, outputs + 1) if outputs % rows == 0)
            raise SettingsError(
                f"baseline.rows = {settings.rows} does not divide the {outputs} outputs of layer {self.layer!r}; use one of {divisors}"
            )
        self.repeats = outputs // settings.rows
        self.rows = nn.Parameter(torch.randn(settings.rows, inputs, generator=generator))
        self.rest = [name for name in self.shapes if name != self.shared]
        self.others = nn.ParameterList(nn.Parameter(network.get_parameter(name).detach().clone()) for name in self.rest)
        bias = self.shared.removesuffix("weight") + "bias"
        if bias in self.rest:
            self.others[self.rest.index(bias)].data = torch.randn(outputs, generator=generator)

    def weights(self) -> dict[str, Tensor]:
        """The generated weights by name."""
        return dict(zip(self.rest, self.others, strict=True)) | {self.shared: self.rows.repeat(self.repeats, 1)}
