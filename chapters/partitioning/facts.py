"""What the chapter found, as numbers."""

import json
import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from lightweights.report.claims import matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Difference, Summary, paired_by_seed, summarise, welch_difference

from .arms import ARMS, STARTS
from .ranks import rank_of

EXPERIMENTS = ("ebits", "ebits_fraction", "ebits_dense", "ebits_fewer", "ebits_small")
FROM_RANDOM = ("ebits_starts", "ebits_starts_fraction")
WAYS = {
    **{name: words for name, words in ARMS.items() if name != "optimum"},
    STARTS: "multilevel, random starts",
    "optimum": ARMS["optimum"],
}
"""Names and words of all ways, in the order of the table."""
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
    """Circuits of one kind and size on so many processors: entangled pairs by way, and the published mean of the multilevel one with the id
    of its claim.
    """

    family: str
    fraction: float
    qubits: int
    processors: int
    n: int
    pairs: dict[str, Pairs]
    published: float | None
    claim: str = ""

    @property
    def words(self) -> str:
        """What kind they are of."""
        return WORDS[self.family] + (f", {self.fraction:g}" if self.family == "cp_fraction" else "")

    @property
    def found(self) -> Summary:
        """Pairs of the multilevel search."""
        return self.pairs["multilevel"].summary

    def over(self, one: str, other: str) -> Summary:
        """One way minus another, paired by circuit."""
        return summarise(np.array(self.pairs[one].values) - np.array(self.pairs[other].values))


@dataclass(frozen=True)
class Split:
    """Circuits whose product generates weights: outcomes, and how many of them make weights, one each; outcomes of the first circuit, and
    how many of those enter; phases in use, and effective ones, a seed each; rank of P; accuracy over seeds; and, paired by seed, how much
    less it is than one circuit's (no pairs for that circuit itself) and how much more than with frozen phases (none for these).
    """

    circuits: tuple[tuple[int, int], ...]
    arm: str
    outcomes: int
    used: int
    first: int
    phases: int
    effective: tuple[int, ...]
    rank: int
    accuracy: Summary
    less: Summary
    trained: Summary

    @property
    def entering(self) -> int:
        """How many outcomes of the first circuit enter: the product is taken row by row, the first circuit slowest."""
        return math.ceil(self.used * self.first / self.outcomes)


@dataclass(frozen=True)
class Facts:
    """All kinds of circuits, and what splitting photonic ones costs."""

    circuits: list[Circuits]
    splits: list[Split]
    others: dict[str, str] = field(default_factory=dict)
    """What else was found where a number was published, in words, by claim."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Of the published numbers, by claim."""

    @property
    def ordered(self) -> list[Circuits]:
        """Published ones where the multilevel search finds nothing better than the order of qubits, which is one of its starts."""
        return [one for one in self._published if one.pairs["filled"].summary.mean <= one.found.mean]

    @property
    def random_starts(self) -> list[Circuits]:
        """Those of them that were also searched from random starts alone."""
        return [one for one in self.ordered if STARTS in one.pairs]

    @property
    def worse_from_random(self) -> list[Circuits]:
        """Those of them where random starts end with more pairs than the order takes."""
        return [one for one in self.random_starts if one.pairs[STARTS].summary.mean > one.pairs["filled"].summary.mean]

    @property
    def more_from_random(self) -> list[float]:
        """How many pairs more these take in the mean."""
        return [one.over(STARTS, "filled").mean for one in self.worse_from_random]

    @property
    def random_starts_unseen(self) -> bool:
        """Whether no interval of random starts minus the order leaves out 0."""
        found = [one.over(STARTS, "filled") for one in self.worse_from_random if one.n > 1]
        return bool(found) and all(one.low <= 0 <= one.high for one in found)

    def ends(self, *processors: int) -> tuple[float, float] | None:
        """Least and most mean pairs of published circuits on so many processors; None without any."""
        means = [one.found.mean for one in self._published if one.processors in processors]
        return (min(means), max(means)) if means else None

    @property
    def far(self) -> list[Circuits]:
        """Published ones for which others found another number, too."""
        return [one for one in self._published if self.others.get(one.claim)]

    @property
    def denser(self) -> list[Circuits]:
        """Random circuits of the qubits and processors of the first of ``far``, and of no fewer controlled phases, by their share."""
        alike = (self.far or [None])[0]
        return [one for one in self.circuits if alike and self._like(one, alike) and one.fraction >= alike.fraction]

    @property
    def steps(self) -> list[Difference]:
        """Pairs of each of these but the first minus those of the one before."""
        return [welch_difference(one.found, before.found) for before, one in pairwise(self.denser)]

    @property
    def against_published(self) -> bool:
        """Whether ours rise where the published fall, from the first share to the second, and fall only after it."""
        if len(self.steps) != 2 or None in (first := [one.published for one in self.denser[:2]]):
            return False
        return self.steps[0].low > 0 > self.steps[1].high and first[0] > first[1]

    @property
    def fewer(self) -> list[tuple[Circuits, Circuits]]:
        """Published ones that take more than a tenth more pairs here, each with the same circuits on one processor fewer."""
        more = [one for one in self._published if one.published and one.found.mean > 1.1 * one.published]
        keys = {(one.family, one.fraction, one.qubits, one.processors): one for one in self.circuits}
        pairs = [(one, keys.get((one.family, one.fraction, one.qubits, one.processors - 1))) for one in more]
        return [(one, other) for one, other in pairs if other is not None]

    @property
    def as_stated(self) -> list[Circuits]:
        """Published ones of the families of ``fewer`` that ours, on the processors stated, are not shown to differ from."""
        families = {one.family for one, _ in self.fewer}
        return [one for one in self._published if one.family in families and self.verdicts.get(one.claim) in ("reproduced", "open")]

    @property
    def as_hard(self) -> Circuits | None:
        """The published circuits of most pairs: where a weak search would show most."""
        return max(self._published, key=lambda one: one.published or 0.0, default=None)

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
    def training_unseen(self) -> bool:
        """Whether no interval of trained minus frozen phases leaves out 0."""
        found = [split.trained for split in self.splits if split.trained.n > 1]
        return bool(found) and all(one.low <= 0 <= one.high for one in found)

    @staticmethod
    def _like(one: Circuits, other: Circuits) -> bool:
        return (one.family, one.qubits, one.processors) == (other.family, other.qubits, other.processors)

    @property
    def _published(self) -> list[Circuits]:
        return [one for one in self.circuits if one.published is not None]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    scores = results.scores
    others, verdicts = ({} if scores.empty else dict(zip(scores.claim, scores[name], strict=True)) for name in ("independent", "verdict"))
    return Facts(circuits_of(results), splits_of(results), others, verdicts)


def circuits_of(results: Results) -> list[Circuits]:
    """The circuits that were cut, by kind, size and number of processors."""
    own, keys = results.of(*EXPERIMENTS), ["cutting.family", "cutting.fraction", "cutting.qubits"]
    starts = {key: part.set_index("seed") for key, part in results.of(*FROM_RANDOM).groupby(keys)} if len(results.of(*FROM_RANDOM)) else {}
    found: dict[tuple[int, float, int, int], Circuits] = {}
    for (_, family, fraction, qubits), part in own.groupby(["experiment", *keys], sort=False) if len(own) else ():
        for processors in PROCESSORS:
            key = (list(WORDS).index(family), float(fraction), int(qubits), processors)
            column = f"random_pairs_{processors}"
            if column in part and part[column].notna().all() and key not in found:  # the same circuits may stand in two experiments
                found[key] = _circuits(results, processors, part, starts.get((family, fraction, qubits), pd.DataFrame()))
    return [found[key] for key in sorted(found)]


def _circuits(results: Results, processors: int, part: pd.DataFrame, starts: pd.DataFrame) -> Circuits:
    same = starts.reindex(part["seed"]).get(f"{STARTS}_pairs_{processors}")
    columns = {name: part.get(f"{name}_pairs_{processors}") for name in ARMS} | {STARTS: same}
    pairs = {name: Pairs(tuple(column)) for name, column in columns.items() if column is not None and column.notna().all()}
    asked, first = f"multilevel_pairs_{processors}", part.iloc[0]
    claims = [c for c in results.claims if c.quantity == asked and not matching_runs(c, part).empty]
    return Circuits(
        str(first["cutting.family"]),
        float(first["cutting.fraction"]),
        int(first["cutting.qubits"]),
        processors,
        len(part),
        pairs,
        claims[0].reported_mean if claims else None,
        claims[0].id if claims else "",
    )


def splits_of(results: Results) -> list[Split]:
    """Photonic Quantum-Train with one circuit and with products, as far as it was run."""
    own = results.of("splitting")
    if own.empty or ACCURACY not in own:
        return []
    shapes = own["photonics.circuits"].map(lambda text: tuple((int(modes), int(photons)) for modes, photons in json.loads(text)))
    parts = {key: part for key, part in own.groupby([shapes, "arm"], sort=False)}
    single = {arm: part for (circuits, arm), part in parts.items() if len(circuits) == 1}
    none = own.iloc[:0]
    return [
        _split(
            circuits,
            str(arm),
            part,
            single.get(arm, none) if len(circuits) > 1 else none,
            parts.get((circuits, f"{arm}-frozen"), none),
        )
        for (circuits, arm), part in parts.items()
    ]


def _split(circuits: tuple[tuple[int, int], ...], arm: str, part: pd.DataFrame, single: pd.DataFrame, frozen: pd.DataFrame) -> Split:
    first, counts = part.iloc[0], [math.comb(modes, photons) for modes, photons in circuits]
    return Split(
        circuits,
        arm,
        math.prod(counts),
        int(first["parameters_target"]),
        counts[0],
        int(first["parameters_phases_used"]),
        tuple(int(count) for count in part["parameters_phases_effective"]),
        rank_of(circuits),
        summarise(part[ACCURACY]),
        paired_by_seed(part, single, ACCURACY)[0],
        paired_by_seed(part, frozen, ACCURACY)[0],
    )
