"""Circuits as a source of numbers: their phases, the devices they run on, and the probabilities that these tell, at once or late."""

import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import count
from typing import Any, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightweights.mapping import Arm
from lightweights.mapping.outer import Normalisation, normalised
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, effective_phase_count
from lightweights.photonics.backends import Backend, Remembered, ask_all, asked_in_background
from lightweights.photonics.mesh import MeshKind
from lightweights.photonics.parameter_shift import with_shifted_gradient

NOTHING = 1e-12
"""A sum of probabilities below this is rounding: in float32 an amplitude of 0 comes out as some 1e-8."""


def smallest_circuits(weight_count: int) -> list[tuple[int, int]]:
    """The rule of ``circuits="auto"``: two circuits of M and M or M-1 modes, each half filled (N = M // 2 photons), with the
    fewest modes in all whose collision-free outcomes multiply to at least ``weight_count``. 6690 weights give the paper's (9, 4), (8, 4).
    """
    for total in count(4):
        circuits = [(modes, modes // 2) for modes in (total - total // 2, total // 2)]
        if math.prod(math.comb(*circuit) for circuit in circuits) >= weight_count:
            return circuits
    raise AssertionError("unreachable")


def circuit_shapes(circuits: object, weight_count: int) -> list[tuple[int, int]]:
    """(modes, photons) of each circuit. Raises ValueError for what is neither ``"auto"`` nor a list of pairs."""
    if circuits == "auto":
        return smallest_circuits(weight_count)
    wanted = 'expected "auto" or a list of (modes, photons), one pair a circuit'
    if isinstance(circuits, str) or not isinstance(circuits, Sequence) or not circuits:
        raise ValueError(f"circuits {circuits!r}: {wanted}")
    if all(isinstance(number, int) for number in circuits):
        raise ValueError(f"circuits {circuits!r}: {wanted}; for a single circuit write [{circuits!r}]")
    if not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in circuits):
        raise ValueError(f"circuits {circuits!r}: {wanted}")
    return [(modes, photons) for modes, photons in circuits]


class Light(nn.Module):
    """The circuits of a generator, made from ``shapes``, (modes, photons) each. Subclasses give it phases and an arm.

    Raises ValueError for circuits, input states and normalisations that cannot be.
    """

    arm: Arm
    phases: nn.ParameterList
    staleness: int

    def __init__(
        self,
        shapes: Sequence[tuple[int, int]],
        *,
        mesh: MeshKind,
        input_state: str | Sequence[list[int]],
        bunching: bool,
        normalisation: Normalisation,
        arm: str,
        hardware: Hardware | None,
        backend: Backend | None,
    ) -> None:
        super().__init__()
        if normalisation not in get_args(Normalisation):
            raise ValueError(f"normalisation {normalisation!r}: expected mean, sum or none")
        states: list[Any] = [input_state] * len(shapes) if isinstance(input_state, str) else list(input_state)
        if len(states) != len(shapes):
            raise ValueError(f"input_state lists {len(states)} states for {len(shapes)} circuits; give one a circuit")
        circuits = [
            Circuit(modes, photons, mesh, state, bunching, distinguishable=arm.startswith("distinguishable"))
            for (modes, photons), state in zip(shapes, states, strict=True)
        ]
        self.normalisation: Normalisation = "none" if arm.endswith("-unnormalised") else normalisation
        self.hardware = hardware
        self.backend = backend and Remembered(backend)
        # Each circuit is registered once, by itself or in its device: torch's functional calls damage a module that has two names.
        self.devices = nn.ModuleList(circuits if hardware is None else [MeasuredCircuit(c, hardware) for c in circuits])
        if hardware is not None and hardware.random and backend is None:
            self.register_buffer("draw", torch.zeros((), dtype=torch.int64))
        self.staleness = 0
        self._under_way: list[deque[Future[Tensor]]] = [deque() for _ in circuits]

    @property
    def circuits(self) -> list[Circuit]:
        """The circuits themselves, whatever devices they run on."""
        return [device.noisy.circuit if isinstance(device, MeasuredCircuit) else device for device in self.devices]  # type: ignore[misc]

    def be_late(self, rounds: int) -> None:
        """From now on probabilities arrive ``rounds`` rounds late; until then those of the present phases count."""
        if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 0:
            raise ValueError(f"staleness {rounds!r}: expected a whole number of rounds, 0 or more")
        if rounds and self.arm.phases_matter:
            with torch.no_grad():
                for k, known in enumerate(self.factors()):
                    self.register_buffer(f"known{k}", known.expand(rounds + 1, -1).clone())
            self.staleness = rounds

    def factors(self) -> list[Float[Tensor, " outcomes"]]:
        """The normalised outcome probabilities of each circuit, as its device tells them, or told them ``staleness`` rounds ago.

        Of late probabilities the gradient is that of the present ones: each device turns the gradient that it gets into steps of its own
        phases, and only what it tells the others is late. What a random device tells depends on the phases and on the number drawn by
        :meth:`ask_anew`: until that is called, the same phases give the same numbers.
        """
        if self.staleness and not torch.is_grad_enabled():
            return [self.get_buffer(f"known{k}")[0].clone() for k in range(len(self.circuits))]  # no device is waited for
        present = self._present_factors()
        if not self.staleness:
            return present
        return [self.get_buffer(f"known{k}")[0] + (p - p.detach()) for k, p in enumerate(present)]

    def end_round(self) -> None:
        """The devices send the probabilities of their present phases; those sent ``staleness`` rounds ago arrive.

        A backend's answers arrive when they are there: a device that is late is waited for only once it is more than ``staleness`` rounds
        late, the others not at all.
        """
        if not self.staleness:
            return
        with torch.no_grad():
            if self.backend is not None:
                self._take_what_is_there(self.backend)
                return
            for k, sent in enumerate(self._present_factors()):
                known = self.get_buffer(f"known{k}")
                known.copy_(torch.cat([known[1:], sent[None]]))

    def _take_what_is_there(self, backend: Backend) -> None:
        for circuit, phases, under_way in zip(self.circuits, self.phases, self._under_way, strict=True):
            under_way.append(asked_in_background(backend, circuit, phases))  # type: ignore[arg-type]
        for k, under_way in enumerate(self._under_way):
            known = self.get_buffer(f"known{k}")
            while under_way and (under_way[0].done() or len(under_way) > self.staleness):
                known.copy_(self._given_herald(under_way.popleft().result().to(known)).expand_as(known))

    def _present_factors(self) -> list[Float[Tensor, " outcomes"]]:
        if self.backend is not None:
            return self._answered(self.backend)
        if self.hardware is None or not self.hardware.random:
            return [self.normalised(device(phases)) for device, phases in zip(self.devices, self.phases, strict=True)]
        draws = torch.Generator().manual_seed(int(self.get_buffer("draw")))
        return [self.normalised(device(phases, draws)) for device, phases in zip(self.devices, self.phases, strict=True)]

    def _answered(self, backend: Backend) -> list[Float[Tensor, " outcomes"]]:
        """What a backend tells, given the herald. Circuits are asked at the same time."""
        most = 2 if self.hardware is not None and self.hardware.noise.g2 else 1
        answers = ask_all(backend, list(self.circuits), list(self.phases))
        factors = []
        for circuit, phases, answer in zip(self.circuits, self.phases, answers, strict=True):
            joint = answer.to(phases)
            if torch.is_grad_enabled() and phases.requires_grad:
                joint = with_shifted_gradient(phases, answer, backend, circuit, most * circuit.photons)
            factors.append(self._given_herald(joint))
        return factors

    def _given_herald(self, joint: Float[Tensor, " outcomes"]) -> Float[Tensor, " outcomes"]:
        return self.normalised(joint / joint.sum())

    @property
    def answers_vary(self) -> bool:
        """Whether P changes when the devices are asked again with the same phases."""
        return "draw" in self._buffers and self.arm.phases_matter

    def ask_anew(self, generator: torch.Generator) -> None:
        """From now on the devices' answers are those to a new question; nothing where they do not vary."""
        if self.answers_vary:
            self.get_buffer("draw").fill_(int(torch.randint(2**62, (), generator=generator)))

    def normalised(self, probabilities: Float[Tensor, " outcomes"]) -> Float[Tensor, " outcomes"]:
        """Probabilities divided as the setting says: by their mean, by their sum, or not at all.

        Raises ValueError where they are all 0, so that there is nothing to divide by.
        """
        if self.normalisation != "none" and is_plain(probabilities) and not float(probabilities.detach().sum()) > NOTHING:
            raise ValueError(
                f"all {probabilities.shape[-1]} outcomes of a circuit have probability 0 at its phases, so they cannot be divided by their "
                f"{self.normalisation}: all its photons always leave together, or its phases are no numbers; use more modes than photons, "
                'bunching=True, or normalisation="none"'
            )
        return normalised(probabilities, self.normalisation)

    def effective_phases(self) -> int:
        """Number of independent directions in which the present phases move the probabilities."""
        return sum(effective_phase_count(circuit, phases) for circuit, phases in zip(self.circuits, self.phases, strict=True))  # type: ignore[arg-type, misc]


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor's values can be looked at: not while torch compiles or exports or CUDA records, nor under vmap and the like."""
    recorded = tensor.is_cuda and torch.cuda.is_current_stream_capturing()
    return not (recorded or torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(tensor))
