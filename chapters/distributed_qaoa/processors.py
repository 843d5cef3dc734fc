"""Where on a device to place a part: connected qubits of small error (arXiv 2407.17325).

The devices of the publication are retired and their errors of that time are not public, so the device here is one of stated statistics: the
27 qubits of an IBM Falcon's coupling map with log-normal errors, medians as such devices published them.
"""

from dataclasses import dataclass

import numpy as np

from .sampler import Quality

FALCON = (
    (0, 1), (1, 2), (1, 4), (2, 3), (3, 5), (4, 7), (5, 8), (6, 7), (7, 10), (8, 9), (8, 11), (10, 12), (11, 14), (12, 13),
    (12, 15), (13, 14), (14, 16), (15, 18), (16, 19), (17, 18), (18, 21), (19, 20), (19, 22), (21, 23), (22, 25), (23, 24),
    (24, 25), (25, 26),
)  # fmt: skip
ONE, TWO, READOUT, SPREAD = 3e-4, 1e-2, 2e-2, 0.6
"""Medians of the three errors, and the standard deviation of their logarithms."""


@dataclass(frozen=True)
class Device:
    """Errors by qubit and by coupler."""

    one: dict[int, float]
    readout: dict[int, float]
    two: dict[tuple[int, int], float]


def device(rng: np.random.Generator, median_scale: float = 1.0) -> Device:
    """One with errors drawn at random; all medians times ``median_scale``."""
    qubits = sorted({qubit for pair in FALCON for qubit in pair})

    def drawn(median: float, count: int) -> list[float]:
        return [float(x) for x in np.minimum(median_scale * median * np.exp(SPREAD * rng.normal(size=count)), 0.5)]

    one, readout, two = drawn(ONE, len(qubits)), drawn(READOUT, len(qubits)), drawn(TWO, len(FALCON))
    return Device(dict(zip(qubits, one, strict=True)), dict(zip(qubits, readout, strict=True)), dict(zip(FALCON, two, strict=True)))


def areas(size: int) -> list[frozenset[int]]:
    """All connected sets of ``size`` qubits."""
    near: dict[int, set[int]] = {}
    for a, b in FALCON:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {frozenset([qubit]) for qubit in near}
    for _ in range(size - 1):
        found = {area | {new} for area in found for qubit in area for new in near[qubit] - area}
    return sorted(found, key=sorted)


def inside(area: frozenset[int]) -> list[tuple[int, int]]:
    """Couplers between qubits of the area."""
    return [pair for pair in FALCON if set(pair) <= area]


def fidelity(found: Device, area: frozenset[int]) -> float:
    """prod (1 - e_i) prod (1 - e_ij): what the publication must mean."""
    return float(np.prod([1 - found.one[q] for q in area]) * np.prod([1 - found.two[pair] for pair in inside(area)]))


def as_printed(found: Device, area: frozenset[int]) -> float:
    """prod e_i prod e_ij, as the publication prints it; its largest value belongs to large errors."""
    return float(np.prod([found.one[q] for q in area]) * np.prod([found.two[pair] for pair in inside(area)]))


def quality(found: Device, area: frozenset[int]) -> Quality:
    """Mean errors over an area."""
    return Quality(
        float(np.mean([found.one[q] for q in area])),
        float(np.mean([found.two[pair] for pair in inside(area)])),
        float(np.mean([found.readout[q] for q in area])),
    )


def chosen(found: Device, size: int, allocation: str, rng: np.random.Generator) -> frozenset[int]:
    """The area of an allocation: ``best`` and ``worst`` by fidelity, ``printed`` by the printed formula, ``random``."""
    there = areas(size)
    if allocation == "random":
        return there[int(rng.integers(len(there)))]
    if allocation == "printed":
        return max(there, key=lambda area: as_printed(found, area))
    return (max if allocation == "best" else min)(there, key=lambda area: fidelity(found, area))
