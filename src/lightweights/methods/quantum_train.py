"""A network whose weights photonic circuits generate."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lightweights.datasets import Dataset
from lightweights.mapping import MPS, LogitTanh, MPSMapping
from lightweights.methods.baseline import generator_tensors
from lightweights.methods.devices import backend_of, check_devices, hardware_of
from lightweights.methods.method import Told
from lightweights.methods.target import check_batches, check_network, device_of, new_network
from lightweights.photonics import Circuit, Mesh, fock
from lightweights.photonics.backends import Backend, Remembered
from lightweights.photonics.remote import Remote
from lightweights.quantum_train import QuantumTrain, smallest_circuits
from lightweights.settings.base import SettingsError
from lightweights.settings.kinds import QuantumTrainRun
from lightweights.settings.schedules import CobylaSchedule
from lightweights.training.alternating import begin_rounds, rounds
from lightweights.training.data import on_device
from lightweights.training.influence import photon_influence
from lightweights.training.randomness import stream
from lightweights.training.regeneration import regenerated_accuracies
from lightweights.training.state import Training


def check(settings: QuantumTrainRun, where: str) -> None:
    """Raises SettingsError where the network cannot be built, its circuits are too small or too large, or a device would see nothing."""
    weights, bunching = check_network(settings.network, settings.dataset, where), settings.photonics.bunching
    circuits = _circuits(settings, weights)
    phases = sum(Mesh(settings.photonics.mesh, modes).phase_count for modes, _ in circuits)
    if isinstance(settings.schedule, CobylaSchedule) and settings.schedule.evaluations < phases + 2:
        raise SettingsError(
            f"{where}: schedule.evaluations = {settings.schedule.evaluations}; COBYLA needs at least {phases + 2} for {phases} phases"
        )
    counts = [fock.outcome_count(modes, photons, bunching) for modes, photons in circuits]
    largest = max(fock.largest_basis(modes, photons, bunching) for modes, photons in circuits)
    if largest > fock.LARGEST_BASIS:
        raise SettingsError(
            f"{where}: photonics.circuits = {circuits} has a circuit of {largest:,} outcomes, on the way to its photons or in the end; "
            f"at most {fock.LARGEST_BASIS:,} are possible"
        )
    if math.prod(counts) < weights:
        example = [list(circuit) for circuit in smallest_circuits(weights)]
        raise SettingsError(
            f"{where}: photonics.circuits = {[list(circuit) for circuit in circuits]} have {math.prod(counts)} joint outcomes, fewer than "
            f"the {weights} weights of network {settings.network.name}; use larger circuits, for example {example}, or auto"
        )
    check_devices(settings, circuits, where)


def circuits_of_run(settings: QuantumTrainRun) -> Sequence[tuple[int, int]]:
    """Modes and photons of each circuit of a run, those that it chooses itself too."""
    return _circuits(settings, check_network(settings.network, settings.dataset, "photonics.circuits"))


def _circuits(settings: QuantumTrainRun, weights: int) -> Sequence[tuple[int, int]]:
    given = settings.photonics.circuits
    return smallest_circuits(weights) if given == "auto" else given


def build_generator(settings: QuantumTrainRun, data: Dataset, seed: int, backend: Backend | None = None) -> QuantumTrain:
    """The target network behind its photonic generator, at its initial values."""
    network = new_network(settings.network, data, seed)
    if isinstance(backend, Remote):  # before the generator asks it anything
        shapes = settings.photonics.circuits
        if shapes == "auto":
            shapes = smallest_circuits(sum(p.numel() for p in network.parameters() if p.requires_grad))
        for modes, photons in shapes:
            backend.check(Circuit(modes, photons))
    recipe = LogitTanh() if settings.mapping.kind == "logit-tanh" else MPS(settings.mapping.bond_dim, settings.mapping.init_std)
    return QuantumTrain(
        network,
        settings.photonics.circuits,
        recipe,
        mesh=settings.photonics.mesh,
        input_state=settings.photonics.input_state,
        bunching=settings.photonics.bunching,
        normalisation=settings.photonics.normalisation,
        arm=settings.photonics.arm,
        hardware=hardware_of(settings.photonics),
        staleness=settings.photonics.staleness,
        backend=backend,
        only="*",
        generator=stream(seed, "initial-values"),
    )


def begin(
    settings: QuantumTrainRun, data: Dataset, seed: int, device: torch.device, *, teacher: nn.Module | None = None, jobs: Path | None = None
) -> Training:
    """The generator at its initial values; what answers in its place is closed with the training."""
    check_batches(settings, data, seed)
    backend = backend_of(settings.photonics, jobs)
    try:
        training = begin_rounds(build_generator(settings, data, seed, backend).to(device), settings.schedule, seed)
    except BaseException:
        if backend is not None:
            Remembered(backend).close()
        raise
    assert isinstance(training.module, QuantumTrain)
    if isinstance(training.module.backend, Remembered):
        training.held.append(training.module.backend)
    return training


def advance(
    training: Training, settings: QuantumTrainRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """Rounds of mapping and phases."""
    return rounds(training, on_device(data, device_of(training.module)), settings.schedule)


def tell(training: Training, settings: QuantumTrainRun, data: Dataset, seed: int) -> Told:
    """The generated network, what generates it, and how much the photons matter in it."""
    module = training.module
    assert isinstance(module, QuantumTrain)
    photons = photons_of(module, settings, data, seed)
    return Told(module.parameter_counts(), module.bake(), generator_tensors(module), details={"photons": photons})


def rebuild(settings: QuantumTrainRun, data: Dataset, seed: int) -> QuantumTrain:
    """The generator at its initial values; a platform far away is not asked for it."""
    far = settings.photonics.backend == "perceval-remote"
    return build_generator(settings, data, seed, None if far else backend_of(settings.photonics))


def unrepeatable(settings: QuantumTrainRun) -> str:
    """Why stored phases do not give the weights again; nothing where they do."""
    far = settings.photonics.backend == "perceval-remote"
    return f"{settings.photonics.platform} gave the probabilities, and would be asked again" if far else ""


def photons_of(module: QuantumTrain, settings: QuantumTrainRun, data: Dataset, seed: int) -> dict[str, Any]:
    """How much the photons matter in a trained generator, on the data set's last test set; nothing where there are none."""
    if not module.arm.phases_matter or module.backend is not None or not isinstance(module.mapping, MPSMapping):
        return {}
    device = module.phases[0].device
    initial = build_generator(settings, data, seed).to(device)
    test = list(on_device(data, device).tests.values())[-1]
    found = photon_influence(module, initial, test, stream(seed, "influence"))
    if settings.regenerate is not None:
        devices = {name: hardware_of(section) for name, section in settings.regenerate.devices().items()}
        found |= regenerated_accuracies(module, devices, test, stream(seed, "regeneration"))
    return found
