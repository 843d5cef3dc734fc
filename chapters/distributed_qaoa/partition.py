"""Cut a graph into parts that fit on small processors, with little weight between them."""

import numpy as np

from .graphs import Reals


def sizes_of(nodes: int, capacity: int) -> list[int]:
    """As few parts as hold all nodes, as equal as can be."""
    parts = -(-nodes // capacity)
    return [nodes // parts + (k < nodes % parts) for k in range(parts)]


def random_parts(sizes: list[int], rng: np.random.Generator) -> list[list[int]]:
    """Nodes drawn without regard to edges."""
    order = rng.permutation(sum(sizes))
    ends = np.cumsum(sizes)
    return [sorted(int(node) for node in order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def weight_between(weights: Reals, parts: list[list[int]]) -> float:
    """Absolute weight of the edges whose ends lie in different parts."""
    label = np.empty(len(weights), int)
    for number, part in enumerate(parts):
        label[part] = number
    return float((abs(weights) * (label[:, None] != label[None, :])).sum() / 2)


def balanced_parts(weights: Reals, sizes: list[int], rng: np.random.Generator, starts: int = 8) -> list[list[int]]:
    """Parts of the given sizes with little weight between them: from random ones, exchange the two nodes that gain most (Kernighan and
    Lin's exchange, Bell Syst. Tech. J. 49, 291, 1970) until none gain; the best of ``starts``.
    """
    best: list[list[int]] = []
    for _ in range(starts):
        parts = _exchanged(abs(weights), random_parts(sizes, rng))
        if not best or weight_between(weights, parts) < weight_between(weights, best):
            best = parts
    return best


def _exchanged(weights: Reals, parts: list[list[int]]) -> list[list[int]]:
    label = np.empty(len(weights), int)
    for number, part in enumerate(parts):
        label[part] = number
    while len(parts) > 1:
        pull = weights @ np.eye(len(parts))[label]  # (n, parts): weight from each node into each part
        away = pull - pull[np.arange(len(label)), label][:, None]
        gain = away[:, label] + away[:, label].T - 2 * weights
        gain[label[:, None] == label[None, :]] = -np.inf
        i, j = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[i, j] <= 1e-12:
            break
        label[[i, j]] = label[[j, i]]
    return [[int(node) for node in np.flatnonzero(label == number)] for number in range(len(parts))]
