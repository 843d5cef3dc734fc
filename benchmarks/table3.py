"""Rounds of Table 3's longest run: five epochs on the mapping, twenty steps on the phases, one measurement, as training does them.

Sizes are those of partial MNIST, pixels are made up. It uses what every edition has, so that editions can be compared, and prints the
processor and wall seconds of a round: the first is not timed, and neither is the start of the process. ``--every N`` measures after so many
rounds only. ``--alone`` trains the network's own weights in the same steps: what is left where generating them costs nothing.
"""

import argparse
import time

import torch
from torch.nn.functional import cross_entropy

from lightweights import MPS, QuantumTrain
from lightweights.networks import TargetCNN

try:
    from lightweights.allocator import keep_memory
except ImportError:
    pass  # an edition whose memory went back to the system
else:
    keep_memory()

TRAIN, TEST, BATCH, PHASE_BATCH = 6000, 10600, 128, 1000
TIMED = 5
"""Rounds, at least."""


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--every", type=int, default=1)
    asked.add_argument("--alone", action="store_true")
    chosen = asked.parse_args()
    torch.set_num_threads(1)
    draws = torch.Generator().manual_seed(0)
    generator = QuantumTrain(TargetCNN((1, 28, 28), 10), [(9, 4), (8, 4)], MPS(10, 1e-9), generator=draws)
    images, labels = torch.rand(TRAIN + TEST, 1, 28, 28, generator=draws), torch.randint(10, (TRAIN + TEST,), generator=draws)
    own = torch.nn.Parameter(generator.weights().detach())
    trained = ([own], [own]) if chosen.alone else (generator.mapping.parameters(), generator.phases.parameters())
    mapping, phases = (torch.optim.Adam(part, lr=lr, fused=True) for part, lr in zip(trained, (1e-3, 1e-2), strict=True))

    def step(optimiser: torch.optim.Optimizer, weights: torch.Tensor, rows: torch.Tensor) -> None:
        optimiser.zero_grad()
        cross_entropy(generator.call(weights, images[rows]), labels[rows]).backward()
        optimiser.step()

    def one_round(measured: bool) -> None:
        with torch.no_grad():
            probabilities = generator.probabilities()
        for _ in range(5):
            for rows in torch.randperm(TRAIN, generator=draws).split(BATCH):
                step(mapping, own if chosen.alone else generator.mapping.weights(generator.coefficients(), probabilities), rows)
        with torch.no_grad():
            coefficients = generator.coefficients()
        for _ in range(20):
            rows = torch.randperm(TRAIN, generator=draws)[:PHASE_BATCH]
            step(phases, own if chosen.alone else generator.mapping.weights(coefficients, generator.probabilities()), rows)
        if measured:
            with torch.no_grad():
                weights = generator.weights()
                for rows in torch.arange(TRAIN + TEST).split(PHASE_BATCH):
                    generator.call(weights, images[rows])

    rounds = max(TIMED, chosen.every)
    one_round(measured=True)
    processor, wall = time.process_time(), time.perf_counter()
    for number in range(1, rounds + 1):
        one_round(number % chosen.every == 0)
    print((time.process_time() - processor) / rounds, (time.perf_counter() - wall) / rounds)


if __name__ == "__main__":
    main()
