"""Can a run be trained at all? Asked before any job starts."""

import math

import torch

from lightweights.baselines import build_baseline
from lightweights.datasets import shape_of
from lightweights.networks import build_network, parameter_count
from lightweights.params import CobylaSchedule, RunSettings, SettingsError
from lightweights.photonics import Mesh, fock
from lightweights.quantum_train import smallest_circuits
from lightweights.study.devices import check_devices


def check_settings(settings: RunSettings, where: str) -> None:
    """Raises SettingsError naming the run where its network cannot be built or its circuits are too small or too large."""
    shape, classes = shape_of(settings.dataset)
    if settings.teacher is not None:
        check_distillation(settings, shape, where)
        return
    assert settings.network is not None
    try:
        weights = parameter_count(settings.network, shape, classes)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error
    if weights == 0:
        raise SettingsError(f"{where}: network.name = {settings.network.name!r} has no weight that requires a gradient")
    network = build_network(settings.network, shape, classes).eval()
    try:
        with torch.no_grad():
            found = tuple(network(torch.zeros(2, *shape)).shape)
    except Exception as error:  # whatever a user's network makes of these images
        raise SettingsError(f"{where}: network.name = {settings.network.name!r} fails on images of shape {shape}: {error}") from error
    if found != (2, classes):
        raise SettingsError(f"{where}: network.name = {settings.network.name!r} gives {found} for two images; expected {(2, classes)}")
    if settings.baseline is not None:
        try:
            build_baseline(settings, shape, classes, seed=0)
        except SettingsError as error:
            raise SettingsError(f"{where}: {error}") from error
    if settings.photonics is None:
        return
    auto = settings.photonics.circuits == "auto"
    circuits, bunching = smallest_circuits(weights) if auto else settings.photonics.circuits, settings.photonics.bunching
    phases = sum(Mesh(settings.photonics.mesh, modes).phase_count for modes, _ in circuits)
    if isinstance(settings.schedule, CobylaSchedule) and settings.schedule.evaluations < phases + 2:
        raise SettingsError(
            f"{where}: schedule.evaluations = {settings.schedule.evaluations}; COBYLA needs at least {phases + 2} for {phases} phases"
        )
    counts = [fock.outcome_count(modes, photons, bunching) for modes, photons in circuits]
    if max(counts) > fock.LARGEST_BASIS:
        raise SettingsError(
            f"{where}: photonics.circuits = {circuits} has a circuit of {max(counts):,} outcomes; at most {fock.LARGEST_BASIS:,}"
        )
    if math.prod(counts) < weights:
        example = [list(circuit) for circuit in smallest_circuits(weights)]
        raise SettingsError(
            f"{where}: photonics.circuits = {[list(circuit) for circuit in circuits]} have {math.prod(counts)} joint outcomes, fewer than "
            f"the {weights} weights of network {settings.network.name}; use larger circuits, for example {example}, or auto"
        )
    check_devices(settings, circuits, where)


def check_distillation(settings: RunSettings, shape: tuple[int, int, int], where: str) -> None:
    """Raises SettingsError where the images are too small for a teacher."""
    if min(shape[1:]) < 4:
        raise SettingsError(f"{where}: dataset.name = {settings.dataset.name!r} has images of {shape}; a teacher needs 4x4 pixels or more")
