"""The LSTM cell whose gates are circuits (arXiv 2009.01783; the code of arXiv 2312.14309).

With v = [x; h], x the next value of the series and n = dim v:

    f = sigmoid C1(v),  i = sigmoid C2(v),  g = tanh C3(v),  o = sigmoid C4(v),
    c = f c + i g,      u = o tanh(c),      h = the first n - 1 outputs of C5(u),     forecast = Linear(C6(u)) after the last value.

C1 to C4 are one call; C6 is needed after the last value only, and C5 no longer then.
"""

import math
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

CIRCUITS = 6
"""Of a cell: four gates, hidden state, output."""
HIDDEN, OUTPUT = 4, 5
"""Which of them make the hidden state and the output."""


class Circuits(Protocol):
    """Six circuits that take and give n numbers in [-1, 1]: qubits (:mod:`.qubits`) or photons (:mod:`.photonic`)."""

    @property
    def inputs(self) -> int:
        """n."""
        ...

    def __call__(self) -> Any:
        """What does not depend on the inputs, first index the circuit."""
        ...

    def expectations(self, inputs: Float[Tensor, "batch inputs"], held: Any) -> Float[Tensor, "circuits batch inputs"]:
        """The outputs of the circuits that are given."""
        ...


class QLSTM(nn.Module):
    """Forecasts (n,) of what follows each window (n, time); float64."""

    def __init__(self, circuits: Circuits, generator: torch.Generator) -> None:
        super().__init__()
        self.circuits = circuits
        self.readout = nn.Linear(circuits.inputs, 1, dtype=torch.float64)
        draw_as_torch(self.readout, circuits.inputs, generator)

    def forward(self, windows: Float[Tensor, "n time"]) -> Float[Tensor, " n"]:
        """The forecasts."""
        circuits, size = self.circuits, self.circuits.inputs
        held = circuits()
        h, c = windows.new_zeros(len(windows), size - 1), windows.new_zeros(len(windows), size)
        u = c
        for step, x in enumerate(windows.unbind(1)):
            if step:
                h = circuits.expectations(u, held[HIDDEN:OUTPUT])[0, :, : size - 1]
            f, i, g, o = circuits.expectations(torch.cat([x[:, None], h], 1), held[:HIDDEN])
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            u = o.sigmoid() * c.tanh()
        return self.readout(circuits.expectations(u, held[OUTPUT:])[0])[:, 0]


def draw_as_torch(module: nn.Module, fan: int, generator: torch.Generator) -> None:
    """Initial values by torch's rule for linear and LSTM layers, uniform within 1 / sqrt(fan), from a generator of one's own."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-1 / math.sqrt(fan), 1 / math.sqrt(fan), generator=generator)


def trained_count(module: nn.Module) -> int:
    """Numbers that are trained."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
