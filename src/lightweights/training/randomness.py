"""Independent streams of randomness from one seed."""

import zlib

import numpy as np
import torch


def module_stream(seed: int, device: torch.device) -> torch.Generator:
    """The global generator that layers such as dropout draw from, seeded: as part of a training it is stored and restored with it."""
    everyone = torch.cuda.default_generators[device.index or 0] if device.type == "cuda" else torch.default_generator
    return everyone.manual_seed(stream(seed, "modules").initial_seed())


def initial_values(seed: int | None, generator: torch.Generator | None) -> torch.Generator:
    """Where initial values are drawn from: the generator, one of that seed, or one that follows ``torch.manual_seed``. Raises ValueError
    where both are given.
    """
    if generator is not None:
        if seed is not None:
            raise ValueError("seed and generator both decide the initial values; give one of them")
        return generator
    return torch.Generator().manual_seed(int(torch.randint(2**62, (), device="cpu")) if seed is None else seed)


def stream(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator for one purpose of a run: the same seed and purpose give the same numbers, other purposes independent ones.

    So arms of an ablation that share a seed share the batch order and initial values whatever else they draw.
    """
    entropy = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(entropy[0]))
