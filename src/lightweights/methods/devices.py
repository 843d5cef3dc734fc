"""Devices of a study: from settings to hardware, and whether a run on it can be expected to see anything."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch

from lightweights.errors import LightweightsError
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, Noise
from lightweights.photonics.backends import LOCAL, Backend, BackendError
from lightweights.photonics.hardware import LEAST_SHOTS
from lightweights.photonics.parameter_shift import degrees
from lightweights.photonics.remote import JobLog, Remote, connect, require_token
from lightweights.settings.base import SettingsError
from lightweights.settings.kinds import QuantumTrainRun
from lightweights.settings.photonics import PhotonicsSection
from lightweights.settings.schedules import CobylaSchedule, GradientSchedule

MOST_JOBS = 20_000
"""Jobs that a run may send to a platform far away for gradients; more would take weeks and a fortune."""


def hardware_of(photonics: PhotonicsSection) -> Hardware | None:
    """The device that the settings describe; None where all is perfect and exact."""
    if not photonics.imperfect:
        return None
    noise = photonics.noise.model_dump() if photonics.noise else {}
    bias = noise.pop("splitter_bias", 0.0)
    return Hardware(
        Noise(**noise),
        photonics.detectors,
        photonics.post_selection,
        splitter_bias=bias,
        cycles=photonics.cycles,
    )


def backend_of(photonics: PhotonicsSection, jobs: Path | None = None) -> Backend | None:
    """Who answers in place of our own numbers; None for ourselves. ``jobs`` is the file where numbers of remote jobs are kept.

    Raises BackendError where it is not installed, there is no token, or the platform is unknown or cannot be reached.
    """
    if photonics.backend is None:
        return None
    hardware = hardware_of(photonics)
    if photonics.backend != "perceval-remote":
        return LOCAL[photonics.backend](hardware)
    assert photonics.platform is not None and photonics.shots is not None
    session = "lightweights-" + hashlib.sha256(str(jobs and jobs.resolve()).encode()).hexdigest()[:16]  # the same when a run is restarted
    layer = connect(photonics.platform, session)
    return Remote(layer, photonics.shots, JobLog(jobs), noise=hardware.noise if hardware else None)


def circuits_of(photonics: PhotonicsSection, shapes: Sequence[tuple[int, int]]) -> list[Circuit]:
    """The circuits of these numbers of modes and photons, with the mesh and the input states of the settings."""
    states = photonics.input_state
    return [Circuit(*shape, photonics.mesh, states if isinstance(states, str) else states[k]) for k, shape in enumerate(shapes)]


def jobs_asked(settings: QuantumTrainRun, circuits: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Jobs that a run sends to a platform far away for its gradients, and for all else: a job is a circuit at its phases.

    Each circuit is asked for once before training and once a round, and for each step of training: with gradients once, and for every
    shift of the parameter-shift rule; SPSA twice; COBYLA as often as it may evaluate. A question that was answered is not sent
    again, so that there may be fewer.
    """
    schedule, count = settings.schedule, len(circuits)
    if not settings.trains_phases:
        return 0, count
    if isinstance(schedule, GradientSchedule):
        most = 2 if settings.photonics.noise and settings.photonics.noise.g2 else 1
        built = circuits_of(settings.photonics, circuits)
        each = sum(2 * degree for circuit in built for degree, _ in degrees(circuit, most * circuit.photons))
        return each * schedule.phase_steps * schedule.rounds, count * (1 + (1 + schedule.phase_steps) * schedule.rounds)
    steps = schedule.evaluations if isinstance(schedule, CobylaSchedule) else 2 * schedule.phase_steps
    return 0, count * (1 + (1 + steps) * schedule.rounds)


def _check_jobs(settings: QuantumTrainRun, circuits: Sequence[tuple[int, int]], where: str) -> None:
    """Raises SettingsError where a platform far away would be asked for very many gradients, each of which takes many jobs."""
    photonics, schedule = settings.photonics, settings.schedule
    far = photonics.backend == "perceval-remote"
    if not far or not isinstance(schedule, GradientSchedule) or not settings.trains_phases:
        return
    if (jobs := jobs_asked(settings, circuits)[0]) > MOST_JOBS:
        each = jobs // (schedule.phase_steps * schedule.rounds)
        raise SettingsError(
            f"{where}: a gradient takes {each:,} jobs on photonics.platform = {photonics.platform}, the schedule {jobs:,}; at most "
            f"{MOST_JOBS:,} are sent: use schedule spsa (2 evaluations a step) or cobyla, or fewer schedule.phase_steps and schedule.rounds"
        )


def check_devices(settings: QuantumTrainRun, circuits: Sequence[tuple[int, int]], where: str) -> None:
    """Raises SettingsError where a device of the run would herald no cycle, or too few in its budget, at typical phases."""
    _check_jobs(settings, circuits, where)
    try:
        if settings.photonics.backend == "perceval-remote":
            require_token(settings.photonics.platform or "")
        else:
            backend_of(settings.photonics)
    except BackendError as error:
        raise SettingsError(f"{where}: photonics.backend = {settings.photonics.backend}: {error}") from error
    sections = {"photonics": settings.photonics}
    if settings.regenerate is not None:
        sections |= {f"regenerate, device {name}": section for name, section in settings.regenerate.devices().items()}
    for place, section in sections.items():
        hardware = hardware_of(section)
        if hardware is None:
            continue
        for number, circuit in enumerate(circuits_of(settings.photonics, circuits)):
            shape = [circuit.modes, circuit.photons]
            draws = torch.Generator().manual_seed(number)
            try:
                herald = MeasuredCircuit(circuit, hardware).herald(circuit.random_phases(draws), draws)
            except (LightweightsError, ValueError) as error:
                raise SettingsError(f"{where}: {place}: circuit {shape}: {error}") from error
            if hardware.cycles is not None and hardware.cycles * herald < LEAST_SHOTS:
                raise SettingsError(
                    f"{where}: {place}.cycles = {hardware.cycles:,}: circuit {shape} heralds a cycle with probability about "
                    f"{herald:.1g}, so only about {hardware.cycles * herald:.1g} would count; give at least "
                    f"{LEAST_SHOTS / herald:.0e} cycles, or a brighter device"
                )
