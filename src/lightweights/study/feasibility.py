"""Can a run be trained at all? Asked before any job starts."""

import math

from lightweights.datasets import shape_of
from lightweights.networks import parameter_count
from lightweights.params import RunSettings, SettingsError
from lightweights.photonics import fock
from lightweights.quantum_train import smallest_circuits


def check_settings(settings: RunSettings, where: str) -> None:
    """Raises SettingsError naming the run where its network cannot be built or its circuits are too small or too large."""
    shape, classes = shape_of(settings.dataset.name)
    try:
        weights = parameter_count(settings.network, shape, classes)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error
    if settings.photonics is None or settings.photonics.circuits == "auto":
        return
    circuits, bunching = settings.photonics.circuits, settings.photonics.bunching
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
