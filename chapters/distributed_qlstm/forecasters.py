"""The forecasters by name, drawn from a seed, and how many numbers each of them trains."""

import torch
from torch import Tensor, nn

from lightweights import QuantumTrain
from lightweights.training.randomness import stream

from .classical import LSTM, Linear, Persistence, generated_lstm
from .photonic import PhotonicCircuits
from .qlstm import CIRCUITS, HIDDEN, QLSTM, Circuits, trained_count
from .qubits import QubitCircuits
from .settings import ForecasterSection


def build(section: ForecasterSection, seed: int) -> nn.Module:
    """The forecaster with the initial values of the seed, the same for all runs of the seed that draw as many."""
    a, drawn = section, stream(seed, "initial values")
    if a.cell == "qubits":
        circuits = QubitCircuits(CIRCUITS, a.segments, a.width, drawn, layers=a.layers, entangled=a.entangled, frozen=a.frozen)
        return QLSTM(circuits, drawn)
    if a.cell == "photons":
        return QLSTM(PhotonicCircuits(CIRCUITS, a.segments, a.width, drawn, distinguishable=a.distinguishable), drawn)
    if a.cell == "lstm":
        return LSTM(a.hidden, drawn)
    if a.cell == "generated-lstm":
        return generated_lstm(a.hidden, a.bond_dim, drawn)
    return Linear() if a.cell == "linear" else Persistence()


def counts(forecaster: nn.Module) -> dict[str, int]:
    """``trained``: numbers that are trained and enter the forecast; ``effective``: without those that leave a circuit's outputs as they
    are, whatever its input; ``target``: all numbers of the network that forecasts.
    """
    if isinstance(forecaster, QuantumTrain):
        own = forecaster.parameter_counts()
        return {"trained": own["trained_used"], "effective": own["trained_effective"], "target": own["target"]}
    trained = trained_count(forecaster)
    effective = trained
    if isinstance(forecaster, QLSTM) and trained > trained_count(forecaster.readout):
        effective = trained_count(forecaster.readout) + sum(effective_count(forecaster.circuits, k) for k in range(CIRCUITS))
    return {"trained": trained, "effective": effective, "target": sum(p.numel() for p in forecaster.parameters())}


def effective_count(circuits: Circuits, number: int) -> int:
    """Independent directions in which a circuit's angles move the outputs that the cell uses: the rank of their derivative over 100
    random inputs. The hidden state leaves out the last output of its circuit.
    """
    assert isinstance(circuits, QubitCircuits | PhotonicCircuits)
    ((name, angles),) = circuits.named_parameters()
    used = circuits.inputs - 1 if number == HIDDEN else circuits.inputs
    draws = torch.Generator().manual_seed(0)
    inputs = 2 * torch.rand(100, circuits.inputs, generator=draws, dtype=torch.float64) - 1
    # Angles near zero are a special point of a rank that is larger almost everywhere.
    point = angles.detach()[number : number + 1] + torch.randn(angles[:1].shape, generator=draws, dtype=angles.dtype)

    def outputs(own: Tensor) -> Tensor:
        return circuits.expectations(inputs, torch.func.functional_call(circuits, {name: own}, ()))[..., :used].flatten()

    jacobian = torch.func.jacfwd(outputs)(point).flatten(1)
    return int(torch.linalg.matrix_rank(jacobian, rtol=1e-9))
