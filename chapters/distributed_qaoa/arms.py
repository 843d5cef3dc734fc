"""All ways to cut a graph that are compared: classical ones, one large processor, several small ones, and these with errors.

The distributed way with balanced parts and optimised angles says how many shots there are; every other way may look as often.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .classical import annealing, goemans_williamson, local_search, random_cut
from .distributed import Parting, at_random, balanced, solve
from .graphs import MOST_ENUMERATED, Reals, cut_values, largest_cut
from .partition import sizes_of
from .processors import chosen, device, quality
from .sampler import Quality, Sampler, qaoa, uniform
from .settings import MaxcutSection

LARGEST_WHOLE = 16
"""Nodes that one processor is simulated with."""
LONG_LOOKS = 300_000
"""Looks of the annealing that stands for the optimum where cuts cannot be enumerated."""


@dataclass(frozen=True)
class Cut:
    """Value of a cut, and of the parts the mean value of the last shots and the largest there is."""

    value: float
    mean: float = 0.0
    largest: float = 0.0


class Contest:
    """One graph, its largest cut (or the best that is known), and all ways to cut it by name; ``draw`` gives each its own randomness."""

    def __init__(self, section: MaxcutSection, weights: Reals, draw: Callable[[str], np.random.Generator]) -> None:
        self.section, self.weights, self.draw = section, weights, draw
        self.sizes = list(section.parts) or sizes_of(section.nodes, section.capacity)
        self.looks = self._calls(len(weights)) * self._shots
        self.bound = 0.0
        self.reference = (
            largest_cut(weights)[0] if section.nodes <= MOST_ENUMERATED else annealing(weights, LONG_LOOKS, draw("reference"))[0]
        )

    @property
    def _shots(self) -> int:
        return (self.section.evaluations + 1) * self.section.shots

    def _calls(self, nodes: int) -> int:
        """Processors' tasks of all levels."""
        parts = len(self.sizes) if nodes == self.section.nodes else len(sizes_of(nodes, max(self.sizes)))
        return 1 if nodes <= max(self.sizes) else parts + self._calls(parts)

    def cut(self, name: str) -> Cut | None:
        """One way's cut; None where the graph is too large for it."""
        rng = self.draw(name)
        if name == "goemans_williamson":
            value, self.bound = goemans_williamson(self.weights, self.looks, rng)
            return Cut(value)
        if name == "annealing":
            return Cut(annealing(self.weights, self.looks, rng)[0])
        if name in ("random_cut", "local_search"):
            return Cut({"random_cut": random_cut, "local_search": local_search}[name](self.weights, self.looks, rng))
        if name == "whole":
            return self._whole(rng) if self.section.nodes <= LARGEST_WHOLE else None
        return self._distributed(name, rng)

    def _whole(self, rng: np.random.Generator) -> Cut:
        evaluations = self.section.evaluations
        taken = qaoa(self.section.layers, self.looks // (evaluations + 1), evaluations)(self.weights, rng)
        return Cut(float(cut_values(self.weights, taken.spins)), taken.mean, taken.largest)

    def _distributed(self, name: str, rng: np.random.Generator) -> Cut:
        parting: Parting = at_random if name == "random_parts" else balanced
        samplers = [self._sampler(name, size) for size in self.sizes]
        taken = solve(self.weights, self.sizes, samplers, parting, rng)
        return Cut(float(cut_values(self.weights, taken.spins)), taken.mean, taken.largest)

    def _sampler(self, name: str, size: int) -> Sampler:
        section = self.section
        if name == "uniform":
            return uniform(self._shots)
        found = Quality()
        if name.startswith("area_"):
            there = device(self.draw("device"), section.error_scale)
            found = quality(there, chosen(there, size, name.removeprefix("area_"), self.draw(f"{name} {size}")))
        return qaoa(section.layers, section.shots, section.evaluations, found, optimised=name != "fixed_angles")


ARMS = {
    "random_cut": "random cuts",
    "local_search": "local search",
    "annealing": "annealing",
    "goemans_williamson": "Goemans-Williamson",
    "whole": "QAOA on one processor",
    "distributed": "QAOA on parts",
    "random_parts": "QAOA on random parts",
    "fixed_angles": "QAOA on parts, fixed angles",
    "uniform": "uniform shots on parts",
    "area_best": "best areas",
    "area_random": "random areas",
    "area_worst": "worst areas",
    "area_printed": "areas by the printed formula",
}
"""Names and words, in their order."""
