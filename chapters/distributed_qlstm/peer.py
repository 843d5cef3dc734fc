"""The same cell in PennyLane, circuit by circuit and window by window, as it is usually written: a cross-check, and what we are timed
against. Needs the optional pennylane.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lightweights.photonics.backends import imported

from .qlstm import HIDDEN, OUTPUT, QLSTM
from .qubits import QubitCircuits, ring


def pennylane_circuit(circuits: QubitCircuits) -> Any:
    """A function of one segment's inputs (qubits,) and angles (layers, qubits, 3) on ``default.qubit`` that gives its <Z> (qubits,)."""
    qml = imported("pennylane", "pennylane", "pennylane")
    qubits = circuits.qubits

    @qml.qnode(qml.device("default.qubit", wires=qubits), interface="torch")
    def circuit(inputs: Tensor, angles: Tensor) -> Any:
        for q in range(qubits):
            qml.Hadamard(q)
        for q in range(qubits):
            qml.RY(inputs[q].atan(), q)
            qml.RZ((inputs[q] ** 2).atan(), q)
        for layer in angles:
            if circuits.entangled:
                for pair in ring(qubits, 1) + ring(qubits, 2):
                    qml.CNOT(pair)
            for q in range(qubits):
                qml.Rot(*layer[q], q)
        return [qml.expval(qml.PauliZ(q)) for q in range(qubits)]

    return lambda inputs, angles: torch.stack(circuit(inputs, angles))


def pennylane_forecasts(model: QLSTM, windows: Float[Tensor, "n time"]) -> Float[Tensor, " n"]:
    """What the model, of qubits, forecasts; differentiable in its angles."""
    circuits = model.circuits
    assert isinstance(circuits, QubitCircuits)
    segment, size = pennylane_circuit(circuits), circuits.inputs

    def outputs(number: int, v: Tensor) -> Tensor:
        pieces = zip(v.chunk(circuits.segments), circuits.angles[number], strict=True)
        return torch.cat([segment(piece, angles) for piece, angles in pieces])

    forecasts = []
    for window in windows:
        h, c = window.new_zeros(size - 1), window.new_zeros(size)
        for step, x in enumerate(window):
            v = torch.cat([x[None], h])
            f, i, g, o = (outputs(number, v) for number in range(HIDDEN))
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            u = o.sigmoid() * c.tanh()
            if step + 1 < len(window):
                h = outputs(HIDDEN, u)[: size - 1]
        forecasts.append(model.readout(outputs(OUTPUT, u))[0])
    return torch.stack(forecasts)
