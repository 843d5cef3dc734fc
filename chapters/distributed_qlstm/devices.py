"""Segments on devices of their own: asked at the same time, and with angles that may be late.

Nothing passes between segments within a circuit, so that each can run elsewhere: a device is told the inputs of its segment and gives its
outputs. :func:`split_calls` asks any callables at once, each in a thread, such as those of :func:`segment_devices` for qubits;
:class:`AskedPhotonicCircuits` asks the project's backends (:mod:`lightweights.photonics.backends`: Perceval, devices far away), one a
segment, with gradients by the parameter-shift rule.

Asynchronous training: a step of the optimiser is taken on what the devices told some steps ago. :class:`LateAngles` holds the angles that
the devices run at present; the loss of :func:`late_forecasts` is that of the late angles, and its gradient, late too, moves the present
ones.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from lightweights.photonics.backends import Backend
from lightweights.photonics.parameter_shift import with_shifted_gradient

from .photonic import PhotonicCircuits
from .qlstm import QLSTM
from .qubits import QubitCircuits

Device = Callable[[Float[Tensor, "batch inputs"]], Float[Tensor, "circuits batch outputs"]]


def split_calls(devices: Sequence[Device], inputs: Float[Tensor, "batch inputs"]) -> Float[Tensor, "circuits batch outputs"]:
    """Outputs side by side of devices that each get their piece of the inputs, all asked at once.

    Raises ValueError where the inputs cannot be cut into as many equal pieces, and whatever the first device to fail raises.
    """
    if not devices or inputs.shape[-1] % len(devices):
        raise ValueError(f"{inputs.shape[-1]} inputs for {len(devices)} devices; give each device as many")
    with ThreadPoolExecutor(len(devices)) as pool:
        asked = [pool.submit(device, piece) for device, piece in zip(devices, inputs.chunk(len(devices), -1), strict=True)]
        return torch.cat([answer.result() for answer in asked], -1)


def segment_devices(circuits: QubitCircuits) -> list[Device]:
    """Each segment of qubit circuits as a device: called with its piece of the inputs, it gives the outputs of its part of all circuits."""
    held = circuits()
    return [partial(circuits.expectations, held=held[:, number : number + 1]) for number in range(circuits.segments)]


class AskedPhotonicCircuits(PhotonicCircuits):
    """Photonic circuits whose segments are asked of backends, one backend a segment, all at the same time.

    Each input of each circuit is a question of its own. Same numbers and phases as :class:`PhotonicCircuits` of the same generator.
    """

    def __init__(self, count: int, pairs: int, backends: Sequence[Backend], generator: torch.Generator) -> None:
        super().__init__(count, len(backends), pairs, generator)
        self.backends = list(backends)

    def probabilities(self, phases: Float[Tensor, "circuits batch segments phases"]) -> Float[Tensor, "circuits batch segments outcomes"]:
        """As the backends tell them."""
        with ThreadPoolExecutor(len(self.backends)) as pool:
            segments = list(pool.map(self._ask, self.backends, phases.detach().unbind(2)))
        answers = torch.stack(segments, 2)
        if not (torch.is_grad_enabled() and phases.requires_grad):
            return answers
        asked = []
        for number, (own, answer) in enumerate(zip(phases.flatten(0, 2), answers.flatten(0, 2), strict=True)):
            backend = self.backends[number % len(self.backends)]
            asked.append(with_shifted_gradient(own, answer, backend, self.circuit, self.circuit.photons))
        return torch.stack(asked).unflatten(0, phases.shape[:3])

    def _ask(self, backend: Backend, phases: Float[Tensor, "circuits batch phases"]) -> Float[Tensor, "circuits batch outcomes"]:
        answers = [backend.ask(self.circuit, own) for own in phases.flatten(0, 1)]
        return torch.stack(answers).to(phases).unflatten(0, phases.shape[:2])


class LateAngles:
    """Angles as devices run them, ``steps`` steps of the optimiser behind. Called with the present angles; :meth:`end_step` after each.

    The value is that of the late angles, the derivative with respect to the present ones is 1.
    """

    def __init__(self, angles: Tensor, steps: int) -> None:
        if steps < 0:
            raise ValueError(f"angles {steps} steps late; use 0 or more")
        self._sent: deque[Tensor] = deque([angles.detach().clone()] * (steps + 1), maxlen=steps + 1)

    def __call__(self, angles: Tensor) -> Tensor:
        """The late angles, with a gradient for the present ones."""
        return self._sent[0] + (angles - angles.detach())

    def end_step(self, angles: Tensor) -> None:
        """The present angles are on their way to the devices; those of some steps ago arrive."""
        self._sent.append(angles.detach().clone())


def late_forecasts(model: QLSTM, late: LateAngles, windows: Float[Tensor, "n time"]) -> Float[Tensor, " n"]:
    """What the model foretells while its devices run late angles."""
    assert isinstance(model.circuits, nn.Module)
    ((name, angles),) = model.circuits.named_parameters()
    return functional_call(model, {f"circuits.{name}": late(angles)}, (windows,))
