"""A photonic circuit: a mesh, photons that enter it, and the probabilities of where they leave."""

import math
import warnings

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.photonics import fock
from lightweights.photonics.mesh import Mesh, MeshKind, input_columns

MOST_MODES = 256
"""Most modes of a circuit: the matrices of its layers take M^3 numbers."""


def input_modes(state: str | list[int], modes: int, photons: int) -> list[int]:
    """Modes where the photons enter, one entry a photon.

    ``spaced``: floor(linspace(0, M-1, N)), the notebooks of arXiv 2505.08474; ``alternating``: 1, 3, 5, ..., the paper's
    |0101...>; ``first``: 0..N-1; or a list of photon numbers mode by mode.
    """
    if isinstance(state, str):
        named = {
            "spaced": [k * (modes - 1) // max(photons - 1, 1) for k in range(photons)],
            "alternating": list(range(1, 2 * photons, 2)),
            "first": list(range(photons)),
        }
        if state not in named:
            raise ValueError(f"input_state {state!r}: expected one of {', '.join(named)}, or photon numbers mode by mode")
        entered = named[state]
    else:
        entered = [mode for mode, count in enumerate(state) for _ in range(count)]
        if len(state) != modes or min(state) < 0:
            raise ValueError(f"input_state {state}: expected {modes} photon numbers, none negative")
    if len(entered) != photons or max(entered) >= modes or (isinstance(state, str) and len(set(entered)) < photons):
        raise ValueError(f"input_state {state!r} does not put {photons} photons into {modes} modes")
    return entered


class Circuit(nn.Module):
    """Outcome probabilities of ``photons`` photons in a mesh of ``modes`` modes, exact and differentiable.

    Called with phases (..., phase_count), real, float32 or float64, it gives probabilities (..., outcome_count) of the same
    dtype: of all collision-free outcomes, or with ``bunching`` of all outcomes, in lexicographic order. Phases of less than float32 are
    lifted to it. Collision-free probabilities are not renormalised: they sum to the collision-free yield. ``distinguishable`` photons do
    not interfere: each walks on its own, perm(|U|^2) in place of |perm(U)|^2.

    Raises ValueError for circuits that cannot be or are too large (at most 256 modes, 20 photons, 4,000,000 outcomes), for an input state
    that does not fit, and for phases of another number.
    """

    _layout: Tensor
    _factor: Tensor

    def __init__(
        self,
        modes: int,
        photons: int,
        mesh: MeshKind = "notebook",
        input_state: str | list[int] = "spaced",
        bunching: bool = False,
        distinguishable: bool = False,
    ) -> None:
        super().__init__()
        for what, number in (("modes", modes), ("photons", photons)):
            if isinstance(number, bool) or not isinstance(number, int):
                raise ValueError(f"a circuit's {what} are a whole number, got {number!r}")
        if modes < 2 or photons < 1:
            raise ValueError(f"a circuit needs at least 2 modes and 1 photon, got {modes} and {photons}")
        if photons > modes and not bunching:
            raise ValueError(f"{photons} photons in {modes} modes have no collision-free outcome; use at most {modes} photons or bunching")
        fock.refuse_many_photons(photons)
        if modes > MOST_MODES:
            raise ValueError(f"a circuit of {modes} modes: at most {MOST_MODES} are possible, since its layers take M^3 numbers")
        count = fock.outcome_count(modes, photons, bunching)
        largest = fock.largest_basis(modes, photons, bunching)
        if largest > fock.LARGEST_BASIS:
            on_the_way = "" if largest == count else " on the way"
            raise ValueError(
                f"{photons} photons in {modes} modes have {largest:,} outcomes{on_the_way}; at most {fock.LARGEST_BASIS:,} are possible"
            )
        self.mesh = Mesh(mesh, modes)
        self.photons = photons
        self.bunching = bunching
        self.distinguishable = distinguishable
        self.inputs = input_modes(input_state, modes, photons)
        self.outcome_count = count
        self.register_buffer("_layout", self.mesh.layout, persistent=False)
        for k, (last, before) in enumerate(fock.growth(modes, photons, bunching)):
            self.register_buffer(f"_last{k}", last, persistent=False)
            self.register_buffer(f"_before{k}", before, persistent=False)
        factor = fock.bunching_factors(modes, photons) if bunching else torch.ones(1, dtype=torch.float64)
        entering = math.prod(math.factorial(self.inputs.count(mode)) for mode in set(self.inputs))
        self.register_buffer("_factor", factor / entering, persistent=False)

    @property
    def modes(self) -> int:
        """Number of modes M."""
        return self.mesh.modes

    @property
    def phase_count(self) -> int:
        """Length of the phase vector, unused phases of the mesh included."""
        return self.mesh.phase_count

    def outcomes(self) -> list[tuple[int, ...]]:
        """The outcomes in the order of the probabilities, each the sorted modes of its photons."""
        return fock.outcomes(self.modes, self.photons, self.bunching)

    def forward(self, phases: Float[Tensor, "*batch phases"]) -> Float[Tensor, "*batch outcomes"]:
        """Probabilities of the outcomes, in the order of :meth:`outcomes`."""
        if phases.shape[-1:] != (self.phase_count,):
            raise ValueError(f"phases of shape {tuple(phases.shape)}: this circuit takes (..., {self.phase_count})")
        if phases.dtype in (torch.float16, torch.bfloat16):
            phases = phases.float()
        columns = input_columns(self.mesh, self._layout, phases, self.inputs)
        steps = [(self.get_buffer(f"_last{k}"), self.get_buffer(f"_before{k}")) for k in range(self.photons - 1)]
        if self.distinguishable:
            # Each photon's own distribution over the modes; their product counts a bunched outcome once for each way to it.
            return fock.coefficients(columns.real.square() + columns.imag.square(), steps)
        amplitudes = fock.coefficients(columns, steps)
        probabilities = amplitudes.real.square() + amplitudes.imag.square()
        return probabilities * self._factor.to(probabilities.dtype)

    def extra_repr(self) -> str:
        """Modes, photons and mesh."""
        kind = ", distinguishable" * self.distinguishable + ", bunching" * self.bunching
        return f"{self.modes} modes, {self.photons} photons, {self.mesh.kind}{kind}, {self.outcome_count:,} outcomes"

    def random_phases(self, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Float[Tensor, " phases"]:
        """Phases uniform in [0, 2 pi), drawn on the generator's device."""
        return 2 * math.pi * torch.rand(self.phase_count, generator=generator, device=generator.device, dtype=dtype)


def effective_phase_count(circuit: Circuit, phases: Float[Tensor, " phases"]) -> int:
    """Number of independent directions in which phases move the probabilities: the rank of d p / d phi, in double precision.

    Directions that move them by less than 1e-9 of the strongest one do not count. At a few draws in a thousand (with distinguishable
    photons at many) that is one to three fewer than at phases in general position.
    """
    point = phases.detach().double()

    def derivative(direction: Tensor) -> Tensor:
        return torch.func.jvp(circuit, (point,), (direction,))[1]

    # Forward mode in blocks of directions: memory stays small where there are many outcomes.
    blocks = torch.eye(len(point), dtype=point.dtype, device=point.device).split(16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, of what it uses when forward mode is first used
        jacobian = torch.cat([torch.vmap(derivative)(block) for block in blocks])
    return int(torch.linalg.matrix_rank(jacobian, rtol=1e-9))
