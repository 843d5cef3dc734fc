"""Who computes or measures a circuit's outcomes: one small interface, and its implementations on this machine.

A backend is asked with a circuit and its phases, and answers with the probabilities per clock cycle (or per shot) of the circuit's
collision-free outcomes, N clicks in N modes; divided by their sum they are the probabilities given the herald. Where the answer comes from
is its own affair: exact or noisy numbers of this package, Perceval's simulator, MerLin's, or a device far away
(:mod:`lightweights.photonics.remote`).
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from lightweights.errors import LightweightsError
from lightweights.photonics.circuit import Circuit
from lightweights.photonics.hardware import Hardware, MeasuredCircuit


class BackendError(LightweightsError, RuntimeError):
    """A backend that is not installed, cannot be reached, or does not answer; says what to do."""


class Backend(Protocol):
    """What answers. May be asked from several threads at once."""

    def ask(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Float[Tensor, " outcomes"]:
        """Probabilities per cycle of the circuit's outcomes, float64. Raises BackendError where no answer can be had."""
        ...


class InHouse:
    """This package's own numbers: exact, or those of imperfect hardware without shot noise."""

    def __init__(self, hardware: Hardware | None = None) -> None:
        self.hardware = hardware

    def ask(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Float[Tensor, " outcomes"]:
        """Probabilities per cycle."""
        if self.hardware is None:
            return circuit(phases.double())
        device = MeasuredCircuit(circuit, self.hardware)
        return device.noisy.per_cycle(device.biased(phases.double()))[0]


class PercevalLocal:
    """Perceval's simulator SLOS on this machine, with any of its noise models. Random phases are drawn by Perceval, anew each time."""

    def __init__(self, hardware: Hardware | None = None) -> None:
        self.hardware = hardware or Hardware()
        self._pcvl = imported("perceval", "photonics", "perceval-quandela")

    def ask(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Float[Tensor, " outcomes"]:
        """Probabilities per cycle: Perceval's conditional ones times its global performance."""
        pcvl = self._pcvl
        biased = MeasuredCircuit(circuit, self.hardware).biased(phases.double())
        built = perceval_circuit(circuit, biased)
        processor = pcvl.Processor("SLOS", built, noise=pcvl.NoiseModel(**vars(self.hardware.noise)))
        if self.hardware.detectors == "threshold":
            for mode in range(circuit.modes):
                processor.add(mode, pcvl.Detector.threshold())
        processor.min_detected_photons_filter(circuit.photons)
        give_photons(processor, circuit)
        answer = processor.probs(precision=1e-9)
        return float(answer["global_perf"]) * shares(circuit, answer["results"], clipped=self.hardware.detectors == "threshold")


class Merlin:
    """MerLin's layer, exact probabilities only: a cross-check. Needs the optional merlinquantum."""

    def __init__(self) -> None:
        self._merlin = imported("merlin", "merlin", "merlinquantum")

    def ask(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Float[Tensor, " outcomes"]:
        """Probabilities given N clicks: MerLin does not tell how many cycles that takes."""
        merlin = self._merlin
        layer = merlin.QuantumLayer(
            input_size=0,
            circuit=perceval_circuit(circuit, phases),
            input_state=perceval_input(circuit),
            measurement_strategy=merlin.MeasurementStrategy.probs(computation_space=merlin.ComputationSpace.UNBUNCHED),
        )
        with torch.no_grad():
            return layer().reshape(-1).double()


class Remembered:
    """A backend whose last answers are remembered: the same phases are not asked for twice, and a random device tells one thing of them."""

    def __init__(self, backend: Backend, most: int = 256) -> None:
        self.backend, self._most, self._lock = backend, most, threading.Lock()
        self._answers: dict[tuple[Any, ...], Tensor] = {}

    def ask(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Float[Tensor, " outcomes"]:
        """The backend's answer, the first time it was asked."""
        question = (circuit.mesh, tuple(circuit.inputs), tuple(phases.detach().tolist()))
        with self._lock:
            known = self._answers.get(question)
        if known is not None:
            return known
        answer = self.backend.ask(circuit, phases)
        with self._lock:
            self._answers[question] = answer
            while len(self._answers) > self._most:
                del self._answers[next(iter(self._answers))]
        return answer

    def close(self) -> None:
        """Close the backend, if it is one that can be closed."""
        close = getattr(self.backend, "close", None)
        if close is not None:
            close()


def ask_all(backend: Backend, circuits: Sequence[Circuit], phases: Sequence[Tensor]) -> list[Tensor]:
    """The answers for all circuits, asked at the same time: each circuit is a device of its own. Returns when the last has answered."""
    with ThreadPoolExecutor(len(circuits)) as pool:
        asked = [pool.submit(backend.ask, circuit, own.detach().cpu()) for circuit, own in zip(circuits, phases, strict=True)]
        return [answer.result() for answer in asked]


def asked_in_background(backend: Backend, circuit: Circuit, phases: Tensor) -> "Future[Tensor]":
    """A question that nobody waits for, and that holds nothing up when the program ends; its answer, or error, comes with ``result``."""
    answer: Future[Tensor] = Future()
    own = phases.detach().cpu().clone()

    def ask() -> None:
        try:
            answer.set_result(backend.ask(circuit, own))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer


def shares(circuit: Circuit, found: Any, clipped: bool) -> Float[Tensor, " outcomes"]:
    """Shares of the circuit's outcomes among states found with their weights (probabilities or counts). ``clipped``: several photons in
    a mode are one click.
    """
    position = {outcome: k for k, outcome in enumerate(circuit.outcomes())}
    weights, total = torch.zeros(len(position), dtype=torch.float64), 0.0
    for state, weight in found.items():
        total += float(weight)
        counts = [int(n) for n in state]
        clicks = tuple(mode for mode, n in enumerate(counts) if n)
        if clicks in position and (clipped or max(counts) == 1):
            weights[position[clicks]] += float(weight)
    return weights / total if total else weights


def perceval_circuit(circuit: Circuit, phases: Float[Tensor, " phases"]) -> Any:
    """The circuit as Perceval's, component by component, for its simulators, its devices and its renderer."""
    pcvl = imported("perceval", "photonics", "perceval-quandela")
    mesh, values = circuit.mesh, phases.detach().double().cpu().tolist()
    built = pcvl.Circuit(circuit.modes)
    for number, (_, mode) in enumerate(mesh.crossings):
        first, *rest = values[number * mesh.phases_per_crossing : (number + 1) * mesh.phases_per_crossing]
        if mesh.kind == "mzi":
            for phase in (first, rest[0]):
                built.add(mode, pcvl.BS()).add(mode, pcvl.PS(phase))
        else:
            built.add(mode, pcvl.BS(theta=first)).add(mode, pcvl.PS(rest[0])).add(mode + 1, pcvl.PS(rest[1]))
    return built


def perceval_input(circuit: Circuit) -> Any:
    """The photons that enter, as Perceval's state."""
    pcvl = imported("perceval", "photonics", "perceval-quandela")
    return pcvl.BasicState([circuit.inputs.count(mode) for mode in range(circuit.modes)])


_OVERLOADS = threading.Lock()


def give_photons(taker: Any, circuit: Circuit) -> None:
    """``with_input`` of one of Perceval's processors or experiments, one thread at a time: multipledispatch, which picks the overload,
    keeps the object it is called on where all threads share it, so that the photons could enter another thread's circuit.
    """
    with _OVERLOADS:
        taker.with_input(perceval_input(circuit))


def imported(module: str, extra: str, package: str) -> Any:
    """An optional package. Raises BackendError naming the extra that installs it."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise BackendError(f"this needs {package}, which is not installed: pip install 'lightweights[{extra}]'") from None


Maker = Callable[[Hardware | None], Backend]
LOCAL: dict[str, Maker] = {"perceval": PercevalLocal, "merlin": lambda hardware: Merlin()}
"""Backends on this machine that settings can name; without a name, numbers are this package's own."""
