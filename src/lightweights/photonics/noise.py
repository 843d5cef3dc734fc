"""Outcome probabilities of an imperfect device: source, losses, phase shifters and detectors.

The parameters are those of Perceval 1.3's ``NoiseModel`` (perceval/utils/noise_model.py), and mean exactly what they mean there.

- Source (perceval/components/source.py, after Pont et al., arXiv 2211.15626). Each input photon has a source of its own, which emits
  nothing with probability 1 - B (brightness B), two photons with p2 = (1 - B g2 - sqrt(1 - 2 B g2)) / g2, so that
  g2 = 2 p2 / (p1 + 2 p2)^2, and otherwise one. The first photon is in the wave packet common to all sources with probability sqrt(I)
  (indistinguishability I, the mean overlap of two photons), else in one of its own, which interferes with nothing. The second photon is
  in one of its own (``g2_distinguishable``), or else in the common one, whatever the first is in.
- Losses: each photon passes with probability ``transmittance`` (Perceval folds the system's transmittance into the source; equal losses
  of all modes commute with the mesh).
- Phase shifters (``PS.apply_phase_noise``, perceval/components/unitary_components.py): the phase, in [0, 2 pi), first gets an error
  uniform in [-phase_error, phase_error], new at every evaluation, then is rounded to a multiple of ``phase_imprecision``. The angles of
  beam splitters (the first of the three phases of a crossing in the meshes ``notebook`` and ``clements``) have no errors in Perceval.
- Detectors, the same in all modes (perceval/components/detector.py): number-resolving, ``pnr``, or ``threshold``.

A clock cycle counts when it is heralded. ``exactly``: exactly N modes click, and a number-resolving detector sees one photon in each;
``at_least``: at least N photons are detected (threshold detectors: N modes or more click), Perceval's
``min_detected_photons_filter(N)``. Probabilities are of the C(M, N) outcomes with one click in each of N modes.
"""

import math
from dataclasses import dataclass, fields
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.errors import LightweightsError
from lightweights.photonics.circuit import Circuit
from lightweights.photonics.detection import Clicks, Emission, ResolvedOutcomes
from lightweights.photonics.mesh import Mesh, input_columns

Detectors = Literal["threshold", "pnr"]
PostSelection = Literal["exactly", "at_least"]

LEAST_SURVIVAL = 1e-9
"""Least probability of N photons after all losses. Of probabilities found by inclusion and exclusion, here 5e-6 of the total is wrong."""

LEAST_HERALD = 1e-12
"""Least probability of a heralded cycle at which outcomes are conditioned on it: less is what rounding leaves of complete extinction."""

_BOUNDS = {"phase_imprecision": math.inf, "phase_error": math.pi}


class NoiseError(LightweightsError, ValueError):
    """Noise that cannot be: a parameter out of its bounds, or no cycle that would ever be heralded."""


@dataclass(frozen=True)
class Noise:
    """Imperfections of a device; without arguments there are none. Phases in radians. See the module for the definitions.

    Raises NoiseError if a parameter is out of its bounds: probabilities in [0, 1], phase_error in [0, pi], brightness * g2 <= 1/2.
    """

    brightness: float = 1.0
    indistinguishability: float = 1.0
    g2: float = 0.0
    g2_distinguishable: bool = True
    transmittance: float = 1.0
    phase_imprecision: float = 0.0
    phase_error: float = 0.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.type is float):
            value, most = getattr(self, name), _BOUNDS.get(name, 1.0)
            if not 0 <= value <= most or math.isinf(value):
                bounds = "0 or more" if math.isinf(most) else f"between 0 and {most:.4g}"
                raise NoiseError(f"noise: {name} is {value}; it must be {bounds}")
        if self.brightness * self.g2 > 0.5:
            raise NoiseError(
                f"noise: no source has brightness {self.brightness} and g2 {self.g2}: their product is at most 0.5; lower either of them"
            )


def emission(noise: Noise, sources: int = 1) -> Emission:
    """Probabilities that of the photons that enter a mode, k common ones and d others are not lost, by k and d, float64.

    ``sources`` is the number of photons meant to enter. Counts that never occur at the end of either axis are left out.
    """
    beta, g2, common = noise.brightness, noise.g2, math.sqrt(noise.indistinguishability)
    # (1 - x - sqrt(1 - 2x)) / g2 with x = beta g2, written without the difference of nearly equal numbers
    two = beta * beta * g2 / (1 - beta * g2 + math.sqrt(1 - 2 * beta * g2))
    second = (0, 1) if noise.g2_distinguishable else (1, 0)
    emitted = {(0, 0): 1 - beta}
    for first, chance in (((1, 0), common), ((0, 1), 1 - common)):
        both = (first[0] + second[0], first[1] + second[1])
        emitted[first], emitted[both] = chance * (beta - two), chance * two
    single = torch.zeros(3, 3, dtype=torch.float64)
    for (k, d), chance in emitted.items():
        single[: k + 1, : d + 1] += chance * torch.outer(_kept(k, noise.transmittance), _kept(d, noise.transmittance))
    table = torch.ones(1, 1, dtype=torch.float64)
    for _ in range(sources):
        grown = torch.zeros(len(table) + 2, len(table) + 2, dtype=torch.float64)
        for k in range(3):
            for d in range(3):
                grown[k : k + len(table), d : d + len(table)] += single[k, d] * table
        table = grown
    occurring = table > 0
    return table[: int(occurring.any(1).nonzero().max()) + 1, : int(occurring.any(0).nonzero().max()) + 1].contiguous()


def survival(emissions: list[Emission]) -> Float[Tensor, " photons"]:
    """Probability that a cycle leaves 0, 1, 2, ... photons in all, float64."""
    total = torch.ones(1, dtype=torch.float64)
    for table in emissions:
        counts = torch.zeros(sum(table.shape) - 1, dtype=torch.float64)
        for k, row in enumerate(table):
            counts[k : k + len(row)] += row
        total = torch.nn.functional.conv1d(total[None], counts.flip(0)[None, None], padding=len(counts) - 1)[0]
    return total


def applied_phases(
    noise: Noise, mesh: Mesh, phases: Float[Tensor, "*batch phases"], generator: torch.Generator | None = None
) -> Float[Tensor, "*batch phases"]:
    """Phases as the device's phase shifters set them: with a random error, then rounded.

    Rounding has no useful derivative: gradients pass straight through, as if the phases were set as asked for. Raises NoiseError if there
    is a phase error and no generator.
    """
    if not noise.phase_error and not noise.phase_imprecision:
        return phases
    with torch.no_grad():
        applied = phases.remainder(2 * math.pi)
        if noise.phase_error:
            if generator is None:
                raise NoiseError(f"noise: phase_error {noise.phase_error} is random; give a generator")
            uniform = torch.rand(phases.shape, generator=generator, device=generator.device, dtype=phases.dtype).to(phases.device)
            applied = applied + noise.phase_error * (2 * uniform - 1)
        if noise.phase_imprecision:
            applied = noise.phase_imprecision * (applied / noise.phase_imprecision).round()
        shift = applied - phases
        if mesh.phases_per_crossing == 3:
            shift[..., 0::3] = 0
    return phases + shift


class NoisyCircuit(nn.Module):
    """Outcome probabilities of a circuit on an imperfect device, exact, and differentiable in the phases.

    Called with phases (..., phase_count) it gives (..., C(M, N)) probabilities, in the order of the circuit's outcomes, given that the
    cycle is heralded: with ``exactly`` they sum to 1, with ``at_least`` to the share of the heralded cycles that end in such an outcome.
    Of the phases' dtype; computed in double precision. Raises NoiseError if no or next to no cycle can be heralded.

    Attributes:
        checks_herald: Whether each call looks whether its phases let cycles be heralded. Under torch.func.vmap and in a CUDA graph no call
            can; numbers that are not finite come out where none is.
    """

    checks_herald = True

    def __init__(
        self, circuit: Circuit, noise: Noise, detectors: Detectors = "threshold", post_selection: PostSelection = "exactly"
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("detectors", detectors, ("threshold", "pnr")),
            ("post_selection", post_selection, ("exactly", "at_least")),
        ):
            if value not in known:
                raise NoiseError(f"{name} {value!r}: expected one of {', '.join(known)}")
        if circuit.bunching or circuit.distinguishable:
            raise NoiseError(
                "a noisy circuit has collision-free outcomes and interfering photons; for distinguishable ones use indistinguishability 0"
            )
        self.circuit = circuit
        self.noise = noise
        self.detectors = detectors
        self.post_selection = post_selection
        self._inputs = sorted(set(circuit.inputs))
        emissions = [emission(noise, circuit.inputs.count(mode)) for mode in self._inputs]
        enough = float(survival(emissions)[circuit.photons :].sum())
        if enough < LEAST_SURVIVAL:
            raise NoiseError(
                f"noise: {circuit.photons} photons survive with probability {enough:.1g} a cycle at brightness {noise.brightness} and "
                f"transmittance {noise.transmittance}: no cycle would be heralded; raise either of them or use fewer photons"
            )
        self._enough = enough
        # Without second photons there are never more than N, and N clicks mean one photon in each of N modes.
        counting = detectors == "pnr" or noise.g2 == 0
        self._kernel = (ResolvedOutcomes if counting else Clicks)(circuit.modes, circuit.photons, emissions)

    def forward(self, phases: Float[Tensor, "*batch phases"], generator: torch.Generator | None = None) -> Float[Tensor, "*batch outcomes"]:
        """Probabilities given that the cycle is heralded. The generator draws the phase errors, one a vector of phases.

        Raises NoiseError where no cycle is heralded at these phases.
        """
        joint, herald = self._double(phases, generator)
        if self.checks_herald and not bool((herald > LEAST_HERALD).all()):
            least = f"{float(herald.min()):.1g}"
            raise NoiseError(f"noise: cycles are heralded with probability {least} at these phases; outcomes cannot be conditioned on it")
        return (joint / herald[..., None]).to(phases.dtype)

    def per_cycle(
        self, phases: Float[Tensor, "*batch phases"], generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "*batch outcomes"], Float[Tensor, "*batch"]]:
        """Probabilities of the outcomes in one clock cycle, and that the cycle is heralded at all (Perceval's global performance)."""
        joint, herald = self._double(phases, generator)
        return joint.to(phases.dtype), herald.to(phases.dtype)

    def _double(self, phases: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        mesh = self.circuit.mesh
        applied = applied_phases(self.noise, mesh, phases.double(), generator)
        columns = input_columns(mesh, mesh.layout.to(phases.device), applied.reshape(-1, applied.shape[-1]), self._inputs)
        if isinstance(self._kernel, Clicks):
            joint, herald = self._kernel(columns)
        else:
            joint = self._kernel(columns)
            herald = joint.sum(-1) if self.detectors == "threshold" else torch.full_like(joint[:, 0], self._enough)
        joint = joint.clamp(min=0)  # inclusion and exclusion may leave -1e-17
        if self.post_selection == "exactly":
            herald = joint.sum(-1)
        batch = phases.shape[:-1]
        return joint.reshape(*batch, -1), herald.reshape(batch)


def _kept(photons: int, transmittance: float) -> Tensor:
    """Probability that 0, 1, ..., ``photons`` of them pass."""
    lost = 1 - transmittance
    chances = [math.comb(photons, kept) * transmittance**kept * lost ** (photons - kept) for kept in range(photons + 1)]
    return torch.tensor(chances, dtype=torch.float64)
