"""Noise when the weights are generated, not when they are trained: a trained generator's phases on imperfect devices."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from lightweights.photonics import Hardware, MeasuredCircuit
from lightweights.quantum_train import QuantumTrain
from lightweights.training.data import Examples, TrainingData, measure

DRAWS = 5
"""Evaluations of a random device that an accuracy is averaged over."""


def regenerated_accuracies(
    trained: QuantumTrain, devices: Mapping[str, Hardware | None], test: Examples, generator: torch.Generator
) -> dict[str, float]:
    """Accuracy in percent of the network whose weights come from each device, at the trained phases and mapping; the mean over several
    evaluations of a device that is random. Columns ``regenerated_<device>_accuracy_percent``.
    """
    data = TrainingData(Examples(test.images[:1], test.labels[:1]), {"test": test})
    found = {}
    for name, hardware in devices.items():
        accuracies = []
        for _ in range(DRAWS if hardware is not None and hardware.random else 1):
            with torch.no_grad():
                weights = trained.composed(trained.coefficients(), device_probabilities(trained, hardware, generator))
            measured = measure(lambda x, w=weights: trained.call(w, x), data)  # type: ignore[misc]
            accuracies.append(measured["test_accuracy_percent"])
        found[f"regenerated_{name}_accuracy_percent"] = sum(accuracies) / len(accuracies)
    return found


def device_probabilities(trained: QuantumTrain, hardware: Hardware | None, draws: torch.Generator) -> Float[Tensor, " weights"]:
    """P as the device tells it at the trained phases."""
    if hardware is None:
        return trained.probabilities()
    pairs = zip(trained.circuits, trained.phases, strict=True)
    factors = [
        trained.normalised(MeasuredCircuit(circuit, hardware).to(phases.device)(phases, draws))  # type: ignore[arg-type]
        for circuit, phases in pairs
    ]
    return trained.arm(lambda: factors)
