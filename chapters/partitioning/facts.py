"""What the chapter found, as numbers."""

import json
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lightweights.report.claims import matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise

from .arms import ARMS
from .ranks import rank_of

EXPERIMENTS = ("ebits", "ebits_fraction", "ebits_small")
WORDS = {"qft": "quantum Fourier transform", "qaoa": "QAOA", "quantum_volume": "quantum volume", "cp_fraction": "controlled phases"}
PROCESSORS = (2, 3, 4)
ACCURACY = "test10k_accuracy_percent"


@dataclass(frozen=True)
class Pairs:
    """Entangled pairs of one way, a circuit each."""

    values: tuple[float, ...]

    @property
    def summary(self) -> Summary:
        """Of the circuits."""
        return summarise(self.values)


@dataclass(frozen=True)
class Circuits:
    """Circuits of one kind and size on so many processors: entangled pairs by way, and the published mean of the multilevel one."""

    words: str
    qubits: int
    processors: int
    n: int
    pairs: dict[str, Pairs]
    published: float | None

    def over(self, one: str, other: str) -> Summary:
        """One way minus another, paired by circuit."""
        return summarise(np.array(self.pairs[one].values) - np.array(self.pairs[other].values))


@dataclass(frozen=True)
class Split:
    """Circuits whose product generates weights: outcomes, phases in use and effective, rank of P, accuracy over seeds, and how much less it
    is than one circuit's, paired by seed (without pairs for that circuit itself).
    """

    circuits: tuple[tuple[int, int], ...]
    arm: str
    outcomes: int
    phases: int
    effective: int
    rank: int
    accuracy: Summary
    less: Summary


@dataclass(frozen=True)
class Facts:
    """All kinds of circuits, and what splitting photonic ones costs."""

    circuits: list[Circuits]
    splits: list[Split]
    words: dict[str, str]

    @property
    def ordered(self) -> list[Circuits]:
        """Published ones where the order of qubits takes as few pairs as the multilevel search."""
        return [one for one in self._published if one.pairs["filled"].summary.mean <= one.pairs["multilevel"].summary.mean]

    @property
    def searched(self) -> list[Circuits]:
        """Published ones where the search takes fewer."""
        return [one for one in self._published if one not in self.ordered]

    @property
    def drawn(self) -> list[int]:
        """How many circuits of each published kind and size were cut."""
        return [one.n for one in self._published]

    @property
    def fourier(self) -> bool:
        """Whether Fourier transforms take n/2 - 1 pairs on two processors and 3n/2 - 6 on four: by search, by order and as published."""
        own = [one for one in self._published if one.words == WORDS["qft"] and one.processors in (2, 4)]
        wanted = [one.qubits / 2 - 1 if one.processors == 2 else 3 * one.qubits / 2 - 6 for one in own]
        found = [{*one.pairs["multilevel"].values, *one.pairs["filled"].values, one.published} for one in own]
        return bool(own) and found == [{pairs} for pairs in wanted]

    @property
    def optimal(self) -> tuple[int, int]:
        """In how many small circuits the search takes as few pairs as the exact optimum, of how many."""
        gaps = [
            found - best
            for one in self.circuits
            if "optimum" in one.pairs
            for found, best in zip(one.pairs["multilevel"].values, one.pairs["optimum"].values, strict=True)
        ]
        return sum(gap == 0 for gap in gaps), len(gaps)

    @property
    def _published(self) -> list[Circuits]:
        return [one for one in self.circuits if one.published is not None]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    return Facts(circuits_of(results), splits_of(results), ARMS)


def circuits_of(results: Results) -> list[Circuits]:
    """The circuits that were cut, by kind, size and number of processors."""
    own = results.of(*EXPERIMENTS)
    if own.empty:
        return []
    keys = ["experiment", "cutting.family", "cutting.fraction", "cutting.qubits"]
    return [
        _circuits(results, str(family), float(fraction), int(qubits), processors, part)
        for (_, family, fraction, qubits), part in own.groupby(keys, sort=False)
        for processors in PROCESSORS
        if part.get(f"random_pairs_{processors}", pd.Series(dtype=float)).notna().any()
    ]


def _circuits(results: Results, family: str, fraction: float, qubits: int, processors: int, part: pd.DataFrame) -> Circuits:
    words = f"{WORDS[family]}, {fraction:g}" if family == "cp_fraction" else WORDS[family]
    columns = {name: part.get(f"{name}_pairs_{processors}") for name in ARMS}
    pairs = {name: Pairs(tuple(column)) for name, column in columns.items() if column is not None and column.notna().all()}
    asked = f"multilevel_pairs_{processors}"
    claims = [c for c in results.claims if c.quantity == asked and not matching_runs(c, part).empty]
    return Circuits(words, qubits, processors, len(part), pairs, claims[0].reported_mean if claims else None)


def splits_of(results: Results) -> list[Split]:
    """Photonic Quantum-Train with one circuit and with products, as far as it was run."""
    own = results.of("splitting")
    if own.empty or ACCURACY not in own:
        return []
    shapes = own["photonics.circuits"].map(lambda text: tuple((int(modes), int(photons)) for modes, photons in json.loads(text)))
    single = own[shapes.map(len) == 1]
    return [
        _split(circuits, str(arm), part, single[single.arm == arm] if len(circuits) > 1 else single.iloc[:0])
        for (circuits, arm), part in own.groupby([shapes, "arm"], sort=False)
    ]


def _split(circuits: tuple[tuple[int, int], ...], arm: str, part: pd.DataFrame, single: pd.DataFrame) -> Split:
    first = part.iloc[0]
    return Split(
        circuits,
        arm,
        math.prod(math.comb(modes, photons) for modes, photons in circuits),
        int(first["parameters_phases_used"]),
        int(first["parameters_phases_effective"]),
        rank_of(circuits),
        summarise(part[ACCURACY]),
        paired_by_seed(part, single, ACCURACY)[0],
    )
