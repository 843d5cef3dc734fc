"""Photonic Quantum-Train on an LSTM that foretells a damped oscillator, one step ahead.

    python examples/damped_oscillator.py           # a minute or two
    python examples/damped_oscillator.py --quick   # seconds

Each series is exp(-g t) cos(w t + phase) with its own g, w and phase, so the network has to read them off what it has seen. Two simple
forecasts stand beside it: the last value again, and the line through the last two.
"""

import argparse
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights import MPS, QuantumTrain

SEEN = 5  # steps of a series before forecasts count


class Forecaster(nn.Module):
    """An LSTM on series (n, time): for each time the value of the next, (n, time)."""

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.value = nn.Linear(hidden, 1)

    def forward(self, series: Tensor) -> Tensor:
        states, _ = self.lstm(series[..., None])
        return self.value(states)[..., 0]


def oscillators(count: int, generator: torch.Generator) -> Tensor:
    """Series (count, 60), at steps of 0.2."""
    time = 0.2 * torch.arange(60)
    damping, frequency, phase = torch.rand(3, count, 1, generator=generator)
    return torch.exp(-(0.05 + 0.15 * damping) * time) * torch.cos((1 + frequency) * time + 2 * math.pi * phase)


def error(forecaster: nn.Module, series: Tensor) -> Tensor:
    """Mean squared error of all forecasts one step ahead."""
    return F.mse_loss(forecaster(series[:, :-1])[:, SEEN:], series[:, 1 + SEEN :])


def train(forecaster: nn.Module, groups: list[dict], series: Tensor, steps: int) -> None:
    optimiser, batches = torch.optim.Adam(groups), torch.Generator().manual_seed(1)
    for _ in range(steps):
        optimiser.zero_grad()
        error(forecaster, series[torch.randint(len(series), (50,), generator=batches)]).backward()
        optimiser.step()


def main(quick: bool) -> None:
    draws = torch.Generator().manual_seed(0)
    training, test = oscillators(200, draws), oscillators(100, draws)
    torch.manual_seed(0)
    network = Forecaster()
    generated = QuantumTrain(network, circuits="auto", mapping=MPS(bond_dim=4), seed=0)

    steps = 200 if quick else 3000
    train(generated, [{"params": [*generated.trained_with_mapping(), *generated.trained_beside_mapping()], "lr": 1e-2}], training, steps)
    train(network, [{"params": network.parameters(), "lr": 1e-2}], training, steps)

    counts = generated.parameter_counts()
    target = test[:, 1 + SEEN :]
    found = {
        "again": F.mse_loss(test[:, SEEN:-1], target).item(),
        "line": F.mse_loss(2 * test[:, SEEN:-1] - test[:, SEEN - 1 : -2], target).item(),
        "generated": error(generated.bake(), test).item(),
        "plain": error(network, test).item(),
    }
    print(f"mean squared error of the next value, 100 new series, after {steps} steps; the values' variance is {target.var():.3f}")
    print(f"the last value again:            {found['again']:.6f}")
    print(f"the line through the last two:   {found['line']:.6f}")
    print(f"LSTM, {counts['target']} trained directly:    {found['plain']:.6f}")
    print(f"LSTM, generated from {counts['trained_used']:>4}:       {found['generated']:.6f}")
    print(f"of these, {counts['mapping']} are the mapping's and {counts['phases_used']} phases ({counts['phases_effective']} effective)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    main(parser.parse_args().quick)
