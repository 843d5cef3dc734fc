"""What multiplies the mapping's slope B in w = A + B P: photons, and the controls that stand in their place.

An arm of the ablation differs from photonic Quantum-Train in P alone. All arms share the circuits' shape, the initial values of the mapping
and of the phases, and the order of batches. An arm is called with a function that gives the circuits' normalised probabilities, one
vector a circuit, and returns P, one number a weight.
"""

import copy
import math
from collections.abc import Callable, Sequence
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.imported import imported
from lightweights.mapping.outer import Normalisation, normalised, outer_product
from lightweights.photonics import Circuit, effective_phase_count
from lightweights.settings.base import SettingsError
from lightweights.settings.photonics import ArmName

ARMS: tuple[str, ...] = get_args(ArmName)

Factors = Callable[[], list[Float[Tensor, " outcomes"]]]


class Arm(nn.Module):
    """Photonic: P is the first entries of the outer product of the circuits' probabilities. Base of all other arms."""

    phases_matter = True
    """Whether P depends on the circuits' phases."""
    resampled = False
    """Whether :meth:`redraw` gives new values: before each training step and each measurement."""

    def __init__(self, weight_count: int) -> None:
        super().__init__()
        self.weight_count = weight_count

    def forward(self, factors: Factors) -> Float[Tensor, " weights"]:
        """P, one number a weight."""
        return outer_product(factors(), self.weight_count)

    def redraw(self, generator: torch.Generator) -> None:
        """Draw anew what this arm draws at every step."""

    def through(self, coefficients: Float[Tensor, "2 weights"]) -> Float[Tensor, "2 weights"]:
        """The mapping's coefficients A and B as this arm leaves them."""
        return coefficients

    def trained_counts(self) -> dict[str, int]:
        """What the arm itself trains besides the phases: numbers held (``published``), entering P (``used``), and independent directions
        in which they move P (``effective``).
        """
        return dict.fromkeys(("published", "used", "effective"), sum(p.numel() for p in self.parameters() if p.requires_grad))


class FreeProduct(Arm):
    """The outer product of freely trained vectors, one a circuit, that start at the photonic probabilities."""

    phases_matter = False

    def __init__(self, weight_count: int, start: list[Float[Tensor, " outcomes"]]) -> None:
        super().__init__(weight_count)
        self.vectors = nn.ParameterList(vector.detach().clone() for vector in start)

    def forward(self, factors: Factors) -> Float[Tensor, " weights"]:
        """P from the free vectors; the circuits are not asked."""
        return outer_product(list(self.vectors), self.weight_count)

    def trained_counts(self) -> dict[str, int]:
        """The slowest vectors are longer than the weights need, and a product keeps its value when one vector is scaled up and another
        down.
        """
        probe = [vector.detach().clone().requires_grad_() for vector in self.vectors]
        outer_product(probe, self.weight_count).sum().backward()
        used = sum(int((vector.grad != 0).sum()) for vector in probe if vector.grad is not None)
        held = sum(vector.numel() for vector in self.vectors)
        return {"published": held, "used": used, "effective": used - len(self.vectors) + 1}


class MatchedSpread(Arm):
    """P of the circuits, spread about 1 by the factor that gives it the variance of ``model`` at the initial phases: distinguishable
    photons that vary as much as photons that interfere.
    """

    spread: Tensor

    def __init__(self, weight_count: int, start: list[Float[Tensor, " outcomes"]], model: list[Float[Tensor, " outcomes"]]) -> None:
        super().__init__(weight_count)
        own, wanted = (outer_product(factors, weight_count).std(correction=0) for factors in (start, model))
        if own == 0:
            raise ValueError("the circuits' probabilities do not vary at the initial phases, so no factor gives them another spread")
        self.register_buffer("spread", wanted / own)

    def forward(self, factors: Factors) -> Float[Tensor, " weights"]:
        """1 + spread (P - 1)."""
        return 1 + self.spread * (super().forward(factors) - 1)


class ClassicalLight(Arm):
    """What coherent light does in the photons' place: a factor is the intensities |W e^{i theta}|^2 behind a random medium W, normalised
    as probabilities are. W is complex Gaussian, outcomes x d, and drawn once; theta, d phases, is trained. A phase common to all of theta
    moves nothing, so d - 1 of them are effective.
    """

    phases_matter = False

    def __init__(
        self,
        weight_count: int,
        outcomes: Sequence[int],
        start: Sequence[Float[Tensor, " phases"]],
        normalisation: Normalisation,
        generator: torch.Generator,
    ) -> None:
        super().__init__(weight_count)
        self.normalisation = normalisation
        self.thetas = nn.ParameterList(theta.detach().clone() for theta in start)
        for k, (rows, theta) in enumerate(zip(outcomes, start, strict=True)):
            drawn = torch.randn(2, rows, len(theta), generator=generator, device=generator.device) / math.sqrt(2 * len(theta))
            self.register_buffer(f"medium{k}", drawn)

    def intensities(self) -> list[Float[Tensor, " outcomes"]]:
        """Intensities behind each medium, before normalisation."""
        found = []
        for k, theta in enumerate(self.thetas):
            real, imaginary = self.get_buffer(f"medium{k}")
            cosine, sine = theta.cos(), theta.sin()
            found.append((real @ cosine - imaginary @ sine).square() + (real @ sine + imaginary @ cosine).square())
        return found

    def forward(self, factors: Factors) -> Float[Tensor, " weights"]:
        """P from the intensities; the circuits are not asked."""
        return outer_product([normalised(vector, self.normalisation) for vector in self.intensities()], self.weight_count)

    def trained_counts(self) -> dict[str, int]:
        """All phases, less one a medium where directions are counted."""
        held = sum(theta.numel() for theta in self.thetas)
        return {"published": held, "used": held, "effective": held - len(self.thetas)}


class Fixed(Arm):
    """Numbers that are never trained."""

    phases_matter = False
    values: Tensor

    def __init__(self, values: Float[Tensor, " weights"]) -> None:
        super().__init__(len(values))
        self.register_buffer("values", values)

    def forward(self, factors: Factors) -> Float[Tensor, " weights"]:
        """The stored numbers."""
        return self.values


class Resampled(Fixed):
    """N(0, 1) numbers, new at every step. With ``bits_destroyed`` all weights share the index bits of one weight, also new at every
    step: the random-input ablation of the authors' notebooks (arXiv 2505.08474).
    """

    resampled = True

    def __init__(self, values: Float[Tensor, " weights"], bits_destroyed: bool = False) -> None:
        super().__init__(values)
        self.bits_destroyed = bits_destroyed
        self.register_buffer("index", torch.zeros((), dtype=torch.int64))

    def redraw(self, generator: torch.Generator) -> None:
        """New numbers, and a new index where the bits are destroyed."""
        self.values.copy_(torch.randn(self.weight_count, generator=generator))
        if self.bits_destroyed:
            self.get_buffer("index").copy_(torch.randint(self.weight_count, (), generator=generator))

    def through(self, coefficients: Float[Tensor, "2 weights"]) -> Float[Tensor, "2 weights"]:
        """As they are, or those of the drawn index for every weight."""
        if not self.bits_destroyed:
            return coefficients
        return coefficients.index_select(1, self.get_buffer("index").reshape(1)).expand(-1, self.weight_count)


def dirichlet(length: int, generator: torch.Generator) -> Float[Tensor, " length"]:
    """A Dirichlet(1, ..., 1) vector divided by its mean: uniform on the simplex, as normalised exponential numbers."""
    drawn = torch.empty(length, dtype=torch.float64, device=generator.device).exponential_(generator=generator)
    return (drawn / drawn.mean()).float()


def build_arm(
    name: str,
    weight_count: int,
    factors: Factors,
    generator: torch.Generator,
    circuits: Sequence[Circuit] = (),
    phases: Sequence[Float[Tensor, " phases"]] = (),
    normalisation: Normalisation = "mean",
) -> Arm:
    """The arm of that name, its initial values from ``generator`` and, where it imitates photons, from the circuits at their initial
    phases. ``package.module:factory`` is called as factory(weight_count, factors, generator). Raises ValueError for an unknown name, and
    where a factory gives no arm.
    """
    if ":" in name:
        arm = imported("photonics.arm", name)(weight_count, factors, generator)
        if not isinstance(arm, Arm):
            raise SettingsError(f"photonics.arm = {name!r} gave {type(arm).__name__}; expected a lightweights.mapping.Arm")
        return arm
    if name not in ARMS:
        raise ValueError(f"arm {name!r}: expected one of {', '.join(ARMS)}, or package.module:factory")
    if name.startswith("photonic") or name == "distinguishable":
        return Arm(weight_count)
    if name == "mps-only":
        return Fixed(torch.ones(weight_count))
    with torch.no_grad():
        start = factors()
    if name == "product-free":
        return FreeProduct(weight_count, start)
    if name == "distinguishable-matched":
        with torch.no_grad():
            interfering = [normalised(_interfering(circuit)(own), normalisation) for circuit, own in zip(circuits, phases, strict=True)]
        return MatchedSpread(weight_count, start, interfering)
    if name.startswith("classical-light"):
        outcomes = [circuit.outcome_count for circuit in circuits]
        return ClassicalLight(weight_count, outcomes, _thetas(name, circuits, phases), normalisation, generator)
    if name == "dirichlet-fixed":
        return Fixed(outer_product([dirichlet(len(vector), generator) for vector in start], weight_count))
    drawn = torch.randn(weight_count, generator=generator, device=generator.device)
    if name in ("gaussian-matched", "gaussian-unnormalised"):
        model = outer_product(start, weight_count)
        return Fixed(model.mean() + model.std(correction=0) * drawn)
    if name == "gaussian-fixed":
        return Fixed(drawn)
    return Resampled(drawn, bits_destroyed=name == "paper-random")


def _interfering(circuit: Circuit) -> Circuit:
    """The same circuit with photons that interfere."""
    found = copy.copy(circuit)
    found.distinguishable = False
    return found


def _thetas(name: str, circuits: Sequence[Circuit], phases: Sequence[Tensor]) -> list[Tensor]:
    """Initial phases of classical light: the first ones of the circuits', as many as make as many effective ones, or as a circuit uses."""
    if name == "classical-light-used":
        counts = [circuit.mesh.used_phase_count for circuit in circuits]
    else:
        counts = [effective_phase_count(circuit, own) + 1 for circuit, own in zip(circuits, phases, strict=True)]
    if any(count > len(own) for count, own in zip(counts, phases, strict=True)):
        raise ValueError(f"arm {name} needs {counts} phases, the circuits have {[len(own) for own in phases]}; use another mesh")
    return [own[:count] for own, count in zip(phases, counts, strict=True)]
