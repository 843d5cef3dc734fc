"""Races for the outcome probabilities of an imperfect device, M=9, N=4, with every kind of noise that is not random."""

from collections.abc import Callable

import pandas as pd
import perceval as pcvl
import torch
from torch import Tensor

from benchmarks import peers
from benchmarks.effort import Effort
from benchmarks.report import Target
from benchmarks.timing import Contestant, Race, seeded
from lightweights.photonics import Circuit, Noise, NoisyCircuit

BENCHMARK = "noisy probabilities"
PERCEVAL = "Perceval, precision 1e-6 (its default)"
PERCEVAL_FINE = "Perceval, precision 1e-10"
MERLIN = "MerLin QuantumLayer"
SOURCES = {
    "no second photons": {"g2": 0.0},
    "second photon of its own": {"g2": 0.02, "g2_distinguishable": True},
    "second photon alike": {"g2": 0.02, "g2_distinguishable": False},
}
TIMED = tuple(SOURCES)[1:]
"""What the targets are about: everything on."""


def noise_races(effort: Effort) -> list[Race]:
    """Probabilities given four clicks or more of threshold detectors; ours also with the gradient, which Perceval does not have.

    MerLin takes part where there are no second photons: with them one of its evaluations lasts more than a minute.
    """
    circuit = Circuit(9, 4)
    phases = circuit.random_phases(seeded(1)).requires_grad_()
    cotangent = torch.rand(circuit.outcome_count, generator=seeded(2))
    races = []
    for source, second in SOURCES.items():
        rounded = {"phase_imprecision": 0.01} if second["g2"] else {}  # MerLin rounds phases in a way of its own
        noise = Noise(brightness=0.6, indistinguishability=0.95, transmittance=0.7, **second, **rounded)
        noisy = NoisyCircuit(circuit, noise, "threshold", "at_least")

        def forward(noisy=noisy) -> Tensor:
            with torch.no_grad():
                return noisy(phases)

        def backward(noisy=noisy) -> Tensor:
            probabilities = noisy(phases)
            torch.autograd.grad((probabilities * cotangent).sum(), phases)
            return probabilities

        # At its default precision Perceval leaves out inputs that together are some 1e-3 of the total. That is timed, because it is how
        # Perceval is used; what it computes is compared at the precision at which it can be compared.
        default, fine = (_evaluation(circuit, noise, precision, phases.detach()) for precision in (1e-6, 1e-10))
        theirs = [Contestant(PERCEVAL, default, fine), Contestant(PERCEVAL_FINE, fine, fine)]
        once, both = [Contestant("ours", forward, forward), *theirs], [Contestant("ours", backward, backward), *theirs]
        if not second["g2"] and peers.merlin_available():
            once.append(Contestant(MERLIN, *2 * [_merlin(circuit, noise, phases.detach(), None)]))
            both.append(Contestant(MERLIN, *2 * [_merlin(circuit, noise, phases.detach(), cotangent)]))
        races.append(Race(BENCHMARK, f"{source}, forward", once, effort.rounds))
        races.append(Race(BENCHMARK, f"{source}, forward + backward", both, effort.rounds))
    return races


def noise_targets(table: pd.DataFrame) -> list[Target]:
    """Judged by the ratios to Perceval at its default precision, which is its fastest."""
    part = table[(table.benchmark == BENCHMARK) & (table.contestant == PERCEVAL)].set_index("setting")
    forward = min(part.ratio_to_ours[f"{source}, forward"] for source in TIMED)
    backward = max(1 / part.ratio_to_ours[f"{source}, forward + backward"] for source in TIMED)
    return [
        Target("noisy probabilities: no slower than Perceval", f"{forward:.1f} times faster", bool(forward >= 1)),
        Target("the same, forward + backward: at most 8 times Perceval's forward", f"{backward:.2f} times", bool(backward <= 8)),
    ]


def _evaluation(circuit: Circuit, noise: Noise, precision: float, phases: Tensor) -> Callable[[], Tensor]:
    """Perceval's: circuit with named parameters and processor are built once, only the parameters' values are set."""
    parameters = peers._parameters(circuit)
    processor = pcvl.Processor("SLOS", peers._perceval_circuit(circuit, parameters), noise=pcvl.NoiseModel(**vars(noise)))
    for mode in range(circuit.modes):
        processor.add(mode, pcvl.Detector.threshold())
    processor.min_detected_photons_filter(circuit.photons)
    processor.with_input(peers._fock_state(circuit, circuit.inputs))

    def evaluate() -> Tensor:
        peers._set(parameters, phases)
        return peers._collision_free(circuit, processor.probs(precision=precision)["results"])

    return evaluate


def _merlin(circuit: Circuit, noise: Noise, phases: Tensor, cotangent: Tensor | None) -> Callable[[], Tensor]:
    """MerLin's layer of the same device; with ``cotangent`` also the gradient of the phases."""
    import merlin

    device = pcvl.Experiment(peers._perceval_circuit(circuit, peers._parameters(circuit)), noise=pcvl.NoiseModel(**vars(noise)))
    for mode in range(circuit.modes):
        device.add(mode, pcvl.Detector.threshold())
    device.with_input(peers._fock_state(circuit, circuit.inputs))
    space = merlin.MeasurementStrategy.probs(computation_space=merlin.ComputationSpace.FOCK)
    layer = merlin.QuantumLayer(
        input_size=0,
        experiment=device,
        input_state=peers._fock_state(circuit, circuit.inputs),
        trainable_parameters=["phase"],
        measurement_strategy=space,
    )
    (parameter,) = layer.parameters()
    with torch.no_grad():
        parameter.copy_(phases[: circuit.mesh.used_phase_count])
    layer()
    number = {tuple(state): place for place, state in enumerate(layer.output_keys)}
    places = torch.tensor([number[tuple(peers._fock_state(circuit, outcome))] for outcome in circuit.outcomes()])

    def evaluate() -> Tensor:
        with torch.set_grad_enabled(cotangent is not None):
            clicked = layer()[0][places]
            probabilities = (clicked / clicked.sum()).double()
            if cotangent is not None:
                torch.autograd.grad((probabilities * cotangent).sum(), parameter)
        return probabilities

    return evaluate
