"""Peak memory of one training step with very many generated weights, all at once or a piece at a time.

``python -m benchmarks.chunks 10000000 [CHUNK]`` prints seconds and peak memory; each size in a process of its own.
"""

import resource
import sys
import time

import torch
from torch import nn

from lightweights import MPS, QuantumTrain


def main(weights: int, chunk: int | None) -> None:
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    generated = QuantumTrain(nn.Linear(1000, weights // 1000, bias=False), mapping=MPS(bond_dim=4), chunk=chunk, seed=0)
    optimiser = torch.optim.Adam([p for p in generated.parameters() if p.requires_grad], lr=1e-3)
    begun = time.monotonic()
    generated(torch.ones(1, 1000)).square().mean().backward()
    optimiser.step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{generated.weight_count:,} weights, chunk {chunk}: {time.monotonic() - begun:.1f} s, peak {peak:,.0f} MiB ({before:,.0f} before)"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
