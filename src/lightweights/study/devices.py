"""Devices of a study: from settings to hardware, and whether a run on it can be expected to see anything."""

from collections.abc import Sequence

import torch

from lightweights.errors import LightweightsError
from lightweights.params import PhotonicsSection, RunSettings, SettingsError
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, Noise
from lightweights.photonics.hardware import LEAST_SHOTS


def hardware_of(photonics: PhotonicsSection) -> Hardware | None:
    """The device that the settings describe; None where all is perfect and exact."""
    if not photonics.imperfect:
        return None
    noise = photonics.noise.model_dump() if photonics.noise else {}
    bias = noise.pop("splitter_bias", 0.0)
    return Hardware(
        Noise(**noise), photonics.detectors or "threshold", photonics.post_selection or "exactly", splitter_bias=bias, cycles=photonics.cycles
    )


def check_devices(settings: RunSettings, circuits: Sequence[tuple[int, int]], where: str) -> None:
    """Raises SettingsError where a device of the run would herald no cycle, or too few in its budget, at typical phases."""
    assert settings.photonics is not None
    sections = {"photonics": settings.photonics}
    if settings.regenerate is not None:
        sections |= {f"regenerate, device {name}": section for name, section in settings.regenerate.devices().items()}
    for place, section in sections.items():
        hardware = hardware_of(section)
        if hardware is None:
            continue
        states = settings.photonics.input_state
        for number, (modes, photons) in enumerate(circuits):
            state = states if isinstance(states, str) else states[number]
            circuit = Circuit(modes, photons, settings.photonics.mesh, state)
            draws = torch.Generator().manual_seed(number)
            try:
                herald = MeasuredCircuit(circuit, hardware).herald(circuit.random_phases(draws), draws)
            except (LightweightsError, ValueError) as error:
                raise SettingsError(f"{where}: {place}: circuit [{modes}, {photons}]: {error}") from error
            if hardware.cycles is not None and hardware.cycles * herald < LEAST_SHOTS:
                raise SettingsError(
                    f"{where}: {place}.cycles = {hardware.cycles:,}: circuit [{modes}, {photons}] heralds a cycle with probability about "
                    f"{herald:.1g}, so only about {hardware.cycles * herald:.1g} would count; give at least {LEAST_SHOTS / herald:.0e} cycles, "
                    "or a brighter device"
                )
