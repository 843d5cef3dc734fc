"""The arms of the ablation: each differs from photonic Quantum-Train in what it should, and in nothing else."""

import itertools
import math

import numpy as np
import perceval as pcvl
import pytest
import torch
from torch import nn

from lightweights import MPS, QuantumTrain
from lightweights.mapping import ARMS, outer_product
from lightweights.photonics import Circuit, unitary
from lightweights.settings.schedules import GradientSchedule
from lightweights.training.alternating import begin_rounds, rounds
from lightweights.training.data import Examples, TrainingData


def generated(arm: str, seed: int = 0, bond_dim: int = 2) -> QuantumTrain:
    """36 weights from circuits with 10 x 6 outcomes."""
    network = nn.Linear(8, 4)
    generator = torch.Generator().manual_seed(seed)
    return QuantumTrain(network, [(5, 2), (4, 2)], MPS(bond_dim, init_std=0.1), arm=arm, generator=generator)


def toy_data() -> TrainingData:
    generator = torch.Generator().manual_seed(7)
    examples = Examples(torch.rand(60, 8, generator=generator), torch.randint(4, (60,), generator=generator))
    return TrainingData(examples, {"test": examples})


SCHEDULE = GradientSchedule(rounds=3, mapping_epochs=1, batch_size=20, phase_steps=2, phase_batch_size=30)


def trained(arm: str, seed: int = 3) -> tuple[QuantumTrain, list[dict[str, float]]]:
    training = begin_rounds(generated(arm, seed), SCHEDULE, seed)
    return training.module, list(rounds(training, toy_data(), SCHEDULE))  # type: ignore[return-value]


@pytest.mark.parametrize("arm", ARMS)
def test_arms_share_the_initial_mapping_and_phases(arm: str) -> None:
    one, other = generated("photonic"), generated(arm)
    for first, second in zip([*one.mapping.parameters(), *one.phases], [*other.mapping.parameters(), *other.phases], strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_trains_only_what_it_says(arm: str) -> None:
    before, (after, rows) = generated(arm, seed=3), trained(arm)
    moved = {
        name.split(".")[0] if name.startswith(("mapping", "phases")) else name
        for (name, a), b in zip(before.named_parameters(), after.parameters(), strict=True)
        if not name.startswith("target.") and not torch.equal(a, b)
    }
    beside = {
        "photonic": {"phases"},
        "distinguishable": {"phases"},
        "photonic-unnormalised": {"phases"},
        "distinguishable-matched": {"phases"},
        "classical-light": {"arm.thetas.0", "arm.thetas.1"},
        "classical-light-used": {"arm.thetas.0", "arm.thetas.1"},
        "product-free": {"arm.vectors.0", "arm.vectors.1"},
    }
    assert moved == {"mapping"} | beside.get(arm, set())
    assert len(rows) == 3
    assert math.isnan(rows[-1]["phase_loss"]) == (arm not in beside)


def test_distinguishable_photons_agree_with_perceval_at_indistinguishability_zero() -> None:
    circuit = Circuit(5, 3, "clements", "spaced", distinguishable=True)
    phases = circuit.random_phases(torch.Generator().manual_seed(1), torch.float64)
    matrix = pcvl.Matrix(unitary(circuit.mesh, phases).numpy())
    processor = pcvl.Processor("SLOS", pcvl.Unitary(matrix), noise=pcvl.NoiseModel(indistinguishability=0.0))
    processor.min_detected_photons_filter(3)
    state = [0] * 5
    for mode in circuit.inputs:
        state[mode] += 1
    processor.with_input(pcvl.BasicState(state))
    expected: dict[tuple[int, ...], float] = {}
    for outcome, probability in processor.probs()["results"].items():
        expected[tuple(outcome)] = expected.get(tuple(outcome), 0.0) + probability
    for outcome, probability in zip(circuit.outcomes(), circuit(phases).tolist(), strict=True):
        counts = tuple(outcome.count(mode) for mode in range(5))
        assert probability == pytest.approx(expected[counts], abs=1e-6)  # Perceval drops what is smaller


def test_distinguishable_probabilities_are_permanents_of_squared_moduli_and_sum_to_one_with_bunching() -> None:
    circuit = Circuit(4, 3, "notebook", "spaced", bunching=True, distinguishable=True)
    phases = circuit.random_phases(torch.Generator().manual_seed(2), torch.float64)
    moduli = unitary(circuit.mesh, phases).abs().square().numpy()
    found = circuit(phases).numpy()
    for outcome, probability in zip(circuit.outcomes(), found, strict=True):
        ways = {tuple(p) for p in itertools.permutations(outcome)}  # which photon leaves where
        walked = sum(math.prod(moduli[out, into] for out, into in zip(way, circuit.inputs, strict=True)) for way in ways)
        assert probability == pytest.approx(walked, abs=1e-12)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_mps_only_multiplies_by_one() -> None:
    assert torch.equal(generated("mps-only").probabilities(), torch.ones(36))


def test_free_product_starts_at_the_photonic_probabilities() -> None:
    assert torch.equal(generated("product-free").probabilities(), generated("photonic").probabilities())


def test_matched_gaussian_has_the_moments_of_the_photonic_probabilities() -> None:
    network = nn.Linear(100, 60)
    built = {arm: QuantumTrain(network, "auto", arm=arm, generator=torch.Generator().manual_seed(0)) for arm in ARMS}
    values = {arm: built[arm].probabilities().detach().numpy() for arm in ARMS}
    for gaussian, photonic in (("gaussian-matched", "photonic"), ("gaussian-unnormalised", "photonic-unnormalised")):
        n = len(values[gaussian])
        spread = values[photonic].std()
        assert abs(values[gaussian].mean() - values[photonic].mean()) < 5 * spread / np.sqrt(n)
        assert values[gaussian].std() == pytest.approx(spread, rel=5 / np.sqrt(2 * n))
    assert values["photonic-unnormalised"].mean() < 0.01 * values["photonic"].mean()
    assert abs(values["gaussian-fixed"].mean()) < 5 / np.sqrt(n)
    assert values["gaussian-fixed"].std() == pytest.approx(1, rel=5 / np.sqrt(2 * n))


def test_dirichlet_arm_is_a_product_of_vectors_with_mean_one() -> None:
    generator = QuantumTrain(nn.Linear(9, 6), [(5, 2), (4, 2)], arm="dirichlet-fixed", generator=torch.Generator().manual_seed(0))
    table = generator.probabilities().reshape(10, 6)  # all 60 outcomes are used
    assert torch.linalg.matrix_rank(table.double(), rtol=1e-6) == 1
    assert table.mean() == pytest.approx(1, abs=1e-5)
    assert bool((table > 0).all())


@pytest.mark.parametrize("arm", [arm for arm in ARMS if arm not in ("gaussian-resampled", "paper-random")])
def test_arms_that_are_not_resampled_give_the_same_numbers_again(arm: str) -> None:
    generator = generated(arm)
    first = generator.probabilities()
    generator.arm.redraw(torch.Generator().manual_seed(5))
    assert torch.equal(first, generator.probabilities())


def test_resampled_arm_draws_anew_at_each_step_and_keeps_the_bits() -> None:
    generator, stream = generated("gaussian-resampled"), torch.Generator().manual_seed(5)
    first = generator.probabilities().clone()
    generator.arm.redraw(stream)
    assert not torch.isclose(first, generator.probabilities()).any()
    assert torch.equal(generator.coefficients(), generator.mapping.coefficients())


def test_the_papers_random_inputs_leave_no_trace_of_the_index() -> None:
    generator, stream = generated("paper-random"), torch.Generator().manual_seed(5)
    seen = set()
    for _ in range(20):
        generator.arm.redraw(stream)
        coefficients = generator.coefficients()
        assert bool((coefficients == coefficients[:, :1]).all())
        seen.add(coefficients[1, 0].item())
    assert len(seen) > 5


def test_metrics_of_a_resampled_arm_belong_to_the_weights_that_are_kept() -> None:
    generator, rows = trained("paper-random")
    network, data = generator.bake(), toy_data().train
    with torch.no_grad():
        accuracy = 100 * float((network(data.images).argmax(-1) == data.labels).float().mean())
    assert accuracy == pytest.approx(rows[-1]["train_accuracy_percent"])


def test_frozen_phases_and_fixed_numbers_count_no_phases() -> None:
    for arm in ("photonic-frozen", "mps-only", "gaussian-matched", "paper-random"):
        counts = generated(arm).parameter_counts()
        assert counts["trained_published"] == counts["trained_effective"] == counts["mapping"], arm


def test_free_product_counts_the_numbers_that_enter() -> None:
    counts = generated("product-free").parameter_counts()  # 36 weights use 6 of the 10 rows of 6
    assert (counts["phases_published"], counts["phases_used"]) == (16, 12)
    generator = generated("product-free")

    def product(vectors: torch.Tensor) -> torch.Tensor:
        return outer_product(list(vectors.split([10, 6])), 36)

    point = torch.cat(list(generator.arm.vectors)).detach().double()
    jacobian = torch.autograd.functional.jacobian(product, point)
    assert counts["phases_effective"] == torch.linalg.matrix_rank(jacobian) == 11


@pytest.mark.parametrize("arm", ["classical-light", "classical-light-used"])
def test_classical_light_is_the_normalised_intensity_behind_a_random_medium(arm: str) -> None:
    generator = generated(arm)
    with torch.no_grad():
        factors = []
        for k, theta in enumerate(generator.arm.thetas):
            assert torch.equal(theta, generator.phases[k][: len(theta)])  # starts where the phases do
            real, imaginary = generator.arm.get_buffer(f"medium{k}").double().numpy()
            intensity = np.abs((real + 1j * imaginary) @ np.exp(1j * theta.double().numpy())) ** 2
            factors.append(intensity / intensity.mean())
        assert np.allclose(generator.probabilities(), np.outer(*factors).ravel()[:36], rtol=1e-5)


def test_classical_light_has_as_many_effective_numbers_as_the_photons() -> None:
    light, photons = generated("classical-light"), generated("photonic")
    assert light.parameter_counts()["phases_effective"] == photons.parameter_counts()["phases_effective"]
    assert generated("classical-light-used").parameter_counts()["phases_used"] == photons.parameter_counts()["phases_used"]
    for arm in ("classical-light", "classical-light-used"):
        generator = generated(arm)
        ranks = []
        for k, theta in enumerate(generator.arm.thetas):
            real, imaginary = generator.arm.get_buffer(f"medium{k}").double()
            intensity = lambda x, re=real, im=imaginary: (re @ x.cos() - im @ x.sin()) ** 2 + (re @ x.sin() + im @ x.cos()) ** 2  # noqa: E731
            jacobian = torch.autograd.functional.jacobian(intensity, theta.detach().double())
            ranks.append(int(torch.linalg.matrix_rank(jacobian, rtol=1e-9)))
        largest = [
            min(len(theta) - 1, circuit.outcome_count) for theta, circuit in zip(generator.arm.thetas, generator.circuits, strict=True)
        ]
        assert ranks == largest


def test_the_published_circuits_give_classical_light_43_and_38_phases() -> None:
    generator = QuantumTrain(nn.Linear(99, 60), arm="classical-light", generator=torch.Generator().manual_seed(0))
    assert [len(theta) for theta in generator.arm.thetas] == [43, 38]
    counts = generator.parameter_counts()
    assert (counts["phases_used"], counts["phases_effective"]) == (81, 79)


def test_matched_distinguishable_photons_vary_as_the_photons_do_at_the_start() -> None:
    photons, matched, plain = (
        generated(arm).probabilities().detach() for arm in ("photonic", "distinguishable-matched", "distinguishable")
    )
    assert torch.isclose(matched.var(), photons.var(), rtol=1e-4)
    assert not torch.isclose(plain.var(), photons.var(), rtol=1e-2)
    assert torch.allclose((matched - 1) / (plain - 1), (matched[0] - 1) / (plain[0] - 1), rtol=1e-3)


def test_unknown_arm_names_those_that_exist() -> None:
    with pytest.raises(ValueError, match="arm 'quantum': expected one of photonic, photonic-frozen"):
        generated("quantum")
