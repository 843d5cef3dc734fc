"""Races for whole steps of training: Adam on the mapping, an evaluation of COBYLA, Adam on the phases."""

from collections.abc import Callable

import torch
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import vector_to_parameters

from benchmarks import peers
from benchmarks.effort import BOND_DIMS, Effort
from benchmarks.timing import Contestant, Race, seeded
from lightweights.datasets import load
from lightweights.mapping import MPS, outer_product
from lightweights.networks import TargetCNN
from lightweights.quantum_train import QuantumTrain
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.schedules import CobylaSchedule
from lightweights.training.alternating import begin_rounds, minimise_phases
from lightweights.training.data import Examples, TrainingData, on_device
from lightweights.training.state import adam
from lightweights.training.task import classification

BATCH = 128
AUTHORS = "authors: Perceval rebuilt, site by site"
MERLIN = "MerLin layers, site by site"
CNN_ALONE = "the CNN alone (floor)"

Labelled = tuple[Tensor, Tensor]


def step_races(effort: Effort) -> list[Race]:
    """Adam on the mapping, batch 128, phases fixed. Ours computes the probabilities once a round, the others at every step."""
    batch = _digits(BATCH).at(torch.arange(BATCH))
    return [Race("training step", f"bond_dim={chi}", _step_contestants(chi, batch), effort.rounds) for chi in BOND_DIMS]


def cobyla_races(effort: Effort) -> list[Race]:
    """One evaluation of the loss over the phases, without and with SciPy's own work."""
    examples = _digits(effort.images)
    batch = examples.at(torch.arange(effort.images))
    races = [Race("COBYLA's function", f"bond_dim={chi}", _evaluation_contestants(chi, batch), effort.rounds) for chi in BOND_DIMS]
    return [*races, _whole_cobyla(examples, effort)]


def phase_races(effort: Effort) -> list[Race]:
    """Adam on the phases with exact gradients, the mapping fixed, bond dimension 4."""
    batch = _digits(effort.images).at(torch.arange(effort.images))
    ours, plain = _generator(4), _generator(4, plain=True)
    coefficients = ours.mapping.coefficients().detach()
    forward = lambda x: ours.call(ours.mapping.weights(coefficients, ours.probabilities()), x)  # noqa: E731
    contestants = [_step("ours", adam(ours.phases.parameters(), 1e-2), forward, batch), _cnn_alone(ours, batch)]
    if peers.merlin_available():
        layers = _merlin_layers(plain)
        optimiser = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=1e-2)
        recomputed = lambda: _weighted(plain, [layer()[0] for layer in layers])  # noqa: E731
        contestants.append(_step(MERLIN, optimiser, _site_by_site(plain, recomputed), _as_rows(batch)))
    return [Race("phases' Adam step", "bond_dim=4", contestants, max(1, effort.rounds // 2))]


def _step_contestants(bond_dim: int, batch: Labelled) -> list[Contestant]:
    ours = _generator(bond_dim)
    probabilities = ours.probabilities().detach()
    forward = lambda x: ours.call(ours.mapping(probabilities), x)  # noqa: E731
    rows = _as_rows(batch)
    plain_cnn = nn.Sequential(*ours.bake())
    contestants = [
        _step("ours", adam(ours.mapping.parameters(), 1e-3), forward, batch),
        _cnn_alone(ours, batch),
        _step("the CNN alone as plain nn.Sequential", adam(plain_cnn.parameters(), 1e-3), plain_cnn, rows),
    ]
    for name, plain, recomputed in _recomputing(bond_dim):
        optimiser = torch.optim.Adam(plain.mapping.parameters(), lr=1e-3)
        contestants.append(_step(name, optimiser, _site_by_site(plain, recomputed), rows))
    return contestants


def _evaluation_contestants(bond_dim: int, batch: Labelled) -> list[Contestant]:
    ours = _generator(bond_dim)
    coefficients = ours.mapping.coefficients().detach()
    vector = torch.cat(list(ours.phases)).detach().double().numpy()

    def evaluation(generator: QuantumTrain, forward: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Callable[[], Tensor]:
        @torch.no_grad()
        def loss() -> Tensor:
            vector_to_parameters(torch.from_numpy(vector).float(), generator.phases)
            return cross_entropy(forward(images), labels)

        return loss

    forward = lambda x: ours.call(ours.mapping.weights(coefficients, ours.probabilities()), x)  # noqa: E731
    contestants = [Contestant("ours", run := evaluation(ours, forward, *batch), run)]
    for name, plain, recomputed in _recomputing(bond_dim):
        contestants.append(Contestant(name, run := evaluation(plain, _site_by_site(plain, recomputed), *_as_rows(batch)), run))
    return contestants


def _whole_cobyla(examples: Examples, effort: Effort) -> Race:
    """Runs of SciPy's COBYLA over 192 phases: the study's own function, and one that costs nothing."""
    schedule = CobylaSchedule(evaluations=effort.evaluations, phase_batch_size=effort.images)
    ours = _generator(10)
    training = begin_rounds(ours, schedule, seed=0)
    task = classification(TrainingData(examples, {}), schedule.batch_size, schedule.phase_batch_size, training.streams)
    coefficients = ours.mapping.coefficients().detach()
    start = torch.cat(list(ours.phases)).detach().double().numpy()

    def scipy_alone() -> None:
        result = minimize(lambda x: float(x @ x), start, method="COBYLA", options={"maxiter": effort.evaluations})
        if result.nfev != effort.evaluations:
            raise RuntimeError(f"COBYLA made {result.nfev} evaluations of the free function in place of {effort.evaluations}")

    contestants = [
        Contestant("ours", lambda: minimise_phases(training, ours, task, schedule, coefficients), work=effort.evaluations),
        Contestant("SciPy alone (a function that costs nothing)", scipy_alone, work=effort.evaluations),
    ]
    return Race("COBYLA evaluation, SciPy included", "192 phases", contestants, effort.long_rounds, warm=False)


def _step(name: str, optimiser: torch.optim.Optimizer, forward: Callable[[Tensor], Tensor], batch: Labelled) -> Contestant:
    return Contestant(name, lambda: _adam_step(optimiser, forward, *batch), lambda: forward(batch[0]))


def _adam_step(optimiser: torch.optim.Optimizer, forward: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> None:
    optimiser.zero_grad()
    cross_entropy(forward(images), labels).backward()
    optimiser.step()


def _cnn_alone(generator: QuantumTrain, batch: Labelled) -> Contestant:
    network = generator.bake()
    return _step(CNN_ALONE, adam(network.parameters(), 1e-3), network, batch)


def _recomputing(bond_dim: int) -> list[tuple[str, QuantumTrain, Callable[[], Tensor]]]:
    """The peers that compute the probabilities anew at each call: name, holder of parameters, and the probabilities' function."""
    plain = _generator(bond_dim, plain=True)
    evaluators = [peers.perceval_rebuilt(circuit) for circuit in plain.circuits]
    authors = lambda: _weighted(plain, [e(p).float() for e, p in zip(evaluators, plain.phases, strict=True)])  # noqa: E731
    ways = [(AUTHORS, plain, authors)]
    if peers.merlin_available():
        other = _generator(bond_dim, plain=True)
        layers = _merlin_layers(other)
        ways.append((MERLIN, other, torch.no_grad()(lambda: _weighted(other, [layer()[0] for layer in layers]))))
    return ways


def _merlin_layers(generator: QuantumTrain) -> list[nn.Module]:
    return [peers.merlin_layer(circuit, phases) for circuit, phases in zip(generator.circuits, generator.phases, strict=True)]


def _weighted(generator: QuantumTrain, probabilities: list[Tensor]) -> Tensor:
    """P_w of the circuits' probabilities, each divided by its mean."""
    return outer_product([p / p.mean() for p in probabilities], generator.weight_count)


def _site_by_site(generator: QuantumTrain, probabilities: Callable[[], Tensor]) -> Callable[[Tensor], Tensor]:
    bits = peers.bit_inputs(generator.mapping)
    return lambda images: generator.call(peers.site_by_site(generator.mapping, bits, probabilities()), images)


def _generator(bond_dim: int, plain: bool = False) -> QuantumTrain:
    """The paper's generator, the same values each time. The mapping starts away from the identity, where all weights would be 0."""
    network = TargetCNN((1, 28, 28), 10)
    return QuantumTrain(nn.Sequential(*network) if plain else network, mapping=MPS(bond_dim, init_std=0.02), generator=seeded(5))


def _digits(count: int) -> Examples:
    train = on_device(load(DatasetSection(name="digits")), torch.device("cpu")).train
    return Examples(train.images[:count], train.labels[:count])


def _as_rows(batch: Labelled) -> Labelled:
    """Images stored channel by channel, as a plain data loader gives them."""
    images, labels = batch
    return images.clone(memory_format=torch.contiguous_format), labels
