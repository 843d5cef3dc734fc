"""Independent streams of randomness from one seed."""

import zlib

import numpy as np
import torch


def stream(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator for one purpose of a run: the same seed and purpose give the same numbers, other purposes independent ones.

    So arms of an ablation that share a seed share the batch order and initial values whatever else they draw.
    """
    entropy = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(entropy[0]))
