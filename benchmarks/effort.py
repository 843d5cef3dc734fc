"""How much is measured: fully, or as little as shows that everything runs and agrees."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Rounds of the races, images of an evaluation of the phases, evaluations of one COBYLA run, and the large sizes, each in a
    process of its own."""

    rounds: int
    images: int
    evaluations: int
    long_rounds: int
    large_circuit: tuple[int, int]
    large_weights: int
    large_bond_dims: tuple[int, ...]


FULL = Effort(
    rounds=40, images=1000, evaluations=1000, long_rounds=3, large_circuit=(16, 8), large_weights=10_000_000, large_bond_dims=(4, 10)
)
QUICK = Effort(rounds=2, images=64, evaluations=200, long_rounds=1, large_circuit=(6, 3), large_weights=10_000, large_bond_dims=(4,))

BOND_DIMS = (1, 4, 10)
