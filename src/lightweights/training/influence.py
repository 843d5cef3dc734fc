"""How much do the photons matter in a trained generator? Measured on the generator as it is, without training anything."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor

from lightweights.photonics import Circuit
from lightweights.quantum_train import QuantumTrain
from lightweights.training.data import Examples, TrainingData, measure

DRAWS = 5
"""Random permutations, and random phases, that an accuracy is averaged over."""


def photon_influence(trained: QuantumTrain, initial: QuantumTrain, test: Examples, generator: torch.Generator) -> dict[str, float]:
    """What training did to the probabilities, how far the weights depend on them, and what remains when they are taken away.

    ``initial`` is the generator before training. Total variations are between P normalised to 1, over the entries in use; ``random`` is
    the mean one between the initial P and that of freshly drawn phases, for scale. Shares are of the variance of the weights
    w = A + B P: cov(B P, w) / var(w), and the same with P minus its mean, which leaves the pattern alone. Accuracies, in percent, are
    those of the weights as trained, with P shuffled, with P = 1 (its mean), and with phases drawn anew; means over several draws.
    """
    with torch.no_grad():
        before, after = initial.probabilities(), trained.probabilities()
        coefficients = trained.coefficients()
        redrawn = [_redrawn(trained, generator).probabilities() for _ in range(DRAWS)]
    shuffled = [after[torch.randperm(len(after), generator=generator).to(after.device)] for _ in range(DRAWS)]
    slope, weights = coefficients[1], coefficients[0] + coefficients[1] * after

    def accuracy(probabilities: list[Tensor]) -> float:
        found = []
        for p in probabilities:
            w = trained.composed(coefficients, p)
            data = TrainingData(Examples(test.images[:1], test.labels[:1]), {"test": test})
            found.append(measure(lambda x, w=w: trained.call(w, x), data)["test_accuracy_percent"])  # type: ignore[misc]
        return sum(found) / len(found)

    return {
        "moved_total_variation": total_variation(before, after),
        "random_total_variation": sum(total_variation(before, p) for p in redrawn) / DRAWS,
        "variance_share_of_term": share_of_variance(slope * after, weights),
        "variance_share_of_pattern": share_of_variance(slope * (after - after.mean()), weights),
        "effective_phases_at_start": initial.effective_phases(),
        "trained_accuracy_percent": accuracy([after]),
        "shuffled_accuracy_percent": accuracy(shuffled),
        "ones_accuracy_percent": accuracy([after.mean().expand_as(after)]),
        "redrawn_accuracy_percent": accuracy(redrawn),
    }


def total_variation(first: Float[Tensor, " weights"], second: Float[Tensor, " weights"]) -> float:
    """Half the sum of the absolute differences of the two vectors, each divided by its sum: 0 for equal ones, at most 1."""
    return float((first.double() / first.double().sum() - second.double() / second.double().sum()).abs().sum() / 2)


def share_of_variance(part: Float[Tensor, " weights"], whole: Float[Tensor, " weights"]) -> float:
    """cov(part, whole) / var(whole): the shares of parts that add up to the whole add up to 1. NaN where the whole is constant."""
    part, whole = part.double() - part.double().mean(), whole.double() - whole.double().mean()
    return float((part * whole).sum() / whole.square().sum())


def _redrawn(trained: QuantumTrain, generator: torch.Generator) -> QuantumTrain:
    other = copy.deepcopy(trained)
    other.staleness = 0
    for phases, circuit in zip(other.phases, other.circuits, strict=True):
        assert isinstance(circuit, Circuit)
        phases.copy_(circuit.random_phases(generator))
    return other
