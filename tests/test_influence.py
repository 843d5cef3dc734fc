"""How much photons matter in a generator: measures checked on generators whose answer is known."""

import copy
import math

import pytest
import torch
from torch import nn

from lightweights import MPS, QuantumTrain
from lightweights.training.data import Examples
from lightweights.training.influence import photon_influence, share_of_variance, total_variation


def generator_with(slope: float) -> QuantumTrain:
    """40 weights; the part of the mapping that photons modulate is scaled by ``slope``."""
    made = QuantumTrain(nn.Linear(9, 4), [(5, 2), (4, 2)], MPS(2, init_std=0.3), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        first, second = made.mapping.cores[-1].clone()
        # Constant and slope of the last site are bias + second and first - second.
        made.mapping.cores[-1, 0] = second + slope * (first - second)
    return made


def examples() -> Examples:
    generator = torch.Generator().manual_seed(5)
    return Examples(torch.randn(200, 9, generator=generator), torch.randint(4, (200,), generator=generator))


def influence(trained: QuantumTrain, initial: QuantumTrain) -> dict[str, float]:
    return photon_influence(trained, initial, examples(), torch.Generator().manual_seed(6))


def test_without_slope_the_photons_change_nothing() -> None:
    found = influence(generator_with(0.0), generator_with(0.0))
    assert found["variance_share_of_term"] == pytest.approx(0, abs=1e-12)
    same = {found[f"{way}_accuracy_percent"] for way in ("trained", "shuffled", "ones", "redrawn")}
    assert len(same) == 1


def test_shares_of_the_two_terms_add_up_to_one() -> None:
    made = generator_with(1.0)
    with torch.no_grad():
        (constant, slope), p = made.coefficients(), made.probabilities()
    whole = constant + slope * p
    assert share_of_variance(constant, whole) + share_of_variance(slope * p, whole) == pytest.approx(1, abs=1e-6)
    assert influence(made, made)["variance_share_of_term"] == pytest.approx(share_of_variance(slope * p, whole))


def test_total_variation_on_known_vectors() -> None:
    assert total_variation(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])) == 1
    assert total_variation(torch.tensor([1.0, 1.0]), torch.tensor([5.0, 5.0])) == 0
    assert total_variation(torch.tensor([0.5, 0.5]), torch.tensor([0.75, 0.25])) == pytest.approx(0.25)


def test_movement_is_that_of_the_phases() -> None:
    initial = generator_with(1.0)
    moved = copy.deepcopy(initial)
    assert influence(moved, initial)["moved_total_variation"] == 0
    with torch.no_grad():
        moved.phases[0].add_(0.3 * torch.randn(len(moved.phases[0]), generator=torch.Generator().manual_seed(1)))
    found = influence(moved, initial)
    assert 0 < found["moved_total_variation"] < 1
    assert found["effective_phases_at_start"] == initial.parameter_counts()["phases_effective"]


def test_accuracies_are_those_of_the_changed_weights() -> None:
    made, data = generator_with(1.0), examples()
    found = influence(made, made)

    def accuracy(p: torch.Tensor) -> float:
        w = made.mapping(p)
        logits = data.images @ w[:36].reshape(4, 9).T + w[36:]
        return 100 * float((logits.argmax(-1) == data.labels).float().mean())

    with torch.no_grad():
        p = made.probabilities()
        assert found["trained_accuracy_percent"] == pytest.approx(accuracy(p))
        assert found["ones_accuracy_percent"] == pytest.approx(accuracy(p.mean().expand_as(p)))
        stream = torch.Generator().manual_seed(6)
        other = copy.deepcopy(made)
        redrawn = []
        for _ in range(5):
            for phases, circuit in zip(other.phases, other.circuits, strict=True):
                phases.copy_(circuit.random_phases(stream))
            redrawn.append(accuracy(other.probabilities()))
    assert found["redrawn_accuracy_percent"] == pytest.approx(sum(redrawn) / 5)
    assert not math.isclose(found["trained_accuracy_percent"], found["shuffled_accuracy_percent"])
