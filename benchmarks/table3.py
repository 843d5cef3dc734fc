"""Rounds of Table 3's longest run: five epochs on the mapping, twenty steps on the phases, one measurement, as training does them.

Sizes are those of partial MNIST, pixels are made up. It uses what every edition has, so that editions can be compared, and prints the
processor and wall seconds of a round: the first is not timed, and neither is the start of the process. A number as argument:
it is measured after so many rounds only.
"""

import sys
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
EVERY = int(sys.argv[1]) if len(sys.argv) > 1 else 1
TIMED = max(5, EVERY)
"""Rounds."""


def main() -> None:
    torch.set_num_threads(1)
    draws = torch.Generator().manual_seed(0)
    generator = QuantumTrain(TargetCNN((1, 28, 28), 10), [(9, 4), (8, 4)], MPS(10, 1e-9), generator=draws)
    images, labels = torch.rand(TRAIN + TEST, 1, 28, 28, generator=draws), torch.randint(10, (TRAIN + TEST,), generator=draws)
    mapping = torch.optim.Adam(generator.mapping.parameters(), lr=1e-3, fused=True)
    phases = torch.optim.Adam(generator.phases.parameters(), lr=1e-2, fused=True)

    def step(optimiser: torch.optim.Optimizer, weights: torch.Tensor, rows: torch.Tensor) -> None:
        optimiser.zero_grad()
        cross_entropy(generator.call(weights, images[rows]), labels[rows]).backward()
        optimiser.step()

    def one_round(measured: bool) -> None:
        with torch.no_grad():
            probabilities = generator.probabilities()
        for _ in range(5):
            for rows in torch.randperm(TRAIN, generator=draws).split(BATCH):
                step(mapping, generator.mapping.weights(generator.coefficients(), probabilities), rows)
        with torch.no_grad():
            coefficients = generator.coefficients()
        for _ in range(20):
            rows = torch.randperm(TRAIN, generator=draws)[:PHASE_BATCH]
            step(phases, generator.mapping.weights(coefficients, generator.probabilities()), rows)
        if measured:
            with torch.no_grad():
                weights = generator.weights()
                for rows in torch.arange(TRAIN + TEST).split(PHASE_BATCH):
                    generator.call(weights, images[rows])

    one_round(measured=True)
    processor, wall = time.process_time(), time.perf_counter()
    for number in range(1, TIMED + 1):
        one_round(number % EVERY == 0)
    print((time.process_time() - processor) / TIMED, (time.perf_counter() - wall) / TIMED)


if __name__ == "__main__":
    main()
